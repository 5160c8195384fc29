"""Writes of trials and of who works on them: each atomic, audited, against a version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max, Model, ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from registry import audit
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from trials import access
from trials.definitions import IRECIST
from trials.models import (
    Arm,
    Criterion,
    Endpoint,
    Intervention,
    Membership,
    Official,
    ProtocolVersion,
    Publication,
    PublishedFigure,
    Site,
    Trial,
)
from trials.vocabularies import Masking, Role

if TYPE_CHECKING:
    from registry.models import User

Document = Mapping[str, Any]
Row = TypeVar("Row", Site, Official, Arm, Intervention, Endpoint, PublishedFigure)
LISTS = ("sites", "officials", "arms", "endpoints", "criteria", "published")
PROTECTED = ("id", "version", "registry_id", "synthetic", "unblinded_at")
MASKED = Masking.values  # from the least to the most; one that is not stated hides nothing
CRITERION = ("kind", "text", "rule", "note", "source")


@transaction.atomic
def create_trial(*, by: User, **document: Any) -> Trial:
    """Store a trial with its protocol. Raises PermissionDenied, Refused or Conflict."""
    audit.attribute(by=by, reason="created")
    access.require_superuser(by)
    registry_id = document["registry_id"]
    if Trial.objects.filter(registry_id=registry_id).exists():
        raise Conflict([FieldError("/registry_id", _("This registry id is taken."))])
    trial = Trial(registry_id=registry_id)
    _assign(trial, document)
    trial.save()
    ProtocolVersion.objects.create(trial=trial, number=1, label="1")
    unnumbered = [{**item, "id": None} for item in document.get("criteria", [])]
    _replace_lists(trial, {**document, "criteria": unnumbered}, LISTS)
    _require_irecist(trial, document)
    return trial


@transaction.atomic
def update_trial(
    *, trial: Trial, by: User, reason: str, version: int, document: Document, partial: bool = False
) -> Trial:
    """Replace a trial's protocol, or (partial) only the keys that the document names.

    Raises StaleVersion where `version` is not the stored one, Conflict where a removed item is in
    use, Refused or PermissionDenied.
    """
    audit.attribute(by=by, reason=reason)
    access.require(by, access.Action.WRITE_TRIAL, trial=trial)
    stored = Trial.objects.select_for_update().get(pk=trial.pk)
    if stored.version != version:
        raise StaleVersion(stored.version)
    if document.get("registry_id", stored.registry_id) != stored.registry_id:
        raise Refused([FieldError("/registry_id", _("A trial keeps its registry id."))])
    before = Trial(allocation=stored.allocation, masking=stored.masking)
    _assign(stored, document, partial=partial)
    if errors := [*_allocated_otherwise(stored, before), *_unblinded(stored, before)]:
        raise Conflict(errors)
    stored.version += 1
    stored.save()
    _replace_lists(stored, document, [n for n in LISTS if n in document or not partial])
    _require_irecist(stored, document)
    return stored


def _require_irecist(trial: Trial, document: Document) -> None:
    """Raise Refused where an endpoint is defined by criteria that the trial does not use."""
    if trial.irecist:
        return
    detail = _("An endpoint is defined by iRECIST, which this trial does not use (irecist).")
    items = document.get("endpoints", ())
    wrong = [
        f"/endpoints/{index}/definition/criteria"
        for index, item in enumerate(items)
        if _criteria_of(item) == IRECIST
    ]
    if not items and any(e.as_definition().immune for e in trial.endpoints.all()):
        wrong = ["/irecist"]
    if wrong:
        raise Refused([FieldError(pointer, detail) for pointer in wrong])


def _criteria_of(item: Document) -> Any:
    return (item.get("definition") or {}).get("criteria")


def _allocated_otherwise(trial: Trial, before: Trial) -> Iterator[FieldError]:
    """A trial whose scheme has allotted an arm stays randomized."""
    if trial.randomized or not before.randomized or not hasattr(trial, "randomization"):
        return
    if _has_allocations(trial) or trial.randomization_slots.exclude(patient=None).exists():
        yield FieldError("/allocation", _("Patients were randomized here; the trial stays so."))


def _unblinded(trial: Trial, before: Trial) -> Iterator[FieldError]:
    """Arms that patients were allocated to stay as hidden as they are."""
    now, was = (MASKED.index(one.masking or Masking.NONE) for one in (trial, before))
    if now < was and _has_allocations(trial):
        detail = _(
            "Patients are allocated; the masking stays %s or stronger. Unblinding is an act of its "
            "own: POST /trials/{registry_id}/unblind/."
        )
        yield FieldError("/masking", detail % before.masking)


def _has_allocations(trial: Trial) -> bool:
    return trial.patients.filter(allocation__isnull=False).exists()


@transaction.atomic
def amend_protocol(
    *,
    trial: Trial,
    by: User,
    reason: str,
    version: int,
    criteria: Sequence[Document] | None = None,
    **facts: Any,
) -> ProtocolVersion:
    """Begin the next protocol version, perhaps with other criteria; screenings keep theirs.

    `facts` are the version's label, effective_on, summary and consent_version. Raises
    StaleVersion where `version` is not the trial's, Refused or PermissionDenied.
    """
    audit.attribute(by=by, reason=reason)
    access.require(by, access.Action.WRITE_TRIAL, trial=trial)
    stored = Trial.objects.select_for_update().get(pk=trial.pk)
    if stored.version != version:
        raise StaleVersion(stored.version)
    amended = _next_version(stored, **facts)
    if criteria is not None:
        _replace_criteria(stored, criteria)
    stored.version += 1
    stored.save()
    return amended


def _next_version(trial: Trial, **facts: Any) -> ProtocolVersion:
    """The version after the last one; without a day it begins as soon as it may."""
    last = trial.protocol_version
    facts = {"label": str(last.number + 1), "consent_version": last.consent_version} | facts
    earliest, why = _earliest_start(trial, last)
    begins = facts.get("effective_on") or max(earliest, _today(trial))
    if begins < earliest:
        detail = _("At the earliest %(on)s: %(why)s") % {"on": earliest, "why": why}
        raise Refused([FieldError("/effective_on", detail)])
    facts["effective_on"] = begins
    return ProtocolVersion.objects.create(trial=trial, number=last.number + 1, **facts)


def _earliest_start(trial: Trial, last: ProtocolVersion) -> tuple[date, str]:
    """The first day that the next version may begin on: nobody enrolled is judged by it."""
    begun = last.effective_on or date.min
    enrolled = trial.patients.filter(voided_at=None).aggregate(on=Max("enrolled_on"))["on"]
    if trial.screened_here and enrolled and enrolled >= begun:
        why = _("a patient was enrolled on %s by the version before.") % enrolled
        return enrolled + timedelta(days=1), why
    return begun, _("version %s begins then.") % last.number


def _today(trial: Trial) -> date:
    """The latest calendar date at the trial's sites."""
    return max((site.today() for site in trial.sites.all()), default=timezone.now().date())


