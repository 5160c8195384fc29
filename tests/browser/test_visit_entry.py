"""A coordinator's day in a real browser: baseline, follow-up, progression, correction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.apps import apps
from playwright.sync_api import Page, expect

from outcomes.models import Visit
from registry.models import User
from tests import factories
from tests.conftest import Cast

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


WIDER_THAN_THE_SCREEN = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("main *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".table-responsive, .chart-scroll"))
    .map((e) => e.outerHTML.slice(0, 120))"""


def accessible(page: Page) -> None:
    """No WCAG 2.2 AA violation that axe can see, and nothing wider than the screen at 320 px."""
    found = Axe().run(page, options=WCAG).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]
    page.set_viewport_size({"width": 320, "height": 640})
    wide = page.evaluate(WIDER_THAN_THE_SCREEN)
    page.set_viewport_size({"width": 1366, "height": 768})
    assert not wide, wide


def test_a_visit_turns_stable_disease_into_progression(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = factories.patient(cast.trial, "01-001")
    factories.baseline(patient, by=cast.coordinator)
    factories.follow_up(patient, 43, (45, 30), by=cast.coordinator)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/")
    page.get_by_role("link", name="Enter Week 12").click()
    accessible(page)
    page.get_by_label("Scan date").fill("2024-04-10")
    page.get_by_label("T01, today in mm").fill("55,5")
    page.keyboard.press("Enter")
    expect(page.get_by_label("T02, today in mm")).to_be_focused()
    page.keyboard.type("40")
    page.get_by_role("button", name="All others still present").click()
    page.get_by_role("group", name="Any new lesion?").get_by_label("No").check()
    panel = page.locator("#panel")
    expect(panel.get_by_text("PD", exact=True).first).to_be_visible()
    expect(panel).to_contain_text("+27.3 % and +20.5 mm from nadir 75 (PD needs ≥ 90 and +5)")
    expect(page.locator("#sum-today")).to_have_text("95.5")
    page.get_by_role("button", name="Submit the visit").click()
    expect(page.get_by_role("status").first).to_contain_text("progressive disease")
    accessible(page)
    assert Visit.objects.get(date="2024-04-10").overall_response == "PD"


def test_a_refused_visit_keeps_what_was_typed_and_says_what_is_missing(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = factories.patient(cast.trial)
    factories.baseline(patient, by=cast.coordinator)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")
    page.get_by_label("Scan date").fill("2999-01-01")
    page.get_by_label("T01, today in mm").fill("-3")
    page.get_by_role("button", name="Submit the visit").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("From 0 to 400 mm")
    expect(summary).to_contain_text("In the future at the site")
    expect(summary).to_contain_text("Any new lesion?: Answer yes or no.")
    expect(page.get_by_label("T01, today in mm")).to_have_value("-3")
    assert page.title().startswith("Error:")
    accessible(page)
    assert Visit.objects.count() == 1


def test_a_baseline_and_its_correction(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = factories.patient(cast.trial)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")
    page.get_by_label("Scan date").fill("2024-01-10")
    first = page.get_by_role("group", name="T01", exact=True)
    first.get_by_label("Organ").fill("lung")
    first.get_by_label("Diameter (mm)").fill("9")
    page.get_by_role("button", name="Submit the visit").click()
    expect(page.get_by_role("alert")).to_contain_text("a target has at least 10 mm")
    first.get_by_label("Diameter (mm)").fill("52.5")
    accessible(page)
    page.get_by_role("button", name="Submit the visit").click()
    expect(page.get_by_role("status").first).to_contain_text("Baseline of 2024-01-10 stored")
    page.get_by_role("link", name="Correct").click()
    first.get_by_label("Diameter (mm)").fill("50")
    page.get_by_role("button", name="Store the correction").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why this is changed")
    page.get_by_label("Reason for the change").fill("typing error")
    page.get_by_role("button", name="Store the correction").click()
    expect(page.get_by_role("cell", name="50", exact=False).first).to_be_visible()
    stored = Visit.objects.get()
    assert stored.version == 2
    assert stored.sum_mm == 50
    event = apps.get_model("outcomes", "VisitEvent").objects.latest("pgh_id")
    assert event.pgh_context["reason"] == "typing error"


def test_the_preview_stays_calm_while_the_server_is_away(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = factories.patient(cast.trial)
    factories.baseline(patient, by=cast.coordinator)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")
    page.route("**/preview/", lambda route: route.fulfill(status=204))
    page.get_by_label("T01, today in mm").fill("30")
    page.unroute("**/preview/")
    page.get_by_label("Scan date").fill("2024-03-01")
    expect(page.locator("#panel")).to_contain_text("NE")


def test_a_half_filled_visit_is_restored_and_enter_does_not_submit_it(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = factories.patient(cast.trial)
    factories.baseline(patient, by=cast.coordinator)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")
    page.get_by_label("T01, today in mm").press("a")
    page.get_by_label("T02, today in mm").fill("30")
    page.get_by_role("group", name="Any new lesion?").get_by_label("No").press("Space")
    page.keyboard.press("Enter")
    assert Visit.objects.count() == 1
    page.reload()
    expect(page.get_by_text("Restored what you had typed")).to_be_visible()
    expect(page.get_by_label("T02, today in mm")).to_have_value("30")
    expect(page.locator(".state select").first).to_have_value("absent")
    expect(page.get_by_role("group", name="Any new lesion?").get_by_label("No")).to_be_checked()
    accessible(page)


@pytest.mark.parametrize("path", ["/trials/", "/trials/NCT00000001/", "/login/"])
def test_pages_are_accessible(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], path: str
) -> None:
    for number in range(6):
        patient = factories.patient(cast.trial, f"01-{number:03}")
        factories.baseline(patient, by=cast.coordinator)
        factories.follow_up(patient, 43 + number, (45 - 5 * number, 30), by=cast.coordinator)
        patient.last_known_alive_on = factories.START + timedelta(days=300)
        patient.save()
    if path != "/login/":
        log_in(cast.investigator)
    page.goto(live_server.url + path)
    accessible(page)
    page.emulate_media(color_scheme="dark")
    accessible(page)
