"""An endpoint with its definition as typed on a page: one field for every key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date as Date
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError as Misdefined

from registry.document_errors import document_error
from registry.form_fields import CalendarDateField, half_width
from trials.criteria_forms import ReasonedForm
from trials.definition_keys import KEYS, Key
from trials.definition_wording import TITLES
from trials.definitions import EndpointDefinition, EndpointKind
from trials.models import Endpoint, Trial
from trials.vocabularies import EndpointRole

TEXTS = ("name", "role", "title", "wording", "time_frame", "note")


class NumberField(forms.CharField):
    """A number as typed; whether it may stand is the definition's to say."""

    def __init__(self, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "size": 6}
        super().__init__(max_length=20, widget=forms.TextInput(attrs=attrs), **options)

    def clean(self, value: Any) -> Any:
        """A whole number or a decimal fraction."""
        text = super().clean(half_width(value)).replace(",", ".")
        try:
            number = json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(_("A number.")) from error
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise forms.ValidationError(_("A number."))
        return number


class AskingForm(ReasonedForm):
    """A change that is shown before it is stored: what was seen, and on which data cutoff."""

    cutoff = CalendarDateField(
        label=gettext_lazy("Data cutoff of the preview"),
        required=False,
        help_text=gettext_lazy("What happened later does not count; today where it is left out."),
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def proposed(self) -> Any:
        """What would be stored, as JSON."""
        raise NotImplementedError

    @property
    def fingerprint(self) -> str:
        """What a change is known by."""
        told = [self.proposed(), self.cleaned_data["version"]]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @property
    def seen_before(self) -> bool:
        """Whether the consequences of this very change were shown."""
        return bool(self.cleaned_data["seen"] == self.fingerprint)


class EndpointForm(AskingForm):
    """An endpoint: what its source prints, its definition key by key, and why it changes."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=())
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        required=False,
        help_text=gettext_lazy(
            "Tells several definitions of one kind apart, such as: FDA primary, EMA sensitivity."
        ),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=EndpointRole.choices)
    title = forms.CharField(
        label=gettext_lazy("Title as published"), max_length=10_000, required=False
    )
    wording = forms.CharField(
        label=gettext_lazy("Wording as published"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    time_frame = forms.CharField(
        label=gettext_lazy("Time frame"), max_length=10_000, required=False
    )
    note = forms.CharField(
        label=gettext_lazy("Note of this registry"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, data: Any, trial: Trial, row: Endpoint | None, *, asked: str = "") -> None:
        initial: dict[str, Any] = {"version": trial.version, "kind": asked}
        initial |= {"role": EndpointRole.SECONDARY}
        if row:
            initial |= {name: getattr(row, name) for name in ("kind", *TEXTS)}
        super().__init__(data, initial=initial)
        self.row = row
        self.fields["kind"].choices = _kinds(row)  # type: ignore[attr-defined]
        definition = row.as_definition() if row else EndpointDefinition()
        for key in KEYS:
            self.fields[key.name] = _field(key, definition)
        self.definition = definition

    @property
    def texts(self) -> list[forms.BoundField]:
        """What is said of the endpoint beside its definition."""
        return [self[name] for name in ("kind", *TEXTS)]

    @property
    def sections(self) -> Iterator[tuple[str | Promise, list[forms.BoundField]]]:
        """The definition's fields under their headings."""
        for section in dict.fromkeys(key.section for key in KEYS):
            yield section, [self[key.name] for key in KEYS if key.section is section]

    def clean(self) -> dict[str, Any]:
        """With the definition read, each of its errors at its own field."""
        if all(key.name in self.cleaned_data for key in KEYS):
            try:
                self.definition = EndpointDefinition.parse(_document(self.cleaned_data))
            except Misdefined as misdefined:
                for error in misdefined.errors():
                    self.add_error(_name(error["loc"]), document_error(error))
        return self.cleaned_data

    def said(self) -> dict[str, Any]:
        """The endpoint as it would be stored."""
        texts = {name: self.cleaned_data[name] for name in ("kind", *TEXTS)}
        return texts | {"definition": self.definition.as_document()}

    def proposed(self) -> Any:
        """The kind, and the definition."""
        return [self.cleaned_data["kind"], self.definition.as_document()]

    @property
    def changes_figures(self) -> bool:
        """Whether a figure is computed, and by another definition than the stored one."""
        if self.cleaned_data["kind"] == EndpointKind.OTHER:
            return False
        return self.row is None or self.definition != self.row.as_definition()


class RemovalForm(AskingForm):
    """Why an endpoint is removed."""

    def __init__(self, data: Any, trial: Trial, row: Endpoint) -> None:
        super().__init__(data, initial={"version": trial.version})
        self.row = row

    def proposed(self) -> Any:
        """That it goes."""
        return ["removed", self.row.pk]


def _kinds(row: Endpoint | None) -> list[tuple[str, str]]:
    """Every kind in words; a stored endpoint keeps its own."""
    kinds = [EndpointKind(row.kind)] if row else list(EndpointKind)
    return [(kind.value, kind_in_words(kind)) for kind in kinds]


def kind_in_words(kind: EndpointKind) -> str:
    """What a kind is called, with its abbreviation."""
    if kind is EndpointKind.OTHER:
        return _("Other outcome: held as published, not computed")
    return f"{kind.value} · {TITLES[kind]}"


def _field(key: Key, definition: EndpointDefinition) -> forms.Field:
    """The field of a key, by the type of its value."""
    value = key.of(definition)
    told: dict[str, Any] = {"label": key.label, "help_text": key.explanation}
    choices = [(str(term), _beginning(str(words))) for term, words in key.terms.items()]
    if isinstance(value, frozenset):
        widget = forms.CheckboxSelectMultiple
        initial = sorted(value)
        return forms.MultipleChoiceField(
            choices=choices, widget=widget, required=False, initial=initial, **told
        )
    if key.terms:
        return forms.ChoiceField(choices=choices, initial=str(value), **told)
    if isinstance(value, bool):
        return forms.BooleanField(required=False, initial=value, **told)
    return NumberField(initial=value, **told)


def _beginning(words: str) -> str:
    """With a capital, unless it is a name such as iRECIST."""
    return words if words[1:2].isupper() else capfirst(words)


def _document(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The definition as JSON."""
    document: dict[str, Any] = {}
    for key in KEYS:
        node = document
        for step in key.path[:-1]:
            node = node.setdefault(step, {})
        node[key.path[-1]] = cleaned[key.name]
    return document


def _name(place: tuple[int | str, ...]) -> str | None:
    """The field at which an error of the document stands."""
    steps = tuple(step for step in place if isinstance(step, str))
    return next((key.name for key in KEYS if steps[: len(key.path)] == key.path), None)


def cutoff_of(form: AskingForm, today: Date) -> Date:
    """The asked data cutoff, else today."""
    found: Date | None = form.cleaned_data.get("cutoff")
    return found or today
