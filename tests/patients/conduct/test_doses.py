"""Doses: what is stored, what is refused and where."""

from __future__ import annotations

import pytest

from patients.models import Dose, Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes.test_actions import together
from tests.outcomes.visits.bodies import pointers
from tests.patients.conduct.records import WHY, Body, Login, dose, dosed, on
from trials.models import Arm, Intervention, Trial


def test_a_dose_comes_back_whole(coordinator: Api, patient: Patient) -> None:
    answer = coordinator.post("/doses/", dose(patient, 1, 14, unit="MG", intervention="anlotinib"))
    assert answer.status_code == 201, answer.content
    said = answer.json()
    path = f"/doses/{said['id']}/"
    assert said == dose(patient, 1, 14) | {
        "id": said["id"], "version": 1, "intervention_reason": None, "adjustment": "none", "adjustment_reason": "",
        "links": {"self": f"/api/v1{path}"},
    }  # fmt: skip
    assert coordinator.get(path).json() == said
    assert coordinator.get("/doses/").json()["results"] == [said]
    replaced = coordinator.put(path, said | {"dose": 10.5} | WHY, if_match='"1"')
    assert (replaced.json()["dose"], replaced["ETag"]) == (10.5, '"2"')
    assert coordinator.put(path, said | WHY, if_match='"1"').status_code == 412
    assert coordinator.put(path, said | WHY).status_code == 428
    assert pointers(coordinator.put(path, said, if_match='"2"')) == ["/reason"]


@pytest.mark.parametrize(
    ("other", "pointer"),
    [
        ({"intervention": "Placebo"}, "/intervention"),
        ({"unit": "IU"}, "/unit"),
        ({"intervention": "Epirubicin", "unit": "MBq"}, None),
        ({"intervention": "Epirubicin", "unit": "MG/M2"}, None),
        ({"unit": "g", "dose": 0.012}, None),
        ({"dose": -1}, "/dose"),
        ({"dose": "12"}, "/dose"),
        ({"dose": 1.0005}, "/dose"),
        ({"dose": 120}, None),
        ({"dose": 120.001}, "/dose"),
        ({"dose": 0.121, "unit": "g"}, "/dose"),
        ({"dose": 600.001, "intervention": "Epirubicin", "unit": "mg/m2"}, "/dose"),
        ({"dose": 100_000, "intervention": "Epirubicin"}, None),
        ({"dose": 100_000.001, "intervention": "Epirubicin"}, "/dose"),
        ({"dose": 0}, "/adjustment"),
        ({"dose": 0, "adjustment": "interrupted"}, None),
        ({"started_on": on(-1)}, "/started_on"),
        ({"started_on": "2199-01-01", "ended_on": None}, "/started_on"),
        ({"ended_on": on(0)}, "/ended_on"),
        ({"adjustment": "halved"}, "/adjustment"),
        ({"site": "01"}, "/site"),
    ],
)
def test_what_a_dose_may_say(
    coordinator: Api, patient: Patient, other: Body, pointer: str | None
) -> None:
    answer = coordinator.post("/doses/", dose(patient, 1, 14) | other)
    assert answer.status_code == (400 if pointer else 201), answer.content
    if pointer:
        assert pointers(answer) == [pointer]
        assert not Dose.objects.exists()


def test_a_dose_needs_an_enrolled_and_living_patient(coordinator: Api, cast: Cast) -> None:
    screened = factories.patient(cast.trial, enrolled_on=None, first_dose_on=None)
    dead = factories.patient(cast.trial, died_on=on(20))
    assert pointers(coordinator.post("/doses/", dose(screened, 1))) == ["/started_on", "/ended_on"]
    answer = coordinator.post("/doses/", dose(dead, 10, 21))
    assert answer.status_code == 400
    assert pointers(answer) == ["/ended_on"]


@pytest.mark.parametrize(
    ("first", "last", "free"),
    [(14, 20, False), (15, 20, True), (20, None, False), (1, 1, False), (0, 0, True), (0, None, False),
     (15, 21, True), (22, 30, False), (15, None, False)],
)  # fmt: skip
def test_doses_of_one_intervention_do_not_overlap(
    cast: Cast, coordinator: Api, patient: Patient, first: int, last: int | None, free: bool
) -> None:
    for told in (dose(patient, 1, 14), dose(patient, 22)):
        assert coordinator.post("/doses/", told).status_code == 201
    other = coordinator.post(
        "/doses/", dose(patient, first, last, intervention="Epirubicin", unit="mg/m2")
    )
    assert other.status_code == 201
    answer = coordinator.post("/doses/", dose(patient, first, last))
    assert answer.status_code == (201 if free else 409)
    if not free:
        assert pointers(answer) == ["/started_on"]


