"""English and Chinese: the catalog is complete and fits, and every page and error is in Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import polib
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests import catalog
from tests.contract.calls import Scene, scene
from tests.latin import left_over

PLACEHOLDER = re.compile(r"%\(\w+\)[-.\d]*[a-z]|%[-.\d]*[sdf]|%%|\{\w*\}|</?\w+[^>]*>")
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}


@pytest.fixture(scope="module")
def chinese() -> polib.POFile:
    """The catalog as it is committed."""
    return polib.pofile(str(catalog.CATALOG))


def test_the_catalog_has_what_the_sources_say_and_nothing_else(chinese: polib.POFile) -> None:
    stored = {(entry.msgid, entry.msgid_plural) for entry in chinese}
    assert stored == catalog.messages(), "run make messages"


def test_every_message_is_translated(chinese: polib.POFile) -> None:
    assert not [msgid for msgid, text in catalog.translations(chinese).items() if not text.strip()]
    assert not [entry.msgid for entry in chinese if entry.fuzzy or entry.obsolete]


def test_translations_keep_placeholders_and_markup(chinese: polib.POFile) -> None:
    assert [
        (entry.msgid, text)
        for entry in chinese
        for text in [catalog.translations([entry])[entry.msgid]]
        if sorted(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        != sorted(PLACEHOLDER.findall(text))
    ] == []
