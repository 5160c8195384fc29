"""The history of one cell of the flow sheet, and of one visit."""

from __future__ import annotations

import re

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from outcomes import lesion_history as trail
from outcomes.models import REVIEWER, Lesion, Visit
from outcomes.schedule import week_label
from registry.pages import signed_in

LABEL = re.compile(r"(T|NT|NL)\d{2}", re.ASCII)


def _visit(request: HttpRequest, pk: int) -> Visit:
    """A visit that was voided since has a history as well: pages of the past lead there."""
    rows = Visit.objects.filter(patient__voided_at=None).readable_by(signed_in(request))
    return get_object_or_404(rows.select_related("patient__trial", "patient__site"), pk=pk)


@login_required
def lesion_history(request: HttpRequest, pk: int, label: str) -> HttpResponse:
    """When a lesion's values at a visit were entered and changed, by whom and why."""
    visit = _visit(request, pk)
    if not LABEL.fullmatch(label):
        raise Http404
    lesions = Lesion.objects.filter(
        patient=visit.patient_id, evaluator=visit.evaluator, label=label
    ).order_by("pk")
    writes = trail.of_cell(visit, lesions)
    if not writes:
        raise Http404
    return _page(request, visit, writes, lesion=lesions[len(lesions) - 1])


@login_required
def visit_history(request: HttpRequest, pk: int) -> HttpResponse:
    """When a visit's date and stated response were entered and changed, and its response with them."""
    visit = _visit(request, pk)
    return _page(request, visit, trail.of_visit(visit))


def _page(
    request: HttpRequest,
    visit: Visit,
    writes: tuple[trail.Write, ...],
    lesion: Lesion | None = None,
) -> HttpResponse:
    context = {
        "trial": visit.patient.trial,
        "patient": visit.patient,
        "visit": visit,
        "reviewed": visit.evaluator == REVIEWER,
        "visit_label": week_label(visit),
        "lesion": lesion,
        "writes": writes,
    }
    return render(request, "outcomes/lesion_history.html", context)
