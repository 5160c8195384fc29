"""Lists of visits, and who may read, record and void."""

from __future__ import annotations

import pytest

from patients.models import Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes.visits.bodies import (
    WHY,
    Body,
    Login,
    baseline_of,
    follow_up_of,
    pointers,
    target,
)


def test_visits_are_listed_by_patient_and_trial(
    coordinator: Api, cast: Cast, patient: Patient, first: Body, second: Body
) -> None:
    other = factories.patient(cast.trial, "S-002")
    third = coordinator.post("/visits/", baseline_of(other)).json()
    assert coordinator.get("/visits/").json()["results"] == [first, second, third]
    assert coordinator.get(f"/visits/?patient={other.pk}").json()["results"] == [third]
    assert coordinator.get("/visits/?trial=NCT00000001").json()["count"] == 3
    assert coordinator.get("/visits/?trial=NCT2").json()["count"] == 0
    page = coordinator.get(f"/visits/?patient={patient.pk}&page_size=1").json()
    assert page["count"] == 2
    assert page["results"] == [first]
    assert page["next"].endswith(f"/api/v1/visits/?page=2&page_size=1&patient={patient.pk}")
    assert coordinator.get("/visits/?page=9").status_code == 404


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("patient=x", "patient"), ("patient=", "patient"), ("patient=-1", "patient"),
     ("patient=99999999999999999999", "patient"), ("trial=%00", "trial"),
     ("page_size=501", "page_size"), ("page=0", "page")],
)  # fmt: skip
def test_a_useless_parameter_is_named(coordinator: Api, query: str, parameter: str) -> None:
    response = coordinator.get(f"/visits/?{query}")
    assert response.status_code == 400
    assert response.json()["parameter"] == parameter


def test_a_voided_patients_visits_are_gone(
    coordinator: Api, cast: Cast, api: Login, patient: Patient, second: Body
) -> None:
    api(cast.investigator).post(f"/patients/{patient.pk}/void/", WHY, if_match='"1"')
    assert coordinator.get("/visits/").json()["count"] == 0
    assert coordinator.get(f"/visits/{second['id']}/").status_code == 404
    response = coordinator.post("/visits/", follow_up_of(patient, "2024-04-08"))
    assert pointers(response) == ["/patient"]


PEOPLE = [  # who may read, write, void a visit of site 01
    ("coordinator", 200, 200, 403),
    ("colleague", 200, 200, 403),
    ("investigator", 200, 200, 200),
    ("administrator", 200, 403, 403),
    ("viewer", 200, 403, 403),
    ("superuser", 200, 200, 200),
    ("outsider", 404, 404, 404),
    ("stranger", 404, 404, 404),
]


@pytest.mark.parametrize(("who", "read", "write", "void"), PEOPLE)
def test_who_may_read_write_and_void(
    cast: Cast,
    api: Login,
    patient: Patient,
    second: Body,
    who: str,
    read: int,
    write: int,
    void: int,
) -> None:
    client, path = api(getattr(cast, who)), f"/visits/{second['id']}/"
    assert client.get(path).status_code == read
    assert client.get("/visits/").json()["count"] == (2 if read == 200 else 0)
    new = client.post("/visits/", follow_up_of(patient, "2024-04-08")).status_code
    assert new == {200: 201, 403: 403, 404: 400}[write]
    assert client.put(path, second | WHY, if_match='"1"').status_code == write
    version = '"2"' if write == 200 else '"1"'
    assert client.post(f"{path}void/", WHY, if_match=version).status_code == void


def test_a_foreign_record_answers_as_one_that_does_not_exist(
    cast: Cast, api: Login, patient: Patient, second: Body
) -> None:
    client, none = api(cast.outsider), 10**12
    body = follow_up_of(patient, "2024-04-08")
    pairs = [
        (client.get(f"/visits/{pk}/"), client.put(f"/visits/{pk}/", second | WHY, if_match='"1"'),
         client.post(f"/visits/{pk}/void/", WHY, if_match='"1"'),
         client.get(f"/visits/?patient={patient_id}"),
         client.post("/visits/", body | {"patient": patient_id}),
         client.post("/visits/preview/", body | {"patient": patient_id}))
        for pk, patient_id in ((second["id"], patient.pk), (none, none))
    ]  # fmt: skip
    for foreign, unknown in zip(*pairs, strict=True):
        assert foreign.status_code == unknown.status_code
        assert foreign.content == unknown.content
        assert foreign.status_code in (200, 400, 404)


@pytest.mark.parametrize(
    "text", ["🫁 lung", "<script>alert(1)</script>", "'; DROP TABLE x; --", "肺"]
)
def test_text_comes_back_as_it_was_sent(coordinator: Api, patient: Patient, text: str) -> None:
    rows = [target("T01", 50, organ=text, description=text, reason=text)]
    answered = coordinator.post("/visits/", baseline_of(patient, targets=rows)).json()
    row = answered["targets"][0]
    assert (row["organ"], row["description"], row["reason"]) == (text, text, text)


@pytest.mark.parametrize("path", ["/visits/99999999999999999999999/", "/trials/a%00b/outcomes/"])
def test_no_address_makes_a_server_error(coordinator: Api, path: str) -> None:
    assert coordinator.get(path).status_code == 404
