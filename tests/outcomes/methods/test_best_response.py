"""Best response against METHODS.md, 5 (its quick table) and the pharmaverse test suites.

A timeline such as `SD42?a PR84 PD126!a` is one record per word: response, days after the origin,
equivocal (?) and unequivocal (!) new lesions. The day is also the visit's id.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.methods.best_response import (
    SEVERITY,
    BestResponse,
    FirstResponse,
    Record,
    best_overall_response,
    confirmed_best_response,
    confirmed_response,
    counted_records,
    first_benefit,
    first_response,
    fold_equivocal,
    has_clinical_benefit,
    unconfirmed_response,
)
from outcomes.methods.recist import Response
from trials.definitions import Confirmation, EndpointDefinition

ORIGIN = Date(2020, 1, 1)
FAR = 3650
DEFAULT = EndpointDefinition()
ORACLE = Path(__file__).parents[2] / "reference" / "best_response.json"
NAMES = {"NON": Response.NON_CR_NON_PD} | {r.value: r for r in Response}


def day(days: int) -> Date:
    """A date so many days after the origin."""
    return ORIGIN + timedelta(days=days)


def timeline(words: str) -> tuple[Record, ...]:
    """Records from words: see the module."""
    return tuple(map(_record, words.split()))


def _record(word: str) -> Record:
    match = re.fullmatch(r"(CR|PR|SD|PD|NE|NON)(-?\d+)((?:[?!]\w+)*)", word)
    assert match, word
    marks = re.findall(r"([?!])(\w+)", match[3])
    return Record(
        day(int(match[2])),
        NAMES[match[1]],
        int(match[2]),
        frozenset(label for mark, label in marks if mark == "?"),
        frozenset(label for mark, label in marks if mark == "!"),
    )


def counted(words: str, cutoff: int = FAR, therapy: int | None = None) -> tuple[Record, ...]:
    start = None if therapy is None else day(therapy)
    return counted_records(timeline(words), ORIGIN, day(cutoff), start)


def shown(records: tuple[Record, ...]) -> str:
    return " ".join(f"{record.response.value}{(record.date - ORIGIN).days}" for record in records)


def at(best: BestResponse) -> str:
    """A best response as a word of a timeline; without a day when nothing was assessed."""
    assert (best.date is None) == (best.source is None)
    if best.date is None:
        return best.response.value
    assert day(best.source or 0) == best.date
    return f"{best.response.value}{best.source}"


def defined(**changes: Any) -> EndpointDefinition:
    """An endpoint definition; keys of `confirmation` are given flat."""
    inner = {key: changes.pop(key) for key in list(changes) if key in Confirmation.model_fields}
    return EndpointDefinition(confirmation=Confirmation(**inner), **changes)


TWO_NE = defined(max_not_evaluable_between=2)
NO_NE = defined(max_not_evaluable_between=0)
SD_BETWEEN = defined(allow_stable_between=True)

QUICK_TABLE = [
    # timeline, definition, unconfirmed, confirmed
    ("CR42 CR84", DEFAULT, "CR42", "CR42"),
    ("CR42 PD84", DEFAULT, "CR42", "SD42"),
    ("CR28 PD35", DEFAULT, "CR28", "PD35"),
    ("CR28 NE84", DEFAULT, "CR28", "NE28"),
    ("PR42 PR69", DEFAULT, "PR42", "SD42"),
    ("PR42 PR70", DEFAULT, "PR42", "PR42"),
    ("PR42 SD84", DEFAULT, "PR42", "SD42"),
    ("PR42 NE84 PR126", DEFAULT, "PR42", "PR42"),
    ("PR42 NE84 NE98 PR126", DEFAULT, "PR42", "SD42"),
    ("PR42 NE84 NE98 PR126", TWO_NE, "PR42", "PR42"),
    ("PR42 SD84 PR126", DEFAULT, "PR42", "SD42"),
    ("PR42 SD84 PR126", SD_BETWEEN, "PR42", "PR42"),
    ("SD41 PD84", DEFAULT, "PD84", "PD84"),
    ("SD42 PD84", DEFAULT, "SD42", "SD42"),
    ("SD35", DEFAULT, "NE35", "NE35"),
    ("PD42 PR84 PR126", DEFAULT, "PD42", "PD42"),
    ("PR42 CR84 CR126", DEFAULT, "CR84", "CR84"),
    ("SD42 PR84", DEFAULT, "PR84", "SD42"),
    ("", DEFAULT, "NE", "NE"),
]
FURTHER = [
    # single responses: SD from day 42, before it NE or the PD that follows
    ("PR42", DEFAULT, "PR42", "SD42"),
    ("PR41", DEFAULT, "PR41", "NE41"),
    ("PR41 PD84", DEFAULT, "PR41", "PD84"),
    ("CR0", DEFAULT, "CR0", "NE0"),
    # confirmation: from 28 days on, however late, whatever was too early in between
    ("CR42 CR69", DEFAULT, "CR42", "SD42"),
    ("CR42 CR70", DEFAULT, "CR42", "CR42"),
    ("CR42 CR69 CR97", DEFAULT, "CR42", "CR42"),
    ("CR42 NE84 CR400", DEFAULT, "CR42", "CR42"),
    ("CR14 CR42", DEFAULT, "CR14", "CR14"),
    ("PR42 PR55", defined(min_days=13), "PR42", "PR42"),
    ("PR42 PR55", defined(min_days=14), "PR42", "SD42"),
    # what may lie between
    ("CR42 NE84 CR126", NO_NE, "CR42", "SD42"),
    ("CR42 NE84 NE98 CR126", DEFAULT, "CR42", "SD42"),
    ("CR42 SD84 CR126", SD_BETWEEN, "CR42", "SD42"),
    ("CR42 PR84 CR126", DEFAULT, "CR42", "PR84"),  # the PR is what the second CR confirms
    ("PR42 SD84 SD98 PR126", SD_BETWEEN, "PR42", "SD42"),
    ("PR42 SD84 NE98 PR126", SD_BETWEEN, "PR42", "PR42"),
    ("PR42 NON84 PR126", DEFAULT, "PR42", "SD42"),
    ("PR42 CR84", DEFAULT, "CR84", "PR42"),
    ("PR42 CR60 PR84", DEFAULT, "CR60", "SD42"),
    ("PR42 PR60 CR84", DEFAULT, "CR84", "PR42"),
    ("PR42 SD84 PR126 PR168", DEFAULT, "PR42", "PR126"),
    ("PR42 PR84 SD126 CR168 CR210", DEFAULT, "CR168", "CR168"),
    ("PR42 PD84", DEFAULT, "PR42", "SD42"),
    # order of classes, dates within them
    ("NON42", DEFAULT, "NON_CR_NON_PD42", "NON_CR_NON_PD42"),
    ("NON41", DEFAULT, "NE41", "NE41"),
    ("NON42 SD84", DEFAULT, "SD84", "SD84"),
    ("NON42 PD84", DEFAULT, "NON_CR_NON_PD42", "NON_CR_NON_PD42"),
    ("NE14 SD35 NE84", DEFAULT, "NE14", "NE14"),
    ("NE42 PD84", DEFAULT, "PD84", "PD84"),
    ("SD28 SD42 SD84", DEFAULT, "SD42", "SD42"),
    ("SD35", defined(min_stable_days=35), "SD35", "SD35"),
]


@pytest.mark.parametrize(("words", "definition", "unconfirmed", "confirmed"), QUICK_TABLE + FURTHER)
def test_best_response_of_a_timeline(
    words: str, definition: EndpointDefinition, unconfirmed: str, confirmed: str
) -> None:
    records = counted(words)
    assert at(best_overall_response(records, ORIGIN, definition)) == unconfirmed
    assert at(confirmed_best_response(records, ORIGIN, definition)) == confirmed


@pytest.mark.parametrize(
    ("words", "limits", "expected"),
    [
        ("SD84 PR42", {}, "PR42 SD84"),
        ("CR-1 SD0 PR42", {}, "SD0 PR42"),
        ("SD42 PR84 CR85", {"cutoff": 84}, "SD42 PR84"),
        ("SD42 PR84 CR85", {"therapy": 84}, "SD42 PR84"),
        ("SD42 PR84", {"therapy": 83}, "SD42"),
        ("SD42 PR84", {"therapy": 10}, ""),
        ("SD42 PD84 CR126", {}, "SD42 PD84"),
        # two records on one date
        ("NE42 CR42", {}, "CR42"),
        ("CR42 PR42", {}, "PR42"),
        ("PR42 SD42", {}, "SD42"),
        ("SD42 NON42", {}, "NON_CR_NON_PD42"),
        ("PD42 NON42 CR84", {}, "PD42"),
        # equivocal lesions: known from the confirming visit on, then a PD when first seen
        ("SD42?a SD84?a PD126!a", {"cutoff": 125}, "SD42 SD84"),
        ("SD42?a SD84?a PD126!a", {"cutoff": 126}, "PD42"),
        ("SD42 SD84?a PD126!a", {}, "SD42 PD84"),
        ("SD42?a PD84!b", {}, "SD42 PD84"),
        ("SD42?a SD84 PD126!a", {}, "PD42"),  # gone, then back under its label
        ("SD42?a SD84 PD126!b", {}, "SD42 SD84 PD126"),  # another lesion by its label
        ("SD42?a PD84 PD126!a", {}, "PD42"),  # confirmed after another PD
        ("SD42?a SD84?b PD126!b", {}, "SD42 PD84"),
        ("SD42?a PR42 PD84!a", {}, "PD42"),  # the other record of that date gives way
        ("SD42?a PD42!a", {}, "PD42"),
        ("SD-7?a SD42?a PD84!a", {}, "PD42"),  # the first sighting that counts
        ("SD42?a PD84!a", {"therapy": 50}, "PD42"),  # confirmed during new therapy
    ],
)
def test_records_that_count(words: str, limits: dict[str, int], expected: str) -> None:
    assert shown(counted(words, **limits)) == expected


def test_folding_keeps_everything_else_of_a_record() -> None:
    first, between, confirming = timeline("SD42?a PR84 PD126!a")
    folded = fold_equivocal([confirming, first, between])
    assert folded == (
        Record(day(42), Response.PD, 42, frozenset("a"), frozenset(), confirmed_on=day(126)),
        between,
        confirming,
    )
    assert fold_equivocal(folded) == folded


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("SD42?a SD84?a PD126!a PD168!a", {42: 126}),
        ("SD42?a?b PD84!b PD126!a", {42: 84}),
        ("SD42?a SD84?b PD126!a!b", {42: 126, 84: 126}),
        ("SD42?a PD42!a", {}),  # a later visit confirms, not the same day's
        ("PD42?a PD84!a", {}),  # a PD of its own
        ("PD42!a SD84?a PD126!a", {}),  # unequivocal when first seen
        ("SD42?a SD84?a", {}),
    ],
)
def test_which_visits_are_dated_back_and_by_which(words: str, expected: dict[int, int]) -> None:
    folded = fold_equivocal(timeline(words))
    back = {record.source: record.confirmed_on for record in folded if record.confirmed_on}
    assert back == {visit: day(confirmed) for visit, confirmed in expected.items()}
    assert all(record.response == Response.PD for record in folded if record.confirmed_on)


@pytest.mark.parametrize(
    ("words", "definition", "expected"),
    [
        ("SD42 PR84 CR126", DEFAULT, FirstResponse(Response.PR, day(84), 84, day(126), 126)),
        ("CR42 PR84 PR126", DEFAULT, FirstResponse(Response.PR, day(84), 84, day(126), 126)),
        ("PR42 SD84", DEFAULT, None),
        ("PR42 SD84", defined(required=False), FirstResponse(Response.PR, day(42), 42)),
        ("SD42 NE84", defined(required=False), None),
    ],
)
def test_first_response(
    words: str, definition: EndpointDefinition, expected: FirstResponse | None
) -> None:
    assert first_response(counted(words), definition.confirmation) == expected


@pytest.mark.parametrize(
    ("words", "definition", "shown_on"),
    [
        ("SD42 SD167", DEFAULT, None),
        ("SD42 SD168", DEFAULT, 168),
        ("NON168", DEFAULT, 168),
        ("PR168", DEFAULT, 168),  # not confirmed, but not progressed either
        ("PR42 NE168", DEFAULT, None),
        ("PR42 NE168", defined(required=False), 42),
        ("PR42 PR84 PD126", DEFAULT, 42),
        ("SD42 PR84 PR168", DEFAULT, 84),
        ("PD168", DEFAULT, None),
        ("SD112", defined(min_benefit_days=112), 112),
        ("", DEFAULT, None),
    ],
)
def test_clinical_benefit(words: str, definition: EndpointDefinition, shown_on: int | None) -> None:
    benefit = first_benefit(counted(words), ORIGIN, definition)
    assert (benefit and benefit.source) == shown_on
    assert has_clinical_benefit(counted(words), ORIGIN, definition) == (shown_on is not None)


def test_without_an_origin_nothing_counts() -> None:
    for best in (best_overall_response, confirmed_best_response):
        assert at(best((), None, DEFAULT)) == "NE"
        assert best((), None, DEFAULT).reason.code == "best_response_no_time_origin"
    assert not has_clinical_benefit((), None, DEFAULT)


SEEN_42 = {"date": day(42).isoformat()}


@pytest.mark.parametrize(
    ("words", "code", "parameters"),
    [
        ("", "best_response_not_assessed", {}),
        ("NE42 NE84", "best_response_never_evaluable", {"visits": 2}),
        ("SD42", "best_response_lasted", SEEN_42 | {"response": "SD", "days": 42, "minimum": 42}),
        ("NE14 SD42?a", "best_response_lasted", {"response": "SD", "days": 42, "minimum": 42}),
        (
            "PR42",
            "best_response_unconfirmed_is_stable",
            SEEN_42 | {"response": "PR", "days": 42, "minimum": 42},
        ),
        ("NE14 SD35", "best_response_too_early", {"response": "SD", "days": 35, "minimum": 42}),
        (
            "CR35",
            "best_response_unconfirmed_too_early",
            {"response": "CR", "days": 35, "minimum": 42},
        ),
        ("NE14 PD42", "progression", SEEN_42),
        (
            "SD42?a PD84!a",
            "progression_dated_back",
            SEEN_42 | {"confirmed_on": day(84).isoformat()},
        ),
        (
            "PR42 CR84",
            "response_confirmed",
            SEEN_42 | {"response": "PR", "confirmed_on": day(84).isoformat()},
        ),
    ],
)
def test_reason_of_a_confirmed_best_response(
    words: str, code: str, parameters: dict[str, str | int]
) -> None:
    reason = confirmed_best_response(counted(words), ORIGIN, DEFAULT).reason
    assert reason.code == code
    assert parameters.items() <= reason.parameters.items()


def test_reason_of_an_unconfirmed_response() -> None:
    reason = best_overall_response(counted("PR42 SD84"), ORIGIN, DEFAULT).reason
    assert (reason.code, reason.parameters) == ("response", SEEN_42 | {"response": "PR"})


NOT_PROGRESSED_AGAIN = "admiralonco was given no progression date and went on after a PD"
NOT_DONE = "ND and NA are no responses of this registry: a visit that was not done is not recorded"
BEFORE_ORIGIN = "assessments before the origin never count here"
EXEMPT = {
    "derive_param_confirmed_bor#67@9": NOT_PROGRESSED_AGAIN,
    "derive_param_confirmed_resp#86@1": NOT_PROGRESSED_AGAIN,
    "derive_param_clinbenefit#107@06": NOT_PROGRESSED_AGAIN,
    "derive_param_response#115@3": NOT_PROGRESSED_AGAIN,
    "derive_param_confirmed_bor#56@7": NOT_DONE,
    "derive_param_confirmed_resp#83@7": NOT_DONE,
    "derive_param_clinbenefit#98@04": NOT_DONE,
    "derive_param_clinbenefit#105@04": NOT_DONE,
    "derive_param_bor#23@7": BEFORE_ORIGIN,
    "derive_param_bor#31@7": BEFORE_ORIGIN,
    "derive_param_clinbenefit#101@07": "its own parameter leaves Non-CR/Non-PD out",
}
RESULTS = {"NON-CR/NON-PD": Response.NON_CR_NON_PD, None: Response.NE, "MISSING": Response.NE}
RESULTS |= {r.value: r for r in Response}


@dataclass(frozen=True)
class Case:
    """One patient of the reference file; `facts` is the entry as it stands."""

    facts: dict[str, Any]

    @property
    def origin(self) -> Date:
        """The reference date; response alone needs none, so the first assessment's day does."""
        if self.facts["reference_date"]:
            return Date.fromisoformat(self.facts["reference_date"])
        return min(map(self.date, self.facts["assessments"]), default=ORIGIN)

    @property
    def definition(self) -> EndpointDefinition:
        """admiralonco's parameters, or the numbers in the conditions that admiral was given."""
        params = self.facts["params"]
        conditions = " ".join(
            f"{event['condition']} {event['first_cond_upper']}"
            for event in params.get("events", ())
        )
        start = params.get("ref_start_window", number(r"ADT >= TRTSDT \+ (\d+)", conditions, 0))
        return defined(
            required=self.facts["endpoint"].startswith("C") and self.facts["endpoint"] != "CBR",
            min_days=params.get("ref_confirm", number(r"ADT \+ (\d+)", conditions, 0)),
            max_not_evaluable_between=params.get(
                "max_nr_ne", number(r'"NE"\) <= (\d+)', conditions, 100)
            ),
            allow_stable_between=params.get("accept_sd", False),
            min_stable_days=start,
            min_benefit_days=start,
        )

    @property
    def records(self) -> tuple[Record, ...]:
        """The assessments up to the progression date that admiralonco was given, if any."""
        cutoff = Date.fromisoformat(self.facts["first_pd_date_supplied"] or "2100-01-01")
        records = (
            Record(self.date(entry), RESULTS[entry["response"]], index)
            for index, entry in enumerate(self.facts["assessments"])
        )
        return counted_records(records, self.origin, cutoff, None)

    @property
    def ours(self) -> tuple[str | Response, Date | None]:
        """Value and date in the reference file's words."""
        endpoint, records, origin = self.facts["endpoint"], self.records, self.origin
        if endpoint in ("BOR", "CBOR"):
            best = best_overall_response if endpoint == "BOR" else confirmed_best_response
            result = best(records, origin, self.definition)
            return result.response, result.date
        if endpoint == "CBR":
            found: Any = first_benefit(records, origin, self.definition)
        elif endpoint == "RSP":
            found = unconfirmed_response(records)
        else:
            found = confirmed_response(records, self.definition.confirmation)
        return ("Y", found.date) if found else ("N", None)

    @property
    def expected(self) -> tuple[str | Response, Date | None]:
        value, text = self.facts["expected"]["value"], self.facts["expected"]["date"]
        return RESULTS.get(value, value), Date.fromisoformat(text) if text else None

    @property
    def agrees(self) -> bool:
        """Same value and date; a case of visit numbers only has no date to compare."""
        if {"ND", "NA"} & {entry["response"] for entry in self.facts["assessments"]}:
            return False
        if any("visit" in entry for entry in self.facts["assessments"]):
            return self.ours[0] == self.expected[0]
        return self.ours == self.expected

    @staticmethod
    def date(entry: dict[str, Any]) -> Date:
        return Date.fromisoformat(entry["date"]) if "date" in entry else day(entry["visit"])


