"""Queries over HTTP: lists with filters, the thread, manners, and who sees what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from outcomes.models import Visit
from patients.models import Patient, Query
from registry.models import User
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries

Login = Callable[[User], Api]


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01 with a baseline of 50 and 30 mm."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    return row


@pytest.fixture
def coordinator(cast: Cast, api: Login) -> Api:
    """The coordinator's client."""
    return api(cast.coordinator)


def body(patient: Patient, mm: float = 12, **keys: Any) -> dict[str, Any]:
    """An unscheduled visit with T02 like this."""
    rows = [("T01", 49), ("T02", mm)]
    return {
        "patient": patient.pk, "kind": "unscheduled", "date": "2024-02-26",
        "targets": [{"lesion": n, "state": "measured", "diameter_mm": mm} for n, mm in rows],
        "non_targets": [{"lesion": "NT01", "status": "present"}], "new_lesions": [],
    } | keys  # fmt: skip


@pytest.fixture
def query(coordinator: Api, patient: Patient) -> dict[str, Any]:
    """What T02 of 12 mm opened, as it is read."""
    visit = coordinator.post("/visits/", body(patient)).json()
    listed = coordinator.get(visit["links"]["queries"].removeprefix("/api/v1")).json()
    (found,) = listed["results"]
    return dict(found)


def test_the_preview_asks_what_the_save_opens(
    coordinator: Api, patient: Patient, query: dict[str, Any]
) -> None:
    again = body(patient) | {"visit": Visit.objects.get(kind="unscheduled").pk}
    (asked,) = coordinator.post("/visits/preview/", again).json()["soft_checks"]
    assert asked == {
        "code": "large_change", "lesion": "T02", "pointer": "/targets/1/diameter_mm",
        "parameters": {
            "lesion": "T02", "value": "12", "previous_mm": "30", "previous_on": "2024-01-15",
            "change_percent": "-60.0",
        },
        "text": "T02 was 30 mm on 2024-01-15 and is 12 mm now (-60.0 %).",
    }  # fmt: skip
    same = ("code", "lesion", "parameters", "text")
    assert {k: query[k] for k in same} == {k: asked[k] for k in same}
    assert (query["record"], query["field"], query["state"]) == ("visit", "diameter_mm", "open")
    assert (query["opened_by"], query["subject_id"], query["site"]) == (None, "01-001", "01")


def test_acknowledged_with_the_visit(coordinator: Api, patient: Patient) -> None:
    said = [{"code": "large_change", "lesion": "T02", "comment": "embolized"}]
    visit = coordinator.post("/visits/", body(patient, acknowledged=said)).json()
    (found,) = coordinator.get(f"/queries/?visit={visit['id']}").json()["results"]
    assert (found["state"], found["closed_because"]) == ("closed", "commented")
    assert [(m["by"], m["action"], m["text"]) for m in found["messages"]] == [
        ("coordinator", "commented", "embolized")
    ]


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"code": "no_such_check"}, "/acknowledged/0/code"),
        ({"lesion": "T02"}, "/acknowledged/0/code"),
        ({"code": "copied", "lesion": "T09"}, "/acknowledged/0/lesion"),
        ({"code": "copied", "comment": "x" * 1001}, "/acknowledged/0/comment"),
        ({"code": "copied", "why": ""}, "/acknowledged/0/why"),
    ],
)
def test_an_unusable_acknowledgement_is_named(
    coordinator: Api, patient: Patient, said: dict[str, str], pointer: str
) -> None:
    answer = coordinator.post("/visits/", body(patient, acknowledged=[said]))
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_thread_over_http(
    cast: Cast, api: Login, coordinator: Api, query: dict[str, Any]
) -> None:
    investigator, path = api(cast.investigator), f"/queries/{query['id']}/"
    text = {"text": "Read again: 12 mm."}
    assert coordinator.post(f"{path}answer/", text).status_code == 428
    answered = coordinator.post(f"{path}answer/", text, if_match='"1"')
    assert (answered.json()["state"], answered["ETag"]) == ("answered", '"2"')
    assert coordinator.post(f"{path}close/", {"reason": "x"}, if_match='"2"').status_code == 403
    assert investigator.post(f"{path}close/", {"reason": "x"}, if_match='"1"').status_code == 412
    assert investigator.post(f"{path}close/", {}, if_match='"2"').status_code == 400
    closed = investigator.post(f"{path}close/", {"reason": "Fine."}, if_match='"2"').json()
    assert (closed["state"], closed["closed_because"]) == ("closed", "resolved")
    late = coordinator.post(f"{path}answer/", text, if_match='"3"')
    assert late.status_code == 409
    opened = investigator.post(f"{path}reopen/", {"reason": "A typo?"}, if_match='"3"').json()
    assert (opened["state"], opened["closed_at"], opened["version"]) == ("open", None, 4)
    assert [m["action"] for m in opened["messages"]] == ["answered", "closed", "reopened"]


