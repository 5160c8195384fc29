"""What recording, correcting or voiding a visit does to a patient's history, in memory.

The history changes in place, and `Changes` collects the rows; `actions` and the bulk import hold
the lock, name who writes and why, and store. After any number of edits `derive` judges the whole
timeline once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date as Date
from operator import attrgetter
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from outcomes import conformance, history
from outcomes.entries import LesionEntry, NewLesionEntry, NonTargetEntry, TargetEntry, VisitEntry
from outcomes.history import History
from outcomes.methods import checks, irecist, recist
from outcomes.methods.irecist import ImmuneDerived
from outcomes.models import (
    METHODS_VERSION,
    Lesion,
    LesionRole,
    Measurement,
    NewLesionStatus,
    NonTargetStatus,
    Visit,
)
from registry.changes import Changes
from registry.errors import FieldError, Refused

DERIVED = (
    "sum_mm", "baseline_sum_mm", "nadir_mm", "complete", "target_response", "non_target_response",
    "new_lesion", "overall_response", "reasons", "warnings", "irecist_response", "irecist",
    "methods_version",
)  # fmt: skip


def changes() -> Changes:
    """An empty collection of this app's rows."""
    return Changes(Lesion, Visit, Measurement, NonTargetStatus, NewLesionStatus)


def record(past: History, entry: VisitEntry, into: Changes) -> Visit:
    """Add a visit. Raises Refused or Conflict, and then nothing has changed."""
    entry = entry.with_labels(past.lesions)
    assessment = conformance.check(entry, past)
    visit = Visit(patient=past.patient, evaluator=past.evaluator)
    _say(past, visit, entry, assessment, into)
    into.add(visit)
    for rows in visit.written.values():
        for row in rows:
            into.add(row)
    return visit


def correct(past: History, visit: Visit, entry: VisitEntry, into: Changes) -> bool:
    """Let a visit of the history say something else; whether it does. Raises as `record`."""
    entry = labelled(past, visit, entry)
    assessment = conformance.check(entry, past, replaces=visit)
    before = (into.count, _said(visit))
    past.drop(visit)
    _say(past, visit, entry, assessment, into)
    for relation, rows in visit.written.items():
        _sync(getattr(visit, relation).all(), rows, into)
    _retire_new_lesions(past, into)
    if before == (into.count, _said(visit)):
        return False
    into.change(visit)
    return True


def labelled(past: History, visit: Visit, entry: VisitEntry) -> VisitEntry:
    """What a visit of the history is to say, every new lesion with its label."""
    return entry.with_labels(past.lesions, _first_shown(past, visit))


def _first_shown(past: History, visit: Visit) -> list[str]:
    """The new lesions that no earlier visit shows, by label."""
    before = [seen for date, seen in past.assessments.items() if date < visit.date]
    known = {new.lesion for seen in before for new in seen.new_lesions}
    mine = past.assessments[visit.date].new_lesions
    return sorted(new.lesion for new in mine if new.lesion not in known)


def void(past: History, visit: Visit, into: Changes) -> None:
    """Take a visit out of the history, and its lesions with it where it was the baseline."""
    visit.voided_at = timezone.now()
    into.change(visit)
    past.drop(visit)
    gone = list(past.lesions.values()) if visit.kind == Visit.Kind.BASELINE else []
    _retire(past, gone, into)
    _retire_new_lesions(past, into)


def derive(past: History, into: Changes) -> None:
    """Judge every visit of the history again; stored ones that come out different are changed."""
    for on, derived in derived_with(past, None).items():
        visit = next(v for v in past.visits if v.date == on)
        if _apply(visit, derived):
            into.change(visit)


def derived_with(
    past: History, entry: VisitEntry | None, *, replaces: Visit | None = None
) -> dict[Date, recist.Derived]:
    """What the whole timeline derives, by date, with the entry in its place; changes nothing."""
    timeline = {v.date: past.assessments[v.date] for v in past.visits if v is not replaces}
    if entry is not None and entry.date is not None:
        timeline[entry.date] = past.assessed(entry, entry.date)
    first = past.baseline if past.baseline is not replaces else None
    start = first.date if first else entry.date if entry and entry.baseline else None
    if start is None:
        return {}
    dates = sorted(timeline, key=lambda on: (on != start, on))
    first_visit, later = timeline[start], [timeline[on] for on in dates[1:]]
    found = recist.derive(first_visit, later)
    immune = (None, *irecist.derive(first_visit, later, found[1:]))
    warnings = checks.baseline_warnings(first_visit, None, 0)  # the window is judged on read
    derived = {
        on: replace(one, immune=beside)
        for on, one, beside in zip(dates, found, immune, strict=True)
    }
    return derived | {start: replace(derived[start], warnings=warnings)}


