"""A bulk import against psycopg2's `execute_values` into the same audited tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain, count
from typing import Any

from django.test import Client
from django.urls import NoReverseMatch, reverse

from registry.models import ApiToken, User
from tests.benchmarks import tables
from tests.benchmarks.courses import Course
from tests.benchmarks.measure import Line, compare, statements
from trials.models import Trial

_numbers = count(1)


def lines(courses: Sequence[Course]) -> bytes:
    """The file of an import: patients first, then their visits, then their therapies."""
    said = sorted(chain.from_iterable(course.lines() for course in courses), key=_order)
    return "".join(json.dumps(line) + "\n" for line in said).encode()


def _order(line: dict[str, Any]) -> int:
    return ("patient", "visit", "therapy").index(line["record"])


def send(file: bytes, trial: Trial, client: Client) -> dict[str, Any]:
    """Import the file; the answer."""
    path = reverse("api:import", args=[trial.registry_id])
    answer: Any = client.post(path, file, content_type="application/x-ndjson")
    assert answer.status_code == 200, answer.content[:2000]
    told: dict[str, Any] = answer.json()
    return told


def exists() -> bool:
    """Whether this registry can import."""
    try:
        reverse("api:import", args=["x"])
    except NoReverseMatch:
        return False
    return True


def client_of(user: User) -> Client:
    """A client with a token."""
    return Client(headers={"Authorization": f"Token {ApiToken.issue(user, days=1)}"})


def empty_trial(user: User) -> Trial:
    """A trial for one import."""
    return tables.trial(f"BENCH-IMPORT-{next(_numbers)}", user)


def measured(courses: Sequence[Course], user: User, repetitions: int) -> Line:
    """Each repetition into another empty trial; the rows of both are counted and equal."""
    file, client = lines(courses), client_of(user)
    trials = {name: [empty_trial(user) for _ in range(repetitions + 1)] for name in ("ours", "other")}  # fmt: skip
    made = [tables.rows(courses, trial) for trial in trials["other"]]
    ours, other = iter(trials["ours"]), iter(made)
    asked = statements(lambda: send(file, next(ours), client))
    tables.insert(next(other), user)
    found = compare(
        lambda: send(file, next(ours), client),
        lambda: tables.insert(next(other), user),
        repetitions=repetitions,
        warm=0,
    )
    stored, inserted = (tables.count(trials[name][-1]) for name in ("ours", "other"))
    assert stored == inserted, (stored, inserted)
    visits = sum(len(course.visits) for course in courses)
    return Line(
        f"Importing {visits:,} visits of {len(courses):,} patients",
        "psycopg2's execute_values of the same rows",
        *found,
        aim=4,
        rows=f"{sum(stored.values()):,}",
        statements=f"{asked:,} / {tables.statements(made[0]):,}",
    )
