"""The claims audit: exact rounding, one small document per code, and hostile ones."""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from outcomes.methods.claims import Audited, audit, audit_all
from outcomes.methods.findings import EndpointFacts, Severity, TrialFacts
from outcomes.methods.printed import Figure, counts, limits, rounded
from trials.publications import MAX_CLAIMS, LooseEnd, LooseEnds, PublishedResults, place

Claim = dict[str, Any]
C, D, R, OK = Severity.CONTRADICTION, Severity.DISCREPANCY, Severity.REMARK, Severity.CONSISTENT


def rate(identity: str = "orr", measure: str = "ORR", **fields: Any) -> Claim:
    """A proportion."""
    return {"type": "proportion", "id": identity, "label": "x", "measure": measure, **fields}


def rate_at(**fields: Any) -> Claim:
    """An event-free rate."""
    return {"type": "rate_at", "id": "a", "label": "x", "measure": "PFS", "at": "1 y", **fields}


def median(
    identity: str = "pfs", value: str = "9.1", interval: str = "5.7-12.5", **f: Any
) -> Claim:
    """A median."""
    told = {"type": "median", "id": identity, "label": "x", "measure": "PFS", "value": value}
    return told | {"interval": interval} | f


def categories(*items: tuple[str, int], kind: str = "best_response", **fields: Any) -> Claim:
    """Counts by category."""
    listed = [{"name": name, "n": n} for name, n in items]
    told = {"type": "categories", "id": "c", "label": "x", "kind": kind, "items": listed}
    return told | fields


def ratio(value: str, **fields: Any) -> Claim:
    """A hazard ratio."""
    told = {"type": "hazard_ratio", "id": "h", "label": "x", "measure": "PFS", "value": value}
    return told | fields


def p_value(value: str, *of: int) -> Claim:
    """A p value with the counts of two groups."""
    names = dict(zip(("k", "n", "other_k", "other_n"), of, strict=True))
    told = {"type": "p_value", "id": "p", "label": "x", "measure": "ORR", "value": value}
    return told | names


def enrolled(number: int, planned: int | None = None) -> Claim:
    """An enrollment."""
    told = {"type": "enrollment", "id": "e", "label": "x", "enrolled": number}
    return told | ({} if planned is None else {"planned": planned})


def origin(wording: str) -> Claim:
    """A time origin."""
    return {"type": "time_origin", "id": "t", "label": "x", "measure": "OS", "wording": wording}


def arms(*sizes: int) -> list[Claim]:
    """Arms of these sizes."""
    return [{"name": f"arm {n}", "role": "arm", "n": n} for n in sizes]


EVALUABLE = [{"name": "evaluable", "role": "population", "n": 28}]
SINGLE_ARM = TrialFacts(
    "NCT00000001",
    48,
    "NA",
    (
        EndpointFacts("PFS", "from first dose"),
        EndpointFacts("OS", time_frame="from the date of randomization"),
    ),
)
ELSEWHERE = {
    "n": 158, "nct_id": "NCT02449343",
    "claims": [rate(k=16, percent="10.13"), ratio(".33"), median("m", "6.27", "4.30-8.40")],
}  # fmt: skip
FIT = [(OK, "percent_fits_count")]
POSSIBLE = [(OK, "percent_is_possible")]
Case = tuple[dict[str, Any], list[Claim], list[tuple[Severity, str]]]

