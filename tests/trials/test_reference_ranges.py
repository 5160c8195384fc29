"""Normal limits of the sites' laboratories: what is stored and refused, who may, what holds when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from tests.outcomes.test_visits_api import pointers
from trials.models import ReferenceRange

Login = Callable[[Any], Api]
Body = dict[str, Any]
WHY = {"reason": "new analyzer"}
ALT: Body = {
    "trial": "NCT00000001", "site": "01", "item": "alt", "sex": "any", "lower": 7.5, "upper": 40,
    "unit": "U/L", "valid_from": "2024-01-15",
}  # fmt: skip
PAGE = "/trials/NCT00000001/sites/01/reference-ranges/"


@pytest.fixture
def coordinator(cast: Cast, api: Login) -> Api:
    """The coordinator of site 01."""
    return api(cast.coordinator)


def test_every_key_comes_back(coordinator: Api) -> None:
    answer = coordinator.post("/reference-ranges/", ALT)
    assert answer.status_code == 201, answer.content
    said = answer.json()
    path = f"/reference-ranges/{said['id']}/"
    assert said == ALT | {"id": said["id"], "version": 1, "links": {"self": f"/api/v1{path}"}}
    assert coordinator.get(path).json() == said
    replaced = coordinator.put(path, said | {"upper": 45} | WHY, if_match='"1"')
    assert replaced.json() == said | {"upper": 45, "version": 2}
    assert coordinator.put(path, said | WHY, if_match='"1"').status_code == 412
    assert coordinator.put(path, said | WHY).status_code == 428
    assert pointers(coordinator.put(path, said, if_match='"2"')) == ["/reason"]


@pytest.mark.parametrize(
    ("other", "pointer"),
    [
        ({"unit": "ukat/L", "lower": None, "upper": 0.67}, None),
        ({"lower": None}, None),
        ({"upper": None}, None),
        ({"item": "ecog"}, "/item"),
        ({"item": "sodium"}, "/item"),
        ({"unit": "mg/dL"}, "/unit"),
        ({"lower": None, "upper": None}, "/upper"),
        ({"lower": 40}, "/upper"),
        ({"lower": -1}, "/lower"),
        ({"upper": "40"}, "/upper"),
        ({"sex": "unknown"}, "/sex"),
        ({"valid_from": "2199-01-01"}, "/valid_from"),
        ({"valid_from": "1899-12-31"}, "/valid_from"),
        ({"site": "02"}, "/site"),
        ({"site": "99"}, "/site"),
        ({"trial": "NCT99999999"}, "/site"),
        ({"limits": 1}, "/limits"),
    ],
)
def test_what_a_range_may_say(coordinator: Api, other: Body, pointer: str | None) -> None:
    answer = coordinator.post("/reference-ranges/", ALT | other)
    assert answer.status_code == (400 if pointer else 201), answer.content
    if pointer:
        assert pointers(answer) == [pointer]


def test_one_range_a_day(coordinator: Api) -> None:
    assert coordinator.post("/reference-ranges/", ALT).status_code == 201
    answer = coordinator.post("/reference-ranges/", ALT | {"upper": 50})
    assert (answer.status_code, pointers(answer)) == (409, ["/valid_from"])
    assert coordinator.post("/reference-ranges/", ALT | {"sex": "female"}).status_code == 201


def test_what_holds_on_a_day(cast: Cast, api: Login) -> None:
    client = api(cast.administrator)
    for valid_from, upper in (("2024-01-15", 40), ("2024-06-01", 45), ("2024-09-01", 50)):
        body = ALT | {"valid_from": valid_from, "upper": upper}
        assert client.post("/reference-ranges/", body).status_code == 201
    client.post("/reference-ranges/", ALT | {"sex": "female", "upper": 33})
    client.post("/reference-ranges/", ALT | {"site": "02", "upper": 60})
    client.post("/reference-ranges/", ALT | {"item": "ast", "upper": 35})

    def uppers(query: str) -> list[float]:
        answer = client.get(f"/reference-ranges/?{query}")
        return sorted(row["upper"] for row in answer.json()["results"])

    assert uppers("site=01&item=alt&on=2024-01-14") == []
    assert uppers("site=01&item=alt&on=2024-01-15") == [33, 40]
    assert uppers("site=01&item=alt&on=2024-08-31") == [33, 45]
    assert uppers("on=2024-09-01") == [33, 35, 50, 60]
    assert uppers("trial=NCT00000001&item=ast") == [35]
    assert uppers("trial=NCT99999999") == []
    last = ReferenceRange.objects.get(upper=50)
    void = client.post(f"/reference-ranges/{last.pk}/void/", WHY, if_match='"1"')
    assert void.status_code == 200
    assert uppers("site=01&item=alt&on=2024-09-01") == [33, 45]
    assert client.get("/reference-ranges/?on=2024-9-1").json()["parameter"] == "on"


@pytest.mark.parametrize(
    ("name", "writes", "voids"),
    [
        ("coordinator", True, False),
        ("investigator", True, True),
        ("administrator", True, True),
        ("viewer", False, False),
        ("superuser", True, True),
    ],
)
def test_who_may(cast: Cast, api: Login, name: str, writes: bool, voids: bool) -> None:
    client = api(getattr(cast, name))
    assert client.post("/reference-ranges/", ALT).status_code == (201 if writes else 403)
    site = cast.trial.sites.get(code="01")
    row = ReferenceRange.objects.create(
        site=site, item="ast", upper=40, unit="U/L", valid_from=factories.START
    )
    path = f"/reference-ranges/{row.pk}/"
    body = ALT | {"item": "ast"} | WHY
    assert client.put(path, body, if_match='"1"').status_code == (200 if writes else 403)
    tag = '"2"' if writes else '"1"'
    answer = client.post(f"{path}void/", WHY, if_match=tag)
    assert answer.status_code == (200 if voids else 403)


def test_a_foreign_range_answers_as_missing(cast: Cast, api: Login, coordinator: Api) -> None:
    row = coordinator.post("/reference-ranges/", ALT).json()
    path, missing = f"/reference-ranges/{row['id']}/", "/reference-ranges/999999999/"
    for user in (cast.outsider, cast.stranger):
        client = api(user)
        assert client.get(path).content == client.get(missing).content
        assert client.put(path, row | WHY, if_match='"1"').status_code == 404
        assert client.post(f"{path}void/", WHY, if_match='"1"').status_code == 404
        assert client.get("/reference-ranges/").json()["count"] == 0
        foreign, unknown = (
            client.post("/reference-ranges/", ALT | s) for s in ({}, {"site": "99"})
        )
        assert foreign.content == unknown.content
    moved = row | {"site": "02"} | WHY
    assert pointers(api(cast.administrator).put(path, moved, if_match='"1"')) == ["/site"]


def test_the_page(
    cast: Cast, pages: Callable[..., Client], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client, told = (
        pages(cast.coordinator),
        {k: v for k, v in ALT.items() if k not in ("trial", "site")},
    )
    assert "No limits" in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}new/", told | {"upper": 5}).status_code == 422
    assert client.post(f"{PAGE}new/", told)["Location"] == PAGE
    row = ReferenceRange.objects.get()
    address = f"/reference-ranges/{row.pk}/"
    shown = client.get(PAGE).content.decode()
    assert f'href="{address}edit/"' in shown
    assert "void" not in shown
    edit = told | {"upper": "42.5", "version": 1, "reason": "x"}
    assert client.post(f"{address}edit/", edit).status_code == 302
    assert "42.5<" in client.get(PAGE).content.decode()
    assert client.get(f"{address}void/").status_code == 403
    for other in (cast.outsider, cast.stranger):
        for path in (PAGE, f"{PAGE}new/", f"{address}edit/", f"{address}void/"):
            assert pages(other).get(path).status_code == 404
    viewer = pages(cast.viewer)
    assert viewer.get(PAGE).status_code == 200
    assert viewer.get(f"{PAGE}new/").status_code == 403
    assert client.get("/trials/NCT00000001/sites/%00/reference-ranges/").status_code == 404
    void = {"version": 2, "reason": "x"}
    assert pages(cast.administrator).post(f"{address}void/", void).status_code == 302
    for n in (1, 5):
        for k in range(n):
            factories_range(cast, f"2024-0{n}-1{k}")
        with django_assert_num_queries(9):
            client.get(PAGE)


def factories_range(cast: Cast, valid_from: str) -> None:
    """One more range of site 01."""
    ReferenceRange.objects.create(
        site=cast.trial.sites.get(code="01"), item="ast", upper=1, unit="U/L", valid_from=valid_from
    )
