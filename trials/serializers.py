"""Trials over HTTP: types, limits and defaults come from the models; unknown keys are refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from pydantic import ValidationError as Misdefined
from pydantic_core import ErrorDetails
from rest_framework import serializers

from registry.document_errors import document_error
from registry.fields import Number, Text, WholeNumber, plain
from registry.json_schema import described
from registry.rest import CalendarDateField, StrictSerializer
from trials.definition_wording import MISFITS
from trials.definitions import EndpointDefinition, misfit
from trials.models import (
    Arm,
    Criterion,
    Endpoint,
    Intervention,
    Official,
    ProtocolVersion,
    PublishedFigure,
    Site,
    Trial,
)
from trials.rule_field import RuleField
from trials.vocabularies import code_of

SITE = ("code", "name", "city", "state", "zip", "country", "timezone", "status")
OFFICIAL = ("name", "affiliation", "role", "phone", "email")
INTERVENTION = (
    *("name", "type", "description", "other_names"),
    *("dose", "unit", "route", "days_on", "cycle_days"),
)
ARM = ("name", "type", "description")
ENDPOINT = ("kind", "name", "role", "title", "wording", "time_frame", "note", "definition")
CRITERION = ("kind", "text", "rule", "note", "source")
PUBLISHED = ("measure", "source", "printed", "reconciled", "discrepancy")


class TermField(serializers.ChoiceField):
    """A controlled term: its code, or the registry's label in any case."""

    spelling = gettext_lazy("The code, or the label of ClinicalTrials.gov, in any case.")

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, **options)
        self.accepted = ", ".join(self.choices)

    def to_internal_value(self, data: Any) -> Any:
        """The code."""
        text = data.strip() if isinstance(data, str) else None
        if text == "" and self.allow_blank:
            return ""
        code = code_of(self.choices.items(), text) if text else None
        if code is None:
            raise serializers.ValidationError(_("One of: %s.") % self.accepted)
        return code


DEFINITION_ERRORS = {
    "confirmation_by_irecist": gettext_lazy(
        "By iRECIST no response needs confirmation: required is false."
    ),
}


class DefinitionField(serializers.JSONField):
    """An endpoint's definition; absent keys take the defaults, visibly."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The whole document; each error is at its own key."""
        try:
            return EndpointDefinition.parse(plain(data)).as_document()
        except Misdefined as error:
            raise serializers.ValidationError(_by_key(error.errors())) from error
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: Any) -> Any:
        """The whole document."""
        return EndpointDefinition.parse(value).as_document()


class DefinitionSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """The definition's own JSON Schema, in the OpenAPI document."""

    target_class = DefinitionField

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Every key in answers; requests may leave any out."""
        asked = direction == "request"
        return described(
            EndpointDefinition, auto_schema, "validation" if asked else "serialization"
        )


def fits(said: dict[str, Any]) -> dict[str, Any]:
    """An endpoint whose definition means something of its kind; else the error is at the key."""
    definition = EndpointDefinition.parse(said.get("definition", {}))
    if key := misfit(said.get("kind", ""), definition):
        raise serializers.ValidationError({"definition": {key: [str(MISFITS[key])]}})
    return said


def _by_key(errors: Iterable[ErrorDetails]) -> dict[str, Any]:
    """Messages nested as the document is."""
    tree: dict[str, Any] = {}
    for error in errors:
        node = tree
        for step in error["loc"]:
            node = node.setdefault(str(step), {})
        node["non_field_errors"] = [document_error(error, DEFINITION_ERRORS)]
    return tree


class ModelFields(StrictSerializer, serializers.ModelSerializer[Any]):
    """Fields of a model, with JSON's own types; nothing is saved here."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: Text,
        models.TextField: Text,
        models.PositiveIntegerField: WholeNumber,
        models.PositiveSmallIntegerField: WholeNumber,
        models.DecimalField: Number,
        models.DateField: CalendarDateField,
    }
    serializer_choice_field = TermField


class SiteSerializer(ModelFields):
    """A site; matched by its code."""

    class Meta:
        model = Site
        fields = ["id", *SITE]


class OfficialSerializer(ModelFields):
    """An official or a contact; matched by role and name."""

    class Meta:
        model = Official
        fields = ["id", *OFFICIAL]


class InterventionSerializer(ModelFields):
    """An intervention; matched by its name within the arm."""

    days_on = serializers.ListField(child=WholeNumber(min_value=1, max_value=31), required=False)

    class Meta:
        model = Intervention
        fields = ["id", *INTERVENTION]

    def validate_days_on(self, days: list[int]) -> list[int]:
        """Each day once, in order."""
        return sorted(set(days))


