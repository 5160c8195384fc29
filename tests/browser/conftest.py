"""Debian's Chromium, one user who types, and a page on which any console error fails the test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from registry.models import User
from tests import factories
from tests.conftest import Cast, assemble_cast

os.environ.setdefault(
    "DJANGO_ALLOW_ASYNC_UNSAFE", "true"
)  # the sync API runs a loop in this thread
expect.set_options(timeout=20_000)  # a wait ends with the answer; a busy machine answers late
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
# Requests that a page gives up when it is left: nobody waits for their answer.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests; where there is no browser, skip them loudly."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason=f"no browser at {CHROMIUM}"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The machine's browser instead of Playwright's own build."""
    return {**browser_type_launch_args, "executable_path": str(CHROMIUM), "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A hospital PC's screen."""
    return {
        **browser_context_args,
        "viewport": {"width": 1366, "height": 768},
        "locale": "en-US",
        "reduced_motion": "reduce",
    }


def cut_short(request: Request) -> bool:
    """Whether a page gave a request up when it went on: a preview, an autosave, a look at progress."""
    aborted = request.failure == "net::ERR_ABORTED"
    given_up = aborted and ("/drafts/" in request.url or "/progress/" in request.url)
    return "preview" in request.url or given_up


def speaks(message: ConsoleMessage) -> bool:
    """Whether the console complains; a draft that is refused after the session ended says so."""
    logged_out = "401" in message.text and "/drafts/" in message.location["url"]
    return message.type in ("error", "warning") and not logged_out


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page whose console stays silent: errors and policy violations fail the test."""
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if speaks(m) else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda r: None if cut_short(r) else said.append(r.url))
    yield page
    unexpected = [text for text in said if "422" not in text]
    page.context.set_offline(True)  # no draft is saved while the tables are emptied
    assert not unexpected, unexpected


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The cast, visible to the live server's threads."""
    return assemble_cast()


@pytest.fixture
def log_in(page: Page, live_server: Any) -> Callable[[User], None]:
    """`log_in(user)` through the login page."""

    def go(user: User) -> None:
        page.goto(f"{live_server.url}/login/")
        page.get_by_label("Username").fill(user.username)
        page.get_by_label("Password").fill(factories.PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="My work").wait_for()

    return go
