"""What a report holds: the reader's choices, and what was computed of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from outcomes.arms import Comparison, NoComparison
from outcomes.methods import proportions, survival
from outcomes.methods.best_response import BestResponse, FirstResponse, Record
from outcomes.methods.comparison import Ties
from outcomes.methods.depth import DepthOfResponse
from outcomes.methods.irecist_endpoints import ImmuneBest
from outcomes.methods.proportions import Proportion
from outcomes.methods.recist import Reason, Response
from outcomes.methods.survival import (
    Curve,
    FollowUp,
    Landmark,
    Quantile,
    Quartiles,
    RestrictedMean,
)
from outcomes.methods.time_to_event import Prepared, TimeToEvent
from outcomes.models import INVESTIGATOR
from outcomes.queries import PatientFacts
from trials.definitions import (
    EndpointDefinition,
    EndpointKind,
    Population,
    ProportionInterval,
    SurvivalInterval,
    TimeOrigin,
)

if TYPE_CHECKING:
    from trials.models import Trial

DAYS_PER_MONTH = 30.4375
RESPONDERS = {Response.CR, Response.PR}
CONTROLLED = {Response.CR, Response.PR, Response.SD, Response.NON_CR_NON_PD}
ALWAYS = (EndpointKind.ORR, EndpointKind.DCR, EndpointKind.PFS, EndpointKind.OS)


class Absence(StrEnum):
    """Why a patient is not in an analysis (CONSORT 2010, item 16)."""

    NOT_ENROLLED = "not_enrolled"
    NOT_TREATED = "not_treated"
    NO_BASELINE = "no_baseline"
    NOT_MEASURABLE = "not_measurable"
    NOT_ASSESSED = "not_assessed"
    NO_TIME_ORIGIN = "no_time_origin"
    MAJOR_DEVIATION = "major_deviation"


@dataclass(frozen=True)
class Analysis:
    """Endpoints that are computed over the same patients; `absences` by patient id.

    `time_origin` is that of times to event: who has none is not among them.
    """

    population: Population
    time_origin: TimeOrigin | None
    endpoints: tuple[EndpointKind, ...]
    absences: Mapping[int, Absence | None]

    @property
    def n(self) -> int:
        """Patients in it."""
        return sum(absence is None for absence in self.absences.values())


@dataclass(frozen=True)
class LandmarkTime:
    """A time at which survival is asked for: months of 30.4375 days, or weeks."""

    number: int
    unit: str = "months"

    @property
    def days(self) -> float:
        """Days from the origin."""
        return self.number * (7 if self.unit == "weeks" else DAYS_PER_MONTH)


@dataclass(frozen=True)
class Options:
    """What a reader may choose; None leaves the endpoint's own definition."""

    cutoff: Date
    population: Population | None = None
    group_by: str | None = None
    survival_interval: SurvivalInterval | None = None
    proportion_interval: ProportionInterval | None = None
    landmarks: tuple[LandmarkTime, ...] = tuple(LandmarkTime(m) for m in (3, 6, 12, 24))
    definition: int | None = None
    known_on: datetime | None = None
    stratify_by: str | None = None
    ties: Ties = Ties.EFRON
    restricted_mean: LandmarkTime | None = None
    counts: bool = False
    evaluator: str = INVESTIGATOR  # whose readings: one evaluator per analysis (METHODS.md, 6)


@dataclass(frozen=True)
class Declared:
    """An endpoint as this report computes it."""

    kind: EndpointKind
    name: str
    wording: str
    definition: EndpointDefinition
    pk: int | None = None  # of the stored endpoint; None for the registry's default


@dataclass(frozen=True)
class Rate:
    """A response rate: how many of the population, with its interval."""

    endpoint: Declared
    proportion: Proportion

    @property
    def intervals(self) -> tuple[Proportion, ...]:
        """The same rate with the interval of every style."""
        k, n, level = self.proportion.k, self.proportion.n, self.proportion.level
        return tuple(proportions.proportion(k, n, style, level) for style in ProportionInterval)


