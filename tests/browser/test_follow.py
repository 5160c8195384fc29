"""From a number on the dashboard to the entry in the audit trail that it rests on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from registry.models import User
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from tests.outcomes.test_figures import followed


def test_from_the_response_rate_to_an_entry_of_the_audit_trail(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    followed(cast, "01-001", 40, 40)
    followed(cast, "01-002", 70)
    log_in(cast.coordinator)
    cutoff = "?cutoff=2024-12-31"
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/{cutoff}")
    page.get_by_role("link", name="1 of 2 patients").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("n = 1")
    accessible(page)
    page.get_by_role("link", name="01-001").click()
    expect(page.locator("#as-of")).to_contain_text("2024-12-31")
    accessible(page)
    page.locator('a[href*="/lesions/T01/history/"]').nth(1).click()
    expect(page.get_by_text("Latest first. The audit trail cannot be changed.")).to_be_visible()
    expect(page.get_by_role("cell", name="coordinator")).to_be_visible()
    page.get_by_role("link", name="Back to the flow sheet").click()
    expect(page.locator("#as-of")).to_contain_text("2024-12-31")
