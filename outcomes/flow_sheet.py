"""The classic flow sheet: lesions in rows, visits in columns, every sum with its inputs visible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outcomes.history import History
from outcomes.labels import immune_label, response_label
from outcomes.lineage import carried
from outcomes.methods.lineage import Carried
from outcomes.methods.recist import Derived, Response, TargetState
from outcomes.models import (
    ImmuneResponseChoice,
    Lesion,
    LesionRole,
    Measurement,
    NonTargetStatus,
    Visit,
)
from outcomes.schedule import week_label
from outcomes.wording import word


@dataclass(frozen=True)
class Corrected:
    """Which visits, and which of their cells (visit, lesion), once said something else."""

    visits: frozenset[int] = frozenset()
    cells: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class Cell:
    """What was seen of one lesion at one visit: a number, and its state in words beside it."""

    visit: int
    text: str = ""
    words: str = ""
    detail: str = ""
    mark: str = ""
    corrected: bool = False
    later: bool = False  # than the cutoff

    @property
    def seen(self) -> bool:
        """Whether anything was recorded, which then has a history."""
        return bool(self.text or self.words)


@dataclass(frozen=True)
class Row:
    """A lesion over the visits."""

    lesion: Lesion
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class ImmuneLine:
    """The response of a visit by iRECIST, in words."""

    code: str
    label: str
    new_lesion_sum: str
    reasons: tuple[str, ...]


def immune_line(derived: Derived | None, past: History) -> ImmuneLine | None:
    """What iRECIST makes of a visit, where the patient's trial uses it."""
    found = derived.immune if derived else None
    if found is None or not past.patient.trial.irecist:
        return None
    return ImmuneLine(
        code=immune_label(found.response),
        label=str(ImmuneResponseChoice(found.response).label),
        new_lesion_sum=millimeters(found.new_lesion_sum_mm),
        reasons=tuple(word(reason) for reason in found.reasons),
    )


@dataclass(frozen=True)
class Column:
    """A visit with what was derived of it."""

    visit: Visit
    label: str
    derived: Derived
    mark: str
    corrected: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    immune: ImmuneLine | None
    later: bool = False  # than the cutoff

    @property
    def baseline(self) -> bool:
        """Whether this is the baseline."""
        return self.visit.kind == Visit.Kind.BASELINE

    @property
    def sum_mm(self) -> str:
        """The sum as typed."""
        return millimeters(self.derived.sum_mm)

    @property
    def target(self) -> str:
        """The response of the targets."""
        return _written(self.derived.target_response)

    @property
    def non_target(self) -> str:
        """The response of the non-targets."""
        return _written(self.derived.non_target_response)

    @property
    def overall(self) -> str:
        """The overall response."""
        return _written(self.derived.overall_response)

    @property
    def from_baseline(self) -> str:
        """The change from baseline, rounded for reading."""
        return "" if self.baseline else percent(self.derived.change_from_baseline_percent)

    @property
    def from_nadir_percent(self) -> str:
        """The change from the nadir, rounded for reading."""
        return "" if self.baseline else percent(self.derived.change_from_nadir_percent)

    @property
    def from_nadir_mm(self) -> str:
        """The change from the nadir in mm, exact, with its sign."""
        change = self.derived.change_from_nadir_mm
        if self.baseline or change is None:
            return ""
        sign = "+" if change > 0 else ""
        return f"{sign}{millimeters(change)} mm"

    @property
    def stated(self) -> str:
        """The investigator's response."""
        said = self.visit.stated_response
        return _written(Response(said)) if said else ""

    @property
    def differs(self) -> bool:
        """Whether the investigator stated another response than the computed one."""
        return bool(self.visit.stated_response) and (
            self.visit.stated_response != self.visit.overall_response
        )


@dataclass(frozen=True)
class FlowSheet:
    """Lesions by visits."""

    columns: tuple[Column, ...]
    targets: tuple[Row, ...]
    non_targets: tuple[Row, ...]
    new_lesions: tuple[Row, ...]

    @property
    def later(self) -> bool:
        """Whether some visits are later than the cutoff."""
        return any(column.later for column in self.columns)

    @property
    def immune(self) -> bool:
        """Whether the time line by iRECIST is shown too."""
        return any(column.immune for column in self.columns)


def flow_sheet(
    past: History, corrected: Corrected | None = None, *, cutoff: Date = Date.max
) -> FlowSheet:
    """The sheet of a patient's history, in which later visits are told apart; reads nothing further."""
    known = corrected or Corrected()
    marks, before = _marks(past, cutoff), _scheduled_before(past)
    sheet = FlowSheet(
        columns=tuple(
            _column(past, visit, before.get(visit.pk), marks, known) for visit in past.visits
        ),
        targets=tuple(_rows(past, LesionRole.TARGET, "measurements", marks, known)),
        non_targets=tuple(_rows(past, LesionRole.NON_TARGET, "non_target_statuses", {}, known)),
        new_lesions=tuple(_rows(past, LesionRole.NEW, "new_lesion_statuses", {}, known)),
    )
    return _cut(sheet, {visit.pk for visit in past.visits if visit.date > cutoff})


