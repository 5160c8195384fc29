"""JSON's types are not turned into each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError as InvalidText
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field

from registry.blank import is_blank, unseen, without_unseen
from registry.errors import Refused
from registry.fields import Number, Text, WholeNumber, plain
from registry.models import Draft
from registry.rest import StrictSerializer, pointers, required_reason

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


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("001\u202e-10", "U+202E"),
        ("a\u2066b", "U+2066"),
        ("a\u200bb", "U+200B"),
        ("\ufeffa", "U+FEFF"),
        ("a\u00adb", "U+00AD"),
        ("a\u0007b", "U+0007"),
        ("01\u200d-001", "U+200D"),  # joins nothing
        ("a\u200c", "U+200C"),
        ("می\u200cشود", ""),  # the Persian for "becomes" is misspelled without it
        ("क्\u200dष", ""),
        ("平滑肌肉瘤，≥ 15 mm\r\n\t²", ""),
    ],
)
def test_characters_that_nobody_sees_are_named(text: str, character: str) -> None:
    assert unseen(text) == character
    assert unseen(without_unseen(text)) == ""


OF_A_MODEL = forms.modelform_factory(Draft, fields=["title"])


class Body(StrictSerializer):
    """A text, a document and a text that may be blank."""

    name = Text()
    deep = serializers.JSONField()
    blank = Text(allow_blank=True)


@pytest.mark.parametrize("field", [forms.CharField(), OF_A_MODEL.base_fields["title"]])
def test_every_text_of_a_form_refuses_them(field: forms.Field) -> None:
    with pytest.raises(InvalidText, match=r"U\+202E"):
        field.clean("01-001\u202e")
    assert field.clean("01-001") == "01-001"


def test_a_body_names_each_text_that_has_one() -> None:
    body = {"name": "a\u202eb", "deep": [{"text": "fine"}, {"text": "\u200bx"}], "blank": "\u200b"}
    with pytest.raises(ValidationError) as refused:
        Body(data=body).is_valid(raise_exception=True)
    found = {one["pointer"]: one["detail"] for one in pointers(refused.value.detail)}
    assert list(found) == ["/name", "/deep/1/text"]
    assert found["/deep/1/text"].startswith("The invisible character U+200B is not accepted")


def test_a_reason_that_has_one_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        required_reason({"reason": "typing\u202e error"})
    assert [error.pointer for error in refused.value.errors] == ["/reason"]
