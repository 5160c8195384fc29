"""Time-to-event endpoints of hand-worked patients, under every censoring rule of METHODS.md, 6.

Days count from the origin as in the timelines of `test_best_response`; `E84` is an event on day
84 after the origin (so 85 days), `C42` a censoring. Assessments are due every 42 +- 7 days, so an
event counts under `fda` until 98 days after the last counted assessment.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date as Date
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.methods.best_response import (
    Record,
    best_overall_response,
    confirmed_best_response,
    counted_records,
)
from outcomes.methods.recist import Response
from outcomes.methods.time_to_event import (
    Dated,
    PatientHistory,
    Source,
    TherapyStart,
    TimeToEvent,
    duration_of_response,
    overall_survival,
    prepare,
    progression_free_survival,
    time_to_response,
)
from tests.outcomes.methods.test_best_response import FAR, ORIGIN, day, defined, timeline
from trials.definitions import CensorAt, Censoring, CensoringRule, EndpointDefinition, TherapyKind

LAST_PROGRESSION_FREE, FDA, EMA = CensoringRule
EVALUABLE, ANY = CensorAt
SYSTEMIC, RADIOTHERAPY, SURGERY = TherapyKind
SCHEDULE = {"assessment_interval_days": 42, "assessment_window_days": 7}
FIRST_DOSE = Source("patient", 1, "first_dose_on")


def history(
    words: str = "",
    *,
    died: int | None = None,
    therapy: int | None = None,
    kind: TherapyKind = SYSTEMIC,
    alive: int | None = None,
    baseline: bool = True,
) -> PatientHistory:
    """A patient in days after the origin."""
    return PatientHistory(
        origin=Dated(ORIGIN, FIRST_DOSE),
        records=timeline(words),
        died=None if died is None else Dated(day(died), Source("patient", 1, "died_on")),
        therapies=() if therapy is None else (start(therapy, kind),),
        alive=() if alive is None else (seen_alive(alive),),
        has_baseline=baseline,
    )


def start(days: int, kind: TherapyKind = SYSTEMIC) -> TherapyStart:
    return TherapyStart(day(days), kind, Source("therapy", days, "started_on"))


def seen_alive(days: int) -> Dated:
    return Dated(day(days), Source("patient", 1, "last_known_alive_on"))


def pfs(patient: PatientHistory, cutoff: int = FAR, **censoring: Any) -> TimeToEvent | None:
    return progression_free_survival(
        prepare(patient, day(cutoff)), censoring=Censoring(**censoring), **SCHEDULE
    )


def os(patient: PatientHistory, cutoff: int = FAR) -> TimeToEvent | None:
    return overall_survival(prepare(patient, day(cutoff)))


def dor(patient: PatientHistory, cutoff: int = FAR, **changes: Any) -> TimeToEvent | None:
    return duration_of_response(
        prepare(patient, day(cutoff)), definition=defined(**changes), **SCHEDULE
    )


def ttr(patient: PatientHistory, cutoff: int = FAR, **changes: Any) -> TimeToEvent | None:
    return time_to_response(prepare(patient, day(cutoff)), definition=defined(**changes))


def shown(result: TimeToEvent | None) -> str:
    """`E84`: an event 84 days after the origin."""
    if result is None:
        return "none"
    return f"{'E' if result.event else 'C'}{(result.date - ORIGIN).days}"


# timeline, circumstances, then last_progression_free (and ema), fda with last_evaluable, fda with
# last_any; `last_any` changes the first only where nothing happened: the next table
PROGRESSION_FREE: list[tuple[str, dict[str, Any], str, str, str]] = [
    # progression: until 98 days after the last assessment, or after the origin
    ("SD42 PD84", {}, "E84", "E84", "E84"),
    ("SD42 PD140", {}, "E140", "E140", "E140"),
    ("SD42 PD141", {}, "E141", "C42", "C42"),
    ("PD98", {}, "E98", "E98", "E98"),
    ("PD99", {}, "E99", "C0", "C0"),
    ("SD42 NE84 PD140", {}, "E140", "E140", "E140"),
    ("SD42 NE84 PD141", {}, "E141", "C42", "E141"),
    ("NE42 NE84 PD98", {}, "E98", "E98", "E98"),
    ("NE42 NE84 PD99", {}, "E99", "C0", "E99"),
    ("SD42 SD200 PD240", {}, "E240", "E240", "E240"),  # a gap before the last assessment
    ("PD42 SD84 PD300", {}, "E42", "E42", "E42"),
    ("PD0", {}, "E0", "E0", "E0"),
    # death without progression, and after it
    ("SD42", {"died": 60}, "E60", "E60", "E60"),
    ("SD42", {"died": 140}, "E140", "E140", "E140"),
    ("SD42", {"died": 141}, "E141", "C42", "C42"),
    ("SD42 NE84", {"died": 150}, "E150", "C42", "E150"),
    ("SD42", {"died": 42}, "E42", "E42", "E42"),
    ("SD42 PD84", {"died": 84}, "E84", "E84", "E84"),
    ("SD42 PD84", {"died": 300}, "E84", "E84", "E84"),
    ("SD42 PD141", {"died": 142}, "E141", "C42", "C42"),
    ("", {"died": 0}, "E0", "E0", "E0"),
    ("", {"died": 98}, "E98", "E98", "E98"),
    ("", {"died": 99}, "E99", "C0", "C0"),
    ("SD42 PD84", {"died": 60}, "E60", "E60", "E60"),  # assessed after death: impossible
    # new anticancer therapy: strictly before the event, or without one
    ("SD42 PD84", {"therapy": 84}, "E84", "E84", "E84"),
    ("SD42 PD84", {"therapy": 83}, "E84", "C42", "C42"),
    ("SD42 PD84", {"therapy": 42}, "E84", "C42", "C42"),
    ("SD42 PD84", {"therapy": 41}, "E84", "C0", "C0"),
    ("SD42 PD84", {"therapy": 85}, "E84", "E84", "E84"),
    ("SD42 PD84", {"therapy": 0}, "E84", "C0", "C0"),
    ("PD0", {"therapy": 0}, "E0", "E0", "E0"),
    ("SD42 PD84", {"therapy": -1}, "E84", "E84", "E84"),  # before the origin: not new
    ("SD42 NE84 PD126", {"therapy": 100}, "E126", "C42", "C84"),
    ("SD42", {"therapy": 50, "died": 60}, "E60", "C42", "C42"),
    ("SD42", {"therapy": 60, "died": 60}, "E60", "E60", "E60"),
    ("", {"therapy": 10, "died": 60}, "E60", "C0", "C0"),
    ("SD42 SD84 SD126", {"therapy": 90}, "C126", "C84", "C84"),
    ("SD42 SD84 PD300", {"therapy": 50}, "E300", "C42", "C42"),  # therapy, then a gap
    ("SD42 PD84", {"therapy": 50, "kind": RADIOTHERAPY}, "E84", "E84", "E84"),
    ("SD42 PD84", {"therapy": 50, "kind": SURGERY}, "E84", "E84", "E84"),
    # nothing happened, or nothing could be judged
    ("SD42 SD84", {}, "C84", "C84", "C84"),
    ("", {}, "C0", "C0", "C0"),
    ("", {"alive": 200}, "C0", "C0", "C0"),
    ("CR-7", {}, "C0", "C0", "C0"),  # before the origin
    ("SD42 PD84", {"baseline": False}, "E84", "C0", "C0"),
    ("SD42 PD84", {"baseline": False, "therapy": 50}, "E84", "C0", "C0"),
    ("", {"baseline": False, "died": 20}, "E20", "C0", "C0"),
    ("SD42", {"baseline": False}, "C42", "C0", "C0"),
    # a lesion seen first on day 42 and confirmed on day 126
    ("SD42?a SD84?a PD126!a", {}, "E42", "E42", "E42"),
    ("SD42?a SD84?a PD126!a", {"therapy": 60}, "E42", "E42", "E42"),
    ("SD42?a SD84?a PD126!a", {"therapy": 41}, "E42", "C0", "C0"),
    ("SD42?a PD300!a", {}, "E42", "E42", "E42"),
]
LAST_ASSESSMENT = [
    # timeline, censored under every rule with last_evaluable, with last_any
    ("SD42 NE84", "C42", "C84"),
    ("NE42 NE84", "C0", "C84"),
    ("NE42 SD84 NE126", "C84", "C126"),
    ("SD42 SD84", "C84", "C84"),
    ("NON42", "C42", "C42"),
    ("SD42 NE42", "C42", "C42"),
]


def every_rule() -> Iterator[tuple[str, dict[str, Any], CensoringRule, CensorAt, str]]:
    for words, circumstances, default, evaluable, counting_all in PROGRESSION_FREE:
        for rule, censor_at in product((LAST_PROGRESSION_FREE, EMA), CensorAt):
            yield words, circumstances, rule, censor_at, default
        yield words, circumstances, FDA, EVALUABLE, evaluable
        yield words, circumstances, FDA, ANY, counting_all
    for words, evaluable, counting_all in LAST_ASSESSMENT:
        for rule in CensoringRule:
            yield words, {}, rule, EVALUABLE, evaluable
            yield words, {}, rule, ANY, counting_all


@pytest.mark.parametrize(
    ("words", "circumstances", "rule", "censor_at", "expected"), list(every_rule())
)
def test_progression_free_survival(
    words: str,
    circumstances: dict[str, Any],
    rule: CensoringRule,
    censor_at: CensorAt,
    expected: str,
) -> None:
    result = pfs(history(words, **circumstances), rule=rule, censor_at=censor_at)
    assert shown(result) == expected
    assert result is not None
    assert result.days == int(expected[1:]) + 1


@pytest.mark.parametrize(
    ("patient", "cutoff", "expected", "survival"),
    [
        (history("SD42 PD84"), 84, "E84", "C84"),
        (history("SD42 PD84"), 83, "C42", "C83"),
        (history("SD42"), 41, "C0", "C41"),
        (history("SD42", died=100), 100, "E100", "E100"),
        (history("SD42", died=100), 99, "C42", "C99"),
        (history("SD42", therapy=60), 59, "C42", "C59"),
        (history("SD42 SD84", therapy=60), 60, "C42", "C60"),
        (history("SD42 SD84 PD126", therapy=90), 89, "C84", "C89"),
        (history("SD42 SD84 PD126", therapy=90), 126, "C84", "C126"),
        (history("SD42?a SD84?a PD126!a"), 125, "C84", "C125"),
        (history("SD42?a SD84?a PD126!a"), 126, "E42", "C126"),
        (history("SD42?a", died=60), 60, "E60", "E60"),
        (history("SD42"), 0, "C0", "C0"),
        (history("SD42"), -1, "none", "none"),  # an origin after the cutoff
    ],
)
def test_what_a_cutoff_knows(
    patient: PatientHistory, cutoff: int, expected: str, survival: str
) -> None:
    assert shown(pfs(patient, cutoff, rule=FDA)) == expected
    assert shown(os(patient, cutoff)) == survival


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (history(died=100), "E100"),
        (history("SD42 PD84", died=100, therapy=90), "E100"),
        (history(died=0), "E0"),
        (history(), "C0"),
        (history(alive=50), "C50"),
        (history("SD42", alive=50), "C50"),
        (history("SD42 NE84 PD84", alive=50), "C84"),
        (history("SD42", alive=50, therapy=60, kind=SURGERY), "C60"),
        (history("CR-7", alive=-3, therapy=-2), "C0"),
        (history("SD42", died=200), "E200"),
        (history("SD42", died=200, alive=250), "E200"),  # alive after death: impossible
        # beyond the cutoff of day 200: alive on it
        (history("SD42", alive=199), "C199"),
        (history("SD42", alive=200), "C200"),
        (history("SD42", alive=201), "C200"),
        (history("SD42", died=201), "C200"),
        (history("SD42", therapy=250), "C200"),
        (history("SD42 PD300"), "C200"),
    ],
)
def test_overall_survival(patient: PatientHistory, expected: str) -> None:
    assert shown(os(patient, 200)) == expected


@pytest.mark.parametrize(
    ("origin", "died", "cutoff", "code"),
    [
        (None, None, FAR, "no_time_origin"),
        (10, None, 9, "origin_after_cutoff"),
        (10, None, 10, None),
        (10, 9, FAR, "origin_after_death"),
        (10, 10, FAR, None),
        (10, 9, 9, "origin_after_cutoff"),
    ],
)
def test_histories_without_a_usable_origin(
    origin: int | None, died: int | None, cutoff: int, code: str | None
) -> None:
    given_origin = None if origin is None else Dated(day(origin), FIRST_DOSE)
    patient = replace(history("PR42 PR84 PD126", died=died), origin=given_origin)
    prepared = prepare(patient, day(cutoff))
    assert (prepared.no_origin.code if prepared.no_origin else None) == code
    results = [pfs(patient, cutoff), os(patient, cutoff), dor(patient, cutoff)]
    assert [result is None for result in results] == [code is not None, code is not None, True]
    assert ttr(patient, cutoff) is None
    assert prepared.records == ()
    assert prepared.counted(frozenset({SYSTEMIC})) == ()
    assert (prepared.origin_date is None) == (code is not None)


RESPONSES = [
    # timeline, circumstances, time to response, end of response, days of response
    ("SD42 PR84 PR126 PD168", {}, "E84", "E168", 85),
    ("SD42 PR84 CR112 PD168", {}, "E84", "E168", 85),
    ("PR42 SD84 PR126 PR168", {}, "E126", "C168", 43),  # the visit that was confirmed
    ("PR42 PR84", {"died": 90}, "E42", "E90", 49),
    ("PR42 PR84", {}, "E42", "C84", 43),
    ("PR42 PR84 NE126", {}, "E42", "C84", 43),
    ("PR42 SD84", {}, "none", "none", None),
    ("SD42 PD84", {}, "none", "none", None),
    ("", {"died": 90}, "none", "none", None),
    ("PR42 PR84", {"therapy": 83}, "none", "none", None),  # confirmed after new therapy
    ("PR42 PR84", {"therapy": 84}, "E42", "C84", 43),
    ("PR42?a PR84 PD126!a", {}, "none", "none", None),  # progressed on day 42 after all
]


@pytest.mark.parametrize(("words", "circumstances", "reached", "ended", "days"), RESPONSES)
def test_response(
    words: str, circumstances: dict[str, Any], reached: str, ended: str, days: int | None
) -> None:
    patient = history(words, **circumstances)
    assert shown(ttr(patient)) == reached
    duration = dor(patient)
    assert shown(duration) == ended
    assert (duration.days if duration else None) == days


def test_response_without_confirmation() -> None:
    patient = history("PR42 SD84 PD126")
    assert shown(ttr(patient, required=False)) == "E42"
    assert shown(dor(patient, required=False)) == "E126"


@pytest.mark.parametrize(
    ("patient", "ended", "days"),
    [
        (history("PR42 PR84 PD183"), "C84", 43),  # 99 days after the last assessment
        (history("PR42 PR84 PD182"), "E182", 141),
        (history("PR42 PR84 PD126", therapy=100), "C84", 43),
        (history("PR42 PR84 PD126", baseline=False), "C42", 1),  # not before the response
    ],
)
def test_duration_of_response_is_censored_as_progression_free_survival(
    patient: PatientHistory, ended: str, days: int
) -> None:
    result = dor(patient, censoring=Censoring(rule=FDA))
    assert shown(result) == ended
    assert result is not None
    assert result.days == days


def test_response_is_not_confirmed_by_a_visit_after_the_cutoff() -> None:
    patient = history("PR42 PR84 PD126")
    assert shown(ttr(patient, 83)) == "none"
    assert shown(dor(patient, 83)) == "none"
    assert shown(dor(patient, 84)) == "C84"
    assert shown(dor(patient, 126)) == "E126"


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({SYSTEMIC}, "C84"),
        ({RADIOTHERAPY}, "C42"),
        ({SYSTEMIC, RADIOTHERAPY}, "C42"),
        ({SURGERY}, "E168"),
        (set(), "E168"),
    ],
)
def test_which_therapies_count_is_the_definition_s(kinds: set[TherapyKind], expected: str) -> None:
    patient = replace(
        history("SD42 SD84 SD126 PD168"), therapies=(start(100), start(50, RADIOTHERAPY))
    )
    assert shown(pfs(patient, rule=FDA, therapies=frozenset(kinds))) == expected


def test_another_schedule_moves_the_limit() -> None:
    for words, expected in (("SD42 PD168", "E168"), ("SD42 PD169", "C42")):
        result = progression_free_survival(
            prepare(history(words), day(FAR)),
            censoring=Censoring(rule=FDA),
            assessment_interval_days=56,
            assessment_window_days=7,
        )
        assert shown(result) == expected


def iso(days: int) -> str:
    return day(days).isoformat()


REASONS = [
    # patient, rule, code, parameters, source
    (
        history("SD42 PD84"),
        FDA,
        "progression",
        {"date": iso(84)},
        Source("visit", 84, "date"),
    ),
    (
        history("SD42?a SD84?a PD126!a"),
        FDA,
        "progression_dated_back",
        {"date": iso(42), "confirmed_on": iso(126)},
        Source("visit", 42, "date"),
    ),
    (
        history("SD42 PD84", died=84),
        FDA,
        "progression",
        {"date": iso(84)},
        Source("visit", 84, "date"),
    ),
    (
        history("SD42", died=84),
        EMA,
        "death",
        {"date": iso(84)},
        Source("patient", 1, "died_on"),
    ),
    (
        history("SD42 NE84"),
        LAST_PROGRESSION_FREE,
        "censored_last_assessment",
        {"date": iso(42)},
        Source("visit", 42, "date"),
    ),
    (
        history(),
        LAST_PROGRESSION_FREE,
        "censored_never_assessed",
        {"date": iso(0)},
        FIRST_DOSE,
    ),
    (
        history("NE42"),
        LAST_PROGRESSION_FREE,
        "censored_never_evaluable",
        {"date": iso(0)},
        FIRST_DOSE,
    ),
    (
        history("SD42", baseline=False),
        FDA,
        "censored_no_baseline",
        {"date": iso(0)},
        FIRST_DOSE,
    ),
    (
        history("SD42 PD84", therapy=50),
        FDA,
        "censored_new_therapy",
        {"date": iso(42), "started_on": iso(50)},
        Source("visit", 42, "date"),
    ),
    (
        history("SD42 PD84", therapy=20),
        FDA,
        "censored_new_therapy_at_origin",
        {"date": iso(0), "started_on": iso(20)},
        FIRST_DOSE,
    ),
    (
        history("SD42 PD141"),
        FDA,
        "censored_missed_assessments",
        {"date": iso(42), "event_on": iso(141), "days": 99, "limit": 98},
        Source("visit", 42, "date"),
    ),
    (
        history(died=120),
        FDA,
        "censored_missed_assessments_at_origin",
        {"date": iso(0), "event_on": iso(120), "days": 120, "limit": 98},
        FIRST_DOSE,
    ),
]


@pytest.mark.parametrize(("patient", "rule", "code", "parameters", "source"), REASONS)
def test_reason_and_source_of_progression_free_survival(
    patient: PatientHistory,
    rule: CensoringRule,
    code: str,
    parameters: dict[str, str | int],
    source: Source,
) -> None:
    result = pfs(patient, rule=rule)
    assert result is not None
    assert (result.reason.code, result.reason.parameters) == (code, parameters)
    assert result.source == source


@pytest.mark.parametrize(
    ("patient", "code", "on", "source"),
    [
        (history(died=50), "death", 50, Source("patient", 1, "died_on")),
        (history("SD42"), "censored_last_known_alive", 42, Source("visit", 42, "date")),
        (history(), "censored_last_known_alive", 0, FIRST_DOSE),
        (
            history("SD42", therapy=60),
            "censored_last_known_alive",
            60,
            Source("therapy", 60, "started_on"),
        ),
        (history(died=201), "censored_alive_on_cutoff", 200, Source("patient", 1, "died_on")),
        (history(alive=200), "censored_alive_on_cutoff", 200, seen_alive(200).source),
    ],
)
def test_reason_and_source_of_overall_survival(
    patient: PatientHistory, code: str, on: int, source: Source
) -> None:
    result = os(patient, 200)
    assert result is not None
    assert (result.reason.code, result.reason.parameters) == (code, {"date": iso(on)})
    assert result.source == source


@pytest.mark.parametrize(
    ("cutoff", "code"), [(49, "censored_last_assessment"), (50, "censored_new_therapy")]
)
def test_therapy_is_known_from_its_day_on(cutoff: int, code: str) -> None:
    result = pfs(history("SD42", therapy=50), cutoff, rule=FDA)
    assert result is not None
    assert result.reason.code == code


def test_reasons_of_a_response() -> None:
    confirmed = ttr(history("PR42 CR84"))
    taken = ttr(history("PR42 SD84"), required=False)
    assert confirmed is not None
    assert taken is not None
    assert confirmed.reason.code == "response_confirmed"
    assert confirmed.reason.parameters == {
        "response": "PR",
        "date": iso(42),
        "confirmed_on": iso(84),
    }
    assert (taken.reason.code, taken.reason.parameters) == (
        "response",
        {"response": "PR", "date": iso(42)},
    )
    assert confirmed.source == taken.source == Source("visit", 42, "date")


days_from_origin = st.integers(-20, 400)
labels = st.frozensets(st.sampled_from("ab"), max_size=1)
dated = days_from_origin.map(seen_alive)
records_at = st.builds(
    Record,
    date=days_from_origin.map(day),
    response=st.sampled_from(Response),
    source=st.integers(1, 9),
    equivocal=labels,
    unequivocal=labels,
)
histories = st.builds(
    PatientHistory,
    origin=st.just(Dated(ORIGIN, FIRST_DOSE)),
    records=st.lists(records_at, max_size=8).map(tuple),
    died=st.none() | st.integers(0, 400).map(seen_alive),
    therapies=st.lists(
        st.builds(start, days_from_origin, st.sampled_from(TherapyKind)), max_size=2
    ).map(tuple),
    alive=st.lists(dated, max_size=2).map(tuple),
    has_baseline=st.booleans(),
)
definitions = st.builds(
    lambda rule, censor_at, required: EndpointDefinition(
        censoring=Censoring(rule=rule, censor_at=censor_at),
        confirmation=defined(required=required).confirmation,
    ),
    st.sampled_from(CensoringRule),
    st.sampled_from(CensorAt),
    st.booleans(),
)


def known_at(patient: PatientHistory, cutoff: Date) -> PatientHistory:
    """The same patient without anything dated after the cutoff."""
    return replace(
        patient,
        records=tuple(record for record in patient.records if record.date <= cutoff),
        died=patient.died if patient.died and patient.died.date <= cutoff else None,
        therapies=tuple(therapy for therapy in patient.therapies if therapy.date <= cutoff),
        alive=tuple(evidence for evidence in patient.alive if evidence.date <= cutoff),
    )


def everything(patient: PatientHistory, cutoff: Date, definition: EndpointDefinition) -> list[Any]:
    """All that must not depend on what came after the cutoff."""
    prepared = prepare(patient, cutoff)
    counted = prepared.counted(definition.censoring.therapies)
    return [
        best_overall_response(counted, prepared.origin_date, definition),
        confirmed_best_response(counted, prepared.origin_date, definition),
        progression_free_survival(prepared, censoring=definition.censoring, **SCHEDULE),
        duration_of_response(prepared, definition=definition, **SCHEDULE),
        time_to_response(prepared, definition=definition),
    ]


@given(histories, st.integers(0, 400).map(day), definitions)
def test_nothing_after_the_cutoff_changes_a_result(
    patient: PatientHistory, cutoff: Date, definition: EndpointDefinition
) -> None:
    known = known_at(patient, cutoff)
    assert everything(patient, cutoff, definition) == everything(known, cutoff, definition)


@given(histories, st.integers(0, 400).map(day))
def test_evidence_after_the_cutoff_proves_life_on_it(patient: PatientHistory, cutoff: Date) -> None:
    known = known_at(patient, cutoff)
    ours, without = (overall_survival(prepare(each, cutoff)) for each in (patient, known))
    assert ours is not None
    assert without is not None
    assert ours.event == without.event
    same = ours.event or known == patient
    assert ours.date == (without.date if same else cutoff)


@given(histories, st.integers(0, 400).map(day), definitions)
def test_results_lie_between_origin_and_cutoff(
    patient: PatientHistory, cutoff: Date, definition: EndpointDefinition
) -> None:
    prepared = prepare(patient, cutoff)
    survival = overall_survival(prepared)
    for result in [*everything(patient, cutoff, definition)[2:], survival]:
        if result is not None:
            assert ORIGIN <= result.date <= cutoff
            assert 1 <= result.days <= (result.date - ORIGIN).days + 1
    progression_free = everything(patient, cutoff, definition)[2]
    assert survival is not None
    assert progression_free.days <= survival.days


@given(histories, st.integers(0, 400).map(day), st.sampled_from(CensorAt))
def test_rules_beside_each_other(
    patient: PatientHistory, cutoff: Date, censor_at: CensorAt
) -> None:
    default, fda, ema = (
        pfs(patient, (cutoff - ORIGIN).days, rule=rule, censor_at=censor_at)
        for rule in CensoringRule
    )
    assert default is not None
    assert fda is not None
    assert ema == default
    assert fda.days <= default.days
    assert not fda.event or fda == default


@given(histories, st.integers(0, 400).map(day))
def test_prepared_records_are_those_of_best_response(patient: PatientHistory, cutoff: Date) -> None:
    prepared = prepare(replace(patient, died=None), cutoff)
    therapy = prepared.therapy(frozenset({SYSTEMIC}))
    assert prepared.counted(frozenset({SYSTEMIC})) == counted_records(
        patient.records, ORIGIN, cutoff, therapy.date if therapy else None
    )
