"""The rows of a baseline: lesions are described and named here for good."""

from __future__ import annotations

import re

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from outcomes.entries import NonTargetEntry, TargetEntry
from outcomes.methods.checks import MAX_TARGETS
from outcomes.methods.organs import LYMPH_NODE, organ_group
from outcomes.models import BoneTypeChoice
from outcomes.row_forms import BLANK, DescriptionMixin, MillimeterField, RowForm


class BaselineTargetRowForm(DescriptionMixin, RowForm):
    """A target at baseline."""

    diameter_mm = MillimeterField(label=_("Diameter (mm)"))
    slice_mm = MillimeterField(label=_("Slice (mm)"))
    bone_type = forms.ChoiceField(
        label=_("Bone"), choices=[*BLANK, *BoneTypeChoice.choices], required=False
    )
    previously_irradiated = forms.BooleanField(label=_("Irradiated"), required=False)
    progressed_since_irradiation = forms.BooleanField(label=_("Progressed since"), required=False)

    def blank(self) -> bool:
        """Whether nothing but defaults was entered."""
        return not self.says("organ", "description", "nodal", "diameter_mm", "slice_mm",
                             "previously_irradiated", "bone_type")  # fmt: skip

    def entry(self) -> TargetEntry:
        """The row as a value."""
        row = TargetEntry(**{"state": "measured"} | self.typed())
        return row.with_node_inferred(row.nodal or None)


class BaselineNonTargetRowForm(DescriptionMixin, RowForm):
    """A non-target at baseline."""

    short_axis_mm = MillimeterField(label=_("Short axis (mm)"))

    def blank(self) -> bool:
        """Whether nothing but defaults was entered."""
        return not self.says("organ", "description", "nodal", "short_axis_mm")

    def entry(self) -> NonTargetEntry:
        """The row as a value."""
        row = NonTargetEntry(**{"status": "present"} | self.typed())
        return row.with_node_inferred(row.nodal or None)


# "Make it a non-target": the button's value, and the fields that a row of either kind has.
TO_NON_TARGET = re.compile(rf"to_non_target-([0-{MAX_TARGETS - 1}])", re.ASCII)
SHARED = ("organ", "description", "nodal", "method")
OF_A_TARGET = (*SHARED, "slice_mm", "diameter_mm", "bone_type", "previously_irradiated",
               "progressed_since_irradiation")  # fmt: skip


def rearranged(data: QueryDict | None) -> QueryDict | None:
    """What was typed, where one target row was to become a non-target; without a script, too.

    The rows below move up, so that the labels of a baseline that is not stored yet have no gap.
    """
    asked = TO_NON_TARGET.fullmatch(str(data.get("more", ""))) if data else None
    if data is None or asked is None:
        return data
    moved, index = data.copy(), int(asked[1])
    _add_non_target(moved, f"targets-{index}")
    for number in range(index, MAX_TARGETS):
        for name in OF_A_TARGET:
            moved.setlist(f"targets-{number}-{name}", moved.getlist(f"targets-{number + 1}-{name}"))
    return moved


def _add_non_target(data: QueryDict, target: str) -> None:
    """Put a target's row into the first empty non-target row, or into one more."""
    index = next(i for i in range(50) if not _typed(data, f"non_targets-{i}"))
    row = f"non_targets-{index}"
    for name in SHARED:
        data.setlist(f"{row}-{name}", data.getlist(f"{target}-{name}"))
    organ, mm = str(data.get(f"{target}-organ", "")), str(data.get(f"{target}-diameter_mm", ""))
    if data.get(f"{target}-nodal") or organ_group(organ) == LYMPH_NODE:
        data[f"{row}-short_axis_mm"] = mm
    elif mm:  # a non-target that is no node has no diameter, but nothing typed is lost
        data[f"{row}-description"] = f"{data.get(f'{row}-description', '')} ({mm} mm)".strip()
    said = str(data.get("non_targets-rows", ""))
    rows = int(said) if said.isascii() and said.isdigit() else 0
    data["non_targets-rows"] = str(max(rows, index + 1))


def _typed(data: QueryDict, row: str) -> bool:
    names = ("organ", "description", "nodal", "short_axis_mm")
    return any(str(data.get(f"{row}-{name}", "")).strip() for name in names)
