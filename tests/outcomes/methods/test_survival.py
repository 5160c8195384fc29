"""Survival estimators against R survival 3.5.3, Freireich 1963, and what must hold for any data."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from math import isclose
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from outcomes.methods.survival import (
    LARGEST_TALLIED_DAY,
    Curve,
    MissingReason,
    QuartileMethod,
    band_interval,
    follow_up,
    kaplan_meier,
    known_event_free,
    landmark,
    median,
    observed_quartiles,
    quantile,
    restricted_mean,
    reverse_kaplan_meier,
)
from trials.definitions import SurvivalInterval

LOG_LOG, LOG, PLAIN, SPSS = SurvivalInterval
BANDS = (LOG_LOG, LOG, PLAIN)
NOT_REACHED, NOT_ESTIMABLE = MissingReason
ORACLE = Path(__file__).parents[2] / "reference" / "survival.json"


@dataclass(frozen=True)
class Block:
    """One sample of the reference file: the data and what R says about them."""

    name: str
    days: list[float]
    events: list[bool]
    expected: dict[str, Any]

    @property
    def curve(self) -> Curve:
        return kaplan_meier(self.days, self.events)

    @property
    def reverse(self) -> Curve:
        return reverse_kaplan_meier(self.days, self.events)


def blocks() -> Iterator[Block]:
    for name, data in json.loads(ORACLE.read_text())["datasets"].items():
        events = [event == 1 for event in data["event"]]
        yield Block(f"{name} overall", data["time"], events, data["overall"])
        for group, expected in data.get("by_group", {}).items():
            rows = zip(data["time"], events, data["group"], strict=True)
            days, flags = zip(*((d, e) for d, e, g in rows if g == group), strict=True)
            yield Block(f"{name} {group}", list(days), list(flags), expected)


BLOCKS = {block.name: block for block in blocks()}


class Fact(NamedTuple):
    """One number of the reference beside ours; None is R's NA."""

    key: str
    expected: float | None
    ours: float | None

    @property
    def agrees(self) -> bool:
        if self.expected is None or self.ours is None:
            return self.expected is self.ours
        return isclose(self.expected, self.ours, rel_tol=1e-9)


def column_facts(key: str, expected: list[float | None], ours: Any) -> Iterator[Fact]:
    values = [None if np.isnan(value) else float(value) for value in ours]
    for row, (theirs, value) in enumerate(zip(expected, values, strict=True)):
        yield Fact(f"{key} row {row}", theirs, value)


def field_facts(key: str, expected: dict[str, Any], ours: Any, names: dict[str, str]) -> list[Fact]:
    return [
        Fact(f"{key} {ours_name}", expected[r_name], getattr(ours, ours_name))
        for r_name, ours_name in names.items()
    ]


LIMITS = {"est": "estimate", "lower": "lower", "upper": "upper"}


def curve_facts(block: Block) -> Iterator[Fact]:
    curve, expected = block.curve, block.expected
    yield Fact(f"{block.name} n", expected["n"], curve.patients)
    yield Fact(f"{block.name} events", expected["events"], int(curve.events.sum()))
    for r_name, ours in (
        ("time", curve.time),
        ("n_risk", curve.at_risk),
        ("n_event", curve.events),
        ("n_censor", curve.censored),
        ("surv", curve.survival),
        ("se_greenwood", curve.standard_error),
        ("se_log", np.sqrt(curve.variance_sum)),
    ):
        yield from column_facts(f"{block.name} {r_name}", expected["km"][r_name], ours)


def band_facts(block: Block) -> Iterator[Fact]:
    for interval in BANDS:
        lower, upper = block.curve.band(interval)
        for side, ours in (("lower", lower), ("upper", upper)):
            name = f"{side}_{interval}"
            yield from column_facts(f"{block.name} {name}", block.expected["km"][name], ours)


def median_facts(block: Block) -> Iterator[Fact]:
    for interval in BANDS:
        expected = block.expected["median_print"][interval]
        ours = median(block.curve, interval)
        yield from field_facts(f"{block.name} {interval}", expected, ours, LIMITS)


