"""The navigation of a trial: who is offered which page, and that each is near every other."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from registry import clocks
from registry.models import User
from tests import factories
from tests.conftest import Cast

Pages = Callable[[User], Client]

OF = "/trials/NCT00000001/"
LINK = re.compile(
    r'<a class="nav-link[^"]*"\s+href="(/[^"]*)"\s*(?:aria-current="(\w+)")?\s*>([^<]+)</a>'
)
EVERYBODY = {
    "Outcomes": ["Dashboard", "Figures", "Statistics", "Groups", "Safety", "Report"],
    "Patients": ["Patient list", "Screening log", "Participant flow", "Accrual"],
    "Data": ["Queries"],
    "Protocol": ["Overview", "Criteria", "Endpoints"],
}
FURTHER = {
    "coordinator": {"Data": ["Upload visits"]},
    "viewer": {"Outcomes": ["Frozen analyses"]},
    "investigator": {
        "Outcomes": ["Frozen analyses"],
        "Data": ["Upload visits", "Independent review"],
    },
    "administrator": {
        "Outcomes": ["Frozen analyses"],
        "Data": ["Independent review"],
        "Protocol": ["Response criteria"],
    },
    "superuser": {
        "Outcomes": ["Frozen analyses"],
        "Data": ["Upload visits", "Independent review"],
        "Protocol": ["Response criteria"],
    },
}


def links(client: Any, path: str) -> list[tuple[str, str, str]]:
    """Address, aria-current and name of each link, groups and pages, in their order."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    html = answer.content.decode()
    if "trial-pages" not in html:
        return []
    return LINK.findall(html.split('<nav class="trial-pages', 1)[1].split("</nav>", 1)[0])


@pytest.mark.parametrize("name", FURTHER)
def test_each_page_is_a_click_from_its_group_and_two_from_any(
    cast: Cast, pages: Pages, name: str
) -> None:
    client, groups = pages(getattr(cast, name)), list(EVERYBODY)
    first = links(client, OF)
    assert [said for _url, _now, said in first[:4]] == groups
    for url, _now, group in first[:4]:
        offered = EVERYBODY[group] + FURTHER[name].get(group, [])
        shown = links(client, url)
        assert [said for _url, _now, said in shown[4:]] == offered
        for there, _now, title in shown[4:]:
            again = links(client, there)
            assert [(at, said) for at, _now, said in again] == [(at, s) for at, _n, s in shown]
            assert [(now, said) for _at, now, said in again if now] == [
                ("true", group), ("page", title)
            ]  # fmt: skip


def test_a_page_below_shows_where_it_belongs(cast: Cast, pages: Pages) -> None:
    patient = factories.patient(cast.trial, "01-001")
    client = pages(cast.administrator)
    for path, title in (
        ("figures/pfs/", "Figures"), ("safety/exposure/", "Safety"),
        ("consort/patients/", "Participant flow"), ("endpoints/new/", "Endpoints"),
    ):  # fmt: skip
        now = [(said, current) for _url, current, said in links(client, OF + path) if current]
        assert now[1] == (title, "true"), path
    assert links(client, f"/patients/{patient.pk}/") == []
    assert links(client, "/trials/") == links(client, "/queries/") == []


TITLE = re.compile(r"<title>([^<]*)</title>")
BLOCK = re.compile(r"{% block title %}(.*?){% endblock %}", re.DOTALL)


def titled(client: Any, path: str) -> str:
    """What the browser's tab says."""
    found = TITLE.search(client.get(path).content.decode())
    return " ".join(found[1].split()) if found else ""


def test_every_title_is_the_page_the_patient_the_trial_and_the_registry(
    cast: Cast, pages: Pages
) -> None:
    patient = factories.patient(cast.trial, "01-001")
    client = pages(cast.superuser)
    for group, _now, _said in links(client, OF)[:4]:
        for there, _current, _title in links(client, group)[4:]:
            _page, _dot, rest = titled(client, there).partition(" · ")
            assert rest == "NCT00000001 · Sarcoma Trial Registry", there
    of = f"/patients/{patient.pk}/"
    end = "01-001 · NCT00000001 · Sarcoma Trial Registry"
    assert titled(client, of) == end
    assert titled(client, f"{of}queries/") == f"Queries · {end}"
    assert titled(client, "/trials/") == "Trials · Sarcoma Trial Registry"


def test_no_page_has_a_pattern_of_titles_of_its_own() -> None:
    found = {
        path.name: said
        for path in Path("templates").rglob("*.html")
        for said in BLOCK.findall(path.read_text())
        if path.name != "base.html"
    }
    assert len(found) > 50
    for name, said in found.items():
        assert not re.search(r"·|registry_id|{{ trial|subject_id }}.*\w", said), name


def test_the_randomization_scheme_is_offered_to_who_may_write_it(cast: Cast, pages: Pages) -> None:
    cast.trial.allocation = "RANDOMIZED"
    cast.trial.save()
    for user, offered in ((cast.administrator, True), (cast.investigator, False)):
        names = [said for _url, _now, said in links(pages(user), f"{OF}detail/")]
        assert ("Randomization scheme" in names) is offered


def test_queries_of_a_trial_that_is_not_theirs_show_nothing_of_it(cast: Cast, pages: Pages) -> None:
    client = pages(cast.stranger)
    assert links(client, "/queries/?trial=NCT00000001") == []
    assert b"NCT00000001" not in client.get("/queries/?trial=NCT00000001").content


SHANGHAI, UNIVERSAL = "Asia/Shanghai", "UTC"


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2024-06-01 20:00", datetime(2024, 6, 1, 12, 0, tzinfo=UTC)),
        ("20240601 8:05", datetime(2024, 6, 1, 0, 5, tzinfo=UTC)),
        ("2024/06/01T20:00:30.5", datetime(2024, 6, 1, 12, 0, 30, 500000, tzinfo=UTC)),
        ("2024-06-01 20:00 UTC+8", datetime(2024, 6, 1, 12, 0, tzinfo=UTC)),
        ("2024-06-01 20:00Z", datetime(2024, 6, 1, 20, 0, tzinfo=UTC)),
        ("2024-06-01 20:00 -03:30", datetime(2024, 6, 1, 23, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_by_the_clock_of_its_page(typed: str, moment: datetime) -> None:
    assert clocks.read(typed, SHANGHAI) == moment
    local = moment.astimezone(ZoneInfo(SHANGHAI))
    assert clocks.read(clocks.typed(local), SHANGHAI) == moment  # what Show sends again


@pytest.mark.parametrize(
    "typed",
    ["2024-06-01", "20:00", "2024-06/01 20:00", "2024-02-30 20:00", "2024-06-01 25:00", "06/01/2024 8:00 PM",
     "2024-06-01 20:00 UTC+99", "2024-06-01 20:00 CST", "0000-01-01 00:00", "2024-06-01 20:00:61"],
)  # fmt: skip
def test_no_moment(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the page says what is accepted
        clocks.read(typed, UNIVERSAL)


def test_the_flow_and_the_accrual_stay_in_the_past(cast: Cast, pages: Pages) -> None:
    asked = "?cutoff=2024-12-31&known_on=2024-12-31T00%3A00%3A00%2B00%3A00"
    found = {said: url for url, _now, said in links(pages(cast.viewer), f"{OF}consort/{asked}")}
    assert "known_on=" in found["Participant flow"]
    assert "known_on=" in found["Accrual"]
