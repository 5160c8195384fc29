"""Comparisons against R survival 3.5.3, published tables, and what must hold for any data."""

import json
from collections.abc import Callable, Iterator
from math import comb, exp, isclose, log
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import gammaln

from outcomes.methods import comparison
from outcomes.methods.comparison import (
    ComparisonReason,
    Cox,
    RiskSets,
    Ties,
    cox,
    fisher_exact,
    log_rank,
    rate_difference,
    risk_sets,
)

EFRON, BRESLOW = Ties
REASON = ComparisonReason
ORACLE = Path(__file__).parents[2] / "reference" / "survival.json"


class Block(NamedTuple):
    """One comparison of the reference file, as patients and as R's numbers."""

    name: str
    table: RiskSets
    patients: int
    expected: dict[str, Any]


def blocks() -> Iterator[Block]:
    """R leaves out patients without a stratum, so the stratified ones do too."""
    for name, data in json.loads(ORACLE.read_text())["datasets"].items():
        for kind in ("compare", "compare_stratified"):
            if kind in data:
                strata = (
                    data["strata"] if kind == "compare_stratified" else ["1"] * len(data["time"])
                )
                columns = zip(data["time"], data["event"], data["group"], strata, strict=True)
                days, events, groups, kept = zip(*(c for c in columns if c[3]), strict=True)
                arms = [data[kind]["groups"].index(group) for group in groups]
                table = risk_sets(days, [event == 1 for event in events], arms, 2, kept)
                yield Block(f"{name} {kind}", table, len(days), data[kind])


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


def array_facts(key: str, expected: list[Any], ours: Any) -> Iterator[Fact]:
    theirs = np.array(expected, np.float64)
    assert theirs.shape == ours.shape
    for index, value in np.ndenumerate(theirs):
        yield Fact(f"{key} {index}", float(value), float(ours[index]))


def log_rank_facts(block: Block) -> Iterator[Fact]:
    ours, expected = log_rank(block.table), block.expected["logrank"]
    yield Fact(f"{block.name} n", block.expected["n"], block.patients)
    yield Fact(f"{block.name} chi2", expected["chisq"], ours.test.chi2)
    yield Fact(f"{block.name} df", expected["df"], ours.test.df)
    yield Fact(f"{block.name} p", expected["p"], ours.test.p)
    yield from array_facts(f"{block.name} observed", expected["observed"], ours.observed)
    yield from array_facts(f"{block.name} expected", expected["expected"], ours.expected)
    yield from array_facts(f"{block.name} variance", expected["var"], ours.variance)


def cox_facts(block: Block) -> Iterator[Fact]:
    for ties in Ties:
        ours, expected = cox(block.table, ties), block.expected["cox"][ties]
        (ratio,), key = ours.ratios, f"{block.name} {ties}"
        for name, theirs, value in (
            ("coefficient", expected["coef"][0], ratio.coefficient),
            ("standard error", expected["se"][0], ratio.standard_error),
            ("ratio", expected["hr"][0], ratio.estimate),
            ("lower", expected["lower"][0], ratio.lower),
            ("upper", expected["upper"][0], ratio.upper),
            ("p", expected["wald_p"][0], ratio.p),
            ("null log likelihood", expected["loglik"][0], ours.null_log_likelihood),
            ("log likelihood", expected["loglik"][1], ours.log_likelihood),
            ("likelihood ratio", expected["lr_chisq"], ours.likelihood_ratio.chi2),
            ("likelihood ratio p", expected["lr_p"], ours.likelihood_ratio.p),
            ("score", expected["score_chisq"], ours.score.chi2),
            ("score p", expected["score_p"], ours.score.p),
        ):
            yield Fact(f"{key} {name}", theirs, value)


NO_EVENTS = (
    "an arm without events: the ratio is not estimable (METHODS.md, 7); R stops on the way to 0 and"
    " warns that the coefficient may be infinite"
)
INFINITE = {  # what R had when it stopped; the upper limit is null in both
    "coefficient": -31.8898196373889,
    "standard error": 3699824.52593159,
    "ratio": 1.41392802506531e-14,
    "lower": 0,
    "p": 0.999993122810404,
    "log likelihood": -3.17805383034802,
    "likelihood ratio": 5.99146454710784,
    "likelihood ratio p": 0.0143752624246449,
}
COX_EXEMPT = {
    f"edge_one_group_no_events compare {ties} {name}": (value, None, NO_EVENTS)
    for ties in Ties
    for name, value in INFINITE.items()
}


