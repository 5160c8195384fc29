"""METHODS.md, 6, sentence by sentence: progression-free survival of hand-worked patients.

One row per patient, one column per rule and `censor_at`; `ema` gives the dates and reasons of
`last_progression_free`. A cell such as `C42 therapy` is a censoring 42 days after the origin, `E84`
an event, and the word its reason. Timelines are those of `test_best_response`; assessments are due
every 42 +- 7 days, so that two are missed after 98 days.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, combinations, product
from typing import Any, NamedTuple

import pytest

from outcomes.methods.time_to_event import prepare, progression_free_survival
from outcomes.wording import SENTENCES
from tests.outcomes.methods.test_best_response import FAR, day
from tests.outcomes.methods.test_time_to_event import SCHEDULE, history, pfs, shown, start
from trials.definitions import CensorAt, Censoring, CensoringRule, TherapyKind

LAST_PROGRESSION_FREE, FDA, EMA = CensoringRule
EVALUABLE, ANY = CensorAt
REASONS = {
    "progression": "progression",
    "back": "progression_dated_back",
    "death": "death",
    "last": "censored_last_assessment",
    "unassessed": "censored_never_assessed",
    "unevaluable": "censored_never_evaluable",
    "therapy": "censored_new_therapy",
    "therapy-origin": "censored_new_therapy_at_origin",
    "missed": "censored_missed_assessments",
    "missed-origin": "censored_missed_assessments_at_origin",
    "baseline": "censored_no_baseline",
}


class Row(NamedTuple):
    """A sentence, a patient, and what each rule makes of it; `any` is `last_any`."""

    sentence: str
    words: str
    facts: dict[str, Any]
    default: str
    default_any: str
    fda: str
    fda_any: str

    def expected(self, rule: CensoringRule, censor_at: CensorAt) -> str:
        if rule is FDA:
            return self.fda if censor_at is EVALUABLE else self.fda_any
        return self.default if censor_at is EVALUABLE else self.default_any


def same(sentence: str, words: str, cell: str, **facts: Any) -> Row:
    """A patient of whom every rule says the same."""
    return Row(sentence, words, facts, cell, cell, cell, cell)


def row(sentence: str, words: str, default: str, fda: str, fda_any: str = "", **facts: Any) -> Row:
    """A patient whom the FDA rule censors; nothing hangs on `censor_at` but what is told."""
    return Row(sentence, words, facts, default, default, fda, fda_any or fda)


RECORDS = [
    same("after the cutoff is not used", "SD42 PD84", "C42 last", cutoff=83),
    same("on the cutoff counts", "SD42 PD84", "E84 progression", cutoff=84),
    same("a death after the cutoff", "SD42", "C42 last", died=100, cutoff=99),
    same("a death on the cutoff", "SD42", "E100 death", died=100, cutoff=100),
    same("a therapy after the cutoff", "SD42 SD84", "C42 last", therapy=60, cutoff=59),
    same("before the origin never counts", "PD-7 SD42", "C42 last"),
    same("all before the origin", "SD-14 SD-7", "C0 unassessed"),
    same("on the origin counts", "PD0", "E0 progression"),
    same("unscheduled visits count", "SD42 PD61", "E61 progression"),
    same("stopping treatment ends nothing", "SD42 SD84", "C84 last", alive=50),
]
EVENTS = [
    same("progression", "SD42 PD84", "E84 progression"),
    same("the first progression", "SD42 PD84 SD126 PD168", "E84 progression"),
    same("death without progression", "SD42", "E60 death", died=60),
    same("progression before death", "SD42 PD84", "E84 progression", died=100),
    same("both on one day", "SD42 PD84", "E84 progression", died=84),
    same("assessed after death", "SD42 PD84", "E60 death", died=60),
    same("death without an assessment", "", "E30 death", died=30),
    same("progression at the first visit", "PD42", "E42 progression"),
]
NO_EVENT = [
    same("the last evaluable assessment", "SD42 SD84", "C84 last"),
    same("Non-CR/Non-PD is evaluable", "NON42", "C42 last"),
    same("a response is evaluable", "SD42 PR84 CR126", "C126 last"),
    Row("an NE visit does not count", "SD42 NE84", {}, "C42 last", "C84 last", "C42 last", "C84 last"),
    Row("NE at first", "NE42 SD84 NE126", {}, "C84 last", "C126 last", "C84 last", "C126 last"),
    Row("NE only", "NE42", {}, "C0 unevaluable", "C42 last", "C0 unevaluable", "C42 last"),
    same("never assessed and alive", "", "C0 unassessed", alive=200),
]  # fmt: skip
THERAPY = [  # no gap of 98 days in any of them
    row("therapy before progression", "SD42 PD84", "E84 progression", "C42 therapy", therapy=83),
    row("therapy on the day of an assessment", "SD42 PD84", "E84 progression", "C42 therapy", therapy=42),
    same("therapy on the day of progression", "SD42 PD84", "E84 progression", therapy=84),
    same("therapy after progression", "SD42 PD84", "E84 progression", therapy=85),
    row("therapy before death", "SD42", "E60 death", "C42 therapy", therapy=59, died=60),
    same("therapy on the day of death", "SD42", "E60 death", therapy=60, died=60),
    row("therapy without an event", "SD42 SD84 SD126", "C126 last", "C84 therapy", therapy=90),
    row("assessed on the day of the therapy", "SD42 SD84", "C84 last", "C84 therapy", therapy=84),
    row("therapy after the last assessment", "SD42", "C42 last", "C42 therapy", therapy=60),
    row("therapy before any assessment", "SD42 PD84", "E84 progression", "C0 therapy-origin", therapy=41),
    row("therapy on the origin", "SD42", "C42 last", "C0 therapy-origin", therapy=0),
    row("therapy and never assessed", "", "C0 unassessed", "C0 therapy-origin", therapy=20),
    same("therapy before the origin is not new", "SD42 PD84", "E84 progression", therapy=-1),
    row("NE before the therapy", "SD42 NE84 PD126", "E126 progression", "C42 therapy", "C84 therapy", therapy=100),
    row("NE alone before the therapy", "NE42 PD84", "E84 progression", "C0 therapy-origin", "C42 therapy", therapy=50),
    Row("NE on the day of the therapy", "SD42 NE84", {"therapy": 84}, "C42 last", "C84 last", "C42 therapy", "C84 therapy"),
]  # fmt: skip
MISSED = [
    same("98 days after the last assessment", "SD42 PD140", "E140 progression"),
    row("99 days after the last assessment", "SD42 PD141", "E141 progression", "C42 missed"),
    same("death after 98 days", "SD42", "E140 death", died=140),
    row("death after 99 days", "SD42", "E141 death", "C42 missed", died=141),
    same("98 days after the origin", "PD98", "E98 progression"),
    row("99 days after the origin", "PD99", "E99 progression", "C0 missed-origin"),
    same("death 98 days after the origin", "", "E98 death", died=98),
    row("death 99 days after the origin", "", "E99 death", "C0 missed-origin", died=99),
    row("NE does not shorten it", "SD42 NE84 PD182", "E182 progression", "C42 missed", "E182 progression"),
    row("nor does NE when all count", "SD42 NE84 PD183", "E183 progression", "C42 missed", "C84 missed"),
    row("NE alone", "NE42 PD140", "E140 progression", "C0 missed-origin", "E140 progression"),
    row("NE alone and too late", "NE42 PD141", "E141 progression", "C0 missed-origin", "C42 missed"),
    row("death after NE", "SD42 NE84", "E150 death", "C42 missed", "E150 death", died=150),
    same("an earlier gap does not matter", "SD42 SD200 PD240", "E240 progression"),
    same("a gap without an event", "SD42 SD300", "C300 last"),
    row("therapy and then a gap", "SD42 SD84 PD300", "E300 progression", "C42 therapy", therapy=50),
    same("a gap after progression", "SD42 PD84", "E84 progression", died=900),
]  # fmt: skip
NO_BASELINE = [
    row("no usable baseline", "SD42 PD84", "E84 progression", "C0 baseline", baseline=False),
    row("a death too", "", "E20 death", "C0 baseline", baseline=False, died=20),
    row("without an event", "SD42", "C42 last", "C0 baseline", baseline=False),
    row("before the therapy", "SD42 PD84", "E84 progression", "C0 baseline", baseline=False, therapy=50),
    row("before a gap", "SD42 PD300", "E300 progression", "C0 baseline", baseline=False),
]  # fmt: skip
EQUIVOCAL = [
    same("dated back to the first sighting", "SD42?a SD84?a PD126!a", "E42 back"),
    same("not before a visit confirms it", "SD42?a SD84?a PD126!a", "C84 last", cutoff=125),
    same("from that day on", "SD42?a SD84?a PD126!a", "E42 back", cutoff=126),
    same("never confirmed", "SD42?a SD84?a", "C84 last"),
    same("death before it is confirmed", "SD42?a", "E60 death", died=60),
    same("a confirmation after death", "SD42?a PD84!a", "E60 death", died=60),
    same("another lesion", "SD42?a PD84!b", "E84 progression"),
    same("gone for a while", "SD42?a SD84 PD126!a", "E42 back"),
    same("first seen at an unevaluable visit", "NE42?a PD84!a", "E42 back"),
    same("first seen in a response", "PR42 PR84?a PD126!a", "E84 back"),
    same("first seen before the origin", "SD-7?a SD42?a PD84!a", "E42 back"),
    same("the first of two lesions", "SD42?a SD84?b PD126!a!b", "E42 back"),
    same("an earlier progression stays", "PD42 SD84?a PD126!a", "E42 progression"),
    same("dated back over another progression", "SD42?a PD84 PD126!a", "E42 back"),
    same("therapy between sighting and confirmation", "SD42?a PD84!a", "E42 back", therapy=60),
    same("therapy on the day of the sighting", "SD42?a PD84!a", "E42 back", therapy=42),
    row("therapy before the sighting", "SD42 SD84?a PD126!a", "E84 back", "C42 therapy", therapy=60),
    same("the gap ends with the sighting", "SD42 SD84?a PD300!a", "E84 back"),
    row("sighted after a gap", "SD42 SD141?a PD183!a", "E141 back", "C42 missed"),
    row("sighted too long after the origin", "SD99?a PD141!a", "E99 back", "C0 missed-origin"),
    row("NE between", "SD42 NE84 SD150?a PD190!a", "E150 back", "C42 missed", "E150 back"),
    row("without a baseline", "SD42?a PD84!a", "E42 back", "C0 baseline", baseline=False),
]  # fmt: skip
ROWS = [*RECORDS, *EVENTS, *NO_EVENT, *THERAPY, *MISSED, *NO_BASELINE, *EQUIVOCAL]


def cell(row: Row, rule: CensoringRule, censor_at: CensorAt, **more: Any) -> str:
    """What is computed, as a cell of the table."""
    facts = row.facts | more
    cutoff, therapies = facts.pop("cutoff", FAR), facts.pop("therapies", {TherapyKind.SYSTEMIC})
    patient = history(row.words, **facts)
    found = pfs(patient, cutoff, rule=rule, censor_at=censor_at, therapies=frozenset(therapies))
    assert found is not None
    assert found.days == int(shown(found)[1:]) + 1
    words = {code: word for word, code in REASONS.items()}
    return f"{shown(found)} {words[found.reason.code]}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.sentence)
def test_each_row_under_each_rule(row: Row) -> None:
    columns = list(product(CensoringRule, CensorAt))
    found = {(rule, at): cell(row, rule, at) for rule, at in columns}
    assert found == {(rule, at): row.expected(rule, at) for rule, at in columns}


def subsets() -> Iterator[tuple[TherapyKind, ...]]:
    return chain.from_iterable(combinations(TherapyKind, size) for size in range(4))


@pytest.mark.parametrize("row", THERAPY, ids=lambda row: row.sentence)
def test_only_the_kinds_that_count_censor(row: Row) -> None:
    """Whatever is not among `therapies` is no new anticancer therapy: the default's result."""
    for rule, at, kind, therapies in product(CensoringRule, CensorAt, TherapyKind, subsets()):
        counts = rule is FDA and kind in therapies
        expected = row.expected(FDA if counts else LAST_PROGRESSION_FREE, at)
        found = cell(row, rule, at, kind=kind, therapies=therapies)
        assert found == expected, (rule, at, kind, therapies)


