"""A trial's outcomes by group over REST."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes import groups
from outcomes.api import CSV, OutcomesView, download
from outcomes.groups import FOREST_PARAMETERS
from outcomes.groups import documents as forest_documents
from outcomes.groups.documents import ForestDocument, forest_document, forest_rows
from outcomes.report import Options, subgroups
from outcomes.report.subgroups import Choice, Forest
from registry.models import User
from trials.models import Trial


class ForestView(OutcomesView):
    """An endpoint in every group of patients."""

    choice = Choice()

    def asked(self, request: Request, trial: Trial) -> Options:
        """The report's options; beside them the endpoint and the measure are kept."""
        options, self.choice = groups.asked(request, trial)
        return options

    def form(self, request: Request) -> tuple[str, ...]:
        """With what is shown."""
        return (*super().form(request), self.choice.endpoint, self.choice.measure)

    def build(self, trial: Trial, *, user: User, options: Options) -> Forest:
        """The endpoint by group."""
        return subgroups.build(trial, user=user, options=options, choice=self.choice)

    def document(self, request: Request, found: Forest) -> Response:
        """The forest as JSON or CSV."""
        whole = forest_document(found)
        if request.accepted_renderer.format == "csv":
            return download(found, "forest", (forest_documents.COLUMNS, forest_rows(whole)))
        return Response(whole)

    @extend_schema(
        parameters=FOREST_PARAMETERS,
        responses={(200, "application/json"): ForestDocument, (200, "text/csv"): CSV},
    )
    def get(self, request: Request, registry_id: str) -> HttpResponseBase:
        """An endpoint over all patients and by group: rates, medians or hazard ratios."""
        return self.answer(request, registry_id)
