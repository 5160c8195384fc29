"""Which lesions a baseline may have, and what is unusual in one."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

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
    ImagingMethod,
    NonTarget,
    NonTargetState,
    Reason,
    Target,
    TargetState,
    plain,
)
from tests.outcomes.methods.recist.rows import START, codes, found, visit


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
