"""Protocol deviations in the course of the trial: over REST, on pages, as lines of an import."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from patients import deviations
from patients.models import Deviation, Disposition, Patient
from registry.ndjson import MEDIA_TYPE
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from trials.vocabularies import Role

Login = Callable[[Any], Api]
Pages = Callable[[Any], Client]
DAY = START + timedelta(days=30)
WHY = {"reason": "source data verification"}
SAID = {
    "occurred_on": DAY.isoformat(), "category": "dosing", "major": True,
    "description": "12 mg on days 1 to 21 of the second cycle",
}  # fmt: skip
OUTCOMES = "/trials/NCT00000001/outcomes/?population=per_protocol&cutoff="


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """Enrolled at site 01, and a second one of whom nothing is recorded."""
    factories.patient(cast.trial, "01-002", enrolled_on=START, first_dose_on=START)
    return factories.patient(cast.trial, "01-001", enrolled_on=START, first_dose_on=START)


def n(reader: Api, on: Any = "2024-12-31", known_on: datetime | None = None) -> int:
    """How many are in the per-protocol population."""
    moment = f"&known_on={known_on:%Y-%m-%dT%H:%M:%S.%fZ}" if known_on else ""
    size: int = reader.get(f"{OUTCOMES}{on}{moment}").json()["population"]["n"]
    return size


def record(patient: Patient, by: Any, **facts: Any) -> Deviation:
    """A major deviation of day 30."""
    return deviations.record_deviation(
        patient=patient, by=by, **(SAID | {"occurred_on": DAY} | facts)
    )


def test_a_coordinator_records_corrects_and_weighs_over_rest(
    cast: Cast, api: Login, patient: Patient
) -> None:
    site, reader = api(cast.coordinator), api(cast.viewer)
    body = SAID | {"patient": patient.pk}
    made = site.post("/deviations/", body, idempotency_key="one")
    again = site.post("/deviations/", body, idempotency_key="one")
    assert (made.status_code, again.json()) == (201, made.json())
    found = made.json()
    assert found == body | {
        "id": found["id"], "version": 1, "criterion": None, "screening": None,
        "screening_version": None, "justification": "", "links": found["links"],
    }  # fmt: skip
    assert site.post("/deviations/", body).status_code == 409  # its twin
    assert n(reader) == 1
    address = f"/deviations/{found['id']}/"
    assert site.put(address, found | {"major": False} | WHY).status_code == 428
    told = site.put(address, found | {"major": False} | WHY, if_match='"1"').json()
    assert (told["major"], told["version"], n(reader)) == (False, 2, 2)
    assert site.put(address, found | WHY, if_match='"1"').status_code == 412
    weighed = site.patch(address, {"major": True} | WHY, if_match='"2"').json()
    assert (weighed["major"], weighed["version"], n(reader)) == (True, 3, 1)
    assert site.post(f"{address}void/", WHY, if_match='"3"').status_code == 403
    voided = api(cast.investigator).post(f"{address}void/", WHY, if_match='"3"')
    assert (voided.status_code, n(reader)) == (200, 2)


REFUSED = [
    ({"category": "surgery"}, ["/category"]),
    ({"category": None, "description": None, "major": None}, ["/category", "/description", "/major"]),
    ({"description": " "}, ["/description"]),
    ({"description": "x" * 501}, ["/description"]),
    ({"major": "yes"}, ["/major"]),
    ({"occurred_on": "2199-01-01"}, ["/occurred_on"]),
    ({"occurred_on": "30 January"}, ["/occurred_on"]),
    ({"justification": "because"}, ["/justification"]),
    ({"screening": 1}, ["/screening"]),
    ({"criterion": 10**15}, ["/description"]),
    ({"severity": "major"}, ["/severity"]),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "pointers"), REFUSED)
def test_what_is_refused(
    cast: Cast, api: Login, patient: Patient, facts: Any, pointers: list[str]
) -> None:
    body = SAID | {"patient": patient.pk} | facts
    said = {key: value for key, value in body.items() if value is not None}
    refused = api(cast.coordinator).post("/deviations/", said)
    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json()["errors"]] == pointers
    assert not Deviation.objects.exists()


def test_nothing_is_dated_after_the_patient_was_lost(
    cast: Cast, api: Login, patient: Patient
) -> None:
    Disposition.objects.create(
        patient=patient, kind="lost_to_follow_up", on=DAY - timedelta(days=1)
    )
    refused = api(cast.coordinator).post("/deviations/", SAID | {"patient": patient.pk})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (409, "/occurred_on")


def test_other_sites_know_nothing_of_it(cast: Cast, api: Login, patient: Patient) -> None:
    row = record(patient, cast.coordinator)
    other, address = api(cast.outsider), f"/deviations/{row.pk}/"
    assert other.get("/deviations/").json()["count"] == 0
    assert api(cast.viewer).get("/deviations/?trial=NCT00000001").json()["count"] == 1
    answers = [
        other.get(address),
        other.put(address, SAID | {"patient": patient.pk} | WHY, if_match='"1"'),
        other.patch(address, {"major": False} | WHY, if_match='"1"'),
        other.post(f"{address}void/", WHY, if_match='"1"'),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    refused = other.post("/deviations/", SAID | {"patient": patient.pk})
    unknown = other.post("/deviations/", SAID | {"patient": 10**9})
    assert refused.json()["errors"] == unknown.json()["errors"]
    assert (
        api(cast.viewer).patch(address, {"major": False} | WHY, if_match='"1"').status_code == 403
    )


def test_what_happened_never_covers_a_criterion(cast: Cast, api: Login) -> None:
    """To be eligible is the investigator's to decide, of one criterion at one screening."""
    factories.criteria(cast.trial)
    candidate = factories.candidate(cast.trial, "01-003")
    values = factories.ELIGIBLE | {"ecog": {"value": 2}}
    screening = factories.screening(candidate, by=cast.coordinator, values=values)
    site, said = api(cast.coordinator), {"patient": candidate.pk, "occurred_on": str(START)}
    of = {"criterion": screening.results[0]["criterion"], "justification": "no alternative"}
    assert site.post("/deviations/", said | of).status_code == 403
    made = api(cast.investigator).post("/deviations/", said | of | {"category": "eligibility"})
    assert made.json()["category"] == "eligibility"
    wrong = api(cast.investigator).post("/deviations/", said | of | {"category": "dosing"})
    assert [error["pointer"] for error in wrong.json()["errors"]] == ["/category"]
    address = f"/deviations/{made.json()['id']}/"
    body = SAID | {"patient": candidate.pk} | WHY
    refused = api(cast.investigator).put(address, body, if_match='"1"')
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/criterion"]
    told = record(candidate, cast.coordinator, category="eligibility", occurred_on=START)
    into = of | said | {"justification": "x"} | WHY
    refused = site.put(f"/deviations/{told.pk}/", into, if_match='"1"')
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/criterion"]