@transaction.atomic
def add_member(
    *, trial: Trial, user: User, role: Role, site: Site | None, by: User | str
) -> Membership:
    """Give a user a role from today; one that the user has already is left as it is.

    `by` is an account that may write the trial, or the name of a command.
    """
    audit.attribute(by=by, reason="member added")
    if not isinstance(by, str):
        access.require(by, access.Action.WRITE_TRIAL, trial=trial)
    if role == Role.COORDINATOR and site is None:
        raise Refused([FieldError("/site", _("A coordinator works at a site; name it."))])
    if site is not None and site.trial_id != trial.pk:
        raise Refused([FieldError("/site", _("Not a site of this trial."))])
    valid = Membership.objects.valid().filter(user=user, trial=trial)
    if any((one.role == Role.REVIEWER) is not (role == Role.REVIEWER) for one in valid):
        detail = _("An independent reviewer has no other role in the trial.")
        raise Refused([FieldError("/role", detail)])
    current = valid.filter(role=role, site=site)
    given_by = None if isinstance(by, str) else by
    return current.first() or Membership.objects.create(
        user=user, trial=trial, role=role, site=site, given_by=given_by
    )


@transaction.atomic
def create_publication(*, by: User, trial: Trial | None = None, **document: Any) -> Publication:
    """Add a publication to the catalogue. Raises PermissionDenied or Conflict."""
    audit.attribute(by=by, reason="created")
    require_cataloguer(by)
    if Publication.objects.filter(key=document["key"]).exists():
        raise Conflict([FieldError("/key", _("This key is taken."))])
    publication = Publication(trial=trial)
    _assign(publication, document)
    publication.save()
    return publication


