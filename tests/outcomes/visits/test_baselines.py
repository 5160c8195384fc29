"""Baselines over HTTP: what is stored, with which warnings, and what is refused where."""

from __future__ import annotations

from typing import Any

import pytest

from patients.models import Patient
from tests.conftest import Api
from tests.outcomes.visits.bodies import (
    GONE,
    Body,
    baseline_of,
    edited,
    follow_up_of,
    pointers,
    stored,
    target,
)


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


def test_the_etag_is_the_version(coordinator: Api, first: Body) -> None:
    response = coordinator.get(f"/visits/{first['id']}/")
    assert response["ETag"] == '"1"'
    assert response.json() == first


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