def number(pattern: str, text: str, default: int) -> int:
    match = re.search(pattern, text)
    return int(match[1]) if match else default


CASES = {facts["id"]: Case(facts) for facts in json.loads(ORACLE.read_text())["cases"]}


@pytest.mark.parametrize("name", [name for name in CASES if name not in EXEMPT])
def test_reference_case(name: str) -> None:
    assert CASES[name].agrees, (CASES[name].ours, CASES[name].expected)


def test_exactly_the_named_cases_are_exempt() -> None:
    assert {name for name, case in CASES.items() if not case.agrees} == set(EXEMPT)
    compared = Counter(case.facts["endpoint"] for name, case in CASES.items() if name not in EXEMPT)
    assert compared == {"BOR": 46, "CBOR": 34, "CRSP": 26, "RSP": 7, "CBR": 10}


timelines = st.lists(
    st.builds(
        Record,
        date=st.integers(0, 300).map(day),
        response=st.sampled_from(Response),
        source=st.integers(1, 9),
        equivocal=st.frozensets(st.sampled_from("ab"), max_size=1),
        unequivocal=st.frozensets(st.sampled_from("ab"), max_size=1),
    ),
    max_size=8,
).map(tuple)


@given(timelines, st.permutations(range(8)))
def test_the_order_of_records_never_matters(records: tuple[Record, ...], order: list[int]) -> None:
    apart = {record.date: record for record in records}.values()
    shuffled = [list(apart)[index] for index in order if index < len(apart)]
    assert counted_records(shuffled, ORIGIN, day(FAR), None) == counted_records(
        apart, ORIGIN, day(FAR), None
    )


