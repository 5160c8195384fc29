"""The preview of a visit that is being typed: the save's own answer, and nothing stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from outcomes.models import Visit
from patients.models import Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes.visits.bodies import (
    GONE,
    NEW,
    Body,
    baseline_of,
    edited,
    follow_up_of,
    pointers,
    stored,
    target,
)

Login = Callable[[Any], Api]


@pytest.fixture
def coordinator(cast: Cast, api: Login) -> Api:
    """The coordinator of site 01."""
    return api(cast.coordinator)


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient with a baseline of 50 + 30 mm, and visits of 40 + 20 (SD) and 50 + 30 mm (PD)."""
    row = factories.patient(cast.trial, "S-001")
    factories.baseline(row, by=cast.coordinator)
    factories.follow_up(row, 42, (40, 20), by=cast.coordinator)
    factories.follow_up(row, 84, (50, 30), by=cast.coordinator)
    return row


def preview(api: Api, body: Body) -> Body:
    """The answer to a preview, which stores nothing."""
    before = stored()
    response = api.post("/visits/preview/", body)
    assert response.status_code == 200, response.content
    assert stored() == before
    return dict(response.json())


def missing(answer: Body) -> list[str]:
    """Where something is still missing or wrong."""
    return [error["pointer"] for error in answer["missing"]]


COMPLETE: list[tuple[str, Any]] = [
    ("/kind", "scheduled"),
    ("/targets/0/diameter_mm", 40),
    ("/targets/0", {"lesion": "T01", "state": "too_small"}),
    ("/targets/0", {"lesion": "T01", "state": "not_evaluable", "reason": "x"}),
    ("/targets/0", {"lesion": "T01", "state": "merged", "merged_into": "T02"}),
    ("/targets/0/fragments_mm", [10, 12.5]),
    ("/non_targets/0/status", "unequivocal_progression"),
    ("/new_lesions", [NEW]),
    ("/new_lesions", [NEW | {"certainty": "equivocal"}]),
]


@pytest.mark.parametrize(("pointer", "value"), COMPLETE)
def test_a_complete_visit_previews_what_the_save_answers(
    coordinator: Api, patient: Patient, pointer: str, value: Any
) -> None:
    body = edited(follow_up_of(patient, "2024-05-20"), pointer, value)
    answer = preview(coordinator, body)
    assert answer["missing"] == answer["later_visits"] == []
    saved = coordinator.post("/visits/", body)
    assert saved.json()["derived"] == answer["derived"]


@pytest.mark.parametrize("changes", [
    {},
    {"date": "2023-12-10"},
    {"date": "2024-02-01"},
    {"targets": []},
    {"targets": [target("T01", 12, organ="skin", method="pet_ct")]},
])  # fmt: skip
def test_a_baseline_previews_what_the_save_answers(
    coordinator: Api, cast: Cast, changes: Body
) -> None:
    body = baseline_of(factories.patient(cast.trial)) | changes
    answer = preview(coordinator, body)
    assert answer["missing"] == []
    assert coordinator.post("/visits/", body).json()["derived"] == answer["derived"]


INCOMPLETE: list[tuple[str, Any, list[str], float | None]] = [
    ("/targets/0/diameter_mm", GONE, ["/targets/0/diameter_mm"], 30),
    ("/targets/0/state", GONE, ["/targets/0/state"], 30),
    ("/targets/0/state", None, ["/targets/0/state"], 30),
    ("/targets/0", GONE, ["/targets"], 30),
    ("/targets", GONE, ["/targets", "/targets"], None),
    ("/targets", [], ["/targets", "/targets"], None),
    ("/non_targets", GONE, ["/non_targets"], 80),
    ("/non_targets/0/status", GONE, ["/non_targets/0/status"], 80),
    ("/new_lesions", GONE, ["/new_lesions"], 80),
    ("/new_lesions", [{"lesion": "NL01"}], ["/new_lesions/0/certainty"], 80),
    ("/targets/1/lesion", "T09", ["/targets/1/lesion", "/targets"], 50),
    ("/targets/1/lesion", "T01", ["/targets/1/lesion", "/targets"], 30),
    ("/stated_response", "CR", ["/stated_response_reason"], 80),
]


@pytest.mark.parametrize(("pointer", "value", "wrong", "sum_mm"), INCOMPLETE)
def test_an_incomplete_visit_says_what_is_missing(
    coordinator: Api, patient: Patient, pointer: str, value: Any, wrong: list[str],
    sum_mm: float | None,
) -> None:  # fmt: skip
    answer = preview(coordinator, edited(follow_up_of(patient, "2024-05-20"), pointer, value))
    assert missing(answer) == wrong
    assert answer["derived"]["sum_mm"] == sum_mm


@pytest.mark.parametrize("value", [GONE, None])
def test_without_a_date_a_visit_counts_as_todays(
    coordinator: Api, patient: Patient, value: Any
) -> None:
    answer = preview(coordinator, edited(follow_up_of(patient), "/date", value))
    assert missing(answer) == ["/date"]
    assert answer["derived"]["nadir_mm"] == 60


UNDERIVABLE = [
    ("2024-01-14", "/date"),  # before the baseline
    ("2024-01-15", "/date"),  # of the baseline
    ("2024-02-26", "/date"),  # of another visit
    ("1899-12-31", "/date"),
    ("0001-01-01", "/date"),
    ("9999-12-31", "/date"),
]


