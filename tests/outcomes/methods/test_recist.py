"""RECIST 1.1 as tables: one row per rule and threshold, then what must hold for any course.

A target row is `T1 55` (mm), `T1 tstm`, `absent`, `ne`, `merged`; a nodal one starts with N. A
non-target row is `X1 present`, a nodal one `Y1 present 12` (short axis). A baseline lesion that a
visit leaves out was not assessed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.methods.checks import (
    Problem,
    baseline_warnings,
    check_baseline,
    check_follow_up,
    measurability,
    targets_per_organ,
)
from outcomes.methods.recist import (
    Assessment,
    BoneType,
    Certainty,
    Derived,
    ImagingMethod,
    NewLesion,
    NonTarget,
    NonTargetState,
    Reason,
    Response,
    Target,
    TargetState,
    derive,
    overall_response,
    plain,
    target_value_mm,
)

START = date(2024, 1, 1)
STATES = {
    "tstm": TargetState.TOO_SMALL,
    "absent": TargetState.ABSENT,
    "ne": TargetState.NOT_EVALUABLE,
    "merged": TargetState.MERGED,
}
STATUSES = {
    "absent": NonTargetState.ABSENT,
    "present": NonTargetState.PRESENT,
    "increased": NonTargetState.INCREASED,
    "progression": NonTargetState.UNEQUIVOCAL_PROGRESSION,
    "ne": NonTargetState.NOT_EVALUABLE,
}
NEW = {"new": Certainty.UNEQUIVOCAL, "equivocal": Certainty.EQUIVOCAL}
CR, PR, SD, PD, NE = Response.CR, Response.PR, Response.SD, Response.PD, Response.NE
NON = Response.NON_CR_NON_PD


def target(text: str) -> Target:
    label, value = text.split()
    state = STATES.get(value, TargetState.MEASURED)
    number = None if value in STATES else Decimal(value)
    return Target(label, state, number, nodal=label.startswith("N"))


def non_target(text: str) -> NonTarget:
    label, status, *short_axis = text.split()
    number = Decimal(short_axis[0]) if short_axis else None
    return NonTarget(label, STATUSES[status], label.startswith("Y"), number)


def visit(text: str, day: int = 0) -> Assessment:
    rows = [row.strip() for row in text.split(",") if row.strip()]
    return Assessment(
        date=START + timedelta(days=day),
        targets=[target(row) for row in rows if row[0] in "TN"],
        non_targets=[non_target(row) for row in rows if row[0] in "XY"],
        new_lesions=[NewLesion(row, NEW[row]) for row in rows if row in NEW],
    )


def course(text: str) -> tuple[Derived, ...]:
    """Derive `baseline | visit | visit`, six weeks apart."""
    baseline, *follow_ups = (visit(part, 42 * i) for i, part in enumerate(text.split("|")))
    return derive(baseline, follow_ups)


def last(text: str) -> Derived:
    return course(text)[-1]


def codes(reasons: Iterable[Reason]) -> list[str]:
    return [reason.code for reason in reasons]


def found(problems: Iterable[Problem]) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.reason.code) for problem in problems]


# Target response

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


# Non-targets, new lesions, overall

NON_TARGETS = {
    "X1 present | X1 absent": CR,
    "X1 present | X1 present": NON,
    "X1 present | X1 increased": NON,
    "X1 present | X1 ne": NE,
    "X1 present | ": NE,
    "X1 present | X1 progression": PD,
    "X1 present, X2 present | X1 progression, X2 ne": PD,
    "X1 present, X2 present | X1 present, X2 ne": NE,
    "X1 present, X2 present | X1 absent, X2 ne": NE,
    "X1 present, X2 present | X1 absent": NE,
    "X1 present, X2 present | X1 absent, X2 increased": NON,
    "Y1 present 12 | Y1 present 9.99": CR,
    "Y1 present 12 | Y1 increased 9.99": CR,
    "Y1 present 12 | Y1 present 10": NON,
    "Y1 present 12 | Y1 present": NON,
    "Y1 present 12 | Y1 absent": CR,
    "Y1 present 12 | Y1 absent 12": NON,  # contradictory: never CR in silence
    "Y1 present 12 | Y1 progression 9": PD,
    "Y1 present 12 | Y1 ne 9": NE,
    "X1 present | X1 present 9": NON,  # a short axis says nothing of a lesion that is no node
}


@pytest.mark.parametrize(("text", "response"), NON_TARGETS.items())
def test_non_target_response(text: str, response: Response) -> None:
    derived = last(text)
    assert derived.non_target_response is response
    assert derived.overall_response is response  # table 2: no targets, no new lesion


WITH_TARGETS = {
    (CR, None): CR,
    (CR, CR): CR,
    (CR, NON): PR,
    (CR, NE): PR,
    (CR, PD): PD,
    (PR, None): PR,
    (PR, CR): PR,
    (PR, NON): PR,
    (PR, NE): PR,
    (PR, PD): PD,
    (SD, None): SD,
    (SD, CR): SD,
    (SD, NON): SD,
    (SD, NE): SD,
    (SD, PD): PD,
    (NE, None): NE,
    (NE, CR): NE,
    (NE, NON): NE,
    (NE, NE): NE,
    (NE, PD): PD,
    (PD, None): PD,
    (PD, CR): PD,
    (PD, NON): PD,
    (PD, NE): PD,
    (PD, PD): PD,
}
TARGET_ROWS = {CR: "absent", PR: "70", SD: "100", NE: "ne", PD: "120"}
NON_TARGET_ROWS = {CR: "absent", NON: "present", NE: "ne", PD: "progression"}


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize(("parts", "overall"), WITH_TARGETS.items())
def test_overall_response_with_targets(
    parts: tuple[Response, Response | None], overall: Response, new: bool
) -> None:
    target_response, non_target_response = parts
    baseline, rows = "T1 100", f"T1 {TARGET_ROWS[target_response]}"
    if non_target_response is not None:
        baseline += ", X1 present"
        rows += f", X1 {NON_TARGET_ROWS[non_target_response]}"
    derived = last(f"{baseline} | {rows}{', new' if new else ''}")
    assert derived.target_response is target_response
    assert derived.non_target_response is non_target_response
    assert derived.overall_response is (PD if new else overall)
    assert derived.new_lesion is new


@pytest.mark.parametrize(
    ("non_target_response", "new", "overall"),
    [*((r, False, r) for r in (CR, NON, NE, PD)), *((r, True, PD) for r in (CR, NON, NE, PD))],
)
def test_overall_response_without_targets(
    non_target_response: Response, new: bool, overall: Response
) -> None:
    rows = f"X1 {NON_TARGET_ROWS[non_target_response]}{', new' if new else ''}"
    derived = last(f"X1 present | {rows}")
    assert derived.target_response is None
    assert derived.overall_response is overall


def test_neither_targets_nor_non_targets() -> None:
    derived = last(" | ")
    assert derived.overall_response is NE
    assert codes(derived.reasons) == [
        *("no_targets", "no_non_targets", "no_new_lesion", "overall_ne_no_lesions")
    ]
    assert last(" | equivocal").overall_response is NE
    assert last(" | new").overall_response is PD


def test_every_combination_has_an_overall_response() -> None:
    for parts in product([None, *TARGET_ROWS], [None, *NON_TARGET_ROWS], [False, True]):
        response, reason = overall_response(*parts)
        assert response in Response
        assert reason.code.startswith("overall_")


def test_an_equivocal_new_lesion_is_no_progression_now_nor_later() -> None:
    text = "T1 50 | T1 30, equivocal"
    now = course(text)
    later = course(f"{text} | T1 30, new")
    assert now[1].overall_response is PR
    assert not now[1].new_lesion
    assert "new_lesion_equivocal" in codes(now[1].reasons)
    assert later[:2] == now
    assert later[2].overall_response is PD


def test_after_a_progression_the_same_tables_hold() -> None:
    overall = [derived.overall_response for derived in course("T1 50 | T1 40, new | T1 30 | T1 36")]
    assert overall == [None, PD, PR, PD]


# After a complete response

CR_THEN = {
    "T1 30 | T1 absent | T1 4": PD,
    "T1 30 | T1 absent | T1 0.1": PD,
    "T1 30 | T1 absent | T1 tstm": PD,
    "T1 30 | T1 absent | T1 absent": CR,
    "T1 30 | T1 absent | T1 ne": NE,
    "T1 30 | T1 absent | T1 ne | T1 4": PD,
    "T1 30, T2 30 | T1 absent, T2 absent | T1 4, T2 ne": PD,
    "T1 30, T2 30 | T1 absent, T2 absent | T1 4": PD,
    "T1 30, T2 30 | T1 absent, T2 absent | T1 absent, T2 ne": NE,
    "T1 30 | T1 absent | T1 4 | T1 3": PD,
    "T1 30 | T1 absent | T1 4 | T1 absent": CR,
    "N1 20 | N1 9 | N1 9.99": CR,
    "N1 20 | N1 9 | N1 10": PD,
    "N1 20, T1 20 | N1 9, T1 absent | N1 10, T1 ne": PD,
    "T1 30, X1 present | T1 absent, X1 absent | T1 absent, X1 present": PD,
    "T1 30, X1 present | T1 absent, X1 absent | T1 absent, X1 increased": PD,
    "T1 30, X1 present | T1 absent, X1 absent | T1 ne, X1 present": PD,
    "T1 30, X1 present, X2 present | T1 absent, X1 absent, X2 absent "
    "| T1 absent, X1 present, X2 ne": PD,
    "X1 present | X1 absent | X1 present": PD,
    "T1 30, X1 present | T1 absent, X1 absent | T1 absent, X1 ne": PR,
    "T1 30, Y1 present 12 | T1 absent, Y1 present 8 | T1 absent, Y1 progression 18": PD,
    "T1 30, Y1 present 12 | T1 absent, Y1 present 8 | T1 absent, Y1 present 12": PR,
    "T1 30, Y1 present 12 | T1 absent, Y1 present 8 | T1 absent, Y1 present 9": CR,
    "Y1 present 12 | Y1 absent | Y1 present 12": NON,
    # no overall CR before: the arithmetic decides
    "T1 30, X1 present | T1 absent, X1 present | T1 4, X1 present": PR,
    "T1 30, X1 present | T1 30, X1 absent | T1 30, X1 present": SD,
}


@pytest.mark.parametrize(("text", "response"), CR_THEN.items())
def test_after_a_complete_response(text: str, response: Response) -> None:
    assert last(text).overall_response is response


WARNINGS = {
    "T1 30, X1 present | T1 absent, X1 absent | T1 absent, X1 ne": ["response_after_cr"],
    "T1 30, Y1 present 12 | T1 absent, Y1 absent | T1 absent, Y1 present": ["response_after_cr"],
    "Y1 present 12 | Y1 absent | Y1 present 12": ["response_after_cr"],
    "T1 30, X1 present | T1 absent, X1 present | T1 4, X1 present": [
        "target_response_after_target_cr"
    ],
    "N1 30, X1 present | N1 9, X1 present | N1 13, X1 present": ["target_response_after_target_cr"],
    "N1 20, N2 20 | N1 tstm, N2 tstm | N1 9, N2 9": ["progression_of_normal_nodes"],
    "T1 30 | T1 20, T9 20, X9 present": ["lesions_not_at_baseline"],
    "T1 30 | T1 absent | T1 4": [],
    "T1 30 | T1 absent | T1 ne": [],
    "T1 30 | T1 15 | T1 40": [],
    "T1 30, X1 present | T1 absent, X1 present | T1 absent, X1 present": [],
}


@pytest.mark.parametrize(("text", "expected"), WARNINGS.items())
def test_data_questions(text: str, expected: list[str]) -> None:
    assert codes(last(text).warnings) == expected


def test_a_response_after_cr_says_which_and_since_when() -> None:
    derived = last("T1 30, X1 present | T1 absent, X1 absent | T1 absent, X1 ne")
    assert derived.warnings == (
        Reason("response_after_cr", {"response": "PR", "on": "2024-02-12"}),
    )


# Reasons


def test_the_reason_gives_every_threshold_exactly() -> None:
    derived = last("T1 99.0 | T1 66.0 | T1 72.0")
    assert derived.reasons == (
        Reason(
            "target_sd",
            {
                "sum_mm": "72",
                "baseline_sum_mm": "99",
                "nadir_mm": "66",
                "pr_at_most_mm": "69.3",
                "pd_at_least_mm": "79.2",
                "pd_increase_mm": "5",
                "change_from_nadir_mm": "+6",
                "change_from_baseline_percent": "-27.3",
                "change_from_nadir_percent": "+9.1",
            },
        ),
        Reason("no_non_targets"),
        Reason("no_new_lesion"),
        Reason("overall_as_target", {"response": "SD"}),
    )


STEPS = {
    "T1 100 | T1 120": ["target_pd", "no_non_targets", "no_new_lesion", "overall_pd_target"],
    "T1 100 | T1 70": ["target_pr", "no_non_targets", "no_new_lesion", "overall_as_target"],
    "T1 100 | T1 absent": ["target_cr", "no_non_targets", "no_new_lesion", "overall_cr"],
    "T1 100 | T1 ne": [
        *("target_ne_nothing_evaluated", "no_non_targets", "no_new_lesion", "overall_as_target")
    ],
    "T1 50, T2 50 | T1 50": [
        *("target_ne_partial", "no_non_targets", "no_new_lesion", "overall_as_target")
    ],
    "T1 50, T2 50 | T1 120": [
        *("target_pd_partial", "no_non_targets", "no_new_lesion", "overall_pd_target")
    ],
    "T1 9, X1 present | T1 absent, X1 progression": [
        *("target_cr", "non_target_pd", "no_new_lesion", "overall_pd_non_target")
    ],
    "T1 9, X1 present | T1 absent, X1 present, new": [
        *("target_cr", "non_target_remains", "new_lesion", "overall_pd_new_lesion")
    ],
    "T1 9, X1 present | T1 absent, X1 ne": [
        *("target_cr", "non_target_ne", "no_new_lesion", "overall_pr_target_cr")
    ],
    "X1 present | X1 absent": [
        *("no_targets", "non_target_cr", "no_new_lesion", "overall_as_non_target")
    ],
    "T1 30 | T1 absent | T1 4": [
        *("target_reappeared", "no_non_targets", "no_new_lesion", "overall_pd_target")
    ],
    "T1 9, X1 present | T1 absent, X1 absent | T1 absent, X1 present": [
        *("target_cr", "non_target_reappeared", "no_new_lesion", "overall_pd_non_target")
    ],
    "T1 20, X1 present | T1 absent, X1 present | T1 5, X1 present": [
        *("target_pd_nadir_zero", "non_target_remains", "no_new_lesion", "overall_pd_target")
    ],
    "T1 20, X1 present | T1 absent, X1 present | T1 4, X1 present": [
        *("target_pr_nadir_zero", "non_target_remains", "no_new_lesion", "overall_as_target")
    ],
    "T1 0 | T1 4": ["target_sd_nadir_zero", "no_non_targets", "no_new_lesion", "overall_as_target"],
}


@pytest.mark.parametrize(("text", "expected"), STEPS.items())
def test_one_reason_per_step(text: str, expected: list[str]) -> None:
    assert codes(last(text).reasons) == expected


def test_reasons_name_the_lesions_in_the_order_of_their_labels() -> None:
    derived = last("T2 30, T1 30, T3 9 | T3 9")
    assert derived.reasons[0].parameters["lesions"] == "T1, T2"
    returned = last("T2 30, T1 30 | T2 absent, T1 absent | T2 4, T1 3")
    expected = {"lesions": "T1, T2", "on": "2024-02-12", "sum_mm": "7"}
    assert returned.reasons[0] == Reason("target_reappeared", expected)


@pytest.mark.parametrize(
    ("total", "percent"),
    [
        ("100.05", "+0.1"),
        ("100.04", "0.0"),
        ("99.95", "-0.1"),
        ("99.96", "0.0"),
        ("100", "0.0"),
        ("110", "+10.0"),
        ("94.85", "-5.2"),
    ],
)
def test_percentages_in_words_round_half_up(total: str, percent: str) -> None:
    reason = last(f"T1 100 | T1 {total}").reasons[0]
    assert reason.parameters["change_from_baseline_percent"] == percent


@pytest.mark.parametrize(
    ("value", "text"),
    [("69.30", "69.3"), ("100", "100"), ("1E+2", "100"), ("0.00", "0"), ("79.2", "79.2")],
)
def test_plain_decimals(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


# Order, and input that is still being typed


@pytest.mark.parametrize("days", [(0,), (-1,), (42, 42), (84, 42)])
def test_visits_follow_each_other(days: Sequence[int]) -> None:
    with pytest.raises(ValueError, match="date order"):
        derive(visit("T1 30"), [visit("T1 30", day) for day in days])


def test_a_measured_row_without_its_number_was_not_assessed() -> None:
    row = Assessment(START + timedelta(days=42), [Target("T1", TargetState.MEASURED)])
    derived = derive(visit("T1 30"), [row])[-1]
    assert derived.overall_response is NE
    assert derived.sum_mm is None


def test_an_incomplete_baseline_decides_nothing_but_cr() -> None:
    baseline = Assessment(START, [target("T1 30"), Target("T2", TargetState.MEASURED)])
    follow_ups = [visit("T1 90, T2 90", 42), visit("T1 absent, T2 absent", 84)]
    first, second, third = derive(baseline, follow_ups)
    assert (first.sum_mm, first.baseline_sum_mm) == (Decimal(30), None)
    assert not first.complete
    assert codes(first.reasons) == ["baseline_incomplete"]
    assert second.overall_response is NE
    assert second.reasons[0].code == "target_ne_no_baseline_sum"
    assert third.overall_response is CR


# What must hold for any course

LABELS = ("T1", "T2", "T3", "N1")
values = st.one_of(
    st.sampled_from(["tstm", "absent", "ne", "merged"]),
    st.decimals(0, 200, places=2).map(str),
)
baselines = st.decimals(15, 200, places=2).map(str)
statuses = st.sampled_from(list(STATUSES))


@st.composite
def courses(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[Assessment, list[Assessment]]:
    labels = draw(st.lists(st.sampled_from(LABELS), unique=True))
    others = draw(st.lists(st.sampled_from(("X1", "Y1")), unique=True))
    start = [f"{label} {draw(baselines)}" for label in labels]
    visits = [visit(", ".join([*start, *(f"{label} present" for label in others)]))]
    for i in range(draw(st.integers(0, 4))):
        rows = [f"{label} {draw(values)}" for label in labels if draw(st.integers(0, 9))]
        rows += [f"{label} {draw(statuses)}" for label in others if draw(st.integers(0, 9))]
        rows += draw(st.lists(st.sampled_from(list(NEW)), max_size=1))
        visits.append(visit(", ".join(rows), 42 * (i + 1)))
    return visits[0], visits[1:]


@given(courses(), st.randoms(use_true_random=False))
def test_the_order_of_lesions_changes_nothing(
    drawn: tuple[Assessment, list[Assessment]], random: Any
) -> None:
    def shuffled(one: Assessment) -> Assessment:
        targets, non_targets = list(one.targets), list(one.non_targets)
        random.shuffle(targets)
        random.shuffle(non_targets)
        return replace(one, targets=targets, non_targets=non_targets)

    baseline, follow_ups = drawn
    again = derive(shuffled(baseline), [shuffled(one) for one in follow_ups])
    assert again == derive(baseline, follow_ups)


@given(courses())
def test_later_visits_never_change_an_earlier_response(
    drawn: tuple[Assessment, list[Assessment]],
) -> None:
    baseline, follow_ups = drawn
    whole = derive(baseline, follow_ups)
    assert len(whole) == 1 + len(follow_ups)
    for count in range(len(follow_ups)):
        assert derive(baseline, follow_ups[:count]) == whole[: count + 1]


@given(courses())
def test_what_holds_at_every_visit(drawn: tuple[Assessment, list[Assessment]]) -> None:
    first, *visits = derive(*drawn)
    for derived in visits:
        assert len(derived.reasons) == 4
        assert derived.baseline_sum_mm == first.sum_mm
        if derived.nadir_mm is not None and derived.baseline_sum_mm is not None:
            assert derived.nadir_mm <= derived.baseline_sum_mm
        if derived.target_response in (CR, PR, SD):
            assert derived.complete
        if derived.new_lesion or PD in (derived.target_response, derived.non_target_response):
            assert derived.overall_response is PD


diameters = st.lists(st.integers(30, 100), min_size=2, max_size=2)


@given(st.lists(diameters, min_size=2, max_size=5), st.sampled_from(["1.25", "2", "3"]))
def test_responses_do_not_depend_on_the_unit_where_20_percent_exceeds_5_mm(
    sizes: list[list[int]], factor: str
) -> None:
    def responses(scale: Decimal) -> list[Response | None]:
        parts = [f"T1 {a * scale}, T2 {b * scale}" for a, b in sizes]
        return [derived.overall_response for derived in course(" | ".join(parts))]

    assert responses(Decimal(factor)) == responses(Decimal(1))


@given(courses(), st.sampled_from(LABELS))
def test_a_lesion_that_was_not_evaluated_only_weakens_the_conclusion(
    drawn: tuple[Assessment, list[Assessment]], label: str
) -> None:
    """A partial sum is a lower bound: PD on it is PD on the whole sum, and else it is NE."""
    baseline, follow_ups = drawn
    if not follow_ups:
        return
    *before, current = follow_ups
    fewer = replace(current, targets=[row for row in current.targets if row.lesion != label])
    whole, partial = derive(baseline, follow_ups)[-1], derive(baseline, [*before, fewer])[-1]
    if label in {row.lesion for row in baseline.targets}:
        assert partial.target_response in (PD, NE)
        if partial.target_response is PD:
            assert whole.target_response is PD


# Conformance of a baseline


def lesion(label: str = "T1", mm: str | None = "20", organ: str = "", **described: Any) -> Target:
    number = None if mm is None else Decimal(mm)
    state = described.pop("state", TargetState.MEASURED)
    return Target(label, state, number, organ_group=organ or label, **described)


CT, MRI, XRAY = ImagingMethod.CT, ImagingMethod.MRI, ImagingMethod.XRAY
CALIPER, ULTRASOUND = ImagingMethod.CALIPER, ImagingMethod.ULTRASOUND

MINIMA: list[tuple[dict[str, Any], str, str]] = [
    ({}, "10", "target_below_minimum"),
    ({"method": CT}, "10", "target_below_minimum"),
    ({"method": MRI}, "10", "target_below_minimum"),
    ({"method": CALIPER}, "10", "target_below_minimum"),
    ({"method": ImagingMethod.PET_CT}, "10", "target_below_minimum"),
    ({"method": XRAY}, "20", "xray_target_below_minimum"),
    ({"method": CT, "slice_mm": Decimal(5)}, "10", "target_below_minimum"),
    ({"method": CT, "slice_mm": Decimal("5.01")}, "10.02", "target_below_slice_minimum"),
    ({"method": MRI, "slice_mm": Decimal(8)}, "16", "target_below_slice_minimum"),
    ({"method": CALIPER, "slice_mm": Decimal(8)}, "10", "target_below_minimum"),
    ({"nodal": True}, "15", "node_target_below_minimum"),
    ({"nodal": True, "method": CT, "slice_mm": Decimal(8)}, "15", "node_target_below_minimum"),
]


@pytest.mark.parametrize(("described", "minimum", "code"), MINIMA)
def test_smallest_target(described: dict[str, Any], minimum: str, code: str) -> None:
    least = Decimal(minimum)
    below = str(least - Decimal("0.01"))
    assert measurability(lesion(**described)).parameters["minimum_mm"] == minimum
    assert check_baseline(Assessment(START, [lesion(mm=minimum, **described)])) == ()
    assert check_baseline(Assessment(START, [lesion(mm=below, **described)])) == (
        Problem(
            "/targets/0/diameter_mm",
            Reason(code, {"diameter_mm": plain(Decimal(below)), "minimum_mm": minimum}),
        ),
    )


def test_a_normal_node_is_not_recorded_one_from_10_mm_on_is_a_non_target() -> None:
    for mm, code in (("9.99", "normal_node_target"), ("10", "node_target_below_minimum")):
        found_there = check_baseline(Assessment(START, [lesion(mm=mm, nodal=True)]))
        assert found(found_there) == [("/targets/0/diameter_mm", code)]


SAID_BEFORE: list[tuple[dict[str, Any], str]] = [
    ({}, "measurable_by_method 10"),
    ({"method": CT, "slice_mm": Decimal(5)}, "measurable_by_method 10"),
    ({"method": MRI, "slice_mm": Decimal(8)}, "measurable_by_slice 16"),
    ({"method": CALIPER, "slice_mm": Decimal(8)}, "measurable 10"),
    ({"method": ImagingMethod.PET_CT}, "measurable 10"),
    ({"method": XRAY}, "measurable_by_xray 20"),
    ({"nodal": True, "method": CT}, "measurable_node 15"),
]


@pytest.mark.parametrize(("described", "expected"), SAID_BEFORE)
def test_what_is_needed_is_said_before_a_diameter_is_typed(
    described: dict[str, Any], expected: str
) -> None:
    said = measurability(lesion(**described))
    assert f"{said.code} {said.parameters['minimum_mm']}" == expected


def test_targets_are_counted_by_organ_and_all_nodes_are_one() -> None:
    rows = [lesion("T1", organ="lung"), lesion("T2", organ="axilla", nodal=True),
            lesion("T3", organ="groin", nodal=True), replace(lesion("T4"), organ_group="")]  # fmt: skip
    assert targets_per_organ(rows) == {"lung": 1, "lymph_node": 2}


REFUSED: list[tuple[str, list[Target], list[tuple[str, str]]]] = [
    ("nothing", [], []),
    ("five", [lesion(f"T{i}") for i in range(5)], []),
    (
        "six",
        [lesion(f"T{i}") for i in range(6)],
        [("/targets/5", "too_many_targets")],
    ),
    (
        "seven",
        [lesion(f"T{i}") for i in range(7)],
        [("/targets/5", "too_many_targets"), ("/targets/6", "too_many_targets")],
    ),
    ("two in one organ", [lesion("T1", organ="lung"), lesion("T2", organ="lung")], []),
    (
        "three in one organ",
        [lesion(f"T{i}", organ=organ) for i, organ in enumerate(("lung", "bone", "lung", "lung"))],
        [("/targets/3/organ", "too_many_targets_in_organ")],
    ),
    (
        "three nodes, wherever they lie",
        [lesion(f"T{i}", organ=organ, nodal=True) for i, organ in enumerate(("a", "b", "c"))],
        [("/targets/2/organ", "too_many_targets_in_organ")],
    ),
    (
        "organs still unnamed",
        [replace(lesion(f"T{i}"), organ_group="") for i in range(3)],
        [],
    ),
    (
        "ultrasound",
        [lesion(method=ULTRASOUND)],
        [("/targets/0/method", "target_by_ultrasound")],
    ),
    (
        "blastic bone",
        [lesion(bone_type=BoneType.BLASTIC)],
        [("/targets/0/bone_type", "blastic_bone_target")],
    ),
    ("mixed bone", [lesion(bone_type=BoneType.MIXED)], []),
    ("lytic bone", [lesion(bone_type=BoneType.LYTIC_SOFT_TISSUE)], []),
    (
        "irradiated",
        [lesion("T1"), lesion("T2", previously_irradiated=True)],
        [("/targets/1/progressed_since_irradiation", "irradiated_without_progression")],
    ),
    (
        "irradiated and progressed since",
        [lesion(previously_irradiated=True, progressed_since_irradiation=True)],
        [],
    ),
    ("no number", [lesion(mm=None)], [("/targets/0/diameter_mm", "diameter_required")]),
    (
        "not measured",
        [lesion(mm=None, state=TargetState.TOO_SMALL)],
        [("/targets/0/state", "baseline_target_not_measured")],
    ),
    ("too large", [lesion(mm="400.01")], [("/targets/0/diameter_mm", "diameter_out_of_range")]),
    ("largest", [lesion(mm="400")], []),
    (
        "three decimals",
        [lesion(mm="20.125")],
        [("/targets/0/diameter_mm", "diameter_too_many_decimals")],
    ),
    ("trailing zeros", [lesion(mm="20.1200")], []),
    (
        "everything at once",
        [lesion(mm="9", method=ULTRASOUND, bone_type=BoneType.BLASTIC, previously_irradiated=True)],
        [
            ("/targets/0/diameter_mm", "target_below_minimum"),
            ("/targets/0/method", "target_by_ultrasound"),
            ("/targets/0/bone_type", "blastic_bone_target"),
            ("/targets/0/progressed_since_irradiation", "irradiated_without_progression"),
        ],
    ),
]


@pytest.mark.parametrize(
    ("targets", "expected"), [row[1:] for row in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_refused_baselines(targets: list[Target], expected: list[tuple[str, str]]) -> None:
    assert found(check_baseline(Assessment(START, targets))) == expected


SHORT_AXES = [
    ("Y1 present 12", None),
    ("Y1 present 9", None),
    ("Y1 absent 9.99", None),
    ("Y1 absent 10", "short_axis_not_absent"),
    ("Y1 ne 12", "short_axis_not_evaluable"),
    ("Y1 present 400.01", "diameter_out_of_range"),
    ("Y1 present -1", "diameter_out_of_range"),
    ("Y1 present 9.999", "diameter_too_many_decimals"),
]


@pytest.mark.parametrize(("row", "code"), SHORT_AXES)
def test_short_axes_of_non_targets(row: str, code: str | None) -> None:
    expected = [("/non_targets/0/short_axis_mm", code)] if code else []
    assert found(check_baseline(visit(row))) == expected
    assert found(check_follow_up(visit(row), [], ["Y1"])) == expected


# Warnings at baseline

DOSE = START + timedelta(days=28)
WARNED: list[tuple[str, Assessment, int, list[str]]] = [
    ("28 days before", Assessment(START), 0, []),
    ("29 days before", Assessment(START), 1, ["baseline_outside_window"]),
    ("on the day", Assessment(START), -28, []),
    ("a day after", Assessment(START), -29, ["baseline_after_first_dose"]),
    *(
        (method.value, Assessment(START, [lesion(method=method)]), 0, warned)
        for method, warned in (
            (CT, []),
            (CALIPER, []),
            (ImagingMethod.PET_CT, ["method_to_confirm"]),
            (ImagingMethod.OTHER, ["method_to_confirm"]),
        )
    ),
    ("node of 15 mm, no target", visit("Y1 present 15"), 0, ["measurable_non_target_only"]),
    ("node of 14.99 mm, no target", visit("Y1 present 14.99"), 0, []),
    ("node of 15 mm beside a target", visit("T1 20, Y1 present 15"), 0, []),
    ("node of 10 mm", visit("T1 20, Y1 present 10"), 0, []),
    ("node of unknown size", visit("T1 20, Y1 present"), 0, ["node_size_missing"]),
    ("normal node", visit("T1 20, Y1 present 9.99"), 0, ["node_normal_size"]),
    ("no node", visit("T1 20, X1 present"), 0, []),
    (
        "a node of 12 mm that nobody marked",
        Assessment(START, [lesion(mm="12", organ="lymph_node")]),
        0,
        ["node_not_marked_nodal"],
    ),
    ("bone of unknown kind", Assessment(START, [lesion(organ="bone")]), 0, ["bone_type_missing"]),
    (
        "a node of 15 mm that nobody marked",
        Assessment(START, [lesion(mm="15", organ="lymph_node")]),
        0,
        [],
    ),
    (
        "a non-target among the nodes",
        Assessment(START, (), [NonTarget("NT1", NonTargetState.PRESENT, organ_group="lymph_node")]),
        0,
        ["node_size_missing"],
    ),
]


@pytest.mark.parametrize(
    ("baseline", "later", "expected"), [row[1:] for row in WARNED], ids=[r[0] for r in WARNED]
)
def test_baseline_warnings(baseline: Assessment, later: int, expected: list[str]) -> None:
    assert codes(baseline_warnings(baseline, DOSE + timedelta(days=later), 28)) == expected


def test_without_a_first_dose_there_is_no_window() -> None:
    assert baseline_warnings(Assessment(START), None, 28) == ()


def test_a_warning_says_what_is_expected() -> None:
    warned = baseline_warnings(visit("Y1 present 15.50"), DOSE + timedelta(days=7), 28)
    assert warned == (
        Reason(
            "baseline_outside_window",
            {
                "baseline_on": "2024-01-01",
                "first_dose_on": "2024-02-05",
                "days_before": 35,
                "window_days": 28,
            },
        ),
        Reason(
            "measurable_non_target_only",
            {"lesion": "Y1", "short_axis_mm": "15.5", "minimum_mm": "15"},
        ),
    )


# Conformance of a follow-up visit


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
