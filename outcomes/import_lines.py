"""What each kind of imported line does: its shape, what it speaks of, and how a chunk is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from django.utils.translation import gettext as _

from outcomes import edits, history
from outcomes.history import History
from outcomes.models import Visit
from outcomes.serializers import VisitLine, entry
from patients import edits as patient_edits
from patients.checks import adverse_event_errors, therapy_errors
from patients.models import AdverseEvent, Patient, Therapy
from patients.serializers import AdverseEventLine, PatientLine, TherapyLine
from registry.changes import Changes
from registry.errors import Conflict, FieldError, Refused
from registry.rest import StrictSerializer
from trials.models import Trial

Key = tuple[Any, ...]
RECORDS = ("patient", "visit", "therapy", "adverse_event")  # stored in this order
CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


@dataclass(frozen=True)
class Line:
    """A line of the right shape: where it stands, what it says, and why it changes a stored row."""

    number: int
    subject_id: str
    values: Mapping[str, Any]
    reason: str


@dataclass
class Imported:
    """Rows per record type that were created, updated or left as they are; or the errors."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (outcome, record type)
    errors: list[FieldError] = field(default_factory=list)

    def add(self, other: Imported) -> None:
        """Count another part of the file."""
        self.counts += other.counts
        self.errors += other.errors

    def refuse(self, line: int, errors: Iterable[FieldError]) -> None:
        """Note what is wrong with a line."""
        self.errors += [replace(error, line=line) for error in errors]

    def note(self, kind: str, line: Line, put: Callable[[Line], str]) -> bool:
        """Put a line, and note what that did or what is wrong with it; whether it was taken."""
        try:
            self.counts[put(line), kind] += 1
        except Refused as refused:
            self.refuse(line.number, refused.errors)
            return False
        return True


class Kind(Protocol):
    """A record type of the import."""

    @property
    def name(self) -> str:
        """What a line's `record` says."""

    @property
    def shape(self) -> StrictSerializer:
        """The serializer of its lines; one for all of them, since making one takes a millisecond."""

    def key(self, line: Line) -> Key:
        """What a line speaks of: two lines of one key are not stored together."""

    def store(self, chunk: Sequence[Line]) -> Imported:
        """Store lines of different keys and one reason; what they did, or what is wrong."""


def kinds(trial: Trial, refused: set[str]) -> dict[str, Kind]:
    """The `RECORDS` in the order in which they are stored, whatever the file's.

    `refused` holds the subject ids whose patient or baseline was refused: to say of their other
    lines that these are missing would bury the error itself.
    """
    found: tuple[Kind, ...] = (
        PatientLines(trial, refused),
        VisitLines(trial, refused),
        RecordLines(RECORDS[2], trial, refused, Therapy, TherapyLine(), therapy_errors),
        RecordLines(
            RECORDS[3], trial, refused, AdverseEvent, AdverseEventLine(), adverse_event_errors
        ),
    )
    return dict(zip(RECORDS, found, strict=True))


class PatientLines:
    """Patients, by subject id; keys that a line leaves out stay as they are."""

    name = "patient"

    def __init__(self, trial: Trial, refused: set[str]) -> None:
        self.trial = trial
        self.refused = refused
        self.shape = PatientLine(context={"trial": trial})

    def key(self, line: Line) -> Key:
        """The subject id."""
        return (line.subject_id,)

    def store(self, chunk: Sequence[Line]) -> Imported:
        """Enroll or amend patients."""
        done, into = Imported(), patient_edits.changes()
        stored = {patient.subject_id: patient for patient in _locked(self.trial, chunk)}
        for line in chunk:
            if not done.note(self.name, line, lambda line: self._put(line, stored, into)):
                self.refused.add(line.subject_id)
        into.store()
        return done

    def _put(self, line: Line, stored: Mapping[str, Patient], into: Changes) -> str:
        facts = {k: v for k, v in line.values.items() if k not in ("trial", "subject_id")}
        patient = stored.get(line.subject_id)
        if patient is None:
            arm = facts.pop("arm", None)
            patient = Patient(trial=self.trial, subject_id=line.subject_id, **facts)
            patient_edits.enroll(patient, arm, into)
            return CREATED
        if patient.voided_at:
            raise Conflict([FieldError("/subject_id", _("This patient was voided."))])
        return _outcome(line, differs=patient_edits.amend(patient, facts, into))


