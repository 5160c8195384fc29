"""The OpenAPI document as the tests hold answers against it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any

import jsonschema_rs
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from rest_framework.utils.encoders import JSONEncoder

BASE = "/api/v1"
PROBLEM = "application/problem+json"
ELSEWHERE = (f"{BASE}/schema/", f"{BASE}/docs/")  # the description itself
_generating = Lock()


@dataclass
class Operation:
    """One method of one path, with what it may answer."""

    method: str
    path: str
    spec: dict[str, Any]
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        kinds = {p["name"]: p["schema"]["type"] for p in self.parameters("path")}
        steps = re.split(r"\{(\w+)\}", self.path)
        for index in range(1, len(steps), 2):
            steps[index] = r"\d+" if kinds[steps[index]] == "integer" else "[^/]+"
        self.pattern = re.compile("".join(steps))

    @property
    def name(self) -> str:
        """Such as `GET /patients/{id}/`."""
        return f"{self.method} {self.path.removeprefix(BASE)}"

    def parameters(self, kind: str) -> Iterator[dict[str, Any]]:
        """Parameters in a path, query or header."""
        return (p for p in self.spec.get("parameters", ()) if p["in"] == kind)

    def answers(self) -> Iterator[tuple[int, str]]:
        """Each documented status with each of its media types."""
        for status, answer in self.spec["responses"].items():
            for media_type in answer.get("content", {"": None}):
                yield int(status), media_type


class Contract:
    """What the document promises, and whether an answer keeps it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.operations = [
            Operation(method.upper(), path, spec)
            for path, methods in document["paths"].items()
            for method, spec in methods.items()
        ]
        # Literal paths first: /visits/preview/ is no id, but a registry id may be anything.
        self.operations.sort(key=lambda operation: operation.path.count("{"))
        self.validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation that a request is meant for."""
        at = [o for o in self.operations if o.pattern.fullmatch(path)]
        return next((o for o in at if o.method == method), None)

    def hold(self, method: str, path: str, response: Any) -> None:
        """Fail where an answer is not as documented: status, media type, headers, every key."""
        path = path.partition("?")[0]
        if not path.startswith(f"{BASE}/") or path in ELSEWHERE or method == "HEAD":
            return
        if settings.ROOT_URLCONF != "registry.urls":  # a test's own addresses
            return
        operation = self.operation(method, path)
        status = response.status_code
        if operation is None:
            assert status in (401, 404, 405), f"{method} {path} is not documented: {status}"
            self.conforms({"$ref": "#/components/schemas/ProblemDocument"}, body_of(response), path)
            return
        answer = operation.spec["responses"].get(str(status))
        assert answer, f"{operation.name}: {status} is not documented: {response.content[:500]!r}"
        self._headers(answer, response, operation)
        self._body(answer, response, operation)

    def _headers(self, answer: dict[str, Any], response: Any, operation: Operation) -> None:
        for name, header in answer.get("headers", {}).items():
            assert name in response.headers or not header.get("required"), f"{operation}: no {name}"
            if name in response.headers:
                self.conforms(header["schema"], response.headers[name], operation.name)

    def _body(self, answer: dict[str, Any], response: Any, operation: Operation) -> None:
        if "content" not in answer:
            assert not response.content, f"{operation.name}: an undocumented body"
            return
        media_type = response.headers["Content-Type"].partition(";")[0]
        assert media_type in answer["content"], f"{operation.name}: {media_type}"
        schema = answer["content"][media_type]["schema"]
        self.conforms(schema, body_of(response), f"{operation.name} {response.status_code}")

    def conforms(self, schema: dict[str, Any], value: Any, where: str) -> None:
        """Fail where a value is not as a schema of the document says."""
        error = next(self._validator(schema).iter_errors(value), None)
        assert error is None, f"{where}: {error}"

    def _validator(self, schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            whole = schema | {"components": self.document["components"]}
            self.validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return self.validators[key]


def body_of(response: Any) -> Any:
    """The decoded body: JSON, or text."""
    if "json" not in response.headers["Content-Type"]:
        return response.content.decode()
    return json.loads(response.content, parse_constant=_no_number)


def _no_number(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def contract() -> Contract:
    """The document, generated once per process, whichever thread asks first."""
    with _generating:
        return _contract()


@cache
def _contract() -> Contract:
    generator: Any = SchemaGenerator
    document = generator().get_schema(request=None, public=True)
    return Contract(json.loads(json.dumps(document, cls=JSONEncoder)))