@pytest.mark.parametrize(
    ("facts", "compared", "exempt"),
    [
        pytest.param(log_rank_facts, 84, {}, id="log-rank"),
        pytest.param(cox_facts, 168, COX_EXEMPT, id="Cox"),
    ],
)
def test_agrees_with_the_reference(
    facts: Callable[[Block], Iterator[Fact]],
    compared: int,
    exempt: dict[str, tuple[float, None, str]],
) -> None:
    """Relative 1e-9 throughout, the Cox model's iterations included."""
    found = [fact for block in BLOCKS.values() for fact in facts(block)]
    differing = {fact.key: (fact.expected, fact.ours) for fact in found if not fact.agrees}
    assert differing == {key: (theirs, ours) for key, (theirs, ours, _) in exempt.items()}
    assert len({fact.key for fact in found}) == len(found) == compared
    assert len(BLOCKS) == 7


def test_an_arm_without_events_has_a_log_rank_test_but_no_hazard_ratio() -> None:
    table = BLOCKS["edge_one_group_no_events compare"].table
    ratio = cox(table).ratios[0]
    assert (ratio.estimate, ratio.lower, ratio.upper, ratio.p) == (None, None, None, None)
    assert ratio.reason is REASON.NO_EVENTS_IN_ARM
    assert cox(table).likelihood_ratio.reason is REASON.NO_EVENTS_IN_ARM
    assert log_rank(table).test.p == pytest.approx(0.0234214195664239)


Row = tuple[int, bool, int]


def tabled(rows: list[Row], count: int = 2, strata: list[str] | None = None) -> RiskSets:
    """Patients as (days, event, arm)."""
    days, events, arms = ([row[column] for row in rows] for column in range(3))
    return risk_sets(days, [bool(event) for event in events], arms, count, strata)


def test_three_arms_by_hand() -> None:
    """Deaths of A at 1, B at 2, C at 3 of one patient each: expected 1/3, 5/6, 11/6."""
    ours = log_rank(tabled([(1, True, 0), (2, True, 1), (3, True, 2)], 3))
    assert ours.observed.tolist() == [1, 1, 1]
    assert ours.expected.tolist() == pytest.approx([1 / 3, 5 / 6, 11 / 6])
    diagonal = [2 / 9, 2 / 9 + 1 / 4, 2 / 9 + 1 / 4]
    assert np.diag(ours.variance).tolist() == pytest.approx(diagonal)
    assert ours.variance[1, 2] == pytest.approx(-1 / 9 - 1 / 4)
    # [[17/36, -13/36], [-13/36, 17/36]] inverted times (1/6, -5/6): chi2 = 2.6
    assert ours.test.chi2 == pytest.approx(2.6)
    assert ours.test.df == 2
    assert ours.test.p == pytest.approx(exp(-1.3))


def test_two_events_by_hand() -> None:
    """A dies at 1 and B at 2 while another A and B are at risk: 1/(1+h) x h/(1+h), so h = 1.

    The information is 2 x 1/4, so the standard error is the root of 2.
    """
    table = tabled([(1, True, 0), (1, False, 1), (2, True, 1), (2, False, 0)])
    assert table.at_risk.tolist() == [[2, 2], [1, 1]]
    ratio = cox(table).ratios[0]
    assert ratio.estimate == pytest.approx(1)
    assert ratio.coefficient == pytest.approx(0, abs=1e-12)
    assert ratio.standard_error == pytest.approx(2**0.5)
    assert ratio.upper == pytest.approx(exp(1.959963984540054 * 2**0.5))


