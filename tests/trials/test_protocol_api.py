"""Versions of a protocol over HTTP: read as they were, amended, refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from patients.models import Screening
from tests import factories
from tests.conftest import Api, Cast
from trials.models import Criterion, Trial

Client = Callable[[Any], Api]
PATH = "/trials/NCT00000001/protocol-versions/"
AGE = {"type": "number", "item": "age", "comparison": "at_least", "value": 18, "unit": "years"}
WHY = {"reason": "amendment 1"}


@pytest.fixture
def admin(cast: Cast, api: Client) -> Api:
    """The administrator's client."""
    return api(cast.administrator)


@pytest.fixture
def age(cast: Cast) -> Criterion:
    """The protocol's only criterion, by which a patient was screened."""
    row = Criterion.objects.create(trial=cast.trial, kind="inclusion", text="Adults", rule=AGE)
    patient = factories.patient(cast.trial, enrolled_on=None, first_dose_on=None)
    Screening.objects.create(
        patient=patient,
        protocol_version=cast.trial.protocol_version,
        screened_on=factories.START,
    )
    return row


def as_told(row: Criterion) -> dict[str, Any]:
    return {"id": row.pk, "kind": row.kind, "text": row.text, "rule": row.rule}


def test_an_amendment_begins_the_next_version(admin: Api, age: Criterion) -> None:
    ecog = {"kind": "inclusion", "text": "ECOG 0 to 2"}
    facts = {"label": "2.0", "effective_on": "2024-03-01", "consent_version": "ICF 2"}
    body = facts | {"summary": "ECOG is asked for", "criteria": [as_told(age), ecog]} | WHY
    response = admin.post(PATH, body, if_match='"1"')
    assert response.status_code == 201, response.content
    told = response.json()
    assert {key: told[key] for key in facts} == facts
    assert (told["number"], told["version"], response["ETag"]) == (2, 2, '"2"')
    assert [c["text"] for c in told["criteria"]] == ["Adults", "ECOG 0 to 2"]
    assert told["criteria"][0]["id"] == age.pk
    assert told["links"]["self"] == f"/api/v1{PATH}2/"
    assert [c["text"] for c in admin.get(f"{PATH}1/").json()["criteria"]] == ["Adults"]
    assert admin.get(f"{PATH}2/").json() == told


def test_what_an_amendment_leaves_out_stays(admin: Api, age: Criterion) -> None:
    admin.post(PATH, {"consent_version": "ICF 1b"} | WHY, if_match='"1"')
    told = admin.post(PATH, WHY, if_match='"2"').json()
    assert (told["number"], told["label"], told["consent_version"]) == (3, "3", "ICF 1b")
    assert told["effective_on"] == max(s.today() for s in age.trial.sites.all()).isoformat()
    assert [c["id"] for c in told["criteria"]] == [age.pk]


def test_a_trial_tells_its_protocol_version_and_takes_it_back(admin: Api, age: Criterion) -> None:
    path = "/trials/NCT00000001/"
    assert admin.get(path).json()["protocol_version"] == {
        "number": 1, "label": "1", "effective_on": None, "consent_version": "",
    }  # fmt: skip
    admin.post(PATH, {"label": "1.1", "effective_on": "2024-05-02"} | WHY, if_match='"1"')
    body = admin.get(path).json()
    assert body["protocol_version"]["label"] == "1.1"
    other = body | WHY | {"protocol_version": {"number": 7, "label": "x"}}
    response = admin.put(path, other, if_match='"2"')
    assert response.status_code == 200, response.content
    assert response.json()["protocol_version"] == body["protocol_version"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"label": ""}, "/label"),
    ({"label": 2}, "/label"),
    ({"label": "x" * 41}, "/label"),
    ({"label": None}, "/label"),
    ({"effective_on": "March"}, "/effective_on"),
    ({"consent_version": 1}, "/consent_version"),
    ({"summary": None}, "/summary"),
    ({"number": 7}, "/number"),
    ({"reason": " "}, "/reason"),
    ({"criteria": {}}, "/criteria"),
    ({"criteria": [{"kind": "inclusion"}]}, "/criteria/0/text"),
    (
        {"criteria": [{"kind": "inclusion", "text": "t", "rule": {"age": 18}}]},
        "/criteria/0/rule",
    ),
    (
        {"criteria": [{"kind": "inclusion", "text": "t", "rule": AGE | {"item": "sex"}}]},
        "/criteria/0/rule/item",
    ),
    ({"criteria": [{"kind": "inclusion", "text": "t", "id": 999_999}]}, "/criteria/0/id"),
]


@pytest.mark.parametrize(("extra", "pointer"), REFUSED)
def test_bad_amendments_are_refused_where_they_are(
    admin: Api, cast: Cast, extra: dict[str, Any], pointer: str
) -> None:
    response = admin.post(PATH, WHY | extra, if_match='"1"')
    assert response.status_code == 400, response.content
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
    assert cast.trial.protocol_versions.count() == 1


def test_an_amendment_needs_the_version_and_the_role(cast: Cast, api: Client) -> None:
    admin = api(cast.administrator)
    assert admin.post(PATH, WHY).status_code == 428
    assert admin.post(PATH, WHY, if_match='"7"').status_code == 412
    assert admin.post(PATH, {}, if_match='"1"').status_code == 400
    for user in (cast.coordinator, cast.investigator, cast.viewer):
        assert api(user).post(PATH, WHY, if_match='"1"').status_code == 403
        assert api(user).get(PATH).json()["count"] == 1
    stranger = api(cast.stranger)
    assert stranger.post(PATH, WHY, if_match='"1"').status_code == 404
    assert stranger.get(PATH).status_code == 404
    assert stranger.get(f"{PATH}1/").status_code == 404
    assert cast.trial.protocol_versions.count() == 1


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999", "x", "-1"])
def test_there_is_no_other_version(admin: Api, number: str) -> None:
    assert admin.get(f"{PATH}{number}/").status_code == 404


def test_statements_do_not_grow_with_versions(
    admin: Api, age: Criterion, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for version in (1, 2, 3):
        admin.post(PATH, WHY, if_match=f'"{version}"')
        with django_assert_num_queries(4):  # token, trial, count, versions
            assert len(admin.get(PATH).json()["results"]) == version + 1
        with django_assert_num_queries(4):  # token, trial, version, criteria
            admin.get(f"{PATH}1/")


def test_rules_are_stored_without_what_says_nothing(cast: Cast, admin: Api) -> None:
    rule = AGE | {"value": 18.50, "times": None}
    criteria = [{"kind": "inclusion", "text": "Adults", "rule": rule}]
    admin.patch("/trials/NCT00000001/", {"criteria": criteria} | WHY, if_match='"1"')
    stored = Trial.objects.get(pk=cast.trial.pk).criteria.get().rule
    assert stored == AGE | {"value": 18.5}
