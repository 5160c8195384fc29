"""Doses, dispositions and transfers: what is stored, what is refused and where, at every door."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from patients import actions, conduct
from patients.models import Disposition, Dose, Patient
from registry.errors import Conflict, Refused, StaleVersion
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from tests.factories import START
from tests.outcomes.test_actions import together
from tests.outcomes.test_visits_api import freeze, pointers
from trials.models import Arm, Intervention, Trial
from trials.vocabularies import Role

Login = Callable[[Any], Api]
Body = dict[str, Any]
WHY = {"reason": "typing error"}


def on(day: int) -> str:
    """That many days after START, the day of enrollment."""
    return (START + timedelta(days=day)).isoformat()


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01, in the trial's only arm; no dose is known."""
    arm = Arm.objects.create(trial=cast.trial, name="Anlotinib")
    Intervention.objects.create(
        arm=arm, name="Anlotinib", dose=12, unit="mg", days_on=list(range(1, 15)), cycle_days=21
    )
    Intervention.objects.create(arm=arm, name="Epirubicin", dose=60, unit="mg/m2", days_on=[1])
    row = factories.patient(cast.trial, "S-001", birth_year=1970, first_dose_on=None)
    actions.update_patient(
        patient=row, changes={"arm": arm}, by=cast.coordinator, reason="x", version=1
    )
    return Patient.objects.get(pk=row.pk)


@pytest.fixture
def coordinator(cast: Cast, api: Login) -> Api:
    """The coordinator of site 01."""
    return api(cast.coordinator)


@pytest.fixture
def investigator(cast: Cast, api: Login) -> Api:
    """The investigator of the trial."""
    return api(cast.investigator)


def dose(patient: Patient, first: int, last: int | None = None, **other: Any) -> Body:
    """12 mg from a day to a day."""
    said = {
        "patient": patient.pk, "intervention": "Anlotinib", "dose": 12, "unit": "mg",
        "started_on": on(first), "ended_on": None if last is None else on(last),
    }  # fmt: skip
    return said | other


def ending(patient: Patient, kind: str, day: int, **other: Any) -> Body:
    """A disposition; a withdrawal refuses follow-up unless told otherwise."""
    refused = {"follow_up_continues": False} if kind == "withdrawn" else {}
    why = {"disposition_reason": "other"} if kind == "treatment_discontinued" else {}
    return {"patient": patient.pk, "kind": kind, "on": on(day)} | refused | why | other


def dosed(patient: Patient) -> tuple[str, str, int]:
    """First and last dose, and the version."""
    patient.refresh_from_db()
    return str(patient.first_dose_on), str(patient.last_dose_on), patient.version


# Doses


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


# Dispositions


def test_a_disposition_comes_back_whole(coordinator: Api, patient: Patient) -> None:
    told = ending(patient, "withdrawn", 50, follow_up_continues=True, detail="too far")
    said = coordinator.post("/dispositions/", told).json()
    path = f"/dispositions/{said['id']}/"
    assert said == told | {
        "id": said["id"], "version": 1, "disposition_reason": "", "from_site": None,
        "to_site": None, "links": {"self": f"/api/v1{path}"},
    }  # fmt: skip
    assert coordinator.get(path).json() == said
    assert coordinator.get(f"/dispositions/?patient={patient.pk}").json()["results"] == [said]
    replaced = coordinator.put(
        path, said | {"disposition_reason": "Adverse event"} | WHY, if_match='"1"'
    )
    assert replaced.json() == said | {"disposition_reason": "adverse_event", "version": 2}
    other = said | {"kind": "completed", "follow_up_continues": None}
    assert pointers(coordinator.put(path, other | WHY, if_match='"2"')) == ["/kind"]


