"""The versions of a trial's endpoints, from the audit events: who changed what, when and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from trials.definition_keys import differences
from trials.definitions import EndpointDefinition
from trials.models import Endpoint, Trial

LABELS = {
    field.name: field.verbose_name
    for field in Endpoint._meta.concrete_fields
    if field.name in ("name", "role", "title", "wording", "time_frame", "note")
}


@dataclass(frozen=True)
class EndpointVersion:
    """An endpoint as it stood from a moment on; `changes` says what was different before."""

    pk: int
    number: int
    title: str
    at: datetime
    by: str
    reason: str
    changes: tuple[str, ...]
    definition: EndpointDefinition
    removed: bool


Versions = Mapping[int, list[EndpointVersion]]


def versions(trial: Trial, known_on: datetime | None = None) -> Versions:
    """Every endpoint's versions by its id, the newest first; of removed ones too. One statement.

    With `known_on` those that there were at that moment.
    """
    rows: dict[int, list[Any]] = defaultdict(list)
    events = Endpoint.pgh_event_model.objects.filter(trial=trial)  # type: ignore[attr-defined]
    if known_on:
        events = events.filter(pgh_created_at__lte=known_on)
    for event in events.order_by("pgh_id"):
        rows[event.pgh_obj_id].append(event)
    return {pk: list(_told(events))[::-1] for pk, events in rows.items()}


def removed(found: Versions) -> list[EndpointVersion]:
    """The last version of each endpoint that was removed, the latest first."""
    last = [rows[0] for rows in found.values() if rows[0].removed]
    return sorted(last, key=lambda version: version.at, reverse=True)


def _told(events: list[Any]) -> Iterator[EndpointVersion]:
    """Without what changed nothing that can be said, such as defaults that were spelled out."""
    before = None
    for event in events:
        changes = tuple(_changes(before, event)) if before else ()
        deleted = event.pgh_label == "delete"
        if before is None or changes or deleted:
            yield _version(event, changes, removed=deleted)
        before = event


def _version(event: Any, changes: tuple[str, ...], *, removed: bool) -> EndpointVersion:
    context = event.pgh_context or {}
    return EndpointVersion(
        pk=event.pgh_obj_id,
        number=event.version,
        title=f"{event.kind} {event.name}".strip(),
        at=event.pgh_created_at,
        by=str(context.get("name", "")),
        reason=str(context.get("reason", "")),
        changes=changes,
        definition=_definition(event),
        removed=removed,
    )


def _definition(event: Any) -> EndpointDefinition:
    return EndpointDefinition.model_validate(event.definition)


def _changes(before: Any, after: Any) -> Iterator[str]:
    for name in LABELS:
        if getattr(before, name) != getattr(after, name):
            yield _("%(key)s: %(before)s → %(after)s") % {
                "key": capfirst(str(LABELS[name])),
                "before": _shown(before, name),
                "after": _shown(after, name),
            }
    yield from differences(_definition(before), _definition(after))


def _shown(event: Any, name: str) -> str:
    text = event.get_role_display() if name == "role" else getattr(event, name)
    return str(text) or "–"
