"""Trials over HTTP: what is stored, what is refused and where, and who may."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from patients.models import Allocation
from tests import factories
from tests.conftest import Api, Cast
from trials.definitions import EndpointDefinition
from trials.models import Arm, Endpoint, Trial

Client = Callable[[Any], Api]
WHY = {"reason": "protocol amendment 2"}
AGE = {"type": "number", "item": "age", "comparison": "at_least", "value": 18.5}
FULL: dict[str, Any] = {
    "registry_id": "NCT03890068",
    "brief_title": "Anlotinib and epirubicin in soft tissue sarcoma",
    "official_title": "A phase II trial",
    "acronym": "ALTER-S006",
    "phase": "Phase 2",
    "status": "completed",
    "study_type": "INTERVENTIONAL",
    "allocation": "N/A",
    "intervention_model": "Single Group Assignment",
    "primary_purpose": "treatment",
    "masking": "None (Open Label)",
    "enrollment_target": 49,
    "conditions": ["Soft Tissue Sarcoma"],
    "lead_sponsor": "Fudan University",
    "collaborators": [],
    "principal_investigator": "Zhang",
    "assessment_interval_days": 42,
    "ctcae_version": "4.03",
    "sites": [{"code": "01", "name": "Zhongshan", "city": "Shanghai", "country": "China"}],
    "arms": [
        {
            "name": "Anlotinib + epirubicin",
            "type": "experimental",
            "interventions": [
                {"name": "Anlotinib", "dose": 12, "unit": "mg", "route": "oral",
                 "days_on": [2, 1, 3, 3], "cycle_days": 21},
                {"name": "Epirubicin", "dose": 62.5, "unit": "mg/m2"},
            ],
        }
    ],
    "endpoints": [
        {"kind": "PFS", "name": "", "role": "primary", "wording": "Time from first dose",
         "definition": {"censoring": {"rule": "ema", "therapies": ["surgery", "radiotherapy"]}}},
        {"kind": "ORR"},
    ],
    "criteria": [{"kind": "inclusion", "text": "Age 18 or more", "rule": AGE}],
    "published": [{"measure": "ORR", "source": "abstract", "printed": "16%"}],
}  # fmt: skip


def pointers(response: Any) -> list[str]:
    """Where the problem document says it is wrong."""
    assert response["Content-Type"] == "application/problem+json"
    return [error["pointer"] for error in response.json()["errors"]]


@pytest.fixture
def root(cast: Cast, api: Client) -> Api:
    """A superuser's client."""
    return api(cast.superuser)


@pytest.fixture
def stored(root: Api) -> dict[str, Any]:
    """The full trial, as the API answers it."""
    response = root.post("/trials/", FULL)
    assert response.status_code == 201, response.content
    return dict(response.json())


def test_a_trial_is_stored_with_its_protocol(stored: dict[str, Any]) -> None:
    assert stored["version"] == 1
    assert stored["phase"] == "PHASE2"
    assert stored["status"] == "COMPLETED"
    assert stored["allocation"] == "NA"
    assert stored["intervention_model"] == "SINGLE_GROUP"
    assert stored["masking"] == "NONE"
    assert stored["baseline_window_days"] == 28
    assert stored["enrollment_gate"] == "recorded_elsewhere"
    assert stored["synthetic"] is False
    assert stored["sites"][0]["timezone"] == "Asia/Shanghai"
    first, second = stored["arms"][0]["interventions"]
    assert first["dose"] == 12
    assert first["days_on"] == [1, 2, 3]
    assert second["dose"] == 62.5
    assert second["cycle_days"] is None
    assert stored["criteria"][0]["rule"] == AGE
    assert stored["links"] == {
        "self": "/api/v1/trials/NCT03890068/",
        "protocol_versions": "/api/v1/trials/NCT03890068/protocol-versions/",
        "outcomes": "/api/v1/trials/NCT03890068/outcomes/",
        "patients": "/api/v1/patients/?trial=NCT03890068",
    }


