"""Nothing typed is lost: network, reload, machine, session, colleague and double click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, BrowserContext, Page, expect

from outcomes.models import Visit
from patients.models import Patient, Therapy
from registry.models import Draft, User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast

LogIn = Callable[..., None]
SAVED = "Draft saved"


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient with a baseline of 50 and 30 mm."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    return row


@pytest.fixture
def new_visit(live_server: Any, patient: Patient) -> str:
    """Where a visit is entered."""
    return f"{live_server.url}/patients/{patient.pk}/visits/new/"


@pytest.fixture
def elsewhere(
    browser: Browser, browser_context_args: dict[str, Any], live_server: Any
) -> Iterator[Callable[[User], Page]]:
    """`elsewhere(user)`: a page of another machine, logged in there, its console silent too."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def open_page(user: User) -> Page:
        contexts.append(browser.new_context(**browser_context_args))
        page = contexts[-1].new_page()
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        enter(page, live_server.url, user)
        return page

    yield open_page
    for context in contexts:
        context.set_offline(True)
        context.close()
    assert not [text for text in said if "422" not in text], said


def enter(page: Page, server: str, user: User) -> None:
    """Through the login page."""
    page.goto(f"{server}/login/")
    give_password(page, user)
    page.get_by_role("button", name="Log out").wait_for()


def give_password(page: Page, user: User) -> None:
    """Fill the login form and send it."""
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()


def type_visit(page: Page, first: str = "44", second: str = "28") -> None:
    """All that a follow-up visit needs."""
    page.get_by_label("Scan date").fill("2024-02-26")
    page.get_by_label("T01, today in mm").fill(first)
    page.get_by_label("T02, today in mm").fill(second)
    page.locator("[name=non_targets-0-status][value=present]").check()
    page.locator("[name=new_lesions][value=no]").check()


def expect_typed(page: Page, first: str = "44", second: str = "28") -> None:
    """The same on the page."""
    expect(page.get_by_label("Scan date")).to_have_value("2024-02-26")
    expect(page.get_by_label("T01, today in mm")).to_have_value(first)
    expect(page.get_by_label("T02, today in mm")).to_have_value(second)
    expect(page.locator("[name=non_targets-0-status][value=present]")).to_be_checked()
    expect(page.locator("[name=new_lesions][value=no]")).to_be_checked()


def submit(page: Page) -> None:
    """Press the button that stores."""
    page.locator("#visit-form button[type=submit].btn-primary").click()


def expect_success(page: Page) -> None:
    """The patient's page, with what was stored."""
    expect(page.locator("[data-message=success]")).to_have_count(1)


def stored() -> list[str]:
    """The sums of the stored follow-up visits."""
    return [f"{v.sum_mm:.0f}" for v in Visit.objects.filter(kind="scheduled")]


def test_a_cut_network_loses_nothing(page: Page, cast: Cast, log_in: LogIn, new_visit: str) -> None:
    log_in(cast.coordinator)
    page.goto(new_visit)
    page.get_by_label("Scan date").fill("2024-02-26")
    page.context.set_offline(True)
    type_visit(page)
    state = page.locator("[data-draft-state]")
    expect(page.locator("#panel-state")).to_contain_text("Not connected")
    expect(state).to_be_empty()  # it is said once
    for stale in ("#result", "#why", "#sum-today", "#change-T01"):
        expect(page.locator(stale)).to_be_hidden()
    accessible(page)
    page.get_by_role("button", name="Save draft").click()
    expect(state).to_contain_text("Not connected")
    submit(page)
    expect_typed(page)
    assert not stored()
    page.context.set_offline(False)
    expect(state).to_contain_text(SAVED)
    expect(page.locator("#panel")).to_contain_text("SD")
    submit(page)
    expect_success(page)
    assert stored() == ["72"]
    assert not Draft.objects.exists()


def test_a_copy_that_was_saved_while_the_page_was_on_its_way_comes_back(
    page: Page, cast: Cast, log_in: LogIn, new_visit: str
) -> None:
    log_in(cast.coordinator)
    without_draft = page.goto(new_visit)
    assert without_draft
    body = without_draft.text()
    type_visit(page)
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("[data-draft-state]")).to_contain_text(SAVED)
    page.route(new_visit, lambda route: route.fulfill(body=body, content_type="text/html"))
    page.reload()
    expect_typed(page)
    expect(page.locator("#draft-note")).to_be_visible()


def test_a_reload_brings_back_what_was_typed_and_discarding_it_does_not(
    page: Page, cast: Cast, log_in: LogIn, new_visit: str
) -> None:
    log_in(cast.coordinator)
    page.goto(new_visit)
    type_visit(page)
    page.reload()
    expect_typed(page)
    note = page.locator("#draft-note")
    expect(note).to_contain_text("restored; it is not stored yet")
    accessible(page)
    note.get_by_role("button", name="Discard it").click()
    expect(page.get_by_label("T01, today in mm")).to_have_value("")
    expect(note).to_be_hidden()
    page.reload()
    expect(page.get_by_label("T01, today in mm")).to_have_value("")
    assert not Draft.objects.exists()


def test_another_machine_goes_on_after_a_crash(
    page: Page, cast: Cast, log_in: LogIn, new_visit: str, elsewhere: Callable[[User], Page]
) -> None:
    log_in(cast.coordinator)
    page.goto(new_visit)
    type_visit(page)
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("[data-draft-state]")).to_contain_text(SAVED)
    assert Draft.objects.get().title == "01-001, Tumor assessment, Week 6"
    other = elsewhere(cast.coordinator)
    other.goto(new_visit)
    expect_typed(other)
    expect(other.locator("#draft-note")).to_contain_text("Draft of")
    other.get_by_label("T02, today in mm").fill("27")
    submit(other)
    expect_success(other)
    assert stored() == ["71"]
    page.goto(new_visit)
    expect(page.get_by_label("T01, today in mm")).to_have_value("")


