"""Writes of patients and of what is recorded of them: atomic, audited, against a version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date as Date
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.checks import adverse_event_errors, patient_errors, therapy_errors
from patients.models import DEATH, AdverseEvent, Allocation, Patient, Therapy
from registry import audit
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from trials import access
from trials.models import Trial

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Arm, Site

Record = TypeVar("Record", Therapy, AdverseEvent)  # what is recorded of a patient
Versioned = TypeVar("Versioned", Patient, Therapy, AdverseEvent)


class Why(TypedDict):
    """Who changes a row and why, against the version that was read."""

    by: User
    reason: str
    version: int


class Correction(Why):
    """What a row says from now on."""

    changes: Mapping[str, Any]


@transaction.atomic
def enroll_patient(
    *, trial: Trial, site: Site, by: User, arm: Arm | None = None, **facts: Any
) -> Patient:
    """Add a patient. Raises Conflict where the subject id is taken, whoever holds it."""
    audit.attribute(by=by, reason="recorded")
    access.require(by, access.Action.WRITE_RECORDS, trial=trial, site=site)
    patient = Patient(trial=trial, site=site, **facts)
    _refuse(patient_errors(patient))
    Trial.objects.select_for_update(no_key=True).get(pk=trial.pk)  # one enrollment at a time
    if Patient.objects.filter(trial=trial, subject_id=patient.subject_id).exists():
        raise Conflict([FieldError("/subject_id", _("Taken in this trial; give another one."))])
    patient.save()
    if arm:
        _allocate(patient, arm)
    return patient


@transaction.atomic
def update_patient(
    *, patient: Patient, changes: Mapping[str, Any], by: User, reason: str, version: int
) -> Patient:
    """Change some facts; `changes` may name a site and an arm too."""
    audit.attribute(by=by, reason=reason)
    patient = _locked(patient, version)
    for site in {patient.site, changes.get("site", patient.site)}:
        access.require(by, access.Action.WRITE_RECORDS, trial=patient.trial, site=site)
    changed = {n: v for n, v in changes.items() if n != "arm" and getattr(patient, n) != v}
    for name, value in changed.items():
        setattr(patient, name, value)
    _refuse(patient_errors(patient))
    if {"birth_year", "died_on"} & changed.keys():
        _check_records(patient)
    if "arm" in changes:
        _allocate(patient, changes["arm"])
    return _stored(patient)


@transaction.atomic
def void_patient(*, patient: Patient, by: User, reason: str, version: int) -> Patient:
    """Take a patient, with everything recorded, out of lists and analyses."""
    audit.attribute(by=by, reason=reason)
    patient = _locked(patient, version)
    access.require(by, access.Action.VOID, trial=patient.trial, site=patient.site)
    return _voided(patient)


def record_therapy(*, patient: Patient, by: User, **facts: Any) -> Therapy:
    """Add a subsequent anticancer therapy."""
    return _record(Therapy(patient=patient, **facts), by)


def correct_therapy(*, therapy: Therapy, **correction: Unpack[Correction]) -> Therapy:
    """Replace what a therapy says."""
    return _correct(therapy, **correction)


def void_therapy(*, therapy: Therapy, **why: Unpack[Why]) -> Therapy:
    """Take a therapy out of lists and analyses."""
    return _void(therapy, **why)


def record_adverse_event(*, patient: Patient, by: User, **facts: Any) -> AdverseEvent:
    """Add an adverse event."""
    return _record(AdverseEvent(patient=patient, **facts), by)


def correct_adverse_event(
    *, adverse_event: AdverseEvent, **correction: Unpack[Correction]
) -> AdverseEvent:
    """Replace what an adverse event says."""
    return _correct(adverse_event, **correction)


def void_adverse_event(*, adverse_event: AdverseEvent, **why: Unpack[Why]) -> AdverseEvent:
    """Take an adverse event out of lists and analyses."""
    return _void(adverse_event, **why)


@transaction.atomic
def _record(row: Record, by: User) -> Record:
    audit.attribute(by=by, reason="recorded")
    row.patient = _held(row.patient, by, access.Action.WRITE_RECORDS)
    _check_record(row)
    row.save()
    return row


@transaction.atomic
def _correct(
    row: Record, *, changes: Mapping[str, Any], by: User, reason: str, version: int
) -> Record:
    audit.attribute(by=by, reason=reason)
    _held(row.patient, by, access.Action.WRITE_RECORDS)
    row = _locked(row, version)
    for name, value in changes.items():
        setattr(row, name, value)
    _check_record(row)
    return _stored(row)


@transaction.atomic
def _void(row: Record, *, by: User, reason: str, version: int) -> Record:
    audit.attribute(by=by, reason=reason)
    _held(row.patient, by, access.Action.VOID)
    return _voided(_locked(row, version))


def _held(patient: Patient, by: User, action: access.Action) -> Patient:
    """The patient as stored now, under a lock: nothing else is written of them meanwhile."""
    access.require(by, action, trial=patient.trial, site=patient.site)
    rows = Patient.objects.select_for_update(of=("self",)).select_related("trial", "site")
    stored = rows.get(pk=patient.pk)
    if stored.voided_at:
        raise Conflict([FieldError("/patient", _("This patient was voided."))])
    return stored


def _locked(row: Versioned, version: int) -> Versioned:
    """The row under a lock, if it still has the version that was read and is not voided."""
    related = ("trial", "site") if isinstance(row, Patient) else ("patient__trial", "patient__site")
    rows = type(row)._default_manager.select_for_update(of=("self",)).select_related(*related)
    stored = rows.get(pk=row.pk)
    if stored.version != version or stored.voided_at:
        raise StaleVersion(stored.version)
    return stored


def _voided(row: Versioned) -> Versioned:
    row.voided_at = timezone.now()
    return _stored(row)


def _stored(row: Versioned) -> Versioned:
    """The row, stored as its next version."""
    row.version += 1
    row.save()
    return row


def _allocate(patient: Patient, arm: Arm | None) -> None:
    """Put a patient into an arm; in a randomized trial only allocation may do that.

    In a masked trial the null that readers get says nothing, and no answer depends on the arm.
    """
    trial = patient.trial
    if arm is None and trial.masked:
        return
    if trial.randomized and (trial.masked or arm != patient.arm):
        raise Conflict([FieldError("/arm", _("In a randomized trial allocation gives the arm."))])
    if arm is None:
        Allocation.objects.filter(patient=patient).delete()
    elif arm != patient.arm:
        told = {"arm": arm, "trial": trial}
        Allocation.objects.update_or_create(patient=patient, defaults=told)
    patient._state.fields_cache.pop("allocation", None)  # the arm as it is now


def _check_records(patient: Patient) -> None:
    """A death or birth year must agree with whatever is recorded already."""
    errors = [*_contradicted(patient, _recorded_dates(patient))]
    deaths = patient.adverse_events.filter(voided_at=None, grade=DEATH)
    if patient.died_on is None and deaths.exists():
        detail = _("An adverse event of grade 5, a death, is recorded; correct that first.")
        errors.append(FieldError("/died_on", detail))
    if errors:
        raise Conflict(errors)


def _recorded_dates(patient: Patient) -> list[Date]:
    """Every date of the patient's visits, therapies and adverse events."""
    events = patient.adverse_events.filter(voided_at=None)
    dates = patient.visits.filter(voided_at=None).values_list("date")
    dates = dates.union(
        patient.therapies.filter(voided_at=None).values_list("started_on"),
        events.values_list("started_on"),
        events.exclude(ended_on=None).values_list("ended_on"),
    )
    return [on for (on,) in dates]


def _contradicted(patient: Patient, dates: Sequence[Date]) -> Iterator[FieldError]:
    if patient.died_on and dates and max(dates) > patient.died_on:
        detail = _("Before the visit, therapy or adverse event of %s.") % max(dates)
        yield FieldError("/died_on", detail)
    if patient.birth_year and dates and min(dates).year < patient.birth_year:
        detail = _("After the visit, therapy or adverse event of %s.") % min(dates)
        yield FieldError("/birth_year", detail)


def _check_record(row: Record) -> None:
    _refuse(therapy_errors(row) if isinstance(row, Therapy) else adverse_event_errors(row))
    if type(row).objects.twins_of(row).exists():
        raise Conflict([FieldError("/started_on", _("Recorded already: %s.") % row)])


def _refuse(errors: Iterable[FieldError]) -> None:
    if found := list(errors):
        raise Refused(found)
