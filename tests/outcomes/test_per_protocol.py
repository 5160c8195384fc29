"""The per-protocol population: enrolled without a major recorded deviation, at any cutoff."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from patients import screening as screening_actions
from patients.models import Deviation, Patient
from registry.models import User
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from trials.models import Criterion, Trial

Login = Callable[[Any], Api]
OUTCOMES = "/trials/NCT00000001/outcomes/?population=per_protocol&cutoff="
ECOG_2 = factories.ELIGIBLE | {"ecog": {"value": 2}}
WHY = {"reason": "source data verification"}


@pytest.fixture
def deviating(cast: Cast) -> dict[str, Deviation]:
    """Four enrolled on START: one without a deviation, a minor one, a major one, one on day 10."""
    ecog: Criterion = factories.criteria(cast.trial)[0]
    told: dict[str, dict[str, Any]] = {
        "minor": {"major": False},
        "major": {},
        "later": {"on": START + timedelta(days=10)},
    }
    factories.patient(cast.trial, "none")
    found = {}
    for subject_id, facts in told.items():
        patient = factories.candidate(cast.trial, subject_id)
        factories.screening(patient, by=cast.investigator, values=ECOG_2)
        found[subject_id] = factories.deviation(patient, ecog, by=cast.investigator, **facts)
    Patient.objects.update(enrolled_on=START, first_dose_on=START)
    return found


def n(reader: Api, cutoff: Any = "2024-12-31", known_on: datetime | None = None) -> int:
    """How many are in the population."""
    moment = f"&known_on={known_on:%Y-%m-%dT%H:%M:%S.%fZ}" if known_on else ""
    found = reader.get(f"{OUTCOMES}{cutoff}{moment}").json()
    assert found["population"]["name"] == "per_protocol"
    assert found["pfs"]["n"] == found["population"]["n"]
    size: int = found["population"]["n"]
    return size


def correct_its_screening(deviation: Deviation, *, by: User) -> None:
    """What the deviation covered was misread."""
    assert deviation.screening
    changes = {"screened_on": START, "values": factories.ELIGIBLE}
    screening_actions.correct_screening(
        screening=deviation.screening, changes=changes, by=by, version=1, reason="misread"
    )


@pytest.mark.parametrize(("day", "expected"), [(-1, 0), (0, 3), (9, 3), (10, 2), (300, 2)])
@pytest.mark.usefixtures("deviating")
def test_who_has_a_major_deviation_by_the_cutoff_is_left_out(
    cast: Cast, api: Login, day: int, expected: int
) -> None:
    assert n(api(cast.investigator), START + timedelta(days=day)) == expected


def test_what_is_voided_or_covers_no_screening_counts_no_more(
    cast: Cast, api: Login, deviating: dict[str, Deviation]
) -> None:
    """As in the participant flow: a corrected screening takes what covered it out of force."""
    reader, major, later = api(cast.investigator), deviating["major"], deviating["later"]
    before = reader.get(f"{OUTCOMES}2024-12-31")["ETag"]
    screening_actions.void_deviation(
        deviation=major, by=cast.investigator, version=1, reason="wrong patient"
    )
    assert n(reader) == 3
    correct_its_screening(later, by=cast.investigator)
    assert n(reader) == 4
    assert reader.get(f"{OUTCOMES}2024-12-31")["ETag"] != before
    flow = reader.get("/trials/NCT00000001/consort/?cutoff=2024-12-31").json()
    assert flow["enrolled"]["deviations"] == {"n": 1, "patients": 1}  # the minor one


@pytest.mark.usefixtures("deviating")
def test_the_participant_flow_says_why_they_are_not_analyzed(cast: Cast, api: Login) -> None:
    found = api(cast.investigator).get("/trials/NCT00000001/consort/?cutoff=2024-12-31").json()
    (analyzed,) = [
        one for one in found["arms"][0]["analyses"] if one["population"] == "per_protocol"
    ]
    assert analyzed == {
        "population": "per_protocol",
        "n": 2,
        "excluded": [{"reason": "major_deviation", "n": 2}],
    }


@pytest.mark.django_db(transaction=True)
def test_as_known_on_a_moment(cast: Cast, api: Login, deviating: dict[str, Deviation]) -> None:
    """Three steps, each a transaction of its own: recorded, one voided, one screening corrected."""
    reader, moments = api(cast.investigator), []
    moments.append(datetime.now(UTC))
    screening_actions.void_deviation(
        deviation=deviating["major"], by=cast.investigator, version=1, reason="wrong patient"
    )
    moments.append(datetime.now(UTC))
    correct_its_screening(deviating["later"], by=cast.investigator)
    moments.append(datetime.now(UTC))
    assert [n(reader, known_on=moment) for moment in moments] == [2, 3, 4]


def test_a_deviation_is_major_unless_it_says_otherwise(
    cast: Cast, api: Login, deviating: dict[str, Deviation]
) -> None:
    investigator = api(cast.investigator)
    told = {name: investigator.get(f"/deviations/{d.pk}/").json() for name, d in deviating.items()}
    assert {name: one["major"] for name, one in told.items()} == {
        "minor": False, "major": True, "later": True,
    }  # fmt: skip
    first = deviating["minor"]
    patient = factories.candidate(cast.trial, "fifth")
    factories.screening(patient, by=cast.investigator, values=ECOG_2)
    body = {
        "patient": patient.pk, "criterion": first.criterion_id, "justification": "a day late",
        "occurred_on": START.isoformat(),
    }  # fmt: skip
    refused = investigator.post("/deviations/", body | {"major": "no"})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/major"]
    assert investigator.post("/deviations/", body).json()["major"] is True


def test_an_investigator_weighs_a_deviation_anew(
    cast: Cast, api: Login, pages: Callable[..., Client], deviating: dict[str, Deviation]
) -> None:
    reader, pk = api(cast.investigator), deviating["major"].pk
    Trial.objects.update(enrollment_gate="screening")  # what an enrollment rests on stays
    minor = reader.patch(f"/deviations/{pk}/", {"major": False} | WHY, if_match='"1"')
    assert (minor.status_code, minor.json()["major"], minor.json()["version"]) == (200, False, 2)
    assert n(reader) == 3
    refused = api(cast.coordinator).patch(
        f"/deviations/{pk}/", {"major": True} | WHY, if_match='"2"'
    )
    assert refused.status_code == 403
    client, address = pages(cast.investigator), f"/deviations/{pk}/edit/"
    assert 'value="minor" selected' in client.get(address).content.decode()
    body = {"major": "major", "reason": "it bears on the response", "version": "2"}
    assert client.post(address, body).status_code == 302
    assert n(reader) == 2
    assert pages(cast.coordinator).get(address).status_code == 403
    assert pages(cast.outsider).get(address).status_code == 404
    steps = client.get(f"/patients/{deviating['major'].patient_id}/enrollment/").content.decode()
    assert "Major protocol deviation of 2024-01-15:" in steps


GROUPS = [
    # birth year, prior lines, enrolled in 2024 -> age band, lines
    (1985, None, "<40", "unknown"),
    (1984, 0, "40-59", "0"),
    (1965, 1, "40-59", "1"),
    (1964, 2, ">=60", "2"),
    (None, 3, "unknown", ">=3"),
    (1940, 20, ">=60", ">=3"),
]


def test_age_bands_and_prior_lines(cast: Cast, api: Login) -> None:
    """2024 - 1985 = 39; 2024 - 1984 = 40; 2024 - 1965 = 59; 2024 - 1964 = 60."""
    for number, (birth_year, prior_lines, *_expected) in enumerate(GROUPS):
        facts: dict[str, Any] = {"birth_year": birth_year, "prior_lines": prior_lines}
        factories.patient(cast.trial, f"S-{number}", **facts)
    found = {}
    for by in ("age_band", "prior_lines"):
        path = f"/trials/NCT00000001/outcomes/?cutoff=2024-12-31&group_by={by}&stratify_by={by}"
        groups = api(cast.viewer).get(path).json()["groups"]
        found[by] = [(group["group"], group["population"]["n"]) for group in groups]
    assert found["age_band"] == [("<40", 1), ("40-59", 2), (">=60", 2), ("unknown", 1)]
    assert found["prior_lines"] == [
        ("0", 1), ("1", 1), ("2", 1), (">=3", 2), ("unknown", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("number", [-1, 21, 1.5, "2"])
def test_an_implausible_number_of_lines_is_refused(cast: Cast, api: Login, number: Any) -> None:
    patient = factories.patient(cast.trial, "S-1", prior_lines=2)
    client = api(cast.coordinator)
    assert client.get(f"/patients/{patient.pk}/").json()["prior_lines"] == 2
    refused = client.patch(
        f"/patients/{patient.pk}/", {"prior_lines": number} | WHY, if_match='"1"'
    )
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/prior_lines"]