def test_a_question_of_a_person(cast: Cast, api: Login, patient: Patient) -> None:
    visit = patient.visits.get()
    said = {
        "patient": patient.pk, "record": "visit", "record_id": visit.pk, "lesion": "T01",
        "field": "diameter_mm", "text": "Long axis?",
    }  # fmt: skip
    assert api(cast.coordinator).post("/queries/", said).status_code == 403
    opened = api(cast.investigator).post("/queries/", said, idempotency_key="k")
    assert opened.status_code == 201
    assert (opened.json()["text"], opened.json()["opened_by"]) == ("Long axis?", "investigator")
    again = api(cast.investigator).post("/queries/", said, idempotency_key="k")
    assert again.json() == opened.json()
    assert api(cast.investigator).post("/queries/", said).status_code == 409
    assert Query.objects.count() == 1


def test_others_see_nothing_and_cannot_tell(
    cast: Cast, api: Login, patient: Patient, query: dict[str, Any]
) -> None:
    for stranger in (cast.outsider, cast.stranger):
        client = api(stranger)
        assert client.get("/queries/").json()["count"] == 0
        for pk in (query["id"], 999_999_999):
            assert client.get(f"/queries/{pk}/").status_code == 404
            body = {"text": "x"}
            assert client.post(f"/queries/{pk}/answer/", body, if_match='"1"').status_code == 404
        ask = {"record": "visit", "record_id": query["record_id"], "text": "?"}
        told = [client.post("/queries/", ask | {"patient": pk}).json()["errors"]
                for pk in (patient.pk, 999_999_999)]  # fmt: skip
        assert told[0] == told[1]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("", 1), ("trial=NCT00000001", 1), ("trial=NCT99999999", 0), ("site=01", 1), ("site=02", 0),
        ("state=open", 1), ("state=closed", 0), ("patient={patient}", 1), ("patient=999999999", 0),
        ("visit={visit}", 1), ("visit=999999999", 0),
    ],
)  # fmt: skip
def test_filters(
    coordinator: Api, patient: Patient, query: dict[str, Any], asked: str, count: int
) -> None:
    address = asked.format(patient=patient.pk, visit=query["record_id"])
    assert coordinator.get(f"/queries/?{address}").json()["count"] == count


@pytest.mark.parametrize("asked", ["state=lost", "visit=x", "check=copied", "site=%00"])
def test_an_unusable_filter_is_named(coordinator: Api, asked: str) -> None:
    answer = coordinator.get(f"/queries/?{asked}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, asked.partition("=")[0])


def test_statements_do_not_grow(
    cast: Cast, coordinator: Api, query: dict[str, Any],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    for number in range(3):
        other = factories.patient(cast.trial, f"01-1{number}")
        factories.baseline(other, by=cast.coordinator)
        coordinator.post("/visits/", body(other))
    with django_assert_num_queries(4):  # token, count, queries, their messages
        assert coordinator.get("/queries/").json()["count"] == 4
    with django_assert_num_queries(3):
        coordinator.get(f"/queries/{query['id']}/")
