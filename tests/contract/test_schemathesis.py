"""Requests made up from the OpenAPI document, valid and invalid: whatever comes, no 5xx, no surprise.

Half of the requests are random; the others are the contract's own calls with random parts, so that
they get past the first refusal. Seeds are fixed: a run that fails, fails again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from registry.wsgi import application
from tests import factories
from tests.contract.calls import CALLS, Call
from tests.contract.document import contract
from tests.contract.scene import Scene

CASES = 8  # per operation, role and mode
DOCUMENT = schemathesis.openapi.from_dict(contract().document)
DOCUMENT.app = application


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    """Text as it is, anything else as one line."""
    return (value if isinstance(value, str) else json.dumps(value)).encode(errors="surrogatepass")


CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def can_be_invalid(operation: Any) -> bool:
    """Whether anything asked can be of a wrong shape; any text may be an id."""
    asked = [*operation.parameters("query"), *operation.parameters("path")]
    shaped = [p for p in asked if p["in"] == "query" or p["schema"] != {"type": "string"}]
    return bool(shaped) or operation.method != "GET"


RUNS = [
    (operation, mode)
    for operation in contract().operations
    for mode in GenerationMode
    if mode.is_positive or can_be_invalid(operation)
]
BOUNDED = settings(
    max_examples=CASES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True, scope="module")
def _one_connection() -> Iterator[None]:
    """Keep requests from closing the connection that the test's transaction is in."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("role", ["coordinator", "superuser"])
@pytest.mark.parametrize(("operation", "mode"), RUNS, ids=lambda value: getattr(value, "name", ""))
def test_made_up_requests(
    at: Scene, operation: Any, role: str, mode: GenerationMode, record_property: Callable[..., None]
) -> None:
    known = CALLS[operation.name](at)
    headers = {"Authorization": f"Token {factories.token(getattr(at.cast, role))}"}
    strategy = DOCUMENT[operation.path][operation.method].as_strategy(generation_mode=mode)
    statuses: Counter[int] = Counter()

    @BOUNDED
    @given(case=strategy, aimed=st.booleans(), spoil=st.integers(0, 2**16))
    def check(case: Any, aimed: bool, spoil: int) -> None:
        if aimed:
            _aim(case, operation.name, known, spoil)
        response = _sent(case, headers)
        statuses[response.status_code] += 1
        wanted = [*CHECKS, *([] if aimed else [negative_data_rejection])]
        case.validate_response(response, checks=wanted, headers=headers)

    check()
    record_property("made_up", {"operation": operation.name, "statuses": dict(statuses)})


def _sent(case: Any, headers: dict[str, str]) -> Any:
    """The answer; nothing that a case stores is there for the next one."""
    with transaction.atomic():
        response = case.call(headers=headers)
        transaction.set_rollback(True)
    return response


def _aim(case: Any, name: str, known: Call, spoil: int) -> None:
    """Point a case at what there is; `spoil` chooses which parts of the known body are replaced."""
    named = zip(name.split("/"), known.path.partition("?")[0].split("/"), strict=True)
    case.path_parameters = {step[1:-1]: value for step, value in named if step.startswith("{")}
    if "If-Match" in known.headers:
        case.headers["If-Match"] = known.headers["If-Match"]
    if isinstance(known.body, dict) and isinstance(case.body, dict):
        kept = [k for index, k in enumerate(known.body) if not spoil >> index & 1]
        case.body = case.body | {key: known.body[key] for key in kept}
    elif isinstance(known.body, str):
        case.body = f"{known.body}\n{case.body}" if spoil & 1 else known.body
