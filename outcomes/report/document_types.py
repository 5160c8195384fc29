"""What reports answer with. A number that cannot be given is null, with its reason beside it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from outcomes.arms import NoComparison
from outcomes.methods.comparison import ComparisonReason, Ties
from outcomes.methods.irecist import ImmuneResponse
from outcomes.methods.recist import Response
from outcomes.methods.survival import MissingReason, QuartileMethod
from registry.documents import As, CalendarDate, Count, Id, Link, Moment
from trials.definitions import (
    EndpointDefinition,
    EndpointKind,
    Population,
    ProportionInterval,
    SurvivalInterval,
)

Fraction = Annotated[float, Field(ge=0, le=1)]
Level = Annotated[float, Field(gt=0.5, le=0.9999)]
DefinitionDocument = Annotated[dict[str, Any], As(EndpointDefinition)]


class PopulationDocument(TypedDict):
    """Whom a report is about: those in it that the reader may see."""

    name: Population
    n: Count


class ResponseCounts(TypedDict):
    """Patients by best overall response."""

    CR: Count
    PR: Count
    SD: Count
    NON_CR_NON_PD: Count
    PD: Count
    NE: Count


class BestResponseDocument(TypedDict):
    """By the ORR's definition, without and with confirmation."""

    unconfirmed: ResponseCounts
    confirmed: ResponseCounts


class IntervalDocument(TypedDict):
    """The limits of a rate in one style, clipped to [0, 1]."""

    interval: ProportionInterval
    lower: Fraction | None
    upper: Fraction | None


class RateDocument(TypedDict):
    """k of n with an interval, clipped to [0, 1]."""

    n: Count
    estimate: Fraction | None
    lower: Fraction | None
    upper: Fraction | None
    estimate_reason: MissingReason | None
    interval: ProportionInterval
    intervals: Annotated[list[IntervalDocument], Field(description="The limits in every style.")]
    confidence_level: Level
    confirmed: bool
    definition: DefinitionDocument


class ResponseRateDocument(RateDocument):
    """Objective response rate."""

    responders: Count


class ControlRateDocument(RateDocument):
    """Disease control rate."""

    controlled: Count


class BenefitRateDocument(RateDocument):
    """Clinical benefit rate."""

    benefited: Count


class MedianDocument(TypedDict):
    """The time by which half had the event; SPSS limits are not clipped."""

    days: float | None
    months: Annotated[float | None, Field(description="Days / 30.4375.")]
    lower_days: float | None
    upper_days: float | None
    lower_months: float | None
    upper_months: float | None
    interval: SurvivalInterval
    confidence_level: Level
    days_reason: MissingReason | None
    lower_reason: MissingReason | None
    upper_reason: MissingReason | None


class QuantileDocument(MedianDocument):
    """The time by which a share `p` had the event, in the definition's style."""

    p: Fraction


class AskedTime(TypedDict):
    """A time that was asked for, in months of 30.4375 days or in weeks."""

    months: float
    weeks: Count | None
    days: float


class CountedDocument(TypedDict):
    """k of n known to be event-free at a landmark; not the Kaplan-Meier estimate."""

    k: Count
    n: Count
    estimate: Fraction | None
    lower: Fraction | None
    upper: Fraction | None
    estimate_reason: MissingReason | None
    interval: ProportionInterval
    label: str


class LandmarkDocument(AskedTime):
    """Survival at one time."""

    survival: Fraction | None
    lower: Fraction | None
    upper: Fraction | None
    at_risk: Count
    survival_reason: MissingReason | None
    limits_reason: MissingReason | None
    counted: Annotated[CountedDocument | None, Field(description="Where `counts` asks for it.")]


class RestrictedMeanDocument(AskedTime):
    """Mean days without the event up to a horizon."""

    estimate_days: float | None
    standard_error: float | None
    lower_days: float | None
    upper_days: float | None
    reason: MissingReason | None


class CurvePointDocument(TypedDict):
    """A step of the Kaplan-Meier curve; limits are null where the band is undefined."""

    days: Count
    at_risk: Count
    events: Count
    censored: Count
    survival: Fraction
    lower: Fraction | None
    upper: Fraction | None


class QuartilesDocument(TypedDict):
    """Quartiles of a duration in months."""

    q1_months: float | None
    median_months: float | None
    q3_months: float | None
    q1_reason: MissingReason | None
    median_reason: MissingReason | None
    q3_reason: MissingReason | None
    method: QuartileMethod


class FollowUpDocument(QuartilesDocument):
    """Length of follow-up: reverse Kaplan-Meier of OS, and as observed."""

    observed: QuartilesDocument


