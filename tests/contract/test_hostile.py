"""Hostile input to every operation: it is refused as the document says, and never breaks anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client

from tests import factories
from tests.contract.calls import CALLS, Call
from tests.contract.document import BASE, Operation, contract
from tests.contract.scene import Scene

OPERATIONS = {operation.name: operation for operation in contract().operations}
WRITES = [name for name, operation in OPERATIONS.items() if operation.method != "GET"]
READS = [name for name in OPERATIONS if name not in WRITES]

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no object yet": b"{",
    "an open list": b"[1,",
    "half a word": b"nul",
    "a number": b"7",
    "brackets beyond the depth": b"[" * 60 + b"]" * 60,
    "NUL below": b'{"reason": [{"b": "\\u0000"}]}',
    "white space": b" \n",
    "truncated": b'{"reason": "typing err',
    "two documents": b"{}{}",
    "a comment": b"{/**/}",
    "single quotes": b"{'reason': 'x'}",
    "a trailing comma": b'{"reason": "x",}',
    "NaN": b'{"reason": NaN}',
    "Infinity": b'{"reason": -Infinity}',
    "a number beyond floats": b'{"reason": 1e999}',
    "an exponent beyond decimals": b'{"reason": 1e99999999999999999999}',
    "a number of 5000 digits": b'{"reason": ' + b"9" * 5000 + b"}",
    "nested lists": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "a deep document": b'{"reason":' * 60 + b"1" + b"}" * 60,
    "NUL": b'{"reason": "a\\u0000"}',
    "NUL in a key": b'{"\\u0000": 1}',
    "a lone surrogate": b'{"reason": "\\ud800"}',
    "a lone surrogate in a key": b'{"\\udfff": 1}',
    "a key twice": b'{"reason": "a", "reason": "b"}',
    "a nested key twice": b'{"reason": "a", "x": {"b": 1, "b": 1}}',
    "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "UTF-8 with BOM": b'\xef\xbb\xbf{"reason": "x"}',
    "no UTF-8": b'{"reason": "\xe9"}',
    "overlong UTF-8": b'{"reason": "\xc0\x80"}',
    "a surrogate in UTF-8": b'{"reason": "\xed\xa0\x80"}',
    "a list": b"[{}]",
    "text": b'"reason"',
    "null": b"null",
    "true": b"true",
}
TYPES = [
    "", "application/xml", "text/plain", "application/jsonp", "multipart/form-data; boundary=",
    "multipart/form-data", "application/x-www-form-urlencoded", "x", "/", "application/json/",
    "application/" + "j" * 10_000,
]  # fmt: skip
CHARSETS = ["application/json; charset=utf-16", "application/json; charset=x", "Application/JSON"]
PARAMETERS = [
    "", " ", "0", "-1", str(2**63), str(2**70), str(10**30), "9" * 5000, "1e3", "1.0", "NaN", "²",
    "٣", "\0", "\ud800", "a\rb", "x" * 10_000, "[]", "null", "true", "' OR 1=1 --", "%", "../..",
    "0001-01-01", "9999-12-31", "10000-01-01", "2024-02-30", "2024-1-1", "-0001-01-01", ",", "999w",
]  # fmt: skip
HEADERS = {
    "Accept": ["", ",", ";", "x", "*/*;q=x", "text/html", "a/b;" * 5000, "*/*," * 5000, "\xff"],
    "If-Match": [
        "", "*", '""', '"0"', '"-1"', '"1e1"', 'W/"1"', '"1","2"', '"' + "9" * 10_000 + '"', "\xff",
    ],
    "Authorization": ["Token", "Token ", "Token \xff", "Token " + "x" * 100_000, "Basic x", "\xff"],
}  # fmt: skip
OTHERS = [  # many at once: each is a header that no answer depends on, or that the server overrules
    {"Accept-Language": "zz-ZZ;q=x", "X-Forwarded-Host": "evil.example", "Cookie": "=;="},
    {"Accept-Language": "en," * 5000, "Cookie": "sessionid=" + "x" * 10_000, "If-None-Match": '"'},
    {"Accept-Language": "../..", "Cookie": "sessionid=\xff", "If-None-Match": "x" * 10_000},
    {"X-HTTP-Method-Override": "DELETE", "X-Forwarded-Proto": "x", "Range": "bytes=9-1"},
]
KEYS = ["", " ", "\xff", "x" * 10_000, "a b"]
STEPS = [
    "-1", "0", str(2**63), str(2**70), "9" * 5000, "1.0", "1e1", "%00", "1%00", "%2f", "..%2f..",
    "..", "%ff", "%ed%a0%80", "%D9%A1", "%20", "%0a", "a%0d%0aX: y", "x" * 10_000, "'", "%25", "{id}",
]  # fmt: skip
VALUES: list[Any] = [
    None, -1, 1.5, 2**63, 10**400, "", "x" * 5000, "\u202e=1+1", "0001-01-01", "9999-12-31",
    "10000-01-01", [], {}, [{}], "1e9",
]  # fmt: skip


class Sender:
    """Sends to one scene as one user; what is stored is undone at once."""

    def __init__(self, at: Scene) -> None:
        self.client = Client(
            headers={"Authorization": f"Token {factories.token(at.cast.superuser)}"}
        )

    def __call__(self, operation: Operation, call: Call, raw: bytes | None = None) -> int:
        body = raw
        if raw is None and call.body is not None:
            body = (call.body if isinstance(call.body, str) else json.dumps(call.body)).encode()
        with transaction.atomic():
            response = self.client.generic(
                operation.method, f"{BASE}{call.path}", body or b"", call.content_type,
                headers=call.headers,
            )  # fmt: skip
            transaction.set_rollback(True)
        contract().hold(operation.method, response.request["PATH_INFO"], response)
        assert response.status_code < 500
        return int(response.status_code)


@contextmanager
def apart() -> Iterator[None]:
    """Nothing that is stored stays: it may stand in the way of the next call."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def send(at: Scene) -> Sender:
    """Requests to the scene."""
    return Sender(at)


