"""What later visits carry of merged and split lesions: one course per row."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from outcomes.methods.lineage import Carried, carried
from outcomes.methods.recist import Assessment, Target, TargetState, target_value_mm

START = date(2024, 1, 15)


def on(week: int) -> date:
    """The day of a visit."""
    return START + timedelta(weeks=week)


def seen(label: str, said: str) -> Target:
    """A row in short: `20`, `12+8.5`, `->T01`, or a state."""
    if said.startswith("->"):
        return Target(label, TargetState.MERGED, merged_into=said[2:])
    if said[0].isdigit():
        parts = tuple(Decimal(part) for part in said.split("+"))
        fragments = parts if len(parts) > 1 else ()
        return Target(label, TargetState.MEASURED, sum(parts, Decimal(0)), fragments_mm=fragments)
    return Target(label, TargetState(said))


def course(*visits: str) -> list[Assessment]:
    """Visits six weeks apart; each names T01, T02 ... in order."""
    return [
        Assessment(on(6 * week), [seen(f"T{i:02}", said) for i, said in enumerate(row.split(), 1)])
        for week, row in enumerate(visits)
    ]


def into_t01(week: int) -> Carried:
    """Merged into T01 since that visit."""
    return Carried(on(week), merged_into="T01")


COURSES: dict[str, tuple[tuple[str, ...], dict[str, Carried]]] = {
    "nothing happened": (("50 30", "40 20"), {}),
    "no visits": ((), {}),
    "merged": (("50 30", "70 ->T01"), {"T02": into_t01(6)}),
    "still merged: since the first visit": (
        ("50 30", "70 ->T01", "72 ->T01"), {"T02": into_t01(6)}),
    "not evaluated since": (
        ("50 30", "70 ->T01", "72 not_evaluable"), {"T02": into_t01(6)}),
    "not listed since": (("50 30", "70 ->T01", "72"), {"T02": into_t01(6)}),
    "measured on its own again": (("50 30", "70 ->T01", "50 31"), {}),
    "absent after all": (("50 30", "70 ->T01", "50 absent"), {}),
    "merged again later": (
        ("50 30", "70 ->T01", "50 31", "72 ->T01"), {"T02": into_t01(18)}),
    "the other one is merged after all": (
        ("50 30", "70 ->T01", "->T02 71"), {"T01": Carried(on(12), merged_into="T02")}),
    "what it merged into merges too": (
        ("50 30 20", "70 ->T01 20", "->T03 not_evaluable 90"),
        {"T01": Carried(on(12), merged_into="T03"), "T02": Carried(on(6), merged_into="T03")}),
    "each into the other, as only a half-typed course can say": (
        ("50 30", "->T02 ->T01"), {"T01": Carried(on(6), merged_into="T02"), "T02": into_t01(6)}),
    "split": (("50 30", "12+8.5 30"), {"T01": Carried(on(6), fragments=2)}),
    "split into more: the latest number, since the first": (
        ("50 30", "12+8.5 30", "12+8+4 30"), {"T01": Carried(on(6), fragments=3)}),
    "split, then not evaluable": (
        ("50 30", "12+8.5 30", "not_evaluable 30"), {"T01": Carried(on(6), fragments=2)}),
    "split, then one again": (("50 30", "12+8.5 30", "20 30"), {}),
    "split, then too small": (("50 30", "12+8.5 30", "too_small 30"), {}),
    "split, then merged": (
        ("50 30", "50 12+8", "70 ->T01"), {"T02": into_t01(12)}),
}  # fmt: skip


@pytest.mark.parametrize("name", COURSES)
def test_what_the_next_visit_finds(name: str) -> None:
    visits, expected = COURSES[name]
    assert carried(course(*visits)) == expected


@pytest.mark.parametrize(("week", "expected"), [
    (6, {}),
    (7, {"T02": into_t01(6)}),
    (12, {"T02": into_t01(6)}),
    (13, {}),
])  # fmt: skip
def test_only_earlier_visits_count(week: int, expected: dict[str, Carried]) -> None:
    later_first = course("50 30", "70 ->T01", "50 31")[::-1]
    assert carried(later_first, on(week)) == expected


def test_a_merged_lesion_counts_nothing_and_a_split_one_the_sum_of_its_pieces() -> None:
    assert target_value_mm(seen("T02", "->T01")) == 0
    assert target_value_mm(seen("T01", "12+8.5")) == Decimal("20.5")
