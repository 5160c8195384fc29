"""Writes of patients and therapies: what they leave in the trail, and who wins a race."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from patients import actions
from patients.models import Allocation, Patient, Therapy
from registry.errors import Conflict, StaleVersion
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from tests.outcomes.test_actions import events, together, trail, violates
from trials.models import Arm

Login = Callable[[Any], Api]


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01."""
    return enroll(cast, "S-001")


def enroll(cast: Cast, subject_id: str, **facts: Any) -> Patient:
    """A patient whom the coordinator enrolls."""
    site = cast.trial.sites.get(code="01")
    return actions.enroll_patient(
        trial=cast.trial, site=site, by=cast.coordinator, subject_id=subject_id, **facts
    )


def update(patient: Patient, cast: Cast, **changes: Any) -> Patient:
    """A change by the coordinator against the stored version."""
    version = Patient.objects.get(pk=patient.pk).version
    return actions.update_patient(
        patient=patient, changes=changes, by=cast.coordinator, reason="typing error",
        version=version,
    )  # fmt: skip


def test_every_write_leaves_who_and_why(patient: Patient, cast: Cast) -> None:
    update(patient, cast, ecog=1)
    actions.void_patient(patient=patient, by=cast.investigator, reason="withdrew", version=2)
    assert trail(Patient) == [
        ("insert", "coordinator", "recorded"),
        ("update", "coordinator", "typing error"),
        ("update", "investigator", "withdrew"),
    ]
    assert list(events(Patient).values_list("version", flat=True)) == [1, 2, 3]


def test_an_allocation_has_a_trail_of_its_own(patient: Patient, cast: Cast) -> None:
    arms = [Arm.objects.create(trial=cast.trial, name=name) for name in "AB"]
    for arm in (*arms, arms[1], None):
        assert update(patient, cast, arm=arm).arm == arm
    assert [what for what, *_ in trail(Allocation)] == ["insert", "update", "delete"]


def test_a_therapys_trail(patient: Patient, cast: Cast) -> None:
    therapy = actions.record_therapy(patient=patient, by=cast.coordinator, started_on=START)
    later = {"started_on": START + timedelta(days=1)}
    actions.correct_therapy(
        therapy=therapy, changes=later, by=cast.colleague, reason="misread", version=1
    )
    actions.void_therapy(therapy=therapy, by=cast.investigator, reason="other trial", version=2)
    assert trail(Therapy) == [
        ("insert", "coordinator", "recorded"),
        ("update", "colleague", "misread"),
        ("update", "investigator", "other trial"),
    ]


@pytest.mark.parametrize("who", ["outsider", "viewer", "administrator", "stranger"])
def test_writing_is_for_the_sites_own_people(patient: Patient, cast: Cast, who: str) -> None:
    user = getattr(cast, who)
    therapy = actions.record_therapy(patient=patient, by=cast.coordinator, started_on=START)
    change = {"by": user, "reason": "x", "version": 1}
    with pytest.raises(PermissionDenied):
        actions.enroll_patient(
            trial=cast.trial, site=cast.trial.sites.get(code="01"), by=user, subject_id="x"
        )
    with pytest.raises(PermissionDenied):
        actions.update_patient(patient=patient, changes={"ecog": 1}, **change)
    with pytest.raises(PermissionDenied):
        actions.void_patient(patient=patient, **change)
    with pytest.raises(PermissionDenied):
        actions.record_therapy(patient=patient, by=user, started_on=START)
    with pytest.raises(PermissionDenied):
        actions.correct_therapy(therapy=therapy, changes={}, **change)
    with pytest.raises(PermissionDenied):
        actions.void_therapy(therapy=therapy, **change)
    assert Patient.objects.get().version == Therapy.objects.get().version == 1


def test_a_patient_moves_only_between_sites_one_works_at(patient: Patient, cast: Cast) -> None:
    foreign = cast.trial.sites.get(code="02")
    with pytest.raises(PermissionDenied):
        update(patient, cast, site=foreign)


def test_a_voided_row_and_a_stale_version_are_closed(patient: Patient, cast: Cast) -> None:
    therapy = actions.record_therapy(patient=patient, by=cast.coordinator, started_on=START)
    actions.void_therapy(therapy=therapy, by=cast.investigator, reason="x", version=1)
    with pytest.raises(StaleVersion):
        actions.void_therapy(therapy=therapy, by=cast.investigator, reason="x", version=2)
    with pytest.raises(StaleVersion):
        actions.void_patient(patient=patient, by=cast.investigator, reason="x", version=2)
    actions.void_patient(patient=patient, by=cast.investigator, reason="x", version=1)
    with pytest.raises(StaleVersion):
        update(patient, cast, ecog=1)
    with pytest.raises(Conflict, match="/patient"):
        actions.record_therapy(patient=patient, by=cast.coordinator, started_on=START)


SQL = [
    ("patient SET sex = 'x'", "patient_sex_known"),
    ("patient SET ecog = 6", "patient_ecog_0_to_5"),
    ("patient SET birth_year = 1899", "patient_birth_year_plausible"),
    ("patient SET birth_year = 2025", "patient_enrolled_on_after_birth"),
    ("patient SET subject_id = ''", "patient_subject_id_given"),
    ("patient SET last_dose_on = '2024-01-01'", "patient_last_dose_after_first"),
    ("patient SET died_on = '2024-01-15'", "patient_first_dose_before_death"),
    ("patient SET died_on = '2024-02-01', last_known_alive_on = '2024-02-02'",
     "patient_not_alive_after_death"),
    ("patient SET site_id = (SELECT max(id) FROM trials_site)", "site_shares_trial"),
    ("patient SET subject_id = 'same'", "patient_subject_id_unique_in_trial"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "constraint"), SQL)
def test_the_database_refuses_a_contradiction(cast: Cast, change: str, constraint: str) -> None:
    for number in range(2):
        factories.patient(cast.trial, f"01-00{number}")
    factories.trial("NCT00000002")
    assert constraint in violates(f"UPDATE patients_{change}")


@pytest.mark.django_db(transaction=True)
def test_of_identical_enrollments_at_once_one_is_stored(cast: Cast, api: Login) -> None:
    client = api(cast.coordinator)
    body = {"trial": cast.trial.registry_id, "subject_id": "01-001", "site": "01"}
    answers = together(*[lambda: client.post("/patients/", body)] * 3)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {answer["errors"][0]["pointer"] for answer in refused} == {"/subject_id"}
    assert Patient.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_one_wins(cast: Cast, api: Login) -> None:
    patient = factories.patient(cast.trial)
    client, body = api(cast.coordinator), {"ecog": 1, "reason": "x"}
    change = [lambda: client.patch(f"/patients/{patient.pk}/", body, if_match='"1"')] * 2
    assert sorted(answer.status_code for answer in together(*change)) == [200, 412]
    therapy = {"patient": patient.pk, "started_on": "2024-03-01"}
    answers = together(*[lambda: client.post("/therapies/", therapy)] * 3)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
