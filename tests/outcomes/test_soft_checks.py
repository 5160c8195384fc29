"""Soft checks on the way: in the preview, and as the visit page sends its answers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import QueryDict

from outcomes import actions, schedule
from outcomes.entries import Acknowledgement, VisitEntry
from outcomes.methods.soft_checks import Check
from outcomes.models import Visit
from outcomes.soft_check_form import acknowledgements, field_name
from patients.models import Patient, Query
from tests import factories
from tests.conftest import Cast
from tests.factories import START, non_target, target


def entry(day: int | None, *mm: str | int | None, kind: str = "scheduled") -> VisitEntry:
    """A follow-up with these diameters; None is a row that is still to be typed."""
    rows = tuple(
        target(f"T{i:02}", value, state="measured" if value else None)
        for i, value in enumerate(mm, 1)
    )
    return VisitEntry(
        kind=kind,
        date=None if day is None else START + timedelta(days=day),
        targets=rows,
        non_targets=(non_target("NT01"),),
        new_lesions=(),
    )


def test_the_preview_carries_them_with_pointers_into_what_was_typed(cast: Cast) -> None:
    patient = factories.patient(cast.trial)
    factories.baseline(patient, by=cast.coordinator)
    found = actions.preview_visit(patient=patient, entry=entry(43, None, 12)).soft_checks
    assert [(c.check, c.lesion, c.pointer) for c in found] == [
        (Check.LARGE_CHANGE, "T02", "/targets/1/diameter_mm")
    ]


def test_a_scheduled_scan_has_a_window_and_an_unscheduled_one_has_none(cast: Cast) -> None:
    patient = factories.patient(cast.trial)  # first dose a day after START; 42 +- 7 days
    factories.baseline(patient, by=cast.coordinator)

    def asked(day: int | None, kind: str = "scheduled") -> list[Check]:
        said = entry(day, 49, 29, kind=kind)
        return [c.check for c in actions.preview_visit(patient=patient, entry=said).soft_checks]

    assert asked(36) == asked(50) == []
    assert asked(35) == asked(51) == [Check.OUTSIDE_WINDOW]
    assert asked(35, "unscheduled") == []
    assert asked(None) == []  # the date is asked for anyway


@pytest.fixture
def followed(cast: Cast) -> Patient:
    """A patient whose week 6 (day 43 after START) is done; week 12 is from day 78 to 92."""
    patient = factories.patient(cast.trial)
    factories.baseline(patient, by=cast.coordinator)
    factories.follow_up(patient, 43, by=cast.coordinator)
    return patient


@pytest.mark.parametrize(
    ("day", "kind", "expected"),
    [
        (50, "scheduled", [Check.SCAN_DONE]),
        (40, "scheduled", [Check.SCAN_DONE]),  # dated before the one that has its place
        (50, "unscheduled", []),
        (77, "scheduled", [Check.OUTSIDE_WINDOW]),
        (78, "scheduled", []),
        (127, "scheduled", [Check.SCAN_MISSED]),
    ],
)
def test_the_question_speaks_of_the_scan_that_the_page_expects(
    followed: Patient, day: int, kind: str, expected: list[Check]
) -> None:
    found = actions.preview_visit(patient=followed, entry=entry(day, 49, 29, kind=kind)).soft_checks
    assert [c.check for c in found] == expected
    next_scan = schedule.expected(followed)
    assert next_scan
    for check in found:
        said = check.reason.parameters
        assert (said["first"], said["last"]) == (
            next_scan.first.isoformat(), next_scan.last.isoformat(),
        )  # fmt: skip


def test_a_second_scan_of_a_week_is_asked_about_and_named_so(cast: Cast, followed: Patient) -> None:
    visit = actions.record_visit(patient=followed, entry=entry(50, 49, 29), by=cast.coordinator)
    query = Query.objects.open().get(code="scan_done")
    assert query.record_id == visit.pk
    assert schedule.week_label(visit, before=START + timedelta(days=43)) == "Week 6, again"
    first = Visit.objects.get(patient=followed, date=START + timedelta(days=43))
    assert schedule.week_label(first) == "Week 6"
    checks = actions.preview_visit(
        patient=followed, entry=entry(43, 50, 30), visit=first
    ).soft_checks
    assert Check.SCAN_DONE not in [c.check for c in checks]  # the first one has its place


def test_after_progression_no_day_is_expected(cast: Cast, followed: Patient) -> None:
    factories.follow_up(followed, 85, (70, 40), by=cast.coordinator)
    found = actions.preview_visit(patient=followed, entry=entry(100, 71, 41)).soft_checks
    assert found == ()


def test_the_page_answers_with_a_tick_or_a_comment() -> None:
    data = QueryDict(mutable=True)
    data.update(
        {
            field_name("confirmed", Check.LARGE_CHANGE, "T02"): "on",
            field_name("comment", Check.COPIED, ""): " read again ",
            field_name("confirmed", Check.REAPPEARED, "T01"): "on",
            field_name("comment", Check.REAPPEARED, "T01"): "a seroma",
            field_name("comment", Check.LARGE_DIAMETER, "T03"): "  ",
            "confirmed:no_such_check:T01": "on",
            "date": "2024-01-15",
        }
    )
    assert sorted(acknowledgements(data), key=lambda a: a.code) == [
        Acknowledgement("copied", "", "read again"),
        Acknowledgement("large_change", "T02", ""),
        Acknowledgement("reappeared", "T01", "a seroma"),
    ]
    assert acknowledgements(None) == ()