CASES: dict[str, Case] = {
    "fits": ({"n": 49}, [rate(k=8, percent="16%")], FIT),
    "a tie up": ({"n": 8}, [rate(k=1, percent="13")], FIT),
    "a tie down": ({"n": 8}, [rate(k=1, percent="12")], FIT),
    "off by one": ({"n": 49}, [rate(k=9, percent="16%")], [(C, "percent_contradicts_count")]),
    "printed n counts": ({"n": 49}, [rate(k=1, n=40, percent="2.5")], [*FIT, (R, "denominator_differs")]),
    "impossible": ({"n": 154}, [rate(percent="10.13%")], [(C, "percent_impossible"), (R, "percent_found_elsewhere")]),
    "impossible, no hint": ({"n": 14}, [rate(percent="10")], [(C, "percent_impossible")]),
    "possible": ({"n": 49}, [rate(percent="16%")], POSSIBLE),
    "counts alone": ({"n": 40}, [rate(k=1)], [(OK, "percent_not_printed")]),
    "all": ({"n": 49}, [rate(percent="100%")], POSSIBLE),
    "more than all": ({"n": 49}, [rate(percent="100.1%")], [(C, "percent_above_hundred")]),
    "k above n": ({"n": 49}, [rate(k=50, percent="16%")], [(C, "count_exceeds_total")]),
    "nobody": ({"n": 0}, [rate(percent="0%", interval="0-1")], [(C, "percent_of_nobody")]),
    "nobody counted": ({"n": 0}, [rate(k=0)], []),
    "no denominator": ({}, [rate(percent="16%", interval="7-30")], []),
    "evaluable": (
        {"n": 29, "groups": EVALUABLE}, [rate(percent="82.1", group="evaluable")],
        [*POSSIBLE, (R, "denominator_differs")],
    ),
    "an arm is no denominator of its own": (
        {"n": 90, "groups": arms(28, 62)}, [rate(percent="82.1", group="arm 28")],
        [(OK, "arms_sum"), *POSSIBLE],
    ),
    "Clopper-Pearson": ({"n": 49}, [rate(k=8, interval="7-30")], [(OK, "percent_not_printed"), (R, "interval_method")]),
    "Wilson": ({"n": 42}, [rate(percent="30.95", interval="19.07-46.03")], [*POSSIBLE, (R, "interval_method")]),
    "Wald": ({"n": 166}, [rate(percent="13%", interval="(7.6-18)")], [*POSSIBLE, (R, "interval_method")]),
    # k = 22 is 13.25%: Clopper-Pearson 8.50-19.37, Wilson 8.92-19.24, Wald 8.09-18.41
    "the wrong count": (
        {"n": 166}, [rate(k=22, percent="13%", interval="7.6-18")],
        [*FIT, (D, "interval_not_reproduced")],
    ),
    # 50/100: Wilson 40.38-59.62 and Wald 40.20-59.80 both print as 40-60, Clopper-Pearson does too
    "two methods": ({"n": 100}, [rate(k=50, interval="40-60")], [(OK, "percent_not_printed"), (R, "interval_methods")]),
    "too many counts": ({"n": 50_000}, [rate(percent="13%", interval="7-18")], [*POSSIBLE, (R, "interval_not_searched")]),
    "reversed": ({"n": 49}, [rate(k=8, interval="30-7")], [(OK, "percent_not_printed"), (C, "interval_reversed")]),
    "outside": ({"n": 49}, [rate(k=8, percent="16%", interval="17-30")], [*FIT, (C, "estimate_outside_interval")]),
    "sums": ({"n": 27}, [categories(("PR", 9), ("SD", 10), ("PD", 8))], [(OK, "categories_sum")]),
    "one too few": ({"n": 48}, [categories(("a", 27), ("b", 20), kind="subtypes")], [(C, "categories_do_not_sum")]),
    "a list that is not complete": ({"n": 48}, [categories(("a", 27), complete=False)], []),
    "one change": (
        {"n": 32},
        [categories(("PR", 11), ("SD", 16), ("PD", 6)), rate(percent="34.4%"), rate("dcr", "DCR", percent="84.4%")],
        [
            (C, "categories_do_not_sum"), (R, "one_change_fits"),
            *POSSIBLE, (OK, "rate_fits_categories"), *POSSIBLE, (OK, "rate_fits_categories"),
        ],
    ),
    "two changes would do": (  # SD 3 or PD 2
        {"n": 12}, [categories(("PR", 6), ("SD", 4), ("PD", 3)), rate(percent="50%")],
        [(C, "categories_do_not_sum"), *POSSIBLE, (OK, "rate_fits_categories")],
    ),
    "the total would do": (  # 5 of 20 is 25%; neither 5 nor 4 of 19 is
        {"n": 19}, [categories(("PR", 5), ("SD", 15)), rate(percent="25%")],
        [(C, "categories_do_not_sum"), (R, "one_change_fits"), (C, "percent_impossible")],
    ),
    "rate and categories": (
        {"n": 8}, [categories(("PR", 2), ("SD", 3), complete=False), rate("dcr", "DCR", k=6)],
        [(OK, "percent_not_printed"), (C, "rate_contradicts_categories")],
    ),
    "arms": ({"n": 233, "groups": arms(158, 75)}, [], [(OK, "arms_sum")]),
    "arms that do not sum": ({"n": 230, "groups": arms(158, 75)}, [], [(C, "arms_do_not_sum")]),
    "as planned": ({}, [enrolled(48, 48)], [(OK, "enrolled_as_planned")]),
    "one more": ({}, [enrolled(49, 48)], [(D, "enrolled_differs_from_planned")]),
    "nothing planned": ({}, [enrolled(49)], []),
    "single arm": ({"randomized": False}, [origin("from Randomisation to death")], [(C, "randomization_in_single_arm")]),
    "randomized": ({"randomized": True}, [origin("from randomization to death")], []),
    "who knows": ({}, [origin("from randomization to death")], []),
    "first dose": ({"randomized": False}, [origin("from first dose in this non-randomized trial")], []),
    "Kaplan-Meier": ({"n": 13}, [rate_at(percent="63%")], [(R, "kaplan_meier_estimate")]),
    "a fraction": ({"n": 13}, [rate_at(percent="77%")], [(R, "rate_is_a_fraction")]),
    "a fraction with counts": ({"n": 48}, [rate_at(percent="72.9", k=35)], [*FIT, (R, "rate_is_a_fraction")]),
    "wrong counts": ({"n": 48}, [rate_at(percent="72.9", k=34)], [(C, "percent_contradicts_count")]),
    "any percentage": ({"n": 166}, [rate_at(percent="68%")], [(OK, "rate_may_be_a_fraction")]),
    "SPSS": ({}, [median()], [(R, "interval_symmetric")]),
    "as far as rounding lets see": ({}, [median(value="5.1", interval="1.3-8.8")], [(R, "interval_symmetric")]),
    "a coarse median in the very middle": ({}, [median(value="7.6", interval="3.31-11.89")], [(R, "interval_symmetric")]),
    "too coarse to tell": ({}, [median(value="7", interval="5.3-8.1")], []),
    "not symmetric": ({}, [median(value="6.27", interval="4.30-8.40")], [(OK, "interval_asymmetric")]),
    "open": ({}, [median(value="27.40", interval="16.43-NE")], []),
    "not reached": ({}, [median(value="NR", interval="14.4-NE")], []),
    "the odd one": (
        {}, [median(value="5.8", interval="4.8-6.8"), median("o", "16.2", "7.8-25.6")],
        [(R, "interval_symmetric"), (R, "interval_asymmetric_among_symmetric")],
    ),
    "another style": (
        {"nct_id": "NCT02449343"}, [median()], [(R, "interval_style_differs"), (R, "interval_symmetric")],
    ),
    "the same style": ({"nct_id": "NCT02449343"}, [median(value="6")], [(OK, "interval_asymmetric")]),
    "mixed styles": (
        {"nct_id": "NCT02449343"}, [median(), median("o", "7.0")],
        [(R, "interval_symmetric"), (R, "interval_asymmetric_among_symmetric")],
    ),
    "median outside": ({}, [median(value="13.0")], [(C, "estimate_outside_interval")]),
    "median reversed": ({}, [median(interval="12.5-5.7")], [(C, "interval_reversed")]),
    "quartiles": ({}, [median(spread="quartiles")], [(R, "spread_is_no_interval")]),
    "reduction": ({}, [ratio(".33", risk_reduction="67%")], [(OK, "risk_reduction_fits")]),
    "another reduction": (
        {}, [ratio(".449", risk_reduction="67%")],
        [(C, "risk_reduction_contradicts"), (R, "risk_reduction_found_elsewhere")],
    ),
    "log-symmetric": ({}, [ratio(".47", interval=".22-1.00")], [(OK, "ratio_interval_fits")]),
    "not log-symmetric": ({}, [ratio(".47", interval=".22-2.00")], [(R, "ratio_interval_asymmetric")]),
    "ratio outside": ({}, [ratio(".20", interval=".22-1.00")], [(C, "estimate_outside_interval")]),
    "Fisher": ({}, [p_value("0.0145", 16, 158, 1, 75)], [(R, "p_value_reproduced")]),
    "below": ({}, [p_value("<.05", 16, 158, 1, 75)], [(R, "p_value_reproduced")]),
    "no test": ({}, [p_value("0.2", 16, 158, 1, 75)], [(D, "p_value_not_reproduced")]),
    "nobody in an arm": ({}, [p_value("0.2", 0, 0, 1, 75)], []),
    "p of too many": ({}, [p_value("0.2", 76, 75, 1, 75)], [(C, "count_exceeds_total")]),
}  # fmt: skip


