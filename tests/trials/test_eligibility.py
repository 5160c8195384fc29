"""Rules: what they refuse, three-valued logic, windows on the day, and what a reason says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from trials import eligibility
from trials import eligibility_wording as wording
from trials.eligibility import Judgment, Result, Rule, judge, parse
from trials.screening_items import ITEMS, Item, Kind
from trials.screening_values import Value, read

ON = date(2026, 11, 20)
MET, NOT_MET, UNKNOWN = Result.MET, Result.NOT_MET, Result.UNKNOWN
Document = dict[str, Any]


def number(item: str, comparison: str, value: Any, **rest: Any) -> Document:
    return {"type": "number", "item": item, "comparison": comparison, "value": value, **rest}


def yes(item: str, answer: bool = True) -> Document:
    return {"type": "yes_no", "item": item, "answer": answer}


def window(comparison: str, n: int, unit: str, **rest: Any) -> Document:
    row = {"type": "window", "item": "radiotherapy_on", "comparison": comparison}
    return {**row, "n": n, "unit": unit, **rest}


def choice(item: str, *one_of: str, **rest: Any) -> Document:
    return {"type": "choice", "item": item, **({"one_of": [*one_of]} if one_of else {}), **rest}


def every(*rules: Document) -> Document:
    return {"type": "all", "rules": [*rules]}


def some(*rules: Document) -> Document:
    return {"type": "any", "rules": [*rules]}


def no(rule: Document) -> Document:
    return {"type": "not", "rule": rule}


def when(condition: Document, then: Document, otherwise: Document) -> Document:
    return {"type": "when", "condition": condition, "then": then, "otherwise": otherwise}


def judged(rule: Document, values: Document, *, exclusion: bool = False) -> Judgment:
    return judge(parse(rule), read(values), screened_on=ON, exclusion=exclusion)


PLATELETS = number("platelets", "at_least", 80, unit="10^9/L")
CREATININE = number("creatinine", "at_most", 1.5, times="uln")
CLEARANCE = number("creatinine_clearance", "at_least", 60, unit="mL/min")
LIVER = yes("liver_metastases")
ATTEST = {"type": "attestation", "code": "consent", "statement": "Consent is signed."}
HISTOLOGY = choice("histology", "LMS", "liposarcoma", none_of=["GIST", "undifferentiated sarcoma"])


def uln(amount: float, limit: float | None = 100, **rest: Any) -> Document:
    entry = {"value": amount, "unit": "umol/L"} | ({"uln": limit} if limit else {})
    return {"creatinine": entry | rest}


def said(item: str, answer: Any, unit: str | None = None) -> Document:
    return {item: {"value": answer} | ({"unit": unit} if unit else {})}


# rule, answers, result, the reasons in words
JUDGED: list[tuple[Document, Document, Result, list[str]]] = [
    (PLATELETS, said("platelets", 72, "10^9/L"), NOT_MET, ["platelets 72 < 80 × 10⁹/L"]),
    (PLATELETS, said("platelets", 80, "10^9/L"), MET, ["platelets 80 ≥ 80 × 10⁹/L"]),
    (
        PLATELETS,
        said("platelets", 79999, "/uL"),
        NOT_MET,
        ["platelets 79999/µL (79.999 × 10⁹/L) < 80 × 10⁹/L"],
    ),
    (PLATELETS, {}, UNKNOWN, ["platelets not entered"]),
    (PLATELETS, said("platelets", None), UNKNOWN, ["platelets not entered"]),
    (  # 2000 copies/mL are 400 IU/mL
        number("hbv_dna", "below", 500, unit="IU/mL"),
        said("hbv_dna", 2000, "copies/mL"),
        MET,
        ["HBV DNA 2000 copies/mL (400 IU/mL) < 500 IU/mL"],
    ),
    (  # shown apart from the limit, however near it is
        number("creatinine", "at_most", 100, unit="umol/L"),
        said("creatinine", 1.131222, "mg/dL"),
        NOT_MET,
        ["creatinine 1.131222 mg/dL (100.00002 µmol/L) > 100 µmol/L"],
    ),
    (number("ecog", "at_most", 2), said("ecog", 3), NOT_MET, ["ECOG performance status 3 > 2"]),
    (number("age", "at_least", 18), said("age", 18), MET, ["age 18 ≥ 18 years"]),
    (CREATININE, uln(150), MET, ["creatinine 150 µmol/L (1.5 × ULN 100 µmol/L) ≤ 1.5 × ULN"]),
    (
        CREATININE,
        uln(150.1),
        NOT_MET,
        ["creatinine 150.1 µmol/L (1.501 × ULN 100 µmol/L) > 1.5 × ULN"],
    ),
    (  # 1.5 x 1 mg/dL is 132.6 umol/L
        CREATININE,
        uln(132.6, 1, limit_unit="mg/dL"),
        MET,
        ["creatinine 132.6 µmol/L (1.5 × ULN 1 mg/dL) ≤ 1.5 × ULN"],
    ),
    (CREATININE, uln(132.7, 1, limit_unit="mg/dL"), NOT_MET, []),
    (CREATININE, uln(90, None), UNKNOWN, ["creatinine: upper limit of normal not entered"]),
    (CREATININE, {"creatinine": {"value": None, "uln": 100}}, UNKNOWN, ["creatinine not entered"]),
    (
        number("lvef", "at_least", 1, times="lln"),
        {"lvef": {"value": 50, "lln": 50}},
        MET,
        ["left ventricular ejection fraction 50 % (1 × LLN 50 %) ≥ 1 × LLN"],
    ),
    (some(CREATININE, CLEARANCE), uln(150), MET, []),
    (some(CREATININE, CLEARANCE), said("creatinine_clearance", 1, "mL/s"), MET, []),
    (some(CREATININE, CLEARANCE), uln(151), UNKNOWN, ["creatinine clearance not entered"]),
    (LIVER, said("liver_metastases", True), MET, ["liver metastases: yes"]),
    (LIVER, said("liver_metastases", False), NOT_MET, ["liver metastases: no"]),
    (yes("liver_metastases", False), said("liver_metastases", False), MET, []),
    (no(LIVER), said("liver_metastases", False), MET, ["liver metastases: no"]),
    (choice("sex", "male"), said("sex", "female"), NOT_MET, ["sex: female"]),
    (choice("sex", none_of=["male"]), said("sex", "female"), MET, ["sex: female"]),
    (choice("sex", "male"), {}, UNKNOWN, ["sex not entered"]),
    (HISTOLOGY, said("histology", "平滑肌肉瘤"), MET, ["histology: leiomyosarcoma"]),
    (HISTOLOGY, said("histology", "Myxoid liposarcoma"), MET, []),
    (HISTOLOGY, said("histology", "UPS"), NOT_MET, ["histology: UPS"]),
    (
        HISTOLOGY,
        said("histology", "fibrosarcoma"),
        UNKNOWN,
        ["histology: fibrosarcoma is not among those that the criterion names"],
    ),
    (
        HISTOLOGY,
        said("histology", "sarkoma"),
        UNKNOWN,
        ["histology: “sarkoma” is not a known name"],
    ),
    (choice("histology", "DDLPS"), said("histology", "liposarcoma"), NOT_MET, []),
    (choice("histology", "DDLPS"), said("histology", "sarkoma"), UNKNOWN, []),
    (choice("histology", none_of=["GIST"]), said("histology", "LMS"), MET, []),
    (choice("histology", none_of=["GIST"]), said("histology", "sarkoma"), UNKNOWN, []),
    (choice("histology", "chordoma"), said("histology", "Chordoma"), MET, []),
    (
        HISTOLOGY | {"otherwise": ATTEST},
        said("histology", "sarkoma"),
        UNKNOWN,
        ["not attested: Consent is signed."],
    ),
    (
        HISTOLOGY | {"otherwise": ATTEST},
        said("histology", "sarkoma") | said("attest:consent", True),
        MET,
        [],
    ),
    (
        HISTOLOGY | {"otherwise": ATTEST},
        said("histology", "GIST") | said("attest:consent", True),
        NOT_MET,
        [],
    ),
    (ATTEST, said("attest:consent", True), MET, ["Consent is signed.: yes"]),
    (ATTEST, said("attest:consent", False), NOT_MET, ["Consent is signed.: no"]),
    (ATTEST, {}, UNKNOWN, ["not attested: Consent is signed."]),
    (every(LIVER, PLATELETS), said("liver_metastases", False), NOT_MET, ["liver metastases: no"]),
    (every(LIVER, PLATELETS), said("liver_metastases", True), UNKNOWN, ["platelets not entered"]),
    (when(LIVER, PLATELETS, ATTEST), {}, UNKNOWN, ["liver metastases not entered"]),
    (when(LIVER, PLATELETS, PLATELETS), said("platelets", 90, "10^9/L"), MET, []),
]


@pytest.mark.parametrize(("rule", "answers", "result", "reasons"), JUDGED)
def test_judgments(rule: Document, answers: Document, result: Result, reasons: list[str]) -> None:
    judgment = judged(rule, answers)
    worded = [wording.reason(reason) for reason in judgment.reasons]
    assert judgment.result == result
    assert worded == (reasons or worded)
    assert worded
    json.dumps([reason.as_document() for reason in judgment.reasons])


@pytest.mark.parametrize(("rule", "answers", "result", "reasons"), JUDGED)
def test_an_exclusion_is_the_opposite_with_the_same_reasons(
    rule: Document, answers: Document, result: Result, reasons: list[str]
) -> None:
    judgment = judged(rule, answers, exclusion=True)
    assert judgment.result == {MET: NOT_MET, NOT_MET: MET, UNKNOWN: UNKNOWN}[result]
    assert judgment.reasons == judged(rule, answers).reasons


# comparison, n, unit, the date, result, reason; counted by hand back from 2026-11-20
WINDOWS: list[tuple[str, int, str, str, Result, str]] = [
    ("within", 28, "days", "2026-10-23", MET, "exactly 28 days before screening"),
    ("within", 28, "days", "2026-10-22", NOT_MET, "more than 28 days before screening"),
    ("within", 4, "weeks", "2026-10-23", MET, "exactly 4 weeks before screening"),
    ("within", 4, "weeks", "2026-11-20", MET, "within 4 weeks before screening"),
    ("within", 6, "months", "2026-05-20", MET, "exactly 6 months before screening"),
    ("within", 6, "months", "2026-05-19", NOT_MET, "more than 6 months before screening"),
    ("within", 5, "years", "2021-11-20", MET, "exactly 5 years before screening"),
    ("within", 5, "years", "2021-11-19", NOT_MET, "more than 5 years before screening"),
    ("at_least", 4, "weeks", "2026-10-23", MET, "exactly 4 weeks before screening"),
    ("at_least", 4, "weeks", "2026-10-24", NOT_MET, "within 4 weeks before screening"),
    ("at_least", 1, "weeks", "2026-01-01", MET, "more than 1 week before screening"),
    ("within", 4, "weeks", "2026-11-21", UNKNOWN, "is after the day of screening"),
    ("at_least", 4, "weeks", "2026-11-21", UNKNOWN, "is after the day of screening"),
    ("within", 4, "weeks", "never", NOT_MET, "never"),
    ("at_least", 4, "weeks", "never", NOT_MET, "never"),
]


@pytest.mark.parametrize(("comparison", "n", "unit", "answer", "result", "reason"), WINDOWS)
def test_windows_on_the_day(
    comparison: str, n: int, unit: str, answer: str, result: Result, reason: str
) -> None:
    judgment = judged(window(comparison, n, unit), said("radiotherapy_on", answer))
    assert judgment.result == result
    assert wording.reason(judgment.reasons[0]).endswith(reason)


def test_never_may_be_enough() -> None:
    rule = window("at_least", 4, "weeks", never=True)
    assert judged(rule, said("radiotherapy_on", "never")).result == MET
    assert judged(rule, {}).result == UNKNOWN


BEFORE = [
    (date(2026, 3, 31), 1, "months", date(2026, 2, 28)),
    (date(2024, 3, 31), 1, "months", date(2024, 2, 29)),
    (date(2024, 2, 29), 1, "years", date(2023, 2, 28)),
    (date(2026, 1, 15), 13, "months", date(2024, 12, 15)),
    (date(2026, 11, 20), 4, "weeks", date(2026, 10, 23)),
    (date(900, 1, 1), 1000, "years", date.min),
]


@pytest.mark.parametrize(("day", "n", "unit", "expected"), BEFORE)
def test_months_and_years_are_of_the_calendar(
    day: date, n: int, unit: eligibility.Span, expected: date
) -> None:
    assert eligibility.before(day, n, unit) == expected


DEEP = every(every(every(every(every(every(every(LIVER)))))))
REFUSED: list[tuple[Any, tuple[int | str, ...], str]] = [
    (None, (), "A rule: a JSON object that names its type, one of: number,"),
    ([], (), "A rule: a JSON object"),
    ({}, (), "A rule names its type, one of: number, choice,"),
    ({"type": "if"}, (), "The type is one of: number, choice,"),
    ({**LIVER, "items": 1}, ("items",), "Unknown key. Accepted: type, item, answer."),
    ({"type": "yes_no", "item": "liver_metastases"}, ("answer",), "This is required."),
    (yes("liver_metastases", "no"), ("answer",), "true or false."),  # type: ignore[arg-type]
    (yes("platelets"), ("item",), "One of the items: measurable_disease,"),
    (number("sex", "at_least", 1), ("item",), "One of the items: age,"),
    (number("platelets", "over", 80, unit="/uL"), ("comparison",), "One of: at_least,"),
    (number("platelets", "above", "80", unit="/uL"), ("value",), "A number, such as 1.5."),
    (number("platelets", "above", True, unit="/uL"), ("value",), "A number, such as 1.5."),
    (number("platelets", "above", 1e300, unit="/uL"), ("value",), "A number between"),
    (number("platelets", "above", float("nan"), unit="/uL"), ("value",), "A number"),
    (number("platelets", "above", 80), ("unit",), "One of the units: 10^9/L, 10^3/uL, /uL."),
    (number("platelets", "above", 80, unit="g/L"), ("unit",), "One of the units: 10^9/L"),
    (number("platelets", "above", 80000, unit="10^9/L"), ("unit",), "A limit from 0 to 5000"),
    (number("alt", "above", 3, times="uln", unit="U/L"), ("unit",), "A multiple of a limit has no"),
    (number("alt", "above", 0, times="uln"), ("times",), "A multiple of a limit is above zero."),
    (number("age", "above", 3, times="uln"), ("times",), "This item has no limits of normal."),
    (choice("sex"), (), "At least one term in one_of or none_of."),
    (choice("sex", "unknown"), ("one_of",), "Of these: female, male."),
    (choice("histology", "GIST", none_of=["gist"]), (), "A term is in one_of or in none_of"),
    (choice("histology", ""), ("one_of", 0), "At least 1 character."),
    (window("within", -1, "days"), ("n",), "0 or more."),
    (window("within", 4, "fortnights"), ("unit",), "One of: days,"),
    ({"type": "attestation", "code": "Consent!"}, ("code",), "At most 60 of: a-z, 0-9, - and _;"),
    (every(LIVER, yes("x")), ("rules", 1, "item"), "One of the items: "),
    (no(no(yes("x"))), ("rule", "rule", "item"), "One of the items: "),
    (when(LIVER, LIVER, yes("x")), ("otherwise", "item"), "One of the items: "),
    (
        HISTOLOGY | {"otherwise": {}},
        ("otherwise",),
        "A rule names its type, one of: number, choice,",
    ),
    (every(DEEP), (), "At most 100 rules, 8 deep."),
    (every(*[every(*[LIVER] * 30)] * 4), (), "At most 100 rules, 8 deep."),
    ({"type": "all", "rules": [[[[[LIVER]]]]] * 101}, (), "At most 100 rules, 8 deep."),
]


@pytest.mark.parametrize(("document", "place", "message"), REFUSED)
def test_refused_rules_say_where_and_what(
    document: Any, place: tuple[int | str, ...], message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        parse(document)
    errors = refused.value.errors()
    found = [(eligibility.place(e["loc"], document), wording.rule_error(e)) for e in errors]
    assert [text for at, text in found if at == place and text.startswith(message)], found


def test_a_rule_of_any_depth_is_refused_without_recursion() -> None:
    rule = LIVER
    for _ in range(100_000):
        rule = no(rule)
    with pytest.raises(ValidationError):
        parse(rule)


def test_what_a_rule_asks_for() -> None:
    rule = parse(
        when(LIVER, some(CREATININE, CLEARANCE), HISTOLOGY | {"otherwise": every(ATTEST, LIVER)})
    )
    asked = ["liver_metastases", "creatinine", "creatinine_clearance", "histology"]
    assert eligibility.items(rule) == (*asked, "attest:consent")
    assert eligibility.limits(rule) == {"creatinine": {"uln"}}
    assert eligibility.statements(rule) == {"attest:consent": "Consent is signed."}


def test_a_criterion_without_a_rule_is_attested_as_a_whole() -> None:
    rule = eligibility.rule_of(None, code="criterion-7")
    assert eligibility.items(rule) == ("attest:criterion-7",)
    assert judge(rule, read(said("attest:criterion-7", True)), screened_on=ON).result == MET
    assert wording.words(rule) == "a person attests this text"
    assert eligibility.rule_of(LIVER, code="criterion-7") == parse(LIVER)


def test_an_answer_of_another_kind_is_impossible() -> None:
    for rule, answer in [
        (PLATELETS, Value(True)),
        (PLATELETS, Value(Decimal(80), "g/L")),
        (LIVER, Value("yes")),
        (window("within", 1, "days"), Value(Decimal(1))),
    ]:
        with pytest.raises(ValueError, match=str(rule["item"])):
            judge(parse(rule), {rule["item"]: answer}, screened_on=ON)


WORDS = [
    (PLATELETS, "platelets ≥ 80 × 10⁹/L"),
    (
        some(CREATININE, CLEARANCE),
        "creatinine ≤ 1.5 × ULN or creatinine clearance ≥ 60 mL/min",
    ),
    (
        every(number("age", "at_least", 18, unit="years"), number("age", "at_most", 70)),
        "age ≥ 18 years and age ≤ 70 years",
    ),
    (
        when(LIVER, number("alt", "at_most", 5, times="uln"), every(PLATELETS, LIVER)),
        (
            "if liver metastases: yes: ALT ≤ 5 × ULN;"
            " otherwise: (platelets ≥ 80 × 10⁹/L and liver metastases: yes)"
        ),
    ),
    (choice("sex", "female", "male"), "sex: female or male"),
    (
        HISTOLOGY | {"otherwise": ATTEST},
        (
            "histology: LMS or liposarcoma; none of GIST, undifferentiated sarcoma;"
            " any other: a person attests: “Consent is signed.”"
        ),
    ),
    (no(LIVER), "not (liver metastases: yes)"),
    (window("within", 1, "weeks"), "last radiotherapy within 1 week before screening"),
    (
        window("at_least", 2, "months", never=True),
        "last radiotherapy at least 2 months before screening, or never",
    ),
]


@pytest.mark.parametrize(("rule", "words"), WORDS)
def test_rules_in_words(rule: Document, words: str) -> None:
    assert wording.words(parse(rule)) == words


def test_the_summary_of_a_screening() -> None:
    met, failed = (
        judged(LIVER, said("liver_metastases", True)),
        judged(PLATELETS, said("platelets", 72, "10^9/L")),
    )
    line = "17 of 18 met; 1 not met: platelets 72 < 80 × 10⁹/L"
    assert wording.summary([met] * 17 + [failed]) == line
    assert wording.summary([met, failed, judged(LIVER, {})]).endswith("; 1 unknown")
    assert wording.summary([met]) == "1 of 1 met"


# ---- laws ----

ATOMS = ["liver_metastases", "brain_metastases", "measurable_disease"]
RULES = st.recursive(
    st.builds(yes, st.sampled_from(ATOMS), st.booleans()),
    lambda inner: (
        st.builds(every, inner, inner)
        | st.builds(some, inner, inner)
        | st.builds(no, inner)
        | st.builds(when, inner, inner, inner)
    ),
    max_leaves=6,
).filter(lambda rule: len(json.dumps(rule)) < 1500)
ANSWERS = st.dictionaries(st.sampled_from(ATOMS), st.booleans().map(Value))


def result(rule: Document, answers: Mapping[str, Value]) -> Result:
    try:
        known = parse(rule)
    except ValidationError:
        assume(False)
    return judge(known, answers, screened_on=ON).result


@given(RULES, RULES, ANSWERS)
def test_kleene_laws(a: Document, b: Document, answers: Mapping[str, Value]) -> None:
    def same(one: Document, other: Document) -> bool:
        return result(one, answers) == result(other, answers)

    assert same(no(no(a)), a)
    assert same(every(a, b), every(b, a))
    assert same(some(a, b), some(b, a))
    assert same(no(every(a, b)), some(no(a), no(b)))
    assert same(no(some(a, b)), every(no(a), no(b)))
    assert same(every(a, a), a)
    assert same(every(a, some(a, b)), a)
    assert same(when(a, b, b), b)
    assert same(when(no(a), a, b), when(a, b, a))


@given(RULES, ANSWERS, st.tuples(*[st.booleans()] * len(ATOMS)))
def test_what_is_decided_stays_so_whatever_is_filled_in(
    rule: Document, answers: Mapping[str, Value], rest: tuple[bool, ...]
) -> None:
    known = result(rule, answers)
    filled = dict(zip(ATOMS, map(Value, rest), strict=True)) | dict(answers)
    assert known in (UNKNOWN, result(rule, filled))


@given(RULES)
def test_of_a_person_without_answers_nothing_is_met(rule: Document) -> None:
    assert result(rule, {}) == UNKNOWN


NUMBERS = [asked for asked in ITEMS.values() if asked.kind == Kind.NUMBER and len(asked.units) > 1]
DECIMALS = st.decimals("0.001", 500, places=3)


def converted(amount: Decimal, asked: Item, unit: str, other: str) -> Decimal:
    """The amount in another unit, where that is a finite decimal."""
    exact = Fraction(amount) * asked.units[unit] / asked.units[other]
    decimal = Decimal(exact.numerator) / Decimal(exact.denominator)
    assume(Fraction(decimal) == exact)
    return decimal


@given(st.data(), st.sampled_from(NUMBERS), DECIMALS, DECIMALS)
def test_the_unit_of_a_limit_does_not_matter(
    data: st.DataObject, asked: Item, amount: Decimal, limit: Decimal
) -> None:
    unit, other = (data.draw(st.sampled_from([*asked.units])) for _ in range(2))
    answers = {asked.code: Value(amount, asked.unit)}
    results = {
        result(number(asked.code, "at_least", float(value), unit=of), answers)
        for value, of in ((limit, unit), (converted(limit, asked, unit, other), other))
    }
    assert len(results) == 1


@given(st.data(), st.sampled_from(NUMBERS), DECIMALS, DECIMALS)
def test_the_unit_entered_does_not_matter(
    data: st.DataObject, asked: Item, amount: Decimal, uln: Decimal
) -> None:
    assume("uln" in asked.limits)
    unit, other = (data.draw(st.sampled_from([*asked.units])) for _ in range(2))
    there, limit = (converted(known, asked, unit, other) for known in (amount, uln))
    rule = number(asked.code, "at_most", 1.5, times="uln")
    entered = (
        Value(amount, unit, uln),
        Value(there, other, limit),
        Value(amount, unit, limit, limit_unit=other),
    )
    results = {result(rule, {asked.code: value}) for value in entered}
    assert results == {MET if amount <= uln * Decimal("1.5") else NOT_MET}


@given(st.integers(0, 400), st.integers(0, 60), st.sampled_from(["days", "weeks", "months"]))
def test_windows_split_time_at_one_day(ago: int, n: int, unit: str) -> None:
    answer = {"radiotherapy_on": Value(ON - timedelta(days=ago))}
    within = result(window("within", n, unit), answer)
    at_least = result(window("at_least", n, unit), answer)
    edge = eligibility.before(ON, n, unit)  # type: ignore[arg-type]
    assert (within, at_least).count(MET) == (2 if ON - timedelta(days=ago) == edge else 1)


@given(RULES)
def test_rules_survive_being_stored(rule: Document) -> None:
    try:
        known: Rule = parse(rule)
    except ValidationError:
        assume(False)
    assert parse(json.loads(json.dumps(eligibility.as_document(known)))) == known
    assert wording.words(known)
