"""Visits over HTTP: what is stored and derived, what is refused and where, and who may."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.apps import apps

from outcomes.models import Lesion, Measurement, NewLesionStatus, NonTargetStatus, Visit
from patients.models import Patient
from tests import factories
from tests.conftest import Api, Cast

Login = Callable[[Any], Api]
Body = dict[str, Any]
GONE = object()  # a key that is left out
MODELS: tuple[Any, ...] = (Visit, Lesion, Measurement, NonTargetStatus, NewLesionStatus)
WHY = {"reason": "typing error"}


def target(label: str, mm: Any, **fields: Any) -> Body:
    """A target as it is sent."""
    return {"lesion": label, "state": "measured", "diameter_mm": mm} | fields


def baseline_of(patient: Patient, **changes: Any) -> Body:
    """A baseline with 50 mm in the lung, 30 mm in the liver and a pleural effusion."""
    return {
        "patient": patient.pk,
        "kind": "baseline",
        "date": "2024-01-15",
        "targets": [
            target("T01", 50, organ="lung", method="ct"),
            target("T02", 30, organ="liver", method="ct"),
        ],
        "non_targets": [{"lesion": "NT01", "organ": "pleural effusion", "status": "present"}],
    } | changes


def follow_up_of(patient: Patient, on: str = "2024-02-26", *mm: Any, **changes: Any) -> Body:
    """A scheduled visit with these diameters, 50 and 30 mm unless told otherwise."""
    return {
        "patient": patient.pk,
        "kind": "scheduled",
        "date": on,
        "targets": [target(f"T{i:02}", value) for i, value in enumerate(mm or (50, 30), 1)],
        "non_targets": [{"lesion": "NT01", "status": "present"}],
        "new_lesions": [],
    } | changes


def edited(body: Body, pointer: str, value: Any) -> Body:
    """A copy of a body with one value replaced, added or left out."""
    copy = deepcopy(body)
    *path, last = [int(p) if p.isdigit() else p for p in pointer.split("/")[1:]]
    place: Any = copy
    for step in path:
        place = place[step]
    if value is GONE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return copy


def stored() -> list[int]:
    """How many rows and audit events there are of every kind."""
    return [n for m in MODELS for n in (m.objects.count(), m.pgh_event_model.objects.count())]


def pointers(response: Any) -> list[str]:
    """Where the problem document says it is wrong."""
    assert response["Content-Type"] == "application/problem+json", response.content
    return [error["pointer"] for error in response.json()["errors"]]


def freeze(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> None:
    """Every site's clock stands at this instant."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return instant.astimezone(tz)

    monkeypatch.setattr("trials.models.sites.datetime", Clock)


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01 without visits, born in 1980, who died on 2025-06-30."""
    return factories.patient(cast.trial, "S-001", birth_year=1980, died_on=date(2025, 6, 30))


@pytest.fixture
def coordinator(cast: Cast, api: Login) -> Api:
    """The coordinator of site 01."""
    return api(cast.coordinator)


@pytest.fixture
def first(coordinator: Api, patient: Patient) -> Body:
    """The patient's baseline, as the API answers it."""
    response = coordinator.post("/visits/", baseline_of(patient))
    assert response.status_code == 201, response.content
    return dict(response.json())


@pytest.fixture
def second(coordinator: Api, patient: Patient, first: Body) -> Body:
    """A follow-up visit with 30 and 20 mm."""
    response = coordinator.post("/visits/", follow_up_of(patient, "2024-02-26", 30, 20))
    assert response.status_code == 201, response.content
    return dict(response.json())


