"""New lesions keep their identity over the visits; nodes are measured as nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from outcomes import actions
from outcomes.models import Visit
from patients.models import Patient
from registry.models import User
from tests import factories
from tests.conftest import Api, Cast
from trials.models import Trial


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient with a baseline."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    return row


@pytest.fixture
def coordinator(cast: Cast, api: Callable[[User], Api]) -> Api:
    """The site's own."""
    return api(cast.coordinator)


def body(patient: Patient, on: str, *new_lesions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A follow-up visit of 50 and 30 mm."""
    targets = [
        {"lesion": "T01", "state": "measured", "diameter_mm": 50},
        {"lesion": "T02", "state": "measured", "diameter_mm": 30},
    ]
    rows = {"targets": targets, "non_targets": [{"lesion": "NT01", "status": "present"}]}
    visit = {"patient": patient.pk, "kind": "scheduled", "date": on}
    return visit | rows | {"new_lesions": list(new_lesions)} | more


def test_a_new_lesion_without_a_label_gets_the_next_free_one(
    coordinator: Api, patient: Patient
) -> None:
    first = {"certainty": "equivocal", "organ": "liver"}
    answer = coordinator.post("/visits/", body(patient, "2024-03-01", first))
    assert answer.json()["new_lesions"][0]["lesion"] == "NL01"
    second = {"certainty": "unequivocal", "organ": "bone"}
    seen = {"lesion": "NL01", "certainty": "equivocal"}
    answer = coordinator.post("/visits/", body(patient, "2024-04-12", second, seen))
    assert [row["lesion"] for row in answer.json()["new_lesions"]] == ["NL01", "NL02"]


def test_more_new_lesions_than_labels_are_refused(coordinator: Api, patient: Patient) -> None:
    many = [{"certainty": "equivocal", "organ": "liver"}] * 100
    for path in ("/visits/", "/visits/preview/"):
        answer = coordinator.post(path, body(patient, "2024-03-01", *many))
        assert answer.status_code == (400 if path == "/visits/" else 200)
        errors = answer.json().get("errors") or answer.json()["missing"]
        assert errors[0]["pointer"] == "/new_lesions/99/lesion"


def test_an_earlier_visit_cannot_make_another_lesion_of_it(
    coordinator: Api, patient: Patient
) -> None:
    liver = {"lesion": "NL01", "certainty": "unequivocal", "organ": "liver"}
    assert coordinator.post("/visits/", body(patient, "2024-04-12", liver)).status_code == 201
    brain = liver | {"organ": "brain", "certainty": "equivocal"}
    for on in ("2024-03-01", "2024-05-24"):
        answer = coordinator.post("/visits/", body(patient, on, brain))
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/new_lesions/0/organ"
    assert coordinator.post("/visits/", body(patient, "2024-05-24", liver)).status_code == 201


def test_a_node_is_no_plain_target(coordinator: Api, cast: Cast) -> None:
    row = factories.patient(cast.trial, "01-002")
    target = {"lesion": "T01", "state": "measured", "diameter_mm": 20, "organ": "lymph node"}
    visit = {"patient": row.pk, "kind": "baseline", "date": "2024-01-10", "non_targets": []}
    answer = coordinator.post("/visits/", visit | {"targets": [target | {"nodal": False}]})
    assert answer.json()["errors"][0]["pointer"] == "/targets/0/nodal"
    assert coordinator.post("/visits/", visit | {"targets": [target]}).status_code == 201


def test_a_stated_response_that_no_longer_fits_is_flagged(
    cast: Cast, coordinator: Api, patient: Patient
) -> None:
    stated = body(patient, "2024-03-01", stated_response="PD", stated_response_reason="clinical")
    answer = coordinator.post("/visits/", stated).json()
    assert answer["derived"]["overall_response"] == "SD"
    assert answer["derived"]["warnings"][0]["code"] == "stated_response_differs"


@pytest.mark.parametrize(
    "change",
    [
        "date = '9999-12-31'",
        "overall_response = 'ZZ'",
        "target_response = 'ZZ'",
        "non_target_response = 'ZZ'",
        "stated_response = 'ZZ'",
    ],
)
def test_the_database_refuses_what_is_no_fact(patient: Patient, change: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE outcomes_visit SET {change} WHERE patient_id = %s", [patient.pk])


def test_one_contradictory_patient_does_not_stop_a_recomputation(
    cast: Cast, patient: Patient
) -> None:
    visit = factories.follow_up(patient, 43, by=cast.coordinator)
    other = factories.patient(cast.trial, "01-002")
    factories.baseline(other, by=cast.coordinator)
    follow_up = factories.follow_up(other, 43, (90, 60), by=cast.coordinator)
    Visit.objects.filter(pk=visit.pk).update(date="2000-01-01")
    Visit.objects.filter(pk=follow_up.pk).update(overall_response="SD")
    done = actions.recompute(Trial.objects.all())
    assert done.changed == 1
    assert Visit.objects.get(pk=follow_up.pk).overall_response == "PD"
    assert done.refused[0].startswith(f"{cast.trial.registry_id} 01-001: ")
    with pytest.raises(CommandError, match="01-001"):
        call_command("recompute")
