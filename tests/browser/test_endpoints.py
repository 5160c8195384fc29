"""A definition is changed in a real browser: what would move is seen first, then it is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from trials.models import Endpoint


def test_a_definition_is_seen_before_it_is_stored(
    page: Page, cast: Cast, log_in: Callable[[User], None], live_server: Any
) -> None:
    Endpoint.objects.create(trial=cast.trial, kind="ORR", name="FDA primary", role="primary")
    patient = factories.patient(cast.trial, "01-001")
    factories.baseline(patient, by=cast.coordinator)
    factories.follow_up(patient, 43, (20, 20), by=cast.coordinator)
    log_in(cast.administrator)
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/endpoints/")
    accessible(page)
    page.get_by_role("link", name="Change ORR FDA primary").click()
    page.get_by_label("CR and PR need confirmation").uncheck()
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_text("1 of 1 patients moves.")).to_be_visible()
    moved = page.get_by_role("group", name="Patients who move").get_by_role("row").nth(1)
    expect(moved).to_contain_text("01-001")
    accessible(page)
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_label("Reason for the change").fill("amendment 3")
    page.get_by_role("button", name="Store", exact=True).click()
    expect(page.get_by_text("Stored.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_text("Version 2, since").click()
    expect(page.get_by_text("amendment 3")).to_be_visible()
    assert Endpoint.objects.get().version == 2
