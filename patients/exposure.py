"""Treatment exposure: what a patient was given of one intervention, against its plan. Pure.

A dose lasts from its first day to its last and is taken on the plan's days of each cycle (12 mg on
days 1 to 14 of 21); without a schedule, every day. A cycle begins with the first dose on or after
the end of the one before, so that a delay moves the schedule; a dose that starts on a day of rest
begins the next cycle too. A dose of 0 is a pause. Amounts are exact.

Relative dose intensity (Hryniuk and Bush 1984, J Clin Oncol 2:1281): the total dose over what the
plan, begun on the day of the first dose and never delayed, has up to the day of the last one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

DAY = timedelta(days=1)
MASS = {"ug": Decimal("0.001"), "mg": Decimal(1), "g": Decimal(1000)}  # in mg


@dataclass(frozen=True)
class Plan:
    """What an intervention foresees: a dose on certain days (from 1) of a cycle of so many days."""

    dose: Decimal
    unit: str
    days_on: tuple[int, ...] = ()
    cycle_days: int | None = None

    def dosed(self, day: int) -> bool:
        """Whether the drug is given on this day of a cycle."""
        return day in self.days_on if self.days_on else True


@dataclass(frozen=True)
class Given:
    """A dose from a day to a day, both included; `ended_on` is None while it lasts."""

    dose: Decimal
    unit: str
    started_on: date
    ended_on: date | None = None


@dataclass(frozen=True)
class Exposure:
    """One intervention of one patient.

    `total_dose` and `planned_dose` are in `unit`; None where the units cannot be added, or there
    is no one plan. `days` counts the first dose, the last and all between.
    """

    first_on: date
    last_on: date
    days: int
    cycles: int
    unit: str | None
    total_dose: Decimal | None
    planned_dose: Decimal | None
    relative_dose_intensity: Fraction | None
    reductions: int
    interruptions: int


def canonical_unit(unit: str) -> str:
    """A unit without case, spaces and the micro sign; grams and their parts in one spelling."""
    plain = unicodedata.normalize("NFKC", unit).replace(" ", "").replace("μ", "u").casefold()
    return "ug" if plain == "mcg" else plain


def convertible(unit: str, into: str) -> bool:
    """Whether an amount in one unit is one in the other: the same, or both masses."""
    one, other = canonical_unit(unit), canonical_unit(into)
    return one == other or (one in MASS and other in MASS)


def converted(amount: Decimal, unit: str, into: str) -> Decimal:
    """An amount in another unit, exactly; raises ValueError where the units do not fit."""
    if not convertible(unit, into):
        raise ValueError(f"{unit} is not {into}")
    one, other = canonical_unit(unit), canonical_unit(into)
    return amount if one == other else amount * MASS[one] / MASS[other]


def exposure(given: Sequence[Given], plan: Plan | None, until: date) -> Exposure | None:
    """What the doses, in any order and without overlap, add up to; None without any.

    A dose that lasts is counted up to `until`; one that starts later is not counted.
    """
    rows = sorted((g for g in given if g.started_on <= until), key=lambda g: g.started_on)
    days = list(_dosing_days(rows, plan, until))
    if not days:
        return None
    first, last = days[0][0], days[-1][0]
    unit = _common_unit(rows, plan)
    total = _given(days, unit) if unit else None
    planned = (
        _planned(plan, first, last) if plan and unit and convertible(unit, plan.unit) else None
    )
    return Exposure(
        first_on=first,
        last_on=last,
        days=(last - first).days + 1,
        cycles=sum(begins for _, _, begins in days),
        unit=unit,
        total_dose=total,
        planned_dose=planned,
        relative_dose_intensity=Fraction(total) / Fraction(planned) if total and planned else None,
        reductions=_reductions(rows, plan),
        interruptions=_interruptions(rows),
    )


def together(one: Exposure, other: Exposure) -> Exposure:
    """Two interventions of a patient as one treatment; amounts add up in one unit only."""
    first, last = min(one.first_on, other.first_on), max(one.last_on, other.last_on)
    unit = one.unit if one.unit == other.unit else None
    total = _sum(one.total_dose, other.total_dose) if unit else None
    planned = _sum(one.planned_dose, other.planned_dose) if unit else None
    return Exposure(
        first_on=first,
        last_on=last,
        days=(last - first).days + 1,
        cycles=max(one.cycles, other.cycles),
        unit=unit,
        total_dose=total,
        planned_dose=planned,
        relative_dose_intensity=Fraction(total) / Fraction(planned) if total and planned else None,
        reductions=one.reductions + other.reductions,
        interruptions=one.interruptions + other.interruptions,
    )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


@dataclass(frozen=True)
class Quartiles:
    """Of `n` known values, exactly."""

    n: int
    q1: Fraction
    median: Fraction
    q3: Fraction


def quartiles(values: Iterable[Fraction | Decimal | int | None]) -> Quartiles | None:
    """Quartiles of those that are known; None where none is.

    Where a quarter of n is whole, the mean of that value and the next: the empirical distribution
    function with averaging (Hyndman and Fan 1996, Am Stat 50:361, definition 2; the default of SAS).
    """
    known = sorted(Fraction(value) for value in values if value is not None)
    if not known:
        return None
    q1, median, q3 = (_quantile(known, quarter) for quarter in (1, 2, 3))
    return Quartiles(len(known), q1, median, q3)


def _quantile(ordered: Sequence[Fraction], quarter: int) -> Fraction:
    whole, rest = divmod(quarter * len(ordered), 4)
    return ordered[whole] if rest else (ordered[whole - 1] + ordered[whole]) / 2


def _dosing_days(
    rows: Sequence[Given], plan: Plan | None, until: date
) -> Iterator[tuple[date, Given, bool]]:
    """Each day on which the drug was given: what was, and whether a cycle begins with it."""
    began: date | None = None
    for row in rows:
        if not row.dose:
            continue
        for number in range((min(row.ended_on or until, until) - row.started_on).days + 1):
            on = row.started_on + number * DAY
            begins = began is None or _begins(plan, (on - began).days + 1, starts=number == 0)
            if begins:
                began = on
            if begins or plan is None or plan.dosed(_day(began, on)):
                yield on, row, begins


def _day(began: date | None, on: date) -> int:
    return (on - began).days + 1 if began else 1


def _begins(plan: Plan | None, day: int, *, starts: bool) -> bool:
    """Whether a cycle ends before this day of it; a dose that starts on a day of rest ends it."""
    if plan is None or not plan.cycle_days:
        return False
    return day > plan.cycle_days or (starts and not plan.dosed(day))


def _given(days: Sequence[tuple[date, Given, bool]], unit: str) -> Decimal:
    """The dose of each day, added up; days of one row follow each other."""
    rows = groupby((given for _, given, _ in days), key=id)
    taken = [list(row) for _, row in rows]
    return sum((len(row) * converted(row[0].dose, row[0].unit, unit) for row in taken), Decimal())


def _planned(plan: Plan, first: date, last: date) -> Decimal:
    days = (last - first).days + 1
    length = plan.cycle_days or days
    whole, rest = divmod(days, length)
    on = sum(plan.dosed(day) for day in range(1, length + 1))
    return plan.dose * (whole * on + sum(plan.dosed(day) for day in range(1, rest + 1)))


def _common_unit(rows: Sequence[Given], plan: Plan | None) -> str | None:
    """The plan's unit where all doses can be told in it, else the first dose's; None for neither."""
    candidates = [*([plan.unit] if plan else []), rows[0].unit]
    fitting = (u for u in candidates if all(convertible(row.unit, u) for row in rows))
    return next(fitting, None)


def _reductions(rows: Sequence[Given], plan: Plan | None) -> int:
    """How often a dose was lower than the one before it, the first than the plan's."""
    before, count = Given(plan.dose, plan.unit, date.min) if plan else None, 0
    for row in rows:
        if not row.dose:
            continue
        if before and convertible(row.unit, before.unit):
            count += converted(row.dose, row.unit, before.unit) < before.dose
        before = row
    return count


def _interruptions(rows: Sequence[Given]) -> int:
    """How many pauses there were; two that follow each other are one."""
    paused = [not row.dose for row in rows]
    return sum(now and not before for before, now in zip([False, *paused], paused, strict=False))
