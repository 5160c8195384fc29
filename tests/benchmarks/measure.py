"""Two things measured in turn on one machine, so that what slows it down slows both."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


@dataclass(frozen=True)
class Line:
    """A line of the table: ours against the other, and what both did."""

    what: str
    against: str
    ours: float
    other: float
    ratio: float
    unit: str = "s"
    aim: float | None = None
    rows: str = ""
    statements: str = ""


def compare(
    ours: Callable[[], Any], other: Callable[[], Any], *, repetitions: int, warm: int = 1
) -> tuple[float, float, float]:
    """Medians in seconds of both, and the median of the pairs' ratios."""
    for _ in range(warm):
        ours()
        other()
    pairs = [(seconds(ours), seconds(other)) for _ in range(repetitions)]
    first, second = zip(*pairs, strict=True)
    return median(first), median(second), median(a / b for a, b in pairs)


def seconds(run: Callable[[], Any]) -> float:
    """How long it takes."""
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def statements(run: Callable[[], Any]) -> int:
    """How many SQL statements it sends, those that open and close transactions included."""
    with CaptureQueriesContext(connection) as captured:
        run()
    return len(captured)
