"""Form fields that read what a coordinator types."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.blank import unseen

# What a Chinese input method leaves in a number: full-width signs, a full stop for the point. Not
# NFKC, which would also turn 5² into 52.
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x3002: "."}


def half_width(typed: Any) -> Any:
    """Typed text with full-width digits and punctuation as ASCII; anything else as it is."""
    return typed.translate(_WIDE) if isinstance(typed, str) else typed


def seen(text: object) -> None:
    """Refuse a text with characters that nobody sees, as REST does (registry/rest.py)."""
    if isinstance(text, str) and (found := unseen(text)):
        raise ValidationError(unseen_refused(found), code="unseen")


def unseen_refused(character: str) -> str:
    """Why a text is refused, and what would be accepted."""
    said = gettext(
        "The invisible character %s is not accepted: letters, digits, signs, spaces and line breaks"
        " are. Type the text instead of pasting it."
    )
    return said % character


class CalendarDateField(forms.DateField):
    """A date typed as YYYY-MM-DD; the browser's own picker follows its own language."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d"],
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

    def to_python(self, value: Any) -> date | None:
        """The date."""
        return super().to_python(half_width(value))
