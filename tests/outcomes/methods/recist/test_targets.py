"""The response of the targets: one row per rule and threshold; sums and changes."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from outcomes.methods.recist import (
    Assessment,
    Reason,
    Response,
    Target,
    TargetState,
    derive,
    target_value_mm,
)
from tests.outcomes.methods.recist.rows import (
    CR,
    NE,
    PD,
    PR,
    SD,
    START,
    course,
    last,
    target,
    visit,
)

TARGETS = {
    # PD: 20 % and 5 mm from the nadir, both inclusive; binary floats fail at these steps
    "T1 55 | T1 66": PD,
    "T1 55 | T1 65.99": SD,
    "T1 100 | T1 120": PD,
    "T1 100 | T1 119.99": SD,
    "T1 100 | T1 50 | T1 60": PD,
    "T1 100 | T1 50 | T1 59.99": PR,
    "T1 100 | T1 20 | T1 24": PR,  # +20 % but 4 mm
    "T1 100 | T1 20 | T1 24.99": PR,
    "T1 100 | T1 20 | T1 25": PD,
    "T1 100 | T1 25 | T1 30": PD,  # both at once
    "T1 25.5 | T1 30.59": SD,
    "T1 25.5 | T1 30.6": PD,
    # PR: 30 % from the baseline, inclusive
    "T1 90 | T1 63": PR,
    "T1 90 | T1 63.01": SD,
    "T1 170 | T1 119": PR,
    "T1 180 | T1 126": PR,
    "T1 180 | T1 126.01": SD,
    "T1 99.01 | T1 69.3": PR,
    "T1 99.01 | T1 69.31": SD,
    "T1 40, T2 59 | T1 10, T2 62": SD,  # 72 of 99, METHODS' own example
    # nadir 0 without an overall CR: a non-target is still there
    "T1 20, X1 present | T1 absent, X1 present | T1 5, X1 present": PD,
    "T1 20, X1 present | T1 absent, X1 present | T1 4.9, X1 present": PR,
    # CR
    "T1 20 | T1 absent": CR,
    "T1 20 | T1 0": CR,
    "T1 20 | T1 0.01": PR,
    "T1 20 | T1 tstm": PR,
    "N1 20 | N1 9.99": CR,
    "N1 20 | N1 10": PR,
    "N1 20 | N1 absent": CR,
    "N1 20 | N1 tstm": CR,
    "T1 30, N1 20 | T1 absent, N1 9": CR,
    "T1 30, N1 20 | T1 absent, N1 10": PR,
    "T1 30, N1 20 | T1 tstm, N1 9": PR,
    "T1 30, T2 30 | T1 25, T2 merged": PR,
    "T1 30, T2 30 | T1 absent, T2 merged": CR,
    "T1 30, T2 30 | T1 72, T2 merged": PD,
    # NE: nothing is imputed or carried forward
    "T1 30, T2 30 | T1 30, T2 ne": NE,
    "T1 30, T2 30 | T1 30": NE,
    "T1 30, T2 30 | T1 absent, T2 ne": NE,
    "T1 30 | T1 ne": NE,
    "T1 30 | ": NE,
    # PD holds on a partial sum
    "T1 30, T2 30 | T1 72, T2 ne": PD,
    "T1 30, T2 30 | T1 72": PD,
    "T1 30, T2 30 | T1 71.99, T2 ne": NE,
    # the nadir: the baseline and earlier complete sums
    "T1 50 | T1 40 | T1 48": PD,
    "T1 50 | T1 60 | T1 60": PD,
    "T1 50, T2 50 | T1 20, T2 ne | T1 50, T2 50": SD,  # 20 was incomplete
    "T1 100 | T1 40 | T1 50 | T1 48": PD,  # also after a PD
    "T1 100 | T1 40 | T1 50 | T1 47.99": PR,
    "T1 100 | T1 90 | T1 80 | T1 71": SD,
    "T1 100 | T1 3 | T1 7.99": PR,  # a number below 5 is used as it is
    "T1 100 | T1 3 | T1 8": PD,
    "T1 100 | T1 tstm | T1 9.99": PR,
    "T1 100 | T1 tstm | T1 10": PD,
}


@pytest.mark.parametrize(("text", "response"), TARGETS.items())
def test_target_response(text: str, response: Response) -> None:
    assert last(text).target_response is response


FAULTS = {
    "PR is measured from the baseline, not from the nadir": ("T1 100 | T1 90 | T1 65", PR),
    "and a fall from the nadir alone is none": ("T1 100 | T1 120 | T1 80", SD),
    "20 % without 5 mm is no PD": ("T1 12 | T1 15", SD),
    "CR although nodes never measure 0": ("T1 30, N1 18 | T1 absent, N1 8", CR),
    "a lesion that is missing is not dropped from the sum": ("T1 50, T2 50 | T1 50", NE),
    "a new lesion is PD": ("T1 50 | T1 20, new", PD),
}


@pytest.mark.parametrize(("text", "response"), FAULTS.values(), ids=FAULTS)
def test_faults_seen_in_a_peer(text: str, response: Response) -> None:
    assert last(text).overall_response is response


SUMS: list[tuple[str, str | None, str, str, bool]] = [
    ("T1 30, N1 20 | T1 12.5, N1 8.25", "20.75", "50", "50", True),
    ("T1 30, T2 20 | T1 tstm, T2 absent", "5", "50", "50", True),
    ("T1 30, T2 20 | T1 25, T2 ne", "25", "50", "50", False),
    ("T1 30, T2 20 | T1 ne", None, "50", "50", False),
    ("T1 30, T2 20 | T1 25, T2 ne | T1 30, T2 20", "50", "50", "50", True),
    ("T1 30, T2 20 | T1 20, T2 20 | T1 10, T2 10", "20", "50", "40", True),
    ("T1 30, T2 20 | T1 20, T2 20 | T1 9, T2 ne | T1 30, T2 20", "50", "50", "40", True),
]


@pytest.mark.parametrize(("text", "total", "baseline", "nadir", "complete"), SUMS)
def test_sums(text: str, total: str | None, baseline: str, nadir: str, complete: bool) -> None:
    derived = last(text)
    assert derived.sum_mm == (None if total is None else Decimal(total))
    assert (derived.baseline_sum_mm, derived.nadir_mm) == (Decimal(baseline), Decimal(nadir))
    assert derived.complete is complete


def test_baseline_has_its_sum_and_no_response() -> None:
    derived = course("T1 30, N1 20, X1 present")[0]
    assert derived.sum_mm == derived.baseline_sum_mm == derived.nadir_mm == Decimal(50)
    assert derived.complete
    assert derived.overall_response is None
    assert derived.target_response is derived.non_target_response is None
    assert derived.reasons == (Reason("baseline_sum", {"sum_mm": "50", "targets": 2}),)


def test_nodes_are_those_of_the_baseline() -> None:
    follow_up = Assessment(
        START + timedelta(days=42), [Target("N1", TargetState.MEASURED, Decimal(9))]
    )
    assert derive(visit("N1 20"), [follow_up])[-1].overall_response is CR


@pytest.mark.parametrize(
    ("row", "value"),
    [("T1 3.5", "3.5"), ("T1 tstm", "5"), ("N1 tstm", "5"), ("N1 absent", "0"), ("T1 merged", "0")],
)
def test_what_a_target_counts(row: str, value: str) -> None:
    assert target_value_mm(target(row)) == Decimal(value)


def test_a_target_that_was_not_evaluated_counts_nothing() -> None:
    assert target_value_mm(target("T1 ne")) is None
    assert target_value_mm(Target("T1", TargetState.MEASURED)) is None


# Changes and thresholds


def test_changes_are_exact_and_unrounded() -> None:
    derived = last("T1 99 | T1 66 | T1 72")
    assert derived.change_from_baseline_percent == Fraction(-2700, 99)
    assert derived.change_from_nadir_percent == Fraction(600, 66)
    assert derived.change_from_nadir_mm == 6
    assert (derived.pr_at_most_mm, derived.pd_at_least_mm) == (Decimal("69.3"), Decimal("79.2"))


@pytest.mark.parametrize("text", ["T1 30, T2 20 | T1 25, T2 ne", "T1 30 | T1 ne", "X1 present |"])
def test_no_change_without_a_complete_sum(text: str) -> None:
    derived = last(text)
    assert derived.change_from_baseline_percent is None
    assert derived.change_from_nadir_percent is None
    assert derived.change_from_nadir_mm is None


@pytest.mark.parametrize(("text", "response"), [("T1 0 | T1 4", SD), ("T1 0 | T1 5", PD)])
def test_nothing_is_divided_by_a_zero_baseline(text: str, response: Response) -> None:
    derived = last(text)
    assert derived.target_response is response
    assert derived.change_from_baseline_percent is derived.change_from_nadir_percent is None


@pytest.mark.parametrize(
    ("nadir", "threshold"),
    [
        ("66", "79.2"),
        ("25", "30"),
        ("24.99", "29.99"),
        ("20", "25"),
        ("0", "5"),
        ("25.01", "30.012"),
    ],
)
def test_progression_needs_both_thresholds(nadir: str, threshold: str) -> None:
    derived = last(f"T1 100 | T1 {nadir} | T1 {nadir}")
    assert derived.pd_at_least_mm == Decimal(threshold)


def test_without_targets_there_are_no_thresholds() -> None:
    derived = last("X1 present | X1 present")
    assert derived.pr_at_most_mm is derived.pd_at_least_mm is derived.sum_mm is None
    assert not derived.complete
