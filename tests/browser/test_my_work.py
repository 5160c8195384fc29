"""My work and the way to a patient by keyboard, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from playwright.sync_api import Page, expect

from outcomes import practice
from registry.models import LOADER, Draft, User
from tests import factories
from tests.browser.test_trials import in_both_schemes
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast


def work(cast: Cast) -> None:
    """Scans that are overdue, due and planned, a patient without baseline, and a draft."""
    today = cast.trial.sites.get(code="01").today()
    for number, days in enumerate((64, 45, 24, 3), 1):
        start = today - timedelta(days=days)
        row = factories.patient(
            cast.trial, f"01-00{number}", enrolled_on=start, first_dose_on=start
        )
        factories.baseline(row, by=cast.coordinator, on=start)
    start = today - timedelta(days=2)
    bare = factories.patient(cast.trial, "01-010", enrolled_on=start, first_dose_on=None)
    Draft.objects.create(
        user=cast.coordinator, patient=bare, address=f"/patients/{bare.pk}/visits/new/",
        title="Baseline of 01-010", fields=[],
    )  # fmt: skip


def test_my_work_is_the_first_page_and_leads_to_the_scan(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    work(cast)
    log_in(cast.coordinator)
    expect(page).to_have_url(f"{live_server.url}/")
    in_both_schemes(page, f"{live_server.url}/")
    scans = page.get_by_role("group", name="Overdue and due scans")
    expect(scans.get_by_role("row")).to_have_count(5)
    expect(scans.get_by_role("row").nth(1)).to_contain_text("15 days late")
    page.get_by_role("link", name="Enter 01-001, Week 6").click()
    expect(page.get_by_role("heading", name="Tumor assessment")).to_be_visible()
    page.goto(live_server.url)
    page.get_by_role("link", name="Continue Baseline of 01-010").click()
    expect(page.get_by_role("heading", name="Baseline assessment")).to_be_visible()


def test_an_empty_page_leads_on(page: Page, cast: Cast, log_in: Callable[[User], None]) -> None:
    log_in(cast.coordinator)
    accessible(page)
    page.get_by_role("link", name="Add a patient").click()
    expect(page.get_by_role("heading", name="Add a patient")).to_be_visible()


def test_the_slash_key_leads_to_a_patient(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = factories.patient(cast.trial, "01-001")
    factories.patient(cast.trial, "01-002")
    log_in(cast.coordinator)
    search = page.get_by_role("searchbox", name="Patient ID")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    expect(search).to_have_value("")
    page.keyboard.type("01-00")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 patients whose ID contains")).to_be_visible()
    in_both_schemes(page, page.url)
    page.keyboard.press("/")
    page.keyboard.type("01-001")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{patient.pk}/")


def test_the_slash_key_is_a_character_where_one_types(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/patients/new/")
    date = page.get_by_label("Enrolled on")
    date.focus()
    page.keyboard.type("2026/11/20")
    expect(date).to_have_value("2026/11/20")


def test_the_slash_key_can_be_turned_off(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    log_in(cast.coordinator)
    menu = page.get_by_text("Account: coordinator")
    menu.press("Enter")
    choice = page.get_by_label("The key / leads to “Patient ID”")
    expect(choice).to_be_checked()
    accessible(page)
    choice.uncheck()
    page.keyboard.press("Escape")
    expect(choice).to_be_hidden()
    expect(menu).to_be_focused()
    search = page.get_by_role("searchbox", name="Patient ID")
    for _ in range(2):
        page.keyboard.press("/")
        expect(search).not_to_be_focused()
        page.reload()
    menu.press("Enter")
    expect(choice).not_to_be_checked()
    choice.check()
    page.reload()
    page.keyboard.press("/")
    expect(search).to_be_focused()


def test_from_the_list_of_patients_to_one_in_the_practice_study(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    factories.user(LOADER, superuser=True)
    practice.load()
    log_in(cast.coordinator)
    expect(page.get_by_role("heading", name="Queries to answer")).to_contain_text("1")
    in_both_schemes(page, page.url)
    in_both_schemes(page, f"{live_server.url}/trials/PRACTICE/patients/")
    page.get_by_label("Scan", exact=True).select_option("overdue")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("2 patients", exact=True)).to_be_visible()
    page.get_by_role("link", name="01-001", exact=True).click()
    in_both_schemes(page, page.url)
    page.get_by_role("navigation", name="Sections of this page").get_by_role(
        "link", name="Treatment"
    ).click()
    expect(page.get_by_role("heading", name="Treatment", exact=True)).to_be_in_viewport()
    page.get_by_role("link", name="Enter Week 12").click()
    expect(page.get_by_role("heading", name="Tumor assessment")).to_be_visible()
