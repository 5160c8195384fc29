"""Facts -> a report: every endpoint by its own definition, over the patients of its population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from outcomes import arms, characteristics, queries
from outcomes.arms import ComparedArm, Comparison, NoComparison, SurvivalComparison
from outcomes.methods import (
    best_response,
    irecist_endpoints,
    proportions,
    survival,
    time_to_event,
)
from outcomes.methods.best_response import BestResponse
from outcomes.methods.depth import depth_of_response
from outcomes.methods.irecist_endpoints import ImmuneCourse
from outcomes.methods.proportions import Proportion
from outcomes.methods.recist import Response
from outcomes.methods.survival import (
    Curve,
    FollowUp,
    Landmark,
)
from outcomes.methods.time_to_event import Prepared, TimeToEvent
from outcomes.models import INVESTIGATOR
from outcomes.queries import PatientFacts
from patients.models import Patient
from registry import database
from trials import access, as_known
from trials.definitions import (
    IRECIST,
    EndpointDefinition,
    EndpointKind,
    Population,
    TimeOrigin,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from registry.models import User
    from trials.models import Endpoint, Trial

from outcomes.report.values import (
    ALWAYS,
    CONTROLLED,
    RESPONDERS,
    Absence,
    Analysis,
    Declared,
    ImmuneOutcome,
    LandmarkTime,
    Options,
    PatientOutcome,
    Rate,
    Report,
    Section,
    Standing,
    Survival,
)

BEST = {True: best_response.confirmed_best_response, False: best_response.best_overall_response}
RATES = {EndpointKind.ORR, EndpointKind.DCR, EndpointKind.CBR}
WHOLE = (EndpointKind.ORR, EndpointKind.DCR, EndpointKind.CBR, EndpointKind.PFS, EndpointKind.OS)
COUNTED = (EndpointKind.PFS, EndpointKind.OS)  # from an origin that every patient has
RESPONSE_ORDER = (
    Response.CR, Response.PR, Response.SD, Response.NON_CR_NON_PD, Response.PD, Response.NE,
)  # fmt: skip


def build(
    trial: Trial, *, user: User, options: Options, further: Collection[EndpointKind] = ()
) -> Report:
    """Compute a trial's outcomes over the patients that the user may see.

    `further` are kinds to compute by the ORR's definition where the trial declares none of them.

    With `known_on` over what was recorded by then, by the definitions and parameters of then;
    today's is who may be seen: the user's scope over the site that a patient has now.
    Raises PermissionDenied for the independent review where the user may not see it.
    """
    past = as_known.trial_as_known(trial, options.known_on)
    return compute(past, options, *read(past, user=user, options=options, further=further))


def read(
    trial: Trial, *, user: User, options: Options, further: Collection[EndpointKind] = ()
) -> tuple[list[Declared], list[PatientFacts]]:
    """What a report is computed of: the endpoints, and the patients that the user may see."""
    known_on, evaluator = options.known_on, options.evaluator
    if evaluator != INVESTIGATOR:
        access.require(user, access.Action.READ_REVIEW, trial=trial)
    with database.snapshot():
        endpoints = as_known.rows(trial.endpoints, known_on)
        seen = Patient.objects.visible_to(user).filter(trial=trial)
        patients = seen if known_on else seen.active()
        facts = queries.facts(patients, evaluator, blinded=trial.masked, known_on=known_on)
    return declared(endpoints, options, further), facts


def compute(
    trial: Trial, options: Options, endpoints: Sequence[Declared], facts: Iterable[PatientFacts]
) -> Report:
    """The report of what was read, now or long ago: nothing else decides a figure."""
    builder, known = prepared(trial, options, endpoints, facts)
    return builder.report(known)


def prepared(
    trial: Trial, options: Options, endpoints: Sequence[Declared], facts: Iterable[PatientFacts]
) -> tuple[_Builder, list[_Known]]:
    """What a report is made with, and of: the patients at its cutoff."""
    builder = _Builder(trial, options, endpoints)
    return builder, [builder.known(patient) for patient in facts]


def analyses(
    trial: Trial, endpoints: Sequence[Endpoint], facts: Iterable[PatientFacts], *, cutoff: Date
) -> tuple[Analysis, ...]:
    """Who is in which analysis of a report with no choices made, and why the others are not.

    Of each kind the first endpoint, as the dashboard shows it; beside these every population that
    none of them uses. Left out are times from a response: they are of responders only.
    """
    options = Options(cutoff=cutoff)
    return _Builder(trial, options, declared(endpoints, options)).analyses(facts)


def side_by_side(
    trial: Trial, facts: Iterable[PatientFacts], endpoints: Sequence[Declared], *, cutoff: Date
) -> tuple[list[Rate | Survival], list[tuple[PatientFacts, list[Standing]]]]:
    """What each of these endpoints gives, and how each patient stands under each of them."""
    builder, known = prepared(trial, Options(cutoff=cutoff), endpoints, facts)
    standings = [(k.facts, [builder.standing(e, k) for e in endpoints]) for k in known]
    return [builder.result(endpoint, known) for endpoint in endpoints], standings


def outcomes_of(trial: Trial, patients: QuerySet[Patient], *, cutoff: Date) -> list[PatientOutcome]:
    """The outcomes of some of a trial's patients, by subject id, by its own definitions."""
    options = Options(cutoff=cutoff)
    facts = queries.facts(patients, blinded=trial.masked)
    endpoints = declared(list(trial.endpoints.all()), options)
    builder, known = prepared(trial, options, endpoints, facts)
    return [builder.patient(one) for one in known]


