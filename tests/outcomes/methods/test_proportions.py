"""Intervals of response rates against R, the published figures, and their own definitions."""

import json
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtr, bdtrc

from outcomes.methods.proportions import Proportion, clopper_pearson, proportion, wald, wilson
from outcomes.methods.survival import MissingReason
from trials.definitions import ProportionInterval

ORACLE = Path(__file__).parents[2] / "reference" / "survival.json"
Interval = Callable[..., Proportion]


def test_agrees_with_the_reference() -> None:
    compared = 0
    for row in json.loads(ORACLE.read_text())["proportions"]:
        for name, interval in (("cp", clopper_pearson), ("wilson", wilson)):
            ours = interval(row["k"], row["n"])
            assert ours.lower == pytest.approx(row[f"{name}_lower"], rel=1e-9, abs=0)
            assert ours.upper == pytest.approx(row[f"{name}_upper"], rel=1e-9, abs=0)
            compared += 2
    assert compared == 24


def percent(value: float | None, like: str) -> str:
    """`value` in percent with as many decimals as were printed."""
    assert value is not None
    return f"{100 * value:.{len(like.partition('.')[2])}f}"


@pytest.mark.parametrize(
    ("k", "n", "interval", "lower", "upper"),
    [
        (11, 32, clopper_pearson, "18.57", "53.19"),  # Sun 2022, ORR
        (11, 32, wilson, "20.41", "51.69"),
        (11, 32, wald, "17.92", "50.83"),
        (27, 32, clopper_pearson, "67.21", "94.72"),  # Sun 2022, DCR
        (27, 32, wilson, "68.25", "93.14"),
        (27, 32, wald, "71.79", "96.96"),
        (8, 49, clopper_pearson, "7.32", "29.66"),  # ALTER-S006, ORR
        (8, 49, wilson, "8.51", "29.04"),
        (8, 49, wald, "5.98", "26.68"),
        (46, 49, clopper_pearson, "83.13", "98.72"),  # ALTER-S006, DCR
        (46, 49, wilson, "83.48", "97.90"),
        (46, 49, wald, "87.16", "100.6"),
        (16, 52, clopper_pearson, "18.72", "45.10"),  # anlotinib + anthracycline + ifosfamide
        (16, 52, wilson, "19.91", "44.27"),
        (43, 52, clopper_pearson, "69.67", "91.77"),
        (43, 52, wilson, "70.27", "90.62"),
        (35, 46, clopper_pearson, "61.23", "87.41"),  # esophageal
        (42, 46, clopper_pearson, "79.21", "97.58"),
        (13, 42, clopper_pearson, "17.62", "47.09"),  # SINANLOSARC printed Wilson
        (13, 42, wilson, "19.07", "46.03"),
        (32, 42, clopper_pearson, "60.55", "87.95"),
        (32, 42, wilson, "61.47", "86.52"),
        (21, 166, clopper_pearson, "8.00", "18.69"),  # Chi 2018 printed Wald
        (21, 166, wilson, "8.43", "18.57"),
        (21, 166, wald, "7.59", "17.71"),
        (0, 27, clopper_pearson, "0", "12.77"),  # ALTER0203, leiomyosarcoma
        (1, 75, clopper_pearson, "0.03", "7.21"),  # ALTER0203, placebo
        (27, 33, clopper_pearson, "64.5", "93.0"),  # not Sun 2022: n is 32
        (26, 32, clopper_pearson, "63.6", "92.8"),
        (11, 33, clopper_pearson, "18.0", "51.8"),
    ],
)
def test_published_percentages(k: int, n: int, interval: Interval, lower: str, upper: str) -> None:
    ours = interval(k, n)
    assert (percent(ours.lower, lower), percent(ours.upper, upper)) == (lower, upper)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [1, 2, 27, 49, 158])
@pytest.mark.parametrize("interval", [clopper_pearson, wilson])
def test_at_none_and_all_one_limit_is_exact(interval: Interval, n: int, level: float) -> None:
    none, all_ = interval(0, n, level), interval(n, n, level)
    assert (none.estimate, none.lower) == (0, 0)
    assert (all_.estimate, all_.upper) == (1, 1)


@pytest.mark.parametrize("n", [1, 2, 27, 49, 158])
def test_at_none_and_all_the_other_limit_keeps_half_of_alpha(n: int) -> None:
    assert clopper_pearson(n, n).lower == pytest.approx(0.025 ** (1 / n), rel=1e-12)
    assert clopper_pearson(0, n).upper == pytest.approx(1 - 0.025 ** (1 / n), rel=1e-12)


@pytest.mark.parametrize("interval", ProportionInterval)
def test_of_nobody_there_is_no_rate(interval: ProportionInterval) -> None:
    ours = proportion(0, 0, interval)
    assert (ours.estimate, ours.lower, ours.upper) == (None, None, None)
    assert ours.reason == MissingReason.NOT_ESTIMABLE
    assert ours.clipped == ours


@pytest.mark.parametrize(
    ("k", "n", "lower", "upper", "clipped"),
    [
        (0, 27, "0.00", "0.00", ("0.00", "0.00")),
        (1, 75, "-1.26", "3.93", ("0.00", "3.93")),
        (46, 49, "87.16", "100.59", ("87.16", "100.00")),
        (16, 32, "32.68", "67.32", ("32.68", "67.32")),
    ],
)
def test_wald_is_clipped_only_when_asked(
    k: int, n: int, lower: str, upper: str, clipped: tuple[str, str]
) -> None:
    ours = wald(k, n)
    assert (percent(ours.lower, lower), percent(ours.upper, upper)) == (lower, upper)
    within = ours.clipped
    assert (percent(within.lower, lower), percent(within.upper, upper)) == clipped


@pytest.mark.parametrize(
    ("k", "n", "level", "message"),
    [
        (3, 2, 0.95, "3 of 2 is not a proportion"),
        (-1, 2, 0.95, "-1 of 2 is not a proportion"),
        (0, -1, 0.95, "0 of -1 is not a proportion"),
        (1, 2, 95, "level is 95, must be"),
        (0, 0, 1, "level is 1, must be"),
    ],
)
def test_the_impossible_is_refused(k: int, n: int, level: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clopper_pearson(k, n, level)


counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@given(counts, st.sampled_from(ProportionInterval), levels)
def test_non_responders_mirror_responders(
    count: tuple[int, int], interval: ProportionInterval, level: float
) -> None:
    k, n = count
    ours, mirror = proportion(k, n, interval, level), proportion(n - k, n, interval, level)
    assert mirror.upper is not None
    assert ours.lower == pytest.approx(1 - mirror.upper, abs=1e-12)
    assert (ours.interval, ours.level) == (interval, level)


@given(counts, levels)
def test_clopper_pearson_leaves_half_of_alpha_in_each_tail(
    count: tuple[int, int], level: float
) -> None:
    k, n = count
    ours = clopper_pearson(k, n, level)
    tail = pytest.approx((1 - level) / 2, rel=1e-9)
    assert k == 0 or bdtrc(k - 1, n, ours.lower) == tail
    assert k == n or bdtr(k, n, ours.upper) == tail


@given(counts, levels)
def test_wilson_limits_solve_the_score_equation(count: tuple[int, int], level: float) -> None:
    k, n = count
    ours, z = wilson(k, n, level), NormalDist().inv_cdf((1 + level) / 2)
    for limit in (ours.lower, ours.upper):
        assert limit is not None
        assert (k / n - limit) ** 2 == pytest.approx(z * z * limit * (1 - limit) / n, abs=1e-12)
