"""Exposure by patient and by arm, masked and open."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from patients.models import Dose, Patient
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from tests.factories import START
from tests.outcomes.visits.bodies import pointers
from tests.patients.conduct.records import WHY, Login, dose, on
from trials.models import Arm, Intervention, Trial


@pytest.fixture
def treated(cast: Cast, coordinator: Api, patient: Patient) -> Patient:
    """Two cycles, the second reduced, and an infusion."""
    for body in (
        dose(patient, 1, 14),
        dose(patient, 22, 35, dose=10, adjustment="reduced"),
        dose(patient, 1, 1, intervention="Epirubicin", unit="mg", dose=100.5),
    ):
        assert coordinator.post("/doses/", body).status_code == 201
    return patient


EXPOSURE = "/trials/NCT00000001/exposure/"


def test_exposure_by_patient(coordinator: Api, treated: Patient) -> None:
    (row,) = coordinator.get(f"{EXPOSURE}patients/").json()["results"]
    oral, infused = row.pop("interventions")
    assert row == {
        "patient": treated.pk, "subject_id": "S-001", "site": "01", "arm": "Anlotinib",
        "arm_reason": None,
        "links": {
            "patient": f"/api/v1/patients/{treated.pk}/",
            "doses": f"/api/v1/doses/?patient={treated.pk}",
        },
    }  # fmt: skip
    assert oral == {
        "intervention": "Anlotinib", "intervention_reason": None, "first_on": on(1), "last_on": on(35), "days": 35,
        "cycles": 2, "unit": "mg", "total_dose": 14 * 22.0, "planned_dose": 28 * 12.0,
        "relative_dose_intensity": 14 * 22 / (28 * 12), "relative_dose_intensity_reason": None,
        "reductions": 1, "interruptions": 0,
    }  # fmt: skip
    assert (infused["total_dose"], infused["planned_dose"]) == (100.5, None)
    assert infused["relative_dose_intensity_reason"] == "units"


def test_exposure_by_arm(cast: Cast, api: Login, coordinator: Api, treated: Patient) -> None:
    other = factories.patient(cast.trial, "S-002")
    coordinator.post("/doses/", dose(other, 1, 14))
    found = coordinator.get(EXPOSURE).json()
    assert (found["trial"], found["arm_reason"]) == ("NCT00000001", None)
    told = [(row["arm"], row["intervention"], row["n"]) for row in found["arms"]]
    assert told == [
        (None, "Anlotinib", 1), ("Anlotinib", "Anlotinib", 1), ("Anlotinib", "Epirubicin", 1)
    ]  # fmt: skip
    Trial.objects.update(masking="DOUBLE")
    blinded = api(cast.investigator).get(EXPOSURE).json()
    assert blinded["arm_reason"] == "blinded"
    oral = blinded["arms"][0]
    assert (oral["arm"], oral["n"], oral["median_days"]) == (None, 2, (14 + 35) / 2)
    assert oral["median_total_dose"] == (14 * 22 + 14 * 12) / 2
    assert oral["quartiles"]["days"] == {"n": 2, "q1": 14, "median": 24.5, "q3": 35}
    assert (oral["patients_with_reductions"], oral["median_cycles"]) == (1, 1.5)
    assert api(cast.outsider).get(EXPOSURE).json()["arms"] == []
    assert api(cast.stranger).get(EXPOSURE).status_code == 404


def test_exposure_at_a_cutoff(coordinator: Api, treated: Patient) -> None:
    """To day 23: the first cycle whole and two days of the second, of 16 planned ones."""
    found = coordinator.get(f"{EXPOSURE}?cutoff={on(23)}").json()
    assert (found["cutoff"], found["known_on"]) == (on(23), None)
    oral = found["arms"][0]
    assert (oral["median_days"], oral["median_cycles"]) == (23, 2)
    assert oral["median_total_dose"] == 14 * 12 + 2 * 10
    assert oral["median_relative_dose_intensity"] == 188 / (16 * 12)
    assert coordinator.get(f"{EXPOSURE}patients/?cutoff=2023-12-31").json()["results"] == []
    refused = coordinator.get(f"{EXPOSURE}patients/?known_on=yesterday")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "known_on")


@pytest.mark.django_db(transaction=True)
def test_exposure_as_known_on_a_moment(coordinator: Api, treated: Patient) -> None:
    before = coordinator.get(f"{EXPOSURE}patients/?cutoff={on(35)}").json()["results"]
    then = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    Dose.objects.filter(intervention="Anlotinib").update(dose=8)
    again = coordinator.get(f"{EXPOSURE}patients/?cutoff={on(35)}&known_on={then}").json()
    assert again["results"] == before
    (now,) = coordinator.get(f"{EXPOSURE}patients/?cutoff={on(35)}").json()["results"]
    assert now["interventions"][0]["total_dose"] == 28 * 8


def test_a_masked_plan_that_differs_between_arms_is_not_told(
    cast: Cast, coordinator: Api, treated: Patient
) -> None:
    other = Arm.objects.create(trial=cast.trial, name="Low dose")
    Intervention.objects.create(
        arm=other, name="Anlotinib", dose=8, unit="mg", days_on=list(range(1, 15)), cycle_days=21
    )
    Trial.objects.update(masking="DOUBLE")
    (row,) = coordinator.get(f"{EXPOSURE}patients/").json()["results"]
    oral = row["interventions"][0]
    assert oral["relative_dose_intensity_reason"] == "no_plan"
    assert oral["planned_dose"] is None
    assert (row["arm"], row["arm_reason"]) == (None, "blinded")


@pytest.fixture
def masked(cast: Cast, coordinator: Api, treated: Patient) -> list[Patient]:
    """One patient of each arm; Epirubicin is given in both, capsules of the same look are not."""
    other = Arm.objects.create(trial=cast.trial, name="Control")
    Intervention.objects.create(arm=other, name="epirubicin", dose=60, unit="mg/m2", days_on=[1])
    Intervention.objects.create(
        arm=other, name="Placebo", dose=12, unit="mg", days_on=list(range(1, 15)), cycle_days=21
    )
    Trial.objects.update(masking="DOUBLE")
    control = factories.patient(cast.trial, "S-002", first_dose_on=None)
    assert (
        coordinator.post("/doses/", dose(control, 1, 14, intervention="Placebo")).status_code == 201
    )
    return [treated, control]


def test_a_masked_dose_is_not_named(
    cast: Cast, api: Login, coordinator: Api, masked: list[Patient]
) -> None:
    """Not to anybody; what every arm has is."""
    for user in (cast.coordinator, cast.investigator, cast.administrator, cast.superuser):
        client = api(user)
        rows = client.get("/doses/").json()["results"]
        told = [(row["intervention"], row["intervention_reason"]) for row in rows]
        assert told == [
            (None, "blinded"), (None, "blinded"), ("Epirubicin", None), (None, "blinded")
        ]  # fmt: skip
        paths = [f"/doses/{row['id']}/" for row in rows] + [EXPOSURE, f"{EXPOSURE}patients/"]
        for path in paths:
            content = client.get(path).content
            assert b"Anlotinib" not in content
            assert b"Placebo" not in content
    posted = coordinator.post("/doses/", dose(masked[1], 22, 35, intervention="Placebo"))
    assert (posted.json()["intervention"], posted.json()["intervention_reason"]) == (
        None,
        "blinded",
    )
    assert Dose.objects.get(pk=posted.json()["id"]).intervention == "Placebo"


def test_a_blinded_null_keeps_the_drug(coordinator: Api, masked: list[Patient]) -> None:
    row = Dose.objects.get(patient=masked[1])
    path = f"/doses/{row.pk}/"
    read = coordinator.get(path).json()
    answer = coordinator.put(path, read | {"dose": 10} | WHY, if_match='"1"')
    assert answer.status_code == 200, answer.content
    row.refresh_from_db()
    assert (row.intervention, row.dose) == ("Placebo", Decimal(10))
    fresh = dose(masked[1], 40, 41, intervention=None)
    assert pointers(coordinator.post("/doses/", fresh)) == ["/intervention"]
    shown = Dose.objects.get(intervention="Epirubicin")
    erased = coordinator.get(f"/doses/{shown.pk}/").json() | {"intervention": None} | WHY
    answer = coordinator.put(f"/doses/{shown.pk}/", erased, if_match='"1"')
    assert (answer.status_code, pointers(answer)) == (400, ["/intervention"])


def test_masked_exposure_is_of_one_study_treatment(coordinator: Api, masked: list[Patient]) -> None:
    """Both capsules have the same plan: 12 mg on 14 of 21 days, 35 and 14 days of it."""
    arms = coordinator.get(EXPOSURE).json()["arms"]
    told = [(row["arm"], row["intervention"], row["intervention_reason"], row["n"]) for row in arms]
    assert told == [(None, "Epirubicin", None, 1), (None, "study treatment", "blinded", 2)]
    assert arms[1]["median_days"] == (35 + 14) / 2
    assert arms[1]["median_relative_dose_intensity"] == pytest.approx((308 / 336 + 1) / 2)
    patients = coordinator.get(f"{EXPOSURE}patients/").json()["results"]
    found = [[row["intervention"] for row in patient["interventions"]] for patient in patients]
    assert found == [["study treatment", "Epirubicin"], ["study treatment"]]
    Intervention.objects.filter(name="Placebo").update(dose=None)
    (row,) = coordinator.get(f"{EXPOSURE}patients/").json()["results"][1]["interventions"]
    assert row["relative_dose_intensity_reason"] == "no_plan"


def test_two_masked_drugs_of_a_patient_are_one_treatment(
    coordinator: Api, masked: list[Patient]
) -> None:
    Arm.objects.get(name="Control").interventions.filter(name="epirubicin").delete()
    (row,) = coordinator.get(f"{EXPOSURE}patients/").json()["results"][0]["interventions"]
    assert (row["intervention"], row["first_on"], row["last_on"]) == (
        "study treatment",
        on(1),
        on(35),
    )
    assert (row["unit"], row["total_dose"], row["planned_dose"]) == ("mg", 308 + 100.5, None)
    assert row["cycles"] == 1  # capsules and infusion have no plan in common
    assert (row["reductions"], row["interruptions"]) == (1, 0)


@pytest.mark.parametrize(("path", "statements"), [(EXPOSURE, 8), (f"{EXPOSURE}patients/", 8)])
def test_exposure_takes_a_constant_number_of_statements(
    cast: Cast, coordinator: Api, path: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    for _ in range(2):
        for _ in range(3):
            other = factories.patient(cast.trial)
            told = {"intervention": "A", "unit": "mg", "started_on": START}
            Dose.objects.create(patient=other, dose=Decimal(12), **told)
        # token, trial, sites, patients, their events and doses, interventions, doses by day
        with django_assert_num_queries(statements):
            coordinator.get(path)
