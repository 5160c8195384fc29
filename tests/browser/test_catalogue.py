"""The catalogue in a real browser: readable, accessible, narrow enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from registry.models import User
from tests.browser.test_visit_entry import accessible
from tests.conftest import Cast
from tests.outcomes.catalogue.test_catalogue import load_catalogue


@pytest.fixture
def reader(cast: Cast, log_in: Callable[[User], None]) -> None:
    """A viewer of another trial, signed in, with the whole catalogue there."""
    load_catalogue()
    log_in(cast.viewer)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("path", ["", "?contradictions=true", "sun-2022/", "chi-2018/"])
def test_pages_are_accessible_and_narrow(page: Page, live_server: Any, path: str) -> None:
    page.goto(f"{live_server.url}/catalogue/{path}")
    accessible(page)
    page.emulate_media(color_scheme="dark")
    accessible(page)


@pytest.mark.usefixtures("reader")
def test_a_reader_finds_what_contradicts(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/trials/")
    page.get_by_role("link", name="Catalogue").click()
    page.get_by_label("With contradictions").select_option("yes")
    page.get_by_role("button", name="Filter").click()
    studies = page.get_by_role("group", name="Published studies")
    expect(studies.get_by_role("row")).to_have_count(1 + 5)
    studies.get_by_role("link", name="Effectiveness and Tolerability of Anlotinib").click()
    response = page.get_by_role("row", name="Best overall response")
    expect(response).to_contain_text("PR 11, SD 16, PD 6")
    expect(response).to_contain_text("Contradiction 11 + 16 + 6 is 33, but there are 32.")
    expect(response).to_contain_text("PD 5 in place of 6")
