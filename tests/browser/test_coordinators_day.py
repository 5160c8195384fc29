"""A coordinator's whole day by keyboard alone: from the login to an answered query."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from playwright.sync_api import Page, expect

from outcomes.models import Visit
from patients.models import Patient, Query, QueryMessage, Screening
from tests import factories
from tests.browser.keyboard import Keyboard
from tests.conftest import Cast
from trials.models import Trial

WEEKS = (6, 12, 18)


@pytest.fixture
def enrolled_on(cast: Cast) -> date:
    """18 weeks ago, in a trial that screens: the third scan is due today."""
    factories.criteria(cast.trial)
    Trial.objects.update(enrollment_gate="screening")
    cast.trial.protocol_versions.update(consent_version="2.0")
    return cast.trial.sites.get(code="01").today() - timedelta(weeks=max(WEEKS))


def log_in(keys: Keyboard, server: str) -> None:
    """The only address that is typed into the browser."""
    keys.page.goto(server)
    keys.arrive("Log in")
    keys.type("coordinator")
    keys.press("Tab")
    keys.type(factories.PASSWORD)
    keys.press("Enter")
    keys.arrive("My work")


def screen_and_enroll(keys: Keyboard, on: date) -> None:
    """Somebody new, their consent, the criteria, the day of enrollment."""
    keys.skip()
    keys.follow("Add a patient", "Screen a patient")
    keys.type("01-017")
    keys.follow("Continue to consent and screening", "Enrollment")
    keys.skip()
    keys.follow("Record a consent", "consent")
    keys.skip()
    keys.fill("Signed on", f"{on - timedelta(days=3)}")
    keys.follow("^Store$", "^Enrollment")
    keys.skip()
    keys.follow("^Screen$", "^Screening")
    keys.skip()
    keys.fill("Date of screening", f"{on - timedelta(days=2)}")
    keys.fill("^ECOG", "1")
    keys.fill("^Platelets", "210")
    keys.choose("Lactating", "No")
    summary = keys.page.locator("#panel-summary")
    expect(summary).to_have_text("3 of 3 met")
    keys.follow("Store the screening", "Enrollment")
    keys.skip()
    keys.fill("Enrolled on", f"{on}")
    keys.follow("^Enroll$", "^01-017")


def enter_baseline(keys: Keyboard, on: date) -> None:
    """Three targets and a pleural effusion."""
    keys.skip()
    keys.follow("Start the baseline", "Baseline")
    keys.type(f"{on - timedelta(days=1)}")
    for number, (organ, mm) in enumerate((("lung", 50), ("liver", 30), ("soft tissue", 20)), 1):
        keys.fill(f"T0{number} Organ", organ)
        keys.press("Enter")
        keys.fill(f"T0{number} Diameter", f"{mm}")
        keys.press("Enter")
    expect(keys.page.locator("#baseline-counter")).to_contain_text("3 of 5 targets")
    keys.fill("NT01 Organ", "pleural effusion")
    submit(keys, "Baseline")


def submit(keys: Keyboard, said: str) -> None:
    """Store the visit from wherever the focus is."""
    keys.press("Control+Enter")
    answer = keys.page.locator(".error-summary, [data-message=success]")
    expect(answer).to_contain_text(said)
    keys.arrive("^01-017")


def open_next_visit(keys: Keyboard, week: int, on: date) -> None:
    """From the patient's page to the next scan; the date has the focus."""
    keys.skip()
    keys.follow(f"Enter Week {week}", "Tumor assessment")
    assert "Scan date" in keys.focused()
    keys.type(f"{on + timedelta(weeks=week)}")


def diameters(keys: Keyboard, *mm: str) -> None:
    """A number for each lesion; Enter leads to the next one."""
    for diameter in mm:
        keys.press("Enter")
        keys.type(diameter)


def finish(keys: Keyboard) -> None:
    """Non-targets as before, no new lesion."""
    keys.press("Enter")
    assert keys.focused() == "All unchanged"
    keys.press("Enter", "n")


