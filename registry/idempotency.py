"""`Idempotency-Key`: a POST that is sent again is carried out once and answered twice.

The answer is stored in the transaction of the write, so a crash leaves both or neither. Only
answers that succeeded are kept: whatever was refused may be sent again with the same key.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import Http404
from django.http.request import RawPostDataException
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from registry.models import IdempotentAnswer
from registry.rest import caller

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY = r"[!-~]{1,255}"
CHUNK = 65_536  # bytes read at once where a body is hashed and nothing else

View = TypeVar("View")
Address = ParamSpec("Address")
Handler = Callable[Concatenate[View, Request, Address], Response]
# (request, first answer) -> the rows whose visibility decides whether the answer may be given again
Visible = Callable[[Request, Any], QuerySet[Any]]


class KeyReused(exceptions.APIException):
    """The key of another request."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = gettext_lazy(
        "This Idempotency-Key was sent before with another body or query string; "
        "a new request takes a new key."
    )


class Readable(Protocol):
    """What an upload is read from: Django's request, or any binary file."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, all for -1."""

    def readline(self, size: int, /) -> bytes:
        """At most `size` bytes up to the end of the line, all of it for -1."""


class Upload:
    """A body as a stream that is hashed while it is read, so that it need not be held."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, all that is left for -1; empty at the end."""
        return self._hashed(self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        """At most `size` bytes up to and with the end of the line; empty at the end."""
        return self._hashed(self._stream.readline(size))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def hexdigest(self) -> str:
        """SHA-256 of the whole body; reads what is left of it."""
        while self.read(CHUNK):
            pass
        return self._sha256.hexdigest()

    def _hashed(self, data: bytes) -> bytes:
        self._sha256.update(data)
        return data


def idempotent(
    visible: Visible, *, streamed: bool = False
) -> Callable[[Handler[View, Address]], Handler[View, Address]]:
    """Let a `post` heed Idempotency-Key; a second request with the same key waits for the first.

    A first answer is given again only while `visible(request, answer)` finds a row: roles count as
    they are now. A `streamed` handler reads its body from `request.stream`, which is an `Upload`.
    """

    def decorate(post: Handler[View, Address]) -> Handler[View, Address]:
        @wraps(post)
        def once(
            view: View, request: Request, /, *args: Address.args, **kwargs: Address.kwargs
        ) -> Response:
            if streamed:
                request._stream = Upload(request._request)  # type: ignore[assignment]
            scope = _scope(request)
            if scope is None:
                return post(view, request, *args, **kwargs)
            with transaction.atomic():
                lock(scope)
                if kept := IdempotentAnswer.objects.current().filter(scope=scope).first():
                    return _again(kept, request, visible)
                response = post(view, request, *args, **kwargs)
                if status.is_success(response.status_code):
                    _keep(scope, request, response)
                return response

        return once

    return decorate


def _scope(request: Request) -> str | None:
    """The digest of user, method, path and key; None without a key, 400 for an unusable one."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not re.fullmatch(KEY, key):
        raise exceptions.ParseError(
            _("%s takes 1 to 255 visible ASCII characters, such as a UUID.") % HEADER
        )
    scope = [caller(request).pk, request.method, request.path, key]
    return hashlib.sha256(json.dumps(scope).encode()).hexdigest()


def lock(scope: str) -> None:
    """Wait for whoever has the same key in flight; held until the transaction ends."""
    number = int.from_bytes(bytes.fromhex(scope)[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _again(kept: IdempotentAnswer, request: Request, visible: Visible) -> Response:
    """The first answer; 409 where the request is another one, 404 where access was lost since."""
    if _digest(request) != kept.request:
        raise KeyReused
    answer = json.loads(kept.body)
    if not visible(request, answer).exists():
        raise Http404
    return Response(answer, kept.status, headers=kept.headers | {REPLAYED: "true"})


def _keep(scope: str, request: Request, response: Response) -> None:
    """Store the answer in place of an expired one."""
    IdempotentAnswer.objects.keep(
        IdempotentAnswer(
            scope=scope,
            request=_digest(request),
            status=response.status_code,
            headers={name: value for name, value in response.items() if name != "Content-Type"},
            body=json.dumps(response.data, cls=JSONEncoder, ensure_ascii=False),
        )
    )


def _digest(request: Request) -> str:
    """The digest of what was asked: body and query string, not the headers."""
    query = request.META.get("QUERY_STRING", "")
    return hashlib.sha256(f"{_body_digest(request)} {query}".encode()).hexdigest()


def _body_digest(request: Request) -> str:
    try:
        if isinstance(request.stream, Upload):
            return request.stream.hexdigest()
        return hashlib.sha256(request.body).hexdigest()
    except RawPostDataException as error:  # a form, which the CSRF check has read
        raise exceptions.UnsupportedMediaType(str(request.content_type)) from error
