"""A trial's report as a document: what it says of itself, and the same as JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from outcomes.labels import ENDS
from outcomes.wording import SENTENCES
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from trials.models import Endpoint

Pages = Callable[..., Client]
Login = Callable[[Any], Api]
CUTOFF = "?cutoff=2024-12-31"


@pytest.fixture
def studied(cast: Cast) -> Cast:
    """Two patients of the coordinator's site: one with a progression, one without a visit."""
    first = factories.patient(cast.trial, "01-001")
    factories.patient(cast.trial, "01-002")
    factories.baseline(first, by=cast.coordinator)
    factories.follow_up(first, 43, (70, 30), by=cast.coordinator)
    return cast


def text_of(page: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(unescape(strip_tags(page)).split())


def page_of(cast: Cast, pages: Pages, query: str = CUTOFF) -> str:
    answer = pages(cast.investigator).get(f"/trials/{cast.trial.registry_id}/report/{query}")
    assert answer.status_code == 200
    return text_of(answer.content.decode())


def document(cast: Cast, api: Login, query: str = CUTOFF) -> Any:
    answer = api(cast.investigator).get(f"/trials/{cast.trial.registry_id}/report/{query}")
    assert answer.status_code == 200
    return answer.json()


def test_every_ending_has_a_short_name() -> None:
    ends = {c for c in SENTENCES if re.match("progression($|_dated)|death$|censored_", c)}
    assert set(ENDS) == ends


def test_the_methods_follow_the_definitions(studied: Cast, pages: Pages) -> None:
    assert "CR and PR are confirmed at least 28 days later." in page_of(studied, pages)
    Endpoint.objects.create(
        trial=studied.trial,
        kind="PFS",
        name="FDA primary",
        definition={"censoring": {"rule": "fda", "censor_at": "last_any"}},
    )
    Endpoint.objects.create(
        trial=studied.trial,
        kind="ORR",
        definition={"confirmation": {"required": False}, "proportion_interval": "wilson"},
    )
    page = page_of(studied, pages)
    assert "Responses need no confirmation." in page
    assert "Progression-free survival: FDA primary" in page
    assert "Assessments that were not evaluable count for a censoring, too." in page
    assert "Wilson EB. J Am Stat Assoc 1927" in page
    assert "Planned every 42 days, with a window of 7 days" in page


def test_why_the_times_end_is_counted(studied: Cast, pages: Pages, api: Login) -> None:
    ends = [
        (e["endpoint"], e["code"], e["event"], e["patients"])
        for e in document(studied, api)["ends"]
    ]
    assert ends == [
        ("PFS", "progression", True, 1),
        ("PFS", "censored_never_assessed", False, 1),
        ("OS", "censored_last_known_alive", False, 2),
    ]
    assert "never assessed: the time origin censored 1" in page_of(studied, pages)


def test_the_page_and_the_document_have_one_hash(studied: Cast, pages: Pages, api: Login) -> None:
    found = document(studied, api)
    content = {k: v for k, v in found.items() if k not in ("sha256", "made_at")}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert found["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert found["sha256"] in page_of(studied, pages)
    assert document(studied, api, "?cutoff=2024-01-01")["sha256"] != found["sha256"]


def test_a_bad_option_is_named(studied: Cast, pages: Pages, api: Login) -> None:
    address = f"/trials/{studied.trial.registry_id}/report/?cutoff=soon"
    answer = pages(studied.investigator).get(address)
    assert answer.status_code == 400
    assert b"cutoff: A date such as" in answer.content
    assert api(studied.investigator).get(address).json()["errors"][0]["parameter"] == "cutoff"


def test_a_foreign_trial_is_not_there(studied: Cast, pages: Pages, api: Login) -> None:
    address = f"/trials/{studied.trial.registry_id}/report/"
    assert pages(studied.stranger).get(address).status_code == 404
    assert api(studied.stranger).get(address).status_code == 404


def test_a_coordinator_reads_the_own_site(studied: Cast, pages: Pages) -> None:
    factories.patient(studied.trial, "02-001", site="02")
    address = f"/trials/{studied.trial.registry_id}/report/{CUTOFF}"
    page = text_of(pages(studied.coordinator).get(address).content.decode())
    assert "Only your sites: 01" in page
    assert "02-001" not in page


def test_statements_do_not_grow_with_patients(
    studied: Cast, pages: Pages, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = pages(studied.investigator)
    address = f"/trials/{studied.trial.registry_id}/report/{CUTOFF}"
    with django_assert_num_queries(27):
        client.get(address)
    for number in range(3, 9):
        row = factories.patient(studied.trial, f"01-00{number}")
        factories.baseline(row, by=studied.coordinator)
    with django_assert_num_queries(27):
        client.get(address)
