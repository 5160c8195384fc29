"""What a patient may be given, and what was: rows become values of `exposure` here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from patients.exposure import (
    MASS,
    Exposure,
    Given,
    Plan,
    Quartiles,
    canonical_unit,
    converted,
    convertible,
    exposure,
    quartiles,
    together,
)
from patients.models import Dose, Patient
from registry import audit
from registry.errors import FieldError, Refused
from trials.models import Intervention, Trial

# Where the plan has no unit, or one per surface or weight.
UNITS = ("mg", "g", "ug", "mg/m2", "mg/kg", "IU", "MBq")
TIMES, MOST = 10, Decimal(100_000)  # what a dose may be: times the planned one, or without a plan


def interventions(patient: Patient) -> list[Intervention]:
    """The interventions of the patient's arm; of the trial's where the arm is hidden or unset."""
    rows = Intervention.objects.filter(arm__trial=patient.trial_id).order_by("id")
    arm = None if patient.trial.masked else patient.arm
    return list(rows.filter(arm=arm) if arm else rows)


def as_planned(patient: Patient, name: str, unit: str, dose: Decimal) -> dict[str, str]:
    """An intervention and a unit in the plan's spelling; raises Refused for any other.

    And for a dose that can only be a slip. A trial that plans no interventions takes any.
    """
    planned = interventions(patient)
    named = [row for row in planned if row.name.casefold() == name.casefold()]
    if planned and not named:
        accepted = ", ".join(dict.fromkeys(row.name for row in planned))
        raise Refused([FieldError("/intervention", _("One of: %s.") % accepted)])
    units = accepted_units(named)
    found = next((u for u in units if canonical_unit(u) == canonical_unit(unit)), None)
    if found is None:
        raise Refused([FieldError("/unit", _("One of: %s.") % ", ".join(units))])
    _require_plausible(named, dose, found)
    return {"intervention": named[0].name if named else name, "unit": found}


def _require_plausible(planned: Sequence[Intervention], dose: Decimal, unit: str) -> None:
    """A dose is at most ten times the planned one; without a plan in such a unit, MOST."""
    plans = [
        converted(row.dose, row.unit, unit)
        for row in planned
        if row.dose and convertible(row.unit, unit)
    ]
    most = TIMES * max(plans) if plans else MOST
    if dose > most:
        told = {"most": f"{most.normalize():,f}", "unit": unit}
        raise Refused([FieldError("/dose", _("At most %(most)s %(unit)s.") % told)])


def accepted_units(planned: Sequence[Intervention]) -> list[str]:
    """The plan's own units, those that are converted to them, and milligrams per surface as given."""
    own = [row.unit for row in planned if row.unit]
    more = UNITS if len(own) < max(len(planned), 1) or any("/" in unit for unit in own) else ()
    converted = (unit for unit in MASS if any(convertible(unit, plan) for plan in own))
    spelled: dict[str, str] = {}
    for unit in (*own, *converted, *more):
        spelled.setdefault(canonical_unit(unit), unit)
    return list(spelled.values())