DEGENERATE = [
    # patients, arms, reason of the log-rank test, reasons of the hazard ratios
    ([], 1, REASON.FEWER_THAN_TWO_ARMS, []),
    ([], 2, REASON.FEWER_THAN_TWO_ARMS, [REASON.NO_PATIENTS_IN_ARM]),
    ([(5, True, 0)], 2, REASON.FEWER_THAN_TWO_ARMS, [REASON.NO_PATIENTS_IN_ARM]),
    ([(5, True, 1)], 2, REASON.FEWER_THAN_TWO_ARMS, [REASON.NO_PATIENTS_IN_ARM]),
    ([(5, False, 0), (6, False, 1)], 2, REASON.NO_EVENTS, [REASON.NO_EVENTS]),
    ([(5, False, 0), (6, True, 1)], 2, REASON.NO_INFORMATION, [REASON.NO_EVENTS_IN_REFERENCE]),
    ([(5, True, 0), (6, False, 1)], 2, None, [REASON.NO_EVENTS_IN_ARM]),
    ([(5, True, 0), (6, True, 1)], 2, None, [REASON.INFINITE_COEFFICIENT]),
    ([(5, True, 0), (6, False, 0), (6, True, 1)], 2, None, [None]),
    # all die at once: nothing varies under the permutation, yet the hazards are plainly equal
    ([(5, True, 0), (5, True, 1)], 2, REASON.NO_INFORMATION, [None]),
    # the third arm has no events, or no patients; the others are compared all the same
    ([(5, True, 0), (6, True, 1), (7, True, 0), (8, False, 2)], 3, None,
     [None, REASON.NO_EVENTS_IN_ARM]),
    ([(5, True, 0), (6, True, 1), (7, True, 0)], 3, None, [None, REASON.NO_PATIENTS_IN_ARM]),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "count", "no_test", "no_ratios"), DEGENERATE)
def test_what_cannot_be_compared_says_why(
    rows: list[Row], count: int, no_test: str | None, no_ratios: list[str | None]
) -> None:
    table = tabled(rows, count)
    assert log_rank(table).test.reason == no_test
    for ties in Ties:
        found = cox(table, ties)
        assert [ratio.reason for ratio in found.ratios] == no_ratios
        assert_complete(found)


def assert_complete(found: Cox) -> None:
    """Every value is a finite number, or None with its reason."""
    for ratio in found.ratios:
        values = (ratio.estimate, ratio.lower, ratio.upper, ratio.coefficient, ratio.p)
        assert all((value is None) == (ratio.reason is not None) for value in values)
        assert all(np.isfinite(value) for value in values if value is not None)
    for test in (found.likelihood_ratio, found.score):
        assert (test.chi2 is None) == (test.p is None) == (test.reason is not None)


def test_one_arm_in_every_stratum_compares_nothing() -> None:
    rows = [(5, True, 0), (6, True, 0), (5, True, 1), (7, True, 1)]
    table = tabled(rows, strata=["a", "a", "b", "b"])
    assert log_rank(table).test.reason == REASON.NO_INFORMATION
    assert cox(table).ratios[0].reason == REASON.NO_INFORMATION
    assert cox(table).score.reason == REASON.NO_INFORMATION


def test_an_arm_without_events_leaves_the_other_ratios_alone() -> None:
    """As it leaves for 0, an arm without events leaves the risk sets (R's limit)."""
    pair = [(5, True, 0), (6, True, 1), (7, True, 0), (9, True, 1), (9, False, 0)]
    with_third = cox(tabled([*pair, (4, False, 2), (8, False, 2)], 3)).ratios
    assert with_third[0] == cox(tabled(pair)).ratios[0]
    assert with_third[1].reason == REASON.NO_EVENTS_IN_ARM


def test_without_convergence_there_is_no_hazard_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "MAX_STEPS", 1)
    ratio = cox(BLOCKS["gehan_6mp compare"].table).ratios[0]
    assert (ratio.estimate, ratio.reason) == (None, REASON.NO_CONVERGENCE)


FAR_APART: list[list[Row]] = [
    # Newton's first step is too long, and is halved
    [(day, True, 0) for day in range(2, 400)] + [(1, True, 1)] * 30 + [(400, False, 1)],
    # nearly nothing is known at a ratio of 1, so that it would leave the floating point numbers
    [(2, True, 0)] + [(3, False, 0)] * 5000 + [(1, True, 1)] * 3 + [(2, False, 1)],
]


