"""Outcomes by group: the page and the forest over REST, worked out by hand."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from outcomes.arms import NoComparison
from outcomes.characteristics import STRATA
from outcomes.labels import MEASURES, NO_COMPARISON, NOT_SHOWN
from outcomes.report.subgroups import ForestMeasure, NotShown
from patients.models import Allocation, Patient
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from tests.factories import START
from trials.models import Arm, Endpoint, Trial

Login = Callable[[Any], Api]
Pages = Callable[..., Client]
Body = dict[str, Any]
FOREST = "/trials/NCT00000001/outcomes/forest/?cutoff=2024-12-31"
PATIENTS = "/trials/NCT00000001/outcomes/patients/?cutoff=2024-12-31"
PAGE = "/trials/NCT00000001/groups/?cutoff=2024-12-31"


@pytest.fixture
def fourteen(cast: Cast) -> list[Patient]:
    """Fourteen of two arms: eight women, who all die on days 10 to 80, five men, one unknown.

    Women are in arms A, B, A, B ...: A dies on days 10, 30, 50, 70; B on 20, 40, 60, 80. Men live.
    """
    arms = [Arm.objects.create(trial=cast.trial, name=name) for name in ("A", "B")]
    people = []
    for number in range(14):
        sex = "female" if number < 8 else "male" if number < 13 else "unknown"
        died = START + timedelta(days=10 * (number + 1)) if number < 8 else None
        facts: Body = {"sex": sex, "died_on": died, "prior_lines": number % 4, "birth_year": 1950}
        if died is None:
            facts["last_known_alive_on"] = START + timedelta(days=90)
        people.append(factories.patient(cast.trial, f"S-{number:02}", **facts))
        Allocation.objects.create(patient=people[-1], trial=cast.trial, arm=arms[number % 2])
    return people


def forest(reader: Api, query: str = "") -> Body:
    """The forest."""
    answer = reader.get(f"{FOREST}{query}")
    assert answer.status_code == 200, answer.content
    found: Body = answer.json()
    return found


def by_name(found: Body, characteristic: str) -> dict[str, Body]:
    """The first line of each group."""
    (one,) = [c for c in found["characteristics"] if c["characteristic"] == characteristic]
    return {group["group"]: group["estimates"][0] for group in one["groups"]}


@pytest.mark.usefixtures("fourteen")
def test_rates_in_every_group(cast: Cast, api: Login) -> None:
    """Nobody was assessed: 0 of 8 has an exact upper limit of 1 - 0.025 ** (1 / 8)."""
    found = forest(api(cast.investigator))
    assert [c["characteristic"] for c in found["characteristics"]] == ["arm", *STRATA]
    assert (found["endpoint"], found["measure"], found["unit"]) == ("ORR", "rate", "fraction")
    assert found["population"] == {"name": "enrolled", "n": 14}
    sexes = by_name(found, "sex")
    assert (sexes["female"]["events"], sexes["female"]["n"]) == (0, 8)
    assert sexes["female"]["estimate"] == sexes["female"]["lower"] == 0
    assert sexes["female"]["upper"] == pytest.approx(1 - 0.025 ** (1 / 8))
    assert sexes["unknown"] == {
        "arm": None, "reference": None, "n": 1, "events": 0, "estimate": 0, "lower": 0,
        "upper": pytest.approx(1 - 0.025), "estimate_reason": None, "lower_reason": None,
        "upper_reason": None,
    }  # fmt: skip
    assert list(by_name(found, "prior_lines")) == ["0", "1", "2", ">=3"]
    assert list(by_name(found, "age_band")) == [">=60"]
    for characteristic in found["characteristics"]:
        assert sum(g["estimates"][0]["n"] for g in characteristic["groups"]) == 14


@pytest.mark.usefixtures("fourteen")
def test_a_rate_of_few_is_shown_alike_and_marked_between_groups(cast: Cast, pages: Pages) -> None:
    """0 of 1 in the forest, in its table and among the groups; its median is refused in both."""
    page = pages(cast.investigator).get(f"{PAGE}&group_by=sex").content.decode()
    said, few = "0.0 % (0.0 % – 97.5 %)", "n\N{NO-BREAK SPACE}&lt;\N{NO-BREAK SPACE}5"
    assert f"unknown: n = 1, 0; {said}; {few}" in page
    assert page.count(f"{said}; {few}") == 3
    assert page.count('fill="#fff" stroke="currentColor"') == 1
    assert page.count("not estimable (n &lt; 5)") == 3  # PFS, at 12 months, OS
    assert "only a rate is estimated, and its mark is hollow" in " ".join(page.split())


@pytest.mark.usefixtures("fourteen")
def test_medians(cast: Cast, api: Login) -> None:
    """Of the women's days 10, 20 ... 80 half have passed at 40, and the next is at 50."""
    found = forest(api(cast.viewer), "&endpoint=OS&measure=median&group_by=sex")
    assert [c["characteristic"] for c in found["characteristics"]] == ["sex"]
    sexes = by_name(found, "sex")
    assert (sexes["female"]["n"], sexes["female"]["events"]) == (8, 8)
    assert sexes["female"]["estimate"] == 45
    assert sexes["male"]["estimate_reason"] == "no_events"
    whole = api(cast.viewer).get("/trials/NCT00000001/outcomes/?cutoff=2024-12-31&group_by=sex")
    groups = {group["group"]: group["os"]["median"] for group in whole.json()["groups"]}
    assert sexes["female"]["lower"] == groups["female"]["lower_days"]
    assert sexes["female"]["upper"] == groups["female"]["upper_days"]


