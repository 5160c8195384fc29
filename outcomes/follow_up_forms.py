"""The rows of a follow-up visit: of the lesions that the baseline named, and of new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.entries import NewLesionEntry, NonTargetEntry, TargetEntry
from outcomes.methods.recist import TargetState
from outcomes.models import CertaintyChoice, GrowthChoice, MethodChoice, NonTargetStateChoice
from outcomes.row_forms import BLANK, DescriptionMixin, MillimeterField, RowForm

SPLIT = "split"
MERGED = f"{TargetState.MERGED.value}:"  # followed by the label of the lesion it merged into
FRAGMENTS = 3  # fields for a lesion that was whole at the visit before
FRAGMENT = "fragment_"
THICKEST = 50  # mm
STATES: list[tuple[str, Any]] = [  # in few words: the list stands beside the number
    (TargetState.MEASURED.value, gettext_lazy("Measured")),
    (TargetState.TOO_SMALL.value, gettext_lazy("Too small (5 mm)")),
    (TargetState.ABSENT.value, gettext_lazy("Absent (0 mm)")),
    (TargetState.NOT_EVALUABLE.value, gettext_lazy("Not evaluable")),
    (SPLIT, gettext_lazy("Split into parts")),
]


class FragmentField(forms.CharField):
    """One part of a split lesion in mm, or several: 12 + 8.5."""

    def __init__(self, number: int) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "size": 6}
        widget = forms.TextInput(attrs=attrs)
        label = _("Part %(number)s (mm)") % {"number": number}
        super().__init__(max_length=100, required=False, widget=widget, label=label)

    def clean(self, value: Any) -> tuple[Decimal, ...]:
        """The diameters of the parts."""
        typed, field = super().clean(value), MillimeterField()
        parts = typed.replace("＋", "+").replace("+", " ").split()
        return tuple(mm for part in parts if (mm := field.clean(part)) is not None)


class TargetRowForm(RowForm):
    """A target at a follow-up visit; `initial` may hold the parts of a split lesion."""

    diameter_mm = MillimeterField(label=gettext_lazy("Today (mm)"))
    state = forms.ChoiceField(
        label=gettext_lazy("State"), choices=[*BLANK, *STATES], required=False
    )
    reason = forms.CharField(
        label=gettext_lazy("Why not evaluable"), max_length=300, required=False
    )
    method = forms.ChoiceField(
        label=gettext_lazy("Method"), choices=[*BLANK, *MethodChoice.choices], required=False
    )
    slice_mm = MillimeterField(label=gettext_lazy("Slice (mm)"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for index in range(self.initial.get("parts") or FRAGMENTS):
            self.fields[f"{FRAGMENT}{index}"] = FragmentField(index + 1)

    def offer_merging(self, labels: Iterable[str]) -> None:
        """Let the lesion merge into one of the others."""
        said = [
            (f"{MERGED}{label}", _("Merged into %(lesion)s") % {"lesion": label})
            for label in labels
            if label != self.initial["lesion"]
        ]
        cast(forms.ChoiceField, self.fields["state"]).choices = [*BLANK, *STATES, *said]

    @property
    def fragments(self) -> Sequence[Any]:
        """The fields of the parts."""
        return [self[name] for name in self.fields if name.startswith(FRAGMENT)]

    def clean_slice_mm(self) -> Decimal | None:
        """A slice thickness that a scanner can have."""
        found: Decimal | None = self.cleaned_data["slice_mm"]
        if found is not None and not 0 < found <= THICKEST:
            raise forms.ValidationError(_("Above 0, up to 50 mm."))
        return found

    def clean(self) -> None:
        """A split lesion has parts, and only a split one; the parts are its number."""
        state, parts = self.cleaned_data.get("state"), self._parts()
        first = f"{FRAGMENT}0"
        if any(field.errors for field in self.fragments):
            return
        if state == SPLIT and not parts:
            self.add_error(first, _("Give each part in mm, or choose another state."))
        elif parts and state not in (SPLIT, ""):
            self.add_error(first, _("Choose the state Split, or clear the parts."))
        elif parts and self.cleaned_data.get("diameter_mm") is not None:
            self.add_error("diameter_mm", _("The parts are summed: clear this number."))

    def _parts(self) -> tuple[Decimal, ...]:
        named = [name for name in self.fields if name.startswith(FRAGMENT)]
        return tuple(mm for name in named for mm in self.cleaned_data.get(name) or ())

    def entry(self) -> TargetEntry:
        """The row as a value; a number without a state was measured."""
        values, parts = self.typed(), self._parts()
        if self.errors:
            return TargetEntry(lesion=values["lesion"])
        state, _colon, into = values.get("state", "").partition(":")
        measured = state == SPLIT or (not state and ("diameter_mm" in values or parts))
        return TargetEntry(
            lesion=values["lesion"],
            state="measured" if measured else state or None,
            diameter_mm=values.get("diameter_mm"),
            reason=values.get("reason", ""),
            merged_into=into,
            fragments_mm=parts,
            method=values.get("method", ""),
            slice_mm=values.get("slice_mm"),
        )


class GrowthMixin(forms.Form):
    """Whether a lesion that is judged by eye has grown; asked where the trial uses iRECIST."""

    growth = forms.ChoiceField(
        label=gettext_lazy("Since the visit before"),
        choices=[*BLANK, *GrowthChoice.choices],
        required=False,
    )


class NonTargetRowForm(GrowthMixin, RowForm):
    """A non-target at a follow-up visit."""

    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        choices=NonTargetStateChoice.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    short_axis_mm = MillimeterField(label=gettext_lazy("Short axis (mm)"))
    reason = forms.CharField(
        label=gettext_lazy("Why not evaluable"), max_length=300, required=False
    )

    def entry(self) -> NonTargetEntry:
        """The row as a value."""
        return NonTargetEntry(**self.typed())


class NewLesionRowForm(GrowthMixin, DescriptionMixin, RowForm):
    """A lesion that was not there at baseline; one seen before keeps its label."""

    method = forms.ChoiceField(
        label=gettext_lazy("Method"), choices=[*BLANK, *MethodChoice.choices], required=False
    )
    certainty = forms.ChoiceField(
        label=gettext_lazy("Certainty"), choices=[*BLANK, *CertaintyChoice.choices], required=False
    )
    diameter_mm = MillimeterField(label=gettext_lazy("Diameter (mm)"))

    def blank(self) -> bool:
        """Whether nothing was entered; of a lesion seen before the description is there already."""
        seen_now = ("certainty", "diameter_mm", "growth")
        described = ("organ", "description", "nodal")
        return not self.says(*seen_now if self.initial.get("organ") else (*described, *seen_now))

    def entry(self) -> NewLesionEntry:
        """The row as a value."""
        row = NewLesionEntry(**self.typed())
        return row.with_node_inferred(row.nodal or None)
