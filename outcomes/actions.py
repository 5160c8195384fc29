"""Writes of visits: each atomic, audited, under a lock of the patient, against a version.

Recording, correcting or voiding a visit derives it and every later visit of the patient again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date as Date
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from outcomes import checking, conformance, edits, history
from outcomes.corrections import by_label
from outcomes.data_queries.questions import Asked, Questions, asked_of, unsettled
from outcomes.entries import VisitEntry
from outcomes.history import History
from outcomes.methods import recist
from outcomes.methods.soft_checks import SoftCheck
from outcomes.models import INVESTIGATOR, REVIEWER, Evaluator, Visit
from patients.models import Patient
from registry import audit
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from trials import access

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Trial


WRITING = {INVESTIGATOR: access.Action.WRITE_RECORDS, REVIEWER: access.Action.REVIEW}
VOIDING = {INVESTIGATOR: access.Action.VOID, REVIEWER: access.Action.REVIEW}


@transaction.atomic
def record_visit(
    *, patient: Patient, entry: VisitEntry, by: User, evaluator: str = INVESTIGATOR
) -> Visit:
    """Store a visit. Raises Refused, Conflict or PermissionDenied, and then stores nothing."""
    audit.attribute(by=by, reason="recorded")
    _require(by, WRITING[evaluator], patient)
    past, changes = history.load(_locked(patient), evaluator), edits.changes()
    before = asked_of(past)
    visit = edits.record(past, entry, changes)
    edits.derive(past, changes)
    edits.require_explained(visit)
    changes.store()
    _ask(past, before, visit, entry, by)
    return visit


@transaction.atomic
def correct_visit(
    *,
    visit: Visit,
    entry: VisitEntry,
    by: User,
    reason: str,
    version: int,
    reasons: Mapping[str, str] | None = None,
) -> Visit:
    """Replace what a visit says. Raises StaleVersion where `version` is not the stored one.

    `reasons`: why single fields are changed, by JSON Pointer into the entry. Kept with the labels
    of the lesions in the place of the rows' numbers: `/targets/T01/diameter_mm`.
    """
    patient = visit.patient
    _require(by, WRITING[visit.evaluator], patient)
    past, changes = history.load(_locked(patient), visit.evaluator), edits.changes()
    visit, before = _current(past, visit, version), asked_of(past)
    entry = edits.labelled(past, visit, entry)
    audit.attribute(by=by, reason=reason, reasons=by_label(reasons or {}, entry))
    edits.correct(past, visit, entry, changes)
    changes.change(visit)
    edits.derive(past, changes)
    edits.require_explained(visit)
    changes.store()
    _ask(past, before, visit, entry, by)
    return visit


@transaction.atomic
def void_visit(*, visit: Visit, by: User, reason: str, version: int) -> Visit:
    """Take a visit out of lists and analyses; a baseline with later visits is a Conflict."""
    audit.attribute(by=by, reason=reason)
    patient = visit.patient
    _require(by, VOIDING[visit.evaluator], patient)
    past, changes = history.load(_locked(patient), visit.evaluator), edits.changes()
    visit = _current(past, visit, version)
    if visit.kind == Visit.Kind.BASELINE and len(past.visits) > 1:
        raise Conflict([FieldError("", _("This baseline has later visits; void those first."))])
    before = asked_of(past)
    edits.void(past, visit, changes)
    edits.derive(past, changes)
    changes.store()
    if not past.reviewed:
        asked = Questions([past.patient], by=by)
        asked.void(visit)
        asked.review(past, before)
        asked.store()
    return visit


def _require(by: User, action: access.Action, patient: Patient) -> None:
    access.require(by, action, trial=patient.trial, site=patient.site)


def _ask(past: History, before: Asked, visit: Visit, entry: VisitEntry, by: User) -> None:
    """Open queries for what is unusual since a visit was stored, and close those that it met.

    None about the independent review: queries go to the sites, which do not see it.
    """
    if past.reviewed:
        return
    asked = Questions([past.patient], by=by)
    asked.review(past, before, {visit.pk: entry.acknowledged})
    asked.store()


def same_patient(visit: Visit, patient: Patient) -> None:
    """Raise Refused where a correction would move a visit to another patient."""
    if visit.patient_id != patient.pk:
        raise Refused([FieldError("/patient", _("A visit stays with its patient."))])


def same_evaluator(visit: Visit, evaluator: str) -> None:
    """Raise Refused where a correction would give a visit to another evaluator."""
    if visit.evaluator != evaluator:
        raise Refused([FieldError("/evaluator", _("A visit stays with its evaluator."))])


@dataclass(frozen=True)
class LaterVisit:
    """A later visit whose response would change."""

    id: int
    date: Date
    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """What saving would derive; nothing is stored."""

    derived: recist.Derived | None
    missing: tuple[FieldError, ...]
    later_visits: tuple[LaterVisit, ...]
    soft_checks: tuple[SoftCheck, ...] = ()


def preview_visit(
    *,
    patient: Patient,
    entry: VisitEntry,
    visit: Visit | None = None,
    past: History | None = None,
    evaluator: str = INVESTIGATOR,
) -> Preview:
    """Derive a visit as it is being typed, by the same functions as the save.

    A visit whose date is still missing is derived as if it were today's. `past` is of the
    evaluator that it names; without it the history of `evaluator` is read.
    """
    past = past or history.load(patient, evaluator)
    replaces = next((v for v in past.visits if visit and v.pk == visit.pk), None)
    entry = entry.with_labels(past.lesions)
    on = entry.date or patient.site.today()
    dated = replace(entry, date=on)
    contradictions = [
        *conformance.problems(dated, past.assessed(dated, on), past, replaces=replaces),
        *conformance.conflicts(dated, past, replaces=replaces),
    ]
    found = (
        *entry.unanswered(),
        *(e for e in contradictions if entry.date or e.pointer != "/date"),
    )
    if not _derivable(dated, past, contradictions):
        return Preview(None, found, ())
    derived = edits.derived_with(past, dated, replaces=replaces)
    shown = _as_read(derived.pop(on), entry, patient)
    said = edits.unexplained(
        entry.stated_response, entry.stated_response_reason, shown.overall_response
    )
    asked = checking.of_entry(past, dated, shown.overall_response, replaces=replaces)
    if entry.date is None:
        asked = tuple(check for check in asked if check.pointer != "/date")
    if replaces:
        asked = unsettled(replaces, asked)
    return Preview(shown, (*found, *said), _changed(past, derived), asked)


def preview_void(visit: Visit) -> tuple[LaterVisit, ...]:
    """The later visits whose response would change if this one were voided."""
    if visit.kind == Visit.Kind.BASELINE:
        return ()
    past = history.load(visit.patient, visit.evaluator)
    voided = next((v for v in past.visits if v.pk == visit.pk), None)
    return _changed(past, edits.derived_with(past, None, replaces=voided))


def _changed(past: History, derived: Mapping[Date, recist.Derived]) -> tuple[LaterVisit, ...]:
    return tuple(
        LaterVisit(v.pk, v.date, v.overall_response, new.overall_response or "")
        for v in past.visits
        if (new := derived.get(v.date)) and (new.overall_response or "") != v.overall_response
    )


def _as_read(derived: recist.Derived, entry: VisitEntry, patient: Patient) -> recist.Derived:
    """What reading the visit back would show: with the warnings that are judged on read."""
    if entry.date is None:
        return derived
    visit = Visit(
        patient=patient, kind=entry.kind, date=entry.date, stated_response=entry.stated_response
    )
    return replace(derived, warnings=edits.as_derived(visit, derived).all_warnings())


def _derivable(entry: VisitEntry, past: History, found: Iterable[FieldError]) -> bool:
    """Whether the timeline makes sense: wrong lesion rows are shown, a wrong date is not derived."""
    if any(error.pointer in ("/date", "/kind") for error in found):
        return False
    return entry.baseline or past.baseline is not None


@dataclass
class Recomputed:
    """What a recomputation found: visits looked at, visits changed, patients it could not derive."""

    visits: int = 0
    changed: int = 0
    refused: list[str] = field(default_factory=list)


def recompute(trials: Iterable[Trial], *, by: object = "recompute") -> Recomputed:
    """Derive every stored visit again, patient by patient: one that contradicts itself stops none."""
    done = Recomputed()
    for patient in Patient.objects.active().filter(trial__in=trials).select_related("trial"):
        try:
            _recompute(patient, by, done)
        except (ValueError, Refused) as error:  # contradictory, or voided meanwhile
            done.refused.append(f"{patient.trial.registry_id} {patient.subject_id}: {error}")
    return done


@transaction.atomic
def _recompute(patient: Patient, by: object, done: Recomputed) -> None:
    audit.attribute(by=by, reason="recomputed")
    locked = _locked(patient)
    for evaluator in Evaluator.values:
        past, changes = history.load(locked, evaluator), edits.changes()
        edits.derive(past, changes)
        changes.store()
        done.changed += changes.count
        done.visits += len(past.visits)


def _locked(patient: Patient) -> Patient:
    """The patient's row, locked: visits of one patient are written one after the other.

    The trial, and the site unless the patient moved, are those that were read with the patient.
    """
    row = Patient.objects.select_for_update().get(pk=patient.pk)
    if row.voided_at:
        raise Conflict([FieldError("/patient", _("This patient was voided."))])
    row.trial = patient.trial
    if row.site_id == patient.site_id:
        row.site = patient.site
    return row


def _current(past: History, visit: Visit, version: int) -> Visit:
    """The stored visit under the lock, if it still has the version that was read."""
    stored = next((v for v in past.visits if v.pk == visit.pk), None)
    if stored is None or stored.version != version:
        raise StaleVersion(stored.version if stored else 0)
    return stored