@pytest.mark.parametrize(
    ("therapies", "expected"),
    [
        ({TherapyKind.SYSTEMIC}, "C84"),
        ({TherapyKind.RADIOTHERAPY}, "C42"),
        ({TherapyKind.SURGERY}, "C126"),
        ({TherapyKind.SURGERY, TherapyKind.SYSTEMIC}, "C84"),
        (set(TherapyKind), "C42"),
        (set(), "E168"),
    ],
)
def test_the_first_therapy_of_a_kind_that_counts(
    therapies: set[TherapyKind], expected: str
) -> None:
    later = (start(130, TherapyKind.SURGERY), start(90), start(60, TherapyKind.RADIOTHERAPY))
    patient = replace(history("SD42 SD84 SD126 PD168"), therapies=later)
    assert shown(pfs(patient, rule=FDA, therapies=frozenset(therapies))) == expected
    for rule in (LAST_PROGRESSION_FREE, EMA):
        assert shown(pfs(patient, rule=rule, therapies=frozenset(therapies))) == "E168"


@pytest.mark.parametrize(("interval", "window"), [(42, 7), (42, 0), (56, 7), (84, 14)])
def test_two_missed_assessments_are_the_trial_s(interval: int, window: int) -> None:
    limit = 2 * (interval + window)
    for late, expected in ((0, f"E{42 + limit}"), (1, "C42")):
        found = progression_free_survival(
            prepare(history(f"SD42 PD{42 + limit + late}"), day(FAR)),
            censoring=Censoring(rule=FDA),
            assessment_interval_days=interval,
            assessment_window_days=window,
        )
        assert shown(found) == expected
    assert SCHEDULE == {"assessment_interval_days": 42, "assessment_window_days": 7}


def test_every_reason_is_in_the_table_and_has_words() -> None:
    """Without an event, therapy or gap the default has but these six."""
    reached = {
        rule: {REASONS[row.expected(rule, at).split()[1]] for row in ROWS for at in CensorAt}
        for rule in CensoringRule
    }
    assert reached[FDA] == set(REASONS.values()) <= set(SENTENCES)
    for rule in (LAST_PROGRESSION_FREE, EMA):
        assert reached[rule] == {
            REASONS[word]
            for word in ("progression", "back", "death", "last", "unassessed", "unevaluable")
        }
    assert {code for code in SENTENCES if code.startswith("censored_")} - set(REASONS.values()) == {
        "censored_last_known_alive", "censored_alive_on_cutoff",  # of overall survival
    }  # fmt: skip


def test_no_row_stands_twice() -> None:
    assert len({row.sentence for row in ROWS}) == len(ROWS) == 85
