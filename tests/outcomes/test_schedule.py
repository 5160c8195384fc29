"""The next scan of stored patients: what ends the scans, what visits are called, in one statement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from outcomes import actions, schedule
from outcomes.entries import VisitEntry
from outcomes.models import Visit
from patients.models import Disposition, Patient
from tests import factories
from tests.conftest import Cast
from tests.factories import START
from trials.models import Trial
from trials.vocabularies import Status

FIRST_DOSE = START + timedelta(days=1)  # 2024-01-16: week 6 is 2024-02-27


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient with a baseline."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    return row


def label(patient: Patient) -> str | None:
    found = schedule.expected(Patient.objects.get(pk=patient.pk))
    return found.label if found else None


def test_from_the_baseline_to_week_12(cast: Cast, patient: Patient) -> None:
    found = schedule.expected(patient)
    assert found
    assert (found.label, found.first, found.due, found.last) == (
        "Week 6", date(2024, 2, 20), date(2024, 2, 27), date(2024, 3, 5),
    )  # fmt: skip
    factories.follow_up(patient, 43, by=cast.coordinator)
    assert label(patient) == "Week 12"


def test_a_patient_without_a_baseline(cast: Cast) -> None:
    found = schedule.expected(factories.patient(cast.trial))
    assert found
    assert found.baseline
    assert (found.label, found.first, found.last) == ("Baseline", date(2023, 12, 19), FIRST_DOSE)


def test_an_unscheduled_visit_moves_nothing(cast: Cast, patient: Patient) -> None:
    factories.follow_up(patient, 43, by=cast.coordinator)
    targets = (factories.target("T01", 50), factories.target("T02", 30))
    entry = VisitEntry(
        kind="unscheduled", date=START + timedelta(days=80), targets=targets,
        non_targets=(factories.non_target("NT01"),), new_lesions=(),
    )  # fmt: skip
    visit = actions.record_visit(patient=patient, entry=entry, by=cast.coordinator)
    assert label(patient) == "Week 12"
    assert schedule.week_label(visit) == "Unscheduled"
    assert schedule.planned_for(visit) is None


def test_a_voided_visit_takes_no_place(cast: Cast, patient: Patient) -> None:
    visit = factories.follow_up(patient, 43, by=cast.coordinator)
    actions.void_visit(visit=visit, by=cast.investigator, reason="test", version=visit.version)
    assert label(patient) == "Week 6"


@pytest.mark.parametrize(
    ("first_dose_on", "randomized_on", "due"),
    [
        (None, None, START + timedelta(days=42)),  # counted from the enrollment
        (None, START + timedelta(days=3), START + timedelta(days=45)),
        (START + timedelta(days=9), START + timedelta(days=3), START + timedelta(days=51)),
    ],
)
def test_the_day_it_is_counted_from(
    cast: Cast, patient: Patient, first_dose_on: date | None, randomized_on: date | None, due: date
) -> None:
    Patient.objects.filter(pk=patient.pk).update(
        first_dose_on=first_dose_on, randomized_on=randomized_on
    )
    found = schedule.expected(patient)
    assert found
    assert (found.label, found.due) == ("Week 6", due)


def died(patient: Patient, cast: Cast) -> None:
    Patient.objects.filter(pk=patient.pk).update(died_on=START + timedelta(days=90))


def progressed(patient: Patient, cast: Cast) -> None:
    factories.follow_up(patient, 43, (70, 40), by=cast.coordinator)


def disposed(kind: str, **facts: bool) -> Callable[[Patient, Cast], None]:
    def record(patient: Patient, cast: Cast) -> None:
        Disposition.objects.create(
            patient=patient, kind=kind, on=START + timedelta(days=60), **facts
        )

    return record


def consent_withdrawn(patient: Patient, cast: Cast) -> None:
    consent = factories.consent(patient, by=cast.coordinator)
    type(consent).objects.update(withdrawn_on=START + timedelta(days=50))


def withdrawn_but_followed(patient: Patient, cast: Cast) -> None:
    consent_withdrawn(patient, cast)
    disposed("withdrawn", follow_up_continues=True)(patient, cast)


def status(value: str) -> Callable[[Patient, Cast], None]:
    def change(patient: Patient, cast: Cast) -> None:
        Trial.objects.filter(pk=patient.trial_id).update(status=value)

    return change


@pytest.mark.parametrize(
    ("happens", "why_not"),
    [
        (died, "The patient died."),
        (progressed, "The disease progressed: the planned scans end with it."),
        (consent_withdrawn, "The patient withdrew."),
        (withdrawn_but_followed, ""),
        (disposed("withdrawn", follow_up_continues=False), "The patient withdrew."),
        (disposed("withdrawn", follow_up_continues=True), ""),
        (disposed("lost_to_follow_up"), "The patient was lost to follow-up."),
        (disposed("completed"), "The patient completed the study."),
        (disposed("treatment_discontinued"), ""),  # scans go on until progression
        *(
            (status(value), "The trial is closed, or suspended." if closed else "")
            for value, closed in (
                (Status.COMPLETED, True),
                (Status.TERMINATED, True),
                (Status.WITHDRAWN, True),
                (Status.SUSPENDED, True),
                (Status.RECRUITING, False),
                (Status.ACTIVE_NOT_RECRUITING, False),
                (Status.UNKNOWN, False),
                ("", False),
            )
        ),
    ],
)
def test_what_ends_the_scans(
    cast: Cast, patient: Patient, happens: Callable[[Patient, Cast], None], why_not: str
) -> None:
    happens(patient, cast)
    found = schedule.outlook(patient)
    assert found.why_not == why_not
    assert (found.expected is None) == bool(why_not)


def test_who_is_not_enrolled_is_not_scanned(cast: Cast) -> None:
    found = schedule.outlook(factories.candidate(cast.trial))
    assert (found.expected, found.why_not) == (None, "The patient is not enrolled.")


def test_what_visits_are_called(cast: Cast, patient: Patient) -> None:
    for day in (45, 87):
        factories.follow_up(patient, day, by=cast.coordinator)
    visits = Visit.objects.select_related("patient__trial").order_by("date")
    assert [schedule.week_label(visit) for visit in visits] == ["Baseline", "Week 6", "Week 12"]
    window = schedule.planned_for(visits[2])
    assert window
    assert (window.first, window.last) == (date(2024, 4, 2), date(2024, 4, 16))


def test_a_visit_before_the_first_dose_is_called_by_its_kind(cast: Cast) -> None:
    late = factories.patient(cast.trial, first_dose_on=START + timedelta(days=20))
    factories.baseline(late, by=cast.coordinator)
    visit = factories.follow_up(late, 10, by=cast.coordinator)
    assert schedule.week_label(visit) == "Scheduled"


@pytest.mark.parametrize(
    ("interval", "expected"), [(42, "Week 6"), (56, "Week 8"), (7, "Week 1"), (30, "Day 31")]
)
def test_weeks_where_they_are_whole(
    cast: Cast, patient: Patient, interval: int, expected: str
) -> None:
    Trial.objects.update(assessment_interval_days=interval)
    assert label(patient) == expected


def test_two_scans_in_a_row_are_missing_after_98_days(patient: Patient) -> None:
    found = schedule.expected(patient)
    assert found
    assert not found.forsaken(found.last + timedelta(days=98))
    assert found.forsaken(found.last + timedelta(days=99))


def test_one_statement_for_all(
    cast: Cast, patient: Patient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        factories.baseline(factories.patient(cast.trial), by=cast.coordinator)
    with django_assert_num_queries(1):
        found = schedule.outlooks(Patient.objects.all())
    assert {outlook.expected and outlook.expected.label for outlook in found.values()} == {"Week 6"}
    assert len(found) == 6
