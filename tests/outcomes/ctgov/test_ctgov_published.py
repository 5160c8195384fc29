"""The draft of a results section prints the published tables, and an export of it is read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

from fixtures import synthesize
from outcomes.management.commands.load_seeds import load
from registry.models import User
from tests import factories
from tests.conftest import Api
from tests.outcomes.ctgov.test_ctgov_results import counts, measures, values

Login = Callable[[User], Api]
ALTER, SUN = synthesize.STUDIES


@pytest.fixture(scope="module")
def _seeds(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The seeds, loaded once for this file; nothing of them stays."""
    with django_db_blocker.unblock(), transaction.atomic():
        load()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def published(_seeds: None, db: None, api: Login) -> Callable[[str, str], dict[str, Any]]:
    """`published(id, cutoff)` is a seed study's draft in SPSS style, as its paper printed."""
    root = api(factories.user("root", superuser=True))

    def draft(registry_id: str, cutoff: str) -> dict[str, Any]:
        query = f"results=true&cutoff={cutoff}&survival_interval=spss"
        answer = root.get(f"/trials/{registry_id}/ctgov/?{query}")
        assert answer.status_code == 200, answer.content
        body: dict[str, Any] = answer.json()
        return body

    return draft


def interval(row: dict[str, str]) -> str:
    """As a paper prints it."""
    return f"{row['value']} ({row['lowerLimit']}-{row['upperLimit']})"


def test_the_published_table_of_alter_s006(published: Callable[..., dict[str, Any]]) -> None:
    """PMID 37767191: 16 % (8/49, 7-30), 94 % (46/49, 83-99), 9.1 months (5.7-12.5), OS not reached."""
    body = published(ALTER.registry_id, "2022-08-08")
    assert body["hasResults"] is True
    section = body["resultsSection"]
    found = measures(section)
    orr, dcr, pfs, os = (
        values(found[title])["anlotinib"]
        for title in (
            "Objective Response Rate",
            "Disease Control Rate",
            "Progress free survival for anlotinib maintenance treatment",
            "Overall Survival",
        )
    )
    assert (interval(orr), orr["comment"]) == ("16.3 (7.3-29.7)", "8 of 49 participants")
    assert (interval(dcr), dcr["comment"]) == ("93.9 (83.1-98.7)", "46 of 49 participants")
    assert interval(pfs) == "9.13 (5.74-12.53)"
    assert interval(os) == "NA (NA-NA)"
    assert os["comment"].startswith("Median not reached.")
    primary = section["outcomeMeasuresModule"]["outcomeMeasures"][0]
    assert primary["type"] == "PRIMARY"
    assert primary["title"].startswith("Progress free survival")
    assert "first dose, as the publication does" not in str(section)  # the registry's own note
    assert primary["dispersionType"] == "95% Confidence Interval"
    assert primary["timeFrame"] == "until Progressive Disease(PD) or death (up to 24 months)"
    assert found["Safety profile"]["reportingStatus"] == "NOT_POSTED"
    assert "classes" not in found["Safety profile"]
    flow = section["participantFlowModule"]
    assert [group["title"] for group in flow["groups"]] == ["anlotinib"]
    assert counts(flow)["STARTED"] == {"anlotinib": "49"}
    said = section["moreInfoModule"]["limitationsAndCaveats"]["description"]
    assert said.startswith("SYNTHETIC participants")
    for module in ("participantFlowModule", "baselineCharacteristicsModule"):
        assert all("SYNTHETIC" in group["description"] for group in section[module]["groups"])


def test_the_published_table_of_sun_2022(published: Callable[..., dict[str, Any]]) -> None:
    """Sun 2022, IJGM 15:7581: all arms together, and related events in 29 of 32."""
    section = published(SUN.registry_id, "2022-06-30")["resultsSection"]
    found = measures(section)
    orr = values(found["Objective response rate"])
    assert interval(orr["All participants"]) == "34.4 (18.6-53.2)"
    assert len(orr) == 6
    assert interval(values(found["Disease control rate"])["All participants"]) == "84.4 (67.2-94.7)"
    events = section["adverseEventsModule"]
    assert "29 of 32 participants, of grade 3 or more 13." in events["description"]
    by_title = {group["title"]: group for group in events["eventGroups"]}
    everybody = by_title.pop("All participants")
    assert everybody["otherNumAtRisk"] == sum(g["otherNumAtRisk"] for g in by_title.values()) == 32
    for name in ("seriousNumAffected", "otherNumAffected", "deathsNumAffected"):
        assert everybody[name] == sum(group[name] for group in by_title.values())
    flow = counts(section["participantFlowModule"])
    assert sum(map(int, flow["STARTED"].values())) == 32  # nobody twice
    totals = section["baselineCharacteristicsModule"]["groups"]
    assert [group["title"] for group in totals][-1] == "Total"


def test_a_study_with_results_is_stored_as_the_same_trial(
    published: Callable[..., dict[str, Any]], api: Login
) -> None:
    root = api(User.objects.get(username="root"))
    export = published(ALTER.registry_id, "2022-08-08")
    plain = root.get(f"/trials/{ALTER.registry_id}/ctgov/").json()
    assert {k: v for k, v in export.items() if k != "resultsSection"} == plain | {
        "hasResults": True
    }
    export["protocolSection"]["identificationModule"]["nctId"] = "NCT00000009"
    again = root.post("/ctgov-import/", export)
    assert again.status_code == 201
    assert ("/resultsSection", "not_held") in {
        (message["pointer"], message["code"]) for message in again.json()["messages"]
    }
    was, now = (root.get(f"/trials/{i}/ctgov/").json() for i in (ALTER.registry_id, "NCT00000009"))
    was["protocolSection"]["identificationModule"]["nctId"] = "NCT00000009"
    assert now == was
