"""What each kind of imported line does: its shape, what it speaks of, and how a chunk is stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from outcomes import edits, history
from outcomes.data_queries.questions import Asked, Questions, asked_of
from outcomes.entries import Acknowledgement
from outcomes.history import History
from outcomes.models import INVESTIGATOR, Visit
from outcomes.serializers import VisitLine, entry
from patients import contradictions, ctcae
from patients import edits as patient_edits
from patients.checks import adverse_event_errors, deviation_errors, therapy_errors
from patients.models import (
    ADVERSE_EVENT_KEY,
    DEVIATION_KEY,
    THERAPY_KEY,
    AdverseEvent,
    Deviation,
    Patient,
    Therapy,
)
from patients.screening_serializers import DeviationLine
from patients.serializers import AdverseEventLine, PatientLine, TherapyLine
from registry.changes import Changes
from registry.errors import Conflict, FieldError, Refused
from registry.rest import StrictSerializer
from trials.models import Trial

if TYPE_CHECKING:
    from registry.models import User

Key = tuple[Any, ...]
Imports = type[Therapy] | type[AdverseEvent] | type[Deviation]
KEYS: Mapping[Imports, tuple[str, ...]] = {
    Therapy: THERAPY_KEY,
    AdverseEvent: ADVERSE_EVENT_KEY,
    Deviation: DEVIATION_KEY,  # of those without a criterion, which alone are imported
}
Attribute = Callable[[str], None]  # names the reason of the rows that are stored next
RECORDS = ("patient", "visit", "therapy", "adverse_event", "deviation")  # stored in this order
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

    def store(self, chunk: Sequence[Line], attribute: Attribute) -> Imported:
        """Store lines of different keys, each run of one reason under it; what they did."""

    def settle(self) -> Imported:
        """What is wrong with lines once all of them are stored."""


def kinds(trial: Trial, refused: set[str], asking: User | None) -> dict[str, Kind]:
    """The `RECORDS` in the order in which they are stored, whatever the file's.

    `refused` holds the subject ids whose patient or baseline was refused: to say of their other
    lines that these are missing would bury the error itself. `asking` as in `VisitLines`.
    """
    found: tuple[Kind, ...] = (
        PatientLines(trial, refused),
        VisitLines(trial, refused, asking),
        RecordLines(RECORDS[2], trial, refused, Therapy, TherapyLine(), therapy_errors),
        RecordLines(
            RECORDS[3], trial, refused, AdverseEvent, AdverseEventLine(), adverse_event_errors
        ),
        RecordLines(RECORDS[4], trial, refused, Deviation, DeviationLine(), deviation_errors),
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

    def store(self, chunk: Sequence[Line], attribute: Attribute) -> Imported:
        """Enroll or amend patients."""
        done = Imported()
        stored = {patient.subject_id: patient for patient in _locked(self.trial, chunk)}
        for reason, lines in _by_reason(chunk):
            into = patient_edits.changes()
            for line in lines:
                if not done.note(self.name, line, partial(self._put, stored=stored, into=into)):
                    self.refused.add(line.subject_id)
            attribute(reason)
            into.store()
        return done

    def settle(self) -> Imported:
        """Nothing more."""
        return Imported()

    def _put(self, line: Line, *, stored: Mapping[str, Patient], into: Changes) -> str:
        facts = {k: v for k, v in line.values.items() if k not in ("trial", "subject_id")}
        patient = stored.get(line.subject_id)
        if patient is None:
            arm = facts.pop("arm", None)
            patient = Patient(trial=self.trial, subject_id=line.subject_id, **facts)
            patient_edits.enroll(patient, arm, into)
            return CREATED
        if patient.voided_at:
            raise Conflict([FieldError("/subject_id", _("This patient was voided."))])
        if self.trial.masked:  # no answer may depend on the arm that is stored
            facts.pop("arm", None)
        return _outcome(line, differs=patient_edits.amend(patient, facts, into))


class VisitLines:
    """Visits, by patient and date; a line says the whole visit.

    What is unusual in them opens queries in the name of `asking`, none where that is None.
    """

    name = "visit"

    def __init__(
        self,
        trial: Trial,
        refused: set[str],
        asking: User | None,
        among: QuerySet[Patient] | None = None,
    ) -> None:
        self.trial = trial
        self.refused = refused
        self.asking = asking
        self.among = among  # the patients whose visits may be written; None for all
        self.shape = VisitLine()
        self.stated: dict[int, int] = {}  # visits that state a response, and their lines

    def key(self, line: Line) -> Key:
        """The patient and the date."""
        return (line.subject_id, line.values["date"])

    def store(self, chunk: Sequence[Line], attribute: Attribute) -> Imported:
        """Record or correct visits, then derive the histories that changed."""
        done, patients = Imported(), _active(self.trial, chunk, self.among)
        histories = history.load_all(list(patients.values()))
        voided = _voided_visits(patients)
        for reason, lines in _by_reason(chunk):
            into, put = edits.changes(), []
            written: set[Key] = set()
            before = self._asked(lines, patients, histories)
            for line in lines:
                if line.subject_id not in self.refused:
                    visit = partial(self._put, patients=patients, histories=histories,
                                    voided=voided, into=into, written=written)  # fmt: skip
                    if done.note(self.name, line, visit):
                        put.append(line)
                    elif line.values["kind"] == Visit.Kind.BASELINE:
                        self.refused.add(line.subject_id)
            for subject_id in {line.subject_id for line in put}:
                edits.derive(histories[patients[subject_id].pk], into)
            attribute(reason)
            into.store()
            self._remember(put, patients, histories)
            put = [line for line in put if self.key(line) in written]
            self._ask(put, before, patients, histories)
        return done

    def _asked(
        self,
        lines: Iterable[Line],
        patients: Mapping[str, Patient],
        histories: Mapping[int, History],
    ) -> dict[int, Asked]:
        """What the checks ask of the lines' patients before these are written, by patient."""
        if self.asking is None:
            return {}
        found = {patients[line.subject_id].pk for line in lines if line.subject_id in patients}
        return {pk: asked_of(histories[pk]) for pk in found}

    def _ask(
        self,
        lines: Sequence[Line],
        before: Mapping[int, Asked],
        patients: Mapping[str, Patient],
        histories: Mapping[int, History],
    ) -> None:
        """Open queries for what is unusual in the visits that these lines wrote."""
        if self.asking is None or not lines:
            return
        said: dict[Patient, dict[int, Sequence[Acknowledgement]]] = defaultdict(dict)
        for line in lines:
            patient = patients[line.subject_id]
            if visit := _on(histories[patient.pk], line.values["date"]):
                said[patient][visit.pk] = entry(line.values).acknowledged
        asked = Questions(said, by=self.asking)
        for patient, saved in said.items():
            asked.review(histories[patient.pk], before[patient.pk], saved, self.stated)
        asked.store()

    def _put(
        self,
        line: Line,
        *,
        patients: Mapping[str, Patient],
        histories: Mapping[int, History],
        voided: Collection[Key],
        into: Changes,
        written: set[Key],
    ) -> str:
        patient = _patient(line, patients)
        past, said = histories[patient.pk], entry(line.values)
        if (stored := _on(past, said.date)) is not None:
            outcome = _outcome(line, differs=edits.correct(past, stored, said, into))
        else:
            _require_reason_to_return(line, (patient.pk, said.date) in voided)
            edits.record(past, said, into)
            outcome = CREATED
        if outcome != UNCHANGED:
            written.add(self.key(line))
        return outcome

    def _remember(
        self,
        lines: Iterable[Line],
        patients: Mapping[str, Patient],
        histories: Mapping[int, History],
    ) -> None:
        for line in lines:
            visit = _on(histories[patients[line.subject_id].pk], line.values["date"])
            if visit and visit.stated_response and not visit.stated_response_reason:
                self.stated[visit.pk] = line.number

    def settle(self) -> Imported:
        """Stated responses that differ without a reason: later lines may change what is derived."""
        done = Imported()
        numbers = list(self.stated)
        for first in range(0, len(numbers), 500):
            for visit in Visit.objects.filter(pk__in=numbers[first : first + 500]):
                said = (visit.stated_response, "", visit.overall_response)
                done.refuse(self.stated[visit.pk], edits.unexplained(*said))
        return done


