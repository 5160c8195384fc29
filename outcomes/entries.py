"""A visit as it was entered, through the form or the API, before anything is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date as Date
from decimal import Decimal
from itertools import chain
from typing import TypeVar

from django.utils.translation import gettext as _

from outcomes.methods.organs import LYMPH_NODE, organ_group
from outcomes.methods.recist import (
    Assessment,
    BoneType,
    Certainty,
    Growth,
    ImagingMethod,
    NewLesion,
    NonTarget,
    NonTargetState,
    Target,
    TargetState,
)
from registry.errors import FieldError

Row = TypeVar("Row", bound="LesionEntry")


@dataclass(frozen=True)
class LesionEntry:
    """What every row says of its lesion; the description matters where the lesion is first seen."""

    lesion: str
    organ: str = ""
    description: str = ""
    nodal: bool = False
    method: str = ""
    slice_mm: Decimal | None = None
    bone_type: str = ""
    previously_irradiated: bool = False
    progressed_since_irradiation: bool = False

    @property
    def organ_group(self) -> str:
        """The organ as RECIST counts it: all nodes are one, paired organs are one."""
        return organ_group(self.organ, nodal=self.nodal)

    def with_node_inferred(self: Row, said: bool | None) -> Row:
        """Whether the lesion is a node, as said, else as the organ's name says."""
        nodal = organ_group(self.organ) == LYMPH_NODE if said is None else said
        return self if nodal == self.nodal else replace(self, nodal=nodal)

    @property
    def imaging_method(self) -> ImagingMethod | None:
        """The method as a value."""
        return ImagingMethod(self.method) if self.method else None


@dataclass(frozen=True)
class TargetEntry(LesionEntry):
    """A target lesion's row; `state` is None while the row is incomplete (preview)."""

    state: str | None = None
    diameter_mm: Decimal | None = None
    reason: str = ""
    merged_into: str = ""
    fragments_mm: tuple[Decimal, ...] = ()

    @property
    def measured_mm(self) -> Decimal | None:
        """The diameter; a split lesion is the sum of its fragments."""
        return sum(self.fragments_mm, Decimal(0)) if self.fragments_mm else self.diameter_mm

    @property
    def says_something(self) -> bool:
        """Whether the row is complete enough to count."""
        return bool(self.state) and not (
            self.state == TargetState.MEASURED and self.measured_mm is None
        )

    def as_target(self, known: LesionEntry) -> Target:
        """The row as RECIST sees it, of a lesion that was described like this."""
        return Target(
            lesion=self.lesion,
            state=TargetState(self.state or ""),
            diameter_mm=self.measured_mm,
            nodal=known.nodal,
            organ_group=known.organ_group,
            method=self.imaging_method,
            slice_mm=self.slice_mm,
            bone_type=BoneType(known.bone_type) if known.bone_type else None,
            previously_irradiated=known.previously_irradiated,
            progressed_since_irradiation=known.progressed_since_irradiation,
            merged_into=self.merged_into,
            fragments_mm=self.fragments_mm,
        )


@dataclass(frozen=True)
class NonTargetEntry(LesionEntry):
    """A non-target lesion's row; `status` is None while the row is incomplete (preview)."""

    status: str | None = None
    short_axis_mm: Decimal | None = None
    reason: str = ""
    growth: str = ""

    @property
    def says_something(self) -> bool:
        """Whether the row is complete enough to count."""
        return bool(self.status)

    def as_non_target(self, known: LesionEntry) -> NonTarget:
        """The row as RECIST sees it, of a lesion that was described like this."""
        return NonTarget(
            lesion=self.lesion,
            status=NonTargetState(self.status or ""),
            nodal=known.nodal,
            short_axis_mm=self.short_axis_mm,
            organ_group=known.organ_group,
            method=self.imaging_method,
            growth=Growth(self.growth) if self.growth else None,
        )


@dataclass(frozen=True)
class NewLesionEntry(LesionEntry):
    """A lesion that was not there at baseline; `certainty` is None while incomplete (preview)."""

    certainty: str | None = None
    diameter_mm: Decimal | None = None
    growth: str = ""

    def as_new_lesion(self, known: LesionEntry) -> NewLesion | None:
        """The row as RECIST sees it, of a lesion described like this unless the row does it anew.

        None while it says nothing yet.
        """
        if not self.certainty:
            return None
        described = self if self.organ else known
        return NewLesion(
            self.lesion,
            Certainty(self.certainty),
            diameter_mm=self.diameter_mm,
            nodal=described.nodal,
            organ_group=described.organ_group,
            growth=Growth(self.growth) if self.growth else None,
        )


