"""A spreadsheet of visits: read, checked as if it were stored, shown, and stored as it was shown.

The rows become lines of the bulk import, so that they meet the same checks in as few statements.
Storing runs the check again in the transaction that stores: where it no longer finds what was
shown, nothing is stored.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date as Date
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from outcomes import corrections
from outcomes.bulk_import import MOST_ERRORS, import_visits
from outcomes.bulk_import.lines import UPDATED, Imported, Key, Line, VisitLines
from outcomes.history import History
from outcomes.methods.organs import organ_group
from outcomes.models import INVESTIGATOR, Visit, VisitSheet
from outcomes.visit_sheets.blanks import completed
from outcomes.visit_sheets.files import Problem, Table, Unreadable, letter, read_table
from outcomes.visit_sheets.visits import SheetVisit, layout_of, place, visits_of
from patients.models import Patient, Query, QuerySubject
from registry.errors import FieldError, Refused
from registry.ndjson import Lines
from trials import access

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from registry.changes import Changes
    from registry.models import User
    from trials.models import Trial

WRITERS = (access.Action.WRITE_RECORDS, access.Action.IMPORT)
REFUSED, SKIPPED = "refused", "skipped"  # what a line does besides the outcomes of an import
AS_WHAT_FOR = "to be asked"  # stands for a reason while nothing is stored
AT_ONCE = 500  # patients of one statement


def writable(trial: Trial, by: User) -> QuerySet[Patient]:
    """The patients whose visits the user may write; all others are as if they did not exist."""
    return access.where_may(Patient.objects.filter(trial=trial), by, *WRITERS)


def may_upload(trial: Trial, by: User) -> bool:
    """Whether the user may write visits anywhere in the trial."""
    return any(access.may_somewhere(by, action, trial=trial) for action in WRITERS)


@transaction.atomic
def read_sheet(*, trial: Trial, by: User, file_name: str, content: bytes) -> VisitSheet:
    """Keep what a file says; nothing is checked yet. Raises Unreadable."""
    table = read_table(content)
    visits = visits_of(table)
    if not visits:
        raise Unreadable(_("No rows below the headings."))
    VisitSheet.objects.purge()
    return VisitSheet.objects.create(
        user=by,
        trial=trial,
        file_name=file_name[-200:],
        sha256=hashlib.sha256(content).hexdigest(),
        about=_about(table),
        lines=[asdict(visit) for visit in visits],
    )


def _about(table: Table) -> dict[str, Any]:
    return {
        "form": table.form,
        "sheet": table.sheet,
        "layout": layout_of(table).value,
        "rows": len(table.rows),
        "columns": {letter(i): column.name for i, column in table.columns.items()},
        "unread": table.unread,
        "others": table.others,
    }


@transaction.atomic
def check_sheet(sheet: VisitSheet, *, by: User) -> VisitSheet:
    """What storing the sheet would do, line by line; stores nothing."""
    sheet = _mine(sheet, by)
    if sheet.state != VisitSheet.State.STORED:
        _look(sheet, by)
    return sheet


@transaction.atomic
def store_sheet(sheet: VisitSheet, *, by: User, reason: str, shown: str) -> VisitSheet:
    """Store what was shown, or show what is to be seen now: then the state is still `checked`.

    `shown` is the digest of what the user saw; of anything else nothing is stored. A sheet that is
    stored already stays as it is. Raises Refused where a change has no reason.
    """
    sheet = _mine(sheet, by)
    if sheet.state != VisitSheet.State.CHECKED or blocked(sheet) or shown != digest(sheet):
        return sheet
    require_reason(sheet, reason)
    if _Check(sheet, by, reason).run(dry_run=False) == sheet.found:
        sheet.state = VisitSheet.State.STORED
        sheet.save(update_fields=["state"])
    else:
        _look(sheet, by)
    return sheet


def _look(sheet: VisitSheet, by: User) -> None:
    """Check the sheet as if for the first time."""
    sheet.found = {}
    sheet.found = _Check(sheet, by).run(dry_run=True)
    sheet.state = VisitSheet.State.CHECKED
    sheet.save(update_fields=["found", "state"])


def digest(sheet: VisitSheet) -> str:
    """Names one result of a check: a page that shows another one stores nothing."""
    return hashlib.sha256(json.dumps(sheet.found, sort_keys=True).encode()).hexdigest()


def blocked(sheet: VisitSheet) -> bool:
    """Whether a line of a checked sheet cannot be stored, and so none can."""
    return any(line["outcome"] in (REFUSED, SKIPPED) for line in sheet.found["lines"])


def without_reason(sheet: VisitSheet) -> int:
    """How many lines change what is stored and do not say why."""
    pairs = zip(sheet.lines, sheet.found["lines"], strict=True)
    return sum(1 for line, found in pairs if found["needs_reason"] and not line["reason"])


def counts(sheet: VisitSheet) -> Counter[str]:
    """Lines of a checked sheet by what they do."""
    return Counter(line["outcome"] for line in sheet.found["lines"])


def require_reason(sheet: VisitSheet, reason: str) -> None:
    """Raise Refused where a stored visit would change without a reason."""
    if without_reason(sheet) and not reason.strip():
        detail = _("Say why the stored visits are changed, in 1 to 500 characters.")
        raise Refused([FieldError("/reason", detail)])


def _mine(sheet: VisitSheet, by: User) -> VisitSheet:
    """The sheet under its lock; its lines are nobody else's."""
    return VisitSheet.objects.of(by).select_for_update(of=("self",)).get(pk=sheet.pk)


