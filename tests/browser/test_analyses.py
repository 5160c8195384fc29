"""Looking at the past, and freezing what is seen, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from registry.models import User
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from tests.outcomes.analyses.test_freezing import populated


def test_to_the_past_and_back_and_an_analysis_of_what_was_chosen(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    populated(cast)
    log_in(cast.administrator)
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/analyses/new/")
    page.get_by_label("Data cutoff").fill("2024-08-02")
    page.get_by_text("More options").click()
    page.get_by_label("As known on").fill("2024-06-01 20:00")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("You are looking at the past")).to_contain_text("20:00 UTC+8")
    expect(page.get_by_label("As known on")).to_have_value("2024-06-01 20:00")
    page.get_by_role("link", name="Back to today's data").click()
    expect(page.get_by_text("You are looking at the past")).to_have_count(0)
    expect(page.get_by_label("Data cutoff")).to_have_value("2024-08-02")
    accessible(page)
    page.get_by_label("Name").fill("Interim")
    page.get_by_role("button", name="Freeze now").click()
    expect(page.get_by_role("heading", name="Interim")).to_be_visible()
    expect(page.get_by_text("the same result, bit for bit")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="What changed since").click()
    expect(page.get_by_text("Nothing changed")).to_be_visible()
    accessible(page)
