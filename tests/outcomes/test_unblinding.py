"""Who knows the arms of a masked trial: nobody, unblinded statisticians, and all after the act."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from outcomes.analyses import freezing
from outcomes.models import Analysis
from outcomes.report import Options
from patients.models import Allocation
from registry.models import User
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from trials.models import Arm, Membership, Trial
from trials.vocabularies import Role

Login = Callable[[Any], Api]
Pages = Callable[..., Client]
TRIAL = "/trials/NCT00000001/"
ARM = "Canary-Placebo"
# Pages and documents of a trial that tell arms where they are open.
PAGES = (
    "", "patients/", "groups/", "statistics/", "safety/", "report/", "consort/", "accrual/",
    "figures/", "figures/pfs/", "figures/waterfall/",
)  # fmt: skip
DOCUMENTS = ("outcomes/", "consort/", "outcomes/forest/", "safety/", "exposure/", "report/")


@pytest.fixture
def masked(cast: Cast) -> Trial:
    """Two patients in each of two arms, hidden."""
    arms = [Arm.objects.create(trial=cast.trial, name=name) for name in ("Canary-Active", ARM)]
    for index in range(4):
        patient = factories.patient(cast.trial, f"01-{index}")
        Allocation.objects.create(patient=patient, trial=cast.trial, arm=arms[index % 2])
        factories.baseline(patient, by=cast.superuser)
        factories.follow_up(patient, 43, (30, 20), by=cast.superuser)
    Trial.objects.update(masking="DOUBLE", allocation="RANDOMIZED")
    return Trial.objects.get()


@pytest.fixture
def unblinded(cast: Cast) -> User:
    """The statistician who prepares the interim analysis."""
    user = factories.user("unblinded")
    factories.membership(user, cast.trial, Role.UNBLINDED_STATISTICIAN)
    return user


def unblind(client: Api, **sent: Any) -> Any:
    """POST of the act against the stored version."""
    body = {"registry_id": "NCT00000001", "reason": "Database locked on 2026-03-01"} | sent
    version = Trial.objects.get().version
    return client.post(f"{TRIAL}unblind/", body, if_match=f'"{version}"')


def tellers(pages: Pages, user: User) -> list[str]:
    """The pages that answer with the name of an allotted arm beside a patient or a figure."""
    client = pages(user)
    answers = {page: client.get(f"{TRIAL}{page}") for page in PAGES}
    assert {answer.status_code for answer in answers.values()} == {200}
    return [page for page, answer in answers.items() if ARM in answer.content.decode()]


def comparison(client: Api) -> Any:
    """What the report says of arm against arm."""
    return client.get(f"{TRIAL}outcomes/").json()["comparison_reason"]


def test_a_masked_trial_tells_its_arms_to_the_unblinded_alone(
    cast: Cast, masked: Trial, unblinded: User, pages: Pages, api: Login
) -> None:
    for blinded in (cast.investigator, cast.viewer, cast.administrator, cast.superuser):
        assert tellers(pages, blinded) == [], blinded
        assert comparison(api(blinded)) == "blinded"
        for path in DOCUMENTS:
            assert ARM not in api(blinded).get(f"{TRIAL}{path}").content.decode(), path
    assert len(tellers(pages, unblinded)) > 5
    assert comparison(api(unblinded)) is None
    groups = api(unblinded).get(f"{TRIAL}outcomes/?group_by=arm").json()["groups"]
    assert [group["group"] for group in groups] == ["Canary-Active", ARM]


def test_its_tag_is_not_shared_with_the_blinded(
    cast: Cast, masked: Trial, unblinded: User, api: Login
) -> None:
    tag = api(cast.viewer).get(f"{TRIAL}outcomes/")["ETag"]
    assert api(unblinded).get(f"{TRIAL}outcomes/", if_none_match=tag).status_code == 200


def test_the_role_counts_for_the_whole_trial_while_it_is_valid(
    cast: Cast, masked: Trial, unblinded: User, api: Login
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.update(site=cast.trial.sites.first(), role="unblinded_statistician")
    factories.membership(unblinded, cast.trial, Role.VIEWER)
    held = Membership.objects.filter(user=unblinded, role=Role.UNBLINDED_STATISTICIAN)
    held.update(valid_from=START, valid_to=START)
    assert comparison(api(unblinded)) == "blinded"


def test_what_an_unblinded_statistician_freezes_is_hidden_from_the_blinded(
    cast: Cast, masked: Trial, unblinded: User
) -> None:
    seen = Trial.objects.visible_to(unblinded).get()
    options = Options(cutoff=START.replace(year=2025))
    row = freezing.freeze(trial=seen, by=unblinded, name="DMC", note="", options=options)
    assert not row.blinded
    assert {one["arm"] for one in json.loads(row.inputs)["patients"]} == {"Canary-Active", ARM}
    assert freezing.reproduce(row).outcome is freezing.Outcome.REPRODUCED
    for user, shown in ((unblinded, True), (cast.viewer, False), (cast.superuser, False)):
        assert Analysis.objects.visible_to(user).exists() is shown
    Trial.objects.update(unblinded_at="2026-03-01T00:00:00Z")
    assert Analysis.objects.visible_to(cast.viewer).exists()
    assert freezing.reproduce(Analysis.objects.get()).outcome is freezing.Outcome.REPRODUCED


def test_the_act_shows_the_arms_to_everybody(
    cast: Cast, masked: Trial, pages: Pages, api: Login
) -> None:
    answer = unblind(api(cast.administrator))
    assert answer.status_code == 200, answer.content
    assert answer.json()["unblinded_at"] is not None
    assert answer.json()["masking"] == "DOUBLE"  # the design stays what it was
    assert len(tellers(pages, cast.viewer)) > 5
    patients = api(cast.coordinator).get("/patients/").json()["results"]
    assert {one["arm"] for one in patients} == {"Canary-Active", ARM}
    event = Trial.pgh_event_model.objects.order_by("pgh_id").last()  # type: ignore[attr-defined]
    assert event.pgh_context["reason"] == "Database locked on 2026-03-01"
    assert event.pgh_context["user"] == cast.administrator.pk


def test_it_is_told_whom_to_ask_and_what_is_wrong(cast: Cast, masked: Trial, api: Login) -> None:
    for user in (cast.investigator, cast.coordinator, cast.viewer):
        assert unblind(api(user)).status_code == 403
    assert unblind(api(cast.stranger)).status_code == 404
    administrator = api(cast.administrator)
    for sent, pointer in (
        ({"registry_id": "NCT00000002"}, "/registry_id"),
        ({"reason": "  "}, "/reason"),
        ({"at": "2020-01-01"}, "/at"),
    ):
        answer = unblind(administrator, **sent)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert Trial.objects.get().masked
    assert unblind(administrator).status_code == 200
    assert unblind(administrator).status_code == 409
    put = administrator.patch(
        TRIAL, {"unblinded_at": None, "reason": "x"}, if_match=f'"{Trial.objects.get().version}"'
    )
    assert put.status_code == 200
    assert not Trial.objects.get().masked


def test_the_page_asks_for_the_registry_id(cast: Cast, masked: Trial, pages: Pages) -> None:
    client = pages(cast.administrator)
    path = f"{TRIAL}unblinding/"
    assert path in client.get(TRIAL + "detail/").content.decode()
    wrong = {"registry_id": "NCT1", "reason": "locked", "version": masked.version}
    assert client.post(path, wrong).status_code == 422
    assert Trial.objects.get().masked
    client.post(path, wrong | {"registry_id": "NCT00000001"})
    assert not Trial.objects.get().masked
    assert "was unblinded on" in client.get(path).content.decode()
    assert pages(cast.investigator).get(path).status_code == 403
    assert pages(cast.stranger).get(path).status_code == 404


def test_an_open_trial_offers_no_unblinding(cast: Cast, pages: Pages, api: Login) -> None:
    page = pages(cast.administrator).get(f"{TRIAL}detail/").content.decode()
    assert "unblinding/" not in page
    assert unblind(api(cast.administrator)).status_code == 409


def test_the_database_knows_the_roles(cast: Cast) -> None:
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute("UPDATE trials_membership SET role = 'unblinded'")
