"""A trial as a ClinicalTrials.gov study over HTTP, with a draft of its results where asked for."""

from __future__ import annotations

from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes.ctgov.results import results_section
from outcomes.options import OUTCOME_PARAMETERS, chosen
from registry import database
from registry.documents import ProblemDocument
from registry.rest import PROBLEM, caller, flag_parameter, refuse_unknown
from trials.api import visible_trial
from trials.study_files import study_of

CHOICES = (
    "cutoff", "population", "survival_interval", "proportion_interval", "stratify_by", "ties",
)  # fmt: skip
RESULTS = OpenApiParameter(
    "results",
    bool,
    description=gettext_lazy(
        "true: with a draft of resultsSection from the registry's data, for roles of the whole"
        " trial; the other parameters are of this draft."
    ),
)
FORBIDDEN = OpenApiResponse(
    ProblemDocument, description=gettext_lazy("Results are drafted for roles of the whole trial.")
)


class StudyExport(views.APIView):
    """A trial as a ClinicalTrials.gov v2 study: importing it stores the same trial again."""

    @extend_schema(
        parameters=[RESULTS, *(p for p in OUTCOME_PARAMETERS if p.name in CHOICES)],
        responses={200: OpenApiTypes.OBJECT, (403, PROBLEM): FORBIDDEN},
    )
    def get(self, request: Request, registry_id: str) -> Response:
        """Whatever ClinicalTrials.gov has no place for is in the member sarcomaTrialRegistry."""
        with database.snapshot():
            trial = visible_trial(request, registry_id)
            refuse_unknown(request.query_params, ("results", *CHOICES))
            study, options = study_of(trial), chosen(request.query_params, trial)
            if flag_parameter(request, "results"):
                draft = results_section(trial, user=caller(request), options=options)
                study |= {"hasResults": True, "resultsSection": draft}
        name = f"{trial.registry_id}-ctgov.json"
        return Response(study, headers={"Content-Disposition": f'attachment; filename="{name}"'})
