"""Adverse events and published figures in a real browser: readable, accessible, narrow enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from patients.models import Patient
from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast

TERMS = ("Hypertension", "Palmar-plantar erythrodysesthesia syndrome", "Fatigue")


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient with adverse events, in a trial with published figures."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    for grade, term in enumerate(TERMS, 1):
        factories.adverse_event(row, term, grade, ended_on="2024-03-01" if grade == 2 else None)
    factories.published_figure(cast.trial, "ORR", printed="34.4% (95% CI 18.6-53.2)")
    factories.published_figure(
        cast.trial, "PD", printed="6 patients", reconciled="5 patients",
        source="abstract, PMID 36196372", discrepancy="11 + 16 + 6 is 33, but n is 32.",
    )  # fmt: skip
    return row


def test_tables_of_events_and_figures_are_accessible(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], patient: Patient
) -> None:
    log_in(cast.investigator)
    for path in (f"/trials/{cast.trial.registry_id}/", f"/patients/{patient.pk}/"):
        page.emulate_media(color_scheme="light")
        page.goto(live_server.url + path)
        events = page.get_by_role("group", name="Adverse events")
        expect(events.get_by_role("row", name="Palmar-plantar")).to_be_visible()
        accessible(page)
        page.emulate_media(color_scheme="dark")
        accessible(page)


def test_a_flagged_figure_is_told_in_words(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], patient: Patient
) -> None:
    log_in(cast.investigator)
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/")
    figures = page.get_by_role("group", name="As published")
    flagged = figures.get_by_role("row", name="PD")
    expect(flagged).to_contain_text("11 + 16 + 6 is 33")
    expect(flagged).to_contain_text("Reconciled: 5 patients")
    expect(figures.get_by_role("row", name="ORR")).to_contain_text("none")


def test_the_butterfly_leads_to_the_patients_and_the_event(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], patient: Patient
) -> None:
    log_in(cast.investigator)
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/safety/?order=class")
    accessible(page)
    page.emulate_media(color_scheme="dark")
    accessible(page)
    page.get_by_role("group", name="Adverse events by term").first.focus()
    page.keyboard.press("ArrowRight")
    told = "1 of 1 patients (100.0 %), 1 with grade 3 or more (100.0 %)"
    expect(page.locator("[data-readout]")).to_contain_text(told)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Any grade")
    page.get_by_role("row", name="01-001").get_by_role("link").last.click()
    expect(page.locator("tr:target")).to_be_visible()