@pytest.mark.usefixtures("fourteen")
def test_hazard_ratios_within_groups(cast: Cast, api: Login) -> None:
    reader = api(cast.investigator)
    found = forest(reader, "&endpoint=OS")
    assert (found["measure"], found["unit"], found["ties"]) == ("hazard_ratio", "ratio", "efron")
    assert [c["characteristic"] for c in found["characteristics"]] == list(STRATA)
    sexes = by_name(found, "sex")
    compared = reader.get("/trials/NCT00000001/outcomes/?cutoff=2024-12-31").json()["comparison"]
    whole = compared["overall_survival"]["hazard_ratio"]
    assert found["overall"][0]["estimate"] == whole["estimate"]
    assert (found["overall"][0]["arm"], found["overall"][0]["reference"]) == ("B", "A")
    # Cox over days A 10 30 50 70, B 20 40 60 80, no ties: the score is 0 at this ratio.
    assert score(sexes["female"]["estimate"]) == pytest.approx(0, abs=1e-6)
    assert sexes["male"]["estimate_reason"] == "no_events"
    assert sexes["unknown"]["estimate_reason"] == "too_few"


def score(ratio: float) -> float:
    """The partial likelihood's score of B over A at the women's eight deaths, by hand."""
    at_risk = [(4, 4), (3, 4), (3, 3), (2, 3), (2, 2), (1, 2), (1, 1), (0, 1)]  # of A, of B
    deaths_in_b = [0, 1, 0, 1, 0, 1, 0, 1]
    expected = [b * ratio / (a + b * ratio) for a, b in at_risk]
    return sum(deaths_in_b) - sum(expected)


@pytest.mark.usefixtures("fourteen")
def test_nothing_tells_the_arms_to_the_blinded(cast: Cast, api: Login, pages: Pages) -> None:
    Trial.objects.update(masking="DOUBLE")
    Arm.objects.filter(name="A").update(name="canary")
    reader = api(cast.investigator)
    found = forest(reader, "&endpoint=OS")
    assert found["measure"] == "median"
    assert "arm" not in [c["characteristic"] for c in found["characteristics"]]
    for query, parameter in (
        ("&endpoint=OS&measure=hazard_ratio", "measure"),
        ("&group_by=arm", "group_by"),
    ):
        refused = reader.get(f"{FOREST}{query}")
        assert (refused.status_code, refused.json()["parameter"]) == (400, parameter)
        page = pages(cast.investigator).get(f"{PAGE}{query}")
        assert page.status_code == 400
        assert b"canary" not in page.content
    for query in ("", "&endpoint=OS", "&endpoint=OS&format=csv"):
        assert b"canary" not in reader.get(f"{FOREST}{query}").content
    page = pages(cast.superuser).get(PAGE)
    assert b"canary" not in page.content
    assert "The arms are blinded." in page.content.decode()
    assert 'value="arm"' not in page.content.decode()


REFUSED = [
    ("endpoint=TTR", "endpoint", "One of: ORR, DCR, PFS, OS.", "Overall survival."),
    ("endpoint=PFS&measure=rate", "measure", "One of: median.", "Choose one of: median."),
    ("measure=median", "measure", "One of: rate.", "Choose one of: rate."),
    (
        "group_by=age",
        "group_by",
        "One of: arm, histology, site, sex, ecog, age_band, prior_lines.",
        "“age” cannot be used.",
    ),
    ("by=sex", "by", "", "“by=sex” in the address cannot be used."),
]


@pytest.mark.parametrize(("query", "parameter", "detail", "shown"), REFUSED)
def test_what_cannot_be_asked(
    cast: Cast, api: Login, pages: Pages, query: str, parameter: str, detail: str, shown: str
) -> None:
    refused = api(cast.viewer).get(f"{FOREST}&{query}")
    assert refused.status_code == 400
    assert refused.json()["parameter"] == parameter
    assert detail in refused.json()["detail"]
    page = pages(cast.viewer).get(f"{PAGE}&{query}")
    assert page.status_code == 400
    assert shown in page.content.decode()


