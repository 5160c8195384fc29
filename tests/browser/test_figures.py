"""Figures in a real browser: readable and narrow enough, driven by the keyboard, saved and printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from tests.outcomes.figures.test_figures import followed
from trials.models import Arm, Trial


def test_every_figure_is_readable(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    Trial.objects.update(synthetic=True)
    for number, sums in enumerate([(40, 100), (70, 60), (90, 200), (60, 50), (80, 30)]):
        followed(cast, f"01-00{number}", *sums)
    log_in(cast.investigator)
    for name in ("", "pfs/", "spider/", "swimmer/"):
        page.emulate_media(color_scheme="light")
        page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/figures/{name}")
        accessible(page)
        page.emulate_media(color_scheme="dark")
        accessible(page)


def test_from_a_mark_to_the_lesion_by_the_keyboard(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    Arm.objects.create(trial=cast.trial, name="Anlotinib")
    row = followed(cast, "01-001", 40, 40)
    factories.patient(cast.trial, "01-002")
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/figures/swimmer/")
    page.get_by_role("group", name="Treatment and response of each patient").first.focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(page.locator("[data-readout]")).to_have_text("01-001: Start of response: PR on day 42")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as SVG").click()
    drawing = saved.value.path().read_text()
    assert "01-001" not in drawing
    assert "Data cutoff" in drawing
    page.locator("a.mark").first.focus()
    page.keyboard.press("Enter")
    first = row.visits.filter(kind="scheduled").earliest("date")
    expect(page).to_have_url(re.compile(rf"/patients/{row.pk}/#visit-{first.pk}$"))
    page.locator(f'a[href^="/visits/{first.pk}/lesions/T01/"]').first.click()
    expect(page).to_have_url(re.compile(r"/lesions/T01/history/"))
