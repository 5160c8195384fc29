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
from outcomes.report.document_types import (
    ComparedDocument,
    ComparisonDocument,
    HazardRatioDocument,
    LogRankDocument,
    RateComparisonDocument,
    RateDifferenceDocument,
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
        **_survival_comparison(found.arms, found.survivals[EndpointKind.PFS]),
        **_rate_comparison(found.arms, found.rates),
        "overall_survival": _survival_comparison(found.arms, found.survivals[EndpointKind.OS]),
        "stratified_by": found.stratified_by,
    }


def _survival_comparison(
    arms: Sequence[ComparedArm], found: SurvivalComparison
) -> SurvivalComparisonDocument:
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
    }  # fmt: skip


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
