"""Visits, previews and outcomes over HTTP: the same actions and report as the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import generics, renderers, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes import actions, data_version, report
from outcomes.documents import PreviewDocument, VisitDocument
from outcomes.models import INVESTIGATOR, REVIEWER, Evaluator, Visit
from outcomes.options import (
    GROUP,
    OUTCOME_PARAMETERS,
    PARAMETERS,
    evaluator_of,
    group_of,
    of_group,
    options_of,
)
from outcomes.report import documents, tables
from outcomes.report.document_types import PatientOutcomeDocument, ReportDocument
from outcomes.serializers import (
    PreviewSerializer,
    VisitCorrection,
    VisitSerializer,
    entry,
    preview_document,
    visit_document,
)
from patients.api import OF_PATIENT, OF_TRIAL, id_parameter, text_parameter
from patients.models import Patient
from patients.serializers import UNKNOWN, known_patient, reviewable_patient, visible_patient
from registry import database
from registry.errors import FieldError, Refused
from registry.idempotency import idempotent
from registry.models import User
from registry.rest import (
    Pagination,
    ReasonSerializer,
    answer,
    caller,
    correction,
    document,
    known_tags,
    required_reason,
    required_version,
)
from trials.models import Trial


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def answered_visit(request: Request, told: Any) -> QuerySet[Visit]:
    """The visit that an answer tells of, voided or not, while the caller may see it."""
    return Visit.objects.readable_by(caller(request)).filter(pk=told["id"])


def previewed_patient(request: Request, _told: Any) -> QuerySet[Patient]:
    """The patient whom a preview names, while the caller may see them."""
    body, user = document(request), caller(request)
    read = str(body.get("evaluator", "")).casefold() == REVIEWER
    rows = Patient.objects
    return (rows.reviewable_by(user) if read else rows.visible_to(user)).filter(pk=body["patient"])


EVALUATOR = OpenApiParameter(
    "evaluator",
    enum=Evaluator.values,
    description=_(
        "Whose visits: the investigator's, or of the independent review where the caller may see"
        " them; investigator where it is left out."
    ),
)


def _patient_for(request: Request, values: Mapping[str, Any]) -> tuple[Patient, str]:
    """The patient whom a body names, through the door of the evaluator that it names."""
    evaluator = values.get("evaluator", INVESTIGATOR)
    named = reviewable_patient if evaluator == REVIEWER else visible_patient
    return named(caller(request), values["patient"]), evaluator


@extend_schema_view(
    get=extend_schema(
        parameters=[OF_TRIAL, OF_PATIENT, EVALUATOR],
        responses=VisitDocument,
    )
)
class VisitList(generics.ListAPIView[Visit]):
    """Visits within the caller's scope."""

    serializer_class = VisitSerializer
    filters = ("trial", "patient", "evaluator")

    def get_queryset(self) -> QuerySet[Visit]:
        """Visible visits of one evaluator, of one trial or patient where asked."""
        active, user = Visit.objects.active(), caller(self.request)
        reviewed = evaluator_of(self.request.query_params) == REVIEWER
        rows = active.of_review(user) if reviewed else active.visible_to(user)
        if (trial := text_parameter(self.request, "trial")) is not None:
            rows = rows.filter(patient__trial__registry_id=trial)
        if (patient := id_parameter(self.request, "patient")) is not None:
            rows = rows.filter(patient=patient)
        return rows.with_rows().order_by("pk")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page."""
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([visit_document(visit) for visit in page])

    @extend_schema(request=VisitSerializer, responses={201: VisitDocument})
    @idempotent(answered_visit)
    def post(self, request: Request) -> Response:
        """Record a visit; the answer carries what was derived."""
        values = _validated(VisitSerializer(data=document(request)))
        patient, evaluator = _patient_for(request, values)
        visit = actions.record_visit(
            patient=patient, entry=entry(values), by=caller(request), evaluator=evaluator
        )
        return answer(visit_document(visit), status.HTTP_201_CREATED)


class VisitDetail(views.APIView):
    """One visit."""

    def _visit(self, pk: int) -> Visit:
        rows = Visit.objects.active().readable_by(caller(self.request))
        return get_object_or_404(rows.with_rows(), pk=pk)

    @extend_schema(responses=VisitDocument)
    def get(self, request: Request, pk: int) -> Response:
        """Read a visit."""
        return answer(visit_document(self._visit(pk)))

    @extend_schema(request=VisitCorrection, responses=VisitDocument)
    def put(self, request: Request, pk: int) -> Response:
        """Correct a visit; needs If-Match and a reason, and takes a further one per field."""
        visit, version = self._visit(pk), required_version(request)
        body, reason = correction(request)
        values = _validated(VisitCorrection(data=body))
        patient = known_patient(caller(request), values["patient"])
        actions.same_patient(visit, patient)
        actions.same_evaluator(visit, values.get("evaluator", visit.evaluator))
        corrected = actions.correct_visit(
            visit=visit,
            entry=entry(values),
            by=caller(request),
            reason=reason,
            reasons=values.get("reasons"),
            version=version,
        )
        return answer(visit_document(corrected))


class VisitVoid(VisitDetail):
    """Take a visit out of lists and analyses."""

    http_method_names = ["post", "options"]

    @extend_schema(request=ReasonSerializer, responses=VisitDocument)
    @idempotent(answered_visit)
    def post(self, request: Request, pk: int) -> Response:
        """Void; needs If-Match and a reason."""
        visit, version = self._visit(pk), required_version(request)
        reason = required_reason(request.data, only=True)
        voided = actions.void_visit(visit=visit, by=caller(request), reason=reason, version=version)
        return answer(visit_document(Visit.objects.with_rows().get(pk=voided.pk)))


class VisitPreview(views.APIView):
    """What saving a visit would derive; stores nothing."""

    @extend_schema(request=PreviewSerializer, responses=PreviewDocument)
    @idempotent(previewed_patient)
    def post(self, request: Request) -> Response:
        """Derive an incomplete visit by the same function as the save."""
        values = _validated(PreviewSerializer(data=document(request)))
        patient, evaluator = _patient_for(request, values)
        visit = _corrected(patient, values.get("visit"), evaluator)
        preview = actions.preview_visit(
            patient=patient, entry=entry(values), visit=visit, evaluator=evaluator
        )
        return Response(preview_document(preview, immune=patient.trial.irecist))


def _corrected(patient: Patient, pk: int | None, evaluator: str) -> Visit | None:
    """The visit that a preview would correct; another's is refused as an unknown one."""
    if pk is None:
        return None
    visit = patient.visits.filter(voided_at=None, pk=pk, evaluator=evaluator).first()
    if visit is None:
        raise Refused([FieldError("/visit", str(UNKNOWN))])
    return visit