@pytest.mark.parametrize(
    ("kind", "other", "pointer"),
    [
        ("treatment_discontinued", {}, None),
        ("treatment_discontinued", {"disposition_reason": ""}, "/disposition_reason"),
        ("treatment_discontinued", {"disposition_reason": "boredom"}, "/disposition_reason"),
        ("withdrawn", {"follow_up_continues": None}, "/follow_up_continues"),
        ("completed", {"follow_up_continues": True}, "/follow_up_continues"),
        ("completed", {}, None),
        ("transferred", {}, "/kind"),
        ("died", {}, "/kind"),
        ("completed", {"on": on(-1)}, "/on"),
        ("completed", {"on": on(501)}, "/on"),
        ("lost_to_follow_up", {"on": "2199-01-01"}, "/on"),
    ],
)
def test_what_a_disposition_may_say(
    coordinator: Api, cast: Cast, kind: str, other: Body, pointer: str | None
) -> None:
    row = factories.patient(cast.trial, died_on=on(500))
    answer = coordinator.post("/dispositions/", ending(row, kind, 60) | other)
    assert answer.status_code == (400 if pointer else 201), answer.content
    if pointer:
        assert pointer in pointers(answer)


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("treatment_discontinued", "withdrawn", True),
        ("treatment_discontinued", "treatment_discontinued", True),
        ("withdrawn", "withdrawn", False),
        ("withdrawn", "lost_to_follow_up", False),
        ("withdrawn", "completed", False),
        ("lost_to_follow_up", "completed", False),
        ("completed", "completed", False),
        ("lost_to_follow_up", "lost_to_follow_up", False),
    ],
)
def test_a_study_ends_once(
    coordinator: Api, patient: Patient, first: str, second: str, both: bool
) -> None:
    assert coordinator.post("/dispositions/", ending(patient, first, 50)).status_code == 201
    answer = coordinator.post("/dispositions/", ending(patient, second, 60))
    assert answer.status_code == (201 if both else 409)
    if not both:
        assert pointers(answer)[-1] == "/kind"


def test_who_withdraws_but_is_followed_may_be_lost_later(
    coordinator: Api, patient: Patient
) -> None:
    told = ending(patient, "withdrawn", 50, follow_up_continues=True)
    assert coordinator.post("/dispositions/", told).status_code == 201
    again = ending(patient, "withdrawn", 60, follow_up_continues=True)
    assert coordinator.post("/dispositions/", again).status_code == 409
    lost = ending(patient, "lost_to_follow_up", 90)
    assert coordinator.post("/dispositions/", lost).status_code == 201


def later(patient: Patient, day: int) -> dict[str, Body]:
    """A record of each kind, by its address, dated that day."""
    visit = {
        "patient": patient.pk, "kind": "scheduled", "date": on(day), "new_lesions": [],
        "targets": [
            {"lesion": "T01", "state": "measured", "diameter_mm": 50},
            {"lesion": "T02", "state": "measured", "diameter_mm": 30},
        ],
        "non_targets": [{"lesion": "NT01", "status": "present"}],
    }  # fmt: skip
    event = {"term": "Fatigue", "grade": 1, "related": True}
    return {
        "/visits/": visit,
        "/therapies/": {"patient": patient.pk, "started_on": on(day)},
        "/adverse-events/": event | {"patient": patient.pk, "started_on": on(day)},
        "/doses/": dose(patient, day, day),
        "/dispositions/": ending(patient, "treatment_discontinued", day),
    }


CLOSED = {"withdrawn": "withdrawal of consent on", "lost_to_follow_up": "loss to follow-up on"}


@pytest.mark.parametrize("kind", CLOSED)
def test_nothing_is_dated_after_what_closed_the_record(
    cast: Cast, coordinator: Api, patient: Patient, kind: str
) -> None:
    factories.baseline(patient, by=cast.coordinator)
    coordinator.post("/dispositions/", ending(patient, kind, 50))
    for path, body in later(patient, 51).items():
        answer = coordinator.post(path, body)
        assert answer.status_code == 409, path
        for error in answer.json()["errors"]:
            assert error["pointer"].endswith(("on", "date"))
            assert f"{CLOSED[kind]} {on(50)}" in error["detail"]
    for path, body in later(patient, 50).items():
        assert coordinator.post(path, body).status_code == 201, path
    preview = coordinator.post("/visits/preview/", later(patient, 52)["/visits/"]).json()
    assert preview["missing"][0]["pointer"] == "/date"


def test_corrections_too_stay_before_it(cast: Cast, coordinator: Api, patient: Patient) -> None:
    event = coordinator.post("/adverse-events/", later(patient, 20)["/adverse-events/"]).json()
    coordinator.post("/dispositions/", ending(patient, "withdrawn", 50))
    path = f"/adverse-events/{event['id']}/"
    for day, status in ((51, 409), (50, 200)):
        answer = coordinator.put(path, event | {"ended_on": on(day)} | WHY, if_match='"1"')
        assert answer.status_code == status


def test_where_follow_up_continues_nothing_is_closed(
    cast: Cast, coordinator: Api, patient: Patient
) -> None:
    factories.baseline(patient, by=cast.coordinator)
    told = ending(patient, "withdrawn", 50, follow_up_continues=True)
    coordinator.post("/dispositions/", told)
    for path, body in later(patient, 90).items():
        assert coordinator.post(path, body).status_code == 201, path


