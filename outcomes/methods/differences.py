"""What two Kaplan-Meier curves differ by: survival at one time, and mean time up to a horizon.

Pure. Both are read from estimates that `survival` makes, and need no proportional hazards.
"""

from dataclasses import dataclass
from math import hypot, log

from scipy.special import chdtrc

from outcomes.methods.survival import Landmark, MissingReason, RestrictedMean, two_sided_z


@dataclass(frozen=True, slots=True)
class Difference:
    """An arm's value less the reference's, with Wald's limits and a two-sided p value.

    In fractions of 1 (survival) or in the curve's unit (mean time). Each None has its reason.
    """

    estimate: float | None
    standard_error: float | None
    lower: float | None
    upper: float | None
    p: float | None
    level: float
    reason: MissingReason | None = None
    limits_reason: MissingReason | None = None
    p_reason: MissingReason | None = None


def landmark_difference(arm: Landmark, reference: Landmark, level: float = 0.95) -> Difference:
    """S1(t) - S2(t) with Greenwood's variances, limits within -1 and 1, and a test.

    The test is on the complementary log-log scale, which Klein et al. found to keep its level best
    among the transformations: Stat Med 2007;26:4505. Beyond the follow-up of either arm nothing is
    estimable; where survival is 0 or 1 in an arm the test is not, and where neither has a variance
    no limits are. ValueError for two times or a level out of range.
    """
    if arm.time != reference.time:
        raise ValueError(f"survival at {arm.time} and at {reference.time}, must be one time")
    errors = arm.standard_error, reference.standard_error
    return _difference(
        (arm.survival, reference.survival), errors, level, 1.0, _log_log_p(arm, reference)
    )


def restricted_mean_difference(
    arm: RestrictedMean, reference: RestrictedMean, level: float = 0.95
) -> Difference:
    """Mean time without the event up to one horizon, an arm's less the reference's.

    Variances add; limits and test are normal. Royston & Parmar, BMC Med Res Methodol 2013;13:152.
    Beyond the follow-up of either arm it is not estimable. ValueError for two horizons or a level
    out of range.
    """
    if arm.tau != reference.tau:
        raise ValueError(f"horizons {arm.tau} and {reference.tau}, must be one")
    errors = arm.standard_error, reference.standard_error
    values = arm.estimate, reference.estimate
    return _difference(values, errors, level, arm.tau, _wald_p(values, errors))


Pair = tuple[float | None, float | None]


def _difference(
    values: Pair, errors: Pair, level: float, largest: float, p: float | None
) -> Difference:
    z, missing = two_sided_z(level), MissingReason.NOT_ESTIMABLE
    why = None if p is not None else missing
    if values[0] is None or values[1] is None:
        return Difference(None, None, None, None, None, level, missing, missing, missing)
    estimate, error = values[0] - values[1], _error(errors)
    if error is None:
        return Difference(estimate, None, None, None, p, level, None, missing, why)
    lower, upper = max(estimate - z * error, -largest), min(estimate + z * error, largest)
    return Difference(estimate, error, lower, upper, p, level, None, None, why)


def _error(errors: Pair) -> float | None:
    """The standard error of a difference; None without one in an arm, or without any variance."""
    if errors[0] is None or errors[1] is None:
        return None
    return hypot(errors[0], errors[1]) or None


def _wald_p(values: Pair, errors: Pair) -> float | None:
    error = _error(errors)
    if error is None or values[0] is None or values[1] is None:
        return None
    return float(chdtrc(1, ((values[0] - values[1]) / error) ** 2))


def _log_log_p(arm: Landmark, reference: Landmark) -> float | None:
    """Klein 2007, section 2: log(-log S), whose variance is Greenwood's sum over log(S) squared."""
    one, other = _log_log(arm), _log_log(reference)
    if one is None or other is None:
        return None
    return float(chdtrc(1, (one[0] - other[0]) ** 2 / (one[1] ** 2 + other[1] ** 2)))


def _log_log(at: Landmark) -> tuple[float, float] | None:
    """log(-log S) and its standard error; None where S is 0, 1 or not estimable."""
    if at.survival is None or at.standard_error is None or not 0 < at.survival < 1:
        return None
    logarithm = log(at.survival)
    return log(-logarithm), at.standard_error / (at.survival * -logarithm)