def audited(results: dict[str, Any], claims: list[Claim]) -> Audited:
    """The findings of a document, beside one other publication."""
    document = PublishedResults.parse({**results, "claims": claims})
    other = PublishedResults.parse(ELSEWHERE)
    return audit_all([("this", document, None), ("other", other, None)])[0]


@pytest.mark.parametrize("case", CASES)
def test_findings(case: str) -> None:
    results, claims, expected = CASES[case]
    found = audited(results, claims).findings
    assert [(f.severity, f.code) for f in found] == expected


def test_the_registry_is_compared() -> None:
    """Planned 48 and enrolled 49; overall survival from a randomization that never was."""
    document = PublishedResults.parse({"n": 49, "claims": [enrolled(49)]})
    found = audit("alter-s006", document, trial=SINGLE_ARM).findings
    assert [(f.code, f.pointer) for f in found] == [
        ("enrolled_differs_from_planned", "/claims/0"),
        ("randomization_in_registry", "/trial/endpoints/1"),
    ]
    assert found[0].parameters == {"planned": 48, "enrolled": 49, "source": "NCT00000001"}


def test_a_randomized_trial_may_count_from_randomization() -> None:
    facts = TrialFacts("NCT00000001", None, "RANDOMIZED", SINGLE_ARM.endpoints)
    assert audit("x", PublishedResults(), trial=facts).findings == ()


