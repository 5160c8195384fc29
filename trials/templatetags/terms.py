"""Known terms in the reader's language, whichever language they were typed in."""

from __future__ import annotations

from django import template

from registry.languages import in_chinese
from trials import histologies, published_terms, treatments

register = template.Library()


@register.filter
def histology(text: str) -> str:
    """A histology by its name in the reader's language; unknown text as it is stored."""
    return histologies.name(text, chinese=in_chinese())


@register.filter
def treatment(text: str | None) -> str:
    """A text with the drugs in it by their names in the reader's language: an arm, a drug."""
    return treatments.name(text or "", chinese=in_chinese())


register.filter("published_measure", published_terms.measure)
