"""The reason beside each response; the order of visits, and input that is still being typed."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from outcomes.methods.recist import Assessment, Reason, Target, TargetState, derive, plain
from tests.outcomes.methods.recist.rows import CR, NE, START, codes, last, target, visit


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
