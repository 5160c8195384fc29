"""Studies side by side: own figures beside printed ones, within scope, sorted, filtered, as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from registry.models import User
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from trials.models import Publication, Trial
from trials.vocabularies import Role

Pages = Callable[[User], Client]
Caller = Callable[[User], Api]


def claim(kind: str, measure: str, group: str = "", **said: Any) -> dict[str, Any]:
    """A claim of a publication."""
    named = f"{measure}-{group or 'all'}".lower()
    label = {"id": named, "label": measure, "measure": measure, "group": group}
    return {"type": kind} | label | said


@pytest.fixture
def studies(cast: Cast) -> Trial:
    """A responder of each site in one trial, one who progressed in another, and a publication.

    The investigator works on both trials, everybody else on the first; of the publication ASPS is
    printed apart.
    """
    other = factories.trial("NCT00000002", sarcoma=False, masking="DOUBLE")
    factories.membership(cast.investigator, other, Role.INVESTIGATOR)
    for site in ("01", "02"):
        row = factories.patient(cast.trial, f"{site}-001", site, histology="ASPS")
        factories.baseline(row, by=cast.investigator)
        for day in (43, 85):
            factories.follow_up(row, day, (20, 20), by=cast.investigator)
    row = factories.patient(other, "01-001", died_on=START + timedelta(days=100))
    factories.baseline(row, by=cast.investigator)
    factories.publication(
        "printed",
        claim("proportion", "ORR", percent="10.13%", k=16, n=158),
        claim("proportion", "ORR", "ASPS", percent="18%"),
        claim("median", "PFS", value="20", interval="16-NE", unit="weeks"),
        claim("median", "OS", value="NR"),
        results={"n": 158, "groups": [{"name": "ASPS", "role": "subtype", "n": 56}]},
    )
    return other


def names(answer: Any) -> list[str]:
    return [row["trial"] or row["publication"] for row in answer.json()["results"]]


def test_own_figures_stand_beside_printed_ones(studies: Trial, cast: Cast, api: Caller) -> None:
    told = api(cast.investigator).get("/studies/?cutoff=2024-12-31").json()["results"]
    first, second, printed = told
    assert [first["trial"], second["trial"], printed["publication"]] == [
        "NCT00000001", "NCT00000002", "printed",
    ]  # fmt: skip
    orr = first["computed"]["orr"]
    assert (orr["responders"], orr["n"], orr["estimate"]) == (2, 2, 1.0)
    assert second["computed"]["os"]["events"] == 1
    assert second["computed"]["os"]["median"]["days"] == 100
    assert (second["n"], second["computed"]["sites"]) == (1, None)
    assert printed["computed"] is None
    assert printed["n"] == 158
    assert printed["printed"]["orr"] == [{"group": "", "printed": "10.13% (16/158)"}]
    assert '"arm"' not in str(told)


def test_who_sees_what(studies: Trial, cast: Cast, api: Caller) -> None:
    assert names(api(cast.coordinator).get("/studies/")) == ["NCT00000001", "printed"]
    mine = api(cast.coordinator).get("/studies/").json()["results"][0]
    assert (mine["n"], mine["computed"]["sites"]) == (1, ["01"])
    assert names(api(cast.stranger).get("/studies/")) == ["printed"]


def test_as_known_before_anything_was_entered(studies: Trial, cast: Cast, api: Caller) -> None:
    told = api(cast.investigator).get("/studies/?known_on=2020-01-01T00:00:00Z").json()
    assert told["results"] == []  # neither the trials nor the publications were there


# 10.13 % < 100 %, and the trial without a response; 20 weeks is 140 days; not reached is longest
SORTED = [
    ("sort=orr", ["NCT00000002", "printed", "NCT00000001"]),
    ("sort=-orr", ["NCT00000001", "printed", "NCT00000002"]),
    ("sort=-n", ["printed", "NCT00000001", "NCT00000002"]),
    ("sort=pfs", ["NCT00000002", "printed", "NCT00000001"]),
    ("sort=-study", ["printed", "NCT00000002", "NCT00000001"]),
    ("sort=dcr", ["NCT00000002", "NCT00000001", "printed"]),
    ("sarcoma=false", ["NCT00000002"]),
    ("sarcoma=true&published=false", ["NCT00000001"]),
    ("histology=腺泡状软组织肉瘤", ["NCT00000001", "printed"]),
    ("histology=LMS", []),
]


def test_sorted_and_filtered(studies: Trial, cast: Cast, api: Caller) -> None:
    client = api(cast.investigator)
    found = {q: names(client.get(f"/studies/?cutoff=2024-12-31&{q}")) for q, _ in SORTED}
    assert found == dict(SORTED)


def test_of_a_histology_only_its_own_figures(studies: Trial, cast: Cast, api: Caller) -> None:
    told = api(cast.investigator).get("/studies/?histology=ASPS").json()["results"]
    assert told[1]["n"] == 56
    assert told[1]["printed"]["orr"] == [{"group": "ASPS", "printed": "18%"}]
    assert told[1]["printed"]["pfs"] == []


WRONG = [
    "cutoff=2024", "sarcoma=perhaps", "histology=sarcoma-like", "sort=p", "published=x",
    "population=all", "known_on=now", "group_by=arm",
]  # fmt: skip


def test_what_cannot_be_asked_is_named(cast: Cast, api: Caller, pages: Pages) -> None:
    client, browser = api(cast.stranger), pages(cast.stranger)
    for query in WRONG:
        name = query.partition("=")[0]
        answer = client.get(f"/studies/?{query}")
        assert (answer.status_code, answer.json()["parameter"]) == (400, name)
        for path, said in (("/studies/", "cannot be used."), ("/studies/data.csv", f"{name}: ")):
            page = browser.get(f"{path}?{query}")
            assert page.status_code == 400
            assert said in page.content.decode()


def test_the_page_links_to_each_study_and_marks_what_is_printed(
    studies: Trial, cast: Cast, pages: Pages
) -> None:
    page = pages(cast.investigator).get("/studies/?cutoff=2024-12-31&sort=-orr").content.decode()
    assert page.index("/trials/NCT00000001/") < page.index("as published")
    assert '/catalogue/printed/"' in page
    assert "100.0 %" in page
    assert "95% CI 15.8 % – 100.0 % (Clopper-Pearson, exact); 2 of 2 patients" in page
    assert "/studies/data.csv?cutoff=2024-12-31" in page
    assert "Only your sites: 01" in pages(cast.coordinator).get("/studies/").content.decode()
    assert "/login/" in Client().get("/studies/")["Location"]


def test_the_same_table_as_a_file(studies: Trial, cast: Cast, api: Caller, pages: Pages) -> None:
    query = "cutoff=2024-12-31&sort=orr"
    text = pages(cast.investigator).get(f"/studies/data.csv?{query}").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["trial"] or row["publication"] for row in rows] == [
        "NCT00000002", "printed", "NCT00000001",
    ]  # fmt: skip
    assert (rows[2]["orr_k"], rows[2]["orr_n"], rows[2]["orr_printed"]) == ("2", "2", "")
    assert (rows[1]["orr_k"], rows[1]["orr_printed"]) == ("", "10.13% (16/158)")
    over_rest = api(cast.investigator).get(f"/studies/?{query}", accept="text/csv")
    assert over_rest.content.decode() == text


def test_statements_grow_neither_with_patients_nor_with_trials(
    studies: Trial, cast: Cast, pages: Pages, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = pages(cast.investigator)
    client.get("/studies/")
    with django_assert_num_queries(12):
        client.get("/studies/")
    third = factories.trial("NCT00000003")
    factories.membership(cast.investigator, third, Role.INVESTIGATOR)
    for _number in range(3):
        factories.baseline(factories.patient(third), by=cast.investigator)
    with django_assert_num_queries(12):
        assert b"NCT00000003" in client.get("/studies/").content


def test_own_trials_stand_first_each_above_its_publication(
    studies: Trial, cast: Cast, pages: Pages
) -> None:
    """Also what its own publication prints elsewhere, a percent sign, and no practice study."""
    other = claim("proportion", "ORR", percent="12.5", k=1, n=8)
    factories.publication("a-first", other, results={"n": 8, "groups": []})
    Publication.objects.filter(key="printed").update(trial=studies)
    for measure, said in (("Median follow-up", "17.1 months"), ("Data cutoff", "May 1, 2024")):
        studies.published.create(measure=measure, source="paper", printed=said)
    practice = factories.trial("PRACTICE")
    factories.membership(cast.investigator, practice, Role.INVESTIGATOR)
    page = pages(cast.investigator).get("/studies/").content.decode()
    places = [
        page.index(f'/{name}/"')
        for name in ("NCT00000001", "NCT00000002", "catalogue/printed", "catalogue/a-first")
    ]
    assert places == sorted(places)
    for said in ("17.1 months", "May 1, 2024", "12.5 % (1/8)", "4 studies"):
        assert said in " ".join(page.split()), said
    assert "1 practice study is not counted" in " ".join(page.split())
    assert "/trials/PRACTICE/" not in page
    every = pages(cast.investigator).get("/studies/?practice=true").content.decode()
    assert "/trials/PRACTICE/" in every
    assert "5 studies" in " ".join(every.split())
