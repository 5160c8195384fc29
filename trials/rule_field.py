"""A criterion's rule over HTTP: read by `trials.eligibility`, described as it is in OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from pydantic import ValidationError as Misruled
from rest_framework import serializers

from registry.json_schema import described
from trials import eligibility, eligibility_wording

Place = tuple[int | str, ...]


def rule_errors(error: Misruled, document: Any) -> Iterator[tuple[Place, str]]:
    """Where a rule is wrong, and what would be accepted there."""
    for found in error.errors():
        place = eligibility.place(found["loc"], document)
        yield place, eligibility_wording.rule_error(found)


class RuleField(serializers.JSONField):
    """A criterion's rule as JSON; keys that say nothing are left out of what is stored."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The document of the rule; each error is at its own key."""
        try:
            return eligibility.as_document(eligibility.parse(data))
        except Misruled as error:
            raise serializers.ValidationError(_nested(error, data)) from error


def _nested(error: Misruled, document: Any) -> dict[str, Any]:
    """Messages nested as the document is."""
    tree: dict[str, Any] = {}
    for place, text in rule_errors(error, document):
        node = tree
        for step in place:
            node = node.setdefault(str(step), {})
        node.setdefault("non_field_errors", []).append(text)
    return tree


class RuleSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """The rules' own JSON Schema, in the OpenAPI document."""

    target_class = RuleField

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """One component for every kind of rule; what says nothing is left out of answers too."""
        rule: Any = eligibility.Rule
        return described(rule, auto_schema, "validation", union="EligibilityRule")
