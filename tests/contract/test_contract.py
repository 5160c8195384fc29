"""Every operation of the OpenAPI document, driven for real through each answer it documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from registry.models import User
from tests import factories
from tests.contract.calls import CALLS, CONTRADICTIONS, NOBODY, OTHERWISE, Call
from tests.contract.document import BASE, Operation, contract
from tests.contract.scene import Scene

OPERATIONS = {operation.name: operation for operation in contract().operations}
SUCCESSES = [
    (name, status, media_type)
    for name, operation in OPERATIONS.items()
    for status, media_type in operation.answers()
    if status < 400
]
PROBLEMS = [
    (name, status)
    for name, operation in OPERATIONS.items()
    for status, _ in operation.answers()
    if status >= 400
]


def send(at: Scene, operation: Operation, call: Call, client: Client | None = None) -> Any:
    """The answer, held to the document."""
    client = client or Client(
        headers={"Authorization": f"Token {factories.token(call.user(at))}"},
        raise_request_exception=True,
    )
    body = call.body if isinstance(call.body, str) else json.dumps(call.body)
    response = client.generic(
        operation.method,
        f"{BASE}{call.path}",
        "" if call.body is None else body,
        content_type=call.content_type,
        headers=call.headers,
    )
    contract().hold(operation.method, f"{BASE}{call.path}", response)
    return response


def test_every_operation_has_a_call() -> None:
    """An operation that nobody drives, and a call of what is no longer there, fail here."""
    assert set(CALLS) == set(OPERATIONS)
    contradicted = {name for name, o in OPERATIONS.items() if "409" in o.spec["responses"]}
    assert {name for name in contradicted if not name.startswith("POST")} <= set(CONTRADICTIONS)


@pytest.mark.parametrize(("name", "status", "media_type"), SUCCESSES)
def test_it_answers_as_documented(at: Scene, name: str, status: int, media_type: str) -> None:
    call = OTHERWISE.get((name, status), CALLS[name])(at)
    headers = call.headers | ({"Accept": media_type} if media_type else {})
    if status == 304:
        headers["If-None-Match"] = send(at, OPERATIONS[name], call).headers["ETag"]
    response = send(at, OPERATIONS[name], replace(call, headers=headers))
    assert response.status_code == status, response.content
    assert response.headers.get("Content-Type", "").startswith(media_type)


def _elsewhere(call: Call, name: str) -> Call:
    """The same of what does not exist: another id, or a page after the last."""
    if "{" not in name:
        return replace(call, path=f"{call.path.partition('?')[0]}?page={NOBODY}")
    steps = call.path.split("/")
    steps[2] = "NCT99999999" if steps[1] == "trials" else str(NOBODY)
    return replace(call, path="/".join(steps))


def _without_version(call: Call) -> Call:
    return replace(call, headers={k: v for k, v in call.headers.items() if k != "If-Match"})


def _asking(call: Call, query: str) -> Call:
    return replace(call, path=f"{call.path}{'&' if '?' in call.path else '?'}{query}")


def _reused(at: Scene, operation: Operation, call: Call) -> Call:
    """The Idempotency-Key of a request that was carried out, with another query string."""
    call = replace(call, headers=call.headers | {"Idempotency-Key": "contract"})
    assert send(at, operation, call).status_code < 300
    return _asking(call, "x=1")


def _lost(at: Scene, operation: Operation, call: Call) -> Call:
    """The key of a request that was carried out, whose record the caller may no longer see."""
    call = replace(call, headers=call.headers | {"Idempotency-Key": "contract"})
    assert send(at, operation, call).status_code < 300
    User.objects.filter(pk=at.cast.superuser.pk).update(is_superuser=False)
    return call


def _too_large() -> str:
    return '{"reason": "' + "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + '"}'


SPOILED: dict[int, Callable[[Call, str], Call]] = {
    400: lambda call, name: _asking(call, "format=xml"),
    403: lambda call, name: replace(call, by="viewer"),
    404: _elsewhere,
    406: lambda call, name: replace(call, headers=call.headers | {"Accept": "application/xml"}),
    412: lambda call, name: replace(call, headers=call.headers | {"If-Match": '"999"'}),
    413: lambda call, name: replace(call, body=_too_large()),
    415: lambda call, name: replace(call, content_type="text/plain"),
    428: lambda call, name: _without_version(call),
}


@pytest.mark.parametrize(("name", "status"), PROBLEMS)
def test_it_refuses_as_documented(at: Scene, name: str, status: int) -> None:
    operation, call = OPERATIONS[name], CALLS[name](at)
    client = Client() if status == 401 else None
    if status == 409:
        call = CONTRADICTIONS[name](at) if name in CONTRADICTIONS else _reused(at, operation, call)
    elif status == 404 and name.startswith("POST") and "{" not in name:
        call = _lost(at, operation, call)
    elif status == 403 and name.endswith(("/preview/", "/reproduce/")):  # any reader may ask
        client = Client(enforce_csrf_checks=True)
        client.force_login(at.cast.coordinator)
    elif status == 403 and name == "GET /trials/{registry_id}/ctgov/":  # results: the whole trial
        call = replace(call, by="coordinator")
    elif status != 401:
        call = SPOILED[status](call, name)
    response = send(at, operation, call, client)
    assert response.status_code == status, response.content
    if status == 400:
        assert response.json()["errors"]


@pytest.mark.parametrize("name", [name for name, o in OPERATIONS.items() if o.method != "GET"])
@pytest.mark.parametrize("body", ["", "[]", '{"nonsense": 1}'])
def test_a_body_that_says_nothing_is_refused(at: Scene, name: str, body: str) -> None:
    response = send(at, OPERATIONS[name], replace(CALLS[name](at), body=body))
    streamed = name.endswith("/import/")  # nothing at all has no media type either
    all_said = name.endswith(("/randomize/", "/reproduce/"))  # by its address and the version
    nothing = 415 if streamed else 200 if all_said else 400
    assert response.status_code == (400 if body else nothing)


JSON = "application/json"
BODIES = [
    n
    for n, o in OPERATIONS.items()
    if JSON in o.spec.get("requestBody", {"content": ()})["content"]
]


@pytest.mark.parametrize("name", BODIES)
def test_what_is_taken_is_documented(at: Scene, name: str) -> None:
    """The bodies that the calls send are valid by the document too."""
    media = OPERATIONS[name].spec["requestBody"]["content"][JSON]
    contract().conforms(media["schema"], CALLS[name](at).body, name)


@pytest.mark.parametrize("path", ["/nonsense/", "/patients/x/", "/trials/NCT00000001/x/", "/"])
def test_what_is_no_address_is_a_problem_document(at: Scene, path: str) -> None:
    client = Client(headers={"Authorization": f"Token {factories.token(at.cast.viewer)}"})
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        response = client.generic(method, f"{BASE}{path}")
        contract().hold(method, f"{BASE}{path}", response)
        assert response.status_code == 404
    assert Client().get(f"{BASE}{path}").status_code == 401


def _key(name: str, value: Any) -> Callable[[Any], None]:
    def spoil(response: Any) -> None:
        response.content = json.dumps(response.json() | {name: value})

    return spoil


def _header(name: str, value: str) -> Callable[[Any], None]:
    return lambda response: response.headers.__setitem__(name, value)


BROKEN: dict[str, Callable[[Any], None]] = {
    "an undocumented key": _key("name", "Li"),
    "a wrong type": _key("version", "1"),
    "an unknown term": _key("sex", "f"),
    "no date": _key("died_on", "2024-02-30"),
    "no number": _key("ecog", float("nan")),
    "a missing header": lambda response: response.headers.pop("ETag"),
    "a weak tag": _header("ETag", 'W/"1"'),
    "another media type": _header("Content-Type", "text/html"),
    "another status": lambda response: setattr(response, "status_code", 202),
}


@pytest.mark.parametrize("promise", BROKEN)
def test_a_broken_promise_is_seen(at: Scene, promise: str) -> None:
    """The check itself can fail."""
    path = f"{BASE}/patients/{at.patient.pk}/"
    client = Client(headers={"Authorization": f"Token {factories.token(at.cast.viewer)}"})
    response = client.get(path)
    contract().hold("GET", path, response)
    BROKEN[promise](response)
    with pytest.raises(AssertionError):
        contract().hold("GET", path, response)


def test_a_missing_key_is_seen(at: Scene) -> None:
    path = f"{BASE}/patients/{at.patient.pk}/"
    client = Client(headers={"Authorization": f"Token {factories.token(at.cast.viewer)}"})
    whole = client.get(path)
    for key in whole.json():
        response = client.get(path)
        response.content = json.dumps({k: v for k, v in whole.json().items() if k != key}).encode()
        with pytest.raises(AssertionError):
            contract().hold("GET", path, response)