IMMUNE = {"kind": "ORR", "name": "iORR", "definition": {"criteria": "iRECIST"}}


def test_a_definition_by_irecist_needs_a_trial_that_uses_it(root: Api) -> None:
    at = f"/trials/{FULL['registry_id']}/"
    stored = root.post("/trials/", FULL | {"irecist": True, "endpoints": [IMMUNE]}).json()
    assert stored["irecist"] is True
    assert stored["endpoints"][0]["definition"]["confirmation"]["required"] is False
    refused = root.patch(at, {"irecist": False, "reason": "no PD-1 drug"}, if_match='"1"')
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/irecist"
    without = {"irecist": False, "endpoints": [{"kind": "ORR"}], "reason": "no PD-1 drug"}
    assert root.patch(at, without, if_match='"1"').json()["irecist"] is False
    again = root.patch(at, {"endpoints": [IMMUNE], "reason": "more"}, if_match='"2"')
    assert again.json()["errors"][0]["pointer"] == "/endpoints/0/definition/criteria"


def test_a_definition_is_stored_whole(stored: dict[str, Any]) -> None:
    progression, response = stored["endpoints"]
    assert progression["definition"]["censoring"] == {
        "rule": "ema",
        "censor_at": "last_evaluable",
        "therapies": ["radiotherapy", "surgery"],
    }
    assert response["definition"] == EndpointDefinition().as_document()
    assert response["role"] == "secondary"
    row = Endpoint.objects.get(pk=response["id"])
    assert row.definition == EndpointDefinition().as_document()


def test_two_keys_are_enough(root: Api) -> None:
    response = root.post("/trials/", {"registry_id": "X-1", "brief_title": "A title"})
    assert response.status_code == 201
    assert response["ETag"] == '"1"'
    assert response.json()["sites"] == []
    assert response.json()["phase"] == ""
    assert response.json()["enrollment_target"] is None


def test_a_trial_read_can_be_put_back_unchanged(root: Api, stored: dict[str, Any]) -> None:
    response = root.put("/trials/NCT03890068/", stored | WHY, if_match='"1"')
    assert response.status_code == 200, response.content
    assert response["ETag"] == '"2"'
    assert response.json() == stored | {"version": 2}


def test_put_replaces_and_patch_does_not(root: Api, stored: dict[str, Any]) -> None:
    patched = root.patch("/trials/NCT03890068/", {"acronym": "S006"} | WHY, if_match='"1"').json()
    assert patched == stored | {"version": 2, "acronym": "S006"}
    short = {"registry_id": "NCT03890068", "brief_title": "New"}
    put = root.put("/trials/NCT03890068/", short | WHY, if_match='"2"').json()
    assert put["brief_title"] == "New"
    assert put["acronym"] == ""
    assert put["arms"] == put["sites"] == put["endpoints"] == put["criteria"] == []
    assert put["published"] == []


def test_patch_replaces_the_lists_it_names(root: Api, stored: dict[str, Any]) -> None:
    sites = [{"code": "02"}, {"code": "01", "name": "Renji"}]
    response = root.patch("/trials/NCT03890068/", {"sites": sites} | WHY, if_match='"1"').json()
    assert [(s["code"], s["name"], s["city"]) for s in response["sites"]] == [
        ("01", "Renji", ""),
        ("02", "", ""),
    ]
    assert response["sites"][0]["id"] == stored["sites"][0]["id"]
    assert response["arms"] == stored["arms"]


def test_patch_does_not_waive_the_keys_of_list_items(root: Api, stored: dict[str, Any]) -> None:
    response = root.patch("/trials/NCT03890068/", {"sites": [{}]} | WHY, if_match='"1"')
    assert response.status_code == 400
    assert pointers(response) == ["/sites/0/code"]


