"""By which options a report is what a source printed: its cutoff, and the style of its intervals.

Pure: read from the printed figures alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

CUTOFF = "Data cutoff"  # what the figure that prints one is called
DATES = ("%B %d, %Y", "%d %B %Y", "%Y-%m-%d")
NUMBER = r"(\d+(?:\.\d+)?)"
MEDIAN = re.compile(rf"{NUMBER} months \(95% CI:? {NUMBER}-{NUMBER}\)")


def as_published(figures: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The query of the options, of figures as pairs of measure and print; empty where none is told.

    A median in the middle of its limits is SPSS's (the estimate plus and minus 1.96 standard
    errors); the limits by Brookmeyer and Crowley, of any transformation, are times of events.
    """
    known = list(figures)
    printed = dict(known)
    said = {}
    if cutoff := _date(printed.get(CUTOFF, "")):
        said["cutoff"] = cutoff
    if any(_in_the_middle(text) for _measure, text in known):
        said["survival_interval"] = "spss"
    return said


def _date(text: str) -> str:
    for style in DATES:
        with suppress(ValueError):
            return datetime.strptime(text, style).date().isoformat()  # noqa: DTZ007
    return ""


def _in_the_middle(text: str) -> bool:
    found = MEDIAN.search(text)
    if not found:
        return False
    median, lower, upper = map(Decimal, found.groups())
    return median - lower == upper - median
