"""Response rates and their intervals: k of n patients, frozen values with a reason out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt
from typing import Self

from scipy.special import betaincinv

from outcomes.methods.survival import MissingReason, two_sided_z
from trials.definitions import ProportionInterval

Limits = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Proportion:
    """`k` of `n` with limits as fractions of 1; all None and a reason when n is 0."""

    k: int
    n: int
    estimate: float | None
    lower: float | None
    upper: float | None
    interval: ProportionInterval
    level: float
    reason: MissingReason | None = None

    @property
    def clipped(self) -> Self:
        """The same with limits within [0, 1]; only Wald's can lie outside, and JSON shows these."""
        if self.lower is None or self.upper is None:
            return self
        return replace(self, lower=max(self.lower, 0.0), upper=min(self.upper, 1.0))


def proportion(
    k: int,
    n: int,
    interval: ProportionInterval = ProportionInterval.CLOPPER_PEARSON,
    level: float = 0.95,
) -> Proportion:
    """k / n with the interval asked for; ValueError unless 0 <= k <= n and 0 < level < 1."""
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a proportion")
    z = two_sided_z(level)
    if n == 0:
        return Proportion(k, n, None, None, None, interval, level, MissingReason.NOT_ESTIMABLE)
    lower, upper = _LIMITS[interval](k, n, level, z)
    return Proportion(k, n, k / n, lower, upper, interval, level)


def clopper_pearson(k: int, n: int, level: float = 0.95) -> Proportion:
    """Exact interval (Clopper & Pearson, Biometrika 1934;26:404).

    At 0 of n and n of n one limit is exactly 0 or 1 and the other keeps (1 - level) / 2.
    """
    return proportion(k, n, ProportionInterval.CLOPPER_PEARSON, level)


def wilson(k: int, n: int, level: float = 0.95) -> Proportion:
    """Score interval without continuity correction (Wilson, JASA 1927;22:209); ends as above."""
    return proportion(k, n, ProportionInterval.WILSON, level)


def wald(k: int, n: int, level: float = 0.95) -> Proportion:
    """Estimate +- z SE, not clipped: may leave [0, 1], has no width at 0 of n (see `clipped`)."""
    return proportion(k, n, ProportionInterval.WALD, level)


def _clopper_pearson(k: int, n: int, level: float, _z: float) -> Limits:
    tail = (1 - level) / 2
    lower = float(betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    upper = float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
    return lower, upper


def _wilson(k: int, n: int, _level: float, z: float) -> Limits:
    center = k + z * z / 2
    half = z * sqrt(k * (n - k) / n + z * z / 4)
    lower, upper = (center - half) / (n + z * z), (center + half) / (n + z * z)
    return (lower if k > 0 else 0.0), (upper if k < n else 1.0)


def _wald(k: int, n: int, _level: float, z: float) -> Limits:
    half = z * sqrt(k * (n - k) / n) / n
    return k / n - half, k / n + half


_LIMITS: dict[ProportionInterval, Callable[[int, int, float, float], Limits]] = {
    ProportionInterval.CLOPPER_PEARSON: _clopper_pearson,
    ProportionInterval.WILSON: _wilson,
    ProportionInterval.WALD: _wald,
}
