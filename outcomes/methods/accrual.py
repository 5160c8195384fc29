"""How enrollment goes: by month, by site, screen failures, and when the target would be met.

Integers and whole days throughout. Pure: people in, frozen values out.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta
from enum import StrEnum

from outcomes.methods.participant_flow import EXCLUDED, Participant, Screened, by, screened_as
from outcomes.methods.proportions import Proportion, clopper_pearson

RECENT_DAYS = 90
RATE_MONTHS = 6
FARTHEST_DAYS = 36_525  # a century: beyond it a date says nothing


class NoProjection(StrEnum):
    """Why no end of the enrollment is projected."""

    NO_TARGET = "no_target"
    NOT_THE_WHOLE_TRIAL = "not_the_whole_trial"
    REACHED = "reached"
    LESS_THAN_SIX_MONTHS = "less_than_six_months"
    NONE_IN_SIX_MONTHS = "none_in_six_months"
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month: who was enrolled in it, and by its end (or the cutoff)."""

    year: int
    month: int
    enrolled: int
    cumulative: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True)
class SiteAccrual:
    """A site's persons; screened are those with a screening, failed those it excluded."""

    screened: int
    failed: int
    enrolled: int
    recent: int
    first: Date | None
    last: Date | None


@dataclass(frozen=True, slots=True)
class Projection:
    """The end of the enrollment at the rate of the last six months, or why there is none.

    `enrolled` patients in the `days` from `since` to the cutoff; the remaining ones take as many
    days as the rate says, rounded up.
    """

    since: Date
    days: int
    enrolled: int
    on: Date | None
    reason: NoProjection | None


@dataclass(frozen=True, slots=True)
class Accrual:
    """Everything about enrollment at a cutoff; sites by their key."""

    total: SiteAccrual
    sites: Mapping[str, SiteAccrual]
    months: tuple[Month, ...]
    reached_on: Date | None
    screen_failures: Proportion
    projection: Projection


def accrual(
    people: Sequence[tuple[str, Participant]],
    *,
    sites: Sequence[str],
    target: int | None,
    cutoff: Date,
    until: Date,
    whole_trial: bool = True,
) -> Accrual:
    """Count people, each with the key of their site, at a cutoff.

    Months run from that of the first enrollment to that of `until`, the cutoff or today if that
    is earlier. `sites` are listed whether they have anybody or not.
    """
    everybody = [person for _site, person in people]
    dates = enrollments(everybody, cutoff)
    goal = target if whole_trial else None
    return Accrual(
        total=_site(everybody, cutoff),
        sites={site: _site([p for s, p in people if s == site], cutoff) for site in sites},
        months=_months(dates, until),
        reached_on=dates[goal - 1] if goal and len(dates) >= goal else None,
        screen_failures=_screen_failures(everybody, cutoff),
        projection=_projection(dates, target, cutoff, whole_trial=whole_trial),
    )


def enrollments(people: Sequence[Participant], cutoff: Date) -> list[Date]:
    """The dates of enrollment up to the cutoff, in order."""
    return sorted(p.enrolled_on for p in people if p.enrolled_on and p.enrolled_on <= cutoff)


class Counted(StrEnum):
    """What a person is counted for in the accrual."""

    SCREENED = "screened"
    FAILED = "failed"
    ENROLLED = "enrolled"
    RECENT = "recent"


def counts(person: Participant, what: Counted, cutoff: Date) -> bool:
    """Whether a person is counted for this at the cutoff."""
    if what is Counted.SCREENED:
        return any(screening.on <= cutoff for screening in person.screenings)
    if what is Counted.FAILED:
        return _failed(person, cutoff)
    on = person.enrolled_on
    if on is None or on > cutoff:
        return False
    return what is Counted.ENROLLED or (cutoff - on).days < RECENT_DAYS


def _site(people: Sequence[Participant], cutoff: Date) -> SiteAccrual:
    dates = enrollments(people, cutoff)
    found = {what: sum(counts(person, what, cutoff) for person in people) for what in Counted}
    return SiteAccrual(
        screened=found[Counted.SCREENED],
        failed=found[Counted.FAILED],
        enrolled=found[Counted.ENROLLED],
        recent=found[Counted.RECENT],
        first=dates[0] if dates else None,
        last=dates[-1] if dates else None,
    )


def _failed(person: Participant, cutoff: Date) -> bool:
    return not by(person.enrolled_on, cutoff) and screened_as(person, cutoff) in EXCLUDED


def _screen_failures(people: Sequence[Participant], cutoff: Date) -> Proportion:
    """Of those whose screening has ended: excluded, found eligible, or enrolled."""
    screened = [p for p in people if any(s.on <= cutoff for s in p.screenings)]
    ended = [
        person
        for person in screened
        if by(person.enrolled_on, cutoff) or screened_as(person, cutoff) is not Screened.OPEN
    ]
    return clopper_pearson(sum(_failed(person, cutoff) for person in ended), len(ended))


def _months(dates: Sequence[Date], until: Date) -> tuple[Month, ...]:
    if not dates:
        return ()
    counted = Counter((on.year, on.month) for on in dates)
    found, total = [], 0
    last = max(until, dates[-1])
    for index in range(_index(dates[0]), _index(last) + 1):
        key = (index // 12, index % 12 + 1)
        total += counted[key]
        found.append(Month(*key, counted[key], total))
    return tuple(found)


def _index(on: Date) -> int:
    return 12 * on.year + on.month - 1


def months_before(on: Date, months: int) -> Date:
    """The same day so many months earlier, or the last of that month; not before year 1."""
    index = max(_index(on) - months, 12)
    year, month = index // 12, index % 12 + 1
    return Date(year, month, min(on.day, monthrange(year, month)[1]))


def _projection(
    dates: Sequence[Date], target: int | None, cutoff: Date, *, whole_trial: bool
) -> Projection:
    since = months_before(cutoff, RATE_MONTHS)
    days = (cutoff - since).days
    recent = sum(on > since for on in dates)
    reason = _why_not(dates, target, since, recent, whole_trial=whole_trial)
    if reason or not target:
        return Projection(since, days, recent, None, reason)
    wait = -(-(target - len(dates)) * days // recent)  # rounded up
    if wait > FARTHEST_DAYS or wait > (Date.max - cutoff).days:
        return Projection(since, days, recent, None, NoProjection.TOO_FAR)
    return Projection(since, days, recent, cutoff + timedelta(days=wait), None)


def _why_not(
    dates: Sequence[Date], target: int | None, since: Date, recent: int, *, whole_trial: bool
) -> NoProjection | None:
    if not target:
        return NoProjection.NO_TARGET
    if not whole_trial:
        return NoProjection.NOT_THE_WHOLE_TRIAL
    if len(dates) >= target:
        return NoProjection.REACHED
    if not recent:
        return NoProjection.NONE_IN_SIX_MONTHS
    return NoProjection.LESS_THAN_SIX_MONTHS if dates[0] > since else None
