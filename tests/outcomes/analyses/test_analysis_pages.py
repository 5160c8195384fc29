"""Pages of frozen analyses, and time travel on the dashboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from outcomes.models import Analysis
from patients.models import Patient
from tests import factories
from tests.conftest import Cast
from tests.outcomes.analyses.test_freezing import CUTOFF, frozen, populated
from trials.models import Site, Trial

Pages = Callable[[Any], Client]
LIST = "/trials/NCT00000001/analyses/"
NEW = f"{LIST}new/"
DASHBOARD = "/trials/NCT00000001/"


def text_of(client: Client, address: str, status: int = 200) -> str:
    """A page without its tags, blanks run together."""
    answer = client.get(address)
    assert answer.status_code == status, address
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_choose_look_name_and_freeze(cast: Cast, pages: Pages) -> None:
    populated(cast)
    client = pages(cast.administrator)
    assert f'href="{NEW}"' in client.get(LIST).content.decode()
    page = client.get(f"{NEW}?cutoff={CUTOFF}&population=safety").content.decode()
    assert "Objective response rate" in page
    (action,) = re.findall(r'action="([^"]+)"\s+novalidate\s+data-draft', page)
    assert action == f"{NEW}?cutoff={CUTOFF}&amp;population=safety"
    answer = client.post(action.replace("&amp;", "&"), {"name": "Interim", "note": "DMC"})
    row = Analysis.objects.get()
    assert answer["Location"] == f"/analyses/{row.pk}/"
    assert row.options == {"cutoff": str(CUTOFF), "population": "safety"}
    told = text_of(client, f"/analyses/{row.pk}/")
    for said in (
        "Frozen: Interim.", f"data cutoff {CUTOFF}", "DMC", "the same result, bit for bit",
        row.inputs_sha256, row.result_sha256, "Objective response rate", "01-100",
    ):  # fmt: skip
        assert said in told, said
    assert "Interim" in text_of(client, LIST)


def test_a_cutoff_that_was_not_chosen_is_said_when_it_is_frozen(cast: Cast, pages: Pages) -> None:
    """Between looking and freezing midnight may pass."""
    page = pages(cast.administrator).get(NEW).content.decode()
    assert re.search(rf'action="{NEW}\?cutoff=\d{{4}}-\d\d-\d\d"', page)


def test_what_cannot_be_frozen_says_so(cast: Cast, pages: Pages) -> None:
    frozen(cast)
    client = pages(cast.administrator)
    for body, said in (
        ({"name": "Interim"}, "Taken in this trial"),
        ({}, "This field is required"),
    ):
        answer = client.post(f"{NEW}?cutoff={CUTOFF}", body)
        assert (answer.status_code, said in answer.content.decode()) == (422, True)
    assert client.get(f"{NEW}?cutoff=soon").status_code == 400
    assert client.post(f"{NEW}?cutoff=soon", {"name": "x"}).status_code == 422
    assert Analysis.objects.count() == 1


def test_who_sees_and_who_freezes(cast: Cast, pages: Pages) -> None:
    row = frozen(cast)
    for who, one, new in (
        ("administrator", 200, 200), ("viewer", 200, 403), ("coordinator", 404, 403),
        ("stranger", 404, 404),
    ):  # fmt: skip
        client = pages(getattr(cast, who))
        assert client.get(f"/analyses/{row.pk}/").status_code == one, who
        assert client.get(f"/analyses/{row.pk}/changes/").status_code == one, who
        assert client.get(NEW).status_code == new, who
    told = text_of(pages(cast.coordinator), LIST)
    assert "shown to those who work on the whole trial" in told
    assert "Interim" not in told
    assert pages(cast.stranger).get(LIST).status_code == 404
    assert Client().get(LIST)["Location"].startswith("/login/")


def test_a_masked_trial_says_that_it_is_pooled(cast: Cast, pages: Pages) -> None:
    populated(cast)
    hidden = frozen(cast, "with arms")
    Trial.objects.update(masking="DOUBLE")
    pooled = frozen(cast, "pooled")
    client = pages(cast.viewer)
    assert client.get(f"/analyses/{hidden.pk}/").status_code == 404
    told = text_of(client, LIST)
    assert "with arms" not in told
    assert "arms pooled" in told
    shown = text_of(client, f"/analyses/{pooled.pk}/")
    assert "its figures are pooled" in shown
    assert "hazard ratio" not in shown
    assert "frozen pooled" in text_of(pages(cast.administrator), NEW)


def test_the_ways_out_of_a_frozen_analysis_are_called_live(cast: Cast, pages: Pages) -> None:
    populated(cast)
    row, client, told = frozen(cast), pages(cast.viewer), "Live pages of this trial"
    for address in (f"/analyses/{row.pk}/", f"/analyses/{row.pk}/changes/"):
        assert told in text_of(client, address), address
    for address in (LIST, "/trials/NCT00000001/"):
        assert told not in text_of(client, address), address


def test_what_changed_since_in_words(cast: Cast, pages: Pages) -> None:
    populated(cast)
    row = frozen(cast)
    client = pages(cast.viewer)
    assert "Nothing changed" in text_of(client, f"/analyses/{row.pk}/changes/")
    Patient.objects.filter(subject_id="01-100").update(sex="male", died_on="2024-03-01")
    Trial.objects.update(assessment_interval_days=56)
    told = text_of(client, f"/analyses/{row.pk}/changes/")
    for said in ("01-100 sex female male", "died on – 2024-03-01", "42 56"):
        assert said in told, said
    assert "bit for bit" in text_of(client, f"/analyses/{row.pk}/")


@pytest.mark.parametrize(
    ("address", "statements"),
    [(LIST, 9), ("/analyses/{pk}/", 5), ("/analyses/{pk}/changes/", 17)],
)
def test_statements_do_not_grow(
    cast: Cast, pages: Pages, address: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client: Any = pages(cast.viewer)
    factories.patient(cast.trial, "01-001")  # of nobody no dose is asked for
    for count in (1, 2):
        if count == 2:
            populated(cast)
        row = frozen(cast, f"number {count}")
        with django_assert_num_queries(statements):
            text_of(client, address.format(pk=row.pk))


# Time travel


def test_the_moment_is_taken_and_told_by_the_clock_of_the_trial(cast: Cast, pages: Pages) -> None:
    client = pages(cast.viewer)
    for asked in ("2024-06-01 20:00", "2024-06-01T20:00", "２０２４／０６／０１　２０：００",
                  "2024-06-01 14:00 UTC+2"):  # fmt: skip
        page = client.get(DASHBOARD, {"known_on": asked}).content.decode()
        assert 'value="2024-06-01 20:00"' in page, asked
    told = text_of(client, f"{DASHBOARD}?known_on=2024-06-01T12:00:00Z")
    assert "As known on (Asia/Shanghai, UTC+8)" in told
    assert "as known on 2024-06-01 20:00 UTC+8" in told
    assert "You are looking at the past: what was known on 2024-06-01 20:00 UTC+8." in told
    assert "looking at the past" not in text_of(client, DASHBOARD)


def test_the_clock_is_that_of_most_sites(cast: Cast, pages: Pages) -> None:
    for code in ("03", "04", "05"):
        Site.objects.create(trial=cast.trial, code=code, timezone="Europe/Berlin")
    told = text_of(pages(cast.viewer), f"{DASHBOARD}?known_on=2024-06-01T12:00")
    assert "what was known on 2024-06-01 12:00 UTC+2" in told
    Trial.objects.create(registry_id="X", brief_title="without sites")
    told = text_of(pages(cast.superuser), "/trials/X/")
    assert "As known on (UTC, UTC+0)" in told


def test_links_keep_the_past_and_one_leads_back(cast: Cast, pages: Pages) -> None:
    asked = f"{DASHBOARD}?cutoff={CUTOFF}&known_on=2024-06-01T20:00&group_by=site"
    page = pages(cast.viewer).get(asked).content.decode()
    assert f'href="?cutoff={CUTOFF}&amp;group_by=site"' in page  # back to today's data
    kept = f"?cutoff={CUTOFF}&amp;group_by=site&amp;known_on=2024-06-01T12%3A00%3A00Z"
    links = re.findall(r'href="(/trials/NCT00000001/[^"]*)"', page)
    assert {link for link in links if link.startswith(f"{DASHBOARD}?")} == {DASHBOARD + kept}
    assert f"{DASHBOARD}safety/?cutoff={CUTOFF}&amp;known_on=2024-06-01T12%3A00%3A00Z" in links
    flow = pages(cast.viewer).get(f"{DASHBOARD}consort/?cutoff={CUTOFF}").content.decode()
    assert f'href="{DASHBOARD}accrual/?cutoff={CUTOFF}"' in flow
    listed = pages(cast.administrator).get(LIST + kept.replace("&amp;", "&")).content.decode()
    assert f'href="{NEW}{kept}"' in listed  # what one looks at is what one freezes
    for link in links:
        assert pages(cast.viewer).get(link.replace("&amp;", "&")).status_code in (200, 403)


@pytest.mark.parametrize("asked", ["2999-01-01 00:00", "yesterday", "2024-02-30 00:00"])
def test_a_moment_that_never_was_is_refused(cast: Cast, pages: Pages, asked: str) -> None:
    client, address = pages(cast.viewer), f"{DASHBOARD}?known_on={asked}"
    assert f"As known on: “{asked}” cannot be used. A past moment by the clock" in text_of(
        client, address, 400
    )
    assert f'value="{asked}"' in client.get(address).content.decode()
