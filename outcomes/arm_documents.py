"""Arms compared, as JSON: never rounded, every missing number with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from outcomes.arms import (
    ComparedArm,
    Comparison,
    NoComparison,
    RateComparison,
    SurvivalComparison,
)
from outcomes.methods.comparison import ComparisonReason
from outcomes.methods.differences import Difference
from outcomes.report import LandmarkTime
from outcomes.report.asked_times import asked_time
from outcomes.report.document_types import (
    ComparedDocument,
    ComparisonDocument,
    DifferenceDocument,
    HazardRatioDocument,
    LandmarkDifferenceDocument,
    LogRankDocument,
    RateComparisonDocument,
    RateDifferenceDocument,
    RestrictedMeanDifferenceDocument,
    SurvivalComparisonDocument,
)
from trials.definitions import EndpointKind


def comparison_members(found: Comparison | NoComparison) -> ComparedDocument:
    """`comparison` and `comparison_reason` as members of a report."""
    if isinstance(found, NoComparison):
        return {"comparison": None, "comparison_reason": found}
    return {"comparison": comparison_document(found), "comparison_reason": None}


def comparison_document(found: Comparison) -> ComparisonDocument:
    """Arms compared: PFS at the top (log-rank, hazard ratio), with it ORR, and OS within.

    Ratios and differences are an arm's over the reference's, or less it. The single `hazard_ratio`,
    `rate_difference` and `fisher_p` are those of two arms, null with `more_than_two_arms` for
    three or more; the lists have one entry per further arm whatever their number. The log-rank
    test is of all arms at once.
    """
    return {
        "arms": [{"name": arm.name, "n": arm.n, "reference": arm.reference} for arm in found.arms],
        **_survival_comparison(found, found.survivals[EndpointKind.PFS]),
        **_rate_comparison(found.arms, found.rates),
        "overall_survival": _survival_comparison(found, found.survivals[EndpointKind.OS]),
        "stratified_by": found.stratified_by,
    }


def _survival_comparison(
    whole: Comparison, found: SurvivalComparison
) -> SurvivalComparisonDocument:
    arms = whole.arms
    test, (first, *further), ties = found.log_rank, found.cox.ratios, found.cox.ties
    reason = ComparisonReason.MORE_THAN_TWO_ARMS if further else first.reason
    values: LogRankDocument = {"chi2": test.chi2, "df": test.df, "p": test.p}
    ratio: HazardRatioDocument = {
        "estimate": first.estimate, "lower": first.lower, "upper": first.upper, "ties": ties,
    }  # fmt: skip
    return {
        "log_rank": None if test.reason else values,
        "log_rank_reason": test.reason,
        "hazard_ratio": None if reason else ratio,
        "hazard_ratio_reason": reason,
        "hazard_ratios": [
            {"arm": arm.name, "reference": arms[0].name,
             "estimate": one.estimate, "lower": one.lower, "upper": one.upper, "p": one.p,
             "reason": one.reason, "ties": ties, "confidence_level": found.cox.level}
            for arm, one in zip(arms[1:], found.cox.ratios, strict=True)
        ],
        "landmark_differences": _landmark_differences(whole, found),
        "rmst_differences": _mean_differences(whole, found),
    }  # fmt: skip


def _landmark_differences(
    whole: Comparison, found: SurvivalComparison
) -> list[LandmarkDifferenceDocument]:
    """Arm by arm, each at every landmark."""
    return [
        {
            **_curve_difference(arm, whole.arms[0], at, one),
            "estimate": one.estimate,
            "lower": one.lower,
            "upper": one.upper,
            "test": "complementary-log-log",
        }
        for arm, differences in zip(whole.arms[1:], found.differences, strict=True)
        for at, one in zip(whole.landmarks, differences.landmarks, strict=True)
    ]


def _mean_differences(
    whole: Comparison, found: SurvivalComparison
) -> list[RestrictedMeanDifferenceDocument] | None:
    """Arm by arm; None where no horizon was asked for."""
    if whole.horizon is None:
        return None
    return [
        {
            **_curve_difference(arm, whole.arms[0], whole.horizon, one),
            "estimate_days": one.estimate,
            "lower_days": one.lower,
            "upper_days": one.upper,
        }
        for arm, differences in zip(whole.arms[1:], found.differences, strict=True)
        if (one := differences.restricted_mean) is not None
    ]


def _curve_difference(
    arm: ComparedArm, reference: ComparedArm, at: LandmarkTime, found: Difference
) -> DifferenceDocument:
    return {
        **asked_time(at),
        "arm": arm.name,
        "reference": reference.name,
        "standard_error": found.standard_error,
        "p": found.p,
        "reason": found.reason,
        "limits_reason": found.limits_reason,
        "p_reason": found.p_reason,
        "confidence_level": found.level,
    }


def _rate_comparison(
    arms: Sequence[ComparedArm], found: Sequence[RateComparison]
) -> RateComparisonDocument:
    (first, *further) = found
    reason = ComparisonReason.MORE_THAN_TWO_ARMS if further else first.difference.reason
    return {
        "rate_difference": None if reason else _difference(first),
        "rate_difference_reason": reason,
        "fisher_p": None if reason else first.test.p,
        "fisher_p_reason": reason,
        "rate_differences": [
            {"arm": arm.name, "reference": arms[0].name, **_difference(one),
             "fisher_p": one.test.p, "reason": one.difference.reason,
             "confidence_level": one.difference.level}
            for arm, one in zip(arms[1:], found, strict=True)
        ],
    }  # fmt: skip


def _difference(found: RateComparison) -> RateDifferenceDocument:
    difference = found.difference
    return {
        "estimate": difference.estimate,
        "lower": difference.lower,
        "upper": difference.upper,
        "interval": "newcombe",
    }