@pytest.mark.parametrize("kind", CLOSED)
@pytest.mark.parametrize("path", ["/visits/", "/therapies/", "/adverse-events/", "/doses/"])
def test_what_closes_comes_after_all_that_is_recorded(
    cast: Cast, coordinator: Api, patient: Patient, kind: str, path: str
) -> None:
    factories.baseline(patient, by=cast.coordinator)
    assert coordinator.post(path, later(patient, 60)[path]).status_code == 201
    answer = coordinator.post("/dispositions/", ending(patient, kind, 59))
    assert (answer.status_code, pointers(answer)) == (409, ["/on"])
    assert on(60) in answer.json()["detail"] + str(answer.json()["errors"])
    assert coordinator.post("/dispositions/", ending(patient, kind, 60)).status_code == 201


@pytest.mark.parametrize(
    ("kind", "status"), [("lost_to_follow_up", 409), ("withdrawn", 201), ("completed", 201)]
)
def test_nobody_is_lost_who_is_known_alive_later(
    cast: Cast, coordinator: Api, kind: str, status: int
) -> None:
    row = factories.patient(cast.trial, last_known_alive_on=on(70))
    assert coordinator.post("/dispositions/", ending(row, kind, 60)).status_code == status


def test_a_death_may_be_learned_of_after_the_end(coordinator: Api, patient: Patient) -> None:
    coordinator.post("/dispositions/", ending(patient, "lost_to_follow_up", 50))
    path, version = f"/patients/{patient.pk}/", f'"{patient.version}"'
    for facts in ({"last_known_alive_on": on(60)}, {"first_dose_on": on(60)}):
        answer = coordinator.patch(path, facts | WHY, if_match=version)
        assert (answer.status_code, pointers(answer)) == (409, [f"/{next(iter(facts))}"])
    assert coordinator.patch(path, {"died_on": on(90)} | WHY, if_match=version).status_code == 200


def test_voiding_reinstates(
    cast: Cast, coordinator: Api, investigator: Api, patient: Patient
) -> None:
    said = coordinator.post("/dispositions/", ending(patient, "lost_to_follow_up", 50)).json()
    path = f"/dispositions/{said['id']}/void/"
    assert coordinator.post(path, WHY, if_match='"1"').status_code == 403
    assert investigator.post(path, {"reason": " "}, if_match='"1"').status_code == 400
    found = {"reason": "found by telephone"}
    assert investigator.post(path, found, if_match='"1"').status_code == 200
    assert coordinator.post("/therapies/", later(patient, 60)["/therapies/"]).status_code == 201
    assert coordinator.get("/dispositions/").json()["results"] == []


def lines(*records: Body) -> str:
    """A file."""
    return "\n".join(json.dumps(record) for record in records)


def test_the_import_holds_it_too(
    cast: Cast, api: Login, coordinator: Api, patient: Patient
) -> None:
    manager = factories.user("manager")
    factories.membership(manager, cast.trial, Role.DATA_MANAGER)
    factories.baseline(patient, by=cast.coordinator)
    coordinator.post("/dispositions/", ending(patient, "withdrawn", 50))
    bodies = later(patient, 51)
    names = {"/visits/": "visit", "/therapies/": "therapy", "/adverse-events/": "adverse_event"}
    sent = [{**bodies[p], "record": name, "patient": "S-001"} for p, name in names.items()]
    client = api(manager)
    answer = client.client.post(
        f"/api/v1/trials/{cast.trial.registry_id}/import/", lines(*sent),
        content_type="application/x-ndjson",
    )  # fmt: skip
    assert answer.status_code == 400
    errors: Any = answer.json()["errors"]
    assert [(e["line"], e["pointer"]) for e in errors] == [
        (1, "/date"), (2, "/started_on"), (3, "/started_on"),
    ]  # fmt: skip
    assert all("withdrawal of consent" in error["detail"] for error in errors)


# Transfers


def move(patient: Patient, site: str = "02", day: int = 40) -> Body:
    """To another site."""
    return {"site": site, "on": on(day), "reason": "moved house"}


