"""From consent to enrollment in a real browser: judged while typing, nothing lost, deviations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from patients.models import Patient, Screening
from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from tests.factories import START
from trials.models import ReferenceRange, Trial

CREATININE = {
    "type": "number", "item": "creatinine", "comparison": "at_most", "value": 1.5, "times": "uln",
}  # fmt: skip


def test_an_investigator_screens_deviates_and_enrolls(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    factories.criteria(cast.trial)
    cast.trial.criteria.create(
        kind="inclusion", text="Creatinine at most 1.5 x ULN", rule=CREATININE, position=9
    )
    cast.trial.criteria.create(kind="exclusion", text="Cannot swallow capsules", position=10)
    Trial.objects.update(enrollment_gate="screening")
    cast.trial.protocol_versions.update(consent_version="2.0")
    ReferenceRange.objects.create(
        site=cast.trial.sites.get(code="01"), item="creatinine", upper=106, unit="umol/L",
        valid_from=START,
    )  # fmt: skip
    log_in(cast.investigator)
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/screenings/")
    page.get_by_role("link", name="Screen a patient").click()
    accessible(page)
    expect(page.get_by_label("Subject ID")).to_be_focused()
    page.get_by_label("Subject ID").fill("01-007")
    page.get_by_label("ECOG").fill("1")
    page.get_by_role("button", name="Continue").click()
    accessible(page)
    page.get_by_role("link", name="Record a consent").click()
    page.get_by_label("Signed on").fill("2024-03-01")
    page.get_by_role("button", name="Store").click()

    page.get_by_role("link", name="Screen", exact=True).click()
    summary = page.locator("#panel-summary")
    expect(summary).to_have_text("1 of 5 met; 4 unknown")
    accessible(page)
    page.get_by_label("Date of screening").fill("2024-03-02")
    page.get_by_label("Platelets", exact=True).fill("72")
    expect(summary).to_have_text("1 of 5 met; 1 not met: platelets 72 < 80 × 10⁹/L; 3 unknown")
    page.get_by_label("Creatinine", exact=True).fill("1,79")
    page.get_by_label("Creatinine, unit").select_option("mg/dL")
    page.keyboard.press("Enter")  # stores nothing
    page.get_by_role("group", name="Lactating").get_by_label("No", exact=True).check()
    page.get_by_role("group", name="Cannot swallow").get_by_label("No", exact=True).check()
    expect(summary).to_have_text("4 of 5 met; 1 not met: platelets 72 < 80 × 10⁹/L")
    expect(page.locator("#panel")).to_contain_text("✗ Not met: 1")
    page.get_by_label("Platelets", exact=True).fill("99999")
    page.get_by_role("button", name="Store the screening").click()
    expect(page.get_by_role("alert")).to_contain_text("Platelets: From 0 to 5000 × 10⁹/L.")
    expect(page.get_by_label("Creatinine", exact=True)).to_have_value("1,79")
    accessible(page)
    page.get_by_label("Platelets", exact=True).fill("72")
    page.get_by_role("button", name="Store the screening").click()
    expect(page.get_by_role("status").first).to_contain_text("4 of 5 met; 1 not met")
    accessible(page)

    page.get_by_label("Enrolled on").fill("2024-03-03")
    page.get_by_role("button", name="Enroll").click()
    expect(page.locator("main")).to_contain_text("In the way of an enrollment on 2024-03-03")
    accessible(page)
    page.get_by_role("link", name="Record a protocol deviation").click()
    page.get_by_label("Date").fill("2024-03-02")
    page.get_by_label("Justification").fill("No alternative; platelets rise.")
    accessible(page)
    page.get_by_role("button", name="Store").click()
    page.get_by_label("Enrolled on").fill("2024-03-03")
    page.get_by_role("button", name="Enroll").click()
    page.get_by_role("link", name="Start the baseline").wait_for()
    assert Patient.objects.get().enrolled_on is not None
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/screenings/")
    expect(page.get_by_role("row", name="01-007")).to_contain_text("enrolled 2024-03-03")
    expect(page.get_by_role("row", name="01-007")).to_contain_text("with 1 deviation")
    accessible(page)
    page.get_by_role("link", name="2024-03-02").click()
    expect(page.locator("main")).to_contain_text("1.79 mg/dL; ULN 106 µmol/L")
    accessible(page)
    assert Screening.objects.count() == 1


@pytest.fixture
def form(page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]) -> Patient:
    """The screening form of somebody, half filled."""
    factories.criteria(cast.trial)
    patient = factories.candidate(cast.trial, "01-007")
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/screenings/new/")
    page.get_by_label("Platelets", exact=True).fill("72")
    page.get_by_role("group", name="Lactating").get_by_label("No", exact=True).check()
    expect(page.locator("#panel-summary")).to_contain_text("platelets 72 < 80")
    return patient


def half_filled(page: Page) -> None:
    """What `form` typed is there."""
    expect(page.get_by_label("Platelets", exact=True)).to_have_value("72")
    lactating = page.get_by_role("group", name="Lactating")
    expect(lactating.get_by_label("No", exact=True)).to_be_checked()


def log_in_elsewhere(page: Page, live_server: Any, user: User) -> None:
    """In a second tab, after the session was lost."""
    page.context.clear_cookies(name="sessionid")
    tab = page.context.new_page()
    tab.goto(f"{live_server.url}/login/")
    tab.get_by_label("Username").fill(user.username)
    tab.get_by_label("Password").fill(factories.PASSWORD)
    tab.get_by_role("button", name="Log in").click()
    tab.get_by_role("heading", name="My work").wait_for()
    tab.close()


def test_a_login_in_another_tab_stores_what_was_typed(
    page: Page, live_server: Any, cast: Cast, form: Patient
) -> None:
    log_in_elsewhere(page, live_server, cast.coordinator)
    page.get_by_role("button", name="Store the screening").click()
    expect(page.get_by_role("status").first).to_contain_text("1 not met: platelets 72 < 80")
    assert Screening.objects.get().values["platelets"]["value"] == 72
    page.goto(f"{live_server.url}/patients/{form.pk}/screenings/new/")
    expect(page.locator("#draft-note")).to_be_hidden()
    expect(page.get_by_label("Platelets", exact=True)).to_have_value("")


def test_another_user_does_not_send_what_was_typed(
    page: Page, live_server: Any, cast: Cast, form: Patient
) -> None:
    log_in_elsewhere(page, live_server, cast.investigator)
    page.get_by_role("button", name="Store the screening").click()
    expect(page.locator("[data-draft-state]")).to_contain_text("Another user has logged in")
    half_filled(page)
    page.reload()
    expect(page.get_by_label("Platelets", exact=True)).to_have_value("")
    assert not Screening.objects.exists()


@pytest.mark.parametrize("send", ["Store the screening", ""])
def test_a_lost_session_restores_what_was_typed(
    page: Page, live_server: Any, cast: Cast, form: Patient, send: str
) -> None:
    page.context.clear_cookies(name="sessionid")
    if send:
        page.get_by_role("button", name=send).click()
    else:
        page.get_by_label("Platelets", exact=True).press("End")
        page.reload()
    page.get_by_label("Username").fill(cast.coordinator.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#draft-note")).to_be_visible()
    half_filled(page)
    expect(page.locator("#panel-summary")).to_contain_text("platelets 72 < 80")
    accessible(page)
    page.get_by_role("button", name="Discard it").click()
    expect(page.locator("#draft-note")).to_be_hidden()
    expect(page.get_by_label("Platelets", exact=True)).to_have_value("")


def test_logging_out_empties_the_browser_and_keeps_the_draft(
    page: Page, cast: Cast, form: Patient
) -> None:
    address = page.url
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Username").wait_for()
    assert page.evaluate("sessionStorage.length") == 0
    page.goto(address)
    page.get_by_label("Username").fill(cast.coordinator.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Platelets", exact=True)).to_have_value("72")


def test_enter_goes_on_from_every_control(page: Page, form: Patient) -> None:
    def focused() -> str:
        found = page.evaluate("document.activeElement.name || document.activeElement.type")
        return str(found)

    page.get_by_label("Date of screening").focus()
    path = ["ecog", "platelets", "platelets.unit", "lactating", "submit"]
    for name in path:
        page.keyboard.press("Enter")
        assert focused() == name
        if name == "lactating":
            page.keyboard.press("Space")
    assert not Screening.objects.exists()
    half_filled(page)


def test_what_cannot_be_read_is_said_beside_its_field(page: Page, form: Patient) -> None:
    platelets = page.get_by_label("Platelets", exact=True)
    platelets.fill("99999")
    platelets.press("Tab")
    note = page.locator("#id_platelets_unread")
    expect(note).to_have_text("Cannot be read: From 0 to 5000 × 10⁹/L.")
    assert "id_platelets_unread" in str(platelets.get_attribute("aria-describedby"))
    accessible(page)
    platelets.fill("72")
    expect(note).to_have_count(0)
    expect(platelets).not_to_have_attribute("aria-invalid", "true")


def test_on_a_narrow_screen_the_summary_and_store_stay_in_sight(page: Page, form: Patient) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.evaluate("scrollTo(0, 0)")
    expect(page.get_by_role("button", name="Store the screening")).to_be_in_viewport()
    expect(page.locator("#panel-summary")).to_be_in_viewport()
    accessible(page)


def test_without_a_script_a_button_checks(
    browser: Any, live_server: Any, cast: Cast, pages: Any
) -> None:
    factories.criteria(cast.trial)
    patient = factories.candidate(cast.trial, "01-007")
    session = pages(cast.coordinator).cookies["sessionid"].value
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/patients/{patient.pk}/screenings/new/")
    page.get_by_label("Platelets", exact=True).fill("72")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#panel-summary")).to_contain_text("platelets 72 < 80")
    expect(page.get_by_label("Platelets", exact=True)).to_have_value("72")
    context.close()
    assert not Screening.objects.exists()
