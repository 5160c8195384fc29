"""Kaplan-Meier curves and what is read from them: medians, landmarks, means, follow-up.

Pure: days and event flags in, frozen values with reasons out. Times may be in any unit and results
are in the same one. R `survival` 3.5.3 is the reference; SPSS intervals are offered, labeled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from trials.definitions import SurvivalInterval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Times = Sequence[float] | NDArray[np.integer] | NDArray[np.floating]
Flags = Sequence[bool] | NDArray[np.bool_]
Durations = Ints | Floats

TOLERANCE = 1.5e-8  # as R: a product of fractions meets 0.5 only up to rounding
LARGEST_TALLIED_DAY = 100_000  # 274 years; beyond it counting per day would waste memory


class MissingReason(StrEnum):
    """Why a value is None."""

    NOT_REACHED = "not_reached"
    NOT_ESTIMABLE = "not_estimable"


class QuartileMethod(StrEnum):
    """How quartiles of a duration were taken."""

    REVERSE_KAPLAN_MEIER = "reverse-kaplan-meier"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A Kaplan-Meier curve: one row per distinct observed time, events and censorings alike.

    Every array has shape (m,), is read-only and ascends in `time`; m is 0 without patients.
    `at_risk` counts patients just before `time`, so one censored that day is still in it.
    `variance_sum` is Greenwood's sum of d / (n (n - d)) up to `time`, NaN where survival is 0.
    """

    time: Floats
    at_risk: Ints
    events: Ints
    censored: Ints
    survival: Floats
    variance_sum: Floats

    def __post_init__(self) -> None:
        for column in (self.time, self.at_risk, self.events, self.censored):
            column.setflags(write=False)
        self.survival.setflags(write=False)
        self.variance_sum.setflags(write=False)

    @property
    def patients(self) -> int:
        """Number of patients the curve was made from."""
        return int(self.at_risk[0]) if self.at_risk.size else 0

    @property
    def last_time(self) -> float | None:
        """Longest observed time, the end of follow-up; None without patients."""
        return float(self.time[-1]) if self.time.size else None

    @property
    def standard_error(self) -> Floats:
        """Greenwood's standard error of survival, shape (m,), NaN where survival is 0."""
        return self.survival * np.sqrt(self.variance_sum)

    def band(
        self, interval: SurvivalInterval = SurvivalInterval.LOG_LOG, level: float = 0.95
    ) -> tuple[Floats, Floats]:
        """Pointwise lower and upper limits in [0, 1], each of shape (m,), NaN where undefined.

        Undefined is every band where survival is 0, and log-log where it is 1 (METHODS.md, 7;
        Kalbfleisch & Prentice 1980). ValueError for SPSS, which has none: see `band_interval`.
        """
        if interval not in _BANDS:
            raise ValueError(f"no band for {interval}, only {', '.join(_BANDS)}")
        z = two_sided_z(level)
        with np.errstate(divide="ignore", invalid="ignore"):
            lower, upper = _BANDS[interval](self.survival, np.sqrt(self.variance_sum), z)
        return np.clip(lower, 0, 1), np.clip(upper, 0, 1)


@dataclass(frozen=True, slots=True)
class Quantile:
    """The time by which a fraction `p` had the event, with limits, in the curve's unit.

    `standard_error` belongs to the SPSS interval and is None for every other.
    """

    p: float
    estimate: float | None
    lower: float | None
    upper: float | None
    interval: SurvivalInterval
    level: float
    standard_error: float | None = None
    estimate_reason: MissingReason | None = None
    lower_reason: MissingReason | None = None
    upper_reason: MissingReason | None = None


@dataclass(frozen=True, slots=True)
class Landmark:
    """Survival at one time; `at_risk` counts the patients observed for that long or longer."""

    time: float
    survival: float | None
    standard_error: float | None
    lower: float | None
    upper: float | None
    at_risk: int
    interval: SurvivalInterval
    level: float
    survival_reason: MissingReason | None = None
    limits_reason: MissingReason | None = None


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """Mean time without the event up to `tau`, and its standard error, in the curve's unit."""

    tau: float
    estimate: float | None
    standard_error: float | None
    reason: MissingReason | None = None

    def limits(self, level: float = 0.95) -> tuple[float, float] | None:
        """Estimate -+ z standard errors, clipped to [0, tau]; None without an estimate."""
        z = two_sided_z(level)
        if self.estimate is None or self.standard_error is None:
            return None
        half = z * self.standard_error
        return max(self.estimate - half, 0.0), min(self.estimate + half, self.tau)


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Lower quartile, median and upper quartile of a duration, labeled with their method."""

    q1: float | None
    median: float | None
    q3: float | None
    method: QuartileMethod
    q1_reason: MissingReason | None = None
    median_reason: MissingReason | None = None
    q3_reason: MissingReason | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Length of follow-up in both customs; the reverse Kaplan-Meier one is the default."""

    reverse: Quartiles
    observed: Quartiles


