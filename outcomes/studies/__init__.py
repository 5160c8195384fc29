"""Studies side by side, beside what was published."""

from outcomes.studies.building import (
    RATES,
    TIMES,
    Choices,
    Computed,
    Printed,
    Row,
    Sort,
    rows,
)

__all__ = ["RATES", "TIMES", "Choices", "Computed", "Printed", "Row", "Sort", "rows"]
