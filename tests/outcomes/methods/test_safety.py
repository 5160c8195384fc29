"""Adverse events by patient: tables counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date as Date
from datetime import timedelta
from typing import Any

import pytest

from outcomes.methods.safety import (
    Counts,
    Event,
    Person,
    Safety,
    Share,
    Tally,
    adverse_events,
    counting,
    under,
)

FIRST = Date(2024, 1, 16)  # first dose
LAST = Date(2024, 3, 26)  # last dose
CUTOFF = Date(2024, 6, 30)
WINDOW = 21  # days: to 2024-04-16


def event(
    term: str = "Fatigue", grade: int = 1, on: Date = FIRST, *, related: bool = True, **more: Any
) -> Event:
    """A related event on the day of the first dose, not serious."""
    return Event(term, grade, related, **{"serious": False} | more, started_on=on)


def person(*events: Event, first: Date | None = FIRST, last: Date | None = LAST) -> Person:
    """A patient with these events."""
    return Person(first, last, events)


def counted(*people: Person, cutoff: Date = CUTOFF, window_days: int = WINDOW) -> Safety:
    """What the method says."""
    return adverse_events(people, cutoff=cutoff, window_days=window_days)


def figures(counts: Counts) -> tuple[int, ...]:
    """Patients with any grade, >= 3, 3 to 4, 5, serious."""
    found = (counts.any_grade, counts.grade_3_or_more, counts.grade_3_4, counts.grade_5, counts.serious)  # fmt: skip
    return tuple(share.patients for share in found)


PERIOD = [  # started on, last dose on, cutoff, counts
    (FIRST - timedelta(days=1), LAST, CUTOFF, False),  # before the first dose
    (FIRST, LAST, CUTOFF, True),
    (LAST + timedelta(days=21), LAST, CUTOFF, True),  # the window's last day
    (LAST + timedelta(days=22), LAST, CUTOFF, False),
    (LAST + timedelta(days=22), None, CUTOFF, True),  # still treated
    (CUTOFF, None, CUTOFF, True),
    (CUTOFF + timedelta(days=1), None, CUTOFF, False),
    (LAST + timedelta(days=5), LAST, LAST + timedelta(days=4), False),  # in the window, later
    (LAST, LAST, LAST - timedelta(days=1), False),  # on the cutoff still treated
    (Date(2024, 3, 20), LAST, Date(2024, 3, 20), True),
    (FIRST, FIRST, CUTOFF, True),  # one dose
]


@pytest.mark.parametrize(("on", "last", "cutoff", "counts"), PERIOD)
def test_when_an_event_counts(on: Date, last: Date | None, cutoff: Date, counts: bool) -> None:
    found = counted(person(event(on=on), last=last), cutoff=cutoff)
    assert found.any_term.all_causes.any_grade == Share(int(counts), 1)
    assert len(found.terms) == counts


def test_the_window_is_the_trials_own() -> None:
    late = person(event(on=LAST + timedelta(days=30)))
    assert [counted(late, window_days=days).terms == () for days in (29, 30, 0)] == [
        True, False, True,
    ]  # fmt: skip


def test_the_population_is_whoever_had_a_dose_by_the_cutoff() -> None:
    never = person(event(), first=None, last=None)
    later = person(event(on=CUTOFF), first=CUTOFF + timedelta(days=1), last=None)
    on_the_day = person(event(on=CUTOFF), first=CUTOFF, last=None)
    quiet = person()
    found = counted(never, later, on_the_day, quiet)
    assert found.n == 2
    assert found.any_term.all_causes.any_grade == Share(1, 2)
    assert [row.term for row in found.terms] == ["Fatigue"]


def test_nobody_treated_is_no_share() -> None:
    found = counted(person(event(), first=None))
    assert found.n == 0
    assert found.terms == ()
    assert found.any_term.related.any_grade == Share(0, 0)
    assert found.any_term.related.any_grade.estimate is None


WORST = [  # one patient's events as (term, grade, related, serious); figures of all, of related
    ([], (0, 0, 0, 0, 0), (0, 0, 0, 0, 0)),
    ([("a", 1, False, False)], (1, 0, 0, 0, 0), (0, 0, 0, 0, 0)),
    ([("a", 2, True, False)] * 3, (1, 0, 0, 0, 0), (1, 0, 0, 0, 0)),
    ([("a", 1, True, False), ("a", 3, True, False)], (1, 1, 1, 0, 0), (1, 1, 1, 0, 0)),
    ([("a", 4, False, True), ("b", 2, True, False)], (1, 1, 1, 0, 1), (1, 0, 0, 0, 0)),
    ([("a", 3, True, False), ("b", 5, True, True)], (1, 1, 0, 1, 1), (1, 1, 0, 1, 1)),
    ([("a", 3, True, False), ("b", 5, False, True)], (1, 1, 0, 1, 1), (1, 1, 1, 0, 0)),
    ([("a", 1, True, True), ("b", 3, True, False)], (1, 1, 1, 0, 1), (1, 1, 1, 0, 1)),
]


@pytest.mark.parametrize(("events", "everything", "related"), WORST)
def test_a_patient_counts_once_by_the_worst_grade(
    events: list[tuple[str, int, bool, bool]],
    everything: tuple[int, ...],
    related: tuple[int, ...],
) -> None:
    rows = (event(t, grade, related=r, serious=s) for t, grade, r, s in events)
    found = counted(person(*rows)).any_term
    assert figures(found.all_causes) == everything
    assert figures(found.related) == related


def test_a_table_by_hand() -> None:
    """Five treated patients: three with hypertension, two with fatigue, one with sepsis."""
    found = counted(
        person(event("Hypertension", 3), event("Hypertension", 2), event("Fatigue", 1)),
        person(event("hypertension ", 4, serious=True), event("Sepsis", 5, related=False)),
        person(event("Hypertension", 2, related=False)),
        person(event("Fatigue", 3)),
        person(),
    )
    assert found.n == 5
    assert figures(found.any_term.all_causes) == (4, 3, 2, 1, 1)
    assert figures(found.any_term.related) == (3, 3, 3, 0, 1)
    assert found.any_term.all_causes.any_grade.estimate == 0.8
    rows = {
        row.term: (figures(row.incidence.all_causes), figures(row.incidence.related))
        for row in found.terms
    }
    assert rows == {
        "Hypertension": ((3, 2, 2, 0, 1), (2, 2, 2, 0, 1)),
        "Fatigue": ((2, 1, 1, 0, 0), (2, 1, 1, 0, 0)),
        "Sepsis": ((1, 1, 0, 1, 0), (0, 0, 0, 0, 0)),
    }
    assert list(rows) == ["Hypertension", "Fatigue", "Sepsis"]


def test_terms_are_sorted_by_frequency_then_severity_then_name() -> None:
    rows = [("Rash", 1), ("anemia", 1), ("Nausea", 3), ("Fatigue", 1)]
    found = counted(person(*(event(term, grade) for term, grade in rows)), person(event("Fatigue")))
    assert [row.term for row in found.terms] == ["Fatigue", "Nausea", "anemia", "Rash"]


def test_the_most_frequent_spelling_names_a_term() -> None:
    spellings = ("HYPERTENSION", "Hypertension", "hyper\u00a0 tension", "Hypertension")
    found = counted(*(person(event(spelling)) for spelling in spellings))
    assert [(row.term, row.incidence.related.any_grade.patients) for row in found.terms] == [
        ("Hypertension", 3),
        ("hyper\u00a0 tension", 1),
    ]


def test_the_published_totals_of_the_second_seed() -> None:
    """Sun 2022: 29 of 32 patients with any adverse event (90.6 %), 13 of grade 3 or 4 (40.6 %)."""
    grades = [3] * 9 + [4] * 4 + [1] * 8 + [2] * 8
    people = [person(event(grade=grade)) for grade in grades] + [person()] * 3
    found = counted(*people).any_term.all_causes
    assert (found.any_grade, found.grade_3_4) == (Share(29, 32), Share(13, 32))
    assert f"{100 * (found.any_grade.estimate or 0):.1f}" == "90.6"
    assert f"{100 * (found.grade_3_4.estimate or 0):.1f}" == "40.6"


# By hand: a patient's events as (term, grade, related, serious, action), what the patient counts for
# among all events, and the events behind each number.
COUNTED = [
    ([("a", 1, True, False, "none")], {"any_grade": "a", "grade_1": "a"}),
    (
        [("a", 1, True, False, "none"), ("b", 2, False, True, "dose_reduced")],
        {"any_grade": "ab", "grade_2": "b", "serious": "b", "dose_reduced": "b"},
    ),
    (
        [("a", 3, True, False, "drug_interrupted"), ("b", 3, True, False, "drug_withdrawn"),
         ("c", 2, True, False, "drug_withdrawn")],
        {"any_grade": "abc", "grade_3_or_more": "ab", "grade_3_4": "ab", "grade_3": "ab",
         "drug_interrupted": "a", "drug_withdrawn": "bc"},
    ),
    (
        [("a", 4, True, True, "unknown"), ("b", 3, True, False, "not_applicable")],
        {"any_grade": "ab", "grade_3_or_more": "ab", "grade_3_4": "a", "grade_4": "a",
         "serious": "a"},
    ),
    (
        [("a", 5, False, True, ""), ("b", 4, True, True, "")],
        {"any_grade": "ab", "grade_3_or_more": "ab", "grade_5": "a", "serious": "ab"},
    ),
    ([], {}),
]  # fmt: skip


@pytest.mark.parametrize(("events", "expected"), COUNTED)
def test_what_a_patient_counts_for_and_why(
    events: list[tuple[str, int, bool, bool, str]], expected: dict[str, str]
) -> None:
    of = tuple(
        event(term, grade, related=related, serious=serious, action=action)
        for term, grade, related, serious, action in events
    )
    counts = counted(person(*of)).any_term.all_causes
    for tally in Tally:
        behind = "".join(one.term for one in counting(tally, of))
        assert behind == expected.get(tally, ""), tally
        assert counts.of(tally) == Share(int(tally in expected), 1), tally


def test_worst_grades_add_up() -> None:
    people = [person(event(grade=1 + n % 5), event(grade=1 + n % 3)) for n in range(15)]
    counts = counted(*people, person()).any_term.all_causes
    # grades (1,1) (2,2) (3,3) (4,1) (5,2) (1,3) (2,1) (3,2) (4,3) (5,1) (1,2) (2,3) (3,1) (4,2) (5,3)
    assert [share.patients for share in counts.worst_grades] == [1, 3, 5, 3, 3]
    assert sum(share.patients for share in counts.worst_grades) == counts.any_grade.patients == 15
    assert counts.grade_5 == Share(3, 16)


def test_a_patient_counts_once_in_a_class() -> None:
    """Two terms of one class in one patient are one patient of it."""
    belongs = {"Diarrhea": "Gut", "Vomiting": "Gut", "Rash": "Skin"}
    one = person(event("Diarrhea"), event("Vomiting", 3), event("Rash"))
    found = counted(*under([one, person(event("Vomiting"))], lambda term: belongs[term]))
    assert [(row.term, figures(row.incidence.all_causes)[:2]) for row in found.terms] == [
        ("Gut", (2, 1)), ("Skin", (1, 0)),
    ]  # fmt: skip


DURATIONS = [  # first dose, last dose, until, days
    (FIRST, FIRST, CUTOFF, 1),
    (FIRST, LAST, CUTOFF, 71),  # 16 days of January, 29, 26
    (FIRST, LAST, Date(2024, 1, 20), 5),
    (FIRST, None, Date(2024, 1, 20), 5),  # still treated
    (FIRST, None, Date(2024, 1, 15), None),
    (None, None, CUTOFF, None),
]


@pytest.mark.parametrize(("first", "last", "until", "days"), DURATIONS)
def test_days_of_treatment(
    first: Date | None, last: Date | None, until: Date, days: int | None
) -> None:
    assert person(first=first, last=last).treated_days(until) == days


def on(day: int) -> Date:
    """Day 1 is the first dose."""
    return FIRST + timedelta(days=day - 1)


# doses by their days, the stated last dose -> the last day of treatment at the cutoff on day 60,
# and the last on which an event counts where the window is 21 days
PERIODS = {
    "none recorded, still treated": ((), None, 60, 60),
    "none recorded, a stated day": ((), 30, 30, 51),
    "a dose that lasts": (((1, None),), 1, 60, 60),
    "reduced, and lasts": (((1, 14), (22, None)), 22, 60, 60),
    "ended": (((1, 14),), 14, 14, 35),
    "ended later than the cutoff": (((1, 84),), 84, 60, 60),
    "the next one begins after the cutoff": (((1, 14), (70, None)), 70, 14, 35),
    "not all of them are recorded": (((1, 14),), 28, 28, 49),
    "none by then, the first is stated": (((70, 84),), 84, 60, 60),
    "in any order": (((22, 35), (1, 14)), 35, 35, 56),
}


@pytest.mark.parametrize("case", PERIODS)
def test_the_period_of_each_dose_counts(case: str) -> None:
    doses, stated, last, counts = PERIODS[case]
    periods = tuple((on(first), on(end) if end else None) for first, end in doses)
    known = replace(
        person(last=on(stated) if stated else None),
        doses=periods,
        events=tuple(event(on=on(day)) for day in range(1, 100)),
    )
    assert known.last_dose_by(on(60)) == on(last)
    assert known.counted(on(60), 21)[-1].started_on == on(counts)
