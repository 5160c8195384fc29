"""The list of trials and a trial's page in a real browser, with the long texts of the source studies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from trials import actions
from trials.models import ProtocolVersion
from trials.serializers import TrialSerializer

STUDIES = sorted(settings.BASE_DIR.glob("fixtures/*/trial.json"))

LINE = """() => [...document.querySelectorAll(".prose")]
  .filter((e) => e.getBoundingClientRect().width > 75 * parseFloat(getComputedStyle(e).fontSize))
  .map((e) => e.outerHTML.slice(0, 120))"""


def study(path: Path, by: User) -> str:
    """A source study without its patients; its id."""
    serializer = TrialSerializer(data=json.loads(path.read_text()))
    serializer.is_valid(raise_exception=True)
    return actions.create_trial(by=by, **serializer.validated_data).registry_id


@pytest.fixture
def studies(cast: Cast) -> list[str]:
    """All of the source studies."""
    found = [study(path, cast.superuser) for path in STUDIES]
    ProtocolVersion.objects.update(summary="Anlotinib may be reduced to 10 mg. " * 10)
    return found


def in_both_schemes(page: Page, address: str) -> None:
    """Accessible, in light and in dark, and never wider than the screen."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(address)
        accessible(page)


def test_trials_are_filtered_and_the_filters_cleared(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], studies: list[str]
) -> None:
    log_in(cast.superuser)
    in_both_schemes(page, f"{live_server.url}/trials/")
    page.get_by_label("Search").fill("anlotinib sun yat-sen")
    page.get_by_label("Status").select_option("Recruiting")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("1 trial", exact=True)).to_be_visible()
    expect(page.get_by_label("Status")).to_have_value("RECRUITING")
    page.get_by_label("Search").fill("nothing of the kind")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No trial matches these filters.")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Clear filters").last.click()
    expect(page.get_by_text(f"{len(studies) + 1} trials")).to_be_visible()


def test_every_study_is_readable_at_every_width(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], studies: list[str]
) -> None:
    log_in(cast.superuser)
    in_both_schemes(page, f"{live_server.url}/trials/{studies[0]}/detail/")
    for name in studies:
        page.goto(f"{live_server.url}/trials/{name}/detail/")
        page.get_by_text("Detailed description", exact=True).click()
        accessible(page)
        assert page.evaluate(LINE) == []


def test_from_the_list_to_the_record_to_the_outcomes_and_back(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    patient = factories.patient(cast.trial, "01-001")
    log_in(cast.coordinator)
    page.get_by_role("link", name="Trials", exact=True).click()
    page.get_by_role("link", name="NCT00000001", exact=True).click()
    page.get_by_role("link", name="Outcomes").click()
    page.get_by_role("link", name="01-001").first.click()
    page.wait_for_url(f"**/patients/{patient.pk}/")
    trail = page.get_by_role("navigation", name="Breadcrumb")
    trail.get_by_role("link", name="Patients").click()
    expect(page.get_by_role("heading", name="Patients", exact=True)).to_be_visible()
    trail.get_by_role("link", name="NCT00000001").click()
    page.wait_for_url("**/trials/NCT00000001/detail/")
