"""Adverse events: what is stored, what is refused and where, who may, and what is left in the trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from patients import actions
from patients.checks import adverse_event_errors, patient_errors, therapy_errors
from patients.models import AdverseEvent, Patient, Therapy
from registry.errors import Conflict, Refused, StaleVersion
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from tests.outcomes.test_actions import together, trail, violates
from tests.outcomes.visits.bodies import BAD_TAGS, GONE, freeze, pointers

Login = Callable[[Any], Api]
Body = dict[str, Any]
WHY = {"reason": "typing error"}
FULL: Body = {
    "term": "Palmar-plantar erythrodysesthesia syndrome", "grade": 3, "related": True,
    "serious": False, "action_taken": "dose_reduced", "outcome": "", "started_on": "2024-02-10",
    "ended_on": "2024-03-01",
}  # fmt: skip
EVENTS: Any = AdverseEvent.pgh_event_model  # type: ignore[attr-defined]


def stored() -> tuple[int, int]:
    """How many adverse events and audit events there are."""
    return AdverseEvent.objects.count(), EVENTS.objects.count()


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01, born in 1970, who died."""
    return factories.patient(cast.trial, "S-001", birth_year=1970, died_on="2024-07-01")


@pytest.fixture
def coordinator(cast: Cast, api: Login) -> Api:
    """The coordinator of site 01."""
    return api(cast.coordinator)


@pytest.fixture
def event(coordinator: Api, patient: Patient) -> Body:
    """A full adverse event, as the API answers it."""
    response = coordinator.post("/adverse-events/", FULL | {"patient": patient.pk})
    assert response.status_code == 201, response.content
    assert response["ETag"] == '"1"'
    return dict(response.json())


# Shape


def test_every_key_comes_back(coordinator: Api, patient: Patient, event: Body) -> None:
    path = f"/adverse-events/{event['id']}/"
    server = {"id": event["id"], "version": 1, "links": {"self": f"/api/v1{path}"}}
    assert event == FULL | {"patient": patient.pk} | server
    read = coordinator.get(path)
    assert read["ETag"] == '"1"'
    assert read.json() == event
    assert coordinator.get("/adverse-events/").json()["results"] == [event]


def test_five_keys_are_enough_and_a_put_replaces(coordinator: Api, event: Body) -> None:
    names = ("patient", "term", "grade", "started_on", "related")
    short = {name: event[name] for name in names}
    path = f"/adverse-events/{event['id']}/"
    replaced = coordinator.put(path, short | WHY, if_match='"1"')
    assert replaced["ETag"] == '"2"'
    defaults = {"serious": False, "action_taken": "unknown", "outcome": "", "ended_on": None}
    assert replaced.json() == event | defaults | {"version": 2}
    labeled = event | {"action_taken": "Drug Interrupted", "term": "  Fatigue "} | WHY
    answer = coordinator.put(path, labeled, if_match='"2"').json()
    assert (answer["action_taken"], answer["term"]) == ("drug_interrupted", "Fatigue")


def test_what_was_read_can_be_put_back(coordinator: Api, event: Body) -> None:
    path = f"/adverse-events/{event['id']}/"
    assert coordinator.put(path, event | WHY, if_match='"1"').json() == event | {"version": 2}


