"""A colleague saved first: what is stored now beside what was typed, field by field.

Nothing is overwritten: the stored version counts as read once each difference was decided
(`entry_pages.settled`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from registry import audit
from registry.clocks import moment, zone_of
from registry.entry_pages import TAKE
from registry.errors import StaleVersion

ABOUT = frozenset({"reason", "version"})  # says something of the change, nothing of the row


@dataclass(frozen=True)
class Difference:
    """A field of which the stored value is not the typed one."""

    name: str  # as the form sends it
    label: str
    stored: str
    typed: str
    stored_values: tuple[str, ...]
    typed_values: tuple[str, ...]
    decision: str  # theirs, mine, or blank

    @property
    def theirs(self) -> str:
        """The stored value as the script puts it into the field."""
        return json.dumps(self.stored_values)

    @property
    def mine(self) -> str:
        """The typed value as the script puts it into the field."""
        return json.dumps(self.typed_values)


@dataclass(frozen=True)
class Meanwhile:
    """What was stored since the page was read, by whom and when."""

    version: int
    by: str
    at: str
    differences: tuple[Difference, ...]
    taken: tuple[Difference, ...] = ()  # what only the colleague changed: it stands in the form

    @classmethod
    def of(
        cls, row: Any, differences: Iterable[Difference], taken: Iterable[Difference] = ()
    ) -> Meanwhile:
        """What is stored of a row, as its audit trail tells."""
        by, at = audit.last_change(row)
        when = moment(at, zone_of(row)) if at else ""
        return cls(row.version, by, when, tuple(differences), tuple(taken))


def since(form: forms.Form, stale: StaleVersion) -> Meanwhile:
    """What was stored since a form was read.

    Raises StaleVersion again where even what the form was compared with is older than that: the
    page reads it again.
    """
    version = form.get_initial_for_field(form.fields["version"], "version")
    if version != stale.current:
        raise stale
    if stale.row is None:
        return Meanwhile(stale.current, "", "", tuple(differences(form)))
    return Meanwhile.of(stale.row, differences(form))


def differences(form: forms.Form, prefix: str = "") -> Iterator[Difference]:
    """Each visible field of a bound form that differs from its initial value, the stored one."""
    for name in form.changed_data:
        bound = form[name]
        if name in ABOUT or bound.is_hidden:
            continue
        stored = sent(bound, form.get_initial_for_field(bound.field, name))
        typed = tuple(map(str, cast(QueryDict, form.data).getlist(bound.html_name)))
        yield Difference(
            name=bound.html_name,
            label=" ".join(str(part) for part in (prefix, bound.label) if part),
            stored=_shown(bound.field, stored),
            typed=_shown(bound.field, typed),
            stored_values=stored,
            typed_values=typed,
            decision=str(form.data.get(TAKE + bound.html_name, "")),
        )


def sent(bound: forms.BoundField, initial: Any) -> tuple[str, ...]:
    """A stored value as the form would send it."""
    if isinstance(bound.field, forms.BooleanField):
        return ("on",) if initial else ()
    if isinstance(initial, Decimal):
        return (f"{initial.normalize():f}",)
    value = bound.field.widget.format_value(bound.field.prepare_value(initial))
    values = value if isinstance(value, list) else [value]
    return tuple(str(v) for v in values if v not in (None, ""))


def _shown(field: forms.Field, values: tuple[str, ...]) -> str:
    """A value in words."""
    if isinstance(field, forms.BooleanField):
        return _("yes") if values else _("no")
    named = {str(code): str(text) for code, text in getattr(field, "choices", ())}
    return ", ".join(named.get(value, value) for value in values if value) or "–"
