"""What a follow-up visit may say of its lesions."""

from decimal import Decimal

import pytest

from outcomes.methods.checks import check_follow_up
from outcomes.methods.recist import Assessment, Target, TargetState
from tests.outcomes.methods.recist.rows import START, found, visit


def state(name: TargetState, mm: str | None) -> Assessment:
    return Assessment(START, [Target("T1", name, None if mm is None else Decimal(mm))])


DIAMETERS: list[tuple[TargetState, str | None, str | None]] = [
    (TargetState.MEASURED, None, "diameter_required"),
    (TargetState.MEASURED, "0", None),
    (TargetState.MEASURED, "4.9", None),
    (TargetState.MEASURED, "400", None),
    (TargetState.MEASURED, "400.01", "diameter_out_of_range"),
    (TargetState.MEASURED, "-0.01", "diameter_out_of_range"),
    (TargetState.MEASURED, "NaN", "diameter_out_of_range"),
    (TargetState.MEASURED, "Infinity", "diameter_out_of_range"),
    (TargetState.MEASURED, "1E+999999", "diameter_out_of_range"),
    (TargetState.MEASURED, "1E-999999", "diameter_too_many_decimals"),
    (TargetState.MEASURED, "12.345", "diameter_too_many_decimals"),
    (TargetState.MEASURED, "12.340", None),
    (TargetState.TOO_SMALL, None, None),
    (TargetState.TOO_SMALL, "5", None),
    (TargetState.TOO_SMALL, "4", "diameter_contradicts_state"),
    (TargetState.ABSENT, None, None),
    (TargetState.ABSENT, "0", None),
    (TargetState.ABSENT, "12", "diameter_contradicts_state"),
    (TargetState.MERGED, None, None),
    (TargetState.MERGED, "12", "diameter_contradicts_state"),
    (TargetState.NOT_EVALUABLE, None, None),
    (TargetState.NOT_EVALUABLE, "0", "diameter_not_evaluable"),
    (TargetState.NOT_EVALUABLE, "12", "diameter_not_evaluable"),
]


@pytest.mark.parametrize(("name", "mm", "code"), DIAMETERS)
def test_diameters_of_a_follow_up(name: TargetState, mm: str | None, code: str | None) -> None:
    expected = [("/targets/0/diameter_mm", code)] if code else []
    assert found(check_follow_up(state(name, mm), ["T1"], [])) == expected


ROSTERS = [
    ("T1 20, T2 20, X1 present", []),
    ("T2 20, T1 20, X1 present", []),
    ("T1 20, X1 present", [("/targets", "lesion_missing", "T2")]),
    ("X1 present", [("/targets", "lesion_missing", "T1"), ("/targets", "lesion_missing", "T2")]),
    ("T1 20, T2 20", [("/non_targets", "lesion_missing", "X1")]),
    ("T1 20, T2 20, T3 20, X1 present", [("/targets/2/lesion", "unknown_lesion", "T3")]),
    ("T1 20, T2 20, X1 present, X2 ne", [("/non_targets/1/lesion", "unknown_lesion", "X2")]),
    ("T1 20, T2 20, T1 9, X1 ne", [("/targets/2/lesion", "lesion_listed_twice", "T1")]),
    ("T1 20, T2 20, X1 ne, X1 ne", [("/non_targets/1/lesion", "lesion_listed_twice", "X1")]),
]


@pytest.mark.parametrize(("text", "expected"), ROSTERS)
def test_a_follow_up_lists_every_lesion_once(
    text: str, expected: list[tuple[str, str, str]]
) -> None:
    problems = check_follow_up(visit(text), ["T1", "T2"], ["X1"])
    assert [(p.pointer, p.reason.code, p.reason.parameters["lesion"]) for p in problems] == expected


def test_an_unknown_lesion_is_answered_with_the_known_ones() -> None:
    (problem,) = check_follow_up(visit("T1 20, T2 20, T9 9"), ["T2", "T1"], [])
    assert problem.reason.parameters["expected"] == "T1, T2"
