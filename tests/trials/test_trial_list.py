"""The list of trials: the page and the API take the same filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from tests import factories
from tests.conftest import Api, Cast
from trials.models import Arm, Criterion, Endpoint, Intervention, ProtocolVersion, Site, Trial

Pages = Callable[..., Client]

TRIALS: dict[str, dict[str, Any]] = {
    "NCT03890068": {
        "brief_title": "Maintenance Treatment for Advanced Soft Tissue Sarcoma",
        "official_title": "After First-line Chemotherapy",
        "acronym": "ALTER-S006",
        "lead_sponsor": "Sun Yat-sen University",
        "conditions": ["Soft Tissue Sarcoma"],
        "status": "UNKNOWN",
        "phase": "PHASE2",
    },
    "NCT04813406": {
        "brief_title": "Anlotinib with sintilimab",
        "lead_sponsor": "Henan Provincial People's Hospital",
        "conditions": ["Esophageal Squamous Cell Carcinoma", "Anti_PD1"],
        "status": "RECRUITING",
        "phase": "PHASE2",
        "sarcoma": False,
        "enrollment_gate": "screening",
    },
    "SUN-2022": {
        "brief_title": "安罗替尼 100% real world",
        "secondary_ids": ["PMID 36196372"],
        "status": "COMPLETED",
        "phase": "NA",
    },
}
ALTER, ESCC, SUN = TRIALS
EVERY = [*TRIALS]

FILTERS: list[tuple[str, list[str]]] = [
    ("", EVERY),
    ("search=nct0", [ALTER, ESCC]),
    ("search=sun-2022", [SUN]),
    ("search=maintenance", [ALTER]),
    ("search=first-line", [ALTER]),
    ("search=alter-s006", [ALTER]),
    ("search=sun+yat-sen", [ALTER]),
    ("search=SUN", [ALTER, SUN]),
    ("search=squamous", [ESCC]),
    ("search=36196372", [SUN]),
    ("search=%E5%AE%89%E7%BD%97", [SUN]),
    ("search=sarcoma+university", [ALTER]),  # every word, each anywhere
    ("search=sarcoma+henan", []),
    ("search=carcinoma,anti", []),  # two conditions are two texts
    ("search=%25", [SUN]),  # what LIKE would take for anything
    ("search=anti_pd", [ESCC]),
    ("search=soft_tissue", []),
    ("search=%5C", []),
    ("search=%7B", []),  # an array's own brace
    ("search=+++", EVERY),
    ("search=&status=&phase=&sarcoma=&enrollment_gate=", EVERY),
    ("status=RECRUITING", [ESCC]),
    ("status=recruiting", [ESCC]),
    ("status=Unknown+status", [ALTER]),
    ("status=TERMINATED", []),
    ("phase=PHASE2", [ALTER, ESCC]),
    ("phase=Phase+2", [ALTER, ESCC]),
    ("phase=N/A", [SUN]),
    ("sarcoma=true", [ALTER, SUN]),
    ("sarcoma=false", [ESCC]),
    ("enrollment_gate=screening", [ESCC]),
    ("enrollment_gate=recorded_elsewhere", [ALTER, SUN]),
    ("search=sarcoma&status=UNKNOWN&phase=PHASE2&sarcoma=true", [ALTER]),
    ("search=sarcoma&status=RECRUITING", []),
]

REFUSED = [
    ("status=closed", "status"),
    ("phase=5", "phase"),
    ("sarcoma=yes", "sarcoma"),
    ("sarcoma=1", "sarcoma"),
    ("enrollment_gate=open", "enrollment_gate"),
    ("search=" + "x" * 201, "search"),
    ("search=%00", "search"),
    ("recruiting=true", "recruiting"),
]


@pytest.fixture
def trials(db: None) -> None:
    for registry_id, fields in TRIALS.items():
        factories.trial(registry_id, **fields)


@pytest.fixture
def root(trials: None, api: Callable[..., Api]) -> Api:
    return api(factories.user(superuser=True))


@pytest.fixture
def reader(trials: None, pages: Pages) -> Client:
    return pages(factories.user(superuser=True))


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_the_api_filters(root: Api, query: str, expected: list[str]) -> None:
    found = root.get(f"/trials/?{query}").json()
    assert [trial["registry_id"] for trial in found["results"]] == expected
    assert found["count"] == len(expected)


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_the_page_filters(reader: Client, query: str, expected: list[str]) -> None:
    answer: Any = reader.get(f"/trials/?{query}")
    assert answer.status_code == 200
    assert [trial.registry_id for trial in answer.context["trials"]] == expected


@pytest.mark.parametrize(("query", "parameter"), REFUSED)
def test_the_api_refuses_what_it_does_not_know(root: Api, query: str, parameter: str) -> None:
    answer = root.get(f"/trials/?{query}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == parameter


@pytest.mark.parametrize(("query", "parameter"), REFUSED)
def test_the_page_refuses_what_it_does_not_know(reader: Client, query: str, parameter: str) -> None:
    answer: Any = reader.get(f"/trials/?{query}")
    assert answer.status_code == 400
    page = answer.content.decode()
    assert f'role="alert">{parameter}: ' in page
    assert "Clear filters" in page
    assert not answer.context["trials"]


def test_an_error_says_what_would_be_accepted(root: Api) -> None:
    detail = root.get("/trials/?enrollment_gate=open").json()["detail"]
    assert detail == "One of: recorded_elsewhere, screening."


def test_the_schema_documents_the_filters(root: Api) -> None:
    schema = root.client.get("/api/v1/schema/?format=json").json()
    listed = schema["paths"]["/api/v1/trials/"]["get"]["parameters"]
    named = {parameter["name"]: parameter["schema"] for parameter in listed}
    filters = {"search", "status", "phase", "sarcoma", "enrollment_gate"}
    assert named.keys() == {*filters, "page", "page_size"}
    assert "ENROLLING_BY_INVITATION" in named["status"]["enum"]
    assert named["search"]["maxLength"] == 200


def test_a_foreign_trial_is_not_found_by_any_word_of_it(cast: Cast, api: Any, pages: Pages) -> None:
    factories.trial("NCT00000002", lead_sponsor="Secret", status="RECRUITING")
    for query in ("search=secret", "search=NCT00000002", "status=RECRUITING"):
        assert api(cast.viewer).get(f"/trials/?{query}").json()["count"] == 0
        assert "NCT00000002</a>" not in pages(cast.viewer).get(f"/trials/?{query}").content.decode()


def test_filters_stay_in_the_address_of_the_next_page(reader: Client) -> None:
    Trial.objects.bulk_create(numbered(60))
    page = reader.get("/trials/?search=study&phase=PHASE3").content.decode()
    assert "60 trials" in page
    assert "search=study&amp;phase=PHASE3&amp;page=2" in page
    assert 'value="study"' in page
    assert '<option value="PHASE3" selected>' in page


def test_empty_lists_say_why(reader: Client, cast: Cast, pages: Pages) -> None:
    filtered = reader.get("/trials/?search=nothing").content.decode()
    assert "No trial matches these filters." in filtered
    assert filtered.count('href="/trials/">Clear filters') == 2
    alone = pages(cast.stranger).get("/trials/").content.decode()
    assert "No trial is open to you yet." in alone
    assert "Clear filters" not in alone


def test_typed_text_is_never_markup(reader: Client) -> None:
    for query in ("search=<script>alert(1)</script>", "status=<script>alert(1)</script>"):
        assert "<script>alert" not in reader.get(f"/trials/?{query}").content.decode()


def test_accrual_is_of_the_readers_sites(cast: Cast, pages: Pages) -> None:
    """Two enrolled at site 01, one at site 02; one is being screened, one is voided."""
    Trial.objects.filter(pk=cast.trial.pk).update(enrollment_target=48)
    for subject, site, fields in (
        ("01-001", "01", {}),
        ("01-002", "01", {}),
        ("01-003", "01", {"enrolled_on": None, "first_dose_on": None}),
        ("01-004", "01", {"voided_at": "2024-02-01T00:00Z"}),
        ("02-001", "02", {}),
    ):
        factories.patient(cast.trial, subject, site=site, **fields)
    assert counts(pages(cast.investigator)) == ("4", "3 of 48")
    assert counts(pages(cast.coordinator)) == ("3", "2 of 48")
    assert counts(pages(cast.outsider)) == ("1", "1 of 48")
    assert counts(pages(cast.superuser)) == ("4", "3 of 48")


def counts(client: Client) -> tuple[str, ...]:
    """Patients and enrolled patients of the first trial, as its row says them."""
    page = client.get("/trials/").content.decode()
    return tuple(cell(page, label) for label in ("Patients", "Enrolled"))


def cell(page: str, label: str) -> str:
    start = page.index(">", page.index(f'data-l="{label}"')) + 1
    return " ".join(page[start : page.index("</td>", start)].split())


def test_the_list_leads_to_the_trial_and_to_its_outcomes(cast: Cast, pages: Pages) -> None:
    page = pages(cast.viewer).get("/trials/").content.decode()
    assert 'href="/trials/NCT00000001/detail/"' in page
    assert 'href="/trials/NCT00000001/"' in page


def numbered(n: int) -> Iterator[Trial]:
    """Trials with a phase of their own."""
    for number in range(n):
        yield Trial(
            registry_id=f"STUDY-{number:04}",
            brief_title=f"Study {number}",
            phase="PHASE3",
            enrollment_target=48,
        )


@pytest.fixture
def thousand(db: None) -> None:
    """A thousand trials, each with one of every list."""
    trials = Trial.objects.bulk_create(numbered(1000))
    ProtocolVersion.objects.bulk_create(
        ProtocolVersion(trial=trial, number=1, label="1") for trial in trials
    )
    Site.objects.bulk_create(Site(trial=trial, code="01") for trial in trials)
    arms = Arm.objects.bulk_create(Arm(trial=trial, name="Anlotinib") for trial in trials)
    Intervention.objects.bulk_create(Intervention(arm=arm, name="Anlotinib") for arm in arms)
    Endpoint.objects.bulk_create(Endpoint(trial=trial, kind="OS") for trial in trials)
    Criterion.objects.bulk_create(
        Criterion(trial=trial, kind="inclusion", text="18 years or older") for trial in trials
    )


def test_a_thousand_trials_are_listed_in_as_many_statements_as_one(
    cast: Cast, thousand: None, api: Any, pages: Pages,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    few, many = "search=study-0001&phase=PHASE3", "search=study&phase=PHASE3"
    root, reader = api(cast.superuser), pages(cast.superuser)
    for query, listed, shown in ((few, 1, 1), (many, 500, 50)):
        with django_assert_num_queries(11):  # token, count, trials, eight lists
            answer = root.get(f"/trials/?page_size=500&{query}").json()
        assert len(answer["results"]) == listed
        with django_assert_num_queries(4):  # session, user, count, trials
            page: Any = reader.get(f"/trials/?{query}")
        assert len(page.context["trials"]) == shown
    assert answer["count"] == page.context["page_obj"].paginator.count == 1000
