"""Treatment exposure against hand work: 12 mg on days 1 to 14 of 21, and 240 mg on day 1 of 21."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from patients.exposure import Given, Plan, converted, convertible, exposure, quartiles

START = date(2024, 1, 1)
END = date(2024, 12, 31)
ORAL = Plan(Decimal(12), "mg", tuple(range(1, 15)), 21)
INFUSED = Plan(Decimal(240), "mg", (1,), 21)
DAILY = Plan(Decimal(12), "mg")


def on(day: int) -> date:
    """Day 1 is START."""
    return START + timedelta(days=day - 1)


def given(first: int, last: int | None, dose: str = "12", unit: str = "mg") -> Given:
    """A dose from a day to a day."""
    return Given(Decimal(dose), unit, on(first), on(last) if last else None)


# plan, doses -> days, cycles, total, planned, reductions, interruptions
CASES = {
    "one cycle": (ORAL, [given(1, 14)], (14, 1, 168, 168, 0, 0)),
    "two cycles on time": (ORAL, [given(1, 14), given(22, 35)], (35, 2, 336, 336, 0, 0)),
    "one period over four cycles": (ORAL, [given(1, 84)], (77, 4, 672, 672, 0, 0)),
    "a period that ends at rest": (ORAL, [given(1, 20)], (14, 1, 168, 168, 0, 0)),
    # cycle 2 begins on day 36; the plan has 14 + 14 + 7 days by day 49
    "a delay of two weeks": (ORAL, [given(1, 14), given(36, 49)], (49, 2, 336, 420, 0, 0)),
    "begun two days early": (ORAL, [given(1, 14), given(20, 33)], (33, 2, 336, 312, 0, 0)),
    "reduced within the cycle": (
        ORAL, [given(1, 7), given(8, 14, "10")], (14, 1, 154, 168, 1, 0),
    ),
    # days 8 to 14 and 22 to 35 at 10 mg
    "reduced, over two cycles": (
        ORAL, [given(1, 7), given(8, 42, "10")], (35, 2, 84 + 210, 336, 1, 0),
    ),
    "reduced twice, once from the start": (
        ORAL, [given(1, 14, "10"), given(22, 35, "8")], (35, 2, 252, 336, 2, 0),
    ),
    "increased again": (
        ORAL, [given(1, 14), given(22, 35, "10"), given(43, 56)], (56, 3, 476, 504, 1, 0),
    ),
    "paused and continued": (
        ORAL, [given(1, 5), given(6, 9, "0"), given(10, 14)], (14, 1, 120, 168, 0, 1),
    ),
    "two pauses in a row are one": (
        ORAL, [given(1, 5), given(6, 7, "0"), given(8, 9, "0"), given(22, 35)],
        (35, 2, 60 + 168, 336, 0, 1),
    ),
    "paused at the end": (ORAL, [given(1, 14), given(22, 42, "0")], (14, 1, 168, 168, 0, 1)),
    "a pause first": (ORAL, [given(1, 3, "0"), given(4, 17)], (14, 1, 168, 168, 0, 1)),
    "in any order": (ORAL, [given(22, 35), given(1, 14)], (35, 2, 336, 336, 0, 0)),
    "in grams": (ORAL, [given(1, 14, "0.012", "g")], (14, 1, 168, 168, 0, 0)),
    "infusions": (
        INFUSED, [given(1, 1, "240"), given(22, 22, "240"), given(50, 50, "240")],
        (50, 3, 720, 720, 0, 0),
    ),
    "infusions told as a period": (INFUSED, [given(1, 63, "240")], (43, 3, 720, 720, 0, 0)),
    "every day": (DAILY, [given(1, 10)], (10, 1, 120, 120, 0, 0)),
    "every day, five missed": (DAILY, [given(1, 5), given(11, 15)], (15, 1, 120, 180, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_exposure_by_hand(case: str) -> None:
    plan, doses, (days, cycles, total, planned, reductions, interruptions) = CASES[case]
    found = exposure(doses, plan, END)
    assert found is not None
    assert (found.days, found.cycles) == (days, cycles)
    assert (found.total_dose, found.planned_dose) == (Decimal(total), Decimal(planned))
    assert found.unit == "mg"
    assert found.relative_dose_intensity == Fraction(total, planned)
    assert (found.reductions, found.interruptions) == (reductions, interruptions)


def test_amounts_are_exact() -> None:
    found = exposure([given(1, 3, "0.1")], Plan(Decimal("0.3"), "mg"), END)
    assert found is not None
    assert found.total_dose == Decimal("0.3")
    assert found.relative_dose_intensity == Fraction(1, 3)


def test_a_dose_that_lasts_counts_up_to_the_day_asked() -> None:
    doses = [given(1, 14), given(22, None), given(400, 401)]
    found = exposure(doses, ORAL, on(25))
    assert found is not None
    assert (found.last_on, found.total_dose) == (on(25), Decimal(18 * 12))


@pytest.mark.parametrize("doses", [[], [given(1, 14, "0")], [given(26, 39)]])
def test_nothing_given_is_no_exposure(doses: list[Given]) -> None:
    assert exposure(doses, ORAL, on(25)) is None


def test_without_a_plan_there_is_no_intensity() -> None:
    found = exposure([given(1, 7, "150"), given(8, 14, "100")], None, END)
    assert found is not None
    assert (found.total_dose, found.cycles, found.reductions) == (Decimal(1750), 1, 1)
    assert (found.planned_dose, found.relative_dose_intensity) == (None, None)


def test_units_that_do_not_fit_are_not_added() -> None:
    by_surface = Plan(Decimal(75), "mg/m2", (1,), 21)
    found = exposure([given(1, 1, "130")], by_surface, END)
    assert found is not None
    assert (found.total_dose, found.unit, found.planned_dose) == (Decimal(130), "mg", None)
    mixed = exposure([given(1, 1, "130"), given(22, 22, "75", "mg/m2")], by_surface, END)
    assert mixed is not None
    assert (mixed.unit, mixed.total_dose, mixed.cycles) == (None, None, 2)


@pytest.mark.parametrize(
    ("amount", "unit", "into", "expected"),
    [("12", "mg", "g", "0.012"), ("500", "µg", "mg", "0.5"), ("1", "MG / M2", "mg/m²", "1")],
)
def test_units(amount: str, unit: str, into: str, expected: str) -> None:
    assert converted(Decimal(amount), unit, into) == Decimal(expected)
    assert not convertible(unit, "IU")
    with pytest.raises(ValueError, match="IU"):
        converted(Decimal(1), unit, "IU")


# By hand, after the definition: a whole quarter of n takes the mean of that value and the next.
QUARTILES = [
    ([7], (7, 7, 7)),
    ([1, 2], (1, "3/2", 2)),
    ([3, 1, 2], (1, 2, 3)),
    ([4, 3, 2, 1], ("3/2", "5/2", "7/2")),
    ([1, 2, 3, 4, 5], (2, 3, 4)),
    ([1, 2, 3, 4, 5, 6], (2, "7/2", 5)),
    ([1, 2, 3, 4, 5, 6, 7, 8], ("5/2", "9/2", "13/2")),
    ([Fraction(1, 3), Fraction(2, 3)], ("1/3", "1/2", "2/3")),
]


@pytest.mark.parametrize(("values", "expected"), QUARTILES)
def test_quartiles_by_hand(values: list[Fraction | Decimal | int | None], expected: object) -> None:
    for known in (values, [*values, None]):
        found = quartiles(known)
        assert found is not None
        assert found.n == len(values)
        assert (found.q1, found.median, found.q3) == tuple(map(Fraction, expected))  # type: ignore[call-overload]


def test_quartiles_of_nothing_known() -> None:
    assert quartiles([None]) is None
    exact = quartiles([Decimal("0.1"), 3, Fraction(1, 2)])
    assert exact is not None
    assert exact.median == Fraction(1, 2)
