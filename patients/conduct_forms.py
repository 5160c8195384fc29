"""Doses, dispositions, transfers and follow-up as entered on a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from patients.forms import ChangeForm
from patients.models import (
    Adjustment,
    Disposition,
    DispositionKind,
    DispositionReason,
    Dose,
    Patient,
)
from patients.treatment import accepted_units
from registry.form_fields import CalendarDateField
from trials.eligibility_wording import unit as unit_label
from trials.models import Intervention, Site

ENTERED = [(kind.value, kind.label) for kind in DispositionKind if kind != "transferred"]
YES_NO = [("", "–"), ("true", _("yes")), ("false", _("no: nothing later is recorded"))]


class DispositionForm(ChangeForm):
    """What ended for a patient; a stored one keeps its kind."""

    kind = forms.ChoiceField(label=_("What happened"), choices=[("", "–"), *ENTERED])
    on = CalendarDateField(label=_("Date"))
    disposition_reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[("", "–"), *DispositionReason.choices],
        required=False,
        help_text=_("Needed where treatment is discontinued."),
    )
    follow_up_continues = forms.TypedChoiceField(
        label=_("Follow-up continues"),
        choices=YES_NO,
        coerce=lambda text: text == "true",
        empty_value=None,
        required=False,
        help_text=_("Needed for a withdrawal of consent, and for no other."),
    )
    detail = forms.CharField(label=_("Details"), max_length=500, required=False)

    def __init__(
        self,
        patient: Patient,
        data: Any = None,
        row: Disposition | None = None,
        *,
        preset: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=_said(row) if row else preset)
        self.row = row
        withdrawal = _('A consent that was withdrawn is recorded apart, <a href="{}">with it</a>.')
        told = format_html(str(withdrawal), reverse("patients:enrollment", args=[patient.pk]))
        if row is None:
            self.fields["kind"].help_text = told
            return
        del self.fields["kind"]
        self.ask_why(row.version)
        if row.kind != DispositionKind.WITHDRAWN:
            del self.fields["follow_up_continues"]
        else:
            self.fields["on"].help_text = told

    def clean(self) -> dict[str, Any]:
        """Ask for what the kind needs, in the words of the page."""
        told = self.cleaned_data
        kind = self.row.kind if self.row else told.get("kind")
        if kind == DispositionKind.WITHDRAWN and told.get("follow_up_continues") is None:
            self.add_error("follow_up_continues", _("Say whether follow-up continues: yes or no."))
        if kind == DispositionKind.TREATMENT_DISCONTINUED and not told.get("disposition_reason"):
            self.add_error("disposition_reason", _("Choose why treatment was discontinued."))
        return told

    def facts(self) -> dict[str, Any]:
        """What was entered, by the model's names."""
        told = super().facts()
        return told | {"reason": told.pop("disposition_reason")}


def _said(row: Disposition) -> dict[str, Any]:
    follows = {None: "", True: "true", False: "false"}[row.follow_up_continues]
    return {
        "on": row.on,
        "disposition_reason": row.reason,
        "follow_up_continues": follows,
        "detail": row.detail,
    }


class TransferForm(ChangeForm):
    """Where to a patient moves, when and why."""

    site = forms.ModelChoiceField(Site.objects.none(), label=_("New site"), empty_label=None)
    on = CalendarDateField(label=_("Date"))

    def __init__(self, patient: Patient, data: Any = None) -> None:
        super().__init__(data)
        field = self.fields["site"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = patient.trial.sites.exclude(pk=patient.site_id)
        self.ask_why(patient.version)
        self.fields["reason"].label = _("Reason for the transfer")


class ConfirmForm(ChangeForm):
    """Nothing but the version of the patient that was read."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, patient: Patient, data: Any = None) -> None:
        super().__init__(data, initial={"version": patient.version})


class DoseForm(ChangeForm):
    """What was given from a day to a day, of what the patient's arm foresees."""

    intervention = forms.ChoiceField(label=_("Intervention"))
    dose = forms.DecimalField(
        label=_("Dose"), min_value=0, max_digits=10, decimal_places=3,
        help_text=_("Per day of intake; 0 is a pause."),
    )  # fmt: skip
    unit = forms.ChoiceField(label=_("Unit"))
    started_on = CalendarDateField(label=_("First day"))
    ended_on = CalendarDateField(
        label=_("Last day"), required=False, help_text=_("Blank while it lasts.")
    )
    adjustment = forms.ChoiceField(label=_("Adjustment"), choices=Adjustment.choices)
    adjustment_reason = forms.CharField(
        label=_("Reason of the adjustment"), max_length=300, required=False
    )

    def __init__(
        self, planned: Iterable[Intervention], data: Any = None, dose: Dose | None = None
    ) -> None:
        self.planned = list(planned)
        super().__init__(data, initial=_given(dose) if dose else _foreseen(self.planned))
        stored = ([dose.intervention], [dose.unit]) if dose else ([], [])
        names = dict.fromkeys([*(row.name for row in self.planned), *stored[0]])
        units = dict.fromkeys([*accepted_units(self.planned), *stored[1]])
        self.choose("intervention", [(name, name) for name in names])
        self.choose("unit", [(code, unit_label(code)) for code in units])
        if not self.planned:
            self.fields["intervention"] = forms.CharField(label=_("Intervention"), max_length=100)
        if dose:
            self.ask_why(dose.version)

    def choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        """Let a field take these values; a blank one comes first where the plan leaves a choice."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices if name in self.initial else [("", "–"), *choices]

    def clean_unit(self) -> str:
        """A unit that the plan of the chosen intervention takes."""
        code: str = self.cleaned_data["unit"]
        name = self.cleaned_data.get("intervention", "")
        named = [row for row in self.planned if row.name == name]
        accepted = accepted_units(named or self.planned)
        if code not in accepted:
            said = ", ".join(unit_label(accepted_code) for accepted_code in accepted)
            raise forms.ValidationError(_("One of: %(units)s."), params={"units": said})
        return code


def _foreseen(planned: Sequence[Intervention]) -> dict[str, Any]:
    """What a new dose says by the plan, of each field on which all interventions agree."""
    told = {
        "intervention": {row.name for row in planned},
        "dose": {_plain(row.dose) for row in planned},
        "unit": {row.unit for row in planned},
    }
    agreed = {name: values.pop() for name, values in told.items() if len(values) == 1}
    return {name: value for name, value in agreed.items() if value}


def _given(dose: Dose) -> dict[str, Any]:
    """What a stored dose says."""
    return {name: getattr(dose, name) for name in DOSE} | {"dose": _plain(dose.dose)}


def _plain(number: Decimal | None) -> str:
    """Without idle zeros."""
    return "" if number is None else f"{number.normalize():f}"


DOSE = (
    "intervention", "dose", "unit", "started_on", "ended_on", "adjustment", "adjustment_reason",
)  # fmt: skip
FOLLOW_UP = ("last_known_alive_on", "died_on", "death_cause")


class FollowUpForm(ChangeForm):
    """When the patient was last known to be alive, or died."""

    last_known_alive_on = CalendarDateField(label=_("Last known alive on"), required=False)
    died_on = CalendarDateField(label=_("Died on"), required=False)
    death_cause = forms.CharField(label=_("Cause of death"), max_length=200, required=False)

    def __init__(self, patient: Patient, data: Any = None) -> None:
        super().__init__(data, initial={name: getattr(patient, name) for name in FOLLOW_UP})
        self.ask_why(patient.version)
        self.fields["reason"].label = _("Source")
        self.fields["reason"].help_text = _("Such as: telephone call, registry of deaths.")