def survfit_median_facts(block: Block) -> Iterator[Fact]:
    for interval in BANDS:
        expected = block.expected["median"][interval]
        ours = median(block.curve, interval)
        yield from field_facts(f"{block.name} {interval}", expected, ours, LIMITS)


def quantile_facts(block: Block) -> Iterator[Fact]:
    yield from quantile_table_facts(block, block.curve, "quantiles")


def reverse_facts(block: Block) -> Iterator[Fact]:
    yield from quantile_table_facts(block, block.reverse, "reverse_km")


def quantile_table_facts(block: Block, curve: Curve, table: str) -> Iterator[Fact]:
    for interval in BANDS:
        expected = block.expected[table][interval]
        for at, p in enumerate((0.25, 0.5, 0.75)):
            ours = quantile(curve, p, interval)
            row = {name: expected[name][at] for name in LIMITS}
            yield from field_facts(f"{block.name} {interval} {p}", row, ours, LIMITS)


def landmark_rows(block: Block) -> Iterator[tuple[str, SurvivalInterval, dict[str, Any]]]:
    for interval in BANDS:
        table = block.expected["landmark"][interval]
        for values in zip(*table.values(), strict=True):
            row = dict(zip(table, values, strict=True))
            yield f"{block.name} {interval} {row['time']}", interval, row


def landmark_facts(block: Block) -> Iterator[Fact]:
    names = {"n_risk": "at_risk"}
    within = {"surv": "survival", "se": "standard_error", "lower": "lower", "upper": "upper"}
    for key, interval, row in landmark_rows(block):
        ours = landmark(block.curve, row["time"], interval)
        yield from field_facts(key, row, ours, names if row["beyond_last"] else names | within)


def restricted_mean_facts(block: Block) -> Iterator[Fact]:
    for row in block.expected["rmst"]:
        ours = restricted_mean(block.curve, row["tau"])
        names = {"est": "estimate", "se": "standard_error"}
        yield from field_facts(f"{block.name} {row['tau']}", row, ours, names)


def spss_facts(block: Block) -> Iterator[Fact]:
    for percent, expected in block.expected["spss"]["percentiles_cumulative"].items():
        ours = quantile(block.curve, int(percent) / 100, SPSS)
        names = {"estimate": "estimate", "se": "standard_error", "lower": "lower", "upper": "upper"}
        yield from field_facts(f"{block.name} {percent}", expected, ours, names)


def spss_slope_facts(block: Block) -> Iterator[Fact]:
    """Survival where the percentile lies, and its error over the slope between `u_p` and `l_p`."""
    for percent, expected in block.expected["spss"]["percentiles_cumulative"].items():
        at, key = expected["estimate"], f"{block.name} {percent}"
        ours = landmark(block.curve, at) if at is not None else None
        yield Fact(f"{key} survival", expected["S_at_t"], ours.survival if ours else None)
        if ours and expected["u_p"] is not None and expected["l_p"] is not None:
            u, l = expected["u_p"], expected["l_p"]  # noqa: E741
            fall = survival_at(block.curve, u) - survival_at(block.curve, l)
            error = ours.standard_error and ours.standard_error * (l - u) / fall
            yield Fact(f"{key} error over slope", expected["se"], error)


def survival_at(curve: Curve, time: float) -> float:
    found = landmark(curve, time).survival
    assert found is not None
    return found


def spss_mean_facts(block: Block) -> Iterator[Fact]:
    ours, expected = restricted_mean(block.curve, max(block.days)), block.expected["spss"]["mean"]
    names = {"est": "estimate", "se": "standard_error"}
    yield from field_facts(block.name, expected, ours, names)
    assert ours.estimate is not None
    assert ours.standard_error is not None
    half = block.expected["spss"]["z"] * ours.standard_error
    yield Fact(f"{block.name} lower", expected["lower"], ours.estimate - half)
    yield Fact(f"{block.name} upper", expected["upper"], ours.estimate + half)


