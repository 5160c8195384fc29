"""Consent, screening, deviations and enrollment over HTTP: the same actions as the pages."""

from __future__ import annotations

from datetime import date as Date
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, views
from rest_framework.request import Request
from rest_framework.response import Response

from patients import deviations
from patients import screening as actions
from patients.api import (
    OF_PATIENT,
    OF_TRIAL,
    PatientDetail,
    RecordDetail,
    RecordList,
    RowVoid,
    answered_row,
    text_parameter,
)
from patients.documents import PatientDocument
from patients.judging import Answers, Protocol, completed, contradicted, in_force, readable
from patients.models import Conclusion, Consent, Deviation, Patient, Screening
from patients.records import Why
from patients.screening_dates import too_late
from patients.screening_documents import (
    ConsentDocument,
    DeviationDocument,
    ScreeningDocument,
    ScreeningFormDocument,
    ScreeningPreviewDocument,
)
from patients.screening_questions import form_document
from patients.screening_serializers import (
    ConclusionSerializer,
    ConsentSerializer,
    DeviationSerializer,
    EnrollmentSerializer,
    ScreeningPreviewSerializer,
    ScreeningSerializer,
    WeightSerializer,
    result_documents,
    summary_document,
)
from patients.screening_wording import note
from patients.serializers import UNKNOWN, visible_patient
from registry.errors import FieldError, Refused
from registry.idempotency import idempotent
from registry.rest import (
    DATE,
    InvalidParameter,
    ReasonSerializer,
    caller,
    correction,
    document,
    refuse_unknown,
    required_version,
)
from trials.models import Arm, Site, Trial

FILTERS = [OF_TRIAL, OF_PATIENT]


@extend_schema_view(
    get=extend_schema(parameters=FILTERS, responses=ConsentDocument),
    post=extend_schema(request=ConsentSerializer, responses={201: ConsentDocument}),
)
class ConsentList(RecordList):
    """Signed consent forms."""

    model, serializer_class = Consent, ConsentSerializer
    record = staticmethod(actions.record_consent)


@extend_schema_view(
    get=extend_schema(responses=ConsentDocument),
    put=extend_schema(request=ConsentSerializer, responses=ConsentDocument),
)
class ConsentDetail(RecordDetail):
    """One consent."""

    model, serializer_class = Consent, ConsentSerializer

    keyword = "consent"
    correct = staticmethod(actions.correct_consent)


@extend_schema_view(post=extend_schema(request=ReasonSerializer, responses=ConsentDocument))
class ConsentVoid(RowVoid, ConsentDetail):
    """Take a consent out of lists and of what an enrollment rests on."""

    void = staticmethod(actions.void_consent)


CONCLUSION = OpenApiParameter(
    "conclusion", str, enum=Conclusion.values, description=gettext_lazy("How the screening stands.")
)


@extend_schema_view(
    get=extend_schema(parameters=[*FILTERS, CONCLUSION], responses=ScreeningDocument),
    post=extend_schema(request=ScreeningSerializer, responses={201: ScreeningDocument}),
)
class ScreeningList(RecordList):
    """Screenings; filters by trial, patient and conclusion."""

    filters = ("trial", "patient", "conclusion")
    model, serializer_class = Screening, ScreeningSerializer
    record = staticmethod(actions.screen_patient)

    def get_queryset(self) -> QuerySet[Any]:
        """Visible screenings that match the filters."""
        rows = super().get_queryset()
        if (conclusion := text_parameter(self.request, "conclusion")) is not None:
            if conclusion not in Conclusion.values:
                raise InvalidParameter(
                    "conclusion", _("One of: %s.") % ", ".join(Conclusion.values)
                )
            rows = rows.filter(conclusion=conclusion)
        return rows.select_related("patient__site", "protocol_version")