class _Check:
    """One check of a sheet's lines, by the import itself."""

    def __init__(self, sheet: VisitSheet, by: User, reason: str = "") -> None:
        self.sheet = sheet
        self.by = by
        self.reason = reason.strip() or AS_WHAT_FOR
        self.lines = [_sheet_visit(line) for line in sheet.lines]
        self.letters = {name: letter for letter, name in sheet.about["columns"].items()}
        self.visits = SheetLines(
            sheet.trial, self._unread(), by, writable(sheet.trial, by), self.letters.keys()
        )
        self.readable = [n for n, line in enumerate(self.lines) if not line.problems]
        self.found: dict[str, Any] = {}

    def run(self, *, dry_run: bool) -> dict[str, Any]:
        """What the lines do. They stay where that is what the sheet says already."""
        with Lines(BytesIO(b"\n".join(map(self._text, self.readable)))) as lines:
            import_visits(
                trial=self.sheet.trial,
                by=self.by,
                lines=lines,
                visits=self.visits,
                agreed=self._as_shown,
                sheet=self.sheet,
                dry_run=dry_run,
            )
        return self.found

    def _unread(self) -> set[str]:
        """Subjects whose baseline cannot be read: what to say of their other visits is unknown."""
        unread = (line for line in self.lines if line.problems and line.kind == Visit.Kind.BASELINE)
        return {line.subject_id for line in unread}

    def _text(self, index: int) -> bytes:
        line = self.lines[index]
        known = self.sheet.found.get("lines")
        asked = known is None or known[index]["needs_reason"]
        reason = line.reason or (self.reason if asked else "")
        return json.dumps(line.body | ({"reason": reason} if reason else {})).encode()

    def _as_shown(self, done: Imported) -> bool:
        """Asked while the lines are in and can still be taken out."""
        problems: dict[int, list[dict[str, str]]] = {
            n: [asdict(problem) for problem in line.problems]
            for n, line in enumerate(self.lines)
            if line.problems
        }
        for error in done.errors:
            index = self.readable[(error.line or 1) - 1]
            at = place(error.pointer, self.lines[index], self.letters)
            problems.setdefault(index, []).append({"at": at, "detail": error.detail})
        after, asked = self.visits.responses(), self.visits.asked()
        told = {index: number for number, index in enumerate(self.readable, 1)}
        self.found = {
            "lines": [
                self._line(n, problems.get(n, []), told.get(n, 0), after)
                | {"asked": asked.get((self.lines[n].subject_id, self.lines[n].date), [])}
                for n in range(len(self.lines))
            ],
            "later": list(self._later(after)),
            "cut_short": len(done.errors) >= MOST_ERRORS,
        }
        return bool(self.found == self.sheet.found)

    def _line(
        self, index: int, problems: Sequence[Any], number: int, after: Mapping[Key, str]
    ) -> dict[str, Any]:
        line, outcome = self.lines[index], self.visits.outcomes.get(number)
        key = (line.subject_id, line.date)
        known = outcome is not None and not problems
        return {
            "outcome": REFUSED if problems else outcome["outcome"] if outcome else SKIPPED,
            "needs_reason": bool(outcome and outcome["needs_reason"]),
            "changes": outcome["changes"] if outcome else [],
            "problems": list(problems),
            "before": self.visits.before.get(key, "") if known else "",
            "response": after.get(key, "") if known else "",
        }

    def _later(self, after: Mapping[Key, str]) -> Iterator[dict[str, str]]:
        """Visits that the sheet does not name, whose response would change all the same."""
        named = {(line.subject_id, line.date) for line in self.lines}
        for (subject_id, date), was in sorted(self.visits.before.items()):
            now = after.get((subject_id, date), was)
            if now != was and (subject_id, date) not in named:
                yield {"subject_id": subject_id, "date": date, "before": was, "response": now}


