"""What of a text nobody sees, and whether it says anything to a reader."""

from __future__ import annotations

import unicodedata

FORMAT = "Cf"  # zero-width spaces and joiners, directional marks, soft hyphens
CONTROL = "Cc"
LAYOUT = "\t\n\r"
JOINERS = "\u200c\u200d"  # Persian, Hindi and emoji are misspelled without them


def is_blank(text: str) -> bool:
    """Whether nothing of a text is seen: nothing but white space and format characters."""
    return all(char.isspace() or unicodedata.category(char) == FORMAT for char in text)


def unseen(text: str) -> str:
    """The first character that nobody sees or that reorders others, as U+202E; blank: none.

    By such characters two names look alike, or a name reads otherwise than it is stored. Tabs and
    line breaks are seen; a joiner stays where it joins two characters beyond ASCII.
    """
    if text.isprintable():
        return ""
    return next((f"U+{ord(text[n]):04X}" for n in range(len(text)) if _is_unseen(text, n)), "")


def without_unseen(text: str) -> str:
    """A text of another registry, without what nobody saw there."""
    if text.isprintable():
        return text
    return "".join(char for n, char in enumerate(text) if not _is_unseen(text, n))


def _is_unseen(text: str, place: int) -> bool:
    char = text[place]
    if char in JOINERS:
        around = (text[:place][-1:], text[place + 1 :][:1])
        return any(one.isascii() for one in around)  # as is the end of a text
    return char not in LAYOUT and unicodedata.category(char) in (FORMAT, CONTROL)