class VisitLines:
    """Visits, by patient and date; a line says the whole visit."""

    name = "visit"

    def __init__(self, trial: Trial, refused: set[str]) -> None:
        self.trial = trial
        self.refused = refused
        self.shape = VisitLine()

    def key(self, line: Line) -> Key:
        """The patient and the date."""
        return (line.subject_id, line.values["date"])

    def store(self, chunk: Sequence[Line]) -> Imported:
        """Record or correct visits, then derive every history once."""
        done, into = Imported(), edits.changes()
        patients = _active(self.trial, chunk)
        histories = history.load_all(list(patients.values()))
        for line in chunk:
            if line.subject_id in self.refused:
                continue
            taken = done.note(
                self.name, line, lambda line: _put_visit(line, patients, histories, into)
            )
            if not taken and line.values["kind"] == Visit.Kind.BASELINE:
                self.refused.add(line.subject_id)
        for past in histories.values():
            edits.derive(past, into)
        for line in chunk:
            done.refuse(line.number, _unexplained(line, patients, histories))
        into.store()
        return done


def _put_visit(
    line: Line, patients: Mapping[str, Patient], histories: Mapping[int, History], into: Changes
) -> str:
    past = histories[_patient(line, patients).pk]
    said = entry(line.values)
    if (stored := _on(past, said.date)) is None:
        edits.record(past, said, into)
        return CREATED
    return _outcome(line, differs=edits.correct(past, stored, said, into))


def _on(past: History, date: object) -> Visit | None:
    return next((visit for visit in past.visits if visit.date == date), None)


def _unexplained(
    line: Line, patients: Mapping[str, Patient], histories: Mapping[int, History]
) -> Iterator[FieldError]:
    patient = patients.get(line.subject_id)
    visit = _on(histories[patient.pk], line.values["date"]) if patient else None
    if visit:
        said = (visit.stated_response, visit.stated_response_reason, visit.overall_response)
        yield from edits.unexplained(*said)


class RecordLines:
    """Therapies or adverse events, by the key of their model; a line says the whole record."""

    def __init__(
        self,
        name: str,
        trial: Trial,
        refused: set[str],
        model: type[Therapy] | type[AdverseEvent],
        shape: StrictSerializer,
        errors: Callable[[Any], Iterable[FieldError]],
    ) -> None:
        self.trial = trial
        self.refused = refused
        self.name = name
        self.model = model
        self.shape = shape
        self.errors = errors

    def key(self, line: Line) -> Key:
        """What tells one record of a patient from another."""
        return (line.subject_id, *(line.values[name] for name in self.model.KEY[1:]))

    def store(self, chunk: Sequence[Line]) -> Imported:
        """Record or correct these records."""
        done, into = Imported(), patient_edits.changes()
        patients = _active(self.trial, chunk)
        stored = {
            tuple(getattr(row, name) for name in self.model.KEY): row
            for row in self.model.objects.active().filter(patient__in=patients.values())
        }
        for line in chunk:
            if line.subject_id not in self.refused:
                done.note(self.name, line, lambda line: self._put(line, patients, stored, into))
        into.store()
        return done

    def _put(
        self,
        line: Line,
        patients: Mapping[str, Patient],
        stored: Mapping[Key, Therapy | AdverseEvent],
        into: Changes,
    ) -> str:
        facts = {**line.values, "patient": _patient(line, patients)}
        row = stored.get(tuple(facts[name] for name in self.model.KEY))
        differs = row is None or any(getattr(row, n) != v for n, v in facts.items())
        row = row or self.model()
        for name, value in facts.items():
            setattr(row, name, value)
        if errors := list(self.errors(row)):
            raise Refused(errors)
        if row.pk is None:
            into.add(row)
            return CREATED
        if differs:
            into.change(row)
        return _outcome(line, differs=differs)


def _locked(trial: Trial, chunk: Sequence[Line]) -> Iterable[Patient]:
    """The stored patients of these lines, voided ones too; nobody else writes of them meanwhile."""
    rows = Patient.objects.filter(trial=trial, subject_id__in={line.subject_id for line in chunk})
    related = rows.select_related("trial", "site", "allocation__arm")
    return related.select_for_update(of=("self",)).order_by("pk")


def _active(trial: Trial, chunk: Sequence[Line]) -> dict[str, Patient]:
    return {p.subject_id: p for p in _locked(trial, chunk) if not p.voided_at}


def _patient(line: Line, patients: Mapping[str, Patient]) -> Patient:
    patient = patients.get(line.subject_id)
    if patient is None:
        detail = _("No patient of this trial has this subject id.")
        raise Refused([FieldError("/patient", detail)])
    return patient


def _outcome(line: Line, *, differs: bool) -> str:
    """Unchanged, or updated; a line that changes a stored row says why."""
    if not differs:
        return UNCHANGED
    if not line.reason:
        detail = _("This changes what is stored; say why, in 1 to 500 characters.")
        raise Refused([FieldError("/reason", detail)])
    return UPDATED