def kaplan_meier(days: Times, events: Flags) -> Curve:
    """Estimate survival from n durations and n flags (True: event, False: censored).

    Events come before censorings at a tie. Kaplan & Meier 1958; variance: Greenwood 1926.
    ValueError unless durations are finite numbers >= 0 and flags are booleans, one each (a 1/2
    status as in R's `lung` would make everyone an event).
    """
    durations, flags = checked(days, events)
    time, ended, died = _tallied(durations, flags)
    at_risk = ended[::-1].cumsum()[::-1]
    survivors = at_risk - died
    terms = np.full(time.size, np.nan)
    np.divide(died, at_risk * survivors, out=terms, where=survivors > 0)
    survival = np.cumprod(survivors / at_risk)
    return Curve(time, at_risk, died, ended - died, survival, np.cumsum(terms))


def reverse_kaplan_meier(days: Times, events: Flags) -> Curve:
    """Curve of the time to censoring: the flags swapped, the tie rule kept.

    Schemper & Smith, Control Clin Trials 1996;17:343. Arguments and errors as `kaplan_meier`.
    """
    durations, flags = checked(days, events)
    return kaplan_meier(durations, ~flags)


def median(
    curve: Curve,
    interval: SurvivalInterval = SurvivalInterval.LOG_LOG,
    level: float = 0.95,
) -> Quantile:
    """Median time to the event; everything else as `quantile`."""
    return quantile(curve, 0.5, interval, level)


def quantile(
    curve: Curve,
    p: float,
    interval: SurvivalInterval = SurvivalInterval.LOG_LOG,
    level: float = 0.95,
) -> Quantile:
    """Smallest time at which survival is 1 - p or less, 0 < p < 1, with its interval.

    A plateau at exactly 1 - p gives its midpoint, or its start when it lasts to the end. Limits
    are where each band crosses, first crossing, by the same rule (Brookmeyer & Crowley,
    Biometrics 1982;38:29). A band that never crosses is not reached, one that is undefined at
    every time is not estimable. For SPSS see METHODS.md, 7. ValueError for p or level out of range.
    """
    if not 0 < p < 1:
        raise ValueError(f"p is {p}, must be between 0 and 1")
    if interval == SurvivalInterval.SPSS:
        return _spss_quantile(curve, p, level)
    lines = (curve.survival, *curve.band(interval, level))
    (estimate, why), (lower, why_lower), (upper, why_upper) = (
        _first_crossing(curve.time, line, 1 - p) for line in lines
    )
    return Quantile(p, estimate, lower, upper, interval, level, None, why, why_lower, why_upper)


def landmark(
    curve: Curve,
    time: float,
    interval: SurvivalInterval = SurvivalInterval.LOG_LOG,
    level: float = 0.95,
) -> Landmark:
    """Survival at `time` >= 0 (days since the origin), with pointwise limits.

    Beyond the last follow-up it is not estimable, even where survival is 0 by then; at survival 0
    the limits are not estimable. Before the first observed time it is 1, from 1 to 1.
    ValueError for a negative time, for SPSS (see `band_interval`) or a level out of range.
    """
    if not time >= 0:
        raise ValueError(f"time is {time}, must be 0 or more")
    estimate, error, lower, upper = _row_at(curve, time, interval, level)
    at_risk = int(np.append(curve.at_risk, 0)[np.searchsorted(curve.time, time)])
    why, why_limits = (
        MissingReason.NOT_ESTIMABLE if value is None else None for value in (estimate, lower)
    )
    return Landmark(time, estimate, error, lower, upper, at_risk, interval, level, why, why_limits)


def known_event_free(curve: Curve, time: float) -> int:
    """How many patients are known to be without the event at `time` >= 0.

    Those who were observed for that long or longer, without an event by then; one censored before
    is not among them, whatever came later. ValueError for a negative time.
    """
    if not time >= 0:
        raise ValueError(f"time is {time}, must be 0 or more")
    rows = curve.time >= time
    ended_by_then = curve.events[curve.time == time].sum()
    return int((curve.events + curve.censored)[rows].sum() - ended_by_then)


