"""What the rows of a baseline and of a follow-up visit have in common."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from outcomes.flow_sheet import millimeters
from outcomes.models import MethodChoice
from registry.form_fields import half_width

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
BLANK: list[tuple[str, Any]] = [("", "")]


class MillimeterField(forms.DecimalField):
    """Millimeters; a decimal comma is read as a point, and full-width digits as digits."""

    default_error_messages = {
        "invalid": _("Give millimeters as a number, such as 27.5."),
        "min_value": _("From 0 to 400 mm."),
        "max_value": _("From 0 to 400 mm."),
    }

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 6})
        super().__init__(
            min_value=Decimal(0), max_value=Decimal(400), max_digits=5, decimal_places=2,
            required=False, widget=widget, **options,
        )  # fmt: skip

    def prepare_value(self, value: Any) -> Any:
        """A stored number as it was typed: 12, not 12.00."""
        return millimeters(value) if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        """The exact decimal; 1_0 and 1e1 are no way to write millimeters."""
        if isinstance(value, str):
            value = half_width(value).strip().replace(",", ".")
            if value and not NUMBER.fullmatch(value):
                raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class RowForm(forms.Form):
    """One lesion's row; a row without anything typed is skipped."""

    lesion = forms.CharField(max_length=10, required=False, widget=forms.HiddenInput)

    def typed(self) -> dict[str, Any]:
        """The fields that say something; the label posted wins, as the rows may have shifted."""
        cleaned = {k: v for k, v in self.cleaned_data.items() if v not in (None, "", ())}
        return {"lesion": self.initial["lesion"]} | cleaned

    def says(self, *names: str) -> bool:
        """Whether one of these fields was filled in, well or not."""
        return any(str(self.data.get(self.add_prefix(name), "")).strip() for name in names)


class DescriptionMixin(forms.Form):
    """How a lesion is described where it is first seen."""

    organ = forms.CharField(
        label=_("Organ"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"list": "organs", "autocomplete": "off"}),
    )
    description = forms.CharField(label=_("Location"), max_length=200, required=False)
    nodal = forms.BooleanField(label=_("Lymph node"), required=False)
    method = forms.ChoiceField(label=_("Method"), choices=MethodChoice.choices, required=False)
