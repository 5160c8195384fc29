"""Doses, dispositions, transfers, exposure and randomization: the same actions as the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status, views
from rest_framework.request import Request
from rest_framework.response import Response

from patients import allocation, conduct
from patients.api import (
    OF_PATIENT,
    OF_TRIAL,
    PatientDetail,
    RecordDetail,
    RecordList,
    RowVoid,
    answered_row,
)
from patients.conduct_documents import (
    DispositionDocument,
    DoseDocument,
    RandomizationDocument,
)
from patients.conduct_serializers import (
    DispositionSerializer,
    DoseSerializer,
    RandomizationSerializer,
    RandomizeSerializer,
    TransferSerializer,
    randomization_document,
)
from patients.documents import PatientDocument
from patients.models import Disposition, Dose
from registry.idempotency import idempotent
from registry.rest import (
    ReasonSerializer,
    answer,
    caller,
    correction,
    document,
    required_reason,
    required_version,
)
from registry.schema import IF_MATCH
from trials import access
from trials.models import RandomizationScheme, Trial


@extend_schema_view(
    get=extend_schema(parameters=[OF_TRIAL, OF_PATIENT], responses=DispositionDocument),
    post=extend_schema(request=DispositionSerializer, responses={201: DispositionDocument}),
)
class DispositionList(RecordList):
    """Dispositions: discontinued, withdrawn, lost, completed, transferred."""

    model, serializer_class = Disposition, DispositionSerializer
    record = staticmethod(conduct.record_disposition)

    def get_queryset(self) -> QuerySet[Any]:
        """With the sites of transfers."""
        return super().get_queryset().select_related("from_site", "to_site")


@extend_schema_view(
    get=extend_schema(responses=DispositionDocument),
    put=extend_schema(request=DispositionSerializer, responses=DispositionDocument),
)
class DispositionDetail(RecordDetail):
    """One disposition."""

    model, serializer_class = Disposition, DispositionSerializer
    parents = (*RecordDetail.parents, "from_site", "to_site")

    keyword = "disposition"
    correct = staticmethod(conduct.correct_disposition)


@extend_schema_view(post=extend_schema(request=ReasonSerializer, responses=DispositionDocument))
class DispositionVoid(RowVoid, DispositionDetail):
    """Reinstate the patient: take a disposition out; a transfer leads back to the old site."""

    void = staticmethod(conduct.void_disposition)


@extend_schema_view(
    get=extend_schema(parameters=[OF_TRIAL, OF_PATIENT], responses=DoseDocument),
    post=extend_schema(request=DoseSerializer, responses={201: DoseDocument}),
)
class DoseList(RecordList):
    """What was given from a day to a day. New dose dates raise the patient's version."""

    model, serializer_class = Dose, DoseSerializer
    record = staticmethod(conduct.record_dose)

    def get_queryset(self) -> QuerySet[Any]:
        """With the trials' arms, which say whether the drug may be named."""
        rows = super().get_queryset().select_related("patient__trial")
        return rows.prefetch_related("patient__trial__arms__interventions")


@extend_schema_view(
    get=extend_schema(responses=DoseDocument),
    put=extend_schema(request=DoseSerializer, responses=DoseDocument),
)
class DoseDetail(RecordDetail):
    """One dose."""

    model, serializer_class = Dose, DoseSerializer

    keyword = "dose"
    correct = staticmethod(conduct.correct_dose)


@extend_schema_view(post=extend_schema(request=ReasonSerializer, responses=DoseDocument))
class DoseVoid(RowVoid, DoseDetail):
    """Take a dose out of lists and analyses."""

    void = staticmethod(conduct.void_dose)


class PatientTransfer(PatientDetail):
    """Hand a patient over to another site."""

    http_method_names = ["post", "options"]

    @extend_schema(request=TransferSerializer, responses=PatientDocument)
    @idempotent(answered_row)
    def post(self, request: Request, pk: int) -> Response:
        """Transfer; needs If-Match. Afterwards the patient is the new site's alone."""
        patient, version = self.row(pk), required_version(request)
        required_reason(document(request))
        serializer = TransferSerializer(data=document(request), context={"trial": patient.trial})
        serializer.is_valid(raise_exception=True)
        said = serializer.validated_data
        moved = conduct.transfer_patient(
            patient=patient, to_site=said["site"], on=said["on"], reason=said["reason"],
            by=caller(request), version=version,
        )  # fmt: skip
        return self.answered(moved)


class PatientRandomize(PatientDetail):
    """Allot the patient's arm."""

    http_method_names = ["post", "options"]

    @extend_schema(request=RandomizeSerializer, responses=PatientDocument)
    @idempotent(answered_row)
    def post(self, request: Request, pk: int) -> Response:
        """Randomize, today at the site; needs If-Match, and no reason: nothing is corrected."""
        patient, version = self.row(pk), required_version(request)
        RandomizeSerializer(data=document(request)).is_valid(raise_exception=True)
        return self.answered(
            allocation.randomize_patient(patient=patient, by=caller(request), version=version)
        )


def visible_trial(request: Request, registry_id: str) -> Trial:
    """A trial that the caller works on."""
    return get_object_or_404(Trial.objects.visible_to(caller(request)).named(registry_id))


OPTIONAL_IF_MATCH = OpenApiParameter(
    IF_MATCH.name,
    str,
    IF_MATCH.location,
    pattern=IF_MATCH.pattern,
    description=IF_MATCH.description,
)


class RandomizationView(views.APIView):
    """How a trial allots arms: its administrator's alone, so that nobody can guess the next arm."""

    guarded = True

    def _trial(self, request: Request, registry_id: str) -> Trial:
        trial = visible_trial(request, registry_id)
        access.require(caller(request), access.Action.WRITE_TRIAL, trial=trial)
        return trial

    @extend_schema(responses=RandomizationDocument)
    def get(self, request: Request, registry_id: str) -> Response:
        """Read the scheme."""
        trial = self._trial(request, registry_id)
        schemes = RandomizationScheme.objects.select_related("trial")
        return answer(randomization_document(get_object_or_404(schemes, trial=trial)))

    @extend_schema(
        parameters=[OPTIONAL_IF_MATCH],
        request=RandomizationSerializer,
        responses={200: RandomizationDocument, 201: RandomizationDocument},
    )
    def put(self, request: Request, registry_id: str) -> Response:
        """Create the scheme, or replace it: that needs If-Match."""
        trial = self._trial(request, registry_id)
        stored = RandomizationScheme.objects.filter(trial=trial).exists()
        asked = stored or "If-Match" in request.headers
        version = required_version(request) if asked else None
        body, reason = correction(request)
        serializer = RandomizationSerializer(data=body)
        serializer.is_valid(raise_exception=True)
        scheme = allocation.put_scheme(
            trial=trial, by=caller(request), reason=reason, version=version,
            **serializer.validated_data,
        )  # fmt: skip
        created = status.HTTP_200_OK if stored else status.HTTP_201_CREATED
        return answer(randomization_document(scheme), created)