@dataclass(frozen=True)
class Acknowledgement:
    """A soft check that somebody answered: a blank comment confirms the value as in source."""

    code: str
    lesion: str = ""
    comment: str = ""


@dataclass(frozen=True)
class VisitEntry:
    """A whole visit; `new_lesions` is None while the question is unanswered."""

    kind: str
    date: Date | None
    targets: tuple[TargetEntry, ...] = ()
    non_targets: tuple[NonTargetEntry, ...] = ()
    new_lesions: tuple[NewLesionEntry, ...] | None = None
    stated_response: str = ""
    stated_response_reason: str = ""
    acknowledged: tuple[Acknowledgement, ...] = ()

    @property
    def baseline(self) -> bool:
        """Whether this visit starts the patient's RECIST history."""
        return self.kind == "baseline"

    def with_labels(self, taken: Iterable[str], own: Iterable[str] = ()) -> VisitEntry:
        """The same visit, where a new lesion that came without a label has the next free one.

        First come the visit's `own` labels, of lesions that it was the first to show: said again
        without their labels they are the same. Beyond NL99 there is none: such a row keeps its
        blank label and is refused for it.
        """
        rows = self.new_lesions or ()
        given, used = {row.lesion for row in rows}, set(taken)
        unused = (label for i in range(1, 100) if (label := f"NL{i:02}") not in used)
        free = (label for label in chain(own, unused) if label not in given)
        named = tuple(row if row.lesion else replace(row, lesion=next(free, "")) for row in rows)
        return replace(self, new_lesions=None if self.new_lesions is None else named)

    def as_assessment(self, on: Date, roster: Mapping[str, LesionEntry]) -> Assessment:
        """The rows that say something, as RECIST sees them.

        A follow-up row names a lesion of the roster; method and slice thickness are its own.
        """
        known = {} if self.baseline else roster
        new = (row.as_new_lesion(known.get(row.lesion, row)) for row in self.new_lesions or ())
        targets = [row for row in self.targets if row.says_something]
        non_targets = [row for row in self.non_targets if row.says_something]
        return Assessment(
            date=on,
            targets=[row.as_target(known.get(row.lesion, row)) for row in targets],
            non_targets=[row.as_non_target(known.get(row.lesion, row)) for row in non_targets],
            new_lesions=[row for row in new if row],
        )

    def unanswered(self) -> Iterator[FieldError]:
        """What must still be said before the visit can be stored."""
        if self.date is None:
            yield FieldError("/date", _("Give the scan date as YYYY-MM-DD."))
        for index, target in enumerate(self.targets):
            yield from _unanswered_target(f"/targets/{index}", target, baseline=self.baseline)
        for index, non_target in enumerate(self.non_targets):
            yield from _unanswered_non_target(f"/non_targets/{index}", non_target)
        if self.new_lesions is None and not self.baseline:
            yield FieldError(
                "/new_lesions", _("Answer whether there are new lesions: a list, empty for none.")
            )
        for index, new in enumerate(self.new_lesions or ()):
            if not new.certainty:
                yield FieldError(
                    f"/new_lesions/{index}/certainty", _("One of: unequivocal, equivocal.")
                )


def _unanswered_target(path: str, row: TargetEntry, *, baseline: bool) -> Iterator[FieldError]:
    if not row.state:
        yield FieldError(
            f"{path}/state",
            _("One of: measured, too_small, absent, not_evaluable, merged."),
        )
    elif row.state == TargetState.MEASURED and row.measured_mm is None:
        number, other = (
            _("Give millimeters from 0 to 400."),
            _("Give millimeters from 0 to 400, or another state."),
        )
        yield FieldError(f"{path}/diameter_mm", number if baseline else other)
    elif row.state == TargetState.NOT_EVALUABLE and not row.reason.strip():
        yield FieldError(f"{path}/reason", _("Say why the lesion could not be evaluated."))
    elif row.state == TargetState.MERGED and not row.merged_into:
        yield FieldError(f"{path}/merged_into", _("Name the target lesion it merged into."))


def _unanswered_non_target(path: str, row: NonTargetEntry) -> Iterator[FieldError]:
    if not row.status:
        yield FieldError(
            f"{path}/status",
            _("One of: absent, present, increased, unequivocal_progression, not_evaluable."),
        )
    elif row.status == NonTargetState.NOT_EVALUABLE and not row.reason.strip():
        yield FieldError(f"{path}/reason", _("Say why the lesion could not be evaluated."))