@pytest.mark.usefixtures("fourteen")
def test_no_hazard_ratio_by_arm(cast: Cast, api: Login) -> None:
    refused = api(cast.viewer).get(f"{FOREST}&endpoint=OS&measure=hazard_ratio&group_by=arm")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "group_by")


def test_one_arm_has_no_hazard_ratios(cast: Cast, api: Login, pages: Pages) -> None:
    for name in "AB":
        Arm.objects.create(trial=cast.trial, name=name)
    factories.patient(cast.trial, "S-1")
    found = forest(api(cast.viewer), "&endpoint=PFS")
    assert found["comparison_reason"] == "fewer_than_two_arms"
    assert found["overall"] == []
    page = pages(cast.viewer).get(f"{PAGE}&endpoint=PFS").content.decode()
    assert "No hazard ratios: fewer than two arms have patients." in page


@pytest.mark.usefixtures("fourteen")
def test_the_same_as_csv(cast: Cast, api: Login) -> None:
    answer = api(cast.viewer).get(f"{FOREST}&endpoint=OS&group_by=sex&format=csv")
    assert "NCT00000001-forest-2024-12-31.csv" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(r["characteristic"], r["group"], r["n"]) for r in rows] == [
        ("", "", "14"), ("sex", "female", "8"), ("sex", "male", "5"), ("sex", "unknown", "1"),
    ]  # fmt: skip
    assert rows[3]["estimate_reason"] == "too_few"


@pytest.mark.usefixtures("fourteen")
def test_the_etag_tells_what_is_shown(cast: Cast, api: Login) -> None:
    reader = api(cast.viewer)
    tags = {
        reader.get(f"{FOREST}{query}")["ETag"]
        for query in ("", "&endpoint=DCR", "&endpoint=OS", "&endpoint=OS&measure=median")
    }
    assert len(tags) == 4
    tag = reader.get(FOREST)["ETag"]
    assert reader.get(FOREST, if_none_match=tag).status_code == 304


# The page


@pytest.mark.usefixtures("fourteen")
def test_the_page_has_the_figure_and_a_table_per_characteristic(cast: Cast, pages: Pages) -> None:
    page = pages(cast.viewer).get(PAGE).content.decode()
    for name in ("Arm", "Sex", "Site", "Age at enrollment", "Prior lines of systemic therapy"):
        assert f">{name}</h2>" in page
    assert ">Histology</h2>" not in page
    assert "Nothing is recorded of: histology, ECOG performance status." in page
    assert page.count("<svg") == 1
    assert "60 and older" in page
    assert "3 or more" in page
    assert "not estimable (n &lt; 5)" in page
    assert "0/8" in page  # women: responders
    assert "8/8" in page  # women: deaths
    assert "no interaction is tested or claimed" in page


@pytest.mark.usefixtures("fourteen")
def test_the_page_keeps_what_was_asked(cast: Cast, pages: Pages) -> None:
    page = pages(cast.viewer).get(f"{PAGE}&endpoint=OS&group_by=sex&population=safety")
    text = page.content.decode()
    assert "Overall survival: hazard ratio of the arms" in text
    assert text.count("</h2>") == 2  # the figure and one table
    assert "endpoint=OS&amp;group_by=sex&amp;population=safety&amp;format=csv" in text


def test_a_site_has_its_own_groups(cast: Cast, api: Login) -> None:
    factories.patient(cast.trial, "S-1", site="01")
    factories.patient(cast.trial, "S-2", site="02")
    found = forest(api(cast.outsider))
    assert list(by_name(found, "site")) == ["02"]
    assert found["population"]["n"] == 1


def test_who_may_not_see_the_trial_finds_nothing(
    cast: Cast, api: Login, pages: Pages, client: Client
) -> None:
    assert pages(cast.stranger).get(PAGE).status_code == 404
    assert api(cast.stranger).get(FOREST).status_code == 404
    assert client.get(PAGE)["Location"].startswith("/login/")


def test_every_code_has_words() -> None:
    assert set(MEASURES) == set(ForestMeasure)
    assert set(NOT_SHOWN) == set(NotShown)
    assert set(NO_COMPARISON) == set(NoComparison)


