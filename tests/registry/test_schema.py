"""The OpenAPI document: valid, and with the manners that hold for every operation."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from typing_extensions import is_typeddict

from tests.conftest import Cast

APPS = ("registry", "trials", "patients", "outcomes")
CHANGING = (
    *("/void/", "/conclude/", "/enroll/", "/transfer/", "/randomize/", "/protocol-versions/"),
    *("/answer/", "/close/", "/reopen/", "/unblind/"),
)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The document."""
    generator: Any = SchemaGenerator
    return dict(generator().get_schema(request=None, public=True))


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each (path, method, operation)."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_document_is_valid_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    validate_schema(schema)  # type: ignore[no-untyped-call]


def test_every_operation_answers_problems_and_needs_a_token(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        expected = {"400", "401", "406"} | ({"403", "413", "415"} if method != "get" else set())
        assert expected <= set(operation["responses"]), path
        for status, response in operation["responses"].items():
            problem = "application/problem+json" in response.get("content", {})
            assert problem == (status >= "400"), (path, method, status)
        assert {"token": []} in operation["security"], path


def acts(path: str, method: str) -> bool:
    """Whether it changes a stored object."""
    posted = method == "post" and path.endswith(CHANGING)
    return method in ("put", "patch") or posted


def test_changes_need_a_version(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "header"}
        changes = acts(path, method)
        assert ("If-Match" in named) == changes, path
        assert ({"412", "428"} <= set(operation["responses"])) == changes, path


def test_every_post_may_be_sent_again(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        keys = [p for p in operation.get("parameters", []) if p["name"] == "Idempotency-Key"]
        assert len(keys) == (method == "post"), path
        assert not any(key.get("required") for key in keys), path
        answered = [r for status, r in operation["responses"].items() if status < "300"]
        replayed = ["Idempotency-Replayed" in r.get("headers", {}) for r in answered]
        assert replayed == [method == "post"] * len(answered), path
        if method == "post":
            assert "Idempotency-Key" in operation["responses"]["409"]["description"], path
            assert "404" in operation["responses"], path


def test_changes_say_why(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        changes_no_fact = path.endswith(("/randomize/", "/answer/"))  # a draw, words of a thread
        if acts(path, method) and not changes_no_fact:
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            described = schema["components"]["schemas"][body["$ref"].rpartition("/")[2]]
            assert "reason" in described["required"], path
            assert described["properties"]["reason"]["minLength"] == 1


def test_objects_name_all_their_keys(schema: dict[str, Any]) -> None:
    for name, component in schema["components"]["schemas"].items():
        if component.get("type") == "object":
            assert component["additionalProperties"] is False, name


def test_answers_have_every_key(schema: dict[str, Any]) -> None:
    """Requests may leave out what has a default; an answer's key is there or a reader is told."""
    components = schema["components"]["schemas"]
    assert set(components["Trial"]["properties"]) == set(components["Trial"]["required"])
    assert components["TrialRequest"]["required"] == ["brief_title", "registry_id"]
    definition = components["EndpointDefinition"]
    assert set(definition["properties"]) == set(definition["required"])
    assert "required" not in components["EndpointDefinitionRequest"]


def test_single_objects_and_reports_carry_an_etag(schema: dict[str, Any]) -> None:
    tagged = {
        path
        for path, method, operation in operations(schema)
        for status, answer in operation["responses"].items()
        if status < "300" and "ETag" in answer.get("headers", {})
    }
    assert {path for path, *_ in operations(schema)} - tagged == {
        "/api/v1/analyses/{id}/changes/",  # of today's data too
        "/api/v1/analyses/{id}/inputs/",
        "/api/v1/analyses/{id}/reproduce/",
        "/api/v1/analyses/{id}/result/",
        "/api/v1/claims-audit/",
        "/api/v1/ctcae-terms/",
        "/api/v1/publications/{key}/audit/",
        "/api/v1/trials/{registry_id}/accrual/",
        "/api/v1/trials/{registry_id}/consort/",
        "/api/v1/ctgov-import/",
        "/api/v1/trials/{registry_id}/ctgov/",
        "/api/v1/trials/{registry_id}/import/",
        "/api/v1/trials/{registry_id}/report/",
        "/api/v1/trials/{registry_id}/discordance/",
        "/api/v1/trials/{registry_id}/discordance/patients/",
        "/api/v1/trials/{registry_id}/endpoints/",
        "/api/v1/trials/{registry_id}/endpoints/preview/",
        "/api/v1/review/patients/",
        "/api/v1/studies/",
        "/api/v1/trials/{registry_id}/safety/",
        "/api/v1/trials/{registry_id}/exposure/",
        "/api/v1/trials/{registry_id}/exposure/patients/",
        "/api/v1/trials/{registry_id}/screening-form/",
        "/api/v1/screenings/preview/",
        "/api/v1/visits/preview/",
    }


def test_outcomes_are_conditional(schema: dict[str, Any]) -> None:
    for path, _, operation in operations(schema):
        named = {p["name"]: p for p in operation.get("parameters", [])}
        conditional = "/outcomes/" in path
        assert ("If-None-Match" in named) == ("304" in operation["responses"]) == conditional, path
        if conditional:
            assert "content" not in operation["responses"]["304"]
            assert all("ETag" in operation["responses"][code]["headers"] for code in ("200", "304"))
            assert named["known_on"]["schema"] == {"type": "string", "format": "date-time"}
            assert "are those of the moment" in named["known_on"]["description"]


def test_definitions_are_described(schema: dict[str, Any]) -> None:
    components = schema["components"]["schemas"]
    definition = components["EndpointDefinitionRequest"]
    assert definition["properties"]["censoring"]["$ref"] == "#/components/schemas/CensoringRequest"
    assert components["CensoringRule"]["enum"] == ["last_progression_free", "fda", "ema"]
    assert components["Censoring"]["additionalProperties"] is False


def test_the_document_is_served(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.viewer)
    response = client.get("/api/v1/schema/")
    assert response.status_code == 200
    assert "/api/v1/trials/" in yaml.safe_load(response.content)["paths"]
    assert client.get("/api/v1/docs/").status_code == 200


def test_a_documents_name_is_that_of_one_type(schema: dict[str, Any]) -> None:
    """Two types of one name would be one component: the last to come."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in [m for name, m in sys.modules.items() if name.split(".")[0] in APPS]:
        for name, value in vars(module).items():
            if name.endswith("Document") and is_typeddict(value):
                found[name].add(value.__module__)
    assert len(found) > 100
    assert {name: modules for name, modules in found.items() if len(modules) > 1} == {}
