"""The API's documentation: local assets, and nothing that the strict policy forbids."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from registry.models import User
from tests.conftest import Cast


def test_the_documentation_lists_the_calls(
    page: Page, live_server: Any, cast: Cast, log_in: Callable[[User], None]
) -> None:
    log_in(cast.coordinator)
    page.goto(f"{live_server.url}/api/v1/docs/")
    expect(page.get_by_text("/api/v1/visits/preview/")).to_be_visible(timeout=60_000)
