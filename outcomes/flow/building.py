"""A trial's participant flow as one value: the page, the drawing and the API read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from outcomes import queries, report
from outcomes.methods import participant_flow
from outcomes.methods.participant_flow import Disposition, Flow, Participant, Screening
from outcomes.queries import PatientFacts
from outcomes.report import Analysis
from patients import models
from patients.models import Conclusion, FailureReason, Patient
from registry import audit, database
from trials import as_known
from trials.models import Arm, Criterion, Site, Trial

if TYPE_CHECKING:
    from registry.models import User

EVERYONE = 0  # the key of a column that is no single arm
DATES = ("enrolled_on", "first_dose_on", "last_dose_on", "died_on")


@dataclass(frozen=True)
class Scope:
    """Whose patients a reader sees: the trial's, or those of these sites."""

    whole_trial: bool
    sites: tuple[Site, ...]

    @property
    def codes(self) -> list[str]:
        """The sites' codes."""
        return [site.code for site in self.sites]


@dataclass(frozen=True)
class Column:
    """An arm of the diagram; without a name where it stands for everybody."""

    key: int
    name: str | None


@dataclass(frozen=True)
class FlowReport:
    """The flow at a cutoff, over the patients that one reader may see.

    `analyses` are in the order in which each arm has them. Of `people` the arm is the column that
    the second of each pair names: the facts may know one that is hidden.
    """

    trial: Trial
    cutoff: Date
    known_on: datetime | None
    scope: Scope
    screening_recorded: bool
    columns: tuple[Column, ...]
    criteria: Mapping[int, Criterion]
    analyses: tuple[Analysis, ...]
    found: Flow
    people: tuple[tuple[PatientFacts, Participant], ...]

    @property
    def blinded(self) -> bool:
        """Whether the arms are pooled because they are hidden."""
        return self.trial.masked

    @property
    def randomized(self) -> int | None:
        """Patients with an allocation; None where arms are not allotted by chance."""
        return sum(arm.n for arm in self.found.arms) if self.trial.randomized else None

    @property
    def failed_criteria(self) -> list[tuple[Criterion, int]]:
        """Criteria with the persons who did not meet them, the most frequent first."""
        found = [(self.criteria[pk], n) for pk, n in self.found.criteria.items()]
        return sorted(found, key=lambda one: (-one[1], one[0].position, one[0].pk))


@dataclass(frozen=True, slots=True)
class Records:
    """What is recorded of one person beside their own dates."""

    screenings: list[Screening] = field(default_factory=list)
    dispositions: list[Disposition] = field(default_factory=list)
    deviations: list[Date] = field(default_factory=list)
    consent_withdrawn_on: Date | None = None


def build(
    trial: Trial, *, user: User, cutoff: Date, known_on: datetime | None = None
) -> FlowReport:
    """Count the people whom the user may see, in a number of statements that does not grow.

    With `known_on` as they and the protocol were known then; whom the user may see is today's.
    """
    with database.snapshot():
        trial, scope = as_known.trial_as_known(trial, known_on), scope_of(trial, user, known_on)
        seen = Patient.objects.visible_to(user).filter(trial=trial)
        patients = seen if known_on else seen.active()
        facts = queries.facts(patients, known_on=known_on)
        criteria = {one.pk: one for one in as_known.rows(trial.criteria, known_on)}
        known = records(patients, criteria, known_on)
        dosing = _dosing(patients, cutoff, known_on)
        endpoints = as_known.rows(trial.endpoints, known_on)
        arms = as_known.rows(trial.arms, known_on)
    analyses = report.analyses(trial, endpoints, facts, cutoff=cutoff)
    columns = _columns(trial, arms)
    people = [
        participant(
            one.dates,
            known[one.id],
            arm=_column(trial, columns, one, cutoff),
            dosing=one.id in dosing,
            absences=tuple(analysis.absences[one.id] for analysis in analyses),
        )
        for one in facts
    ]
    keys = [column.key for column in columns]
    found = participant_flow.flow(people, arms=keys, analyses=len(analyses), cutoff=cutoff)
    recorded = trial.screened_here or any(person.screenings for person in people)
    pairs = tuple(zip(facts, people, strict=True))
    return FlowReport(
        trial, cutoff, known_on, scope, recorded, columns, criteria, analyses, found, pairs
    )


def scope_of(trial: Trial, user: User, known_on: datetime | None = None) -> Scope:
    """The sites of the trial that the user works for, called as they were at a moment."""
    everywhere = trial.sites.count()
    mine = tuple(Site.objects.visible_to(user).filter(trial=trial))
    whole = len(mine) == everywhere
    if known_on:
        pks = {site.pk for site in mine}
        then = as_known.rows(trial.sites, known_on)
        mine = tuple(site for site in then if whole or site.pk in pks)
    return Scope(whole, mine)


