"""A trial's adverse events and exposure as one value: the pages and the API read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet, Subquery
from django.db.models import OuterRef as Outer
from django.utils import timezone

from outcomes.methods.safety import Event, Period, Person, Safety, adverse_events, under
from patients import ctcae, treatment
from patients.exposure import Exposure, Quartiles, quartiles
from patients.models import AdverseEvent, Allocation, Dose, Patient
from patients.treatment import Course, Taken, Treated
from registry import audit, database
from trials import as_known
from trials.models import Arm, Site

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Trial

PERSON = ("id", "first_dose_on", "last_dose_on")
SUBJECT = (*PERSON, "subject_id", "site_code", "zone", "died_on", "arm_id", "arm_name")
NOT_CODED = ""  # the class of a term that CTCAE does not have


@dataclass(frozen=True, slots=True)
class Subject:
    """A patient with what the tables of safety need; without an arm where arms are hidden."""

    id: int
    subject_id: str
    site: str
    arm_id: int | None
    arm: str | None
    until: Date  # the cutoff, death, or the day at the site where nothing later was known
    person: Person

    @property
    def course(self) -> Course:
        """Whose doses are added up, and up to when."""
        return Course(self.id, self.subject_id, self.site, self.arm_id, self.arm, self.until)


@dataclass(frozen=True)
class SafetyFacts:
    """All that the tables of safety and exposure are computed of, at one cutoff."""

    subjects: tuple[Subject, ...]
    doses: tuple[Taken, ...]

    def __post_init__(self) -> None:
        if not {row.patient_id for row in self.doses} <= {one.id for one in self.subjects}:
            raise ValueError("doses of a patient who is not among the subjects")


@dataclass(frozen=True)
class ArmSafety:
    """The treated patients of one arm, as allocated; None stands for those in no arm."""

    id: int | None
    name: str | None
    found: Safety
    classes: Safety


@dataclass(frozen=True)
class SafetyReport:
    """A trial's adverse events at a cutoff, over the patients that one reader may see."""

    trial: Trial
    cutoff: Date
    known_on: datetime | None
    subjects: tuple[Subject, ...]

    @cached_property
    def found(self) -> Safety:
        """Of all patients, term by term."""
        return self.counted(self.people)

    @cached_property
    def classes(self) -> Safety:
        """Of all patients, by system organ class: `term` is the class in English, or NOT_CODED."""
        return self.counted(under(self.people, class_of))

    @cached_property
    def arms(self) -> tuple[ArmSafety, ...]:
        """The arms of treated patients, by id; empty where there are fewer than two to be seen."""
        members: dict[tuple[int, str] | None, list[Person]] = defaultdict(list)
        for one in self.treated:
            members[(one.arm_id, one.arm or "") if one.arm_id else None].append(one.person)
        named = sorted(key for key in members if key)
        if len(named) < 2:
            return ()
        unknown = [None] if None in members else []
        return tuple(self._arm(key, members[key]) for key in [*named, *unknown])

    def _arm(self, key: tuple[int, str] | None, people: Sequence[Person]) -> ArmSafety:
        pk, name = key or (None, None)
        classes = self.counted(under(people, class_of))
        return ArmSafety(pk, name, self.counted(people), classes)

    @property
    def people(self) -> list[Person]:
        """Everybody, treated or not."""
        return [one.person for one in self.subjects]

    @cached_property
    def treated(self) -> tuple[Subject, ...]:
        """The safety population."""
        return tuple(one for one in self.subjects if one.person.treated_by(self.cutoff))

    @cached_property
    def outside(self) -> int:
        """Events of treated patients up to the cutoff that started before or after the period."""
        recorded = sum(
            event.started_on <= self.cutoff for one in self.treated for event in one.person.events
        )
        return recorded - sum(len(self.events_of(one)) for one in self.treated)

    def counted(self, people: Iterable[Person]) -> Safety:
        """The tables of these people."""
        return adverse_events(people, cutoff=self.cutoff, window_days=self.trial.ae_window_days)

    def events_of(self, subject: Subject) -> tuple[Event, ...]:
        """A patient's events that count."""
        return subject.person.counted(self.cutoff, self.trial.ae_window_days)

    def in_arm(self, name: str) -> SafetyReport:
        """The same over the patients of one arm; over all for a blank."""
        if not name:
            return self
        subjects = tuple(one for one in self.subjects if one.arm == name)
        return SafetyReport(self.trial, self.cutoff, self.known_on, subjects)

    @property
    def courses(self) -> list[Course]:
        """Whose doses are added up, and up to when."""
        return [one.course for one in self.subjects]

    def durations(self, given: Iterable[Treated]) -> Quartiles | None:
        """Days of treatment in the safety population, from the first dose to the last.

        By the doses that are recorded, of all interventions together; of a patient without any by
        the dates of the first and the last dose.
        """
        doses: dict[int, list[Exposure]] = defaultdict(list)
        for row in given:
            doses[row.course.patient_id].append(row.found)
        return quartiles(
            _days(doses[one.id]) if doses[one.id] else one.person.treated_days(one.until)
            for one in self.treated
        )


def _days(found: Sequence[Exposure]) -> int:
    """From the first dose of any intervention to the last, both included."""
    return (max(row.last_on for row in found) - min(row.first_on for row in found)).days + 1


