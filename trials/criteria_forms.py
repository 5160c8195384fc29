"""A criterion, and an amendment of the protocol, as typed on a page.

A rule about one item has fields of its own, named `type_key`; a combination is typed as JSON.
Either becomes a document that `trials.eligibility` judges: it alone knows what a rule is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError as Misruled

from registry.errors import FieldError
from registry.form_fields import CalendarDateField
from registry.rest import decode
from trials import eligibility, eligibility_wording
from trials.eligibility_wording import LIMITS, UNITS
from trials.json_patch import escaped
from trials.models import Criterion, Trial
from trials.rule_field import Place, rule_errors
from trials.screening_items import ITEMS, Kind
from trials.vocabularies import CriterionKind

Said = Mapping[str, Any]
NONE, JSON = "none", "json"
RULE_TYPES = [
    (NONE, gettext_lazy("A person judges the whole text")),
    ("number", gettext_lazy("A number against a limit")),
    ("choice", gettext_lazy("One answer of several")),
    ("yes_no", gettext_lazy("A question: yes or no")),
    ("window", gettext_lazy("A date before screening")),
    ("attestation", gettext_lazy("A person attests a statement")),
    (JSON, gettext_lazy("A combination of rules (JSON)")),
]
COMPARISONS = [
    ("at_least", gettext_lazy("≥ at least")),
    ("at_most", gettext_lazy("≤ at most")),
    ("above", gettext_lazy("> above")),
    ("below", gettext_lazy("< below")),
]
SIDES = [("one_of", gettext_lazy("is one of")), ("none_of", gettext_lazy("is none of"))]
ANSWERS = [("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))]
WINDOWS = [
    ("within", gettext_lazy("within the last")),
    ("at_least", gettext_lazy("at least … ago")),
]
SPANS = [
    ("days", gettext_lazy("days")),
    ("weeks", gettext_lazy("weeks")),
    ("months", gettext_lazy("months")),
    ("years", gettext_lazy("years")),
]
# Where an error of a rule's key is shown, if not at the field of that key.
SHOWN_AT = {
    "number_times": "number_unit",
    "choice_one_of": "choice_terms",
    "choice_none_of": "choice_terms",
    "choice_": "choice_terms",
}


def pretty(document: Any) -> str:
    """A rule's JSON for people to read and edit."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def _items(kind: Kind) -> list[tuple[str, str]]:
    """The items of a kind by their names, after a blank."""
    found = [item.code for item in ITEMS.values() if item.kind == kind]
    return [("", "")] + [(code, capfirst(eligibility_wording.label(code))) for code in found]


def _units() -> list[tuple[str, str]]:
    """Multiples of the laboratory's limits, then every unit, each once."""
    codes = dict.fromkeys(code for item in ITEMS.values() for code in item.units if code)
    limits = [(code, f"× {name}") for code, name in LIMITS.items()]
    return [("", _("no unit")), *limits, *((code, str(UNITS.get(code, code))) for code in codes)]


class AmountField(forms.DecimalField):
    """An exact decimal; a decimal comma is read as a point."""

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        """The decimal."""
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)


class ReasonedForm(forms.Form):
    """Why the protocol changes, against the trial's version that was read."""

    reason = forms.CharField(label=gettext_lazy("Reason for the change"), max_length=500)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def add_errors(self, errors: Iterable[FieldError]) -> None:
        """Put each refusal beside the field that its pointer names."""
        for error in errors:
            name = error.pointer.strip("/")
            self.add_error(name if name in self.fields else None, error.detail)

    def read_again(self, version: int) -> None:
        """Keep what was typed, to be sent against the version that is shown now."""
        self.show("version", str(version))

    def show(self, name: str, value: str) -> None:
        """Show a value in place of the one that was typed."""
        self.data = {key: self.data[key] for key in self.data} | {name: value}

    def why(self) -> dict[str, Any]:
        """Why the protocol changes, and the version that was read."""
        return {name: self.cleaned_data[name] for name in ("reason", "version")}


