"""The schedule by hand: every 42 days from the first dose on 2024-01-01, plus or minus 7."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from outcomes.methods.schedule import (
    Course,
    NotExpected,
    Scan,
    Timeliness,
    Timing,
    later_scans,
    next_scan,
    number_on,
    planned,
)

TIMING = Timing(interval=42, window=7, baseline=28)
ORIGIN = date(2024, 1, 1)
BASELINE_ON = date(2023, 12, 20)
WEEK_6 = Scan(1, date(2024, 2, 12), date(2024, 2, 5), date(2024, 2, 19))
WEEK_12 = Scan(2, date(2024, 3, 25), date(2024, 3, 18), date(2024, 4, 1))
WEEK_18 = Scan(3, date(2024, 5, 6), date(2024, 4, 29), date(2024, 5, 13))


def after(days: int) -> date:
    return ORIGIN + timedelta(days=days)


@pytest.mark.parametrize(
    ("case", "last_scheduled_on", "expected"),
    [
        ("baseline only", None, WEEK_6),
        ("on its day", after(42), WEEK_12),
        ("on the first day of its window", after(35), WEEK_12),
        ("on the last day of its window", after(49), WEEK_12),
        ("two weeks late: the next one does not move", after(56), WEEK_12),
        ("half way: week 6, late", after(63), WEEK_12),
        ("nearer to week 12: week 6 is past", after(64), WEEK_18),
        ("far too early: the first one all the same", after(5), WEEK_12),
        ("before the first dose: none of them", after(-3), WEEK_6),
        ("on the day of the first dose: none of them", after(0), WEEK_6),
    ],
)
def test_the_next_scan(case: str, last_scheduled_on: date | None, expected: Scan) -> None:
    course = Course(ORIGIN, BASELINE_ON, last_scheduled_on)
    assert next_scan(course, TIMING) == expected, case


def test_without_a_baseline_it_is_expected_within_28_days_before_treatment() -> None:
    found = next_scan(Course(ORIGIN), TIMING)
    assert found == Scan(0, ORIGIN, date(2023, 12, 4), ORIGIN)


@pytest.mark.parametrize(
    ("course", "why"),
    [
        (Course(None), NotExpected.NOT_ENROLLED),
        (Course(None, ended=NotExpected.WITHDRAWN), NotExpected.WITHDRAWN),
        *((Course(ORIGIN, BASELINE_ON, ended=why), why) for why in NotExpected),
        *((Course(ORIGIN, ended=why), why) for why in NotExpected),
    ],
)
def test_no_scan_is_expected(course: Course, why: NotExpected) -> None:
    assert next_scan(course, TIMING) is why


@pytest.mark.parametrize(
    ("on", "timeliness", "late"),
    [
        ("2024-01-21", Timeliness.UPCOMING, 0),  # 15 days before the window opens
        ("2024-01-22", Timeliness.DUE, 0),  # 14 days before
        ("2024-02-05", Timeliness.DUE, 0),  # the first day of the window
        ("2024-02-19", Timeliness.DUE, 0),  # the last
        ("2024-02-20", Timeliness.OVERDUE, 1),
        ("2024-03-01", Timeliness.OVERDUE, 11),
    ],
)
def test_how_a_scan_stands_on_a_day(on: str, timeliness: Timeliness, late: int) -> None:
    day = date.fromisoformat(on)
    assert (WEEK_6.timeliness(day, 14), WEEK_6.days_late(day)) == (timeliness, late)


@pytest.mark.parametrize(
    ("scan", "on", "later"),
    [
        (WEEK_6, "2024-02-20", 0),
        (WEEK_6, "2024-03-17", 0),
        (WEEK_6, "2024-03-18", 1),  # the window of week 12 opens
        (WEEK_6, "2024-04-28", 1),
        (WEEK_6, "2024-04-29", 2),
        (WEEK_6, "2023-12-01", 0),
        (planned(0, ORIGIN, TIMING), "2024-02-04", 0),
        (planned(0, ORIGIN, TIMING), "2024-02-05", 1),
    ],
)
def test_later_scans_that_are_open_as_well(scan: Scan, on: str, later: int) -> None:
    assert later_scans(scan, date.fromisoformat(on), TIMING) == later


@pytest.mark.parametrize(
    ("interval", "days", "number"),
    [(1, 1, 1), (1, 9, 9), (56, 84, 1), (56, 85, 2), (30, 75, 2), (30, 76, 3), (365, 1000, 3)],
)
def test_other_intervals(interval: int, days: int, number: int) -> None:
    assert number_on(after(days), ORIGIN, Timing(interval, 0, 28)) == number


@pytest.mark.parametrize("number", range(1, 40))
def test_a_scan_on_its_day_is_that_scan(number: int) -> None:
    assert number_on(planned(number, ORIGIN, TIMING).due, ORIGIN, TIMING) == number


def test_patience_is_two_intervals_with_their_windows() -> None:
    assert TIMING.patience == 98
