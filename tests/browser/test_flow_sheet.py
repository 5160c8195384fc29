"""The flow sheet in a real browser: twelve visits, marks, and the history behind each value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from playwright.sync_api import Page, expect

from outcomes import actions, corrections, history
from patients.models import Patient
from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from tests.factories import target


def followed(cast: Cast) -> Patient:
    """A baseline and twelve visits, with a merger, a split and a correction."""
    patient = factories.patient(cast.trial, "01-001")
    factories.baseline(patient, by=cast.coordinator)
    for number in range(1, 11):
        factories.follow_up(patient, 42 * number, (50 - 3 * number, 30), by=cast.coordinator)
    pieces = (Decimal(12), Decimal("8.5"))
    rows = (target("T01", fragments_mm=pieces), target("T02", 30))
    factories.follow_up(patient, 462, by=cast.coordinator, targets=rows)
    merged = (target("T01", 55), target("T02", state="merged", merged_into="T01"))
    factories.follow_up(patient, 504, by=cast.coordinator, targets=merged)
    past = history.load(patient)
    visit = past.visits[3]
    entry = corrections.stored_entry(visit, past)
    actions.correct_visit(
        visit=visit, entry=entry.__class__(**vars(entry) | {"kind": "unscheduled"}),
        by=cast.colleague, reason="not by the schedule", version=visit.version,
    )  # fmt: skip
    return patient


def test_twelve_visits_are_readable_and_each_value_leads_to_its_history(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = followed(cast)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/")
    accessible(page)
    sheet = page.locator(".flow-sheet")
    expect(sheet).to_contain_text("merged into T01 since 2025-06-02")
    expect(sheet).to_contain_text("2 fragments: 12 + 8.5")
    lesion = sheet.get_by_role("rowheader", name="T01 lung", exact=True)
    before = lesion.bounding_box()
    sheet.locator("xpath=..").evaluate("(box) => (box.scrollLeft = 10000)")
    after = lesion.bounding_box()
    assert before
    assert after
    assert abs(after["x"] - before["x"]) < 2
    last = patient.visits.latest("date")
    page.locator(f"#cell-{last.pk}-T02 a").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("coordinator")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Merged into: T01")
    accessible(page)
    page.emulate_media(color_scheme="dark")
    accessible(page)
    page.get_by_role("link", name="Back to the flow sheet").click()
    expect(page.locator(f"#cell-{last.pk}-T02")).to_be_in_viewport()
    accessible(page)
    page.get_by_role("link", name="(corrected)").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("not by the schedule")
    accessible(page)


def test_twelve_visits_print_whole_and_light(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = followed(cast)
    log_in(cast.coordinator)
    page.emulate_media(color_scheme="dark")
    page.goto(f"{live_server.url}/patients/{patient.pk}/")
    ground = "getComputedStyle(document.body).backgroundColor"
    page.evaluate(f"addEventListener('beforeprint', () => (window.printed = {ground}))")
    page.pdf(format="A4", landscape=True)
    assert page.evaluate("printed") == "rgb(255, 255, 255)"
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(media="print")
    expect(page.locator(".navbar")).to_be_hidden()
    page.set_viewport_size({"width": 1047, "height": 718})  # A4 landscape, 1 cm of margin
    sheet = page.locator(".flow-sheet").bounding_box()
    assert sheet is not None
    assert sheet["x"] + sheet["width"] <= 1047
    expect(page.locator("main .btn:visible")).to_have_count(0)
