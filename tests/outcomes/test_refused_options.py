"""Options that a page cannot use: kept as typed, told at their fields, and no figures by others."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests import factories
from tests.conftest import Cast

Pages = Callable[..., Client]
TRIAL = "/trials/NCT00000001/"
PAGES = (
    *(TRIAL + path for path in (
        "", "groups/", "statistics/", "safety/", "safety/exposure/", "safety/patients/",
        "consort/", "consort/patients/", "accrual/", "figures/", "figures/pfs/",
        "figures/swimmer/", "report/", "endpoints/", "review/", "analyses/new/",
    )),
    "/studies/",
)  # fmt: skip


def control(page: str, name: str) -> str:
    """The start tag of the control of this name."""
    found = re.search(rf'<(?:input|select)[^>]*name="{name}"[^>]*>', page)
    return found[0] if found else ""


@pytest.mark.parametrize("path", PAGES)
def test_a_wrong_cutoff_is_kept_and_told_at_its_field(cast: Cast, pages: Pages, path: str) -> None:
    factories.baseline(factories.patient(cast.trial, "01-001"), by=cast.coordinator)
    client = pages(cast.superuser)
    assert client.get(path).status_code == 200
    answer = client.get(f"{path}?cutoff=08/08/2022")
    page = " ".join(answer.content.decode().split())
    assert answer.status_code == 400
    told = "Data cutoff: “08/08/2022” cannot be used. Give the date as YYYY-MM-DD."
    assert f'<a class="alert-link" href="#id_cutoff">{told}</a>' in page
    tag = control(page, "cutoff")
    for said in ('value="08/08/2022"', 'aria-invalid="true"', 'aria-describedby="id_cutoff_error"'):
        assert said in tag, said
    assert "<title> Error:" in page
    assert not re.search("<svg|<table|01-001|95% CI", page)


SEVERAL = [
    ("statistics/?cutoff=2022-02-30&rmst=x&landmarks=3&population=all",
     {"cutoff": "No calendar has this day.", "rmst": "A number of months",
      "population": "Choose one of: Enrolled patients, "}, {"landmarks": "3"}),
    ("?cutoff=2022-08-08&known_on=2999-01-01T00:00&by=x",
     {"known_on": "A past moment by the clock beside the field"}, {"cutoff": "2022-08-08"}),
    ("safety/?minimum=101&grade=x&cause=related",
     {"minimum": "A whole number of percent", "grade": "Choose one of: Any grade"}, {}),
    ("figures/pfs/?rmst=x&landmarks=9", {"rmst": "A number of months"}, {"landmarks": "9"}),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "wrong", "kept"), SEVERAL)
def test_all_that_is_wrong_is_told_at_once(
    cast: Cast, pages: Pages, asked: str, wrong: dict[str, str], kept: dict[str, str]
) -> None:
    answer = pages(cast.viewer).get(TRIAL + asked)
    page = " ".join(answer.content.decode().split())
    assert answer.status_code == 400
    for name, said in wrong.items():
        assert f'href="#id_{name}"' in page
        assert 'aria-invalid="true"' in control(page, name), name
        assert said in page
    assert page.count('aria-invalid="true"') == len(wrong)
    for name, value in kept.items():
        assert f'value="{value}"' in control(page, name)
    assert ("“by=x” in the address cannot be used." in page) == ("by=x" in asked)


def test_in_chinese_choices_are_named_and_not_their_keys(cast: Cast, pages: Pages) -> None:
    client = pages(cast.viewer)
    client.cookies["django_language"] = "zh-hans"
    page = client.get(f"{TRIAL}?population=all").content.decode()
    found = re.search(r"“all”(.*?)</a>", page, re.DOTALL)
    assert found
    assert not re.search("enrolled|evaluable|safety", found[1])


def test_further_options_are_folded_up_until_one_is_set(cast: Cast, pages: Pages) -> None:
    client = pages(cast.viewer)
    for path, usual in (
        ("", "?cutoff=2024-01-01&population=safety&known_on=&survival_interval="),
        ("statistics/", "?landmarks=12w,3,6,12,24&rmst=12&ties=efron&counts=&stratify_by="),
        ("safety/", "?minimum=0&order=frequency&sides=cause&cause=related"),
    ):
        for query, unfolded in (("", False), (usual, False), ("?known_on=2024-01-01T00:00", True)):
            page = client.get(f"{TRIAL}{path}{query}").content.decode()
            found = re.search(r'<details class="mt-1"( open)?>\s*<summary>More options', page)
            assert found, path
            assert bool(found[1]) == unfolded, (path, query)


@pytest.mark.parametrize("path", ["", "statistics/", "figures/os/", "safety/", "consort/"])
def test_a_cutoff_that_is_still_to_come_is_flagged(cast: Cast, pages: Pages, path: str) -> None:
    client = pages(cast.viewer)
    told = "The data cutoff 2999-01-01 is still to come"
    assert told in client.get(f"{TRIAL}{path}?cutoff=2999-01-01").content.decode()
    for query in ("", "?cutoff=2024-01-01"):
        assert "is still to come" not in client.get(f"{TRIAL}{path}{query}").content.decode()


def test_the_cutoffs_that_matter_are_links(cast: Cast, pages: Pages) -> None:
    cast.trial.published.create(measure="Data cutoff", source="paper", printed="August 8, 2022")
    client = pages(cast.administrator)
    asked = {"name": "Interim", "note": ""}
    frozen = client.post(f"{TRIAL}analyses/new/?cutoff=2023-02-01", asked)
    assert frozen.status_code == 302
    page = client.get(f"{TRIAL}?population=safety").content.decode().replace("&amp;", "&")
    for query, words in (
        ("population=safety&cutoff=2022-08-08", "2022-08-08 (published)"),
        ("population=safety&cutoff=2023-02-01", "2023-02-01 (frozen: Interim)"),
        ("population=safety", "today"),
    ):
        assert f'<a href="?{query}">{words}</a>' in page
    assert "frozen: Interim" not in pages(cast.coordinator).get(TRIAL).content.decode()