def test_a_baseline_answers_with_its_sum_and_no_response(first: Body, patient: Patient) -> None:
    assert first["version"] == 1
    assert first["patient"] == patient.pk
    assert first["evaluator"] == "investigator"
    assert first["targets"][0] == {
        "lesion": "T01", "state": "measured", "diameter_mm": 50.0, "reason": "",
        "merged_into": None, "fragments_mm": [], "method": "ct", "slice_mm": None,
        "organ": "lung", "organ_group": "lung", "nodal": False, "description": "",
        "bone_type": "", "previously_irradiated": False, "progressed_since_irradiation": False,
    }  # fmt: skip
    assert first["new_lesions"] == []
    assert first["stated_response"] is None
    assert first["links"] == {
        "self": f"/api/v1/visits/{first['id']}/",
        "patient": f"/api/v1/patients/{patient.pk}/",
        "queries": f"/api/v1/queries/?visit={first['id']}",
    }
    derived = first["derived"]
    assert {k: v for k, v in derived.items() if k not in ("reasons", "warnings")} == {
        "sum_mm": 80.0, "baseline_sum_mm": 80.0, "nadir_mm": 80.0, "complete": True,
        "change_from_baseline_percent": 0.0, "change_from_nadir_percent": 0.0,
        "change_from_nadir_mm": 0.0, "target_response": None, "non_target_response": None,
        "new_lesion": False, "overall_response": None,
    }  # fmt: skip
    assert derived["reasons"] == [
        {
            "code": "baseline_sum",
            "parameters": {"sum_mm": "80", "targets": 2},
            "text": "Baseline sum of diameters 80 mm over 2 target lesions.",
        }
    ]
    assert derived["warnings"] == []


def test_a_follow_up_answers_with_what_was_derived(second: Body) -> None:
    derived = second["derived"]
    assert derived["sum_mm"] == 50
    assert derived["change_from_baseline_percent"] == -37.5
    assert derived["change_from_nadir_mm"] == -30
    assert derived["target_response"] == derived["overall_response"] == "PR"
    assert derived["non_target_response"] == "NON_CR_NON_PD"
    assert derived["new_lesion"] is False
    assert [reason["code"] for reason in derived["reasons"]] == [
        "target_pr", "non_target_remains", "no_new_lesion", "overall_as_target",
    ]  # fmt: skip


def test_the_etag_is_the_version(coordinator: Api, first: Body) -> None:
    response = coordinator.get(f"/visits/{first['id']}/")
    assert response["ETag"] == '"1"'
    assert response.json() == first


# What a baseline may not say: body change -> status, where.

