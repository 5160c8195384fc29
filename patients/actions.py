"""Writes of patients and of what is recorded of them: atomic, audited, against a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from patients import edits, records
from patients.models import AdverseEvent, Patient, Therapy
from patients.records import Correction, Why
from patients.signals import first_dose_moved
from registry import audit
from registry.errors import Conflict, FieldError, Refused
from registry.reader import beyond_reader
from trials import access
from trials.models import Trial

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Arm, Site


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
    with beyond_reader():
        taken = Patient.objects.filter(trial=trial, subject_id=patient.subject_id).exists()
    if taken:
        raise Conflict([FieldError("/subject_id", _("Taken in this trial; give another one."))])
    changes.store()
    return patient


@transaction.atomic
def update_patient(
    *, patient: Patient, changes: Mapping[str, Any], by: User, reason: str, version: int
) -> Patient:
    """Change some facts; `changes` may name a site and an arm too."""
    audit.attribute(by=by, reason=reason)
    patient, rows = records.locked(patient, version), edits.changes()
    for site in {patient.site, changes.get("site", patient.site)}:
        access.require(by, access.Action.WRITE_RECORDS, trial=patient.trial, site=site)
    first_dose_on = patient.first_dose_on
    edits.amend(patient, changes, rows)
    rows.change(patient)
    rows.store()
    if patient.first_dose_on != first_dose_on:
        first_dose_moved.send(Patient, patient=patient, by=by)
    return patient


@transaction.atomic
def void_patient(*, patient: Patient, by: User, reason: str, version: int) -> Patient:
    """Take a patient, with everything recorded, out of lists and analyses."""
    audit.attribute(by=by, reason=reason)
    patient = records.locked(patient, version)
    access.require(by, access.Action.VOID, trial=patient.trial, site=patient.site)
    return records.voided(patient)


def record_therapy(*, patient: Patient, by: User, **facts: Any) -> Therapy:
    """Add a subsequent anticancer therapy."""
    return records.record(Therapy(patient=patient, **facts), by)


def correct_therapy(*, therapy: Therapy, **correction: Unpack[Correction]) -> Therapy:
    """Replace what a therapy says."""
    return records.correct(therapy, **correction)


def void_therapy(*, therapy: Therapy, **why: Unpack[Why]) -> Therapy:
    """Take a therapy out of lists and analyses."""
    return records.void(therapy, **why)


def record_adverse_event(*, patient: Patient, by: User, **facts: Any) -> AdverseEvent:
    """Add an adverse event."""
    return records.record(AdverseEvent(patient=patient, **facts), by)


@transaction.atomic
def record_adverse_events(
    *, patient: Patient, by: User, events: Sequence[Mapping[str, Any]]
) -> list[AdverseEvent]:
    """Add several, all or none; a refusal's pointers begin with the event's place, from 0."""
    stored: list[AdverseEvent] = []
    errors: list[FieldError] = []
    for place, facts in enumerate(events):
        try:
            stored.append(record_adverse_event(patient=patient, by=by, **facts))
        except Refused as refused:
            errors += [replace(e, pointer=f"/{place}{e.pointer}") for e in refused.errors]
    if errors:
        raise Refused(errors)
    return stored


def correct_adverse_event(
    *, adverse_event: AdverseEvent, **correction: Unpack[Correction]
) -> AdverseEvent:
    """Replace what an adverse event says."""
    return records.correct(adverse_event, **correction)


def void_adverse_event(*, adverse_event: AdverseEvent, **why: Unpack[Why]) -> AdverseEvent:
    """Take an adverse event out of lists and analyses."""
    return records.void(adverse_event, **why)
