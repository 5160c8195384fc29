"""Queries in a real browser: from an unconfirmed diameter to an answer and a closing, by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from patients.models import Patient, Query
from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient whose second visit has a lesion of 12 mm after 30."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    factories.follow_up(row, 43, (49, 12), by=cast.coordinator)
    return row


def test_a_thread_by_keyboard(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], patient: Patient
) -> None:
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/queries/")
    expect(page.get_by_text("T02 was 30 mm on 2024-01-15 and is 12 mm now")).to_be_visible()
    page.get_by_role("link", name="01-001, Week 6, 2024-02-27, T02").press("Enter")
    page.get_by_label("Your message").press_sequentially("Read again: 12 mm.")
    page.get_by_label("Your message").press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Answer stored.")).to_be_visible()
    expect(page.get_by_text("Read again: 12 mm.")).to_be_visible()
    assert Query.objects.get().state == "answered"


def test_pages_are_accessible_and_fit(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], patient: Patient
) -> None:
    log_in(cast.investigator)
    query = Query.objects.get()
    for path in (
        "/queries/", f"/queries/{query.pk}/", f"/patients/{patient.pk}/queries/?lesion=T02",
        f"/patients/{patient.pk}/",
    ):  # fmt: skip
        page.goto(live_server.url + path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            accessible(page)
    page.goto(f"{live_server.url}/queries/{query.pk}/")
    page.get_by_role("button", name="Close the query").click()
    expect(page.locator(".error-summary")).to_be_focused()
    accessible(page)
    page.get_by_label("Your message").fill("Seen on the scan.")
    page.get_by_role("button", name="Close the query").press("Enter")
    expect(page.get_by_text("Closed: resolved.")).to_be_visible()
    accessible(page)
