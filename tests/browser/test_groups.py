"""Outcomes by group in a real browser: accessible, texts within the figure, saved as a picture."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from patients.models import Allocation
from registry.models import User
from tests import factories
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from tests.factories import START
from trials.models import Arm

OUTSIDE_OR_HIDDEN = """() => {
  const svg = document.querySelector("[data-chart=forest] svg"), box = svg.viewBox.baseVal;
  const texts = [...svg.querySelectorAll("text")].map((t) => [t.textContent, t.getBBox()]);
  const cut = texts.filter(([, b]) => b.x < 0 || b.x + b.width > box.width);
  const hidden = texts.filter(([, a], i) => texts.some(([, b], j) => i < j
    && a.x < b.x + b.width && b.x < a.x + a.width && a.y + 3 < b.y + b.height && b.y + 3 < a.y + a.height));
  return [...cut, ...hidden].map(([text]) => text);
}"""


@pytest.mark.parametrize("query", ["", "&endpoint=OS"])
def test_the_forest_is_readable(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None], query: str
) -> None:
    arms = [Arm.objects.create(trial=cast.trial, name=name) for name in ("Anlotinib", "Placebo")]
    histologies = ("leiomyosarcoma", "undifferentiated pleomorphic sarcoma", "synovial sarcoma")
    for number in range(24):
        died = START + timedelta(days=30 * (number + 1)) if number % 3 else None
        patient = factories.patient(
            cast.trial, f"S-{number:02}", site=("01", "02")[number % 2], ecog=number % 3,
            histology=histologies[number % 3], birth_year=1950 + 2 * number, died_on=died,
            sex=("female", "male")[number // 2 % 2], prior_lines=number % 5,
            last_known_alive_on=None if died else START + timedelta(days=800),
        )  # fmt: skip
        Allocation.objects.create(patient=patient, trial=cast.trial, arm=arms[number // 4 % 2])
    log_in(cast.investigator)
    page.goto(f"{live_server.url}/trials/{cast.trial.registry_id}/groups/?cutoff=2026-06-30{query}")
    assert page.evaluate(OUTSIDE_OR_HIDDEN) == []
    page.locator("summary").first.click()
    accessible(page)
    page.emulate_media(color_scheme="dark")
    accessible(page)
    page.get_by_role("group").filter(has=page.locator("svg")).first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-readout]")).to_contain_text("All patients: n = 24")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as PNG").click()
    assert saved.value.suggested_filename == "forest.png"