def as_derived(visit: Visit, derived: recist.Derived) -> Visit:
    """The visit with derived values in its columns."""
    _apply(visit, derived)
    return visit


def unexplained(stated: str, reason: str, computed: str | None) -> Iterator[FieldError]:
    """A stated response that differs from the derived one needs a reason."""
    if computed and stated and stated != computed and not reason.strip():
        detail = _("The computed response is %s; say why yours differs.") % computed
        yield FieldError("/stated_response_reason", detail)


def require_explained(visit: Visit) -> None:
    """Raise Refused where a derived visit's stated response differs without a reason."""
    said = (visit.stated_response, visit.stated_response_reason, visit.overall_response)
    if found := list(unexplained(*said)):
        raise Refused(found)


def _said(visit: Visit) -> tuple[Any, ...]:
    return (visit.kind, visit.date, visit.stated_response, visit.stated_response_reason)


Row = Measurement | NonTargetStatus | NewLesionStatus


def _say(
    past: History, visit: Visit, entry: VisitEntry, said: recist.Assessment, into: Changes
) -> None:
    """Put what the entry says into the visit, its rows, the history and its lesions."""
    lesions = _lesions(past, visit, entry, said.date, into)
    visit.kind, visit.date = entry.kind, said.date
    visit.stated_response = entry.stated_response
    visit.stated_response_reason = entry.stated_response_reason
    past.put(visit, said)
    label = attrgetter("lesion.label")
    visit.written = {
        "measurements": sorted((_measurement(visit, r, lesions) for r in entry.targets), key=label),
        "non_target_statuses": sorted(
            (_non_target(visit, r, lesions) for r in entry.non_targets), key=label
        ),
        "new_lesion_statuses": sorted(
            (_new_lesion(visit, r, lesions) for r in entry.new_lesions or ()), key=label
        ),
    }


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
        "irecist_response": derived.immune.response if derived.immune else "",
        "irecist": immune_document(derived.immune) if derived.immune else {},
        "methods_version": METHODS_VERSION,
    }
    before = {name: getattr(visit, name) for name in DERIVED}
    for name, value in values.items():
        setattr(visit, name, value)
    return before != values


def immune_document(derived: ImmuneDerived) -> dict[str, Any]:
    """What iRECIST found besides its response, as it is stored: millimeters as exact texts."""
    sum_mm, since = derived.new_lesion_sum_mm, derived.unconfirmed_since
    return {
        "new_lesion_sum_mm": None if sum_mm is None else recist.plain(sum_mm),
        "new_targets": list(derived.new_targets),
        "new_non_targets": list(derived.new_non_targets),
        "unconfirmed_since": since.isoformat() if since else None,
        "reasons": [_document(reason) for reason in derived.reasons],
    }


def _document(reason: recist.Reason) -> dict[str, Any]:
    return {"code": reason.code, "parameters": dict(reason.parameters)}


def _lesions(
    past: History, visit: Visit, entry: VisitEntry, on: Date, into: Changes
) -> Mapping[str, Lesion]:
    """The lesions that the rows name; first descriptions are stored, baseline ones corrected."""
    described = list(_descriptions(past, entry, on))
    if entry.baseline:
        labels = {row.lesion for _, row in described}
        roles = (LesionRole.TARGET, LesionRole.NON_TARGET)
        listed = [le for le in past.lesions.values() if le.role in roles]
        _retire(past, [le for le in listed if le.label not in labels], into)
    moved = [le for role, row in described if (le := _describe(past, visit, role, row, into))]
    if entry.baseline:
        _number_targets(past, moved, into)
    return past.lesions