class AmendmentForm(ReasonedForm):
    """The next version of the protocol."""

    label = forms.CharField(
        label=gettext_lazy("Label"), max_length=40, help_text=gettext_lazy("Such as 2.0.")
    )
    effective_on = CalendarDateField(label=gettext_lazy("Effective on"), required=False)
    consent_version = forms.CharField(
        label=gettext_lazy("Consent version"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("The form that patients sign from then on; blank: any."),
    )
    summary = forms.CharField(
        label=gettext_lazy("What changes"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    field_order = ["label", "effective_on", "consent_version", "summary", "reason", "version"]

    def __init__(self, data: Any, trial: Trial) -> None:
        current = trial.protocol_version
        initial = {
            "label": str(current.number + 1),
            "consent_version": current.consent_version,
            "version": trial.version,
        }
        super().__init__(data, initial=initial)

    def facts(self) -> dict[str, Any]:
        """What the version says."""
        names = ("label", "effective_on", "consent_version", "summary")
        return {name: self.cleaned_data[name] for name in names}


class CriterionForm(ReasonedForm):
    """A criterion with its rule."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=CriterionKind.choices)
    text = forms.CharField(
        label=gettext_lazy("Text, as the protocol has it"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What was repaired or decided in reading the text."),
    )
    source = forms.CharField(label=gettext_lazy("Source"), max_length=200, required=False)
    rule_type = forms.ChoiceField(label=gettext_lazy("Rule"), choices=RULE_TYPES, initial=NONE)

    number_item = forms.ChoiceField(label=gettext_lazy("Item"), required=False)
    number_comparison = forms.ChoiceField(
        label=gettext_lazy("Comparison"), choices=COMPARISONS, required=False
    )
    number_value = AmountField(
        label=gettext_lazy("Limit"),
        max_digits=15,
        decimal_places=6,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    number_unit = forms.ChoiceField(label=gettext_lazy("Unit, or × ULN / LLN"), required=False)

    choice_item = forms.ChoiceField(label=gettext_lazy("Item"), required=False)
    choice_side = forms.ChoiceField(label=gettext_lazy("The answer"), choices=SIDES, required=False)
    choice_terms = forms.CharField(
        label=gettext_lazy("Answers"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One in a line."),
    )

    yes_no_item = forms.ChoiceField(label=gettext_lazy("Item"), required=False)
    yes_no_answer = forms.ChoiceField(
        label=gettext_lazy("The answer is"), choices=ANSWERS, required=False
    )

    window_item = forms.ChoiceField(label=gettext_lazy("Item"), required=False)
    window_comparison = forms.ChoiceField(
        label=gettext_lazy("When"), choices=WINDOWS, required=False
    )
    window_n = forms.IntegerField(
        label=gettext_lazy("How many"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    window_unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=SPANS, required=False)
    window_never = forms.BooleanField(label=gettext_lazy("“Never” fulfills it too"), required=False)

    attestation_code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Names the question in stored answers, such as signed_consent."),
    )
    attestation_statement = forms.CharField(
        label=gettext_lazy("Statement"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Blank: the criterion's own text."),
    )

    json = forms.CharField(
        label=gettext_lazy("Rule as JSON"),
        max_length=50_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
    )

    def __init__(self, data: Any, trial: Trial, row: Criterion | None = None) -> None:
        super().__init__(data, initial={"version": trial.version} | (_typed(row) if row else {}))
        kinds = {"number": Kind.NUMBER, "choice": Kind.CHOICE, "yes_no": Kind.YES_NO}
        for name, kind in (kinds | {"window": Kind.DATE}).items():
            self.fields[f"{name}_item"].choices = _items(kind)  # type: ignore[attr-defined]
        self.fields["number_unit"].choices = _units()  # type: ignore[attr-defined]
        self.rule: eligibility.Rule | None = None

    @property
    def units(self) -> str:
        """What each number may be compared in, as JSON, for the page to offer nothing else."""
        numbers = [item for item in ITEMS.values() if item.kind == Kind.NUMBER]
        offered = {item.code: [*item.units, *sorted(item.limits)[::-1]] for item in numbers}
        return json.dumps(offered)

    def clean(self) -> dict[str, Any]:
        """With the rule read, each of its errors at the field it comes from."""
        rule_type = self.cleaned_data.get("rule_type", NONE)
        if rule_type != NONE and not any(name.startswith(rule_type) for name in self.errors):
            self._read(rule_type)
        return self.cleaned_data

    def _read(self, rule_type: str) -> None:
        document: Any = None
        try:
            document = self._document(rule_type)
            self.rule = eligibility.parse(document)
        except Misruled as error:
            for place, text in rule_errors(error, document):
                self._refuse(rule_type, place, text)
        except ValueError as error:
            self.add_error(JSON, str(error))

    def _document(self, rule_type: str) -> Any:
        if rule_type == JSON:
            return decode(self.cleaned_data[JSON].encode())
        return DOCUMENTS[rule_type](self.cleaned_data)

    def _refuse(self, rule_type: str, place: Place, text: str) -> None:
        if rule_type == JSON:
            pointer = "".join(f"/{escaped(str(step))}" for step in place)
            self.add_error(JSON, f"{pointer}: {text}" if pointer else text)
        else:
            name = f"{rule_type}_{place[0] if place else ''}"
            self.add_error(SHOWN_AT.get(name, name), text)

    def checks_out(self) -> bool:
        """Whether all but the reason, which only storing needs, is as it should be."""
        reason = self.fields["reason"]
        reason.required = False
        valid = self.is_valid()
        reason.required = True
        return valid

    def said(self) -> dict[str, Any]:
        """The criterion as the protocol stores it."""
        said = {name: self.cleaned_data[name] for name in ("kind", "text", "note", "source")}
        return said | {"rule": None if self.rule is None else eligibility.as_document(self.rule)}

    def print_json(self) -> None:
        """Show the JSON that was read in its usual layout."""
        self.show(JSON, pretty(self.said()["rule"]) if self.rule else "")


def _given(**said: Any) -> dict[str, Any]:
    """A document without what was left blank."""
    return {key: value for key, value in said.items() if value not in (None, "")}


def _number(said: Said) -> dict[str, Any]:
    unit = said["number_unit"]
    measured = {"times": unit} if unit in LIMITS else {"unit": unit}
    return {"type": "number"} | _given(
        item=said["number_item"],
        comparison=said["number_comparison"],
        value=said["number_value"],
        **measured,
    )


def _choice(said: Said) -> dict[str, Any]:
    terms = [line.strip() for line in said["choice_terms"].splitlines() if line.strip()]
    side = said["choice_side"] or "one_of"
    return {"type": "choice"} | _given(item=said["choice_item"]) | {side: terms}


def _yes_no(said: Said) -> dict[str, Any]:
    answer = {"yes": True, "no": False}.get(said["yes_no_answer"])
    return {"type": "yes_no"} | _given(item=said["yes_no_item"], answer=answer)


def _window(said: Said) -> dict[str, Any]:
    return {"type": "window"} | _given(
        item=said["window_item"],
        comparison=said["window_comparison"],
        n=said["window_n"],
        unit=said["window_unit"],
        never=said["window_never"],
    )


def _attestation(said: Said) -> dict[str, Any]:
    code, statement = said["attestation_code"], said["attestation_statement"]
    return {"type": "attestation", "code": code, "statement": statement}


DOCUMENTS: dict[str, Callable[[Said], dict[str, Any]]] = {
    "number": _number,
    "choice": _choice,
    "yes_no": _yes_no,
    "window": _window,
    "attestation": _attestation,
}


def _typed(row: Criterion) -> dict[str, Any]:
    """What is stored, as it would be typed."""
    said = {name: getattr(row, name) for name in ("kind", "text", "note", "source")}
    if row.rule is None:
        return said
    as_json = {JSON: pretty(row.rule), "rule_type": JSON}
    try:
        eligibility.parse(row.rule)
    except Misruled:  # stored before rules were read
        return said | as_json
    return said | as_json | _typed_rule(row.rule)


def _typed_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """The fields of a rule about one item; nothing of one that only JSON can say."""
    name = str(rule.get("type"))
    if name not in DOCUMENTS or rule.get("otherwise"):
        return {}
    typed = {f"{name}_{key}": value for key, value in rule.items() if key != "type"}
    if name == "choice":
        lists = {side: rule[side] for side, _label in SIDES if rule.get(side)}
        if len(lists) != 1:
            return {}
        typed = {"choice_item": rule["item"]} | _typed_choice(*lists.popitem())
    if name == "number":
        typed["number_unit"] = rule.get("times") or rule.get("unit") or ITEMS[rule["item"]].unit
    if name == "yes_no":
        typed["yes_no_answer"] = "yes" if rule["answer"] else "no"
    return {"rule_type": name} | typed


def _typed_choice(side: str, terms: list[str]) -> dict[str, Any]:
    return {"choice_side": side, "choice_terms": "\n".join(terms)}