PLATEAU = "survival stays 0.25 to the end: our start, quantile.survfit a midpoint (METHODS.md, 7)"
NON_MONOTONE = "the upper band falls below 0.5 at 45 and 48: our first crossing, as print(survfit)"
QUANTILE_EXEMPT = {  # key: (R, ours, reason)
    "aml overall log 0.5 upper": (48, 45, NON_MONOTONE),
    "edge_one_group_no_events a log-log 0.75 estimate": (6, 5, PLATEAU),
    "edge_one_group_no_events a log 0.75 estimate": (6, 5, PLATEAU),
    "edge_one_group_no_events a plain 0.75 estimate": (6, 5, PLATEAU),
}


SURVFIT_EXEMPT = {"aml overall log upper": (48, 45, NON_MONOTONE)}


@pytest.mark.parametrize(
    ("facts", "compared", "exempt"),
    [
        pytest.param(curve_facts, 3978, {}, id="curve"),
        pytest.param(band_facts, 3372, {}, id="bands"),
        pytest.param(median_facts, 198, {}, id="medians"),
        pytest.param(survfit_median_facts, 198, SURVFIT_EXEMPT, id="medians of quantile.survfit"),
        pytest.param(quantile_facts, 594, QUANTILE_EXEMPT, id="quantiles"),
        pytest.param(reverse_facts, 594, {}, id="reverse"),
        pytest.param(landmark_facts, 1962, {}, id="landmarks"),
        pytest.param(restricted_mean_facts, 84, {}, id="restricted means"),
        pytest.param(spss_facts, 264, {}, id="SPSS"),
        pytest.param(spss_slope_facts, 110, {}, id="SPSS slopes"),
        pytest.param(spss_mean_facts, 88, {}, id="SPSS means"),
    ],
)
def test_agrees_with_the_reference(
    facts: Callable[[Block], Iterator[Fact]],
    compared: int,
    exempt: dict[str, tuple[float, float, str]],
) -> None:
    found = list(chain.from_iterable(map(facts, BLOCKS.values())))
    differing = {fact.key: (fact.expected, fact.ours) for fact in found if not fact.agrees}
    assert differing == {key: (theirs, ours) for key, (theirs, ours, _) in exempt.items()}
    assert len({fact.key for fact in found}) == len(found) == compared


def test_beyond_follow_up_nothing_is_estimated_where_r_carries_the_last_value_on() -> None:
    beyond = [
        (block.curve, interval, row)
        for block in BLOCKS.values()
        for _, interval, row in landmark_rows(block)
        if row["beyond_last"]
    ]
    for curve, interval, row in beyond:
        ours = landmark(curve, row["time"], interval)
        assert row["surv"] is not None
        assert (ours.survival, ours.standard_error, ours.lower, ours.upper) == (None,) * 4
        assert (ours.survival_reason, ours.limits_reason) == (NOT_ESTIMABLE, NOT_ESTIMABLE)
    assert len(beyond) == 87


FREIREICH = BLOCKS["gehan_6mp 6-MP"]


def test_freireich_median_as_printed_by_spss() -> None:
    ours = median(FREIREICH.curve, SPSS)
    assert (ours.estimate, ours.interval, ours.level) == (23, SPSS, 0.95)
    assert f"{ours.standard_error:.3f} {ours.lower:.2f} {ours.upper:.2f}" == "5.255 12.70 33.30"


def test_censored_patients_are_not_events() -> None:
    """A registry peer's Kaplan-Meier counts every patient as an event; R has 9 of 21."""
    faulty = kaplan_meier(FREIREICH.days, [True] * 21)
    assert (faulty.events.sum(), FREIREICH.curve.events.sum()) == (21, 9)
    assert (median(faulty).estimate, median(FREIREICH.curve).estimate) == (16, 23)


