"""Dates of a screening's answers: a finding is not later than the day it was found on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date as Date
from typing import Any

from django.utils.translation import gettext as _

from registry.errors import FieldError
from trials.screening_items import ITEMS, Kind


def too_late(document: Mapping[str, Any], screened_on: Date) -> Iterator[FieldError]:
    """Each answered date that is after the day of screening."""
    for code, entry in document.items():
        answer = entry.get("value") if isinstance(entry, Mapping) else None
        asked = ITEMS.get(code)
        if asked and asked.kind == Kind.DATE and _after(answer, screened_on):
            detail = _("On or before the day of screening, %s; or never.") % screened_on
            yield FieldError(f"/values/{code}/value", detail)


def _after(answer: Any, day: Date) -> bool:
    try:
        return isinstance(answer, str) and Date.fromisoformat(answer) > day
    except ValueError:
        return False  # what is no date is refused where it is read
