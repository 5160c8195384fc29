"""The running site with rich data, and a browser window that goes over its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext

from outcomes import practice
from registry.models import LOADER, Draft, User
from tests import factories
from tests.browser.accessibility.sweeping import (
    LANGUAGES,
    LISTEN,
    SWEEP,
    Site,
    Sweep,
    main_pages,
    session,
)
from tests.browser.test_visit_entry import five_targets
from tests.contract.scene import scene


@pytest.fixture
def site(transactional_db: None, live_server: Any) -> Site:
    """The scene of the contract tests, the practice study, and a patient of five targets."""
    at = scene()
    for user in (at.cast.superuser, at.cast.coordinator):
        Draft.objects.create(
            user=user, patient=at.newcomer, address=f"/patients/{at.newcomer.pk}/visits/new/",
            title="Baseline of 01-002", fields=[],
        )  # fmt: skip
    factories.user(LOADER, superuser=True)
    practice.load()
    return Site(live_server.url, at, main_pages(at, five_targets(at.cast)))


@pytest.fixture
def sweep(
    browser: Browser, browser_context_args: dict[str, Any], site: Site, pytestconfig: pytest.Config
) -> Iterator[Callable[[str, User | None], Sweep]]:
    """`sweep(language, user)`: a window of that language, logged in by its session."""
    opened: list[BrowserContext] = []

    def open_window(language: str, user: User | None) -> Sweep:
        args = browser_context_args | {"locale": LANGUAGES[language], "color_scheme": "light"}
        opened.append(browser.new_context(**args))
        for script in (LISTEN, AXE_SCRIPT, SWEEP):
            opened[-1].add_init_script(script)
        if user:
            opened[-1].add_cookies([session(site.url, user)])
        pictures = Path(pytestconfig.getoption("--output")) / "screenshots" / language
        pictures.mkdir(parents=True, exist_ok=True)
        made = Sweep(opened[-1].new_page(), site.url, pictures)
        made.listen()
        return made

    yield open_window
    for context in opened:
        context.set_offline(True)
        context.close()
