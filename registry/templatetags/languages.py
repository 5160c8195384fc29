"""`{% load languages %}`: the language of stored texts, for screen readers and fonts."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from registry.languages import written_in
from registry.models import LOADER

register = template.Library()


@register.filter
def account(name: str) -> str:
    """Who did something: a person by the name of the account, what no person did in words."""
    return _("loading of the studies") if name == LOADER else name


@register.filter
def lang(text: object) -> SafeString:
    """The attribute of the element that holds a text as its source wrote it: `<p{{ title|lang }}>`."""
    tag = written_in(str(text or ""))
    return format_html(' lang="{}"', tag) if tag else SafeString()
