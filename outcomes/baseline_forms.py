"""The rows of a baseline: lesions are described and named here for good."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from outcomes.entries import NonTargetEntry, TargetEntry
from outcomes.models import BoneTypeChoice
from outcomes.row_forms import BLANK, DescriptionMixin, MillimeterField, RowForm


class BaselineTargetRowForm(DescriptionMixin, RowForm):
    """A target at baseline."""

    diameter_mm = MillimeterField(label=_("Diameter (mm)"))
    slice_mm = MillimeterField(label=_("Slice (mm)"))
    bone_type = forms.ChoiceField(
        label=_("Bone lesion"), choices=[*BLANK, *BoneTypeChoice.choices], required=False
    )
    previously_irradiated = forms.BooleanField(label=_("Irradiated before"), required=False)
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