REFUSED: list[tuple[str, Any, int, list[str]]] = [
    ("patient", GONE, 400, ["/patient"]),
    ("patient", None, 400, ["/patient"]),
    ("patient", "1", 400, ["/patient"]),
    ("patient", 10**12, 400, ["/patient"]),
    ("patient", 10**30, 400, ["/patient"]),
    ("term", GONE, 400, ["/term"]),
    ("term", "", 400, ["/term"]),
    ("term", " \t", 400, ["/term"]),
    ("term", "x" * 101, 400, ["/term"]),
    ("term", 10008531, 400, ["/term"]),
    ("term", None, 400, ["/term"]),
    ("grade", GONE, 400, ["/grade"]),
    ("grade", 0, 400, ["/grade"]),
    ("grade", 6, 400, ["/grade"]),
    ("grade", 2.5, 400, ["/grade"]),
    ("grade", "3", 400, ["/grade"]),
    ("grade", True, 400, ["/grade"]),
    ("grade", 10**400, 400, ["/grade"]),
    ("related", GONE, 400, ["/related"]),
    ("related", None, 400, ["/related"]),
    ("related", "yes", 400, ["/related"]),
    ("related", 1, 400, ["/related"]),
    ("serious", None, 400, ["/serious"]),
    ("serious", "no", 400, ["/serious"]),
    ("action_taken", "prayer", 400, ["/action_taken"]),
    ("action_taken", "", 400, ["/action_taken"]),
    ("action_taken", None, 400, ["/action_taken"]),
    ("outcome", "well", 400, ["/outcome"]),
    ("outcome", None, 400, ["/outcome"]),
    ("outcome", "fatal", 400, ["/outcome"]),
    ("started_on", GONE, 400, ["/started_on"]),
    ("started_on", None, 400, ["/started_on"]),
    ("started_on", "2024-02", 400, ["/started_on"]),
    ("started_on", "2024-02-10T10:00", 400, ["/started_on"]),
    ("started_on", "1969-12-31", 400, ["/started_on"]),
    ("started_on", "0001-01-01", 400, ["/started_on"]),
    ("started_on", "2024-03-02", 400, ["/ended_on"]),
    ("started_on", "2024-07-02", 400, ["/started_on", "/ended_on"]),
    ("started_on", "9999-12-31", 400, ["/started_on", "/started_on", "/ended_on"]),
    ("ended_on", "2024-02-09", 400, ["/ended_on"]),
    ("ended_on", "2024-07-02", 400, ["/ended_on"]),
    ("ended_on", "9999-12-31", 400, ["/ended_on", "/ended_on"]),
    ("ended_on", "", 400, ["/ended_on"]),
    ("ended_on", 0, 400, ["/ended_on"]),
    ("voided_at", None, 400, ["/voided_at"]),
    ("outcome", "fatal", 400, ["/outcome"]),
    ("term", FULL["term"], 409, ["/started_on"]),
]


@pytest.mark.parametrize(("key", "value", "status", "wrong"), REFUSED)
def test_an_event_is_refused_where_it_is_wrong(
    coordinator: Api, event: Body, key: str, value: Any, status: int, wrong: list[str]
) -> None:
    other = event | {"term": "Fatigue"}
    second = coordinator.post("/adverse-events/", other).json()
    before = stored()
    body = {k: v for k, v in (other | {key: value}).items() if v is not GONE}
    posted = coordinator.post("/adverse-events/", body)
    put = coordinator.put(f"/adverse-events/{second['id']}/", body | WHY, if_match='"1"')
    for response in (posted, put):
        assert response.status_code == status, response.content
        assert pointers(response) == wrong
    assert stored() == before


def test_an_ongoing_event_starts_at_the_latest_today_at_the_site(
    coordinator: Api, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = factories.patient(cast.trial)
    freeze(monkeypatch, datetime(2024, 3, 1, 22, 0, tzinfo=UTC))  # 06:00 on the 2nd in Shanghai
    body = FULL | {"patient": patient.pk, "ended_on": None}
    tomorrow = coordinator.post("/adverse-events/", body | {"started_on": "2024-03-03"})
    assert pointers(tomorrow) == ["/started_on"]
    assert "2024-03-02" in tomorrow.json()["detail"]
    today = coordinator.post("/adverse-events/", body | {"started_on": "2024-03-02"})
    assert today.status_code == 201
    assert today.json()["ended_on"] is None


# Grade 5 and the patient's death


def test_grade_5_needs_the_death(coordinator: Api, cast: Cast, event: Body) -> None:
    died = coordinator.post("/adverse-events/", event | {"grade": 5, "term": "Sepsis"})
    assert died.status_code == 201
    body = FULL | {"patient": factories.patient(cast.trial).pk, "grade": 5}
    alive = coordinator.post("/adverse-events/", body)
    assert alive.status_code == 400
    assert pointers(alive) == ["/grade"]
    assert "date of death" in alive.json()["detail"]


def test_a_death_stays_while_an_event_of_grade_5_needs_it(
    coordinator: Api, patient: Patient, event: Body
) -> None:
    path = f"/patients/{patient.pk}/"
    alive = {"died_on": None} | WHY
    coordinator.put(f"/adverse-events/{event['id']}/", event | {"grade": 5} | WHY, if_match='"1"')
    refused = coordinator.patch(path, alive, if_match='"1"')
    assert refused.status_code == 409
    assert pointers(refused) == ["/died_on"]
    coordinator.put(f"/adverse-events/{event['id']}/", event | WHY, if_match='"2"')
    assert coordinator.patch(path, alive, if_match='"1"').status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "wrong"),
    [
        ({"died_on": "2024-02-29"}, 409, ["/died_on"]),  # ended_on is 2024-03-01
        ({"died_on": "2024-03-01"}, 200, []),
        ({"birth_year": 2025}, 400, ["/enrolled_on", "/first_dose_on", "/died_on"]),
    ],
)
def test_a_death_agrees_with_the_events(
    coordinator: Api, patient: Patient, event: Body, change: Body, status: int, wrong: list[str]
) -> None:
    answer = coordinator.patch(f"/patients/{patient.pk}/", change | WHY, if_match='"1"')
    assert answer.status_code == status
    assert wrong == (pointers(answer) if wrong else [])


