"""Every page in English; a file per language, so that two workers share the longest test."""

from __future__ import annotations

from collections.abc import Callable

from registry.models import User
from tests.browser.accessibility.sweeping import Site, Sweep, every_page


def test_every_page_in_both_themes(site: Site, sweep: Callable[[str, User | None], Sweep]) -> None:
    every_page(site, sweep, "en")
