"""From consent to enrollment in a real browser: judged while typing, nothing lost, deviations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/")
    page.get_by_role("link", name="Screen a patient").click()
    accessible(page)
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
    accessible(page)
    assert Screening.objects.count() == 1


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