def test_a_transfer_hands_everything_over(
    cast: Cast, api: Login, coordinator: Api, patient: Patient
) -> None:
    visit = factories.baseline(patient, by=cast.coordinator)
    path, tag = f"/patients/{patient.pk}/", f'"{patient.version}"'
    given = coordinator.post("/doses/", dose(patient, 1, 14)).json()
    assert coordinator.post(f"{path}transfer/", move(patient), if_match=tag).status_code == 412
    patient.refresh_from_db()
    tag = f'"{patient.version}"'
    answer = coordinator.post(f"{path}transfer/", move(patient), if_match=tag, idempotency_key="k")
    assert answer.status_code == 200, answer.content
    assert (answer.json()["site"], answer["ETag"]) == ("02", f'"{patient.version + 1}"')
    row = Disposition.objects.get()
    told = (row.kind, row.detail, str(row.from_site), str(row.to_site), row.on.isoformat())
    assert told == ("transferred", "moved house", "01", "02", on(40))
    all_of_it = [
        path, f"/visits/{visit.pk}/", f"/doses/{given['id']}/", f"/dispositions/{row.pk}/",
    ]  # fmt: skip
    receiving = api(cast.outsider)
    for address in all_of_it:
        assert coordinator.get(address).status_code == 404
        assert receiving.get(address).status_code == 200
    replay = coordinator.post(f"{path}transfer/", move(patient), if_match=tag, idempotency_key="k")
    assert replay.status_code == 404
    said = receiving.get(f"/dispositions/{row.pk}/").json()
    assert (said["from_site"], said["to_site"]) == ("01", "02")


@pytest.mark.parametrize(
    ("other", "pointer"),
    [
        ({"site": "01"}, "/site"),
        ({"site": "99"}, "/site"),
        ({"on": on(-1)}, "/on"),
        ({"on": "2199-01-01"}, "/on"),
        ({"reason": " "}, "/reason"),
        ({"kind": "transferred"}, "/kind"),
    ],
)
def test_what_a_transfer_may_say(
    coordinator: Api, patient: Patient, other: Body, pointer: str
) -> None:
    path = f"/patients/{patient.pk}/transfer/"
    answer = coordinator.post(path, move(patient) | other, if_match=f'"{patient.version}"')
    assert (answer.status_code, pointers(answer)) == (400, [pointer])
    assert coordinator.post(path, move(patient)).status_code == 428


@pytest.mark.parametrize(("day", "status"), [(4, 200), (5, 409), (6, 409)])
def test_nobody_is_transferred_after_death(
    coordinator: Api, patient: Patient, day: int, status: int
) -> None:
    Patient.objects.filter(pk=patient.pk).update(died_on=on(5), last_dose_on=None)
    path = f"/patients/{patient.pk}/transfer/"
    told = move(patient) | {"on": on(day)}
    answer = coordinator.post(path, told, if_match=f'"{patient.version}"')
    assert answer.status_code == status, answer.content
    assert status < 400 or pointers(answer) == ["/on"]


def test_who_may_transfer(cast: Cast, patient: Patient) -> None:
    site = cast.trial.sites.get(code="02")
    told: Body = {"patient": patient, "to_site": site, "on": START, "reason": "moved"}
    for user in (cast.outsider, cast.viewer, cast.administrator, cast.stranger):
        with pytest.raises(PermissionDenied):
            conduct.transfer_patient(**told, by=user, version=patient.version)
    foreign = factories.trial("NCT00000777").sites.get(code="01")
    with pytest.raises(Refused):
        conduct.transfer_patient(
            **told | {"to_site": foreign}, by=cast.investigator, version=patient.version
        )
    with pytest.raises(StaleVersion):
        conduct.transfer_patient(**told, by=cast.coordinator, version=9)
    moved = conduct.transfer_patient(**told, by=cast.coordinator, version=patient.version)
    back = {
        "patient": moved,
        "to_site": cast.trial.sites.get(code="01"),
        "on": START - timedelta(1),
    }
    with pytest.raises(Refused):  # before the enrollment
        conduct.transfer_patient(**told | back, by=cast.outsider, version=moved.version)


def test_transfers_follow_each_other_and_are_undone_in_turn(cast: Cast, patient: Patient) -> None:
    one, two = (cast.trial.sites.get(code=code) for code in ("01", "02"))
    by, version = cast.investigator, patient.version
    why: Body = {"by": by, "reason": "mistaken"}
    conduct.transfer_patient(
        patient=patient, to_site=two, on=date(2024, 3, 1), by=by, reason="x", version=version
    )
    with pytest.raises(Conflict, match="Before the transfer"):
        conduct.transfer_patient(
            patient=patient, to_site=one, on=date(2024, 2, 1), by=by, reason="x",
            version=version + 1,
        )  # fmt: skip
    conduct.transfer_patient(
        patient=patient, to_site=one, on=date(2024, 4, 1), by=by, reason="x", version=version + 1
    )
    first, second = Disposition.objects.order_by("pk")
    with pytest.raises(Conflict, match="moved on"):
        conduct.void_disposition(disposition=first, **why, version=1)
    conduct.void_disposition(disposition=second, **why, version=1)
    patient.refresh_from_db()
    assert patient.site == two
    conduct.void_disposition(disposition=first, **why, version=1)
    patient.refresh_from_db()
    assert (patient.site, patient.version) == (one, version + 4)


