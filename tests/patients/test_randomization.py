"""Stratified permuted blocks, as properties over many ratios, multiples and seeds."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import chain, islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.randomization import MissingFactor, next_block, stratum

RATIOS = st.dictionaries(st.sampled_from("ABCD"), st.integers(1, 4), min_size=2, max_size=4)
MULTIPLES = st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True)
SEEDS = st.integers(0, 2**32)
TWO_TO_ONE = {"Anlotinib": 2, "Placebo": 1}


def blocks(ratio: dict[str, int], multiples: list[int], seed: int, n: int) -> list[list[str]]:
    """The first blocks of a stratum."""
    chance = Random(seed)
    return [next_block(ratio, multiples, chance) for _ in range(n)]


@given(RATIOS, MULTIPLES, SEEDS)
def test_every_block_has_exactly_the_ratio(
    ratio: dict[str, int], multiples: list[int], seed: int
) -> None:
    for block in blocks(ratio, multiples, seed, 8):
        multiple, rest = divmod(len(block), sum(ratio.values()))
        assert rest == 0
        assert multiple in multiples
        assert Counter(block) == {arm: share * multiple for arm, share in ratio.items()}


@given(RATIOS, MULTIPLES, SEEDS)
def test_the_imbalance_never_exceeds_what_one_block_allows(
    ratio: dict[str, int], multiples: list[int], seed: int
) -> None:
    whole, counts = sum(ratio.values()), Counter[str]()
    for n, arm in enumerate(chain(*blocks(ratio, multiples, seed, 12)), 1):
        counts[arm] += 1
        for name, share in ratio.items():
            most = Fraction(share * (whole - share) * max(multiples), whole)
            assert abs(counts[name] - Fraction(n * share, whole)) <= most


def test_two_to_one_of_180_is_120_and_60() -> None:
    """ALTER0203 allots 2:1; whole blocks of 3, 6 and 9 end on the ratio whatever was drawn."""
    for seed in range(50):
        drawn = blocks(TWO_TO_ONE, [1, 2, 3], seed, 60)
        lengths, total = [len(block) for block in drawn], 0
        ends = [total := total + length for length in lengths]
        for end in ends:
            counts = Counter(islice(chain(*drawn), end))
            assert counts["Anlotinib"] == 2 * counts["Placebo"]


def test_lengths_and_orders_vary() -> None:
    drawn = blocks(TWO_TO_ONE, [1, 2, 3], 1, 3000)
    lengths = Counter(len(block) for block in drawn)
    assert set(lengths) == {3, 6, 9}
    assert all(880 < count < 1120 for count in lengths.values())  # 1000 each; 4.6 standard errors
    orders = Counter(tuple(block) for block in drawn if len(block) == 3)
    assert len(orders) == 3
    assert all(abs(count - lengths[3] / 3) < 75 for count in orders.values())
    assert len({tuple(block) for block in drawn if len(block) == 6}) == 15  # 6 over 2


def test_strata_are_independent() -> None:
    """Blocks of one stratum say nothing of another's: all nine pairs of orders come equally often."""
    chance, pairs = Random(2), Counter[tuple[str, str]]()
    for _ in range(9000):
        one, other = (next_block(TWO_TO_ONE, [1], chance) for _ in range(2))
        pairs["".join(one), "".join(other)] += 1
    assert len(pairs) == 9
    assert all(850 < count < 1150 for count in pairs.values())  # 1000 each; 5 standard errors


FACTS: dict[str, str | int | None] = {
    "site": "01", "sex": "female", "ecog": 0, "histology": "Leiomyosarcoma"
}  # fmt: skip
ALL = ["site", "sex", "ecog", "histology"]


def test_a_stratum_is_told_by_its_factors() -> None:
    assert stratum([], FACTS) == "[]"
    assert stratum(ALL, FACTS) == '["01", "female", 0, "leiomyosarcoma"]'
    assert stratum(["ecog"], FACTS | {"sex": "unknown"}) == "[0]"
    named = [stratum(["histology"], {"histology": name}) for name in ("LMS", " 平滑肌肉瘤 ")]
    assert named == ['["leiomyosarcoma"]'] * 2
    odd = [stratum(["histology"], {"histology": name}) for name in ('A", "B', "A, B")]
    assert odd == ['["ab"]'] * 2


@pytest.mark.parametrize(
    ("factor", "fact"),
    [("ecog", None), ("histology", ""), ("histology", "  "), ("sex", "unknown"), ("site", "")],
)
def test_a_missing_factor_is_named(factor: str, fact: str | None) -> None:
    with pytest.raises(MissingFactor) as missing:
        stratum(ALL, FACTS | {factor: fact})
    assert missing.value.factor == factor
