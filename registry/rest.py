"""The manners of the REST API: tokens, versions, reasons, problem documents, pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import (
    authentication,
    exceptions,
    negotiation,
    pagination,
    parsers,
    renderers,
    serializers,
    status,
)
from rest_framework.request import Request
from rest_framework.response import Response

from registry.blank import is_blank, unseen
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from registry.form_fields import unseen_refused
from registry.models import ApiToken, User
from registry.reader import set_reader

PROBLEM = "application/problem+json"
DEEPEST = 50  # levels of nesting in a body
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DECIMAL = re.compile(r"\s*[+-]?\d+(\.\d*)?\s*", re.ASCII)
VERSION_TAG = re.compile(r'"[1-9]\d{0,8}"', re.ASCII)


def never_cache(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Keep every answer but static files out of browser caches: they hold patients' data."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response

    return middleware


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token <key>` against the stored digests."""

    def authenticate_credentials(self, key: str) -> tuple[User, ApiToken]:
        """The token's user; 401 for a key that is unknown, expired or of a disabled account."""
        token = ApiToken.objects.valid().matching(key).select_related("user").first()
        if token is None:
            raise exceptions.AuthenticationFailed(_("Unknown or expired token."))
        set_reader(token.user)
        return token.user, token


class JSONParser(parsers.JSONParser):
    """JSON with exact decimals; whatever cannot be stored as text is refused here."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The decoded body; 400 for malformed, too deeply nested or unstorable input."""
        try:
            return decode(stream.read())
        except ValueError as error:
            raise exceptions.ParseError(str(error)) from error


def decode(text: bytes) -> Any:
    """JSON with exact decimals; ValueError says why it is none, or what cannot be stored."""
    try:
        body = json.loads(
            text.decode(),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_each_key_once,
        )
        if _needs_a_look(text) and any("\0" in text for text in _texts(body)):
            raise ValueError(_("NUL characters are not accepted."))
    except RecursionError as error:
        raise ValueError(_("The body is nested too deeply.")) from error
    except (ValueError, ArithmeticError) as error:  # 1e99999999999 is no Decimal
        raise ValueError(_("Malformed JSON: %s") % error) from error
    return body


def _needs_a_look(text: bytes) -> bool:
    """Only an escape spells NUL or half a character, and only many brackets nest deeply."""
    return b"\\u" in text or text.count(b"[") + text.count(b"{") > DEEPEST


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two values for one key neither may be dropped in silence."""
    body = dict(pairs)
    if len(body) < len(pairs):
        twice = next(key for index, (key, _value) in enumerate(pairs) if key in dict(pairs[:index]))
        raise ValueError(_("The key %s stands twice.") % twice[:100])
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _texts(value: object, depth: int = 0) -> Iterable[str]:
    """Every text in a body; RecursionError beyond a depth that all later steps can take."""
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(value, str):
        value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key, depth + 1)
            yield from _texts(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, depth + 1)


class Negotiation(negotiation.DefaultContentNegotiation):
    """`Accept`, or `?format=`; a format that is not offered is a bad parameter, not a lost record."""

    def filter_renderers(
        self, renderers: Iterable[renderers.BaseRenderer], format_: str
    ) -> list[renderers.BaseRenderer]:
        """The renderers of a format; 400 where there is none."""
        offered = list(renderers)
        found = [renderer for renderer in offered if renderer.format == format_]
        if not found:
            accepted = ", ".join(str(renderer.format) for renderer in offered)
            raise InvalidParameter("format", _("One of: %s.") % accepted)
        return found


class Pagination(pagination.PageNumberPagination):
    """`page` and `page_size` (50, at most 500), beside the `filters` that the view names."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: Any = None
    ) -> list[Any] | None:
        """One page; 400 for a misspelled filter, which would show more than was asked for."""
        refuse_unknown(request.query_params, getattr(view, "filters", ()))
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        """The asked size; 400 where it is no number from 1 to 500."""
        asked = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (asked.isascii() and asked.isdigit() and len(asked) < 4 and 1 <= int(asked) <= 500):
            raise InvalidParameter("page_size", _("A whole number from 1 to 500."))
        return int(asked)

    def get_page_number(self, request: Request, paginator: Any) -> str:
        """The asked page; 400 where it is no positive number."""
        asked = request.query_params.get(self.page_query_param, "1")
        if not (asked.isascii() and asked.isdigit() and len(asked) < 10 and int(asked) > 0):
            raise InvalidParameter("page", _("A whole number, 1 or more."))
        return str(asked)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Both parameters with their bounds."""
        bounds = {"page": {"maximum": 999_999_999}, "page_size": {"maximum": 500, "default": 50}}
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 1} | bound,
            }
            for name, bound in bounds.items()
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A page: how many there are in all, the neighboring pages, and this one's objects."""
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {
            "count": {"type": "integer", "minimum": 0},
            "next": link,
            "previous": link,
            "results": schema,
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }


def refuse_unknown(query: Mapping[str, str], accepted: Iterable[str]) -> None:
    """Raise InvalidParameter for a key that is neither accepted nor of pages and formats."""
    for name in query:
        if name not in accepted and name not in ("page", "page_size", "format"):
            raise InvalidParameter(name, _("Unknown. Accepted: %s.") % ", ".join(accepted))


