"""Adverse events, doses, therapies and follow-up in a real browser, by keyboard, in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from patients.models import AdverseEvent, Dose, Patient
from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from trials.models import Arm, Intervention, Trial

LogIn = Callable[[User], None]
PPES = "Palmar-plantar erythrodysesthesia syndrome"


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient on anlotinib, with an event that interrupted it."""
    Trial.objects.update(ctcae_version="5.0")
    arm = Arm.objects.create(trial=cast.trial, name="Anlotinib")
    Intervention.objects.create(
        arm=arm, name="Anlotinib", dose=12, unit="mg", days_on=list(range(1, 15)), cycle_days=21
    )
    row = factories.patient(cast.trial, "01-001")
    factories.adverse_event(row, "Proteinuria", action_taken="drug_interrupted")
    Dose.objects.create(
        patient=row, intervention="Anlotinib", dose=12, unit="mg",
        started_on="2024-01-16", ended_on="2024-01-29",
    )  # fmt: skip
    return row


def keep(page: Page, name: str) -> None:
    """A picture to look at, among the tests' artifacts."""
    pictures = Path("test-results/screenshots")
    pictures.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=pictures / f"{name}.png", full_page=True)


def in_chinese(page: Page, live_server: Any) -> None:
    """The pages' language from now on."""
    cookie = {"name": "django_language", "value": "zh-hans", "url": live_server.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]


def test_events_by_keyboard_alone(
    page: Page, live_server: Any, cast: Cast, log_in: LogIn, patient: Patient
) -> None:
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/adverse-events/new/")
    accessible(page)
    page.get_by_role("combobox", name="Adverse event").focus()
    page.keyboard.type("hand-foot")
    option = page.get_by_role("option", name=PPES)
    expect(option).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    accessible(page)
    keep(page, "adverse-events")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Adverse event")).to_have_value(PPES)
    expect(page.get_by_role("listbox")).to_have_count(0)
    for keys in (("Tab", "3"), ("Tab", "Space"), ("Tab", "ArrowDown")):
        for key in keys:
            page.keyboard.press(key)
    page.keyboard.press("Tab")
    page.keyboard.type("20240201")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("dose red")
    page.get_by_role("button", name="Store", exact=True).press("Enter")
    expect(page.get_by_text("1 adverse event stored.")).to_be_visible()
    event = AdverseEvent.objects.get(term=PPES)
    assert (event.grade, event.related, event.serious) == (3, True, False)
    assert (str(event.started_on), event.ended_on) == ("2024-02-01", None)
    assert event.action_taken == "dose_reduced"
    accessible(page)
    keep(page, "patient-with-events")


def test_terms_in_chinese(
    page: Page, live_server: Any, cast: Cast, log_in: LogIn, patient: Patient
) -> None:
    log_in(cast.coordinator)
    in_chinese(page, live_server)
    page.goto(f"{live_server.url}/patients/{patient.pk}/adverse-events/new/")
    field = page.locator("[data-terms]")
    field.press_sequentially("血压高")
    options = page.locator(".combobox-list li")
    expect(options.first).to_contain_text("高血压")
    field.press("Escape")
    expect(options).to_have_count(0)
    field.fill("")
    field.press_sequentially("qqqq")
    expect(page.locator(".combobox [role=status]")).not_to_be_empty()
    field.fill("")
    field.press_sequentially("手足")
    page.get_by_role("option", name="手足综合征").click()
    expect(field).to_have_value("手足综合征")
    keep(page, "adverse-events-zh")
    accessible(page)


def test_a_refused_page_says_where_and_keeps_what_was_typed(
    page: Page, live_server: Any, cast: Cast, log_in: LogIn, patient: Patient
) -> None:
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/adverse-events/new/")
    page.get_by_role("combobox", name="Adverse event").fill("Hypertensive toe")
    expect(page.get_by_text("No term found")).to_be_visible()
    page.get_by_role("button", name="One more row").click()
    expect(page.locator("[data-terms]")).to_have_count(2)
    expect(page.locator("[data-terms]").first).to_have_value("Hypertensive toe")
    page.get_by_role("button", name="Store", exact=True).click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: Add adverse events · "))
    expect(page.get_by_label("Confirmed, as in source")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        accessible(page)
    keep(page, "adverse-events-refused")
    page.reload()
    expect(page.locator("[data-terms]").first).to_have_value("Hypertensive toe")


def test_the_next_course_takes_few_keys(
    page: Page, live_server: Any, cast: Cast, log_in: LogIn, patient: Patient
) -> None:
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/doses/new/")
    expect(page.get_by_label("First day")).to_have_value("2024-02-06")
    expect(page.get_by_label("Last day")).to_have_value("2024-02-19")
    keep(page, "dose")
    accessible(page)
    page.get_by_role("button", name="Store and add another").press("Enter")
    expect(page.get_by_label("First day")).to_have_value("2024-02-27")
    page.get_by_role("link", name="Pause").press("Enter")
    expect(page.get_by_label("Dose", exact=True)).to_have_value("0")
    page.get_by_label("Because of").select_option(index=1)
    page.get_by_role("button", name="Store", exact=True).press("Enter")
    expect(page.get_by_text("interrupted: Proteinuria, CTCAE 2, 2024-01-25")).to_be_visible()
    assert Dose.objects.count() == 3
    keep(page, "patient-doses")
    accessible(page)


def test_every_form_is_accessible_in_both_languages(
    page: Page, live_server: Any, cast: Cast, log_in: LogIn, patient: Patient
) -> None:
    log_in(cast.investigator)
    event = AdverseEvent.objects.get()
    paths = (
        f"/patients/{patient.pk}/therapies/new/", f"/patients/{patient.pk}/follow-up/",
        f"/adverse-events/{event.pk}/edit/", f"/adverse-events/{event.pk}/void/",
        f"/patients/{patient.pk}/",
    )  # fmt: skip
    for path in paths:
        page.goto(live_server.url + path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            accessible(page)
    in_chinese(page, live_server)
    for path in paths:
        page.goto(live_server.url + path)
        accessible(page)
    keep(page, "patient-zh")
