"""Doses, dispositions, transfers and follow-up as entered on a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
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
from trials.models import Intervention, Site

ENTERED = [(kind.value, kind.label) for kind in DispositionKind if kind != "transferred"]
YES_NO = [("", "–"), ("true", _("yes")), ("false", _("no: nothing later is recorded"))]


class DispositionForm(ChangeForm):
    """What ended for a patient; a stored one keeps its kind."""

    kind = forms.ChoiceField(label=_("What happened"), choices=ENTERED)
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

    def __init__(self, data: Any = None, row: Disposition | None = None) -> None:
        super().__init__(data, initial=_said(row) if row else {})
        if row:
            del self.fields["kind"]
            if row.kind != DispositionKind.WITHDRAWN:
                del self.fields["follow_up_continues"]
            self.ask_why(row.version)

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
        super().__init__(data, initial={n: getattr(dose, n) for n in DOSE} if dose else {})
        rows, stored = list(planned), dose.intervention if dose else ""
        self.kept = stored if dose and not dose.patient.trial.tells(stored) else ""
        shown = [stored] if stored and not self.kept else []
        names = dict.fromkeys([row.name for row in rows] + shown)
        self.choose("intervention", names)
        self.choose("unit", accepted_units(rows))
        if not rows:
            self.fields["intervention"] = forms.CharField(label=_("Intervention"), max_length=100)
        if dose:
            self.ask_why(dose.version)
        if self.kept:
            self.conceal(names)

    def conceal(self, names: Iterable[str]) -> None:
        """Let the stored intervention stay without being named."""
        field = self.fields["intervention"]
        self.initial["intervention"], field.required = "", False
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", _("as recorded (blinded)")), *((n, n) for n in names)]

    def facts(self) -> dict[str, Any]:
        """What was entered; a blank intervention is the stored one."""
        told = super().facts()
        return told | {"intervention": told["intervention"] or self.kept}

    def choose(self, name: str, values: Iterable[str]) -> None:
        """Let a field take these values."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(value, value) for value in values]


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
