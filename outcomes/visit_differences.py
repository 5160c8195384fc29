"""What a visit says, field by field, so that a correction can be shown as old and new values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from outcomes.history import History
from outcomes.models import Lesion, Measurement, NewLesionStatus, NonTargetStatus, Visit

Said = dict[tuple[str, str], str]  # by lesion ("" for the visit) and field

ROWS: Mapping[str, tuple[str, ...]] = {
    "measurements": ("state", "diameter_mm", "fragments_mm", "merged_into", "reason", "method",
                     "slice_mm"),
    "non_target_statuses": ("status", "short_axis_mm", "reason"),
    "new_lesion_statuses": ("certainty", "diameter_mm", "method"),
}  # fmt: skip
OF_VISIT = ("kind", "stated_response", "stated_response_reason")
DESCRIPTION = (
    "organ", "description", "nodal", "bone_type", "previously_irradiated",
    "progressed_since_irradiation",
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """A field that another value would take; blank where nothing is said."""

    lesion: str
    field: str
    old: str
    new: str


def said(past: History, visit: Visit) -> Said:
    """What a visit of the history says now, and how the lesions are described that it lists."""
    labels = {lesion.pk: lesion.label for lesion in past.lesions.values() if lesion.pk}
    found: Said = {("", name): str(getattr(visit, name)) for name in OF_VISIT}
    for relation, names in ROWS.items():
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