def restricted_mean(curve: Curve, tau: float) -> RestrictedMean:
    """Area under the curve from 0 to the horizon `tau` > 0, in the curve's unit.

    Standard error by Greenwood's terms times the squared area still to come (Irwin 1949; R's
    `print(survfit, rmean=tau)`). Not estimable beyond the last follow-up. ValueError for tau <= 0.
    """
    if not tau > 0:
        raise ValueError(f"tau is {tau}, must be above 0")
    if curve.last_time is None or tau > curve.last_time:
        return RestrictedMean(tau, None, None, MissingReason.NOT_ESTIMABLE)
    rows = curve.time < tau
    widths = np.diff(curve.time[rows], prepend=0, append=tau)
    areas = widths * np.append(1, curve.survival[rows])
    to_come = areas[::-1].cumsum()[::-1][1:]
    died, at_risk = curve.events[rows], curve.at_risk[rows]
    variance = np.sum(to_come**2 * died / (at_risk * (at_risk - died)))
    return RestrictedMean(tau, float(areas.sum()), float(np.sqrt(variance)))


def follow_up(days: Times, events: Flags) -> FollowUp:
    """Length of follow-up: reverse Kaplan-Meier, and the plain quartiles of observed times.

    Arguments and errors as `kaplan_meier`; `events` are the events of overall survival.
    """
    curve = reverse_kaplan_meier(days, events)
    (q1, why_q1), (middle, why), (q3, why_q3) = (
        _first_crossing(curve.time, curve.survival, 1 - p) for p in (0.25, 0.5, 0.75)
    )
    method = QuartileMethod.REVERSE_KAPLAN_MEIER
    reverse = Quartiles(q1, middle, q3, method, why_q1, why, why_q3)
    return FollowUp(reverse, observed_quartiles(days))


def observed_quartiles(days: Times) -> Quartiles:
    """Plain quartiles of n durations, interpolated (Hyndman & Fan 1996, type 7, as R and numpy).

    Also the time to response, which has no censoring. Not estimable without durations.
    """
    durations = _checked_days(days)
    if not durations.size:
        why = MissingReason.NOT_ESTIMABLE
        return Quartiles(None, None, None, QuartileMethod.OBSERVED, why, why, why)
    q1, middle, q3 = np.quantile(durations, (0.25, 0.5, 0.75)).tolist()
    return Quartiles(q1, middle, q3, QuartileMethod.OBSERVED)


def band_interval(interval: SurvivalInterval) -> SurvivalInterval:
    """Interval for curves and landmarks: SPSS has one for the median only, then log-log."""
    return SurvivalInterval.LOG_LOG if interval == SurvivalInterval.SPSS else interval


def two_sided_z(level: float) -> float:
    """Standard normal quantile of a two-sided confidence level, 0 < level < 1.

    ValueError as well for a level so near to 1 that its quantile is infinite in double precision.
    """
    if not 0 < level < (1 + level) / 2 < 1:
        raise ValueError(f"level is {level}, must be between 0 and 1")
    return float(ndtri((1 + level) / 2))


def checked(days: Times, events: Flags) -> tuple[Durations, NDArray[np.bool_]]:
    """Durations and flags as arrays of one length; ValueError as `kaplan_meier`."""
    durations, flags = _checked_days(days), np.asarray(events)
    if flags.shape != durations.shape:
        raise ValueError(f"{durations.size} durations but {flags.size} event flags")
    if flags.size and flags.dtype != np.bool_:
        raise ValueError("event flags must be booleans")
    return durations, flags.astype(np.bool_, copy=False)


def _checked_days(days: Times) -> Durations:
    durations = np.asarray(days)
    if durations.ndim != 1 or durations.dtype.kind not in "iuf":
        raise ValueError("durations must be one sequence of numbers")
    if durations.size and not (durations.min() >= 0 and durations.max() < np.inf):
        raise ValueError("durations must be finite and 0 or more")
    if durations.dtype.kind == "f":
        return durations.astype(np.float64, copy=False)
    return durations.astype(np.int64, copy=False)