BASELINE: list[tuple[str, Any, list[str]]] = [
    # the visit
    ("/patient", GONE, ["/patient"]),
    ("/patient", None, ["/patient"]),
    ("/patient", "1", ["/patient"]),
    ("/patient", True, ["/patient"]),
    ("/patient", 1.5, ["/patient"]),
    ("/patient", 0, ["/patient"]),
    ("/patient", -1, ["/patient"]),
    ("/patient", 10**12, ["/patient"]),
    ("/patient", 10**30, ["/patient"]),
    ("/patient", [], ["/patient"]),
    ("/patient", {"id": 1}, ["/patient"]),
    ("/kind", GONE, ["/kind"]),
    ("/kind", None, ["/kind"]),
    ("/kind", "follow_up", ["/kind"]),
    ("/kind", 3, ["/kind"]),
    ("/kind", ["baseline"], ["/kind"]),
    ("/date", GONE, ["/date"]),
    ("/date", None, ["/date"]),
    ("/date", "", ["/date"]),
    ("/date", "15.01.2024", ["/date"]),
    ("/date", "2024-02-30", ["/date"]),
    ("/date", "2024-1-15", ["/date"]),
    ("/date", "20240115", ["/date"]),
    ("/date", "2024-W03-1", ["/date"]),
    ("/date", "2024-01-15T00:00", ["/date"]),
    ("/date", "2024-01-15\n", ["/date"]),
    ("/date", "0000-00-00", ["/date"]),
    ("/date", 20240115, ["/date"]),
    ("/date", 1e300, ["/date"]),
    ("/date", ["2024-01-15"], ["/date"]),
    ("/date", "9999-12-31", ["/date", "/date"]),  # in the future, and after the death
    ("/date", "2025-07-01", ["/date"]),
    ("/date", "1979-12-31", ["/date"]),
    ("/date", "0001-01-01", ["/date"]),
    ("/stated_response", "PR", ["/stated_response"]),
    ("/stated_response", "great", ["/stated_response"]),
    ("/stated_response", 1, ["/stated_response"]),
    ("/stated_response_reason", "x" * 501, ["/stated_response_reason"]),
    ("/new_lesions", [{"lesion": "NL01", "organ": "bone", "certainty": "equivocal"}],
     ["/new_lesions"]),
    ("/new_lesions", "none", ["/new_lesions"]),
    # the lists
    ("/targets", GONE, ["/targets"]),
    ("/targets", None, ["/targets"]),
    ("/targets", {}, ["/targets"]),
    ("/targets", "T01", ["/targets"]),
    ("/targets", [None], ["/targets/0"]),
    ("/targets", ["T01"], ["/targets/0"]),
    ("/targets", [7, []], ["/targets/0", "/targets/1"]),
    ("/targets", [[[]]], ["/targets/0"]),
    ("/targets/0", {}, ["/targets/0/lesion"]),
    ("/non_targets", GONE, ["/non_targets"]),
    ("/non_targets", None, ["/non_targets"]),
    ("/non_targets", [True], ["/non_targets/0"]),
    # unknown keys
    ("/targetz", [], ["/targetz"]),
    ("/voided_at", None, ["/voided_at"]),
    ("/overall_response", "CR", ["/overall_response"]),
    ("/targets/0/diameter", 50, ["/targets/0/diameter"]),
    ("/targets/1/target_number", 1, ["/targets/1/target_number"]),
    ("/non_targets/0/diameter_mm", 50, ["/non_targets/0/diameter_mm"]),
    ("/non_targets/0/a~1b~0", 50, ["/non_targets/0/a~01b~00"]),
    # labels
    ("/targets/0/lesion", "t01", ["/targets/0/lesion"]),
    ("/targets/0/lesion", "T1", ["/targets/0/lesion"]),
    ("/targets/0/lesion", "T001", ["/targets/0/lesion"]),
    ("/targets/0/lesion", "NT01", ["/targets/0/lesion"]),
    ("/targets/0/lesion", "T０１", ["/targets/0/lesion"]),
    ("/targets/0/lesion", "T01 T02 T03", ["/targets/0/lesion"]),
    ("/targets/0/lesion", "", ["/targets/0/lesion"]),
    ("/targets/0/lesion", None, ["/targets/0/lesion"]),
    ("/targets/0/lesion", 1, ["/targets/0/lesion"]),
    ("/targets/1/lesion", "T01", ["/targets/1/lesion"]),
    ("/non_targets/0/lesion", "T03", ["/non_targets/0/lesion"]),
    ("/non_targets/1", {"lesion": "NT01", "organ": "bone", "status": "present"},
     ["/non_targets/1/lesion"]),
    # diameters
    ("/targets/0/diameter_mm", GONE, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", None, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", "", ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", -0.01, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", 400.01, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", 1000, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", 10**30, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", 12.345, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", "12.345", ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", "12,5", ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", "1_5", ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", "5e1", ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", "NaN", ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", "Infinity", ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", "9" * 2000, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", True, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", [50], ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", {}, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", 9.99, ["/targets/0/diameter_mm"]),
    ("/targets/0/slice_mm", 0, ["/targets/0/slice_mm"]),
    ("/targets/0/slice_mm", 50.01, ["/targets/0/slice_mm"]),
    ("/targets/0/fragments_mm", [9.9], ["/targets/0/diameter_mm"]),
    ("/targets/0/fragments_mm", [-1], ["/targets/0/fragments_mm/0"]),
    ("/targets/0/fragments_mm", [1, "x"], ["/targets/0/fragments_mm/1"]),
    ("/targets/0/fragments_mm", [300, 300], ["/targets/0/diameter_mm"]),
    ("/targets/0/fragments_mm", 50, ["/targets/0/fragments_mm"]),
    ("/targets/0/fragments_mm", [1] * 21, ["/targets/0/fragments_mm"]),
    # states and descriptions
    ("/targets/0/state", GONE, ["/targets/0/state"]),
    ("/targets/0/state", "large", ["/targets/0/state"]),
    ("/targets/0/state", 1, ["/targets/0/state"]),
    ("/targets/0", {"lesion": "T01", "organ": "lung", "state": "absent"}, ["/targets/0/state"]),
    ("/targets/0", {"lesion": "T01", "organ": "lung", "state": "too_small"}, ["/targets/0/state"]),
    ("/non_targets/0/status", "absent", ["/non_targets/0/status"]),
    ("/non_targets/0/status", GONE, ["/non_targets/0/status"]),
    ("/non_targets/0/short_axis_mm", 401, ["/non_targets/0/short_axis_mm"]),
    ("/targets/0/organ", GONE, ["/targets/0/organ"]),
    ("/targets/0/organ", "  ", ["/targets/0/organ"]),
    ("/targets/0/organ", 5, ["/targets/0/organ"]),
    ("/targets/0/organ", "🫁" * 101, ["/targets/0/organ"]),
    ("/non_targets/0/organ", GONE, ["/non_targets/0/organ"]),
    ("/targets/0/description", "x" * 201, ["/targets/0/description"]),
    ("/targets/0/reason", "x" * 301, ["/targets/0/reason"]),
    ("/targets/0/nodal", "yes", ["/targets/0/nodal"]),
    ("/targets/0/nodal", 1, ["/targets/0/nodal"]),
    ("/targets/0/method", "sonar", ["/targets/0/method"]),
    # what RECIST 1.1 does not accept as a target
    ("/targets/0/method", "ultrasound", ["/targets/0/method"]),
    ("/targets/0", target("T01", 9.99, organ="skin", method="caliper"), ["/targets/0/diameter_mm"]),
    ("/targets/0", target("T01", 19.99, organ="lung", method="xray"), ["/targets/0/diameter_mm"]),
    ("/targets/0", target("T01", 15.99, organ="lung", method="ct", slice_mm=8),
     ["/targets/0/diameter_mm"]),
    ("/targets/0", target("T01", 14.99, organ="mediastinum", nodal=True),
     ["/targets/0/diameter_mm"]),
    ("/targets/0", target("T01", 14.99, organ="inguinal lymph node"), ["/targets/0/diameter_mm"]),
    ("/targets/0", target("T01", 14.99, organ="左腋窝淋巴结"), ["/targets/0/diameter_mm"]),
    ("/targets/0/bone_type", "blastic", ["/targets/0/bone_type"]),
    ("/targets/0/previously_irradiated", True, ["/targets/0/progressed_since_irradiation"]),
    ("/targets", [target(f"T{i:02}", 20, organ=organ) for i, organ in
                  enumerate(("lung", "liver", "bone", "brain", "skin", "spleen"), 1)],
     ["/targets/5"]),
    ("/targets", [target(f"T{i:02}", 20, organ=organ) for i, organ in
                  enumerate(("right lung", "LLL nodule", "右肺上叶"), 1)], ["/targets/2/organ"]),
    ("/targets", [target(f"T{i:02}", 20, organ=organ, nodal=True) for i, organ in
                  enumerate(("neck", "groin", "mediastinum"), 1)], ["/targets/2/organ"]),
]  # fmt: skip