def build(
    trial: Trial, *, user: User, cutoff: Date, known_on: datetime | None = None
) -> SafetyReport:
    """The adverse events of the patients that the user may see: three statements.

    With `known_on` as they and the protocol were known then; today's is the user's scope.
    """
    with database.snapshot():
        trial = as_known.trial_as_known(trial, known_on)
        patients = Patient.objects.visible_to(user).filter(trial=trial)
        subjects = tuple(_subjects(trial, patients, cutoff, known_on))
    return SafetyReport(trial, cutoff, known_on, subjects)


def read(
    trial: Trial, *, user: User, cutoff: Date, known_on: datetime | None = None
) -> SafetyFacts:
    """What a report of safety and of exposure is computed of: four statements, or six."""
    with database.snapshot():
        found = build(trial, user=user, cutoff=cutoff, known_on=known_on)
        doses = treatment.taken(trial, found.courses, known_on)
    return SafetyFacts(found.subjects, tuple(doses))


def exposure(report: SafetyReport) -> list[Treated]:
    """What the report's patients were given, by subject id: two statements, or four."""
    return treatment.exposures(report.trial, report.courses, report.known_on)


def details(report: SafetyReport, events: Sequence[int]) -> dict[int, tuple[Date | None, str]]:
    """When these events ended, and how: one statement."""
    rows = _rows(AdverseEvent, report.known_on).filter(id__in=events).order_by()
    return {pk: (on, how) for pk, on, how in rows.values_list("id", "ended_on", "outcome")}


def people_by_id(
    patients: QuerySet[Patient], known_on: datetime | None = None
) -> dict[int, Person]:
    """Those of these patients who are not voided, with their adverse events: three statements."""
    chosen = patients.order_by().values("pk")
    events, doses = _events(chosen, known_on), _doses(chosen, known_on)
    rows = _rows(Patient, known_on).filter(id__in=chosen).order_by("id")
    return {
        pk: Person(first, last, tuple(events[pk]), tuple(doses[pk]))
        for pk, first, last in rows.values_list(*PERSON)
    }


def class_of(term: str) -> str:
    """The system organ class of a CTCAE term, in English; NOT_CODED for any other."""
    known = ctcae.known(term)
    return known.system_organ_class if known else NOT_CODED


def _subjects(
    trial: Trial, patients: QuerySet[Patient], cutoff: Date, known_on: datetime | None
) -> Iterable[Subject]:
    now = known_on or timezone.now()
    chosen = patients.order_by().values("pk")
    events, doses = _events(chosen, known_on), _doses(chosen, known_on)
    rows = _rows(Patient, known_on).filter(id__in=chosen).order_by("subject_id")
    then = _then(known_on) if known_on else NOW
    for pk, first, last, subject_id, site, zone, died_on, arm_id, arm in rows.annotate(
        **then
    ).values_list(*SUBJECT):
        person = Person(first, last, tuple(events[pk]), tuple(doses[pk]))
        if trial.masked:
            arm_id = arm = None
        until = min(cutoff, now.astimezone(ZoneInfo(zone)).date(), died_on or cutoff)
        yield Subject(pk, subject_id, site, arm_id, arm, until, person)


NOW = {
    "site_code": F("site__code"),
    "zone": F("site__timezone"),
    "arm_id": F("allocation__arm"),
    "arm_name": F("allocation__arm__name"),
}


def _then(known_on: datetime) -> dict[str, Subquery]:
    """A patient's site and arm as they were at a moment."""
    sites = audit.as_known(Site, known_on).filter(id=Outer("site"))
    arms = audit.as_known(Arm, known_on).filter(id=Outer("arm"))
    allocated = audit.as_known(Allocation, known_on).filter(patient=Outer("id"))
    last = allocated.order_by("-pgh_id")
    return {
        "site_code": Subquery(sites.values("code")),
        "zone": Subquery(sites.values("timezone")),
        "arm_id": Subquery(last.values("arm")[:1]),
        "arm_name": Subquery(last.values(then=Subquery(arms.values("name")))[:1]),
    }


def _events(chosen: Any, known_on: datetime | None) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = defaultdict(list)
    rows = _rows(AdverseEvent, known_on).filter(patient__in=chosen).order_by("id")
    for patient, *event in rows.values_list(
        "patient_id", "term", "grade", "related", "serious", "started_on", "action_taken", "id"
    ):
        found[patient].append(Event(*event))
    return found


def _doses(chosen: Any, known_on: datetime | None) -> dict[int, list[Period]]:
    """From when to when something was given; a dose of 0 is a pause."""
    found: dict[int, list[Period]] = defaultdict(list)
    rows = _rows(Dose, known_on).filter(patient__in=chosen, dose__gt=0).order_by("id")
    for patient, started_on, ended_on in rows.values_list("patient_id", "started_on", "ended_on"):
        found[patient].append((started_on, ended_on))
    return found


def _rows(model: Any, known_on: datetime | None) -> QuerySet[Any]:
    """A table's rows that are not voided, now or as they stood at a moment."""
    rows = audit.as_known(model, known_on) if known_on else model.objects.all()
    return rows.filter(voided_at=None)
