"""iBOR and iPFS of hand-worked patients: every example of Seymour 2017, table 3, and METHODS.md, 8.

A timeline such as `iSD42 iUPD84 iCPD126` is one record per word: response by iRECIST, days after
the origin. `E84` is an event on that day, `C42` a censoring, as in `test_time_to_event`.
"""

import re
from dataclasses import replace
from itertools import product

import pytest

from outcomes.methods import irecist_endpoints, time_to_event
from outcomes.methods.best_response import Record
from outcomes.methods.irecist import AS_IMMUNE, ImmuneResponse
from outcomes.methods.irecist_endpoints import ImmuneBest, ImmuneCourse
from outcomes.methods.recist import Response
from outcomes.methods.time_to_event import Dated, PatientHistory, Source, TimeToEvent
from tests.outcomes.methods.test_best_response import FAR, ORIGIN, day
from tests.outcomes.methods.test_time_to_event import SCHEDULE, history
from trials.definitions import Censoring, CensoringRule, EndpointDefinition, TherapyKind

LAST_PROGRESSION_FREE, FDA, EMA = CensoringRule
BY_IRECIST = EndpointDefinition.parse({"criteria": "iRECIST"})
NAMES = {response.value: response for response in ImmuneResponse} | {
    "iNON": ImmuneResponse.NON_ICR_NON_IUPD
}
BY_RECIST = {immune: response for response, immune in AS_IMMUNE.items()} | {
    ImmuneResponse.ICPD: Response.PD
}


def record(word: str) -> Record:
    match = re.fullmatch(r"(i\w+?|NE)(\d+)((?:[?!]\w+)*)", word)
    assert match, word
    response, days = NAMES[match[1]], int(match[2])
    marks = re.findall(r"([?!])(\w+)", match[3])
    return Record(
        day(days), BY_RECIST[response], days, immune=response,
        equivocal=frozenset(label for mark, label in marks if mark == "?"),
        unequivocal=frozenset(label for mark, label in marks if mark == "!"),
    )  # fmt: skip


def patient(words: str, died: int | None = None, therapy: int | None = None) -> PatientHistory:
    rest = history(died=died, therapy=therapy)
    return replace(rest, records=tuple(record(word) for word in words.split()))


def course(known: PatientHistory, cutoff: int = FAR) -> ImmuneCourse:
    return irecist_endpoints.course(known, day(cutoff), frozenset({TherapyKind.SYSTEMIC}))


def best(known: PatientHistory, cutoff: int = FAR) -> ImmuneBest:
    return irecist_endpoints.best(course(known, cutoff), BY_IRECIST)


def pfs(known: PatientHistory, cutoff: int = FAR, rule: CensoringRule = EMA) -> TimeToEvent:
    found = course(known, cutoff)
    time = time_to_event.progression_free_survival(
        found.prepared, censoring=Censoring(rule=rule), **SCHEDULE
    )
    explained = irecist_endpoints.explained(time, found)
    assert explained
    return explained


def shown(time: TimeToEvent) -> str:
    assert day(time.days - 1) == time.date
    return f"{'E' if time.event else 'C'}{time.days - 1}"


# Seymour 2017, table 3: the responses that each time point may have, and the iBOR of all of them
TABLE_3 = [
    (["iCR", "iCR iUPD NE", "iCR iUPD NE", "iUPD", "iCPD"], "iCR"),
    (["iUPD", "iPR iSD NE", "iCR", "iCR iUPD NE", "iCR iPR iSD iUPD iCPD NE"], "iCR"),
    (["iUPD", "iPR", "iPR iSD iUPD NE", "iPR iSD iUPD NE iCPD", "iPR iSD iUPD NE iCPD"], "iPR"),
    (["iUPD", "iSD NE", "iPR", "iPR iSD iUPD NE", "iPR iSD iUPD iCPD NE"], "iPR"),
    (["iUPD", "iSD", "iSD iUPD NE", "iSD iUPD iCPD NE", "iSD iUPD iCPD NE"], "iSD"),
    (["iUPD", "iCPD", "iCR iPR iSD iUPD NE", "iPR iUPD", "iCR NE"], "iCPD"),
    (["iUPD", "iUPD", "iCPD", "iCR iPR iSD iUPD NE", "iPR iUPD"], "iCPD"),
    (["iUPD", "NE", "NE", "NE", "NE"], "iUPD"),
]


