"""Patients and therapies: the same actions as the pages, over HTTP."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from patients import actions
from patients.documents import PatientDocument, TherapyDocument
from patients.models import Patient, Therapy
from patients.serializers import (
    PatientSerializer,
    TherapySerializer,
    patient_document,
    therapy_document,
)
from registry.rest import (
    InvalidParameter,
    ReasonSerializer,
    answer,
    caller,
    correction,
    document,
    required_reason,
    required_version,
)

OF_TRIAL = OpenApiParameter("trial", str, description=_l("A trial's registry id."))
OF_PATIENT = OpenApiParameter(
    "patient",
    {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    description=_l("A patient's id."),
)
FILTERS = [
    OF_TRIAL,
    OpenApiParameter("site", str, description=_l("A site's code.")),
    OpenApiParameter("subject_id", str, description=_l("The id of a patient in the trial.")),
]


def id_parameter(request: Request, name: str) -> int | None:
    """A numeric filter; 400 where it is no id."""
    asked = request.query_params.get(name)
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        raise InvalidParameter(name, _("A whole number."))
    return int(asked)


def text_parameter(request: Request, name: str) -> str | None:
    """A text filter; 400 where it cannot be text in the database."""
    asked: str | None = request.query_params.get(name)
    if asked is not None and "\0" in asked:
        raise InvalidParameter(name, _("NUL characters are not accepted."))
    return asked


@extend_schema_view(get=extend_schema(parameters=FILTERS, responses=PatientDocument))
class PatientList(generics.ListAPIView[Patient]):
    """Patients within the caller's scope; filters by trial, site and subject id."""

    serializer_class = PatientSerializer

    def get_queryset(self) -> QuerySet[Patient]:
        """Visible patients that match the filters."""
        rows = Patient.objects.active().visible_to(self.request.user)
        paths = {"trial": "trial__registry_id", "site": "site__code", "subject_id": "subject_id"}
        for name, path in paths.items():
            if (asked := text_parameter(self.request, name)) is not None:
                rows = rows.filter(**{path: asked})
        return rows.select_related("trial", "site", "allocation__arm").order_by("pk")

    @extend_schema(request=PatientSerializer, responses={201: PatientDocument})
    def post(self, request: Request) -> Response:
        """Enroll a patient."""
        serializer = PatientSerializer(data=document(request), context={"request": request})
        serializer.is_valid(raise_exception=True)
        patient = actions.enroll_patient(by=caller(request), **serializer.validated_data)
        return answer(patient_document(patient), status.HTTP_201_CREATED)


class PatientDetail(views.APIView):
    """One patient."""

    def _patient(self, pk: int) -> Patient:
        rows = Patient.objects.active().visible_to(self.request.user)
        return get_object_or_404(rows.select_related("trial", "site", "allocation__arm"), pk=pk)

    @extend_schema(responses=PatientDocument)
    def get(self, request: Request, pk: int) -> Response:
        """Read a patient."""
        return answer(patient_document(self._patient(pk)))

    @extend_schema(request=PatientSerializer, responses=PatientDocument)
    def patch(self, request: Request, pk: int) -> Response:
        """Change some facts; needs If-Match and a reason."""
        patient, version = self._patient(pk), required_version(request)
        body, reason = correction(request)
        serializer = PatientSerializer(
            patient, data=body, partial=True, context={"request": request}
        )
        serializer.is_valid(raise_exception=True)
        changed = actions.update_patient(
            patient=patient, changes=_changes(serializer.validated_data),
            by=caller(request), reason=reason, version=version,
        )  # fmt: skip
        return answer(patient_document(changed))


def _changes(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in ("trial", "subject_id")}


class PatientVoid(PatientDetail):
    """Take a patient out of lists and analyses."""

    http_method_names = ["post", "options"]

    @extend_schema(request=ReasonSerializer, responses=PatientDocument)
    def post(self, request: Request, pk: int) -> Response:
        """Void; needs If-Match and a reason."""
        patient, version = self._patient(pk), required_version(request)
        reason = required_reason(request.data, only=True)
        voided = actions.void_patient(
            patient=patient, by=caller(request), reason=reason, version=version
        )
        return answer(patient_document(voided))


@extend_schema_view(get=extend_schema(parameters=[OF_PATIENT], responses=TherapyDocument))
class TherapyList(generics.ListAPIView[Therapy]):
    """Subsequent anticancer therapies."""

    serializer_class = TherapySerializer

    def get_queryset(self) -> QuerySet[Therapy]:
        """Visible therapies, of one patient where asked."""
        rows = Therapy.objects.active().visible_to(self.request.user)
        patient = id_parameter(self.request, "patient")
        return (rows if patient is None else rows.filter(patient=patient)).order_by("pk")

    @extend_schema(request=TherapySerializer, responses={201: TherapyDocument})
    def post(self, request: Request) -> Response:
        """Record a therapy."""
        serializer = TherapySerializer(data=document(request), context={"request": request})
        serializer.is_valid(raise_exception=True)
        therapy = actions.record_therapy(by=caller(request), **serializer.validated_data)
        return answer(therapy_document(therapy), status.HTTP_201_CREATED)


class TherapyDetail(views.APIView):
    """One therapy."""

    def _therapy(self, pk: int) -> Therapy:
        rows = Therapy.objects.active().visible_to(self.request.user)
        return get_object_or_404(rows.select_related("patient__trial", "patient__site"), pk=pk)

    @extend_schema(responses=TherapyDocument)
    def get(self, request: Request, pk: int) -> Response:
        """Read a therapy."""
        return answer(therapy_document(self._therapy(pk)))

    @extend_schema(request=TherapySerializer, responses=TherapyDocument)
    def put(self, request: Request, pk: int) -> Response:
        """Correct a therapy; needs If-Match and a reason."""
        therapy, version = self._therapy(pk), required_version(request)
        body, reason = correction(request)
        serializer = TherapySerializer(therapy, data=body, context={"request": request})
        serializer.is_valid(raise_exception=True)
        changes = {k: v for k, v in serializer.validated_data.items() if k != "patient"}
        corrected = actions.correct_therapy(
            therapy=therapy, changes=changes, by=caller(request), reason=reason, version=version
        )
        return answer(therapy_document(corrected))


class TherapyVoid(TherapyDetail):
    """Take a therapy out of lists and analyses."""

    http_method_names = ["post", "options"]

    @extend_schema(request=ReasonSerializer, responses=TherapyDocument)
    def post(self, request: Request, pk: int) -> Response:
        """Void; needs If-Match and a reason."""
        therapy, version = self._therapy(pk), required_version(request)
        reason = required_reason(request.data, only=True)
        voided = actions.void_therapy(
            therapy=therapy, by=caller(request), reason=reason, version=version
        )
        return answer(therapy_document(voided))
