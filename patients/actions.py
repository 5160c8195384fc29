"""Writes of patients and of what is recorded of them: atomic, audited, against a version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from patients import edits
from patients.checks import adverse_event_errors, therapy_errors
from patients.models import AdverseEvent, Patient, Therapy
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
    patient, changes = Patient(trial=trial, site=site, **facts), edits.changes()
    edits.enroll(patient, arm, changes)
    Trial.objects.select_for_update(no_key=True).get(pk=trial.pk)  # one enrollment at a time
    if Patient.objects.filter(trial=trial, subject_id=patient.subject_id).exists():
        raise Conflict([FieldError("/subject_id", _("Taken in this trial; give another one."))])
    changes.store()
    return patient


@transaction.atomic
def update_patient(
    *, patient: Patient, changes: Mapping[str, Any], by: User, reason: str, version: int
) -> Patient:
    """Change some facts; `changes` may name a site and an arm too."""
    audit.attribute(by=by, reason=reason)
    patient, rows = _locked(patient, version), edits.changes()
    for site in {patient.site, changes.get("site", patient.site)}:
        access.require(by, access.Action.WRITE_RECORDS, trial=patient.trial, site=site)
    edits.amend(patient, changes, rows)
    rows.change(patient)
    rows.store()
    return patient


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


def _check_record(row: Record) -> None:
    _refuse(therapy_errors(row) if isinstance(row, Therapy) else adverse_event_errors(row))
    if type(row).objects.twins_of(row).exists():
        raise Conflict([FieldError("/started_on", _("Recorded already: %s.") % row)])


def _refuse(errors: Iterable[FieldError]) -> None:
    if found := list(errors):
        raise Refused(found)
