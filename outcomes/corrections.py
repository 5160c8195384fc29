"""What a correction changes, field by field, for a page to show before it is saved.

Of one visit's form as `Change`s of an entry; of a spreadsheet's many as `Difference`s, which are
kept as codes and worded when they are read, in the reader's language.
"""

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
    GrowthChoice,
    Lesion,
    Measurement,
    MethodChoice,
    NewLesionStatus,
    NonTargetStateChoice,
    NonTargetStatus,
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
    "growth": GrowthChoice,
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
    "growth": gettext_lazy("Growth"),
    "diameter_mm": gettext_lazy("Diameter (mm)"),
    "fragments_mm": gettext_lazy("Parts (mm)"),
    "short_axis_mm": gettext_lazy("Short axis (mm)"),
    "merged_into": gettext_lazy("Merged into"),
    "reason": gettext_lazy("Why not evaluable"),
    "method": gettext_lazy("Method"),
    "slice_mm": gettext_lazy("Slice (mm)"),
}
OF_NON_TARGET = (
    "status",
    "short_axis_mm",
    "reason",
    "growth",
)  # what a follow-up visit says of one
DESCRIPTION = {
    "organ": gettext_lazy("Organ"),
    "description": gettext_lazy("Location"),
    "nodal": gettext_lazy("Lymph node"),
    "bone_type": gettext_lazy("Bone lesion"),
    "previously_irradiated": gettext_lazy("Irradiated before"),
    "progressed_since_irradiation": gettext_lazy("Progressed since"),
}
ROWS = ("targets", "non_targets", "new_lesions")

# What a stored row says, by the visit's relation to it.
OF_RELATIONS: Mapping[str, tuple[str, ...]] = {
    "measurements": ("state", "diameter_mm", "fragments_mm", "merged_into", "reason", "method",
                     "slice_mm"),
    "non_target_statuses": ("status", "short_axis_mm", "reason", "growth"),
    "new_lesion_statuses": ("certainty", "diameter_mm", "method", "growth"),
}  # fmt: skip
STATED = ("kind", "stated_response", "stated_response_reason")
YES_OR_NO = ("nodal", "previously_irradiated", "progressed_since_irradiation")
Said = dict[tuple[str, str], str]  # by lesion ("" for the visit) and field


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
    whole = OF_ROW | DESCRIPTION
    names = whole if after.baseline else OF_ROW
    of_non_target = whole if after.baseline else {name: OF_ROW[name] for name in OF_NON_TARGET}
    return (
        *_differing(before, after, OF_VISIT, "", ""),
        *_rows("targets", before.targets, after.targets, names),
        *_rows("non_targets", before.non_targets, after.non_targets, of_non_target),
        *_rows("new_lesions", before.new_lesions or (), after.new_lesions or (), whole),
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
    path: str,
    before: Iterable[LesionEntry],
    after: Iterable[LesionEntry],
    names: Mapping[str, Any],
) -> Iterator[Change]:
    known = {row.lesion: row for row in before}
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
    said = {name: getattr(row, name) for name in OF_NON_TARGET}
    return NonTargetEntry(**_facts(lesions[row.lesion_id]) | said)


def _new_lesion(row: Any, lesions: Mapping[int, Lesion]) -> NewLesionEntry:
    said = {name: getattr(row, name) for name in ("certainty", "diameter_mm", "method", "growth")}
    return NewLesionEntry(**_facts(lesions[row.lesion_id]) | said)


def _facts(lesion: Lesion) -> dict[str, Any]:
    return dict(vars(described(lesion)))


@dataclass(frozen=True)
class Difference:
    """A field that another value would take; blank where nothing is said."""

    lesion: str
    field: str
    old: str
    new: str

    @property
    def name(self) -> str:
        """The field in words."""
        return str((OF_VISIT | OF_ROW | DESCRIPTION)[self.field])

    @property
    def before(self) -> str:
        """The old value in words."""
        return self._shown(self.old)

    @property
    def after(self) -> str:
        """The new value in words."""
        return self._shown(self.new)

    def _shown(self, code: str) -> str:
        return shown(self.field, bool(code) if self.field in YES_OR_NO else code)


def said(past: History, visit: Visit) -> Said:
    """What a visit of the history says now, and how the lesions are described that it lists."""
    labels = {lesion.pk: lesion.label for lesion in past.lesions.values() if lesion.pk}
    found: Said = {("", name): str(getattr(visit, name)) for name in STATED}
    for relation, names in OF_RELATIONS.items():
        for row in visit.rows(relation):
            label = labels.get(row.lesion_id) or row.lesion.label
            for name in names:
                found[label, name] = _value(row, name, labels)
            found |= _description(past.lesions.get(label), label, visit)
    return {key: value for key, value in found.items() if value}


def differences(before: Said, after: Said) -> tuple[Difference, ...]:
    """What differs, lesion by lesion."""
    return tuple(
        Difference(*key, before.get(key, ""), after.get(key, ""))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )


def _value(
    row: Measurement | NonTargetStatus | NewLesionStatus, name: str, labels: Mapping[int, str]
) -> str:
    if name == "merged_into":
        other = getattr(row, "merged_into_id", None)
        return labels.get(other, "") if other else ""
    return _text(getattr(row, name))


def _description(lesion: Lesion | None, label: str, visit: Visit) -> Said:
    """A lesion's description, where this visit is the one that gives it."""
    if lesion is None or (visit.kind != Visit.Kind.BASELINE and not label.startswith("NL")):
        return {}
    return {(label, name): _text(getattr(lesion, name)) for name in DESCRIPTION}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return " + ".join(_parts(value)) if isinstance(value, list) else str(value or "")


def _parts(values: list[Any]) -> Iterator[str]:
    return (_text(value) for value in values)