@pytest.mark.parametrize(("day", "expected"), [(29, 2), (30, 1), (300, 1)])
def test_it_counts_from_its_day_on(
    cast: Cast, api: Login, patient: Patient, day: int, expected: int
) -> None:
    record(patient, cast.coordinator)
    record(patient, cast.coordinator, category="other", major=False)
    reader, on = api(cast.viewer), START + timedelta(days=day)
    assert n(reader, on) == expected
    flow = reader.get(f"/trials/NCT00000001/consort/?cutoff={on}").json()["enrolled"]
    assert flow["deviations"] == ({"n": 2, "patients": 1} if day >= 30 else {"n": 0, "patients": 0})


@pytest.mark.django_db(transaction=True)
def test_as_known_on_a_moment(cast: Cast, api: Login, patient: Patient) -> None:
    """Recorded as minor, called major, voided: each known from its own moment on."""
    reader, moments = api(cast.viewer), [datetime.now(UTC)]
    row = record(patient, cast.coordinator, major=False)
    moments.append(datetime.now(UTC))
    why: dict[str, Any] = {"by": cast.investigator, "reason": "it bears on the response"}
    deviations.weigh_deviation(deviation=row, major=True, version=1, **why)
    moments.append(datetime.now(UTC))
    Deviation.objects.update(voided_at=datetime.now(UTC))
    moments.append(datetime.now(UTC))
    assert [n(reader, known_on=moment) for moment in moments] == [2, 2, 1, 2]