@given(timelines)
def test_confirmation_never_improves_a_response(records: tuple[Record, ...]) -> None:
    kept = counted_records(records, ORIGIN, day(FAR), None)
    unconfirmed = best_overall_response(kept, ORIGIN, DEFAULT)
    confirmed = confirmed_best_response(kept, ORIGIN, DEFAULT)
    order = ["CR", "PR", "SD", "NON_CR_NON_PD", "PD", "NE"]
    assert order.index(unconfirmed.response) <= order.index(confirmed.response)
    responder = confirmed_response(kept, DEFAULT.confirmation) is not None
    assert responder == (confirmed.response in (Response.CR, Response.PR))


@given(timelines, st.integers(0, 300))
def test_records_after_the_cutoff_change_nothing(records: tuple[Record, ...], cutoff: int) -> None:
    known = [record for record in records if record.date <= day(cutoff)]
    assert counted_records(records, ORIGIN, day(cutoff), None) == counted_records(
        known, ORIGIN, day(FAR), None
    )


@given(timelines)
def test_counted_records_end_with_the_first_progression(records: tuple[Record, ...]) -> None:
    kept = counted_records(records, ORIGIN, day(FAR), None)
    assert [r.date for r in kept] == sorted({r.date for r in kept})
    assert all(record.response != Response.PD for record in kept[:-1])
    worst = {r.date: min(SEVERITY[o.response] for o in records if o.date == r.date) for r in kept}
    assert all(SEVERITY[r.response] == worst[r.date] or r.confirmed_on is not None for r in kept)
