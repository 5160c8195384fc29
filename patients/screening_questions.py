"""What a screening needs, as an outside system builds its form from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date as Date
from typing import Literal

from patients.judging import Protocol
from patients.screening_documents import (
    CurrentRangeDocument,
    NamedCode,
    PlausibleRange,
    ScreeningFormDocument,
    ScreeningItemDocument,
)
from trials import eligibility_wording as wording
from trials.eligibility import items
from trials.models import ReferenceRange, Site
from trials.screening_items import ITEMS, Item
from trials.vocabularies import CriterionKind, RangeSex

LIMITS: tuple[Literal["uln", "lln"], ...] = ("uln", "lln")
Ranges = Mapping[str, list[ReferenceRange]]


def form_document(protocol: Protocol, on: Date, site: Site | None) -> ScreeningFormDocument:
    """The items with their units, and the criteria; with a site, its limits of normal."""
    version, ranges = protocol.version, current_ranges(site, on) if site else {}
    effective_on = version.effective_on
    return {
        "trial": version.trial.registry_id,
        "date": on.isoformat(),
        "site": site.code if site else None,
        "protocol_version": {
            "number": version.number,
            "label": version.label,
            "effective_on": effective_on.isoformat() if effective_on else None,
            "consent_version": version.consent_version,
        },
        "items": [_item(asked, protocol, ranges) for asked in protocol.items],
        "criteria": [
            {
                "id": one.criterion.pk,
                "kind": CriterionKind(one.criterion.kind),
                "number": one.number,
                "text": one.criterion.text,
                "rule": wording.words(one.rule),
                "items": list(items(one.rule)),
            }
            for one in protocol.criteria
        ],
    }


def current_ranges(site: Site, on: Date) -> Ranges:
    """The ranges in force by item: the latest of each sex, in units that the item has."""
    rows = ReferenceRange.objects.active().filter(site=site, valid_from__lte=on)
    found: dict[str, dict[str, ReferenceRange]] = {}
    for row in rows.order_by("item", "-valid_from"):
        if row.item in ITEMS and row.unit in ITEMS[row.item].units:
            found.setdefault(row.item, {}).setdefault(row.sex, row)
    return {code: list(by_sex.values()) for code, by_sex in found.items()}


def _item(asked: Item, protocol: Protocol, ranges: Ranges) -> ScreeningItemDocument:
    using = protocol.using(asked.code)
    return {
        "code": asked.code,
        "label": wording.label(asked.code, protocol.statements.get(asked.code, "")),
        "kind": asked.kind,
        "units": [{"code": code, "label": wording.unit(code)} for code in asked.units],
        "plausible": _plausible(asked),
        "whole": asked.whole,
        "limits": [name for name in LIMITS if name in protocol.limits.get(asked.code, ())],
        "choices": _choices(asked.choices),
        "carried_over": bool(asked.carries_over),
        "criteria": [one.criterion.pk for one in using],
        "reference_ranges": [_range(row) for row in ranges.get(asked.code, ())],
    }


def _choices(codes: Iterable[str]) -> list[NamedCode]:
    return [{"code": code, "label": wording.choice(code)} for code in codes]


def _plausible(asked: Item) -> PlausibleRange | None:
    if asked.plausible is None:
        return None
    low, high = asked.plausible
    return {"low": float(low), "high": float(high)}


def _range(row: ReferenceRange) -> CurrentRangeDocument:
    return {
        "sex": RangeSex(row.sex),
        "lower": None if row.lower is None else float(row.lower),
        "upper": None if row.upper is None else float(row.upper),
        "unit": row.unit,
        "valid_from": row.valid_from.isoformat(),
    }