@pytest.mark.parametrize("rows", FAR_APART)
@pytest.mark.parametrize("ties", Ties)
def test_hazards_far_apart_are_found_all_the_same(rows: list[Row], ties: Ties) -> None:
    found = cox(tabled(rows), ties)
    best = found.ratios[0].coefficient
    assert best is not None
    highest = log_likelihood(rows, best, ties)
    assert found.log_likelihood == pytest.approx(highest)
    for other in (best - 1e-2, best + 1e-2):
        assert log_likelihood(rows, other, ties) < highest


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: risk_sets([1, 2], [True], [0, 1], 2), "2 durations but 1 event flags"),
        (lambda: risk_sets([1, 2], [True, False], [0], 2), "2 durations but 1 arms"),
        (lambda: risk_sets([1], [True], [2], 2), "arms must be whole numbers from 0, below"),
        (lambda: risk_sets([1], [True], [-1], 2), "arms must be whole numbers from 0, below"),
        (lambda: risk_sets([1], [True], [0.5], 2), "arms must be whole numbers"),  # type: ignore[list-item]
        (lambda: risk_sets([], [], [], 0), "below their count 0"),
        (lambda: risk_sets([1], [True], [0], 2, ["a", "b"]), "1 durations but 2 strata"),
        (lambda: cox(tabled([]), level=95), "level is 95, must be"),
        (lambda: fisher_exact(2, 1, 0, 1), "2 of 1 and 0 of 1 are not two proportions"),
        (lambda: rate_difference(2, 1, 0, 1), "2 of 1 is not a proportion"),
        (lambda: rate_difference(1, 1, 0, 1, 0), "level is 0, must be"),
    ],
)
def test_the_impossible_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_risk_sets_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        BLOCKS["lung compare"].table.events[0] = 1


def test_a_hundred_thousand_patients_take_no_time() -> None:
    """Measured at 0.4 s; a loop over patients or their pairs would take far longer than 10 s."""
    random = np.random.default_rng(1)
    days, arms = random.integers(1, 3000, 100_000), random.integers(0, 3, 100_000)
    strata = [str(number) for number in random.integers(0, 6, 100_000)]
    started = perf_counter()
    table = risk_sets(days, random.random(100_000) < 0.7, arms, 3, strata)
    assert log_rank(table).test.df == 2
    assert all(0.9 < (ratio.estimate or 0) < 1.1 for ratio in cox(table).ratios)
    assert perf_counter() - started < 10


# Response rates


@pytest.mark.parametrize(
    ("k", "n", "other_k", "other_n", "estimate", "lower", "upper"),
    [  # Newcombe, Stat Med 1998;17:873, table II, method 10
        (56, 70, 48, 80, "0.2000", "0.0524", "0.3339"),
        (9, 10, 3, 10, "0.6000", "0.1705", "0.8090"),
        (6, 7, 2, 7, "0.5714", "0.0582", "0.8062"),
        (5, 56, 0, 29, "0.0893", "-0.0381", "0.1926"),
        (0, 10, 0, 20, "0.0000", "-0.1611", "0.2775"),
        (0, 10, 0, 10, "0.0000", "-0.2775", "0.2775"),
        (10, 10, 0, 20, "1.0000", "0.6791", "1.0000"),
        (10, 10, 0, 10, "1.0000", "0.6075", "1.0000"),
    ],
)
def test_newcombes_examples(
    k: int, n: int, other_k: int, other_n: int, estimate: str, lower: str, upper: str
) -> None:
    ours = rate_difference(k, n, other_k, other_n)
    assert [f"{v:.4f}" for v in (ours.estimate, ours.lower, ours.upper)] == [estimate, lower, upper]


@pytest.mark.parametrize(
    ("k", "n", "other_k", "other_n", "p"),
    [
        (16, 158, 1, 75, "0.0145"),  # METHODS.md, 7
        (3, 4, 1, 4, "0.4857"),  # Fisher's tea tasting (Agresti 2002, 3.5): 17/70 one-sided
        (0, 5, 5, 5, "0.0079"),  # 2/252
        (0, 7, 0, 9, "1.0000"),
        (7, 7, 9, 9, "1.0000"),
        (2, 4, 2, 4, "1.0000"),
        (1, 1, 0, 1, "1.0000"),
    ],
)
def test_fisher_by_hand(k: int, n: int, other_k: int, other_n: int, p: str) -> None:
    assert f"{fisher_exact(k, n, other_k, other_n).p:.4f}" == p