def declared(
    endpoints: Sequence[Endpoint], options: Options, further: Collection[EndpointKind] = ()
) -> list[Declared]:
    """The trial's endpoints with the reader's choices, the asked definition first of its kind.

    The kinds that every report has come by default; `further` ones by the ORR's definition.
    """
    computed = [endpoint for endpoint in endpoints if endpoint.kind != EndpointKind.OTHER]
    chosen = sorted(computed, key=lambda endpoint: endpoint.pk != options.definition)
    default = _chosen(EndpointDefinition(), options)
    one = {default: default}  # equal definitions are one value, so that what it gives is found once
    definitions = [_chosen(e.as_definition(), options) for e in chosen]
    result = [
        Declared(EndpointKind(e.kind), e.name, e.wording, one.setdefault(d, d), e.pk)
        for e, d in zip(chosen, definitions, strict=True)
    ]
    return completed([*result, *_lacking(result, ALWAYS, default)], further)


def completed(endpoints: Sequence[Declared], kinds: Iterable[EndpointKind]) -> list[Declared]:
    """Declared endpoints, and of the kinds that they lack one by the ORR's definition."""
    own = (e for e in endpoints if e.kind is EndpointKind.ORR and not e.definition.immune)
    return [*endpoints, *_lacking(endpoints, kinds, next(own).definition)]


def _lacking(
    endpoints: Sequence[Declared], kinds: Iterable[EndpointKind], definition: EndpointDefinition
) -> list[Declared]:
    declared = {e.kind for e in endpoints if not e.definition.immune}
    return [Declared(kind, "", "", definition) for kind in kinds if kind not in declared]


def _chosen(definition: EndpointDefinition, options: Options) -> EndpointDefinition:
    overrides = {
        "population": options.population,
        "survival_interval": options.survival_interval,
        "proportion_interval": options.proportion_interval,
    }
    return definition.model_copy(update={k: v for k, v in overrides.items() if v is not None})


@dataclass(frozen=True, slots=True)
class _Known:
    """A patient's history at the cutoff, prepared once per time origin, and what it has given."""

    facts: PatientFacts
    prepared: Mapping[TimeOrigin, Prepared]
    enrolled: bool
    dosed: bool
    cutoff: Date
    deviated: bool = False
    bests: dict[tuple[int, bool], BestResponse] = field(default_factory=dict)
    times: dict[int, TimeToEvent | None] = field(default_factory=dict)
    courses: dict[object, ImmuneCourse] = field(default_factory=dict)

    def by(self, definition: EndpointDefinition) -> Prepared:
        """The history as the definition's criteria read it."""
        if definition.immune:
            return self.course(definition).prepared
        return self.prepared[definition.time_origin]

    def course(self, definition: EndpointDefinition) -> ImmuneCourse:
        """The history by iRECIST, found once per time origin and kinds of therapy."""
        therapies = definition.censoring.therapies
        key = (definition.time_origin, therapies)
        if key not in self.courses:
            history = self.facts.from_origin(definition.time_origin)
            self.courses[key] = irecist_endpoints.course(history, self.cutoff, therapies)
        return self.courses[key]

    def belongs(self, definition: EndpointDefinition) -> bool:
        """Whether the patient is in an analysis population at the cutoff (METHODS.md, 5)."""
        return self.absence(definition) is None

    def absence(self, definition: EndpointDefinition) -> Absence | None:
        """Why the patient is not in an analysis population; None for who is in it."""
        population = definition.population
        if population is Population.SAFETY:
            return None if self.dosed else Absence.NOT_TREATED
        if not self.enrolled:
            return Absence.NOT_ENROLLED
        if population is Population.ENROLLED:
            return None
        if population is Population.PER_PROTOCOL:
            return Absence.MAJOR_DEVIATION if self.deviated else None
        if not self.facts.measurable:
            return (
                Absence.NOT_MEASURABLE if self.facts.history.has_baseline else Absence.NO_BASELINE
            )
        assessed = self.prepared[definition.time_origin].records
        return None if assessed else Absence.NOT_ASSESSED

    def value(self, characteristic: str) -> str:
        """What the patient's group or stratum is called."""
        return characteristics.value(self.facts, characteristic)


