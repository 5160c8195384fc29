"""Types and fields as JSON Schema: what documents and controlled terms become in OpenAPI."""

from __future__ import annotations

from typing import Any, cast

from django.utils.translation import gettext_lazy as _
from drf_spectacular.drainage import warn
from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentIdentity, ResolvedComponent
from drf_spectacular.utils import Direction
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema
from rest_framework import serializers
from typing_extensions import is_typeddict

from registry.fields import JSONObject
from registry.rest import DECIMAL, MillimeterField

REF = "#/components/schemas/{model}"


class DocumentJsonSchema(GenerateJsonSchema):
    """JSON Schema of documents: no keys but those that are named, no made-up titles."""

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        """An object of exactly these keys."""
        return {**super().typed_dict_schema(schema), "additionalProperties": False}

    def field_is_required(self, field: Any, total: bool) -> bool:
        """What has a default may be left out of a request; an answer always has it."""
        defaulted = self.mode == "serialization" and field["type"] == "model-field"
        return defaulted or super().field_is_required(field, total)

    def field_title_should_be_set(self, schema: Any) -> bool:
        """A key is its own title."""
        return False

    def get_title_from_name(self, name: str) -> str:
        """The component's own name."""
        return name


def described(
    kind: Any, auto_schema: AutoSchema, mode: JsonSchemaMode = "serialization", *, union: str = ""
) -> dict[str, Any]:
    """The JSON Schema of a type, a reference where it has a name; named types become components.

    What a request may leave out an answer always has, so that a request's parts have own names;
    those of a `union`, named so, are alike in both.
    """
    listed = TypeAdapter(list[kind]).json_schema(
        mode=mode, ref_template=REF, schema_generator=DocumentJsonSchema
    )
    schema: dict[str, Any] = listed["items"]
    parts = listed.get("$defs", {})
    if union:
        schema, parts = _as_union(schema, parts, union)
    elif mode == "validation":
        schema, parts = _as_requests(schema, parts)
    for name, part in parts.items():
        _register(auto_schema, component(name, part))
    return schema


def _register(auto_schema: AutoSchema, part: ResolvedComponent) -> None:
    """Add a component; two types of one name would describe each other's answers."""
    stored = auto_schema.registry._components.setdefault(part.key, part)
    if stored.schema is None:  # being described just now
        stored.schema = part.schema
    if stored.schema != part.schema:
        warn(f'Two types are named "{part.name}": {stored.schema} and {part.schema}.')


def _as_requests(schema: Any, parts: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    objects = {name for name, part in parts.items() if part.get("type") == "object"}
    named = {REF.format(model=name): REF.format(model=f"{name}Request") for name in objects}
    renamed = {f"{name}Request" if name in objects else name: p for name, p in parts.items()}
    return _replaced(schema, named), _replaced(renamed, named)


def _as_union(schema: Any, parts: dict[str, Any], union: str) -> tuple[Any, dict[str, Any]]:
    """A union as a component of its own, also where its parts hold it; parts go by their titles."""
    shared = {
        name: _shared(part, schema, {"$ref": REF.format(model=union)})
        for name, part in parts.items()
    }
    named = {
        REF.format(model=name): REF.format(model=part["title"]) for name, part in parts.items()
    }
    titled = {part["title"]: part for part in shared.values()} | {union: schema}
    return {"$ref": REF.format(model=union)}, _replaced(titled, named)


def _shared(value: Any, schema: Any, reference: dict[str, str]) -> Any:
    if value == schema:
        return reference
    if isinstance(value, dict):
        return {key: _shared(item, schema, reference) for key, item in value.items()}
    return (
        [_shared(item, schema, reference) for item in value] if isinstance(value, list) else value
    )


def _replaced(value: Any, named: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, named) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, named) for item in value]
    return named.get(value, value) if isinstance(value, str) else value


def component(name: str, schema: dict[str, Any]) -> ResolvedComponent:
    """A named part of the document, identified by its name."""
    identity: Any = ComponentIdentity
    resolved: Any = ResolvedComponent
    return cast(ResolvedComponent, resolved(name, "schemas", schema, identity(name)))


class DocumentExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """`responses=VisitDocument`: a TypedDict becomes a component."""

    target_class = TypeAdapter  # any, `_matches` decides

    @classmethod
    def _matches(cls, target: Any) -> bool:
        return is_typeddict(target)

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        """The type's own."""
        return str(self.target.__name__)

    def get_identity(self, auto_schema: AutoSchema, direction: Direction) -> Any:
        """By name, as its parts."""
        return component(self.target.__name__, {}).object

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """The JSON Schema of what is sent."""
        described(self.target, auto_schema)
        return dict(auto_schema.registry[self.target.__name__, ResolvedComponent.SCHEMA].schema)


class MillimeterSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A number; in requests also text that spells one."""

    target_class = MillimeterField

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """A number within the field's bounds, or a string."""
        bounds = {"minimum": float(self.target.min_value), "maximum": float(self.target.max_value)}
        number = {"type": "number", **bounds}
        text = {"type": "string", "pattern": f"^{DECIMAL.pattern}$", "examples": ["33.5"]}
        meaning = {"description": _("Millimeters, at most two decimals; a number or a string.")}
        return {"anyOf": [number, text]} | meaning if direction == "request" else number


class ChoiceSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A controlled term: its code; requests may spell it in any case."""

    target_class = serializers.ChoiceField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """The codes, with blank and null where those are taken."""
        field = self.target
        others = [*([""] if field.allow_blank else []), *([None] if field.allow_null else [])]
        schema = {"type": "string", "enum": [*(str(code) for code in field.choices), *others]}
        spelled = {"description": getattr(field, "spelling", _("Any case is accepted."))}
        return schema | spelled if direction == "request" else schema


class ObjectSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Any JSON object."""

    target_class = JSONObject

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """An object of any keys."""
        return {"type": "object", "additionalProperties": True}
