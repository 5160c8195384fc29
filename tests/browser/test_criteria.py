"""The criteria of ALTER-S006 in a real browser: read at a glance, edited with a rule that is shown first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from registry.models import User
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from trials import actions

FIXTURE = Path(__file__).parents[2] / "fixtures" / "NCT03890068" / "trial.json"


@pytest.fixture
def criteria(cast: Cast) -> None:
    """The 48 criteria of ALTER-S006."""
    rows = json.loads(FIXTURE.read_text())["criteria"]
    assert len(rows) == 48
    actions.update_trial(
        trial=cast.trial, by=cast.superuser, reason="seed", version=1,
        document={"criteria": rows}, partial=True,
    )  # fmt: skip


@pytest.fixture
def address(live_server: Any, cast: Cast) -> str:
    """The criteria page."""
    return f"{live_server.url}/trials/{cast.trial.registry_id}/criteria/"


def test_48_criteria_are_read_by_everybody(
    page: Page, cast: Cast, log_in: Callable[[User], None], criteria: None, address: str
) -> None:
    log_in(cast.coordinator)
    page.goto(address)
    required = page.get_by_role("group", name="Inclusion criteria")
    excluding = page.get_by_role("group", name="Exclusion criteria")
    expect(required.get_by_role("row")).to_have_count(21)
    expect(excluding.get_by_role("row")).to_have_count(29)
    expect(required.get_by_role("row", name="11 ")).to_contain_text("Creatinine ≤ 1.5 × ULN or")
    first = required.get_by_role("row").nth(8)  # one line each: eight criteria on the first screen
    assert (first.bounding_box() or {"height": 99})["height"] < 40
    accessible(page)
    page.emulate_media(color_scheme="dark")
    accessible(page)
    expect(page.get_by_role("link", name="Add a criterion")).to_have_count(0)


def test_a_rule_is_checked_before_it_is_stored(
    page: Page, cast: Cast, log_in: Callable[[User], None], criteria: None, address: str
) -> None:
    log_in(cast.administrator)
    page.goto(address)
    page.get_by_role("link", name="Change Inclusion criteria 10", exact=True).click()
    expect(page.get_by_label("Limit")).to_have_value("80")
    offered = page.get_by_label("Unit, or × ULN / LLN").locator("option")
    expect(offered).to_have_text(["× ULN", "× LLN", "× 10⁹/L", "× 10³/µL", "/µL"])
    expect(page.get_by_label("Rule as JSON")).to_be_hidden()
    page.get_by_label("Limit").fill("900000")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_contain_text("A limit from 0 to 5000 in this unit.")
    accessible(page)
    page.get_by_label("Limit").fill("75")
    page.get_by_role("button", name="Check").click()
    told = page.get_by_role("region", name="Required")
    expect(told).to_contain_text("Platelets ≥ 75 × 10⁹/L")
    expect(told.get_by_role("listitem")).to_have_text(["Platelets (× 10⁹/L, × 10³/µL, /µL)"])
    accessible(page)
    page.get_by_label("Reason for the change").fill("amendment 1")
    page.get_by_role("button", name="Store").click()
    expect(page.get_by_role("status")).to_have_text("Stored.")
    row = page.get_by_role("group", name="Inclusion criteria").get_by_role("row").nth(10)
    expect(row).to_contain_text("Platelets ≥ 75 × 10⁹/L")


def test_combinations_are_json_with_errors_that_point_into_it(
    page: Page, cast: Cast, log_in: Callable[[User], None], criteria: None, address: str
) -> None:
    log_in(cast.administrator)
    page.goto(f"{address}new/")
    page.get_by_label("Text, as the protocol has it").fill("Renal function")
    page.get_by_label("Rule", exact=True).select_option("json")
    expect(page.get_by_label("Limit")).to_be_hidden()
    wrong = {"type": "any", "rules": [{"type": "yes_no", "item": "kidneys", "answer": True}]}
    page.get_by_label("Rule as JSON").fill(json.dumps(wrong))
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_contain_text("/rules/0/item: One of the items:")
    accessible(page)
    wrong["rules"] = [{"type": "yes_no", "item": "lactating", "answer": False}]
    page.get_by_label("Rule as JSON").fill(json.dumps(wrong))
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("region", name="Required")).to_contain_text("Lactating: no")
    expect(page.get_by_label("Rule as JSON")).to_have_value(json.dumps(
        {"type": "any", "rules": [{"type": "yes_no", "item": "lactating", "answer": False}]},
        indent=2,
    ))  # fmt: skip


def test_an_amendment_is_read_beside_what_it_amends(
    page: Page, cast: Cast, log_in: Callable[[User], None], criteria: None, address: str
) -> None:
    log_in(cast.administrator)
    page.goto(address)
    page.get_by_role("link", name="Amend the protocol").click()
    accessible(page)
    page.get_by_label("Label").fill("2.0")
    page.get_by_label("What changes").fill("Eligibility")
    page.get_by_label("Reason for the change").fill("ethics committee")
    page.get_by_role("button", name="Begin version 2").click()
    accessible(page)
    page.get_by_label("Show version").select_option("1")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("An earlier protocol: version 1;")).to_be_visible()
    accessible(page)
