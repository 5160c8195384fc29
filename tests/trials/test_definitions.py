"""Endpoint definitions: the defaults of API.md, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from trials.definitions import EndpointDefinition, TherapyKind, misfit

# API.md, "Endpoint definition"
DEFAULTS = {
    "time_origin": "first_dose",
    "population": "enrolled",
    "criteria": "RECIST 1.1",
    "confirmation": {
        "required": True,
        "min_days": 28,
        "max_not_evaluable_between": 1,
        "allow_stable_between": False,
    },
    "min_stable_days": 42,
    "min_benefit_days": 168,
    "censoring": {
        "rule": "last_progression_free",
        "censor_at": "last_evaluable",
        "therapies": ["systemic"],
    },
    "proportion_interval": "clopper-pearson",
    "survival_interval": "log-log",
    "confidence_level": 0.95,
}
VALUES = [
    ("time_origin", ["first_dose", "enrollment", "randomization"]),
    ("population", ["enrolled", "evaluable", "safety"]),
    ("proportion_interval", ["clopper-pearson", "wilson", "wald"]),
    ("survival_interval", ["log-log", "log", "plain", "spss"]),
]
CENSORING = [
    ("rule", ["last_progression_free", "fda", "ema"]),
    ("censor_at", ["last_evaluable", "last_any"]),
]
BY_IRECIST: dict[str, Any] = {"criteria": "iRECIST"}
REFUSED: list[tuple[dict[str, Any], tuple[str | int, ...]]] = [
    ({"origin": "first_dose"}, ("origin",)),
    ({"time_origin": "birth"}, ("time_origin",)),
    ({"time_origin": "FIRST_DOSE"}, ("time_origin",)),
    ({"confidence_level": 0.5}, ("confidence_level",)),
    ({"confidence_level": 1}, ("confidence_level",)),
    ({"confidence_level": 0.9999999999999999}, ("confidence_level",)),  # its quantile is infinite
    ({"confidence_level": "0.95"}, ("confidence_level",)),
    ({"confidence_level": True}, ("confidence_level",)),
    ({"min_stable_days": -1}, ("min_stable_days",)),
    ({"min_stable_days": 3651}, ("min_stable_days",)),
    ({"min_stable_days": 42.0}, ("min_stable_days",)),
    ({"confirmation": None}, ("confirmation",)),
    ({"confirmation": {"required": "yes"}}, ("confirmation", "required")),
    ({"confirmation": {"days": 28}}, ("confirmation", "days")),
    ({"criteria": "irRC"}, ("criteria",)),
    (BY_IRECIST | {"confirmation": {"required": True}}, ("confirmation",)),
    (BY_IRECIST | {"confirmation": {"min_days": 28}}, ("confirmation",)),
    ({"censoring": {"therapies": "systemic"}}, ("censoring", "therapies")),
    ({"censoring": {"therapies": ["systemic", "x"]}}, ("censoring", "therapies", 1)),
]


def test_the_defaults_are_those_of_the_interface() -> None:
    assert EndpointDefinition().as_document() == DEFAULTS
    assert EndpointDefinition.parse({}) == EndpointDefinition()


@pytest.mark.parametrize(("key", "values"), VALUES)
def test_every_named_value_is_accepted(key: str, values: list[str]) -> None:
    for value in values:
        assert EndpointDefinition.parse({key: value}).as_document() == DEFAULTS | {key: value}


@pytest.mark.parametrize(("key", "values"), CENSORING)
def test_every_named_censoring_is_accepted(key: str, values: list[str]) -> None:
    for value in values:
        document = EndpointDefinition.parse({"censoring": {key: value}}).as_document()
        assert document["censoring"][key] == value


def test_by_irecist_no_response_needs_confirmation() -> None:
    found = EndpointDefinition.parse(BY_IRECIST)
    assert (found.immune, EndpointDefinition().immune) == (True, False)
    unconfirmed = DEFAULTS["confirmation"] | {"required": False}  # type: ignore[operator]
    assert found.as_document() == DEFAULTS | BY_IRECIST | {"confirmation": unconfirmed}
    assert EndpointDefinition.parse(found.as_document()) == found


def test_therapies_are_a_set_written_in_order() -> None:
    orders = (["surgery", "radiotherapy"], ["radiotherapy", "surgery", "surgery"])
    documents = [EndpointDefinition.parse({"censoring": {"therapies": t}}) for t in orders]
    assert documents[0] == documents[1]
    assert documents[0].censoring.therapies == {TherapyKind.SURGERY, TherapyKind.RADIOTHERAPY}
    assert documents[0].as_document()["censoring"]["therapies"] == ["radiotherapy", "surgery"]


@pytest.mark.parametrize(("document", "key"), REFUSED)
def test_anything_else_is_refused_at_its_key(
    document: dict[str, Any], key: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as refused:
        EndpointDefinition.parse(document)
    assert [error["loc"] for error in refused.value.errors()] == [key]


def test_a_document_survives_the_round_trip() -> None:
    definition = EndpointDefinition.parse(
        {"censoring": {"rule": "fda", "therapies": []}, "min_benefit_days": 180}
    )
    assert EndpointDefinition.parse(definition.as_document()) == definition


SPSS_AT_90: dict[str, Any] = {"survival_interval": "spss", "confidence_level": 0.9}


@pytest.mark.parametrize(
    ("kind", "document", "key"),
    [
        ("OS", BY_IRECIST, "criteria"),
        ("PFS", BY_IRECIST, None),
        ("ORR", BY_IRECIST, None),
        ("OS", SPSS_AT_90, "survival_interval"),
        ("DOR", SPSS_AT_90, "survival_interval"),
        ("ORR", SPSS_AT_90, None),  # it has no median
        ("OS", {"survival_interval": "spss"}, None),
        ("OS", {"confidence_level": 0.9}, None),
    ],
)
def test_what_means_nothing_of_a_kind_is_named(
    kind: str, document: dict[str, Any], key: str | None
) -> None:
    definition = EndpointDefinition.parse(document)  # a stored one loads
    assert misfit(kind, definition) == key
    assert EndpointDefinition.model_validate(definition.as_document()) == definition
