"""The import of a study in a real browser: seen before it is stored, readable, narrow enough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from registry.models import User
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from trials.models import Trial

STUDY = Path(__file__).parent.parent / "reference/ctgov/NCT04172805.json"


def test_a_study_is_uploaded_seen_and_stored(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    log_in(cast.superuser)
    page.get_by_role("link", name="Trials", exact=True).click()
    page.get_by_role("link", name="Import from ClinicalTrials.gov").click()
    page.get_by_label("The study's JSON").fill('{"protocolSection": {"designModule": []}}')
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("alert")).to_contain_text("/protocolSection/identificationModule")
    expect(page.get_by_label("The study's JSON")).to_have_value(
        '{"protocolSection": {"designModule": []}}'
    )
    accessible(page)
    page.get_by_label("Or a file").set_input_files(STUDY)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="This would be stored")).to_be_visible()
    accessible(page)
    assert not Trial.objects.filter(registry_id="NCT04172805").exists()
    page.get_by_role("button", name="Store this trial").click()
    expect(page.get_by_role("status").first).to_contain_text("NCT04172805 is stored.")
    assert Trial.objects.filter(registry_id="NCT04172805").exists()
