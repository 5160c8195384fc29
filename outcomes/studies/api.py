"""Studies side by side over HTTP."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import renderers, views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes import studies
from outcomes.api import CSV, CSVRenderer
from outcomes.studies.documents import COLUMNS, StudyDocument, study_document, table_rows
from outcomes.studies.options import DOCUMENTED, PARAMETERS, choices_of
from registry.rest import Pagination, caller


class StudyList(views.APIView):
    """One row per trial that the caller works on, beside the published catalogue."""

    renderer_classes = [renderers.JSONRenderer, CSVRenderer]
    pagination_class = Pagination
    filters = PARAMETERS

    @extend_schema(
        parameters=DOCUMENTED,
        responses={(200, "application/json"): StudyDocument, (200, "text/csv"): CSV},
    )
    def get(self, request: Request) -> Response:
        """ORR, DCR, PFS and OS of each trial by its own definitions; publications as printed."""
        rows = studies.rows(caller(request), choices_of(request))
        told = [study_document(row) for row in rows]
        if request.accepted_renderer.format == "csv":
            headers = {"Content-Disposition": 'attachment; filename="studies.csv"'}
            return Response((COLUMNS, table_rows(told)), headers=headers)
        pagination = self.pagination_class()
        page = pagination.paginate_queryset(told, request, view=self)
        return pagination.get_paginated_response(page)
