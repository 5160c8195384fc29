"""Participant flow and accrual in a real browser: text stays in its box, accessible, narrow enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from tests.outcomes.flow import consort_trials
from trials.models import Trial

LEAVES_ITS_BOX = """() => [...document.querySelectorAll("svg .box")].flatMap((box) => {
  const room = box.querySelector("rect").getBBox();
  return [...box.querySelectorAll("text")].filter((text) => {
    const own = text.getBBox();
    return own.x < room.x || own.x + own.width > room.x + room.width
      || own.y < room.y || own.y + own.height > room.y + room.height;
  }).map((text) => text.textContent);
})"""


@pytest.mark.parametrize("arms", [1, 4])
def test_the_flow_is_readable(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], arms: int
) -> None:
    Trial.objects.update(enrollment_target=40)
    trial = consort_trials.with_arms(cast.trial, arms)
    log_in(cast.investigator)
    for name in ("consort", "accrual"):
        page.emulate_media(color_scheme="light")
        page.goto(f"{live_server.url}/trials/{trial.registry_id}/{name}/?cutoff=2024-12-31")
        page.locator("summary").first.click()
        accessible(page)
        page.emulate_media(color_scheme="dark")
        accessible(page)
        assert page.evaluate(LEAVES_ITS_BOX) == []


def test_arrow_keys_move_between_the_boxes_and_it_can_be_saved(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    factories.patient(cast.trial)
    log_in(cast.investigator)
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/consort/")
    page.get_by_role("group", name="Flow of participants").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-readout]")).to_contain_text("Enrolled (n = 1)")
    for kind in ("SVG", "PNG"):
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"Save as {kind}").click()
        assert saved.value.suggested_filename == f"consort.{kind.lower()}"
