"""Publications over HTTP: the catalogue's columns, and the document of what is printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from pydantic import ValidationError as Malformed
from rest_framework import serializers

from registry.document_errors import document_error
from registry.fields import Text, plain
from registry.json_schema import described
from registry.rest import FlagField
from trials.models import Publication, Trial
from trials.publications import LooseEnd, LooseEnds, Place, PublishedResults, place
from trials.serializers import ModelFields

LOOSE_ENDS = {
    LooseEnd.TWICE: gettext_lazy("Twice in this list."),
    LooseEnd.UNKNOWN_GROUP: gettext_lazy("No group of this name; a blank one is everybody."),
}


SENTENCES = {
    "string_pattern_mismatch": gettext_lazy("Written as in this example: %(example)s."),
    "union_tag_not_found": gettext_lazy("A claim names its type, such as proportion or median."),
}


class ResultsField(serializers.JSONField):
    """What a publication prints; absent keys take the defaults, visibly."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The whole document; each error is at its own key."""
        try:
            return PublishedResults.parse(plain(data)).as_document()
        except Malformed as error:
            found = [(place(e["loc"]), _worded(e)) for e in error.errors()]
            raise serializers.ValidationError(_by_place(found)) from error
        except LooseEnds as error:
            ends = [(where, str(LOOSE_ENDS[end])) for where, end in error.ends]
            raise serializers.ValidationError(_by_place(ends)) from error
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: Any) -> Any:
        """The whole document."""
        return PublishedResults.parse(value).as_document()


class ResultsSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """The document's own JSON Schema, in the OpenAPI document."""

    target_class = ResultsField

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Every key in answers; requests may leave any out that has a default."""
        asked = direction == "request"
        return described(PublishedResults, auto_schema, "validation" if asked else "serialization")


def _worded(error: Mapping[str, Any]) -> str:
    example = _examples().get(error.get("ctx", {}).get("pattern", ""), "")
    return document_error(error, SENTENCES, example=example)


@cache
def _examples() -> dict[str, str]:
    """How a text of each pattern is written."""
    return dict(_exemplified(PublishedResults.model_json_schema()))


def _exemplified(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict) and isinstance(node.get("pattern"), str):
        yield node["pattern"], ", ".join(node["examples"])
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for part in inner:
        yield from _exemplified(part)


def _by_place(errors: Iterable[tuple[Place, str]]) -> dict[str, Any]:
    """Messages nested as the document is."""
    tree: dict[str, Any] = {}
    for where, message in errors:
        node = tree
        for step in where:
            node = node.setdefault(str(step), {})
        node.setdefault("non_field_errors", []).append(message)
    return tree


class TrialOf(Text):
    """A trial by its registry id: whoever writes sees every one, a reader those of their own."""

    def to_internal_value(self, data: Any) -> Any:
        """The trial itself."""
        trial = Trial.objects.named(super().to_internal_value(data)).first()
        if trial is None:
            raise serializers.ValidationError(_("No trial of this registry id."))
        return trial

    def get_attribute(self, instance: Any) -> Any:
        """Of a row that was read `as_seen_by` the reader."""
        return instance.visible_trial


class PublicationSerializer(ModelFields):
    """A publication of the catalogue."""

    anlotinib = FlagField(default=True)
    sarcoma = FlagField(default=True)
    trial = TrialOf(
        default=None,
        allow_null=True,
        help_text=gettext_lazy("The registry id; null where there is none, or none of yours."),
    )
    document = ResultsField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = Publication
        fields = [
            "id",
            "version",
            "key",
            "title",
            "year",
            "anlotinib",
            "sarcoma",
            "trial",
            "document",
            "links",
        ]
        read_only_fields = ["version"]
        # A taken key is a conflict, which the action finds.
        extra_kwargs = {"key": {"validators": Publication.key.field.validators}}

    def get_links(self, publication: Publication) -> dict[str, str]:
        """Where to go from here."""
        return {
            "self": reverse("api:publication", args=[publication.key]),
            "audit": reverse("api:publication_audit", args=[publication.key]),
        }
