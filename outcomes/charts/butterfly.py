"""Adverse events -> the coordinates of a butterfly; `_butterfly.html` draws it.

Terms stand in the middle, bars grow to both sides from them, and the counts stand in columns at
the outer edges, so that no text meets another, however many terms there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from django.utils.translation import gettext as _

from outcomes.charts.participant_flow import text_width
from outcomes.charts.plot import Mark, coordinate, shortened

WIDTH, TOP, ROW, BAR = 760, 58, 20, 12
COUNTS = 92  # at each edge: two columns of numbers
GAP = 8
WIDEST_LABEL = 300
LONGEST = 38  # Latin letters of a term
MOST = 40  # terms
STEPS = (5, 10, 20, 25, 50)  # percent
MOST_STEPS = 4


@dataclass(frozen=True, slots=True)
class Wing:
    """One side of a term: patients with any grade and with grade 3 or more, of n."""

    any_grade: int
    severe: int
    n: int
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class ButterflyTerm:
    """A term with both sides."""

    term: str
    left: Wing
    right: Wing


@dataclass(frozen=True, slots=True)
class DrawnWing:
    """A bar from the middle outward, its darker part, and the numbers at the edge."""

    wing: Wing
    x: str
    width: str
    severe_x: str
    severe_width: str
    column_x: str  # what can be pointed at, bar or not
    column_width: str
    any_x: str
    severe_count_x: str


@dataclass(frozen=True, slots=True)
class DrawnTerm:
    """A row of the figure."""

    term: str
    label: str
    y: str
    bar_y: str
    text_y: str
    left: DrawnWing
    right: DrawnWing


@dataclass(frozen=True, slots=True)
class Side:
    """A heading with the columns and the percent axis below it."""

    title: str
    title_x: str
    anchor: str
    n: int
    n_x: str
    n_anchor: str
    any_x: str
    severe_x: str
    ticks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class ButterflyChart:
    """At most MOST terms; `left_out` says how many more there are."""

    width: int
    height: int
    n: int
    bottom: str
    top: str
    center: str
    message: str
    left_out: int
    sides: tuple[Side, ...]
    terms: tuple[DrawnTerm, ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where the bars of both sides begin, and how wide one percent is."""

    left: float
    right: float
    length: float
    highest: int

    def width(self, patients: int, n: int) -> float:
        return self.length * 100 * patients / n / self.highest if n else 0.0


def draw(
    terms: Sequence[ButterflyTerm], titles: tuple[str, str], ns: tuple[int, int], n: int
) -> ButterflyChart:
    """Draw the first MOST terms in the order given; `ns` are of the sides, `n` of all patients."""
    shown = terms[:MOST]
    scale = _scale(shown)
    bottom = TOP + ROW * len(shown)
    return ButterflyChart(
        width=WIDTH,
        height=bottom + 46,
        n=n,
        bottom=str(bottom),
        top=str(TOP),
        center=coordinate(WIDTH / 2),
        message="" if shown else _("No adverse event is counted."),
        left_out=len(terms) - len(shown),
        sides=tuple(_sides(scale, titles, ns)),
        terms=tuple(_drawn(scale, term, TOP + ROW * place) for place, term in enumerate(shown)),
    )


def _scale(terms: Sequence[ButterflyTerm]) -> _Scale:
    label = max((text_width(_label(term.term)) for term in terms), default=0.0)
    half = min(label, WIDEST_LABEL) / 2 + GAP
    left, right = WIDTH / 2 - half, WIDTH / 2 + half
    shares = [100 * w.any_grade / w.n for t in terms for w in (t.left, t.right) if w.n]
    return _Scale(left, right, left - COUNTS - GAP, _ticks(max(shares, default=0))[-1])


def _ticks(highest: float) -> list[int]:
    """Round percents from 0 to the first at or beyond the highest."""
    step = next(step for step in STEPS if highest <= step * MOST_STEPS)
    return [step * index for index in range(max(1, ceil(highest / step)) + 1)]


def _label(term: str) -> str:
    return shortened(term, LONGEST)


def _sides(scale: _Scale, titles: tuple[str, str], ns: tuple[int, int]) -> Iterator[Side]:
    fitting = int((scale.left - GAP) / 8.6)
    ticks = _ticks(scale.highest)
    yield Side(
        title=shortened(titles[0], fitting), title_x="0", anchor="start",
        n=ns[0], n_x=coordinate(scale.left), n_anchor="end",
        any_x=coordinate(ANY), severe_x=coordinate(SEVERE),
        ticks=tuple(_mark(scale.left - scale.length * t / scale.highest, t) for t in ticks),
    )  # fmt: skip
    yield Side(
        title=shortened(titles[1], fitting), title_x=str(WIDTH), anchor="end",
        n=ns[1], n_x=coordinate(scale.right), n_anchor="start",
        any_x=coordinate(WIDTH - COUNTS + ANY), severe_x=coordinate(WIDTH - COUNTS + SEVERE),
        ticks=tuple(_mark(scale.right + scale.length * t / scale.highest, t) for t in ticks),
    )  # fmt: skip


ANY, SEVERE = 40, 84  # ends of the columns within COUNTS


def _mark(at: float, percent: int) -> Mark:
    return Mark(coordinate(at), f"{percent}")


def _drawn(scale: _Scale, term: ButterflyTerm, y: int) -> DrawnTerm:
    return DrawnTerm(
        term=term.term,
        label=_label(term.term),
        y=str(y),
        bar_y=str(y + (ROW - BAR) // 2),
        text_y=str(y + ROW // 2 + 5),
        left=_wing(scale, term.left, -1),
        right=_wing(scale, term.right, 1),
    )


def _wing(scale: _Scale, wing: Wing, direction: int) -> DrawnWing:
    whole, severe = (scale.width(k, wing.n) for k in (wing.any_grade, wing.severe))
    start, edge = (scale.right, WIDTH - COUNTS) if direction > 0 else (scale.left, 0)
    return DrawnWing(
        wing=wing,
        x=coordinate(start if direction > 0 else start - whole),
        width=coordinate(whole),
        severe_x=coordinate(start if direction > 0 else start - severe),
        severe_width=coordinate(severe),
        column_x=coordinate(start if direction > 0 else 0),
        column_width=coordinate(WIDTH - start if direction > 0 else start),
        any_x=coordinate(edge + ANY),
        severe_count_x=coordinate(edge + SEVERE),
    )