@transaction.atomic
def update_publication(
    *, publication: Publication, by: User, reason: str, version: int, document: Document
) -> Publication:
    """Replace what is held of a publication: its claims as printed, and what was adjudicated.

    Raises StaleVersion where `version` is not the stored one, Conflict or PermissionDenied.
    """
    audit.attribute(by=by, reason=reason)
    require_cataloguer(by)
    stored = Publication.objects.select_for_update().get(pk=publication.pk)
    if stored.version != version:
        raise StaleVersion(stored.version)
    if document["key"] != stored.key:
        raise Conflict([FieldError("/key", _("A publication keeps its key."))])
    _assign(stored, document)
    stored.trial = document.get("trial")
    stored.version += 1
    stored.save()
    return stored


def require_cataloguer(user: User) -> None:
    """Raise PermissionDenied unless the user may write the catalogue."""
    if not user.is_superuser:
        raise PermissionDenied(_("The catalogue is written by superusers."))


KEYS: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "sites": (Site, ("code",)),
    "officials": (Official, ("role", "name")),
    "endpoints": (Endpoint, ("kind", "name")),
    "published": (PublishedFigure, ("measure", "source")),
}


def _replace_lists(trial: Trial, document: Document, named: Iterable[str]) -> None:
    """Make these lists of a trial equal to the document's."""
    for name in named:
        items = document.get(name, [])
        if name == "arms":
            _replace_arms(trial, items)
        elif name == "criteria":
            _replace_criteria(trial, items)
        else:
            model, key = KEYS[name]
            _replace(model, {"trial": trial}, items, key=key, pointer=f"/{name}")


def _replace_criteria(trial: Trial, items: Sequence[Document]) -> None:
    """Make the protocol's criteria equal to the items, each matched by its id.

    A version that patients were screened by stays as it is: a difference begins the next one.
    """
    _known(trial, items)
    stored = {row.pk: row for row in trial.criteria.current()}
    dropped = stored.keys() - {item.get("id") for item in items}
    changed = [i for i in items if i.get("id") is None or _differs(stored[i["id"]], i)]
    version = trial.protocol_version
    if (dropped or changed) and version.screenings.exists():
        version = _next_version(trial)
    for pk in dropped:
        _retire(stored[pk], version)
    for position, item in enumerate(items):
        row = stored[item["id"]] if item.get("id") else None
        _put_criterion(trial, row, item, position, version)


def _put_criterion(
    trial: Trial, row: Criterion | None, item: Document, position: int, version: ProtocolVersion
) -> None:
    """Store one criterion at its place; what an older version shares is retired, not changed."""
    if row is not None and _differs(row, item) and row.since < version.number:
        _retire(row, version)
        row = None
    row = row or Criterion(trial=trial, since=version.number)
    before = (row.pk, row.position, _says(row))
    for name, value in _said(item).items():
        setattr(row, name, value)
    row.position = position
    if before != (row.pk, row.position, _says(row)) or row.pk is None:
        row.save()


