"""Items of a screening: units against the literature, and answers read strictly."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from trials import eligibility_wording as wording
from trials.histologies import NAMES, TERMS, families, folded
from trials.screening_items import ITEMS, Kind, item, possible_ages
from trials.screening_values import (
    Misread,
    Value,
    as_document,
    decimal_text,
    in_canonical,
    read,
)

# item, amount and unit, the same amount in the canonical unit. SI conversions of the laboratory
# handbooks; HBV DNA as seed 003 has it (10^4 copies/mL or 2000 IU/mL).
SAME = [
    ("hemoglobin", "8.0", "g/dL", "80"),
    ("albumin", "2.5", "g/dL", "25"),
    ("neutrophils", "1500", "/uL", "1.5"),
    ("platelets", "80", "10^3/uL", "80"),
    ("platelets", "80000", "/uL", "80"),
    ("creatinine", "1", "mg/dL", "88.4"),
    ("creatinine_clearance", "1", "mL/s", "60"),
    ("urea_nitrogen", "2.8", "mg/dL", "1"),
    ("urea_nitrogen", "28", "mg/dL", "10"),
    ("bilirubin", "1", "mg/dL", "17.1"),
    ("alt", "1", "ukat/L", "60"),
    ("fasting_glucose", "180", "mg/dL", "10"),
    ("qtc", "0.45", "s", "450"),
    ("urine_protein_24h", "1000", "mg", "1"),
    ("hbv_dna", "10000", "copies/mL", "2000"),
]


@pytest.mark.parametrize(("code", "amount", "unit", "canonical"), SAME)
def test_units(code: str, amount: str, unit: str, canonical: str) -> None:
    assert in_canonical(ITEMS[code], Decimal(amount), unit) == Fraction(canonical)


def test_millimeters_of_mercury_by_their_definition() -> None:
    # 140 mmHg are 18.665 kPa (133.322387415 Pa each)
    assert in_canonical(ITEMS["systolic_pressure"], Decimal("18.6651342381"), "kPa") == 140


@pytest.mark.parametrize("code", ITEMS)
def test_every_item_is_complete(code: str) -> None:
    asked = ITEMS[code]
    assert asked.code == code
    assert bool(asked.units) == (asked.kind == Kind.NUMBER) == (asked.plausible is not None)
    assert all(factor > 0 for factor in asked.units.values())
    assert not asked.units or asked.units[asked.unit] == 1
    assert asked.free_text == (code == "histology")


def test_every_item_has_a_name() -> None:
    assert set(wording.LABELS) == set(ITEMS)
    with translation.override("en"):
        names = [str(name) for name in wording.LABELS.values()]
    assert len(set(names)) == len(names)


def test_what_carries_over_from_the_patient() -> None:
    carried = {code: asked.carries_over for code, asked in ITEMS.items() if asked.carries_over}
    assert carried == {"sex": "sex", "ecog": "ecog", "histology": "histology"}


def test_a_birth_year_leaves_two_ages_open() -> None:
    assert possible_ages(1984, date(2026, 11, 20)) == (41, 42)
    assert possible_ages(2026, date(2026, 11, 20)) == (0, 0)


def test_attestations_are_items_too() -> None:
    assert item("attest:informed_consent").kind == Kind.ATTESTATION
    with pytest.raises(KeyError):
        item("weight")


READ: list[tuple[str, Any, Value]] = [
    ("platelets", {"value": 72, "unit": "10^9/L"}, Value(Decimal(72), "10^9/L")),
    ("age", {"value": 18}, Value(Decimal(18), "years")),
    ("ecog", {"value": Decimal("1.0")}, Value(Decimal(1), "")),
    ("hemoglobin", {"value": 8.1, "unit": "g/dL"}, Value(Decimal("8.1"), "g/dL")),
    (
        "creatinine",
        {"value": 1.1, "unit": "mg/dL", "uln": 106, "lln": 53, "limit_unit": "umol/L"},
        Value(Decimal("1.1"), "mg/dL", Decimal(106), Decimal(53), "umol/L"),
    ),
    ("alt", {"value": None}, Value(None, "U/L")),
    ("sex", {"value": "female"}, Value("female")),
    ("histology", {"value": " LMS "}, Value("LMS")),
    ("liver_metastases", {"value": False}, Value(False)),
    ("radiotherapy_on", {"value": "never"}, Value("never")),
    ("radiotherapy_on", {"value": "2026-02-28"}, Value(date(2026, 2, 28))),
    ("radiotherapy_on", {"value": date(2026, 2, 28)}, Value(date(2026, 2, 28))),
    ("attest:consent", {"value": True}, Value(True)),
]


@pytest.mark.parametrize(("code", "entry", "value"), READ)
def test_answers(code: str, entry: Any, value: Value) -> None:
    values = read({code: entry})
    assert values == {code: value}
    assert read(as_document(values)) == values


REFUSED: list[tuple[str, Any, str, str]] = [
    ("weight", {"value": 1}, "", "Not an item of screening."),
    ("attest:", {"value": True}, "", "Not an item of screening."),
    ("attest:Ä", {"value": True}, "", "Not an item of screening."),
    ("platelets", 72, "", "An object with a value; null if it is not known."),
    ("platelets", {}, "", "An object with a value; null if it is not known."),
    ("platelets", {"value": 72}, "unit", "One of the units: 10^9/L, 10^3/uL, /uL."),
    ("platelets", {"value": 72, "unit": "g/L"}, "unit", "One of the units: 10^9/L, 10^3/uL, /uL."),
    ("platelets", {"value": 72, "unit": ["g"]}, "unit", "One of the units: 10^9/L, 10^3/uL, /uL."),
    ("platelets", {"value": "72", "unit": "/uL"}, "value", "A number, such as 72 or 1.5."),
    ("platelets", {"value": True, "unit": "/uL"}, "value", "A number, such as 72 or 1.5."),
    ("platelets", {"value": 1e-300, "unit": "/uL"}, "value", "A number, such as 72 or 1.5."),
    ("platelets", {"value": float("nan"), "unit": "/uL"}, "value", "A number, such as 72 or 1.5."),
    ("platelets", {"value": Decimal("1E+999999"), "unit": "/uL"}, "value", "A number, such as 72"),
    ("platelets", {"value": -1, "unit": "/uL"}, "value", "From 0 to 5000000 /µL."),
    ("hemoglobin", {"value": 120, "unit": "g/dL"}, "value", "From 1 to 30 g/dL."),
    ("hemoglobin", {"value": 301, "unit": "g/L"}, "value", "From 10 to 300 g/L."),
    ("ecog", {"value": 6}, "value", "From 0 to 5."),
    ("ecog", {"value": 1.5}, "value", "A whole number."),
    ("age", {"value": 18.5}, "value", "A whole number."),
    ("age", {"value": 18, "unit": "months"}, "unit", "One of the units: years."),
    ("age", {"value": 18, "uln": 70}, "uln", "This item has no limits of normal."),
    ("alt", {"value": 18, "unit": "U/L", "uln": 0}, "uln", "A limit of normal is above zero."),
    ("alt", {"value": 18, "unit": "U/L", "uln": "40"}, "uln", "A number, such as 72 or 1.5."),
    ("alt", {"value": 18, "unit": "U/L", "uln": 4, "lln": 5}, "lln", "The lower limit of normal"),
    ("alt", {"value": 18, "unit": "U/L", "uln": 4, "limit_unit": "g"}, "limit_unit", "One of the"),
    ("alt", {"value": 18, "unit": "U/L", "ULN": 4}, "ULN", "Unknown key; accepted: limit_unit"),
    ("sex", {"value": "female", "unit": ""}, "unit", "Unknown key; accepted: value."),
    ("sex", {"value": "unknown"}, "value", "One of: female, male."),
    ("sex", {"value": 1}, "value", "One of: female, male."),
    ("histology", {"value": " "}, "value", "Text of 1 to 100 characters."),
    ("histology", {"value": "x" * 101}, "value", "Text of 1 to 100 characters."),
    ("liver_metastases", {"value": "no"}, "value", "true or false."),
    ("liver_metastases", {"value": 0}, "value", "true or false."),
    ("attest:consent", {"value": "yes"}, "value", "true or false."),
    ("radiotherapy_on", {"value": "20260228"}, "value", "A date, YYYY-MM-DD, or “never”."),
    ("radiotherapy_on", {"value": "2026-02-30"}, "value", "A date, YYYY-MM-DD, or “never”."),
    ("radiotherapy_on", {"value": False}, "value", "A date, YYYY-MM-DD, or “never”."),
]


@pytest.mark.parametrize(("code", "entry", "key", "message"), REFUSED)
def test_refused_answers_say_what_would_be_accepted(
    code: str, entry: Any, key: str, message: str
) -> None:
    with pytest.raises(Misread) as refused:
        read({code: entry})
    found = refused.value.problems[0]
    assert (found.item, found.key) == (code, key)
    assert wording.problem(found).startswith(message)


def test_every_refused_item_is_told() -> None:
    with pytest.raises(Misread) as refused:
        read({"sex": {"value": "x"}, "age": {"value": 40}, "ecog": {"value": 9}})
    assert [problem.item for problem in refused.value.problems] == ["sex", "ecog"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(["value", "unit", "uln", "lln", "limit_unit", "other"])
UNITS = st.sampled_from([unit for asked in ITEMS.values() for unit in asked.units])


@given(st.sampled_from([*ITEMS, "attest:x", "x"]), st.dictionaries(KEYS, JSON | UNITS) | JSON)
def test_anything_is_read_or_refused(code: str, entry: Any) -> None:
    try:
        values = read({code: entry})
    except Misread as refused:
        worded = [wording.problem(problem) for problem in refused.problems]
    else:
        worded = ["read"] if read(as_document(values)) == values else []
    assert all(worded)
    assert len(worded) == 1


TEXTS = [("72", "72"), ("1.50", "1.5"), ("0", "0"), ("-0.25", "-0.25"), ("1E+3", "1000")]


@pytest.mark.parametrize(("amount", "text"), TEXTS)
def test_numbers_in_plain_digits(amount: str, text: str) -> None:
    assert decimal_text(Decimal(amount)) == text


HISTOLOGIES = [
    ("LMS", ("leiomyosarcoma",)),
    ("lps", ("liposarcoma",)),
    ("平滑肌肉瘤", ("leiomyosarcoma",)),
    ("Solitary Fibrous Tumour", ("solitary fibrous tumor",)),
    ("Ewing's sarcoma / primitive neuroectodermal tumor", ("Ewing sarcoma",)),
    ("DDLPS", ("dedifferentiated liposarcoma", "liposarcoma")),
    ("MFH", ("undifferentiated pleomorphic sarcoma", "undifferentiated sarcoma")),
    ("myxofibrosarcoma", ("myxofibrosarcoma",)),  # and no fibrosarcoma
    ("extraskeletal myxoid chondrosarcoma", ("extraskeletal myxoid chondrosarcoma",)),
    ("ES", ()),  # epithelioid or Ewing: a person decides
    ("sarcoma, not liposarcoma", ()),
    ("", ()),
]


@pytest.mark.parametrize(("text", "terms"), HISTOLOGIES)
def test_histologies(text: str, terms: tuple[str, ...]) -> None:
    assert families(text) == terms


def test_each_name_is_one_histology() -> None:
    names = [folded(name) for term, (_, names) in TERMS.items() for name in (term, *names)]
    assert len(set(names)) == len(names)
    assert set(names) == set(NAMES)
    assert all(family in {"", *TERMS} for family, _ in TERMS.values())