def test_the_registry_id_stays(root: Api, stored: dict[str, Any]) -> None:
    echo = root.patch("/trials/NCT03890068/", {"registry_id": "NCT03890068"} | WHY, if_match='"1"')
    assert echo.status_code == 200
    other = root.patch("/trials/NCT03890068/", {"registry_id": "NCT1"} | WHY, if_match='"2"')
    assert other.status_code == 400
    assert pointers(other) == ["/registry_id"]


def test_a_taken_registry_id_is_a_conflict(root: Api, stored: dict[str, Any]) -> None:
    response = root.post("/trials/", FULL)
    assert response.status_code == 409
    assert pointers(response) == ["/registry_id"]


def test_a_read_trial_can_be_copied_under_another_id(root: Api, stored: dict[str, Any]) -> None:
    response = root.post("/trials/", stored | {"registry_id": "COPY"})
    assert response.status_code == 201, response.content
    assert response.json()["criteria"][0]["id"] != stored["criteria"][0]["id"]


def test_what_is_in_use_cannot_be_removed(root: Api, cast: Cast) -> None:
    patient = factories.patient(cast.trial)
    arm = Arm.objects.create(trial=cast.trial, name="Anlotinib")
    Allocation.objects.create(patient=patient, arm=arm, trial=cast.trial)
    response = root.patch(
        "/trials/NCT00000001/", {"sites": [{"code": "03"}], "arms": []} | WHY, if_match='"1"'
    )
    assert response.status_code == 409
    assert pointers(response) == ["/sites", "/sites"]
    assert response.json()["errors"][0]["detail"] == "01 is in use and cannot be removed."
    response = root.patch("/trials/NCT00000001/", {"arms": []} | WHY, if_match='"1"')
    assert response.status_code == 409
    assert response.json()["errors"] == [
        {"pointer": "/arms", "detail": "Anlotinib is in use and cannot be removed."}
    ]
    assert root.get("/trials/NCT00000001/").json()["version"] == 1


UNKNOWN = [
    ({"x": 1}, "/x"),
    ({"trial": 1}, "/trial"),
    ({"sites": [{"code": "1", "x": 1}]}, "/sites/0/x"),
    ({"arms": [{"name": "A"}, {"name": "B", "x": 1}]}, "/arms/1/x"),
    (
        {"arms": [{"name": "A", "interventions": [{"name": "a"}, {"name": "b", "dosee": 1}]}]},
        "/arms/0/interventions/1/dosee",
    ),
    ({"endpoints": [{"kind": "OS", "x": 1}]}, "/endpoints/0/x"),
    ({"endpoints": [{"kind": "OS", "definition": {"x": 1}}]}, "/endpoints/0/definition/x"),
    ({"criteria": [{"kind": "inclusion", "text": "t", "a/b~": 1}]}, "/criteria/0/a~1b~0"),
]


@pytest.mark.parametrize(("extra", "pointer"), UNKNOWN)
def test_unknown_keys_are_refused_at_every_level(
    root: Api, extra: dict[str, Any], pointer: str
) -> None:
    response = root.post("/trials/", {"registry_id": "X", "brief_title": "T"} | extra)
    assert response.status_code == 400
    assert pointers(response) == [pointer]


def endpoint(**definition: Any) -> dict[str, Any]:
    """A trial with one endpoint."""
    return {"endpoints": [{"kind": "PFS", "definition": definition}]}


def intervention(**values: Any) -> dict[str, Any]:
    """A trial with one intervention."""
    return {"arms": [{"name": "A", "interventions": [{"name": "drug"} | values]}]}