def test_rows_that_were_added_come_back_too(
    page: Page, live_server: Any, cast: Cast, log_in: LogIn, elsewhere: Callable[[User], Page]
) -> None:
    row = factories.patient(cast.trial)
    address = f"{live_server.url}/patients/{row.pk}/visits/new/"
    log_in(cast.coordinator)
    page.goto(address)
    page.get_by_label("Scan date").fill("2024-01-10")
    organs = page.locator("[name^=non_targets-][name$=-organ]")
    fresh = organs.count()
    page.locator("button[name=more][value=non_targets]").click()
    expect(organs).not_to_have_count(fresh)
    name = organs.last.get_attribute("name")
    organs.last.fill("pleura")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("[data-draft-state]")).to_contain_text(SAVED)
    other = elsewhere(cast.coordinator)
    other.goto(address)
    expect(other.locator(f"[name={name}]")).to_have_value("pleura")
    expect(other.get_by_label("Scan date")).to_have_value("2024-01-10")
    expect(other.locator(".error-summary")).to_have_count(0)
    expect(other.locator("#draft-note")).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_an_expired_session_leads_back_to_the_same_page_and_content(
    browser: Browser, live_server: Any, cast: Cast, new_visit: str, script: bool
) -> None:
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    enter(page, live_server.url, cast.coordinator)
    page.goto(new_visit)
    type_visit(page)
    Session.objects.all().delete()
    submit(page)
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert not stored()
    give_password(page, cast.coordinator)
    expect(page).to_have_url(new_visit)
    expect(page.locator("#draft-note")).to_contain_text("You were logged out")
    expect_typed(page)
    submit(page)
    expect_success(page)
    assert stored() == ["72"]
    context.close()


def test_an_autosave_without_a_session_says_so_and_where_to_log_in(
    browser: Browser, live_server: Any, cast: Cast, new_visit: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, live_server.url, cast.coordinator)
    page.goto(new_visit)
    Session.objects.all().delete()
    type_visit(page)
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("[data-draft-state]")).to_contain_text("You are logged out")
    page.locator("[data-draft-login]").click()
    give_password(page, cast.coordinator)
    expect(page).to_have_url(new_visit)
    expect_typed(page)
    context.set_offline(True)
    context.close()


def test_two_coordinators_on_one_new_visit(
    page: Page, cast: Cast, log_in: LogIn, new_visit: str, elsewhere: Callable[[User], Page]
) -> None:
    log_in(cast.coordinator)
    other = elsewhere(cast.colleague)
    for one, second in ((page, "28"), (other, "29")):
        one.goto(new_visit)
        type_visit(one, second=second)
    submit(other)
    expect_success(other)
    submit(page)
    table = page.locator("#meanwhile")
    expect(table).to_contain_text("colleague stored this at")
    expect(table.get_by_role("row")).to_have_count(2)
    accessible(page)
    table.get_by_label("T02 Today (mm), Stored now: 29").check()
    expect(page.get_by_label("T02, today in mm")).to_have_value("29")
    table.get_by_label("T02 Today (mm), You typed: 28").check()
    expect(page.get_by_label("T02, today in mm")).to_have_value("28")
    page.get_by_label("Reason for the change").fill("measured again")
    submit(page)
    expect_success(page)
    assert stored() == ["72"]


def test_two_coordinators_on_one_correction(
    page: Page, live_server: Any, cast: Cast, log_in: LogIn, patient: Patient,
    elsewhere: Callable[[User], Page],
) -> None:  # fmt: skip
    visit = factories.follow_up(patient, 42, (44, 28), by=cast.coordinator)
    address = f"{live_server.url}/visits/{visit.pk}/edit/"
    log_in(cast.coordinator)
    other = elsewhere(cast.colleague)
    for one, first in ((page, "48"), (other, "47")):
        one.goto(address)
        one.get_by_label("T01, today in mm").fill(first)
        one.get_by_label("Reason for the change").fill("read again")
    submit(other)
    expect_success(other)
    submit(page)
    table = page.locator("#meanwhile")
    expect(table.get_by_role("row")).to_have_count(2)
    table.get_by_label("T01 Today (mm), You typed: 48").check()
    submit(page)
    expect_success(page)
    assert stored() == ["76"]
    visit.refresh_from_db()
    assert visit.version == 3


def test_a_double_click_is_one_visit(page: Page, cast: Cast, log_in: LogIn, new_visit: str) -> None:
    log_in(cast.coordinator)
    page.goto(new_visit)
    type_visit(page)
    page.locator("#visit-form button[type=submit].btn-primary").dblclick()
    expect_success(page)
    assert stored() == ["72"]
    assert not Draft.objects.exists()


def test_a_double_click_without_a_script_is_one_therapy(
    browser: Browser, live_server: Any, cast: Cast, patient: Patient
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, live_server.url, cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/therapies/new/")
    page.get_by_label("Started on").fill("2024-06-01")
    page.get_by_role("button", name="Store", exact=True).dblclick()
    expect(page.get_by_text("Add a therapy: stored.")).to_have_count(1)
    assert Therapy.objects.count() == 1
    context.close()