@pytest.mark.parametrize(
    ("days", "events", "interval", "estimate", "lower", "upper"),
    [
        ([], [], LOG_LOG, NOT_ESTIMABLE, NOT_ESTIMABLE, NOT_ESTIMABLE),
        ([], [], SPSS, NOT_ESTIMABLE, NOT_ESTIMABLE, NOT_ESTIMABLE),
        ([5, 9], [False, False], LOG_LOG, NOT_REACHED, NOT_ESTIMABLE, NOT_ESTIMABLE),
        ([5, 9], [False, False], LOG, NOT_REACHED, NOT_REACHED, NOT_REACHED),
        ([5, 9], [False, False], SPSS, NOT_REACHED, NOT_ESTIMABLE, NOT_ESTIMABLE),
        ([6, 6], [True, True], LOG_LOG, 6, NOT_ESTIMABLE, NOT_ESTIMABLE),
        ([6, 6], [True, True], SPSS, 6, NOT_ESTIMABLE, NOT_ESTIMABLE),
        ([2, 4, 6, 8], [True] * 4, PLAIN, 5, 2, NOT_REACHED),
        ([2, 4, 6, 8], [True, True, False, False], PLAIN, 4, 2, NOT_REACHED),
        ([1, 3, 3], [True] * 3, SPSS, 3, NOT_ESTIMABLE, NOT_ESTIMABLE),
        ([1, 3, 3], [False, True, True], SPSS, 3, NOT_ESTIMABLE, NOT_ESTIMABLE),
    ],
)
def test_a_missing_value_says_why(
    days: list[int],
    events: list[bool],
    interval: SurvivalInterval,
    estimate: float | MissingReason,
    lower: float | MissingReason,
    upper: float | MissingReason,
) -> None:
    ours = median(kaplan_meier(days, events), interval)
    assert (ours.estimate or ours.estimate_reason) == estimate
    assert (ours.lower or ours.lower_reason) == lower
    assert (ours.upper or ours.upper_reason) == upper


def test_no_patients_is_an_empty_curve() -> None:
    curve = kaplan_meier([], [])
    lower, upper = curve.band()
    assert (curve.patients, curve.last_time, lower.size, upper.size) == (0, None, 0, 0)
    assert landmark(curve, 0).survival_reason == NOT_ESTIMABLE
    assert restricted_mean(curve, 1).reason == NOT_ESTIMABLE


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.int64, np.float32])
def test_any_numeric_array_will_do(dtype: type) -> None:
    days: NDArray[Any] = np.array(FREIREICH.days, dtype)
    events = np.array(FREIREICH.events)
    assert median(kaplan_meier(days, events)) == median(FREIREICH.curve)
    assert kaplan_meier(days[:0], events[:0]).patients == 0


def test_a_curve_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        FREIREICH.curve.survival[0] = 1


@pytest.mark.parametrize(
    ("tau", "estimate", "reason"),
    [(6, 5.5, None), (9, 7.0, None), (9.5, None, NOT_ESTIMABLE)],
)
def test_restricted_mean_has_a_horizon_within_follow_up(
    tau: float, estimate: float | None, reason: MissingReason | None
) -> None:
    ours = restricted_mean(kaplan_meier([5, 9], [True, False]), tau)
    assert (ours.tau, ours.estimate, ours.reason) == (tau, estimate, reason)


def test_limits_of_a_restricted_mean_stay_within_its_horizon() -> None:
    """Irwin's error by hand: of two, one dies on 5 and 4 days x 1/2 are to come until 9."""
    ours = restricted_mean(kaplan_meier([5, 9], [True, False]), 9)
    assert ours.standard_error == pytest.approx(2 * (1 / 2) ** 0.5)
    assert ours.limits(0.5) == pytest.approx((7 - 0.6744898 * 2**0.5, 7 + 0.6744898 * 2**0.5))
    assert ours.limits() == pytest.approx((7 - 1.959964 * 2**0.5, 9))
    assert ours.limits(1 - 1e-9) == (0, 9)
    assert restricted_mean(kaplan_meier([], []), 9).limits() is None


@pytest.mark.parametrize(
    ("time", "known"),
    [(0, 5), (4.9, 5), (5, 4), (6, 4), (7, 3), (7.5, 2), (9, 2), (9.5, 1), (12, 1), (13, 0)],
)
def test_known_to_be_event_free(time: float, known: int) -> None:
    """An event on the day has happened; who is censored that day was still seen without one."""
    curve = kaplan_meier([5, 7, 7, 9, 12], [True, True, False, False, False])
    assert known_event_free(curve, time) == known


