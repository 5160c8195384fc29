"""Protocol deviations as entered on pages: from a criterion, or what happened in the trial."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date as Date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from patients import judging
from patients.forms import ChangeForm, RecordForm
from patients.models import Deviation, DeviationCategory, Patient, Screening
from patients.screening_forms import criterion_label
from registry.form_fields import CalendarDateField

MAJOR, MINOR = "major", "minor"
WEIGHTS = [
    (MAJOR, _("major: not in the per-protocol population")),
    (MINOR, _("minor: changes nothing of what is analyzed")),
]


def weight(deviation: Deviation) -> str:
    """Which of the `WEIGHTS` a deviation has."""
    return MAJOR if deviation.major else MINOR


class WeightForm(ChangeForm):
    """Whether a deviation from a criterion is major."""

    major = forms.ChoiceField(
        label=_("Weight"),
        choices=WEIGHTS,
        required=False,
        help_text=_(
            "A violated criterion is major unless it cannot bear on the result (ICH E9, 5.2.2)."
        ),
    )

    def __init__(self, data: Any, deviation: Deviation | None = None) -> None:
        super().__init__(data)
        if deviation:
            self.initial["major"] = weight(deviation)
            self.ask_why(deviation.version)

    def clean_major(self) -> bool:
        """Whether it takes the patient out of the per-protocol population; yes if nobody said."""
        chosen: str = self.cleaned_data["major"]
        return chosen != MINOR


class CriterionDeviationForm(WeightForm):
    """Why somebody is enrolled in spite of a criterion."""

    field_order = ("criterion", "occurred_on", "justification", "major")

    criterion = forms.TypedChoiceField(label=_("Criterion"), coerce=int)
    occurred_on = CalendarDateField(label=_("Date"))
    justification = forms.CharField(
        label=_("Justification"), max_length=2000, widget=forms.Textarea({"rows": 5})
    )
    screening = forms.IntegerField(widget=forms.HiddenInput)
    screening_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any, screening: Screening, criterion: str, on: Date) -> None:
        seen = {"screening": screening.pk, "screening_version": screening.version}
        super().__init__(data)
        self.initial = {"criterion": criterion, "occurred_on": on} | seen
        field = self.fields["criterion"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (r["criterion"], f"{criterion_label(r['kind'], r['number'])}: {r['text'][:100]}")
            for r in judging.failing(screening.results)
        ]


class DeviationForm(RecordForm):
    """What happened in the trial that its protocol does not have."""

    names = ("occurred_on", "category", "description")
    repeats = True

    occurred_on = CalendarDateField(label=_("Occurred on"))
    category = forms.ChoiceField(label=_("Category"))
    major = forms.ChoiceField(
        label=_("Weight"),
        choices=[("", "–"), *WEIGHTS],
        help_text=_(
            "Major: it may bear on the result, or on the patient's rights, safety or well-being"
            " (ICH E3, 10.2)."
        ),
    )
    description = forms.CharField(
        label=_("Description"), max_length=500, widget=forms.Textarea({"rows": 5})
    )

    def __init__(
        self,
        patient: Patient,
        data: Any = None,
        row: Deviation | None = None,
        preset: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(patient, data, row, preset)
        field = self.fields["category"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*([] if row else [("", "–")]), *DeviationCategory.choices]

    def said(self, row: Deviation) -> dict[str, Any]:
        """What a stored deviation says."""
        return super().said(row) | {"major": weight(row)}

    def clean_major(self) -> bool:
        """Whether it takes the patient out of the per-protocol population."""
        chosen: str = self.cleaned_data["major"]
        return chosen == MAJOR
