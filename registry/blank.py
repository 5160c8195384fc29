"""Whether a text says anything to a reader."""

from __future__ import annotations

import unicodedata

FORMAT = "Cf"  # zero-width spaces and joiners, directional marks, soft hyphens


def is_blank(text: str) -> bool:
    """Whether nothing of a text is seen: nothing but white space and format characters."""
    return all(char.isspace() or unicodedata.category(char) == FORMAT for char in text)
