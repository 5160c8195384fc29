"""Patients and therapies: the same actions as the pages, over HTTP."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from patients import actions
from patients.models import Patient, Therapy
from patients.serializers import PatientSerializer, TherapySerializer
from registry.idempotency import idempotent
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
from trials.vocabularies import Masking

FILTERS = [OpenApiParameter(name, str) for name in ("trial", "site", "subject_id")]
OF_PATIENT = [OpenApiParameter("patient", int)]


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


def answered_patient(request: Request, told: Any) -> QuerySet[Patient]:
    """The patient that an answer tells of, voided or not, while the caller may see what it tells."""
    rows = Patient.objects.visible_to(caller(request)).filter(pk=told["id"])
    if told["arm"] is None:
        return rows
    return rows.filter(trial__masking__in=("", Masking.NONE))  # the trial may be masked by now


def answered_therapy(request: Request, told: Any) -> QuerySet[Therapy]:
    """The therapy that an answer tells of, voided or not, while the caller may see it."""
    return Therapy.objects.visible_to(caller(request)).filter(pk=told["id"])


@extend_schema_view(get=extend_schema(parameters=FILTERS))
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

    @extend_schema(request=PatientSerializer, responses={201: PatientSerializer})
    @idempotent(answered_patient)
    def post(self, request: Request) -> Response:
        """Enroll a patient."""
        serializer = PatientSerializer(data=document(request), context={"request": request})
        serializer.is_valid(raise_exception=True)
        patient = actions.enroll_patient(by=caller(request), **serializer.validated_data)
        return answer(serializer.to_representation(patient), status.HTTP_201_CREATED)


class PatientDetail(views.APIView):
    """One patient."""

    def _patient(self, pk: int) -> Patient:
        rows = Patient.objects.active().visible_to(self.request.user)
        return get_object_or_404(rows.select_related("trial", "site", "allocation__arm"), pk=pk)

    @extend_schema(responses=PatientSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Read a patient."""
        return answer(PatientSerializer().to_representation(self._patient(pk)))

    @extend_schema(request=PatientSerializer, responses=PatientSerializer)
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
        return answer(serializer.to_representation(changed))


def _changes(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in ("trial", "subject_id")}


class PatientVoid(PatientDetail):
    """Take a patient out of lists and analyses."""

    http_method_names = ["post", "options"]

    @extend_schema(request=ReasonSerializer, responses=PatientSerializer)
    @idempotent(answered_patient)
    def post(self, request: Request, pk: int) -> Response:
        """Void; needs If-Match and a reason."""
        patient, version = self._patient(pk), required_version(request)
        reason = required_reason(request.data, only=True)
        voided = actions.void_patient(
            patient=patient, by=caller(request), reason=reason, version=version
        )
        return answer(PatientSerializer().to_representation(voided))


@extend_schema_view(get=extend_schema(parameters=OF_PATIENT))
class TherapyList(generics.ListAPIView[Therapy]):
    """Subsequent anticancer therapies."""

    serializer_class = TherapySerializer

    def get_queryset(self) -> QuerySet[Therapy]:
        """Visible therapies, of one patient where asked."""
        rows = Therapy.objects.active().visible_to(self.request.user)
        patient = id_parameter(self.request, "patient")
        return (rows if patient is None else rows.filter(patient=patient)).order_by("pk")

    @extend_schema(request=TherapySerializer, responses={201: TherapySerializer})
    @idempotent(answered_therapy)
    def post(self, request: Request) -> Response:
        """Record a therapy."""
        serializer = TherapySerializer(data=document(request), context={"request": request})
        serializer.is_valid(raise_exception=True)
        therapy = actions.record_therapy(by=caller(request), **serializer.validated_data)
        return answer(serializer.to_representation(therapy), status.HTTP_201_CREATED)


class TherapyDetail(views.APIView):
    """One therapy."""

    def _therapy(self, pk: int) -> Therapy:
        rows = Therapy.objects.active().visible_to(self.request.user)
        return get_object_or_404(rows.select_related("patient__trial", "patient__site"), pk=pk)

    @extend_schema(responses=TherapySerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Read a therapy."""
        return answer(TherapySerializer().to_representation(self._therapy(pk)))

    @extend_schema(request=TherapySerializer, responses=TherapySerializer)
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
        return answer(serializer.to_representation(corrected))


class TherapyVoid(TherapyDetail):
    """Take a therapy out of lists and analyses."""

    http_method_names = ["post", "options"]

    @extend_schema(request=ReasonSerializer, responses=TherapySerializer)
    @idempotent(answered_therapy)
    def post(self, request: Request, pk: int) -> Response:
        """Void; needs If-Match and a reason."""
        therapy, version = self._therapy(pk), required_version(request)
        reason = required_reason(request.data, only=True)
        voided = actions.void_therapy(
            therapy=therapy, by=caller(request), reason=reason, version=version
        )
        return answer(TherapySerializer().to_representation(voided))
