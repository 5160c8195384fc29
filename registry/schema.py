"""The OpenAPI description of the API's manners: problem answers, If-Match, reasons, tokens."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from registry.idempotency import HEADER, KEY, REPLAYED
from registry.rest import PROBLEM

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description=_('The ETag of the version you read, such as "3".'),
)
ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description=_("The object's version, quoted."),
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
REASON = {"type": "string", "minLength": 1, "maxLength": 500, "description": _("Why it changed.")}
MEANING = {
    400: _("The request cannot be understood or stored; `errors` says where."),
    401: _("The token is missing, unknown or expired."),
    403: _("The caller's role does not allow this."),
    404: _("No such record, or not the caller's."),
    409: _("The request contradicts what is stored."),
    412: _("The version in If-Match is not the current one."),
    428: _("If-Match is missing."),
}
KEY_REUSED = _(
    "The request contradicts what is stored, or its Idempotency-Key was sent before with another "
    "body or query string."
)


class ProblemErrorSerializer(serializers.Serializer[Any]):
    """One thing that is wrong, and where: in the body, a query parameter or an imported line."""

    pointer = serializers.CharField(required=False, help_text="JSON Pointer, /targets/0/organ")
    parameter = serializers.CharField(required=False)
    line = serializers.IntegerField(required=False)
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem document."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    parameter = serializers.CharField(required=False)
    errors = ProblemErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class Schema(AutoSchema):
    """Adds to each operation what holds for all of its kind."""

    @property
    def changes(self) -> bool:
        """Whether the operation needs the version it changes and a reason."""
        voids = self.method == "POST" and self.path.endswith("/void/")
        return self.method in ("PUT", "PATCH") or voids

    @property
    def conditional(self) -> bool:
        """Whether the view answers 304 to a reader who holds the current document."""
        return self.method == "GET" and getattr(self.view, "conditional", False)

    def get_override_parameters(self) -> list[Any]:
        """If-Match for a change, the key of a POST, the ETag of single objects and documents."""
        if self.conditional:
            return [IF_NONE_MATCH, VARIANT_ETAG]
        single = self.method != "GET" or not self._is_list_view()
        once = [IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED] if self.method == "POST" else []
        return [*([IF_MATCH] if self.changes else []), *once, *([ETAG] if single else [])]

    def _get_request_for_media_type(
        self, serializer: Any, direction: Any = "request"
    ) -> tuple[Any, bool]:
        inherited = super()._get_request_for_media_type
        schema, required = inherited(serializer, direction)  # type: ignore[no-untyped-call]
        if schema is None or self.method not in ("PUT", "PATCH"):
            return schema, required
        reason = {"type": "object", "properties": {"reason": REASON}, "required": ["reason"]}
        return {"allOf": [schema, reason]}, True

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if self.conditional:
            bodies["304"] = self._get_response_for_code(NOT_MODIFIED, "304")  # type: ignore[no-untyped-call]
        posts = {409: KEY_REUSED} if self.method == "POST" else {}
        for code in self._problems():
            body = self._get_response_for_code(  # type: ignore[no-untyped-call]
                ProblemSerializer, str(code), [PROBLEM], direction=direction
            )
            bodies.setdefault(str(code), body | {"description": (MEANING | posts)[code]})
        return bodies

    def _problems(self) -> list[int]:
        writes = [403, 409] if self.method != "GET" else []
        once = self.method == "POST"  # a first answer whose record the caller may no longer see
        found = [404] if "{" in self.path or once or self._is_list_view() else []
        return sorted([400, 401, *writes, *found, *([412, 428] if self.changes else [])])


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
