"""Facts -> a report: every endpoint by its own definition, over the patients of its population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date
from typing import TYPE_CHECKING

from outcomes import arms, queries
from outcomes.arms import Comparison, NoComparison, SurvivalComparison
from outcomes.methods import best_response, proportions, survival, time_to_event
from outcomes.methods.best_response import BestResponse
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
from trials import access
from trials.definitions import (
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
    UNKNOWN,
    Absence,
    Analysis,
    Declared,
    LandmarkTime,
    Options,
    PatientOutcome,
    Rate,
    Report,
    Section,
    Survival,
)

BEST = {True: best_response.confirmed_best_response, False: best_response.best_overall_response}
RATES = {EndpointKind.ORR, EndpointKind.DCR, EndpointKind.CBR}
WHOLE = (EndpointKind.ORR, EndpointKind.DCR, EndpointKind.CBR, EndpointKind.PFS, EndpointKind.OS)
COUNTED = (EndpointKind.PFS, EndpointKind.OS)  # from an origin that every patient has
RESPONSE_ORDER = (
    Response.CR, Response.PR, Response.SD, Response.NON_CR_NON_PD, Response.PD, Response.NE,
)  # fmt: skip


def build(trial: Trial, *, user: User, options: Options) -> Report:
    """Compute a trial's outcomes over the patients that the user may see.

    With `known_on` over what was recorded by then; today's are the endpoint definitions, the
    trial's parameters, and who may be seen: the user's scope over the site that a patient has now.
    Raises PermissionDenied for the independent review where the user may not see it.
    """
    known_on, evaluator = options.known_on, options.evaluator
    if evaluator != INVESTIGATOR:
        access.require(user, access.Action.READ_REVIEW, trial=trial)
    with database.snapshot():
        endpoints = list(trial.endpoints.all())
        seen = Patient.objects.visible_to(user).filter(trial=trial)
        patients = seen if known_on else seen.active()
        facts = queries.facts(patients, evaluator, blinded=trial.masked, known_on=known_on)
    return _Builder(trial, options, declared(endpoints, options)).report(facts)


def analyses(
    trial: Trial, endpoints: Sequence[Endpoint], facts: Iterable[PatientFacts], *, cutoff: Date
) -> tuple[Analysis, ...]:
    """Who is in which analysis of a report with no choices made, and why the others are not.

    Of each kind the first endpoint, as the dashboard shows it; beside these every population that
    none of them uses. Left out are times from a response: they are of responders only.
    """
    options = Options(cutoff=cutoff)
    return _Builder(trial, options, declared(endpoints, options)).analyses(facts)


def outcome_of(patient: Patient, *, cutoff: Date | None = None) -> PatientOutcome:
    """One patient's outcomes, by the trial's own definitions."""
    row = Patient.objects.filter(pk=patient.pk)
    (found,) = outcomes_of(patient.trial, row, cutoff=cutoff or patient.site.today())
    return found


def outcomes_of(trial: Trial, patients: QuerySet[Patient], *, cutoff: Date) -> list[PatientOutcome]:
    """The outcomes of some of a trial's patients, by subject id, by its own definitions."""
    options = Options(cutoff=cutoff)
    builder = _Builder(trial, options, declared(list(trial.endpoints.all()), options))
    known = queries.facts(patients, blinded=trial.masked)
    return [builder.patient(builder.known(one)) for one in known]