class InvalidParameter(exceptions.APIException):
    """A query parameter that cannot be used; the problem document names it.

    `accepted`: the values that could be, where they are few and `detail` lists them.
    """

    status_code = status.HTTP_400_BAD_REQUEST

    def __init__(self, parameter: str, detail: str, accepted: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.parameter = parameter
        self.accepted = accepted

    @classmethod
    def not_one_of(cls, parameter: str, accepted: Sequence[str]) -> InvalidParameter:
        """A value that is none of those that are accepted."""
        return cls(parameter, _("One of: %s.") % ", ".join(accepted), accepted)


def flag_parameter(request: Request, name: str) -> bool:
    """A switch that is off unless asked for; 400 where it is neither true nor false."""
    asked = request.query_params.get(name, "false")
    if asked not in ("true", "false"):
        raise InvalidParameter(name, _("Either true or false."))
    return asked == "true"


class UnusableVersion(exceptions.APIException):
    """An If-Match that names no version."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = gettext_lazy('If-Match takes one strong tag, the version you read: "3".')


class PreconditionRequired(exceptions.APIException):
    """A change without If-Match."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_detail = gettext_lazy('Send If-Match with the version you read: If-Match: "3".')


def _unseen_in(value: Any) -> Any:
    """What is wrong with the texts of a body, nested as it is; nothing where all can be seen."""
    if isinstance(value, str):
        return [unseen_refused(found)] if not is_blank(value) and (found := unseen(value)) else []
    if isinstance(value, Mapping):
        return {key: found for key, item in value.items() if (found := _unseen_in(item))}
    if isinstance(value, list):
        items = [_unseen_in(item) or {} for item in value]
        return items if any(items) else []
    return []


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses keys it does not know; read-only ones are ignored."""

    ignored = frozenset({"id", "version", "derived", "links"})
    null_is_absent = False  # where true, null says as little as a missing key
    _said: Collection[str] = ()

    def to_internal_value(self, data: Any) -> Any:
        """The validated values; an unknown key is an error of its own."""
        if isinstance(data, Mapping):
            if self.null_is_absent:
                data = {key: value for key, value in data.items() if value is not None}
            unknown = [k for k in data if k not in self.fields and k not in self.ignored]
            if unknown:
                accepted = ", ".join(k for k, f in self.fields.items() if not f.read_only)
                message = _("Unknown key. Accepted: %s.") % accepted
                raise serializers.ValidationError({str(key): [message] for key in unknown})
            if refused := _unseen_in(data):
                raise serializers.ValidationError(refused)
            self._said = data.keys()
        return super().to_internal_value(data)

    @property
    def _writable_fields(self) -> list[serializers.Field[Any, Any, Any, Any]]:
        """Without what was left out and may be: DRF asks every field, and most say nothing."""
        return [field for name, field in self.fields.items() if self._is_asked(name, field)]

    def _is_asked(self, name: str, field: serializers.Field[Any, Any, Any, Any]) -> bool:
        optional = not field.required and field.default is serializers.empty
        return not field.read_only and (name in self._said or not optional)


class MillimeterField(serializers.DecimalField):
    """Millimeters with at most two decimals: a number or a string in, a number out."""

    def __init__(self, *, max_value: int = 400, min_value: str = "0", **options: Any) -> None:
        super().__init__(
            max_digits=5,
            decimal_places=2,
            min_value=Decimal(min_value),
            max_value=Decimal(max_value),
            **options,
        )

    def to_internal_value(self, data: Any) -> Decimal:
        """The exact decimal; neither true nor "1_0" nor "1e1" is a number of millimeters."""
        if isinstance(data, bool) or (isinstance(data, str) and not DECIMAL.fullmatch(data)):
            self.fail("invalid")
        return super().to_internal_value(data)

    def to_representation(self, value: Any) -> Any:
        """A JSON number."""
        return None if value is None else float(value)


class CalendarDateField(serializers.DateField):
    """A date as YYYY-MM-DD: no time of day, no week, no missing zeros."""

    default_error_messages = {"invalid": gettext_lazy("A date such as 2022-08-08.")}

    def to_internal_value(self, value: Any) -> Any:
        """The date; any other way to write one is refused."""
        if not (isinstance(value, str) and DATE.fullmatch(value)):
            self.fail("invalid")
        return super().to_internal_value(value)


class FlagField(serializers.BooleanField):
    """true or false; "yes", "1" and 1 are neither."""

    default_error_messages = {"invalid": gettext_lazy("Either true or false.")}

    def to_internal_value(self, data: Any) -> bool:
        """The truth value as it was sent."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


def caller(request: Request) -> User:
    """The account that asks; views are for authenticated callers only."""
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user


def required_version(request: Request) -> int:
    """The version that If-Match names; 428 without the header, 412 where it names none."""
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired
    tag = header.strip()
    if VERSION_TAG.fullmatch(tag):
        return int(tag[1:-1])
    raise UnusableVersion


class ReasonSerializer(StrictSerializer):
    """The body of a void: why."""

    reason = serializers.CharField(
        max_length=500, help_text=gettext_lazy("Why; kept in the audit trail.")
    )


def required_reason(data: Any, *, only: bool = False) -> str:
    """The top-level `reason` of a change; 400 where it is missing or blank, or not the `only` key."""
    if only and isinstance(data, Mapping):
        ReasonSerializer(data={"reason": "-"} | dict(data)).is_valid(raise_exception=True)
    reason = data.get("reason") if isinstance(data, Mapping) else None
    if not isinstance(reason, str) or is_blank(reason) or len(reason) > 500:
        raise Refused(
            [FieldError("/reason", _("Say why this is changed, in 1 to 500 characters."))]
        )
    if found := unseen(reason):
        raise Refused([FieldError("/reason", unseen_refused(found))])
    return reason.strip()


def document(request: Request) -> dict[str, Any]:
    """The body, which must be an object."""
    if not isinstance(request.data, dict):
        raise Refused([FieldError("", _("The body must be a JSON object."))])
    return dict(request.data)


def correction(request: Request) -> tuple[dict[str, Any], str]:
    """The body of a change without its reason, and the reason."""
    body = document(request)
    reason = required_reason(body)
    return {key: value for key, value in body.items() if key != "reason"}, reason


def answer(data: Mapping[str, Any], status_code: int = status.HTTP_200_OK) -> Response:
    """An object with its version as strong ETag."""
    return Response(data, status=status_code, headers={"ETag": f'"{data["version"]}"'})


def known_tags(request: Request) -> set[str]:
    """The ETags that If-None-Match names, for a weak comparison, or an asterisk (RFC 9110, 13.1.2)."""
    tags = parse_etags(request.headers.get("If-None-Match", ""))
    return {tag.removeprefix("W/") for tag in tags}


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """RFC 9457 problem document of any error a caller can cause."""
    # Not at the top: that module reads the settings, and they name the classes above.
    from rest_framework.views import exception_handler, set_rollback

    found = _from_domain(error)
    if found is None:
        handled = exception_handler(error, context)
        if handled is None:
            return None
        found = _from_framework(error, handled)
    else:
        set_rollback()
    _answer_in_json(context)
    status_code, detail, members, headers = found
    body = {"type": "about:blank", "title": HTTPStatus(status_code).phrase, "status": status_code}
    return Response(
        body | {"detail": detail} | members, status_code, headers=headers, content_type=PROBLEM
    )


def _answer_in_json(context: dict[str, Any]) -> None:
    """A problem is JSON whatever was asked for: a CSV client gets its refusal in one format too."""
    if request := context.get("request"):
        request.accepted_renderer = renderers.JSONRenderer()
        request.accepted_media_type = renderers.JSONRenderer.media_type


Found = tuple[int, str, dict[str, Any], dict[str, str]]


def _from_domain(error: Exception) -> Found | None:
    if isinstance(error, StaleVersion):
        detail = _("The row was changed meanwhile; read it again and repeat your change.")
        return 412, detail, {}, {}
    if isinstance(error, Refused):
        code = 409 if isinstance(error, Conflict) else 400
        errors = [
            ({"line": e.line} if e.line else {}) | {"pointer": e.pointer, "detail": e.detail}
            for e in error.errors
        ]
        return code, _summary(errors), error.members | {"errors": errors}, {}
    if isinstance(error, RequestDataTooBig):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return 413, _("A body has at most %s bytes.") % limit, {}, {}
    if isinstance(error, IntegrityError):
        return 409, _("Another request stored something contradictory first."), {}, {}
    return None


def _from_framework(error: Exception, handled: Response) -> Found:
    headers = {
        name: handled[name] for name in ("WWW-Authenticate", "Retry-After") if name in handled
    }
    if isinstance(error, exceptions.ValidationError):
        errors = list(pointers(error.detail))
        return 400, _summary(errors), {"errors": errors}, headers
    if isinstance(error, InvalidParameter):
        named = {"errors": [{"parameter": error.parameter, "detail": str(error.detail)}]}
        return 400, str(error.detail), {"parameter": error.parameter} | named, headers
    if isinstance(error, Http404 | exceptions.NotFound):
        return 404, _("No such record."), {}, headers
    if isinstance(error, PermissionDenied) and error.args:
        return 403, str(error), {}, headers
    detail = getattr(error, "detail", HTTPStatus(handled.status_code).phrase)
    return handled.status_code, str(detail), {}, headers


def _summary(errors: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(
        (_("Line %s, ") % e["line"] if "line" in e else "") + f"{e['pointer']}: {e['detail']}"
        for e in errors[:3]
    )


def pointers(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """A serializer's errors, each with its JSON Pointer."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            step = (
                ""
                if key == "non_field_errors"
                else f"/{str(key).replace('~', '~0').replace('/', '~1')}"
            )
            yield from pointers(value, path + step)
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        for index, item in enumerate(detail):
            yield from pointers(item, f"{path}/{index}")
    elif isinstance(detail, list):
        for item in detail:
            yield {"pointer": path, "detail": str(item)}
    else:
        yield {"pointer": path, "detail": str(detail)}
