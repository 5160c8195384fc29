"""Visits corrected and voided over HTTP: against a version, with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps

from outcomes.models import Visit
from patients.models import Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes.visits.bodies import (
    BAD_TAGS,
    GONE,
    NEW,
    WHY,
    Body,
    Login,
    edited,
    follow_up_of,
    pointers,
    stored,
    target,
)


def put(api: Api, visit: Body, body: Body, **headers: str) -> Any:
    """A correction against the version that was read."""
    default = {"if_match": f'"{visit["version"]}"'}
    return api.put(f"/visits/{visit['id']}/", body, **default | headers)


def test_get_edit_put_changes_nothing_but_the_version(
    coordinator: Api, patient: Patient, second: Body, first: Body
) -> None:
    third = coordinator.post(
        "/visits/",
        follow_up_of(
            patient, "2024-04-08", new_lesions=[NEW | {"diameter_mm": 12}], stated_response="PD",
            targets=[target("T01", 50, fragments_mm=[30, 20]),
                     {"lesion": "T02", "state": "merged", "merged_into": "T01"}],
        ),
    ).json()  # fmt: skip
    for visit in (first, second, third):
        before = stored()
        response = put(coordinator, visit, visit | WHY)
        assert response.status_code == 200, response.content
        assert response["ETag"] == '"2"'
        assert response.json() == visit | {"version": 2}
        rows, events = stored()[:2], before[:2]
        assert rows == [events[0], events[1] + 1]  # one event: the visit's new version
        assert stored()[2:] == before[2:]
    assert set(Visit.objects.values_list("version", flat=True)) == {2}


@pytest.mark.parametrize("tag", BAD_TAGS)
def test_a_change_needs_the_current_version(coordinator: Api, second: Body, tag: str) -> None:
    before = stored()
    response = put(coordinator, second, second | WHY, if_match=tag)
    assert response.status_code == 412, response.content
    assert stored() == before


@pytest.mark.parametrize("reason", [GONE, "", "  \n", None, 7, True, [], {}, "x" * 501])
def test_a_change_needs_a_reason(
    coordinator: Api, cast: Cast, api: Login, second: Body, reason: Any
) -> None:
    before = stored()
    body = {} if reason is GONE else {"reason": reason}
    response = put(coordinator, second, second | body)
    assert response.status_code == 400
    assert pointers(response) == ["/reason"]
    path = f"/visits/{second['id']}/void/"
    response = api(cast.investigator).post(path, body, if_match='"1"')
    assert response.status_code == 400
    assert pointers(response) == ["/reason"]
    assert stored() == before


def test_a_change_may_say_why_of_single_fields(coordinator: Api, second: Body) -> None:
    said = {"/targets/0/diameter_mm": "misread", "/new_lesions": "second reading"}
    body = edited(second, "/targets/0/diameter_mm", 41) | WHY
    assert put(coordinator, second, body | {"reasons": said}).status_code == 200
    event = apps.get_model("outcomes", "MeasurementEvent").objects.latest("pgh_id")
    assert event.pgh_context["reason"] == WHY["reason"]
    assert event.pgh_context["reasons"] == {
        "/targets/T01/diameter_mm": "misread", "/new_lesions": "second reading",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reasons", "wrong"),
    [
        ({"/targets/0/diameter_mm": ""}, "/reasons/~1targets~10~1diameter_mm"),
        ({"/date": 7}, "/reasons/~1date"),
        ({"/date": "x" * 501}, "/reasons/~1date"),
        ({"targets": "misread"}, "/reasons/targets"),
        ({"/patient": "misread"}, "/reasons/~1patient"),
        ({"/targets/0/../../x": "misread"}, "/reasons/~1targets~10~1..~1..~1x"),
        ({"/targets/9/diameter_mm": "misread"}, "/reasons/~1targets~19~1diameter_mm"),
        ({"/targets/0/status": "misread"}, "/reasons/~1targets~10~1status"),
        ({"/new_lesions/7": "misread"}, "/reasons/~1new_lesions~17"),
        (["misread"], "/reasons"),
        ("misread", "/reasons"),
        (None, "/reasons"),
    ],
)
def test_why_of_a_field_that_is_none_is_refused(
    coordinator: Api, second: Body, reasons: Any, wrong: str
) -> None:
    before = stored()
    response = put(coordinator, second, second | WHY | {"reasons": reasons})
    assert response.status_code == 400
    assert pointers(response) == [wrong]
    assert stored() == before


def test_a_change_without_if_match_is_asked_for_one(
    coordinator: Api, cast: Cast, api: Login, second: Body
) -> None:
    path = f"/visits/{second['id']}/"
    assert coordinator.put(path, second | WHY).status_code == 428
    assert api(cast.investigator).post(f"{path}void/", WHY).status_code == 428


CORRECTIONS: list[tuple[str, Any, int, list[str]]] = [
    ("/date", "2024-01-14", 400, ["/date"]),
    ("/date", "2024-01-15", 409, ["/date"]),
    ("/targets/0/diameter_mm", 401, 400, ["/targets/0/diameter_mm"]),
    ("/targets/0/x", 1, 400, ["/targets/0/x"]),
    ("/reasons", "x", 400, ["/reasons"]),
    ("/new_lesions", GONE, 400, ["/new_lesions"]),
    ("/patient", 10**12, 400, ["/patient"]),
]


@pytest.mark.parametrize(("pointer", "value", "status", "wrong"), CORRECTIONS)
def test_a_correction_is_refused_where_it_is_wrong(
    coordinator: Api, second: Body, pointer: str, value: Any, status: int, wrong: list[str]
) -> None:
    before = stored()
    response = put(coordinator, second, edited(second, pointer, value) | WHY)
    assert response.status_code == status, response.content
    assert pointers(response) == wrong
    assert stored() == before


def test_a_baseline_keeps_what_later_visits_use(
    coordinator: Api, first: Body, second: Body
) -> None:
    for pointer in ("/targets/1", "/non_targets/0"):
        response = put(coordinator, first, edited(first, pointer, GONE) | WHY)
        assert response.status_code == 409
        assert pointers(response) == [pointer.rsplit("/", 1)[0]]
    late = put(coordinator, first, edited(first, "/date", "2024-03-01") | WHY)
    assert late.status_code == 400
    assert pointers(late) == ["/date"]
    for visit, kind in ((first, "scheduled"), (second, "baseline")):
        other = put(coordinator, visit, visit | {"kind": kind} | WHY)
        assert other.status_code == 400
        assert pointers(other)[0] == "/kind"


def test_a_visit_stays_with_its_patient(coordinator: Api, cast: Cast, second: Body) -> None:
    other = factories.patient(cast.trial, "S-002")
    response = put(coordinator, second, second | {"patient": other.pk} | WHY)
    assert response.status_code == 400
    assert pointers(response) == ["/patient"]


def test_a_voided_visit_leaves_lists_and_cannot_be_changed(
    coordinator: Api, cast: Cast, api: Login, patient: Patient, second: Body
) -> None:
    path, investigator = f"/visits/{second['id']}/", api(cast.investigator)
    response = investigator.post(f"{path}void/", WHY, if_match='"1"')
    assert response.status_code == 200, response.content
    assert response["ETag"] == '"2"'
    assert response.json() == second | {"version": 2}
    assert coordinator.get(path).status_code == 404
    assert coordinator.put(path, second | WHY, if_match='"2"').status_code == 404
    assert investigator.post(f"{path}void/", WHY, if_match='"2"').status_code == 404
    assert coordinator.get(f"/visits/?patient={patient.pk}").json()["count"] == 1


def test_a_void_says_nothing_but_why(cast: Cast, api: Login, second: Body) -> None:
    path = f"/visits/{second['id']}/void/"
    investigator = api(cast.investigator)
    response = investigator.post(path, WHY | {"date": "2024-01-01"}, if_match='"1"')
    assert response.status_code == 400
    assert pointers(response) == ["/date"]
    assert investigator.post(path, WHY, if_match='"2"').status_code == 412


def test_a_baseline_with_later_visits_is_not_voided(
    cast: Cast, api: Login, first: Body, second: Body
) -> None:
    investigator = api(cast.investigator)
    path = f"/visits/{first['id']}/void/"
    assert investigator.post(path, WHY, if_match='"1"').status_code == 409
    investigator.post(f"/visits/{second['id']}/void/", WHY, if_match='"1"')
    assert investigator.post(path, WHY, if_match='"1"').status_code == 200
