"""A trial's adverse events over HTTP and on the pages: figures, scope, refusals, statements."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from patients.models import AdverseEvent, Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START, adverse_event

Login = Callable[[Any], Api]
Pages = Callable[..., Client]
PATH = "/trials/NCT00000001/safety/"
DASHBOARD = "/trials/NCT00000001/"
VASCULAR = "Vascular disorders"
RESPIRATORY = "Respiratory, thoracic and mediastinal disorders"
GENERAL = "General disorders and administration site conditions"


@pytest.fixture
def patients(cast: Cast) -> list[Patient]:
    """Two treated patients at site 01 and one at site 02; one at site 01 never treated."""
    first, second = (factories.patient(cast.trial, f"01-{n}") for n in (1, 2))
    third = factories.patient(cast.trial, "02-1", site="02", died_on="2024-06-01")
    untreated = factories.patient(cast.trial, "01-3", first_dose_on=None)
    adverse_event(first, "Hypertension", 3)
    adverse_event(first, "Fatigue", 1, related=False)
    adverse_event(second, "Hypertension", 2, serious=True, action_taken="dose_reduced")
    adverse_event(third, "Pneumothorax", 5, related=False)
    adverse_event(untreated, "Hypertension", 4)
    return [first, second, third, untreated]


def share(patients: int, n: int) -> dict[str, Any]:
    """As the API says it."""
    return {"patients": patients, "n": n, "estimate": patients / n if n else None}


NAMES = ("any_grade", "grade_3_or_more", "grade_3_4", "grade_5", "serious")
ACTIONS = ("drug_withdrawn", "dose_reduced", "drug_interrupted")


def counts(
    n: int, *patients: int, worst: tuple[int, ...] = (0,) * 5, actions: tuple[int, ...] = (0,) * 3
) -> dict[str, Any]:
    """As NAMES, by worst grade 1 to 5, and as ACTIONS."""
    found: dict[str, Any] = {name: share(k, n) for name, k in zip(NAMES, patients, strict=True)}
    grades = {f"grade_{grade}": share(k, n) for grade, k in enumerate(worst, 1)}
    taken = {name: share(k, n) for name, k in zip(ACTIONS, actions, strict=True)}
    return found | {"worst_grades": grades, "actions": taken}


def test_the_whole_document(cast: Cast, api: Login, patients: list[Patient]) -> None:
    type(cast.trial).objects.update(ctcae_version="5.0", ae_window_days=30)
    adverse_event(patients[0], "Sepsis", 5, day=0)  # before the first dose
    adverse_event(patients[0], "Sepsis", 5, day=400)  # after the cutoff
    answer = api(cast.investigator).get(f"{PATH}?cutoff=2024-12-31")
    pressure = {"actions": (0, 1, 0)}
    hypertension = {
        "all": counts(3, 2, 1, 1, 0, 1, worst=(0, 1, 1, 0, 0), **pressure),
        "related": counts(3, 2, 1, 1, 0, 1, worst=(0, 1, 1, 0, 0), **pressure),
    }
    pneumothorax = {
        "all": counts(3, 1, 1, 0, 1, 0, worst=(0, 0, 0, 0, 1)),
        "related": counts(3, 0, 0, 0, 0, 0),
    }
    fatigue = {
        "all": counts(3, 1, 0, 0, 0, 0, worst=(1, 0, 0, 0, 0)),
        "related": counts(3, 0, 0, 0, 0, 0),
    }
    assert answer.status_code == 200
    assert answer.json() == {
        "trial": "NCT00000001",
        "cutoff": "2024-12-31",
        "known_on": None,
        "synthetic": False,
        "ctcae_version": "5.0",
        "population": {"name": "safety", "n": 3},
        "window_days": 30,
        "outside_period": 1,
        "any": {
            "all": counts(3, 3, 2, 1, 1, 1, worst=(0, 1, 1, 0, 1), **pressure),
            "related": counts(3, 2, 1, 1, 0, 1, worst=(0, 1, 1, 0, 0), **pressure),
        },
        "classes": [
            {"system_organ_class": VASCULAR} | hypertension,
            {"system_organ_class": RESPIRATORY} | pneumothorax,
            {"system_organ_class": GENERAL} | fatigue,
        ],
        "terms": [
            {"term": "Hypertension", "system_organ_class": VASCULAR} | hypertension,
            {"term": "Pneumothorax", "system_organ_class": RESPIRATORY} | pneumothorax,
            {"term": "Fatigue", "system_organ_class": GENERAL} | fatigue,
        ],
        "arms": [],
        "arms_reason": "fewer_than_two_arms",
    }  # fmt: skip


SCOPE = [("coordinator", 2, 2), ("outsider", 1, 1), ("investigator", 3, 3), ("viewer", 3, 3)]


@pytest.mark.parametrize(("who", "n", "with_event"), SCOPE)
def test_n_is_the_readers_patients(
    cast: Cast, api: Login, patients: list[Patient], who: str, n: int, with_event: int
) -> None:
    body = api(getattr(cast, who)).get(f"{PATH}?cutoff=2024-12-31").json()
    assert body["population"]["n"] == n
    assert body["any"]["all"]["any_grade"] == share(with_event, n)


def test_what_does_not_count(cast: Cast, api: Login, patients: list[Patient]) -> None:
    client, now = api(cast.investigator), timezone.now()
    Patient.objects.filter(subject_id="01-1").update(last_dose_on=START + timedelta(days=1))
    adverse_event(patients[0], "Rash", day=22)  # 21 days after the last dose
    adverse_event(patients[0], "Edema", day=23)
    adverse_event(patients[1], "Nausea", voided_at=now)
    Patient.objects.filter(subject_id="02-1").update(voided_at=now)

    def terms(cutoff: str) -> list[str]:
        return [row["term"] for row in client.get(f"{PATH}?cutoff={cutoff}").json()["terms"]]

    assert terms("2024-12-31") == ["Hypertension", "Fatigue", "Rash"]
    assert terms("2024-02-05") == ["Hypertension", "Fatigue"]  # the rash is of the 6th
    assert terms("2024-01-24") == []  # the others are of the 25th
    body = client.get(f"{PATH}?cutoff=2024-01-15").json()  # the first doses are of the 16th
    assert body["population"]["n"] == 0
    assert body["any"]["all"]["serious"] == share(0, 0)


def test_today_is_the_cutoff_where_none_is_asked(cast: Cast, api: Login) -> None:
    today = cast.trial.sites.get(code="01").today().isoformat()
    assert api(cast.viewer).get(PATH).json()["cutoff"] == today


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("cutoff=yesterday", "cutoff"), ("cutoff=2024-02-30", "cutoff"), ("cutoff=%00", "cutoff"),
     ("population=safety", "population"), ("known_on=2024-01-01", "known_on"),
     ("known_on=2999-01-01T00:00:00Z", "known_on"), ("x=1", "x")],
)  # fmt: skip
def test_a_useless_parameter_is_named(cast: Cast, api: Login, query: str, parameter: str) -> None:
    answer = api(cast.viewer).get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == parameter


def test_a_foreign_trial_answers_as_one_that_does_not_exist(cast: Cast, api: Login) -> None:
    client = api(cast.stranger)
    answers = [client.get(f"/trials/{name}/safety/") for name in ("NCT00000001", "NCT9", "%00")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert Client().get(f"/api/v1{PATH}").status_code == 401


def test_statements_do_not_grow(
    cast: Cast, api: Login, patients: list[Patient],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client, known_on = api(cast.investigator), "2024-06-01T00:00:00Z"
    for number in range(2):
        # token, trial, patients, events, doses; of a moment before all the trial as first entered
        for query, statements in (("", 5), (f"&known_on={known_on}", 7)):
            with django_assert_num_queries(statements):
                client.get(f"{PATH}?cutoff=2024-12-31{query}")
        with django_assert_num_queries(6):  # and the sites' clocks
            client.get(PATH)
        for day in range(20):
            adverse_event(patients[number], "Nausea", day=day)
            adverse_event(factories.patient(cast.trial, f"x-{number}-{day}"))


@pytest.mark.django_db(transaction=True)
def test_what_was_read_at_a_moment_is_read_again(cast: Cast, api: Login, pages: Pages) -> None:
    client, browser = api(cast.investigator), pages(cast.investigator)
    patient = factories.patient(cast.trial)
    event = adverse_event(patient, "Hypertension", 1)

    def read(known_on: str = "") -> tuple[Any, ...]:
        asked = f"cutoff=2024-12-31&known_on={known_on}"
        body = client.get(f"{PATH}?{asked}").json()
        assert body.pop("known_on") == (known_on or None)
        page = browser.get(f"{DASHBOARD}?{asked}").content.decode()
        shown = page[page.find("Of any cause") : page.index('id="patients"')]
        shown = re.sub(r"&amp;known_on=[^\"]+", "", shown)  # of the link to the tables of safety
        return body, shown if "Of any cause" in page else ""

    steps: list[Callable[[], Any]] = [
        lambda: AdverseEvent.objects.filter(pk=event.pk).update(grade=3),
        lambda: Patient.objects.update(last_dose_on=patient.first_dose_on),
        lambda: adverse_event(patient, "Fatigue", 4),
        lambda: AdverseEvent.objects.filter(pk=event.pk).update(voided_at=timezone.now()),
        lambda: Patient.objects.update(voided_at=timezone.now()),
    ]
    then = [(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", read())]
    for step in steps:
        step()
        then.append((f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", read()))
    grades = [
        [body["any"]["all"][name]["patients"] for name in ("any_grade", "grade_3_or_more")]
        for _, (body, _) in then
    ]
    assert grades == [[1, 0], [1, 1], [1, 1], [1, 1], [1, 1], [0, 0]]
    for known_on, found in then:
        assert read(known_on) == found


# Pages


def test_the_dashboard_shows_related_events(
    cast: Cast, pages: Pages, patients: list[Patient]
) -> None:
    type(cast.trial).objects.update(ctcae_version="4.03")
    page = pages(cast.investigator).get(DASHBOARD).content.decode()
    told = " ".join(re.sub("<[^>]*>", "", page).split())
    assert (
        "Of any cause: 3 of 3 patients with an adverse event · 2 of 3 patients with grade" in told
    )
    table = page[page.index("Any related event") :]
    assert table.index("2 of 3 patients") < table.index("Hypertension")
    assert "Fatigue" not in table
    assert "Pneumothorax" not in table
    assert "up to 21 days after the last dose" in table
    assert "Grades: CTCAE 4.03." in table
    assert "left out" not in table


def test_the_dashboard_shows_ten_terms_and_says_what_it_leaves_out(
    cast: Cast, pages: Pages
) -> None:
    one, other = (factories.patient(cast.trial) for _ in range(2))
    for number in range(12):
        adverse_event(one, f"Term {number:02}", grade=3 if number == 11 else 1)
    adverse_event(other, "Term 10")
    page = pages(cast.coordinator).get(DASHBOARD).content.decode()
    shown = [f"Term {n:02}" for n in range(12) if f"Term {n:02}" in page]
    assert shown == [f"Term {n:02}" for n in (0, 1, 2, 3, 4, 5, 6, 7, 10, 11)]
    assert page.index("Term 10") < page.index("Term 11") < page.index("Term 00")
    assert "2 rarer terms are left out." in page


def test_without_events_there_is_no_table(
    cast: Cast, pages: Pages, patients: list[Patient]
) -> None:
    page = pages(cast.investigator).get(f"{DASHBOARD}?cutoff=2024-01-20").content.decode()
    assert "Adverse events" not in page


def test_a_patients_page_lists_the_events(
    cast: Cast, pages: Pages, patients: list[Patient]
) -> None:
    first, quiet = patients[0], factories.patient(cast.trial)
    adverse_event(first, "Diarrhea", ended_on="2024-02-03", action_taken="drug_interrupted")
    adverse_event(first, "Vomiting", voided_at=timezone.now())
    page = pages(cast.coordinator).get(f"/patients/{first.pk}/").content.decode()
    section = page[page.index('id="adverse-events"') :]
    for said in (
        "Hypertension",
        "Fatigue",
        "Diarrhea",
        "drug interrupted",
        "2024-02-03",
        "ongoing",
    ):
        assert said in section
    assert "Vomiting" not in section
    page = pages(cast.coordinator).get(f"/patients/{quiet.pk}/").content.decode()
    assert "No adverse event is recorded." in page


def test_a_term_is_never_markup(cast: Cast, pages: Pages) -> None:
    patient = factories.patient(cast.trial)
    adverse_event(patient, "<script>alert(1)</script>")
    for address in (DASHBOARD, f"/patients/{patient.pk}/"):
        page = pages(cast.coordinator).get(address).content.decode()
        assert "&lt;script&gt;alert" in page
        assert "<script>alert" not in page
