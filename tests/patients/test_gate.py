"""Where consent and screening come first, no door leads past them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from outcomes import actions as visits
from outcomes.entries import VisitEntry
from outcomes.models import Visit
from patients import gate
from patients import screening as actions
from patients.models import Consent, Patient
from registry.errors import Conflict
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START, non_target, target
from tests.outcomes.test_visits_api import pointers
from trials.models import Arm, Trial
from trials.vocabularies import Role

Login = Callable[[Any], Api]
DAY = START.isoformat()
LATER = (START + timedelta(days=3)).isoformat()


@pytest.fixture
def trial(cast: Cast) -> Trial:
    """Consent and screening come first."""
    factories.criteria(cast.trial)
    cast.trial.enrollment_gate = "screening"
    cast.trial.save()
    return cast.trial


@pytest.fixture
def patient(trial: Trial) -> Patient:
    """Somebody of site 01 who is not enrolled."""
    return factories.candidate(trial, "01-001")


def eligible(patient: Patient, cast: Cast) -> None:
    """Consent and a screening in which every criterion is met."""
    factories.consent(patient, by=cast.coordinator)
    factories.screening(patient, by=cast.coordinator)


def baseline_body(patient: Patient) -> dict[str, Any]:
    """A baseline as it is sent."""
    row = {"lesion": "T01", "state": "measured", "diameter_mm": 50, "method": "ct", "organ": "lung"}
    body = {"patient": patient.pk, "kind": "baseline", "date": DAY, "targets": [row]}
    return body | {"non_targets": []}


FACTS = [
    {"enrolled_on": DAY},
    {"randomized_on": DAY},
    {"first_dose_on": DAY},
    {"first_dose_on": DAY, "last_dose_on": DAY},
    {"enrolled_on": DAY, "first_dose_on": DAY},
]


@pytest.mark.parametrize("facts", FACTS)
def test_no_enrollment_by_a_body(
    patient: Patient, cast: Cast, api: Login, facts: dict[str, Any]
) -> None:
    client = api(cast.coordinator)
    body = {"trial": "NCT00000001", "subject_id": "01-002", "site": "01"}
    posted = client.post("/patients/", body | facts)
    why = {"reason": "why"}
    patched = client.patch(f"/patients/{patient.pk}/", facts | why, if_match='"1"')
    for response in (posted, patched):
        assert response.status_code == 409
        assert pointers(response) == ["/enrolled_on"]
        assert "/enroll/" in response.json()["errors"][0]["detail"]
    assert client.post("/patients/", body | {"ecog": 1}).status_code == 201
    assert not Patient.objects.exclude(enrolled_on=None, first_dose_on=None).exists()


def test_no_arm_before_the_enrollment(patient: Patient, cast: Cast, api: Login) -> None:
    Arm.objects.create(trial=patient.trial, name="Anlotinib")
    body = {"arm": "Anlotinib", "reason": "why"}
    response = api(cast.coordinator).patch(f"/patients/{patient.pk}/", body, if_match='"1"')
    assert (response.status_code, pointers(response)) == (409, ["/enrolled_on"])


def test_what_is_stored_may_be_sent_back(patient: Patient, cast: Cast, api: Login) -> None:
    client = api(cast.coordinator)
    stored = client.get(f"/patients/{patient.pk}/").json()
    sent = stored | {"ecog": 2, "reason": "why"}
    assert client.patch(f"/patients/{patient.pk}/", sent, if_match='"1"').status_code == 200
    eligible(patient, cast)
    body = {"enrolled_on": DAY, "reason": "why"}
    enrolled = client.post(f"/patients/{patient.pk}/enroll/", body, if_match='"2"')
    assert enrolled.status_code == 200, enrolled.content
    sent = enrolled.json() | {"first_dose_on": LATER, "reason": "why"}
    assert client.patch(f"/patients/{patient.pk}/", sent, if_match='"3"').status_code == 200


def test_an_enrollment_moves_to_days_on_which_the_gate_holds(
    patient: Patient, cast: Cast, api: Login
) -> None:
    client, address = api(cast.coordinator), f"/patients/{patient.pk}/"
    eligible(patient, cast)
    client.post(f"{address}enroll/", {"enrolled_on": LATER, "reason": "x"}, if_match='"1"')
    early = (START - timedelta(days=1)).isoformat()
    moved = client.patch(address, {"enrolled_on": early, "reason": "x"}, if_match='"2"')
    assert moved.status_code == 409
    assert set(pointers(moved)) == {"/enrolled_on"}
    moved = client.patch(address, {"enrolled_on": DAY, "reason": "x"}, if_match='"2"')
    assert moved.status_code == 200, moved.content


def test_who_came_before_the_gate_stays(cast: Cast, api: Login) -> None:
    patient = factories.patient(cast.trial, "01-001")
    Trial.objects.update(enrollment_gate="screening")
    client = api(cast.coordinator)
    body = {"enrolled_on": LATER, "first_dose_on": LATER, "reason": "why"}
    changed = client.patch(f"/patients/{patient.pk}/", body, if_match='"1"')
    assert changed.status_code == 200, changed.content
    assert client.post("/visits/", baseline_body(patient)).status_code == 201


def imported(cast: Cast, *lines: dict[str, Any]) -> Any:
    """The answer to a file of these lines."""
    manager = factories.user("manager")
    factories.membership(manager, cast.trial, Role.DATA_MANAGER)
    client = Client(headers={"Authorization": f"Token {factories.token(manager)}"})
    text = "\n".join(json.dumps(line) for line in lines)
    address = f"/api/v1/trials/{cast.trial.registry_id}/import/"
    return client.post(address, text, content_type="application/x-ndjson")


@pytest.mark.parametrize("facts", FACTS)
def test_no_enrollment_by_a_file(patient: Patient, cast: Cast, facts: dict[str, Any]) -> None:
    line = {"record": "patient", "subject_id": "01-002", "site": "01"}
    known = line | {"subject_id": "01-001", "reason": "why"}
    answer = imported(cast, line | facts, known | facts, line | {"subject_id": "01-003"})
    assert answer.status_code == 400
    found = [(e["line"], e["pointer"]) for e in answer.json()["errors"]]
    assert found == [(1, "/enrolled_on"), (2, "/enrolled_on")]


def test_no_baseline_by_a_file(patient: Patient, cast: Cast) -> None:
    answer = imported(cast, {"record": "visit"} | baseline_body(patient) | {"patient": "01-001"})
    assert [(e["line"], e["pointer"]) for e in answer.json()["errors"]] == [(1, "/kind")]


def test_no_enrollment_by_the_form(
    patient: Patient, cast: Cast, pages: Callable[[Any], Client]
) -> None:
    client = pages(cast.coordinator)
    said = {"subject_id": "01-002", "site": patient.site.pk, "sex": "unknown", "enrolled_on": DAY}
    new = client.post(f"/trials/{cast.trial.registry_id}/patients/new/", said)
    edit = client.post(
        f"/patients/{patient.pk}/edit/", said | {"reason": "why", "version": 1, "histology": "lipo"}
    )
    for page in (new, edit):
        assert page.status_code == 422
        assert "consent and screening come first" in page.content.decode()
        assert f'value="{DAY}"' in page.content.decode()
    assert Patient.objects.get().enrolled_on is None


def test_no_baseline_before_the_enrollment(
    patient: Patient, cast: Cast, api: Login, pages: Callable[[Any], Client]
) -> None:
    client, body = api(cast.coordinator), baseline_body(patient)
    refused = client.post("/visits/", body)
    assert (refused.status_code, pointers(refused)) == (409, ["/kind"])
    preview = client.post("/visits/preview/", body)
    assert preview.status_code == 200
    assert "/kind" in [said["pointer"] for said in preview.json()["missing"]]
    page = pages(cast.coordinator).get(f"/patients/{patient.pk}/").content.decode()
    assert "Start the baseline" not in page
    assert f"/patients/{patient.pk}/enrollment/" in page
    entry = VisitEntry(
        kind="baseline", date=START, targets=(target("T01", 50, organ="lung"),),
        non_targets=(non_target("NT01", organ="pleural effusion"),),
    )  # fmt: skip
    with pytest.raises(Conflict):
        visits.record_visit(patient=patient, entry=entry, by=cast.coordinator)
    assert not Visit.objects.exists()
    eligible(patient, cast)
    client.post(
        f"/patients/{patient.pk}/enroll/", {"enrolled_on": DAY, "reason": "x"}, if_match='"1"'
    )
    assert client.post("/visits/", body).status_code == 201


def test_an_enrollment_with_visits_is_not_taken_back(
    patient: Patient, cast: Cast, api: Login
) -> None:
    client, address = api(cast.coordinator), f"/patients/{patient.pk}/"
    eligible(patient, cast)
    client.post(f"{address}enroll/", {"enrolled_on": DAY, "reason": "x"}, if_match='"1"')
    body = {"enrolled_on": None, "reason": "wrong patient"}
    assert client.post("/visits/", baseline_body(patient)).status_code == 201
    refused = client.patch(address, body, if_match='"2"')
    assert (refused.status_code, pointers(refused)) == (409, ["/enrolled_on"])
    visits.void_visit(visit=Visit.objects.get(), by=cast.investigator, reason="x", version=1)
    assert client.patch(address, body, if_match='"2"').status_code == 200


def test_where_patients_arrive_enrolled_all_doors_are_open(cast: Cast, api: Login) -> None:
    client = api(cast.coordinator)
    body = {"trial": "NCT00000001", "subject_id": "01-002", "site": "01", "first_dose_on": DAY}
    assert client.post("/patients/", body).status_code == 201
    patient = factories.candidate(cast.trial, "01-777")
    assert client.post("/visits/", baseline_body(patient)).status_code == 201


def enrolled(patient: Patient, cast: Cast, on: str = DAY) -> Patient:
    """Through the gate: consent, an eligible screening, enrollment."""
    eligible(patient, cast)
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why", "version": patient.version}
    return actions.enroll_screened(patient=patient, enrolled_on=date.fromisoformat(on), **why)


@pytest.mark.parametrize(
    ("on", "again", "refused"),
    [
        (-1, None, "Before consent was signed, 2024-01-15."),
        (0, None, None),
        (2, None, None),  # the day of the withdrawal
        (3, None, "Consent was withdrawn on 2024-01-17; a new consent comes first."),
        (3, 2, "Consent was withdrawn on 2024-01-17; a new consent comes first."),
        (3, 3, None),
        (3, 4, "Consent was withdrawn on 2024-01-17; a new consent comes first."),
    ],
)
def test_no_baseline_outside_the_consent(
    patient: Patient, cast: Cast, api: Login, on: int, again: int | None, refused: str | None
) -> None:
    enrolled(patient, cast)
    consent = Consent.objects.get()
    withdrawn = {"withdrawn_on": START + timedelta(days=2)}
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why"}
    actions.correct_consent(consent=consent, changes=withdrawn, version=1, **why)
    if again is not None:
        on_again = START + timedelta(days=again)
        factories.consent(patient, by=cast.coordinator, on=on_again, version="2")
    day = START + timedelta(days=on)
    body = baseline_body(patient) | {"date": day.isoformat()}
    response = api(cast.coordinator).post("/visits/", body)
    if refused is None:
        assert response.status_code == 201, response.content
    else:
        assert (response.status_code, pointers(response)) == (409, ["/date"])
        assert response.json()["errors"][0]["detail"] == refused


def test_a_baseline_is_not_moved_to_after_the_withdrawal(
    patient: Patient, cast: Cast, api: Login
) -> None:
    enrolled(patient, cast)
    client = api(cast.coordinator)
    visit = client.post("/visits/", baseline_body(patient)).json()
    withdrawn = {"withdrawn_on": START + timedelta(days=1)}
    why: dict[str, Any] = {"by": cast.coordinator, "reason": "why"}
    actions.correct_consent(consent=Consent.objects.get(), changes=withdrawn, version=1, **why)
    body = baseline_body(patient) | {"reason": "why"}
    address = f"/visits/{visit['id']}/"
    moved = client.put(address, body | {"date": LATER}, if_match='"1"')
    assert (moved.status_code, pointers(moved)) == (409, ["/date"])
    assert client.put(address, body, if_match='"1"').status_code == 200


@pytest.mark.parametrize(
    ("gate_", "on", "same_day", "withdrawn"),
    [
        ("screening", 1, False, False),
        ("screening", 2, False, False),
        ("screening", 2, True, True),
        ("screening", 3, False, True),
        ("recorded_elsewhere", 3, True, False),
    ],
)
def test_a_withdrawn_consent(
    patient: Patient, cast: Cast, gate_: str, on: int, same_day: bool, withdrawn: bool
) -> None:
    consent = factories.consent(patient, by=cast.coordinator)
    Consent.objects.filter(pk=consent.pk).update(withdrawn_on=START + timedelta(days=2))
    patient.trial.enrollment_gate = gate_
    found = gate.consent_withdrawn(patient, START + timedelta(days=on), "/x", same_day=same_day)
    assert [error.pointer for error in found] == ["/x"] * withdrawn