def test_a_birth_agrees_with_the_events(coordinator: Api, cast: Cast) -> None:
    patient = factories.patient(cast.trial, enrolled_on=None, first_dose_on=None)
    factories.adverse_event(patient, day=-30)  # 2023-12-16
    path = f"/patients/{patient.pk}/"
    refused = coordinator.patch(path, {"birth_year": 2024} | WHY, if_match='"1"')
    assert refused.status_code == 409
    assert pointers(refused) == ["/birth_year"]
    assert "2023-12-16" in refused.json()["detail"]
    AdverseEvent.objects.update(voided_at="2024-06-01T00:00Z")
    assert coordinator.patch(path, {"birth_year": 2024} | WHY, if_match='"1"').status_code == 200


# Changes


def test_an_event_stays_with_its_patient(coordinator: Api, cast: Cast, event: Body) -> None:
    body = event | {"patient": factories.patient(cast.trial).pk} | WHY
    response = coordinator.put(f"/adverse-events/{event['id']}/", body, if_match='"1"')
    assert pointers(response) == ["/patient"]


@pytest.mark.parametrize("tag", BAD_TAGS)
def test_a_change_needs_the_current_version(
    coordinator: Api, cast: Cast, api: Login, event: Body, tag: str
) -> None:
    path, before = f"/adverse-events/{event['id']}/", stored()
    assert coordinator.put(path, event | WHY, if_match=tag).status_code == 412
    assert api(cast.investigator).post(f"{path}void/", WHY, if_match=tag).status_code == 412
    assert stored() == before


def test_a_change_needs_a_version_and_a_reason(
    coordinator: Api, cast: Cast, api: Login, event: Body
) -> None:
    path, investigator, before = f"/adverse-events/{event['id']}/", api(cast.investigator), stored()
    assert coordinator.put(path, event | WHY).status_code == 428
    assert investigator.post(f"{path}void/", WHY).status_code == 428
    for blank in ({}, {"reason": " "}, {"reason": None}, {"reason": "x" * 501}):
        assert pointers(coordinator.put(path, event | blank, if_match='"1"')) == ["/reason"]
        assert pointers(investigator.post(f"{path}void/", blank, if_match='"1"')) == ["/reason"]
    extra = investigator.post(f"{path}void/", WHY | {"grade": 1}, if_match='"1"')
    assert pointers(extra) == ["/grade"]
    assert stored() == before


def test_a_voided_event_is_gone_and_may_be_recorded_again(
    coordinator: Api, cast: Cast, api: Login, event: Body
) -> None:
    path = f"/adverse-events/{event['id']}/"
    voided = api(cast.investigator).post(f"{path}void/", WHY, if_match='"1"')
    assert voided.json() == event | {"version": 2}
    assert voided["ETag"] == '"2"'
    assert coordinator.get(path).status_code == 404
    assert coordinator.put(path, event | WHY, if_match='"2"').status_code == 404
    assert coordinator.get("/adverse-events/").json()["count"] == 0
    assert coordinator.post("/adverse-events/", event).status_code == 201


