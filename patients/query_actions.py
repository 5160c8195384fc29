"""What people do with queries: open, answer, close, open again. Each atomic, audited, versioned.

Soft checks open and close theirs where visits are written (`outcomes.data_queries.questions`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from patients import records
from patients.models import (
    ClosedBecause,
    MessageAction,
    Patient,
    Query,
    QueryMessage,
    QueryState,
    QuerySubject,
)
from registry import audit
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from trials import access

if TYPE_CHECKING:
    from registry.models import User

# Where the records of a patient are found, by the relation's name.
RECORDS: dict[QuerySubject, str] = {
    QuerySubject.VISIT: "visits",
    QuerySubject.ADVERSE_EVENT: "adverse_events",
    QuerySubject.DOSE: "doses",
    QuerySubject.THERAPY: "therapies",
    QuerySubject.DISPOSITION: "dispositions",
    QuerySubject.CONSENT: "consents",
    QuerySubject.SCREENING: "screenings",
}
SITES = {"evaluator": "investigator"}  # queries go to the sites, which do not see the review


@transaction.atomic
def open_query(
    *,
    patient: Patient,
    by: User,
    subject: str,
    record_id: int,
    text: str,
    lesion: str = "",
    field: str = "",
) -> Query:
    """Ask the site about one of a patient's records. Raises Refused, Conflict, PermissionDenied."""
    audit.attribute(by=by, reason="query opened")
    patient = records.held(patient, by, access.Action.QUERY)
    query = Query(
        patient=patient,
        subject=QuerySubject(subject),
        record_id=record_id,
        lesion=lesion,
        field=field,
        opened_by=by,
    )
    _require_record(query)
    _require_alone(query)
    query.save()
    _say(query, by, MessageAction.OPENED, text)
    return query


@transaction.atomic
def answer_query(*, query: Query, by: User, text: str, version: int) -> Query:
    """Say something to a query: of the site an answer, of who asks a further word.

    Nobody answers their own question, nor does who may not write the site's records.
    """
    audit.attribute(by=by, reason="query answered")
    _require_any(by, query, access.Action.WRITE_RECORDS, access.Action.QUERY)
    query = _held(query, version)
    if query.is_closed:
        raise Conflict([FieldError("", _("This query is closed; open it again first."))])
    if query.opened_by == by or not _may(by, query, access.Action.WRITE_RECORDS):
        return _told(query, by, MessageAction.COMMENTED, text)
    query.state = QueryState.ANSWERED
    return _told(query, by, MessageAction.ANSWERED, text)


@transaction.atomic
def close_query(*, query: Query, by: User, reason: str, version: int) -> Query:
    """Nothing is left to ask."""
    audit.attribute(by=by, reason=reason)
    _require_any(by, query, access.Action.QUERY)
    query = _held(query, version)
    if query.is_closed:
        raise Conflict([FieldError("", _("This query is closed already."))])
    query.close(ClosedBecause.RESOLVED)
    return _told(query, by, MessageAction.CLOSED, reason)


@transaction.atomic
def reopen_query(*, query: Query, by: User, reason: str, version: int) -> Query:
    """An answer does not do, or was accepted too soon: the site is asked again."""
    audit.attribute(by=by, reason=reason)
    _require_any(by, query, access.Action.QUERY)
    query = _held(query, version)
    if query.state == QueryState.OPEN:
        raise Conflict([FieldError("", _("This query is open already."))])
    if query.closed_because == ClosedBecause.VOIDED:
        raise Conflict([FieldError("", _("The record was voided."))])
    query.open_again()
    _require_alone(query)
    return _told(query, by, MessageAction.REOPENED, reason)


def _held(query: Query, version: int) -> Query:
    """The query as stored now, while nothing else is written of its patient."""
    patient = Patient.objects.select_for_update(of=("self",)).get(pk=query.patient_id)
    if patient.voided_at:
        raise Conflict([FieldError("/patient", _("This patient was voided."))])
    people = ("patient__trial", "patient__site", "opened_by")
    stored = Query.objects.select_related(*people).get(pk=query.pk)
    if stored.version != version:
        raise StaleVersion(stored.version)
    return stored


def _require_any(by: User, query: Query, *actions: access.Action) -> None:
    if not any(_may(by, query, action) for action in actions):
        raise PermissionDenied(access.refusal())


def _may(by: User, query: Query, action: access.Action) -> bool:
    patient = query.patient
    return access.may(by, action, trial=patient.trial, site=patient.site)


def _require_record(query: Query) -> None:
    """Raise Refused unless the patient has the record, and the lesion where one is named."""
    if not _rows(query).filter(pk=query.record_id, voided_at=None).exists():
        raise Refused([FieldError("/record_id", _("This patient has no such record."))])
    lesions: Any = query.patient.lesions
    known = query.subject == QuerySubject.VISIT and query.lesion
    asked = lesions.filter(label=known, voided_at=None, **SITES)
    if query.lesion and not (known and asked.exists()):
        raise Refused([FieldError("/lesion", _("A lesion of this patient, of a visit only."))])


def _rows(query: Query) -> Any:
    """The patient's records of the kind that is named."""
    if query.subject == QuerySubject.PATIENT:
        return Patient.objects.filter(pk=query.patient_id)
    rows = getattr(query.patient, RECORDS[QuerySubject(query.subject)])
    return rows.filter(**SITES) if query.subject == QuerySubject.VISIT else rows


def _require_alone(query: Query) -> None:
    """Raise Conflict where the same is asked already."""
    rows = Query.objects.exclude(state=QueryState.CLOSED).exclude(pk=query.pk)
    same = {
        name: getattr(query, name) for name in ("subject", "record_id", "code", "lesion", "field")
    }
    if rows.filter(**same).exists():
        raise Conflict([FieldError("", _("There is an open query about this already."))])


def _told(query: Query, by: User, action: MessageAction, text: str) -> Query:
    """The query as its next version, with the message."""
    query.version += 1
    query.save()
    _say(query, by, action, text)
    return query


def _say(query: Query, by: User, action: MessageAction, text: str) -> None:
    QueryMessage.objects.create(
        patient_id=query.patient_id, query=query, by=by, action=action, text=text.strip()
    )
