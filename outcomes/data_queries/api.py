"""Queries over HTTP: the same actions as the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes.data_queries.documents import QueryDocument, query_document
from outcomes.serializers import LowercaseChoiceField
from patients import query_actions
from patients.api import OF_PATIENT, OF_TRIAL, answered_row, id_parameter, text_parameter
from patients.models import Query, QueryState, QuerySubject
from patients.serializers import visible_patient
from registry.fields import Text, WholeNumber
from registry.idempotency import idempotent
from registry.rest import (
    InvalidParameter,
    ReasonSerializer,
    StrictSerializer,
    answer,
    caller,
    document,
    required_reason,
    required_version,
)

OF_SITE = OpenApiParameter("site", str, description=gettext_lazy("A site's code."))
OF_VISIT = OpenApiParameter(
    "visit",
    {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    description=gettext_lazy("A visit's id."),
)
OF_STATE = OpenApiParameter("state", str, enum=QueryState.values)


class QuerySerializer(StrictSerializer):
    """A query as it is opened by a person."""

    patient = WholeNumber(
        min_value=1, max_value=2**63 - 1, help_text=gettext_lazy("The patient's id.")
    )
    record = LowercaseChoiceField(
        choices=QuerySubject.choices, help_text=gettext_lazy("What kind of record is meant.")
    )
    record_id = WholeNumber(
        min_value=1, max_value=2**63 - 1, help_text=gettext_lazy("The record's id.")
    )
    lesion = Text(
        max_length=10,
        required=False,
        allow_blank=True,
        help_text=gettext_lazy("The label of a lesion, of a visit only."),
    )
    field = Text(
        max_length=50,
        required=False,
        allow_blank=True,
        help_text=gettext_lazy("The key of the record that is meant, such as diameter_mm."),
    )
    text = Text(max_length=1000, help_text=gettext_lazy("The question."))


class QueryTextSerializer(StrictSerializer):
    """An answer."""

    text = Text(max_length=1000, help_text=gettext_lazy("The answer."))


@extend_schema_view(
    get=extend_schema(
        parameters=[OF_TRIAL, OF_SITE, OF_PATIENT, OF_VISIT, OF_STATE], responses=QueryDocument
    )
)
class QueryList(generics.ListAPIView[Query]):
    """Queries within the caller's scope, and a new one."""

    model = Query
    serializer_class = QuerySerializer
    filters = ("trial", "site", "patient", "visit", "state")

    def get_queryset(self) -> QuerySet[Query]:
        """Visible queries that match the filters, the oldest first."""
        rows = Query.objects.active().visible_to(caller(self.request))
        paths = {"trial": "patient__trial__registry_id", "site": "patient__site__code"}
        for name, path in paths.items():
            if (asked := text_parameter(self.request, name)) is not None:
                rows = rows.filter(**{path: asked})
        if (patient := id_parameter(self.request, "patient")) is not None:
            rows = rows.filter(patient=patient)
        if (visit := id_parameter(self.request, "visit")) is not None:
            rows = rows.of_record(QuerySubject.VISIT, visit)
        if (state := _state(self.request)) is not None:
            rows = rows.filter(state=state)
        return rows.with_thread().order_by("pk")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page."""
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([query_document(query) for query in page])

    @extend_schema(request=QuerySerializer, responses={201: QueryDocument})
    @idempotent(answered_row)
    def post(self, request: Request) -> Response:
        """Open a query: who may void or import may ask."""
        serializer = QuerySerializer(data=document(request))
        serializer.is_valid(raise_exception=True)
        said = dict(serializer.validated_data)
        patient = visible_patient(caller(request), said.pop("patient"))
        query = query_actions.open_query(
            patient=patient, by=caller(request), subject=said.pop("record"), **said
        )
        return _answered(query, status.HTTP_201_CREATED)


def _state(request: Request) -> str | None:
    asked: str | None = request.query_params.get("state")
    if asked is not None and asked not in QueryState.values:
        raise InvalidParameter("state", _("One of: %s.") % ", ".join(QueryState.values))
    return asked


def _answered(query: Query, status_code: int = status.HTTP_200_OK) -> Response:
    row = Query.objects.with_thread().get(pk=query.pk)
    return answer(query_document(row), status_code)


class QueryDetail(views.APIView):
    """One query with its thread."""

    model = Query

    def row(self, pk: int) -> Query:
        """The query; a foreign one does not exist."""
        rows = Query.objects.active().visible_to(caller(self.request)).with_thread()
        return get_object_or_404(rows, pk=pk)

    @extend_schema(responses=QueryDocument)
    def get(self, request: Request, pk: int) -> Response:
        """Read a query."""
        return answer(query_document(self.row(pk)))


class QueryAnswer(QueryDetail):
    """Answer a query."""

    http_method_names = ["post", "options"]

    @extend_schema(request=QueryTextSerializer, responses=QueryDocument)
    @idempotent(answered_row)
    def post(self, request: Request, pk: int) -> Response:
        """Answer; needs If-Match."""
        query, version = self.row(pk), required_version(request)
        serializer = QueryTextSerializer(data=document(request))
        serializer.is_valid(raise_exception=True)
        text: str = serializer.validated_data["text"]
        said = query_actions.answer_query(
            query=query, by=caller(request), text=text, version=version
        )
        return _answered(said)


class QueryClose(QueryDetail):
    """Close a query."""

    http_method_names = ["post", "options"]
    act: ClassVar[Callable[..., Query]] = staticmethod(query_actions.close_query)

    @extend_schema(request=ReasonSerializer, responses=QueryDocument)
    @idempotent(answered_row)
    def post(self, request: Request, pk: int) -> Response:
        """Needs If-Match and a reason, which becomes a message of the thread."""
        query, version = self.row(pk), required_version(request)
        reason = required_reason(request.data, only=True)
        changed = self.act(query=query, by=caller(request), reason=reason, version=version)
        return _answered(changed)


class QueryReopen(QueryClose):
    """Open a query again, after an answer that does not do or a closing that came too soon."""

    act = staticmethod(query_actions.reopen_query)
