"""The practice study of `manage.py demo`: somebody of every standing, however old the code is."""

from __future__ import annotations

import pytest
from django.test import Client

from outcomes import my_work, practice, schedule
from outcomes.models import Visit
from patients.models import Patient, Query
from registry.models import LOADER, User
from tests import factories
from trials.models import Trial


@pytest.fixture
def loaded(db: None) -> int | None:
    factories.user(LOADER, superuser=True)
    for username in practice.MEMBERS:
        factories.user(username)
    return practice.load()


def work(username: str) -> my_work.MyWork:
    return my_work.build(User.objects.get(username=username))


def test_somebody_of_every_standing(loaded: int | None) -> None:
    assert loaded == 8
    found = {
        patient.subject_id: outlook
        for patient in Patient.objects.all()
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


def test_what_waits_for_whom(loaded: int | None) -> None:
    mine = work("coordinator")
    assert [line.patient.subject_id for line in mine.scans] == [
        "01-001",
        "01-004",
        "01-002",
        "01-005",
    ]
    assert [str(line.query.patient) for line in mine.queries] == ["01-005"]
    assert mine.submitted.paginator.count == Visit.objects.exclude(patient__site__code="02").count()
    assert [line.patient.subject_id for line in work("outsider").scans] == ["02-001"]


def test_one_check_is_left_open_and_nothing_else(loaded: int | None) -> None:
    (query,) = Query.objects.all()
    assert (query.code, query.lesion, query.state) == ("large_change", "T01", "open")
    split = Visit.objects.get(patient__subject_id="01-007", kind="scheduled")
    assert split.sum_mm == 60  # 23 + 18 and 19 mm


def test_its_pages_say_that_it_is_practice(loaded: int | None, client: Client) -> None:
    client.force_login(User.objects.get(username="coordinator"))
    patient = Patient.objects.get(subject_id="01-003")
    page = client.get(f"/patients/{patient.pk}/").content.decode()
    assert "</strong>: every patient is made up." in page
    assert "no patient-level data" not in page
    assert "All queries of this patient" not in page  # none is open: the sections lead there
    assert page.count(f"/patients/{patient.pk}/queries/") >= 1


def test_a_second_run_changes_nothing(loaded: int | None) -> None:
    assert practice.load() is None
    assert Trial.objects.get().synthetic
    assert Patient.objects.count() == loaded
