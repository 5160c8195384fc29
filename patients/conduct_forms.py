"""Doses, dispositions, transfers and follow-up as entered on a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from patients import treatment
from patients.forms import ChangeForm, RecordForm
from patients.models import (
    Adjustment,
    AdverseEvent,
    Disposition,
    DispositionKind,
    DispositionReason,
    Dose,
    Patient,
)
from patients.next_dose import next_dose, plain
from patients.treatment import accepted_units
from registry.form_fields import CalendarDateField
from trials.eligibility_wording import unit as unit_label
from trials.models import Site

ENTERED = [(kind.value, kind.label) for kind in DispositionKind if kind != "transferred"]
YES_NO = [("", "–"), ("true", _("yes")), ("false", _("no: nothing later is recorded"))]


class DispositionForm(RecordForm):
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
        preset: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(patient, data, row, preset)
        withdrawal = _('A consent that was withdrawn is recorded apart, <a href="{}">with it</a>.')
        told = format_html(str(withdrawal), reverse("patients:enrollment", args=[patient.pk]))
        if row is None:
            self.fields["kind"].help_text = told
            return
        del self.fields["kind"]
        if row.kind != DispositionKind.WITHDRAWN:
            del self.fields["follow_up_continues"]
        else:
            self.fields["on"].help_text = told

    def said(self, row: Disposition) -> dict[str, Any]:
        """The row, by the form's fields."""
        follows = {None: "", True: "true", False: "false"}[row.follow_up_continues]
        return {
            "on": row.on,
            "disposition_reason": row.reason,
            "follow_up_continues": follows,
            "detail": row.detail,
        }

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


class DoseForm(RecordForm):
    """What was given from a day to a day, of what the patient's arm foresees.

    A new one begins with what comes next by the plan; `shortcuts` lead to the usual changes.
    """

    names = ("intervention", "dose", "unit", "started_on", "ended_on", "adjustment",
             "adjustment_reason")  # fmt: skip
    repeats = True

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
    because_of = forms.ChoiceField(label=_("Because of"), required=False)
    adjustment_reason = forms.CharField(
        label=_("Reason of the adjustment"), max_length=300, required=False
    )

    def __init__(
        self,
        patient: Patient,
        data: Any = None,
        row: Dose | None = None,
        preset: Mapping[str, Any] | None = None,
    ) -> None:
        self.planned = treatment.interventions(patient)
        self.next = next_dose(patient, self.planned, preset or {}) if row is None else None
        super().__init__(patient, data, row, self.next.begins_with if self.next else None)
        stored = row.intervention if row else ""
        self.kept = stored if row and not patient.trial.tells(stored) else ""
        shown = [stored] if stored and not self.kept else []
        names = dict.fromkeys([*(plan.name for plan in self.planned), *shown])
        units = dict.fromkeys([*accepted_units(self.planned), *([row.unit] if row else [])])
        self.choose("intervention", [(name, name) for name in names])
        self.choose("unit", [(code, unit_label(code)) for code in units])
        if not self.planned:
            self.fields["intervention"] = forms.CharField(label=_("Intervention"), max_length=100)
        if self.kept:
            self.conceal(names)
        self.name_reasons()
        self.offer_to_end()

    def said(self, row: Dose) -> dict[str, Any]:
        """What a stored dose says."""
        return super().said(row) | {"dose": plain(row.dose)}

    @property
    def notes(self) -> list[str]:
        """What the plan says of the next dose."""
        return self.next.notes if self.next else []

    @property
    def shortcuts(self) -> list[tuple[str, str]]:
        """Other beginnings of a new dose: their addresses and names."""
        if self.row:
            return []
        asked = (("none", _("As before")), ("reduced", _("Reduced dose")),
                 ("interrupted", _("Pause")))  # fmt: skip
        return [(f"?adjustment={code}", str(label)) for code, label in asked]

    def offer_to_end(self) -> None:
        """Let a new dose end the one that still lasts, in the same step."""
        if self.row is None and self.patient.doses.active().filter(ended_on=None).exists():
            self.fields["end_current"] = forms.BooleanField(
                label=_("End the current dose on the day before"), required=False, initial=True
            )

    def name_reasons(self) -> None:
        """Offer the patient's adverse events as the reason of a new adjustment."""
        events = [] if self.row else list(self.patient.adverse_events.active())
        if not events:
            del self.fields["because_of"]
            return
        field = self.fields["because_of"]
        assert isinstance(field, forms.ChoiceField)
        told = _("%(event)s, grade %(grade)s, from %(day)s")
        named = [
            (event.pk, told % {"event": event.name, "grade": event.grade, "day": event.started_on})
            for event in reversed(events)
        ]
        field.choices = [("", "–"), *named]
        self.reasons = {str(event.pk): _reason(event) for event in events}

    def conceal(self, names: Iterable[str]) -> None:
        """Let the stored intervention stay without being named."""
        field = self.fields["intervention"]
        self.initial["intervention"], field.required = "", False
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", _("as recorded (blinded)")), *((n, n) for n in names)]

    def facts(self) -> dict[str, Any]:
        """What was entered; a blank intervention is the stored one, an event adds to the reason."""
        told = super().facts()
        event = told.pop("because_of", "")
        reasons = [self.reasons[event] if event else "", told["adjustment_reason"]]
        return told | {
            "intervention": told["intervention"] or self.kept,
            "adjustment_reason": "; ".join(text for text in reasons if text)[:300],
        }

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


def _reason(event: AdverseEvent) -> str:
    """An adverse event as the reason of a dose, in no reader's language."""
    return f"{event.term}, CTCAE {event.grade}, {event.started_on}"


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