def test_an_own_wording_is_said_once() -> None:
    document = PublishedResults.parse(
        {"randomized": False, "claims": [origin("from randomization")]}
    )
    found = audit("x", document, trial=SINGLE_ARM).findings
    assert [f.code for f in found] == ["randomization_in_single_arm"]


def test_hints_are_never_of_the_publication_itself() -> None:
    claims = [rate(k=16, n=158, percent="10.13"), rate("b", n=154, percent="10.13")]
    found = audit_all([("this", PublishedResults.parse({"claims": claims}), None)])[0]
    assert [f.code for f in found.findings] == ["percent_fits_count", "percent_impossible"]


@pytest.mark.parametrize(
    ("text", "value", "decimals"),
    [("34.4%", Fraction(344, 10), 1), (".449", Fraction(449, 1000), 3), ("< 0.001", Fraction(1, 1000), 3),
     ("100", Fraction(100), 0), ("27.40", Fraction(274, 10), 2)],
)  # fmt: skip
def test_figures_keep_their_decimals(text: str, value: Fraction, decimals: int) -> None:
    assert Figure.of(text) == Figure(value, decimals)


@pytest.mark.parametrize(
    ("interval", "lower", "upper"),
    [("7-30", "7", "30"), ("(18.6-53.2)", "18.6", "53.2"), ("18.6–53.2%", "18.6", "53.2"),
     ("4.30 to 8.40", "4.30", "8.40"), ("14.4-NE", "14.4", None), (".270, .744", ".270", ".744")],
)  # fmt: skip
def test_limits(interval: str, lower: str, upper: str | None) -> None:
    assert limits(interval) == (Figure.of(lower), Figure.of(upper) if upper else None)


