"""The classic flow sheet: lesions in rows, visits in columns, every sum with its inputs visible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.utils.translation import gettext as _

from outcomes.history import History
from outcomes.methods.recist import Derived
from outcomes.models import Lesion, LesionRole, Visit
from outcomes.wording import word


@dataclass(frozen=True)
class Cell:
    """What was seen of one lesion at one visit."""

    text: str
    title: str = ""


@dataclass(frozen=True)
class Row:
    """A lesion over the visits."""

    lesion: Lesion
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Column:
    """A visit with what was derived of it."""

    visit: Visit
    derived: Derived
    nadir: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def baseline(self) -> bool:
        """Whether this is the baseline."""
        return self.visit.kind == Visit.Kind.BASELINE

    @property
    def sum_mm(self) -> str:
        """The sum as typed."""
        return millimeters(self.derived.sum_mm)

    @property
    def from_baseline(self) -> str:
        """The change from baseline, rounded for reading."""
        return "" if self.baseline else percent(self.derived.change_from_baseline_percent)

    @property
    def from_nadir(self) -> str:
        """The change from the nadir, rounded for reading."""
        if self.baseline or self.derived.change_from_nadir_mm is None:
            return ""
        millimeter = self.derived.change_from_nadir_mm
        sign = "+" if millimeter > 0 else ""
        change = f"{sign}{millimeters(millimeter)} mm"
        return f"{percent(self.derived.change_from_nadir_percent)} ({change})"

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


def flow_sheet(past: History) -> FlowSheet:
    """The sheet of a patient's history; reads nothing further."""
    return FlowSheet(
        columns=tuple(_column(visit, past.visits) for visit in past.visits),
        targets=tuple(_rows(past, LesionRole.TARGET, "measurements")),
        non_targets=tuple(_rows(past, LesionRole.NON_TARGET, "non_target_statuses")),
        new_lesions=tuple(_rows(past, LesionRole.NEW, "new_lesion_statuses")),
    )


def _column(visit: Visit, visits: Sequence[Visit]) -> Column:
    return Column(
        visit=visit,
        derived=visit.as_derived(),
        nadir=visit == nadir_visit(visits),
        reasons=tuple(word(reason) for reason in visit.reasons),
        warnings=tuple(word(reason) for reason in visit.all_warnings()),
    )


def nadir_visit(visits: Sequence[Visit]) -> Visit | None:
    """The first visit with the smallest complete sum."""
    complete = [v for v in visits if v.complete and v.sum_mm is not None]
    return min(complete, key=lambda v: v.sum_mm or Decimal(0), default=None)


def _rows(past: History, role: LesionRole, relation: str) -> Iterator[Row]:
    for lesion in past.of_role(role):
        seen = {
            row.visit_id: row
            for visit in past.visits
            for row in getattr(visit, relation).all()
            if row.lesion_id == lesion.pk
        }
        yield Row(lesion, tuple(_cell(seen.get(visit.pk)) for visit in past.visits))


def _cell(row: object) -> Cell:
    """A cell's text: the number as recorded, else the state in a word."""
    if row is None:
        return Cell("")
    if (state := getattr(row, "state", None)) is not None:
        number = millimeters(getattr(row, "diameter_mm", None))
        shown = {
            "too_small": _("< 5 (5)"),
            "absent": "0",
            "not_evaluable": "NE",
            "merged": _("merged"),
        }
        return Cell(number or shown[state], str(getattr(row, "reason", "")))
    if (status := getattr(row, "status", None)) is not None:
        label = getattr(row, "get_status_display")()  # noqa: B009 (a dynamic method)
        axis = millimeters(getattr(row, "short_axis_mm", None))
        return Cell(f"{label} {axis}".strip() if status else "", str(getattr(row, "reason", "")))
    return Cell(
        getattr(row, "get_certainty_display")(),  # noqa: B009
        millimeters(getattr(row, "diameter_mm", None)),
    )


def percent(value: Fraction | None) -> str:
    """A signed percentage with one decimal."""
    return "" if value is None else f"{float(value):+.1f} %".replace("+0.0", "0.0")


def millimeters(value: Decimal | None) -> str:
    """A diameter as typed: no trailing zeros, no exponent."""
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
