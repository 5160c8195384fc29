"""Patients and what is recorded of them: the same actions as the pages, over HTTP."""

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

from patients import actions
from patients.documents import AdverseEventDocument, PatientDocument, TherapyDocument
from patients.models import AdverseEvent, Patient, Therapy
from patients.serializers import AdverseEventSerializer, PatientSerializer, TherapySerializer
from registry.idempotency import idempotent
from registry.rest import (
    InvalidParameter,
    ReasonSerializer,
    StrictSerializer,
    answer,
    caller,
    correction,
    document,
    required_reason,
    required_version,
)
from trials.models import Trial

OF_TRIAL = OpenApiParameter("trial", str, description=gettext_lazy("A trial's registry id."))
OF_PATIENT = OpenApiParameter(
    "patient",
    {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    description=gettext_lazy("A patient's id."),
)
FILTERS = [
    OF_TRIAL,
    OpenApiParameter("site", str, description=gettext_lazy("A site's code.")),
    OpenApiParameter(
        "subject_id", str, description=gettext_lazy("The id of a patient in the trial.")
    ),
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


def answered_row(request: Request, told: Any) -> QuerySet[Any]:
    """The row that an answer tells of, voided or not, while the caller may see what it tells."""
    model: Any = request.parser_context["view"].model
    rows: QuerySet[Any] = model.objects.visible_to(caller(request)).filter(pk=told["id"])
    if told.get("arm") is None:
        return rows
    open_now = Trial.objects.open_to(caller(request))  # the trial may be masked by now
    return rows.filter(trial__in=open_now)


class RowList(generics.ListCreateAPIView[Any]):
    """Rows within the caller's scope, and a new one."""

    model: ClassVar[Any]
    record: ClassVar[Callable[..., Any]]

    def visible(self) -> QuerySet[Any]:
        """Every row that is not voided and that the caller may see."""
        rows: QuerySet[Any] = self.model.objects.active().visible_to(self.request.user)
        return rows.order_by("pk")

    @idempotent(answered_row)
    def post(self, request: Request) -> Response:
        """Record one."""
        serializer = self.get_serializer(data=document(request))
        serializer.is_valid(raise_exception=True)
        row = self.record(by=caller(request), **serializer.validated_data)
        return answer(serializer.to_representation(row), status.HTTP_201_CREATED)


class RowDetail(views.APIView):
    """One row, answered with its version; a foreign or voided one does not exist."""

    model: ClassVar[Any]
    keyword: ClassVar[str] = "row"  # by which the actions take it
    parents: ClassVar[tuple[str, ...]] = ("patient__trial", "patient__site")
    serializer_class: ClassVar[type[StrictSerializer]]

    def row(self, pk: int) -> Any:
        """The row with its parents."""
        rows = self.model.objects.active().visible_to(self.request.user)
        return get_object_or_404(rows.select_related(*self.parents), pk=pk)

    def answered(self, row: Any) -> Response:
        """The row as it is now."""
        return answer(self.serializer_class().to_representation(row))

    def get(self, request: Request, pk: int) -> Response:
        """Read one."""
        return self.answered(self.row(pk))


class RowVoid(RowDetail):
    """Take a row out of lists and analyses."""

    http_method_names = ["post", "options"]
    void: ClassVar[Callable[..., Any]]

    @idempotent(answered_row)
    def post(self, request: Request, pk: int) -> Response:
        """Void; needs If-Match and a reason."""
        row, version = self.row(pk), required_version(request)
        reason = required_reason(request.data, only=True)
        return self.answered(
            self.void(**{self.keyword: row}, by=caller(request), reason=reason, version=version)
        )


@extend_schema_view(
    get=extend_schema(parameters=FILTERS, responses=PatientDocument),
    post=extend_schema(request=PatientSerializer, responses={201: PatientDocument}),
)
class PatientList(RowList):
    """Patients within the caller's scope; filters by trial, site and subject id."""

    filters = ("trial", "site", "subject_id")
    model, serializer_class = Patient, PatientSerializer
    record = staticmethod(actions.enroll_patient)

    def get_queryset(self) -> QuerySet[Patient]:
        """Visible patients that match the filters."""
        rows = self.visible()
        paths = {"trial": "trial__registry_id", "site": "site__code", "subject_id": "subject_id"}
        for name, path in paths.items():
            if (asked := text_parameter(self.request, name)) is not None:
                rows = rows.filter(**{path: asked})
        return rows.select_related("trial", "site", "allocation__arm")


@extend_schema_view(
    get=extend_schema(responses=PatientDocument),
    patch=extend_schema(request=PatientSerializer, responses=PatientDocument),
)
class PatientDetail(RowDetail):
    """One patient."""

    model, serializer_class = Patient, PatientSerializer
    parents = ("trial", "site", "allocation__arm")

    def patch(self, request: Request, pk: int) -> Response:
        """Change some facts; needs If-Match and a reason."""
        patient, version = self.row(pk), required_version(request)
        body, reason = correction(request)
        serializer = PatientSerializer(
            patient, data=body, partial=True, context={"request": request}
        )
        serializer.is_valid(raise_exception=True)
        changed = actions.update_patient(
            patient=patient, changes=_changes(serializer.validated_data),
            by=caller(request), reason=reason, version=version,
        )  # fmt: skip
        return self.answered(changed)


def _changes(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in ("trial", "subject_id")}


@extend_schema_view(post=extend_schema(request=ReasonSerializer, responses=PatientDocument))
class PatientVoid(RowVoid, PatientDetail):
    """Take a patient out of lists and analyses."""

    keyword = "patient"
    void = staticmethod(actions.void_patient)


class RecordList(RowList):
    """What is recorded of patients; filters by trial and patient."""

    filters: ClassVar[tuple[str, ...]] = ("trial", "patient")

    def get_queryset(self) -> QuerySet[Any]:
        """Visible rows, of one trial or patient where asked."""
        rows = self.visible()
        if (trial := text_parameter(self.request, "trial")) is not None:
            rows = rows.filter(patient__trial__registry_id=trial)
        if (patient := id_parameter(self.request, "patient")) is not None:
            rows = rows.filter(patient=patient)
        return rows


class RecordDetail(RowDetail):
    """One row of what is recorded of a patient."""

    correct: ClassVar[Callable[..., Any]]

    def put(self, request: Request, pk: int) -> Response:
        """Replace what it says; needs If-Match and a reason."""
        row, version = self.row(pk), required_version(request)
        body, reason = correction(request)
        serializer = self.serializer_class(row, data=body, context={"request": request})
        serializer.is_valid(raise_exception=True)
        changes = {k: v for k, v in serializer.validated_data.items() if k != "patient"}
        why = {"by": caller(request), "reason": reason, "version": version}
        return self.answered(self.correct(**{self.keyword: row}, changes=changes, **why))


@extend_schema_view(
    get=extend_schema(parameters=[OF_TRIAL, OF_PATIENT], responses=TherapyDocument),
    post=extend_schema(request=TherapySerializer, responses={201: TherapyDocument}),
)
class TherapyList(RecordList):
    """Subsequent anticancer therapies."""

    model, serializer_class = Therapy, TherapySerializer
    record = staticmethod(actions.record_therapy)


@extend_schema_view(
    get=extend_schema(responses=TherapyDocument),
    put=extend_schema(request=TherapySerializer, responses=TherapyDocument),
)
class TherapyDetail(RecordDetail):
    """One therapy."""

    model, serializer_class = Therapy, TherapySerializer

    keyword = "therapy"
    correct = staticmethod(actions.correct_therapy)


@extend_schema_view(post=extend_schema(request=ReasonSerializer, responses=TherapyDocument))
class TherapyVoid(RowVoid, TherapyDetail):
    """Take a therapy out of lists and analyses."""

    void = staticmethod(actions.void_therapy)


@extend_schema_view(
    get=extend_schema(parameters=[OF_TRIAL, OF_PATIENT], responses=AdverseEventDocument),
    post=extend_schema(request=AdverseEventSerializer, responses={201: AdverseEventDocument}),
)
class AdverseEventList(RecordList):
    """Adverse events."""

    model, serializer_class = AdverseEvent, AdverseEventSerializer
    record = staticmethod(actions.record_adverse_event)


@extend_schema_view(
    get=extend_schema(responses=AdverseEventDocument),
    put=extend_schema(request=AdverseEventSerializer, responses=AdverseEventDocument),
)
class AdverseEventDetail(RecordDetail):
    """One adverse event."""

    model, serializer_class = AdverseEvent, AdverseEventSerializer

    keyword = "adverse_event"
    correct = staticmethod(actions.correct_adverse_event)


@extend_schema_view(post=extend_schema(request=ReasonSerializer, responses=AdverseEventDocument))
class AdverseEventVoid(RowVoid, AdverseEventDetail):
    """Take an adverse event out of lists and analyses."""

    void = staticmethod(actions.void_adverse_event)