def _retire(row: Criterion, version: ProtocolVersion) -> None:
    """Let a criterion end with the version before this one."""
    if row.since == version.number:
        _remove([row], "/criteria")
    else:
        row.until = version.number
        row.save()


def _differs(row: Criterion, item: Document) -> bool:
    """Whether an item asks for something else; what is noted about a criterion asks for nothing."""
    said = _said(item)
    return any(getattr(row, name) != said[name] for name in ("kind", "text", "rule"))


def _says(row: Criterion) -> dict[str, Any]:
    return {name: getattr(row, name) for name in CRITERION}


def _said(item: Document) -> dict[str, Any]:
    return {"rule": None, "note": "", "source": ""} | {n: item[n] for n in CRITERION if n in item}


def _replace_arms(trial: Trial, items: Sequence[Document]) -> None:
    arms = _replace(Arm, {"trial": trial}, items, key=("name",), pointer="/arms")
    for index, (arm, item) in enumerate(zip(arms, items, strict=True)):
        interventions, pointer = item.get("interventions", []), f"/arms/{index}/interventions"
        _replace(Intervention, {"arm": arm}, interventions, key=("name",), pointer=pointer)


def _known(trial: Trial, items: Sequence[Document]) -> None:
    """Refuse criteria whose id is not one of the protocol's as it stands."""
    stored = {None, *trial.criteria.current().values_list("pk", flat=True)}
    unknown = [index for index, item in enumerate(items) if item.get("id") not in stored]
    if unknown:
        detail = _("Not a criterion of this trial; leave the id out to add one.")
        raise Refused([FieldError(f"/criteria/{index}/id", detail) for index in unknown])


def _replace(
    model: type[Row],
    parent: Mapping[str, Model],
    items: Sequence[Document],
    *,
    key: tuple[str, ...],
    pointer: str,
) -> list[Row]:
    """Make a parent's rows equal to the items, writing only what differs; returns the rows.

    An item that says its id keeps its row under another name; any other is matched by its key.
    """
    stored: dict[object, Row] = {}
    for row in model._default_manager.filter(**parent):
        stored |= {tuple(getattr(row, name) for name in key): row, row.pk: row}
    wanted = [item.get("id") or tuple(item.get(name) or "" for name in key) for item in items]
    rows = [stored.get(named) or model(**parent) for named in wanted]
    kept = {row.pk for row in rows}
    _remove(
        [row for named, row in stored.items() if named == row.pk and row.pk not in kept], pointer
    )
    for row, item in zip(rows, items, strict=True):
        before = _meaning(row)
        if _assign(row, item) or row.pk is None:
            _count(row, before)
            row.save()
    return rows


def _meaning(row: Model) -> tuple[object, ...] | None:
    """What an endpoint says, whether its document spells the defaults out or not."""
    if not isinstance(row, Endpoint) or row.pk is None:
        return None
    told = (row.kind, row.name, row.role, row.title, row.wording, row.time_frame, row.note)
    return (*told, row.as_definition())


def _count(row: Model, before: tuple[object, ...] | None) -> None:
    """A stored endpoint that says something else is its next version."""
    if isinstance(row, Endpoint) and before is not None and before != _meaning(row):
        row.version += 1


def _remove(rows: Iterable[Model], pointer: str) -> None:
    """Delete rows that nothing refers to; any other is a Conflict."""
    errors = []
    for row in rows:
        try:
            row.delete()
        except ProtectedError:
            detail = _("%s is in use and cannot be removed.") % row
            errors.append(FieldError(pointer, detail))
    if errors:
        raise Conflict(errors)


def _assign(row: Model, document: Document, *, partial: bool = False) -> bool:
    """Put a document's values, else the defaults, into a row; whether anything changed."""
    changed = False
    for field in row._meta.concrete_fields:
        absent = field.name not in document
        if field.name in PROTECTED or field.is_relation or (absent and partial):
            continue
        value = field.get_default() if absent else document[field.name]
        changed |= getattr(row, field.name) != value
        setattr(row, field.name, value)
    return changed
