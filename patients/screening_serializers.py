"""Consents, screenings, deviations and enrollments over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from patients.judging import SOURCES
from patients.models import (
    Conclusion,
    Consent,
    Deviation,
    DeviationCategory,
    FailureReason,
    Screening,
)
from patients.screening_dates import too_late
from patients.screening_documents import (
    ConsentDocument,
    CriterionResultDocument,
    DeviationDocument,
    EligibilitySummaryDocument,
    ScreeningDocument,
)
from patients.screening_wording import notes, reasons, summary
from patients.serializers import UNKNOWN, RecordSerializer
from registry.errors import Refused
from registry.fields import Text, WholeNumber
from registry.rest import CalendarDateField, FlagField, ReasonSerializer, StrictSerializer
from trials.eligibility import Result
from trials.models import Criterion
from trials.serializers import TermField
from trials.vocabularies import CriterionKind

ELIGIBILITY = DeviationCategory.ELIGIBILITY.value
REQUIRED = serializers.Field.default_error_messages["required"]
NUMBER = {"type": ["number", "null"]}
VALUE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["value"],
    "properties": {
        "value": {"type": ["number", "string", "boolean", "null"]},
        "unit": {"type": ["string", "null"]},
        "uln": NUMBER,
        "lln": NUMBER,
        "limit_unit": {"type": ["string", "null"]},
        **{name: {"$ref": "#/components/schemas/Ignored"} for name in SOURCES},
    },
}
VALUES = {
    "type": "object",
    "additionalProperties": VALUE,
    "description": _("Values by item, as /trials/{registry_id}/screening-form/ names them."),
}


@extend_schema_field(VALUES)
class ValuesField(serializers.Field[Any, Any, Any, Any]):
    """An object of values by item, exact as it was sent; what it says is read when it is judged."""

    default_error_messages = {"object": _("A JSON object.")}

    def to_internal_value(self, data: Any) -> Any:
        """The object."""
        if not isinstance(data, Mapping):
            self.fail("object")
        return data


class ConsentSerializer(RecordSerializer):
    """A signed consent form, perhaps withdrawn."""

    defaults: ClassVar[dict[str, Any]] = {"withdrawn_on": None}

    consent_version = Text(max_length=40)
    signed_on = CalendarDateField()
    withdrawn_on = CalendarDateField(allow_null=True, required=False)

    def to_representation(self, instance: Consent) -> Any:
        """The consent."""
        return consent_document(instance)


def consent_document(consent: Consent) -> ConsentDocument:
    """The consent."""
    withdrawn_on = consent.withdrawn_on
    return {
        "id": consent.pk,
        "version": consent.version,
        "patient": consent.patient_id,
        "consent_version": consent.consent_version,
        "signed_on": consent.signed_on.isoformat(),
        "withdrawn_on": withdrawn_on.isoformat() if withdrawn_on else None,
        "links": {"self": reverse("api:consent", args=[consent.pk])},
    }


class ScreeningSerializer(RecordSerializer):
    """A screening: the day, and what was found."""

    ignored = RecordSerializer.ignored | {
        *("subject_id", "site", "protocol_version", "results", "summary"),
        *("conclusion", "failure_reason", "failure_detail"),
    }
    defaults: ClassVar[dict[str, Any]] = {}

    screened_on = CalendarDateField()
    values = ValuesField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """No date is later than the day of screening."""
        attrs = super().validate(attrs)
        if problems := list(too_late(attrs["values"], attrs["screened_on"])):
            raise Refused(problems)
        return attrs

    def to_representation(self, instance: Screening) -> Any:
        """The screening."""
        return screening_document(instance)


class ScreeningPreviewSerializer(StrictSerializer):
    """A screening as it is being typed."""

    ignored = ScreeningSerializer.ignored
    patient = WholeNumber(min_value=1, max_value=2**63 - 1, help_text=_("The patient's id."))
    screening = WholeNumber(
        min_value=1, max_value=2**63 - 1, allow_null=True, required=False,
        help_text=_("The id of the screening that is being corrected."),
    )  # fmt: skip
    screened_on = CalendarDateField(
        allow_null=True, required=False, help_text=_("Today at the site where it is left out.")
    )
    values = ValuesField(required=False)


def screening_document(screening: Screening) -> ScreeningDocument:
    """The screening as it was judged."""
    return {
        "id": screening.pk,
        "version": screening.version,
        "patient": screening.patient_id,
        "subject_id": screening.patient.subject_id,
        "site": screening.patient.site.code,
        "protocol_version": screening.protocol_version.number,
        "screened_on": screening.screened_on.isoformat(),
        "values": screening.values,
        "results": result_documents(screening.results),
        "summary": summary_document(screening.results),
        "conclusion": Conclusion(screening.conclusion),
        "failure_reason": FailureReason(screening.failure_reason)
        if screening.failure_reason
        else "",
        "failure_detail": screening.failure_detail,
        "links": {
            "self": reverse("api:screening", args=[screening.pk]),
            "patient": reverse("api:patient", args=[screening.patient_id]),
        },
    }


def result_documents(results: Sequence[Mapping[str, Any]]) -> list[CriterionResultDocument]:
    """What each criterion said, worded in the reader's language."""
    return [
        {
            "criterion": result["criterion"],
            "kind": CriterionKind(result["kind"]),
            "number": result["number"],
            "text": result["text"],
            "result": Result(result["result"]),
            "reasons": [
                {"code": reason["code"], "params": reason["params"], "text": text}
                for reason, text in zip(result["reasons"], reasons(result), strict=True)
            ],
            "notes": notes(result),
        }
        for result in results
    ]