def test_a_voided_patients_events_are_gone(
    coordinator: Api, cast: Cast, api: Login, patient: Patient, event: Body
) -> None:
    api(cast.investigator).post(f"/patients/{patient.pk}/void/", WHY, if_match='"1"')
    assert coordinator.get("/adverse-events/").json()["count"] == 0
    assert coordinator.get(f"/adverse-events/{event['id']}/").status_code == 404
    again = coordinator.post("/adverse-events/", event | {"term": "Fatigue"})
    assert pointers(again) == ["/patient"]


# Who may


PEOPLE = [  # who may read, write, void an event of site 01
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
    cast: Cast, api: Login, event: Body, who: str, read: int, write: int, void: int
) -> None:
    client, path = api(getattr(cast, who)), f"/adverse-events/{event['id']}/"
    assert client.get(path).status_code == read
    assert client.get("/adverse-events/").json()["count"] == (1 if read == 200 else 0)
    new = client.post("/adverse-events/", event | {"term": "Fatigue"}).status_code
    assert new == {200: 201, 403: 403, 404: 400}[write]
    assert client.put(path, event | WHY, if_match='"1"').status_code == write
    version = '"2"' if write == 200 else '"1"'
    assert client.post(f"{path}void/", WHY, if_match=version).status_code == void


def test_a_foreign_event_answers_as_one_that_does_not_exist(
    cast: Cast, api: Login, event: Body
) -> None:
    client, none = api(cast.outsider), 10**12
    foreign, unknown = (
        [
            client.get(f"/adverse-events/?patient={patient}"),
            client.post("/adverse-events/", event | {"patient": patient}),
            client.get(f"/adverse-events/{one}/"),
            client.put(f"/adverse-events/{one}/", event | WHY, if_match='"1"'),
            client.post(f"/adverse-events/{one}/void/", WHY, if_match='"1"'),
        ]
        for patient, one in ((event["patient"], event["id"]), (none, none))
    )
    for here, there in zip(foreign, unknown, strict=True):
        assert here.status_code == there.status_code
        assert here.content == there.content
        assert here.status_code in (200, 400, 404)


# Lists


def test_lists_are_filtered_and_paged(cast: Cast, api: Login, event: Body) -> None:
    elsewhere = factories.patient(cast.trial, site="02")
    other = factories.patient(factories.trial("NCT00000002"))
    for row in (elsewhere, other):
        factories.adverse_event(row, "Fatigue")
    client = api(cast.superuser)

    def found(query: str) -> list[str]:
        answer = client.get(f"/adverse-events/?{query}").json()
        assert answer["count"] == len(answer["results"])
        return [row["term"] for row in answer["results"]]

    assert found("") == [FULL["term"], "Fatigue", "Fatigue"]
    assert found("trial=NCT00000001") == [FULL["term"], "Fatigue"]
    assert found(f"trial=NCT00000001&patient={elsewhere.pk}") == ["Fatigue"]
    assert found("trial=NCT9") == found("patient=0") == []
    assert client.get("/adverse-events/?page_size=2").json()["next"].endswith("page=2&page_size=2")
    for query, parameter in (("patient=x", "patient"), ("trial=%00", "trial"), ("page=0", "page")):
        refused = client.get(f"/adverse-events/?{query}")
        assert refused.status_code == 400
        assert refused.json()["parameter"] == parameter


# Actions


def record(patient: Patient, cast: Cast, **facts: Any) -> AdverseEvent:
    """An event that the coordinator records."""
    default = {"term": "Fatigue", "grade": 1, "related": False, "started_on": START}
    return actions.record_adverse_event(patient=patient, by=cast.coordinator, **default | facts)


