"""A report's figures: drawn, worded, as tables, and on pages."""

from outcomes.figures.building import (
    CURVES,
    GROUPED,
    NAMES,
    Shown,
    build,
    full_height,
    groups_of,
    lanes_of,
    path,
    sheets,
    source_of,
    title_of,
)

__all__ = [
    "CURVES",
    "GROUPED",
    "NAMES",
    "Shown",
    "build",
    "full_height",
    "groups_of",
    "lanes_of",
    "path",
    "sheets",
    "source_of",
    "title_of",
]
