"""Pages of a patient's transfer, follow-up and randomization."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from patients import actions, allocation, conduct
from patients.conduct_forms import ConfirmForm, FollowUpForm, TransferForm
from patients.models import Patient
from patients.views import entered, remaining, writable_patient
from registry.clocks import moment
from registry.entry_pages import entry_page
from registry.errors import Refused, StaleVersion
from registry.pages import posted, signed_in
from trials.models import Trial


@entry_page
def patient_transfer(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a patient over to another site."""
    patient = writable_patient(request, pk)
    form = TransferForm(patient, posted(request))

    def save() -> Patient | Trial:
        told = form.facts()
        conduct.transfer_patient(
            patient=patient, to_site=told["site"], on=told["on"], by=signed_in(request),
            **form.why(),
        )  # fmt: skip
        return remaining(request, patient)

    return entered(request, form, save, _context(patient, _("Transfer to another site")))


@entry_page
def patient_follow_up(request: HttpRequest, pk: int) -> HttpResponse:
    """When the patient was last known to be alive, or died."""
    patient = writable_patient(request, pk)
    form = FollowUpForm(patient, posted(request))

    def save() -> Patient:
        return actions.update_patient(
            patient=patient, changes=form.facts(), by=signed_in(request), **form.why()
        )

    return entered(request, form, save, _context(patient, _("Survival follow-up")))


def _context(patient: Patient, title: str) -> dict[str, Any]:
    return {"trial": patient.trial, "patient": patient, "title": title}


@entry_page
def patient_randomize(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm, then allot the patient's arm; the result is told with its time."""
    patient = writable_patient(request, pk)
    form = ConfirmForm(patient, posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            randomized = allocation.randomize_patient(
                patient=patient, by=signed_in(request), version=form.cleaned_data["version"]
            )
        except Refused as refused:
            form.add_errors(refused.errors)
        except StaleVersion:
            form.add_error(None, _("Somebody changed this meanwhile; look at it again."))
        else:
            messages.success(request, _randomized(randomized))
            return redirect("outcomes:patient", pk=patient.pk)
    done = patient.arm is not None or patient.randomized_on is not None
    context = {"trial": patient.trial, "patient": patient, "form": form, "title": _("Randomize")}
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/randomize.html", context | {"done": done}, status=status)


def _randomized(patient: Patient) -> str:
    arm = _("the arm is blinded") if patient.trial.masked else str(patient.arm)
    said = {
        "patient": patient.subject_id,
        "time": moment(timezone.now(), patient.site.timezone),
        "arm": arm,
    }
    return _("%(patient)s was randomized at %(time)s: %(arm)s.") % said
