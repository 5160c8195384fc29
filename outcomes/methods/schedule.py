"""When a patient's next scan is expected, and which planned scan a visit is.

The schedule is a calendar: scan k is due k assessment intervals after the day treatment began,
plus or minus the trial's window. "A calendar schedule ... should not be affected by delays in
therapy" (Eisenhauer 2009, section 4.5): so neither a late scan nor one in between moves the scans
after it. Counting from the last visit instead, as charts are often kept, lets every late scan
delay all that follow, and progression is then found late.

A scheduled visit is the planned scan nearest to its day (half way between two it is the earlier
one, late), and what was planned before it is past. An unscheduled visit is none of them. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta
from enum import StrEnum

BASELINE = 0


class NotExpected(StrEnum):
    """Why no scan is expected: the first that holds."""

    DIED = "died"
    WITHDRAWN = "withdrawn"
    LOST = "lost_to_follow_up"
    COMPLETED = "completed"
    PROGRESSED = "progressed"
    NOT_ENROLLED = "not_enrolled"
    TRIAL_CLOSED = "trial_closed"


class Timeliness(StrEnum):
    """How a scan that is not entered yet stands on a day."""

    OVERDUE = "overdue"
    DUE = "due"
    UPCOMING = "upcoming"


@dataclass(frozen=True, slots=True)
class Timing:
    """A trial's schedule, in days."""

    interval: int
    window: int
    baseline: int

    @property
    def patience(self) -> int:
        """Days overdue after which two scans in a row are missing (METHODS.md, 6: `fda`)."""
        return 2 * (self.interval + self.window)


@dataclass(frozen=True, slots=True)
class Course:
    """What the schedule needs of a patient; `origin` is the day from which scans are counted.

    It is the first dose, else the randomization, else the enrollment; None before enrollment.
    `last_scheduled_on`: the latest scheduled visit. `ended`: what ended the scans.
    """

    origin: Date | None
    baseline_on: Date | None = None
    last_scheduled_on: Date | None = None
    ended: NotExpected | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """A planned scan: its number (0 is the baseline), its day, and its window, both ends included."""

    number: int
    due: Date
    first: Date
    last: Date

    def days_late(self, on: Date) -> int:
        """Days since the last day of the window; 0 within it and before it."""
        return max(0, (on - self.last).days)

    def timeliness(self, on: Date, ahead: int) -> Timeliness:
        """Overdue after the window, due while it is open or opens within `ahead` days."""
        if on > self.last:
            return Timeliness.OVERDUE
        opens_soon = (self.first - on).days <= ahead
        return Timeliness.DUE if opens_soon else Timeliness.UPCOMING


def next_scan(course: Course, timing: Timing) -> Scan | NotExpected:
    """The first planned scan that no visit has taken the place of, or why there is none."""
    if course.ended:
        return course.ended
    if course.origin is None:
        return NotExpected.NOT_ENROLLED
    if course.baseline_on is None:
        return planned(BASELINE, course.origin, timing)
    return planned(_last_number(course, timing) + 1, course.origin, timing)


def _last_number(course: Course, timing: Timing) -> int:
    if course.last_scheduled_on is None or course.origin is None:
        return BASELINE
    return number_on(course.last_scheduled_on, course.origin, timing) or BASELINE


def planned(number: int, origin: Date, timing: Timing) -> Scan:
    """The planned scan of this number; the baseline's window ends on the origin (METHODS.md, 2)."""
    if number == BASELINE:
        return Scan(number, origin, origin - timedelta(days=timing.baseline), origin)
    due, margin = origin + timedelta(days=number * timing.interval), timedelta(days=timing.window)
    return Scan(number, due, due - margin, due + margin)


def number_on(on: Date, origin: Date, timing: Timing) -> int | None:
    """Which planned scan a scheduled visit of that day is; None up to the origin."""
    days = (on - origin).days
    if days <= 0:
        return None
    return max(1, -((timing.interval - 2 * days) // (2 * timing.interval)))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scheduled visit falls among the planned scans, all days counted from the origin.

    `nearest` is the scan that it is called after, `expected` the first that no visit before it
    has taken, `done_on` the day on which another visit took the nearest one.
    """

    nearest: Scan
    nearest_day: int
    expected: Scan
    expected_day: int
    done_on: Date | None = None


def place(
    on: Date, origin: Date, timing: Timing, *, before: Iterable[Date], known: Iterable[Date]
) -> Place | None:
    """Where a scheduled visit of that day falls; None up to the origin.

    `before` are the scheduled visits dated before it, `known` those that were entered before it:
    of two visits nearest to one planned scan the one entered first has it.
    """
    number = number_on(on, origin, timing)
    if number is None:
        return None
    done_on = next((day for day in known if number_on(day, origin, timing) == number), None)
    past = [number_on(day, origin, timing) or BASELINE for day in before]
    last = max((other for other in past if other < number), default=BASELINE)
    following = number + 1 if done_on else last + 1
    return Place(
        nearest=planned(number, origin, timing),
        nearest_day=number * timing.interval,
        expected=planned(following, origin, timing),
        expected_day=following * timing.interval,
        done_on=done_on,
    )


def later_scans(scan: Scan, on: Date, timing: Timing) -> int:
    """How many scans planned after this one have an open or past window on a day."""
    opened = (on - scan.due).days + timing.window
    return max(0, opened // timing.interval)
