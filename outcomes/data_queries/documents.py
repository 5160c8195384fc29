"""What queries answer with."""

from __future__ import annotations

from typing import Annotated, Any

from django.urls import reverse
from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from outcomes.methods.recist import Reason
from outcomes.methods.soft_checks import Check
from outcomes.wording import word_check
from patients.models import (
    ClosedBecause,
    MessageAction,
    Query,
    QueryMessage,
    QueryState,
    QuerySubject,
)
from registry.documents import Id, Link, Moment, Versioned


def _enum(values: list[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": values})


class QueryMessageDocument(TypedDict):
    """One message of a thread."""

    by: Annotated[str, Field(description="The user's name.")]
    at: Moment
    action: Annotated[MessageAction, _enum(MessageAction.values)]
    text: str


class QueryLinks(TypedDict):
    """Where to go from a query."""

    self: Link
    patient: Link
    visit: Annotated[Link | None, Field(description="Where the record is a visit.")]


class QueryDocument(Versioned):
    """A question about a record, opened by a soft check or by a person, with its thread."""

    patient: Id
    trial: Annotated[str, Field(description="The trial's registry id.")]
    site: Annotated[str, Field(description="The site's code.")]
    subject_id: str
    record: Annotated[QuerySubject, _enum(QuerySubject.values)]
    record_id: Id
    lesion: Annotated[str, Field(description="Blank where no lesion is meant.")]
    field: Annotated[str, Field(description="Blank where the whole record is meant.")]
    code: Annotated[Check | None, Field(description="The soft check; null of a person's query.")]
    parameters: dict[str, str | int]
    text: Annotated[str, Field(description="The question; a check's in the reader's language.")]
    state: Annotated[QueryState, _enum(QueryState.values)]
    opened_by: Annotated[str | None, Field(description="Null: a soft check.")]
    opened_at: Moment
    closed_at: Moment | None
    closed_because: Annotated[
        ClosedBecause | None,
        WithJsonSchema({"anyOf": [{"enum": ClosedBecause.values}, {"type": "null"}]}),
    ]
    closed_value: Annotated[
        str, Field(description="The value that closed it, where it closed by itself.")
    ]
    messages: list[QueryMessageDocument]
    links: QueryLinks


def question(query: Query) -> str:
    """What a query asks: a check's sentence, or what the person wrote first."""
    if query.code:
        return word_check(Reason(query.code, query.parameters))
    return query.first_message or ""


def query_document(query: Query) -> QueryDocument:
    """A query; its patient and messages are expected to be at hand."""
    return {
        "id": query.pk,
        "version": query.version,
        "patient": query.patient_id,
        "trial": query.patient.trial.registry_id,
        "site": query.patient.site.code,
        "subject_id": query.patient.subject_id,
        "record": QuerySubject(query.subject),
        "record_id": query.record_id,
        "lesion": query.lesion,
        "field": query.field,
        "code": Check(query.code) if query.code else None,
        "parameters": query.parameters,
        "text": question(query),
        "state": QueryState(query.state),
        "opened_by": query.opened_by.username if query.opened_by else None,
        "opened_at": _moment(query.opened_at),
        "closed_at": _moment(query.closed_at) if query.closed_at else None,
        "closed_because": ClosedBecause(query.closed_because) if query.closed_because else None,
        "closed_value": query.closed_value,
        "messages": [_message(message) for message in query.messages.all()],
        "links": _links(query),
    }


def _message(message: QueryMessage) -> QueryMessageDocument:
    return {
        "by": message.by.username,
        "at": _moment(message.at),
        "action": MessageAction(message.action),
        "text": message.text,
    }


def _links(query: Query) -> QueryLinks:
    visit = query.subject == QuerySubject.VISIT
    return {
        "self": reverse("api:query", args=[query.pk]),
        "patient": reverse("api:patient", args=[query.patient_id]),
        "visit": reverse("api:visit", args=[query.record_id]) if visit else None,
    }


def _moment(at: Any) -> str:
    return str(at.isoformat())
