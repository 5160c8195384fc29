"""Published figures: kept as printed, flagged with a reason, never put right in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes.test_actions import trail, violates
from tests.trials.test_api import pointers
from trials.models import PublishedFigure

Login = Callable[[Any], Api]
Pages = Callable[..., Client]
Body = dict[str, Any]
WHY = {"reason": "read again"}
PATH = "/trials/NCT00000001/"
ABSTRACT = "abstract, PMID 36196372"
# Sun 2022: 11 PR + 16 SD + 6 PD are 33 patients, and n is 32 (CP intervals fit 11/32 and 27/32).
PD: Body = {
    "measure": "PD", "source": ABSTRACT, "printed": "6 patients", "reconciled": "5 patients",
    "discrepancy": "11 + 16 + 6 is 33, but n is 32.",
}  # fmt: skip
ORR: Body = {"measure": "ORR", "source": ABSTRACT, "printed": "34.4% (95% CI 18.6-53.2)"}
AGREES = {"reconciled": "", "discrepancy": ""}


@pytest.fixture
def administrator(cast: Cast, api: Login) -> Api:
    """The trial's administrator."""
    return api(cast.administrator)


@pytest.fixture
def stored(administrator: Api) -> Body:
    """The trial with two published figures, as the API answers it."""
    answer = administrator.patch(PATH, {"published": [ORR, PD]} | WHY, if_match='"1"')
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def without_ids(figures: list[Body]) -> list[Body]:
    """What was said, without what the server added."""
    return [{name: value for name, value in row.items() if name != "id"} for row in figures]


def test_figures_come_back_as_printed(administrator: Api, stored: Body) -> None:
    assert without_ids(stored["published"]) == [ORR | AGREES, PD]
    assert administrator.get(PATH).json() == stored


def test_a_trial_read_can_be_put_back_unchanged(administrator: Api, stored: Body) -> None:
    events = PublishedFigure.pgh_event_model.objects  # type: ignore[attr-defined]
    before = events.count()
    answer = administrator.put(PATH, stored | WHY, if_match='"2"')
    assert answer.status_code == 200, answer.content
    assert answer.json() == stored | {"version": 3}
    assert events.count() == before


def test_figures_are_matched_by_measure_and_source(administrator: Api, stored: Body) -> None:
    first, second = stored["published"]
    other = ORR | {"source": "full text"}
    changed = [PD | {"printed": "6"}, other]
    answer = administrator.patch(PATH, {"published": changed} | WHY, if_match='"2"').json()
    assert without_ids(answer["published"]) == [PD | {"printed": "6"}, other | AGREES]
    assert answer["published"][0]["id"] == second["id"]
    kept = administrator.patch(PATH, {"acronym": "X"} | WHY, if_match='"3"').json()
    assert kept["published"] == answer["published"]
    short = {"registry_id": "NCT00000001", "brief_title": "T", "sites": stored["sites"]}
    assert administrator.put(PATH, short | WHY, if_match='"4"').json()["published"] == []


def test_every_change_leaves_who_and_why(administrator: Api, stored: Body) -> None:
    gone = {"published": [PD | {"printed": "6"}]} | WHY
    administrator.patch(PATH, gone, if_match='"2"')
    assert sorted(trail(PublishedFigure)) == [
        (what, "administrator", "read again") for what in ("delete", "insert", "insert", "update")
    ]


REFUSED: list[tuple[Any, str]] = [
    ("PD", "/published"),
    (None, "/published"),
    ([None], "/published/0"),
    ([{k: v for k, v in PD.items() if k != "measure"}], "/published/0/measure"),
    ([{k: v for k, v in PD.items() if k != "source"}], "/published/0/source"),
    ([{k: v for k, v in PD.items() if k != "printed"}], "/published/0/printed"),
    ([PD | {"measure": " "}], "/published/0/measure"),
    ([PD | {"measure": "x" * 101}], "/published/0/measure"),
    ([PD | {"source": ""}], "/published/0/source"),
    ([PD | {"printed": ""}], "/published/0/printed"),
    ([PD | {"printed": 6}], "/published/0/printed"),
    ([PD | {"printed": "x" * 301}], "/published/0/printed"),
    ([PD | {"reconciled": None}], "/published/0/reconciled"),
    ([PD | {"reconciled": 5}], "/published/0/reconciled"),
    ([ORR, PD | {"discrepancy": " "}], "/published/1/discrepancy"),
    ([ORR, PD | {"verified": True}], "/published/1/verified"),
    ([ORR, PD, ORR | {"printed": "35%"}], "/published/2/source"),
]


@pytest.mark.parametrize(("figures", "pointer"), REFUSED)
def test_figures_are_refused_where_they_are_wrong(
    administrator: Api, stored: Body, figures: Any, pointer: str
) -> None:
    answer = administrator.patch(PATH, {"published": figures} | WHY, if_match='"2"')
    assert answer.status_code == 400, answer.content
    assert pointers(answer) == [pointer]
    assert administrator.get(PATH).json() == stored


SQL = [
    ("measure = ''", "published_figure_given"),
    ("source = ''", "published_figure_given"),
    ("printed = ''", "published_figure_given"),
    ("reconciled = '5'", "published_figure_reconciled_for_a_reason"),
    ("measure = 'PD'", "published_figure_once_in_trial"),
]


@pytest.mark.parametrize(("change", "constraint"), SQL)
def test_the_database_refuses_a_contradiction(cast: Cast, change: str, constraint: str) -> None:
    for measure in ("ORR", "DCR"):
        factories.published_figure(cast.trial, measure)
    assert constraint in violates(f"UPDATE trials_publishedfigure SET {change}")


# The dashboard


def dashboard(cast: Cast, pages: Pages) -> str:
    """The page as a coordinator sees it."""
    return pages(cast.coordinator).get(f"/trials/{cast.trial.registry_id}/").content.decode()


def row_of(page: str, measure: str) -> str:
    """The row of the table that shows a measure, as text in one line."""
    start = page.index(f">{measure}</th>", page.index('id="published"'))
    return " ".join(strip_tags(page[start + 1 : page.index("</tr>", start)]).split())


def test_a_flagged_figure_says_so_in_words(cast: Cast, pages: Pages, stored: Body) -> None:
    page = dashboard(cast, pages)
    flagged, plain = row_of(page, "PD"), row_of(page, "ORR")
    for said in ("6 patients", "Reconciled: 5 patients", PD["discrepancy"], ABSTRACT):
        assert said in flagged
    assert ORR["printed"] in plain
    assert "none" in plain
    assert "econciled" not in plain


def test_a_discrepancy_may_stay_open(cast: Cast, pages: Pages) -> None:
    impossible = {"printed": "10.13% of 154", "discrepancy": "No k/154 gives 10.13%."}
    factories.published_figure(cast.trial, **impossible)
    row = row_of(dashboard(cast, pages), "ORR")
    assert "Not reconciled." in row
    assert "No k/154 gives 10.13%." in row


def test_without_figures_there_is_no_table(cast: Cast, pages: Pages) -> None:
    factories.published_figure(factories.trial("NCT00000002"), "mOS")
    assert "As published" not in dashboard(cast, pages)


def test_a_figure_is_never_markup(cast: Cast, pages: Pages) -> None:
    payload = "<script>alert(1)</script>"
    names = ("source", "printed", "reconciled", "discrepancy")
    factories.published_figure(cast.trial, payload, **dict.fromkeys(names, payload))
    page = dashboard(cast, pages)
    assert page.count("&lt;script&gt;alert") == 5
    assert "<script>alert" not in page
