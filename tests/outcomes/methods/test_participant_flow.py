"""The flow of participants: people by hand, and boxes that sum to their parent for any people."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.methods.participant_flow import (
    Disposition,
    FollowUp,
    Participant,
    Screened,
    Screening,
    flow,
    screened_as,
)

CUTOFF = date(2024, 12, 31)
DAY = date(2024, 1, 15)
LATER = CUTOFF + timedelta(days=1)
TREATED = Participant(enrolled_on=DAY, first_dose_on=DAY)
SCREENED = Participant(screenings=(Screening(DAY, "open"),))


def on(days: int) -> date:
    return DAY + timedelta(days=days)


def failed(reason: str = "not_eligible", *criteria: int, day: int = 0) -> Screening:
    return Screening(on(day), "failed", reason, criteria)


def left(kind: str, day: int = 30, **fields: Any) -> Disposition:
    return Disposition(kind, on(day), **fields)


def screened(**fields: Any) -> Participant:
    return replace(SCREENED, **fields)


WITHDREW = left("withdrawn", follow_up_continues=False)

SCREENING = [
    (Participant(), Screened.NOT_SCREENED),
    (SCREENED, Screened.OPEN),
    (screened(screenings=(Screening(LATER, "open"),)), Screened.NOT_SCREENED),
    (screened(screenings=(Screening(CUTOFF, "eligible"),)), Screened.ELIGIBLE),
    (screened(screenings=(failed("declined"),)), Screened.DECLINED),
    (screened(screenings=(failed("other"),)), Screened.OTHER),
    (screened(screenings=(Screening(on(9), "eligible"), failed())), Screened.ELIGIBLE),  # again
    (screened(screenings=(failed(day=9), Screening(DAY, "eligible"))), Screened.NOT_ELIGIBLE),
    (screened(screenings=(Screening(DAY, "open"), failed(day=999))), Screened.OPEN),
    (screened(consent_withdrawn_on=on(3)), Screened.DECLINED),
    (screened(consent_withdrawn_on=LATER), Screened.OPEN),
    (screened(dispositions=(WITHDREW,)), Screened.DECLINED),
    (screened(dispositions=(left("lost_to_follow_up"),)), Screened.OTHER),
    (screened(died_on=on(3)), Screened.OTHER),
    (screened(died_on=on(3), screenings=(failed(),)), Screened.NOT_ELIGIBLE),
]  # fmt: skip


@pytest.mark.parametrize(("person", "state"), SCREENING)
def test_how_a_screening_stands(person: Participant, state: Screened) -> None:
    assert screened_as(person, CUTOFF) is state


ENDED = left("treatment_discontinued", 20, reason="adverse_event")
# dispositions and dates; where the patient is in the follow-up, and why treatment ended, if it did
LAST, ON = "last dose only", None
CONTINUING = FollowUp.CONTINUING
COURSES: list[tuple[dict[str, Any], FollowUp, str | None]] = [
    ({}, CONTINUING, ON),
    ({"last_dose_on": on(40)}, CONTINUING, LAST),
    ({"last_dose_on": on(40), "dosing": True}, CONTINUING, ON),  # the latest of several, and it runs
    ({"last_dose_on": LATER}, CONTINUING, ON),
    ({"dispositions": (ENDED,)}, CONTINUING, "adverse_event"),
    ({"dispositions": (ENDED,), "last_dose_on": on(40)}, CONTINUING, "adverse_event"),
    ({"dispositions": (replace(ENDED, reason=""),)}, CONTINUING, "not_recorded"),
    ({"dispositions": (replace(ENDED, on=LATER),)}, CONTINUING, ON),
    ({"dispositions": (ENDED, replace(ENDED, on=on(50), reason="other"))}, CONTINUING, "other"),
    ({"died_on": CUTOFF}, FollowUp.DIED, "death"),
    ({"died_on": CUTOFF, "last_dose_on": on(40), "dosing": True}, FollowUp.DIED, "death"),
    ({"died_on": LATER}, CONTINUING, ON),
    ({"died_on": on(90), "last_dose_on": on(40)}, FollowUp.DIED, LAST),
    ({"died_on": on(90), "dispositions": (ENDED,)}, FollowUp.DIED, "adverse_event"),
    ({"dispositions": (WITHDREW,)}, FollowUp.WITHDRAWN, "withdrawal_by_subject"),
    ({"dispositions": (WITHDREW,), "died_on": on(99)}, FollowUp.DIED, "death"),
    ({"dispositions": (replace(WITHDREW, follow_up_continues=True),)},
     FollowUp.WITHDRAWN_FOLLOWED, "withdrawal_by_subject"),
    ({"dispositions": (replace(WITHDREW, follow_up_continues=True), left("lost_to_follow_up", 60))},
     FollowUp.LOST, "lost_to_follow_up"),
    ({"dispositions": (left("completed"), left("lost_to_follow_up"))}, FollowUp.LOST, "lost_to_follow_up"),
    ({"dispositions": (left("completed"),)}, FollowUp.COMPLETED, "completed"),
    ({"dispositions": (left("transferred"),)}, CONTINUING, ON),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "state", "why"), COURSES)
def test_a_treated_patient_is_in_one_box_per_row(
    facts: dict[str, Any], state: FollowUp, why: str | None
) -> None:
    found = flow([replace(TREATED, **facts)], arms=[], analyses=0, cutoff=CUTOFF).enrolled
    assert {box for box, n in found.follow_up.items() if n} == {state}
    assert (found.on_treatment, found.last_dose_only) == (int(why is ON), int(why is LAST))
    assert found.discontinued == ({why: 1} if why not in (ON, LAST) else {})
    recorded = any(d.kind == ENDED.kind for d in facts.get("dispositions", ()))
    assert found.inferred == int(bool(found.discontinued) and not recorded)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, "not_recorded"),
        ({"first_dose_on": LATER}, "not_recorded"),
        ({"died_on": on(3)}, "death"),
        ({"dispositions": (WITHDREW,)}, "withdrawal_by_subject"),
        ({"dispositions": (replace(ENDED, reason="physician_decision"),)}, "physician_decision"),
    ],
)
def test_why_treatment_did_not_begin(facts: dict[str, Any], why: str) -> None:
    person = replace(TREATED, first_dose_on=None)
    found = flow([replace(person, **facts)], arms=[], analyses=0, cutoff=CUTOFF).enrolled
    assert (found.treated, found.untreated, found.discontinued) == (0, {why: 1}, {})


def test_a_small_trial_by_hand() -> None:
    """Eight screened: two fail criteria 1 (and one of them 2), one declines, one is open."""
    people = [
        Participant(screenings=(failed("not_eligible", 1, 2),)),
        Participant(screenings=(failed("not_eligible", 1),)),
        Participant(screenings=(failed("not_eligible"),)),
        Participant(screenings=(failed("declined"),)),
        SCREENED,
        Participant(),
        replace(TREATED, arm=7, absences=(None,), screenings=(Screening(DAY, "eligible"),)),
        replace(TREATED, arm=8, absences=("x",), deviations=(DAY, on(1), LATER)),
        Participant(enrolled_on=DAY, absences=("x",)),
    ]
    people = [replace(p, absences=p.absences or ("not_enrolled",)) for p in people]
    found = flow(people, arms=[7, 8, 9], analyses=1, cutoff=CUTOFF)
    assert (found.assessed, found.excluded, found.in_screening, found.enrolled.n) == (8, 4, 1, 3)
    assert found.criteria == {1: 2, 2: 1}
    assert (found.unspecified, found.unscreened, found.not_assessed) == (1, 2, 1)
    assert [arm.n for arm in found.arms] == [1, 1, 0]
    assert (found.unallocated.n, found.outside) == (1, (0,))
    assert [arm.analyses[0].n for arm in found.arms] == [1, 0, 0]
    assert found.enrolled.analyses[0].excluded == {"x": 2}
    assert (found.enrolled.deviations, found.enrolled.deviating) == (2, 1)


def test_an_unknown_arm_is_refused() -> None:
    with pytest.raises(ValueError, match="arms"):
        flow([replace(TREATED, arm=3)], arms=[1, 2], analyses=0, cutoff=CUTOFF)


def test_nobody() -> None:
    found = flow([], arms=[1, 2], analyses=2, cutoff=CUTOFF)
    assert (found.assessed, found.enrolled.n, found.outside) == (0, 0, (0, 0))
    assert [one.n for arm in found.arms for one in arm.analyses] == [0, 0, 0, 0]


# Any people

dates = st.none() | st.integers(-30, 400).map(on)
sure = st.integers(-30, 400).map(on)
conclusions = st.sampled_from(
    [("open", ""), ("eligible", ""), ("failed", "not_eligible"), ("failed", "declined"), ("failed", "other")]
)  # fmt: skip
kinds = ["treatment_discontinued", "withdrawn", "lost_to_follow_up", "completed", "transferred"]
participants = st.builds(
    Participant,
    *[dates] * 4,
    dosing=st.booleans(),
    consent_withdrawn_on=dates,
    arm=st.sampled_from([None, 1, 2, 3]),
    screenings=st.lists(
        st.builds(
            lambda at, outcome, not_met: Screening(at, outcome[0], outcome[1], not_met),
            sure, conclusions, st.lists(st.integers(1, 4), unique=True).map(tuple),
        ), max_size=3
    ).map(tuple),
    dispositions=st.lists(
        st.builds(
            Disposition, st.sampled_from(kinds), sure,
            st.sampled_from(["", "death", "other"]), st.sampled_from([None, True, False]),
        ), max_size=4
    ).map(tuple),
    deviations=st.lists(sure, max_size=2).map(tuple),
    absences=st.tuples(*[st.sampled_from([None, "not_treated", "no_baseline"])] * 2),
)  # fmt: skip


@given(st.lists(participants, max_size=12))
def test_the_boxes_of_every_row_sum_to_their_parent(people: list[Participant]) -> None:
    found = flow(people, arms=[1, 2, 3], analyses=2, cutoff=CUTOFF)
    assert found.assessed + found.not_assessed == len(people)
    assert found.assessed == found.excluded + found.in_screening + found.enrolled.n
    columns = [*found.arms, found.unallocated]
    assert sum(column.n for column in columns) == found.enrolled.n
    for column in (found.enrolled, *columns):
        ended = sum(column.discontinued.values())
        assert column.treated == ended + column.last_dose_only + column.on_treatment
        assert column.n == column.treated + sum(column.untreated.values())
        assert column.n == sum(column.follow_up.values())
        assert column.inferred <= sum(column.discontinued.values())
        for one in column.analyses:
            assert column.n == one.n + sum(one.excluded.values())
    for name in (
        "treated", "on_treatment", "last_dose_only", "inferred", "transferred", "deviations",
        "deviating",
    ):  # fmt: skip
        assert getattr(found.enrolled, name) == sum(getattr(column, name) for column in columns)
    assert sum(one.n for one in found.enrolled.analyses) + sum(found.outside) == sum(
        absence is None for person in people for absence in person.absences
    )
    assert all(n <= found.screened[Screened.NOT_ELIGIBLE] for n in found.criteria.values())
