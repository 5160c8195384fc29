"""What the inputs of a frozen analysis would be today, and where they are others.

Only what the data cutoff admits is compared: a visit after it decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date as Date
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from outcomes import analyses, canonical
from outcomes.analyses.inputs import Inputs
from outcomes.methods.best_response import Record
from outcomes.methods.safety import Event
from outcomes.methods.time_to_event import Source, TherapyStart
from outcomes.models import Analysis
from outcomes.queries import PatientFacts, blind
from outcomes.report import Declared, Report
from outcomes.safety import Subject
from patients.exposure import Given, Plan

if TYPE_CHECKING:
    from registry.models import User

# Columns of the trial that decide figures, or how they may be shown.
PARAMETERS = (
    "assessment_interval_days", "assessment_window_days", "baseline_window_days", "masking",
    "response_criteria", "enrollment_target", "ae_window_days", "ctcae_version",
)  # fmt: skip
# What facts hold beside a patient's own values: told visit by visit, or following from the rest.
COMPOUND = ("id", "subject_id", "dates", "history", "sums", "arm_id", "arm_type", "blinded")
PROOFS_OF_LIFE = ("last_dose_on", "last_known_alive_on", "died_on")
Told = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One value that is another today; `source` is the record that holds it.

    Values are words, numbers or dates, and of a visit or a therapy what it tells in brief; None
    where there was, or is, nothing.
    """

    patient: int
    subject_id: str
    field: str
    stored: Any
    today: Any
    source: Source | None = None


@dataclass(frozen=True)
class Changes:
    """What moved since an analysis was frozen, and the same report of today's data."""

    added: tuple[PatientFacts, ...]
    removed: tuple[PatientFacts, ...]
    changed: tuple[Change, ...]
    parameters: tuple[tuple[str, Any, Any], ...]
    definitions: tuple[tuple[str, str, Told | None, Told | None], ...]
    stored: Report
    today: Report

    @property
    def nothing(self) -> bool:
        """Whether the same inputs would be frozen today."""
        lists = (self.added, self.removed, self.changed, self.parameters, self.definitions)
        return not any(lists)


def changes(analysis: Analysis, *, by: User) -> Changes | None:
    """Compare with all that is known today; None where the stored inputs cannot be read.

    Of an analysis without arms today's arms stay out too.
    """
    try:
        stored = Inputs.parse(analysis.inputs)
    except ValidationError:
        return None
    options = replace(stored.options, known_on=None)
    today = analyses.inputs_now(analysis.trial, by=by, options=options)
    if analysis.blinded:
        today = replace(today, patients=tuple(map(blind, today.patients)))
    before, now = _known(stored), _known(today)
    return Changes(
        added=tuple(now[pk] for pk in now if pk not in before),
        removed=tuple(before[pk] for pk in before if pk not in now),
        changed=(
            *(c for pk in before if pk in now for c in _moved(before[pk], now[pk])),
            *_conduct(stored, today),
        ),
        parameters=tuple(_parameters(stored.trial, today.trial)),
        definitions=tuple(_definitions(stored.endpoints, today.endpoints)),
        stored=stored.report(),
        today=today.report(),
    )


def _known(inputs: Inputs) -> dict[int, PatientFacts]:
    """The patients of whom the cutoff knows anything, with what it knows."""
    cutoff = inputs.options.cutoff
    cut = [_until(patient, cutoff) for patient in inputs.patients]
    return {one.id: one for one in cut if any(one.dates.values()) or one.history.records}


def _until(patient: PatientFacts, cutoff: Date) -> PatientFacts:
    """Without what came after the cutoff; later proof of life proves life on the cutoff."""
    history = patient.history
    records = tuple(record for record in history.records if record.date <= cutoff)
    visits = {record.source for record in records}
    therapies = tuple(therapy for therapy in history.therapies if therapy.date <= cutoff)
    dates = {name: _by(name, on, cutoff) for name, on in patient.dates.items()}
    return replace(
        patient,
        dates=dates,
        sums=[one for one in patient.sums if one[0] in visits],
        history=replace(history, records=records, therapies=therapies),
    )


def _by(name: str, on: Date | None, cutoff: Date) -> Date | None:
    if on is None or on <= cutoff:
        return on
    return cutoff if name in PROOFS_OF_LIFE[:2] else None


def _moved(stored: PatientFacts, today: PatientFacts) -> Iterator[Change]:
    told = [*_own(stored, today), *_dates(stored, today)]
    for field, one, other in told:
        yield Change(today.id, today.subject_id, field, one, other)
    yield from _records(stored, today, "visit", _visits)
    yield from _records(stored, today, "therapy", _therapies)


def _own(stored: PatientFacts, today: PatientFacts) -> Iterator[tuple[str, Any, Any]]:
    """Each value of the patient's own, whichever the facts have."""
    names = [field.name for field in fields(today) if field.name not in COMPOUND]
    for name in names:
        if getattr(stored, name) != getattr(today, name):
            yield name, getattr(stored, name), getattr(today, name)
    if stored.subject_id != today.subject_id:
        yield "subject_id", stored.subject_id, today.subject_id
    if stored.history.has_baseline != today.history.has_baseline:
        yield "has_baseline", stored.history.has_baseline, today.history.has_baseline


