"""Endpoint definitions over HTTP: their versions, and what a change would move."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from django.urls import reverse
from pydantic import Field
from typing_extensions import TypedDict

from outcomes.endpoints.page import changed_keys
from outcomes.endpoints.preview import Category, Move, Preview, category
from outcomes.endpoints.wording import category_in_words, why
from outcomes.report import Rate, Standing, Survival
from outcomes.report.document_types import Additional, DefinitionDocument
from outcomes.report.documents import moment, result_document
from registry.documents import CalendarDate, Count, Id, Link, Moment, Versioned
from trials import definition_wording
from trials.definitions import EndpointKind
from trials.endpoint_history import EndpointVersion
from trials.models import Endpoint
from trials.vocabularies import EndpointRole


class EndpointVersionDocument(TypedDict):
    """An endpoint as it stood from a moment on, from the audit trail."""

    version: Annotated[int, Field(ge=1)]
    at: Moment
    by: str
    reason: str
    changes: Annotated[list[str], Field(description="Unlike the version before, in words.")]
    definition: DefinitionDocument


class EndpointHistoryDocument(Versioned):
    """An endpoint with its definition, and how it came to be as it is; the newest first."""

    kind: EndpointKind
    name: str
    role: EndpointRole
    definition: DefinitionDocument
    in_words: Annotated[str | None, Field(description="Null where it is held, not computed.")]
    versions: list[EndpointVersionDocument]


class DefinedResultDocument(TypedDict):
    """A definition with what it gives; without an endpoint it is proposed, or the default."""

    endpoint: Id | None
    name: str
    definition: DefinitionDocument
    in_words: str
    result: Additional


class StandingDocument(TypedDict):
    """Where a patient stands: a category, and of a time also when it ended, and how."""

    category: Category
    text: Annotated[str, Field(description="The category in the reader's language.")]
    counted: Annotated[bool | None, Field(description="Of a rate: whether among its successes.")]
    days: int | None
    date: CalendarDate | None
    code: Annotated[str | None, Field(description="The reason as a code.")]
    reason: Annotated[str | None, Field(description="The reason in the reader's language.")]


# `from` is a keyword, so these types are written as calls.
MovedPatientDocument = TypedDict(
    "MovedPatientDocument",
    {
        "patient": Id,
        "subject_id": str,
        "site": str,
        "link": Link,
        "from": StandingDocument,
        "to": StandingDocument,
    },
)
MovedPatientDocument.__doc__ = "A patient whose category or censoring would change."
TransitionDocument = TypedDict(
    "TransitionDocument", {"from": Category, "to": Category, "patients": Count}
)
TransitionDocument.__doc__ = "How many patients move from one category to another."


class EndpointPreviewDocument(TypedDict):
    """What another definition would change; nothing is stored."""

    trial: str
    cutoff: CalendarDate
    known_on: Moment | None
    kind: EndpointKind
    patients: Annotated[Count, Field(description="Whom the caller sees; those looked at.")]
    before: DefinedResultDocument | None
    after: DefinedResultDocument | None
    differences: Annotated[list[str], Field(description="Keys that differ, in words.")]
    stays: Annotated[bool, Field(description="`before` stays, `after` would stand beside it.")]
    first: Annotated[bool, Field(description="Whether it leads its kind on the dashboard.")]
    moved: Count
    transitions: list[TransitionDocument]
    moves: list[MovedPatientDocument]


def history_document(
    endpoint: Endpoint, versions: Iterable[EndpointVersion]
) -> EndpointHistoryDocument:
    """An endpoint with its versions."""
    definition, kind = endpoint.as_definition(), EndpointKind(endpoint.kind)
    computed = kind is not EndpointKind.OTHER
    return {
        "id": endpoint.pk,
        "version": endpoint.version,
        "kind": kind,
        "name": endpoint.name,
        "role": EndpointRole(endpoint.role),
        "definition": definition.as_document(),
        "in_words": definition_wording.in_words(kind, definition) if computed else None,
        "versions": [_version(version) for version in versions],
    }


def _version(version: EndpointVersion) -> EndpointVersionDocument:
    return {
        "version": version.number,
        "at": version.at.isoformat(),
        "by": version.by,
        "reason": version.reason,
        "changes": list(version.changes),
        "definition": version.definition.as_document(),
    }


def preview_document(found: Preview, registry_id: str) -> EndpointPreviewDocument:
    """A preview with every patient who moves."""
    return {
        "trial": registry_id,
        "cutoff": found.cutoff.isoformat(),
        "known_on": moment(found.known_on),
        "kind": found.kind,
        "patients": found.n,
        "before": _defined(found.before),
        "after": _defined(found.after),
        "differences": list(changed_keys(found)),
        "stays": found.stays,
        "first": found.first,
        "moved": len(found.moves),
        "transitions": [
            {"from": before, "to": after, "patients": n}
            for (before, after), n in found.transitions.items()
        ],
        "moves": [_moved(found.kind, move) for move in found.moves],
    }


def _defined(result: Rate | Survival | None) -> DefinedResultDocument | None:
    if result is None:
        return None
    declared = result.endpoint
    return {
        "endpoint": declared.pk,
        "name": declared.name,
        "definition": declared.definition.as_document(),
        "in_words": definition_wording.in_words(declared.kind, declared.definition),
        "result": result_document(result),
    }


def _moved(kind: EndpointKind, move: Move) -> MovedPatientDocument:
    return {
        "patient": move.facts.id,
        "subject_id": move.facts.subject_id,
        "site": move.facts.site,
        "link": reverse("api:patient", args=[move.facts.id]),
        "from": _standing(kind, move.before),
        "to": _standing(kind, move.after),
    }


def _standing(kind: EndpointKind, standing: Standing) -> StandingDocument:
    code, time = category(kind, standing), standing.time
    found = standing.best or time
    return {
        "category": code,
        "text": category_in_words(code),
        "counted": standing.succeeded,
        "days": time.days if time else None,
        "date": time.date.isoformat() if time else None,
        "code": found.reason.code if found else None,
        "reason": why(standing) or None,
    }
