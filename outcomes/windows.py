"""Questions about a scan's day, when the day from which scans are planned moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes import history
from outcomes.data_queries.questions import Questions, asked_of
from outcomes.methods.soft_checks import Check
from patients.models import Patient, Query, QuerySubject

if TYPE_CHECKING:
    from registry.models import User


def look_again(*, patient: Patient, by: User, **_of_signal: object) -> None:
    """Close the open queries about days outside their windows that fit now; open no others."""
    rows = Query.objects.open().filter(patient=patient, subject=QuerySubject.VISIT)
    if not rows.filter(code=Check.OUTSIDE_WINDOW).exists():
        return
    past = history.load(patient)
    asked = Questions([patient], by=by)
    asked.review(past, asked_of(past))
    asked.store()
