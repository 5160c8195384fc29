"""The OpenAPI description of the API's manners: answers, problems, If-Match, reasons, tokens."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, build_bearer_security_scheme_object
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from typing_extensions import is_typeddict

from registry.documents import ProblemDocument
from registry.idempotency import HEADER, KEY, REPLAYED
from registry.json_schema import REF, component
from registry.rest import PROBLEM, VERSION_TAG, StrictSerializer

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    pattern=f"^{VERSION_TAG.pattern}$",
    description=_('The ETag of the version you read, such as "3".'),
)
ETAG = OpenApiParameter(
    "ETag",
    {"type": "string", "pattern": f"^{VERSION_TAG.pattern}$"},
    OpenApiParameter.HEADER,
    required=True,
    response=[200, 201],
    description=_("The object's version, quoted: a strong tag."),
)
CHALLENGE = OpenApiParameter(
    "WWW-Authenticate",
    str,
    OpenApiParameter.HEADER,
    required=True,
    response=[401],
    description=_("Token."),
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description=_("ETags of answers that you hold; 304 where one of them is current."),
)
VARIANT_ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=[200, 304],
    description=_(
        "Changes with the data, the query, the reader's scope and language, and the day."
    ),
)
NOT_MODIFIED = OpenApiResponse(description=_("The answer that you hold is current."))
IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": f"^{KEY}$"},
    OpenApiParameter.HEADER,
    description=_(
        "A name of this request, such as a UUID: sent again within seven days with the same body, "
        "it is not carried out again but answered as the first time."
    ),
)
IDEMPOTENCY_REPLAYED = OpenApiParameter(
    REPLAYED,
    {"type": "string", "const": "true"},
    OpenApiParameter.HEADER,
    response=[200, 201],
    description=_("The answer is that of the first request with this Idempotency-Key."),
)
REASON = {
    "type": "string",
    "minLength": 1,
    "maxLength": 500,
    "pattern": r"\S",
    "description": _("Why it changed; kept in the audit trail."),
}
IGNORED = {
    "description": _("Read-only: accepted, so that what was read can be sent back; ignored.")
}
MEANING = {
    400: _("The request cannot be understood or stored; `errors` says where."),
    401: _("The token is missing, unknown or expired."),
    403: _("The caller's role does not allow this."),
    404: _("No such record, or not the caller's."),
    406: _("None of the media types in Accept can be given."),
    409: _("The request contradicts what is stored."),
    412: _("The version in If-Match is not the current one."),
    413: _("The body is too large."),
    415: _("The body's media type is not understood."),
    428: _("If-Match is missing."),
}
# What a POST does to a stored row.
AGAINST_A_VERSION = (
    "/void/",
    "/conclude/",
    "/enroll/",
    "/transfer/",
    "/randomize/",
    "/protocol-versions/",
    "/answer/",
    "/close/",
    "/reopen/",
    "/unblind/",
)
KEY_REUSED = _(
    "The request contradicts what is stored, or its Idempotency-Key was sent before with another "
    "body or query string."
)


class Schema(AutoSchema):
    """Adds to each operation what holds for all of its kind."""

    @property
    def changes(self) -> bool:
        """Whether the operation needs the version it changes."""
        acts = self.method == "POST" and self.path.endswith(AGAINST_A_VERSION)
        return self.method in ("PUT", "PATCH") or acts

    @property
    def conditional(self) -> bool:
        """Whether the view answers 304 to a reader who holds the current document."""
        return self.method == "GET" and getattr(self.view, "conditional", False)

    @property
    def stores(self) -> bool:
        """Whether the operation may contradict what is stored."""
        return self.method != "GET" and not self.path.endswith("/preview/")

    def _is_list_view(self, serializer: Any = None) -> bool:
        paged = self.method == "GET" and hasattr(self.view, "pagination_class")
        return paged and serializer is not str  # CSV has no pages

    def get_override_parameters(self) -> list[Any]:
        """If-Match for a change, the key of a POST, the ETag of what has a version or is computed."""
        if self.conditional:
            return [IF_NONE_MATCH, VARIANT_ETAG, CHALLENGE]
        tags = [] if self._is_list_view() or not self._has_version() else [ETAG]
        once = [IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED] if self.method == "POST" else []
        return [*([IF_MATCH] if self.changes else []), *once, *tags, CHALLENGE]

    def _has_version(self) -> bool:
        answers = self.get_response_serializers()
        found = answers.values() if isinstance(answers, dict) else [answers]
        return any("version" in _keys(answer) for answer in found)

    def _get_request_for_media_type(
        self, serializer: Any, direction: Any = "request"
    ) -> tuple[Any, bool]:
        inherited = super()._get_request_for_media_type
        schema, required = inherited(serializer, direction)  # type: ignore[no-untyped-call]
        if schema is None or self.method not in ("PUT", "PATCH"):
            return schema, required
        return self._with_reason(schema["$ref"].rpartition("/")[2]).ref, True

    def _with_reason(self, name: str) -> ResolvedComponent:
        """The body of a change: what a POST takes, and why; a PATCH has a component anyway."""
        body = self.registry[name, ResolvedComponent.SCHEMA]
        if self.method == "PUT":
            changed = name.removesuffix("Request") + "ChangeRequest"
            body = component(changed, deepcopy(body.schema))
            self.registry.register_on_missing(body)
        body.schema["properties"]["reason"] = REASON
        body.schema["required"] = sorted({*body.schema.get("required", ()), "reason"})
        return body

    def _postprocess_serializer_schema(
        self, schema: dict[str, Any], serializer: Any, direction: Direction
    ) -> dict[str, Any]:
        """Requests refuse unknown keys and ignore read-only ones; answers have every key."""
        inherited = super()._postprocess_serializer_schema
        schema = inherited(schema, serializer, direction)  # type: ignore[no-untyped-call]
        if not isinstance(serializer, serializers.BaseSerializer):
            return schema
        if direction == "response":
            return schema | {"required": sorted(schema["properties"]), **CLOSED}
        if isinstance(serializer, StrictSerializer):
            schema = {"properties": {}} | schema  # one without fields has none
            self.registry.register_on_missing(component("Ignored", IGNORED))
            read_only = {name for name, field in serializer.fields.items() if field.read_only}
            names = sorted({*serializer.ignored, *read_only} - schema["properties"].keys())
            ignored = dict.fromkeys(names, {"$ref": REF.format(model="Ignored")})
            said = schema["properties"]
            if serializer.null_is_absent:
                optional = said.keys() - set(schema.get("required", ()))
                said = {n: _or_null(part) if n in optional else part for n, part in said.items()}
            return schema | {"properties": said | ignored, **CLOSED}
        return schema

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if self.conditional:
            bodies["304"] = self._get_response_for_code(NOT_MODIFIED, "304")  # type: ignore[no-untyped-call]
        posts = {409: KEY_REUSED} if self.method == "POST" else {}
        for code in self._problems():
            body = self._get_response_for_code(  # type: ignore[no-untyped-call]
                ProblemDocument, str(code), [PROBLEM], direction=direction
            )
            bodies.setdefault(str(code), body | {"description": (MEANING | posts)[code]})
        return bodies

    def _problems(self) -> list[int]:
        posts = self.method == "POST"  # whose key may be another request's, or its record lost
        writes = [413, 415] if self.method != "GET" else []
        guarded = self.method != "GET" or getattr(self.view, "guarded", False)
        stores = [409] if self.stores or posts else []
        found = [404] if "{" in self.path or self._is_list_view() or posts else []
        changes = [412, 428] if self.changes else []
        roles = [403] if guarded else []
        return sorted([400, 401, 406, *roles, *writes, *stores, *found, *changes])


CLOSED = {"additionalProperties": False}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _keys(answer: Any) -> Iterator[str]:
    """The top-level keys of an answer's description."""
    if is_typeddict(answer):
        yield from answer.__annotations__
    elif isinstance(answer, type) and issubclass(answer, serializers.Serializer):
        yield from answer().fields.keys()


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Token <key>`."""

    target_class = "registry.rest.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """The header, as OpenAPI describes it."""
        definition: dict[str, Any] = build_bearer_security_scheme_object(
            header_name="Authorization", token_prefix="Token"
        )
        return definition
