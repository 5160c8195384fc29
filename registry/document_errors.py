"""What is wrong with a JSON document, in the reader's language: pydantic's errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: Mapping[str, str | Promise] = {
    "extra_forbidden": _("Unknown key."),
    "missing": _("This is required."),
    "dict_type": _("A JSON object."),
    "model_type": _("A JSON object."),
    "list_type": _("A list."),
    "tuple_type": _("A list."),
    "frozen_set_type": _("A list."),
    "string_type": _("Text."),
    "bool_type": _("true or false."),
    "int_type": _("A whole number."),
    "float_type": _("A number."),
    "string_too_short": _("At least %(min_length)s character."),
    "string_too_long": _("At most %(max_length)s characters."),
    "too_short": _("At least %(min_length)s in this list."),
    "too_long": _("At most %(max_length)s in this list."),
    "greater_than": _("More than %(gt)s."),
    "greater_than_equal": _("%(ge)s or more."),
    "less_than": _("Less than %(lt)s."),
    "less_than_equal": _("%(le)s or less."),
    "literal_error": _("One of: %(choices)s."),
    "enum": _("One of: %(choices)s."),
    "union_tag_invalid": _("The type is one of: %(tags)s."),
    "union_tag_not_found": _("It names its type."),
}


def document_error(
    error: Mapping[str, Any],
    sentences: Mapping[str, str | Promise] | None = None,
    **params: str,
) -> str:
    """What would be accepted, of one error of a ValidationError.

    `sentences` by pydantic's type come before those of every document; `params` are theirs.
    An error that has no sentence keeps pydantic's.
    """
    sentence = {**SENTENCES, **(sentences or {})}.get(error["type"])
    if sentence is None:
        return str(error["msg"])
    context = error.get("ctx", {})
    words: str = str(sentence) % (_listed(context) | params | context)
    return words


def _listed(context: Mapping[str, Any]) -> dict[str, str]:
    """Terms without pydantic's quotes and its "or"."""
    names = {"choices": "expected", "tags": "expected_tags"}
    return {
        name: ", ".join(re.findall(r"'([^']*)'", context[told]))
        for name, told in names.items()
        if told in context
    }
