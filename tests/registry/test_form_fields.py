"""What a coordinator types, and how forms read it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from outcomes.row_forms import MillimeterField
from registry.form_fields import CalendarDateField


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("27.5", "27.5"), ("27,5", "27.5"), (" 27.5 ", "27.5"), (".5", "0.5"), ("5.", "5"),
        ("２７．５", "27.5"), ("27，5", "27.5"), ("27。5", "27.5"), ("　２７", "27"), ("0", "0"),
    ],
)  # fmt: skip
def test_millimeters_as_they_are_typed(typed: str, said: str) -> None:
    assert MillimeterField().clean(typed) == Decimal(said)


@pytest.mark.parametrize("typed", ["5²", "⑤", "1_0", "3e1", "12 mm", "1.2.3", "٣", "NaN", "-1"])
def test_no_millimeters(typed: str) -> None:
    with pytest.raises(ValidationError):
        MillimeterField().clean(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "2026-11-16",
        "20261116",
        "2026/11/16",
        "２０２６－１１－１６",
        "2026／11／16",
        "2026。11。16",
    ],
)
def test_a_date_as_it_is_typed(typed: str) -> None:
    assert CalendarDateField().clean(typed) == date(2026, 11, 16)


@pytest.mark.parametrize("typed", ["16.11.2026", "11/16/2026", "2026-13-01", "2026", "today"])
def test_no_date(typed: str) -> None:
    with pytest.raises(ValidationError, match="YYYY-MM-DD"):
        CalendarDateField().clean(typed)