def ruled(rule: Any) -> dict[str, Any]:
    """A criterion with this rule."""
    return {"criteria": [{"kind": "inclusion", "text": "t", "rule": rule}]}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"registry_id": None}, "/registry_id"),
    ({"registry_id": "a b"}, "/registry_id"),
    ({"registry_id": "a/b"}, "/registry_id"),
    ({"registry_id": "x" * 41}, "/registry_id"),
    ({"registry_id": 7}, "/registry_id"),
    ({"brief_title": None}, "/brief_title"),
    ({"brief_title": "  "}, "/brief_title"),
    ({"brief_title": "x" * 301}, "/brief_title"),
    ({"brief_title": ["a"]}, "/brief_title"),
    ({"brief_title": {}}, "/brief_title"),
    ({"brief_title": True}, "/brief_title"),
    ({"acronym": None}, "/acronym"),
    ({"phase": "Phase 7"}, "/phase"),
    ({"phase": 2}, "/phase"),
    ({"phase": None}, "/phase"),
    ({"phase": ["PHASE2"]}, "/phase"),
    ({"response_criteria": ""}, "/response_criteria"),
    ({"response_criteria": "Choi"}, "/response_criteria"),
    ({"ctcae_version": 5}, "/ctcae_version"),
    ({"enrollment_gate": "open"}, "/enrollment_gate"),
    ({"enrollment_target": -1}, "/enrollment_target"),
    ({"enrollment_target": "49"}, "/enrollment_target"),
    ({"enrollment_target": True}, "/enrollment_target"),
    ({"enrollment_target": 1.5}, "/enrollment_target"),
    ({"enrollment_target": 10**30}, "/enrollment_target"),
    ({"enrollment_target": 10**4000}, "/enrollment_target"),
    ({"enrollment_target": []}, "/enrollment_target"),
    ({"assessment_interval_days": 0}, "/assessment_interval_days"),
    ({"assessment_interval_days": None}, "/assessment_interval_days"),
    ({"assessment_window_days": 181}, "/assessment_window_days"),
    ({"conditions": "sarcoma"}, "/conditions"),
    ({"conditions": {"a": "b"}}, "/conditions"),
    ({"conditions": ["sarcoma", 3]}, "/conditions/1"),
    ({"conditions": [""]}, "/conditions/0"),
    ({"conditions": [None]}, "/conditions/0"),
    ({"conditions": ["x" * 201]}, "/conditions/0"),
    ({"conditions": None}, "/conditions"),
    ({"sites": "01"}, "/sites"),
    ({"sites": {"code": "01"}}, "/sites"),
    ({"sites": None}, "/sites"),
    ({"sites": ["01"]}, "/sites/0"),
    ({"sites": [None]}, "/sites/0"),
    ({"sites": [[]]}, "/sites/0"),
    ({"sites": [{}]}, "/sites/0/code"),
    ({"sites": [{"code": ""}]}, "/sites/0/code"),
    ({"sites": [{"code": 1}]}, "/sites/0/code"),
    ({"sites": [{"code": "1"}, {"code": " 1 "}]}, "/sites/1/code"),
    ({"sites": [{"code": "1", "timezone": "Mars"}]}, "/sites/0/timezone"),
    ({"sites": [{"code": "1", "timezone": "../../etc/passwd"}]}, "/sites/0/timezone"),
    ({"arms": [{"type": "EXPERIMENTAL"}]}, "/arms/0/name"),
    ({"arms": [{"name": "A", "type": "great"}]}, "/arms/0/type"),
    ({"arms": [{"name": "A"}, {"name": "A"}]}, "/arms/1/name"),
    ({"arms": [{"name": "A", "interventions": "a"}]}, "/arms/0/interventions"),
    (
        {"arms": [{"name": "A", "interventions": [{"name": "a"}, {"name": "a"}]}]},
        "/arms/0/interventions/1/name",
    ),
    (intervention(dose=-1), "/arms/0/interventions/0/dose"),
    (intervention(dose="12"), "/arms/0/interventions/0/dose"),
    (intervention(dose=True), "/arms/0/interventions/0/dose"),
    (intervention(dose=0.0001), "/arms/0/interventions/0/dose"),
    (intervention(dose=10**40), "/arms/0/interventions/0/dose"),
    (intervention(cycle_days=0), "/arms/0/interventions/0/cycle_days"),
    (intervention(cycle_days=366), "/arms/0/interventions/0/cycle_days"),
    (intervention(days_on="1-14"), "/arms/0/interventions/0/days_on"),
    (intervention(days_on=[0]), "/arms/0/interventions/0/days_on/0"),
    (intervention(days_on=[1, 32]), "/arms/0/interventions/0/days_on/1"),
    (intervention(days_on=[True]), "/arms/0/interventions/0/days_on/0"),
    (intervention(days_on=[10**20]), "/arms/0/interventions/0/days_on/0"),
    ({"endpoints": [{"name": "x"}]}, "/endpoints/0/kind"),
    ({"endpoints": [{"kind": "QOL"}]}, "/endpoints/0/kind"),
    ({"endpoints": [{"kind": "OS", "role": "main"}]}, "/endpoints/0/role"),
    ({"endpoints": [{"kind": "OS"}, {"kind": "OS", "name": ""}]}, "/endpoints/1/name"),
    ({"endpoints": [{"kind": "OS", "definition": None}]}, "/endpoints/0/definition"),
    ({"endpoints": [{"kind": "OS", "definition": []}]}, "/endpoints/0/definition"),
    ({"endpoints": [{"kind": "OS", "definition": "x"}]}, "/endpoints/0/definition"),
    (endpoint(censoring={"rule": "who"}), "/endpoints/0/definition/censoring/rule"),
    (endpoint(censoring={"rul": "fda"}), "/endpoints/0/definition/censoring/rul"),
    (endpoint(censoring={"therapies": "systemic"}), "/endpoints/0/definition/censoring/therapies"),
    (
        endpoint(censoring={"therapies": ["systemic", "yoga"]}),
        "/endpoints/0/definition/censoring/therapies/1",
    ),
    (endpoint(confirmation={"min_days": "28"}), "/endpoints/0/definition/confirmation/min_days"),
    (endpoint(confirmation={"min_days": -1}), "/endpoints/0/definition/confirmation/min_days"),
    (endpoint(confirmation={"required": 1}), "/endpoints/0/definition/confirmation/required"),
    (endpoint(min_stable_days=10**30), "/endpoints/0/definition/min_stable_days"),
    (endpoint(confidence_level=95), "/endpoints/0/definition/confidence_level"),
    (endpoint(confidence_level="0.95"), "/endpoints/0/definition/confidence_level"),
    (endpoint(time_origin=None), "/endpoints/0/definition/time_origin"),
    (endpoint(criteria="iRECIST"), "/endpoints/0/definition/criteria"),
    (
        {"irecist": True, "endpoints": [{"kind": "OS", "definition": {"criteria": "iRECIST"}}]},
        "/endpoints/0/definition/criteria",
    ),
    (
        endpoint(survival_interval="spss", confidence_level=0.9),
        "/endpoints/0/definition/survival_interval",
    ),
    ({"criteria": [{"text": "t"}]}, "/criteria/0/kind"),
    ({"criteria": [{"kind": "inclusion"}]}, "/criteria/0/text"),
    ({"criteria": [{"kind": "must", "text": "t"}]}, "/criteria/0/kind"),
    (ruled([]), "/criteria/0/rule"),
    (ruled("age"), "/criteria/0/rule"),
    (ruled({"age": 18}), "/criteria/0/rule"),
    (ruled({"type": "age"}), "/criteria/0/rule"),
    (ruled(AGE | {"unit": "days"}), "/criteria/0/rule/unit"),
    (ruled(AGE | {"value": "18"}), "/criteria/0/rule/value"),
    (ruled(AGE | {"values": [18]}), "/criteria/0/rule/values"),
    (ruled(AGE | {"item": "platelets"}), "/criteria/0/rule/unit"),
    (ruled({"type": "all", "rules": [AGE, {"type": "not"}]}), "/criteria/0/rule/rules/1/rule"),
    (ruled({"type": "any", "rules": []}), "/criteria/0/rule/rules"),
    ({"criteria": [{"kind": "inclusion", "text": "t", "id": "1"}]}, "/criteria/0/id"),
    ({"criteria": [{"kind": "inclusion", "text": "t", "id": 2**63}]}, "/criteria/0/id"),
    (
        {"criteria": [{"kind": "inclusion", "text": "t", "id": 1}] * 2},
        "/criteria/1/id",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("extra", "pointer"), REFUSED)