def grouped(known: Sequence[_Known], characteristic: str) -> list[tuple[str, list[_Known]]]:
    """The patients by what they are called under a characteristic, in its order."""
    groups: dict[str, list[_Known]] = {}
    for patient in known:
        groups.setdefault(patient.value(characteristic), []).append(patient)
    return [(name, groups[name]) for name in characteristics.in_order(characteristic, list(groups))]


IMMUNE = (EndpointKind.ORR, EndpointKind.PFS)


def _by_irecist(
    kind: EndpointKind, endpoints: Sequence[Declared], first: Mapping[EndpointKind, Declared]
) -> Declared:
    """The first definition of a kind by iRECIST, else that by RECIST 1.1 with other criteria."""
    declared = next((e for e in endpoints if e.kind is kind and e.definition.immune), None)
    if declared:
        return declared
    document = first[kind].definition.as_document()
    unconfirmed = document["confirmation"] | {"required": False}
    changed = document | {"criteria": IRECIST, "confirmation": unconfirmed}
    return replace(first[kind], definition=EndpointDefinition.parse(changed))


def _by(date: Date | None, cutoff: Date) -> bool:
    return date is not None and date <= cutoff


def _patients_of(endpoint: Declared) -> tuple[object, ...]:
    """What decides over which patients an endpoint is computed."""
    definition, timed = endpoint.definition, endpoint.kind in COUNTED
    needs_origin = timed or definition.population is Population.EVALUABLE
    origin = definition.time_origin if needs_origin else None
    return (timed, definition.population, origin)