class SurvivalDocument(TypedDict):
    """A time-to-event endpoint."""

    n: Annotated[Count, Field(description="Patients with a time origin.")]
    events: Count
    censored: Count
    no_time_origin: Count
    median: MedianDocument
    medians: Annotated[list[MedianDocument], Field(description="In every interval style.")]
    quantiles: Annotated[
        list[QuantileDocument], Field(description="A quarter, half, three quarters.")
    ]
    landmarks: list[LandmarkDocument]
    restricted_mean: Annotated[
        RestrictedMeanDocument | None, Field(description="Where `rmst` asks for it.")
    ]
    curve: list[CurvePointDocument]
    definition: DefinitionDocument
    quartiles: NotRequired[
        Annotated[QuartilesDocument, Field(description="Of a time to response.")]
    ]


class DepthCounts(TypedDict):
    """Patients by their best shrinkage from baseline in percent, upper bounds included."""

    none: Count
    up_to_25: Count
    up_to_50: Count
    up_to_75: Count
    up_to_100: Count


class DepthDocument(TypedDict):
    """Best changes of the sum of diameters from baseline, in percent; negative is shrinkage."""

    n: Annotated[Count, Field(description="Patients with a complete sum that counts.")]
    without: Annotated[Count, Field(description="Patients of the population without one.")]
    median_percent: float | None
    q1_percent: float | None
    q3_percent: float | None
    deepest_percent: float | None
    least_percent: float | None
    reason: MissingReason | None
    counts: DepthCounts
    definition: Annotated[str, Field(description="The rule in the reader's language.")]


class AdditionalDocument(TypedDict):
    """A second or further definition of a kind."""

    kind: EndpointKind
    name: str


class AdditionalResponseRate(AdditionalDocument, ResponseRateDocument):
    """A further objective response rate."""


class AdditionalControlRate(AdditionalDocument, ControlRateDocument):
    """A further disease control rate."""


class AdditionalBenefitRate(AdditionalDocument, BenefitRateDocument):
    """A further clinical benefit rate."""


class AdditionalSurvival(AdditionalDocument, SurvivalDocument):
    """A further time-to-event endpoint."""


Additional = (
    AdditionalResponseRate | AdditionalControlRate | AdditionalBenefitRate | AdditionalSurvival
)


class SectionDocument(TypedDict):
    """All endpoints over one set of patients."""

    population: PopulationDocument
    best_overall_response: BestResponseDocument
    orr: ResponseRateDocument | None
    dcr: ControlRateDocument | None
    cbr: BenefitRateDocument | None
    pfs: SurvivalDocument | None
    os: SurvivalDocument | None
    dor: Annotated[SurvivalDocument | None, Field(description="Over the responders.")]
    ttr: Annotated[SurvivalDocument | None, Field(description="Over the responders.")]
    follow_up: FollowUpDocument
    depth_of_response: Annotated[
        DepthDocument, Field(description="Over the population of the response rate.")
    ]
    additional: list[Additional]


class ArmDocument(TypedDict):
    """A compared arm."""

    name: str
    n: Count
    reference: Annotated[bool, Field(description="Whether the others are compared with it.")]


class LogRankDocument(TypedDict):
    """The log-rank test of all arms at once."""

    chi2: float | None
    df: int | None
    p: float | None


class HazardRatioDocument(TypedDict):
    """An arm's hazard over the reference's."""

    estimate: float | None
    lower: float | None
    upper: float | None
    ties: Ties


class ArmHazardRatioDocument(HazardRatioDocument):
    """The hazard ratio of one arm, of two or more."""

    arm: str
    reference: str
    p: float | None
    reason: ComparisonReason | None
    confidence_level: Level


class RateDifferenceDocument(TypedDict):
    """An arm's response rate less the reference's."""

    estimate: float | None
    lower: float | None
    upper: float | None
    interval: Literal["newcombe"]


class ArmRateDifferenceDocument(RateDifferenceDocument):
    """The rate difference of one arm, of two or more."""

    arm: str
    reference: str
    fisher_p: float | None
    reason: ComparisonReason | None
    confidence_level: Level


class DifferenceDocument(AskedTime):
    """What an arm's curve differs by from the reference's; Wald's limits."""

    arm: str
    reference: str
    standard_error: float | None
    p: float | None
    reason: MissingReason | None
    limits_reason: MissingReason | None
    p_reason: MissingReason | None
    confidence_level: Level