@dataclass(frozen=True, slots=True)
class Course:
    """Whose doses are added up: in which arm, and up to when one that lasts is counted.

    Where arms are hidden the arm is None.
    """

    patient_id: int
    subject_id: str
    site: str
    arm_id: int | None
    arm: str | None
    until: date

    @classmethod
    def of(cls, patient: Patient) -> Course:
        """A patient's up to today, or to death."""
        arm = None if patient.trial.masked else patient.arm
        today = patient.site.today()
        return cls(
            patient_id=patient.pk,
            subject_id=patient.subject_id,
            site=patient.site.code,
            arm_id=arm.pk if arm else None,
            arm=arm.name if arm else None,
            until=min(today, patient.died_on or today),
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """The doses of one intervention that a patient was given, and what of it was planned.

    `intervention` is None where its name would tell a hidden arm.
    """

    patient_id: int
    intervention: str | None
    plan: Plan | None
    given: tuple[Given, ...]


@dataclass(frozen=True)
class Treated:
    """A patient's exposure to one intervention."""

    course: Course
    intervention: str
    found: Exposure
    planned: bool
    blinded: bool = False  # the intervention is not named


QUARTILES = ("days", "cycles", "total_dose", "relative_dose_intensity")


@dataclass(frozen=True)
class ExposureSummary:
    """The patients of an arm who were given an intervention; None where nobody's value is known."""

    arm: str | None
    intervention: str
    n: int
    unit: str | None
    quartiles: dict[str, Quartiles | None]  # by QUARTILES
    reduced: int
    interrupted: int
    blinded: bool = False


def exposures(
    trial: Trial, courses: Iterable[Course], known_on: datetime | None = None
) -> list[Treated]:
    """What these patients of a trial were given, each intervention apart: two statements.

    Two more where arms are hidden; a drug that would tell the arm is "study treatment" then.
    With `known_on` the doses as they were known then, against the plan of today.
    """
    known = list(courses)
    return exposed(known, taken(trial, known, known_on))


def taken(trial: Trial, courses: Iterable[Course], known_on: datetime | None = None) -> list[Taken]:
    """The doses and plans of these patients, in their order, by intervention."""
    known = {course.patient_id: course for course in courses}
    plans = list(Intervention.objects.filter(arm__trial=trial).order_by("id"))
    doses = audit.as_known(Dose, known_on) if known_on else Dose.objects.all()
    given: dict[tuple[int, str], list[Given]] = defaultdict(list)
    for patient, intervention, *dose in (
        doses.filter(voided_at=None, patient__in=known)
        .order_by("id")
        .values_list("patient_id", "intervention", "dose", "unit", "started_on", "ended_on")
    ):
        given[patient, intervention].append(Given(*dose))
    order = {pk: place for place, pk in enumerate(known)}
    keys = sorted(given, key=lambda key: (order[key[0]], key[1]))
    return [
        Taken(
            patient_id=patient,
            intervention=name if trial.tells(name) else None,
            plan=_plan(trial, known[patient], name, plans),
            given=tuple(given[patient, name]),
        )
        for patient, name in keys
    ]


def exposed(courses: Iterable[Course], doses: Iterable[Taken]) -> list[Treated]:
    """What the doses add up to; drugs without a name are one study treatment of their patient."""
    known = {course.patient_id: course for course in courses}
    told: dict[tuple[int, str | None], Treated] = {}
    for row in doses:
        key = (row.patient_id, row.intervention)
        if found := _treated(known[row.patient_id], row):
            told[key] = _joined(told[key], found) if key in told else found
    return list(told.values())


def _joined(one: Treated, other: Treated) -> Treated:
    planned = one.planned and other.planned
    return replace(one, found=together(one.found, other.found), planned=planned)


def summaries(treated: Sequence[Treated]) -> list[ExposureSummary]:
    """By arm, where it may be seen, and intervention."""
    groups: dict[tuple[str, str], list[Treated]] = defaultdict(list)
    for row in treated:
        groups[row.course.arm or "", row.intervention].append(row)
    return [_summary(arm or None, name, groups[arm, name]) for arm, name in sorted(groups)]


def _summary(arm: str | None, intervention: str, rows: Sequence[Treated]) -> ExposureSummary:
    units = {row.found.unit for row in rows}
    found = {name: quartiles(getattr(row.found, name) for row in rows) for name in QUARTILES}
    if len(units) > 1:
        found["total_dose"] = None
    return ExposureSummary(
        arm=arm,
        intervention=intervention,
        n=len(rows),
        unit=units.pop() if len(units) == 1 else None,
        quartiles=found,
        blinded=rows[0].blinded,
        reduced=sum(row.found.reductions > 0 for row in rows),
        interrupted=sum(row.found.interruptions > 0 for row in rows),
    )


def _treated(course: Course, row: Taken) -> Treated | None:
    found = exposure(row.given, row.plan, course.until)
    if found is None:
        return None
    blinded = row.intervention is None
    name = row.intervention or _("study treatment")
    return Treated(course, name, found, row.plan is not None, blinded)


def _plan(trial: Trial, course: Course, name: str, plans: Sequence[Intervention]) -> Plan | None:
    """The patient's plan; where the arm is hidden or unset, the one that all arms share, if any.

    Of drugs that are not named, the plan that all of them share.
    """
    if trial.tells(name):
        rows = [row for row in plans if row.name == name and row.dose is not None]
    else:
        rows = [row for row in plans if not trial.tells(row.name)]
    named = {_planned(row) for row in rows if course.arm_id in (None, row.arm_id)}
    return named.pop() if len(named) == 1 else None


def _planned(row: Intervention) -> Plan | None:
    if row.dose is None:
        return None
    return Plan(row.dose, row.unit, tuple(row.days_on), row.cycle_days)
