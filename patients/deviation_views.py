"""Pages of protocol deviations: record what happened, enroll in spite of a criterion, weigh, void."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from patients import deviations, judging, screening
from patients.deviation_forms import CriterionDeviationForm, DeviationForm, WeightForm
from patients.forms import VoidForm
from patients.models import Deviation, Patient
from patients.views import entered, require, visible_patient, writable_patient
from registry.entry_pages import entry_page
from registry.pages import posted, signed_in
from trials import access


@entry_page
def deviation_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Record what happened; then the patient again, or the same page for one more."""
    patient = writable_patient(request, pk)
    form = DeviationForm(patient, posted(request), preset=request.GET.dict())

    def save() -> Patient | str:
        deviations.record_deviation(patient=patient, by=signed_in(request), **form.facts())
        return request.path if "another" in request.GET else patient

    return entered(request, form, save, _context(patient, _("Record a protocol deviation")))


@entry_page
def criterion_deviation_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Record that an investigator enrolls in spite of a criterion."""
    user, patient = signed_in(request), visible_patient(request, pk)
    require(request, patient, access.Action.DEVIATE)
    latest = patient.screenings.filter(voided_at=None).order_by("screened_on", "pk").last()
    if latest is None or not judging.failing(latest.results):
        messages.error(request, _("No criterion of the latest screening needs a deviation."))
        return redirect("patients:enrollment", pk=patient.pk)
    named = request.GET.get("criterion", "")
    on = patient.enrolled_on or patient.site.today()
    form = CriterionDeviationForm(posted(request), latest, named, on)

    def save() -> str:
        facts = form.facts()
        criterion = patient.trial.criteria.get(pk=facts.pop("criterion"))
        screening.record_deviation(patient=patient, criterion=criterion, by=user, **facts)
        return _enrollment(patient)

    return entered(request, form, save, _context(patient, _("Protocol deviation")))


@entry_page
def deviation_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct what is said to have happened; from a criterion, call it major or minor."""
    deviation = _visible(request, pk)
    if deviation.criterion_id:
        return _weigh(request, deviation)
    patient = deviation.patient
    require(request, patient, access.Action.WRITE_RECORDS)
    form = DeviationForm(patient, posted(request), deviation)

    def save() -> Patient:
        changes, by = form.facts(), signed_in(request)
        deviations.correct_deviation(deviation=deviation, changes=changes, by=by, **form.why())
        return patient

    title = _("Correct the protocol deviation of %s") % deviation.occurred_on
    return entered(request, form, save, _context(patient, title))


def _weigh(request: HttpRequest, deviation: Deviation) -> HttpResponse:
    patient = deviation.patient
    require(request, patient, access.Action.DEVIATE)
    form = WeightForm(posted(request), deviation)

    def save() -> str:
        by = signed_in(request)
        deviations.weigh_deviation(deviation=deviation, by=by, **form.facts(), **form.why())
        return _enrollment(patient)

    return entered(request, form, save, _context(patient, _("Weigh the protocol deviation")))


@entry_page
def deviation_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a deviation out of lists, of populations, and of what an enrollment rests on."""
    deviation = _visible(request, pk)
    patient = deviation.patient
    require(request, patient, access.Action.VOID)
    form = VoidForm(posted(request), deviation.version)

    def save() -> Patient | str:
        screening.void_deviation(deviation=deviation, by=signed_in(request), **form.why())
        return _enrollment(patient) if deviation.criterion_id else patient

    return entered(request, form, save, _context(patient, _("Void the deviation")))


def _visible(request: HttpRequest, pk: int) -> Deviation:
    """A deviation of a visible patient; 404 for any other."""
    rows = Deviation.objects.active().visible_to(signed_in(request))
    return get_object_or_404(rows.select_related("patient__trial", "patient__site"), pk=pk)


def _enrollment(patient: Patient) -> str:
    """The page whose steps show what a criterion's deviation covers."""
    return reverse("patients:enrollment", args=[patient.pk])


def _context(patient: Patient, title: str) -> dict[str, Any]:
    return {"trial": patient.trial, "patient": patient, "title": title}
