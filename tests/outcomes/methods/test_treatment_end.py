"""When treatment ended, in the order of the participant flow's rules."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from outcomes.methods.participant_flow import Disposition, Participant, course_of, treatment_end

START = date(2024, 1, 1)


def on(day: int) -> date:
    """A day after START."""
    return START + timedelta(days=day)


STOPPED = Disposition("treatment_discontinued", on(50), "adverse_event")
LOST = Disposition("lost_to_follow_up", on(70))
MOVED = Disposition("transferred", on(20))


@pytest.mark.parametrize(
    ("facts", "day"),
    [
        ({}, None),
        ({"last_dose_on": on(40)}, 40),
        ({"last_dose_on": on(40), "dosing": True}, None),
        ({"last_dose_on": on(140)}, None),  # after the cutoff
        ({"dispositions": (STOPPED,)}, 50),
        ({"dispositions": (STOPPED,), "last_dose_on": on(45)}, 45),
        ({"dispositions": (STOPPED,), "dosing": True}, 50),
        ({"dispositions": (STOPPED, LOST)}, 50),
        ({"dispositions": (LOST,)}, 70),
        ({"dispositions": (MOVED,)}, None),
        ({"died_on": on(60)}, 60),
        ({"died_on": on(60), "last_dose_on": on(40)}, 40),
        ({"died_on": on(60), "dosing": True}, 60),
        ({"died_on": on(160)}, None),
    ],
)
def test_treatment_ends_with_what_ended_it(facts: dict[str, Any], day: int | None) -> None:
    person = Participant(enrolled_on=START, first_dose_on=START, **facts)
    ended = treatment_end(person, on(100))
    assert ended == (None if day is None else on(day))
    assert course_of(person, on(100)).on_treatment == (ended is None)
