"""Soft checks on the visit page: a tick or a comment beside each becomes an acknowledgement.

The fields are named `confirmed:<code>:<lesion>` (a checkbox) and `comment:<code>:<lesion>` (a
text); the lesion is blank for a check of the whole visit.
"""

from __future__ import annotations

from collections.abc import Collection

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from outcomes.conformance import MOST_CHARACTERS
from outcomes.entries import Acknowledgement
from outcomes.methods.soft_checks import Check

CONFIRMED, COMMENT = "confirmed", "comment"


def field_name(kind: str, check: Check, lesion: str) -> str:
    """The name of a check's field: of `CONFIRMED` or of `COMMENT`."""
    return f"{kind}:{check.value}:{lesion}"


def comment_fields(data: QueryDict | None) -> dict[str, forms.Field]:
    """The fields of the comments that were sent, by name."""
    begin = tuple(f"{COMMENT}:{check.value}:" for check in Check)
    return {
        name: forms.CharField(max_length=MOST_CHARACTERS, required=False, label=_("Comment"))
        for name in data or ()
        if name.startswith(begin)
    }


def acknowledgements(
    data: QueryDict | None, unless: Collection[str] = ()
) -> tuple[Acknowledgement, ...]:
    """The checks that were ticked or commented; names that no check has say nothing.

    A field `unless` it is named there: its text has no valid shape.
    """
    found: dict[tuple[str, str], str] = {}
    for name, said in data.items() if data else ():
        kind, _colon, key = name.partition(":")
        code, _colon, lesion = key.partition(":")
        if name in unless:
            continue
        if kind in (CONFIRMED, COMMENT) and str(said).strip() and code in list(Check):
            comment = str(said).strip() if kind == COMMENT else ""
            found[code, lesion] = found.get((code, lesion)) or comment
    return tuple(Acknowledgement(*key, comment) for key, comment in found.items())
