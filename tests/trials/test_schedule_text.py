"""Doses and days read from descriptions, where they can be read in one way only."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trials.schedule_text import Schedule, in_words, read_schedule

TWO_WEEKS = tuple(range(1, 15))
COMBINED = (
    "Anlotinib 12mg orally per day, two weeks on , one week off; 240 mg of toripalimab "
    "(fixed dose) every three weeks. Repeat every three weeks."
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 mg orally on day 1-14 of a 21-day cycle",
         Schedule(Decimal(12), "mg", "oral", TWO_WEEKS, 21)),
        ("12 mg once daily (day1-14 PO) in 21-day cycles",
         Schedule(Decimal(12), "mg", "oral", TWO_WEEKS, 21)),
        ("12 mg QD, p.o., d1-d14, q3w", Schedule(Decimal(12), "mg", "oral", TWO_WEEKS, 21)),
        ("2 weeks on/1 week off, 10 mg/day", Schedule(Decimal(10), "mg", "", TWO_WEEKS, 21)),
        ("240 mg every three weeks", Schedule(Decimal(240), "mg", "", (1,), 21)),
        ("200 mg IV every 21 days", Schedule(Decimal(200), "mg", "intravenous", (1,), 21)),
        ("1.5 mg/m2 intravenously on days 1, 8 and 15 of each 28-day cycle",
         Schedule(Decimal("1.5"), "mg/m2", "intravenous", (1, 8, 15), 28)),
        ("50 mg/m² on day 1 of a 3-week cycle", Schedule(Decimal(50), "mg/m²", "", (1,), 21)),
    ],
)  # fmt: skip
def test_a_schedule_of_one_reading(text: str, expected: Schedule) -> None:
    assert read_schedule(text, "Anlotinib") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "according to the label",
        "8-12 mg",
        "12 mg, reduced to 10 mg",
        "1,200 mg",
        "tumor assessment every 6 weeks",
        "G-CSF 5 g",
        "3 weeks",
        "day 1-99",
        "day 14-1",
    ],
)
def test_what_can_be_read_in_two_ways_or_none_is_left_blank(text: str) -> None:
    assert not read_schedule(text, "Anlotinib")


def test_each_drug_has_its_own_clause() -> None:
    anlotinib = read_schedule(COMBINED, "Anlotinib", ["Toripalimab"])
    toripalimab = read_schedule(COMBINED, "Toripalimab", ["Anlotinib"])
    assert anlotinib == Schedule(Decimal(12), "mg", "oral", TWO_WEEKS, 21)
    assert toripalimab == Schedule(Decimal(240), "mg", "", (1,), 21)
    assert not read_schedule(COMBINED, "Dacarbazine", ["Anlotinib"])


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(Decimal(12), "mg", "oral", TWO_WEEKS, 21),
        Schedule(Decimal("1.5"), "mg/m2", "intravenous", (1, 8, 15), 28),
        Schedule(Decimal(240), "mg", "intravenous", (1,), 21),
    ],
)
def test_a_schedule_in_words_is_read_again(schedule: Schedule) -> None:
    assert read_schedule(in_words(schedule), "Anlotinib") == schedule
