"""Where consent and screening come first, no door leads past them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from outcomes import actions as visits
from outcomes.entries import VisitEntry
from outcomes.models import Visit
from patients import conduct, gate
from patients import screening as actions
from patients.models import Allocation, Consent, Dose, Patient, Screening
from registry.errors import Conflict
from registry.models import User
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START, non_target, target
from tests.outcomes.visits.bodies import pointers
from trials import actions as trial_actions
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
    manager = User.objects.filter(username="manager").first()
    if manager is None:
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
    assert (new.status_code, edit.status_code) == (302, 302)
    assert set(Patient.objects.values_list("enrolled_on", flat=True)) == {None}
    for path in (
        f"/trials/{cast.trial.registry_id}/patients/new/",
        f"/patients/{patient.pk}/edit/",
    ):
        assert 'name="enrolled_on"' not in client.get(path).content.decode()


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


TREATMENT = [{"first_dose_on": DAY}, {"first_dose_on": DAY, "last_dose_on": LATER},
             {"randomized_on": DAY}]  # fmt: skip


@pytest.mark.parametrize("facts", TREATMENT)
def test_an_enrollment_is_not_taken_back_from_the_treated(
    patient: Patient, cast: Cast, api: Login, facts: dict[str, Any]
) -> None:
    client, address = api(cast.coordinator), f"/patients/{patient.pk}/"
    enrolled(patient, cast)
    back, why = {"enrolled_on": None}, {"reason": "why"}
    at_once = client.patch(address, back | facts | why, if_match='"2"')
    assert (at_once.status_code, pointers(at_once)) == (409, ["/enrolled_on"])
    assert client.patch(address, facts | why, if_match='"2"').status_code == 200
    after = client.patch(address, back | why, if_match='"3"')
    assert (after.status_code, pointers(after)) == (409, ["/enrolled_on"])
    line = {"record": "patient", "subject_id": "01-001", "site": "01"} | why
    answer = imported(cast, line | back)
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/enrolled_on"]
    cleared = back | dict.fromkeys(facts) | why
    assert client.patch(address, cleared, if_match='"3"').status_code == 200
    again = client.patch(address, facts | why, if_match='"4"')
    assert (again.status_code, pointers(again)) == (409, ["/enrolled_on"])
    answer = imported(cast, line | facts)
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/enrolled_on"]
    patient.refresh_from_db()
    assert patient.version == 4


def _arm_given(patient: Patient, cast: Cast) -> None:
    arm = Arm.objects.create(trial=patient.trial, name="Anlotinib")
    Allocation.objects.create(patient=patient, arm=arm, trial=patient.trial)


def _dosed(patient: Patient, cast: Cast) -> None:
    Dose.objects.create(patient=patient, intervention="A", dose=12, unit="mg", started_on=START)


def _completed(patient: Patient, cast: Cast) -> None:
    conduct.record_disposition(patient=patient, by=cast.coordinator, kind="completed", on=START)


@pytest.mark.parametrize("prepare", [_arm_given, _dosed, _completed])
def test_an_enrollment_is_not_taken_back_from_what_follows_it(
    patient: Patient, cast: Cast, api: Login, prepare: Callable[[Patient, Cast], None]
) -> None:
    patient = enrolled(patient, cast)
    prepare(patient, cast)
    body = {"enrolled_on": None, "reason": "why"}
    refused = api(cast.coordinator).patch(f"/patients/{patient.pk}/", body, if_match='"2"')
    assert (refused.status_code, pointers(refused)) == (409, ["/enrolled_on"])


def test_an_arm_goes_together_with_the_enrollment(patient: Patient, cast: Cast, api: Login) -> None:
    patient = enrolled(patient, cast)
    _arm_given(patient, cast)
    body = {"enrolled_on": None, "arm": None, "reason": "why"}
    client = api(cast.coordinator)
    assert client.patch(f"/patients/{patient.pk}/", body, if_match='"2"').status_code == 200


def test_no_form_takes_the_enrollment_back_from_the_treated(
    patient: Patient, cast: Cast, pages: Callable[[Any], Client]
) -> None:
    patient = enrolled(patient, cast)
    Patient.objects.update(first_dose_on=START)
    said = {
        "subject_id": "01-001", "site": patient.site.pk, "sex": "unknown", "enrolled_on": "",
        "first_dose_on": DAY, "reason": "why", "version": 2,
    }  # fmt: skip
    page = pages(cast.coordinator).post(f"/patients/{patient.pk}/edit/", said)
    assert page.status_code == 422
    assert "The enrollment stays while these are recorded" in page.content.decode()


@pytest.mark.parametrize("name", ["first_dose_on", "randomized_on"])
def test_no_treatment_before_the_enrollment(
    patient: Patient, cast: Cast, api: Login, name: str
) -> None:
    client, address = api(cast.coordinator), f"/patients/{patient.pk}/"
    enrolled(patient, cast, LATER)
    refused = client.patch(address, {name: DAY, "reason": "why"}, if_match='"2"')
    assert (refused.status_code, pointers(refused)) == (400, [f"/{name}"])
    assert client.patch(address, {name: LATER, "reason": "why"}, if_match='"2"').status_code == 200
    both = {name: DAY, "enrolled_on": DAY, "reason": "why"}
    assert client.patch(address, both, if_match='"3"').status_code == 200
    moved = client.patch(address, {"enrolled_on": LATER, "reason": "why"}, if_match='"4"')
    assert (moved.status_code, pointers(moved)) == (400, [f"/{name}"])


FEW: dict[str, Any] = {"platelets": {"value": 72, "unit": "10^9/L"}}
WHY = {"reason": "why"}


def _consent_body(patient: Patient, **facts: Any) -> dict[str, Any]:
    return {"patient": patient.pk, "consent_version": "1", "signed_on": DAY} | facts


def _screening_body(patient: Patient, on: str = DAY, **values: Any) -> dict[str, Any]:
    return {"patient": patient.pk, "screened_on": on, "values": factories.ELIGIBLE | values}


Breach = Callable[[Api, Patient], Any]
AFTER = (START + timedelta(days=5)).isoformat()
BREACHES: dict[str, Breach] = {
    "consent voided": lambda client, patient: client.post(
        f"/consents/{Consent.objects.get().pk}/void/", WHY, if_match='"1"'
    ),
    "consent signed later": lambda client, patient: client.put(
        f"/consents/{Consent.objects.get().pk}/",
        _consent_body(patient, signed_on=AFTER) | WHY, if_match='"1"',
    ),
    "consent withdrawn by the enrollment": lambda client, patient: client.put(
        f"/consents/{Consent.objects.get().pk}/",
        _consent_body(patient, withdrawn_on=LATER) | WHY, if_match='"1"',
    ),
    "screening voided": lambda client, patient: client.post(
        f"/screenings/{Screening.objects.get().pk}/void/", WHY, if_match='"1"'
    ),
    "screening moved behind the enrollment": lambda client, patient: client.put(
        f"/screenings/{Screening.objects.get().pk}/",
        _screening_body(patient, AFTER) | WHY, if_match='"1"',
    ),
    "screening moved before the consent": lambda client, patient: client.put(
        f"/screenings/{Screening.objects.get().pk}/",
        _screening_body(patient, (START - timedelta(days=1)).isoformat()) | WHY, if_match='"1"',
    ),
    "another screening after the enrollment": lambda client, patient: client.post(
        "/screenings/", _screening_body(patient, AFTER)
    ),
    "another screening that is failed": lambda client, patient: client.post(
        "/screenings/", _screening_body(patient, LATER, **FEW)
    ),
}  # fmt: skip


@pytest.mark.parametrize("breach", BREACHES)
def test_what_an_enrollment_rests_on_stays(
    patient: Patient, cast: Cast, api: Login, breach: str
) -> None:
    enrolled(patient, cast, LATER)
    refused = BREACHES[breach](api(cast.investigator), patient)
    assert refused.status_code == 409, refused.content
    assert f"The enrollment on {LATER} would not stand" in refused.json()["detail"]
    patient.refresh_from_db()
    assert not gate.standing(patient, START + timedelta(days=3)).missing
    Patient.objects.update(enrolled_on=None)  # taken back
    assert BREACHES[breach](api(cast.investigator), patient).status_code in (200, 201)


def test_what_an_enrollment_rests_on_stays_after_an_amendment(
    patient: Patient, cast: Cast, api: Login
) -> None:
    enrolled(patient, cast, LATER)
    trial = Trial.objects.get(pk=cast.trial.pk)
    trial_actions.amend_protocol(
        trial=trial, by=cast.administrator, reason="why", version=trial.version,
        criteria=[], effective_on=None, consent_version="2",
    )  # fmt: skip
    refused = BREACHES["consent voided"](api(cast.investigator), patient)
    assert refused.status_code == 409
    again = _consent_body(patient, consent_version="2", signed_on=AFTER)
    assert api(cast.coordinator).post("/consents/", again).status_code == 201


def test_a_withdrawal_after_the_enrollment_is_recorded(
    patient: Patient, cast: Cast, api: Login
) -> None:
    enrolled(patient, cast)
    address = f"/consents/{Consent.objects.get().pk}/"
    body = _consent_body(patient, withdrawn_on=LATER) | WHY
    response = api(cast.coordinator).put(address, body, if_match='"1"')
    assert response.status_code == 200, response.content


def test_a_finding_is_corrected_by_an_investigator_and_covered_by_a_deviation(
    patient: Patient, cast: Cast, api: Login
) -> None:
    enrolled(patient, cast, LATER)
    coordinator, investigator = api(cast.coordinator), api(cast.investigator)
    stored = Screening.objects.get()
    address, body = f"/screenings/{stored.pk}/", _screening_body(patient, **FEW) | WHY
    assert coordinator.put(address, body, if_match='"1"').status_code == 409
    assert investigator.put(address, body, if_match='"1"').status_code == 200
    moved = {"enrolled_on": DAY} | WHY
    refused = coordinator.patch(f"/patients/{patient.pk}/", moved, if_match='"2"')
    assert (refused.status_code, pointers(refused)) == (409, ["/enrolled_on"])
    assert "platelets 72" in refused.json()["detail"]
    assert BREACHES["consent voided"](investigator, patient).status_code == 409
    deviation = {
        "patient": patient.pk, "criterion": stored.results[1]["criterion"], "occurred_on": DAY,
        "justification": "found later",
    }  # fmt: skip
    recorded = investigator.post("/deviations/", deviation)
    assert recorded.status_code == 201
    voided = investigator.post(f"/deviations/{recorded.json()['id']}/void/", WHY, if_match='"1"')
    assert (voided.status_code, pointers(voided)) == (409, [""])
    moved = coordinator.patch(f"/patients/{patient.pk}/", moved, if_match='"2"')
    assert moved.status_code == 200, moved.content


def test_an_enrollment_does_not_move_by_rows_that_are_voided(
    patient: Patient, cast: Cast, api: Login
) -> None:
    enrolled(patient, cast)
    Consent.objects.update(voided_at=timezone.now())  # as no action does
    Screening.objects.update(voided_at=timezone.now())
    body = {"enrolled_on": LATER} | WHY
    refused = api(cast.coordinator).patch(f"/patients/{patient.pk}/", body, if_match='"2"')
    assert (refused.status_code, set(pointers(refused))) == (409, {"/enrolled_on"})


def test_who_came_before_the_gate_is_screened_and_corrected_freely(cast: Cast, api: Login) -> None:
    factories.criteria(cast.trial)
    patient = factories.patient(cast.trial, "01-001")
    Trial.objects.update(enrollment_gate="screening")
    client = api(cast.investigator)
    signed = client.post("/consents/", _consent_body(patient, signed_on=AFTER)).json()
    assert client.post("/screenings/", _screening_body(patient, AFTER)).status_code == 201
    address = f"/consents/{signed['id']}/void/"
    assert client.post(address, WHY, if_match='"1"').status_code == 200


@pytest.mark.parametrize(("days", "expired"), [(28, False), (29, True)])
def test_a_screening_expires(
    patient: Patient, cast: Cast, api: Login, days: int, expired: bool
) -> None:
    eligible(patient, cast)
    on = (START + timedelta(days=days)).isoformat()
    address = f"/patients/{patient.pk}/enroll/"
    response = api(cast.coordinator).post(address, {"enrolled_on": on} | WHY, if_match='"1"')
    assert response.status_code == (409 if expired else 200)
    assert ("is older than 28 days: screen again" in response.content.decode()) is expired


CLOSED = (START + timedelta(days=4)).isoformat()


@pytest.mark.parametrize(
    ("path", "name"), [("/consents/", "signed_on"), ("/screenings/", "screened_on")]
)
def test_nothing_is_signed_or_screened_after_a_loss_to_follow_up(
    cast: Cast, api: Login, path: str, name: str
) -> None:
    patient = factories.patient(cast.trial, "01-001")
    conduct.record_disposition(
        patient=patient, by=cast.coordinator, kind="lost_to_follow_up",
        on=START + timedelta(days=4),
    )  # fmt: skip
    bodies = {
        "/consents/": _consent_body(patient),
        "/screenings/": {"patient": patient.pk, "values": {}},
    }
    client, body = api(cast.coordinator), bodies[path]
    refused = client.post(path, body | {name: AFTER})
    assert (refused.status_code, pointers(refused)) == (409, [f"/{name}"])
    assert client.post(path, body | {name: CLOSED}).status_code == 201
