"""The page of the randomization scheme: the administrator's alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from patients.models import RandomizationSlot
from tests import factories
from tests.conftest import Cast
from trials.models import Arm, RandomizationScheme, Trial

Pages = Callable[..., Client]


@pytest.fixture
def arms(cast: Cast) -> list[Arm]:
    """A randomized trial with two arms."""
    Trial.objects.filter(pk=cast.trial.pk).update(allocation="RANDOMIZED")
    return [Arm.objects.create(trial=cast.trial, name=name) for name in ("Anlotinib", "Placebo")]


def typed(arms: list[Arm], version: int = 0, **fields: Any) -> dict[str, Any]:
    """Two to one, by site."""
    ratio = {f"arm_{arm.pk}": share for arm, share in zip(arms, (2, 1), strict=True)}
    told = {"block_multiples": "2, 1", "factors": ["site"], "reason": "protocol 2.0"}
    return ratio | told | {"version": version} | fields


def address(cast: Cast) -> str:
    return f"/trials/{cast.trial.registry_id}/randomization/"


def test_an_administrator_makes_and_changes_it(cast: Cast, pages: Pages, arms: list[Arm]) -> None:
    client = pages(cast.administrator)
    assert client.post(address(cast), typed(arms)).status_code == 302
    scheme = RandomizationScheme.objects.get()
    assert scheme.ratio == {"Anlotinib": 2, "Placebo": 1}
    assert (scheme.block_multiples, scheme.factors, scheme.version) == ([1, 2], ["site"], 1)
    page = client.get(address(cast)).content.decode()
    assert 'value="1, 2"' in page
    assert client.post(address(cast), typed(arms, 1, block_multiples="3")).status_code == 302
    scheme.refresh_from_db()
    assert (scheme.block_multiples, scheme.version) == ([3], 2)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"block_multiples": "0"}, "Whole numbers from 1 to 20"),
    ({"block_multiples": "1; 2"}, "Whole numbers from 1 to 20"),
    ({"block_multiples": "21"}, "Whole numbers from 1 to 20"),
    ({"factors": ["eye color"]}, "Select a valid choice"),
    ({"reason": " "}, "This field is required"),
    ({"version": 7}, "Somebody changed this meanwhile"),
]


@pytest.mark.parametrize(("fields", "told"), WRONG)
def test_what_is_wrong_is_told_and_kept(
    cast: Cast, pages: Pages, arms: list[Arm], fields: dict[str, Any], told: str
) -> None:
    response = pages(cast.administrator).post(address(cast), typed(arms, **fields))
    assert response.status_code == 422
    page = response.content.decode()
    assert told in page
    assert str(fields.get("block_multiples", "2, 1")) in page
    assert not RandomizationScheme.objects.exists()


def test_a_ratio_in_use_stays(cast: Cast, pages: Pages, arms: list[Arm]) -> None:
    client = pages(cast.administrator)
    client.post(address(cast), typed(arms))
    RandomizationSlot.objects.create(
        trial=cast.trial, stratum="[]", position=1, block=1, arm=arms[0],
        patient=factories.patient(cast.trial),
    )  # fmt: skip
    response = client.post(address(cast), typed(arms, 1, **{f"arm_{arms[0].pk}": 3}))
    assert response.status_code == 422
    assert "Patients were randomized by it already" in response.content.decode()
    assert RandomizationScheme.objects.get().ratio == {"Anlotinib": 2, "Placebo": 1}


WHO = [("investigator", 403), ("coordinator", 403), ("viewer", 403), ("stranger", 404)]


@pytest.mark.parametrize(("who", "status"), WHO)
def test_nobody_else_sees_it(
    cast: Cast, pages: Pages, arms: list[Arm], who: str, status: int
) -> None:
    client = pages(getattr(cast, who))
    assert client.get(address(cast)).status_code == status
    assert client.post(address(cast), typed(arms)).status_code == status
    if status == 403:
        assert "randomization/" not in client.get(f"{address(cast)[:-14]}detail/").content.decode()
    assert not RandomizationScheme.objects.exists()