def test_every_write_leaves_who_and_why(patient: Patient, cast: Cast) -> None:
    event = record(patient, cast)
    actions.correct_adverse_event(
        adverse_event=event, changes={"grade": 3}, by=cast.colleague, reason="misread", version=1
    )
    actions.void_adverse_event(
        adverse_event=event, by=cast.investigator, reason="other patient", version=2
    )
    assert trail(AdverseEvent) == [
        ("insert", "coordinator", "recorded"),
        ("update", "colleague", "misread"),
        ("update", "investigator", "other patient"),
    ]
    assert list(EVENTS.objects.order_by("pgh_id").values_list("grade", "patient_id")) == [
        (grade, patient.pk) for grade in (1, 3, 3)
    ]


@pytest.mark.parametrize("who", ["outsider", "viewer", "administrator", "stranger"])
def test_writing_is_for_the_sites_own_people(patient: Patient, cast: Cast, who: str) -> None:
    event, user = record(patient, cast), getattr(cast, who)
    why: dict[str, Any] = {"adverse_event": event, "by": user, "reason": "x", "version": 1}
    with pytest.raises(PermissionDenied):
        actions.record_adverse_event(patient=patient, by=user, term="Rash", grade=1)
    with pytest.raises(PermissionDenied):
        actions.correct_adverse_event(changes={}, **why)
    with pytest.raises(PermissionDenied):
        actions.void_adverse_event(**why)
    assert AdverseEvent.objects.get().version == 1


def test_a_voided_row_and_a_stale_version_are_closed(patient: Patient, cast: Cast) -> None:
    event = record(patient, cast)
    why: dict[str, Any] = {"adverse_event": event, "by": cast.investigator, "reason": "x"}
    with pytest.raises(StaleVersion):
        actions.correct_adverse_event(changes={}, version=2, **why)
    actions.void_adverse_event(version=1, **why)
    with pytest.raises(StaleVersion):
        actions.void_adverse_event(version=2, **why)
    actions.void_patient(patient=patient, by=cast.investigator, reason="x", version=1)
    with pytest.raises(Conflict, match="/patient"):
        record(patient, cast)


def test_a_death_that_was_recorded_meanwhile_counts(cast: Cast) -> None:
    patient = factories.patient(cast.trial)
    read = Patient.objects.select_related("trial", "site").get(pk=patient.pk)
    Patient.objects.update(died_on=START + timedelta(days=5))
    assert record(read, cast, grade=5).grade == 5
    with pytest.raises(Refused, match="After the patient's death"):
        actions.record_therapy(patient=read, by=cast.coordinator, started_on=date(2024, 3, 1))


SQL = [
    ("term = ' '", "adverse_event_term_given"),
    ("grade = 0", "adverse_event_grade_1_to_5"),
    ("grade = 6", "adverse_event_grade_1_to_5"),
    ("action_taken = 'x'", "adverse_event_action_taken_known"),
    ("started_on = '1899-12-31'", "adverse_event_started_on_plausible"),
    ("ended_on = '2200-01-01'", "adverse_event_ended_on_plausible"),
    ("ended_on = '2024-01-24'", "adverse_event_ends_after_start"),
    ("term = 'Rash'", "adverse_event_once"),
    ("related = NULL", "related"),
]


@pytest.mark.parametrize(("change", "constraint"), SQL)
def test_the_database_refuses_a_contradiction(cast: Cast, change: str, constraint: str) -> None:
    patient = factories.patient(cast.trial)
    for term in ("Fatigue", "Nausea"):
        factories.adverse_event(patient, term)  # 2024-01-25
    assert constraint in violates(f"UPDATE patients_adverseevent SET {change}")


@pytest.mark.django_db(transaction=True)
def test_of_identical_events_at_once_one_is_stored(cast: Cast, api: Login) -> None:
    client, patient = api(cast.coordinator), factories.patient(cast.trial)
    body = FULL | {"patient": patient.pk}
    answers = together(*[lambda: client.post("/adverse-events/", body)] * 3)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    path = f"/adverse-events/{AdverseEvent.objects.get().pk}/"
    change = [lambda: client.put(path, body | WHY, if_match='"1"')] * 2
    assert sorted(answer.status_code for answer in together(*change)) == [200, 412]


# The checks alone, without a database to look into