def test_its_pages(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, page = pages(cast.coordinator), f"/patients/{patient.pk}/"
    new = f"{page}deviations/new/"
    assert new in client.get(page).content.decode()
    body = {"occurred_on": DAY, "category": "dosing", "description": "a dose too many"}
    assert client.post(new, body).status_code == 422  # major or minor: nobody said
    assert client.post(new, body | {"major": "major"}).status_code == 302
    row = Deviation.objects.get()
    told = " ".join(client.get(page).content.decode().split())
    assert "2024-02-14: <strong>major</strong>, wrong treatment or dose:" in told
    edit, change = f"/deviations/{row.pk}/edit/", {"version": "1"} | WHY
    assert 'value="major" selected' in client.get(edit).content.decode()
    assert client.post(edit, body | {"major": "minor"} | change).status_code == 302
    row.refresh_from_db()
    assert (row.major, row.version, row.description) == (False, 2, "a dose too many")
    void = f"/deviations/{row.pk}/void/"
    assert client.post(void, WHY | {"version": "2"}).status_code == 403
    assert [pages(cast.outsider).get(at).status_code for at in (new, edit, void)] == [404] * 3
    assert [pages(cast.viewer).get(at).status_code for at in (new, edit, void)] == [403] * 3
    gone = pages(cast.investigator).post(void, WHY | {"version": "2"})
    assert gone["Location"] == page
    assert "No protocol deviation is recorded." in client.get(page).content.decode()


def test_lines_of_an_import(cast: Cast, api: Login, patient: Patient) -> None:
    """The same file twice changes nothing; a line that changes a row says why."""
    manager = factories.user("manager")
    factories.membership(manager, cast.trial, Role.DATA_MANAGER)
    client = Client(headers={"Authorization": f"Token {factories.token(manager)}"})

    def send(**keys: Any) -> Any:
        line = {"record": "deviation", "patient": "01-001"} | SAID | keys
        address = "/api/v1/trials/NCT00000001/import/"
        return client.post(address, json.dumps(line), content_type=MEDIA_TYPE).json()

    first, second = send(), send()
    assert (first["created"]["deviation"], second["unchanged"]["deviation"]) == (1, 1), second[
        "errors"
    ]
    assert send()["unchanged"]["deviation"] == 1
    assert [error["pointer"] for error in send(major=False)["errors"]] == ["/reason"]
    assert send(major=False, **WHY)["updated"]["deviation"] == 1
    assert [e["pointer"] for e in send(criterion=1, description="x")["errors"]] == ["/criterion"]
    assert [e["pointer"] for e in send(patient="01-009")["errors"]] == ["/patient"]
    row = Deviation.objects.get()
    assert (row.major, row.version) == (False, 2)


BROKEN = [
    {"description": " "},
    {"category": "surgery"},
    {"screening_version": 1},
    {"criterion": True},  # without a screening and a justification
    {"occurred_on": "1850-01-01"},
]


@pytest.mark.parametrize("facts", BROKEN)
def test_the_database_holds_it_too(cast: Cast, patient: Patient, facts: dict[str, Any]) -> None:
    if "criterion" in facts:
        facts = {"criterion": factories.criteria(cast.trial)[0]}
    said = SAID | {"occurred_on": DAY} | facts
    with pytest.raises(IntegrityError), transaction.atomic():
        Deviation.objects.create(patient=patient, **said)
