"""Form fields that read what a coordinator types."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class CalendarDateField(forms.DateField):
    """A date typed as YYYY-MM-DD; the browser's own picker follows its own language."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%d", "%Y%m%d", "%Y/%m/%d"],
            widget=forms.DateInput(
                format="%Y-%m-%d",
                attrs={"inputmode": "numeric", "autocomplete": "off", "placeholder": "YYYY-MM-DD"},
            ),
            error_messages={
                "invalid": _("Give the date as YYYY-MM-DD."),
                "required": _("Give the date as YYYY-MM-DD."),
            },
            **options,
        )
