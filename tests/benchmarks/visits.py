"""Saving a follow-up visit over REST against a bare view that inserts as many rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.test import Client
from django.test.utils import override_settings

from outcomes.models import Measurement, NonTargetStatus, Visit
from patients.models import Patient
from registry.models import ApiToken, User
from tests.benchmarks import tables
from tests.benchmarks.courses import Body, Course, course
from tests.benchmarks.measure import Line, compare, statements
from trials.models import Trial

TARGETS = 5
EARLIER = 4  # visits before the one that is saved


def histories(count: int) -> list[Course]:
    """Patients with five targets, a baseline and three follow-ups, alive since."""
    found = (course(number) for number in range(1_000_000, 2_000_000))
    fitting = (one for one in found if _fits(one))
    return [_cut(one) for one, _ in zip(fitting, range(count), strict=False)]


def _fits(one: Course) -> bool:
    states = {row["state"] for visit in one.visits[:EARLIER] for row in visit["targets"]}
    return (
        (len(one.visits[0]["targets"]), len(one.visits[0]["non_targets"])) == (TARGETS, 1)
        and len(one.visits) >= EARLIER
        and states == {"measured"}
        and not any(visit["new_lesions"] for visit in one.visits)
        and "died_on" not in one.patient
    )


def _cut(one: Course) -> Course:
    return Course(one.patient, one.visits[:EARLIER])


def next_visits(trial: Trial) -> Iterator[Body]:
    """The next visit of one patient after the other."""
    for patient in Patient.objects.filter(trial=trial).order_by("subject_id"):
        on = max(patient.visits.values_list("date", flat=True)) + timedelta(days=42)
        labels = sorted(patient.lesions.values_list("label", flat=True))
        yield {
            "patient": patient.pk, "kind": "scheduled", "date": on.isoformat(), "new_lesions": [],
            "targets": [{"lesion": label, "state": "measured", "diameter_mm": 30.5} for label in labels if label[0] == "T"],
            "non_targets": [{"lesion": label, "status": "present"} for label in labels if label[0] == "N"],
        }  # fmt: skip


def rows_of(visit: int) -> tuple[int, ...]:
    """Rows of each table that belong to a visit."""
    return tuple(
        model._default_manager.filter(**{name: visit}).count()
        for model, name in ((Visit, "pk"), (Measurement, "visit"), (NonTargetStatus, "visit"))
    )


def measured(user: User, repetitions: int) -> Line:
    """Each request saves the visit of another patient, alternately by the API and the bare view."""
    trial = tables.trial("BENCH-VISITS", user)
    tables.insert(tables.rows(histories(2 * repetitions + 6), trial), user)
    bodies = next_visits(trial)
    with override_settings(ROOT_URLCONF="tests.benchmarks.bare"):
        client = Client(headers={"Authorization": f"Token {ApiToken.issue(user, days=1)}"})

        def save(path: str) -> int:
            answer: Any = client.post(path, next(bodies), content_type="application/json")
            assert answer.status_code == 201, answer.content
            pk: int = answer.json()["id"]
            return pk

        stored, bare = rows_of(save("/api/v1/visits/")), rows_of(save("/bare/visits/"))
        assert stored == bare, (stored, bare)
        asked = [statements(lambda: save(path)) for path in ("/api/v1/visits/", "/bare/visits/")]  # noqa: B023 (called at once)
        found = compare(
            lambda: save("/api/v1/visits/"), lambda: save("/bare/visits/"), repetitions=repetitions
        )
    return Line(
        f"Saving a follow-up visit with {TARGETS} targets over REST",
        "a bare view: the same token, the same rows by bulk_create",
        *found,
        aim=3,
        rows=str(sum(stored)),
        statements=" / ".join(map(str, asked)),
    )
