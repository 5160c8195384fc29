"""Doses, dispositions and transfers as the tests of this folder send them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from patients.models import Patient
from tests.conftest import Api
from tests.factories import START

Login = Callable[[Any], Api]
Body = dict[str, Any]
WHY = {"reason": "typing error"}


def on(day: int) -> str:
    """That many days after START, the day of enrollment."""
    return (START + timedelta(days=day)).isoformat()


def dose(patient: Patient, first: int, last: int | None = None, **other: Any) -> Body:
    """12 mg from a day to a day."""
    said = {
        "patient": patient.pk, "intervention": "Anlotinib", "dose": 12, "unit": "mg",
        "started_on": on(first), "ended_on": None if last is None else on(last),
    }  # fmt: skip
    return said | other


def ending(patient: Patient, kind: str, day: int, **other: Any) -> Body:
    """A disposition; a withdrawal refuses follow-up unless told otherwise."""
    refused = {"follow_up_continues": False} if kind == "withdrawn" else {}
    why = {"disposition_reason": "other"} if kind == "treatment_discontinued" else {}
    return {"patient": patient.pk, "kind": kind, "on": on(day)} | refused | why | other


def dosed(patient: Patient) -> tuple[str, str, int]:
    """First and last dose, and the version."""
    patient.refresh_from_db()
    return str(patient.first_dose_on), str(patient.last_dose_on), patient.version


def move(patient: Patient, site: str = "02", day: int = 40) -> Body:
    """To another site."""
    return {"site": site, "on": on(day), "reason": "moved house"}