# An import without a body has no media type either; a draw and a reproduction need no body.
EMPTY = {
    "POST /trials/{registry_id}/import/": 415,
    "POST /patients/{id}/randomize/": 200,
    "POST /analyses/{id}/reproduce/": 200,
}


@pytest.mark.parametrize("kind", BODIES)
def test_bodies(at: Scene, send: Sender, kind: str) -> None:
    for name in WRITES:
        expected = EMPTY.get(name, 400) if kind == "nothing" else 400
        assert send(OPERATIONS[name], CALLS[name](at), BODIES[kind]) == expected, name


@pytest.mark.parametrize("content_type", TYPES)
def test_content_types(at: Scene, send: Sender, content_type: str) -> None:
    for name in WRITES:
        call = replace(CALLS[name](at), content_type=content_type)
        assert send(OPERATIONS[name], call) == 415, name


@pytest.mark.parametrize("content_type", CHARSETS)
def test_json_is_utf_8_whatever_it_says(at: Scene, send: Sender, content_type: str) -> None:
    for name in WRITES:
        with apart():
            call = CALLS[name](at)
            named = call.content_type == "application/json"
            status = (
                send(OPERATIONS[name], replace(call, content_type=content_type)) if named else 0
            )
        assert status < 300, name


@pytest.mark.parametrize("value", PARAMETERS, ids=lambda value: ascii(value)[:20])
def test_parameters(at: Scene, send: Sender, value: str) -> None:
    text = quote(value, errors="surrogatepass")
    for name in READS:
        path = CALLS[name](at).path.partition("?")[0]
        for parameter in (*OPERATIONS[name].parameters("query"), {"name": "format"}):
            send(OPERATIONS[name], Call(f"{path}?{parameter['name']}={text}"))


LISTS = [n for n in READS if any(p["name"] == "page" for p in OPERATIONS[n].parameters("query"))]