def by_decimal(k: int, n: int, decimals: int) -> set[Decimal]:
    """What k of n prints as, by decimal division: with ties up, and with ties down."""
    with localcontext(prec=60):
        share, unit = Decimal(100 * k) / Decimal(n), Decimal(1).scaleb(-decimals)
        return {share.quantize(unit, rounding) for rounding in (ROUND_HALF_UP, ROUND_HALF_DOWN)}


@given(n=st.integers(1, 400), percent=st.integers(0, 10_000), decimals=st.integers(0, 2))
def test_counts_are_all_that_print_alike(n: int, percent: int, decimals: int) -> None:
    printed = Decimal(percent).scaleb(-2).quantize(Decimal(1).scaleb(-decimals))
    expected = [k for k in range(n + 1) if printed in by_decimal(k, n, decimals)]
    assert list(counts(Figure.of(str(printed)), n)) == expected


@given(k=st.integers(0, 400), n=st.integers(1, 400), decimals=st.integers(0, 3))
def test_rounding_for_display(k: int, n: int, decimals: int) -> None:
    with localcontext(prec=60):
        unit = Decimal(1).scaleb(-decimals)
        expected = (Decimal(100 * k) / n).quantize(unit, ROUND_HALF_UP)
    assert rounded(Fraction(100 * k, n), decimals) == str(expected)


