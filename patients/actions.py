"""Writes of patients and therapies: atomic, audited, against a version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date as Date
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.models import DATES, Allocation, Patient, Therapy
from registry import audit
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from trials import access
from trials.models import Trial

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Arm, Site

Versioned = TypeVar("Versioned", Patient, Therapy)
EARLIEST = Date(1900, 1, 1)
# The first of each pair may not be later than the second.
IN_ORDER = (
    ("first_dose_on", "last_dose_on"),
    ("first_dose_on", "died_on"),
    ("last_dose_on", "died_on"),
    ("last_known_alive_on", "died_on"),
    ("enrolled_on", "died_on"),
    ("randomized_on", "died_on"),
)


@transaction.atomic
def enroll_patient(
    *, trial: Trial, site: Site, by: User, arm: Arm | None = None, **facts: Any
) -> Patient:
    """Add a patient. Raises Conflict where the subject id is taken, whoever holds it."""
    audit.attribute(by=by, reason="recorded")
    access.require(by, access.Action.WRITE_RECORDS, trial=trial, site=site)
    patient = Patient(trial=trial, site=site, **facts)
    _check(patient)
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
    _check(patient)
    if {"birth_year", "died_on"} & changed.keys():
        _check_records(patient)
    if "arm" in changes:
        _allocate(patient, changes["arm"])
    patient.version += 1
    patient.save()
    return patient


@transaction.atomic
def void_patient(*, patient: Patient, by: User, reason: str, version: int) -> Patient:
    """Take a patient, with everything recorded, out of lists and analyses."""
    audit.attribute(by=by, reason=reason)
    patient = _locked(patient, version)
    access.require(by, access.Action.VOID, trial=patient.trial, site=patient.site)
    patient.voided_at = timezone.now()
    patient.version += 1
    patient.save()
    return patient


@transaction.atomic
def record_therapy(*, patient: Patient, by: User, **facts: Any) -> Therapy:
    """Add a subsequent anticancer therapy."""
    audit.attribute(by=by, reason="recorded")
    _lock_for_therapy(patient, by, access.Action.WRITE_RECORDS)
    therapy = Therapy(patient=patient, **facts)
    _check_therapy(therapy)
    therapy.save()
    return therapy


@transaction.atomic
def correct_therapy(
    *, therapy: Therapy, changes: Mapping[str, Any], by: User, reason: str, version: int
) -> Therapy:
    """Replace what a therapy says."""
    audit.attribute(by=by, reason=reason)
    _lock_for_therapy(therapy.patient, by, access.Action.WRITE_RECORDS)
    therapy = _locked(therapy, version)
    for name, value in changes.items():
        setattr(therapy, name, value)
    _check_therapy(therapy)
    therapy.version += 1
    therapy.save()
    return therapy


@transaction.atomic
def void_therapy(*, therapy: Therapy, by: User, reason: str, version: int) -> Therapy:
    """Take a therapy out of lists and analyses."""
    audit.attribute(by=by, reason=reason)
    _lock_for_therapy(therapy.patient, by, access.Action.VOID)
    therapy = _locked(therapy, version)
    therapy.voided_at = timezone.now()
    therapy.version += 1
    therapy.save()
    return therapy


def _locked(row: Versioned, version: int) -> Versioned:
    """The row under a lock, if it still has the version that was read and is not voided."""
    related = ("trial", "site") if isinstance(row, Patient) else ("patient__trial", "patient__site")
    rows = type(row)._default_manager.select_for_update(of=("self",)).select_related(*related)
    stored = rows.get(pk=row.pk)
    if stored.version != version or stored.voided_at:
        raise StaleVersion(stored.version)
    return stored


def _lock_for_therapy(patient: Patient, by: User, action: access.Action) -> None:
    access.require(by, action, trial=patient.trial, site=patient.site)
    stored = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    if stored.voided_at:
        raise Conflict([FieldError("/patient", _("This patient was voided."))])


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


def _check(patient: Patient) -> None:
    errors = [*_implausible(patient), *_out_of_order(patient)]
    if errors:
        raise Refused(errors)


def _check_records(patient: Patient) -> None:
    """A death or birth year must agree with the visits and therapies that are recorded already."""
    visits = patient.visits.filter(voided_at=None).values_list("date")
    therapies = patient.therapies.filter(voided_at=None).values_list("started_on")
    dates = [on for (on,) in visits.union(therapies)]
    errors = []
    if patient.died_on and dates and max(dates) > patient.died_on:
        detail = _("Before the visit or therapy of %s.") % max(dates)
        errors.append(FieldError("/died_on", detail))
    if patient.birth_year and dates and min(dates).year < patient.birth_year:
        detail = _("After the visit or therapy of %s.") % min(dates)
        errors.append(FieldError("/birth_year", detail))
    if errors:
        raise Conflict(errors)


def _implausible(patient: Patient) -> Iterator[FieldError]:
    today = patient.site.today()
    for name in DATES:
        on = getattr(patient, name)
        if on is None:
            continue
        if on > today:
            latest = _("In the future at the site; at the latest today, %s.")
            yield FieldError(f"/{name}", latest % today.isoformat())
        if on < EARLIEST or on.year < (patient.birth_year or 0):
            yield FieldError(f"/{name}", _("Before the patient's birth."))
    if patient.birth_year and patient.birth_year > today.year:
        yield FieldError("/birth_year", _("In the future."))


def _out_of_order(patient: Patient) -> Iterator[FieldError]:
    for first, second in IN_ORDER:
        earlier, later = getattr(patient, first), getattr(patient, second)
        if earlier and later and earlier > later:
            detail = _("Before %(field)s, %(date)s.") % {"field": first, "date": earlier}
            yield FieldError(f"/{second}", detail)
    if patient.last_dose_on and not patient.first_dose_on:
        yield FieldError("/first_dose_on", _("Give the first dose of a patient with a last dose."))


def _check_therapy(therapy: Therapy) -> None:
    patient, on = therapy.patient, therapy.started_on
    errors = []
    if on > patient.site.today():
        latest = _("In the future at the site; at the latest today, %s.")
        errors.append(FieldError("/started_on", latest % patient.site.today().isoformat()))
    if on < EARLIEST or on.year < (patient.birth_year or 0):
        errors.append(FieldError("/started_on", _("Before the patient's birth.")))
    if patient.died_on and on > patient.died_on:
        errors.append(
            FieldError("/started_on", _("After the patient's death on %s.") % patient.died_on)
        )
    if errors:
        raise Refused(errors)
    same = Therapy.objects.active().filter(
        patient=patient, started_on=on, kind=therapy.kind, description=therapy.description
    )
    if same.exclude(pk=therapy.pk).exists():
        raise Conflict([FieldError("/started_on", _("This therapy is recorded already."))])
