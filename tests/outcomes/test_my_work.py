"""My work: what waits, in which order, for whom, and in how many statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from outcomes import my_work
from outcomes.models import Visit
from patients import query_actions
from patients.models import Disposition, Patient, Query
from registry import audit
from registry.models import Draft, User
from tests import factories
from tests.conftest import Cast
from trials.models import Site, Trial
from trials.vocabularies import Role

Pages = Callable[..., Client]
MORE_SCANS = 1000
STATEMENTS = 12  # session, user, memberships, scans, drafts 2, queries 3, submitted 2, patients


@pytest.fixture
def today(cast: Cast) -> date:
    return cast.trial.sites.get(code="01").today()


def dosed(cast: Cast, subject_id: str, on: date, site: str = "01", **fields: Any) -> Patient:
    """A patient whose treatment began on a day, with the baseline of that day."""
    row = factories.patient(
        cast.trial, subject_id, site=site, enrolled_on=on, first_dose_on=on, **fields
    )
    factories.baseline(row, by=cast.superuser, on=on)
    return row


def shown(client: Client, address: str = "/") -> Any:
    answer: Any = client.get(address)
    assert answer.status_code == 200
    return answer.context["work"]


def scans(work: Any) -> list[tuple[str, str, str, int]]:
    return [
        (
            line.patient.subject_id,
            line.expected.label,
            line.outlook.timeliness.value,
            line.outlook.days_late,
        )
        for line in work.scans
    ]


def test_scans_are_listed_oldest_first(cast: Cast, pages: Pages, today: date) -> None:
    """Week 6 is due from day 35 to 49 and listed from day 21."""
    for subject_id, days in (
        ("01-001", 20),  # the window opens in 15 days
        ("01-002", 21),
        ("01-003", 49),
        ("01-004", 50),
        ("01-005", 147),  # 98 days late
        ("01-006", 148),  # two scans in a row are missing
    ):
        dosed(cast, subject_id, today - timedelta(days=days))
    bare = today - timedelta(days=3)
    factories.patient(cast.trial, "01-007", enrolled_on=bare, first_dose_on=None)
    work = shown(pages(cast.coordinator))
    assert scans(work) == [
        ("01-005", "Week 6", "overdue", 98),
        ("01-007", "Baseline", "overdue", 3),
        ("01-004", "Week 6", "overdue", 1),
        ("01-003", "Week 6", "due", 0),
        ("01-002", "Week 6", "due", 0),
    ]
    assert work.scans[0].outlook.later_scans == 2
    assert [line.patient.subject_id for line in work.silent] == ["01-006"]
    assert work.upcoming.patient.subject_id == "01-001"


def test_what_is_not_expected_is_not_listed(cast: Cast, pages: Pages, today: date) -> None:
    start = today - timedelta(days=60)
    dosed(cast, "01-001", start, died_on=today)
    lost = dosed(cast, "01-002", start)
    Disposition.objects.create(patient=lost, kind="lost_to_follow_up", on=today)
    factories.candidate(cast.trial, "01-003")
    dosed(cast, "01-004", start, voided_at=None)
    Patient.objects.filter(subject_id="01-004").update(voided_at=timezone.now())
    assert scans(shown(pages(cast.coordinator))) == []
    dosed(cast, "01-005", start)
    assert len(scans(shown(pages(cast.coordinator)))) == 1
    Trial.objects.update(status="COMPLETED")
    assert scans(shown(pages(cast.coordinator))) == []


@pytest.mark.parametrize(
    ("who", "subjects", "enters"),
    [
        ("coordinator", ["01-001"], True),
        ("colleague", ["01-001"], True),
        ("outsider", ["02-001"], True),
        ("investigator", ["01-001", "02-001"], True),
        ("administrator", ["01-001", "02-001"], False),
        ("viewer", ["01-001", "02-001"], False),
        ("superuser", ["01-001", "02-001"], True),
        ("stranger", [], False),
    ],
)
def test_who_sees_which_scans_and_may_enter_them(
    cast: Cast, pages: Pages, today: date, who: str, subjects: list[str], enters: bool
) -> None:
    for site in ("01", "02"):
        dosed(cast, f"{site}-001", today - timedelta(days=50), site)
    client = pages(getattr(cast, who))
    work = shown(client)
    assert sorted(line.patient.subject_id for line in work.scans) == subjects
    page = client.get("/").content.decode()
    assert (">Enter<" in page) == enters
    assert ("Add a patient" in page or "to add a patient" in page) == enters


def test_an_empty_page_says_what_comes_next(cast: Cast, pages: Pages, today: date) -> None:
    client = pages(cast.coordinator)
    page = client.get("/").content.decode()
    assert "no scan is planned yet" in page
    assert "Nothing due, and no scan is planned." in pages(cast.viewer).get("/").content.decode()
    assert f'href="/trials/{cast.trial.registry_id}/patients/new/"' in page
    assert "No draft" in page
    dosed(cast, "01-017", today)
    page = client.get("/").content.decode()
    first = today + timedelta(days=35)
    assert f"Nothing due. Next: 01-017, Week 6, from {first}." in page


def test_of_several_trials_one_is_chosen(cast: Cast, pages: Pages) -> None:
    screened = factories.trial("NCT00000002", enrollment_gate="screening")
    closed = factories.trial("NCT00000003", status="COMPLETED")
    for trial in (screened, closed):
        factories.membership(cast.coordinator, trial, Role.COORDINATOR, "01")
    page = pages(cast.coordinator).get("/").content.decode()
    assert "To which trial?" in page
    assert 'href="/trials/NCT00000001/patients/new/"' in page
    assert 'href="/trials/NCT00000002/screenings/new/"' in page
    assert "/trials/NCT00000003/" not in page


def test_drafts_can_be_continued(cast: Cast, pages: Pages) -> None:
    patient = factories.patient(cast.trial, "01-001")
    address = f"/patients/{patient.pk}/visits/new/"
    at = datetime(2026, 11, 20, 2, 42, tzinfo=UTC)
    facts = {"address": address, "title": "Week 6 of 01-001", "fields": [], "saved_at": at}
    Draft.objects.create(user=cast.coordinator, patient=patient, **facts)
    work = my_work.build(cast.coordinator)
    assert [line.saved_at for line in work.drafts] == ["2026-11-20 10:42 UTC+8"]
    page = pages(cast.coordinator).get("/").content.decode()
    assert f'href="{address}"' in page
    assert ">2026-11-20 10:42 UTC+8<" in page  # on the site's clock
    assert "Week 6 of 01-001" not in pages(cast.colleague).get("/").content.decode()


def test_what_was_submitted_of_late(cast: Cast, pages: Pages, today: date) -> None:
    recent = dosed(cast, "01-001", today - timedelta(days=43))
    factories.follow_up(recent, (today - factories.START).days, by=cast.coordinator)
    dosed(cast, "01-002", today - timedelta(days=185))  # scanned long ago
    work = shown(pages(cast.colleague))
    assert [(line.label, line.by) for line in work.submitted] == [
        ("Week 6", "coordinator"),
        ("Baseline", "root"),
    ]
    for user in (cast.coordinator, cast.investigator):
        page = pages(user).get("/").content.decode()
        assert "Submitted in the last 30 days" in page
        assert "The investigator’s signature comes later" in page
        assert "To sign" not in page
    assert [line.response for line in work.submitted] == ["SD", ""]
    assert not shown(pages(cast.outsider)).submitted


def test_a_long_list_is_cut_and_shown_alone(
    cast: Cast, pages: Pages, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(my_work, "SHOWN", 2)
    monkeypatch.setattr(my_work, "PER_PAGE", 3)
    for number in range(4):
        dosed(cast, f"01-00{number}", today - timedelta(days=60 - number))
    client = pages(cast.coordinator)
    assert "Show all 4" in client.get("/").content.decode()
    assert len(shown(client).scans) == 2
    assert len(shown(client, "/?list=scans").scans) == 3
    assert scans(shown(client, "/?list=scans&page=2")) == [("01-003", "Week 6", "overdue", 8)]
    alone = client.get("/?list=scans").content.decode()
    assert 'id="drafts"' not in alone


@pytest.mark.parametrize("query", ["list=everything", "sort=late", "list=%00"])
def test_an_unknown_list_is_refused(cast: Cast, pages: Pages, query: str) -> None:
    answer: Any = pages(cast.coordinator).get(f"/?{query}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_the_first_page_asks_for_a_login(client: Client) -> None:
    assert client.get("/")["Location"] == "/login/?next=/"
    assert client.get("/search/?q=1")["Location"].startswith("/login/")


def many(trial: Trial, today: date, by: User) -> None:
    """A thousand patients with a baseline and two visits each, a scan overdue of every one."""
    site, start = trial.sites.get(code="01"), today - timedelta(days=150)
    with transaction.atomic():
        audit.attribute(by=by, reason="recorded")
        patients = Patient.objects.bulk_create(
            Patient(
                trial=trial, site=site, subject_id=f"B-{n:04}", enrolled_on=start,
                first_dose_on=start,
            )
            for n in range(MORE_SCANS)
        )  # fmt: skip
        Visit.objects.bulk_create(
            Visit(
                patient=patient, kind="scheduled" if day else "baseline", overall_response=response,
                date=start + timedelta(days=day),
            )
            for patient in patients
            for day, response in ((0, ""), (42, "SD"), (84, "SD"))
        )  # fmt: skip


def asked(patient: Patient, visit: Visit, by: User, text: str = "Which series?") -> Query:
    """A query that waits for the site."""
    return query_actions.open_query(
        patient=patient, by=by, subject="visit", record_id=visit.pk, text=text
    )


def test_queries_to_answer_are_listed_oldest_first(cast: Cast, pages: Pages, today: date) -> None:
    patient = dosed(cast, "01-001", today - timedelta(days=3))
    visit = patient.visits.get()
    first = asked(patient, visit, cast.investigator, "Which series?")
    elsewhere = dosed(cast, "02-001", today - timedelta(days=3), "02")
    asked(elsewhere, elsewhere.visits.get(), cast.investigator)
    page = pages(cast.coordinator).get("/").content.decode()
    assert "Which series?" in page
    assert f'href="/queries/{first.pk}/"' in page
    work = shown(pages(cast.coordinator))
    assert [line.query for line in work.queries] == [first]
    query_actions.answer_query(query=first, by=cast.coordinator, text="Axial.", version=1)
    assert not shown(pages(cast.coordinator)).queries
    assert "No query waits" in pages(cast.coordinator).get("/").content.decode()


def test_as_many_statements_for_a_thousand_patients(
    cast: Cast, pages: Pages, today: date, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = pages(cast.coordinator)
    few = dosed(cast, "01-001", today - timedelta(days=60))
    Draft.objects.create(user=cast.coordinator, patient=few, address="/x/", title="", fields=[])
    asked(few, few.visits.get(), cast.investigator)
    with django_assert_num_queries(STATEMENTS):
        client.get("/")
    many(cast.trial, today, cast.coordinator)
    for visit in Visit.objects.filter(kind="scheduled").select_related("patient")[:20]:
        asked(visit.patient, visit, cast.investigator)
    with django_assert_num_queries(STATEMENTS):
        work = shown(client)
    assert len(work.queries) == my_work.SHOWN
    assert work.scans.paginator.count == MORE_SCANS + 1
    assert len(work.scans) == my_work.SHOWN


FOUND = ["01-001", "01-0010"]


@pytest.mark.parametrize(
    ("asked", "to"),
    [
        ("01-001", "patient"),
        (" 01-001 ", "patient"),
        ("01-00", FOUND),
        ("1-0010", ["01-0010"]),
        ("cn-1", "lower"),
        ("02-001", []),  # of another site
        ("01-009", []),  # voided
        ("_", []),
        ("%", []),
        ("", []),
    ],
)
def test_search(cast: Cast, pages: Pages, asked: str, to: Any) -> None:
    patient, other = (factories.patient(cast.trial, subject) for subject in FOUND)
    lower = factories.patient(cast.trial, "CN-1")
    factories.patient(cast.trial, "02-001", site="02")
    factories.patient(cast.trial, "01-009", voided_at=timezone.now())
    answer: Any = pages(cast.coordinator).get("/search/", {"q": asked})
    if isinstance(to, str):
        found = {"patient": patient, "lower": lower}[to]
        assert answer["Location"] == f"/patients/{found.pk}/"
    else:
        assert answer.status_code == 200
        assert [row.subject_id for row in answer.context["page_obj"]] == to


def test_the_same_id_in_two_trials_is_a_list(cast: Cast, pages: Pages) -> None:
    other = factories.trial("NCT00000002")
    factories.membership(cast.coordinator, other, Role.COORDINATOR, "01")
    for trial in (cast.trial, other):
        factories.patient(trial, "01-001")
    answer: Any = pages(cast.coordinator).get("/search/?q=01-001")
    assert [row.trial.registry_id for row in answer.context["page_obj"]] == [
        "NCT00000001",
        "NCT00000002",
    ]
    page = answer.content.decode()
    assert page.count("on study") == 2  # what tells them apart is there
    assert page.count("Baseline") == 2


@pytest.mark.parametrize("asked", ["x" * 201, "a\0b"])
def test_a_search_that_cannot_be_made_is_refused(cast: Cast, pages: Pages, asked: str) -> None:
    assert pages(cast.coordinator).get("/search/", {"q": asked}).status_code == 400


def test_what_was_searched_is_never_markup(cast: Cast, pages: Pages) -> None:
    page = pages(cast.coordinator).get("/search/", {"q": "<script>alert(1)</script>"})
    assert "<script>alert" not in page.content.decode()


def test_the_day_is_the_sites(cast: Cast, pages: Pages) -> None:
    """Where it is a day later, the scan is a day later."""
    Site.objects.filter(code="02").update(timezone="Pacific/Midway")
    east, west = (cast.trial.sites.get(code=code).today() for code in ("01", "02"))
    start = west - timedelta(days=50)
    for site in ("01", "02"):
        dosed(cast, f"{site}-001", start, site)
    late = {
        line.patient.subject_id: line.outlook.days_late for line in my_work.build(cast.viewer).scans
    }
    assert late == {"01-001": 1 + (east - west).days, "02-001": 1}