def _dates(stored: PatientFacts, today: PatientFacts) -> Iterator[tuple[str, Any, Any]]:
    for name in {**stored.dates, **today.dates}:
        one, other = stored.dates.get(name), today.dates.get(name)
        if one != other:
            yield name, one, other


def _records(
    stored: PatientFacts,
    today: PatientFacts,
    record: str,
    told: Callable[[PatientFacts], Mapping[int | None, Told]],
) -> Iterator[Change]:
    before, now = told(stored), told(today)
    for pk in [*before, *(pk for pk in now if pk not in before)]:
        if before.get(pk) != now.get(pk):
            source = Source(record, pk, "")
            one, other = before.get(pk), now.get(pk)
            yield Change(today.id, today.subject_id, record, one, other, source)


def _visits(patient: PatientFacts) -> Mapping[int | None, Told]:
    """Each assessment by its id: what the endpoints see of it."""
    sums = {visit: {"sum_mm": str(mm), "baseline_sum_mm": str(b)} for visit, mm, b in patient.sums}
    return {r.source: _visit(r) | sums.get(r.source or 0, {}) for r in patient.history.records}


def _visit(record: Record) -> dict[str, Any]:
    told: dict[str, Any] = {"date": record.date.isoformat(), "response": str(record.response)}
    lesions = {"unequivocal": record.unequivocal, "equivocal": record.equivocal}
    return told | {name: ", ".join(sorted(labels)) for name, labels in lesions.items() if labels}


def _therapies(patient: PatientFacts) -> Mapping[int | None, Told]:
    return {one.source.id: _therapy(one) for one in patient.history.therapies}


def _therapy(one: TherapyStart) -> dict[str, Any]:
    return {"date": one.date.isoformat(), "kind": str(one.kind)}


def _conduct(stored: Inputs, today: Inputs) -> Iterator[Change]:
    """Adverse events and doses of the patients who are in both; of older inputs nothing is known."""
    if stored.safety is None or today.safety is None:
        return
    before, now = stored.safety, today.safety
    earlier = {one.id: one for one in before.subjects}
    told = [(name, of(stored), of(today)) for name, of in (("doses", _doses), ("plan", _plans))]
    for one in now.subjects:
        if one.id not in earlier:
            continue
        past, events = _events(earlier[one.id], stored), _events(one, today)
        for pk in dict.fromkeys([*past, *events]):
            if past.get(pk) != events.get(pk):
                told_of = (past.get(pk), events.get(pk), Source("adverse_event", pk, ""))
                yield Change(one.id, one.subject_id, "adverse_event", *told_of)
        for name, was, found in told:
            if was.get(one.id) != found.get(one.id):
                yield Change(one.id, one.subject_id, name, was.get(one.id), found.get(one.id))


def _events(subject: Subject, inputs: Inputs) -> Mapping[int, Told]:
    """Each adverse event up to the cutoff by its id."""
    return {
        event.id: _event(event)
        for event in subject.person.events
        if event.started_on <= inputs.options.cutoff
    }


def _event(event: Event) -> dict[str, Any]:
    told = {"date": event.started_on.isoformat(), "term": event.term, "grade": event.grade}
    told |= {"related": event.related, "serious": event.serious}
    return told | ({"action": event.action} if event.action else {})


def _doses(inputs: Inputs) -> Mapping[int, str]:
    """What each patient was given up to the cutoff; no drug is named, as it might tell an arm."""
    found: dict[int, list[str]] = {}
    for row in inputs.safety.doses if inputs.safety else ():
        given = [one for one in row.given if one.started_on <= inputs.options.cutoff]
        found.setdefault(row.patient_id, []).extend(map(_given, given))
    return {pk: "; ".join(sorted(doses)) for pk, doses in found.items() if doses}


def _plans(inputs: Inputs) -> Mapping[int, str]:
    """What was planned of the drugs that each patient was given, by that number of days."""
    found: dict[int, set[str]] = {}
    for row in inputs.safety.doses if inputs.safety else ():
        if row.plan:
            found.setdefault(row.patient_id, set()).add(_planned(row.plan))
    return {pk: "; ".join(sorted(plans)) for pk, plans in found.items()}


def _planned(plan: Plan) -> str:
    days = ",".join(map(str, plan.days_on)) or "…"
    return f"{plan.dose.normalize():f} {plan.unit}, {days} / {plan.cycle_days or '…'}"


def _given(one: Given) -> str:
    ended = one.ended_on.isoformat() if one.ended_on else "…"
    return f"{one.started_on.isoformat()} – {ended}: {one.dose.normalize():f} {one.unit}"


def _parameters(stored: Told, today: Told) -> Iterator[tuple[str, Any, Any]]:
    for name in PARAMETERS:
        if stored.get(name) != today[name]:
            yield name, stored.get(name), today[name]


def _definitions(
    stored: Iterable[Declared], today: Iterable[Declared]
) -> Iterator[tuple[str, str, Told | None, Told | None]]:
    """Endpoints whose definition is another, that are new or that are gone."""
    before = {(e.kind, e.name): e.definition.as_document() for e in stored}
    now = {(e.kind, e.name): e.definition.as_document() for e in today}
    for kind, name in [*before, *(key for key in now if key not in before)]:
        one, other = before.get((kind, name)), now.get((kind, name))
        if canonical.text(one) != canonical.text(other):
            yield kind, name, one, other
