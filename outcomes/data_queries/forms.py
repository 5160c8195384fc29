"""Forms of the query pages: a word to a query, and a new question."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from outcomes.models import INVESTIGATOR, Lesion, Visit
from patients.models import Patient, QuerySubject
from registry.errors import FieldError

AREA = {"rows": 3, "maxlength": 1000}


class MessageForm(forms.Form):
    """What somebody says in a thread, against the version that was read."""

    text = forms.CharField(
        label=_("Your message"), max_length=1000, widget=forms.Textarea(attrs=AREA),
        error_messages={"required": _("Write a message first.")},
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)


class AskForm(forms.Form):
    """A question about one of a patient's visits, one of its lesions, or the patient."""

    record = forms.ChoiceField(label=_("About"))
    lesion = forms.ChoiceField(label=_("Lesion"), required=False)
    text = forms.CharField(
        label=_("Your question"), max_length=1000, widget=forms.Textarea(attrs=AREA),
        error_messages={"required": _("Write the question first.")},
    )  # fmt: skip

    def __init__(self, patient: Patient, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        mine = {"patient": patient, "evaluator": INVESTIGATOR}
        visits = Visit.objects.active().filter(**mine).order_by("date")
        lesions = Lesion.objects.active().filter(**mine).order_by("label")
        patients = (f"{QuerySubject.PATIENT}:{patient.pk}", _("The patient"))
        records = [(f"{QuerySubject.VISIT}:{visit.pk}", str(visit)) for visit in visits]
        labels = [(lesion.label, f"{lesion.label} {lesion.place}") for lesion in lesions]
        self.fields["record"].choices = [patients, *records]  # type: ignore[attr-defined]
        self.fields["lesion"].choices = [("", "–"), *labels]  # type: ignore[attr-defined]

    def about(self) -> dict[str, Any]:
        """What the question is about, and the question."""
        said = self.cleaned_data
        subject, _colon, pk = said["record"].partition(":")
        named = {"subject": subject, "record_id": int(pk)}
        return {**named, "lesion": said["lesion"], "text": said["text"]}

    def add_errors(self, errors: list[FieldError]) -> None:
        """Put each refusal beside its field."""
        for error in errors:
            name = error.pointer.strip("/")
            self.add_error(name if name in self.fields else None, error.detail)
