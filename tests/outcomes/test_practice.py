"""The practice study of `manage.py demo`: somebody of every standing, however old the code is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from outcomes import my_work, practice, safety, schedule
from outcomes.models import Visit
from outcomes.options import today
from outcomes.report import Options
from outcomes.review import discordance
from patients.models import Patient, Query
from registry.models import LOADER, User
from tests import factories
from trials.models import Trial


@pytest.fixture
def loaded(db: None) -> dict[str, int]:
    factories.user(LOADER, superuser=True)
    for username in {*practice.MEMBERS, *practice.IMMUNE_MEMBERS} - {practice.READER}:
        factories.user(username)
    return practice.load()


def work(username: str) -> my_work.MyWork:
    return my_work.build(User.objects.get(username=username))


def test_somebody_of_every_standing(loaded: dict[str, int]) -> None:
    assert loaded == {"PRACTICE": 8, "PRACTICE-PD1": 3}
    found = {
        patient.subject_id: outlook
        for patient in Patient.objects.filter(trial__registry_id="PRACTICE")
        if (outlook := schedule.outlook(patient))
    }
    said = {
        subject: (one.expected.label if one.expected else "", one.timeliness or "", one.days_late)
        for subject, one in found.items()
    }
    assert said == {
        "01-001": ("Week 12", "overdue", 7),
        "01-002": ("Week 6", "due", 0),
        "01-003": ("Week 12", "upcoming", 0),
        "01-004": ("Baseline", "overdue", 3),
        "01-005": ("Week 18", "due", 0),
        "01-006": ("", "", 0),
        "01-007": ("Week 12", "upcoming", 0),
        "02-001": ("Week 12", "due", 0),
    }
    assert found["01-006"].get_status_display() == "progressed"


def test_what_waits_for_whom(loaded: dict[str, int]) -> None:
    mine = work("coordinator")
    assert [line.patient.subject_id for line in mine.scans] == [
        "01-001",
        "01-004",
        "01-002",
        "01-005",
    ]
    assert [str(line.query.patient) for line in mine.queries] == ["01-005"]
    by_hand = Visit.objects.filter(evaluator="investigator", patient__trial__registry_id="PRACTICE")
    assert mine.submitted.paginator.count == by_hand.exclude(patient__site__code="02").count()
    assert [line.patient.subject_id for line in work("outsider").scans] == ["02-001"]


def test_one_check_is_left_open_and_nothing_else(loaded: dict[str, int]) -> None:
    (query,) = Query.objects.all()
    assert (query.code, query.lesion, query.state) == ("large_change", "T01", "open")
    split = Visit.objects.get(patient__subject_id="01-007", kind="scheduled")
    assert split.sum_mm == 60  # 23 + 18 and 19 mm


def test_its_pages_say_that_it_is_practice(loaded: dict[str, int], client: Client) -> None:
    client.force_login(User.objects.get(username="coordinator"))
    patient = Patient.objects.get(subject_id="01-003")
    page = client.get(f"/patients/{patient.pk}/").content.decode()
    assert "</strong>: every patient is made up." in page
    assert "no patient-level data" not in page
    assert "All queries of this patient" not in page  # none is open: the sections lead there
    assert page.count(f"/patients/{patient.pk}/queries/") >= 1


def test_a_second_run_changes_nothing(loaded: dict[str, int]) -> None:
    assert practice.load() == {}
    assert list(Trial.objects.values_list("synthetic", flat=True)) == [True, True]
    assert Patient.objects.count() == sum(loaded.values())


def test_a_reviewer_reads_some_scans_otherwise_than_the_site(
    loaded: dict[str, int], client: Client
) -> None:
    """01-001 alike; 01-005 a confirmed response, 57 and 51 of 83 mm; 01-006 82 of 76 mm: no PD."""
    client.force_login(User.objects.get(username=practice.READER))
    assert "01-005" in client.get("/review/").content.decode()
    trial = Trial.objects.get(registry_id="PRACTICE")
    user, options = User.objects.get(username="investigator"), Options(cutoff=today(trial))
    found = discordance.build(trial, user=user, options=options)
    assert {line.subject_id: line.concordant for line in found.lines} == {
        "01-001": True, "01-005": False, "01-006": False,
    }  # fmt: skip
    one = {line.subject_id: line for line in found.lines}
    assert not one["01-005"].same_response
    assert not one["01-006"].same_progression
    assert found.unread == 5


def test_progression_is_confirmed_awaited_and_taken_back_by_irecist(
    loaded: dict[str, int], client: Client
) -> None:
    visits = Visit.objects.filter(patient__trial__registry_id="PRACTICE-PD1").order_by("date")
    told: dict[str, list[str]] = {}
    for subject_id, response in visits.values_list("patient__subject_id", "irecist_response"):
        told.setdefault(subject_id, []).append(response)
    assert told == {
        "01-101": ["", "iUPD", "iCPD"], "01-102": ["", "iUPD"], "01-103": ["", "iUPD", "iPR"],
    }  # fmt: skip
    client.force_login(User.objects.get(username="colleague"))
    page = client.get("/trials/PRACTICE-PD1/").content.decode()
    assert "iPFS" in page
    assert "</strong>: every patient is made up." in page


def test_the_doses_show_reductions_and_pauses(loaded: dict[str, int]) -> None:
    """12 mg on days 1 to 14 of 21; by hand: three cycles of 12 mg, two of 10 mg."""
    trial = Trial.objects.get(registry_id="PRACTICE")
    reader = User.objects.get(username="investigator")
    found = safety.exposure(safety.build(trial, user=reader, cutoff=today(trial)))
    by_subject = {row.course.subject_id: row.found for row in found}
    assert len(by_subject) == 7
    reduced = by_subject["01-001"]
    assert (reduced.total_dose, reduced.planned_dose) == (Decimal(784), Decimal(840))
    assert (reduced.reductions, by_subject["01-005"].reductions) == (1, 2)
    assert by_subject["01-005"].interruptions == by_subject["02-001"].interruptions == 1
    assert by_subject["01-002"].relative_dose_intensity == 1