@pytest.mark.parametrize(("points", "expected"), TABLE_3, ids=range(1, 9))
def test_the_examples_of_table_3(points: list[str], expected: str) -> None:
    for responses in product(*(point.split() for point in points)):
        words = " ".join(f"{r}{42 * i}" for i, r in enumerate(responses, 1))
        assert best(patient(words)).response == expected, words


BEST = {
    # METHODS.md, 8
    "iUPD42 iPR84": "iPR84",
    "iUPD42 iSD84": "iSD84",
    "iUPD42 iCPD84 iPR126": "iCPD42",
    "iUPD42 NE84": "iUPD42",
    # iCR > iPR > iSD > iCPD > iUPD > NE
    "iPR42 iCR84": "iCR84",
    "iSD42 iPR84 iUPD126 iCPD168": "iPR84",
    "iSD42 iUPD84 iCPD126": "iSD42",
    "iNON42 iUPD84 iCPD126": "NON_ICR_NON_IUPD42",
    "NE42 iUPD84 iCPD126": "iCPD84",
    "NE42": "NE42",
    "": "NE",
    # no confirmation is needed, and none of the iSD that follows an iPR takes it back
    "iPR42": "iPR42",
    # iSD counts from 42 days on; an iUPD that was reset is more than not evaluable
    "iSD41": "NE41",
    "iUPD28 iSD35": "iUPD28",
    "iSD28 iUPD70": "iUPD70",
}


@pytest.mark.parametrize(("words", "expected"), BEST.items())
def test_best_response(words: str, expected: str) -> None:
    found = best(patient(words))
    assert f"{found.response}{'' if found.source is None else found.source}" == expected
    assert found.date == (None if found.source is None else day(found.source))


def test_best_response_counts_nothing_after_new_therapy_or_the_cutoff() -> None:
    known = patient("iSD42 iUPD84 iPR126")
    assert best(known).response == "iPR"
    assert best(known, cutoff=125).response == "iSD"
    assert best(patient("iSD42 iPR126", therapy=100)).response == "iSD"


PFS = {
    # "the first iUPD of the run that is later confirmed"
    "iSD42 iUPD84 iCPD126": "E84 irecist_progression_confirmed",
    "iSD42 iUPD84 iUPD126 NE140 iCPD168": "E84 irecist_progression_confirmed",
    # "an iUPD run that is never confirmed counts at its first date"
    "iSD42 iUPD84": "E84 irecist_progression_unconfirmed",
    "iSD42 iUPD84 NE126": "E84 irecist_progression_unconfirmed",
    "iSD42 iUPD84 iUPD126": "E84 irecist_progression_unconfirmed",
    # "an iUPD followed by iSD/iPR/iCR is ignored"
    "iUPD42 iSD84": "C84 censored_last_assessment",
    "iUPD42 NE84 iPR126": "C126 censored_last_assessment",
    "iUPD42 iCR84 NE126": "C84 censored_last_assessment",
    "iUPD42 iNON84": "C84 censored_last_assessment",
    # "SD SD iUPD PR PR iUPD iCPD: the second iUPD"
    "iSD42 iSD84 iUPD126 iPR168 iPR210 iUPD252 iCPD294": ("E252 irecist_progression_confirmed"),
    "iUPD42 iSD84 iUPD126": "E126 irecist_progression_unconfirmed",
    # what follows the confirmation changes nothing
    "iUPD42 iCPD84 iPR126 iUPD168": "E42 irecist_progression_confirmed",
    "": "C0 censored_never_assessed",
    # an equivocal lesion confirmed later: an iUPD on the day it was first seen (METHODS.md, 4)
    "iSD42?a iUPD84!a iCPD126!a": "E42 irecist_progression_confirmed",
    "iSD42?a iPR84 iUPD126!a": "E126 irecist_progression_unconfirmed",
    # it was there all the time, and nothing better: no reset; better, or gone for once: a reset
    "iSD42?a iSD84?a iUPD126!a": "E42 irecist_progression_unconfirmed",
    "iPR42?a iSD84?a iUPD126!a": "E42 irecist_progression_unconfirmed",
    "iNON42?a iNON84?a iUPD126!a iCPD168!a": "E42 irecist_progression_confirmed",
    "iSD42?a iPR84?a iUPD126!a": "E126 irecist_progression_unconfirmed",
    "iSD42?a iSD84 iUPD126!a": "E126 irecist_progression_unconfirmed",
    "iSD42?a iSD84?b iUPD126!a": "E126 irecist_progression_unconfirmed",
}


