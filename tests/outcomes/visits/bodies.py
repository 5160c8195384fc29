"""Bodies of visits as they are sent, and what the tests ask of stored rows and of refusals."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from outcomes.models import Lesion, Measurement, NewLesionStatus, NonTargetStatus, Visit
from patients.models import Patient
from tests.conftest import Api

Login = Callable[[Any], Api]
Body = dict[str, Any]
GONE = object()  # a key that is left out
MODELS: tuple[Any, ...] = (Visit, Lesion, Measurement, NonTargetStatus, NewLesionStatus)
WHY = {"reason": "typing error"}
NEW = {"lesion": "NL01", "organ": "bone", "certainty": "unequivocal"}
BAD_TAGS = ['"2"', 'W/"1"', "*", '"1", "2"', "1", '""', '"a"', '"1', '"01"', '"٣"', '"-1"', "x"]


def target(label: str, mm: Any, **fields: Any) -> Body:
    """A target as it is sent."""
    return {"lesion": label, "state": "measured", "diameter_mm": mm} | fields


def baseline_of(patient: Patient, **changes: Any) -> Body:
    """A baseline with 50 mm in the lung, 30 mm in the liver and a pleural effusion."""
    return {
        "patient": patient.pk,
        "kind": "baseline",
        "date": "2024-01-15",
        "targets": [
            target("T01", 50, organ="lung", method="ct"),
            target("T02", 30, organ="liver", method="ct"),
        ],
        "non_targets": [{"lesion": "NT01", "organ": "pleural effusion", "status": "present"}],
    } | changes


def follow_up_of(patient: Patient, on: str = "2024-02-26", *mm: Any, **changes: Any) -> Body:
    """A scheduled visit with these diameters, 50 and 30 mm unless told otherwise."""
    return {
        "patient": patient.pk,
        "kind": "scheduled",
        "date": on,
        "targets": [target(f"T{i:02}", value) for i, value in enumerate(mm or (50, 30), 1)],
        "non_targets": [{"lesion": "NT01", "status": "present"}],
        "new_lesions": [],
    } | changes


def edited(body: Body, pointer: str, value: Any) -> Body:
    """A copy of a body with one value replaced, added or left out."""
    copy = deepcopy(body)
    *path, last = [int(p) if p.isdigit() else p for p in pointer.split("/")[1:]]
    place: Any = copy
    for step in path:
        place = place[step]
    if value is GONE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return copy


def stored() -> list[int]:
    """How many rows and audit events there are of every kind."""
    return [n for m in MODELS for n in (m.objects.count(), m.pgh_event_model.objects.count())]


def pointers(response: Any) -> list[str]:
    """Where the problem document says it is wrong."""
    assert response["Content-Type"] == "application/problem+json", response.content
    return [error["pointer"] for error in response.json()["errors"]]


def freeze(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> None:
    """Every site's clock stands at this instant."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return instant.astimezone(tz)

    monkeypatch.setattr("trials.models.sites.datetime", Clock)
