"""Adverse events and treatment exposure over REST."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes import safety
from outcomes.options import CUTOFF, KNOWN_ON, as_of
from outcomes.safety import SafetyReport
from outcomes.safety.documents import SafetyDocument, exposure_document, safety_document
from patients import treatment
from patients.conduct_documents import ExposureDocument, PatientExposureDocument
from patients.conduct_serializers import patient_exposures
from registry.rest import Pagination, caller
from trials.models import Trial


def _report(request: Request, registry_id: str, *further: str) -> SafetyReport:
    user = caller(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    cutoff, known_on = as_of(request, trial, *further)
    return safety.build(trial, user=user, cutoff=cutoff, known_on=known_on)


class SafetyView(views.APIView):
    """A trial's adverse events."""

    @extend_schema(parameters=[CUTOFF, KNOWN_ON], responses=SafetyDocument)
    def get(self, request: Request, registry_id: str) -> Response:
        """Patients by worst grade, serious and by action taken: in total, by class, term and arm."""
        return Response(safety_document(_report(request, registry_id)))


class ExposureView(views.APIView):
    """A trial's treatment exposure."""

    @extend_schema(parameters=[CUTOFF, KNOWN_ON], responses=ExposureDocument)
    def get(self, request: Request, registry_id: str) -> Response:
        """Medians and quartiles by arm, where arms may be seen, and intervention."""
        report = _report(request, registry_id)
        return Response(exposure_document(report, treatment.summaries(safety.exposure(report))))


class PatientExposureView(views.APIView):
    """Each patient's treatment exposure."""

    pagination_class = Pagination
    filters = ("cutoff", "known_on")

    @extend_schema(parameters=[CUTOFF, KNOWN_ON], responses=PatientExposureDocument)
    def get(self, request: Request, registry_id: str) -> Response:
        """One page of patients who were given something."""
        report, pagination = _report(request, registry_id, "page", "page_size"), Pagination()
        found = patient_exposures(report.trial, safety.exposure(report))
        page = pagination.paginate_queryset(found, request, view=self)
        return pagination.get_paginated_response(page)