@pytest.mark.parametrize(("words", "expected"), PFS.items())
def test_progression_free_survival(words: str, expected: str) -> None:
    found = pfs(patient(words))
    assert f"{shown(found)} {found.reason.code}" == expected


@pytest.mark.parametrize(
    ("cutoff", "expected"),
    [
        (83, "C42 censored_last_assessment"),
        (84, "E84 irecist_progression_unconfirmed"),
        (126, "E84 irecist_progression_confirmed"),
    ],
)
def test_a_confirmation_counts_from_its_day(cutoff: int, expected: str) -> None:
    found = pfs(patient("iSD42 iUPD84 iCPD126"), cutoff)
    assert f"{shown(found)} {found.reason.code}" == expected


def test_an_iupd_is_an_event_until_the_cutoff_that_knows_of_its_reset() -> None:
    known = patient("iUPD42 iSD84")
    assert [shown(pfs(known, cutoff)) for cutoff in (41, 42, 83, 84)] == ["C0", "E42", "E42", "C84"]


def test_a_confirmed_progression_says_on_what_visit() -> None:
    found = pfs(patient("iSD42 iUPD84 iCPD126"))
    dates = {"date": day(84).isoformat(), "confirmed_on": day(126).isoformat()}
    assert (found.reason.parameters, found.source) == (dates, Source("visit", 84, "date"))


def test_death_before_a_confirmation() -> None:
    assert shown(pfs(patient("iSD42 iUPD84", died=100))) == "E84"
    assert shown(pfs(patient("iUPD42 iSD84", died=100))) == "E100"
    assert shown(pfs(patient("iSD42", died=100))) == "E100"


def test_a_response_to_the_next_therapy_resets_nothing() -> None:
    words = "iSD42 iUPD84 iPR126"
    assert shown(pfs(patient(words, therapy=84))) == "E84"
    assert shown(pfs(patient(words, therapy=125))) == "E84"
    assert shown(pfs(patient(words, therapy=126))) == "C126"
    assert shown(pfs(patient(words, therapy=83))) == "C126"


def test_the_fda_rule_censors_here_as_well() -> None:
    assert shown(pfs(patient("iSD42 iUPD84 iCPD126", therapy=60), rule=FDA)) == "C42"
    assert shown(pfs(patient("iSD42 iUPD141 iCPD182"), rule=FDA)) == "C42"
    assert shown(pfs(patient("iSD42 iUPD140 iCPD182"), rule=FDA)) == "E140"
    assert shown(pfs(patient("iSD42 iUPD141 iCPD182"), rule=LAST_PROGRESSION_FREE)) == "E141"


def test_response_and_its_duration_by_irecist() -> None:
    found = course(patient("iUPD42 iPR84 iUPD126 iCPD168"))
    began = time_to_event.time_to_response(found.prepared, definition=BY_IRECIST)
    lasted = time_to_event.duration_of_response(found.prepared, definition=BY_IRECIST, **SCHEDULE)
    assert began
    assert lasted
    explained = irecist_endpoints.explained(began, found)
    assert (shown(began), explained and explained.reason.parameters["response"]) == ("E84", "iPR")
    assert (lasted.days, lasted.event) == (43, True)


def test_a_record_that_was_never_derived_is_read_as_by_recist() -> None:
    records = tuple(replace(record(word), immune=None) for word in ("iSD42", "iUPD84"))
    found = pfs(replace(history(), records=records))
    assert f"{shown(found)} {found.reason.code}" == "E84 irecist_progression_unconfirmed"


def test_without_an_origin_there_is_nothing() -> None:
    known = PatientHistory(None, (record("iPR42"),))
    found = course(known)
    assert (found.progression, found.prepared.records) == (None, ())
    reason = irecist_endpoints.best(found, BY_IRECIST).reason
    assert reason.code == "best_response_no_time_origin"
    late = course(replace(known, origin=Dated(ORIGIN, Source("patient", 1, "x"))), cutoff=41)
    assert late.prepared.records == ()