@pytest.mark.parametrize(
    ("days", "events", "reverse", "observed"),
    [
        ([10, 20, 30, 40], [False] * 4, (15, 25, 35), (17.5, 25, 32.5)),
        ([10, 20, 30, 40], [True] * 4, (NOT_REACHED,) * 3, (17.5, 25, 32.5)),
        ([10, 20, 30, 40], [True, False] * 2, (20, 40, 40), (17.5, 25, 32.5)),
        ([], [], (NOT_ESTIMABLE,) * 3, (NOT_ESTIMABLE,) * 3),
    ],
)
def test_follow_up_in_both_customs(
    days: list[int],
    events: list[bool],
    reverse: tuple[float | MissingReason, ...],
    observed: tuple[float | MissingReason, ...],
) -> None:
    ours = follow_up(days, events)
    for q, expected, method in (
        (ours.reverse, reverse, QuartileMethod.REVERSE_KAPLAN_MEIER),
        (ours.observed, observed, QuartileMethod.OBSERVED),
    ):
        assert q.method == method
        assert (q.q1 or q.q1_reason, q.median or q.median_reason, q.q3 or q.q3_reason) == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kaplan_meier([1, 2], [True]), "2 durations but 1 event flags"),
        (lambda: kaplan_meier([1, 2], [1, 2]), "event flags must be booleans"),  # type: ignore[list-item]
        (lambda: kaplan_meier([-1], [True]), "finite and 0 or more"),
        (lambda: kaplan_meier([float("nan")], [True]), "finite and 0 or more"),
        (lambda: kaplan_meier([float("inf")], [True]), "finite and 0 or more"),
        (lambda: kaplan_meier([None], [True]), "one sequence of numbers"),  # type: ignore[list-item]
        (lambda: kaplan_meier([[1]], [[True]]), "one sequence of numbers"),  # type: ignore[list-item]
        (lambda: observed_quartiles(["5"]), "one sequence of numbers"),  # type: ignore[list-item]
        (lambda: quantile(FREIREICH.curve, 1), "p is 1, must be"),
        (lambda: median(FREIREICH.curve, LOG_LOG, 95), "level is 95, must be"),
        (lambda: median(FREIREICH.curve, SPSS, 95), "level is 95, must be"),
        (lambda: landmark(FREIREICH.curve, -1), "time is -1, must be"),
        (lambda: known_event_free(FREIREICH.curve, -1), "time is -1, must be"),
        (lambda: restricted_mean(FREIREICH.curve, 9).limits(95), "level is 95, must be"),
        (lambda: FREIREICH.curve.band(SPSS), "no band for spss, only log-log, log, plain"),
        (lambda: restricted_mean(FREIREICH.curve, 0), "tau is 0, must be"),
    ],
)
def test_the_impossible_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("interval", "band"), [(SPSS, LOG_LOG), (LOG_LOG, LOG_LOG), (LOG, LOG), (PLAIN, PLAIN)]
)
def test_spss_has_an_interval_for_the_median_only(
    interval: SurvivalInterval, band: SurvivalInterval
) -> None:
    assert band_interval(interval) is band


def test_spss_takes_196_literally_and_has_no_other_level() -> None:
    ours = median(FREIREICH.curve, SPSS)
    assert ours.standard_error is not None
    half = 1.96 * ours.standard_error
    assert (ours.lower, ours.upper) == pytest.approx((23 - half, 23 + half), rel=1e-12)
    other = median(FREIREICH.curve, SPSS, 0.9)
    assert (other.estimate, other.lower, other.upper) == (23, None, None)
    assert (other.lower_reason, other.upper_reason) == (MissingReason.NOT_ESTIMABLE,) * 2


# What must hold for any patients

patients = st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=60)
some_patients = patients.filter(bool)


