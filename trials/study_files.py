"""ClinicalTrials.gov study files in and out of the database: a trial is stored whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from registry.blank import without_unseen
from registry.errors import FieldError, Refused
from registry.fields import plain
from registry.rest import pointers
from trials import access, actions, ctgov
from trials.ctgov_reading import Message
from trials.definitions import EndpointDefinition
from trials.models import (
    Arm,
    Criterion,
    Endpoint,
    Intervention,
    Official,
    PublishedFigure,
    Site,
    Trial,
)
from trials.serializers import TrialSerializer
from trials.study_wording import worded

if TYPE_CHECKING:
    from registry.models import User

LISTS: dict[str, type[models.Model]] = {
    "sites": Site,
    "officials": Official,
    "arms": Arm,
    "interventions": Intervention,
    "endpoints": Endpoint,
    "criteria": Criterion,
    "published": PublishedFigure,
}
# Of the row in this database, not of the study: what nobody can send, and ids.
OWN = {name for name, field in TrialSerializer().fields.items() if field.read_only} | {"id"}
# Keys that the reader of a study always says: leaving them out where they are the default would
# only be one more difference to write down.
ALWAYS = {
    (Site, "timezone"),
    (Arm, "interventions"),
    (Endpoint, "name"),
    (Endpoint, "role"),
    (Criterion, "rule"),
}


@dataclass(frozen=True)
class Imported:
    """What a study says as the body of POST /trials/, what to know of it, and the stored trial."""

    body: dict[str, Any]
    messages: tuple[Message, ...]
    trial: Trial


def import_study(document: Any, *, by: User, dry_run: bool = False) -> Imported:
    """Store the trial that a study describes; a dry run does the same and undoes it.

    Raises PermissionDenied; Refused, or Conflict where the id is taken, with pointers into the
    document.
    """
    access.require_superuser(by)
    reading = _read(document)
    serializer = TrialSerializer(data=reading.body)
    if not serializer.is_valid():
        raise Refused(
            [_placed(reading, e["pointer"], e["detail"]) for e in pointers(serializer.errors)]
        )
    with transaction.atomic():
        trial = _created(reading, serializer.validated_data, by)
        if dry_run:
            transaction.set_rollback(True)
    return Imported(plain(reading.body), reading.messages, trial)


def _read(document: Any) -> ctgov.Reading:
    try:
        found = ctgov.read(document)
        return found._replace(body=_as_seen(found.body))
    except ctgov.Unreadable as unreadable:
        errors = [FieldError(error.pointer, worded(error)) for error in unreadable.errors]
        raise Refused(errors) from unreadable


def _as_seen(value: Any) -> Any:
    """A body without the characters that nobody saw at ClinicalTrials.gov, and nobody typed here."""
    if isinstance(value, Mapping):
        return {key: _as_seen(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_seen(item) for item in value]
    return without_unseen(value) if isinstance(value, str) else value


def _created(reading: ctgov.Reading, document: Mapping[str, Any], by: User) -> Trial:
    try:
        return actions.create_trial(by=by, **document)
    except Refused as refused:
        errors = [_placed(reading, error.pointer, error.detail) for error in refused.errors]
        raise type(refused)(errors, refused.members) from refused


def _placed(reading: ctgov.Reading, pointer: str, detail: str) -> FieldError:
    """An error of the trial at its place in the document; where that is a place of many, both."""
    origin = reading.origin(pointer)
    if pointer in reading.origins:
        return FieldError(origin, detail)
    told = _("%(detail)s (%(pointer)s of the trial)")
    return FieldError(origin, told % {"detail": detail, "pointer": pointer or "/"})


def study_of(trial: Trial) -> dict[str, Any]:
    """A trial as a ClinicalTrials.gov study, from which `import_study` stores the same again."""
    return ctgov.write(_said(Trial, TrialSerializer(trial).data))


def _said(model: type[models.Model], row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the body without what is of this database alone, and without defaults."""
    said = {}
    for key, value in row.items():
        if key in OWN:
            continue
        if key in LISTS:
            value = [_said(LISTS[key], item) for item in value]
        if (model, key) in ALWAYS or value != _default(model, key):
            said[key] = value
    return said


def _default(model: type[models.Model], key: str) -> Any:
    if key in LISTS:
        return []
    if key == "definition":
        return EndpointDefinition().as_document()
    field = model._meta.get_field(key)
    assert isinstance(field, models.Field)
    return field.get_default()