def test_bad_values_are_refused_where_they_are(
    root: Api, extra: dict[str, Any], pointer: str
) -> None:
    response = root.post("/trials/", {"registry_id": "X", "brief_title": "T"} | extra)
    assert response.status_code == 400, response.content
    assert pointer in pointers(response)
    assert not Trial.objects.filter(registry_id="X").exists()


def test_an_error_names_what_would_be_accepted(root: Api) -> None:
    body = {"registry_id": "X", "brief_title": "T", "phase": "II"} | endpoint(censoring={"rule": 1})
    details = [error["detail"] for error in root.post("/trials/", body).json()["errors"]]
    assert "PHASE1_PHASE2, PHASE2, PHASE2_PHASE3" in details[0]
    assert "One of: last_progression_free, fda, ema." in details[1]


DOSES = [("1e999", 400), ("1e-400", 400), ("NaN", 400), ("-0.0", 201), ("12.500", 201)]
DAYS = [("1e999", 400), ("1e-400", 400), ("7.5", 400), ("7.0", 201), ("1e1", 400)]


@pytest.mark.parametrize(("number", "status"), DOSES)
def test_doses_at_the_edges_of_json(root: Api, number: str, status: int) -> None:
    body = {"registry_id": "X", "brief_title": "T"} | intervention(dose="#")
    response = root.post("/trials/", json.dumps(body).replace('"#"', number))
    assert response.status_code == status


