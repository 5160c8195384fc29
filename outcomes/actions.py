"""Writes of visits: each atomic, audited, under a lock of the patient, against a version.

Recording, correcting or voiding a visit derives it and every later visit of the patient again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date as Date
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from outcomes import conformance, history
from outcomes.entries import LesionEntry, NewLesionEntry, NonTargetEntry, TargetEntry, VisitEntry
from outcomes.history import History
from outcomes.methods import checks, recist
from outcomes.models import (
    METHODS_VERSION,
    Lesion,
    LesionRole,
    Measurement,
    NewLesionStatus,
    NonTargetStatus,
    Visit,
)
from patients.models import Patient
from registry import audit
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from trials import access

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Trial

DERIVED = (
    "sum_mm", "baseline_sum_mm", "nadir_mm", "complete", "target_response", "non_target_response",
    "new_lesion", "overall_response", "reasons", "warnings", "methods_version",
)  # fmt: skip


Key = int | None  # a stored visit's id, or None for the visit being written


@transaction.atomic
def record_visit(*, patient: Patient, entry: VisitEntry, by: User) -> Visit:
    """Store a visit. Raises Refused, Conflict or PermissionDenied, and then stores nothing."""
    audit.attribute(by=by, reason="recorded")
    access.require(by, access.Action.WRITE_RECORDS, trial=patient.trial, site=patient.site)
    past = history.load(_locked(patient))
    entry = entry.with_labels(past.lesions)
    on = conformance.check(entry, past)
    visit = Visit(patient=patient, kind=entry.kind, date=on)
    derived = _derive(past, entry)
    _state(visit, entry, derived[None])
    _apply(visit, derived[None])
    visit.save()
    _store_rows(visit, entry, past)
    _store_derived(past, derived)
    return visit


@transaction.atomic
def correct_visit(*, visit: Visit, entry: VisitEntry, by: User, reason: str, version: int) -> Visit:
    """Replace what a visit says. Raises StaleVersion where `version` is not the stored one."""
    audit.attribute(by=by, reason=reason)
    patient = visit.patient
    access.require(by, access.Action.WRITE_RECORDS, trial=patient.trial, site=patient.site)
    past = history.load(_locked(patient))
    visit = _current(past, visit, version)
    entry = entry.with_labels(past.lesions)
    on = conformance.check(entry, past, replaces=visit)
    derived = _derive(past, entry, replaces=visit)
    visit.kind, visit.date = entry.kind, on
    _state(visit, entry, derived[None])
    _apply(visit, derived[None])
    visit.version += 1
    _store_rows(visit, entry, past)
    visit.save()
    _store_derived(past, derived)
    _retire_new_lesions(past)
    return visit


@transaction.atomic
def void_visit(*, visit: Visit, by: User, reason: str, version: int) -> Visit:
    """Take a visit out of lists and analyses; a baseline with later visits is a Conflict."""
    audit.attribute(by=by, reason=reason)
    patient = visit.patient
    access.require(by, access.Action.VOID, trial=patient.trial, site=patient.site)
    past = history.load(_locked(patient))
    visit = _current(past, visit, version)
    baseline = visit.kind == Visit.Kind.BASELINE
    if baseline and len(past.visits) > 1:
        raise Conflict([FieldError("", _("This baseline has later visits; void those first."))])
    visit.voided_at = timezone.now()
    visit.version += 1
    visit.save()
    if baseline:
        patient.lesions.active().filter(evaluator=visit.evaluator).update(voided_at=visit.voided_at)
    else:
        _store_derived(past, _derive(past, None, replaces=visit))
        _retire_new_lesions(past)
    return visit


def same_patient(visit: Visit, patient: Patient) -> None:
    """Raise Refused where a correction would move a visit to another patient."""
    if visit.patient_id != patient.pk:
        raise Refused([FieldError("/patient", _("A visit stays with its patient."))])


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


def preview_visit(
    *, patient: Patient, entry: VisitEntry, visit: Visit | None = None, past: History | None = None
) -> Preview:
    """Derive a visit as it is being typed, by the same functions as the save.

    A visit whose date is still missing is derived as if it were today's.
    """
    past = past or history.load(patient)
    replaces = next((v for v in past.visits if visit and v.pk == visit.pk), None)
    entry = entry.with_labels(past.lesions)
    dated = replace(entry, date=entry.date or patient.site.today())
    contradictions = [
        error
        for check in (conformance.problems, conformance.conflicts)
        for error in check(dated, past, replaces=replaces)
    ]
    found = (
        *entry.unanswered(),
        *(e for e in contradictions if entry.date or e.pointer != "/date"),
    )
    if not _derivable(dated, past, contradictions):
        return Preview(None, found, ())
    derived = _derive(past, dated, replaces=replaces)
    shown = _as_read(derived[None], entry, patient)
    return Preview(shown, (*found, *_unexplained(entry, shown)), _changed(past, derived))


def preview_void(visit: Visit) -> tuple[LaterVisit, ...]:
    """The later visits whose response would change if this one were voided."""
    if visit.kind == Visit.Kind.BASELINE:
        return ()
    past = history.load(visit.patient)
    return _changed(past, _derive(past, None, replaces=visit))


def _changed(past: History, derived: Mapping[Key, recist.Derived]) -> tuple[LaterVisit, ...]:
    return tuple(
        LaterVisit(v.pk, v.date, v.overall_response, new.overall_response or "")
        for v in past.visits
        if (new := derived.get(v.pk)) and (new.overall_response or "") != v.overall_response
    )


def _as_read(derived: recist.Derived, entry: VisitEntry, patient: Patient) -> recist.Derived:
    """What reading the visit back would show: with the warnings that are judged on read."""
    if entry.date is None:
        return derived
    visit = Visit(
        patient=patient, kind=entry.kind, date=entry.date, stated_response=entry.stated_response
    )
    _apply(visit, derived)
    return replace(derived, warnings=visit.all_warnings())


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
    past = history.load(_locked(patient))
    if past.baseline:
        done.changed += _store_derived(past, _derive(past, None))
    done.visits += len(past.visits)


def _locked(patient: Patient) -> Patient:
    """The patient's row, locked: visits of one patient are written one after the other."""
    locked = Patient.objects.select_for_update(of=("self",)).select_related("trial", "site")
    row = locked.get(pk=patient.pk)
    if row.voided_at:
        raise Conflict([FieldError("/patient", _("This patient was voided."))])
    return row