HUGE = "9" * 400
SPOILED: dict[str, tuple[Claim, tuple[str | int, ...]]] = {
    "NaN": (rate(percent="NaN"), ("claims", 0, "percent")),
    "infinity": (rate(percent="inf"), ("claims", 0, "percent")),
    "an exponent": (rate(percent="1e3"), ("claims", 0, "percent")),
    "a huge percentage": (rate(percent=HUGE), ("claims", 0, "percent")),
    "a sign": (rate(percent="-1"), ("claims", 0, "percent")),
    "other digits": (rate(percent="٣"), ("claims", 0, "percent")),
    "a line after it": (rate(percent="16%\n"), ("claims", 0, "percent")),
    "a number": (rate(percent=16), ("claims", 0, "percent")),
    "a huge count": (rate(k=10**400), ("claims", 0, "k")),
    "too many patients": (rate(n=1_000_001), ("claims", 0, "n")),
    "fewer than none": (rate(n=-1), ("claims", 0, "n")),
    "half a patient": (rate(k=1.5), ("claims", 0, "k")),
    "a truth value": (rate(k=True), ("claims", 0, "k")),
    "an open rate": (rate(interval="7-NE"), ("claims", 0, "interval")),
    "one limit": (rate(interval="7"), ("claims", 0, "interval")),
    "a measure of its own": (rate(measure="CRR"), ("claims", 0, "measure")),
    "no type": ({"id": "a", "label": "x"}, ("claims", 0)),
    "an unknown type": (rate() | {"type": "mean"}, ("claims", 0)),
    "an unknown key": (rate(estimate="16"), ("claims", 0, "estimate")),
    "no label": (rate() | {"label": ""}, ("claims", 0, "label")),
    "an id with spaces": (rate("a b"), ("claims", 0, "id")),
    "a p value above one": (p_value("2.5", 1, 2, 1, 2), ("claims", 0, "value")),
    "no categories": (categories(), ("claims", 0, "items")),
    "a category's name": (categories(("", 1)), ("claims", 0, "items", 0, "name")),
    "reconciled without a reason": (
        rate(reconciled={"value": "5"}), ("claims", 0, "reconciled", "reason"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILED)
def test_what_is_no_claim_is_refused_at_its_place(case: str) -> None:
    claim, where = SPOILED[case]
    with pytest.raises(ValidationError) as refused:
        PublishedResults.parse({"claims": [claim]})
    assert [place(error["loc"]) for error in refused.value.errors()] == [where]


@pytest.mark.parametrize(
    ("document", "ends"),
    [
        ({"claims": [rate(), rate()]}, [(("claims", 1, "id"), LooseEnd.TWICE)]),
        ({"groups": arms(1, 1)}, [(("groups", 1, "name"), LooseEnd.TWICE)]),
        ({"claims": [rate(group="x")]}, [(("claims", 0, "group"), LooseEnd.UNKNOWN_GROUP)]),
        ({"claims": [ratio(".5", reference="x")]}, [(("claims", 0, "reference"), LooseEnd.UNKNOWN_GROUP)]),
    ],
)  # fmt: skip
def test_loose_ends(document: dict[str, Any], ends: list[Any]) -> None:
    with pytest.raises(LooseEnds) as refused:
        PublishedResults.parse(document)
    assert refused.value.ends == ends


@pytest.mark.parametrize("number", [MAX_CLAIMS + 1, 10_000])
def test_too_many_claims_are_refused(number: int) -> None:
    with pytest.raises(ValidationError):
        PublishedResults.parse({"claims": [rate(f"c{i}") for i in range(number)]})


EXTREME = {
    "rates of a million": [rate(f"c{i}", n=10**6, percent="13%", interval="7-18") for i in range(MAX_CLAIMS)],
    "fifty counts each": [rate(f"c{i}", n=4850 + i, percent="50%", interval="49-51") for i in range(MAX_CLAIMS)],
    "p values": [p_value("0.5", 2500, 5000, 2500 + i, 5000) | {"id": f"c{i}"} for i in range(MAX_CLAIMS)],
    "medians": [median(f"c{i}") for i in range(MAX_CLAIMS)],
    "lists and rates": [
        *(categories(("PR", 9), ("SD", 9), *((str(j), 1) for j in range(48))) | {"id": f"c{i}"}
          for i in range(MAX_CLAIMS // 2)),
        *(rate(f"r{i}", n=60, percent="50%", interval="1-2") for i in range(MAX_CLAIMS // 2)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", EXTREME)
def test_the_largest_documents_are_audited(case: str) -> None:
    claims = EXTREME[case]
    found = audited({"n": 60}, claims)
    assert {finding.claim for finding in found.findings} == {claim["id"] for claim in claims}


numbers = st.sampled_from(
    ["0", "0.0", ".5", "1", "13", "50", "99.99", "100", "100.5", "999999.999999"]
)
sizes = st.sampled_from([None, 0, 1, 2, 49, 166, 10**6])
spans = st.tuples(numbers, numbers).map("-".join) | st.none()


@given(
    n=sizes, k=sizes, own=sizes, percent=numbers, interval=spans, measure=st.sampled_from(["ORR", "DCR", "OS"]),
    level=st.integers(50, 99), p=st.sampled_from(["<.001", "0.5", "1.0", ".000000001"]),
)  # fmt: skip
def test_nothing_that_parses_breaks_the_audit(
    n: int | None, k: int | None, own: int | None, percent: str, interval: str | None,
    measure: str, level: int, p: str,
) -> None:  # fmt: skip
    claims = [
        rate(measure=measure, k=k, n=own, percent=percent, interval=interval, level=level),
        rate_at(k=k, n=own, percent=percent, interval=interval),
        median(value=percent) | {"interval": interval},
        ratio(percent, interval=interval, risk_reduction=percent),
        categories(("PR", k or 0), ("SD", own or 0), ("PD", 1)),
        p_value(p, k or 0, own or 0, own or 0, k or 0),
    ]
    found = audited({"n": n}, claims).findings
    assert {finding.claim for finding in found} <= {claim["id"] for claim in claims}
