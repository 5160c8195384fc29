"""Row-level security: what the database itself shows to whom, with every filter of ours removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction
from django.test import Client

from outcomes.models import Visit
from patients.models import AdverseEvent, Patient, Query
from registry import reader
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from trials import row_security
from trials.models import Membership
from trials.vocabularies import Role

Login = Callable[[Any], Api]
Pages = Callable[..., Client]
SECRET = "01-SECRET"
FILTERS = (
    "patients.models.people.in_scope",
    "patients.models.people.in_review",
    "patients.models.records.in_scope",
    "patients.models.queries.in_scope",
    "outcomes.models.visits.in_scope",
    "outcomes.models.visits.in_review",
    "outcomes.models.visits.where_review_is_read",
)


@pytest.fixture
def of_site_01(cast: Cast) -> Patient:
    """A patient with a bit of everything; site 02 has another."""
    patient = factories.patient(cast.trial, SECRET, site="01", histology=SECRET)
    factories.baseline(patient, by=cast.coordinator)
    factories.follow_up(patient, 43, (60, 40), by=cast.coordinator)
    factories.adverse_event(patient)
    factories.patient(cast.trial, "02-001", site="02")
    return patient


@pytest.fixture
def reading() -> Iterator[Callable[[Any], None]]:
    """Read as somebody, for the rest of the test."""
    yield reader.set_reader
    reader.forget_reader()


@pytest.fixture
def unfiltered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate in Python lets everything pass."""
    for name in FILTERS:
        monkeypatch.setattr(name, lambda rows, user, path="": rows)


def addresses(patient: Patient) -> tuple[list[str], list[str]]:
    """Of single records, and of lists, which a coordinator of another site may ask for."""
    visit, event = patient.visits.first(), patient.adverse_events.first()
    assert visit
    assert event
    single = [
        f"/patients/{patient.pk}/",
        f"/visits/{visit.pk}/",
        f"/adverse-events/{event.pk}/",
    ]
    lists = [
        "/patients/", "/visits/", "/adverse-events/", "/queries/",
        "/trials/NCT00000001/outcomes/patients/", "/trials/NCT00000001/exposure/patients/",
    ]  # fmt: skip
    return single, lists


PAGES = ("", "patients/", "figures/", "figures/waterfall/", "safety/", "report/", "consort/")


def leaks(cast: Cast, api: Login, pages: Pages, patient: Patient) -> list[str]:
    """The addresses that tell the people of site 02 of a patient of site 01."""
    client, browser = api(cast.outsider), pages(cast.outsider)
    single, lists = addresses(patient)
    found = [path for path in single if client.get(path).status_code != 404]
    found += [path for path in lists if SECRET in client.get(path).content.decode()]
    shown = [f"/trials/NCT00000001/{page}" for page in PAGES]
    found += [path for path in shown if SECRET in browser.get(path).content.decode()]
    own = f"/patients/{patient.pk}/"
    return found + ([own] if browser.get(own).status_code != 404 else [])


@pytest.mark.usefixtures("unfiltered")
def test_a_forgotten_filter_leaks_nothing(
    cast: Cast, of_site_01: Patient, api: Login, pages: Pages
) -> None:
    assert leaks(cast, api, pages, of_site_01) == []


