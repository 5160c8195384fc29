"""An endpoint with its definition as typed on a page: one field for every key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
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
from trials.definition_keys import Key, keys_of
from trials.definition_wording import MISFITS, TITLES
from trials.definitions import IRECIST, EndpointDefinition, EndpointKind, misfit
from trials.models import Endpoint, Trial
from trials.vocabularies import EndpointRole

TEXTS = ("name", "role", "title", "wording", "time_frame", "note")


class NumberField(forms.CharField):
    """A number as typed; whether it may stand is the definition's to say, by `bounds` in words."""

    def __init__(self, *, bounds: str | Promise, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "size": 6}
        super().__init__(max_length=20, widget=forms.TextInput(attrs=attrs), **options)
        self.bounds = bounds

    def clean(self, value: Any) -> Any:
        """A whole number or a decimal fraction."""
        text = super().clean(half_width(value)).replace(",", ".")
        try:
            number = json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(str(self.bounds)) from error
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise forms.ValidationError(str(self.bounds))
        return number


class AskingForm(ReasonedForm):
    """A change that is shown before it is stored: what was seen, and on which data cutoff."""

    cutoff = CalendarDateField(
        label=gettext_lazy("Data cutoff of the preview"),
        required=False,
        help_text=gettext_lazy("What happened later does not count; today where it is left out."),
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any, **options: Any) -> None:
        super().__init__(data, **options)
        if data and "preview" in data:  # which stores nothing
            self.fields["reason"].required = False

    def stored_from_preview(self) -> None:
        """Its reason is asked for beside what would change, outside of the form's element."""
        self.fields["reason"].widget.attrs["form"] = "definition"

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
        self.kind = _known(row.kind if row else (data or {}).get("kind", asked))
        initial: dict[str, Any] = {"version": trial.version, "kind": self.kind}
        initial |= {"role": EndpointRole.SECONDARY}
        if row:
            initial |= {name: getattr(row, name) for name in TEXTS}
        super().__init__(data, initial=initial)
        self.row = row
        self.keys = keys_of(self.kind) if self.kind else ()
        self.definition = row.as_definition() if row else EndpointDefinition()
        self.fields["kind"] = _kind_field(self.kind)
        self.fields |= {key.name: _field(key, self.definition) for key in self.keys}
        self.order_fields(["kind", *TEXTS, *(key.name for key in self.keys), "reason", "cutoff"])

    @property
    def kind_input(self) -> forms.BoundField:
        """The kind as it is sent."""
        return self["kind"]

    @property
    def kind_in_words(self) -> str:
        """What is defined."""
        return kind_in_words(self.kind) if self.kind else ""

    @property
    def texts(self) -> list[forms.BoundField]:
        """What is said of the endpoint beside its definition."""
        return [self[name] for name in TEXTS]

    @property
    def sections(self) -> Iterator[tuple[str | Promise, list[forms.BoundField]]]:
        """The definition's fields under their headings."""
        for section in dict.fromkeys(key.section for key in self.keys):
            yield section, [self[key.name] for key in self.keys if key.section is section]

    def clean(self) -> dict[str, Any]:
        """With the definition read, each of its errors at its own field.

        What could not be read keeps its stored value, so that all errors come at once.
        """
        try:
            self.definition = EndpointDefinition.parse(self._document())
        except Misdefined as misdefined:
            for error in misdefined.errors():
                self._refuse(error)
        key = misfit(self.kind or "", self.definition)
        if key and key in self.fields:  # what is not offered stays as it is stored
            self.add_error(key, str(MISFITS[key]))
        return self.cleaned_data

    def _document(self) -> dict[str, Any]:
        """The definition as JSON; of what decides nothing of this kind, as it is stored."""
        document = self.definition.as_document()
        for key in self.keys:
            node = document
            for step in key.path[:-1]:
                node = node[step]
            node[key.path[-1]] = self.cleaned_data.get(key.name, node[key.path[-1]])
        if document["criteria"] == IRECIST and "confirmation_required" not in self.fields:
            document["confirmation"]["required"] = False
        return document

    def _refuse(self, error: Any) -> None:
        key = _key(error["loc"], self.keys)
        if error["type"] == "confirmation_by_irecist":
            told = _("By iRECIST no response needs confirmation: leave it unchecked.")
            self.add_error("confirmation_required", told)
        else:
            bounds = str(key.bounds) if key else ""
            self.add_error(key.name if key else None, bounds or document_error(error))

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


def _known(kind: str) -> EndpointKind | None:
    """A kind by its code; None for what is none."""
    return EndpointKind(kind) if kind in list(EndpointKind) else None


def _kind_field(kind: EndpointKind | None) -> forms.Field:
    """Every kind in words, to choose from; a chosen one stays, since its fields are its own."""
    kinds = [kind] if kind else list(EndpointKind)
    return forms.ChoiceField(
        label=_("Kind"),
        choices=[(one.value, kind_in_words(one)) for one in kinds],
        widget=forms.HiddenInput if kind else forms.Select,
    )


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
    return NumberField(bounds=key.bounds, initial=value, **told)


def _beginning(words: str) -> str:
    """With a capital, unless it is a name such as iRECIST."""
    return words if words[1:2].isupper() else capfirst(words)


def _key(place: tuple[int | str, ...], keys: Iterable[Key]) -> Key | None:
    """The key at which an error of the document stands."""
    steps = tuple(step for step in place if isinstance(step, str))
    return next((key for key in keys if steps[: len(key.path)] == key.path), None)


def cutoff_of(form: AskingForm, today: Date) -> Date:
    """The asked data cutoff, else today."""
    found: Date | None = form.cleaned_data.get("cutoff")
    return found or today