def _tallied(durations: Durations, flags: NDArray[np.bool_]) -> tuple[Floats, Ints, Ints]:
    """Distinct times, and at each the patients whose observation ended and their events."""
    if durations.dtype == np.int64 and durations.max(initial=0) <= LARGEST_TALLIED_DAY:
        # Censored and died of day t are cells 2 t and 2 t + 1: one pass, and no copy of the events.
        cells = 2 * (int(durations.max(initial=-1)) + 1)
        per_day = np.bincount(2 * durations + flags, minlength=cells).reshape(-1, 2)
        ended = per_day.sum(axis=1)
        time = np.flatnonzero(ended)
        return time.astype(np.float64), ended[time], per_day[time, 1]
    distinct, position, ended = np.unique(durations, return_inverse=True, return_counts=True)
    died = np.bincount(position[flags], minlength=distinct.size)
    return distinct.astype(np.float64), ended, died


def _plain(survival: Floats, error: Floats, z: float) -> tuple[Floats, Floats]:
    half = z * error * survival
    return survival - half, survival + half


def _log(survival: Floats, error: Floats, z: float) -> tuple[Floats, Floats]:
    return survival * np.exp(-z * error), survival * np.exp(z * error)


def _log_log(survival: Floats, error: Floats, z: float) -> tuple[Floats, Floats]:
    log = np.log(survival)
    stretch = np.exp(-z * error / log)
    return np.exp(log * stretch), np.exp(log / stretch)


# `error` is that of the logarithm of survival, the square root of Greenwood's sum.
_BANDS: dict[SurvivalInterval, Callable[[Floats, Floats, float], tuple[Floats, Floats]]] = {
    SurvivalInterval.LOG_LOG: _log_log,
    SurvivalInterval.LOG: _log,
    SurvivalInterval.PLAIN: _plain,
}


def _first_crossing(
    time: Floats, line: Floats, target: float
) -> tuple[float | None, MissingReason | None]:
    """Where `line` first is `target` or less; a plateau at it: its midpoint, or start at the end."""
    reached = np.flatnonzero(line <= target + TOLERANCE)
    if not reached.size:
        return None, _why_missing(line)
    start = reached[0]
    below = np.flatnonzero(line < line[start])
    if below.size and line[start] >= target - TOLERANCE:
        return float(time[start] + time[below[0]]) / 2, None
    return float(time[start]), None


def _why_missing(line: Floats) -> MissingReason:
    return MissingReason.NOT_ESTIMABLE if np.isnan(line).all() else MissingReason.NOT_REACHED


def _row_at(
    curve: Curve, time: float, interval: SurvivalInterval, level: float
) -> list[float | None]:
    """Survival, standard error, lower and upper limit at `time`; None where not estimable."""
    columns = (curve.survival, curve.standard_error, *curve.band(interval, level))
    if curve.last_time is None or time > curve.last_time:
        return [None] * 4
    if time < curve.time[0]:
        return [1.0, 0.0, 1.0, 1.0]
    row = np.searchsorted(curve.time, time, side="right") - 1
    return [None if np.isnan(column[row]) else float(column[row]) for column in columns]


def _spss_quantile(curve: Curve, p: float, level: float) -> Quantile:
    """SPSS KM: no midpoint, and estimate +- 1.96 SE; not clipped; no limits at another level."""
    spss, missing = SurvivalInterval.SPSS, MissingReason.NOT_ESTIMABLE
    reached = np.flatnonzero(curve.survival <= 1 - p + TOLERANCE)
    if not reached.size:
        why = _why_missing(curve.survival)
        return Quantile(p, None, None, None, spss, level, None, why, missing, missing)
    estimate = float(curve.time[reached[0]])
    error = _spss_error(curve, 1 - p, reached[0])
    two_sided_z(level)  # refuses what is no level
    if error is None or level != 0.95:
        return Quantile(p, estimate, None, None, spss, level, error, None, missing, missing)
    lower, upper = estimate - 1.96 * error, estimate + 1.96 * error
    return Quantile(p, estimate, lower, upper, spss, level, error)


def _spss_error(curve: Curve, target: float, row: np.int64) -> float | None:
    """Standard error of survival at `row` over the curve's slope between target +- 0.05."""
    above = curve.survival >= target + 0.05 - TOLERANCE
    before = np.flatnonzero(above & (curve.events > 0))
    after = np.flatnonzero(curve.survival <= target - 0.05 + TOLERANCE)
    if not before.size or not after.size or np.isnan(curve.variance_sum[row]):
        return None
    u, l = before[-1], after[0]  # noqa: E741
    slope = (curve.survival[u] - curve.survival[l]) / (curve.time[l] - curve.time[u])
    return float(curve.standard_error[row] / slope)