def declared(endpoints: Sequence[Endpoint], options: Options) -> list[Declared]:
    """The trial's endpoints with the reader's choices, the asked definition first of its kind."""
    computed = [endpoint for endpoint in endpoints if endpoint.kind != EndpointKind.OTHER]
    chosen = sorted(computed, key=lambda endpoint: endpoint.pk != options.definition)
    default = _chosen(EndpointDefinition(), options)
    one = {default: default}  # equal definitions are one value, so that what it gives is found once
    definitions = [_chosen(e.as_definition(), options) for e in chosen]
    result = [
        Declared(EndpointKind(e.kind), e.name, e.wording, one.setdefault(d, d))
        for e, d in zip(chosen, definitions, strict=True)
    ]
    kinds = {endpoint.kind for endpoint in result}
    return result + [Declared(kind, "", "", default) for kind in ALWAYS if kind not in kinds]


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
    bests: dict[tuple[int, bool], BestResponse] = field(default_factory=dict)
    times: dict[int, TimeToEvent | None] = field(default_factory=dict)

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
        if not self.facts.measurable:
            return (
                Absence.NOT_MEASURABLE if self.facts.history.has_baseline else Absence.NO_BASELINE
            )
        assessed = self.prepared[definition.time_origin].records
        return None if assessed else Absence.NOT_ASSESSED

    def value(self, characteristic: str) -> str:
        """What the patient's group or stratum is called."""
        value = getattr(self.facts, characteristic)
        return UNKNOWN if value in (None, "") else str(value)


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
        self.first = {e.kind: e for e in reversed(endpoints)}
        self.origins = {e.definition.time_origin for e in endpoints}
        self.timing = {
            "assessment_interval_days": trial.assessment_interval_days,
            "assessment_window_days": trial.assessment_window_days,
        }

    def report(self, facts: Iterable[PatientFacts]) -> Report:
        known = [self.known(patient) for patient in facts]
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
        return _Known(facts, prepared, enrolled, dosed)

    def grouped(self, known: Sequence[_Known]) -> list[tuple[str, list[_Known]]]:
        if self.options.group_by is None:
            return []
        groups: dict[str, list[_Known]] = {}
        for patient in known:
            groups.setdefault(patient.value(self.options.group_by), []).append(patient)
        return sorted(groups.items(), key=lambda group: (group[0] == UNKNOWN, group[0]))

    def section(self, known: Sequence[_Known]) -> Section:
        rates = [e for e in self.endpoints if e.kind in RATES]
        times = [e for e in self.endpoints if e.kind not in RATES]
        results: list[Rate | Survival] = [self.rate(e, known) for e in rates]
        results += [self.survival(e, known) for e in times]
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
        )

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
            prepared = patient.prepared[definition.time_origin]
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
            prepared = patient.prepared[definition.time_origin]
            records = prepared.counted(definition.censoring.therapies)
            return best_response.has_clinical_benefit(records, prepared.origin_date, definition)
        best = self.best(endpoint, patient, confirmed=definition.confirmation.required)
        return best.response in (RESPONDERS if endpoint.kind is EndpointKind.ORR else CONTROLLED)

    def survival(self, endpoint: Declared, known: Sequence[_Known]) -> Survival:
        members = self.members(endpoint, known)
        times = [self.time(endpoint, patient) for patient in members]
        found = [time for time in times if time is not None]
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
        prepared = patient.prepared[definition.time_origin]
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

    def comparison(self, known: Sequence[_Known]) -> Comparison | NoComparison:
        """The arms that have patients in a population that is compared."""
        if self.trial.masked:
            return NoComparison.BLINDED
        if len({k.facts.arm_id for k in known} - {None}) < 2:
            return NoComparison.FEWER_THAN_TWO_ARMS
        definitions = [self.first[kind].definition for kind in (EndpointKind.ORR, *COUNTED)]
        some = [k.facts for k in known if any(k.belongs(d) for d in definitions)]
        population = [k.facts for k in known if k.belongs(definitions[0])]
        compared = arms.compared_arms(some, population)
        if len(compared) < 2:
            return NoComparison.FEWER_THAN_TWO_ARMS
        by_arm = [[k for k in known if k.facts.arm_id == arm.id] for arm in compared]
        response = [self.rate(self.first[EndpointKind.ORR], patients) for patients in by_arm]
        return Comparison(
            arms=compared,
            survivals={kind: self.compared_survival(kind, by_arm) for kind in COUNTED},
            rates=arms.compare_rates([rate.proportion for rate in response]),
            stratified_by=self.options.stratify_by,
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
        )

    def patient(self, patient: _Known) -> PatientOutcome:
        rates = self.first[EndpointKind.ORR]
        prepared = patient.prepared[rates.definition.time_origin]
        counted = prepared.counted(rates.definition.censoring.therapies)
        return PatientOutcome(
            facts=patient.facts,
            best=self.best(rates, patient, confirmed=False),
            confirmed_best=self.best(rates, patient, confirmed=True),
            best_change_percent=patient.facts.best_change_percent(counted),
            progression_free=self.time(self.first[EndpointKind.PFS], patient),
            overall=self.time(self.first[EndpointKind.OS], patient),
            no_origin=prepared.no_origin,
            response=time_to_event.responded(prepared, rates.definition),
            duration_of_response=time_to_event.duration_of_response(
                prepared, definition=rates.definition, **self.timing
            ),
            new_lesion=any(record.unequivocal for record in counted),
            confirmation_required=rates.definition.confirmation.required,
        )
