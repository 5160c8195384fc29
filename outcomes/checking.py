"""Soft checks of a visit in its patient's history, as entered or as stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from outcomes import conformance
from outcomes.entries import VisitEntry
from outcomes.history import History
from outcomes.methods.recist import Assessment, Response
from outcomes.methods.soft_checks import SoftCheck, Window, soft_checks
from outcomes.models import Visit


def of_entry(
    past: History, entry: VisitEntry, derived: Response | None, *, replaces: Visit | None = None
) -> tuple[SoftCheck, ...]:
    """What to confirm about a visit that has a date; pointers lead into the entry.

    `past` may hold the visit already, under the same date.
    """
    assert entry.date is not None
    found = soft_checks(
        past.assessed(entry, entry.date),
        () if entry.baseline else _earlier(past, entry, replaces),
        window=_window(past, entry, replaces),
        stated=Response(entry.stated_response) if entry.stated_response else None,
        derived=derived,
    )
    return tuple(
        replace(check, pointer=conformance.as_entered(check.pointer, entry)) for check in found
    )


def _earlier(past: History, entry: VisitEntry, replaces: Visit | None) -> list[Assessment]:
    return [past.assessments[visit.date] for visit in _visits(past, entry, replaces)]


def _visits(past: History, entry: VisitEntry, replaces: Visit | None) -> list[Visit]:
    """The visits before, the baseline first."""
    assert entry.date is not None
    return [v for v in past.visits if v is not replaces and v.date < entry.date]


def _window(past: History, entry: VisitEntry, replaces: Visit | None) -> Window | None:
    """When a scheduled scan was expected: the trial's interval after the one before."""
    if entry.kind != Visit.Kind.SCHEDULED or not (before := _visits(past, entry, replaces)):
        return None
    last, trial = before[-1], past.patient.trial
    origin = last.date
    if last.kind == Visit.Kind.BASELINE:
        origin = past.patient.first_dose_on or origin
    due = origin + timedelta(days=trial.assessment_interval_days)
    margin = timedelta(days=trial.assessment_window_days)
    return Window(due - margin, due + margin)