def _sheet_visit(stored: Mapping[str, Any]) -> SheetVisit:
    problems = [Problem(**problem) for problem in stored["problems"]]
    return SheetVisit(**{**stored, "problems": problems})


class SheetLines(VisitLines):
    """Visits of a sheet, which remember what each did and what was stored before."""

    def __init__(
        self,
        trial: Trial,
        refused: set[str],
        asking: User,
        among: QuerySet[Patient],
        columns: Collection[str],
    ) -> None:
        super().__init__(trial, refused, asking, among)
        self.columns = columns  # those that the sheet has
        self.outcomes: dict[int, dict[str, Any]] = {}  # by line
        self.before: dict[Key, str] = {}  # responses by subject id and date
        self._patients: set[int] = set()
        self._visits: dict[int, Key] = {}  # by id, as `responses` found them
        self._began = timezone.now()

    def responses(self) -> dict[Key, str]:
        """The responses of these patients' visits as they are now."""
        found: dict[Key, str] = {}
        numbers = sorted(self._patients)
        for first in range(0, len(numbers), AT_ONCE):
            rows = Visit.objects.active().filter(
                patient__in=numbers[first : first + AT_ONCE], evaluator=INVESTIGATOR
            )
            for pk, subject_id, date, response in rows.values_list(
                "pk", "patient__subject_id", "date", "overall_response"
            ):
                key = self._visits[pk] = (subject_id, date.isoformat())
                found[key] = response
        return found

    def asked(self) -> dict[Key, list[dict[str, Any]]]:
        """What these lines leave to be answered: the queries that were opened for them, by visit."""
        opened = Query.objects.unanswered().filter(
            subject=QuerySubject.VISIT, opened_by=None, opened_at__gte=self._began
        )
        found: dict[Key, list[dict[str, Any]]] = defaultdict(list)
        visits = self._visits
        for query in opened.filter(patient__trial=self.trial).order_by("code", "lesion"):
            if (key := visits.get(query.record_id)) is not None:
                found[key].append({"code": query.code, "parameters": query.parameters})
        return found

    def _put(
        self,
        line: Line,
        *,
        patients: Mapping[str, Patient],
        histories: Mapping[int, History],
        voided: Any,
        into: Changes,
        written: set[Key],
    ) -> str:
        patient = patients.get(line.subject_id)
        past = histories[patient.pk] if patient else None
        on: Date = line.values["date"]
        stored = _on(past, on)
        if past and stored:
            line = replace(line, values=completed(line.values, past, stored, self.columns))
        said = corrections.said(past, stored) if past and stored else {}
        if past:
            self._remember_before(past)
            _require_same_organs(line, past, on)
        outcome = super()._put(
            line,
            patients=patients,
            histories=histories,
            voided=voided,
            into=into,
            written=written,
        )
        now = _on(past, on)
        changes = (
            corrections.differences(said, corrections.said(past, now))
            if past and now and stored
            else ()
        )
        returns = patient is not None and stored is None and (patient.pk, on) in voided
        self.outcomes[line.number] = {
            "outcome": outcome,
            "needs_reason": outcome == UPDATED or returns,
            "changes": [asdict(change) for change in changes],
        }
        return outcome

    def _remember_before(self, past: History) -> None:
        if past.patient.pk not in self._patients:
            self._patients.add(past.patient.pk)
            for visit in past.visits:
                key = (past.patient.subject_id, visit.date.isoformat())
                self.before[key] = visit.overall_response


def _on(past: History | None, date: Date) -> Visit | None:
    visits = past.visits if past else []
    return next((visit for visit in visits if visit.date == date), None)


def _require_same_organs(line: Line, past: History, on: Date) -> None:
    """A follow-up row that names another organ than the baseline is of another lesion."""
    if line.values["kind"] == Visit.Kind.BASELINE:
        return
    errors = []
    for name in ("targets", "non_targets"):
        for index, row in enumerate(line.values[name]):
            lesion = past.lesions.get(row["lesion"])
            if lesion is None or not row.get("organ"):
                continue
            if organ_group(row["organ"], nodal=lesion.nodal) != lesion.organ_group:
                detail = _("%(label)s is %(organ)s at baseline; correct the lesion or the organ.")
                said = {"label": lesion.label, "organ": lesion.place}
                errors.append(FieldError(f"/{name}/{index}/organ", detail % said))
    if errors:
        raise Refused(errors)