def test_unsaved_rows_are_checked_without_a_statement(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    site = cast.trial.sites.get(code="01")
    facts: dict[str, Any] = {"trial": cast.trial, "site": site, "birth_year": 1970}
    patient = Patient(subject_id="S-1", first_dose_on=START, died_on=START, **facts)
    later = date(2024, 3, 1)
    therapy = Therapy(patient=patient, started_on=later)
    event = AdverseEvent(patient=patient, term="Rash", grade=5, related=True, started_on=later)
    with django_assert_num_queries(0):
        assert list(patient_errors(patient)) == []
        assert [error.pointer for error in therapy_errors(therapy)] == ["/started_on"]
        assert [error.pointer for error in adverse_event_errors(event)] == ["/started_on"]
        patient.died_on = None
        assert list(therapy_errors(therapy)) == []
        assert [error.pointer for error in adverse_event_errors(event)] == ["/grade"]
        patient.last_dose_on, patient.first_dose_on = START, None
        assert [error.pointer for error in patient_errors(patient)] == ["/first_dose_on"]


def test_an_outcome_fits_the_grade_and_the_end(coordinator: Api, patient: Patient) -> None:
    told = FULL | {"patient": patient.pk, "outcome": "recovered"}
    for changed, pointer in (
        ({"grade": 5, "outcome": "recovering"}, "/outcome"),
        ({"ended_on": None}, "/ended_on"),
        ({"ended_on": None, "outcome": "recovered_with_sequelae"}, "/ended_on"),
    ):
        assert pointers(coordinator.post("/adverse-events/", told | changed)) == [pointer]
    died = {"grade": 5, "outcome": "Fatal", "ended_on": None}
    assert coordinator.post("/adverse-events/", told | died).json()["outcome"] == "fatal"


# Terms


def test_terms_are_listed_and_found(coordinator: Api) -> None:
    assert coordinator.get("/ctcae-terms/").json()["count"] == 850
    assert coordinator.get("/ctcae-terms/?version=4.03").json()["count"] == 790
    found = coordinator.get("/ctcae-terms/?q=%E8%9B%8B%E7%99%BD%E5%B0%BF").json()["results"]
    assert found[0] == {
        "term": "Proteinuria", "chinese": "蛋白尿", "versions": ["4.03", "5.0"],
        "system_organ_class": "Renal and urinary disorders", "grades": [1, 2, 3],
        "synonyms": ["urine protein", "protein in urine", "albuminuria", "尿蛋白", "尿蛋白阳性"],
    }  # fmt: skip
    assert coordinator.get("/ctcae-terms/?q=Menopause").json()["results"][0]["grades"] is None
    for query, name in (("version=3.0", "version"), ("q=%00", "q"), ("term=a", "term")):
        refused = coordinator.get(f"/ctcae-terms/?{query}")
        assert (refused.status_code, refused.json()["parameter"]) == (400, name)


@pytest.mark.parametrize(
    ("typed", "term"),
    [
        ("恶心", "Nausea"),
        ("nausea", "Nausea"),
        (" NAUSEA ", "Nausea"),
        ("Hypertensive toe", "Hypertensive toe"),  # no term: as it was typed
    ],
)
def test_a_term_is_stored_in_english_and_its_twin_is_found(
    coordinator: Api, patient: Patient, typed: str, term: str
) -> None:
    event = FULL | {"patient": patient.pk, "term": typed}
    stored = coordinator.post("/adverse-events/", event)
    assert (stored.status_code, stored.json()["term"]) == (201, term)
    twin = coordinator.post("/adverse-events/", event | {"term": term})
    assert twin.status_code == 409
    assert pointers(twin) == ["/started_on"]
    other = coordinator.post("/adverse-events/", event | {"term": "Fatigue"}).json()
    path = f"/adverse-events/{other['id']}/"
    renamed = coordinator.put(path, other | WHY | {"term": typed}, if_match='"1"')
    assert renamed.status_code == 409


def test_a_grade_that_ctcae_does_not_define_is_stored(coordinator: Api, patient: Patient) -> None:
    event = FULL | {"patient": patient.pk, "term": "Alopecia", "grade": 3}
    assert coordinator.post("/adverse-events/", event).status_code == 201
