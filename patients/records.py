"""One way to record, correct and void what is known of a patient, whatever it is.

Atomic, audited, under a lock on the patient, against a version; `checks.CHECKS` says what may stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from patients import contradictions, ctcae
from patients.checks import CHECKS
from patients.models import (
    AdverseEvent,
    ClosedBecause,
    Consent,
    Deviation,
    Disposition,
    Dose,
    Patient,
    Query,
    QuerySubject,
    Screening,
    Therapy,
)
from registry import audit
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from trials import access

if TYPE_CHECKING:
    from registry.models import User

Record = TypeVar("Record", Therapy, AdverseEvent, Consent, Screening, Deviation, Disposition, Dose)
Versioned = TypeVar(
    "Versioned", Patient, Therapy, AdverseEvent, Consent, Screening, Deviation, Disposition, Dose
)
Counted = TypeVar(
    "Counted",
    Patient,
    Therapy,
    AdverseEvent,
    Consent,
    Screening,
    Deviation,
    Disposition,
    Dose,
    Query,
)

ASKED_ABOUT: Mapping[type, QuerySubject] = {
    AdverseEvent: QuerySubject.ADVERSE_EVENT,
    Dose: QuerySubject.DOSE,
    Therapy: QuerySubject.THERAPY,
    Disposition: QuerySubject.DISPOSITION,
    Consent: QuerySubject.CONSENT,
    Screening: QuerySubject.SCREENING,
}


class Why(TypedDict):
    """Who changes a row and why, against the version that was read."""

    by: User
    reason: str
    version: int


class Correction(Why):
    """What a row says from now on."""

    changes: Mapping[str, Any]


@transaction.atomic
def record(row: Record, by: User, action: access.Action = access.Action.WRITE_RECORDS) -> Record:
    """Add a row to what is known of a patient."""
    audit.attribute(by=by, reason="recorded")
    row.patient = held(row.patient, by, action)
    _name(row)
    check(row)
    row.save()
    return row


@transaction.atomic
def correct(
    row: Record,
    *,
    changes: Mapping[str, Any],
    by: User,
    reason: str,
    version: int,
    action: access.Action = access.Action.WRITE_RECORDS,
) -> Record:
    """Replace what a row says."""
    audit.attribute(by=by, reason=reason)
    held(row.patient, by, action)
    row = locked(row, version)
    for name, value in changes.items():
        setattr(row, name, value)
    _name(row)
    check(row)
    return stored_next(row)


@transaction.atomic
def void(row: Record, *, by: User, reason: str, version: int) -> Record:
    """Take a row out of lists and analyses; what is asked about it is closed."""
    audit.attribute(by=by, reason=reason)
    held(row.patient, by, access.Action.VOID)
    row = voided(locked(row, version))
    if subject := ASKED_ABOUT.get(type(row)):
        for query in Query.objects.open().of_record(subject, row.pk):
            query.close(ClosedBecause.VOIDED)
            stored_next(query)
    return row


def held(patient: Patient, by: User, action: access.Action) -> Patient:
    """The patient as stored now, under a lock: nothing else is written of them meanwhile."""
    access.require(by, action, trial=patient.trial, site=patient.site)
    rows = Patient.objects.select_for_update(of=("self",)).select_related("trial", "site")
    stored = rows.get(pk=patient.pk)
    if stored.voided_at:
        raise Conflict([FieldError("/patient", _("This patient was voided."))])
    return stored


def locked(row: Versioned, version: int) -> Versioned:
    """The row under a lock, if it still has the version that was read and is not voided."""
    related = ("trial", "site") if isinstance(row, Patient) else ("patient__trial", "patient__site")
    rows = type(row)._default_manager.select_for_update(of=("self",)).select_related(*related)
    stored = rows.get(pk=row.pk)
    if stored.version != version or stored.voided_at:
        raise StaleVersion(stored.version, stored)
    return stored


def voided(row: Versioned) -> Versioned:
    """The row, stored as void."""
    row.voided_at = timezone.now()
    return stored_next(row)


def stored_next(row: Counted) -> Counted:
    """The row, stored as its next version."""
    row.version += 1
    row.save()
    return row


def _name(row: Record) -> None:
    """Call an adverse event by its English term, so that its twin has the same."""
    if isinstance(row, AdverseEvent):
        row.term = ctcae.as_stored(row.term, row.patient.trial.ctcae_version)


def check(row: Record) -> None:
    """Raise Refused where the row cannot stand beside its patient's facts.

    Raises Conflict for a twin, and for what contradicts other records.
    """
    if errors := list(CHECKS[type(row)](row)):
        raise Refused(errors)
    contradictions.require_none(row)
    if type(row).objects.twins_of(row).exists():
        raise Conflict([FieldError(_day_of(row), _("Recorded already: %s.") % row)])


def _day_of(row: Record) -> str:
    """Where to point at a twin: the day, where a row has one in its key."""
    days = (name for name in row.KEY if name == "on" or name.endswith("_on"))
    return f"/{next(days, row.KEY[-1])}"