@extend_schema_view(
    get=extend_schema(responses=ScreeningDocument),
    put=extend_schema(request=ScreeningSerializer, responses=ScreeningDocument),
)
class ScreeningDetail(RecordDetail):
    """One screening."""

    model, serializer_class = Screening, ScreeningSerializer
    parents = ("patient__trial", "patient__site", "protocol_version")

    keyword = "screening"
    correct = staticmethod(actions.correct_screening)


@extend_schema_view(post=extend_schema(request=ReasonSerializer, responses=ScreeningDocument))
class ScreeningVoid(RowVoid, ScreeningDetail):
    """Take a screening out of lists and of what an enrollment rests on."""

    void = staticmethod(actions.void_screening)


class ScreeningConclude(ScreeningDetail):
    """Say how a screening ended."""

    http_method_names = ["post", "options"]

    @extend_schema(request=ConclusionSerializer, responses=ScreeningDocument)
    @idempotent(answered_row)
    def post(self, request: Request, pk: int) -> Response:
        """Eligible where every criterion is met; failed with its reason; or open again."""
        row, version = self.row(pk), required_version(request)
        body, reason = correction(request)
        said = _validated(ConclusionSerializer(data=body | {"reason": reason}))
        concluded = actions.conclude_screening(
            screening=row, by=caller(request), version=version, **said
        )
        return self.answered(concluded)


def previewed_patient(request: Request, told: Any) -> QuerySet[Patient]:
    """The patient of whom a preview speaks, while the caller may see them."""
    return Patient.objects.visible_to(caller(request)).filter(pk=document(request)["patient"])


class ScreeningPreview(views.APIView):
    """What storing a screening would find; stores nothing."""

    @extend_schema(request=ScreeningPreviewSerializer, responses=ScreeningPreviewDocument)
    @idempotent(previewed_patient)
    def post(self, request: Request) -> Response:
        """Judge an incomplete screening by the same functions as the save."""
        asked = _validated(ScreeningPreviewSerializer(data=document(request)))
        patient = visible_patient(caller(request), asked["patient"])
        on = asked.get("screened_on") or patient.site.today()
        protocol = _protocol(patient, asked.get("screening"), on)
        said = asked.get("values", {})
        values, problems = readable(said, protocol)
        problems += too_late(said, on)
        problems += contradicted(values, patient, on)
        answers = completed(values, protocol, patient, on)
        return Response(preview_document(protocol, on, answers, problems))


def preview_document(
    protocol: Protocol, on: Date, answers: Answers, problems: list[FieldError]
) -> ScreeningPreviewDocument:
    """What was found of what can be read, and what cannot."""
    results = protocol.judge(answers, on)
    return {
        "protocol_version": protocol.version.number,
        "screened_on": on.isoformat(),
        "values": answers.as_document(),
        "results": result_documents(results),
        "summary": summary_document(results),
        "problems": [{"pointer": e.pointer, "detail": e.detail} for e in problems],
        "warnings": [
            {"pointer": f"/values/{said['item']}", "detail": note(said)} for said in answers.notes
        ],
    }


def _protocol(patient: Patient, screening: int | None, on: Date) -> Protocol:
    """Of the screening that is being corrected, else what is in force on the day."""
    if screening is None:
        return Protocol.of(in_force(patient.trial, on))
    rows = patient.screenings.filter(voided_at=None).select_related("protocol_version")
    row = rows.filter(pk=screening).first()
    if row is None:
        raise Refused([FieldError("/screening", str(UNKNOWN))])
    return Protocol.of(row.protocol_version)


@extend_schema_view(
    get=extend_schema(parameters=FILTERS, responses=DeviationDocument),
    post=extend_schema(request=DeviationSerializer, responses={201: DeviationDocument}),
)
class DeviationList(RecordList):
    """Protocol deviations; `count` counts them. From a criterion recorded by investigators."""

    model, serializer_class = Deviation, DeviationSerializer
    record = staticmethod(deviations.record_deviation)