def _descriptions(
    past: History, entry: VisitEntry, on: Date
) -> Iterator[tuple[LesionRole, LesionEntry]]:
    """The rows that describe their lesion: a baseline's, and where a new lesion is first seen."""
    if entry.baseline:
        yield from ((LesionRole.TARGET, row) for row in entry.targets)
        yield from ((LesionRole.NON_TARGET, row) for row in entry.non_targets)
        return
    before = [assessment for date, assessment in past.assessments.items() if date < on]
    known = {new.lesion for assessment in before for new in assessment.new_lesions}
    for row in entry.new_lesions or ():
        if row.lesion not in past.lesions or (row.lesion not in known and row.organ):
            yield LesionRole.NEW, row


def _describe(
    past: History, visit: Visit, role: LesionRole, row: LesionEntry, into: Changes
) -> Lesion | None:
    """Put a row's description into its lesion, an added one where there is none.

    Returns a stored target that is now said to be in another organ.
    """
    lesion = past.lesions.get(row.lesion)
    if lesion is None:
        lesion = Lesion(
            patient=past.patient, evaluator=visit.evaluator, label=row.lesion, role=role
        )
        past.lesions[row.lesion] = lesion
        into.add(lesion)
    before = asdict(history.described(lesion))
    moved = lesion.organ_group != row.organ_group
    if moved:
        lesion.organ_group, lesion.organ_slot = row.organ_group, None
    for name in before.keys() - {"lesion"}:
        setattr(lesion, name, getattr(row, name))
    if moved or before != asdict(history.described(lesion)):
        into.change(lesion)
    return lesion if moved and lesion.pk and role == LesionRole.TARGET else None


def _number_targets(past: History, moved: Sequence[Lesion], into: Changes) -> None:
    """A free number for each target, and a free slot within its organ."""
    if len(moved) > 1:  # lesions that swap organs would collide halfway
        for lesion in moved:
            into.vacate(lesion, organ_group=f"moved {lesion.label}")
    targets = past.of_role(LesionRole.TARGET)
    for lesion in targets:
        organ = [other for other in targets if other.organ_group == lesion.organ_group]
        lesion.target_number = lesion.target_number or _smallest_free(
            other.target_number for other in targets
        )
        lesion.organ_slot = lesion.organ_slot or _smallest_free(other.organ_slot for other in organ)


def _smallest_free(taken: Iterable[int | None]) -> int:
    used = set(taken)
    return next(number for number in range(1, 100) if number not in used)


def _retire(past: History, lesions: Iterable[Lesion], into: Changes) -> None:
    """Void lesions that the history does not mention any more, so that their labels are free."""
    for lesion in lesions:
        lesion.voided_at = timezone.now()
        del past.lesions[lesion.label]
        into.change(lesion)


def _retire_new_lesions(past: History, into: Changes) -> None:
    seen = {new.lesion for seen in past.assessments.values() for new in seen.new_lesions}
    unseen = [le for le in past.of_role(LesionRole.NEW) if le.label not in seen]
    _retire(past, unseen, into)


def _sync(stored: Iterable[Row], rows: Iterable[Row], into: Changes) -> None:
    """Make a visit's stored rows of one kind equal to these, touching only what differs."""
    known = {row.lesion_id: row for row in stored}
    for row in rows:
        old = known.pop(row.lesion_id, None) if row.lesion_id else None
        if old is None:
            into.add(row)
        elif _values(old) != _values(row):
            row.pk = old.pk
            into.change(row)
    for row in known.values():
        into.remove(row)


def _values(row: Row) -> list[Any]:
    return [getattr(row, f.attname) for f in row._meta.concrete_fields if f.attname != "id"]


def _measurement(visit: Visit, row: TargetEntry, lesions: Mapping[str, Lesion]) -> Measurement:
    return Measurement(
        patient_id=visit.patient_id,
        evaluator=visit.evaluator,
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
        evaluator=visit.evaluator,
        visit=visit,
        lesion=lesions[row.lesion],
        status=row.status or "",
        short_axis_mm=row.short_axis_mm,
        reason=row.reason,
        growth=row.growth,
    )


def _new_lesion(
    visit: Visit, row: NewLesionEntry, lesions: Mapping[str, Lesion]
) -> NewLesionStatus:
    return NewLesionStatus(
        patient_id=visit.patient_id,
        evaluator=visit.evaluator,
        visit=visit,
        lesion=lesions[row.lesion],
        certainty=row.certainty or "",
        diameter_mm=row.diameter_mm,
        method=row.method,
        growth=row.growth,
    )
