"""Differences between curves: by hand, against R's estimates of each arm, and what must hold."""

import json
from collections.abc import Callable
from math import erfc, log, sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.methods.differences import landmark_difference, restricted_mean_difference
from outcomes.methods.survival import (
    Curve,
    MissingReason,
    RestrictedMean,
    kaplan_meier,
    landmark,
    restricted_mean,
)

NOT_ESTIMABLE = MissingReason.NOT_ESTIMABLE
Z = 1.959963984540054
DATASETS = json.loads((Path(__file__).parents[2] / "reference" / "survival.json").read_text())[
    "datasets"
]
Row = tuple[int, bool]


def curve_of(rows: list[Row]) -> Curve:
    return kaplan_meier([day for day, _ in rows], [event for _, event in rows])


def sample(name: str, group: str) -> Curve:
    """One arm of a dataset of the reference file."""
    data = DATASETS[name]
    columns = zip(data["time"], data["event"], data["group"], strict=True)
    rows = [(time, event) for time, event, arm in columns if arm == group]
    return kaplan_meier([time for time, _ in rows], [event == 1 for _, event in rows])


def two_sided(chi: float) -> float:
    return erfc(abs(chi) / sqrt(2))


def test_two_small_arms_by_hand() -> None:
    """A: 1 of 4 died by day 5; B: 2 of 4. Without censoring Greenwood is S (1 - S) / n."""
    a = curve_of([(5, True), (9, False), (9, False), (9, False)])
    b = curve_of([(3, True), (5, True), (9, False), (9, False)])
    found = landmark_difference(landmark(b, 6), landmark(a, 6))
    error = sqrt(1 / 4 * 3 / 4 / 4 + 1 / 2 * 1 / 2 / 4)
    assert found.estimate == -0.25
    assert found.standard_error == pytest.approx(error)
    assert found.lower == pytest.approx(-0.25 - Z * error)
    assert found.upper == pytest.approx(-0.25 + Z * error)
    # Greenwood's sums: 1 / (4 x 3) and 1 / (4 x 3) + 1 / (3 x 2)
    spread = sqrt(1 / 12 / log(0.75) ** 2 + 1 / 4 / log(0.5) ** 2)
    assert found.p == pytest.approx(two_sided((log(-log(0.5)) - log(-log(0.75))) / spread))
    assert (found.reason, found.limits_reason, found.p_reason) == (None, None, None)


def test_freireich_at_ten_weeks_by_hand() -> None:
    """6-MP: 3 of 21, 1 of 17, 1 of 15 relapse; controls 13 of 21, nobody censored."""
    mp, control = sample("gehan_6mp", "6-MP"), sample("gehan_6mp", "control")
    found = landmark_difference(landmark(mp, 10), landmark(control, 10))
    kept, control_kept = 18 / 21 * 16 / 17 * 14 / 15, 8 / 21
    term, control_term = 3 / (21 * 18) + 1 / (17 * 16) + 1 / (15 * 14), 13 / (21 * 8)
    error = sqrt(kept**2 * term + control_kept**2 * control_term)
    assert found.estimate == pytest.approx(kept - control_kept)
    assert found.standard_error == pytest.approx(error)
    spread = sqrt(term / log(kept) ** 2 + control_term / log(control_kept) ** 2)
    chi = (log(-log(kept)) - log(-log(control_kept))) / spread
    assert found.p == pytest.approx(two_sided(chi))


def test_restricted_means_by_hand() -> None:
    """Until day 9: A dies on 5 of two, 7 days on average; B never, 9. Irwin: 4 x 1/2 to come."""
    a, b = curve_of([(5, True), (9, False)]), curve_of([(9, False), (9, False)])
    found = restricted_mean_difference(restricted_mean(a, 9), restricted_mean(b, 9))
    error = 2 * sqrt(1 / 2)
    assert [found.estimate, found.standard_error] == [-2, pytest.approx(error)]
    limits = [-2 - Z * error, Z * error - 2]
    assert [found.lower, found.upper] == [pytest.approx(limit) for limit in limits]
    assert found.p == pytest.approx(two_sided(2 / error))


def test_restricted_means_as_survrm2_prints_them() -> None:
    """Primary biliary cirrhosis to 10 years: 7.146 (0.283) v 7.283 (0.295), survRM2's vignette.

    Printed: -0.137, 95 % -0.939 to 0.665, p = 0.738; the inputs are rounded to 0.001.
    """
    treated, placebo = RestrictedMean(10, 7.146, 0.283), RestrictedMean(10, 7.283, 0.295)
    found = restricted_mean_difference(treated, placebo)
    assert found.estimate == pytest.approx(-0.137, abs=1e-9)
    limits = [found.lower, found.upper]
    assert limits == [pytest.approx(printed, abs=2e-3) for printed in (-0.939, 0.665)]
    assert found.p == pytest.approx(0.738, abs=2e-3)


def two_arms() -> list[tuple[str, str, str]]:
    """Datasets of the reference file with two groups."""
    return [(name, *sorted(d["by_group"])) for name, d in DATASETS.items() if d.get("by_group")]