def _current(past: History, visit: Visit, version: int) -> Visit:
    """The stored visit under the lock, if it still has the version that was read."""
    stored = next((v for v in past.visits if v.pk == visit.pk), None)
    if stored is None or stored.version != version:
        raise StaleVersion(stored.version if stored else 0)
    return stored


def _derive(
    past: History, entry: VisitEntry | None, *, replaces: Visit | None = None
) -> dict[Key, recist.Derived]:
    """Derive the whole timeline with the entry in its place; keyed by visit id, None = the entry."""
    timeline: dict[Key, recist.Assessment] = {
        v.pk: past.assessments[v.pk] for v in past.visits if v != replaces
    }
    if entry is not None and entry.date is not None:
        described = entry if entry.baseline else entry.described_by(past.roster())
        timeline[None] = described.as_assessment(entry.date)
    first = past.baseline.pk if past.baseline and past.baseline.pk in timeline else None
    keys = sorted(timeline, key=lambda key: (key != first, timeline[key].date))
    derived = recist.derive(timeline[keys[0]], [timeline[key] for key in keys[1:]])
    result = dict(zip(keys, derived, strict=True))
    warnings = checks.baseline_warnings(timeline[keys[0]], None, 0)  # the window is judged on read
    return result | {keys[0]: replace(result[keys[0]], warnings=warnings)}


def _state(visit: Visit, entry: VisitEntry, derived: recist.Derived) -> None:
    """Keep the stated response; one that differs from the derived one needs a reason."""
    if unexplained := list(_unexplained(entry, derived)):
        raise Refused(unexplained)
    visit.stated_response = entry.stated_response
    visit.stated_response_reason = entry.stated_response_reason


