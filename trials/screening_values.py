"""The answers of a screening: read strictly, with what would be accepted said per item and key.

Pure. A document is `{"platelets": {"value": 72, "unit": "10^9/L"}, "sex": {"value": "female"},
"radiotherapy_on": {"value": "never"}, "attest:consent": {"value": true}}`. A laboratory value may
carry `uln` and `lln`: in its own unit, or both in `limit_unit`, another unit of the item.
A `value` of null, like an item left out, is not answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from trials.screening_items import ATTEST, Item, Kind, item

NEVER = "never"
CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
MAX_TEXT = 100
KEYS = {"value", "unit", "uln", "lln", "limit_unit"}


@dataclass(frozen=True)
class Value:
    """An answer as entered. A date that never was is NEVER; None is not answered."""

    value: Decimal | bool | str | date | None
    unit: str | None = None
    uln: Decimal | None = None
    lln: Decimal | None = None
    limit_unit: str | None = None

    def as_document(self) -> dict[str, Any]:
        """The answer as JSON; keys that say nothing are left out."""
        held = {"value": self.value, "unit": self.unit, "uln": self.uln, "lln": self.lln}
        held["limit_unit"] = self.limit_unit
        said = {key: _plain(entry) for key, entry in held.items() if entry is not None}
        return {"value": None} | said


@dataclass(frozen=True)
class Problem:
    """What is wrong with one key of one item; worded by `trials.eligibility_wording.problem`."""

    item: str
    key: str
    code: str
    params: Mapping[str, str] = field(default_factory=dict)


class Misread(ValueError):
    """The answers cannot be read; every problem of them is told."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.item}.{p.key}: {p.code}" for p in problems))
        self.problems = problems


class _Wrong(Exception):
    def __init__(self, key: str, code: str, **params: str) -> None:
        super().__init__(code)
        self.key, self.code, self.params = key, code, params


def read(document: Mapping[str, Any]) -> dict[str, Value]:
    """The answers of a JSON document; raises Misread with every problem, one per item."""
    values, problems = {}, []
    for code, entry in document.items():
        try:
            values[code] = _value(_asked(code), entry)
        except _Wrong as wrong:
            problems.append(Problem(code, wrong.key, wrong.code, wrong.params))
    if problems:
        raise Misread(tuple(problems))
    return values


def as_document(values: Mapping[str, Value]) -> dict[str, Any]:
    """Answers as a JSON document: what `read` reads back."""
    return {code: value.as_document() for code, value in values.items()}


def in_canonical(asked: Item, amount: Decimal, unit: str | None) -> Fraction:
    """An amount in the item's canonical unit, exactly; raises ValueError for a unit of another."""
    said = asked.unit if unit is None and len(asked.units) == 1 else unit
    if said is None or said not in asked.units:
        raise ValueError(f"{asked.code} is not measured in {unit!r}")
    return Fraction(amount) * asked.units[said]


def decimal_text(amount: Fraction | Decimal, places: int = 12) -> str:
    """A number in plain digits, at most so many after the point, without trailing zeros."""
    exact = Fraction(amount)
    scaled = round(exact * 10**places)
    digits = f"{abs(scaled):0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")
    return f"-{text}" if scaled < 0 else text


def _asked(code: str) -> Item:
    try:
        asked = item(code)
    except KeyError:
        raise _Wrong("", "unknown_item") from None
    if asked.kind == Kind.ATTESTATION and not CODE.fullmatch(code.removeprefix(ATTEST)):
        raise _Wrong("", "unknown_item")
    return asked


def _value(asked: Item, entry: Any) -> Value:
    if not isinstance(entry, Mapping) or "value" not in entry:
        raise _Wrong("", "value_missing")
    allowed = KEYS if asked.kind == Kind.NUMBER else {"value"}
    for key in entry.keys() - allowed:
        raise _Wrong(str(key), "unknown_key", accepted=", ".join(sorted(allowed)))
    if asked.kind == Kind.NUMBER:
        return _measured(asked, entry)
    answer = entry["value"]
    return Value(None if answer is None else READERS[asked.kind](asked, answer))


