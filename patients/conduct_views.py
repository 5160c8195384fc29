"""Pages of a patient's doses, dispositions, transfer, randomization and follow-up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from patients import actions, allocation, conduct, treatment
from patients.conduct_forms import (
    ConfirmForm,
    DispositionForm,
    DoseForm,
    FollowUpForm,
    TransferForm,
)
from patients.forms import ChangeForm, VoidForm
from patients.models import Disposition, Dose, Patient
from patients.views import entered, visible_patient
from registry.entry_pages import entry_page
from registry.errors import Refused, StaleVersion
from registry.pages import posted, signed_in
from trials import access
from trials.models import Trial

Row = TypeVar("Row", Dose, Disposition)


def writable_patient(request: HttpRequest, pk: int) -> Patient:
    """A visible patient of whom the user may write; 404 or 403 for any other."""
    patient = visible_patient(request, pk)
    require(request, patient, access.Action.WRITE_RECORDS)
    return patient


def require(request: HttpRequest, patient: Patient, action: access.Action) -> None:
    """Refuse whom the role at the patient's site does not allow it."""
    access.require(signed_in(request), action, trial=patient.trial, site=patient.site)


def visible_row(request: HttpRequest, model: type[Row], pk: int) -> Row:
    """A dose or disposition of a visible patient."""
    rows: models.QuerySet[Row] = model.objects.active().visible_to(signed_in(request))
    return get_object_or_404(rows.select_related("patient__trial", "patient__site"), pk=pk)


def _page(
    request: HttpRequest, patient: Patient, title: str, form: ChangeForm, save: Callable[[], Any]
) -> HttpResponse:
    def stored() -> Patient:
        save()
        return patient

    context = {"trial": patient.trial, "patient": patient, "title": title}
    return entered(request, form, stored, context)


@entry_page
def dose_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Record what was given from a day to a day."""
    patient = writable_patient(request, pk)
    form = DoseForm(treatment.interventions(patient), posted(request))

    def save() -> Dose:
        return conduct.record_dose(patient=patient, by=signed_in(request), **form.facts())

    return _page(request, patient, _("Add a dose"), form, save)


@entry_page
def dose_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a dose, with a reason."""
    dose = visible_row(request, Dose, pk)
    require(request, dose.patient, access.Action.WRITE_RECORDS)
    form = DoseForm(treatment.interventions(dose.patient), posted(request), dose)

    def save() -> Dose:
        return conduct.correct_dose(
            dose=dose, changes=form.facts(), by=signed_in(request), **form.why()
        )

    return _page(request, dose.patient, _("Correct a dose"), form, save)


@entry_page
def dose_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a dose out of lists and analyses, with a reason."""
    dose = visible_row(request, Dose, pk)
    require(request, dose.patient, access.Action.VOID)
    form = VoidForm(posted(request), dose.version)

    def save() -> Dose:
        return conduct.void_dose(dose=dose, by=signed_in(request), **form.why())

    return _page(request, dose.patient, _("Void the dose of %s") % dose.started_on, form, save)


@entry_page
def disposition_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Record what ended: treatment, consent, contact or the study."""
    patient = writable_patient(request, pk)
    preset = {name: request.GET[name] for name in ("kind", "on") if name in request.GET}
    form = DispositionForm(patient, posted(request), preset=preset)

    def save() -> Disposition:
        return conduct.record_disposition(patient=patient, by=signed_in(request), **form.facts())

    return _page(request, patient, _("Record a disposition"), form, save)


@entry_page
def disposition_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a disposition, with a reason."""
    row = visible_row(request, Disposition, pk)
    require(request, row.patient, access.Action.WRITE_RECORDS)
    form = DispositionForm(row.patient, posted(request), row)

    def save() -> Disposition:
        return conduct.correct_disposition(
            disposition=row, changes=form.facts(), by=signed_in(request), **form.why()
        )

    title = _("Correct: %s") % row.get_kind_display()
    return _page(request, row.patient, title, form, save)


@entry_page
def disposition_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Reinstate a patient, with a reason."""
    row = visible_row(request, Disposition, pk)
    patient = row.patient
    require(request, patient, access.Action.VOID)
    form = VoidForm(posted(request), row.version)

    def save() -> Disposition:
        return conduct.void_disposition(disposition=row, by=signed_in(request), **form.why())

    return _left(request, patient, _("Void: %s") % row.get_kind_display(), form, save)


@entry_page
def patient_transfer(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a patient over to another site."""
    patient = writable_patient(request, pk)
    form = TransferForm(patient, posted(request))

    def save() -> Patient:
        told = form.facts()
        return conduct.transfer_patient(
            patient=patient, to_site=told["site"], on=told["on"], by=signed_in(request),
            **form.why(),
        )  # fmt: skip

    return _left(request, patient, _("Transfer to another site"), form, save)


def _left(
    request: HttpRequest, patient: Patient, title: str, form: ChangeForm, save: Callable[[], Any]
) -> HttpResponse:
    """As `_page`; whoever no longer sees the patient afterwards goes to the trial."""

    def stored() -> Patient | Trial:
        save()
        mine = Patient.objects.visible_to(signed_in(request)).filter(pk=patient.pk)
        return patient if mine.exists() else patient.trial

    context = {"trial": patient.trial, "patient": patient, "title": title}
    return entered(request, form, stored, context)


@entry_page
def patient_follow_up(request: HttpRequest, pk: int) -> HttpResponse:
    """When the patient was last known to be alive, or died."""
    patient = writable_patient(request, pk)
    form = FollowUpForm(patient, posted(request))

    def save() -> Patient:
        return actions.update_patient(
            patient=patient, changes=form.facts(), by=signed_in(request), **form.why()
        )

    return _page(request, patient, _("Follow-up"), form, save)


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
    now = datetime.now(ZoneInfo(patient.site.timezone))
    arm = _("the arm is blinded") if patient.trial.masked else str(patient.arm)
    said = {
        "patient": patient.subject_id,
        "time": f"{now:%Y-%m-%d %H:%M} {offset(now)}",
        "arm": arm,
    }
    return _("%(patient)s was randomized at %(time)s: %(arm)s.") % said


def offset(moment: datetime) -> str:
    """From universal time: UTC+8, UTC+5:30. Abbreviations such as CST name several zones."""
    minutes = int((moment.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