@pytest.mark.usefixtures("fourteen")
def test_statements_do_not_grow(
    cast: Cast, pages: Pages, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = pages(cast.viewer)
    client.get(PAGE)
    with django_assert_num_queries(17):
        client.get(PAGE)


# From a group to its patients


def links_of(page: str) -> dict[str, str]:
    """Each row of the drawing that leads somewhere, by its title."""
    found = re.findall(r'<a class="forest-row" href="([^"]+)" tabindex="-1"><title>([^<]+):', page)
    return {unescape(title): unescape(url) for url, title in found}


@pytest.mark.usefixtures("fourteen")
def test_every_row_leads_to_as_many_patients_as_it_counts(cast: Cast, pages: Pages) -> None:
    client = pages(cast.viewer)
    page = client.get(PAGE).content.decode()
    links = links_of(page)
    asked = "/trials/NCT00000001/?cutoff=2024-12-31&group_by="
    assert links["All patients"] == "/trials/NCT00000001/?cutoff=2024-12-31#patients"
    assert links["3 or more"] == f"{asked}prior_lines&group=%3E%3D3#patients"
    assert links["A"] == f"{asked}arm&group=A#patients"
    assert page.count(f'href="{asked.replace("&", "&amp;")}sex&amp;group=female#patients"') == 3
    for name, n in (("All patients", 14), ("female", 8), ("A", 7), ("3 or more", 3)):
        listed = client.get(links[name]).content.decode()
        assert len(re.findall(r">S-\d\d</a>", listed[listed.index('id="patients"') :])) == n, name
    listed = client.get(links["female"]).content.decode()
    assert "<strong>Sex: female</strong>" in listed
    assert "n = 8" in listed


@pytest.mark.usefixtures("fourteen")
def test_the_list_keeps_the_options_and_the_endpoints_population(cast: Cast, pages: Pages) -> None:
    Endpoint.objects.create(trial=cast.trial, kind="PFS", definition={"population": "safety"})
    client = pages(cast.viewer)
    asked = "&endpoint=PFS&measure=median&group_by=sex&survival_interval=plain"
    links = links_of(client.get(f"{PAGE}{asked}").content.decode())
    assert links["male"] == (
        "/trials/NCT00000001/?cutoff=2024-12-31&survival_interval=plain&population=safety"
        "&group_by=sex&group=male#patients"
    )
    assert client.get(links["male"]).status_code == 200


REFUSED_GROUPS = [
    ("group=female", "group", "“group=female” in the address cannot be used. Say in group_by"),
    (
        "group_by=sex&group=giant",
        "group",
        "“group=giant” in the address cannot be used. One of: female,",
    ),
    (
        "group_by=age&group=x",
        "group_by",
        "“group_by=age” in the address cannot be used. One of: arm",
    ),
]


@pytest.mark.usefixtures("fourteen")
@pytest.mark.parametrize(("query", "parameter", "said"), REFUSED_GROUPS)
def test_a_group_that_there_is_not(
    cast: Cast, api: Login, pages: Pages, query: str, parameter: str, said: str
) -> None:
    page = pages(cast.viewer).get(f"/trials/NCT00000001/?cutoff=2024-12-31&{query}")
    assert page.status_code == 400
    assert said in page.content.decode()
    refused = api(cast.viewer).get(f"{PATIENTS}&{query}")
    assert (refused.status_code, refused.json()["parameter"]) == (400, parameter)


@pytest.mark.usefixtures("fourteen")
def test_a_groups_patients_over_rest(cast: Cast, api: Login) -> None:
    reader = api(cast.viewer)
    found = reader.get(f"{PATIENTS}&group_by=sex&group=male")
    assert [one["subject_id"] for one in found.json()["results"]] == [
        "S-08", "S-09", "S-10", "S-11", "S-12",
    ]  # fmt: skip
    assert found["ETag"] != reader.get(f"{PATIENTS}&group_by=sex")["ETag"]
    rows = reader.get(f"{PATIENTS}&group_by=sex&group=unknown&format=csv")
    assert rows.content.decode("utf-8-sig").count("\n") == 2


@pytest.mark.usefixtures("fourteen")
def test_no_arm_is_listed_to_the_blinded(cast: Cast, api: Login, pages: Pages) -> None:
    Trial.objects.update(masking="DOUBLE")
    page = pages(cast.investigator).get("/trials/NCT00000001/?group_by=arm&group=A")
    assert page.status_code == 400
    assert api(cast.investigator).get(f"{PATIENTS}&group_by=arm&group=A").status_code == 400
    links = links_of(pages(cast.investigator).get(PAGE).content.decode())
    assert not [url for url in links.values() if "arm" in url]


def test_a_site_lists_its_own(cast: Cast, api: Login) -> None:
    for site in ("01", "02"):
        factories.patient(cast.trial, f"S-{site}", site=site)
    refused = api(cast.outsider).get(f"{PATIENTS}&group_by=site&group=01")
    assert refused.json()["detail"] == "One of: 02."
