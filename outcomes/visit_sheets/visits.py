"""The rows of a visit sheet as visits: lines of the bulk import, each with where it stands.

Two layouts are read. Long: one row per lesion and visit, with a column `lesion`. Wide: one row per
visit, with a column per lesion (T01, NT01, NL01, and such as "T01 organ").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from outcomes.visit_sheets import columns
from outcomes.visit_sheets.columns import OF_ALL_LESIONS, OF_LESION, OF_VISIT, Value
from outcomes.visit_sheets.files import Problem, Row, Table, Unreadable, cell_name

LISTS = {"target": "targets", "non_target": "non_targets", "new": "new_lesions"}
DESCRIPTION = ("organ", "location", "node", "method")
BASELINE_ONLY = ("slice_mm", "bone_type", "previously_irradiated", "progressed_since_irradiation")
# Which columns a lesion of each role has; the last of them is its own column in a wide sheet.
TAKEN: Mapping[str, tuple[str, ...]] = {
    "target": (*DESCRIPTION, *BASELINE_ONLY, "reason", "fragments_mm", "merged_into", "state",
               "diameter_mm"),
    "non_target": (*DESCRIPTION, *BASELINE_ONLY, "reason", "growth", "short_axis_mm",
                   "status"),
    "new": (*DESCRIPTION, "growth", "diameter_mm", "certainty"),
}  # fmt: skip
KEYS = {"location": "description", "node": "nodal"}  # columns whose key in a body differs
_COLUMN_OF = {key: name for name, key in KEYS.items()} | {"patient": "subject_id"}
MOST_LESIONS = 99  # labels have two digits
NUMBERS = {"absent": "0", "too_small": "5"}  # what may stand beside a state: it says the same


class Layout(StrEnum):
    """How the rows of a sheet are to be read."""

    LONG = "long"
    WIDE = "wide"


@dataclass(frozen=True)
class Given:
    """A cell that says something, and where."""

    value: Value
    at: str


@dataclass
class LesionCells:
    """What a sheet says of one lesion at one visit."""

    row: int
    said: dict[str, Given]
    label: Given | None = None
    role: Given | None = None


@dataclass
class SheetVisit:
    """A visit of a sheet: an import line where its cells can be read, else what is wrong."""

    rows: list[int]
    subject_id: str
    date: str
    kind: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)  # the row of each lesion, by list
    reason: str = ""
    problems: list[Problem] = field(default_factory=list)


def layout_of(table: Table) -> Layout:
    """How the sheet is read. Raises Unreadable where its headings say both, or neither."""
    long = any(column.key == "lesion" and not column.label for column in table.columns.values())
    wide = any(column.label for column in table.columns.values())
    if long and wide:
        raise Unreadable(
            _("Both a column lesion and columns such as T01: one row per lesion, or one per visit.")
        )
    if not long and not wide:
        raise Unreadable(
            _("Neither a column lesion nor columns such as T01. Start from the template.")
        )
    return Layout.LONG if long else Layout.WIDE


def visits_of(table: Table) -> list[SheetVisit]:
    """The visits in the order of the sheet."""
    read = _long if layout_of(table) is Layout.LONG else _wide
    faults = _by_row(table.problems)
    return [_visit(drafted, faults) for drafted in _grouped(read(table, row) for row in table.rows)]


@dataclass
class _Draft:
    """Rows of one visit, as they stand."""

    rows: list[int]
    said: list[dict[str, Given]]
    lesions: list[LesionCells]


def _by_row(problems: Iterable[Problem]) -> dict[int, list[Problem]]:
    found: dict[int, list[Problem]] = {}
    for problem in problems:
        found.setdefault(_row_of(problem.at), []).append(problem)
    return found


def _row_of(at: str) -> int:
    return int(at.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def _long(table: Table, row: Row) -> _Draft:
    given = {
        table.columns[i].key: Given(value, cell_name(i, row.number))
        for i, value in row.cells.items()
        if not table.columns[i].label
    }
    said = {name: given[name] for name in OF_VISIT if name in given}
    of_lesion = {name: given[name] for name in OF_LESION if name in given}
    label, role = given.get("lesion"), given.get("role")
    lesions = (
        [LesionCells(row.number, of_lesion, label, role)] if label or role or of_lesion else []
    )
    return _Draft([row.number], [said], lesions)


def _wide(table: Table, row: Row) -> _Draft:
    said: dict[str, Given] = {}
    lesions: dict[str, LesionCells] = {}
    for i, value in row.cells.items():
        column, given = table.columns[i], Given(value, cell_name(i, row.number))
        if not column.label:
            said[column.key] = given
            continue
        here = lesions.setdefault(column.label, LesionCells(row.number, {}))
        here.label = Given(column.label, given.at)
        name = column.key
        here.said[TAKEN[columns.role_of(column.label)][-1] if name == column.label else name] = (
            given
        )
    for lesion in lesions.values():
        for name in OF_ALL_LESIONS:
            if (
                name in said
                and name in TAKEN[columns.role_of(str(lesion.label and lesion.label.value))]
            ):
                lesion.said.setdefault(name, said[name])
    return _Draft([row.number], [said], list(lesions.values()))


def _grouped(rows: Iterable[_Draft]) -> Iterable[_Draft]:
    """Rows of one subject and date together, wherever they stand."""
    found: dict[Any, _Draft] = {}
    for row in rows:
        said = row.said[0]
        key = (_plain(said.get("subject_id")), _day(said.get("date")))
        known = found.setdefault(key if all(key) else row.rows[0], row)
        if known is not row:
            known.rows += row.rows
            known.said += row.said
            known.lesions += row.lesions
    return found.values()


def _plain(given: Given | None) -> str:
    return columns.text(given.value).strip() if given else ""


def _day(given: Given | None) -> str:
    try:
        return columns.calendar_date(given.value).isoformat() if given else ""
    except ValueError:
        return ""


def _visit(drafted: _Draft, faults: Mapping[int, list[Problem]]) -> SheetVisit:
    reader = _Reader(drafted)
    said = reader.visit()
    visit = SheetVisit(
        rows=drafted.rows,
        subject_id=said.get("subject_id", ""),
        date=said.get("date", ""),
        kind=said.get("kind", ""),
        reason=said.get("change_reason", ""),
    )
    lists, visit.places = reader.lesions(baseline=visit.kind == "baseline")
    reader.answer(said, lists)
    visit.problems = [*(f for row in drafted.rows for f in faults.get(row, ())), *reader.problems]
    visit.body = {
        "record": "visit", "patient": visit.subject_id, "date": visit.date, "kind": visit.kind,
        **lists,
        **{k: said[k] for k in ("stated_response", "stated_response_reason") if k in said},
    }  # fmt: skip
    return visit


class _Reader:
    """Reads the cells of one visit, and notes what is wrong with them."""

    def __init__(self, drafted: _Draft) -> None:
        self.drafted = drafted
        self.problems: list[Problem] = []
        self.unanswered = False

    def visit(self) -> dict[str, Any]:
        """What the rows say of the visit as a whole; those that say it twice say the same."""
        found: dict[str, Any] = {}
        first: dict[str, str] = {}
        for said in self.drafted.said:
            for name, given in said.items():
                value = None if name in OF_ALL_LESIONS else self._read(name, given)
                if value is None:
                    continue
                if name in found and found[name] != value:
                    detail = _("Another %(name)s than in %(cell)s of the same visit.")
                    self._wrong(given.at, detail % {"name": name, "cell": first[name]})
                found.setdefault(name, value)
                first.setdefault(name, given.at)
        if len(self.drafted.lesions) > MOST_LESIONS:
            self._wrong(self._row, _("At most %s lesions at one visit.") % MOST_LESIONS)
        if "kind" not in found and "kind" not in self.drafted.said[0]:
            self._wrong(self._row, _("Give the kind: baseline, scheduled or unscheduled."))
        for name in ("subject_id", "date"):
            if name not in self.drafted.said[0]:
                self._wrong(self._row, _("Give the %s in every row.") % name)
        return found

    def lesions(self, *, baseline: bool) -> tuple[dict[str, Any], dict[str, list[int]]]:
        """The rows of the visit's lists, and where each stands."""
        lists: dict[str, Any] = {"targets": [], "non_targets": []}
        places: dict[str, list[int]] = {}
        seen: dict[str, LesionCells] = {}
        for cells in self.drafted.lesions:
            if (role := self._role(cells)) is None:
                continue
            label = columns.label(columns.text(cells.label.value)) if cells.label else ""
            if label and label in seen:
                detail = _("%(label)s is listed twice for this visit, first in row %(row)s.")
                at = cells.label.at if cells.label else str(cells.row)
                self._wrong(at, detail % {"label": label, "row": seen[label].row})
                continue
            seen[label] = cells
            body = self._lesion(role, cells, baseline=baseline)
            lists.setdefault(LISTS[role], []).append({"lesion": label} | body if label else body)
            places.setdefault(LISTS[role], []).append(cells.row)
        return lists, places

    def answer(self, said: Mapping[str, Any], lists: dict[str, Any]) -> None:
        """Whether there are new lesions: as answered, else as the rows of new ones say."""
        answered, listed = said.get("new_lesions"), "new_lesions" in lists
        at = next((s["new_lesions"].at for s in self.drafted.said if "new_lesions" in s), self._row)
        if answered is False and listed:
            self._wrong(at, _("A new lesion is listed: answer yes, or take it out."))
        if answered is True and not listed:
            self._wrong(at, _("List each new lesion, such as NL01, or answer no."))
        if answered is False:
            lists["new_lesions"] = []

    @property
    def _row(self) -> str:
        return str(self.drafted.rows[0])

    def _wrong(self, at: str, detail: str) -> None:
        self.problems.append(Problem(at, detail))

    def _read(self, name: str, given: Given) -> Any:
        try:
            if name == "date":
                return columns.calendar_date(given.value).isoformat()
            return columns.read(name, given.value)
        except ValueError as error:
            self._wrong(given.at, str(error))
            return None

    def _role(self, cells: LesionCells) -> str | None:
        """The lesion's role, as its label or the column says."""
        label = columns.label(columns.text(cells.label.value)) if cells.label else ""
        by_label = columns.role_of(label)
        role = self._read("role", cells.role) if cells.role else by_label
        if role and by_label and role != by_label:
            place = cells.role or cells.label
            detail = _(
                "%(label)s is no %(role)s lesion: T01 is a target, NT01 a non-target, NL01 new."
            )
            self._wrong(place.at if place else "", detail % {"label": label, "role": role})
            return None
        if not role and not cells.role:
            at = cells.label.at if cells.label else str(cells.row)
            self._wrong(at, _("Give the lesion's label: T01, NT01 or NL01."))
        return role or None

    def _lesion(self, role: str, cells: LesionCells, *, baseline: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        said = {_same(role, name): given for name, given in cells.said.items()}
        if len(said) < len(cells.said):
            self._wrong(cells.said["status"].at, _("Either state or status, not both."))
        for name, given in said.items():
            if name not in TAKEN[role]:
                self._wrong(given.at, _NOT_TAKEN.get((role, name), _blank)(role))
                continue
            self._merge(found, self._cell(role, name, given), given.at)
        self._settle(role, found, cells, baseline=baseline)
        return {KEYS.get(name, name): value for name, value in found.items()}

    def _cell(self, role: str, name: str, given: Given) -> dict[str, Any]:
        try:
            if role == "target" and name in ("state", "diameter_mm"):
                return _state(name, given.value)
            if name in ("status", "certainty"):
                return columns.judged(name, given.value)
            return {name: columns.read(name, given.value)}
        except ValueError as error:
            self._wrong(given.at, str(error))
            return {}

    def _merge(self, found: dict[str, Any], more: Mapping[str, Any], at: str) -> None:
        for name, value in more.items():
            if found.setdefault(name, value) != value:
                self._wrong(at, _("Another %s than in the lesion's other cells.") % name)

    def _settle(
        self, role: str, found: dict[str, Any], cells: LesionCells, *, baseline: bool
    ) -> None:
        """A number was measured; at baseline a non-target is there; a state has no other number."""
        if role == "target":
            inferred = {
                "merged_into": "merged",
                "diameter_mm": "measured",
                "fragments_mm": "measured",
            }
            state = next((s for name, s in inferred.items() if name in found), None)
            if state and "state" not in found:
                found["state"] = state
            self._require_one_size(found, cells)
        if role == "non_target" and baseline:
            found.setdefault("status", "present")

    def _require_one_size(self, found: dict[str, Any], cells: LesionCells) -> None:
        number, state = found.get("diameter_mm"), found.get("state")
        at = cells.said["diameter_mm"].at if "diameter_mm" in cells.said else str(cells.row)
        if number and state not in (None, "measured"):
            if number != NUMBERS.get(state):
                detail = _("A lesion that is %s has no diameter; clear one of the two.")
                self._wrong(at, detail % state)
            del found["diameter_mm"]
        elif number and "fragments_mm" in found:
            if sum(map(Decimal, found["fragments_mm"])) != Decimal(number):
                self._wrong(at, _("The fragments have another sum."))
            del found["diameter_mm"]


def _state(name: str, value: Value) -> dict[str, Any]:
    found = columns.measured(value)
    if name == "state" and "state" not in found:
        raise ValueError(_("One of: %s.") % ", ".join(columns.WORDS["state"]))
    return found


def _same(role: str, name: str) -> str:
    """The state of a target and the status of a non-target may stand in one column."""
    other = {("target", "status"): "state", ("non_target", "state"): "status"}
    return other.get((role, name), name)


def _blank(role: str) -> str:
    return _("Leave this blank for a %s lesion.") % role


def _short_axis(_role: str) -> str:
    return _("A target's size, a node's short axis too, belongs into diameter_mm.")


def _diameter(_role: str) -> str:
    return _("A non-target is not measured; the short axis of a node belongs into short_axis_mm.")


_NOT_TAKEN = {
    ("target", "short_axis_mm"): _short_axis,
    ("non_target", "diameter_mm"): _diameter,
}


def place(pointer: str, visit: SheetVisit, letters: Mapping[str, str]) -> str:
    """The cell that a JSON Pointer into the visit's line speaks of; its row where there is none.

    `letters` has the column of each heading, such as {"lesion": "D", "T01 organ": "G"}.
    """
    parts = pointer.split("/")[1:]
    name = parts[0] if parts else ""
    if len(parts) > 1 and name in visit.places and int(parts[1]) < len(visit.places[name]):
        row = visit.places[name][int(parts[1])]
        label = visit.body[name][int(parts[1])].get("lesion", "")
        return _first(_of_lesion(parts[2] if len(parts) > 2 else "lesion", label), row, letters)
    known = {"reason": "change_reason", "targets": "lesion", "non_targets": "lesion"}
    return _first([known.get(name, _COLUMN_OF.get(name, name))], visit.rows[0], letters)


def _of_lesion(key: str, label: str) -> Iterator[str]:
    name = _COLUMN_OF.get(key, key)
    other = {"state": "diameter_mm", "status": "state"}.get(name, name)
    return iter([f"{label} {name}", name, other, label])


def _first(names: Iterable[str], row: int, letters: Mapping[str, str]) -> str:
    return next((f"{letters[name]}{row}" for name in names if name in letters), str(row))