@pytest.mark.parametrize(("pointer", "value", "wrong"), BASELINE)
def test_a_baseline_is_refused_where_it_is_wrong(
    coordinator: Api, patient: Patient, pointer: str, value: Any, wrong: list[str]
) -> None:
    before = stored()
    response = coordinator.post("/visits/", edited(baseline_of(patient), pointer, value))
    assert response.status_code == 400, response.content
    assert pointers(response) == wrong
    assert stored() == before


NEW = {"lesion": "NL01", "organ": "bone", "certainty": "unequivocal"}
FOLLOW_UP: list[tuple[str, Any, list[str]]] = [
    ("/date", "2024-01-14", ["/date"]),
    ("/targets/0", GONE, ["/targets"]),
    ("/targets", [], ["/targets", "/targets"]),
    ("/targets/0/lesion", "T09", ["/targets/0/lesion", "/targets"]),
    ("/targets/0/lesion", "t01", ["/targets/0/lesion", "/targets/0/lesion", "/targets"]),
    ("/targets/2", target("T03", 9), ["/targets/2/lesion"]),
    ("/targets/2", target("T01", 50), ["/targets/2/lesion"]),
    ("/targets/0/state", GONE, ["/targets/0/state"]),
    ("/targets/0/state", "not_evaluable", ["/targets/0/reason", "/targets/0/diameter_mm"]),
    ("/targets/0", {"lesion": "T01", "state": "not_evaluable"}, ["/targets/0/reason"]),
    ("/targets/0", {"lesion": "T01", "state": "not_evaluable", "reason": "  "},
     ["/targets/0/reason"]),
    ("/targets/0/state", "too_small", ["/targets/0/diameter_mm"]),
    ("/targets/0/state", "absent", ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", GONE, ["/targets/0/diameter_mm"]),
    ("/targets/0/diameter_mm", 0.001, ["/targets/0/diameter_mm"]),
    ("/targets/0", {"lesion": "T01", "state": "merged"}, ["/targets/0/merged_into"]),
    ("/targets/0", {"lesion": "T01", "state": "merged", "merged_into": "T01"},
     ["/targets/0/merged_into"]),
    ("/targets/0", {"lesion": "T01", "state": "merged", "merged_into": "T77"},
     ["/targets/0/merged_into"]),
    ("/targets/0/merged_into", "T02", ["/targets/0/merged_into"]),
    ("/targets/0/merged_into", 2, ["/targets/0/merged_into"]),
    ("/targets/0", {"lesion": "T01", "state": "absent", "fragments_mm": [1]},
     ["/targets/0/fragments_mm", "/targets/0/diameter_mm"]),
    ("/non_targets", [], ["/non_targets"]),
    ("/non_targets/0/lesion", "NT02", ["/non_targets/0/lesion", "/non_targets"]),
    ("/non_targets/0/status", "not_evaluable", ["/non_targets/0/reason"]),
    ("/non_targets/0/status", "gone", ["/non_targets/0/status"]),
    ("/non_targets/0", {"lesion": "NT01", "status": "absent", "short_axis_mm": 10},
     ["/non_targets/0/short_axis_mm"]),
    ("/non_targets/0", {"lesion": "NT01", "status": "not_evaluable", "reason": "no contrast",
                        "short_axis_mm": 5}, ["/non_targets/0/short_axis_mm"]),
    ("/new_lesions", GONE, ["/new_lesions"]),
    ("/new_lesions", None, ["/new_lesions"]),
    ("/new_lesions", {}, ["/new_lesions"]),
    ("/new_lesions", [None], ["/new_lesions/0"]),
    ("/new_lesions", [NEW, "NL02"], ["/new_lesions/1"]),
    ("/new_lesions", [{"lesion": "NL01", "organ": "bone"}], ["/new_lesions/0/certainty"]),
    ("/new_lesions", [NEW | {"certainty": "maybe"}], ["/new_lesions/0/certainty"]),
    ("/new_lesions", [NEW | {"lesion": "T03"}], ["/new_lesions/0/lesion"]),
    ("/new_lesions", [NEW, NEW], ["/new_lesions/1/lesion"]),
    ("/new_lesions", [NEW | {"diameter_mm": 401}], ["/new_lesions/0/diameter_mm"]),
    ("/new_lesions", [NEW | {"slice_mm": 4}], ["/new_lesions/0/slice_mm"]),
    ("/stated_response", "PD", ["/stated_response_reason"]),
]  # fmt: skip


@pytest.mark.parametrize(("pointer", "value", "wrong"), FOLLOW_UP)
def test_a_follow_up_is_refused_where_it_is_wrong(
    coordinator: Api, patient: Patient, first: Body, pointer: str, value: Any, wrong: list[str]
) -> None:
    before = stored()
    response = coordinator.post("/visits/", edited(follow_up_of(patient), pointer, value))
    assert response.status_code == 400, response.content
    assert pointers(response) == wrong
    assert stored() == before


CONFLICTS: list[tuple[str, Body, str]] = [
    ("baseline", {}, "/kind"),
    ("baseline", {"date": "2024-01-10"}, "/kind"),
    ("scheduled", {"date": "2024-01-15"}, "/date"),
    ("scheduled", {"date": "2024-02-26"}, "/date"),
    ("unscheduled", {"date": "2024-02-26"}, "/date"),
]


@pytest.mark.parametrize(("kind", "changes", "pointer"), CONFLICTS)
def test_what_contradicts_a_stored_visit_is_a_conflict(
    coordinator: Api, patient: Patient, second: Body, kind: str, changes: Body, pointer: str
) -> None:
    before = stored()
    make = baseline_of if kind == "baseline" else follow_up_of
    response = coordinator.post("/visits/", make(patient) | {"kind": kind} | changes)
    assert response.status_code == 409, response.content
    assert pointers(response) == [pointer]
    assert stored() == before


def test_no_follow_up_without_a_baseline(coordinator: Api, patient: Patient) -> None:
    response = coordinator.post("/visits/", follow_up_of(patient))
    assert response.status_code == 400
    assert pointers(response) == ["/kind"]


@pytest.mark.parametrize("body", ["[]", "[{}]", "null", "7", '"x"', "", '{"date": NaN}'])
def test_a_body_is_an_object(coordinator: Api, patient: Patient, body: str) -> None:
    before = stored()
    assert coordinator.post("/visits/", body).status_code == 400
    assert coordinator.post("/visits/preview/", body).status_code == 400
    assert stored() == before


def test_a_morning_in_shanghai_is_today_there_and_not_later(
    coordinator: Api, patient: Patient, first: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(monkeypatch, datetime(2024, 3, 1, 22, 0, tzinfo=UTC))  # 06:00 on the 2nd in Shanghai
    future = coordinator.post("/visits/", follow_up_of(patient, "2024-03-03"))
    assert future.status_code == 400
    assert pointers(future) == ["/date"]
    assert "2024-03-02" in future.json()["detail"]
    assert coordinator.post("/visits/", follow_up_of(patient, "2024-03-02")).status_code == 201


# What is accepted: follow-up change -> what is derived.

ACCEPTED: list[tuple[dict[str, Any], Body]] = [
    ({}, {"sum_mm": 80, "overall_response": "SD"}),
    ({"/targets/0": target("T01", "50.50")}, {"sum_mm": 80.5}),
    ({"/targets/0": target("T01", " 50 ")}, {"sum_mm": 80}),
    ({"/targets/0": target("T01", 400)}, {"sum_mm": 430, "overall_response": "PD"}),
    ({"/targets/0": target("T01", 4)}, {"sum_mm": 34, "overall_response": "PR"}),
    ({"/targets/0": {"lesion": "T01", "state": "too_small"}},
     {"sum_mm": 35, "complete": True, "overall_response": "PR"}),
    ({"/targets/0": target("T01", 5, state="too_small")}, {"sum_mm": 35}),
    ({"/targets/0": {"lesion": "T01", "state": "Absent"}, "/targets/1": target("T02", 0)},
     {"sum_mm": 0, "target_response": "CR", "overall_response": "PR"}),
    ({"/targets/0": target("T01", 0, state="absent"), "/targets/1": target("T02", 0),
      "/non_targets/0/status": "absent"}, {"overall_response": "CR"}),
    ({"/targets/0": {"lesion": "T01", "state": "merged", "merged_into": "T02"},
      "/targets/1": target("T02", 66)}, {"sum_mm": 66, "overall_response": "SD"}),
    ({"/targets/0": {"lesion": "T01", "state": "measured", "fragments_mm": [20, "15.5"]}},
     {"sum_mm": 65.5}),
    ({"/targets/0": target("T01", 50, fragments_mm=[20, 15.5])}, {"sum_mm": 65.5}),
    ({"/targets/0": {"lesion": "T01", "state": "not_evaluable", "reason": "no contrast 🩻"}},
     {"sum_mm": 30, "complete": False, "change_from_baseline_percent": None,
      "target_response": "NE", "overall_response": "NE"}),
    ({"/targets/0": {"lesion": "T01", "state": "not_evaluable", "reason": "x"},
      "/targets/1": target("T02", 96)}, {"target_response": "PD", "overall_response": "PD"}),
    ({"/non_targets/0/status": "increased"}, {"overall_response": "SD"}),
    ({"/non_targets/0/status": "unequivocal_progression"},
     {"non_target_response": "PD", "overall_response": "PD"}),
    ({"/new_lesions": [NEW]}, {"new_lesion": True, "overall_response": "PD"}),
    ({"/new_lesions": [NEW | {"certainty": "EQUIVOCAL"}]},
     {"new_lesion": False, "overall_response": "SD"}),
    ({"/kind": "UNSCHEDULED"}, {"overall_response": "SD"}),
    ({"/stated_response": "sd"}, {"overall_response": "SD"}),
    ({"/stated_response": "PD", "/stated_response_reason": "clinical"}, {"overall_response": "SD"}),
    ({"/id": 7, "/version": 9, "/derived": {"overall_response": "CR"}, "/links": [],
      "/evaluator": "investigator", "/targets/0/id": 3}, {"overall_response": "SD"}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), ACCEPTED)
def test_a_follow_up_is_derived(
    coordinator: Api, patient: Patient, first: Body, changes: Body, expected: Body
) -> None:
    body = follow_up_of(patient)
    for pointer, value in changes.items():
        body = edited(body, pointer, value)
    response = coordinator.post("/visits/", body)
    assert response.status_code == 201, response.content
    answered = response.json()
    assert answered["derived"] == answered["derived"] | expected
    assert answered["version"] == 1
    assert answered["evaluator"] == "investigator"
    assert coordinator.get(f"/visits/{answered['id']}/").json() == answered


BASELINES: list[tuple[Body, list[str]]] = [
    ({"date": "2023-12-10"}, ["baseline_outside_window"]),  # 37 days before the first dose
    ({"date": "2024-02-01"}, ["baseline_after_first_dose"]),
    ({"targets": [target("T01", 50, organ="lung", method="PET_CT")]}, ["method_to_confirm"]),
    ({"targets": [], "non_targets": [{"lesion": "NT01", "organ": "neck node", "status": "present",
                                      "short_axis_mm": 15}]}, ["measurable_non_target_only"]),
    ({"non_targets": [{"lesion": "NT01", "organ": "lymph node", "status": "present"}]},
     ["node_size_missing"]),
    ({"targets": [], "non_targets": []}, []),
    ({"targets": [target("T01", 16, organ="lung", slice_mm=8)]}, []),
    ({"targets": [target("T01", 20, organ="lung", method="xray")]}, []),
    ({"targets": [target("T01", 10, organ="skin", method="caliper", slice_mm=8)]}, []),
    ({"targets": [target("T01", 15, organ="lymph node")]}, []),
    ({"targets": [target("T01", 10, organ="rib", bone_type="mixed")]}, []),
    ({"targets": [target("T01", 10, organ="lung", previously_irradiated=True,
                         progressed_since_irradiation=True)]}, []),
    ({"targets": [target(f"T{i:02}", 20, organ=organ) for i, organ in
                  ((1, "lung"), (2, "liver"), (3, "bone"), (4, "brain"), (6, "skin"))]},
     ["bone_type_missing"]),
    ({"new_lesions": []}, []),
    ({"new_lesions": None, "stated_response": None}, []),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "warnings"), BASELINES)
def test_a_baseline_is_stored_with_its_warnings(
    coordinator: Api, patient: Patient, changes: Body, warnings: list[str]
) -> None:
    response = coordinator.post("/visits/", baseline_of(patient) | changes)
    assert response.status_code == 201, response.content
    assert [w["code"] for w in response.json()["derived"]["warnings"]] == warnings


def test_a_stated_response_is_kept_beside_the_derived_one(
    coordinator: Api, patient: Patient, first: Body
) -> None:
    stated = {"stated_response": "PD", "stated_response_reason": "new symptoms"}
    answered = coordinator.post("/visits/", follow_up_of(patient) | stated).json()
    assert answered["stated_response"] == "PD"
    assert answered["stated_response_reason"] == "new symptoms"
    assert answered["derived"]["overall_response"] == "SD"


def test_a_small_nodal_non_target_counts_as_absent(coordinator: Api, patient: Patient) -> None:
    node = {"lesion": "NT01", "organ": "lymph node", "status": "present", "short_axis_mm": 12}
    coordinator.post("/visits/", baseline_of(patient, targets=[], non_targets=[node]))
    body = follow_up_of(patient, targets=[])
    body["non_targets"] = [{"lesion": "NT01", "status": "present", "short_axis_mm": 9.99}]
    derived = coordinator.post("/visits/", body).json()["derived"]
    assert derived["non_target_response"] == derived["overall_response"] == "CR"
    assert derived["sum_mm"] is None
    body = edited(body, "/non_targets/0/short_axis_mm", 10) | {"date": "2024-04-08"}
    derived = coordinator.post("/visits/", body).json()["derived"]
    assert derived["overall_response"] == "NON_CR_NON_PD"
    assert [w["code"] for w in derived["warnings"]] == ["response_after_cr"]


def test_a_new_lesion_is_named_by_its_label_and_gone_when_not_listed(
    coordinator: Api, patient: Patient, first: Body
) -> None:
    seen = NEW | {"certainty": "equivocal", "diameter_mm": 8, "method": "mri", "nodal": False}
    sent = [
        ("2024-02-26", [seen | {"description": "left ilium"}]),
        ("2024-04-08", []),
        ("2024-05-20", [{"lesion": "NL01", "certainty": "unequivocal"}]),
    ]
    answers = [
        coordinator.post("/visits/", follow_up_of(patient, on, new_lesions=new)).json()
        for on, new in sent
    ]
    assert [a["derived"]["overall_response"] for a in answers] == ["SD", "SD", "PD"]
    assert answers[1]["new_lesions"] == []
    assert answers[2]["new_lesions"] == [
        {
            "lesion": "NL01", "organ": "bone", "description": "left ilium",
            "certainty": "unequivocal", "diameter_mm": None, "method": "", "nodal": False,
        }
    ]  # fmt: skip
    assert Lesion.objects.filter(role="new").count() == 1


def test_the_visit_where_a_new_lesion_was_first_seen_describes_it(
    coordinator: Api, patient: Patient, first: Body
) -> None:
    one = coordinator.post("/visits/", follow_up_of(patient, new_lesions=[NEW])).json()
    two = coordinator.post(
        "/visits/", follow_up_of(patient, "2024-04-08", new_lesions=[NEW])
    ).json()
    assert two["new_lesions"][0]["organ"] == "bone"
    corrected = edited(one, "/new_lesions/0/organ", "femur") | WHY
    answer = coordinator.put(f"/visits/{one['id']}/", corrected, if_match='"1"').json()
    assert answer["new_lesions"][0]["organ"] == "femur"
    again = coordinator.get(f"/visits/{two['id']}/").json()
    assert again["new_lesions"][0]["organ"] == "femur"


# Corrections over HTTP


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


BAD_TAGS = ['"2"', 'W/"1"', "*", '"1", "2"', "1", '""', '"a"', '"1', '"01"', '"٣"', '"-1"', "x"]


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


# Lists and scope


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
