"""A baseline in a real browser: what is said of a lesion while it is typed, rows that come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from outcomes.models import Lesion, Visit
from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast


def row(page: Page, label: str) -> Locator:
    """A lesion's row."""
    return page.get_by_role("group", name=label, exact=True)


def start(page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]) -> None:
    """An empty baseline page of a patient whose first dose is on 2024-01-16."""
    patient = factories.patient(cast.trial, "01-001")
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/patients/{patient.pk}/visits/new/")


def test_a_baseline_is_judged_while_it_is_typed_by_keyboard(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    start(page, live_server, cast, log_in)
    page.get_by_label("Scan date").fill("2024-01-04")
    expect(page.get_by_text("12 days before the first dose on 2024-01-16")).to_be_visible()
    row(page, "T01").get_by_label("Organ").focus()
    page.keyboard.type("liver")
    page.keyboard.press("Enter")
    page.keyboard.type("segment 6")
    expect(row(page, "T01")).to_contain_text("CT with slices of at most 5 mm: at least 10 mm.")
    row(page, "T01").get_by_label("Diameter").focus()
    page.keyboard.type("9,9")
    expect(row(page, "T01")).to_contain_text("9.9 mm is not measurable")
    expect(row(page, "T01").get_by_label("Diameter")).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.type("30")
    expect(row(page, "T01")).to_contain_text("Measurable.")
    page.keyboard.press("Enter")
    expect(row(page, "T02").get_by_label("Organ")).to_be_focused()
    page.keyboard.type("lymph node")
    row(page, "T02").get_by_label("Diameter").fill("12")
    row(page, "T03").get_by_label("Organ").fill("bone")
    expect(row(page, "T03").get_by_label("Bone")).to_be_visible()
    expect(row(page, "T01").get_by_label("Bone")).to_be_hidden()
    expect(page.locator("#baseline-counter")).to_have_text(
        "3 of 5 targets; liver 1 of 2; lymph nodes 1 of 2; bone 1 of 2"
    )
    accessible(page)
    row(page, "T03").get_by_label("Organ").fill("")
    page.get_by_role("button", name="Make T02 a non-target").press("Enter")
    expect(row(page, "NT01").get_by_label("Organ")).to_be_focused()
    expect(row(page, "NT01").get_by_label("Short axis")).to_have_value("12")
    expect(page.locator("#baseline-counter")).to_have_text("1 of 5 targets; liver 1 of 2")
    page.emulate_media(color_scheme="dark")
    accessible(page)
    page.get_by_role("button", name="Submit the visit").click()
    expect(page.get_by_role("status").first).to_contain_text("Baseline of 2024-01-04 stored")
    assert [(le.label, le.organ, le.nodal) for le in Lesion.objects.all()] == [
        ("NT01", "lymph node", True), ("T01", "liver", False),
    ]  # fmt: skip


def test_the_rows_below_a_moved_one_go_up_and_irradiation_asks_further(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    start(page, live_server, cast, log_in)
    for label, organ in (("T01", "liver"), ("T02", "lung"), ("T03", "skin")):
        row(page, label).get_by_label("Organ").fill(organ)
        row(page, label).get_by_label("Diameter").fill("20")
    expect(row(page, "T02").get_by_label("Progressed since")).to_be_hidden()
    row(page, "T02").get_by_label("Irradiated").check()
    expect(row(page, "T02").get_by_label("Progressed since")).to_be_visible()
    page.get_by_role("button", name="Make T02 a non-target").click()
    expect(row(page, "T02").get_by_label("Organ")).to_have_value("skin")
    expect(row(page, "T02").get_by_label("Irradiated")).not_to_be_checked()
    expect(row(page, "T03").get_by_label("Organ")).to_have_value("")
    expect(row(page, "NT01").get_by_label("Location")).to_have_value("(20 mm)")


def test_added_rows_are_there_again_after_a_reload(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    start(page, live_server, cast, log_in)
    add = page.get_by_role("button", name="Add a non-target row")
    add.click()
    expect(row(page, "NT04").get_by_label("Organ")).to_be_focused()
    row(page, "NT04").get_by_label("Organ").fill("pleura")
    row(page, "NT04").get_by_label("Short axis").fill("1")
    row(page, "NT04").get_by_label("Short axis").press("Enter")
    expect(row(page, "NT05").get_by_label("Organ")).to_be_focused()
    row(page, "NT05").get_by_label("Organ").fill("ascites")
    page.reload()
    expect(row(page, "NT05").get_by_label("Organ")).to_have_value("ascites")
    expect(row(page, "NT04").get_by_label("Organ")).to_have_value("pleura")
    assert not Visit.objects.exists()


def test_five_targets_and_three_non_targets_fit_one_screen(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    start(page, live_server, cast, log_in)
    last = row(page, "NT03").bounding_box()
    assert last
    assert last["y"] + last["height"] <= 768
