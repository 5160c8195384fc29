"""The manners of the API: tokens, problem documents, bodies, pages, versions, reasons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import Throttled, ValidationError

from registry import rest
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from registry.models import ApiToken, User
from tests import factories
from tests.conftest import Api, Cast

Login = Callable[[Any], Api]
TRIAL = "/trials/NCT00000001/"
CHANGE = {"acronym": "X", "reason": "typing error"}


@pytest.fixture
def root(cast: Cast, api: Login) -> Api:
    """A superuser's client."""
    return api(cast.superuser)


def assert_problem(response: Any, status: int) -> dict[str, Any]:
    """The RFC 9457 document of a refusal."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == "about:blank"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def with_key(authorization: str) -> Any:
    """An answer to this Authorization header."""
    return Client(headers={"Authorization": authorization}).get("/api/v1/trials/")


@pytest.mark.usefixtures("cast")
class TestTokens:
    """401 is the answer to whatever is no valid token."""

    def test_a_valid_token_opens(self, cast: Cast) -> None:
        assert with_key(f"Token {factories.token(cast.viewer)}").status_code == 200

    @pytest.mark.parametrize(
        "header", ["Token", "Token x", "Token a b", "Token \xe9", "Bearer x", "Basic YTpi", "x"]
    )
    def test_nonsense_does_not(self, header: str) -> None:
        response = with_key(header)
        assert_problem(response, 401)
        assert response["WWW-Authenticate"] == "Token"

    def test_no_token_does_not(self) -> None:
        assert_problem(Client().get("/api/v1/trials/"), 401)
        assert_problem(Client().post("/api/v1/trials/", {}, "application/json"), 401)

    def test_an_expired_token_does_not(self, cast: Cast) -> None:
        key = factories.token(cast.viewer)
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert_problem(with_key(f"Token {key}"), 401)

    def test_a_disabled_accounts_token_does_not(self, cast: Cast) -> None:
        key = factories.token(cast.viewer)
        User.objects.filter(pk=cast.viewer.pk).update(is_active=False)
        assert_problem(with_key(f"Token {key}"), 401)

    def test_refusals_do_not_say_why(self, cast: Cast) -> None:
        key = factories.token(cast.viewer)
        ApiToken.objects.update(expires_at=timezone.now())
        expired, unknown = with_key(f"Token {key}"), with_key("Token 0000")
        assert expired.content == unknown.content

    def test_only_the_digest_is_kept(self, cast: Cast) -> None:
        key = factories.token(cast.viewer)
        token = ApiToken.objects.get()
        assert key not in repr(vars(token))
        assert token.digest == ApiToken.digest_of(key)

    def test_a_session_needs_the_csrf_token_to_write(self, cast: Cast) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(cast.superuser)
        assert client.get("/api/v1/trials/").status_code == 200
        assert_problem(client.post("/api/v1/trials/", {}, "application/json"), 403)


def test_other_methods_are_refused(root: Api) -> None:
    assert_problem(root.call("DELETE", TRIAL), 405)
    assert_problem(root.call("PUT", "/trials/", {}), 405)


def test_nothing_is_kept_in_caches(root: Api) -> None:
    assert "no-store" in root.get(TRIAL)["Cache-Control"]
    assert "no-store" in root.get("/trials/NCT9/")["Cache-Control"]


BAD_PAGES = [
    *(("page_size", n) for n in ("0", "-1", "501", "1e2", "x", "", "10.0", "²", "٣", "9" * 30)),
    *(("page", n) for n in ("0", "-1", "x", "", "1.0", "last", "²", "%00", "9" * 30)),
]


@pytest.mark.parametrize(("name", "value"), BAD_PAGES)
def test_a_bad_page_is_named(root: Api, name: str, value: str) -> None:
    body = assert_problem(root.get(f"/trials/?{name}={value}"), 400)
    assert body["parameter"] == name
    assert body["errors"][0]["parameter"] == name


def test_a_page_beyond_the_last_is_not_found(root: Api) -> None:
    assert root.get("/trials/?page=1&page_size=500").json()["count"] == 1
    assert_problem(root.get("/trials/?page=2"), 404)
    assert_problem(root.get("/trials/?page=999999999"), 404)


STALE = [
    "",
    " ",
    "1",
    "*",
    'W/"1"',
    '"0"',
    '"2"',
    '"x"',
    '""',
    '"-1"',
    '"1',
    '"1", "2"',
    '"' + "9" * 40 + '"',
]


@pytest.mark.parametrize("tag", STALE)
def test_another_version_is_refused(root: Api, tag: str) -> None:
    assert_problem(root.patch(TRIAL, CHANGE, if_match=tag), 412)
    assert root.get(TRIAL).json()["acronym"] == ""


def test_the_version_read_is_the_one_to_send(root: Api) -> None:
    assert_problem(root.patch(TRIAL, CHANGE), 428)
    tag = root.get(TRIAL)["ETag"]
    changed = root.patch(TRIAL, CHANGE, if_match=tag)
    assert changed.status_code == 200
    assert changed["ETag"] == '"2"'
    assert_problem(root.patch(TRIAL, CHANGE, if_match=tag), 412)
    assert root.patch(TRIAL, CHANGE, if_match=' "2" ').status_code == 200


@pytest.mark.parametrize("reason", [None, "", "  \n", 7, True, ["a"], {"a": 1}, "x" * 501])
def test_a_change_says_why(root: Api, reason: Any) -> None:
    body = assert_problem(root.patch(TRIAL, CHANGE | {"reason": reason}, if_match='"1"'), 400)
    assert body["errors"][0]["pointer"] == "/reason"


class Inner(rest.StrictSerializer):
    """An item of a list."""

    mm = rest.MillimeterField(required=False, allow_null=True)


class Outer(rest.StrictSerializer):
    """A document with a list."""

    text = serializers.CharField()
    items = Inner(many=True, required=False)


UNDERSTOOD: list[tuple[Any, list[str]]] = [
    ({"text": "a"}, []),
    ({"text": "a", "id": 1, "version": 2, "derived": {}, "links": []}, []),
    ({}, ["/text"]),
    ([], [""]),
    ({"text": "a", "b": 1, "c": 2}, ["/b", "/c"]),
    ({"text": "a", "a/b~c": 1}, ["/a~1b~0c"]),
    ({"text": "a", "items": {}}, ["/items"]),
    ({"text": "a", "items": [{}, {"x": 1}, 3]}, ["/items/1/x", "/items/2"]),
    ({"text": "a", "items": [{"mm": 0}, {"mm": "12.25"}, {"mm": 400}, {"mm": None}]}, []),
    ({"text": "a", "items": [{"mm": -1}, {"mm": 400.01}]}, ["/items/0/mm", "/items/1/mm"]),
    ({"text": "a", "items": [{"mm": True}, {"mm": "NaN"}]}, ["/items/0/mm", "/items/1/mm"]),
    ({"text": "a", "items": [{"mm": Decimal("1e999")}]}, ["/items/0/mm"]),
    ({"text": "a", "items": [{"mm": "sNaN"}, {"mm": []}]}, ["/items/0/mm", "/items/1/mm"]),
    ({"text": "a", "items": [{"mm": 1.234}]}, ["/items/0/mm"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "pointers"), UNDERSTOOD)
def test_errors_point_at_their_place(data: Any, pointers: list[str]) -> None:
    serializer = Outer(data=data)
    if serializer.is_valid():
        assert pointers == []
        return
    response = rest.problem(ValidationError(serializer.errors), {})
    assert response is not None
    assert [error["pointer"] for error in response.data["errors"]] == pointers


REFUSALS: list[tuple[Exception, int]] = [
    (Refused([FieldError("/a", "no")]), 400),
    (Conflict([FieldError("/a", "no")]), 409),
    (StaleVersion(3), 412),
    (rest.PreconditionRequired(), 428),
    (rest.InvalidParameter("site", "no"), 400),
    (IntegrityError("duplicate key"), 409),
    (Throttled(), 429),
]


@pytest.mark.parametrize(("error", "status"), REFUSALS)
def test_each_refusal_has_its_status(error: Exception, status: int) -> None:
    response = rest.problem(error, {})
    assert response is not None
    assert response.status_code == response.data["status"] == status
    assert "duplicate key" not in str(response.data)


def test_a_bug_is_not_made_a_problem_document() -> None:
    assert rest.problem(ValueError("a bug"), {}) is None


def test_a_body_beyond_the_limit_is_not_read(cast: Cast, api: Callable[[User], Api]) -> None:
    body = '{"brief_title": "' + "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + '"}'
    answer = api(cast.superuser).post("/trials/", body)
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["", "outcomes/", "outcomes/patients/"])
def test_nul_in_an_address_is_no_such_record(
    cast: Cast, api: Callable[[User], Api], path: str
) -> None:
    assert api(cast.superuser).get(f"/trials/%00/{path}").status_code == 404
