"""Values as canonical JSON: equal values give equal bytes, in every process.

Keys are sorted and sets too, numbers are exact (decimals and fractions as text, floats by their
shortest spelling), dates are ISO and moments in UTC. A dataclass is the object of its fields, so that a field it
gains is written without a word here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from datetime import date as Date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import BaseModel


def text(value: Any) -> str:
    """The canonical JSON of a value; raises TypeError or ValueError for what has none, as NaN."""
    return json.dumps(
        value,
        default=_plain,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def sha256(canonical: str) -> str:
    """The digest of a text's UTF-8, as `sha256sum` prints it."""
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Set):
        return sorted(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Date):
        return value.isoformat()
    if isinstance(value, Decimal | Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")
