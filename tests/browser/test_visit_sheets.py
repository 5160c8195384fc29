"""A spreadsheet of visits in a real browser: uploaded, seen row by row, stored; a long one watched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from outcomes.models import Visit
from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from tests.outcomes.visit_sheets.sheets import NEW, baseline, csv_bytes, follow_up


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    """`sheet(rows)` is a file with these rows."""

    def write(*rows: Any) -> Path:
        path = tmp_path / "visits of June.csv"
        path.write_bytes(csv_bytes([row for each in rows for row in each]))
        return path

    return write


def test_a_spreadsheet_is_seen_corrected_and_stored(
    page: Page,
    live_server: Any,
    cast: Cast,
    log_in: Callable[[User], None],
    sheet: Callable[..., Path],
) -> None:
    patient = factories.patient(cast.trial, "S-1")
    factories.patient(cast.trial, "S-2")
    factories.baseline(patient, by=cast.coordinator)
    factories.follow_up(patient, 42, (45, 30), by=cast.coordinator)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}{NEW}")
    page.get_by_text("An example", exact=True).click()
    page.get_by_text("All columns and the words they take").click()
    accessible(page)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose a file.")
    accessible(page)
    second = [{**follow_up()[0], "lesion": "T02", "diameter_mm": "30"}]
    changed = [*follow_up(mm="25,5"), *second]
    page.get_by_label("Spreadsheet").set_input_files(
        sheet(baseline("S-2", diameter_mm="9 cm"), changed, [{"Comment": "x"}])
    )
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", name="Nothing can be stored yet")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="S-2")).to_contain_text(
        "Cell G2 (diameter_mm): Give millimeters, not centimeters"
    )
    expect(page.get_by_text("These columns were not read: Comment")).to_be_visible()
    accessible(page)
    assert page.title().startswith("Error:")
    page.get_by_role("link", name="Upload the corrected file").click()
    page.get_by_label("Spreadsheet").set_input_files(sheet(baseline("S-2"), changed))
    page.get_by_role("button", name="Read the file").click()
    row = page.get_by_role("row").filter(has_text="S-1")
    expect(row).to_contain_text("Changes a stored visit")
    expect(row).to_contain_text("from SD to PR")
    expect(row).to_contain_text("T01 Diameter (mm): 45")
    accessible(page)
    page.get_by_role("link", name="New visit (1)").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Store 2 visits").click()
    expect(page.get_by_role("alert")).to_contain_text("Reason for the changes")
    accessible(page)
    page.get_by_label("Reason for the changes").fill("read again")
    page.get_by_role("button", name="Store 2 visits").click()
    expect(page.get_by_role("status").first).to_contain_text("Stored: all rows of this file.")
    accessible(page)
    assert Visit.objects.count() == 3
    assert Visit.objects.get(kind="scheduled").overall_response == "PR"


def test_a_long_file_is_watched(
    page: Page,
    live_server: Any,
    cast: Cast,
    log_in: Callable[[User], None],
    sheet: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("outcomes.visit_sheets.views.AT_ONCE", 100)
    names = [f"P-{number:03}" for number in range(150)]
    for name in names:
        factories.patient(cast.trial, name)
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}{NEW}")
    page.get_by_label("Spreadsheet").set_input_files(sheet(*(baseline(name) for name in names)))
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("button", name="Store 150 visits")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Page 1 of 3")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Store 150 visits").click()
    expect(page.get_by_role("status").first).to_contain_text("Stored", timeout=60_000)
    assert Visit.objects.count() == 150
