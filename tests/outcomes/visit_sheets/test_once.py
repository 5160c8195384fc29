"""A visit sheet stores what its page showed, and nothing that anybody wrote since."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from outcomes.models import Visit, VisitSheet
from patients.models import Patient
from tests import factories
from tests.conftest import Cast
from tests.outcomes.visit_sheets.sheets import csv_bytes, day, follow_up, uploaded

Pages = Callable[..., Client]


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A dosed patient of site 01 with a baseline: T01 of 50 mm, T02 of 30 mm."""
    made = factories.patient(cast.trial, "S-1")
    factories.baseline(made, by=cast.coordinator)
    return made


def two_targets(mm: str, on: int = 42) -> list[dict[str, Any]]:
    """A follow-up that says T01 is so large, T02 30 mm, and NT01 present."""
    rows = follow_up(on=on, mm=mm)
    return [*rows, rows[0] | {"lesion": "T02", "diameter_mm": "30"}]


def form_of(page: str) -> dict[str, str]:
    """What the page's form sends of itself."""
    return {"shown": re.findall(r'name="shown"\s+value="(\w+)"', page)[0], "reason": "typo"}


def test_a_page_that_was_overtaken_stores_nothing_however_often_it_is_sent(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    factories.follow_up(patient, 42, (45, 30), by=cast.coordinator)
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes([*two_targets("44"), *two_targets("43", on=84)]))
    address = f"/visit-sheets/{sheet.pk}/"
    old = form_of(client.get(address).content.decode())
    factories.follow_up(patient, 84, (60, 55), by=cast.colleague)
    first, second = client.post(address, old), client.post(address, old)
    assert (first.status_code, second.status_code) == (409, 409)
    assert "Changes a stored visit" in second.content.decode()
    assert Visit.objects.get(date=day(42)).sum_mm == 75
    assert Visit.objects.get(date=day(84)).sum_mm == 115
    assert client.post(address, form_of(second.content.decode())).status_code == 302
    assert Visit.objects.get(date=day(84)).sum_mm == 73


@pytest.mark.parametrize("shown", [None, "", "0" * 64, "乱"])
def test_a_form_that_names_no_check_stores_nothing(
    cast: Cast, pages: Pages, patient: Patient, shown: str | None
) -> None:
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes(two_targets("44")))
    sent = {"reason": "typo"} | ({} if shown is None else {"shown": shown})
    assert client.post(f"/visit-sheets/{sheet.pk}/", sent).status_code == 409
    assert Visit.objects.count() == 1


def test_a_form_that_is_sent_twice_stores_once(cast: Cast, pages: Pages, patient: Patient) -> None:
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes(two_targets("44")))
    address = f"/visit-sheets/{sheet.pk}/"
    form = form_of(client.get(address).content.decode())
    answers = [client.post(address, form) for _ in range(2)]
    assert [(a.status_code, a["Location"]) for a in answers] == [(302, address)] * 2
    assert Visit.objects.get(date=day(42)).version == 1
    assert VisitSheet.objects.get().state == VisitSheet.State.STORED


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("State: Measured → Not evaluable", "Status: Present → ", "Diameter (mm): 45 → –")),
        ("zh-hans", ("已测量 → 不可评价", "存在 → ", "45 → –")),
    ],
)
def test_changes_and_queries_are_in_the_language_of_the_reader(
    cast: Cast, pages: Pages, patient: Patient, language: str, words: tuple[str, ...]
) -> None:
    factories.follow_up(patient, 42, (45, 30), by=cast.coordinator)
    rows = two_targets("NE: motion")
    rows[1] |= {"status": "increased"}
    sheet = uploaded(pages(cast.coordinator), csv_bytes([*rows, *two_targets("10", on=84)]))
    client = pages(cast.coordinator)
    address, asks = f"/visit-sheets/{sheet.pk}/", {"accept-language": language}
    page = client.get(address, headers=asks).content.decode()
    report = client.get(f"{address}report.csv", headers=asks).content.decode()
    for code in ("not_evaluable", "increased", "measured →", "diameter_mm:"):
        assert code not in page.replace('lang="en"', "")
        assert code not in report
    assert [word for word in words if word not in report] == []
    asked = [check for line in sheet.found["lines"] for check in line["asked"]]
    assert asked
    assert len(re.findall("Query: |质疑：", report)) == len(asked)
