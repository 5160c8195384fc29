"""The reader's language, and the language of what people wrote."""

from __future__ import annotations

import re

from django.utils.translation import get_language

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
LATIN = re.compile(r"[A-Za-z]{2}")


def in_chinese() -> bool:
    """Whether the reader reads Chinese."""
    return (get_language() or "").startswith("zh")


def written_in(text: str) -> str:
    """The BCP 47 tag of a text as it is stored; blank where nothing tells."""
    if HAN.search(text):
        return "zh-Hans"
    return "en" if LATIN.search(text) else ""