def curve_of(rows: list[tuple[int, bool]]) -> Curve:
    return kaplan_meier([day for day, _ in rows], [event for _, event in rows])


def same(one: Curve, other: Curve) -> bool:
    columns = zip(one.__slots__, other.__slots__, strict=True)
    return all(
        np.array_equal(getattr(one, a), getattr(other, b), equal_nan=True) for a, b in columns
    )


@given(patients)
def test_survival_is_the_product_of_its_definition(rows: list[tuple[int, bool]]) -> None:
    survival, expected = Fraction(1), []
    for time in sorted({day for day, _ in rows}):
        at_risk = sum(day >= time for day, _ in rows)
        survival *= 1 - Fraction(sum(row == (time, True) for row in rows), at_risk)
        expected.append(float(survival))
    assert curve_of(rows).survival.tolist() == pytest.approx(expected, rel=1e-12)


@given(st.data(), patients)
def test_order_of_patients_does_not_matter(
    data: st.DataObject, rows: list[tuple[int, bool]]
) -> None:
    assert same(curve_of(rows), curve_of(data.draw(st.permutations(rows))))


@given(patients)
def test_days_counted_or_sorted_give_one_curve(rows: list[tuple[int, bool]]) -> None:
    days, events = [day for day, _ in rows], [event for _, event in rows]
    sorted_floats = kaplan_meier(np.array(days, np.float64), events)
    far = kaplan_meier([day + LARGEST_TALLIED_DAY for day in days], events)
    assert same(curve_of(rows), sorted_floats)
    assert far.survival.tolist() == sorted_floats.survival.tolist()


@given(patients)
def test_survival_falls_inside_its_bands(rows: list[tuple[int, bool]]) -> None:
    curve = curve_of(rows)
    assert all(earlier >= later for earlier, later in pairwise([1, *curve.survival, 0]))
    for interval in BANDS:
        lower, upper = curve.band(interval)
        known = ~np.isnan(lower)
        assert np.array_equal(known, ~np.isnan(upper))
        inside = (lower <= curve.survival + 1e-12) & (curve.survival <= upper + 1e-12)
        assert np.array_equal(inside, known)


@given(some_patients)
def test_a_patient_followed_to_the_end_without_event_raises_survival(
    rows: list[tuple[int, bool]],
) -> None:
    curve = curve_of(rows)
    longer = curve_of([*rows, (int(curve.time[-1]), False)])
    assert np.array_equal(longer.time, curve.time)
    assert np.array_equal(longer.at_risk, curve.at_risk + 1)
    assert np.all(longer.survival >= curve.survival)


@given(some_patients)
def test_without_censoring_it_is_the_empirical_distribution(rows: list[tuple[int, bool]]) -> None:
    days = [day for day, _ in rows]
    curve = kaplan_meier(days, [True] * len(days))
    shares = [np.mean([day > time for day in days]) for time in curve.time]
    assert curve.survival.tolist() == pytest.approx(shares, abs=1e-12)
    assert restricted_mean(curve, max(days)).estimate == pytest.approx(np.mean(days))
    assert reverse_kaplan_meier(days, [True] * len(days)).survival.tolist() == [1] * len(shares)


@given(st.integers(1, 300))
def test_rounding_never_moves_a_median_off_its_plateau(half: int) -> None:
    curve = kaplan_meier(range(1, 2 * half + 1), [True] * (2 * half))
    assert median(curve).estimate == half + 0.5
    assert median(curve, SPSS).estimate == half


@given(st.integers(1, 30))
def test_rounding_never_moves_the_window_of_spss(k: int) -> None:
    """Of 20 k patients, survival is 0.55 after 9 k and 0.45 after 11 k; times are squares."""
    ours = median(kaplan_meier([i * i for i in range(1, 20 * k + 1)], [True] * (20 * k)), SPSS)
    slope = 0.1 / ((11 * k) ** 2 - (9 * k) ** 2)
    assert ours.estimate == (10 * k) ** 2
    assert ours.standard_error == pytest.approx((0.25 / (20 * k)) ** 0.5 / slope, rel=1e-9)
