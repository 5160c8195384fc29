"""Frozen analyses as their pages show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from outcomes.analyses import Reproduction
from outcomes.analyses.changes import Change, Changes
from outcomes.analyses.documents import LISTED
from outcomes.analyses.inputs import Difference
from outcomes.cards import Card, cards
from outcomes.models import ResponseChoice
from patients import ctcae
from patients.models import ActionTaken, Patient
from registry.errors import FieldError
from trials.definition_wording import THERAPIES, TITLES, in_words
from trials.definitions import EndpointDefinition, EndpointKind, TherapyKind
from trials.models import Trial

FIELDS = {
    "visit": gettext_lazy("visit"),
    "therapy": gettext_lazy("subsequent therapy"),
    "adverse_event": gettext_lazy("adverse event"),
    "doses": gettext_lazy("doses"),
    "plan": gettext_lazy("planned dose, days / days of a cycle"),
    "arm": gettext_lazy("arm"),
    "measurable": gettext_lazy("measurable disease at baseline"),
    "has_baseline": gettext_lazy("baseline assessment"),
}
TOLD = {
    "unequivocal": gettext_lazy("new lesions: %s"),
    "equivocal": gettext_lazy("equivocal lesions: %s"),
    "sum_mm": gettext_lazy("sum %s mm"),
    "baseline_sum_mm": gettext_lazy("baseline sum %s mm"),
}


class FreezeForm(forms.Form):
    """Under which name an analysis is kept, and what for."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("As it will be cited, such as: Interim analysis, August 2022."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )

    def add_errors(self, errors: list[FieldError]) -> None:
        """Put refusals to their fields."""
        for error in errors:
            name = error.pointer.strip("/")
            self.add_error(name if name in self.fields else None, error.detail)


@dataclass(frozen=True)
class ChangeLine:
    """A value that is another today, in words, with where its record is kept."""

    subject_id: str
    url: str
    what: str
    history: str
    stored: str
    today: str


@dataclass(frozen=True)
class ChangesPage:
    """What moved since an analysis was frozen: the figures then and now, and why."""

    found: Changes
    figures: tuple[tuple[Card, Card], ...]
    lines: tuple[ChangeLine, ...]
    left_out: int
    parameters: tuple[tuple[str, str, str], ...]
    definitions: tuple[tuple[str, str, str], ...]


def changes_page(found: Changes) -> ChangesPage:
    """The first lines of a long list; the rest is counted, and whole over REST."""
    lines = tuple(map(_line, found.changed[:LISTED]))
    return ChangesPage(
        found=found,
        figures=tuple(zip(cards(found.stored), cards(found.today), strict=True)),
        lines=lines,
        left_out=len(found.changed) - len(lines),
        parameters=tuple(
            (_label(Trial, name), _text(stored), _text(today))
            for name, stored, today in found.parameters
        ),
        definitions=tuple(_definitions(found)),
    )


def _line(one: Change) -> ChangeLine:
    page = reverse("outcomes:patient", args=[one.patient])
    stands = one.source is not None and one.source.record == "visit" and one.today is not None
    visit = one.source.id if one.source and stands else None
    return ChangeLine(
        subject_id=one.subject_id,
        url=f"{page}#visit-{visit}" if visit else page,
        what=_what(one.field),
        history=reverse("outcomes:visit_history", args=[visit]) if visit else "",
        stored=_text(one.stored),
        today=_text(one.today),
    )


def _what(field: str) -> str:
    return str(FIELDS[field]) if field in FIELDS else _label(Patient, field)


def _label(model: Any, name: str) -> str:
    """What a column is called; one of another table by its own name."""
    known = {field.name: field for field in model._meta.fields}
    return str(known[name].verbose_name) if name in known else name


def _text(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(_told(value)) if isinstance(value, Mapping) else str(value)


def _told(record: Mapping[str, Any]) -> Iterator[str]:
    """A visit, a therapy or an adverse event in brief: date, what it is, lesions, sums."""
    yield str(record["date"])
    if term := record.get("term"):
        yield from _event(term, record)
    if response := record.get("response"):
        yield str(ResponseChoice(response).label)
    if kind := record.get("kind"):
        yield str(THERAPIES[TherapyKind(kind)])
    yield from (str(words) % record[name] for name, words in TOLD.items() if name in record)


def _event(term: str, record: Mapping[str, Any]) -> Iterator[str]:
    """An adverse event's term in the reader's language, its grade, what is said of it."""
    yield ctcae.name(term, get_language() or "")
    yield _("grade %s") % record["grade"]
    if record["related"]:
        yield _("related")
    if record["serious"]:
        yield _("serious")
    if action := record.get("action"):
        yield str(ActionTaken(action).label)


def _definitions(found: Changes) -> Iterator[tuple[str, str, str]]:
    for kind, name, stored, today in found.definitions:
        title = f"{TITLES[EndpointKind(kind)]} {name}".strip()
        words = [_in_words(EndpointKind(kind), told) for told in (stored, today)]
        yield title, words[0], words[1]


def _in_words(kind: EndpointKind, told: Mapping[str, Any] | None) -> str:
    if told is None:
        return "–"
    return in_words(kind, EndpointDefinition.model_validate(told))


def listed(found: Reproduction) -> tuple[Difference, ...]:
    """The first differences of a result."""
    return found.differences[:LISTED]
