"""A column that a sheet does not have says nothing: what is stored of it stays.

Only of descriptions: a state or size that a sheet leaves out is missing, not unchanged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from outcomes.history import History
from outcomes.models import Visit
from outcomes.visit_sheets.visits import KEYS

RELATIONS = {
    "targets": "measurements",
    "non_targets": "non_target_statuses",
    "new_lesions": "new_lesion_statuses",
}
OF_LESION = (
    "organ", "location", "node", "slice_mm", "bone_type", "previously_irradiated",
    "progressed_since_irradiation", "method",
)  # fmt: skip
OF_ROW = ("method", "slice_mm")
OF_VISIT = ("stated_response", "stated_response_reason")


def completed(
    values: Mapping[str, Any], past: History, stored: Visit, columns: Collection[str]
) -> dict[str, Any]:
    """What a line says, and what is stored of the columns that its sheet does not have."""
    said = {name: getattr(stored, name) for name in OF_VISIT if name not in columns}
    lists = {
        name: [_row(row, past, stored, relation, columns) for row in values[name]]
        for name, relation in RELATIONS.items()
        if name in values and values[name] is not None
    }
    return {**values, **said, **lists}


def _row(
    row: Mapping[str, Any], past: History, stored: Visit, relation: str, columns: Collection[str]
) -> Mapping[str, Any]:
    label = row.get("lesion", "")
    lesion = past.lesions.get(label)
    if lesion is None:
        return row
    seen = next((r for r in stored.rows(relation) if r.lesion_id == lesion.pk), None)
    describes = stored.kind == Visit.Kind.BASELINE or relation == "new_lesion_statuses"
    kept: dict[str, Any] = {}
    for name in OF_LESION:
        if name in columns or f"{label} {name}" in columns:
            continue
        holder = seen if name in OF_ROW and hasattr(seen, name) else lesion if describes else None
        value = getattr(holder, KEYS.get(name, name), None)
        kept |= {KEYS.get(name, name): value} if value not in (None, "") else {}
    return {**kept, **row}
