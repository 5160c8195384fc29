"""Adverse events as entered on a page: CTCAE terms in either language, several events at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from patients import ctcae
from patients.forms import RecordForm
from patients.models import ActionTaken, AdverseEvent, AdverseEventOutcome, Patient
from registry.errors import FieldError
from registry.form_fields import CalendarDateField

BLANK = ("", "–")
# CTCAE's general words for a grade; each term has its own definition beside them.
GRADES = (
    (1, _("1: mild")),
    (2, _("2: moderate")),
    (3, _("3: severe")),
    (4, _("4: life-threatening")),
    (5, _("5: death")),
)
YES_NO = (("true", _("yes")), ("false", _("no")))
NEAREST, MOST_ROWS = 3, 20


class YesNoField(forms.TypedChoiceField):
    """A question that is asked and never answered by default."""

    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            choices=YES_NO,
            coerce=lambda text: text == "true",
            widget=forms.RadioSelect,
            error_messages={"required": _("Answer yes or no.")},
        )


class AdverseEventForm(RecordForm):
    """One adverse event."""

    names = ("term", "grade", "related", "serious", "action_taken", "outcome",
             "started_on", "ended_on")  # fmt: skip

    term = forms.CharField(
        label=_("Adverse event"),
        max_length=100,
        help_text=_("CTCAE term, in English or Chinese."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    grade = forms.TypedChoiceField(label=_("Grade"), choices=[BLANK, *GRADES], coerce=int)
    related = YesNoField(_("Related to the trial treatment"))
    serious = YesNoField(_("Serious"))
    started_on = CalendarDateField(label=_("Started on"))
    ended_on = CalendarDateField(label=_("Ended on"), required=False)
    ongoing = forms.BooleanField(label=_("Ongoing"), required=False)
    action_taken = forms.ChoiceField(label=_("Action taken"), choices=[BLANK, *ActionTaken.choices])
    outcome = forms.ChoiceField(
        label=_("Outcome"), choices=[BLANK, *AdverseEventOutcome.choices], required=False
    )
    confirmed = forms.BooleanField(
        label=_("Confirmed, as in source"), required=False, widget=forms.HiddenInput
    )

    def __init__(
        self,
        patient: Patient,
        data: Any = None,
        row: AdverseEvent | None = None,
        preset: Mapping[str, Any] | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(patient, data, row, preset, prefix)
        self.empty_permitted, self.use_required_attribute = row is None, False
        self.ctcae = patient.trial.ctcae_version
        self.fields["term"].widget.attrs |= {
            "data-terms": f"{reverse('patients:ctcae_terms')}?version={self.ctcae}",
            "data-none": _("No term found: it is kept as you type it."),
        }

    def said(self, row: AdverseEvent) -> dict[str, Any]:
        """The row, its term in the reader's language."""
        told = super().said(row)
        flags = {name: str(told[name]).lower() for name in ("related", "serious")}
        return told | flags | {"term": row.name, "ongoing": not row.ended_on}

    def clean(self) -> dict[str, Any]:
        """The term as CTCAE spells it, and either an end or none."""
        told = self.cleaned_data
        if "ended_on" in told and bool(told["ended_on"]) == told["ongoing"]:
            self.add_error("ended_on", _("Give the day it ended, or tick that it is ongoing."))
        found = ctcae.meant(told.get("term", ""), self.ctcae)
        if found:
            told["term"] = found.term
        self.question(told, found)
        return told

    def question(self, told: Mapping[str, Any], found: ctcae.Term | None) -> None:
        """Ask once about what CTCAE does not have; what is confirmed stands."""
        if told.get("term") and not found:
            self._unless_confirmed("term", self._no_such_term(told["term"]))
        grade = told.get("grade")
        if grade and ctcae.undefined_grade(told.get("term", ""), grade, self.ctcae):
            said = {"version": self.ctcae, "grade": grade}
            detail = _now("CTCAE %(version)s has no grade %(grade)s of this event.") % said
            self._unless_confirmed("grade", detail)

    def _unless_confirmed(self, name: str, detail: str) -> None:
        self.fields["confirmed"].widget = forms.CheckboxInput()
        if not self.cleaned_data.get("confirmed"):
            more = _now("Correct it, or tick below that the source says so.")
            self.add_error(name, f"{detail} {more}")

    def _no_such_term(self, typed: str) -> str:
        language = get_language() or ""
        nearest = [row.name(language) for row in ctcae.search(typed, self.ctcae, NEAREST)]
        said = {"version": self.ctcae, "terms": "; ".join(nearest)}
        if nearest:
            return _now("Not a term of CTCAE %(version)s; nearest: %(terms)s.") % said
        return _now("Not a term of CTCAE %(version)s.") % said

    def facts(self) -> dict[str, Any]:
        """What was entered, by the model's names."""
        told = super().facts()
        return {name: told[name] for name in self.names}


class AdverseEventForms:
    """The rows of one page, stored together or not at all; a row that is left blank is none."""

    def __init__(self, patient: Patient, data: Any = None) -> None:
        self.wants_more_rows = bool(data) and "more" in data
        asked = min(_number(data), MOST_ROWS - self.wants_more_rows) + self.wants_more_rows
        self.forms = [self._row(patient, data, str(place)) for place in range(asked)]
        self.refused: list[str] = []

    def _row(self, patient: Patient, data: Any, prefix: str) -> AdverseEventForm:
        """A row as it was sent; unjudged where only more rows are asked for."""
        if not self.wants_more_rows:
            return AdverseEventForm(patient, data, prefix=prefix)
        typed = {name: data.get(f"{prefix}-{name}") for name in AdverseEventForm.base_fields}
        return AdverseEventForm(patient, preset=typed, prefix=prefix)

    @property
    def rows(self) -> list[AdverseEventForm]:
        """Those that say something; the first where none does, so that it can ask."""
        entered = [form for form in self.forms if form.has_changed()]
        for form in entered or self.forms[:1]:
            form.empty_permitted = False
        return entered or self.forms[:1]

    def is_valid(self) -> bool:
        """Whether every row can be stored, as far as a row can tell."""
        return all(form.is_valid() for form in self.rows)

    def facts(self) -> list[dict[str, Any]]:
        """What was entered, row by row."""
        return [form.facts() for form in self.rows]

    def add_errors(self, errors: Iterable[FieldError]) -> None:
        """Put each refusal beside the field of its row."""
        for error in errors:
            place, _slash, pointer = error.pointer.strip("/").partition("/")
            if place.isdigit():
                self.rows[int(place)].add_errors([FieldError(f"/{pointer}", error.detail)])
            else:
                self.refused.append(error.detail)

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """Where each error is, what the field is called, and what is wrong, in page order."""
        if self.wants_more_rows:
            return []
        found = [("", "", detail) for detail in self.refused]
        for number, form in enumerate(self.forms, 1):
            event = _now("Event %(number)s") % {"number": number}
            of = f"{event}, " if len(self.forms) > 1 else ""
            first = f"id_{form.prefix}-term"
            found += [(first, event, str(text)) for text in form.non_field_errors()]
            found += [
                (_target(field), f"{of}{field.label}", str(text))
                for field in form
                for text in field.errors
            ]
        return found


def _target(field: Any) -> str:
    return f"{field.auto_id}_0" if field.use_fieldset else str(field.auto_id)


def _number(data: Any) -> int:
    """How many rows the page had; one at first."""
    text = str(data.get("rows", "")) if data else ""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 4 else 1
