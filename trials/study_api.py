"""ClinicalTrials.gov studies into trials, over HTTP."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from registry.idempotency import idempotent
from registry.models import User
from registry.rest import caller, document, flag_parameter, refuse_unknown
from trials.api import visible_trial
from trials.ctgov_reading import Message
from trials.models import Trial
from trials.serializers import TrialSerializer
from trials.study_files import import_study
from trials.study_wording import worded

DRY_RUN = OpenApiParameter(
    "dry_run",
    bool,
    description=gettext_lazy(
        "Read and check as if it were stored, answer what would be, store nothing."
    ),
)


class MessageSerializer(serializers.Serializer[Any]):
    """Something that was guessed, changed or left out."""

    pointer = serializers.CharField(help_text=gettext_lazy("A JSON Pointer into the study."))
    code = serializers.CharField()
    detail = serializers.CharField(help_text=gettext_lazy("The same in the reader's language."))


class StudyImportedSerializer(serializers.Serializer[Any]):
    """A study that was stored."""

    trial = TrialSerializer()
    messages = MessageSerializer(many=True)


class StudyReadSerializer(serializers.Serializer[Any]):
    """A study that would be stored."""

    body = serializers.DictField(help_text=gettext_lazy("What POST /trials/ would take."))
    messages = MessageSerializer(many=True)


def message_document(message: Message) -> dict[str, str]:
    """A message with its words."""
    return {"pointer": message.pointer, "code": message.code, "detail": worded(message)}


def imported_study(request: Request, told: Any) -> QuerySet[Any]:
    """The trial that an answer tells of; of a dry run the caller, while they may import."""
    if "trial" in told:
        return Trial.objects.visible_to(caller(request)).filter(pk=told["trial"]["id"])
    return User.objects.filter(pk=caller(request).pk, is_superuser=True)


class StudyImport(views.APIView):
    """A ClinicalTrials.gov v2 study, as GET /api/v2/studies/{nctId} there answers it."""

    @extend_schema(
        request=OpenApiTypes.OBJECT,
        parameters=[DRY_RUN],
        responses={200: StudyReadSerializer, 201: StudyImportedSerializer},
    )
    @idempotent(imported_study)
    def post(self, request: Request) -> Response:
        """Create the trial that a study describes: superusers only. Errors point into the study."""
        refuse_unknown(request.query_params, ["dry_run"])
        dry_run = flag_parameter(request, "dry_run")
        found = import_study(document(request), by=caller(request), dry_run=dry_run)
        messages = [message_document(message) for message in found.messages]
        if dry_run:
            return Response({"body": found.body, "messages": messages})
        trial = TrialSerializer(visible_trial(request, found.trial.registry_id)).data
        return Response({"trial": trial, "messages": messages}, status.HTTP_201_CREATED)
