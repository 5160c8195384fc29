"""Many records at once, as lines of a file: all are stored, or none and every error is named.

The lines are read from disk in passes, patients first, and stored in chunks, so that memory does
not grow with the file. A chunk goes the way of a single record: a serializer for its shape,
`edits` for what it does, and then one statement per table.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from rest_framework import serializers

from outcomes.bulk_import.lines import RECORDS, Imported, Key, Kind, Line, VisitLines, kinds
from outcomes.bulk_import.progress import progress
from outcomes.models import ImportRun, VisitSheet
from registry import audit
from registry.errors import FieldError, Refused
from registry.ndjson import Lines
from registry.rest import decode, pointers, required_reason
from trials import access
from trials.models import Trial

if TYPE_CHECKING:
    from registry.models import User

CHUNK = 500  # lines stored together
MOST_ERRORS = 1000  # beyond that nobody reads on
IMPORTED = "imported"
NOT_SAID = ("record", "reason")  # what a line carries besides the record's own keys

BASELINE = "baseline"  # visits of this kind come before the others, wherever they stand
State = ImportRun.State
Tell = Callable[[int], None]


def import_records(
    *, trial: Trial, by: User, lines: Lines, dry_run: bool, queries: bool = True
) -> Imported:
    """Store every line, or none where one is refused or for a dry run.

    What is unusual in a visit opens a query, as for a single one; without `queries` none, for
    historical records that nobody can answer for. Raises PermissionDenied; whatever is wrong with
    a line is in the answer's errors. Others can watch: an `ImportRun` says how many are done.
    """
    access.require(by, access.Action.IMPORT, trial=trial)
    with progress(trial=trial, by=by, lines=lines.count, dry_run=dry_run) as told:
        refused: set[str] = set()
        of_each = kinds(trial, refused, asking=by if queries else None)
        job = _Import(trial, by, lines, of_each, refused)
        done = _stored(job, told.tell, dry_run=dry_run)
        told.state = State.REFUSED if done.errors else State.CHECKED if dry_run else State.STORED
    return done


def import_visits(
    *,
    trial: Trial,
    by: User,
    lines: Lines,
    visits: VisitLines,
    agreed: Callable[[Imported], bool],
    sheet: VisitSheet,
    dry_run: bool,
) -> Imported:
    """As `import_records`, of visits only, by whoever may write them: `visits` holds the bounds.

    `agreed` is asked in the transaction, when all lines are in, whether they may stay.
    """
    job = _Import(trial, by, lines, {visits.name: visits}, visits.refused)
    with progress(trial=trial, by=by, lines=lines.count, dry_run=dry_run, sheet=sheet) as told:
        done = _stored(job, told.tell, dry_run=dry_run, agreed=agreed)
        told.state = State.REFUSED if done.errors else State.CHECKED if dry_run else State.STORED
    return done


def _stored(
    job: _Import,
    tell: Tell,
    *,
    dry_run: bool,
    agreed: Callable[[Imported], bool] = lambda _done: True,
) -> Imported:
    with transaction.atomic():
        # One import of a trial at a time, and no enrollment meanwhile; whoever writes of a patient
        # that the file names waits for its end, all others do not.
        Trial.objects.select_for_update(no_key=True).get(pk=job.trial.pk)
        job.run(tell)
        if not agreed(job.done) or job.done.errors or dry_run:
            transaction.set_rollback(True)
    job.done.errors.sort(key=lambda error: error.line or 0)
    return job.done


class _Import:
    """One import under way."""

    def __init__(
        self, trial: Trial, by: User, lines: Lines, kinds: Mapping[str, Kind], refused: set[str]
    ) -> None:
        self.trial = trial
        self.by = by
        self.lines = lines
        self.done = Imported()
        self.refused = refused
        self.kinds = kinds

    def run(self, tell: Tell) -> None:
        """Read all lines once, then store them kind by kind; enough errors end it early."""
        places, told = self._places(), 0
        for name in (RECORDS[0], BASELINE, *RECORDS[1:]):
            kind = self.kinds.get("visit" if name == BASELINE else name)
            if kind is None:
                continue
            for chunk in self._chunks(kind, places[name]):
                self._store(kind, chunk)
                told += len(chunk)
                tell(told)
            self.done.add(kind.settle())

    @property
    def hopeless(self) -> bool:
        """Whether nobody would read on."""
        return len(self.done.errors) >= MOST_ERRORS

    def _places(self) -> Mapping[str, array[int]]:
        """Where the lines of each kind begin, as number and place in turn: 16 bytes a line."""
        found: dict[str, array[int]] = defaultdict(lambda: array("Q"))
        for number, place, text in self.lines:
            if self.hopeless:
                break
            try:
                found[self._kind(text)].extend((number, place))
            except Refused as refused:
                self.done.refuse(number, refused.errors)
        return found

    def _kind(self, text: bytes) -> str:
        body = _object(text)
        kind = body.get("record")
        if isinstance(kind, str) and kind in self.kinds:
            return BASELINE if kind == "visit" and body.get("kind") == BASELINE else kind
        raise Refused([FieldError("/record", _("One of: %s.") % ", ".join(self.kinds))])

    def _chunks(self, kind: Kind, places: array[int]) -> Iterator[list[Line]]:
        """Lines of the right shape, few enough and of different keys."""
        chunk: list[Line] = []
        keys: set[Key] = set()
        for number, place in zip(places[::2], places[1::2], strict=True):
            if self.hopeless:
                return
            if (line := self._line(kind, number, place)) is None:
                continue
            key = kind.key(line)
            if len(chunk) == CHUNK or key in keys:
                yield chunk
                chunk, keys = [], set()
            chunk.append(line)
            keys.add(key)
        if chunk:
            yield chunk

    def _line(self, kind: Kind, number: int, place: int) -> Line | None:
        """A line of the right shape; None where it is refused, or depends on a refused one."""
        body = _object(self.lines.at(place))
        subject = "subject_id" if kind.name == "patient" else "patient"
        try:
            reason = required_reason(body) if "reason" in body else ""
            said = {key: value for key, value in body.items() if key not in NOT_SAID}
            values = kind.shape.run_validation(said)
        except serializers.ValidationError as error:
            errors = [FieldError(e["pointer"], e["detail"]) for e in pointers(error.detail)]
        except Refused as refused:
            errors = refused.errors
        else:
            named: str = values[subject]
            return None if named in self.refused else Line(number, named, values, reason)
        self.done.refuse(number, errors)
        if kind.name == "patient" or body.get("kind") == BASELINE:
            self.refused.add(str(body.get(subject)).strip())
        return None

    def _attribute(self, reason: str) -> None:
        audit.attribute(by=self.by, reason=reason or IMPORTED)

    def _store(self, kind: Kind, chunk: Sequence[Line]) -> None:
        """Store a chunk; where the database itself refuses it, its halves, down to the line."""
        before = frozenset(self.refused)
        try:
            with transaction.atomic():
                part = kind.store(chunk, self._attribute)
        except IntegrityError:
            self.refused &= before
            if len(chunk) == 1:
                detail = _("This contradicts what is stored.")
                self.done.refuse(chunk[0].number, [FieldError("", detail)])
                return
            half = len(chunk) // 2
            self._store(kind, chunk[:half])
            self._store(kind, chunk[half:])
        else:
            self.done.add(part)


def _object(text: bytes) -> dict[str, Any]:
    """The record that a line holds; Refused where it is none."""
    try:
        body = decode(text)
    except ValueError as error:
        raise Refused([FieldError("", str(error))]) from error
    if not isinstance(body, dict):
        raise Refused([FieldError("", _("Each line is a JSON object."))])
    return body