# Scope


def test_foreign_records_answer_as_missing(
    cast: Cast, api: Login, coordinator: Api, patient: Patient
) -> None:
    given = coordinator.post("/doses/", dose(patient, 1, 14)).json()
    ended = coordinator.post("/dispositions/", ending(patient, "completed", 50)).json()
    for user in (cast.outsider, cast.stranger):
        client = api(user)
        for path, row in (
            (f"/doses/{given['id']}/", given),
            (f"/dispositions/{ended['id']}/", ended),
        ):
            missing = f"/{path.split('/')[1]}/999999999/"
            assert client.get(path).content == client.get(missing).content
            assert client.put(path, row | WHY, if_match='"1"').status_code == 404
            assert client.post(f"{path}void/", WHY, if_match='"1"').status_code == 404
        for action, body in (("transfer", move(patient)), ("randomize", {})):
            answer = client.post(f"/patients/{patient.pk}/{action}/", body, if_match='"2"')
            assert answer.status_code == 404
        for path, body in (
            ("/doses/", dose(patient, 20, 21)),
            ("/dispositions/", ending(patient, "completed", 60)),
        ):
            assert client.get(path).json()["results"] == []
            foreign = client.post(path, body)
            unknown = client.post(path, body | {"patient": 999999999})
            assert foreign.status_code == 400
            assert foreign.content == unknown.content
            assert client.get(f"{path}?patient={patient.pk}").json()["count"] == 0


@pytest.mark.parametrize("name", ["viewer", "administrator"])
def test_who_only_reads(
    cast: Cast, api: Login, coordinator: Api, patient: Patient, name: str
) -> None:
    client = api(getattr(cast, name))
    given = coordinator.post("/doses/", dose(patient, 1, 14)).json()
    assert client.get(f"/doses/{given['id']}/").status_code == 200
    assert client.post("/doses/", dose(patient, 20, 21)).status_code == 403
    assert client.post("/dispositions/", ending(patient, "completed", 60)).status_code == 403
    assert client.put(f"/doses/{given['id']}/", given | WHY, if_match='"1"').status_code == 403
    tag = f'"{Patient.objects.get(pk=patient.pk).version}"'
    path = f"/patients/{patient.pk}/"
    assert client.post(f"{path}transfer/", move(patient), if_match=tag).status_code == 403
    assert client.post(f"{path}randomize/", {}, if_match=tag).status_code == 403


def test_the_day_is_the_sites(
    coordinator: Api, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(monkeypatch, datetime(2024, 6, 1, 17, tzinfo=UTC))  # 2 June in Shanghai
    for path, body, name in (
        ("/doses/", dose(patient, 1), "started_on"),
        ("/dispositions/", ending(patient, "completed", 0), "on"),
    ):
        answer = coordinator.post(path, body | {name: "2024-06-03"})
        assert answer.status_code == 400
        assert "2024-06-02" in answer.json()["errors"][0]["detail"]
        assert coordinator.post(path, body | {name: "2024-06-02"}).status_code == 201


def test_lists_take_a_constant_number_of_statements(
    cast: Cast, coordinator: Api, patient: Patient,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    site = cast.trial.sites.get(code="02")
    for n in range(3):
        other = factories.patient(cast.trial)
        Dose.objects.create(patient=other, intervention="A", dose=1, unit="mg", started_on=START)
        Disposition.objects.create(
            patient=other, kind="transferred", on=START, from_site=site, to_site=other.site
        )
        if n in (0, 2):
            # token, count, rows; arms and interventions of the doses' trials
            for path, statements in (("/doses/", 5), ("/dispositions/", 3)):
                with django_assert_num_queries(statements):
                    assert coordinator.get(path).json()["count"] == n + 1


# Exposure


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
    assert (oral["patients_with_reductions"], oral["median_cycles"]) == (1, 1.5)
    assert api(cast.outsider).get(EXPOSURE).json()["arms"] == []
    assert api(cast.stranger).get(EXPOSURE).status_code == 404


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


@pytest.mark.parametrize(("path", "statements"), [(EXPOSURE, 5), (f"{EXPOSURE}patients/", 6)])
def test_exposure_takes_a_constant_number_of_statements(
    cast: Cast, coordinator: Api, path: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    for _ in range(2):
        for _ in range(3):
            other = factories.patient(cast.trial)
            told = {"intervention": "A", "unit": "mg", "started_on": START}
            Dose.objects.create(patient=other, dose=Decimal(12), **told)
        # token, trial, (count,) patients, interventions, doses
        with django_assert_num_queries(statements):
            coordinator.get(path)