@extend_schema_view(
    get=extend_schema(responses=DeviationDocument),
    put=extend_schema(
        request=DeviationSerializer,
        responses=DeviationDocument,
        description=gettext_lazy(
            "Replace what is said to have happened; needs If-Match and a reason. Not from a criterion."
        ),
    ),
)
class DeviationDetail(RecordDetail):
    """One deviation."""

    model, serializer_class = Deviation, DeviationSerializer

    keyword = "deviation"
    correct = staticmethod(deviations.correct_deviation)

    @extend_schema(request=WeightSerializer, responses=DeviationDocument)
    def patch(self, request: Request, pk: int) -> Response:
        """Call it major, or minor; needs If-Match and a reason. From a criterion, by investigators."""
        deviation, version = self.row(pk), required_version(request)
        body, reason = correction(request)
        said = _validated(WeightSerializer(data=body))
        why: Why = {"by": caller(request), "reason": reason, "version": version}
        return self.answered(deviations.weigh_deviation(deviation=deviation, **said, **why))


@extend_schema_view(post=extend_schema(request=ReasonSerializer, responses=DeviationDocument))
class DeviationVoid(RowVoid, DeviationDetail):
    """Take a deviation out of lists, of populations, and of what an enrollment rests on."""

    void = staticmethod(actions.void_deviation)


class PatientEnroll(PatientDetail):
    """Enroll a patient after consent and screening."""

    http_method_names = ["post", "options"]

    @extend_schema(request=EnrollmentSerializer, responses=PatientDocument)
    @idempotent(answered_row)
    def post(self, request: Request, pk: int) -> Response:
        """409 with everything that is in the way; needs If-Match and a reason."""
        patient, version = self.row(pk), required_version(request)
        body, reason = correction(request)
        said = _validated(EnrollmentSerializer(data=body | {"reason": reason}))
        arm = _arm(patient.trial, said.get("arm"))
        enrolled = actions.enroll_screened(
            patient=patient,
            enrolled_on=said["enrolled_on"],
            arm=arm,
            by=caller(request),
            reason=reason,
            version=version,
        )
        return self.answered(enrolled)


def _arm(trial: Trial, name: str | None) -> Arm | None:
    if name is None:
        return None
    arms = {arm.name: arm for arm in trial.arms.all()}
    if name not in arms:
        raise Refused([FieldError("/arm", _("One of: %s.") % (", ".join(arms) or "null"))])
    return arms[name]


SITE = OpenApiParameter(
    "site", str, description=gettext_lazy("A site's code: with its limits of normal.")
)
ON = OpenApiParameter(
    "date",
    {"type": "string", "format": "date"},
    description=gettext_lazy("The day of screening; today."),
)


class TrialScreeningForm(views.APIView):
    """What a screening in a trial needs."""

    @extend_schema(parameters=[SITE, ON], responses=ScreeningFormDocument)
    def get(self, request: Request, registry_id: str) -> Response:
        """Items with kinds, units and limits of normal; criteria with their rules in words."""
        trial = get_object_or_404(Trial.objects.visible_to(caller(request)).named(registry_id))
        refuse_unknown(request.query_params, ("site", "date"))
        site = _site(request, trial)
        on = _day(request) or (site.today() if site else timezone.now().date())
        return Response(form_document(Protocol.of(in_force(trial, on)), on, site))


def _site(request: Request, trial: Trial) -> Site | None:
    code = text_parameter(request, "site")
    if code is None:
        return None
    site = Site.objects.visible_to(caller(request)).filter(trial=trial, code=code).first()
    if site is None:
        raise InvalidParameter("site", str(UNKNOWN))
    return site


def _day(request: Request) -> Date | None:
    asked = request.query_params.get("date")
    if asked is None:
        return None
    try:
        if DATE.fullmatch(asked):
            return Date.fromisoformat(asked)
    except ValueError:
        pass
    raise InvalidParameter("date", _("A date such as 2022-08-08."))


def _validated(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
