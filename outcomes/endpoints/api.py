"""Endpoint definitions over HTTP: their versions, and the preview of a change.

A change itself is one of the trial's `endpoints`, by PUT or PATCH of the trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes.endpoints.documents import (
    EndpointHistoryDocument,
    EndpointPreviewDocument,
    history_document,
    preview_document,
)
from outcomes.endpoints.preview import Proposal, preview
from outcomes.options import CUTOFF, KNOWN_ON, as_of
from patients.serializers import UNKNOWN
from registry.errors import FieldError, Refused
from registry.fields import Text, WholeNumber
from registry.idempotency import idempotent
from registry.rest import Pagination, StrictSerializer, caller, document
from trials import access, endpoint_history
from trials.definitions import EndpointDefinition, EndpointKind
from trials.models import Endpoint, Trial
from trials.serializers import DefinitionField, TermField, fits

COMPUTED = [(kind.value, kind.value) for kind in EndpointKind if kind is not EndpointKind.OTHER]


class EndpointPreviewSerializer(StrictSerializer):
    """A definition for a kind; `endpoint` is the stored one that it would replace."""

    kind = TermField(COMPUTED)
    name = Text(required=False, allow_blank=True, max_length=100)
    definition = DefinitionField(default=EndpointDefinition().as_document)
    endpoint = WholeNumber(required=False, allow_null=True, min_value=1, max_value=2**63 - 1)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As an endpoint is stored."""
        return fits(attrs)


def _trial(request: Request, registry_id: str) -> Trial:
    return get_object_or_404(Trial.objects.visible_to(caller(request)).named(registry_id))


def previewed_trial(request: Request, told: Any) -> QuerySet[Trial]:
    """The trial that a preview tells of, while the caller may see it."""
    return Trial.objects.visible_to(caller(request)).filter(registry_id=told["trial"])


class EndpointList(views.APIView):
    """The endpoints of a trial."""

    pagination_class = Pagination
    filters = ()

    @extend_schema(responses=EndpointHistoryDocument)
    def get(self, request: Request, registry_id: str) -> Response:
        """Every definition with its versions: who changed it, when and why."""
        trial = _trial(request, registry_id)
        pagination = self.pagination_class()
        rows = pagination.paginate_queryset(trial.endpoints.all(), request, view=self) or []
        versions = endpoint_history.versions(trial)
        told = [history_document(row, versions.get(row.pk, [])) for row in rows]
        return pagination.get_paginated_response(told)


class EndpointPreview(views.APIView):
    """What another definition would change."""

    @extend_schema(
        parameters=[CUTOFF, KNOWN_ON],
        request=EndpointPreviewSerializer,
        responses=EndpointPreviewDocument,
    )
    @idempotent(previewed_trial)
    def post(self, request: Request, registry_id: str) -> Response:
        """The estimates before and after, and every patient who moves; stores nothing."""
        trial = _trial(request, registry_id)
        access.require(caller(request), access.Action.WRITE_TRIAL, trial=trial)
        cutoff, known_on = as_of(request, trial)
        serializer = EndpointPreviewSerializer(data=document(request))
        serializer.is_valid(raise_exception=True)
        proposal = _proposal(trial, serializer.validated_data)
        found = preview(trial, proposal, user=caller(request), cutoff=cutoff, known_on=known_on)
        return Response(preview_document(found, trial.registry_id))


def _proposal(trial: Trial, said: Mapping[str, Any]) -> Proposal:
    kind = EndpointKind(said["kind"])
    row = _endpoint(trial, kind, said.get("endpoint"))
    definition = EndpointDefinition.parse(said["definition"])
    return Proposal(kind, definition, row, said.get("name", row.name if row else ""))


def _endpoint(trial: Trial, kind: EndpointKind, pk: int | None) -> Endpoint | None:
    """The stored endpoint; another trial's is refused as an unknown one."""
    if pk is None:
        return None
    row = trial.endpoints.filter(pk=pk).first()
    if row is None:
        raise Refused([FieldError("/endpoint", str(UNKNOWN))])
    if row.kind != kind:
        raise Refused([FieldError("/kind", _("The endpoint is of the kind %s.") % row.kind)])
    return row
