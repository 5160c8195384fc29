"""Versions of a protocol over HTTP: read as they were, amended against the trial's version."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from registry.idempotency import idempotent
from registry.rest import answer, caller, document, required_version
from trials import access, actions
from trials.models import ProtocolVersion, Trial
from trials.protocol_serializers import (
    AmendmentSerializer,
    ProtocolVersionSerializer,
    ProtocolVersionWithCriteriaSerializer,
)


def _trial(request: Request, registry_id: str) -> Trial:
    return get_object_or_404(Trial.objects.visible_to(caller(request)).named(registry_id))


def _answered(request: Request, told: Any) -> QuerySet[ProtocolVersion]:
    """The version that an answer tells of, while the caller works on its trial."""
    trials = Trial.objects.visible_to(caller(request))
    return ProtocolVersion.objects.filter(pk=told["id"], trial__in=trials)


class ProtocolVersionList(generics.ListAPIView[ProtocolVersion]):
    """Versions of a trial's protocol, the first one first."""

    serializer_class = ProtocolVersionSerializer

    def get_queryset(self) -> QuerySet[ProtocolVersion]:
        """Those of one trial."""
        trial = _trial(self.request, self.kwargs["registry_id"])
        return trial.protocol_versions.select_related("trial").order_by("number")

    @extend_schema(
        request=AmendmentSerializer, responses={201: ProtocolVersionWithCriteriaSerializer}
    )
    @idempotent(_answered)
    def post(self, request: Request, registry_id: str) -> Response:
        """Amend the protocol; screenings keep the version that they used."""
        trial, user = _trial(request, registry_id), caller(request)
        access.require(user, access.Action.WRITE_TRIAL, trial=trial)
        version = required_version(request)
        serializer = AmendmentSerializer(data=document(request))
        serializer.is_valid(raise_exception=True)
        amended = actions.amend_protocol(
            trial=trial, by=user, version=version, **serializer.validated_data
        )
        told = ProtocolVersionWithCriteriaSerializer(amended).data
        return answer(told, status.HTTP_201_CREATED)


class ProtocolVersionDetail(views.APIView):
    """One version of a trial's protocol."""

    @extend_schema(responses=ProtocolVersionWithCriteriaSerializer)
    def get(self, request: Request, registry_id: str, number: int) -> Response:
        """Read a version with its criteria."""
        versions = _trial(request, registry_id).protocol_versions.select_related("trial")
        found = get_object_or_404(versions, number=number)
        return answer(ProtocolVersionWithCriteriaSerializer(found).data)