def _measured(asked: Item, entry: Mapping[str, Any]) -> Value:
    unit = _unit(asked, entry)
    limit_unit = entry.get("limit_unit")
    if limit_unit is not None and not (isinstance(limit_unit, str) and limit_unit in asked.units):
        raise _Wrong("limit_unit", "unit", accepted=_units(asked))
    limits = {
        key: _limit(asked, key, entry[key], limit_unit or unit)
        for key in ("uln", "lln")
        if entry.get(key) is not None
    }
    if len(limits) == 2 and limits["lln"] >= limits["uln"]:
        raise _Wrong("lln", "limits_crossed")
    amount = None if entry["value"] is None else _amount(asked, entry["value"], unit)
    return Value(amount, unit, **limits, limit_unit=limit_unit if limits else None)


def _unit(asked: Item, entry: Mapping[str, Any]) -> str:
    unit = entry.get("unit")
    if unit is None and (len(asked.units) == 1 or entry["value"] is None):
        return asked.unit
    if not isinstance(unit, str) or unit not in asked.units:
        raise _Wrong("unit", "unit", accepted=_units(asked))
    return unit


def _amount(asked: Item, given: Any, unit: str) -> Decimal:
    amount = _decimal("value", given)
    _require_plausible(asked, "value", amount, unit)
    if asked.whole and amount != amount.to_integral_value():
        raise _Wrong("value", "whole_number")
    return amount


def _require_plausible(asked: Item, key: str, amount: Decimal, unit: str) -> None:
    if asked.plausible and not _within(asked, amount, unit):
        low, high = (decimal_text(bound / asked.units[unit], 4) for bound in asked.plausible)
        raise _Wrong(key, "implausible", low=low, high=high, unit=unit)


def _within(asked: Item, amount: Decimal, unit: str) -> bool:
    low, high = asked.plausible or (Fraction(0), Fraction(0))
    return low <= in_canonical(asked, amount, unit) <= high


def _limit(asked: Item, key: str, given: Any, unit: str) -> Decimal:
    if key not in asked.limits:
        raise _Wrong(key, "no_limits")
    limit = _decimal(key, given)
    if limit <= 0:
        raise _Wrong(key, "not_positive")
    _require_plausible(asked, key, limit, unit)
    return limit


def _decimal(key: str, given: Any) -> Decimal:
    """An exact decimal of at most 15 digits within 10^-12 to 10^15; true and "1" are none."""
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        raise _Wrong(key, "number")
    amount = Decimal(str(given)) if isinstance(given, float) else Decimal(given)
    if not amount.is_finite() or not -12 <= amount.adjusted() <= 15:
        raise _Wrong(key, "number")
    normal = amount.normalize()
    if len(normal.as_tuple().digits) > 15:
        raise _Wrong(key, "digits")
    return amount


def _choice(asked: Item, given: Any) -> str:
    text = given.strip() if isinstance(given, str) else ""
    if asked.free_text and 0 < len(text) <= MAX_TEXT:
        return text
    if text in asked.choices:
        return text
    accepted = ", ".join(asked.choices)
    code = "text" if asked.free_text else "choice"
    raise _Wrong("value", code, accepted=accepted, length=str(MAX_TEXT))


def _yes_no(asked: Item, given: Any) -> bool:
    if not isinstance(given, bool):
        raise _Wrong("value", "yes_no")
    return given


def _date(asked: Item, given: Any) -> str | date:
    if given == NEVER:
        return NEVER
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    try:
        if isinstance(given, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise _Wrong("value", "date")


def _units(asked: Item) -> str:
    return ", ".join(unit or '""' for unit in asked.units)


def _plain(entry: Any) -> Any:
    if isinstance(entry, Decimal):
        return int(entry) if entry == entry.to_integral_value() else float(entry)
    return entry.isoformat() if isinstance(entry, date) else entry


READERS: Mapping[Kind, Callable[[Item, Any], bool | str | date]] = {
    Kind.CHOICE: _choice,
    Kind.YES_NO: _yes_no,
    Kind.DATE: _date,
    Kind.ATTESTATION: _yes_no,
}
