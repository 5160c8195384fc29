"""A trial's arms compared: one value that the page and the API read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from outcomes.methods import comparison, survival
from outcomes.methods.comparison import ChiSquare, Cox, ExactTest, RateDifference, Ties
from outcomes.methods.differences import (
    Difference,
    landmark_difference,
    restricted_mean_difference,
)
from outcomes.methods.proportions import Proportion
from outcomes.methods.survival import Curve
from outcomes.methods.time_to_event import TimeToEvent
from outcomes.queries import PatientFacts
from trials.definitions import EndpointKind
from trials.vocabularies import ArmType

if TYPE_CHECKING:
    from outcomes.report.values import LandmarkTime

CONTROLS = {
    ArmType.ACTIVE_COMPARATOR,
    ArmType.PLACEBO_COMPARATOR,
    ArmType.SHAM_COMPARATOR,
    ArmType.NO_INTERVENTION,
}


class NoComparison(StrEnum):
    """Why a report compares no arms."""

    BLINDED = "blinded"
    FEWER_THAN_TWO_ARMS = "fewer_than_two_arms"
    NOT_WITHIN_GROUPS = "not_within_groups"


@dataclass(frozen=True)
class ComparedArm:
    """An arm with its patients in the report's population."""

    id: int
    name: str
    n: int
    reference: bool


@dataclass(frozen=True)
class CurveDifferences:
    """One arm's curve less the reference's: at each landmark, and the mean to a horizon if asked.

    Not stratified: a difference of Kaplan-Meier estimates has no strata.
    """

    landmarks: tuple[Difference, ...]
    restricted_mean: Difference | None


@dataclass(frozen=True)
class SurvivalComparison:
    """A time to event in all arms: a log-rank test, and a Cox model over the reference.

    `differences` are those of the second and further arms; `curves` are of all, in their order.
    """

    log_rank: ChiSquare
    cox: Cox
    differences: tuple[CurveDifferences, ...]
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class RateComparison:
    """A response rate in one arm less that in the reference, and whether they differ."""

    difference: RateDifference
    test: ExactTest


@dataclass(frozen=True)
class Comparison:
    """Two or more arms, the reference first; `rates` are of the second and further ones over it."""

    arms: tuple[ComparedArm, ...]
    survivals: Mapping[EndpointKind, SurvivalComparison]
    rates: tuple[RateComparison, ...]
    stratified_by: str | None
    landmarks: tuple[LandmarkTime, ...]
    horizon: LandmarkTime | None


def compared_arms(
    patients: Collection[PatientFacts], population: Collection[PatientFacts]
) -> tuple[ComparedArm, ...]:
    """The arms of these patients, by id after the reference; n counts those in the population.

    The reference is the one arm among them that is a comparator or without intervention; when none
    or several are, the first by id.
    """
    found = {p.arm_id: p for p in patients if p.arm_id is not None}
    controls = [arm_id for arm_id, p in found.items() if p.arm_type in CONTROLS]
    reference = controls[0] if len(controls) == 1 else min(found, default=None)
    n = Counter(p.arm_id for p in population)
    return tuple(
        ComparedArm(arm_id, found[arm_id].arm or "", n[arm_id], arm_id == reference)
        for arm_id in sorted(found, key=lambda arm_id: (arm_id != reference, arm_id))
    )


def compare_survival(
    times: Sequence[tuple[TimeToEvent, int]],
    *,
    arms: int,
    strata: Sequence[str] | None,
    ties: Ties,
    level: float,
    landmarks: Sequence[float] = (),
    horizon: float | None = None,
) -> SurvivalComparison:
    """Compare patients' times, each with the number of its arm; 0 is the reference.

    Landmarks and the horizon of a restricted mean are days from the origin.
    """
    table = comparison.risk_sets(
        [time.days for time, _ in times],
        [time.event for time, _ in times],
        [arm for _, arm in times],
        arms,
        strata,
    )
    curves = tuple(_curve(times, number) for number in range(arms))
    reference, *others = curves
    return SurvivalComparison(
        comparison.log_rank(table).test,
        comparison.cox(table, ties, level),
        tuple(_differences(curve, reference, landmarks, horizon, level) for curve in others),
        curves,
    )


def _curve(times: Sequence[tuple[TimeToEvent, int]], number: int) -> Curve:
    own = [time for time, arm in times if arm == number]
    return survival.kaplan_meier([time.days for time in own], [time.event for time in own])


def _differences(
    curve: Curve,
    reference: Curve,
    landmarks: Sequence[float],
    horizon: float | None,
    level: float,
) -> CurveDifferences:
    at = (tuple(survival.landmark(c, days) for c in (curve, reference)) for days in landmarks)
    landmark_differences = tuple(landmark_difference(one, other, level) for one, other in at)
    if horizon is None:
        return CurveDifferences(landmark_differences, None)
    one, other = (survival.restricted_mean(c, horizon) for c in (curve, reference))
    return CurveDifferences(landmark_differences, restricted_mean_difference(one, other, level))


def compare_rates(rates: Sequence[Proportion]) -> tuple[RateComparison, ...]:
    """Compare the second and further rates with the first."""
    reference, *others = rates
    return tuple(
        RateComparison(
            comparison.rate_difference(r.k, r.n, reference.k, reference.n, r.level),
            comparison.fisher_exact(r.k, r.n, reference.k, reference.n),
        )
        for r in others
    )
