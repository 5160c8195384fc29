"""Pages that enter a patient's data; what they show of outcomes lives in `outcomes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from patients import actions
from patients.forms import ChangeForm, PatientForm, VoidForm
from patients.models import Patient
from registry import meanwhile
from registry.entry_pages import entry_page
from registry.errors import Refused, StaleVersion
from registry.pages import posted, signed_in
from trials import access
from trials.models import Site, Trial


def visible_patient(request: HttpRequest, pk: int) -> Patient:
    """A patient within the user's scope; 404 for any other."""
    rows = Patient.objects.active().visible_to(signed_in(request)).with_consent_withdrawal()
    return get_object_or_404(rows.select_related("trial", "site", "allocation__arm"), pk=pk)


def writable_patient(request: HttpRequest, pk: int) -> Patient:
    """A visible patient of whom the user may write; 404 or 403 for any other."""
    patient = visible_patient(request, pk)
    require(request, patient, access.Action.WRITE_RECORDS)
    return patient


def require(request: HttpRequest, patient: Patient, action: access.Action) -> None:
    """Refuse whom the role at the patient's site does not allow it."""
    access.require(signed_in(request), action, trial=patient.trial, site=patient.site)


def remaining(request: HttpRequest, patient: Patient) -> Patient | Trial:
    """The patient while the user still sees them, as not after every transfer; else the trial."""
    mine = Patient.objects.visible_to(signed_in(request)).filter(pk=patient.pk)
    return patient if mine.exists() else patient.trial


@entry_page
def patient_new(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Add a patient to a trial."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    sites = Site.objects.visible_to(user).filter(trial=trial)
    if not access.may_somewhere(user, access.Action.WRITE_RECORDS, trial=trial):
        raise PermissionDenied(access.refusal())
    form = PatientForm(trial, sites, posted(request))

    def save() -> Patient:
        return actions.enroll_patient(trial=trial, by=user, **form.facts())

    context = {"trial": trial, "title": _("Add a patient")}
    return entered(request, form, save, context)


@entry_page
def patient_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a patient's data, with a reason."""
    user, patient = signed_in(request), visible_patient(request, pk)
    access.require(user, access.Action.WRITE_RECORDS, trial=patient.trial, site=patient.site)
    sites = Site.objects.visible_to(user).filter(trial=patient.trial)
    form = PatientForm(patient.trial, sites, posted(request), patient)

    def save() -> Patient:
        return actions.update_patient(patient=patient, changes=form.facts(), by=user, **form.why())

    context = {"trial": patient.trial, "patient": patient, "title": _("Change the patient's data")}
    return entered(request, form, save, context)


@entry_page
def patient_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a patient with everything recorded out of lists and analyses, with a reason."""
    user, patient = signed_in(request), visible_patient(request, pk)
    access.require(user, access.Action.VOID, trial=patient.trial, site=patient.site)
    form = VoidForm(posted(request), patient.version)

    def save() -> Trial:
        actions.void_patient(patient=patient, by=user, **form.why())
        return patient.trial

    title = _("Void patient %s") % patient.subject_id
    context = {"trial": patient.trial, "patient": patient, "title": title}
    return entered(request, form, save, context)


def entered(
    request: HttpRequest,
    form: ChangeForm,
    save: Callable[[], Patient | Trial | str],
    context: dict[str, Any],
) -> HttpResponse:
    """Show the form; on a valid POST store it and go to the patient, the trial or an address."""
    if request.method == "POST" and form.is_valid():
        try:
            stored = save()
        except Refused as refused:
            form.add_errors(refused.errors)
        except StaleVersion as stale:
            context["meanwhile"] = meanwhile.since(form, stale)
            form.add_error(None, _("Somebody changed this meanwhile; look at it again."))
        else:
            messages.success(request, _("%(what)s: stored.") % {"what": context["title"]})
            if isinstance(stored, str):
                return redirect(stored)
            if isinstance(stored, Trial):
                return redirect("outcomes:trial_dashboard", registry_id=stored.registry_id)
            return redirect("outcomes:patient", pk=stored.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/form.html", context | {"form": form}, status=status)