def test_no_patients_no_rates_to_compare() -> None:
    for rates in ((0, 0, 1, 2), (1, 2, 0, 0), (0, 0, 0, 0)):
        assert fisher_exact(*rates).reason is REASON.NO_PATIENTS_IN_ARM
        assert rate_difference(*rates).reason is REASON.NO_PATIENTS_IN_ARM


def test_fisher_of_large_arms_is_stable() -> None:
    """300 v 0 of 100,000: both tables with all successes in one arm."""
    ours = fisher_exact(300, 100_000, 0, 100_000).p
    one = sum(gammaln(n) for n in (100_001, 199_701)) - sum(gammaln(n) for n in (99_701, 200_001))
    assert ours == pytest.approx(2 * exp(one), rel=1e-6)
    assert fisher_exact(50_000, 100_000, 50_000, 100_000).p == pytest.approx(1)


counts = st.integers(1, 25).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts)
def test_fisher_is_its_definition(one: tuple[int, int], other: tuple[int, int]) -> None:
    (k, n), (other_k, other_n) = one, other
    all_k = k + other_k
    tables = {
        a: comb(n, a) * comb(other_n, all_k - a)
        for a in range(max(0, all_k - other_n), min(n, all_k) + 1)
    }
    expected = sum(ways for ways in tables.values() if ways <= tables[k]) / sum(tables.values())
    assert fisher_exact(k, n, other_k, other_n).p == pytest.approx(expected, rel=1e-9)
    assert fisher_exact(other_k, other_n, k, n).p == pytest.approx(expected, rel=1e-9)


