"""Kaplan-Meier with its band against the least that numpy needs, and against lifelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcomes.methods.survival import kaplan_meier
from tests.benchmarks.measure import Line, compare

Z = 1.959963984540054
Days = NDArray[np.int64]
Events = NDArray[np.bool_]
Columns = tuple[NDArray[Any], ...]


def sample(patients: int) -> tuple[Days, Events]:
    """Durations in days over about six years, and about half of them events."""
    chance = np.random.default_rng(1)
    days = chance.exponential(500, patients).astype(np.int64).clip(1, 2200)
    return days, chance.random(patients) < 0.5


def registry(days: Days, events: Events) -> Columns:
    """Ours."""
    curve = kaplan_meier(days, events)
    return (curve.time, curve.survival, *curve.band())


def minimal(days: Days, events: Events) -> Columns:
    """Sums per day, the product, Greenwood's sum, the log-log band, and no question asked."""
    per_day = np.bincount(2 * days + events, minlength=2 * int(days.max()) + 2).reshape(-1, 2)
    ended = per_day.sum(axis=1)
    time = np.flatnonzero(ended)
    ended, died = ended[time], per_day[time, 1]
    at_risk = ended[::-1].cumsum()[::-1]
    survival = np.cumprod(1 - died / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.cumsum(died / (at_risk * (at_risk - died))))
        log = np.log(survival)
        stretch = np.exp(-Z * error / log)
        return time, survival, np.exp(log * stretch), np.exp(log / stretch)


def by_lifelines(days: Days, events: Events) -> Columns:
    """The library's estimate and its band."""
    from lifelines import KaplanMeierFitter

    fitted = KaplanMeierFitter().fit(days, events)
    band = fitted.confidence_interval_.to_numpy().T
    table = fitted.survival_function_
    return (table.index.to_numpy(), table.iloc[:, 0].to_numpy(), *band)


def measured(patients: int, repetitions: int) -> list[Line]:
    """Both comparisons."""
    days, events = sample(patients)
    what = f"Kaplan-Meier with its band, {patients:,} patients"

    def against(other: Callable[[Days, Events], Columns], times: int) -> tuple[float, float, float]:
        return compare(
            lambda: registry(days, events), lambda: other(days, events), repetitions=times
        )

    alone = against(minimal, repetitions)
    library = against(by_lifelines, max(repetitions // 10, 3))
    return [
        Line(what, "numpy alone, written out", *alone, aim=1.5, rows=f"{patients:,}"),
        Line(what, "lifelines", *library, rows=f"{patients:,}"),
    ]
