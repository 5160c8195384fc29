"""Dispositions: what ends a study, and what it closes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from patients.models import Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes.visits.bodies import pointers
from tests.patients.conduct.records import WHY, Body, Login, dose, ending, on
from trials.vocabularies import Role


def test_a_disposition_comes_back_whole(coordinator: Api, patient: Patient) -> None:
    told = ending(patient, "withdrawn", 50, follow_up_continues=True, detail="too far")
    said = coordinator.post("/dispositions/", told).json()
    path = f"/dispositions/{said['id']}/"
    assert said == told | {
        "id": said["id"], "version": 1, "disposition_reason": "", "from_site": None,
        "to_site": None, "links": {"self": f"/api/v1{path}"},
    }  # fmt: skip
    assert coordinator.get(path).json() == said
    assert coordinator.get(f"/dispositions/?patient={patient.pk}").json()["results"] == [said]
    replaced = coordinator.put(
        path, said | {"disposition_reason": "Adverse event"} | WHY, if_match='"1"'
    )
    assert replaced.json() == said | {"disposition_reason": "adverse_event", "version": 2}
    other = said | {"kind": "completed", "follow_up_continues": None}
    assert pointers(coordinator.put(path, other | WHY, if_match='"2"')) == ["/kind"]


@pytest.mark.parametrize(
    ("kind", "other", "pointer"),
    [
        ("treatment_discontinued", {}, None),
        ("treatment_discontinued", {"disposition_reason": ""}, "/disposition_reason"),
        ("treatment_discontinued", {"disposition_reason": "boredom"}, "/disposition_reason"),
        ("withdrawn", {"follow_up_continues": None}, "/follow_up_continues"),
        ("completed", {"follow_up_continues": True}, "/follow_up_continues"),
        ("completed", {}, None),
        ("transferred", {}, "/kind"),
        ("died", {}, "/kind"),
        ("completed", {"on": on(-1)}, "/on"),
        ("completed", {"on": on(501)}, "/on"),
        ("lost_to_follow_up", {"on": "2199-01-01"}, "/on"),
    ],
)
def test_what_a_disposition_may_say(
    coordinator: Api, cast: Cast, kind: str, other: Body, pointer: str | None
) -> None:
    row = factories.patient(cast.trial, died_on=on(500))
    answer = coordinator.post("/dispositions/", ending(row, kind, 60) | other)
    assert answer.status_code == (400 if pointer else 201), answer.content
    if pointer:
        assert pointer in pointers(answer)


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("treatment_discontinued", "withdrawn", True),
        ("treatment_discontinued", "treatment_discontinued", True),
        ("withdrawn", "withdrawn", False),
        ("withdrawn", "lost_to_follow_up", False),
        ("withdrawn", "completed", False),
        ("lost_to_follow_up", "completed", False),
        ("completed", "completed", False),
        ("lost_to_follow_up", "lost_to_follow_up", False),
    ],
)
def test_a_study_ends_once(
    coordinator: Api, patient: Patient, first: str, second: str, both: bool
) -> None:
    assert coordinator.post("/dispositions/", ending(patient, first, 50)).status_code == 201
    answer = coordinator.post("/dispositions/", ending(patient, second, 60))
    assert answer.status_code == (201 if both else 409)
    if not both:
        assert pointers(answer)[-1] == "/kind"


def test_who_withdraws_but_is_followed_may_be_lost_later(
    coordinator: Api, patient: Patient
) -> None:
    told = ending(patient, "withdrawn", 50, follow_up_continues=True)
    assert coordinator.post("/dispositions/", told).status_code == 201
    again = ending(patient, "withdrawn", 60, follow_up_continues=True)
    assert coordinator.post("/dispositions/", again).status_code == 409
    lost = ending(patient, "lost_to_follow_up", 90)
    assert coordinator.post("/dispositions/", lost).status_code == 201


def later(patient: Patient, day: int) -> dict[str, Body]:
    """A record of each kind, by its address, dated that day."""
    visit = {
        "patient": patient.pk, "kind": "scheduled", "date": on(day), "new_lesions": [],
        "targets": [
            {"lesion": "T01", "state": "measured", "diameter_mm": 50},
            {"lesion": "T02", "state": "measured", "diameter_mm": 30},
        ],
        "non_targets": [{"lesion": "NT01", "status": "present"}],
    }  # fmt: skip
    event = {"term": "Fatigue", "grade": 1, "related": True}
    return {
        "/visits/": visit,
        "/therapies/": {"patient": patient.pk, "started_on": on(day)},
        "/adverse-events/": event | {"patient": patient.pk, "started_on": on(day)},
        "/doses/": dose(patient, day, day),
        "/dispositions/": ending(patient, "treatment_discontinued", day),
    }


CLOSED = {"withdrawn": "withdrawal of consent on", "lost_to_follow_up": "loss to follow-up on"}


@pytest.mark.parametrize("kind", CLOSED)
def test_nothing_is_dated_after_what_closed_the_record(
    cast: Cast, coordinator: Api, patient: Patient, kind: str
) -> None:
    factories.baseline(patient, by=cast.coordinator)
    coordinator.post("/dispositions/", ending(patient, kind, 50))
    for path, body in later(patient, 51).items():
        answer = coordinator.post(path, body)
        assert answer.status_code == 409, path
        for error in answer.json()["errors"]:
            assert error["pointer"].endswith(("on", "date"))
            assert f"{CLOSED[kind]} {on(50)}" in error["detail"]
    for path, body in later(patient, 50).items():
        assert coordinator.post(path, body).status_code == 201, path
    preview = coordinator.post("/visits/preview/", later(patient, 52)["/visits/"]).json()
    assert preview["missing"][0]["pointer"] == "/date"


def test_corrections_too_stay_before_it(cast: Cast, coordinator: Api, patient: Patient) -> None:
    event = coordinator.post("/adverse-events/", later(patient, 20)["/adverse-events/"]).json()
    coordinator.post("/dispositions/", ending(patient, "withdrawn", 50))
    path = f"/adverse-events/{event['id']}/"
    for day, status in ((51, 409), (50, 200)):
        answer = coordinator.put(path, event | {"ended_on": on(day)} | WHY, if_match='"1"')
        assert answer.status_code == status


def test_where_follow_up_continues_nothing_is_closed(
    cast: Cast, coordinator: Api, patient: Patient
) -> None:
    factories.baseline(patient, by=cast.coordinator)
    told = ending(patient, "withdrawn", 50, follow_up_continues=True)
    coordinator.post("/dispositions/", told)
    for path, body in later(patient, 90).items():
        assert coordinator.post(path, body).status_code == 201, path


@pytest.mark.parametrize("kind", CLOSED)
@pytest.mark.parametrize("path", ["/visits/", "/therapies/", "/adverse-events/", "/doses/"])
def test_what_closes_comes_after_all_that_is_recorded(
    cast: Cast, coordinator: Api, patient: Patient, kind: str, path: str
) -> None:
    factories.baseline(patient, by=cast.coordinator)
    assert coordinator.post(path, later(patient, 60)[path]).status_code == 201
    answer = coordinator.post("/dispositions/", ending(patient, kind, 59))
    assert (answer.status_code, pointers(answer)) == (409, ["/on"])
    assert on(60) in answer.json()["detail"] + str(answer.json()["errors"])
    assert coordinator.post("/dispositions/", ending(patient, kind, 60)).status_code == 201


@pytest.mark.parametrize(
    ("kind", "status"), [("lost_to_follow_up", 409), ("withdrawn", 201), ("completed", 201)]
)
def test_nobody_is_lost_who_is_known_alive_later(
    cast: Cast, coordinator: Api, kind: str, status: int
) -> None:
    row = factories.patient(cast.trial, last_known_alive_on=on(70))
    assert coordinator.post("/dispositions/", ending(row, kind, 60)).status_code == status


def test_a_death_may_be_learned_of_after_the_end(coordinator: Api, patient: Patient) -> None:
    coordinator.post("/dispositions/", ending(patient, "lost_to_follow_up", 50))
    path, version = f"/patients/{patient.pk}/", f'"{patient.version}"'
    for facts in ({"last_known_alive_on": on(60)}, {"first_dose_on": on(60)}):
        answer = coordinator.patch(path, facts | WHY, if_match=version)
        assert (answer.status_code, pointers(answer)) == (409, [f"/{next(iter(facts))}"])
    assert coordinator.patch(path, {"died_on": on(90)} | WHY, if_match=version).status_code == 200


def test_voiding_reinstates(
    cast: Cast, coordinator: Api, investigator: Api, patient: Patient
) -> None:
    said = coordinator.post("/dispositions/", ending(patient, "lost_to_follow_up", 50)).json()
    path = f"/dispositions/{said['id']}/void/"
    assert coordinator.post(path, WHY, if_match='"1"').status_code == 403
    assert investigator.post(path, {"reason": " "}, if_match='"1"').status_code == 400
    found = {"reason": "found by telephone"}
    assert investigator.post(path, found, if_match='"1"').status_code == 200
    assert coordinator.post("/therapies/", later(patient, 60)["/therapies/"]).status_code == 201
    assert coordinator.get("/dispositions/").json()["results"] == []


def lines(*records: Body) -> str:
    """A file."""
    return "\n".join(json.dumps(record) for record in records)


def test_the_import_holds_it_too(
    cast: Cast, api: Login, coordinator: Api, patient: Patient
) -> None:
    manager = factories.user("manager")
    factories.membership(manager, cast.trial, Role.DATA_MANAGER)
    factories.baseline(patient, by=cast.coordinator)
    coordinator.post("/dispositions/", ending(patient, "withdrawn", 50))
    bodies = later(patient, 51)
    names = {"/visits/": "visit", "/therapies/": "therapy", "/adverse-events/": "adverse_event"}
    sent = [{**bodies[p], "record": name, "patient": "S-001"} for p, name in names.items()]
    client = api(manager)
    answer = client.client.post(
        f"/api/v1/trials/{cast.trial.registry_id}/import/", lines(*sent),
        content_type="application/x-ndjson",
    )  # fmt: skip
    assert answer.status_code == 400
    errors: Any = answer.json()["errors"]
    assert [(e["line"], e["pointer"]) for e in errors] == [
        (1, "/date"), (2, "/started_on"), (3, "/started_on"),
    ]  # fmt: skip
    assert all("withdrawal of consent" in error["detail"] for error in errors)
