"""Arms compared: log-rank, hazard ratios, response rates; frozen values with reasons out.

Pure. `risk_sets` reduces patients to one row per stratum and event time; log-rank and the Cox model
of arms need nothing else. R is the reference: `survdiff` and `coxph` of survival 3.5.3, and
`fisher.test`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, hypot, log1p, sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, gammaln, logsumexp

from outcomes.methods.proportions import wilson
from outcomes.methods.survival import Flags, Floats, Ints, Times, checked, two_sided_z

MAX_STEPS = 100
LONGEST_STEP = 4.0  # in a coefficient: from far away Newton's steps may overshoot
CONVERGED = 1e-8  # a Newton step that is still taken; what is then left is about its square
NO_LOSS = 1e-12  # relative, of a log likelihood: rounding alone
EQUALLY_PROBABLE = 1e-7  # relative, as R's fisher.test

Flagged = NDArray[np.bool_]


class Ties(StrEnum):
    """How a Cox model treats events on one day."""

    EFRON = "efron"
    BRESLOW = "breslow"


class ComparisonReason(StrEnum):
    """Why a comparison is None."""

    FEWER_THAN_TWO_ARMS = "fewer_than_two_arms"
    MORE_THAN_TWO_ARMS = "more_than_two_arms"
    NO_PATIENTS_IN_ARM = "no_patients_in_arm"
    NO_EVENTS = "no_events"
    NO_EVENTS_IN_ARM = "no_events_in_arm"
    NO_EVENTS_IN_REFERENCE = "no_events_in_reference"
    NO_INFORMATION = "no_information"
    INFINITE_COEFFICIENT = "infinite_coefficient"
    NO_CONVERGENCE = "no_convergence"


@dataclass(frozen=True, slots=True, eq=False)
class RiskSets:
    """Patients at risk and events of k arms: a row per stratum and distinct event time in it.

    `at_risk` and `events` have shape (m, k), m is 0 without events; `patients`, shape (k,), counts
    each arm. All are read-only.
    """

    at_risk: Ints
    events: Ints
    patients: Ints

    def __post_init__(self) -> None:
        for column in (self.at_risk, self.events, self.patients):
            column.setflags(write=False)

    @property
    def arms(self) -> int:
        """Number of arms, k."""
        return int(self.patients.size)

    @property
    def observed(self) -> Ints:
        """Events per arm, shape (k,)."""
        events: Ints = self.events.sum(axis=0)
        return events

    def among(self, arms: Flagged) -> Self:
        """The same for some of the arms alone."""
        events = self.events[:, arms]
        rows = events.any(axis=1)
        return type(self)(self.at_risk[rows][:, arms], events[rows], self.patients[arms])


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """A test statistic with its degrees of freedom and p value; all None with a reason."""

    chi2: float | None
    df: int | None
    p: float | None
    reason: ComparisonReason | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LogRank:
    """A log-rank test and what it was made from: arrays of shape (k,), (k,) and (k, k)."""

    observed: Ints
    expected: Floats
    variance: Floats
    test: ChiSquare


@dataclass(frozen=True, slots=True)
class HazardRatio:
    """Hazard of an arm over the reference's, with Wald's interval; all None with a reason.

    `coefficient` is the ratio's natural logarithm, with its standard error and Wald's p value.
    """

    estimate: float | None
    lower: float | None
    upper: float | None
    coefficient: float | None
    standard_error: float | None
    p: float | None
    reason: ComparisonReason | None = None


@dataclass(frozen=True, slots=True)
class Cox:
    """A Cox model of k arms: `ratios` of the second and further ones over the first.

    `null_log_likelihood` is that of equal hazards. The maximum and its likelihood ratio test are
    None unless every ratio is estimable.
    """

    ratios: tuple[HazardRatio, ...]
    ties: Ties
    level: float
    null_log_likelihood: float
    log_likelihood: float | None
    likelihood_ratio: ChiSquare
    score: ChiSquare


@dataclass(frozen=True, slots=True)
class RateDifference:
    """Difference of two response rates, from -1 to 1, with limits; all None with a reason."""

    estimate: float | None
    lower: float | None
    upper: float | None
    level: float
    reason: ComparisonReason | None = None


@dataclass(frozen=True, slots=True)
class ExactTest:
    """A p value that comes without a statistic; None with a reason."""

    p: float | None
    reason: ComparisonReason | None = None


def risk_sets(
    days: Times,
    events: Flags,
    arms: Sequence[int] | Ints,
    count: int,
    strata: Sequence[str] | None = None,
) -> RiskSets:
    """Tabulate n patients: durations, event flags, arms numbered 0 to `count` - 1, and strata.

    An event comes before a censoring at a tie. ValueError unless there is one of each per patient,
    arms are in range, and durations and flags are as `survival.kaplan_meier` takes them.
    """
    durations, flags = checked(days, events)
    distinct, day = np.unique(durations, return_inverse=True)
    stratum = _numbered(strata, durations.size)
    rows, row = np.unique(stratum * distinct.size + day, return_inverse=True)
    cell = row * count + _checked_arms(arms, count, durations.size)
    size, shape = rows.size * count, (rows.size, count)
    ended = np.bincount(cell, minlength=size).reshape(shape)
    died = np.bincount(cell[flags], minlength=size).reshape(shape)
    at_risk = _at_risk(ended, rows // max(distinct.size, 1))
    event_rows = died.any(axis=1)
    return RiskSets(at_risk[event_rows], died[event_rows], ended.sum(axis=0))


def _checked_arms(arms: Sequence[int] | Ints, count: int, patients: int) -> Ints:
    position = np.asarray(arms)
    if position.shape != (patients,):
        raise ValueError(f"{patients} durations but {position.size} arms")
    whole = not patients or position.dtype.kind in "iu"
    if count < 1 or not whole or not np.isin(position, np.arange(count)).all():
        raise ValueError(f"arms must be whole numbers from 0, below their count {count}")
    return position.astype(np.int64, copy=False)


def _numbered(strata: Sequence[str] | None, patients: int) -> Ints:
    """Strata as numbers from 0 on; a single one of all patients when there are none."""
    if strata is None:
        return np.zeros(patients, np.int64)
    if len(strata) != patients:
        raise ValueError(f"{patients} durations but {len(strata)} strata")
    numbers = {stratum: number for number, stratum in enumerate(dict.fromkeys(strata))}
    return np.fromiter((numbers[stratum] for stratum in strata), np.int64, patients)


def _at_risk(ended: Ints, stratum: Ints) -> Ints:
    """Patients of each arm observed until a row's time or longer, within the row's stratum.

    Rows ascend by stratum, then time.
    """
    until_last: Ints = np.vstack([ended[::-1].cumsum(axis=0)[::-1], np.zeros_like(ended[:1])])
    next_stratum = np.searchsorted(stratum, stratum, side="right")
    return until_last[:-1] - until_last[next_stratum]


def log_rank(table: RiskSets) -> LogRank:
    """Test whether the arms' hazards are equal, stratum by stratum (R's `survdiff`, rho = 0).

    Mantel, Cancer Chemother Rep 1966;50:163; Peto & Peto, J R Stat Soc A 1972;135:185. The
    variance is hypergeometric. An arm that was never at risk at an event has no degree of freedom.
    None where no event tells the arms apart: the variance has no inverse.
    """
    total, died = table.at_risk.sum(axis=1), table.events.sum(axis=1)
    share = table.at_risk / total[:, None]
    expected = died @ share
    variance = _covariance(share, died * (total - died) / np.maximum(total - 1, 1))
    tested = expected > 0
    difference = (table.observed - expected)[tested]
    test = _tested(table, difference, variance[np.ix_(tested, tested)])
    return LogRank(table.observed, expected, variance, test)


def _covariance(share: Floats, weight: Floats | Ints) -> Floats:
    """Sum over rows of weight x (diag(share) - share share'), shape (k, k)."""
    return np.diag(weight @ share) - (share * weight[:, None]).T @ share


def _tested(table: RiskSets, difference: Floats, covariance: Floats) -> ChiSquare:
    """Chi-square of k differences that sum to 0: k - 1 degrees of freedom."""
    reason = _nothing_to_test(table, covariance)
    if reason:
        return ChiSquare(None, None, None, reason)
    rest = difference[1:]
    return _chi_square(float(rest @ np.linalg.solve(covariance[1:, 1:], rest)), rest.size)


def _nothing_to_test(table: RiskSets, covariance: Floats) -> ComparisonReason | None:
    """Covariances are 0 just between arms that no event tells apart, directly or through others."""
    if np.count_nonzero(table.patients) < 2:
        return ComparisonReason.FEWER_THAN_TWO_ARMS
    if not len(table.events):
        return ComparisonReason.NO_EVENTS
    if len(covariance) < 2 or not _connected(covariance < 0).all():
        return ComparisonReason.NO_INFORMATION
    return None


def _connected(edges: Flagged) -> Flagged:
    """Which node leads to which along any number of edges, to itself always; shape (k, k)."""
    paths = edges | np.eye(len(edges), dtype=np.bool_)
    for _ in range(len(edges).bit_length()):
        paths = paths @ paths
    return paths


def _chi_square(chi2: float, df: int) -> ChiSquare:
    return ChiSquare(chi2, df, float(chdtrc(df, chi2)))


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """The log partial likelihood at k coefficients (the first is 0) and its derivatives."""

    coefficients: Floats
    value: float
    score: Floats
    information: Floats

    @property
    def step(self) -> Floats:
        """Newton's step, shape (k,), no coefficient's longer than `LONGEST_STEP`."""
        step = np.linalg.solve(self.information[1:, 1:], self.score[1:])
        longest = np.abs(step).max(initial=LONGEST_STEP)
        return np.append(0.0, step * (LONGEST_STEP / longest))


@dataclass(frozen=True, slots=True, eq=False)
class _Likelihood:
    """The partial likelihood of a choice among k arms at each event.

    `weights`, shape (r, k), are the patients at risk in each arm, tied ones in part under Efron;
    `repeats`, shape (r,), says how often a row counts, `observed`, shape (k,), the choices made.
    """

    weights: Floats
    repeats: Ints
    observed: Ints

    @classmethod
    def of(cls, table: RiskSets, ties: Ties) -> Self:
        """Breslow has one row per time; Efron one per event, the j-th of d without j / d of d."""
        died = table.events.sum(axis=1)
        if ties == Ties.BRESLOW:
            return cls(table.at_risk.astype(np.float64), died, table.observed)
        time = np.repeat(np.arange(died.size), died)
        before = np.arange(time.size) - np.repeat(died.cumsum() - died, died)
        gone = table.events[time] * (before / died[time])[:, None]
        return cls(table.at_risk[time] - gone, np.ones_like(time), table.observed)

    def at(self, coefficients: Floats) -> _Point:
        """Value, score and information."""
        hazards = self.weights * np.exp(coefficients)
        total = hazards.sum(axis=1)
        share = hazards / total[:, None]
        value = self.observed @ coefficients - self.repeats @ np.log(total)
        score = self.observed - self.repeats @ share
        return _Point(coefficients, float(value), score, _covariance(share, self.repeats))

    def maximum(self) -> _Point | None:
        """Where the score is 0, by Newton and Raphson with halved steps; None if never."""
        point = self.at(np.zeros(self.observed.size))
        for _ in range(MAX_STEPS):
            step = point.step
            point = self.uphill(point, step)
            if np.abs(step).max() < CONVERGED:
                return point
        return None

    def uphill(self, point: _Point, step: Floats) -> _Point:
        """The point a step further, or half of it and so on until nothing is lost."""
        lowest = point.value - NO_LOSS * abs(point.value)
        while (further := self.at(point.coefficients + step)).value < lowest:
            step = step / 2
        return further


def cox(table: RiskSets, ties: Ties = Ties.EFRON, level: float = 0.95) -> Cox:
    """Proportional hazards of the arms over the first one, by maximum partial likelihood.

    Cox, J R Stat Soc B 1972;34:187; ties by Efron, JASA 1977;72:557, or Breslow, Biometrics
    1974;30:89; strata have baseline hazards of their own. A ratio is finite just when each of the
    two arms, directly or through others, had an event while the other was at risk (Ford, Am Math
    Mon 1957;64:28). An arm without that bond to the first is not estimable; the others get what
    R's iterations tend to while that arm's coefficient leaves for infinity.
    ValueError for a level out of range.
    """
    z = two_sided_z(level)
    start = _Likelihood.of(table, ties).at(np.zeros(table.arms))
    bonds = _connected((table.events.T > 0) @ (table.at_risk > 0))
    bound = bonds[0] & bonds[:, 0]
    fit = _Likelihood.of(table.among(bound), ties).maximum()
    ratios = tuple(
        _hazard_ratio(fit, int(bound[:arm].sum()), z)
        if fit and bound[arm]
        else _no_hazard_ratio(_why_not_estimable(table, bonds, arm))
        for arm in range(1, table.arms)
    )
    reason = next((ratio.reason for ratio in ratios if ratio.reason), None)
    highest = fit.value if fit and not reason else None
    gain = _gain(start.value, highest, len(ratios), reason)
    score = _tested(table, start.score, start.information)
    return Cox(ratios, ties, level, start.value, highest, gain, score)


def _hazard_ratio(fit: _Point, arm: int, z: float) -> HazardRatio:
    coefficient = float(fit.coefficients[arm])
    error = sqrt(np.linalg.inv(fit.information[1:, 1:])[arm - 1, arm - 1])
    estimate, lower, upper = (exp(coefficient + side * z * error) for side in (0, -1, 1))
    p = float(chdtrc(1, (coefficient / error) ** 2))
    return HazardRatio(estimate, lower, upper, coefficient, error, p)


def _no_hazard_ratio(reason: ComparisonReason) -> HazardRatio:
    return HazardRatio(None, None, None, None, None, None, reason)


def _why_not_estimable(table: RiskSets, bonds: Flagged, arm: int) -> ComparisonReason:
    """Why an arm has no finite hazard ratio over the first."""
    if not table.patients[[0, arm]].all():
        return ComparisonReason.NO_PATIENTS_IN_ARM
    if not len(table.events):
        return ComparisonReason.NO_EVENTS
    if not table.observed[arm]:
        return ComparisonReason.NO_EVENTS_IN_ARM
    if not table.observed[0]:
        return ComparisonReason.NO_EVENTS_IN_REFERENCE
    found = {
        (False, False): ComparisonReason.NO_INFORMATION,
        (True, True): ComparisonReason.NO_CONVERGENCE,
    }
    there_and_back = bool(bonds[0, arm]), bool(bonds[arm, 0])
    return found.get(there_and_back, ComparisonReason.INFINITE_COEFFICIENT)


def _gain(
    start: float, highest: float | None, df: int, reason: ComparisonReason | None
) -> ChiSquare:
    """The likelihood ratio test; a gain below 0 is rounding."""
    if highest is None or not df:
        why = reason or ComparisonReason.FEWER_THAN_TWO_ARMS
        return ChiSquare(None, None, None, why)
    return _chi_square(max(2 * (highest - start), 0.0), df)


def fisher_exact(k: int, n: int, other_k: int, other_n: int) -> ExactTest:
    """Two-sided exact test of k of n against other_k of other_n (Fisher 1935).

    The probability, given both margins, of all tables that are at most as probable as this one; as
    R, tables within a relative 1e-7 of it are. ValueError unless 0 <= k <= n for both.
    """
    if not (0 <= k <= n and 0 <= other_k <= other_n):
        raise ValueError(f"{k} of {n} and {other_k} of {other_n} are not two proportions")
    if not (n and other_n):
        return ExactTest(None, ComparisonReason.NO_PATIENTS_IN_ARM)
    successes = k + other_k
    table = np.arange(max(0, successes - other_n), min(n, successes) + 1)
    cells = np.stack([table, n - table, successes - table, other_n - successes + table])
    probability = -gammaln(cells + 1.0).sum(axis=0)
    extreme = probability <= probability[k - table[0]] + log1p(EQUALLY_PROBABLE)
    return ExactTest(min(1.0, exp(logsumexp(probability[extreme]) - logsumexp(probability))))


def rate_difference(
    k: int, n: int, other_k: int, other_n: int, level: float = 0.95
) -> RateDifference:
    """k / n - other_k / other_n with Newcombe's hybrid score interval.

    Newcombe, Stat Med 1998;17:873, method 10, from Wilson's limits of both rates. ValueError
    unless 0 <= k <= n for both and 0 < level < 1.
    """
    first, second = _score_limits(k, n, level), _score_limits(other_k, other_n, level)
    if first is None or second is None:
        return RateDifference(None, None, None, level, ComparisonReason.NO_PATIENTS_IN_ARM)
    (rate, low, high), (other, other_low, other_high) = first, second
    difference = rate - other
    lower = difference - hypot(rate - low, other_high - other)
    upper = difference + hypot(high - rate, other - other_low)
    return RateDifference(difference, lower, upper, level)


def _score_limits(k: int, n: int, level: float) -> tuple[float, float, float] | None:
    found = wilson(k, n, level)
    if found.estimate is None or found.lower is None or found.upper is None:
        return None
    return found.estimate, found.lower, found.upper
