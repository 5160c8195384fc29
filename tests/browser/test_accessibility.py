"""Every page, with rich data, in both languages and both themes: WCAG 2.2 AA and a silent console.

The addresses come from the URLconf; one load per page and language, the theme changes without a
reload. Beside axe, which cannot see them: edges of controls (1.4.11), visible focus (2.4.7), reflow
at 320 px (1.4.10), policy violations, inline code, and requests to other hosts. The main pages are
kept as pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from outcomes import practice
from patients.models import Patient
from registry.models import LOADER, Draft, User
from tests import factories
from tests.browser.test_visit_entry import five_targets
from tests.contract.calls import Scene, scene
from tests.registry.test_languages import ROUTES, addresses

LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
SWEEP = (Path(__file__).parent / "sweep.js").read_text()
LISTEN = """window.policy = [];
addEventListener("securitypolicyviolation", (e) => policy.push(`${e.violatedDirective} ${e.blockedURI}`));"""
ALL = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLORS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# Answers that are no page: a part of one, a file, or what only a form is sent to.
PARTS = {
    "patients/<int:pk>/visits/preview/", "patients/<int:pk>/review/visits/preview/",
    "patients/<int:pk>/screenings/preview/", "ctcae-terms/",
    "visit-sheets/<int:pk>/check/", "visit-sheets/<int:pk>/report.csv",
    "trials/<str:registry_id>/visit-sheets/files/<str:name>", "screenings/<int:pk>/conclude/",
    "trials/<str:registry_id>/figures/<str:figure>/data.csv",
    "trials/<str:registry_id>/safety/<str:table>.csv",
    "studies/data.csv",
}  # fmt: skip
PAGES = [route for route in ROUTES if route not in PARTS]


@dataclass
class Site:
    """The running site with rich data, and the addresses of its main pages by name."""

    url: str
    at: Scene
    main: dict[str, str]


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


def main_pages(at: Scene, followed: Patient) -> dict[str, str]:
    """The pages that are kept as pictures."""
    practiced = Patient.objects.get(trial__registry_id=practice.REGISTRY_ID, subject_id="01-001")
    sheet = next(a for a in addresses("visit-sheets/<int:pk>/", at))
    return {
        "my-work": "/",
        "visit-entry": f"/patients/{followed.pk}/visits/new/",
        "visit-correction": f"/visits/{at.visit.pk}/edit/",
        "baseline": f"/patients/{at.newcomer.pk}/visits/new/",
        "patient-and-flow-sheet": f"/patients/{practiced.pk}/",
        "participants": f"/trials/{practice.REGISTRY_ID}/patients/",
        "queries": "/queries/",
        "query": f"/queries/{at.query.pk}/",
        "adverse-event": f"/patients/{practiced.pk}/adverse-events/new/",
        "screening": f"/patients/{at.candidate.pk}/screenings/new/",
        "enrollment": f"/patients/{at.candidate.pk}/enrollment/",
        "visit-sheet": sheet,
        "dashboard": f"/trials/{practice.REGISTRY_ID}/",
        "safety": f"/trials/{practice.REGISTRY_ID}/safety/",
        "login": "/login/",
    }


@dataclass
class Sweep:
    """One browser window that goes from page to page, and what it found."""

    page: Page
    host: str
    pictures: Path
    found: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Gather what the console says and what goes to another host."""
        self.page.on(
            "console",
            lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on(
            "request",
            lambda r: None if r.url.startswith((self.host, "data:")) else self.said.append(r.url),
        )

    def note(self, address: str, what: str, faults: list[str]) -> None:
        """Faults of a page."""
        self.found += [f"{address} {what}: {fault}" for fault in faults]

    def picture(self, name: str, width: int) -> None:
        """Keep the page as it is seen; a screen of 1366 x 768 for what must fit one."""
        whole = width == 320 or name not in ("visit-entry", "login")
        self.page.screenshot(path=self.pictures / f"{name}-{width}.png", full_page=whole)

    def visit(self, address: str, name: str = "") -> None:
        """Load a page once and measure it in both themes and at both widths."""
        answer = self.page.goto(self.host + address)
        html = "text/html" in (answer.headers.get("content-type", "") if answer else "")
        if answer is None or answer.status == 405 or not html:
            self.note(address, "status", ["no page: name its route in PARTS"])
            return
        if name == "visit-entry":
            self.note(address, "one screen", self.page.evaluate("sweep.below()"))
        for width, height in ((1366, 768), (320, 640)):
            self.page.set_viewport_size({"width": width, "height": height})
            if name:
                self.picture(name, width)
        self.page.evaluate("sweep.unfold()")
        self.note(address, "320 px", self.page.evaluate("sweep.wide()"))
        self.page.set_viewport_size({"width": 1366, "height": 768})
        self._both_themes(address)
        self.note(
            address, "console", [text for text in self.said if "404" not in text or answer.ok]
        )
        self.said.clear()

    def _both_themes(self, address: str) -> None:
        see = self.page.evaluate
        for rule in ("inline", "unfocused"):
            self.note(address, rule, see(f"sweep.{rule}()"))
        self._colors(f"{address} light", ALL)
        self.page.emulate_media(color_scheme="dark")
        self._colors(f"{address} dark", COLORS)
        self.page.emulate_media(color_scheme="light")
        self.note(address, "policy", see("policy"))

    def _colors(self, where: str, options: dict[str, Any]) -> None:
        found = self.page.evaluate("(options) => sweep.violations(options)", options)
        self.note(where, "axe", found)
        self.note(where, "edge", self.page.evaluate("sweep.faint()"))


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


def session(url: str, user: User) -> Any:
    """The cookie of a login."""
    client = Client()
    client.force_login(user)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_in_both_themes(
    site: Site, sweep: Callable[[str, User | None], Sweep], language: str
) -> None:
    main = {address: name for name, address in site.main.items()}
    coordinator = sweep(language, site.at.cast.coordinator)
    window = sweep(language, site.at.cast.superuser)
    for address, name in main.items():
        if name != "login":
            (window if name == "visit-sheet" else coordinator).visit(address, name)
    most = 2 if language == "en" else 1  # rows of a kind: other words make no other page
    for route in PAGES:
        for address in addresses(route, site.at)[:most]:
            if address not in main:
                window.visit(address)
    window.visit("/nowhere/")
    stranger = sweep(language, None)
    stranger.visit("/login/", "login")
    found = [*window.found, *coordinator.found, *stranger.found]
    (window.pictures / "found.txt").write_text("\n".join(found))
    assert not found, "\n".join(found)
