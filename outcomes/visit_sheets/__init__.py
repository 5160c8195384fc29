"""A spreadsheet of visits: read, checked as if it were stored, shown, stored as it was shown."""

from outcomes.visit_sheets.storing import (
    REFUSED,
    blocked,
    check_sheet,
    counts,
    digest,
    may_upload,
    read_sheet,
    store_sheet,
    without_reason,
)

__all__ = [
    "REFUSED",
    "blocked",
    "check_sheet",
    "counts",
    "digest",
    "may_upload",
    "read_sheet",
    "store_sheet",
    "without_reason",
]
