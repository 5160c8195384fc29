"""What a correction changes, field by field, for the page to show before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.entries import LesionEntry, NewLesionEntry, NonTargetEntry, TargetEntry, VisitEntry
from outcomes.flow_sheet import millimeters
from outcomes.history import History, described
from outcomes.models import (
    BoneTypeChoice,
    CertaintyChoice,
    Lesion,
    MethodChoice,
    NonTargetStateChoice,
    ResponseChoice,
    TargetStateChoice,
    Visit,
)
from registry.errors import FieldError, Refused

REASON_FOR = "reason:"  # begins the name of the page's field that says why, before the pointer
CHOICES: Mapping[str, Any] = {
    "kind": Visit.Kind,
    "state": TargetStateChoice,
    "status": NonTargetStateChoice,
    "certainty": CertaintyChoice,
    "method": MethodChoice,
    "bone_type": BoneTypeChoice,
    "stated_response": ResponseChoice,
}
OF_VISIT = {
    "date": gettext_lazy("Scan date"),
    "kind": gettext_lazy("Visit"),
    "stated_response": gettext_lazy("Investigator's assessment"),
    "stated_response_reason": gettext_lazy("Why it differs"),
}
OF_ROW = {
    "state": gettext_lazy("State"),
    "status": gettext_lazy("Status"),
    "certainty": gettext_lazy("Certainty"),
    "diameter_mm": gettext_lazy("Diameter (mm)"),
    "fragments_mm": gettext_lazy("Parts (mm)"),
    "short_axis_mm": gettext_lazy("Short axis (mm)"),
    "merged_into": gettext_lazy("Merged into"),
    "reason": gettext_lazy("Why not evaluable"),
    "method": gettext_lazy("Method"),
    "slice_mm": gettext_lazy("Slice (mm)"),
}
DESCRIPTION = {
    "organ": gettext_lazy("Organ"),
    "description": gettext_lazy("Location"),
    "nodal": gettext_lazy("Lymph node"),
    "bone_type": gettext_lazy("Bone lesion"),
    "previously_irradiated": gettext_lazy("Irradiated before"),
    "progressed_since_irradiation": gettext_lazy("Progressed since"),
}
ROWS = ("targets", "non_targets", "new_lesions")


@dataclass(frozen=True)
class Change:
    """A field that says something else than it did; `pointer` leads into the corrected entry."""

    pointer: str
    lesion: str
    field: str
    before: str
    after: str

    @property
    def reason_name(self) -> str:
        """The name of the page's field that says why."""
        return f"{REASON_FOR}{self.pointer}"


def stored_entry(visit: Visit, past: History) -> VisitEntry:
    """A stored visit as it would be entered; its rows are at hand."""
    labels = {lesion.pk: lesion for lesion in past.lesions.values()}
    return VisitEntry(
        kind=visit.kind,
        date=visit.date,
        targets=tuple(_target(row, labels) for row in visit.measurements.all()),
        non_targets=tuple(_non_target(row, labels) for row in visit.non_target_statuses.all()),
        new_lesions=tuple(_new_lesion(row, labels) for row in visit.new_lesion_statuses.all()),
        stated_response=visit.stated_response,
        stated_response_reason=visit.stated_response_reason,
    )


def changes(before: VisitEntry, after: VisitEntry) -> tuple[Change, ...]:
    """What `after` says otherwise, in the order of the page; rows are the same by their label."""
    described_here = after.baseline
    return (
        *_differing(before, after, OF_VISIT, "", ""),
        *_rows("targets", before.targets, after.targets, described_here),
        *_rows("non_targets", before.non_targets, after.non_targets, described_here),
        *_rows("new_lesions", before.new_lesions or (), after.new_lesions or (), True),
    )


def by_label(reasons: Mapping[str, str], entry: VisitEntry) -> dict[str, str]:
    """Reasons by pointers that name lesions by label, not by the number of their row.

    Raises Refused where one points to nothing in the entry.
    """
    found = {pointer: _by_label(pointer, entry) for pointer in reasons}
    if wrong := [pointer for pointer, labelled in found.items() if not labelled]:
        detail = _("This visit has no such field.")
        keys = (pointer.replace("~", "~0").replace("/", "~1") for pointer in wrong)
        raise Refused([FieldError(f"/reasons/{key}", detail) for key in keys])
    return {found[pointer]: reason for pointer, reason in reasons.items()}


def _by_label(pointer: str, entry: VisitEntry) -> str:
    """The pointer with a label in the place of a row's number; blank where it leads nowhere."""
    path, *rest = pointer.removeprefix("/").split("/")
    if path not in ROWS:
        return pointer if path in OF_VISIT and not rest else ""
    if not rest:
        return pointer
    rows: Sequence[LesionEntry] = getattr(entry, path) or ()
    number, *field = rest
    row = rows[int(number)] if number.isdecimal() and int(number) < len(rows) else None
    if row is None or (field and field[0] not in vars(row)):
        return ""
    return "/".join(("", path, row.lesion, *field))


def _rows(
    path: str, before: Iterable[LesionEntry], after: Iterable[LesionEntry], described_here: bool
) -> Iterator[Change]:
    known = {row.lesion: row for row in before}
    names = OF_ROW | (DESCRIPTION if described_here else {})
    for index, row in enumerate(after):
        if old := known.pop(row.lesion, None):
            yield from _differing(old, row, names, f"/{path}/{index}", row.lesion)
        else:
            yield Change(f"/{path}/{index}", row.lesion, "", "", _("added"))
    for label in known:
        yield Change(f"/{path}", label, "", "", _("removed"))


def _differing(
    before: Any, after: Any, names: Mapping[str, Any], path: str, lesion: str
) -> Iterator[Change]:
    for name, called in names.items():
        old, new = getattr(before, name, None), getattr(after, name, None)
        if old != new:
            yield Change(f"{path}/{name}", lesion, str(called), shown(name, old), shown(name, new))


def shown(name: str, value: Any) -> str:
    """A field's value in words; a dash where it says nothing."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if value in (None, "", ()):
        return "–"
    if name in CHOICES:
        return str(CHOICES[name](value).label)
    written: Callable[[Any], str] = millimeters if isinstance(value, Decimal) else str
    return " + ".join(map(millimeters, value)) if isinstance(value, tuple) else written(value)


def _target(row: Any, lesions: Mapping[int, Lesion]) -> TargetEntry:
    seen = _facts(lesions[row.lesion_id])
    said = {"method": row.method, "slice_mm": row.slice_mm}
    return TargetEntry(
        **seen | said,
        state=row.state,
        diameter_mm=None if row.fragments_mm else row.diameter_mm,
        reason=row.reason,
        merged_into=lesions[row.merged_into_id].label if row.merged_into_id else "",
        fragments_mm=tuple(row.fragments_mm),
    )


def _non_target(row: Any, lesions: Mapping[int, Lesion]) -> NonTargetEntry:
    said = {"status": row.status, "short_axis_mm": row.short_axis_mm, "reason": row.reason}
    return NonTargetEntry(**_facts(lesions[row.lesion_id]) | said)


def _new_lesion(row: Any, lesions: Mapping[int, Lesion]) -> NewLesionEntry:
    said = {"certainty": row.certainty, "diameter_mm": row.diameter_mm, "method": row.method}
    return NewLesionEntry(**_facts(lesions[row.lesion_id]) | said)


def _facts(lesion: Lesion) -> dict[str, Any]:
    return dict(vars(described(lesion)))
