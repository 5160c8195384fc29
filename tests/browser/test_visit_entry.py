"""A coordinator's day in a real browser: baseline, follow-up, progression, correction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.apps import apps
from playwright.sync_api import Browser, Page, expect

from outcomes.models import Visit
from patients.models import Patient
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
    page.get_by_role("button", name="All unchanged").click()
    page.get_by_role("group", name="Any new lesion?").get_by_label("No").check()
    panel = page.locator("#panel")
    expect(panel.get_by_text("PD", exact=True).first).to_be_visible()
    expect(page.locator("#why")).to_contain_text(
        "+27.3 % and +20.5 mm from nadir 75 (PD needs ≥ 90 and +5)"
    )
    expect(page.locator("#sum-today")).to_have_text("95.5")
    page.get_by_role("button", name="Submit the visit").click()
    expect(page.get_by_role("status").first).to_contain_text("Week 12 submitted: PD.")
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
    expect(summary).to_contain_text("Any new lesion? Answer yes or no.")
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
    expect(page.get_by_role("status").first).to_contain_text("Baseline 2024-01-10 submitted.")
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
    expect(page.locator("#draft-note")).to_be_visible()
    expect(page.get_by_label("T02, today in mm")).to_have_value("30")
    expect(page.locator(".state select").first).to_have_value("absent")
    expect(page.get_by_role("group", name="Any new lesion?").get_by_label("No")).to_be_checked()
    accessible(page)


def five_targets(cast: Cast) -> Patient:
    """A patient with five targets, one of them a node, and three non-targets, seen once since."""
    patient = factories.patient(cast.trial, "CN03-017")
    organs = ("lung", "liver", "lymph node", "soft tissue", "adrenal")
    targets = tuple(
        factories.target(f"T0{i}", mm, organ=organ, nodal=organ == "lymph node")
        for i, (organ, mm) in enumerate(zip(organs, (42, 35, 22, 18, 15), strict=True), 1)
    )
    labels = ("NT01", "NT02", "NT03")
    first = tuple(factories.non_target(label, organ="bone") for label in labels)
    factories.baseline(patient, by=cast.coordinator, targets=targets, non_targets=first)
    seen = tuple(factories.non_target(label) for label in labels)
    mm = (30, 24, 12, 15, 12)
    factories.follow_up(patient, 43, mm, by=cast.coordinator, non_targets=seen)
    return patient


COUNT_KEYS = """() => {
  window.struck = [];
  addEventListener("keydown", (e) => /^[0-9]$/.test(e.key) || window.struck.push(e.key), true);
}"""


def test_five_targets_fit_the_screen_and_take_16_key_strokes_besides_the_digits(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = five_targets(cast)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")
    expect(page.get_by_label("Scan date")).to_be_focused()
    for element in (
        page.get_by_role("button", name="Submit the visit"),
        page.get_by_role("group", name="Any new lesion?"),
    ):
        expect(element).to_be_in_viewport(ratio=1)
    page.evaluate(COUNT_KEYS)
    keys = page.keyboard
    keys.type("20240409")
    for diameter in ("27", "22", "10", "14", "11"):
        keys.press("Enter")
        keys.type(diameter)
    keys.press("Enter")
    expect(page.get_by_role("button", name="All unchanged")).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#unchanged-status")).to_have_text(
        "Filled as at the previous visit: NT01 Present, NT02 Present, NT03 Present"
    )
    keys.press("n")
    expect(page.locator("#result")).to_contain_text("PR")
    expect(page.get_by_role("button", name="Submit the visit")).to_be_in_viewport(ratio=1)
    struck = page.evaluate("window.struck")
    keys.press("Control+Enter")
    expect(page.get_by_role("status").first).to_contain_text("Week 12 submitted: PR (unconfirmed).")
    assert len([*struck, "Control", "Enter"]) <= 16, struck
    stored = Visit.objects.get(date="2024-04-09")
    assert (stored.sum_mm, stored.overall_response) == (84, "PR")


def test_letters_name_a_state_and_what_it_asks_for_comes_next(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = five_targets(cast)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")
    said = page.locator("#entry-status")
    page.get_by_label("T01, today in mm").press("a")
    expect(said).to_have_text("T01: Absent (0 mm)")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("t")
    expect(said).to_have_text("T02: Too small (5 mm)")
    page.keyboard.press("Enter")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    expect(page.get_by_label("T03 Why not evaluable", exact=True)).to_be_focused()
    page.keyboard.type("artifact")
    page.keyboard.press("Enter")
    expect(page.get_by_label("T04, today in mm")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.type("9")  # measured after all: the reason goes
    expect(page.get_by_label("T03 Why not evaluable", exact=True)).to_be_hidden()
    expect(page.get_by_label("T03, state")).to_have_value("measured")
    page.get_by_label("T05, state").select_option("split")
    page.get_by_label("T05 Part 1 (mm)").fill("6,5")
    page.get_by_label("T05 Part 2 (mm)").fill("4")
    expect(page.locator("#change-T05")).to_have_text("-12.5 %")
    accessible(page)


def test_a_tick_outlives_the_next_preview_and_a_query_is_announced(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = five_targets(cast)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")
    page.get_by_label("Scan date").fill("2024-04-09")
    page.get_by_label("T02, today in mm").fill("60")
    row = page.locator("#checks-T02")
    expect(row).to_contain_text("T02 was 24 mm on 2024-02-27 and is 60 mm now")
    expect(row).to_contain_text("Neither: a query opens.")
    row.get_by_label("Confirmed, as in source").check()
    row.get_by_label("Comment instead").fill("second reader agrees")
    page.get_by_label("T01, today in mm").fill("70")
    expect(page.locator("#checks-T01")).to_contain_text("T01 was 30 mm")
    expect(row.get_by_label("Confirmed, as in source")).to_be_checked()
    expect(row.get_by_label("Comment instead")).to_have_value("second reader agrees")
    accessible(page)
    page.emulate_media(color_scheme="dark")
    accessible(page)
    page.get_by_label("T02, today in mm").fill("24")
    expect(row).to_be_empty()


def test_a_correction_shows_each_change_and_takes_its_reason(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = factories.patient(cast.trial)
    factories.baseline(patient, by=cast.coordinator)
    visit = factories.follow_up(patient, 43, (45, 30), by=cast.coordinator)
    later = factories.follow_up(patient, 85, (54, 36), by=cast.coordinator)
    assert later.overall_response == "PD"
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/visits/{visit.pk}/edit/")
    expect(page.get_by_label("T01, today in mm")).to_be_focused()
    page.get_by_label("T01, today in mm").fill("55")
    expect(page.locator("#later")).to_contain_text(
        "This changes Week 12 (2024-04-09) from PD to SD."
    )
    page.get_by_label("Reason for T01 Diameter (mm)").fill("other plane")
    page.get_by_label("T02, today in mm").fill("29")
    page.get_by_label("Reason for T02 Diameter (mm)").fill("misread")
    expect(page.get_by_label("Reason for T01 Diameter (mm)")).to_have_value("other plane")
    accessible(page)
    page.get_by_role("button", name="Store the correction").click()
    expect(page.get_by_role("status").first).to_contain_text("Week 6 corrected: SD.")
    later.refresh_from_db()
    assert later.overall_response == "SD"
    event = apps.get_model("outcomes", "MeasurementEvent").objects.latest("pgh_id")
    assert set(event.pgh_context["reasons"].values()) == {"other plane", "misread"}


def test_what_is_wrong_is_said_while_typing_and_is_gone_once_it_is_right(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = factories.patient(cast.trial)
    factories.baseline(patient, by=cast.coordinator)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")
    first, second = page.get_by_label("T01, today in mm"), page.get_by_label("T02, today in mm")
    below = page.locator("tr.second-line[data-of=T01]")
    first.fill("1e2")
    expect(below).to_contain_text("Give millimeters as a number, such as 27.5.")
    expect(first).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("T01, state")).to_have_value("")
    page.get_by_label("Scan date").fill("20240227")
    page.get_by_label("Scan date").press("Tab")
    expect(page.get_by_label("Scan date")).to_have_value("2024-02-27")
    accessible(page)
    page.get_by_role("button", name="Submit the visit").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator("#id_targets-1-state_error")).to_be_visible()
    first.fill("60")
    expect(first).not_to_have_class("form-control is-invalid")
    expect(below).not_to_contain_text("Give millimeters")
    expect(first).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#id_targets-1-state_error")).to_be_visible()  # it is still to come
    second.fill("30")
    expect(page.locator("#id_targets-1-state_error")).to_have_count(0)
    accessible(page)


def test_the_computed_response_is_no_other_one(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = factories.patient(cast.trial)
    factories.baseline(patient, by=cast.coordinator)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")
    page.get_by_label("Scan date").fill("2024-02-27")
    page.get_by_label("T01, today in mm").fill("50")
    page.get_by_label("T02, today in mm").fill("31")
    page.get_by_role("button", name="All unchanged").click()
    page.get_by_role("group", name="Any new lesion?").get_by_label("No").check()
    expect(page.locator("#result")).to_contain_text("SD")
    stated = page.get_by_label("Investigator's assessment")
    same = stated.locator("option[value=SD]")
    expect(same).to_have_attribute("hidden", "")
    stated.select_option("PD")
    expect(page.get_by_label("Why it differs")).to_be_visible()
    page.get_by_label("T01, today in mm").fill("90")
    expect(page.locator("#result")).to_contain_text("PD")
    expect(page.get_by_label("Why it differs")).to_be_hidden()
    expect(stated.locator("option:checked")).to_have_text("Agrees: PD")
    expect(same).to_have_text("Differs: SD")


def test_columns_stay_and_a_wrong_date_is_read_whole(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = five_targets(cast)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")
    places = "() => [...document.querySelectorAll('.lesions thead th')].map((e) => e.getBoundingClientRect().x)"
    before = page.evaluate(places)
    page.get_by_label("T01, today in mm").fill("127.25")
    expect(page.locator("#change-T01")).to_have_text("+324.2 %")
    assert page.evaluate(places) == before
    page.get_by_label("Scan date").fill("2999-01-01")
    page.get_by_role("button", name="Submit the visit").click()
    expect(page.get_by_role("alert")).to_be_focused()
    date, method = page.locator("[name=date]"), page.locator("[name=method]")
    text = "(e) => e.clientWidth - parseFloat(getComputedStyle(e).paddingRight) - parseFloat(getComputedStyle(e).paddingLeft)"
    wide = date.evaluate(text)
    needed = date.evaluate(
        "(e) => { const c = document.createElement('canvas').getContext('2d');"
        " c.font = getComputedStyle(e).font; return c.measureText(e.value).width; }"
    )
    assert needed <= wide
    top = "(e) => e.getBoundingClientRect().y"
    assert date.evaluate(top) == method.evaluate(top)


def test_a_visit_is_entered_without_javascript(
    browser: Browser, live_server: Any, cast: Cast
) -> None:
    patient = five_targets(cast)
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{live_server.url}/login/?next=/patients/{patient.pk}/visits/new/")
    page.get_by_label("Username").fill(cast.coordinator.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Scan date").fill("2024/04/09")
    for number, diameter in enumerate(("27", "22", "10", "14"), 1):
        page.get_by_label(f"T0{number}, today in mm").fill(diameter)
    page.get_by_label("T05, state").select_option("not_evaluable")
    page.get_by_label("T05 Why not evaluable").fill("artifact")
    page.get_by_role("button", name="All unchanged").click()
    page.get_by_role("group", name="Any new lesion?").get_by_label("No").check()
    page.get_by_role("button", name="Compute the response").click()
    expect(page.locator("#result")).to_contain_text("NE")
    page.get_by_role("button", name="Submit the visit").click()
    expect(page.get_by_role("status").first).to_contain_text("Week 12 submitted: NE.")
    page.context.close()


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