@pytest.mark.parametrize("query", ["x=1", "Page=1", "page=1&page=x", "&&=&", "%00=1", "%ff=%ff"])
def test_unknown_parameters(at: Scene, send: Sender, query: str) -> None:
    """A list that dropped one in silence would show more than was asked for."""
    for name in OPERATIONS:
        call = CALLS[name](at)
        path = f"{call.path.partition('?')[0]}?{query}"
        assert send(OPERATIONS[name], replace(call, path=path)) == 400 or name not in LISTS, name


@pytest.mark.parametrize(
    ("header", "value"),
    [(header, value) for header, values in HEADERS.items() for value in values],
    ids=lambda value: ascii(value)[:20],
)
def test_headers(at: Scene, send: Sender, header: str, value: str) -> None:
    for name in OPERATIONS:
        call = CALLS[name](at)
        status = send(OPERATIONS[name], replace(call, headers=call.headers | {header: value}))
        if header == "Authorization":
            assert status == 401
        if header == "If-Match" and "If-Match" in call.headers:
            assert status == 412


@pytest.mark.parametrize("headers", OTHERS, ids=lambda headers: next(iter(headers.values()))[:10])
def test_other_headers(at: Scene, send: Sender, headers: dict[str, str]) -> None:
    for name in OPERATIONS:
        with apart():
            call = CALLS[name](at)
            status = send(OPERATIONS[name], replace(call, headers=call.headers | headers))
        assert status < 300, name


@pytest.mark.parametrize("key", KEYS, ids=lambda key: ascii(key)[:20])
def test_idempotency_keys(at: Scene, send: Sender, key: str) -> None:
    for name in WRITES:
        call = CALLS[name](at)
        call = replace(call, headers=call.headers | {"Idempotency-Key": key})
        assert send(OPERATIONS[name], call) == 400 or not name.startswith("POST"), name


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[:20])
def test_paths(at: Scene, send: Sender, step: str) -> None:
    for name in OPERATIONS:
        if "{" in name:
            call = CALLS[name](at)
            steps = call.path.split("/")
            path = "/".join([*steps[:2], step, *steps[3:]])
            assert send(OPERATIONS[name], replace(call, path=path)) in (404, 405), name


def spoiled(body: Any, value: Any) -> Iterator[Any]:
    """The body with the value in place of each part of it, however deep."""
    parts = body.items() if isinstance(body, dict) else enumerate(body)
    for key, part in list(parts):
        yield _replaced(body, key, value)
        if isinstance(part, dict | list):
            yield from (_replaced(body, key, inner) for inner in spoiled(part, value))


def _replaced(body: Any, key: Any, value: Any) -> Any:
    if isinstance(body, dict):
        return body | {key: value}
    return [*body[:key], value, *body[key + 1 :]]


SPOILED = [  # one operation per serializer
    "POST /trials/", "POST /patients/", "POST /therapies/", "PUT /adverse-events/{id}/",
    "PUT /visits/{id}/", "POST /visits/preview/", "POST /publications/", "POST /ctgov-import/",
    "POST /trials/{registry_id}/endpoints/preview/",
]  # fmt: skip


@pytest.mark.parametrize("name", SPOILED)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_values(at: Scene, send: Sender, name: str, value: Any) -> None:
    call = CALLS[name](at)
    for body in spoiled(call.body, value):
        send(OPERATIONS[name], replace(call, body=body))


@pytest.mark.parametrize("key", ["format", "lang", "version", "script"])
@pytest.mark.parametrize(
    "value", ["\0", "a\rb", "\ud800", "x" * 10_000], ids=lambda v: ascii(v)[:20]
)
def test_the_description_itself(at: Scene, key: str, value: str) -> None:
    client = Client(headers={"Authorization": f"Token {factories.token(at.cast.viewer)}"})
    for path in ("schema", "docs"):
        query = f"{key}={quote(value, errors='surrogatepass')}"
        assert client.get(f"{BASE}/{path}/?{query}").status_code < 500
