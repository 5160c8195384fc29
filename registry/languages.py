"""The reader's language, and the language of what people wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import get_language

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
LATIN = re.compile(r"[A-Za-z]{2}")


def in_chinese() -> bool:
    """Whether the reader reads Chinese."""
    return (get_language() or "").startswith("zh")


def sentences(*said: str) -> str:
    """Sentences one after the other, those that are not blank; in Chinese without a space."""
    return ("" if in_chinese() else " ").join(filter(None, said))


def listed(things: Iterable[object]) -> str:
    """Things in a row, as the reader's language separates them."""
    return ("、" if in_chinese() else ", ").join(map(str, things))


def apart(things: Iterable[str]) -> str:
    """Longer things in a row, which may have commas in them."""
    return ("；" if in_chinese() else "; ").join(things)


def labeled(label: object, said: object) -> str:
    """A label with what it labels."""
    return f"{label}：{said}" if in_chinese() else f"{label}: {said}"


def written_in(text: str) -> str:
    """The BCP 47 tag of a text as it is stored; blank where nothing tells."""
    if HAN.search(text):
        return "zh-Hans"
    return "en" if LATIN.search(text) else ""
