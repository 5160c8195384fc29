"""Whether an entered visit may stand in a patient's history; every refusal names its field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date as Date

from django.utils.translation import gettext as _

from outcomes.entries import LesionEntry, NewLesionEntry, NonTargetEntry, VisitEntry
from outcomes.history import History
from outcomes.methods import checks, recist
from outcomes.methods.organs import LYMPH_NODE, organ_group
from outcomes.methods.soft_checks import Check
from outcomes.models import LesionRole, Visit
from outcomes.wording import word
from patients import contradictions
from patients.gate import baseline_misdated, baseline_too_early
from patients.models import Patient
from registry.errors import Conflict, FieldError, Refused

MOST_CHARACTERS = 1000  # of a comment
PREFIXES = {"targets": "T", "non_targets": "NT", "new_lesions": "NL"}


def check(
    entry: VisitEntry, history: History, *, replaces: Visit | None = None
) -> recist.Assessment:
    """What the visit says; raises Refused (400) or Conflict (409) unless it may be stored."""
    said = history.assessed(entry, entry.date or Date.min)
    errors = [*entry.unanswered(), *problems(entry, said, history, replaces=replaces)]
    if errors:
        raise Refused(errors)
    if contradictions := list(conflicts(entry, history, replaces=replaces)):
        raise Conflict(contradictions)
    return said


def problems(
    entry: VisitEntry,
    said: recist.Assessment,
    history: History,
    *,
    replaces: Visit | None = None,
) -> Iterator[FieldError]:
    """What contradicts the rules, complete or not: the preview shows these too."""
    yield from _kind(entry, history, replaces)
    if entry.date:
        yield from _date(entry.date, entry, history, replaces)
    yield from _labels(entry)
    yield from _merges(entry)
    yield from _redescribed(entry, history, replaces)
    yield from _acknowledged(entry, history)
    yield from _growth(entry, history)
    if entry.baseline:
        yield from _baseline(entry, said)
    elif history.baseline:
        yield from _follow_up(entry, said, history)


def _kind(entry: VisitEntry, history: History, replaces: Visit | None) -> Iterator[FieldError]:
    was_baseline = replaces is not None and replaces.kind == Visit.Kind.BASELINE
    if replaces is not None and was_baseline != entry.baseline:
        yield FieldError("/kind", _("A baseline stays a baseline, a follow-up a follow-up."))
    elif not entry.baseline and history.baseline is None:
        yield FieldError("/kind", _("Record the baseline first."))
    if entry.baseline and entry.stated_response:
        yield FieldError("/stated_response", _("A baseline has no response."))


def _date(
    on: Date, entry: VisitEntry, history: History, replaces: Visit | None
) -> Iterator[FieldError]:
    patient, today = history.patient, history.patient.site.today()
    others = [visit for visit in history.visits if visit != replaces]
    if on > today:
        yield FieldError(
            "/date", _("In the future at the site; at the latest today, %s.") % today.isoformat()
        )
    if patient.birth_year and on.year < patient.birth_year or on.year < 1900:
        yield FieldError("/date", _("Before the patient's birth."))
    if patient.died_on and on > patient.died_on and not history.reviewed:
        yield FieldError("/date", _("After the patient's death on %s.") % patient.died_on)
    if not entry.baseline and history.baseline and on < history.baseline.date:
        yield FieldError("/date", _("Before the baseline of %s.") % history.baseline.date)
    theirs = history.baseline
    if entry.baseline and theirs in (None, replaces) and any(other.date < on for other in others):
        first = min(other.date for other in others)
        yield FieldError("/date", _("After the follow-up visit of %s.") % first)


def conflicts(
    entry: VisitEntry, history: History, *, replaces: Visit | None = None
) -> Iterator[FieldError]:
    """What contradicts the stored visits, or what closed the patient's record.

    An independent reviewer is blinded to what became of the patient, so no refusal tells of it.
    """
    others = [visit for visit in history.visits if visit != replaces]
    if not history.reviewed:
        yield from _with_the_record(entry, history.patient, replaces)
    if entry.baseline and any(other.kind == Visit.Kind.BASELINE for other in others):
        yield FieldError("/kind", _("There is a baseline already; correct that one."))
    elif any(other.date == entry.date for other in others):
        yield FieldError(
            "/date", _("There is a visit on %s already; correct that one.") % entry.date
        )
    if entry.baseline and len(history.visits) > 1:
        yield from _removed(entry, history)


def _with_the_record(
    entry: VisitEntry, patient: Patient, replaces: Visit | None
) -> Iterator[FieldError]:
    yield from contradictions.after_closing(patient, {"date": entry.date})
    if entry.baseline and replaces is None:
        yield from baseline_too_early(patient)
    if entry.baseline and entry.date and (replaces is None or entry.date != replaces.date):
        yield from baseline_misdated(patient, entry.date)


def _removed(entry: VisitEntry, history: History) -> Iterator[FieldError]:
    for path, role, rows in (
        ("/targets", LesionRole.TARGET, entry.targets),
        ("/non_targets", LesionRole.NON_TARGET, entry.non_targets),
    ):
        missing = {lesion.label for lesion in history.of_role(role)} - {r.lesion for r in rows}
        for label in sorted(missing):
            yield FieldError(path, _("%s is used by later visits and must stay.") % label)


def _labels(entry: VisitEntry) -> Iterator[FieldError]:
    lists: tuple[tuple[str, Iterable[LesionEntry]], ...] = (
        ("targets", entry.targets),
        ("non_targets", entry.non_targets),
        ("new_lesions", entry.new_lesions or ()),
    )
    for name, rows in lists:
        seen: set[str] = set()
        for index, row in enumerate(rows):
            if not re.fullmatch(PREFIXES[name] + r"(?!00)\d{2}", row.lesion, re.ASCII):
                detail = _("A label such as %s.") % f"{PREFIXES[name]}01"
                yield FieldError(f"/{name}/{index}/lesion", detail)
            elif row.lesion in seen and (entry.baseline or name == "new_lesions"):
                yield FieldError(f"/{name}/{index}/lesion", _("%s is listed twice.") % row.lesion)
            if entry.baseline and not row.organ.strip():
                yield FieldError(f"/{name}/{index}/organ", _("Name the organ."))
            if not row.nodal and organ_group(row.organ) == LYMPH_NODE:
                detail = _(
                    "A lymph node is nodal, measured by its short axis: true, or leave it out."
                )
                yield FieldError(f"/{name}/{index}/nodal", detail)
            seen.add(row.lesion)


def _redescribed(
    entry: VisitEntry, history: History, replaces: Visit | None
) -> Iterator[FieldError]:
    """A new lesion is described where it is first seen; another one needs another label."""
    for index, row in enumerate(entry.new_lesions or ()):
        known, first = history.lesions.get(row.lesion), _first_seen(row.lesion, history)
        if known is None or first in (None, replaces) or not row.organ.strip():
            continue
        if row.organ.strip().casefold() != known.organ.casefold():
            detail = _("%(label)s is %(organ)s; another lesion needs another label.")
            said = detail % {"label": row.lesion, "organ": known.place}
            yield FieldError(f"/new_lesions/{index}/organ", said)


def _first_seen(label: str, history: History) -> Visit | None:
    """The visit where a new lesion was first listed."""
    seen = history.assessments
    return next(
        (v for v in history.visits if any(n.lesion == label for n in seen[v.date].new_lesions)),
        None,
    )


def _merges(entry: VisitEntry) -> Iterator[FieldError]:
    states = {row.lesion: row.state for row in entry.targets}
    for index, row in enumerate(entry.targets):
        path = f"/targets/{index}/merged_into"
        if row.merged_into and row.state != recist.TargetState.MERGED:
            yield FieldError(path, _("Only a merged lesion names another."))
        elif row.merged_into and states.get(row.merged_into) != recist.TargetState.MEASURED:
            yield FieldError(path, _("Name a target that is measured at this visit."))
        if row.fragments_mm and row.state != recist.TargetState.MEASURED:
            yield FieldError(
                f"/targets/{index}/fragments_mm", _("Only a measured lesion is split.")
            )


def _acknowledged(entry: VisitEntry, history: History) -> Iterator[FieldError]:
    """Acknowledgements name a check and a lesion that there are; whether it was asked is open."""
    rows = (*entry.targets, *entry.non_targets, *(entry.new_lesions or ()))
    labels = {"", *history.lesions, *(row.lesion for row in rows)}
    for index, said in enumerate(entry.acknowledged):
        here = f"/acknowledged/{index}"
        if said.code not in list(Check):
            yield FieldError(f"{here}/code", _("One of: %s.") % ", ".join(Check))
        if said.lesion not in labels:
            detail = _("A lesion of this visit, or blank for the visit as a whole.")
            yield FieldError(f"{here}/lesion", detail)
        if len(said.comment) > MOST_CHARACTERS:
            detail = _("At most %s characters.") % MOST_CHARACTERS
            yield FieldError(f"{here}/comment", detail)


def _growth(entry: VisitEntry, history: History) -> Iterator[FieldError]:
    """Growth is said at a follow-up visit of a trial that uses iRECIST; elsewhere nothing reads it."""
    lists: tuple[tuple[str, Iterable[NonTargetEntry | NewLesionEntry]], ...] = (
        ("non_targets", entry.non_targets),
        ("new_lesions", entry.new_lesions or ()),
    )
    said = [
        f"/{name}/{i}/growth" for name, rows in lists for i, row in enumerate(rows) if row.growth
    ]
    if said and (entry.baseline or not history.patient.trial.irecist):
        detail = _("Only follow-up visits of trials that use iRECIST say this; leave it out.")
        yield from (FieldError(pointer, detail) for pointer in said)


def _baseline(entry: VisitEntry, said: recist.Assessment) -> Iterator[FieldError]:
    if entry.new_lesions:
        yield FieldError("/new_lesions", _("A baseline has no new lesions."))
    for index, row in enumerate(entry.non_targets):
        if row.status not in (None, recist.NonTargetState.PRESENT):
            yield FieldError(f"/non_targets/{index}/status", _("At baseline a lesion is present."))
    for problem in checks.check_baseline(said):
        yield FieldError(as_entered(problem.pointer, entry), word(problem.reason))


def _follow_up(
    entry: VisitEntry, said: recist.Assessment, history: History
) -> Iterator[FieldError]:
    found = checks.check_follow_up(
        said,
        [lesion.label for lesion in history.of_role(LesionRole.TARGET)],
        [lesion.label for lesion in history.of_role(LesionRole.NON_TARGET)],
    )
    incomplete = {row.lesion for row in (*entry.targets, *entry.non_targets)}
    for problem in found:
        if (
            problem.reason.parameters.get("lesion") in incomplete
            and problem.pointer.count("/") == 1
        ):
            continue  # listed, but its row says nothing yet: `unanswered` names the field
        yield FieldError(as_entered(problem.pointer, entry), word(problem.reason))


def as_entered(pointer: str, entry: VisitEntry) -> str:
    """A pointer into the assessment, as a pointer into the entry: incomplete rows count here."""
    parts = pointer.split("/")
    if len(parts) < 3:
        return pointer
    said: list[int] = []
    if parts[1] == "targets":
        said = [index for index, row in enumerate(entry.targets) if row.says_something]
    elif parts[1] == "non_targets":
        said = [index for index, row in enumerate(entry.non_targets) if row.says_something]
    elif parts[1] == "new_lesions":
        said = [index for index, row in enumerate(entry.new_lesions or ()) if row.certainty]
    position = int(parts[2])
    parts[2] = str(said[position] if position < len(said) else position)
    return "/".join(parts)