class _Builder:
    """The endpoints of one report."""

    def __init__(self, trial: Trial, options: Options, endpoints: Sequence[Declared]) -> None:
        self.trial = trial
        self.options = options
        self.endpoints = endpoints
        self.first = {e.kind: e for e in reversed(endpoints) if not e.definition.immune}
        self.origins = {e.definition.time_origin for e in endpoints}
        self.timing = {
            "assessment_interval_days": trial.assessment_interval_days,
            "assessment_window_days": trial.assessment_window_days,
        }

    @cached_property
    def beside(self) -> Mapping[EndpointKind, Declared]:
        """By iRECIST what stands beside RECIST 1.1 on a patient's line."""
        return {kind: _by_irecist(kind, self.endpoints, self.first) for kind in IMMUNE}

    def report(self, known: Sequence[_Known]) -> Report:
        definition = self.first[EndpointKind.ORR].definition
        members = [k for k in known if k.belongs(definition)]
        return Report(
            trial=self.trial,
            options=self.options,
            population=definition.population,
            whole=self.section(known),
            groups=tuple((name, self.section(group)) for name, group in self.grouped(known)),
            comparison=self.comparison(known),
            lines=lambda: map(self.patient, members),
        )

    def analyses(self, facts: Iterable[PatientFacts]) -> tuple[Analysis, ...]:
        known = [self.known(patient) for patient in facts]
        shared: dict[tuple[object, ...], list[EndpointKind]] = {}
        for kind in (kind for kind in WHOLE if kind in self.first):
            shared.setdefault(_patients_of(self.first[kind]), []).append(kind)
        definitions = [self.first[kinds[0]].definition for kinds in shared.values()]
        rest = [p for p in Population if p not in {d.population for d in definitions}]
        own = self.first[EndpointKind.ORR].definition
        definitions += [own.model_copy(update={"population": population}) for population in rest]
        kinds = [*map(tuple, shared.values()), *(() for _ in rest)]
        return tuple(self.analysis(*one, known) for one in zip(definitions, kinds, strict=True))

    def analysis(
        self,
        definition: EndpointDefinition,
        kinds: tuple[EndpointKind, ...],
        known: Sequence[_Known],
    ) -> Analysis:
        origin = definition.time_origin if set(kinds) & set(COUNTED) else None
        absences = {k.facts.id: k.absence(definition) for k in known}
        if origin:
            without = [k.facts.id for k in known if k.prepared[origin].origin is None]
            absences |= {pk: absences[pk] or Absence.NO_TIME_ORIGIN for pk in without}
        return Analysis(definition.population, origin, kinds, absences)

    def known(self, facts: PatientFacts) -> _Known:
        cutoff, dates = self.options.cutoff, facts.dates
        prepared = {o: time_to_event.prepare(facts.from_origin(o), cutoff) for o in self.origins}
        enrolled, dosed = _by(dates["enrolled_on"], cutoff), _by(dates["first_dose_on"], cutoff)
        deviated = _by(facts.major_deviation_on, cutoff)
        return _Known(facts, prepared, enrolled, dosed, cutoff, deviated)

    def grouped(self, known: Sequence[_Known]) -> list[tuple[str, list[_Known]]]:
        by = self.options.group_by
        return [] if by is None else grouped(known, by)

    def group(self, patient: _Known) -> str:
        """What the patient's group is called; blank where none was asked for."""
        return patient.value(by) if (by := self.options.group_by) else ""

    def section(self, known: Sequence[_Known]) -> Section:
        rates = [e for e in self.endpoints if e.kind in RATES]
        times = [e for e in self.endpoints if e.kind not in RATES]
        results = [self.result(e, known) for e in (*rates, *times)]
        first = {id(endpoint) for endpoint in self.first.values()}
        main = [r for r in results if id(r.endpoint) in first]
        best = self.first[EndpointKind.ORR]
        members = self.members(best, known)
        return Section(
            n=len(members),
            best_unconfirmed=self.counts(best, members, confirmed=False),
            best_confirmed=self.counts(best, members, confirmed=True),
            rates={r.endpoint.kind: r for r in main if isinstance(r, Rate)},
            survivals={r.endpoint.kind: r for r in main if isinstance(r, Survival)},
            additional=tuple(r for r in results if id(r.endpoint) not in first),
            follow_up=self.follow_up(known),
            depth=depth_of_response(
                change for k in members if (change := self.best_change(k)) is not None
            ),
        )

    def result(self, endpoint: Declared, known: Sequence[_Known]) -> Rate | Survival:
        """What the endpoint gives over these patients."""
        if endpoint.kind in RATES:
            return self.rate(endpoint, known)
        return self.survival(endpoint, known)

    def standing(self, endpoint: Declared, patient: _Known) -> Standing:
        """Where one patient stands in the endpoint's analysis, or why not in it."""
        definition = endpoint.definition
        if absence := patient.absence(definition):
            return Standing(absence)
        if endpoint.kind in RATES:
            best = self.best(endpoint, patient, confirmed=definition.confirmation.required)
            return Standing(None, best, self.succeeded(endpoint, patient))
        time = self.time(endpoint, patient)
        without = patient.prepared[definition.time_origin].origin is None
        return Standing(Absence.NO_TIME_ORIGIN if without else None, time=time)

    def members(self, endpoint: Declared, known: Sequence[_Known]) -> list[_Known]:
        return [k for k in known if k.belongs(endpoint.definition)]

    def counts(
        self, endpoint: Declared, members: Sequence[_Known], *, confirmed: bool
    ) -> Mapping[Response, int]:
        counted = Counter(
            self.best(endpoint, patient, confirmed=confirmed).response for patient in members
        )
        return {response: counted[response] for response in RESPONSE_ORDER}

    def best(self, endpoint: Declared, patient: _Known, *, confirmed: bool) -> BestResponse:
        """Found once per definition: rates, counts and the patient's line share it."""
        definition = endpoint.definition
        key = (id(definition), confirmed)
        found = patient.bests.get(key)
        if found is None:
            prepared = patient.by(definition)
            records = prepared.counted(definition.censoring.therapies)
            function = BEST[confirmed]
            patient.bests[key] = found = function(records, prepared.origin_date, definition)
        return found

    def rate(self, endpoint: Declared, known: Sequence[_Known]) -> Rate:
        members = self.members(endpoint, known)
        definition = endpoint.definition
        successes = sum(self.succeeded(endpoint, patient) for patient in members)
        proportion = proportions.proportion(
            successes, len(members), definition.proportion_interval, definition.confidence_level
        )
        return Rate(endpoint, proportion)

    def succeeded(self, endpoint: Declared, patient: _Known) -> bool:
        definition = endpoint.definition
        if endpoint.kind is EndpointKind.CBR:
            prepared = patient.by(definition)
            records = prepared.counted(definition.censoring.therapies)
            return best_response.has_clinical_benefit(records, prepared.origin_date, definition)
        best = self.best(endpoint, patient, confirmed=definition.confirmation.required)
        return best.response in (RESPONDERS if endpoint.kind is EndpointKind.ORR else CONTROLLED)

    def survival(self, endpoint: Declared, known: Sequence[_Known]) -> Survival:
        members = self.members(endpoint, known)
        times = [(patient.facts, self.time(endpoint, patient)) for patient in members]
        timed = [(facts, time) for facts, time in times if time is not None]
        found = [time for _, time in timed]
        definition = endpoint.definition
        curve = survival.kaplan_meier([t.days for t in found], [t.event for t in found])
        interval, level = definition.survival_interval, definition.confidence_level
        without = sum(p.prepared[definition.time_origin].origin is None for p in members)
        observed = endpoint.kind is EndpointKind.TTR
        asked = self.options.restricted_mean
        return Survival(
            endpoint=endpoint,
            curve=curve,
            median=survival.median(curve, interval, level),
            landmarks=self.landmarks(curve, definition),
            no_time_origin=without,
            quartiles=survival.observed_quartiles([t.days for t in found]) if observed else None,
            restricted_mean=(asked, survival.restricted_mean(curve, asked.days)) if asked else None,
            counted=self.counted(curve, definition) if endpoint.kind in COUNTED else None,
            times=tuple(timed),
        )

    def landmarks(
        self, curve: Curve, definition: EndpointDefinition
    ) -> tuple[tuple[LandmarkTime, Landmark], ...]:
        band, level = (
            survival.band_interval(definition.survival_interval),
            definition.confidence_level,
        )
        return tuple(
            (at, survival.landmark(curve, at.days, band, level)) for at in self.options.landmarks
        )

    def counted(
        self, curve: Curve, definition: EndpointDefinition
    ) -> tuple[Proportion, ...] | None:
        if not self.options.counts:
            return None
        interval, level = definition.proportion_interval, definition.confidence_level
        known = [survival.known_event_free(curve, at.days) for at in self.options.landmarks]
        return tuple(proportions.proportion(k, curve.patients, interval, level) for k in known)

    def time(self, endpoint: Declared, patient: _Known) -> TimeToEvent | None:
        """Found once per endpoint: the curve, the follow-up and the patient's line share it."""
        key = id(endpoint)
        if key not in patient.times:
            patient.times[key] = self.found_time(endpoint, patient)
        return patient.times[key]

    def found_time(self, endpoint: Declared, patient: _Known) -> TimeToEvent | None:
        definition = endpoint.definition
        found = self.timed(endpoint, patient.by(definition))
        return (
            irecist_endpoints.explained(found, patient.course(definition))
            if definition.immune
            else found
        )

    def timed(self, endpoint: Declared, prepared: Prepared) -> TimeToEvent | None:
        definition = endpoint.definition
        if endpoint.kind is EndpointKind.OS:
            return time_to_event.overall_survival(prepared)
        if endpoint.kind is EndpointKind.PFS:
            censoring = definition.censoring
            return time_to_event.progression_free_survival(
                prepared, censoring=censoring, **self.timing
            )
        if endpoint.kind is EndpointKind.TTR:
            return time_to_event.time_to_response(prepared, definition=definition)
        return time_to_event.duration_of_response(prepared, definition=definition, **self.timing)

    def follow_up(self, known: Sequence[_Known]) -> FollowUp:
        endpoint = self.first[EndpointKind.OS]
        times = [self.time(endpoint, patient) for patient in self.members(endpoint, known)]
        found = [time for time in times if time is not None]
        return survival.follow_up([t.days for t in found], [t.event for t in found])

    def compared(self, known: Sequence[_Known]) -> tuple[ComparedArm, ...] | NoComparison:
        """The arms that have patients in a population that is compared."""
        if self.trial.masked:
            return NoComparison.BLINDED
        if len({k.facts.arm_id for k in known} - {None}) < 2:
            return NoComparison.FEWER_THAN_TWO_ARMS
        definitions = [self.first[kind].definition for kind in (EndpointKind.ORR, *COUNTED)]
        some = [k.facts for k in known if any(k.belongs(d) for d in definitions)]
        population = [k.facts for k in known if k.belongs(definitions[0])]
        compared = arms.compared_arms(some, population)
        return compared if len(compared) > 1 else NoComparison.FEWER_THAN_TWO_ARMS

    def comparison(self, known: Sequence[_Known]) -> Comparison | NoComparison:
        compared = self.compared(known)
        if isinstance(compared, NoComparison):
            return compared
        by_arm = [[k for k in known if k.facts.arm_id == arm.id] for arm in compared]
        response = [self.rate(self.first[EndpointKind.ORR], patients) for patients in by_arm]
        return Comparison(
            arms=compared,
            survivals={kind: self.compared_survival(kind, by_arm) for kind in COUNTED},
            rates=arms.compare_rates([rate.proportion for rate in response]),
            stratified_by=self.options.stratify_by,
            landmarks=self.options.landmarks,
            horizon=self.options.restricted_mean,
        )

    def compared_survival(
        self, kind: EndpointKind, by_arm: Sequence[Sequence[_Known]]
    ) -> SurvivalComparison:
        endpoint, by = self.first[kind], self.options.stratify_by
        times = [
            (time, number, patient.value(by) if by else "")
            for number, patients in enumerate(by_arm)
            for patient in self.members(endpoint, patients)
            if (time := self.time(endpoint, patient)) is not None
        ]
        return arms.compare_survival(
            [(time, number) for time, number, _ in times],
            arms=len(by_arm),
            strata=[stratum for _, _, stratum in times] if by else None,
            ties=self.options.ties,
            level=endpoint.definition.confidence_level,
            landmarks=[at.days for at in self.options.landmarks],
            horizon=self.options.restricted_mean.days if self.options.restricted_mean else None,
        )

    def best_change(self, patient: _Known) -> Fraction | None:
        """The smallest change among the sums that count for the best response, in percent."""
        definition = self.first[EndpointKind.ORR].definition
        counted = patient.prepared[definition.time_origin].counted(definition.censoring.therapies)
        return patient.facts.best_change_percent(counted)

    def patient(self, patient: _Known) -> PatientOutcome:
        rates = self.first[EndpointKind.ORR]
        prepared = patient.prepared[rates.definition.time_origin]
        counted = prepared.counted(rates.definition.censoring.therapies)
        return PatientOutcome(
            facts=patient.facts,
            best=self.best(rates, patient, confirmed=False),
            confirmed_best=self.best(rates, patient, confirmed=True),
            best_change_percent=self.best_change(patient),
            progression_free=self.time(self.first[EndpointKind.PFS], patient),
            overall=self.time(self.first[EndpointKind.OS], patient),
            no_origin=prepared.no_origin,
            response=time_to_event.responded(prepared, rates.definition),
            duration_of_response=time_to_event.duration_of_response(
                prepared, definition=rates.definition, **self.timing
            ),
            new_lesion=any(record.unequivocal for record in counted),
            confirmation_required=rates.definition.confirmation.required,
            prepared=prepared,
            counted=counted,
            group=self.group(patient),
            immune=self.immune(patient) if self.trial.irecist else None,
        )

    def immune(self, patient: _Known) -> ImmuneOutcome:
        """By the first definitions by iRECIST, else by RECIST 1.1's first under its criteria."""
        response, free = (self.beside[kind] for kind in (EndpointKind.ORR, EndpointKind.PFS))
        return ImmuneOutcome(
            best=irecist_endpoints.best(patient.course(response.definition), response.definition),
            progression_free=self.time(free, patient),
            response_definition=response.definition,
            progression_free_definition=free.definition,
        )
