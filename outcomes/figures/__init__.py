"""A report's figures: drawn, worded, as tables, and on pages."""

from outcomes.figures.building import GROUPED, build, sheets
from outcomes.figures.changes import path
from outcomes.figures.courses import lanes_of
from outcomes.figures.curves import groups_of
from outcomes.figures.figure import CURVES, NAMES, Shown, full_height, source_of, title_of

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
