"""Doses, dispositions and transfers: what happens to a patient in the trial.

Doses keep the patient's first and last dose: a date that is blank is filled, a later dose extends
the last, and a date that stood on the doses so far follows their corrections. A first dose that
somebody stated otherwise is contradicted by an earlier one (409).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date as Date
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from patients import contradictions, records, treatment
from patients.models import Disposition, DispositionKind, Dose, Patient
from patients.records import Correction, Why
from patients.signals import first_dose_moved
from registry import audit
from registry.errors import Conflict, FieldError, Refused
from registry.reader import beyond_reader
from trials import access

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Site


PLANNED = ("intervention", "unit", "dose")


@transaction.atomic
def record_dose(*, patient: Patient, by: User, end_current: bool = False, **facts: Any) -> Dose:
    """Add what was given from a day to a day; the patient's version rises with new dose dates.

    `end_current`: of the same intervention, a dose that still lasts ends on the day before.
    """
    patient = records.held(patient, by, access.Action.WRITE_RECORDS)
    before = contradictions.dosed(patient)
    facts |= treatment.as_planned(patient, facts["intervention"], facts["unit"], facts["dose"])
    if end_current:
        _end_current(patient, facts["intervention"], facts["started_on"], by)
    dose = records.record(Dose(patient=patient, **facts), by)
    _follow(patient, before, by)
    return dose


def _end_current(patient: Patient, intervention: str, before: Date, by: User) -> None:
    """End the dose that lasts; under the lock on the patient."""
    lasting = patient.doses.active().filter(intervention=intervention, ended_on=None)
    for dose in lasting.filter(started_on__lt=before):
        records.correct(
            dose,
            changes={"ended_on": before - timedelta(days=1)},
            by=by,
            reason=f"next dose from {before}",
            version=dose.version,
        )


@transaction.atomic
def correct_dose(*, dose: Dose, **correction: Unpack[Correction]) -> Dose:
    """Replace what a dose says."""
    patient = records.held(dose.patient, correction["by"], access.Action.WRITE_RECORDS)
    before, changes = contradictions.dosed(patient), dict(correction["changes"])
    said = {name: changes.get(name, getattr(dose, name)) for name in PLANNED}
    changes |= treatment.as_planned(patient, *(said[name] for name in PLANNED))
    correction["changes"] = changes
    corrected = records.correct(dose, **correction)
    _follow(patient, before, correction["by"])
    return corrected


@transaction.atomic
def void_dose(*, dose: Dose, **why: Unpack[Why]) -> Dose:
    """Take a dose out of lists and analyses; a first dose date is never blanked by that."""
    patient = records.held(dose.patient, why["by"], access.Action.VOID)
    before = contradictions.dosed(patient)
    voided = records.void(dose, **why)
    _follow(patient, before, why["by"])
    return voided


def _follow(patient: Patient, before: contradictions.Span, by: User) -> None:
    """Let the patient's dose dates agree with the doses; raises Conflict where they cannot."""
    first, last = contradictions.dosed(patient)
    stated, latest = patient.first_dose_on, patient.last_dose_on
    facts: dict[str, Date | None] = {}
    if first and stated in (None, before[0]):
        facts["first_dose_on"] = first
    elif first and stated and first < stated and first != before[0]:
        detail = _("Before the patient's first dose on %s; correct that date, or this one.")
        raise Conflict([FieldError("/started_on", detail % stated)])
    if last and (latest is None or latest == before[1] or last > latest):
        facts["last_dose_on"] = last
    _amend(patient, facts)
    if patient.first_dose_on != stated:
        first_dose_moved.send(Patient, patient=patient, by=by)


def _amend(patient: Patient, facts: Mapping[str, Any]) -> None:
    changed = {name: value for name, value in facts.items() if getattr(patient, name) != value}
    for name, value in changed.items():
        setattr(patient, name, value)
    if changed:
        records.stored_next(patient)


def record_disposition(*, patient: Patient, by: User, **facts: Any) -> Disposition:
    """Add what ended for a patient; who moves to another site is transferred."""
    if facts["kind"] == DispositionKind.TRANSFERRED:
        raise Refused([FieldError("/kind", _("A transfer has an action of its own; use that."))])
    return records.record(Disposition(patient=patient, **facts), by)


def correct_disposition(
    *, disposition: Disposition, **correction: Unpack[Correction]
) -> Disposition:
    """Replace what a disposition says; its kind stays."""
    if correction["changes"].get("kind", disposition.kind) != disposition.kind:
        detail = _("A disposition stays of its kind; void it and record another.")
        raise Refused([FieldError("/kind", detail)])
    return records.correct(disposition, **correction)


@transaction.atomic
def void_disposition(*, disposition: Disposition, **why: Unpack[Why]) -> Disposition:
    """Reinstate the patient; after a transfer, at the site they came from."""
    patient = records.held(disposition.patient, why["by"], access.Action.VOID)
    voided = records.void(disposition, **why)
    if voided.kind == DispositionKind.TRANSFERRED:
        _move_back(patient, voided)
    return voided


def _move_back(patient: Patient, transfer: Disposition) -> None:
    transfers = patient.dispositions.active().filter(kind=transfer.kind)
    if transfers.filter(pk__gt=transfer.pk).exists() or patient.site_id != transfer.to_site_id:
        raise Conflict([FieldError("", _("The patient moved on since; void that transfer first."))])
    _amend(patient, {"site": transfer.from_site})


@transaction.atomic
def transfer_patient(
    *, patient: Patient, to_site: Site, on: Date, by: User, reason: str, version: int
) -> Patient:
    """Hand a patient over to another site of the trial, whose people see everything from then on.

    Whoever may write at the releasing site may do it. Raises StaleVersion where `version` is not
    the patient's, Refused, Conflict or PermissionDenied.
    """
    audit.attribute(by=by, reason=reason)
    access.require(by, access.Action.WRITE_RECORDS, trial=patient.trial, site=patient.site)
    patient = records.locked(patient, version)
    access.require(by, access.Action.WRITE_RECORDS, trial=patient.trial, site=patient.site)
    if patient.died_on and on >= patient.died_on:
        detail = _("The patient died on %s; nobody is transferred from that day on.")
        raise Conflict([FieldError("/on", detail % patient.died_on)])
    if to_site.trial_id != patient.trial_id or to_site == patient.site:
        raise Refused([FieldError("/site", _("Another site of this trial."))])
    move = Disposition(
        patient=patient, kind=DispositionKind.TRANSFERRED, on=on, detail=reason,
        from_site=patient.site, to_site=to_site,
    )  # fmt: skip
    records.check(move)
    move.save()
    with beyond_reader():  # the receiving site is one that the user need not work at
        _amend(patient, {"site": to_site})
    return patient
