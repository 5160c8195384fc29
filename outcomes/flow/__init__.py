"""A trial's participant flow and accrual: one value each that page, drawing and API read."""

from outcomes.flow.building import (
    DATES,
    EVERYONE,
    Column,
    FlowReport,
    Scope,
    build,
    participant,
    records,
    scope_of,
)

__all__ = [
    "DATES",
    "EVERYONE",
    "Column",
    "FlowReport",
    "Scope",
    "build",
    "participant",
    "records",
    "scope_of",
]
