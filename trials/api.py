"""Trials over HTTP."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from registry.idempotency import idempotent
from registry.rest import answer, caller, correction, document, required_version
from trials import access, actions, unblinding
from trials.filters import DOCUMENTED, PARAMETERS, asked
from trials.models import Trial
from trials.protocol_serializers import UnblindingSerializer
from trials.serializers import TrialSerializer


def visible_trial(request: Request, registry_id: str) -> Trial:
    """A trial that the caller works on; a foreign one is not found, as one that does not exist."""
    trials = Trial.objects.visible_to(caller(request)).named(registry_id)
    return get_object_or_404(trials.with_protocol())


def _answer(request: Request, registry_id: str, status_code: int = status.HTTP_200_OK) -> Response:
    return answer(TrialSerializer(visible_trial(request, registry_id)).data, status_code)


def answered_trial(request: Request, told: Any) -> QuerySet[Trial]:
    """The trial that an answer tells of, while the caller works on it."""
    return Trial.objects.visible_to(caller(request)).filter(pk=told["id"])


@extend_schema_view(get=extend_schema(parameters=DOCUMENTED))
class TrialList(generics.ListAPIView[Trial]):
    """Trials that the caller works on."""

    filters = PARAMETERS
    serializer_class = TrialSerializer

    def get_queryset(self) -> QuerySet[Trial]:
        """Visible trials that match the filters, with their protocols."""
        visible = Trial.objects.visible_to(caller(self.request))
        return visible.matching(**asked(self.request.query_params)).with_protocol()

    @extend_schema(request=TrialSerializer, responses={201: TrialSerializer})
    @idempotent(answered_trial)
    def post(self, request: Request) -> Response:
        """Create a trial: superusers only."""
        access.require_superuser(caller(request))
        serializer = TrialSerializer(data=document(request))
        serializer.is_valid(raise_exception=True)
        trial = actions.create_trial(by=caller(request), **serializer.validated_data)
        return _answer(request, trial.registry_id, status.HTTP_201_CREATED)


class TrialDetail(views.APIView):
    """One trial."""

    @extend_schema(responses=TrialSerializer)
    def get(self, request: Request, registry_id: str) -> Response:
        """Read a trial with its protocol."""
        return _answer(request, registry_id)

    @extend_schema(request=TrialSerializer, responses=TrialSerializer)
    def put(self, request: Request, registry_id: str) -> Response:
        """Replace the protocol: keys and list items that are left out return to their defaults."""
        return self._change(request, registry_id, partial=False)

    @extend_schema(request=TrialSerializer, responses=TrialSerializer)
    def patch(self, request: Request, registry_id: str) -> Response:
        """Change the keys that are named; a list is replaced as a whole."""
        return self._change(request, registry_id, partial=True)

    def _change(self, request: Request, registry_id: str, *, partial: bool) -> Response:
        trial, user = visible_trial(request, registry_id), caller(request)
        access.require(user, access.Action.WRITE_TRIAL, trial=trial)
        version = required_version(request)
        body, reason = correction(request)
        serializer = TrialSerializer(data=(_required_keys(trial) if partial else {}) | body)
        serializer.is_valid(raise_exception=True)
        actions.update_trial(
            trial=trial, by=user, reason=reason, version=version,
            document=serializer.validated_data, partial=partial,
        )  # fmt: skip
        return _answer(request, registry_id)


class TrialUnblind(views.APIView):
    """The end of a trial's masking."""

    @extend_schema(request=UnblindingSerializer, responses=TrialSerializer)
    @idempotent(answered_trial)
    def post(self, request: Request, registry_id: str) -> Response:
        """Show the arms to everybody who works on the trial; nothing hides them again."""
        trial, user = visible_trial(request, registry_id), caller(request)
        access.require(user, access.Action.UNBLIND, trial=trial)
        version = required_version(request)
        serializer = UnblindingSerializer(data=document(request))
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        unblinding.unblind(trial=trial, by=user, version=version, **asked)
        return _answer(request, registry_id)


def _required_keys(trial: Trial) -> dict[str, Any]:
    """What a PATCH may leave out: DRF's own `partial` would also waive the keys of list items."""
    return {"registry_id": trial.registry_id, "brief_title": trial.brief_title}