def summary_document(results: Sequence[Mapping[str, Any]]) -> EligibilitySummaryDocument:
    """The results, counted and in a sentence."""
    found = [result["result"] for result in results]
    return {
        "criteria": len(found),
        "met": found.count(Result.MET),
        "not_met": found.count(Result.NOT_MET),
        "unknown": found.count(Result.UNKNOWN),
        "text": summary(results),
    }


class ConclusionSerializer(ReasonSerializer):
    """How a screening ended, and why that is written."""

    conclusion = TermField(Conclusion.choices)
    failure_reason = TermField(FailureReason.choices, allow_blank=True, required=False)
    failure_detail = Text(max_length=500, allow_blank=True, required=False)


OF_A_CRITERION = ("criterion", "screening", "screening_version", "justification")


class DeviationSerializer(RecordSerializer):
    """A protocol deviation: from a criterion of the latest screening, or described."""

    defaults: ClassVar[dict[str, Any]] = {}

    criterion = WholeNumber(
        min_value=1, max_value=2**63 - 1, allow_null=True, required=False,
        help_text=_(
            "A criterion of the latest screening, in spite of which an investigator enrolls. Without"
            " one give `category`, `description` and `major`."
        ),
    )  # fmt: skip
    screening = WholeNumber(
        min_value=1, max_value=2**63 - 1, allow_null=True, required=False,
        help_text=_("What the investigator saw: the id of the latest screening, if it is given."),
    )  # fmt: skip
    screening_version = WholeNumber(
        min_value=1,
        max_value=2**31 - 1,
        allow_null=True,
        required=False,
        help_text=_("Its version, if it is given."),
    )
    occurred_on = CalendarDateField()
    category = TermField(
        DeviationCategory.choices,
        required=False,
        help_text=_("Eligibility where a criterion is given."),
    )
    description = Text(
        max_length=500,
        allow_blank=True,
        required=False,
        help_text=_("What happened, where no criterion is given."),
    )
    justification = Text(
        max_length=2000,
        allow_blank=True,
        required=False,
        help_text=_("Why somebody is enrolled in spite of the criterion."),
    )
    major = FlagField(
        required=False,
        help_text=_(
            "With a criterion true where it is left out: a violated criterion is major unless the"
            " investigator says otherwise. A major one takes the patient out of the per-protocol"
            " population."
        ),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With a criterion its id becomes the row, if it is the trial's; without one, no trace."""
        attrs = super().validate(attrs)
        if attrs.get("criterion") is None:
            return described(attrs)
        _refuse_given(attrs, "description", _("Only without a criterion."))
        if attrs.pop("category", ELIGIBILITY) != ELIGIBILITY:
            raise serializers.ValidationError({"category": [_("Of a criterion: eligibility.")]})
        _require(attrs, ("justification",))
        rows = Criterion.objects.filter(trial=attrs["patient"].trial_id, pk=attrs["criterion"])
        criterion = rows.first()
        if criterion is None:
            raise serializers.ValidationError({"criterion": [UNKNOWN]})
        return attrs | {"criterion": criterion}

    def to_representation(self, instance: Deviation) -> Any:
        """The deviation."""
        return deviation_document(instance)


def described(attrs: dict[str, Any]) -> dict[str, Any]:
    """A deviation without a criterion: everything it needs, and nothing of a screening."""
    for name in OF_A_CRITERION:
        _refuse_given(attrs, name, _("Only with a criterion."))
    _require(attrs, ("category", "description", "major"))
    return attrs


def _refuse_given(attrs: dict[str, Any], name: str, detail: Any) -> None:
    if attrs.pop(name, None):
        raise serializers.ValidationError({name: [detail]})


def _require(attrs: dict[str, Any], names: Iterable[str]) -> None:
    if missing := [name for name in names if attrs.get(name) in (None, "")]:
        raise serializers.ValidationError({name: [REQUIRED] for name in missing})


class DeviationLine(DeviationSerializer):
    """A deviation in an imported file: what happened in the trial, of a patient by subject id.

    From a criterion none is imported: that rests on a screening which an investigator saw here.
    """

    patient = Text(max_length=40)  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The import finds the patient."""
        _refuse_given(attrs, "criterion", _("Not by import: POST to /api/v1/deviations/."))
        return described(attrs)


def deviation_document(deviation: Deviation) -> DeviationDocument:
    """The deviation."""
    return {
        "id": deviation.pk,
        "version": deviation.version,
        "patient": deviation.patient_id,
        "criterion": deviation.criterion_id,
        "screening": deviation.screening_id,
        "screening_version": deviation.screening_version,
        "occurred_on": deviation.occurred_on.isoformat(),
        "category": DeviationCategory(deviation.category),
        "description": deviation.description,
        "justification": deviation.justification,
        "major": deviation.major,
        "links": {"self": reverse("api:deviation", args=[deviation.pk])},
    }


class WeightSerializer(StrictSerializer):
    """Whether a deviation is major."""

    major = FlagField()


class EnrollmentSerializer(ReasonSerializer):
    """The day of enrollment, perhaps an arm, and why it is written."""

    enrolled_on = CalendarDateField()
    arm = Text(
        max_length=100,
        allow_null=True,
        required=False,
        help_text=_("The arm's name; in a randomized trial allocation gives it."),
    )
