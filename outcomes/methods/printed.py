"""Printed numbers: what rounds to them, exactly. Fractions, so that no tie falls by accident."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Final, Self

from trials.publications import LIMITS

ROUNDING: Final = Fraction(1, 10**9)  # what a float may be off where it lies on a tie


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as printed: its value, and how many decimals it was rounded to."""

    value: Fraction
    decimals: int

    @classmethod
    def of(cls, text: str) -> Self:
        """The number of "34.4%", "< 0.001" or ".449"."""
        digits = text.strip("<=% ")
        return cls(Fraction(digits), len(digits.partition(".")[2]))

    @property
    def half(self) -> Fraction:
        """Half a unit of the last decimal: what rounding may have taken away or added."""
        return Fraction(1, 2 * 10**self.decimals)

    def rounds(self, exact: Fraction) -> bool:
        """Whether an exact value prints as this; a tie may have gone either way."""
        return abs(exact - self.value) <= self.half

    def nearly_rounds(self, computed: float) -> bool:
        """The same for a value that was computed in floating point."""
        return abs(Fraction(computed) - self.value) <= self.half + ROUNDING


def limits(interval: str) -> tuple[Figure, Figure | None]:
    """Both limits of an interval; None for an upper one that is not estimable or not reached."""
    found = LIMITS.fullmatch(interval)
    if not found:
        raise ValueError(f"{interval} is no interval")
    lower, upper = found.groups()
    return Figure.of(lower), None if upper in ("NE", "NR") else Figure.of(upper)


def counts(percent: Figure, n: int) -> range:
    """Every k of n that prints as this percentage (GRIM; Brown & Heathers, SPPS 2017;8:363)."""
    lowest = ceil(n * (percent.value - percent.half) / 100)
    highest = floor(n * (percent.value + percent.half) / 100)
    return range(max(0, lowest), min(n, highest) + 1)


def percent_of(k: int, n: int, decimals: int) -> str:
    """k of n in percent at that many decimals, ties up."""
    return rounded(Fraction(100 * k, n), decimals)


def rounded(value: Fraction, decimals: int) -> str:
    """An exact value at that many decimals, ties away from zero."""
    units = floor(abs(value) * 10**decimals + Fraction(1, 2))
    digits = f"{units:0{decimals + 1}}"
    text = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    return f"-{text}" if value < 0 and units else text