def _cut(sheet: FlowSheet, later: set[int]) -> FlowSheet:
    """The sheet with these visits as later than the cutoff."""
    if not later:
        return sheet
    return FlowSheet(
        tuple(replace(one, later=one.visit.pk in later) for one in sheet.columns),
        *(
            tuple(
                replace(row, cells=tuple(replace(c, later=c.visit in later) for c in row.cells))
                for row in rows
            )
            for rows in (sheet.targets, sheet.non_targets, sheet.new_lesions)
        ),
    )


Marks = Mapping[int, str]


def _marks(past: History, cutoff: Date) -> Marks:
    """Which visit is the baseline, and which the nadir by the cutoff, in words."""
    by_then = [visit for visit in past.visits if visit.date <= cutoff]
    first, lowest = past.baseline, nadir_visit(by_then)
    marks = {first.pk: _("baseline")} if first else {}
    if lowest:
        both = first is not None and lowest.pk == first.pk
        marks[lowest.pk] = _("baseline, nadir") if both else _("nadir")
    return marks


def _scheduled_before(past: History) -> dict[int, Date]:
    """The day of the scheduled visit before each scheduled one that has one."""
    scheduled = [visit for visit in past.visits if visit.kind == Visit.Kind.SCHEDULED]
    return {visit.pk: before.date for before, visit in pairwise(scheduled)}


def _column(
    past: History, visit: Visit, before: Date | None, marks: Marks, corrected: Corrected
) -> Column:
    derived = visit.as_derived()
    return Column(
        visit=visit,
        label=week_label(visit, before),
        derived=derived,
        mark=marks.get(visit.pk, ""),
        corrected=visit.pk in corrected.visits,
        reasons=tuple(word(reason) for reason in visit.reasons),
        warnings=tuple(word(reason) for reason in visit.all_warnings()),
        immune=immune_line(derived, past),
    )


def nadir_visit(visits: Sequence[Visit]) -> Visit | None:
    """The first visit with the smallest complete sum."""
    complete = [v for v in visits if v.complete and v.sum_mm is not None]
    return min(complete, key=lambda v: v.sum_mm or Decimal(0), default=None)


def _rows(
    past: History, role: LesionRole, relation: str, marks: Marks, corrected: Corrected
) -> Iterator[Row]:
    mergers = _mergers(past) if role == LesionRole.TARGET else {}
    for lesion in past.of_role(role):
        seen = {
            row.visit_id: _cell(row, mergers.get((row.visit_id, lesion.label)))
            for visit in past.visits
            for row in getattr(visit, relation).all()
            if row.lesion_id == lesion.pk
        }
        yield Row(
            lesion,
            tuple(
                replace(
                    seen.get(visit.pk, Cell(visit.pk)),
                    mark=marks.get(visit.pk, ""),
                    corrected=(visit.pk, lesion.pk) in corrected.cells,
                )
                for visit in past.visits
            ),
        )


def _mergers(past: History) -> Mapping[tuple[int, str], Carried]:
    """What each visit says of merged and split lesions, and since when."""
    day = timedelta(days=1)
    return {
        (visit.pk, label): one
        for visit in past.visits
        for label, one in carried(past, visit.date + day).items()
    }


def _cell(row: Any, lineage: Carried | None) -> Cell:
    """A cell: the number that counts, and what stands behind it in words."""
    if isinstance(row, Measurement):
        return _target_cell(row, lineage)
    if isinstance(row, NonTargetStatus):
        axis = millimeters(row.short_axis_mm)
        grown = row.get_growth_display() if row.growth else ""
        return Cell(row.visit_id, axis, row.get_status_display(), row.reason or grown)
    grown = row.get_growth_display() if row.growth else ""
    return Cell(row.visit_id, millimeters(row.diameter_mm), row.get_certainty_display(), grown)


def _target_cell(row: Measurement, lineage: Carried | None) -> Cell:
    at = row.visit_id
    if row.state == TargetState.MEASURED:
        return Cell(at, millimeters(row.diameter_mm), _fragments(row))
    if row.state == TargetState.MERGED and lineage:
        said = {"lesion": lineage.merged_into, "date": lineage.since.isoformat()}
        return Cell(at, "0", _("merged into %(lesion)s since %(date)s") % said)
    counted, words = {
        TargetState.TOO_SMALL: ("5", _("too small")),
        TargetState.ABSENT: ("0", _("absent")),
        TargetState.NOT_EVALUABLE: ("NE", _("not evaluable")),
        TargetState.MERGED: ("0", _("merged")),
    }[TargetState(row.state)]
    return Cell(at, counted, words, row.reason)


def _fragments(row: Measurement) -> str:
    if len(row.fragments_mm) < 2:
        return ""
    number = len(row.fragments_mm)
    sizes = " + ".join(millimeters(mm) for mm in row.fragments_mm)
    text = ngettext("%(number)s fragment: %(sizes)s", "%(number)s fragments: %(sizes)s", number)
    return text % {"number": number, "sizes": sizes}


def _written(response: Response | None) -> str:
    """A response as RECIST writes it; a dash at baseline."""
    return response_label(response) if response else "–"


def percent(value: Fraction | None) -> str:
    """A signed percentage with one decimal."""
    return "" if value is None else f"{float(value):+.1f} %".replace("+0.0", "0.0")


def millimeters(value: Decimal | None) -> str:
    """A diameter as typed: no trailing zeros, no exponent."""
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