@pytest.mark.parametrize(("number", "status"), DAYS)
def test_whole_numbers_at_the_edges_of_json(root: Api, number: str, status: int) -> None:
    body = {"registry_id": "X", "brief_title": "T", "assessment_window_days": "#"}
    response = root.post("/trials/", json.dumps(body).replace('"#"', number))
    assert response.status_code == status


def test_a_rule_holds_no_number_beyond_the_column(root: Api) -> None:
    rule = {"kind": "inclusion", "text": "t", "rule": {"a": ["#"]}}
    body = json.dumps({"registry_id": "X", "brief_title": "T", "criteria": [rule]})
    response = root.post("/trials/", body.replace('"#"', "1e999"))
    assert response.status_code == 400
    assert pointers(response) == ["/criteria/0/rule"]


@pytest.mark.parametrize("depth", [40, 60, 850, 900, 950, 2000])
def test_depth_makes_no_server_error(root: Api, depth: int) -> None:
    nested = '{"a":' * depth + "1" + "}" * depth
    criteria = f'[{{"kind": "inclusion", "text": "t", "rule": {nested}}}]'
    endpoints = f'[{{"kind": "OS", "definition": {nested}}}]'
    for name, value in (("criteria", criteria), ("endpoints", endpoints)):
        body = f'{{"registry_id": "X{depth}", "brief_title": "T", "{name}": {value}}}'
        assert root.post("/trials/", body).status_code in (201, 400)


def test_a_change_needs_a_version_and_a_reason(root: Api, stored: dict[str, Any]) -> None:
    path, body = "/trials/NCT03890068/", {"acronym": "X"}
    assert root.patch(path, body | WHY).status_code == 428
    assert root.patch(path, body | WHY, if_match='"7"').status_code == 412
    for reason in ({}, {"reason": ""}, {"reason": " "}, {"reason": 1}, {"reason": None}):
        response = root.patch(path, body | reason, if_match='"1"')
        assert response.status_code == 400
        assert pointers(response) == ["/reason"]
    assert root.get(path).json() == stored


