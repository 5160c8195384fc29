"""Depth of response: how far the sums of diameters fell, whatever response they made."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Depth(StrEnum):
    """Shrinkage from baseline in quarters, the upper bound included (McCoach, Ann Oncol 2017;28:2707)."""

    NONE = "none"
    UP_TO_25 = "up_to_25"
    UP_TO_50 = "up_to_50"
    UP_TO_75 = "up_to_75"
    UP_TO_100 = "up_to_100"


@dataclass(frozen=True, slots=True)
class DepthOfResponse:
    """Best changes of n patients in percent from baseline; all None without patients.

    Negative is shrinkage: `deepest` is the smallest change, `least` the largest.
    """

    n: int
    median: Fraction | None
    q1: Fraction | None
    q3: Fraction | None
    deepest: Fraction | None
    least: Fraction | None
    counts: Mapping[Depth, int]


def depth_of_response(changes: Iterable[Fraction]) -> DepthOfResponse:
    """Summarize patients' best changes in percent, each its smallest among complete sums.

    Quartiles are interpolated, exactly (Hyndman & Fan 1996, type 7). ValueError below -100.
    """
    ordered = sorted(changes)
    if ordered and ordered[0] < -100:
        raise ValueError(f"a change of {ordered[0]} %: a sum cannot be negative")
    counted = Counter(_depth(change) for change in ordered)
    counts = {depth: counted[depth] for depth in Depth}
    if not ordered:
        return DepthOfResponse(0, None, None, None, None, None, counts)
    q1, median, q3 = (_quantile(ordered, Fraction(quarter, 4)) for quarter in (1, 2, 3))
    return DepthOfResponse(len(ordered), median, q1, q3, ordered[0], ordered[-1], counts)


def _depth(change: Fraction) -> Depth:
    """0 or growth is none; -25 is still up to 25."""
    if change >= 0:
        return Depth.NONE
    quarters = -(change // 25)  # floor of a negative number: -25 -> 1, -25.1 -> 2
    return tuple(Depth)[quarters]


def _quantile(ordered: Sequence[Fraction], p: Fraction) -> Fraction:
    position = (len(ordered) - 1) * p
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])
