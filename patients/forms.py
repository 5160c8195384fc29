"""A patient's data and therapies as entered on a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from patients.gate import GATED
from patients.models import DATES, MOST_PRIOR_LINES, Patient, Sex, TherapyChoice
from registry.errors import FieldError
from registry.form_fields import CalendarDateField
from trials.models import Arm, RandomizationScheme, Site, Trial

SUBJECT_ID = r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z"


class ChangeForm(forms.Form):
    """What every form for an action knows: the refusals' fields, and why a stored row changes."""

    def add_errors(self, errors: Iterable[FieldError]) -> None:
        """Put each refusal beside the field that its pointer names."""
        for error in errors:
            name = error.pointer.strip("/")
            self.add_error(name if name in self.fields else None, error.detail)

    def ask_why(self, version: int) -> None:
        """Ask for the reason of a change, against the version that was read."""
        self.fields["reason"] = forms.CharField(label=_("Reason for the change"), max_length=500)
        self.fields["version"] = forms.IntegerField(widget=forms.HiddenInput, initial=version)

    def why(self) -> dict[str, Any]:
        """Why a stored row changes, and the version that was read."""
        return {name: self.cleaned_data[name] for name in ("reason", "version")}

    def facts(self) -> dict[str, Any]:
        """What was entered, without why and against which version."""
        return {k: v for k, v in self.cleaned_data.items() if k not in ("reason", "version")}


class PatientForm(ChangeForm):
    """A patient: pseudonymous, with the dates that the endpoints need."""

    subject_id = forms.RegexField(
        SUBJECT_ID,
        label=_("Subject ID"),
        max_length=40,
        error_messages={"invalid": _("Letters, digits, . _ - only.")},
    )
    site = forms.ModelChoiceField(Site.objects.none(), label=_("Site"), empty_label=None)
    arm = forms.ModelChoiceField(Arm.objects.none(), label=_("Arm"), required=False)
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices, initial=Sex.UNKNOWN)
    birth_year = forms.IntegerField(
        label=_("Birth year"), min_value=1900, max_value=2100, required=False
    )
    histology = forms.CharField(label=_("Histology"), max_length=100, required=False)
    ecog = forms.IntegerField(
        label=_("ECOG performance status"), min_value=0, max_value=5, required=False
    )
    prior_lines = forms.IntegerField(
        label=_("Prior lines of systemic therapy"),
        help_text=_("For advanced disease; 0 where there was none, blank where nobody knows."),
        min_value=0,
        max_value=MOST_PRIOR_LINES,
        required=False,
    )
    enrolled_on = CalendarDateField(label=_("Enrolled on"), required=False)
    randomized_on = CalendarDateField(label=_("Randomized on"), required=False)
    first_dose_on = CalendarDateField(label=_("First dose on"), required=False)
    last_dose_on = CalendarDateField(label=_("Last dose on"), required=False)
    last_known_alive_on = CalendarDateField(label=_("Last known alive on"), required=False)
    died_on = CalendarDateField(label=_("Died on"), required=False)
    death_cause = forms.CharField(label=_("Cause of death"), max_length=200, required=False)

    def __init__(
        self, trial: Trial, sites: Any, data: Any = None, patient: Patient | None = None
    ) -> None:
        super().__init__(data, initial=_facts_of(patient) if patient else {})
        for name, rows in (("site", sites), ("arm", trial.arms.all())):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        for name in _elsewhere(trial, patient):
            del self.fields[name]
        if patient:
            del self.fields["subject_id"]
            self.ask_why(patient.version)


def _elsewhere(trial: Trial, patient: Patient | None) -> set[str]:
    """What this form leaves out: an arm that is allotted, and what waits for consent and screening."""
    names = {"arm"} if trial.randomized or trial.masked else set()
    if trial.screened_here and not (patient and patient.enrolled_on):
        names |= {"arm", *GATED}
    if trial.randomized and RandomizationScheme.objects.filter(trial=trial).exists():
        names.add("randomized_on")
    return names


def _facts_of(patient: Patient) -> dict[str, Any]:
    about = ("sex", "birth_year", "histology", "ecog", "prior_lines")
    names = ("site", "arm", *about, *DATES, "death_cause")
    return {name: getattr(patient, name) for name in names}


class VoidForm(ChangeForm):
    """Why a row leaves lists and analyses, against the version that was read."""

    def __init__(self, data: Any, version: int) -> None:
        super().__init__(data)
        self.ask_why(version)


class RecordForm(ChangeForm):
    """One record of a patient: a new one, or a stored one that is corrected with a reason.

    `names` are the fields that a stored row fills; `preset` is what a new one begins with.
    """

    names: ClassVar[tuple[str, ...]]
    repeats: ClassVar[bool] = False  # often several at a time

    def __init__(
        self,
        patient: Patient,
        data: Any = None,
        row: Any = None,
        preset: Mapping[str, Any] | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(data, initial=self.said(row) if row else dict(preset or {}), prefix=prefix)
        self.patient, self.row = patient, row
        if row:
            self.ask_why(row.version)

    @property
    def repeats_now(self) -> bool:
        """Whether another one may follow; a correction stands alone."""
        return self.repeats and self.row is None

    def said(self, row: Any) -> dict[str, Any]:
        """What a stored row says, by the form's fields."""
        return {name: getattr(row, name) for name in self.names}


class TherapyForm(RecordForm):
    """A subsequent anticancer therapy."""

    names = ("started_on", "kind", "description")
    repeats = True

    started_on = CalendarDateField(label=_("Started on"))
    kind = forms.ChoiceField(label=_("Kind"), choices=TherapyChoice.choices)
    description = forms.CharField(
        label=_("Description"),
        max_length=300,
        required=False,
        help_text=_("Drug, field of irradiation or operation."),
    )