def _on(past: History, date: object) -> Visit | None:
    return next((visit for visit in past.visits if visit.date == date), None)


def _voided_visits(patients: Mapping[str, Patient]) -> set[Key]:
    rows = Visit.objects.filter(patient__in=patients.values(), evaluator=INVESTIGATOR)
    rows = rows.exclude(voided_at=None)
    return set(rows.values_list("patient_id", "date"))


class RecordLines:
    """Therapies, adverse events or deviations, by their key; a line says the whole record."""

    def __init__(
        self,
        name: str,
        trial: Trial,
        refused: set[str],
        model: Imports,
        shape: StrictSerializer,
        errors: Callable[[Any], Iterable[FieldError]],
    ) -> None:
        self.trial = trial
        self.refused = refused
        self.name = name
        self.model: Any = model
        self.named_by = KEYS[model]
        self.shape = shape
        self.errors = errors

    def key(self, line: Line) -> Key:
        """What tells one record of a patient from another."""
        values = self._values(line)
        return (line.subject_id, *(values[name] for name in self.named_by[1:]))

    def _values(self, line: Line) -> dict[str, Any]:
        """What a line says, an adverse event by its English term."""
        values = dict(line.values)
        if "term" in values:
            values["term"] = ctcae.as_stored(values["term"], self.trial.ctcae_version)
        return values

    def store(self, chunk: Sequence[Line], attribute: Attribute) -> Imported:
        """Record or correct these records."""
        done, patients = Imported(), _active(self.trial, chunk)
        stored = self._stored(patients)
        for reason, lines in _by_reason(chunk):
            into = patient_edits.changes()
            for line in lines:
                if line.subject_id not in self.refused:
                    put = partial(self._put, patients=patients, stored=stored, into=into)
                    done.note(self.name, line, put)
            attribute(reason)
            into.store()
        return done

    def settle(self) -> Imported:
        """Nothing more."""
        return Imported()

    def _stored(self, patients: Mapping[str, Patient]) -> dict[Key, Any]:
        """The patients' records by key; a voided one where there is no other."""
        rows: QuerySet[Any] = self.model.objects.filter(patient__in=patients.values())
        ordered = sorted(rows, key=lambda row: row.voided_at is None)
        return {tuple(getattr(row, name) for name in self.named_by): row for row in ordered}

    def _put(
        self,
        line: Line,
        *,
        patients: Mapping[str, Patient],
        stored: Mapping[Key, Any],
        into: Changes,
    ) -> str:
        facts = {**self._values(line), "patient": _patient(line, patients)}
        row = stored.get(tuple(facts[name] for name in self.named_by))
        if row and row.voided_at:
            _require_reason_to_return(line, True)
            row = None
        differs = row is None or any(getattr(row, n) != v for n, v in facts.items())
        row = row or self.model()
        for name, value in facts.items():
            setattr(row, name, value)
        if errors := list(self.errors(row)):
            raise Refused(errors)
        contradictions.require_none(row)
        if row.pk is None:
            into.add(row)
            return CREATED
        if differs:
            into.change(row)
        return _outcome(line, differs=differs)


