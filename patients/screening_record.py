"""A screening as it was entered, in words: for reading, and to set beside what is typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from patients.judging import FROM_LABORATORY, FROM_PATIENT, Protocol
from patients.models import Screening
from patients.screening_forms import LIMIT_LABELS
from trials import eligibility_wording as wording
from trials.screening_items import Item
from trials.screening_values import NEVER, decimal_text


@dataclass(frozen=True)
class ValueLine:
    """An answer in words."""

    label: str
    words: str
    source: str = ""
    typed: str = ""  # where it is set beside another answer


def value_lines(screening: Screening, protocol: Protocol) -> list[ValueLine]:
    """Every question of the protocol with its answer, in the order in which they are asked."""
    return [
        ValueLine(_label(asked, protocol), words(asked, entry), _source(entry))
        for asked in protocol.items
        for entry in [screening.values.get(asked.code) or {"value": None}]
    ]


def differences(
    screening: Screening, protocol: Protocol, typed: Mapping[str, Any]
) -> list[ValueLine]:
    """Where what is typed is not what is stored."""
    found = []
    for asked in protocol.items:
        stored = screening.values.get(asked.code) or {"value": None}
        if stored.get("limit_source") == FROM_LABORATORY:
            stored = {k: v for k, v in stored.items() if k not in ("uln", "lln", "limit_unit")}
        was, now = words(asked, stored), words(asked, typed[asked.code])
        if was != now:
            found.append(ValueLine(_label(asked, protocol), was, typed=now))
    return found


def _label(asked: Item, protocol: Protocol) -> str:
    name = wording.label(asked.code, protocol.statements.get(asked.code, ""))
    return name[:1].upper() + name[1:]


def words(asked: Item, entry: Mapping[str, Any]) -> str:
    """An answer: "72 × 10⁹/L", "1.1 mg/dL; ULN 1.2 mg/dL", "never", "yes"."""
    value = entry["value"]
    if value is None:
        said = _("not answered")
    elif value == NEVER:
        said = _("never")
    elif isinstance(value, bool):
        said = _("yes") if value else _("no")
    elif isinstance(value, int | float | Decimal):
        said = _amount(value, entry.get("unit") or asked.unit)
    else:
        said = wording.choice(value) if value in asked.choices else str(value)
    return "; ".join([said, *_limits(asked, entry)])


def _limits(asked: Item, entry: Mapping[str, Any]) -> Iterator[str]:
    unit = entry.get("limit_unit") or entry.get("unit") or asked.unit
    for name in ("uln", "lln"):
        if entry.get(name) is not None:
            yield f"{LIMIT_LABELS[name]} {_amount(entry[name], unit)}"


def _amount(number: Any, unit: str) -> str:
    if not isinstance(number, int | float | Decimal):
        return str(number)
    exact = Decimal(str(number))
    return f"{decimal_text(exact) if exact.is_finite() else exact} {wording.unit(unit)}".strip()


def _source(entry: Mapping[str, Any]) -> str:
    said = []
    if entry.get("source") == FROM_PATIENT:
        said.append(_("from the patient's record"))
    if entry.get("limit_source") == FROM_LABORATORY:
        said.append(_("limits of the laboratory"))
    return ", ".join(said)
