"""Follow-up visits over HTTP: what is refused where, and what contradicts what is stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from patients.models import Patient
from tests.conftest import Api
from tests.outcomes.visits.bodies import (
    GONE,
    NEW,
    Body,
    baseline_of,
    edited,
    follow_up_of,
    freeze,
    pointers,
    stored,
    target,
)


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
