"""Soft checks become queries on save: opened, answered, closed by the value, and voided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from outcomes import actions
from outcomes.entries import Acknowledgement, VisitEntry
from outcomes.models import Visit
from patients import actions as patient_actions
from patients import query_actions
from patients.models import Patient, Query, QueryMessage
from registry.errors import Refused
from tests import factories
from tests.conftest import Cast
from tests.factories import START, non_target, target


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """With a baseline of 50 and 30 mm."""
    found = factories.patient(cast.trial)
    factories.baseline(found, by=cast.coordinator)
    return found


def entry(
    day: int,
    *mm: str | int,
    acknowledged: Iterable[Acknowledgement] = (),
    stated: tuple[str, str] = ("", ""),
) -> VisitEntry:
    """An unscheduled follow-up, which no window speaks of."""
    return VisitEntry(
        kind="unscheduled",
        date=START + timedelta(days=day),
        targets=tuple(target(f"T{i:02}", value) for i, value in enumerate(mm, 1)),
        non_targets=(non_target("NT01"),),
        new_lesions=(),
        acknowledged=tuple(acknowledged),
        stated_response=stated[0],
        stated_response_reason=stated[1],
    )


def saved(patient: Patient, cast: Cast, said: VisitEntry) -> Visit:
    """The visit, recorded by the coordinator."""
    return actions.record_visit(patient=patient, entry=said, by=cast.coordinator)


def corrected(visit: Visit, cast: Cast, said: VisitEntry) -> Visit:
    """The visit, corrected by the colleague."""
    stored = Visit.objects.get(pk=visit.pk)
    return actions.correct_visit(
        visit=stored, entry=said, by=cast.colleague, reason="misread", version=stored.version
    )


def queries(patient: Patient) -> list[str]:
    """Each as `code lesion state because value`, the oldest first."""
    rows = Query.objects.filter(patient=patient).order_by("pk")
    return [
        " ".join(part for part in (q.code, q.lesion, q.state, q.closed_because, q.closed_value)
                 if part)
        for q in rows
    ]  # fmt: skip


def messages(patient: Patient) -> list[str]:
    """Each as `name action text`."""
    rows = QueryMessage.objects.filter(patient=patient).order_by("pk").select_related("by")
    return [f"{m.by} {m.action} {m.text}".strip() for m in rows]


CONFIRMED = Acknowledgement("large_change", "T02")
COMMENTED = Acknowledgement("large_change", "T02", "embolized")


def test_what_nobody_acknowledged_opens_a_query(cast: Cast, patient: Patient) -> None:
    visit = saved(patient, cast, entry(42, 49, 12))
    query = Query.objects.get()
    assert queries(patient) == ["large_change T02 open"]
    assert (query.subject, query.record_id, query.field) == ("visit", visit.pk, "diameter_mm")
    assert query.opened_by is None
    assert query.parameters == {
        "lesion": "T02", "value": "12", "previous_mm": "30", "previous_on": "2024-01-15",
        "change_percent": "-60.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("acknowledged", "state", "said"),
    [
        (CONFIRMED, "confirmed", "coordinator confirmed"),
        (COMMENTED, "commented", "coordinator commented embolized"),
    ],
)
def test_what_somebody_acknowledged_is_kept_as_a_closed_query(
    cast: Cast, patient: Patient, acknowledged: Acknowledgement, state: str, said: str
) -> None:
    saved(patient, cast, entry(42, 49, 12, acknowledged=[acknowledged]))
    assert queries(patient) == [f"large_change T02 closed {state}"]
    assert messages(patient) == [said]


def test_an_acknowledged_value_is_not_asked_about_twice_but_another_one_is(
    cast: Cast, patient: Patient
) -> None:
    visit = saved(patient, cast, entry(42, 49, 12, acknowledged=[CONFIRMED]))
    corrected(visit, cast, entry(42, 48, 12))
    once = "large_change T02 closed confirmed"
    assert queries(patient) == [once]
    preview = actions.preview_visit(patient=patient, entry=entry(42, 48, 12), visit=visit)
    assert preview.soft_checks == ()
    corrected(visit, cast, entry(42, 48, 11))
    assert queries(patient) == [once, "large_change T02 open"]


def test_a_later_acknowledgement_closes_what_is_open(cast: Cast, patient: Patient) -> None:
    visit = saved(patient, cast, entry(42, 49, 12))
    corrected(visit, cast, entry(42, 48, 12))
    assert queries(patient) == ["large_change T02 open"]
    corrected(visit, cast, entry(42, 48, 12, acknowledged=[COMMENTED]))
    assert queries(patient) == ["large_change T02 closed commented"]
    assert messages(patient) == ["colleague commented embolized"]


def test_a_value_that_fits_closes_its_query_and_is_named(cast: Cast, patient: Patient) -> None:
    visit = saved(patient, cast, entry(42, 49, 12))
    corrected(visit, cast, entry(42, 49, "28"))
    assert queries(patient) == ["large_change T02 closed value_changed 28"]
    corrected(visit, cast, entry(42, 49, 12))
    assert queries(patient)[1:] == ["large_change T02 open"]  # nobody has confirmed it


def test_an_earlier_visit_that_changes_closes_the_query_of_a_later_one(
    cast: Cast, patient: Patient
) -> None:
    first = saved(patient, cast, entry(42, 49, 29))
    saved(patient, cast, entry(84, 48, 12))
    assert queries(patient) == ["large_change T02 open"]
    corrected(first, cast, entry(42, 49, 23, acknowledged=()))
    assert queries(patient) == ["large_change T02 closed value_changed 12"]


def test_a_question_whose_numbers_change_is_asked_anew(cast: Cast, patient: Patient) -> None:
    first = saved(patient, cast, entry(42, 49, 29))
    saved(patient, cast, entry(84, 48, 12))
    corrected(first, cast, entry(42, 49, 28))
    assert queries(patient) == [
        "large_change T02 closed value_changed 12", "large_change T02 open",
    ]  # fmt: skip
    assert Query.objects.open().get().parameters["previous_mm"] == "28"


def test_voiding_a_visit_closes_its_queries(cast: Cast, patient: Patient) -> None:
    visit = saved(patient, cast, entry(42, 49, 12))
    actions.void_visit(visit=visit, by=cast.investigator, reason="wrong patient", version=1)
    assert queries(patient) == ["large_change T02 closed voided"]


def test_a_stated_response_that_differs_is_answered_by_its_reason_and_stays_open(
    cast: Cast, patient: Patient
) -> None:
    said = ("PD", "new ascites")
    visit = saved(
        patient, cast,
        entry(42, 49, 29, acknowledged=[Acknowledgement("stated_response_differs")], stated=said),
    )  # fmt: skip
    assert queries(patient) == ["stated_response_differs answered"]
    assert messages(patient) == ["coordinator answered new ascites"]
    corrected(visit, cast, entry(42, 48, 29, stated=said))
    assert queries(patient) == ["stated_response_differs answered"]
    corrected(visit, cast, entry(42, 48, 29))
    assert queries(patient) == ["stated_response_differs closed value_changed"]


@pytest.mark.parametrize(
    ("acknowledged", "pointer"),
    [
        (Acknowledgement("no_such_check"), "/acknowledged/0/code"),
        (Acknowledgement("copied", "T09"), "/acknowledged/0/lesion"),
        (Acknowledgement("copied", "", "x" * 1001), "/acknowledged/0/comment"),
    ],
)
def test_an_acknowledgement_of_nothing_is_refused(
    cast: Cast, patient: Patient, acknowledged: Acknowledgement, pointer: str
) -> None:
    with pytest.raises(Refused) as refused:
        saved(patient, cast, entry(42, 49, 29, acknowledged=[acknowledged]))
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_an_acknowledgement_of_what_was_not_asked_says_nothing(
    cast: Cast, patient: Patient
) -> None:
    saved(patient, cast, entry(42, 49, 29, acknowledged=[CONFIRMED]))
    assert queries(patient) == []


def test_two_checks_of_one_visit_are_two_queries(cast: Cast, patient: Patient) -> None:
    saved(patient, cast, entry(42, 5, 12, acknowledged=[replace(CONFIRMED, lesion="T01")]))
    assert queries(patient) == [
        "unit_slip T01 open", "measured_five T01 open", "large_change T02 open",
    ]  # fmt: skip


def test_an_earlier_correction_that_makes_a_later_stated_response_differ_asks_there(
    cast: Cast, patient: Patient
) -> None:
    first = saved(patient, cast, entry(42, 49, 29))
    later = saved(patient, cast, entry(84, 49, 29, stated=("SD", "")))
    first_said = entry(42, 40, 24)  # 64 mm: the 78 mm of the later one are 21.9 % more, 14 mm
    corrected(first, cast, first_said)
    assert queries(patient)[1:] == ["stated_response_differs open"]  # after "copied"
    query = Query.objects.get(code="stated_response_differs")
    assert query.record_id == later.pk
    assert query.parameters == {"value": "SD", "derived": "PD", "reason": ""}
    query_actions.close_query(query=query, by=cast.investigator, reason="known", version=1)
    corrected(first, cast, entry(42, 40, 23))
    assert queries(patient)[1:] == ["stated_response_differs closed resolved"]


def test_a_visit_recorded_in_between_asks_about_a_later_stated_response_too(
    cast: Cast, patient: Patient
) -> None:
    later = saved(patient, cast, entry(84, 49, 29, stated=("SD", "")))
    between = saved(patient, cast, entry(42, 40, 24))
    assert queries(patient) == ["stated_response_differs open"]
    assert Query.objects.get().record_id == later.pk
    stored = Visit.objects.get(pk=between.pk)
    actions.void_visit(
        visit=stored, by=cast.investigator, reason="not theirs", version=stored.version
    )
    assert queries(patient) == ["stated_response_differs closed value_changed SD"]


def test_an_earlier_correction_asks_about_a_later_value_that_is_unusual_since(
    cast: Cast, patient: Patient
) -> None:
    first = saved(patient, cast, entry(42, 49, 29))
    later = saved(patient, cast, entry(84, 48, 23))
    assert queries(patient) == []
    corrected(first, cast, entry(42, 49, 44))  # from 30 mm: 46.7 %; to 23 mm: -47.7 %
    assert queries(patient) == []
    corrected(first, cast, entry(42, 49, 46))  # from 30 mm: 53.3 %; to 23 mm: -50 %
    assert queries(patient) == ["large_change T02 open"] * 2
    assert set(Query.objects.values_list("record_id", flat=True)) == {first.pk, later.pk}


def test_a_first_dose_that_moves_closes_the_window_queries_that_fit_now(
    cast: Cast, patient: Patient
) -> None:
    scheduled = replace(entry(60, 49, 29), kind="scheduled")
    saved(patient, cast, scheduled)  # planned 42 +- 7 days after the first dose, a day after START
    assert queries(patient) == ["outside_window open"]

    def move(days: int) -> None:
        stored = Patient.objects.get(pk=patient.pk)
        patient_actions.update_patient(
            patient=stored,
            changes={"first_dose_on": START + timedelta(days=days)},
            by=cast.coordinator,
            reason="misread",
            version=stored.version,
        )

    move(2)
    assert queries(patient)[-1] == "outside_window open"  # of another window
    move(18)
    assert queries(patient)[-1].startswith("outside_window closed value_changed")
    assert not Query.objects.open().exists()
    move(1)
    assert not Query.objects.open().exists()  # nobody touched the visit