def _columns(trial: Trial, arms: Sequence[Arm]) -> tuple[Column, ...]:
    """One column per arm; one for all where arms are hidden or there is but one."""
    if trial.masked or not arms:
        return (Column(EVERYONE, None),)
    if len(arms) == 1 and not trial.randomized:
        return (Column(EVERYONE, arms[0].name),)
    return tuple(Column(arm.pk, arm.name) for arm in arms)


def _column(
    trial: Trial, columns: tuple[Column, ...], one: PatientFacts, cutoff: Date
) -> int | None:
    """The column that a patient is in at the cutoff: from the day of randomization, if any."""
    randomized_on = one.dates["randomized_on"]
    if trial.randomized:
        known = randomized_on <= cutoff if randomized_on else one.arm_id is not None
        if not known:
            return None
    return EVERYONE if columns[0].key == EVERYONE else one.arm_id


def participant(
    dates: Mapping[str, Date | None],
    known: Records,
    *,
    arm: int | None = None,
    dosing: bool = False,
    absences: tuple[str | None, ...] = (),
) -> Participant:
    """One person as the methods take them."""
    return Participant(
        **{name: dates[name] for name in DATES},
        consent_withdrawn_on=known.consent_withdrawn_on,
        arm=arm,
        dosing=dosing,
        screenings=tuple(known.screenings),
        dispositions=tuple(known.dispositions),
        deviations=tuple(known.deviations),
        absences=absences,
    )


def records(
    patients: QuerySet[Patient],
    criteria: Container[int] = (),
    known_on: datetime | None = None,
) -> Mapping[int, Records]:
    """Screenings, dispositions, deviations and withdrawn consents by patient: five statements.

    Of the criteria that excluded somebody, those among `criteria`.
    """
    chosen = patients.order_by().values("pk")
    withdrawn = _withdrawn_consents(_rows(models.Consent, chosen, known_on))
    found: dict[int, Records] = defaultdict(Records)
    found |= {pk: Records(consent_withdrawn_on=on) for pk, on in withdrawn.items()}
    screenings = _rows(models.Screening, chosen, known_on)
    not_met = _not_met(screenings, criteria)
    for patient, pk, on, conclusion, why in screenings.values_list(
        "patient_id", "id", "screened_on", "conclusion", "failure_reason"
    ):
        screening = Screening(on, conclusion, why, not_met.get(pk, ()))
        found[patient].screenings.append(screening)
    for patient, *disposition in _rows(models.Disposition, chosen, known_on).values_list(
        "patient_id", "kind", "on", "reason", "follow_up_continues"
    ):
        found[patient].dispositions.append(Disposition(*disposition))
    deviations = queries.deviations_in_force(known_on)
    in_force = deviations.filter(patient__in=chosen).order_by("id")
    for patient, on in in_force.values_list("patient_id", "occurred_on"):
        found[patient].deviations.append(on)
    return found


def _rows(model: Any, chosen: Any, known_on: datetime | None) -> QuerySet[Any]:
    """A table's rows that are not voided, now or as they stood at a moment, in their order."""
    rows = audit.as_known(model, known_on) if known_on else model.objects.all()
    found: QuerySet[Any] = rows.filter(patient__in=chosen, voided_at=None).order_by("id")
    return found


def _dosing(patients: QuerySet[Patient], cutoff: Date, known_on: datetime | None) -> set[int]:
    """Patients with a dose, or a pause, that runs on at the cutoff."""
    open_ended = Q(ended_on=None) | Q(ended_on__gte=cutoff)
    doses = _rows(models.Dose, patients.order_by().values("pk"), known_on).order_by()
    chosen = doses.filter(open_ended, started_on__lte=cutoff)
    return set(chosen.values_list("patient_id", flat=True))


def _withdrawn_consents(consents: QuerySet[Any]) -> dict[int, Date]:
    """When the last consent was withdrawn of those who have none that stands."""
    last: dict[int, Date] = {}
    standing = set()
    for patient, on in consents.values_list("patient_id", "withdrawn_on"):
        if on is None:
            standing.add(patient)
        else:
            last[patient] = max(on, last.get(patient, on))
    return {patient: on for patient, on in last.items() if patient not in standing}


def _not_met(screenings: QuerySet[Any], criteria: Container[int]) -> dict[int, tuple[int, ...]]:
    """By screening: the criteria that excluded somebody. Other screenings' results stay unread."""
    failed = screenings.filter(
        conclusion=Conclusion.FAILED, failure_reason=FailureReason.NOT_ELIGIBLE
    )
    found = {pk: _failing(results) for pk, results in failed.values_list("id", "results")}
    return {pk: tuple(one for one in failing if one in criteria) for pk, failing in found.items()}


def _failing(results: Any) -> Iterable[int]:
    for result in results if isinstance(results, list) else ():
        if isinstance(result, dict) and result.get("result") == "not_met":
            number = result.get("criterion")
            if isinstance(number, int):
                yield number