@pytest.mark.parametrize(("on", "pointer"), UNDERIVABLE)
def test_an_impossible_date_is_not_derived(
    coordinator: Api, patient: Patient, on: str, pointer: str
) -> None:
    answer = preview(coordinator, follow_up_of(patient, on))
    assert answer["derived"] is None
    assert answer["later_visits"] == []
    assert pointer in missing(answer)


def test_a_second_baseline_and_an_orphan_are_not_derived(
    coordinator: Api, cast: Cast, patient: Patient
) -> None:
    for body in (baseline_of(patient), follow_up_of(factories.patient(cast.trial))):
        answer = preview(coordinator, body)
        assert answer["derived"] is None
        assert "/kind" in missing(answer)


def test_a_correction_shows_what_it_does_to_later_visits(
    coordinator: Api, patient: Patient
) -> None:
    middle, last = Visit.objects.exclude(kind="baseline").order_by("date")
    change = [{"id": last.pk, "date": "2024-04-08", "from": "PD", "to": "SD"}]
    body = follow_up_of(patient, "2024-02-26", 50, 30) | {"visit": middle.pk}
    answer = preview(coordinator, body)
    assert answer["later_visits"] == change
    assert answer["derived"]["overall_response"] == "SD"
    between = follow_up_of(patient, "2024-03-10", 10, 10)
    assert preview(coordinator, between)["later_visits"] == []  # it stays PD
    moved = follow_up_of(patient, "2024-05-20", 40, 20) | {"visit": middle.pk}
    assert preview(coordinator, moved)["later_visits"] == change


def test_a_corrected_baseline_shows_every_later_visit(coordinator: Api, patient: Patient) -> None:
    first = Visit.objects.get(kind="baseline")
    body = edited(baseline_of(patient), "/targets/0/diameter_mm", 90) | {"visit": first.pk}
    changes = preview(coordinator, body)["later_visits"]
    assert [(change["from"], change["to"]) for change in changes] == [("SD", "PR")]
    removed = edited(body, "/targets/1", GONE)
    assert "/targets" in missing(preview(coordinator, removed))


def test_a_stored_visit_previews_as_it_is(coordinator: Api, patient: Patient) -> None:
    for visit in coordinator.get(f"/visits/?patient={patient.pk}").json()["results"]:
        answer = preview(coordinator, visit | {"visit": visit["id"]})
        assert {check["code"] for check in answer.pop("soft_checks")} <= {"large_change"}
        assert answer == {"derived": visit["derived"], "missing": [], "later_visits": []}


SHAPES: list[tuple[str, Any, str]] = [
    ("/targets/0/diameter_mm", 401, "/targets/0/diameter_mm"),
    ("/targets/0/diameter_mm", "x", "/targets/0/diameter_mm"),
    ("/targets/0/lesion", GONE, "/targets/0/lesion"),
    ("/targets", None, "/targets"),
    ("/targets/0/x", 1, "/targets/0/x"),
    ("/x", 1, "/x"),
    ("/date", "soon", "/date"),
    ("/kind", GONE, "/kind"),
    ("/visit", "1", "/visit"),
    ("/visit", 0, "/visit"),
    ("/visit", True, "/visit"),
]


@pytest.mark.parametrize(("pointer", "value", "wrong"), SHAPES)
def test_what_is_no_visit_at_all_is_refused(
    coordinator: Api, patient: Patient, pointer: str, value: Any, wrong: str
) -> None:
    response = coordinator.post("/visits/preview/", edited(follow_up_of(patient), pointer, value))
    assert response.status_code == 400
    assert pointers(response) == [wrong]


def test_many_rows_are_no_problem(coordinator: Api, patient: Patient) -> None:
    rows = [target(f"T{i:02}", 400, organ="lung") for i in range(1, 100)]
    body = follow_up_of(patient, "2024-05-20", targets=rows)
    assert len(preview(coordinator, body)["missing"]) == 97
    other = factories.patient(patient.trial)
    assert preview(coordinator, baseline_of(other, targets=rows))["derived"]["sum_mm"] == 39_600


def test_another_patients_visit_answers_as_one_that_does_not_exist(
    coordinator: Api, cast: Cast, patient: Patient
) -> None:
    same_site = factories.baseline(factories.patient(cast.trial), by=cast.coordinator)
    foreign = factories.baseline(factories.patient(cast.trial, site="02"), by=cast.outsider)
    voided = Visit.objects.order_by("-date")[0]
    Visit.objects.filter(pk=voided.pk).update(voided_at="2024-06-01T00:00Z")
    answers = [
        coordinator.post("/visits/preview/", follow_up_of(patient) | {"visit": pk})
        for pk in (10**12, same_site.pk, foreign.pk, voided.pk)
    ]
    assert {answer.status_code for answer in answers} == {400}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert pointers(answers[0]) == ["/visit"]


def test_a_foreign_patient_answers_as_one_that_does_not_exist(
    cast: Cast, api: Login, patient: Patient
) -> None:
    client = api(cast.outsider)
    body = follow_up_of(patient)
    foreign = client.post("/visits/preview/", body)
    unknown = client.post("/visits/preview/", body | {"patient": 10**12})
    assert foreign.status_code == 400
    assert foreign.content == unknown.content


def test_readers_may_preview(cast: Cast, api: Login, patient: Patient) -> None:
    assert preview(api(cast.viewer), follow_up_of(patient, "2024-05-20"))["derived"]