class ArmSerializer(ModelFields):
    """An arm; matched by its name."""

    interventions = InterventionSerializer(many=True, required=False)

    class Meta:
        model = Arm
        fields = ["id", *ARM, "interventions"]

    def validate_interventions(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Names are unique."""
        return each_once(rows, "name")


class EndpointSerializer(ModelFields):
    """An endpoint; matched by kind and name."""

    definition = DefinitionField(default=EndpointDefinition().as_document)

    class Meta:
        model = Endpoint
        fields = ["id", "version", *ENDPOINT]
        read_only_fields = ["version"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nothing that changes nothing."""
        return fits(attrs)


class CriterionSerializer(ModelFields):
    """An eligibility criterion; matched by its id, a new one has none."""

    id = WholeNumber(min_value=1, max_value=2**63 - 1, required=False, allow_null=True)
    rule = RuleField(required=False, allow_null=True)

    class Meta:
        model = Criterion
        fields = ["id", *CRITERION]


class PublishedFigureSerializer(ModelFields):
    """A figure as a source prints it; matched by measure and source."""

    class Meta:
        model = PublishedFigure
        fields = ["id", *PUBLISHED]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A figure is never put right in silence."""
        if attrs.get("reconciled") and not attrs.get("discrepancy"):
            detail = _("Say what contradicts the printed figure, or leave reconciled blank.")
            raise serializers.ValidationError({"discrepancy": [detail]})
        return attrs


class CurrentProtocolSerializer(ModelFields):
    """The version of the protocol as it stands."""

    class Meta:
        model = ProtocolVersion
        fields = ["number", "label", "effective_on", "consent_version"]


class TrialSerializer(ModelFields):
    """A trial with its protocol."""

    sites = SiteSerializer(many=True, required=False)
    officials = OfficialSerializer(many=True, required=False)
    arms = ArmSerializer(many=True, required=False)
    endpoints = EndpointSerializer(many=True, required=False)
    criteria = CriterionSerializer(many=True, required=False)
    published = PublishedFigureSerializer(many=True, required=False)
    protocol_version = CurrentProtocolSerializer(read_only=True)
    links = serializers.SerializerMethodField()

    class Meta:
        model = Trial
        fields = [
            "id",
            "version",
            "registry_id",
            "brief_title",
            "official_title",
            "acronym",
            "org_study_id",
            "secondary_ids",
            "brief_summary",
            "detailed_description",
            "phase",
            "status",
            "study_type",
            "allocation",
            "intervention_model",
            "primary_purpose",
            "masking",
            "unblinded_at",
            "observational_model",
            "time_perspective",
            "start_date",
            "start_date_type",
            "primary_completion_date",
            "primary_completion_date_type",
            "completion_date",
            "completion_date_type",
            "enrollment_target",
            "enrollment_type",
            "eligible_sex",
            "minimum_age",
            "maximum_age",
            "healthy_volunteers",
            "sarcoma",
            "conditions",
            "keywords",
            "lead_sponsor",
            "collaborators",
            "principal_investigator",
            "response_criteria",
            "irecist",
            "assessment_interval_days",
            "assessment_window_days",
            "baseline_window_days",
            "ctcae_version",
            "ae_window_days",
            "enrollment_gate",
            "synthetic",
            "protocol_version",
            "sites",
            "officials",
            "arms",
            "endpoints",
            "criteria",
            "published",
            "links",
        ]
        read_only_fields = ["version", "synthetic", "unblinded_at"]
        # A taken id is a conflict, which the action finds.
        extra_kwargs = {"registry_id": {"validators": Trial.registry_id.field.validators}}

    def get_links(self, trial: Trial) -> dict[str, str]:
        """Where to go from here."""
        return {
            "self": reverse("api:trial", args=[trial.registry_id]),
            "protocol_versions": reverse("api:protocol_versions", args=[trial.registry_id]),
            "outcomes": reverse("api:outcomes", args=[trial.registry_id]),
            "patients": f"{reverse('api:patients')}?trial={trial.registry_id}",
        }

    def validate_sites(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Codes are unique."""
        return each_once(rows, "code")

    def validate_officials(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Nobody has a role twice."""
        return each_once(rows, "role", "name")

    def validate_arms(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Names are unique."""
        return each_once(rows, "name")

    def validate_endpoints(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Names are unique within a kind."""
        return each_once(rows, "kind", "name")

    def validate_criteria(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ids are unique."""
        return each_once(rows, "id")

    def validate_published(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Each source prints a measure once."""
        return each_once(rows, "measure", "source")


def each_once(rows: list[dict[str, Any]], *key: str) -> list[dict[str, Any]]:
    """The rows, if no two share their key; criteria without an id are new ones."""
    seen: set[tuple[object, ...]] = set()
    errors = []
    for row in rows:
        named = tuple(row.get(name) or "" for name in key)
        errors.append({key[-1]: [_("Twice in this list.")]} if named in seen else {})
        if any(named):
            seen.add(named)
    if any(errors):
        raise serializers.ValidationError(errors)
    return rows
