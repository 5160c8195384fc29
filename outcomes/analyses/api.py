"""Frozen analyses over REST."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes import analyses
from outcomes.analyses import changes as analysis_changes
from outcomes.analyses.documents import (
    AnalysisChangesDocument,
    AnalysisDetailDocument,
    FrozenAnalysisDocument,
    ReproductionDocument,
    analysis_detail,
    analysis_document,
    changes_document,
    reproduction_document,
)
from outcomes.models import Analysis
from outcomes.options import PARAMETERS, chosen
from outcomes.report import Options
from registry.errors import FieldError, Refused
from registry.idempotency import idempotent
from registry.rest import (
    InvalidParameter,
    Pagination,
    StrictSerializer,
    answer,
    caller,
    document,
)
from trials.models import Trial


class ChosenSerializer(StrictSerializer):
    """Options of a report: the keys and values of the outcomes' query."""

    ignored = frozenset()

    def get_fields(self) -> dict[str, Any]:
        """One text per key of the query."""
        return {name: serializers.CharField(required=False, max_length=200) for name in PARAMETERS}


class AnalysisSerializer(StrictSerializer):
    """What is to be frozen, and under which name."""

    name = serializers.CharField(max_length=100)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    options = ChosenSerializer(required=False)


class NothingSerializer(StrictSerializer):
    """Everything is said by the address."""

    ignored = frozenset()


def options_in(values: dict[str, str], trial: Trial) -> Options:
    """The options of a body; Refused names the key that cannot be used."""
    try:
        return chosen(values, trial)
    except InvalidParameter as invalid:
        pointer = f"/options/{invalid.parameter}"
        raise Refused([FieldError(pointer, str(invalid.detail))]) from invalid


def answered_analysis(request: Request, told: Any) -> QuerySet[Analysis]:
    """The analysis that an answer tells of, while the caller may see it."""
    rows = Analysis.objects.visible_to(caller(request))
    return rows.filter(pk=told.get("analysis", told.get("id")))


@extend_schema_view(get=extend_schema(responses=FrozenAnalysisDocument))
class AnalysisList(generics.ListAPIView[Analysis]):
    """A trial's frozen analyses, the last first."""

    pagination_class = Pagination

    def _trial(self) -> Trial:
        rows = Trial.objects.visible_to(caller(self.request))
        return get_object_or_404(rows.named(self.kwargs["registry_id"]))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page; nothing for whoever does not work on every site."""
        rows = Analysis.objects.filter(trial=self._trial()).visible_to(caller(request)).listed()
        page = self.paginate_queryset(rows.order_by("-pk")) or []
        return self.get_paginated_response([analysis_document(row) for row in page])

    @extend_schema(request=AnalysisSerializer, responses={201: AnalysisDetailDocument})
    @idempotent(answered_analysis)
    def post(self, request: Request, registry_id: str) -> Response:
        """Freeze an analysis: administrators and statisticians of the whole trial."""
        trial = self._trial()
        serializer = AnalysisSerializer(data=document(request))
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        frozen = analyses.freeze(
            trial=trial,
            by=caller(request),
            name=values["name"],
            note=values.get("note", ""),
            options=options_in(values.get("options", {}), trial),
        )
        return answer(analysis_detail(frozen), status.HTTP_201_CREATED)


class OneAnalysis(views.APIView):
    """What the views of one frozen analysis share."""

    def row(self, pk: int) -> Analysis:
        """The analysis, while the caller may see it."""
        rows = Analysis.objects.visible_to(caller(self.request)).select_related("trial", "by")
        return get_object_or_404(rows, pk=pk)


class AnalysisDetail(OneAnalysis):
    """One frozen analysis."""

    @extend_schema(responses=AnalysisDetailDocument)
    def get(self, request: Request, pk: int) -> Response:
        """What was frozen, with its figures."""
        return answer(analysis_detail(self.row(pk)))


class AnalysisInputs(OneAnalysis):
    """What a frozen analysis was computed of."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The stored inputs: the very bytes whose SHA-256 is `inputs_sha256`."""
        row = self.row(pk)
        return _file(row, row.inputs, "inputs")


class AnalysisResult(OneAnalysis):
    """What was computed when an analysis was frozen."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The stored result: the very bytes whose SHA-256 is `result_sha256`."""
        row = self.row(pk)
        return _file(row, row.result, "result")


def _file(row: Analysis, content: str, name: str) -> HttpResponse:
    file = f"{row.trial.registry_id}-analysis-{row.pk}-{name}.json"
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return HttpResponse(content.encode(), content_type="application/json", headers=headers)


class AnalysisReproduce(OneAnalysis):
    """Whether a frozen analysis comes out again."""

    http_method_names = ["post", "options"]

    @extend_schema(request=NothingSerializer, responses=ReproductionDocument)
    @idempotent(answered_analysis)
    def post(self, request: Request, pk: int) -> Response:
        """Compute it again from the stored inputs, compare bit for bit; stores nothing."""
        row = self.row(pk)
        NothingSerializer(data=document(request)).is_valid(raise_exception=True)
        return Response(reproduction_document(row, analyses.reproduce(row)))


class AnalysisChangesView(OneAnalysis):
    """What moved since an analysis was frozen."""

    @extend_schema(responses=AnalysisChangesDocument)
    def get(self, request: Request, pk: int) -> Response:
        """Patients, visits, parameters and definitions that are others today."""
        row = self.row(pk)
        found = analysis_changes.changes(row, by=caller(request))
        return Response(changes_document(row, found))
