"""The catalogue of publications and its claims audit over HTTP."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes import catalogue
from outcomes.catalogue.documents import (
    AuditDocument,
    FindingDocument,
    audit_document,
    finding_document,
)
from outcomes.methods.findings import Severity
from patients.api import OF_TRIAL, id_parameter, text_parameter
from registry.idempotency import idempotent
from registry.rest import (
    InvalidParameter,
    Pagination,
    answer,
    caller,
    correction,
    document,
    required_version,
)
from trials import actions
from trials.models import Publication, Trial
from trials.publication_serializers import PublicationSerializer

FLAG = {"type": "string", "enum": ["true", "false"]}
FILTERS = [
    OpenApiParameter(
        "sarcoma", FLAG, description=gettext_lazy("Whether the patients have sarcoma.")
    ),
    OpenApiParameter("anlotinib", FLAG, description=gettext_lazy("Whether they get anlotinib.")),
    OpenApiParameter(
        "contradictions",
        FLAG,
        description=gettext_lazy("Whether something printed cannot be right."),
    ),
    OF_TRIAL,
    OpenApiParameter("year", {"type": "integer", "minimum": 1900, "maximum": 2100}),
]
OF_SEVERITY = OpenApiParameter("severity", str, enum=[severity.value for severity in Severity])


def flag_parameter(request: Request, name: str) -> bool | None:
    """A yes-or-no filter; 400 where it is neither."""
    asked = request.query_params.get(name)
    if asked not in (None, "true", "false"):
        raise InvalidParameter(name, _("Either true or false."))
    return None if asked is None else asked == "true"


def _answer(request: Request, key: str, status_code: int = status.HTTP_200_OK) -> Response:
    row = get_object_or_404(Publication.objects.named(key).as_seen_by(caller(request)))
    return answer(PublicationSerializer(row).data, status_code)


def answered_publication(request: Request, told: Any) -> QuerySet[Publication]:
    """The publication that an answer tells of, while the caller may write it: it names a trial."""
    rows = Publication.objects.filter(pk=told["id"])
    return rows if caller(request).is_superuser else rows.none()


@extend_schema_view(get=extend_schema(parameters=FILTERS))
class PublicationList(generics.ListAPIView[Publication]):
    """The catalogue of publications."""

    serializer_class = PublicationSerializer
    filters = ("sarcoma", "anlotinib", "contradictions", "trial", "year")

    def get_queryset(self) -> QuerySet[Publication]:
        """Publications, those that were asked for."""
        request = self.request
        rows = Publication.objects.as_seen_by(caller(request)).order_by("key")
        for name in ("sarcoma", "anlotinib"):
            if (wanted := flag_parameter(request, name)) is not None:
                rows = rows.filter(**{name: wanted})
        if (trial := text_parameter(request, "trial")) is not None:
            mine = Trial.objects.visible_to(caller(request)).named(trial)
            rows = rows.filter(trial__in=mine)
        if (year := id_parameter(request, "year")) is not None:
            rows = rows.filter(year=year)
        if (wanted := flag_parameter(request, "contradictions")) is not None:
            found = catalogue.contradicted(caller(request))
            rows = rows.filter(pk__in=found) if wanted else rows.exclude(pk__in=found)
        return rows

    @extend_schema(request=PublicationSerializer, responses={201: PublicationSerializer})
    @idempotent(answered_publication)
    def post(self, request: Request) -> Response:
        """Add a publication, as printed: superusers only."""
        actions.require_cataloguer(caller(request))
        serializer = PublicationSerializer(data=document(request))
        serializer.is_valid(raise_exception=True)
        stored = actions.create_publication(by=caller(request), **serializer.validated_data)
        return _answer(request, stored.key, status.HTTP_201_CREATED)


class PublicationDetail(views.APIView):
    """One publication."""

    @extend_schema(responses=PublicationSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Read what a publication prints."""
        return _answer(request, key)

    @extend_schema(request=PublicationSerializer, responses=PublicationSerializer)
    def put(self, request: Request, key: str) -> Response:
        """Replace what is held of a publication: superusers only."""
        stored = get_object_or_404(Publication.objects.named(key))
        actions.require_cataloguer(caller(request))
        version = required_version(request)
        body, reason = correction(request)
        serializer = PublicationSerializer(data=body)
        serializer.is_valid(raise_exception=True)
        actions.update_publication(
            publication=stored, by=caller(request), reason=reason, version=version,
            document=serializer.validated_data,
        )  # fmt: skip
        return _answer(request, stored.key)


class PublicationAudit(views.APIView):
    """What recomputing one publication shows."""

    @extend_schema(responses=AuditDocument)
    def get(self, request: Request, key: str) -> Response:
        """Every finding with its code, its parameters and a sentence."""
        found = catalogue.entry(caller(request), key)
        if found is None:
            raise Http404
        return Response(audit_document(found))


class ClaimsAudit(views.APIView):
    """What recomputing the whole catalogue shows."""

    pagination_class = Pagination
    filters = ("severity",)

    @extend_schema(parameters=[OF_SEVERITY], responses=FindingDocument)
    def get(self, request: Request) -> Response:
        """A page of findings, by publication, in the order of its claims."""
        wanted = _severity(request)
        rows = [
            (key, finding)
            for key, finding in catalogue.findings(caller(request))
            if wanted in (None, finding.severity)
        ]
        pagination = self.pagination_class()
        page = pagination.paginate_queryset(rows, request, view=self) or []
        told = [finding_document(key, finding) for key, finding in page]
        return pagination.get_paginated_response(told)


def _severity(request: Request) -> Severity | None:
    asked = request.query_params.get("severity")
    if asked is None:
        return None
    if asked not in list(Severity):
        raise InvalidParameter("severity", _("One of: %s.") % ", ".join(Severity))
    return Severity(asked)
