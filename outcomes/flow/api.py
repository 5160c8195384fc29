"""The participant flow and the accrual over REST."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes import flow
from outcomes.flow import accrual
from outcomes.flow.accrual_documents import AccrualDocument, accrual_document
from outcomes.flow.documents import ConsortDocument, consort_document
from outcomes.options import CUTOFF, KNOWN_ON, as_of, today
from registry.rest import caller
from trials.models import Trial


class ConsortView(views.APIView):
    """Who came, who stayed, who is analyzed."""

    @extend_schema(parameters=[CUTOFF, KNOWN_ON], responses=ConsortDocument)
    def get(self, request: Request, registry_id: str) -> Response:
        """The CONSORT 2010 flow of participants, from screening to analysis, per arm."""
        trial = get_object_or_404(Trial.objects.visible_to(caller(request)).named(registry_id))
        cutoff, known_on = as_of(request, trial)
        found = flow.build(trial, user=caller(request), cutoff=cutoff, known_on=known_on)
        return Response(consort_document(found))


class AccrualView(views.APIView):
    """How enrollment goes."""

    @extend_schema(parameters=[CUTOFF, KNOWN_ON], responses=AccrualDocument)
    def get(self, request: Request, registry_id: str) -> Response:
        """Enrolled against planned, by month and by site, with the screen-failure rate."""
        trial = get_object_or_404(Trial.objects.visible_to(caller(request)).named(registry_id))
        cutoff, known_on = as_of(request, trial)
        found = accrual.build(
            trial,
            user=caller(request),
            cutoff=cutoff,
            today=today(trial, known_on),
            known_on=known_on,
        )
        return Response(accrual_document(found))