def _unexplained(entry: VisitEntry, derived: recist.Derived) -> Iterator[FieldError]:
    computed, stated = derived.overall_response, entry.stated_response
    if computed and stated and stated != computed and not entry.stated_response_reason.strip():
        detail = _("The computed response is %s; say why yours differs.") % computed
        yield FieldError("/stated_response_reason", detail)


def _apply(visit: Visit, derived: recist.Derived) -> bool:
    """Put derived values into a visit's columns; whether anything changed."""
    values: dict[str, Any] = {
        "sum_mm": derived.sum_mm,
        "baseline_sum_mm": derived.baseline_sum_mm,
        "nadir_mm": derived.nadir_mm,
        "complete": derived.complete,
        "target_response": derived.target_response or "",
        "non_target_response": derived.non_target_response or "",
        "new_lesion": derived.new_lesion,
        "overall_response": derived.overall_response or "",
        "reasons": [_document(reason) for reason in derived.reasons],
        "warnings": [_document(reason) for reason in derived.warnings],
        "methods_version": METHODS_VERSION,
    }
    before = {name: getattr(visit, name) for name in DERIVED}
    for name, value in values.items():
        setattr(visit, name, value)
    return before != values


def _document(reason: recist.Reason) -> dict[str, Any]:
    return {"code": reason.code, "parameters": dict(reason.parameters)}


def _store_derived(past: History, derived: Mapping[Key, recist.Derived]) -> int:
    """Store what changed in the other visits, each with a new version, in one statement."""
    changed = [v for v in past.visits if v.pk in derived and _apply(v, derived[v.pk])]
    for visit in changed:
        visit.version += 1
    Visit.objects.bulk_update(changed, [*DERIVED, "version"])
    return len(changed)


def _store_rows(visit: Visit, entry: VisitEntry, past: History) -> None:
    lesions = _store_lesions(visit, entry, past)
    _sync(Measurement, visit, [_measurement(visit, row, lesions) for row in entry.targets])
    _sync(NonTargetStatus, visit, [_non_target(visit, row, lesions) for row in entry.non_targets])
    _sync(
        NewLesionStatus,
        visit,
        [_new_lesion(visit, row, lesions) for row in entry.new_lesions or ()],
    )


def _store_lesions(visit: Visit, entry: VisitEntry, past: History) -> dict[str, Lesion]:
    """The lesions that the rows name; first descriptions are stored, baseline ones corrected."""
    rows = _descriptions(visit, entry, past)
    lesions = dict(past.lesions)
    if entry.baseline:
        lesions = _kept(past, {row.lesion for _, row in rows})
    changed = []
    for role, row in rows:
        lesion = lesions.setdefault(
            row.lesion,
            Lesion(patient=past.patient, evaluator=visit.evaluator, label=row.lesion, role=role),
        )
        if _describe(lesion, row):
            changed.append(lesion)
    _save_lesions(changed, [le for le in lesions.values() if le.role == LesionRole.TARGET])
    return lesions


def _descriptions(
    visit: Visit, entry: VisitEntry, past: History
) -> list[tuple[LesionRole, LesionEntry]]:
    """The rows that describe their lesion: a baseline's, and where a new lesion is first seen."""
    if entry.baseline:
        return [
            *((LesionRole.TARGET, row) for row in entry.targets),
            *((LesionRole.NON_TARGET, row) for row in entry.non_targets),
        ]
    before = [past.assessments[v.pk] for v in past.visits if v != visit and v.date < visit.date]
    known = {new.lesion for assessment in before for new in assessment.new_lesions}
    return [
        (LesionRole.NEW, row)
        for row in entry.new_lesions or ()
        if row.lesion not in past.lesions or (row.lesion not in known and row.organ)
    ]


def _kept(past: History, labels: set[str]) -> dict[str, Lesion]:
    """The lesions that a corrected baseline still lists; the others are voided."""
    removed = [le for le in past.lesions.values() if le.label not in labels]
    gone = [le.pk for le in removed if le.role != LesionRole.NEW]
    if gone:
        Lesion.objects.filter(pk__in=gone).update(voided_at=timezone.now())
    return {label: le for label, le in past.lesions.items() if le.pk not in gone}


