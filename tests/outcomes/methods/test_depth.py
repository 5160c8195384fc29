"""Depth of response by hand."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.methods.depth import Depth, depth_of_response


@pytest.mark.parametrize(
    ("change", "depth"),
    [
        ("35", Depth.NONE),
        ("0", Depth.NONE),
        ("-0.1", Depth.UP_TO_25),
        ("-25", Depth.UP_TO_25),
        ("-25.1", Depth.UP_TO_50),
        ("-30", Depth.UP_TO_50),
        ("-50", Depth.UP_TO_50),
        ("-50.01", Depth.UP_TO_75),
        ("-75", Depth.UP_TO_75),
        ("-75.01", Depth.UP_TO_100),
        ("-100", Depth.UP_TO_100),
    ],
)
def test_bounds_belong_to_the_shallower_category(change: str, depth: Depth) -> None:
    counts = depth_of_response([Fraction(change)]).counts
    assert {found: n for found, n in counts.items() if n} == {depth: 1}
    assert list(counts) == list(Depth)


@pytest.mark.parametrize(
    ("changes", "q1", "median", "q3"),
    [
        ([-40], -40, -40, -40),
        ([-40, 20], -25, -10, 5),
        ([-60, -40, 20], -50, -40, -10),
        ([-100, -60, -40, 20], -70, -50, -25),
        ([20, -100, -40, -60, -10], -60, -40, -10),
    ],
)
def test_quartiles_by_hand(changes: list[int], q1: int, median: int, q3: int) -> None:
    """Type 7: at (n - 1) p from the smallest, halfway and so on in between."""
    found = depth_of_response(map(Fraction, changes))
    assert [found.q1, found.median, found.q3] == [q1, median, q3]
    assert [found.n, found.deepest, found.least] == [len(changes), min(changes), max(changes)]


def test_thirds_stay_exact() -> None:
    """66 to 44 mm is a third less: no binary rounding moves it over -33.3."""
    found = depth_of_response([Fraction(-100, 3)] * 3)
    assert (found.median, found.counts[Depth.UP_TO_50]) == (Fraction(-100, 3), 3)


def test_nobody_has_no_depth() -> None:
    found = depth_of_response([])
    values = found.median, found.q1, found.q3, found.deepest, found.least
    assert (found.n, values) == (0, (None,) * 5)
    assert sum(found.counts.values()) == 0


def test_a_sum_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a change of -101 %"):
        depth_of_response([Fraction(-101)])


@given(st.lists(st.fractions(-100, 300), min_size=1, max_size=40))
def test_everybody_is_in_one_category(changes: list[Fraction]) -> None:
    found = depth_of_response(changes)
    assert sum(found.counts.values()) == found.n == len(changes)
    assert min(changes) <= found.q1 <= found.median <= found.q3 <= max(changes)  # type: ignore[operator]
