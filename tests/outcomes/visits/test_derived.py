"""What is derived from a follow-up visit that is accepted."""

from __future__ import annotations

from typing import Any

import pytest

from outcomes.models import Lesion
from patients.models import Patient
from tests.conftest import Api
from tests.outcomes.visits.bodies import NEW, WHY, Body, edited, follow_up_of, target

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


def test_a_stated_response_is_kept_beside_the_derived_one(
    coordinator: Api, patient: Patient, first: Body
) -> None:
    stated = {"stated_response": "PD", "stated_response_reason": "new symptoms"}
    answered = coordinator.post("/visits/", follow_up_of(patient) | stated).json()
    assert answered["stated_response"] == "PD"
    assert answered["stated_response_reason"] == "new symptoms"
    assert answered["derived"]["overall_response"] == "SD"


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