def test_dose_dates_follow_the_doses(coordinator: Api, investigator: Api, patient: Patient) -> None:
    version = patient.version
    pause = dose(patient, 0, 0, dose=0, adjustment="interrupted")
    assert coordinator.post("/doses/", pause).status_code == 201
    assert dosed(patient) == ("None", "None", version)
    second = coordinator.post("/doses/", dose(patient, 22, 35)).json()
    assert dosed(patient) == (on(22), on(35), version + 1)
    first = coordinator.post("/doses/", dose(patient, 1, 14)).json()
    assert dosed(patient) == (on(1), on(35), version + 2)
    path = f"/doses/{second['id']}/"
    assert (
        coordinator.put(path, second | {"ended_on": on(30)} | WHY, if_match='"1"').status_code
        == 200
    )
    assert dosed(patient) == (on(1), on(30), version + 3)
    assert investigator.post(f"{path}void/", WHY, if_match='"2"').status_code == 200
    assert dosed(patient) == (on(1), on(14), version + 4)
    assert investigator.post(f"/doses/{first['id']}/void/", WHY, if_match='"1"').status_code == 200
    assert dosed(patient) == (on(1), on(14), version + 4)  # never blanked


def test_a_stated_first_dose_is_contradicted_by_an_earlier_one(
    coordinator: Api, patient: Patient
) -> None:
    path = f"/patients/{patient.pk}/"
    said = {"first_dose_on": on(2), "last_dose_on": on(9)} | WHY
    assert coordinator.patch(path, said, if_match=f'"{patient.version}"').status_code == 200
    answer = coordinator.post("/doses/", dose(patient, 1, 14))
    assert (answer.status_code, pointers(answer)) == (409, ["/started_on"])
    assert coordinator.post("/doses/", dose(patient, 3, 5)).status_code == 201
    assert dosed(patient)[:2] == (on(2), on(9))
    assert coordinator.post("/doses/", dose(patient, 6)).status_code == 201
    assert (
        coordinator.post(
            "/doses/", dose(patient, 1, 1, dose=0, adjustment="interrupted")
        ).status_code
        == 201
    )
    assert dosed(patient)[:2] == (on(2), on(9))


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"first_dose_on": on(2)}, "/first_dose_on"),
        ({"first_dose_on": on(0)}, None),
        ({"last_dose_on": on(13)}, "/last_dose_on"),
        ({"last_dose_on": None}, "/last_dose_on"),
        ({"last_dose_on": on(20)}, None),
        ({"enrolled_on": on(2)}, "/enrolled_on"),
        ({"enrolled_on": None}, "/enrolled_on"),
        ({"enrolled_on": on(1)}, None),
        ({"died_on": on(15)}, "/died_on"),
        ({"died_on": on(30)}, None),
    ],
)
def test_the_patients_facts_agree_with_the_doses(
    coordinator: Api, patient: Patient, facts: Body, pointer: str | None
) -> None:
    coordinator.post("/doses/", dose(patient, 1, 14))
    coordinator.post("/doses/", dose(patient, 15, 30, dose=0, adjustment="interrupted"))
    patient.refresh_from_db()
    answer = coordinator.patch(
        f"/patients/{patient.pk}/", facts | WHY, if_match=f'"{patient.version}"'
    )
    assert answer.status_code == (409 if pointer else 200), answer.content
    if pointer:
        assert pointers(answer) == [pointer]


def test_where_arms_are_masked_any_of_the_trials_interventions_is_taken(
    cast: Cast, coordinator: Api, patient: Patient
) -> None:
    other = Arm.objects.create(trial=cast.trial, name="Control")
    Intervention.objects.create(arm=other, name="Placebo", dose=12, unit="mg")
    told = dose(patient, 1, 14, intervention="Placebo")
    assert coordinator.post("/doses/", told).status_code == 400
    Trial.objects.update(masking="DOUBLE")
    assert coordinator.post("/doses/", told).status_code == 201


def test_two_first_doses_at_once(
    transactional_db: None, cast: Cast, api: Login, patient: Patient
) -> None:
    clients = [api(cast.coordinator), api(cast.colleague)]
    told = [dose(patient, 1, 14), dose(patient, 22, 35)]
    answers = together(
        lambda: clients[0].post("/doses/", told[0]), lambda: clients[1].post("/doses/", told[1])
    )
    assert [answer.status_code for answer in answers] == [201, 201]
    assert dosed(patient)[:2] == (on(1), on(35))
