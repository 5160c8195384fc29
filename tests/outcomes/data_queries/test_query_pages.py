"""Pages of queries: each works, refuses, and counts its statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from outcomes.entries import VisitEntry
from patients.models import Patient, Query
from patients.query_actions import open_query
from registry.models import User
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries

Pages = Callable[[User], Client]


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient whose second visit has a lesion of 12 mm after 30."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    factories.follow_up(row, 43, (49, 12), by=cast.coordinator)
    return row


@pytest.fixture
def query(patient: Patient) -> Query:
    """What that opened."""
    return Query.objects.get()


def text(client: Any, path: str) -> str:
    """What a page says, in one line."""
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_same_words_on_every_page(cast: Cast, pages: Pages, query: Query) -> None:
    client = pages(cast.coordinator)
    for path in (
        "/queries/", f"/queries/{query.pk}/", f"/patients/{query.patient_id}/queries/",
        f"/patients/{query.patient_id}/",
    ):  # fmt: skip
        page = text(client, path)
        assert "T02 was 30 mm on 2024-01-15 and is 12 mm now (-60.0 %)." in page
        assert "Week 6, 2024-02-27, T02" in page
        assert '<span aria-hidden="true">?</span> open' in page
        assert f'id="query-{query.pk}"' in page


def test_the_list_is_filtered_and_paged(cast: Cast, pages: Pages, query: Query) -> None:
    client = pages(cast.coordinator)
    for asked, shown in (
        ("", True), ("state=open", True), ("state=closed", False), ("state=lost", True),
        ("trial=NCT00000001&site=01", True), ("site=02", False), ("trial=%00", True),
        ("page=x", True), ("page=9", True),
    ):  # fmt: skip
        assert ("-60.0 %" in text(client, f"/queries/?{asked}")) is shown, asked
    assert "No query matches" in text(client, "/queries/?state=closed")
    assert "No open query." in text(pages(cast.outsider), "/queries/")
    assert Client().get("/queries/").status_code == 302


def test_answered_closed_and_opened_again_from_its_page(
    cast: Cast, pages: Pages, query: Query
) -> None:
    path = f"/queries/{query.pk}/"

    def say(by: User, act: str, version: int, text: str = "Read again.") -> Any:
        return pages(by).post(path, {"act": act, "text": text, "version": version})

    assert say(cast.coordinator, "answer", 1).url == path
    assert "↩</span> answered" in text(pages(cast.coordinator), path)
    assert say(cast.coordinator, "close", 2).status_code == 403
    stale = say(cast.investigator, "close", 1)
    assert stale.status_code == 422
    assert "Somebody wrote here meanwhile" in stale.content.decode()
    assert say(cast.investigator, "close", 2, "  ").status_code == 422
    assert say(cast.investigator, "close", 2).status_code == 302
    assert "Closed: resolved." in text(pages(cast.coordinator), path)
    assert say(cast.coordinator, "answer", 3).status_code == 422
    assert say(cast.investigator, "reopen", 3).status_code == 302
    assert [m.action for m in query.messages.all()] == ["answered", "closed", "reopened"]


def test_an_investigator_asks_about_a_lesion(cast: Cast, pages: Pages, patient: Patient) -> None:
    visit = patient.visits.get(kind="baseline")
    path = f"/patients/{patient.pk}/queries/"
    client = pages(cast.investigator)
    form = text(client, f"{path}?visit={visit.pk}&lesion=T01")
    assert f'value="visit:{visit.pk}" selected' in form
    assert '<option value="T01" selected' in form
    said = {"record": f"visit:{visit.pk}", "lesion": "T01", "text": "Long axis?"}
    assert client.post(path, said).status_code == 302
    assert "Long axis?" in text(pages(cast.coordinator), path)
    twice: Any = client.post(path, said)
    assert twice.status_code == 422
    assert "There is an open query about this already." in twice.content.decode()
    nothing: Any = client.post(path, {"record": "visit:x", "lesion": "T09", "text": ""})
    assert nothing.status_code == 422
    assert pages(cast.coordinator).post(path, said | {"lesion": ""}).status_code == 403
    assert "Ask the site" not in text(pages(cast.coordinator), path)


def test_a_value_that_fits_closes_it_and_says_so(
    cast: Cast, pages: Pages, patient: Patient, query: Query
) -> None:
    from outcomes import actions

    visit = patient.visits.get(kind="scheduled")
    entry = VisitEntry(
        kind="scheduled", date=visit.date, new_lesions=(),
        targets=(factories.target("T01", 49), factories.target("T02", None, state="too_small")),
        non_targets=(factories.non_target("NT01"),),
    )  # fmt: skip
    actions.correct_visit(visit=visit, entry=entry, by=cast.coordinator, reason="x", version=1)
    page = text(pages(cast.coordinator), f"/queries/{query.pk}/")
    assert "Closed by itself: the value is Too small to measure (5 mm) now." in page


def test_a_foreign_query_does_not_exist(cast: Cast, pages: Pages, query: Query) -> None:
    for path in (f"/queries/{query.pk}/", f"/patients/{query.patient_id}/queries/"):
        assert pages(cast.outsider).get(path).status_code == 404
        assert pages(cast.outsider).post(path, {"act": "answer"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "statements"),
    [("/queries/", 7), ("/patients/{patient}/queries/", 9), ("/queries/{query}/", 8)],
)
def test_statements_do_not_grow(
    cast: Cast, pages: Pages, query: Query, path: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    patient, client = query.patient, pages(cast.coordinator)
    address = path.format(patient=patient.pk, query=query.pk)
    visit = patient.visits.get(kind="baseline")
    for lesion in ("", "T01", "T02"):
        open_query(patient=patient, by=cast.investigator, subject="visit", record_id=visit.pk,
                   lesion=lesion, text="?")  # fmt: skip
    with django_assert_num_queries(statements):
        assert client.get(address).status_code == 200
    open_query(patient=patient, by=cast.investigator, subject="patient", record_id=patient.pk,
               text="?")  # fmt: skip
    with django_assert_num_queries(statements):
        assert client.get(address).status_code == 200