@given(counts, counts)
def test_a_difference_lies_in_its_interval_and_turns_round(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    there, back = rate_difference(*one, *other), rate_difference(*other, *one)
    values = there.lower, there.estimate, there.upper
    assert None not in values
    assert list(values) == sorted(values)  # type: ignore[type-var]
    assert (there.lower or 0) >= -1 - 1e-12
    assert (there.upper or 0) <= 1 + 1e-12
    turned = [-(value or 0) for value in (back.upper, back.estimate, back.lower)]
    assert turned == pytest.approx(values)


# What must hold for any patients


def rows_of(arms: int) -> st.SearchStrategy[list[Row]]:
    row = st.tuples(st.integers(1, 30), st.booleans(), st.integers(0, arms - 1))
    return st.lists(row, min_size=1, max_size=50)


def ratios(table: RiskSets, ties: Ties = EFRON) -> list[float | None]:
    return [ratio.coefficient for ratio in cox(table, ties).ratios]


def same(ours: list[float | None], expected: list[float | None]) -> None:
    assert ours == [None if value is None else pytest.approx(value, abs=1e-7) for value in expected]


@given(rows_of(3), st.sampled_from(Ties))
def test_nothing_is_ever_left_undefined(rows: list[Row], ties: Ties) -> None:
    found = cox(tabled(rows, 3), ties)
    assert_complete(found)
    assert REASON.NO_CONVERGENCE not in {ratio.reason for ratio in found.ratios}
    test = log_rank(tabled(rows, 3)).test
    assert (test.chi2 is None) == (test.reason is not None)
    assert test.chi2 is None or test.chi2 >= -1e-12


@given(rows_of(3))
def test_expected_events_are_as_many_as_observed(rows: list[Row]) -> None:
    ours = log_rank(tabled(rows, 3))
    assert ours.expected.sum() == pytest.approx(ours.observed.sum())
    assert np.allclose(ours.variance.sum(axis=0), 0)


@given(rows_of(3), st.sampled_from(Ties))
def test_only_the_order_of_times_matters(rows: list[Row], ties: Ties) -> None:
    later = [(day**3 + 7, event, arm) for day, event, arm in rows]
    assert log_rank(tabled(later, 3)).test == log_rank(tabled(rows, 3)).test
    assert cox(tabled(later, 3), ties) == cox(tabled(rows, 3), ties)


@given(rows_of(3), st.randoms(), st.sampled_from(Ties))
def test_the_order_of_patients_does_not_matter(rows: list[Row], random: Any, ties: Ties) -> None:
    shuffled = random.sample(rows, len(rows))
    assert log_rank(tabled(shuffled, 3)).test == log_rank(tabled(rows, 3)).test
    assert cox(tabled(shuffled, 3), ties) == cox(tabled(rows, 3), ties)


@given(rows_of(2), st.sampled_from(Ties))
def test_two_arms_swapped_invert_the_hazard_ratio(rows: list[Row], ties: Ties) -> None:
    swapped = [(day, event, 1 - arm) for day, event, arm in rows]
    (there,), (back,) = (cox(tabled(r), ties).ratios for r in (rows, swapped))
    if there.estimate is None or there.lower is None or there.upper is None:
        assert back.estimate is None
        return
    assert back.estimate == pytest.approx(1 / there.estimate)
    assert (back.lower, back.upper) == pytest.approx((1 / there.upper, 1 / there.lower))
    assert back.p == pytest.approx(there.p)
    assert log_rank(tabled(swapped)).test.chi2 == pytest.approx(log_rank(tabled(rows)).test.chi2)


@given(rows_of(4))
def test_without_ties_log_rank_is_the_score_test(rows: list[Row]) -> None:
    untied = [(60 * day + index, event, arm) for index, (day, event, arm) in enumerate(rows)]
    table = tabled(untied, 4)
    test = log_rank(table).test
    assume(test.chi2 is not None)
    for ties in Ties:
        score = cox(table, ties).score
        if score.reason is None:  # an arm that was never at risk has a score, but no variance
            assert score.chi2 == pytest.approx(test.chi2, abs=1e-9)
            assert score.df == test.df
    same(ratios(table, EFRON), ratios(table, BRESLOW))


@given(rows_of(3), st.integers(2, 4), st.sampled_from(Ties))
def test_a_stratum_and_its_copies_say_the_same(rows: list[Row], copies: int, ties: Ties) -> None:
    """Independent copies: equal estimates, observed and expected counts multiplied."""
    strata = [str(copy) for copy in range(copies) for _ in rows]
    once, many = tabled(rows, 3), tabled(rows * copies, 3, strata)
    same(ratios(many, ties), ratios(once, ties))
    assert log_rank(many).expected.tolist() == pytest.approx(log_rank(once).expected * copies)
    assert log_rank(many).observed.tolist() == (log_rank(once).observed * copies).tolist()


@given(rows_of(3), st.sampled_from(Ties))
def test_one_stratum_is_none(rows: list[Row], ties: Ties) -> None:
    assert cox(tabled(rows, 3, ["a"] * len(rows)), ties) == cox(tabled(rows, 3), ties)


@given(rows_of(2), st.integers(2, 4))
def test_duplicated_patients_keep_breslows_estimate(rows: list[Row], copies: int) -> None:
    """Breslow's likelihood of every patient taken twice is the square of the first."""
    same(ratios(tabled(rows * copies), BRESLOW), ratios(tabled(rows), BRESLOW))


@given(rows_of(2), st.sampled_from(Ties))
def test_a_hazard_ratio_is_where_the_likelihood_is_highest(rows: list[Row], ties: Ties) -> None:
    """Against the likelihood as the textbooks write it, patient by patient."""
    found = cox(tabled(rows), ties)
    assume(found.ratios[0].coefficient is not None)
    best = found.ratios[0].coefficient or 0.0
    assert found.log_likelihood == pytest.approx(log_likelihood(rows, best, ties))
    for other in (best - 1e-3, best + 1e-3, 0.0):
        assert log_likelihood(rows, other, ties) <= log_likelihood(rows, best, ties) + 1e-12


def log_likelihood(rows: list[Row], coefficient: float, ties: Ties) -> float:
    """Efron 1977 or Breslow 1974 at one coefficient, straight from the definition."""
    value = 0.0
    for time in {day for day, event, _ in rows if event}:
        died = [exp(coefficient * arm) for day, event, arm in rows if event and day == time]
        at_risk = sum(exp(coefficient * arm) for day, _, arm in rows if day >= time)
        value += sum(map(log, died))
        for before in range(len(died)):
            share = before / len(died) if ties == EFRON else 0
            value -= log(at_risk - share * sum(died))
    return value