class LandmarkDifferenceDocument(DifferenceDocument):
    """Survival of an arm at one time less the reference's, tested on the log-log scale."""

    estimate: float | None
    lower: float | None
    upper: float | None
    test: Literal["complementary-log-log"]


class RestrictedMeanDifferenceDocument(DifferenceDocument):
    """An arm's mean days without the event up to a horizon less the reference's."""

    estimate_days: float | None
    lower_days: float | None
    upper_days: float | None


class SurvivalComparisonDocument(TypedDict):
    """A time to event in all arms."""

    log_rank: LogRankDocument | None
    log_rank_reason: ComparisonReason | None
    hazard_ratio: Annotated[HazardRatioDocument | None, Field(description="Of exactly two arms.")]
    hazard_ratio_reason: ComparisonReason | None
    hazard_ratios: list[ArmHazardRatioDocument]
    landmark_differences: Annotated[
        list[LandmarkDifferenceDocument],
        Field(description="One per further arm and landmark, never stratified."),
    ]
    rmst_differences: Annotated[
        list[RestrictedMeanDifferenceDocument] | None,
        Field(description="One per further arm where `rmst` asks for it, never stratified."),
    ]


class RateComparisonDocument(TypedDict):
    """A response rate in all arms."""

    rate_difference: Annotated[
        RateDifferenceDocument | None, Field(description="Of exactly two arms.")
    ]
    rate_difference_reason: ComparisonReason | None
    fisher_p: Annotated[float | None, Field(description="Of exactly two arms.")]
    fisher_p_reason: ComparisonReason | None
    rate_differences: list[ArmRateDifferenceDocument]


class ComparisonDocument(SurvivalComparisonDocument, RateComparisonDocument):
    """Two or more arms compared: PFS, ORR, and OS within."""

    arms: list[ArmDocument]
    overall_survival: SurvivalComparisonDocument
    stratified_by: str | None


class ComparedDocument(TypedDict):
    """The arms compared, or why they are not."""

    comparison: ComparisonDocument | None
    comparison_reason: NoComparison | None


class GroupDocument(SectionDocument, ComparedDocument):
    """The patients that have one value of `group_by`; `unknown` where it is missing."""

    group: str


class ReportDocument(SectionDocument, ComparedDocument):
    """A trial's outcomes at a cutoff, over the patients that the reader may see."""

    trial: Annotated[str, Field(description="The trial's registry id.")]
    cutoff: CalendarDate
    known_on: Moment | None
    evaluator: Annotated[str, Field(description="Whose readings: investigator or reviewer.")]
    synthetic: Annotated[bool, Field(description="Whether the patients are made up.")]
    groups: list[GroupDocument]


class SourceDocument(TypedDict):
    """The record that gave a date."""

    record: Annotated[str, Field(description="The kind of record: patient, visit, therapy ...")]
    id: Id | None
    field: str
    link: Link | None


class TimeDocument(TypedDict):
    """A patient's time to event; all null where the patient has no time origin."""

    days: Annotated[int | None, Field(description="The origin is day 1.")]
    event: Annotated[bool | None, Field(description="False: censored.")]
    date: CalendarDate | None
    code: Annotated[str | None, Field(description="The reason as a code.")]
    reason: Annotated[str | None, Field(description="The reason in the reader's language.")]
    source: SourceDocument | None


class FirstResponseDocument(TypedDict):
    """A patient's first response that counts, and how long it lasted."""

    first_response_on: CalendarDate | None
    dor_days: int | None
    dor_event: bool | None


class ImmuneOutcomeDocument(TypedDict):
    """One patient's iBOR and iPFS (Seymour 2017), by the trial's first definitions by iRECIST.

    Where it has none, by its first ORR and PFS with these criteria.
    """

    best_response: Annotated[ImmuneResponse, Field(description="The iBOR; not confirmed.")]
    best_response_on: CalendarDate | None
    best_response_reason: str
    pfs: TimeDocument


class PatientOutcomeDocument(TypedDict):
    """One patient's outcomes with the reason and the record of every date."""

    patient: Id
    subject_id: str
    site: str
    arm: str | None
    arm_reason: Literal["blinded"] | None
    best_response: Response
    best_response_reason: str
    confirmed_best_response: Response
    confirmed_best_response_reason: str
    best_change_percent: Annotated[
        float | None, Field(description="The smallest change from baseline; not rounded.")
    ]
    pfs: TimeDocument
    os: TimeDocument
    response: FirstResponseDocument
    irecist: NotRequired[
        Annotated[ImmuneOutcomeDocument, Field(description="Where the trial uses iRECIST.")]
    ]
