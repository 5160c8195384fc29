"""Many records at once, as lines of a file: all are stored, or none and every error is named."""

from outcomes.bulk_import.storing import (
    MOST_ERRORS,
    import_records,
    import_visits,
)

__all__ = ["MOST_ERRORS", "import_records", "import_visits"]