class CSVRenderer(renderers.BaseRenderer):
    """`Accept: text/csv` or `?format=csv`: a (columns, rows) table; a problem is JSON anyway.

    Programs send Accept and get plain UTF-8. A link in a browser says `?format=csv`; what it saves
    is opened with a double click, and there Excel takes Chinese for something else without a BOM.
    """

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """The table as text."""
        columns, rows = data
        linked = "format" in (renderer_context or {})["request"].query_params
        return tables.csv_text(columns, rows).encode("utf-8-sig" if linked else "utf-8")


def download(found: Any, name: str, table: Any) -> Response:
    """A table to be saved under a name that says what it is."""
    options = found.options
    read = "" if options.evaluator == INVESTIGATOR else f"-{options.evaluator}"
    file = f"{found.trial.registry_id}-{name}{read}-{options.cutoff.isoformat()}.csv"
    return Response(table, headers={"Content-Disposition": f'attachment; filename="{file}"'})


CSV = OpenApiResponse(str, description=_("One statistic per line, or one patient per line."))


class OutcomesView(views.APIView):
    """A trial's outcomes."""

    renderer_classes = [renderers.JSONRenderer, CSVRenderer]
    conditional = True

    def answer(self, request: Request, registry_id: str) -> HttpResponseBase:
        """The document with its ETag, or 304 where the caller has it: both from one snapshot."""
        user, known = caller(request), known_tags(request)
        with database.snapshot():
            trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
            options = self.asked(request, trial)
            tag = data_version.entity_tag(
                trial, user=user, options=options, form=self.form(request)
            )
            if tag in known:
                return HttpResponseNotModified(headers={"ETag": tag})
            found = self.build(trial, user=user, options=options)
        response = self.document(request, found)
        if "*" in known:  # any document will do, but there must be one
            return HttpResponseNotModified(headers={"ETag": tag})
        response["ETag"] = tag
        return response

    def asked(self, request: Request, trial: Trial) -> report.Options:
        """What the reader chose."""
        return options_of(request, trial)

    def build(self, trial: Trial, *, user: User, options: report.Options) -> Any:
        """The value that the document is made from; it has a trial and options."""
        return report.build(trial, user=user, options=options)

    def form(self, request: Request) -> tuple[str, ...]:
        """What besides the options decides how the document is written."""
        linked = str("format" in request.query_params)
        return (type(self).__name__, str(request.accepted_media_type), linked)

    def document(self, request: Request, found: Any) -> Response:
        """The report as this view writes it."""
        whole = documents.report_document(found)
        if request.accepted_renderer.format == "csv":
            rows = tables.report_rows(whole)
            return download(found, "outcomes", (tables.COLUMNS, rows))
        return Response(whole)

    @extend_schema(
        parameters=OUTCOME_PARAMETERS,
        responses={(200, "application/json"): ReportDocument, (200, "text/csv"): CSV},
    )
    def get(self, request: Request, registry_id: str) -> HttpResponseBase:
        """ORR, DCR, PFS, OS ... with their intervals, curves and definitions."""
        return self.answer(request, registry_id)


class PatientOutcomesView(OutcomesView):
    """A trial's outcomes patient by patient: best response, PFS and OS with reasons."""

    pagination_class = Pagination
    filters = (*PARAMETERS, "group")

    def asked(self, request: Request, trial: Trial) -> report.Options:
        """The report's options; beside them the group is kept."""
        options = options_of(request, trial, ["group"])
        group_of(request.query_params)
        return options

    def form(self, request: Request) -> tuple[str, ...]:
        """With the address, page and all, which the links to other pages repeat."""
        return (*super().form(request), request.build_absolute_uri())

    def document(self, request: Request, found: Any) -> Response:
        """A page of patients; all of them as CSV."""
        patients = of_group(found, group_of(request.query_params))
        rows = [documents.patient_document(one) for one in patients]
        if request.accepted_renderer.format == "csv":
            table = (tables.PATIENT_COLUMNS, tables.patient_rows(rows))
            return download(found, "patients", table)
        pagination = self.pagination_class()
        page = pagination.paginate_queryset(rows, request, view=self)
        return pagination.get_paginated_response(page)

    @extend_schema(
        parameters=[*OUTCOME_PARAMETERS, GROUP],
        responses={(200, "application/json"): PatientOutcomeDocument, (200, "text/csv"): CSV},
    )
    def get(self, request: Request, registry_id: str) -> HttpResponseBase:
        """A page of patients; all of them as CSV."""
        return self.answer(request, registry_id)
