"""Consent, screening, deviations and enrollment over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from patients.models import Consent, Deviation, Patient, Screening
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from tests.factories import ELIGIBLE, START
from tests.outcomes.visits.bodies import pointers
from trials.models import ReferenceRange, Trial

Login = Callable[[Any], Api]
DAY = START.isoformat()
WHY = {"reason": "typing error"}


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
    return factories.candidate(trial, "01-001", ecog=1)


def body_of(patient: Patient, **values: Any) -> dict[str, Any]:
    """A screening as it is sent."""
    return {"patient": patient.pk, "screened_on": DAY, "values": ELIGIBLE | values}


def test_consent_screening_deviation_enrollment(patient: Patient, cast: Cast, api: Login) -> None:
    client, investigator = api(cast.coordinator), api(cast.investigator)
    consent = {"patient": patient.pk, "consent_version": "1", "signed_on": DAY}
    assert client.post("/consents/", consent).status_code == 201
    few = {"value": 72, "unit": "10^9/L"}
    screened = client.post("/screenings/", body_of(patient, platelets=few))
    assert (screened.status_code, screened["ETag"]) == (201, '"1"')
    found = screened.json()
    assert found["summary"] == {
        "criteria": 3, "met": 2, "not_met": 1, "unknown": 0,
        "text": "2 of 3 met; 1 not met: platelets 72 < 80 × 10⁹/L",
    }  # fmt: skip
    assert found["values"]["ecog"] == {"value": 1, "unit": "", "source": "patient"}
    failing = found["results"][1]
    assert (failing["kind"], failing["number"], failing["result"]) == ("inclusion", 2, "not_met")
    assert failing["reasons"][0]["text"] == "platelets 72 < 80 × 10⁹/L"

    enroll = f"/patients/{patient.pk}/enroll/"
    refused = client.post(enroll, {"enrolled_on": DAY} | WHY, if_match='"1"')
    assert (refused.status_code, pointers(refused)) == (409, ["/enrolled_on"])
    assert "platelets 72 < 80 × 10⁹/L" in refused.json()["detail"]
    deviation = {
        "patient": patient.pk, "criterion": failing["criterion"], "occurred_on": DAY,
        "justification": "no alternative",
    }  # fmt: skip
    assert client.post("/deviations/", deviation).status_code == 403
    assert investigator.post("/deviations/", deviation).status_code == 201
    assert client.get(f"/deviations/?patient={patient.pk}").json()["count"] == 1
    enrolled = client.post(enroll, {"enrolled_on": DAY} | WHY, if_match='"1"')
    assert (enrolled.status_code, enrolled.json()["enrolled_on"]) == (200, DAY)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, {"enrolled_on": DAY} | WHY, 428),
        ({"if_match": '"7"'}, {"enrolled_on": DAY} | WHY, 412),
        ({"if_match": '"1"'}, {"enrolled_on": DAY}, 400),
        ({"if_match": '"1"'}, {"enrolled_on": DAY, "reason": " "}, 400),
        ({"if_match": '"1"'}, WHY, 400),
        ({"if_match": '"1"'}, {"enrolled_on": DAY, "arm": "None such"} | WHY, 400),
        ({"if_match": '"1"'}, {"enrolled_on": "2999-01-01"} | WHY, 409),
        ({"if_match": '"1"'}, {"enrolled_on": DAY, "consent": "1"} | WHY, 400),
    ],
)
def test_an_enrollment_has_the_manners_of_a_change(
    patient: Patient, cast: Cast, api: Login, headers: Any, body: Any, status: int
) -> None:
    response = api(cast.coordinator).post(f"/patients/{patient.pk}/enroll/", body, **headers)
    assert response.status_code == status, response.content
    patient.refresh_from_db()
    assert patient.enrolled_on is None


def test_get_edit_put(patient: Patient, cast: Cast, api: Login) -> None:
    client = api(cast.coordinator)
    stored = client.post("/screenings/", body_of(patient)).json()
    address = f"/screenings/{stored['id']}/"
    same = client.put(address, stored | WHY, if_match='"1"').json()
    assert same == stored | {"version": 2}
    values = stored["values"] | {"platelets": {"value": 10.25, "unit": "10^9/L"}}
    changed = client.put(address, stored | {"values": values} | WHY, if_match='"2"').json()
    assert changed["values"]["platelets"] == {"value": 10.25, "unit": "10^9/L"}
    assert changed["summary"]["not_met"] == 1
    other = factories.candidate(patient.trial, "01-777")
    moved = client.put(address, stored | {"patient": other.pk} | WHY, if_match='"3"')
    assert (moved.status_code, pointers(moved)) == (400, ["/patient"])


def test_the_limits_of_the_laboratory_survive_a_round_trip(
    patient: Patient, cast: Cast, api: Login
) -> None:
    rule = {"type": "number", "item": "alt", "comparison": "at_most", "value": 2.5, "times": "uln"}
    patient.trial.criteria.create(kind="inclusion", text="ALT", rule=rule, position=9)
    ReferenceRange.objects.create(
        site=patient.site, item="alt", upper=40, unit="U/L", valid_from=START
    )
    client = api(cast.coordinator)
    stored = client.post("/screenings/", body_of(patient, alt={"value": 100, "unit": "U/L"})).json()
    told = {"value": 100, "unit": "U/L", "uln": 40, "limit_unit": "U/L"}
    assert stored["values"]["alt"] == told | {"limit_source": "reference_range"}
    again = client.put(f"/screenings/{stored['id']}/", stored | WHY, if_match='"1"').json()
    assert again["values"] == stored["values"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"values": []}, ["/values"]),
        (
            {"values": {"platelets": {"value": 99999, "unit": "10^9/L"}}},
            ["/values/platelets/value"],
        ),
        (
            {"values": {"radiotherapy_on": {"value": "2024-01-16"}}},
            ["/values/radiotherapy_on/value"],
        ),
        ({"screened_on": "2024-1-15"}, ["/screened_on"]),
        ({"screened_on": "2999-01-15"}, ["/screened_on"]),
        ({"results": [], "conclusion": "eligible"}, None),  # read-only: ignored
        ({"nonsense": 1}, ["/nonsense"]),
    ],
)
def test_what_is_wrong_is_named(
    patient: Patient, cast: Cast, api: Login, change: Any, expected: list[str] | None
) -> None:
    response = api(cast.coordinator).post("/screenings/", body_of(patient) | change)
    if expected is None:
        assert (response.status_code, response.json()["conclusion"]) == (201, "open")
    else:
        assert (response.status_code, pointers(response)) == (400, expected)


def test_a_preview_judges_what_it_can_read_and_stores_nothing(
    patient: Patient, cast: Cast, api: Login
) -> None:
    values = {
        "platelets": {"value": 72, "unit": "10^9/L"}, "lactating": {"value": "perhaps"},
        "nonsense": 1, "ecog": {},
    }  # fmt: skip
    body = {"patient": patient.pk, "screened_on": DAY, "values": values}
    found = api(cast.coordinator).post("/screenings/preview/", body).json()
    assert [result["result"] for result in found["results"]] == ["met", "not_met", "unknown"]
    assert {problem["pointer"] for problem in found["problems"]} == {
        "/values/nonsense", "/values/ecog", "/values/lactating/value",
    }  # fmt: skip
    assert found["values"]["ecog"]["source"] == "patient"
    empty = api(cast.viewer).post("/screenings/preview/", {"patient": patient.pk})
    assert empty.json()["summary"]["text"] == "1 of 3 met; 2 unknown"
    assert not Screening.objects.exists()


def test_the_form_says_what_an_outside_system_needs(
    patient: Patient, cast: Cast, api: Login
) -> None:
    ReferenceRange.objects.create(
        site=patient.site, item="platelets", lower=100, upper=300, unit="10^9/L", valid_from=START
    )
    client = api(cast.coordinator)
    address = f"/trials/{cast.trial.registry_id}/screening-form/"
    form = client.get(f"{address}?site=01&date=2024-02-01").json()
    assert [item["code"] for item in form["items"]] == ["ecog", "platelets", "lactating"]
    platelets = form["items"][1]
    assert (platelets["kind"], platelets["units"][0]) == (
        "number",
        {"code": "10^9/L", "label": "× 10⁹/L"},
    )
    assert platelets["reference_ranges"] == [
        {"sex": "any", "lower": 100, "upper": 300, "unit": "10^9/L", "valid_from": DAY}
    ]
    assert platelets["criteria"] == [form["criteria"][1]["id"]]
    assert form["criteria"][1]["rule"] == "platelets ≥ 80 × 10⁹/L"
    assert form["protocol_version"]["number"] == 1
    before = client.get(f"{address}?site=01&date=2024-01-14").json()
    assert before["items"][1]["reference_ranges"] == []
    for query in ("site=02", "site=99", "date=tomorrow", "date=2024-02-30", "sight=01"):
        assert client.get(f"{address}?{query}").status_code == 400
    assert api(cast.stranger).get(address).status_code == 404


def test_a_foreign_patient_answers_as_one_that_does_not_exist(
    patient: Patient, cast: Cast, api: Login
) -> None:
    consent = factories.consent(patient, by=cast.coordinator)
    screening = factories.screening(patient, by=cast.coordinator, values={})
    criterion = patient.trial.criteria.current()[1]
    deviation = factories.deviation(patient, criterion, by=cast.investigator)
    client = api(cast.outsider)
    for rows, pk in (("consents", consent), ("screenings", screening), ("deviations", deviation)):
        foreign = client.get(f"/{rows}/{pk.pk}/")
        missing = client.get(f"/{rows}/999999999/")
        assert (foreign.status_code, foreign.content) == (404, missing.content)
        assert client.get(f"/{rows}/?patient={patient.pk}").json()["count"] == 0
        assert client.post(f"/{rows}/{pk.pk}/void/", WHY, if_match='"1"').status_code == 404
    for path in ("conclude", "void"):
        body = WHY | ({"conclusion": "open"} if path == "conclude" else {})
        answer = client.post(f"/screenings/{screening.pk}/{path}/", body, if_match='"1"')
        assert answer.status_code == 404
    body = {"enrolled_on": DAY} | WHY
    assert client.post(f"/patients/{patient.pk}/enroll/", body, if_match='"1"').status_code == 404
    for path, sent in (
        ("/consents/", {"consent_version": "1", "signed_on": DAY}),
        ("/screenings/", {"screened_on": DAY, "values": {}}),
        ("/screenings/preview/", {}),
        ("/deviations/", {"criterion": criterion.pk, "occurred_on": DAY, "justification": "x"}),
    ):
        foreign = client.post(path, sent | {"patient": patient.pk})
        missing = client.post(path, sent | {"patient": 999999999})
        assert (foreign.status_code, foreign.content) == (400, missing.content)


def test_a_criterion_of_another_trial_does_not_exist(
    patient: Patient, cast: Cast, api: Login
) -> None:
    factories.screening(patient, by=cast.coordinator, values={})
    foreign = factories.criteria(factories.trial("NCT00000777"))[0]
    body = {"patient": patient.pk, "occurred_on": DAY, "justification": "x"}
    client = api(cast.investigator)
    answers = [client.post("/deviations/", body | {"criterion": pk}) for pk in (foreign.pk, 10**9)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == answers[1].content


def test_voided_rows_leave_lists(patient: Patient, cast: Cast, api: Login) -> None:
    factories.consent(patient, by=cast.coordinator)
    screening = factories.screening(patient, by=cast.coordinator, values={})
    factories.deviation(patient, patient.trial.criteria.current()[1], by=cast.investigator)
    client = api(cast.investigator)
    for rows in ("consents", "screenings", "deviations"):
        row = client.get(f"/{rows}/").json()["results"][0]
        assert api(cast.coordinator).post(
            f"/{rows}/{row['id']}/void/", WHY, if_match='"1"'
        ).status_code == 403  # fmt: skip
        assert client.post(f"/{rows}/{row['id']}/void/", WHY, if_match='"1"').status_code == 200
        assert client.get(f"/{rows}/").json()["count"] == 0
    assert client.get(f"/screenings/{screening.pk}/").status_code == 404
    counts = [model.objects.count() for model in (Consent, Screening, Deviation)]
    assert counts == [1, 1, 1]


def test_one_key_is_one_enrollment(patient: Patient, cast: Cast, api: Login) -> None:
    factories.consent(patient, by=cast.coordinator)
    factories.screening(patient, by=cast.coordinator)
    send = {"if_match": '"1"', "idempotency_key": "once"}
    client, body = api(cast.coordinator), {"enrolled_on": DAY} | WHY
    answers = [client.post(f"/patients/{patient.pk}/enroll/", body, **send) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1]["Idempotency-Replayed"] == "true"
    patient.refresh_from_db()
    assert patient.version == 2


def test_filters(patient: Patient, cast: Cast, api: Login) -> None:
    factories.screening(patient, by=cast.coordinator)
    client = api(cast.coordinator)
    for query, status, count in (
        ("", 200, 1),
        ("?conclusion=open", 200, 1),
        ("?conclusion=failed", 200, 0),
        ("?conclusion=perhaps", 400, None),
        ("?trial=NCT00000001", 200, 1),
        ("?trial=NCT00000002", 200, 0),
        (f"?patient={patient.pk}", 200, 1),
        ("?subject=x", 400, None),
    ):
        answer = client.get(f"/screenings/{query}")
        assert (answer.status_code, answer.json().get("count")) == (status, count)


def test_a_list_of_ten_thousand_takes_as_many_statements_as_one_of_ten(
    patient: Patient, cast: Cast, api: Login, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = factories.screening(patient, by=cast.coordinator)
    client = api(cast.coordinator)
    site, trial = patient.site, patient.trial

    def more(numbers: range) -> None:
        people = Patient.objects.bulk_create(
            Patient(trial=trial, site=site, subject_id=f"S-{n:05}") for n in numbers
        )
        Screening.objects.bulk_create(
            Screening(
                patient=person, protocol_version=first.protocol_version, values=first.values,
                results=first.results, screened_on=START + timedelta(days=n % 300),
            )
            for n, person in enumerate(people)
        )  # fmt: skip

    more(range(9))
    with django_assert_num_queries(3):
        assert client.get("/screenings/?page_size=500").json()["count"] == 10
    more(range(9, 9_999))
    with django_assert_num_queries(3):
        page = client.get("/screenings/?page_size=500").json()
    assert (page["count"], len(page["results"])) == (10_000, 500)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, None),
        ({"screening_version": 2}, None),
        ({"screening_version": 1}, ["/screening_version"]),
        ({"screening": 10**9}, ["/screening"]),
    ],
)
def test_a_deviation_is_of_what_was_looked_at(
    patient: Patient, cast: Cast, api: Login, seen: dict[str, int], expected: list[str] | None
) -> None:
    client = api(cast.investigator)
    few = body_of(patient, platelets={"value": 72, "unit": "10^9/L"})
    stored = client.post("/screenings/", few).json()
    address = f"/screenings/{stored['id']}/"
    assert client.put(address, few | WHY, if_match='"1"').status_code == 200
    body = {
        "patient": patient.pk, "criterion": stored["results"][1]["criterion"],
        "occurred_on": DAY, "justification": "no alternative",
    }  # fmt: skip
    answer = client.post("/deviations/", body | seen)
    if expected:
        assert (answer.status_code, pointers(answer)) == (409, expected)
    else:
        found = answer.json()
        assert (found["screening"], found["screening_version"]) == (stored["id"], 2)
