"""A trial's report over REST."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes.options import OUTCOME_PARAMETERS, options_of
from outcomes.study_report import content
from outcomes.study_report.documents import StudyReportDocument, study_report_document
from registry.rest import caller
from trials.models import Trial


class StudyReportView(views.APIView):
    """A trial's report."""

    @extend_schema(parameters=OUTCOME_PARAMETERS, responses=StudyReportDocument)
    def get(self, request: Request, registry_id: str) -> Response:
        """Outcomes and statistics, groups, safety, the methods in words, every ending, the flow."""
        user = caller(request)
        trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
        options = content.with_defaults(options_of(request, trial), request.query_params, trial)
        found = content.build(trial, user=user, options=options)
        name = f"{trial.registry_id}-report-{found.report.options.cutoff.isoformat()}.json"
        return Response(
            study_report_document(found),
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )
