"""What a form says of the page that it is on."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registry.entry_pages import FIELD, EntryKey
from registry.models import User

register = template.Library()


@register.simple_tag(takes_context=True)
def entry_key(context: template.Context, address: str = "") -> SafeString:
    """The hidden field of `entry_pages`; each form that enters something has one.

    `address` for a form that is sent elsewhere than to its page.
    """
    request, patient = context["request"], context.get("patient")
    if not isinstance(request.user, User):
        return SafeString()
    key = EntryKey.issue(
        request.user,
        address or request.path,
        patient=getattr(patient, "pk", None),
        title=_title(context, patient),
    )
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, key)


def _title(context: template.Context, patient: Any) -> str:
    """What My work lists a draft by: "CN03-017, Add a dose"."""
    page = getattr(context.get("page"), "title", "")
    named = [getattr(patient, "subject_id", ""), context.get("draft_title") or page]
    return ", ".join(str(part) for part in [*named, context.get("title", "")] if part)
