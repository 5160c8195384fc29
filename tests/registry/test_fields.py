"""JSON's types are not turned into each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field

from registry.blank import is_blank
from registry.fields import Number, Text, WholeNumber, plain

TEXT, WHOLE, NUMBER = Text(), WholeNumber(), Number(max_digits=5, decimal_places=2)
TAKEN: list[tuple[Field[Any, Any, Any, Any], Any, Any]] = [
    (TEXT, " a ", "a"),
    (WHOLE, 42, 42),
    (WHOLE, Decimal("42.0"), 42),
    (NUMBER, 42, Decimal(42)),
    (NUMBER, Decimal("1.25"), Decimal("1.25")),
]
REFUSED: list[tuple[Field[Any, Any, Any, Any], list[Any]]] = [
    (TEXT, [1, True, Decimal(1), [], {}]),
    (WHOLE, ["42", True, [], {}, Decimal("1.5"), Decimal("1e999"), ""]),
    (NUMBER, ["42", True, [], {}, Decimal("1.234"), Decimal("1e999"), 10**9]),
]


@pytest.mark.parametrize(("field", "given", "value"), TAKEN)
def test_values_are_taken_as_typed(
    field: Field[Any, Any, Any, Any], given: Any, value: Any
) -> None:
    taken = field.run_validation(given)
    assert taken == value
    assert type(taken) is type(value)


@pytest.mark.parametrize(("field", "values"), REFUSED)
def test_other_types_are_refused(field: Field[Any, Any, Any, Any], values: list[Any]) -> None:
    for value in values:
        with pytest.raises(ValidationError):
            field.run_validation(value)


def test_a_number_is_answered_as_a_number() -> None:
    assert NUMBER.to_representation(Decimal("12.50")) == 12.5
    assert NUMBER.to_representation(None) is None


def test_plain_json_can_be_stored() -> None:
    assert plain([{"a": Decimal("1e-400")}]) == [{"a": 0.0}]
    with pytest.raises(ValueError, match="range"):
        plain({"a": Decimal("-1e999")})


@pytest.mark.parametrize(
    ("text", "blank"),
    [("", True), (" \u3000", True), ("\u200b", True), ("\u200e \u00ad", True), ("a\u200b", False)],
)
def test_what_nobody_sees_is_blank(text: str, blank: bool) -> None:
    assert is_blank(text) is blank
    field = Text()
    if blank:
        with pytest.raises(ValidationError):
            field.run_validation(text)
    else:
        assert field.run_validation(text) == text
