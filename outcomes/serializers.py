"""Visits over HTTP: a body becomes a `VisitEntry`, a stored visit its JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from outcomes.actions import Preview
from outcomes.documents import (
    DerivedDocument,
    ImmuneDocument,
    LesionDescription,
    NewLesionDocument,
    NonTargetDocument,
    PreviewDocument,
    ReasonDocument,
    SoftCheckDocument,
    TargetDocument,
    Unsaid,
    VisitDocument,
)
from outcomes.entries import (
    Acknowledgement,
    NewLesionEntry,
    NonTargetEntry,
    Row,
    TargetEntry,
    VisitEntry,
)
from outcomes.history import described
from outcomes.methods import recist
from outcomes.methods.irecist import ImmuneDerived, confirmation_window
from outcomes.methods.soft_checks import Check, SoftCheck
from outcomes.models import (
    BoneTypeChoice,
    CertaintyChoice,
    Evaluator,
    GrowthChoice,
    Lesion,
    Measurement,
    MethodChoice,
    NewLesionStatus,
    NonTargetStateChoice,
    NonTargetStatus,
    ResponseChoice,
    TargetStateChoice,
    Visit,
)
from outcomes.wording import word, word_check
from registry.fields import Text, WholeNumber
from registry.rest import CalendarDateField, FlagField, MillimeterField, StrictSerializer


class LowercaseChoiceField(serializers.ChoiceField):
    """A choice in any case; the error names what would be accepted."""

    default_error_messages = {"invalid_choice": _("One of: {accepted}.")}

    def to_internal_value(self, data: Any) -> Any:
        """The stored value."""
        folded = data.casefold() if isinstance(data, str) else data
        for choice in self.choices:
            if isinstance(folded, str) and str(choice).casefold() == folded:
                return choice
        if data == "" and self.allow_blank:
            return ""
        self.fail("invalid_choice", accepted=", ".join(str(choice) for choice in self.choices))


def _choice(choices: Any, **options: Any) -> LowercaseChoiceField:
    return LowercaseChoiceField(choices=choices.choices, **options)


def _term(terms: type[StrEnum], **options: Any) -> LowercaseChoiceField:
    return LowercaseChoiceField(choices=[(term.value, term.value) for term in terms], **options)


class LesionRow(StrictSerializer):
    """What a row may say of its lesion."""

    ignored = StrictSerializer.ignored | {"organ_group"}
    null_is_absent = True

    lesion = Text(max_length=10, help_text=_("The label: T01, NT01, NL01 ..."))
    organ = Text(
        max_length=100,
        required=False,
        allow_blank=True,
        help_text=_("Required where the lesion is first seen; English, Chinese or abbreviated."),
    )
    description = Text(max_length=200, required=False, allow_blank=True)
    nodal = FlagField(required=False, help_text=_("A lymph node; else as the organ says."))
    method = _choice(MethodChoice, required=False, allow_blank=True)


class BaselineLesionRow(LesionRow):
    """What a baseline row may say besides."""

    slice_mm = MillimeterField(min_value="0.01", max_value=50, required=False)
    bone_type = _choice(BoneTypeChoice, required=False, allow_blank=True)
    previously_irradiated = FlagField(required=False)
    progressed_since_irradiation = FlagField(required=False)


class TargetRow(BaselineLesionRow):
    """A target lesion at a visit; `state` is required unless it is a preview."""

    state = _choice(TargetStateChoice, required=False)
    diameter_mm = MillimeterField(required=False)
    reason = Text(
        max_length=300,
        required=False,
        allow_blank=True,
        help_text=_("Why it could not be evaluated: required with not_evaluable."),
    )
    merged_into = Text(
        max_length=10,
        required=False,
        allow_blank=True,
        help_text=_("The label of another target: required with merged."),
    )
    fragments_mm = serializers.ListField(
        child=MillimeterField(),
        required=False,
        max_length=20,
        help_text=_("Of a lesion that fell apart; their sum replaces diameter_mm."),
    )


GROWTH = _(
    "Whether it is larger than at the visit before: of a lesion judged by eye, at follow-up visits"
    " of trials that use iRECIST."
)


class NonTargetRow(BaselineLesionRow):
    """A non-target lesion at a visit; `status` is required unless it is a preview."""

    status = _choice(NonTargetStateChoice, required=False)
    short_axis_mm = MillimeterField(required=False)
    reason = Text(
        max_length=300,
        required=False,
        allow_blank=True,
        help_text=_("Why it could not be evaluated: required with not_evaluable."),
    )
    growth = _choice(GrowthChoice, required=False, allow_blank=True, help_text=GROWTH)


class NewLesionRow(LesionRow):
    """A lesion that was not there at baseline; `certainty` is required unless it is a preview."""

    lesion = Text(
        max_length=10,
        required=False,
        help_text=_("An earlier one's label; without a label it gets the next free one."),
    )
    certainty = _choice(CertaintyChoice, required=False)
    diameter_mm = MillimeterField(required=False)
    growth = _choice(GrowthChoice, required=False, allow_blank=True, help_text=GROWTH)


class AcknowledgementRow(StrictSerializer):
    """A soft check that the sender has looked at."""

    code = _term(Check, help_text=_("The check's code, as the preview gives it."))
    lesion = Text(
        max_length=10,
        required=False,
        allow_blank=True,
        help_text=_("Its lesion; blank for a check of the whole visit."),
    )
    comment = Text(
        max_length=1000,
        required=False,
        allow_blank=True,
        help_text=_("Blank: confirmed, as in source."),
    )


class VisitSerializer(StrictSerializer):
    """A visit as it is sent: a follow-up lists every target and every non-target."""

    evaluator = _choice(
        Evaluator,
        required=False,
        help_text=_("Who read the scan: reviewer for independent reviewers, who must say so."),
    )
    patient = WholeNumber(min_value=1, max_value=2**63 - 1, help_text=_("The patient's id."))
    kind = _choice(Visit.Kind)
    date = CalendarDateField(help_text=_("The date of the scan, not in the future at the site."))
    targets = TargetRow(many=True)
    non_targets = NonTargetRow(many=True)
    # Not `many=True`, which would allow null rows together with a null list.
    new_lesions: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=NewLesionRow(),
        required=False,
        allow_null=True,
        help_text=_("Empty: asked and none. A baseline may leave it out, a follow-up may not."),
    )
    stated_response = _choice(
        ResponseChoice,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text=_("What the investigator says."),
    )
    stated_response_reason = Text(
        max_length=500,
        required=False,
        allow_blank=True,
        help_text=_("Required where the stated response differs from the derived one."),
    )
    acknowledged = AcknowledgementRow(
        many=True,
        required=False,
        help_text=_(
            "Soft checks of this visit that were confirmed or commented; each of the others opens "
            "a query. Never read back: see the visit's queries."
        ),
    )


FIELD_POINTER = re.compile(
    r"/(date|kind|stated_response|stated_response_reason"
    r"|(targets|non_targets|new_lesions)(/\d{1,2}(/[a-z_]+(/\d{1,2})?)?)?)",
    re.ASCII,
)


class VisitCorrection(VisitSerializer):
    """A visit as it is corrected."""

    reasons = serializers.DictField(
        child=Text(max_length=500),
        required=False,
        help_text=_(
            "Why single fields are changed, by JSON Pointer into this body, such as"
            " /targets/0/diameter_mm. They are kept in the audit trail beside `reason`."
        ),
    )

    def validate_reasons(self, reasons: dict[str, str]) -> dict[str, str]:
        """The same; a key must be able to point at a field."""
        accepted = _("A JSON Pointer to a field of the visit, such as /targets/0/diameter_mm.")
        wrong = [key for key in reasons if not FIELD_POINTER.fullmatch(key)]
        if wrong:
            raise serializers.ValidationError({key: [accepted] for key in wrong})
        return reasons


class VisitLine(VisitSerializer):
    """A visit in an imported file, where the patient is named by subject id."""

    patient = Text(max_length=40)  # type: ignore[assignment]

    def validate_evaluator(self, evaluator: str) -> str:
        """The investigator: what is read independently is sent by its reader, visit by visit."""
        if evaluator != Evaluator.INVESTIGATOR:
            raise serializers.ValidationError(_("Files hold the investigator's visits only."))
        return evaluator


class PreviewSerializer(VisitSerializer):
    """A visit that is still being typed; `visit` is the one being corrected."""

    visit = WholeNumber(required=False, allow_null=True, min_value=1, max_value=2**63 - 1)
    date = CalendarDateField(required=False, allow_null=True)
    targets = TargetRow(many=True, required=False)
    non_targets = NonTargetRow(many=True, required=False)


def entry(values: Mapping[str, Any]) -> VisitEntry:
    """A validated body as a value."""
    new = values.get("new_lesions")
    return VisitEntry(
        kind=values["kind"],
        date=values.get("date"),
        targets=tuple(_row(TargetEntry, row) for row in values.get("targets", ())),
        non_targets=tuple(_row(NonTargetEntry, row) for row in values.get("non_targets", ())),
        new_lesions=None if new is None else tuple(_row(NewLesionEntry, row) for row in new),
        stated_response=values.get("stated_response") or "",
        stated_response_reason=values.get("stated_response_reason", ""),
        acknowledged=tuple(Acknowledgement(**said) for said in values.get("acknowledged", ())),
    )


def _row(kind: type[Row], row: Mapping[str, Any]) -> Row:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return kind(**{"lesion": ""} | values).with_node_inferred(row.get("nodal"))


def visit_document(visit: Visit) -> VisitDocument:
    """A stored visit; its rows are expected to be at hand with their lesions."""
    baseline = visit.kind == Visit.Kind.BASELINE
    immune = visit.patient.trial.irecist
    followed = immune and not baseline
    return {
        "id": visit.pk,
        "version": visit.version,
        "patient": visit.patient_id,
        "evaluator": visit.evaluator,
        "kind": Visit.Kind(visit.kind),
        "date": visit.date.isoformat(),
        "targets": [_target(row, baseline) for row in visit.rows("measurements")],
        "non_targets": [
            _non_target(row, baseline, followed) for row in visit.rows("non_target_statuses")
        ],
        "new_lesions": [_new_lesion(row, followed) for row in visit.rows("new_lesion_statuses")],
        "stated_response": recist.Response(visit.stated_response)
        if visit.stated_response
        else None,
        "stated_response_reason": visit.stated_response_reason,
        "derived": derived_document(visit.as_derived(), visit.all_warnings(), immune=immune),
        "links": {
            "self": reverse("api:visit", args=[visit.pk]),
            "patient": reverse("api:patient", args=[visit.patient_id]),
            "queries": f"{reverse('api:queries')}?visit={visit.pk}",
        },
    }


def _target(row: Measurement, baseline: bool) -> TargetDocument:
    seen: TargetDocument = {
        "lesion": row.lesion.label,
        "state": recist.TargetState(row.state),
        "diameter_mm": number(row.diameter_mm),
        "reason": row.reason,
        "merged_into": row.merged_into.label if row.merged_into else None,
        "fragments_mm": [float(mm) for mm in row.fragments_mm],
        "method": _method(row.method),
        "slice_mm": number(row.slice_mm),
    }
    return {**seen, **_description(row.lesion)} if baseline else seen


def _non_target(row: NonTargetStatus, baseline: bool, followed: bool) -> NonTargetDocument:
    seen: NonTargetDocument = {
        "lesion": row.lesion.label,
        "status": recist.NonTargetState(row.status),
        "short_axis_mm": number(row.short_axis_mm),
        "reason": row.reason,
    }
    if followed:
        seen["growth"] = _growth(row.growth)
    return {**seen, **_description(row.lesion)} if baseline else seen


def _growth(stored: str) -> recist.Growth | Unsaid:
    return recist.Growth(stored) if stored else ""


def _new_lesion(row: NewLesionStatus, followed: bool) -> NewLesionDocument:
    seen: NewLesionDocument = {
        "lesion": row.lesion.label,
        "organ": row.lesion.organ,
        "description": row.lesion.description,
        "certainty": recist.Certainty(row.certainty),
        "diameter_mm": number(row.diameter_mm),
        "method": _method(row.method),
        "nodal": row.lesion.nodal,
    }
    return {**seen, "growth": _growth(row.growth)} if followed else seen


def _description(lesion: Lesion) -> LesionDescription:
    entry = described(lesion)
    return {
        "organ": entry.organ,
        "organ_group": lesion.organ_group,
        "nodal": entry.nodal,
        "description": entry.description,
        "method": _method(entry.method),
        "slice_mm": number(entry.slice_mm),
        "bone_type": recist.BoneType(entry.bone_type) if entry.bone_type else "",
        "previously_irradiated": entry.previously_irradiated,
        "progressed_since_irradiation": entry.progressed_since_irradiation,
    }


def _method(stored: str) -> recist.ImagingMethod | Unsaid:
    return recist.ImagingMethod(stored) if stored else ""


def derived_document(
    derived: recist.Derived, warnings: tuple[recist.Reason, ...], *, immune: bool = False
) -> DerivedDocument:
    """What RECIST made of a visit, and iRECIST where it is used; percentages are not rounded."""
    found: DerivedDocument = {
        "sum_mm": number(derived.sum_mm),
        "baseline_sum_mm": number(derived.baseline_sum_mm),
        "nadir_mm": number(derived.nadir_mm),
        "complete": derived.complete,
        "change_from_baseline_percent": number(derived.change_from_baseline_percent),
        "change_from_nadir_percent": number(derived.change_from_nadir_percent),
        "change_from_nadir_mm": number(derived.change_from_nadir_mm),
        "target_response": derived.target_response,
        "non_target_response": derived.non_target_response,
        "new_lesion": derived.new_lesion,
        "overall_response": derived.overall_response,
        "reasons": [_reason(reason) for reason in derived.reasons],
        "warnings": [_reason(reason) for reason in warnings],
    }
    return {**found, "irecist": _immune(derived.immune)} if immune else found


def _immune(derived: ImmuneDerived | None) -> ImmuneDocument | None:
    if derived is None:
        return None
    since = derived.unconfirmed_since
    window = confirmation_window(since) if since else (None, None)
    first, last = (on.isoformat() if on else None for on in window)
    return {
        "response": derived.response,
        "new_lesion_sum_mm": number(derived.new_lesion_sum_mm),
        "new_targets": list(derived.new_targets),
        "new_non_targets": list(derived.new_non_targets),
        "unconfirmed_since": since.isoformat() if since else None,
        "confirm_from": first,
        "confirm_by": last,
        "reasons": [_reason(reason) for reason in derived.reasons],
    }


def preview_document(preview: Preview, *, immune: bool = False) -> PreviewDocument:
    """What saving would derive, and what is missing."""
    derived = preview.derived
    return {
        "derived": derived_document(derived, derived.warnings, immune=immune) if derived else None,
        "missing": [{"pointer": e.pointer, "detail": e.detail} for e in preview.missing],
        "later_visits": [
            {
                "id": visit.id,
                "date": visit.date.isoformat(),
                "from": recist.Response(visit.before) if visit.before else "",
                "to": recist.Response(visit.after) if visit.after else "",
            }
            for visit in preview.later_visits
        ],
        "soft_checks": [_soft_check(check) for check in preview.soft_checks],
    }


def _soft_check(check: SoftCheck) -> SoftCheckDocument:
    return {
        "code": check.check,
        "lesion": check.lesion,
        "pointer": check.pointer,
        "parameters": dict(check.reason.parameters),
        "text": word_check(check.reason),
    }


def _reason(reason: recist.Reason) -> ReasonDocument:
    return {"code": reason.code, "parameters": dict(reason.parameters), "text": word(reason)}


def number(value: Any) -> float | None:
    """An exact decimal or fraction as a JSON number."""
    return None if value is None else float(value)
