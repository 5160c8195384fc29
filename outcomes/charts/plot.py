"""What every drawing shares: the rectangle of data, ticks, colors, and how a change is written.

Coordinates are strings, so that no template localizes them. A drawing has a fixed size and scales
with its viewBox. Where too little is known to draw, `message` says so and there is no line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from math import ceil
from unicodedata import east_asian_width

from outcomes.methods.recist import Response

XY = tuple[str, str]
Percent = Decimal | Fraction | float

TICK_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 600)  # months
MOST_STEPS = 8
PARTIAL_RESPONSE, PROGRESSION = -30.0, 20.0  # percent, RECIST 1.1
NOTABLE_CHANGES = (-100.0, PARTIAL_RESPONSE, 0.0, PROGRESSION)
CLIPPED_AT = 100.0  # percent: larger growth is drawn as this, and said
MINUS = "\N{MINUS SIGN}"
NO_VALUE = "\N{EN DASH}"

COLORS = ("#0b5cad", "#b34700", "#1a7f37", "#8a3ffc", "#9f1853", "#565e64")
DASHES = ("none", "8 3", "2 3", "10 3 2 3", "5 5")  # as many as colors less one: 30 distinct pairs
RESPONSES = {
    Response.CR: "#14532d",
    Response.PR: "#1a7f37",
    Response.SD: "#6b7280",
    Response.NON_CR_NON_PD: "#8a3ffc",
    Response.PD: "#b42318",
    Response.NE: "#9a6700",
}
# Paths around the place of a mark, all about 10 wide: no two are told apart by color alone.
SHAPES = {
    Response.CR: "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
    Response.PR: "m-5-4h10l-5 9z",
    Response.SD: "m-4-4h8v8h-8zm2 2v4h4v-4z",  # hollow: a full one beside bars reads as a bar
    Response.NON_CR_NON_PD: "m0-5.5l5.5 5.5-5.5 5.5-5.5-5.5z",
    Response.PD: "m0-5l5 9h-10z",
    Response.NE: "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0zm2.5 0a2 2 0 1 1 4 0a2 2 0 1 1-4 0z",
}
STAR = "m0-6l1.5 4.5h4.5l-3.6 2.8 1.4 4.7-3.8-2.9-3.8 2.9 1.4-4.7-3.6-2.8h4.5z"
CROSS = "m-5-3l2-2 3 3 3-3 2 2-3 3 3 3-2 2-3-3-3 3-2-2 3-3z"
SQUARE = "m-4-4h8v8h-8z"
PLUS = "m-1.5-5.5h3v4h4v3h-4v4h-3v-4h-4v-3h4z"


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a position along one axis: a tick, or a count under a tick."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """The rectangle that data are drawn in, and the range of data it shows."""

    left: int
    top: int
    right: int
    bottom: int
    first: float
    last: float
    low: float
    high: float

    def x(self, value: float) -> str:
        """Horizontal coordinate of a value."""
        part = (value - self.first) / (self.last - self.first)
        return coordinate(self.left + part * (self.right - self.left))

    def y(self, value: float) -> str:
        """Vertical coordinate of a value, which grows upward."""
        part = (value - self.low) / (self.high - self.low)
        return coordinate(self.bottom - part * (self.bottom - self.top))

    def xy(self, corners: Iterable[tuple[float, float]]) -> tuple[XY, ...]:
        """Coordinates of corners."""
        return tuple((self.x(x), self.y(y)) for x, y in corners)


def coordinate(value: float) -> str:
    return f"{value:.2f}"


def month_ticks(months: float) -> list[int]:
    """Round months from 0 to the first at or beyond `months`, and beyond 0."""
    step = next((s for s in TICK_STEPS if months <= s * MOST_STEPS), TICK_STEPS[-1])
    return [step * index for index in range(max(1, ceil(months / step)) + 1)]


def shortened(text: str, width: int) -> str:
    """A text cut to about `width` Latin letters; a Chinese character counts as two."""
    used = 0
    for index, character in enumerate(text):
        used += 2 if east_asian_width(character) in "WF" else 1
        if used > width:
            return text[: max(index - 1, 0)] + "\N{HORIZONTAL ELLIPSIS}"
    return text


def runs(flags: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Start and end of each unbroken run of true flags."""
    for flag, run in groupby(range(len(flags)), key=flags.__getitem__):
        places = list(run)
        if flag:
            yield places[0], places[-1] + 1


def signed(percent: Percent, digits: int = 0) -> str:
    """A change with its sign."""
    text = f"{float(percent):+.{digits}f} %".replace("-", MINUS)
    return text[1:] if float(percent) == 0 else text


def change_text(percent: Percent) -> str:
    """A change with one decimal, or with as many as keep it from reading as a threshold."""
    value = float(percent)
    for digits in range(1, 6):
        if value in NOTABLE_CHANGES or round(value, digits) not in NOTABLE_CHANGES:
            break
    return signed(value, digits)