def test_synthetic_and_version_cannot_be_written(root: Api, stored: dict[str, Any]) -> None:
    body = {"synthetic": True, "version": 90, "id": 1, "links": {}} | WHY
    response = root.patch("/trials/NCT03890068/", body, if_match='"1"').json()
    assert response == stored | {"version": 2}


def test_a_foreign_criterion_is_one_that_does_not_exist(
    root: Api, cast: Cast, stored: dict[str, Any]
) -> None:
    answers = []
    for pk in (stored["criteria"][0]["id"], 10**9):
        body = {"criteria": [{"id": pk, "kind": "inclusion", "text": "t"}]} | WHY
        response = root.patch("/trials/NCT00000001/", body, if_match='"1"')
        assert response.status_code == 400
        answers.append(response.content)
    assert answers[0] == answers[1]


CREATE = [
    ("coordinator", 403), ("investigator", 403), ("administrator", 403), ("viewer", 403),
    ("stranger", 403), ("superuser", 201),
]  # fmt: skip
CHANGE = [
    ("coordinator", 403), ("outsider", 403), ("investigator", 403), ("viewer", 403),
    ("stranger", 404), ("administrator", 200), ("superuser", 200),
]  # fmt: skip


@pytest.mark.parametrize(("who", "status"), CREATE)
def test_who_may_create(cast: Cast, api: Client, who: str, status: int) -> None:
    response = api(getattr(cast, who)).post("/trials/", FULL)
    assert response.status_code == status
    assert Trial.objects.filter(registry_id="NCT03890068").exists() == (status == 201)


@pytest.mark.parametrize(("who", "status"), CHANGE)
def test_who_may_change(cast: Cast, api: Client, who: str, status: int) -> None:
    client, path = api(getattr(cast, who)), "/trials/NCT00000001/"
    assert client.get(path).status_code == (404 if status == 404 else 200)
    assert client.patch(path, {"acronym": "X"} | WHY, if_match='"1"').status_code == status
    cast.trial.refresh_from_db()
    assert cast.trial.version == (2 if status == 200 else 1)


def test_a_foreign_trial_answers_as_one_that_does_not_exist(cast: Cast, api: Client) -> None:
    factories.trial("NCT00000002")
    client = api(cast.administrator)
    for method in ("GET", "PUT", "PATCH"):
        foreign, missing = (
            client.call(method, f"/trials/{name}/", FULL | WHY, if_match='"1"')
            for name in ("NCT00000002", "NCT99999999")
        )
        assert foreign.status_code == 404
        assert foreign.content == missing.content


@pytest.mark.parametrize("name", ["%00", "a%00b", "%ED%A0%80", "%27", "..%2F", "%F0%9F%98%80"])
def test_odd_registry_ids_are_not_found(root: Api, name: str) -> None:
    assert root.get(f"/trials/{name}/").status_code == 404


def test_the_list_holds_the_callers_trials(cast: Cast, api: Client) -> None:
    factories.trial("NCT00000002")
    assert [t["registry_id"] for t in api(cast.viewer).get("/trials/").json()["results"]] == [
        "NCT00000001"
    ]
    assert api(cast.stranger).get("/trials/").json() == {
        "count": 0, "next": None, "previous": None, "results": [],
    }  # fmt: skip
    pages = api(cast.superuser).get("/trials/?page_size=1").json()
    assert pages["count"] == 2
    assert pages["next"].endswith("/api/v1/trials/?page=2&page_size=1")


def test_statements_do_not_grow_with_trials(
    cast: Cast, root: Api, stored: dict[str, Any],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    for copies in range(3):
        with django_assert_num_queries(11):  # token, count, trials, eight lists
            assert len(root.get("/trials/").json()["results"]) == 2 + copies
        with django_assert_num_queries(10):
            root.get("/trials/NCT03890068/")
        root.post("/trials/", FULL | {"registry_id": f"COPY{copies}"})