@dataclass(frozen=True)
class Survival:
    """A time-to-event endpoint over a population.

    `counted`, where asked for, has one k/n per landmark: patients known to be event-free then.
    `times` are the patients whose times the curve is made of, by subject id.
    """

    endpoint: Declared
    curve: Curve
    median: Quantile
    landmarks: tuple[tuple[LandmarkTime, Landmark], ...]
    no_time_origin: int
    quartiles: Quartiles | None = None
    restricted_mean: tuple[LandmarkTime, RestrictedMean] | None = None
    counted: tuple[Proportion, ...] | None = None
    times: tuple[tuple[PatientFacts, TimeToEvent], ...] = ()

    @property
    def n(self) -> int:
        """Patients with a time origin."""
        return self.curve.patients

    @property
    def events(self) -> int:
        """Patients with an event."""
        return int(self.curve.events.sum())

    @property
    def censored(self) -> int:
        """Patients without one."""
        return self.n - self.events

    @property
    def medians(self) -> tuple[Quantile, ...]:
        """The median in every interval style; on a plateau at one half SPSS takes its start."""
        level = self.median.level
        return tuple(survival.median(self.curve, style, level) for style in SurvivalInterval)

    @property
    def quantiles(self) -> tuple[Quantile, ...]:
        """The times by which a quarter, half and three quarters had the event, in one style."""
        style, level = self.median.interval, self.median.level
        return tuple(survival.quantile(self.curve, p, style, level) for p in (0.25, 0.5, 0.75))


@dataclass(frozen=True, slots=True)
class Standing:
    """One patient under one endpoint: `best` and `succeeded` of a rate, `time` of a time to event.

    All are None for who is not in the analysis, and for a time from a response that there is not.
    """

    absence: Absence | None
    best: BestResponse | None = None
    succeeded: bool | None = None
    time: TimeToEvent | None = None


@dataclass(frozen=True)
class ImmuneOutcome:
    """One patient's outcomes by iRECIST, each by the definition that it names."""

    best: ImmuneBest
    progression_free: TimeToEvent | None
    response_definition: EndpointDefinition
    progression_free_definition: EndpointDefinition


@dataclass(frozen=True)
class PatientOutcome:
    """One patient's line: every value with the reason and the record it came from.

    `prepared` is the history that the best response is of, `counted` its records that count;
    `group` is the patient's where groups were asked for.
    """

    facts: PatientFacts
    best: BestResponse
    confirmed_best: BestResponse
    best_change_percent: Fraction | None
    progression_free: TimeToEvent | None
    overall: TimeToEvent | None
    no_origin: Reason | None
    response: FirstResponse | None
    duration_of_response: TimeToEvent | None
    new_lesion: bool
    confirmation_required: bool
    prepared: Prepared
    counted: tuple[Record, ...]
    group: str
    immune: ImmuneOutcome | None = None

    @property
    def counted_best(self) -> BestResponse:
        """The best response as the trial's response rate counts it."""
        return self.confirmed_best if self.confirmation_required else self.best


@dataclass(frozen=True)
class Section:
    """All endpoints over one set of patients."""

    n: int
    best_unconfirmed: Mapping[Response, int]
    best_confirmed: Mapping[Response, int]
    rates: Mapping[EndpointKind, Rate]
    survivals: Mapping[EndpointKind, Survival]
    additional: tuple[Rate | Survival, ...]
    follow_up: FollowUp
    depth: DepthOfResponse


@dataclass(frozen=True)
class Report:
    """A trial's outcomes at a cutoff, as one reader may see them."""

    trial: Trial
    options: Options
    population: Population
    whole: Section
    groups: tuple[tuple[str, Section], ...]
    comparison: Comparison | NoComparison
    lines: Callable[[], Iterable[PatientOutcome]]

    @property
    def response_definition(self) -> EndpointDefinition:
        """The ORR's definition, which rules best responses and the depth of response."""
        return self.whole.rates[EndpointKind.ORR].endpoint.definition

    @cached_property
    def patients(self) -> tuple[PatientOutcome, ...]:
        """The patients of the population, made when somebody asks for them."""
        return tuple(self.lines())
