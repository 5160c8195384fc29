"""Soft checks on the visit page: a tick or a comment beside each becomes an acknowledgement.

The fields are named `confirmed:<code>:<lesion>` (a checkbox) and `comment:<code>:<lesion>` (a
text); the lesion is blank for a check of the whole visit.
"""

from __future__ import annotations

from django.http import QueryDict

from outcomes.entries import Acknowledgement
from outcomes.methods.soft_checks import Check

CONFIRMED, COMMENT = "confirmed", "comment"


def field_name(kind: str, check: Check, lesion: str) -> str:
    """The name of a check's field: of `CONFIRMED` or of `COMMENT`."""
    return f"{kind}:{check.value}:{lesion}"


def acknowledgements(data: QueryDict | None) -> tuple[Acknowledgement, ...]:
    """The checks that were ticked or commented; names that no check has say nothing."""
    found: dict[tuple[str, str], str] = {}
    for name, said in data.items() if data else ():
        kind, _, key = name.partition(":")
        code, _, lesion = key.partition(":")
        if kind in (CONFIRMED, COMMENT) and str(said).strip() and code in list(Check):
            comment = str(said).strip() if kind == COMMENT else ""
            found[code, lesion] = found.get((code, lesion)) or comment
    return tuple(Acknowledgement(*key, comment) for key, comment in found.items())
