"""The independent review over REST: whose scans are to be read, and where the readings differ."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import renderers, views
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import TypedDict

from outcomes.api import CSVRenderer
from outcomes.options import DISCORDANCE_PARAMETERS, comparable, reads_review
from outcomes.review import discordance, to_read
from outcomes.review.discordance import Discordance
from outcomes.review.documents import (
    COLUMNS,
    DiscordanceDocument,
    PatientDiscordanceDocument,
    discordance_document,
    line_document,
    row,
)
from patients.api import OF_TRIAL, text_parameter
from registry.documents import CalendarDate, Count, Id
from registry.rest import Pagination, caller
from trials.models import Trial


class ReviewPatientDocument(TypedDict):
    """A patient whose scans the caller reads: nothing but who it is, and what was read."""

    id: Id
    trial: str
    subject_id: str
    readings: Count
    last_read_on: CalendarDate | None


class ReviewPatientList(views.APIView):
    """Patients whose scans the caller reads as an independent reviewer."""

    pagination_class = Pagination
    filters = ("trial",)

    @extend_schema(parameters=[OF_TRIAL], responses=ReviewPatientDocument)
    def get(self, request: Request) -> Response:
        """Those without a reading first."""
        rows = to_read(caller(request))
        if (trial := text_parameter(request, "trial")) is not None:
            rows = rows.filter(trial__registry_id=trial)
        pages = self.pagination_class()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([_document(one) for one in page])


def _document(patient: Any) -> ReviewPatientDocument:
    return {
        "id": patient.pk,
        "trial": patient.trial.registry_id,
        "subject_id": patient.subject_id,
        "readings": patient.readings,
        "last_read_on": patient.last_read_on.isoformat() if patient.last_read_on else None,
    }


CSV = OpenApiResponse(str, description=_("One patient per line."))


class DiscordanceView(views.APIView):
    """The independent review beside the investigator."""

    def found(self, request: Request, registry_id: str) -> Discordance:
        """Both readings; a trial whose review the caller may not see is as one that is not there."""
        user = caller(request)
        trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
        if not reads_review(request, trial):
            raise Http404
        return discordance.build(trial, user=user, options=comparable(request, trial))

    @extend_schema(parameters=DISCORDANCE_PARAMETERS, responses=DiscordanceDocument)
    def get(self, request: Request, registry_id: str) -> Response:
        """How often both agree: best response, responder or not, progression, PFS."""
        return Response(discordance_document(self.found(request, registry_id)))


class PatientDiscordanceView(DiscordanceView):
    """The two readings patient by patient."""

    renderer_classes = [renderers.JSONRenderer, CSVRenderer]
    pagination_class = Pagination
    filters = tuple(parameter.name for parameter in DISCORDANCE_PARAMETERS)

    @extend_schema(
        parameters=DISCORDANCE_PARAMETERS,
        responses={
            (200, "application/json"): PatientDiscordanceDocument,
            (200, "text/csv"): CSV,
        },
    )
    def get(self, request: Request, registry_id: str) -> Response:
        """Those with a difference first; all of them as CSV."""
        found = self.found(request, registry_id)
        if request.accepted_renderer.format == "csv":
            name = f"{found.trial.registry_id}-discordance-{found.options.cutoff.isoformat()}.csv"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return Response((COLUMNS, map(row, found.lines)), headers=headers)
        pages = self.pagination_class()
        lines = pages.paginate_queryset(found.lines, request, view=self) or []
        return pages.get_paginated_response([line_document(line) for line in lines])