def _describe(lesion: Lesion, row: LesionEntry) -> bool:
    """Put a row's description into a lesion; whether anything changed, or it is a new one."""
    before = asdict(history.described(lesion))
    moved = lesion.organ_group != row.organ_group
    if moved:
        lesion.organ_group, lesion.organ_slot = row.organ_group, None
    for name, value in asdict(row).items():
        if name in before and name != "lesion":
            setattr(lesion, name, value)
    return moved or lesion.pk is None or before != asdict(history.described(lesion))


def _save_lesions(changed: Sequence[Lesion], targets: Sequence[Lesion]) -> None:
    """Store lesions, each target with a free number and a free slot within its organ."""
    moved = [
        le.pk for le in changed if le.pk and le.role == LesionRole.TARGET and not le.organ_slot
    ]
    if len(moved) > 1:  # lesions that swap organs would collide halfway
        Lesion.objects.filter(pk__in=moved).update(organ_group=Concat(Value("moved "), "label"))
    for lesion in targets:
        organ = [other for other in targets if other.organ_group == lesion.organ_group]
        lesion.target_number = lesion.target_number or _smallest_free(
            other.target_number for other in targets
        )
        lesion.organ_slot = lesion.organ_slot or _smallest_free(other.organ_slot for other in organ)
    for lesion in changed:
        if lesion.pk:
            lesion.save()
    Lesion.objects.bulk_create(lesion for lesion in changed if not lesion.pk)


def _smallest_free(taken: Iterable[int | None]) -> int:
    used = set(taken)
    return next(number for number in range(1, 100) if number not in used)


AnyRow = Measurement | NonTargetStatus | NewLesionStatus


def _sync(model: type[AnyRow], visit: Visit, rows: list[Any]) -> None:
    """Make the visit's rows of one kind equal to these, touching only what differs."""
    stored = {row.lesion_id: row for row in model._default_manager.filter(visit=visit)}
    names = [f.attname for f in model._meta.concrete_fields if f.attname != "id"]
    new = []
    for row in rows:
        known = stored.pop(row.lesion_id, None)
        if known is None:
            new.append(row)
        elif any(getattr(known, name) != getattr(row, name) for name in names):
            row.pk = known.pk
            row.save()
    if stored:
        model._default_manager.filter(pk__in=[row.pk for row in stored.values()]).delete()
    model._default_manager.bulk_create(new)


def _measurement(visit: Visit, row: TargetEntry, lesions: Mapping[str, Lesion]) -> Measurement:
    return Measurement(
        patient_id=visit.patient_id,
        visit=visit,
        lesion=lesions[row.lesion],
        state=row.state or "",
        diameter_mm=row.measured_mm if row.state == recist.TargetState.MEASURED else None,
        reason=row.reason,
        merged_into=lesions[row.merged_into] if row.merged_into else None,
        fragments_mm=list(row.fragments_mm),
        method=row.method,
        slice_mm=row.slice_mm,
    )


def _non_target(
    visit: Visit, row: NonTargetEntry, lesions: Mapping[str, Lesion]
) -> NonTargetStatus:
    return NonTargetStatus(
        patient_id=visit.patient_id,
        visit=visit,
        lesion=lesions[row.lesion],
        status=row.status or "",
        short_axis_mm=row.short_axis_mm,
        reason=row.reason,
    )


def _new_lesion(
    visit: Visit, row: NewLesionEntry, lesions: Mapping[str, Lesion]
) -> NewLesionStatus:
    return NewLesionStatus(
        patient_id=visit.patient_id,
        visit=visit,
        lesion=lesions[row.lesion],
        certainty=row.certainty or "",
        diameter_mm=row.diameter_mm,
        method=row.method,
    )


def _retire_new_lesions(past: History) -> None:
    """Void new lesions that no visit mentions any more, so that their labels are free again."""
    seen = NewLesionStatus.objects.filter(lesion=OuterRef("pk"), visit__voided_at=None)
    unseen = past.patient.lesions.active().filter(~Exists(seen), role=LesionRole.NEW)
    unseen.update(voided_at=timezone.now())
