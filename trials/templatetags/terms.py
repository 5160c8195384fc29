"""Known terms in the reader's language, whichever language they were typed in."""

from __future__ import annotations

from django import template

from registry.languages import in_chinese
from trials import histologies

register = template.Library()


@register.filter
def histology(text: str) -> str:
    """A histology by its name in the reader's language; unknown text as it is stored."""
    return histologies.name(text, chinese=in_chinese())