@pytest.mark.parametrize(("name", "reference", "arm"), two_arms())
def test_differences_of_r_s_landmarks(name: str, reference: str, arm: str) -> None:
    """R's survival and standard error of each arm, subtracted; a time beyond either has none."""
    tables = [
        DATASETS[name]["by_group"][group]["landmark"]["log-log"] for group in (arm, reference)
    ]
    one, other = sample(name, arm), sample(name, reference)
    assert tables[0]["time"] == tables[1]["time"]
    for row, time in enumerate(tables[0]["time"]):
        found = landmark_difference(landmark(one, time), landmark(other, time))
        if any(table["beyond_last"][row] for table in tables):
            assert found.reason is NOT_ESTIMABLE
            continue
        (s1, s2), (se1, se2) = ([table[key][row] for table in tables] for key in ("surv", "se"))
        assert found.estimate == pytest.approx(s1 - s2, rel=1e-9, abs=1e-12)
        expected = None if None in (se1, se2) else sqrt(se1**2 + se2**2) or None
        assert found.standard_error == (expected and pytest.approx(expected, rel=1e-9))
        if 0 < s1 < 1 and 0 < s2 < 1:
            spread = sqrt(sum((se / (s * log(s))) ** 2 for s, se in ((s1, se1), (s2, se2))))
            chi = (log(-log(s1)) - log(-log(s2))) / spread
            assert found.p == pytest.approx(two_sided(chi), rel=1e-9)


@pytest.mark.parametrize(("name", "reference", "arm"), two_arms())
def test_differences_of_r_s_restricted_means(name: str, reference: str, arm: str) -> None:
    one, other = sample(name, arm), sample(name, reference)
    rows = [DATASETS[name]["by_group"][group]["rmst"] for group in (arm, reference)]
    taus = [{row["tau"]: row for row in table} for table in rows]
    common = taus[0].keys() & taus[1].keys()
    for tau in common:
        found = restricted_mean_difference(restricted_mean(one, tau), restricted_mean(other, tau))
        assert found.estimate == pytest.approx(taus[0][tau]["est"] - taus[1][tau]["est"], abs=1e-9)
        error = sqrt(taus[0][tau]["se"] ** 2 + taus[1][tau]["se"] ** 2)
        assert found.standard_error == pytest.approx(error, rel=1e-9)


ALIVE = [(9, False), (9, False)]
HALF = [(5, True), (9, False)]
GONE = [(2, True), (5, True)]


@pytest.mark.parametrize(
    ("one", "other", "time", "estimate", "limits", "p"),
    [
        (HALF, HALF, 7, 0.0, None, None),
        (HALF, HALF, 9, 0.0, None, None),  # the last day of follow-up is within it
        (HALF, HALF, 9.5, NOT_ESTIMABLE, NOT_ESTIMABLE, NOT_ESTIMABLE),
        (HALF, [(6, True), (7, False)], 8, NOT_ESTIMABLE, NOT_ESTIMABLE, NOT_ESTIMABLE),
        (ALIVE, HALF, 7, 0.5, None, NOT_ESTIMABLE),  # survival is 1 in an arm
        (ALIVE, ALIVE, 7, 0.0, NOT_ESTIMABLE, NOT_ESTIMABLE),  # no variance at all
        (GONE, HALF, 5, -0.5, NOT_ESTIMABLE, NOT_ESTIMABLE),  # survival is 0 in an arm
        (HALF, HALF, 0, 0.0, NOT_ESTIMABLE, NOT_ESTIMABLE),
        ([], HALF, 7, NOT_ESTIMABLE, NOT_ESTIMABLE, NOT_ESTIMABLE),
    ],
)
def test_a_missing_landmark_difference_says_why(
    one: list[Row],
    other: list[Row],
    time: float,
    estimate: float | MissingReason,
    limits: MissingReason | None,
    p: MissingReason | None,
) -> None:
    found = landmark_difference(landmark(curve_of(one), time), landmark(curve_of(other), time))
    assert (found.estimate if found.reason is None else found.reason) == estimate
    assert (found.limits_reason, found.p_reason) == (limits, p)
    assert (found.lower is None, found.upper is None) == (limits is not None, limits is not None)
    assert (found.p is None) == (p is not None)


def test_a_missing_difference_of_means_says_why() -> None:
    half, gone = curve_of(HALF), curve_of(GONE)
    beyond = restricted_mean_difference(restricted_mean(half, 7), restricted_mean(gone, 7))
    assert (beyond.reason, beyond.limits_reason, beyond.p_reason) == (NOT_ESTIMABLE,) * 3
    same = restricted_mean_difference(restricted_mean(half, 1), restricted_mean(gone, 1))
    assert (same.estimate, same.lower, same.reason) == (0, None, None)
    assert (same.limits_reason, same.p_reason) == (NOT_ESTIMABLE, NOT_ESTIMABLE)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda h: landmark_difference(landmark(h, 5), landmark(h, 6)), "must be one time"),
        (lambda h: landmark_difference(landmark(h, 5), landmark(h, 5), 95), "level is 95"),
        (
            lambda h: restricted_mean_difference(restricted_mean(h, 5), restricted_mean(h, 6)),
            "horizons 5 and 6",
        ),
    ],
)
def test_the_impossible_is_refused(call: Callable[[Curve], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(curve_of(HALF))


arms = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=2, max_size=30)


@given(arms, arms, st.integers(0, 31))
def test_arms_swapped_turn_the_difference_round(a: list[Row], b: list[Row], time: int) -> None:
    there = landmark_difference(landmark(curve_of(a), time), landmark(curve_of(b), time))
    back = landmark_difference(landmark(curve_of(b), time), landmark(curve_of(a), time))
    assert there.p == (back.p if back.p is None else pytest.approx(back.p))
    if there.lower is None or there.upper is None or there.estimate is None:
        assert back.lower is None
        return
    assert back.lower == pytest.approx(-there.upper)
    assert -1 <= there.lower <= there.estimate <= there.upper <= 1
