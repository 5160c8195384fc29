"""Accrual by hand: months, sites, screen failures, and a projection in whole days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.methods.accrual import Accrual, NoProjection, accrual, months_before
from outcomes.methods.participant_flow import Participant, Screening

CUTOFF = date(2024, 7, 1)


def enrolled(*dates: str, site: str = "01") -> list[tuple[str, Participant]]:
    return [(site, Participant(enrolled_on=date.fromisoformat(on))) for on in dates]


def screened(conclusion: str, on: str = "2024-02-01", **facts: Any) -> tuple[str, Participant]:
    reason = "declined" if conclusion == "failed" else ""
    screening = Screening(date.fromisoformat(on), conclusion, reason)
    return ("01", Participant(screenings=(screening,), **facts))


def counted(
    people: list[tuple[str, Participant]],
    target: int | None = None,
    cutoff: date = CUTOFF,
    **options: Any,
) -> Accrual:
    until = options.pop("until", cutoff)
    return accrual(
        people, sites=["01", "02", "03"], target=target, cutoff=cutoff, until=until, **options
    )


def test_months_are_counted_from_the_first_enrollment_to_the_end() -> None:
    found = counted(enrolled("2023-11-30", "2024-02-01", "2024-02-29", "2024-07-01", "2024-07-02"))
    assert [(str(m), m.enrolled, m.cumulative) for m in found.months] == [
        ("2023-11", 1, 1), ("2023-12", 0, 1), ("2024-01", 0, 1), ("2024-02", 2, 3), ("2024-03", 0, 3),
        ("2024-04", 0, 3), ("2024-05", 0, 3), ("2024-06", 0, 3), ("2024-07", 1, 4),
    ]  # fmt: skip
    assert counted([]).months == ()
    late = counted(enrolled("2024-06-01"), cutoff=date.max, until=CUTOFF)
    assert [str(month) for month in late.months] == ["2024-06", "2024-07"]


def test_sites_by_hand() -> None:
    """90 days that end on 1 July begin on 3 April."""
    people = [
        *enrolled("2024-04-02", "2024-04-03", "2024-07-01"), *enrolled("2024-01-05", site="02"),
        screened("failed"), screened("open"), screened("failed", "2024-08-01"),
        screened("failed", enrolled_on=date(2024, 5, 1)),
    ]  # fmt: skip
    found = counted(people)
    first, second, third = (found.sites[code] for code in ("01", "02", "03"))
    assert (first.screened, first.failed, first.enrolled, first.recent) == (3, 1, 4, 3)
    assert (first.first, first.last) == (date(2024, 4, 2), CUTOFF)
    assert (second.enrolled, second.recent, second.first) == (1, 0, date(2024, 1, 5))
    assert (third.enrolled, third.first, third.last) == (0, None, None)
    assert (found.total.enrolled, found.total.screened) == (5, 3)


def test_screen_failures_are_of_the_screenings_that_ended() -> None:
    """0 of 10: 1 - 0.025 ** (1 / 10) above (Clopper and Pearson)."""
    ended = [screened("eligible") for _ in range(10)]
    found = counted([*ended, screened("open"), *enrolled("2024-01-01")]).screen_failures
    assert (found.k, found.n, found.lower) == (0, 10, 0)
    assert found.upper == pytest.approx(1 - 0.025**0.1)
    found = counted([screened("failed"), screened("failed", enrolled_on=CUTOFF)]).screen_failures
    assert (found.k, found.n) == (1, 2)
    assert counted([]).screen_failures.estimate is None


# Six months before 1 July 2024 is 1 January: 182 days. One patient more than the target needs:
# 2 in 182 days, 3 to go: 273 days; 3 in 182 days, 1 to go: 60.67, so 61.
OLD = "2023-06-01"
PROJECTIONS: list[tuple[list[str], int | None, str | None, NoProjection | None]] = [
    ([OLD, "2024-02-01", "2024-07-01"], 6, "2025-03-31", None),
    ([OLD, "2024-01-02", "2024-02-01", "2024-07-01"], 5, "2024-08-31", None),
    ([OLD, "2024-01-01"], 5, None, NoProjection.NONE_IN_SIX_MONTHS),  # that day is not within
    (["2024-01-02"], 5, None, NoProjection.LESS_THAN_SIX_MONTHS),
    ([OLD, "2024-02-01"], 2, None, NoProjection.REACHED),
    ([OLD, "2024-02-01"], None, None, NoProjection.NO_TARGET),
    ([OLD, "2024-02-01"], 0, None, NoProjection.NO_TARGET),
    ([OLD, "2024-02-01"], 1_000_000, None, NoProjection.TOO_FAR),
    ([], 5, None, NoProjection.NONE_IN_SIX_MONTHS),
]  # fmt: skip


@pytest.mark.parametrize(("dates", "target", "end", "reason"), PROJECTIONS)
def test_the_end_at_the_rate_of_the_last_six_months(
    dates: list[str], target: int | None, end: str | None, reason: NoProjection | None
) -> None:
    found = counted(enrolled(*dates), target).projection
    assert (found.since, found.days) == (date(2024, 1, 1), 182)
    assert (found.on, found.reason) == (date.fromisoformat(end) if end else None, reason)


def test_a_site_projects_no_trial() -> None:
    found = counted(enrolled(OLD, "2024-02-01"), 2, whole_trial=False)
    assert found.projection.reason is NoProjection.NOT_THE_WHOLE_TRIAL
    assert found.reached_on is None


def test_the_target_is_reached_by_its_last_patient() -> None:
    found = counted(enrolled("2024-03-01", OLD, "2024-02-01"), 2)
    assert found.reached_on == date(2024, 2, 1)


@pytest.mark.parametrize(
    ("on", "before"),
    [
        ("2024-08-31", "2024-02-29"), ("2023-08-31", "2023-02-28"), ("2024-01-15", "2023-07-15"),
        ("0001-03-05", "0001-01-05"),
    ],
)  # fmt: skip
def test_months_before(on: str, before: str) -> None:
    assert months_before(date.fromisoformat(on), 6) == date.fromisoformat(before)


days = st.dates(date(2015, 1, 1), date(2035, 12, 31))


@given(
    st.lists(st.tuples(st.sampled_from(["01", "02", "03"]), st.none() | days)),
    st.none() | st.integers(0, 50),
    days,
)
def test_sites_and_months_sum_to_the_total(
    told: list[tuple[str, date | None]], target: int | None, cutoff: date
) -> None:
    people = [(site, Participant(enrolled_on=on)) for site, on in told]
    found = counted(people, target, cutoff)
    assert sum(site.enrolled for site in found.sites.values()) == found.total.enrolled
    assert sum(month.enrolled for month in found.months) == found.total.enrolled
    if found.months:
        assert found.months[-1].cumulative == found.total.enrolled
    end = found.projection.on
    if end and target:
        taken = (end - cutoff).days * found.projection.enrolled
        missing = target - found.total.enrolled
        assert taken >= missing * found.projection.days > taken - found.projection.enrolled
        assert end > cutoff - timedelta(days=1)
