"""The dashboard and a conditional GET: after a change of the data and again, small and large."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.test import Client

from patients.models import Patient
from registry import audit
from registry.models import User
from tests.benchmarks.imports import client_of
from tests.benchmarks.measure import Line, compare, statements
from trials.models import Trial

QUERY = "?cutoff=2023-01-01"


def change(trial: Trial, user: User) -> None:
    """Change a patient a little."""
    with transaction.atomic():
        audit.attribute(by=user, reason="benchmark")
        patient = Patient.objects.filter(trial=trial).order_by("pk")[0]
        patient.version += 1
        patient.save()


def get(client: Client, path: str, status: int = 200, **headers: str) -> Any:
    """The answer, which has this status."""
    answer = client.get(path, headers=headers)
    assert answer.status_code == status, answer.content
    return answer


def pages(small: Trial, large: Trial, user: User, repetitions: int) -> list[Line]:
    """The dashboard of both trials."""
    client = Client()
    client.force_login(user)
    path = {trial: f"/trials/{trial.registry_id}/{QUERY}" for trial in (small, large)}
    lines, seconds = [], {}
    for trial in (small, large):
        found = _warm_and_cold(client, trial, path[trial], user, repetitions)
        size = len(get(client, path[trial]).content)
        asked = statements(lambda: get(client, path[trial]))  # noqa: B023 (called at once)
        patients = Patient.objects.filter(trial=trial).count()
        seconds[trial] = found[0] / patients
        what = f"Dashboard of {patients:,} patients again ({size / 1000:,.0f} kB of HTML)"
        against = "the first time after a change of the data"
        lines.append(Line(what, against, *found, rows=f"{patients:,}", statements=str(asked)))
    per_patient = seconds[large] / seconds[small]
    large_one, small_one = seconds[large] * 1000, seconds[small] * 1000
    what = f"Dashboard per patient, {lines[1].rows} patients"
    lines.append(
        Line(what, f"{lines[0].rows} patients", large_one, small_one, per_patient, unit="ms")
    )
    return lines


def _warm_and_cold(
    client: Client, trial: Trial, path: str, user: User, repetitions: int
) -> tuple[float, float, float]:
    def cold() -> None:
        change(trial, user)
        get(client, path)

    return compare(lambda: get(client, path), cold, repetitions=repetitions)


def conditional(trial: Trial, user: User, repetitions: int) -> Line | None:
    """304 against 200; None where the answer carries no ETag."""
    client, path = client_of(user), f"/api/v1/trials/{trial.registry_id}/outcomes/{QUERY}"
    answer = get(client, path)
    if "ETag" not in answer.headers:
        return None
    tag = answer.headers["ETag"]
    found = compare(
        lambda: get(client, path, 304, if_none_match=tag),
        lambda: get(client, path),
        repetitions=repetitions,
    )
    asked = [
        statements(lambda: get(client, path, 304, if_none_match=tag)),
        statements(lambda: get(client, path)),
    ]
    patients = Patient.objects.filter(trial=trial).count()
    return Line(
        f"Outcomes of {patients:,} patients, unchanged (304)",
        "the whole answer (200)",
        *found,
        statements=" / ".join(map(str, asked)),
        rows=f"{patients:,}",
    )