def _locked(
    trial: Trial, chunk: Sequence[Line], among: QuerySet[Patient] | None = None
) -> Iterable[Patient]:
    """The stored patients of these lines, voided ones too; nobody else writes of them meanwhile."""
    rows = Patient.objects.all() if among is None else among
    rows = rows.filter(trial=trial, subject_id__in={line.subject_id for line in chunk})
    related = rows.select_related("trial", "site", "allocation__arm")
    related = related.prefetch_related(contradictions.closings())
    return related.select_for_update(of=("self",)).order_by("pk")


def _active(
    trial: Trial, chunk: Sequence[Line], among: QuerySet[Patient] | None = None
) -> dict[str, Patient]:
    return {p.subject_id: p for p in _locked(trial, chunk, among) if not p.voided_at}


def _patient(line: Line, patients: Mapping[str, Patient]) -> Patient:
    patient = patients.get(line.subject_id)
    if patient is None:
        detail = _("No patient of this trial has this subject id.")
        raise Refused([FieldError("/patient", detail)])
    return patient


def _by_reason(chunk: Sequence[Line]) -> Iterator[tuple[str, list[Line]]]:
    """The lines in their order, in runs of one reason."""
    for reason, lines in groupby(chunk, key=attrgetter("reason")):
        yield reason, list(lines)


def _require_reason_to_return(line: Line, voided: bool) -> None:
    """Who voided a record had a reason; a file that was sent before it does not undo that."""
    if voided and not line.reason:
        detail = _("This record was voided; say why it comes back, in 1 to 500 characters.")
        raise Refused([FieldError("/reason", detail)])


def _outcome(line: Line, *, differs: bool) -> str:
    """Unchanged, or updated; a line that changes a stored row says why."""
    if not differs:
        return UNCHANGED
    if not line.reason:
        detail = _("This changes what is stored; say why, in 1 to 500 characters.")
        raise Refused([FieldError("/reason", detail)])
    return UPDATED
