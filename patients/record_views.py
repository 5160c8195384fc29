"""Pages of what is recorded of a patient, made from one table: add, correct, void."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patients import actions, conduct
from patients.adverse_event_forms import AdverseEventForm
from patients.conduct_forms import DispositionForm, DoseForm
from patients.forms import RecordForm, TherapyForm, VoidForm
from patients.models import AdverseEvent, Disposition, Dose, Patient, Therapy
from patients.views import entered, remaining, require, writable_patient
from registry.entry_pages import entry_page
from registry.pages import posted, signed_in
from trials import access
from trials.models import Trial


@dataclass(frozen=True)
class Kind:
    """A kind of record: its addresses, its form, its actions and the titles of its pages.

    `name` is the actions' keyword for a stored row too; a title's %s is what `said` tells of it.
    """

    name: str
    plural: str
    model: type[Any]
    form: type[RecordForm]
    record: Callable[..., Any] | None  # None where a page of its own adds several
    correct: Callable[..., Any]
    void: Callable[..., Any]
    adding: Promise | None
    correcting: Promise
    voiding: Promise
    said: Callable[[Any], object]


KINDS = (
    Kind(
        "therapy", "therapies", Therapy, TherapyForm,
        actions.record_therapy, actions.correct_therapy, actions.void_therapy,
        _("Add a therapy"), _("Correct the therapy of %s"), _("Void the therapy of %s"),
        lambda row: row.started_on,
    ),
    Kind(
        "dose", "doses", Dose, DoseForm,
        conduct.record_dose, conduct.correct_dose, conduct.void_dose,
        _("Add a dose"), _("Correct the dose of %s"), _("Void the dose of %s"),
        lambda row: row.started_on,
    ),
    Kind(
        "disposition", "dispositions", Disposition, DispositionForm,
        conduct.record_disposition, conduct.correct_disposition, conduct.void_disposition,
        _("Record a disposition"), _("Correct: %s"), _("Void: %s"),
        lambda row: row.get_kind_display(),
    ),
    Kind(
        "adverse_event", "adverse-events", AdverseEvent, AdverseEventForm,
        None, actions.correct_adverse_event, actions.void_adverse_event,
        None, _("Correct: %s"), _("Void: %s"),
        str,
    ),
)  # fmt: skip


def addresses(kind: Kind) -> Iterator[URLPattern]:
    """Where a kind of record is added, corrected and voided."""
    told, stored = {"kind": kind}, f"{kind.plural}/<int:pk>"
    if kind.record:
        yield path(f"patients/<int:pk>/{kind.plural}/new/", record_new, told, f"{kind.name}_new")
    yield path(f"{stored}/edit/", record_edit, told, f"{kind.name}_edit")
    yield path(f"{stored}/void/", record_void, told, f"{kind.name}_void")


@entry_page
def record_new(request: HttpRequest, pk: int, kind: Kind) -> HttpResponse:
    """Record something of a patient; then the patient again, or the same page for one more."""
    patient, record = writable_patient(request, pk), kind.record
    form = kind.form(patient, posted(request), preset=request.GET.dict())

    def save() -> Patient | str:
        assert record
        record(patient=patient, by=signed_in(request), **form.facts())
        return request.path if "another" in request.GET else patient

    context = {"trial": patient.trial, "patient": patient, "title": str(kind.adding)}
    return entered(request, form, save, context)


@entry_page
def record_edit(request: HttpRequest, pk: int, kind: Kind) -> HttpResponse:
    """Correct what is recorded, with a reason."""
    row = _visible(request, kind, pk)
    patient: Patient = row.patient
    require(request, patient, access.Action.WRITE_RECORDS)
    form = kind.form(patient, posted(request), row)

    def save() -> Patient:
        correction = {kind.name: row, "changes": form.facts(), "by": signed_in(request)}
        kind.correct(**correction, **form.why())
        return patient

    title = str(kind.correcting) % kind.said(row)
    context = {"trial": patient.trial, "patient": patient, "title": title}
    return entered(request, form, save, context)


@entry_page
def record_void(request: HttpRequest, pk: int, kind: Kind) -> HttpResponse:
    """Take a record out of lists and analyses, with a reason; a transfer is undone by that."""
    row = _visible(request, kind, pk)
    patient: Patient = row.patient
    require(request, patient, access.Action.VOID)
    form = VoidForm(posted(request), row.version)

    def save() -> Patient | Trial:
        kind.void(**{kind.name: row}, by=signed_in(request), **form.why())
        return remaining(request, patient)

    title = str(kind.voiding) % kind.said(row)
    context = {"trial": patient.trial, "patient": patient, "title": title}
    return entered(request, form, save, context)


def _visible(request: HttpRequest, kind: Kind, pk: int) -> Any:
    """A record of a visible patient; 404 for any other."""
    rows: models.QuerySet[Any] = kind.model.objects.active().visible_to(signed_in(request))
    return get_object_or_404(rows.select_related("patient__trial", "patient__site"), pk=pk)