def enter_visits(keys: Keyboard, on: date) -> None:
    """Three scans: without a question, with one that is confirmed, with one that is not."""
    open_next_visit(keys, 6, on)
    diameters(keys, "45", "28", "19")
    finish(keys)
    submit(keys, "Week 6 submitted: SD")

    open_next_visit(keys, 12, on)
    diameters(keys, "44", "44")
    check = keys.page.locator("#checks-T02")
    expect(check).to_contain_text("T02 was 28 mm")
    keys.reach("Confirmed, as in source")
    keys.press("Space")
    keys.reach("^T03, today in mm")
    keys.type("18")
    finish(keys)
    submit(keys, "Week 12 submitted: SD")

    open_next_visit(keys, 18, on)
    diameters(keys, "69", "26", "14")
    finish(keys)
    expect(keys.page.locator("#checks-T01")).to_contain_text("Neither: a query opens.")
    submit(keys, "Week 18 submitted: SD")


def correct_week_12(keys: Keyboard, on: date) -> None:
    """44 mm was a typing error: the nadir falls, and Week 18 turns into progression."""
    keys.search("01-017")
    keys.skip()
    keys.follow(f"Correct Scheduled {on + timedelta(weeks=12)}", "orrect")
    keys.press("ArrowDown")
    keys.type("24")
    expect(keys.page.locator("#later")).to_contain_text("from SD to PD")
    keys.fill("Reason for T02", "typing error: 24, not 44")
    submit(keys, "Week 12 corrected: SD")


def answer_the_query(keys: Keyboard) -> None:
    """The query waits on My work until it is answered."""
    keys.follow("^My work$", "^My work")
    expect(keys.page.get_by_role("heading", name="Queries to answer")).to_contain_text("1")
    keys.skip()
    keys.follow("^01-017, Week 18", "^Query")
    keys.skip()
    keys.fill("Your message", "Measured again: 69 mm, as in the report.")
    keys.reach("^Answer$")
    keys.press("Enter")
    expect(keys.page.get_by_text("Measured again: 69 mm")).to_be_visible()


def test_a_coordinators_day_by_keyboard_alone(
    page: Page, live_server: Any, cast: Cast, enrolled_on: date
) -> None:
    keys = Keyboard(page)
    log_in(keys, live_server.url)
    expect(page.get_by_text("Nothing due")).to_be_visible()
    screen_and_enroll(keys, enrolled_on)
    enter_baseline(keys, enrolled_on)
    keys.follow("^My work$", "^My work")
    expect(page.get_by_role("link", name="Enter 01-017, Week 6")).to_be_visible()
    keys.search("01-017")
    enter_visits(keys, enrolled_on)
    correct_week_12(keys, enrolled_on)
    answer_the_query(keys)
    keys.follow("^My work$", "^My work")
    expect(page.get_by_text("Nothing due")).to_be_visible()
    stored(cast, enrolled_on)


def stored(cast: Cast, on: date) -> None:
    """What the day left in the database, and by whom."""
    patient = Patient.objects.get()
    assert (patient.subject_id, patient.enrolled_on) == ("01-017", on)
    assert Screening.objects.get().values["platelets"]["value"] == 210
    visits = Visit.objects.order_by("date")
    assert [(v.kind, v.sum_mm, v.overall_response) for v in visits] == [
        ("baseline", 100, ""), ("scheduled", 92, "SD"), ("scheduled", 86, "SD"), ("scheduled", 109, "PD"),
    ]  # fmt: skip
    dates = dict(visits.values_list("pk", "date"))
    weeks = {q.lesion: ((dates[q.record_id] - on).days // 7, q.state) for q in Query.objects.all()}
    assert weeks == {"T02": (12, "closed"), "T01": (18, "answered")}
    said = QueryMessage.objects.order_by("at").values_list(
        "query__lesion", "by__username", "action", "text"
    )
    assert list(said) == [
        ("T02", "coordinator", "confirmed", ""),
        ("T01", "coordinator", "answered", "Measured again: 69 mm, as in the report."),
    ]
    event = apps.get_model("outcomes", "MeasurementEvent").objects.latest("pgh_id")
    assert (event.pgh_context["user"], list(event.pgh_context["reasons"].values())) == (
        cast.coordinator.pk,
        ["typing error: 24, not 44"],
    )
    visit_events = apps.get_model("outcomes", "VisitEvent").objects
    everybody = set(visit_events.values_list("pgh_context__user", flat=True))
    assert everybody == {cast.coordinator.pk}
