"""Many requests at once, each on a connection of its own: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from random import uniform
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from outcomes.models import Measurement, Visit
from patients.models import Patient
from registry.models import IdempotentAnswer
from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes.test_actions import events, together
from tests.outcomes.visits.bodies import Body, follow_up_of, target
from tests.registry.test_audit import as_owner

Login = Callable[[Any], Api]
pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = 40
SPREAD = 12  # seconds over which those who were refused come back: all at once they lose again


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient of site 01 with a baseline."""
    row = factories.patient(cast.trial)
    factories.baseline(row, by=cast.coordinator)
    return row


def send(client: Api, body: Body, key: str) -> Any:
    """POST a visit with a key."""
    return client.post("/visits/", body, idempotency_key=key)


def test_identical_posts_with_one_key_are_one_visit(
    cast: Cast, api: Login, patient: Patient
) -> None:
    body, clients = follow_up_of(patient), [api(cast.coordinator) for _ in range(24)]
    answers = together(*(partial(send, client, body, "one") for client in clients))
    assert [answer.status_code for answer in answers] == [201] * 24
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 23
    assert len({answer.content for answer in answers}) == 1
    assert {answer["ETag"] for answer in answers} == {'"1"'}
    assert Visit.objects.filter(kind="scheduled").count() == 1
    assert events(Visit).filter(kind="scheduled").count() == 1
    assert IdempotentAnswer.objects.count() == 1


def test_identical_posts_with_different_keys_are_one_visit(
    cast: Cast, api: Login, patient: Patient
) -> None:
    body, clients = follow_up_of(patient), [api(cast.coordinator) for _ in range(24)]
    answers = together(*(partial(send, c, body, f"key-{n}") for n, c in enumerate(clients)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 23]
    assert not any("Idempotency-Replayed" in answer for answer in answers)
    refused = {answer.content for answer in answers if answer.status_code == 409}
    assert [json.loads(text)["errors"][0]["pointer"] for text in refused] == ["/date"]
    assert Visit.objects.filter(kind="scheduled").count() == 1
    assert events(Visit).filter(kind="scheduled").count() == 1
    assert IdempotentAnswer.objects.count() == 1


def test_different_bodies_with_one_key_are_one_visit(
    cast: Cast, api: Login, patient: Patient
) -> None:
    bodies = [follow_up_of(patient, f"2024-03-{day:02}") for day in range(1, 9)]
    answers = together(*(partial(send, api(cast.coordinator), body, "one") for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    assert Visit.objects.filter(kind="scheduled").count() == 1


def correct(client: Api, address: str, number: int) -> Any:
    """Read, correct, and on 412 wait a little and read again, until the correction is taken."""
    for attempt in range(10 * WRITERS):
        time.sleep(uniform(0, SPREAD) if attempt else 0)
        read = client.get(address)
        changes = {"targets": [target("T01", 40 + number / 100), target("T02", 30)]}
        body = read.json() | changes | {"reason": f"correction {number}"}
        answer = client.put(address, body, if_match=read["ETag"])
        if answer.status_code != 412:
            return answer
    raise AssertionError(f"correction {number} was never taken")


def test_no_correction_is_lost(cast: Cast, api: Login, patient: Patient) -> None:
    visit = factories.follow_up(patient, 42, by=cast.coordinator)
    address, clients = f"/visits/{visit.pk}/", [api(cast.coordinator) for _ in range(WRITERS)]
    answers = together(*(partial(correct, c, address, n) for n, c in enumerate(clients)))
    assert [answer.status_code for answer in answers] == [200] * WRITERS
    assert sorted(a.json()["version"] for a in answers) == list(range(2, WRITERS + 2))
    visit.refresh_from_db()
    assert visit.version == WRITERS + 1
    updates = events(Visit).filter(pgh_label="update", pgh_obj_id=visit.pk)
    reasons = [event.pgh_context["reason"] for event in updates]
    assert len(reasons) == WRITERS
    assert set(reasons) == {f"correction {number}" for number in range(WRITERS)}
    assert [event.version for event in updates] == list(range(2, WRITERS + 2))
    measured = events(Measurement).filter(pgh_label="update", visit=visit, lesion__label="T01")
    values = {float(event.diameter_mm) for event in measured}
    assert values == {40 + number / 100 for number in range(WRITERS)}
    assert {a.json()["targets"][0]["diameter_mm"] for a in answers} == values


def kill_who_waits_for(table: str) -> None:
    """End the one connection that waits for a table, as a crash of its process would."""
    deadline = time.monotonic() + 30
    with as_owner(), connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE NOT granted AND relation = %s::regclass",
                [table],
            )
            if killed := cursor.fetchall():
                assert killed == [(True,)]
                return
            time.sleep(0.02)
    raise AssertionError(f"nobody waits for {table}")


def test_a_crash_before_the_commit_leaves_neither_visit_nor_key(
    cast: Cast, api: Login, patient: Patient
) -> None:
    client, body, table = api(cast.coordinator), follow_up_of(patient), "registry_idempotentanswer"
    client.client.raise_request_exception = False
    before = events(Visit).count()
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")  # who stores an answer waits
        crashed = pool.submit(together, partial(send, client, body, "one"))
        kill_who_waits_for(table)
        assert [answer.status_code for answer in crashed.result()] == [500]
    assert not Visit.objects.filter(kind="scheduled").exists()
    assert events(Visit).count() == before
    assert not IdempotentAnswer.objects.exists()
    again = send(client, body, "one")
    assert again.status_code == 201
    assert "Idempotency-Replayed" not in again


def test_nobody_waits_for_another_who_cleans_up(cast: Cast, api: Login, patient: Patient) -> None:
    old = timezone.now() - timedelta(days=8)
    IdempotentAnswer.objects.create(
        scope="0" * 64, request="", status=201, headers={}, body="{}", created_at=old
    )
    client, body = api(cast.coordinator), follow_up_of(patient)
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        IdempotentAnswer.objects.select_for_update().get()
        (answer,) = pool.submit(together, partial(send, client, body, "one")).result(timeout=60)
    assert answer.status_code == 201
    assert IdempotentAnswer.objects.count() == 2
