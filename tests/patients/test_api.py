"""Patients and therapies over HTTP: what is stored, what is refused and where, and who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from patients.models import Allocation, Disposition, Dose, Patient, Therapy
from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes.visits.bodies import BAD_TAGS, GONE, freeze, pointers
from trials.models import Arm, Site, Trial

Login = Callable[[Any], Api]
Body = dict[str, Any]
WHY = {"reason": "typing error"}
FULL: Body = {
    "trial": "NCT00000001", "subject_id": "S-001", "site": "01", "arm": "Anlotinib",
    "sex": "female", "birth_year": 1970, "histology": "leiomyosarcoma", "ecog": 1,
    "prior_lines": 2,
    "enrolled_on": "2024-01-10", "randomized_on": "2024-01-11", "first_dose_on": "2024-01-12",
    "last_dose_on": "2024-05-01", "last_known_alive_on": "2024-06-01", "died_on": "2024-07-01",
    "death_cause": "disease progression",
}  # fmt: skip
MODELS: tuple[Any, ...] = (Patient, Allocation, Therapy)


def stored() -> list[int]:
    """How many rows and audit events there are of every kind."""
    return [n for m in MODELS for n in (m.objects.count(), m.pgh_event_model.objects.count())]


@pytest.fixture
def coordinator(cast: Cast, api: Login) -> Api:
    """The coordinator of site 01; the trial has two arms."""
    for name in ("Anlotinib", "Placebo"):
        Arm.objects.create(trial=cast.trial, name=name)
    return api(cast.coordinator)


@pytest.fixture
def full(coordinator: Api) -> Body:
    """The full patient, as the API answers it."""
    response = coordinator.post("/patients/", FULL)
    assert response.status_code == 201, response.content
    assert response["ETag"] == '"1"'
    return dict(response.json())


def patch(api: Api, patient: Body, body: Body, **headers: str) -> Any:
    """A change against the version that was read."""
    default = {"if_match": f'"{patient["version"]}"'}
    return api.patch(f"/patients/{patient['id']}/", body, **default | headers)


def test_every_key_comes_back(coordinator: Api, full: Body) -> None:
    pk = full["id"]
    assert full == FULL | {
        "id": pk,
        "version": 1,
        "arm_reason": None,
        "links": {
            "self": f"/api/v1/patients/{pk}/",
            "visits": f"/api/v1/visits/?patient={pk}",
            "therapies": f"/api/v1/therapies/?patient={pk}",
            "adverse_events": f"/api/v1/adverse-events/?patient={pk}",
        },
    }
    response = coordinator.get(f"/patients/{pk}/")
    assert response["ETag"] == '"1"'
    assert response.json() == full
    assert coordinator.get("/patients/").json()["results"] == [full]


def test_three_keys_are_enough(coordinator: Api) -> None:
    body = {"trial": "NCT00000001", "subject_id": "x.Y_9-", "site": "01"}
    answered = coordinator.post("/patients/", body).json()
    assert {k: v for k, v in answered.items() if k not in ("id", "version", "links")} == {
        **dict.fromkeys(FULL), "arm_reason": None, "sex": "unknown", "histology": "",
        "death_cause": "", **body,
    }  # fmt: skip


def test_get_edit_patch(coordinator: Api, full: Body) -> None:
    response = patch(coordinator, full, full | WHY)
    assert response.status_code == 200, response.content
    assert response["ETag"] == '"2"'
    assert response.json() == full | {"version": 2}
    changed = patch(coordinator, response.json(), {"ecog": None, "sex": "Male"} | WHY)
    assert changed.json() == full | {"version": 3, "ecog": None, "sex": "male"}


REFUSED: list[tuple[str, Any, list[str]]] = [
    ("trial", GONE, ["/trial"]),
    ("trial", "NCT9", ["/trial"]),
    ("trial", None, ["/trial"]),
    ("trial", 1, ["/trial"]),
    ("trial", ["NCT00000001"], ["/trial"]),
    ("subject_id", GONE, ["/subject_id"]),
    ("subject_id", "", ["/subject_id"]),
    ("subject_id", None, ["/subject_id"]),
    ("subject_id", 101, ["/subject_id"]),
    ("subject_id", "=1+1", ["/subject_id"]),
    ("subject_id", "01 001", ["/subject_id"]),
    ("subject_id", "é", ["/subject_id"]),
    ("subject_id", "x" * 41, ["/subject_id"]),
    ("site", GONE, ["/site"]),
    ("site", "03", ["/site"]),
    ("site", 1, ["/site"]),
    ("arm", "Surgery", ["/arm"]),
    ("arm", "", ["/arm"]),
    ("arm", 1, ["/arm"]),
    ("sex", "f", ["/sex"]),
    ("sex", None, ["/sex"]),
    ("sex", True, ["/sex"]),
    ("sex", {}, ["/sex"]),
    ("birth_year", 1899, ["/birth_year"]),
    ("birth_year", 2101, ["/birth_year"]),
    ("birth_year", 1970.5, ["/birth_year"]),
    ("birth_year", "1970", ["/birth_year"]),
    ("birth_year", True, ["/birth_year"]),
    ("birth_year", 10**400, ["/birth_year"]),
    ("birth_year", [1970], ["/birth_year"]),
    ("birth_year", 2025, ["/enrolled_on", "/randomized_on", "/first_dose_on", "/last_dose_on",
                          "/last_known_alive_on", "/died_on"]),
    ("ecog", 6, ["/ecog"]),
    ("ecog", -1, ["/ecog"]),
    ("ecog", "1", ["/ecog"]),
    ("histology", "x" * 101, ["/histology"]),
    ("histology", None, ["/histology"]),
    ("histology", 5, ["/histology"]),
    ("death_cause", "🕊" * 201, ["/death_cause"]),
    ("enrolled_on", "2024-01-32", ["/enrolled_on"]),
    ("enrolled_on", "2024-01-10T00:00", ["/enrolled_on"]),
    ("enrolled_on", "20240110", ["/enrolled_on"]),
    ("enrolled_on", "", ["/enrolled_on"]),
    ("enrolled_on", 5, ["/enrolled_on"]),
    ("enrolled_on", "1969-12-31", ["/enrolled_on"]),
    ("enrolled_on", "0001-01-01", ["/enrolled_on"]),
    ("enrolled_on", "9999-12-31", ["/enrolled_on", "/died_on"]),
    ("first_dose_on", "2024-05-02", ["/last_dose_on"]),
    ("first_dose_on", None, ["/first_dose_on"]),
    ("last_dose_on", "2024-07-02", ["/died_on"]),
    ("last_known_alive_on", "2024-07-02", ["/died_on"]),
    ("died_on", "2024-01-01", ["/died_on"] * 5),
    ("died_on", "9999-12-31", ["/died_on"]),
    ("voided_at", None, ["/voided_at"]),
    ("allocation", 1, ["/allocation"]),
    ("name", "Li", ["/name"]),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "wrong"), REFUSED)
def test_a_patient_is_refused_where_it_is_wrong(
    coordinator: Api, key: str, value: Any, wrong: list[str]
) -> None:
    before = stored()
    body = {k: v for k, v in (FULL | {key: value}).items() if v is not GONE}
    response = coordinator.post("/patients/", body)
    assert response.status_code == 400, response.content
    assert pointers(response) == wrong
    assert stored() == before


CHANGES = [
    row for row in REFUSED
    if row[1] is not GONE and row[0] not in ("trial", "subject_id", "site")
]  # fmt: skip
STAYS: list[tuple[str, Any, list[str]]] = [
    ("trial", "NCT9", ["/trial"]),
    ("subject_id", "S-002", ["/subject_id"]),
    ("site", "02", ["/site"]),
    ("site", "03", ["/site"]),
]


@pytest.mark.parametrize(("key", "value", "wrong"), CHANGES + STAYS)
def test_a_change_is_refused_where_it_is_wrong(
    coordinator: Api, full: Body, key: str, value: Any, wrong: list[str]
) -> None:
    before = stored()
    response = patch(coordinator, full, {key: value} | WHY)
    assert response.status_code == 400, response.content
    assert pointers(response) == wrong
    assert stored() == before


def test_what_the_server_wrote_is_ignored(coordinator: Api, full: Body) -> None:
    forged = {"id": 7, "version": 99, "links": {}, "arm_reason": "x", "derived": 1}
    assert patch(coordinator, full, forged | WHY).json() == full | {"version": 2}
    posted = coordinator.post("/patients/", FULL | forged | {"subject_id": "S-002"}).json()
    assert posted["version"] == 1
    assert posted["id"] != 7


@pytest.mark.parametrize("tag", BAD_TAGS)
def test_a_change_needs_the_current_version(
    coordinator: Api, cast: Cast, api: Login, full: Body, tag: str
) -> None:
    assert patch(coordinator, full, {"ecog": 2} | WHY, if_match=tag).status_code == 412
    void = f"/patients/{full['id']}/void/"
    assert api(cast.investigator).post(void, WHY, if_match=tag).status_code == 412
    assert Patient.objects.get().version == 1


@pytest.mark.parametrize("reason", [GONE, "", " ", None, 1, ["x"], "x" * 501])
def test_a_change_needs_a_reason(
    coordinator: Api, cast: Cast, api: Login, full: Body, reason: Any
) -> None:
    before = stored()
    body = {} if reason is GONE else {"reason": reason}
    answers = (
        patch(coordinator, full, {"ecog": 2} | body),
        api(cast.investigator).post(f"/patients/{full['id']}/void/", body, if_match='"1"'),
    )
    for response in answers:
        assert response.status_code == 400
        assert pointers(response) == ["/reason"]
    assert stored() == before


def test_a_change_without_if_match_is_asked_for_one(coordinator: Api, full: Body) -> None:
    assert coordinator.patch(f"/patients/{full['id']}/", WHY).status_code == 428


def test_a_put_is_not_offered(coordinator: Api, full: Body) -> None:
    response = coordinator.put(f"/patients/{full['id']}/", full | WHY, if_match='"1"')
    assert response.status_code == 405
    assert coordinator.call("DELETE", f"/patients/{full['id']}/").status_code == 405


# Subject ids


def test_a_taken_subject_id_is_a_conflict_whoever_holds_it(
    coordinator: Api, cast: Cast, full: Body
) -> None:
    factories.patient(cast.trial, "02-001", site="02")
    voided = factories.patient(cast.trial, "S-009")
    Patient.objects.filter(pk=voided.pk).update(voided_at="2024-06-01T00:00Z")
    before = stored()
    answers = [
        coordinator.post("/patients/", FULL | {"subject_id": taken})
        for taken in ("S-001", "02-001", "S-009")
    ]
    assert {answer.status_code for answer in answers} == {409}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert pointers(answers[0]) == ["/subject_id"]
    assert stored() == before


def test_another_trial_may_use_the_same_subject_id(cast: Cast, api: Login, full: Body) -> None:
    other = factories.trial("NCT00000002")
    body = {"trial": other.registry_id, "subject_id": "S-001", "site": "01"}
    assert api(cast.superuser).post("/patients/", body).status_code == 201


# Arms


def test_an_arm_may_be_corrected_where_nobody_is_randomized(coordinator: Api, full: Body) -> None:
    second = patch(coordinator, full, {"arm": "Placebo"} | WHY)
    assert second.json() == full | {"version": 2, "arm": "Placebo"}
    third = patch(coordinator, second.json(), {"arm": None} | WHY)
    assert third.json() == full | {"version": 3, "arm": None}
    assert not Allocation.objects.exists()
    fourth = patch(coordinator, third.json(), {"arm": "Placebo"} | WHY)
    assert fourth.json()["arm"] == "Placebo"


def randomized(cast: Cast, full: Body, **fields: Any) -> None:
    """From now on the trial is randomized."""
    Trial.objects.filter(pk=cast.trial.pk).update(allocation="RANDOMIZED", **fields)


@pytest.mark.parametrize("arm", ["Placebo", None])
def test_allocation_alone_gives_the_arm_of_a_randomized_trial(
    coordinator: Api, cast: Cast, full: Body, arm: str | None
) -> None:
    randomized(cast, full)
    before = stored()
    response = patch(coordinator, full, {"arm": arm, "ecog": 2} | WHY)
    assert response.status_code == 409
    assert pointers(response) == ["/arm"]
    assert stored() == before
    assert patch(coordinator, full, full | WHY).status_code == 200  # an echo
    new = coordinator.post("/patients/", FULL | {"subject_id": "S-002"})
    assert new.status_code == 409
    unallocated = FULL | {"subject_id": "S-002", "arm": None}
    assert coordinator.post("/patients/", unallocated).status_code == 201


@pytest.mark.parametrize("who", ["coordinator", "investigator", "viewer", "superuser"])
def test_a_masked_trial_shows_nobody_an_arm(
    coordinator: Api, cast: Cast, api: Login, full: Body, who: str
) -> None:
    randomized(cast, full, masking="DOUBLE")
    client = api(getattr(cast, who))
    for answer in (client.get(f"/patients/{full['id']}/"), client.get("/patients/")):
        assert b"Anlotinib" not in answer.content
    read = client.get(f"/patients/{full['id']}/").json()
    assert read == full | {"arm": None, "arm_reason": "blinded"}


def test_a_blinded_null_erases_nothing(coordinator: Api, cast: Cast, full: Body) -> None:
    randomized(cast, full, masking="DOUBLE")
    read = coordinator.get(f"/patients/{full['id']}/").json()
    for number, body in enumerate((read, {"arm": None}), 2):
        answer = patch(coordinator, full | {"version": number - 1}, body | WHY)
        assert answer.status_code == 200, answer.content
        assert answer.json() == read | {"version": number}
    assert Allocation.objects.get().arm.name == "Anlotinib"


def test_guessing_a_masked_arm_tells_nothing(coordinator: Api, cast: Cast, full: Body) -> None:
    randomized(cast, full, masking="DOUBLE")
    right, wrong = (patch(coordinator, full, {"arm": a} | WHY) for a in ("Anlotinib", "Placebo"))
    assert right.status_code == wrong.status_code == 409
    assert right.content == wrong.content
    Trial.objects.update(allocation="NON_RANDOMIZED")
    answer = patch(coordinator, full, {"arm": "Placebo"} | WHY)
    assert answer.status_code == 200
    assert answer.json()["arm"] is None


# Dates


def test_a_morning_in_shanghai_is_today_there_and_not_later(
    coordinator: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(monkeypatch, datetime(2024, 3, 1, 22, 0, tzinfo=UTC))  # 06:00 on the 2nd in Shanghai
    body: Body = {"trial": "NCT00000001", "subject_id": "S-001", "site": "01"}
    tomorrow = coordinator.post("/patients/", body | {"enrolled_on": "2024-03-03"})
    assert pointers(tomorrow) == ["/enrolled_on"]
    assert "2024-03-02" in tomorrow.json()["detail"]
    today = coordinator.post("/patients/", body | {"enrolled_on": "2024-03-02"})
    assert today.status_code == 201
    born = coordinator.post("/patients/", body | {"subject_id": "2", "birth_year": 2025})
    assert pointers(born) == ["/birth_year"]


def test_today_is_the_new_sites_when_a_patient_moves(
    coordinator: Api, cast: Cast, api: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    Site.objects.filter(code="02").update(timezone="America/Los_Angeles")
    freeze(monkeypatch, datetime(2024, 3, 1, 22, 0, tzinfo=UTC))
    body = {"trial": "NCT00000001", "subject_id": "1", "site": "01", "enrolled_on": "2024-03-02"}
    patient = coordinator.post("/patients/", body).json()
    response = patch(api(cast.investigator), patient, {"site": "02"} | WHY)
    assert pointers(response) == ["/enrolled_on"]


def test_a_death_or_birth_agrees_with_what_is_recorded(
    coordinator: Api, cast: Cast, full: Body
) -> None:
    alive = patch(coordinator, full, {"died_on": None, "death_cause": ""} | WHY).json()
    patient = Patient.objects.get()
    factories.baseline(patient, by=cast.coordinator)
    factories.follow_up(patient, 200, by=cast.coordinator)  # 2024-08-02
    early = patch(coordinator, alive, {"died_on": "2024-08-01"} | WHY)
    assert early.status_code == 409
    assert pointers(early) == ["/died_on"]
    therapy = {"patient": patient.pk, "started_on": "2023-12-31"}
    assert coordinator.post("/therapies/", therapy).status_code == 201
    Patient.objects.update(enrolled_on=None, randomized_on=None)
    born = patch(coordinator, alive, {"birth_year": 2024} | WHY)
    assert born.status_code == 409
    assert pointers(born) == ["/birth_year"]
    late = patch(coordinator, alive, {"died_on": "2024-08-02", "birth_year": 2023} | WHY)
    assert late.status_code == 200


# Lists


def test_lists_are_filtered_and_paged(cast: Cast, api: Login) -> None:
    for number in range(3):
        factories.patient(cast.trial, f"01-00{number}")
    factories.patient(cast.trial, "02-000", site="02")
    client = api(cast.investigator)

    def found(query: str) -> list[str]:
        answer = client.get(f"/patients/?{query}").json()
        assert answer["count"] == len(answer["results"])
        return [row["subject_id"] for row in answer["results"]]

    assert found("") == found("trial=NCT00000001") == ["01-000", "01-001", "01-002", "02-000"]
    assert found("site=02") == found("subject_id=02-000") == ["02-000"]
    assert found("trial=NCT00000001&site=01&subject_id=01-001") == ["01-001"]
    assert found("trial=NCT2") == found("site=9") == found("subject_id=") == []
    page = client.get("/patients/?page_size=3&page=2").json()
    assert page["count"] == 4
    assert page["next"] is None
    assert page["previous"].endswith("/api/v1/patients/?page_size=3")
    assert [row["subject_id"] for row in page["results"]] == ["02-000"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("page_size=0", "page_size"), ("page_size=501", "page_size"), ("page_size=x", "page_size"),
     ("page=-1", "page"), ("trial=%00", "trial"), ("subject_id=a%00", "subject_id")],
)  # fmt: skip
def test_a_useless_parameter_is_named(coordinator: Api, query: str, parameter: str) -> None:
    response = coordinator.get(f"/patients/?{query}")
    assert response.status_code == 400
    assert response.json()["parameter"] == parameter


# Who may


PEOPLE = [  # who may read, change, void a patient of site 01
    ("coordinator", 200, 200, 403),
    ("colleague", 200, 200, 403),
    ("investigator", 200, 200, 200),
    ("administrator", 200, 403, 403),
    ("viewer", 200, 403, 403),
    ("superuser", 200, 200, 200),
    ("outsider", 404, 404, 404),
    ("stranger", 404, 404, 404),
]


@pytest.mark.parametrize(("who", "read", "write", "void"), PEOPLE)
def test_who_may_read_write_and_void(
    cast: Cast, api: Login, full: Body, who: str, read: int, write: int, void: int
) -> None:
    client, path = api(getattr(cast, who)), f"/patients/{full['id']}/"
    assert client.get(path).status_code == read
    assert client.get("/patients/").json()["count"] == (1 if read == 200 else 0)
    new = client.post("/patients/", FULL | {"subject_id": "S-002"}).status_code
    assert new == {200: 201, 403: 403, 404: 400}[write]
    assert patch(client, full, {"ecog": 2} | WHY).status_code == write
    therapy = client.post("/therapies/", {"patient": full["id"], "started_on": "2024-06-01"})
    assert therapy.status_code == {200: 201, 403: 403, 404: 400}[write]
    version = '"2"' if write == 200 else '"1"'
    assert client.post(f"{path}void/", WHY, if_match=version).status_code == void


def test_an_investigator_of_a_site_voids_there_only(cast: Cast, api: Login, full: Body) -> None:
    from trials.vocabularies import Role

    for site, status in (("02", 404), ("01", 200)):
        user = factories.user(f"pi{site}")
        factories.membership(user, cast.trial, Role.INVESTIGATOR, site)
        answer = api(user).post(f"/patients/{full['id']}/void/", WHY, if_match='"1"')
        assert answer.status_code == status


def test_a_coordinator_cannot_hand_a_patient_over(
    coordinator: Api, cast: Cast, api: Login, full: Body
) -> None:
    assert pointers(patch(coordinator, full, {"site": "02"} | WHY)) == ["/site"]
    moved = patch(api(cast.investigator), full, {"site": "02"} | WHY)
    assert moved.json()["site"] == "02"
    assert coordinator.get(f"/patients/{full['id']}/").status_code == 404
    assert api(cast.outsider).get(f"/patients/{full['id']}/").status_code == 200


RECORDED: dict[str, Callable[[Patient, Any], Any]] = {
    "visit": lambda row, by: factories.baseline(row, by=by),
    "therapy": lambda row, by: Therapy.objects.create(patient=row, started_on="2024-06-01"),
    "adverse event": lambda row, by: factories.adverse_event(row),
    "dose": lambda row, by: Dose.objects.create(
        patient=row, intervention="A", dose=1, unit="mg", started_on="2024-01-20"
    ),
    "consent": lambda row, by: factories.consent(row, by=by),
    "screening": lambda row, by: factories.criteria(row.trial) and factories.screening(row, by=by),
    "disposition": lambda row, by: Disposition.objects.create(
        patient=row, kind="completed", on="2024-06-01"
    ),
}


@pytest.mark.parametrize("what", RECORDED)
def test_a_patient_with_records_is_transferred(
    cast: Cast, api: Login, full: Body, what: str
) -> None:
    row, client = Patient.objects.get(), api(cast.investigator)
    RECORDED[what](row, cast.investigator)
    row.refresh_from_db()
    now = full | {"version": row.version}
    moved = patch(client, now, {"site": "02"} | WHY)
    assert (moved.status_code, pointers(moved)) == (409, ["/site"])
    assert f"/patients/{row.pk}/transfer/" in moved.json()["errors"][0]["detail"]
    same = patch(client, now, {"site": "01", "ecog": 1} | WHY)
    assert same.status_code == 200


def test_a_voided_patient_is_gone(coordinator: Api, cast: Cast, api: Login, full: Body) -> None:
    path, investigator = f"/patients/{full['id']}/", api(cast.investigator)
    coordinator.post("/therapies/", {"patient": full["id"], "started_on": "2024-06-01"})
    extra = investigator.post(f"{path}void/", WHY | {"ecog": 1}, if_match='"1"')
    assert pointers(extra) == ["/ecog"]
    voided = investigator.post(f"{path}void/", WHY, if_match='"1"')
    assert voided.status_code == 200
    assert voided["ETag"] == '"2"'
    assert coordinator.get(path).status_code == 404
    assert patch(coordinator, full | {"version": 2}, WHY).status_code == 404
    assert coordinator.get("/patients/").json()["count"] == 0
    assert coordinator.get("/therapies/").json()["count"] == 0
    therapy = {"patient": full["id"], "started_on": "2024-06-02"}
    assert pointers(coordinator.post("/therapies/", therapy)) == ["/patient"]
    assert investigator.post(f"{path}void/", WHY, if_match='"2"').status_code == 404


def test_a_foreign_record_answers_as_one_that_does_not_exist(
    cast: Cast, api: Login, full: Body, coordinator: Api
) -> None:
    therapy = {"patient": full["id"], "started_on": "2024-06-01"}
    pk = coordinator.post("/therapies/", therapy).json()["id"]
    client, none = api(cast.outsider), 10**12
    foreign, unknown = (
        [
            client.get(f"/patients/{patient}/"),
            client.patch(f"/patients/{patient}/", {"ecog": 1} | WHY, if_match='"1"'),
            client.post(f"/patients/{patient}/void/", WHY, if_match='"1"'),
            client.get(f"/therapies/?patient={patient}"),
            client.post("/therapies/", therapy | {"patient": patient}),
            client.get(f"/therapies/{one}/"),
            client.put(f"/therapies/{one}/", therapy | WHY, if_match='"1"'),
            client.post(f"/therapies/{one}/void/", WHY, if_match='"1"'),
        ]
        for patient, one in ((full["id"], pk), (none, none))
    )
    for here, there in zip(foreign, unknown, strict=True):
        assert here.status_code == there.status_code
        assert here.content == there.content
        assert here.status_code in (200, 400, 404)


def test_a_foreign_trial_or_site_answers_as_one_that_does_not_exist(
    cast: Cast, api: Login, coordinator: Api
) -> None:
    factories.trial("NCT00000002")
    for key, foreign, unknown in (("trial", "NCT00000002", "NCT9"), ("site", "02", "99")):
        here = coordinator.post("/patients/", FULL | {key: foreign})
        there = coordinator.post("/patients/", FULL | {key: unknown})
        assert here.status_code == 400
        assert here.content == there.content
        filters = [coordinator.get(f"/patients/?{key}={value}") for value in (foreign, unknown)]
        assert filters[0].content == filters[1].content
    assert pointers(api(cast.stranger).post("/patients/", FULL)) == ["/trial"]


# Therapies


@pytest.fixture
def therapy(coordinator: Api, full: Body) -> Body:
    """A therapy, as the API answers it."""
    body = {"patient": full["id"], "started_on": "2024-06-01", "description": "Pazopanib"}
    response = coordinator.post("/therapies/", body)
    assert response.status_code == 201, response.content
    assert response["ETag"] == '"1"'
    return dict(response.json())


def test_every_key_of_a_therapy_comes_back(coordinator: Api, full: Body, therapy: Body) -> None:
    path = f"/therapies/{therapy['id']}/"
    assert therapy == {
        "id": therapy["id"], "version": 1, "patient": full["id"], "started_on": "2024-06-01",
        "kind": "systemic", "description": "Pazopanib", "links": {"self": f"/api/v1{path}"},
    }  # fmt: skip
    assert coordinator.get(path).json() == therapy
    assert coordinator.get(f"/therapies/?patient={full['id']}").json()["results"] == [therapy]
    put = coordinator.put(path, therapy | {"kind": "Surgery"} | WHY, if_match='"1"')
    assert put.json() == therapy | {"version": 2, "kind": "surgery"}
    short = {"patient": full["id"], "started_on": "2024-06-02"} | WHY
    replaced = coordinator.put(path, short, if_match='"2"').json()
    assert (replaced["kind"], replaced["description"]) == ("systemic", "")


THERAPIES: list[tuple[str, Any, int, list[str]]] = [
    ("patient", GONE, 400, ["/patient"]),
    ("patient", None, 400, ["/patient"]),
    ("patient", "1", 400, ["/patient"]),
    ("patient", True, 400, ["/patient"]),
    ("patient", 10**12, 400, ["/patient"]),
    ("patient", 10**30, 400, ["/patient"]),
    ("started_on", GONE, 400, ["/started_on"]),
    ("started_on", None, 400, ["/started_on"]),
    ("started_on", "2024-06", 400, ["/started_on"]),
    ("started_on", "2024-06-01T10:00", 400, ["/started_on"]),
    ("started_on", "2024-07-02", 400, ["/started_on"]),
    ("started_on", "9999-12-31", 400, ["/started_on", "/started_on"]),
    ("started_on", "1969-12-31", 400, ["/started_on"]),
    ("started_on", "0001-01-01", 400, ["/started_on"]),
    ("kind", "prayer", 400, ["/kind"]),
    ("kind", "", 400, ["/kind"]),
    ("kind", None, 400, ["/kind"]),
    ("description", "x" * 301, 400, ["/description"]),
    ("description", 5, 400, ["/description"]),
    ("voided_at", None, 400, ["/voided_at"]),
    ("started_on", "2024-06-01", 409, ["/started_on"]),
]


@pytest.mark.parametrize(("key", "value", "status", "wrong"), THERAPIES)
def test_a_therapy_is_refused_where_it_is_wrong(
    coordinator: Api, therapy: Body, key: str, value: Any, status: int, wrong: list[str]
) -> None:
    other = therapy | {"started_on": "2024-06-15"}
    stored_too = coordinator.post("/therapies/", other).json()
    before = stored()
    body = {k: v for k, v in (other | {key: value}).items() if v is not GONE}
    posted = coordinator.post("/therapies/", body)
    put = coordinator.put(f"/therapies/{stored_too['id']}/", body | WHY, if_match='"1"')
    for response in (posted, put):
        assert response.status_code == status, response.content
        assert pointers(response) == wrong
    assert stored() == before


def test_a_therapy_stays_with_its_patient(coordinator: Api, cast: Cast, therapy: Body) -> None:
    other = factories.patient(cast.trial)
    body = therapy | {"patient": other.pk} | WHY
    response = coordinator.put(f"/therapies/{therapy['id']}/", body, if_match='"1"')
    assert pointers(response) == ["/patient"]


@pytest.mark.parametrize("tag", BAD_TAGS)
def test_a_therapy_changes_against_its_version(
    coordinator: Api, cast: Cast, api: Login, therapy: Body, tag: str
) -> None:
    path, before = f"/therapies/{therapy['id']}/", stored()
    assert coordinator.put(path, therapy | WHY, if_match=tag).status_code == 412
    investigator = api(cast.investigator)
    assert investigator.post(f"{path}void/", WHY, if_match=tag).status_code == 412
    assert stored() == before


def test_a_therapy_changes_with_a_version_and_a_reason(
    coordinator: Api, cast: Cast, api: Login, therapy: Body
) -> None:
    path, investigator = f"/therapies/{therapy['id']}/", api(cast.investigator)
    assert coordinator.put(path, therapy | WHY).status_code == 428
    assert investigator.post(f"{path}void/", WHY).status_code == 428
    assert pointers(coordinator.put(path, therapy, if_match='"1"')) == ["/reason"]
    assert pointers(investigator.post(f"{path}void/", {}, if_match='"1"')) == ["/reason"]
    assert coordinator.post(f"{path}void/", WHY, if_match='"1"').status_code == 403


def test_a_voided_therapy_is_gone_and_may_be_recorded_again(
    coordinator: Api, cast: Cast, api: Login, therapy: Body
) -> None:
    path = f"/therapies/{therapy['id']}/"
    voided = api(cast.investigator).post(f"{path}void/", WHY, if_match='"1"')
    assert voided.json() == therapy | {"version": 2}
    assert coordinator.get(path).status_code == 404
    assert coordinator.put(path, therapy | WHY, if_match='"2"').status_code == 404
    assert coordinator.get("/therapies/").json()["count"] == 0
    assert coordinator.post("/therapies/", therapy).status_code == 201


@pytest.mark.parametrize("path", ["/patients/99999999999999999999/", "/therapies/0/"])
def test_no_address_makes_a_server_error(coordinator: Api, path: str) -> None:
    assert coordinator.get(path).status_code == 404
