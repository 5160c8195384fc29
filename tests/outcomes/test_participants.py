"""A trial's list of patients: filters, columns, scope, and the number of statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from outcomes import participants
from patients.models import Allocation, Disposition
from tests import factories
from tests.conftest import Cast
from trials.models import Arm, Trial

Pages = Callable[..., Client]
ADDRESS = "/trials/NCT00000001/patients/"


@pytest.fixture
def people(cast: Cast) -> None:
    """One of each standing; 02-001 is at the other site."""
    today, by = cast.trial.sites.get(code="01").today(), cast.coordinator
    arms = [Arm.objects.create(trial=cast.trial, name=name) for name in ("anlotinib", "placebo")]
    responder = factories.patient(cast.trial, "01-001")
    factories.baseline(responder, by=by)
    factories.follow_up(responder, 43, (30, 20), by=by)  # 50 of 80 mm
    factories.follow_up(responder, 85, (28, 20), by=by)
    Allocation.objects.create(patient=responder, trial=cast.trial, arm=arms[0])
    progressed = factories.patient(cast.trial, "01-002")
    factories.baseline(progressed, by=by)
    factories.follow_up(progressed, 43, (70, 40), by=by)
    Allocation.objects.create(patient=progressed, trial=cast.trial, arm=arms[1])
    lost = factories.patient(cast.trial, "01-003")
    Disposition.objects.create(patient=lost, kind="lost_to_follow_up", on=factories.START)
    factories.patient(cast.trial, "01-004", died_on=factories.START + timedelta(days=9))
    factories.candidate(cast.trial, "01-005")
    recent = factories.patient(
        cast.trial, "01-006", enrolled_on=today - timedelta(days=2), first_dose_on=today
    )
    factories.baseline(recent, by=by, on=today - timedelta(days=1))
    factories.patient(cast.trial, "02-001", site="02")


EVERY = ["01-001", "01-002", "01-003", "01-004", "01-005", "01-006", "02-001"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", EVERY),
        ("site=&status=&best=&overdue=&arm=", EVERY),
        ("site=02", ["02-001"]),
        ("status=progressed", ["01-002"]),
        ("status=lost_to_follow_up", ["01-003"]),
        ("status=died", ["01-004"]),
        ("status=not_enrolled", ["01-005"]),
        ("status=on_study", ["01-001", "01-006", "02-001"]),
        ("status=withdrawn", []),
        ("arm=anlotinib", ["01-001"]),
        ("arm=placebo", ["01-002"]),
        ("best=PR", ["01-001"]),  # confirmed after 42 days
        ("best=PD", ["01-002"]),
        ("best=NE", ["01-003", "01-004", "01-005", "01-006", "02-001"]),
        ("overdue=yes", ["01-001", "02-001"]),  # week 18, and a baseline
        ("overdue=yes&best=PR&site=01&status=on_study&arm=anlotinib", ["01-001"]),
        ("overdue=yes&best=PD", []),
    ],
)
def test_filters(cast: Cast, pages: Pages, people: None, query: str, expected: list[str]) -> None:
    answer: Any = pages(cast.investigator).get(f"{ADDRESS}?{query}")
    assert answer.status_code == 200
    assert [line.patient.subject_id for line in answer.context["lines"]] == expected


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("site=03", "site"),
        ("status=alive", "status"),
        ("arm=other", "arm"),
        ("best=better", "best"),
        ("overdue=no", "overdue"),
        ("subject=1", "subject"),
        ("site=%00", "site"),
    ],
)
def test_what_cannot_be_filtered(
    cast: Cast, pages: Pages, people: None, query: str, parameter: str
) -> None:
    answer: Any = pages(cast.investigator).get(f"{ADDRESS}?{query}")
    assert answer.status_code == 400
    page = answer.content.decode()
    assert f'role="alert">{parameter}: ' in page
    assert page.count("Clear filters") == 2
    assert not answer.context["lines"]


def test_no_match_offers_to_clear_the_filters(cast: Cast, pages: Pages, people: None) -> None:
    page = pages(cast.investigator).get(f"{ADDRESS}?status=withdrawn").content.decode()
    assert "No patient matches these filters." in page
    assert f'href="{ADDRESS}">Clear filters' in page


def test_what_a_line_says(cast: Cast, pages: Pages, people: None) -> None:
    answer: Any = pages(cast.coordinator).get(ADDRESS)
    lines = {line.patient.subject_id: line for line in answer.context["lines"]}
    assert sorted(lines) == [subject for subject in EVERY if subject.startswith("01")]
    first = lines["01-001"]
    assert (first.last_label, first.sum_mm, first.from_baseline) == ("Week 12", "48", "-40.0 %")
    assert (first.response, first.best_response) == ("PR", "PR")
    assert first.outlook.expected.label == "Week 18"
    assert (lines["01-006"].last_label, lines["01-006"].from_baseline) == ("Baseline", "")
    assert lines["01-005"].last is None


def test_arms_are_hidden_where_they_are_blinded(cast: Cast, pages: Pages, people: None) -> None:
    Trial.objects.update(masking="DOUBLE")
    client = pages(cast.investigator)
    page = client.get(ADDRESS).content.decode()
    assert "anlotinib" not in page
    assert "The arms are blinded." in page
    assert client.get(f"{ADDRESS}?arm=anlotinib").status_code == 400


def test_filters_stay_in_the_address_of_the_next_page(
    cast: Cast, pages: Pages, people: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(participants, "PER_PAGE", 2)
    client = pages(cast.investigator)
    page = client.get(f"{ADDRESS}?status=on_study").content.decode()
    assert "status=on_study&amp;page=2" in page
    answer: Any = client.get(f"{ADDRESS}?status=on_study&page=2")
    assert [line.patient.subject_id for line in answer.context["lines"]] == ["02-001"]


def test_a_foreign_trial_is_not_there(cast: Cast, pages: Pages) -> None:
    assert pages(cast.stranger).get(ADDRESS).status_code == 404
    assert pages(cast.coordinator).get("/trials/NCT9/patients/").status_code == 404


def test_who_may_not_add_is_not_asked_to(cast: Cast, pages: Pages) -> None:
    assert "Add a patient" not in pages(cast.viewer).get(ADDRESS).content.decode()
    assert "Add a patient" in pages(cast.coordinator).get(ADDRESS).content.decode()


@pytest.mark.parametrize(
    ("query", "statements"), [("", 18), ("?best=PR", 23), ("?overdue=yes", 18)]
)
def test_statements_do_not_grow(
    cast: Cast, pages: Pages, people: None, query: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client = pages(cast.investigator)
    with django_assert_num_queries(statements):
        client.get(f"{ADDRESS}{query}")
    for number in range(6):
        more = factories.patient(cast.trial, f"01-1{number}")
        factories.baseline(more, by=cast.coordinator)
        factories.follow_up(more, 43, (30, 20), by=cast.coordinator)
    with django_assert_num_queries(statements):
        client.get(f"{ADDRESS}{query}")