@pytest.mark.usefixtures("unfiltered")
def test_without_the_policies_it_would_leak(
    cast: Cast, of_site_01: Patient, api: Login, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the test above can fail: nobody says who reads, and everything is read."""
    for name in ("registry.reader.set_reader", "registry.rest.set_reader"):
        monkeypatch.setattr(name, lambda user: None)
    assert len(leaks(cast, api, pages, of_site_01)) > 8


def test_every_table_of_patients_has_a_policy() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'patient_id'"
        )
        of_patients = {table for (table,) in cursor.fetchall()}
        cursor.execute(
            "SELECT relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
            " WHERE c.relrowsecurity AND p.polname = %s",
            [row_security.POLICY],
        )
        protected = {table for (table,) in cursor.fetchall()}
    exempt = set(row_security.EXEMPT)
    assert {"patients_patient", "patients_patientevent", "outcomes_visitevent"} <= protected
    assert of_patients - protected <= exempt | {f"{table}event" for table in exempt}
    assert exempt <= {model._meta.db_table for model in apps.get_models()}


def test_a_connection_begins_with_nobody(
    cast: Cast, of_site_01: Patient, reading: Callable[[Any], None]
) -> None:
    tables = row_security.policies()
    reading("")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            assert cursor.fetchone() == (0,), table
    reading("*")
    assert Patient.objects.count() == 2


def test_each_reads_what_the_gate_would_show(
    cast: Cast, of_site_01: Patient, reading: Callable[[Any], None]
) -> None:
    models: list[Any] = [Patient, Visit, AdverseEvent, Query]
    for user in (
        cast.coordinator, cast.outsider, cast.investigator, cast.viewer, cast.stranger,
        cast.superuser,
    ):  # fmt: skip
        for model in models:
            reading("*")
            expected = set(model.objects.visible_to(user).values_list("pk", flat=True))
            reading(user)
            assert set(model.objects.values_list("pk", flat=True)) == expected, (user, model)


def test_the_trail_is_bound_as_its_rows_are(
    cast: Cast, of_site_01: Patient, reading: Callable[[Any], None]
) -> None:
    models: list[Any] = [Patient, Visit, AdverseEvent]
    events = [model.pgh_event_model for model in models]
    reading(cast.coordinator)
    assert all(event.objects.exists() for event in events)
    reading(cast.outsider)
    assert [event.objects.count() for event in events] == [1, 0, 0]


def test_a_reviewer_reads_the_review_alone(
    cast: Cast, of_site_01: Patient, reading: Callable[[Any], None]
) -> None:
    reviewer = factories.user("reader")
    factories.membership(reviewer, cast.trial, Role.REVIEWER)
    reading(reviewer)
    assert Patient.objects.count() == 2
    assert not Visit.objects.exists()
    assert not AdverseEvent.objects.exists()


def test_nothing_is_written_where_nothing_is_read(
    cast: Cast, of_site_01: Patient, reading: Callable[[Any], None]
) -> None:
    reading(cast.outsider)
    assert Patient.objects.update(histology="changed") == 1  # the one of site 02
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        AdverseEvent.objects.create(
            patient_id=of_site_01.pk, term="Rash", grade=1, started_on=START
        )
    reading("*")
    assert Patient.objects.get(pk=of_site_01.pk).histology == SECRET


def test_a_role_that_ended_reads_nothing(
    cast: Cast, of_site_01: Patient, reading: Callable[[Any], None]
) -> None:
    Membership.objects.filter(user=cast.coordinator).update(
        valid_from=START, valid_to=START + timedelta(days=1)
    )
    reading(cast.coordinator)
    assert not Patient.objects.exists()


def test_a_request_leaves_nobody_behind(cast: Cast, pages: Pages, api: Login) -> None:
    def setting() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('registry.reader', true)")
            return cursor.fetchone()[0]

    pages(cast.coordinator).get("/patients/999/")
    api(cast.coordinator).get("/patients/999/")
    assert setting() == "*"  # what the tests' sessions begin with


def test_going_beyond_belongs_into_a_transaction_and_ends(
    cast: Cast, of_site_01: Patient, reading: Callable[[Any], None]
) -> None:
    reading(cast.outsider)
    with transaction.atomic(), reader.beyond_reader():
        assert Patient.objects.count() == 2
    assert Patient.objects.count() == 1
    with pytest.raises(ZeroDivisionError), transaction.atomic(), reader.beyond_reader():
        raise ZeroDivisionError
    assert Patient.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_going_beyond_outside_of_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="transaction"), reader.beyond_reader():
        pass
