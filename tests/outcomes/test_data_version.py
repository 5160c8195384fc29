"""Conditional GET of the outcomes: 304 while nothing changed, never a stale answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from outcomes import data_version
from outcomes.models import NewLesionStatus, Visit
from outcomes.report import Options
from patients.models import Allocation, Patient, Therapy
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START, new_lesion
from tests.outcomes.test_known_on import run
from tests.outcomes.visits.bodies import edited
from trials.models import Arm, Endpoint, Trial

Login = Callable[[Any], Api]
OUTCOMES = "/trials/NCT00000001/outcomes/"
PATIENTS = f"{OUTCOMES}patients/"
END = "cutoff=2024-12-31"
WHY = {"reason": "source data verification"}
both = pytest.mark.parametrize("path", [OUTCOMES, PATIENTS])


@pytest.fixture
def one(cast: Cast) -> Patient:
    """A patient with a row in every table that a report reads."""
    patient = factories.patient(cast.trial, "S-1")
    factories.baseline(patient, by=cast.superuser)
    seen = (new_lesion("NL01", "equivocal"),)
    factories.follow_up(patient, 43, by=cast.superuser, new_lesions=seen)
    arm = Arm.objects.create(trial=cast.trial, name="A")
    Allocation.objects.create(patient=patient, trial=cast.trial, arm=arm)
    Therapy.objects.create(patient=patient, started_on=START + timedelta(days=90))
    Endpoint.objects.create(trial=cast.trial, kind="PFS")
    return patient


@pytest.fixture
def reader(cast: Cast, api: Login) -> Api:
    """The trial's investigator."""
    return api(cast.investigator)


def tag(client: Api, path: str = OUTCOMES, query: str = END, **headers: str) -> str:
    """The ETag of an answer."""
    answer = client.get(f"{path}?{query}", **headers)
    assert answer.status_code == 200, answer.content
    return str(answer["ETag"])


# The same question again


@pytest.mark.usefixtures("one")
@both
@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
@pytest.mark.parametrize("query", ["", END, f"{END}&group_by=arm", "known_on=2024-12-31T00:00Z"])
def test_nothing_changed(reader: Api, path: str, accept: str, query: str) -> None:
    first = reader.get(f"{path}?{query}", accept=accept)
    assert re.fullmatch(r'"[0-9a-f]{32}"', first["ETag"])
    again = reader.get(f"{path}?{query}", accept=accept, if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert again["Vary"] == first["Vary"]
    assert "no-store" in again["Cache-Control"]
    assert "Content-Type" not in again


FORMS = [
    ("{tag}", 304),
    ("W/{tag}", 304),
    ('"x", W/{tag} ,"y"', 304),
    ("*", 304),
    (" * ", 304),
    ('"*"', 200),
    ('"x"', 200),
    ('"x", *', 200),
    ("{bare}", 200),
    ("w/{tag}", 200),
    (",,", 200),
    ('"' + "x" * 5000, 200),
    ("é", 200),
    ("", 200),
]


@pytest.mark.usefixtures("one")
@pytest.mark.parametrize(("header", "status"), FORMS)
def test_every_form_of_if_none_match(reader: Api, header: str, status: int) -> None:
    current = tag(reader)
    sent = header.format(tag=current, bare=current.strip('"'))
    answer = reader.get(f"{OUTCOMES}?{END}", if_none_match=sent)
    assert (answer.status_code, answer["ETag"]) == (status, current)


@pytest.mark.usefixtures("one")
@both
def test_head_answers_alike(reader: Api, path: str) -> None:
    current = tag(reader, path)
    head = reader.call("HEAD", f"{path}?{END}")
    assert (head.status_code, head["ETag"], head.content) == (200, current, b"")
    assert reader.call("HEAD", f"{path}?{END}", if_none_match=current).status_code == 304


ERRORS = [
    (f"{OUTCOMES}?population=everybody", 400),
    (f"{PATIENTS}?page_size=501", 400),
    (f"{PATIENTS}?page=9", 404),
    ("/trials/X/outcomes/", 404),
]


@pytest.mark.usefixtures("one")
@pytest.mark.parametrize(("path", "status"), ERRORS)
def test_an_error_is_no_document(reader: Api, path: str, status: int) -> None:
    answer = reader.get(path, if_none_match="*")
    assert answer.status_code == status
    assert "ETag" not in answer


# Every write


def record_a_visit(cast: Cast, client: Api) -> None:
    factories.follow_up(Patient.objects.get(), 85, by=cast.superuser)


def correct_a_visit(cast: Cast, client: Api) -> None:
    path = f"/visits/{Visit.objects.latest('date').pk}/"
    stored = client.get(path)
    body = edited(stored.json(), "/targets/0/diameter_mm", 70) | WHY
    assert client.put(path, body, if_match=stored["ETag"]).status_code == 200


def void(kind: str, model: Any) -> Callable[[Cast, Api], None]:
    """Void the last row over the API."""

    def write(cast: Cast, client: Api) -> None:
        path = f"/{kind}/{model.objects.latest('pk').pk}/"
        stored = client.get(path)
        voided = client.post(f"{path}void/", WHY, if_match=stored["ETag"])
        assert voided.status_code == 200

    return write


def change_a_date(cast: Cast, client: Api) -> None:
    path = f"/patients/{Patient.objects.get().pk}/"
    body = {"last_known_alive_on": "2024-06-01"} | WHY
    assert client.patch(path, body, if_match='"1"').status_code == 200


def add_a_therapy(cast: Cast, client: Api) -> None:
    Therapy.objects.create(patient=Patient.objects.get(), started_on=START)


def add_an_endpoint(cast: Cast, client: Api) -> None:
    Endpoint.objects.create(trial=cast.trial, kind="OS")


def update(model: Any, **values: Any) -> Callable[[Cast, Api], None]:
    """A bulk update of every row of a table."""
    return lambda cast, client: model.objects.update(**values)


def delete(model: Any) -> Callable[[Cast, Api], None]:
    """A bulk delete."""
    return lambda cast, client: model.objects.all().delete()


def raw(statement: str) -> Callable[[Cast, Api], None]:
    """SQL."""
    return lambda cast, client: run(connection, statement)


PROGRESSION = "UPDATE outcomes_visit SET overall_response = 'PD' WHERE kind = 'scheduled'"
WRITES: dict[str, Callable[[Cast, Api], None]] = {
    "visit": record_a_visit,
    "correction": correct_a_visit,
    "void": void("visits", Visit),
    "voided patient": void("patients", Patient),
    "patient's date": change_a_date,
    "therapy": add_a_therapy,
    "voided therapy": void("therapies", Therapy),
    "definition": update(Endpoint, definition={"time_origin": "enrollment"}),
    "endpoint": add_an_endpoint,
    "no endpoint": delete(Endpoint),
    "parameter": update(Trial, assessment_interval_days=56),
    "masking": update(Trial, masking="DOUBLE"),
    "no allocation": delete(Allocation),
    "arm's name": update(Arm, name="B"),
    "certainty": update(NewLesionStatus, certainty="unequivocal"),
    "site's code": raw("UPDATE trials_site SET code = '1' WHERE code = '01'"),
    "label": raw("UPDATE outcomes_lesion SET label = 'NL02' WHERE label = 'NL01'"),
    "SQL": raw(PROGRESSION),
}


@pytest.mark.usefixtures("one")
@pytest.mark.parametrize("write", WRITES)
def test_every_write_changes_the_tag(cast: Cast, api: Login, write: str) -> None:
    client = api(cast.superuser)
    paths = (OUTCOMES, PATIENTS)
    before = [tag(client, path) for path in paths]
    WRITES[write](cast, client)
    for path, old in zip(paths, before, strict=True):
        after = client.get(f"{path}?{END}", if_none_match=old)
        assert after.status_code == 200
        assert after["ETag"] != old


@pytest.mark.usefixtures("one")
def test_what_changes_nothing_keeps_the_tag(cast: Cast, reader: Api) -> None:
    before = tag(reader)
    Visit.objects.update(complete=True)  # as it is
    other = factories.trial("NCT00000002")
    factories.baseline(factories.patient(other), by=cast.superuser)
    factories.token(cast.viewer)
    assert tag(reader) == before


@pytest.mark.usefixtures("one")
@both
def test_the_version_covers_every_table_that_is_read(cast: Cast, reader: Api, path: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        reader.get(f"{path}?{END}&group_by=arm")
    read = {name for q in captured for name in re.findall(r'(?:FROM|JOIN) "(\w+)"', q["sql"])}
    who = {"registry_apitoken", "registry_user", "trials_membership"}
    assert read - who <= {model._meta.db_table for model in data_version.READ}
    assert len(read) > len(who) + 4


# Another question, another reader, another day

QUESTIONS = [
    "", END, "cutoff=2024-12-30", f"{END}&population=safety", f"{END}&group_by=site",
    f"{END}&survival_interval=plain", f"{END}&proportion_interval=wald", f"{END}&landmarks=3",
    f"{END}&known_on=2024-12-31T00:00Z", f"{END}&known_on=2024-12-30T00:00Z",
]  # fmt: skip


@pytest.mark.usefixtures("one")
@both
def test_every_question_has_its_tag(reader: Api, path: str) -> None:
    definition = f"{END}&definition={Endpoint.objects.get().pk}"
    tags = {
        tag(reader, path, query, accept=accept)
        for query in (*QUESTIONS, definition)
        for accept in ("application/json", "text/csv")
    }
    assert len(tags) == 2 * (len(QUESTIONS) + 1)
    assert tag(reader, PATIENTS) != tag(reader, OUTCOMES)


@pytest.mark.usefixtures("one")
def test_the_same_question_in_other_words(reader: Api) -> None:
    same = [
        f"{END}&landmarks=3,6,12,24",
        f"landmarks=3,6,12,24&{END}&population=",
    ]
    assert {tag(reader, query=query) for query in same} == {tag(reader)}
    moments = ("2024-12-31T08:00:00%2B08:00", "2024-12-31T00:00Z")
    assert len({tag(reader, query=f"{END}&known_on={moment}") for moment in moments}) == 1


def test_every_page_has_its_tag(cast: Cast, reader: Api) -> None:
    for number in range(3):
        factories.patient(cast.trial, f"S-{number}")
    pages = [f"{END}&page_size=1&page={number}" for number in (1, 2, 3)]
    assert len({tag(reader, PATIENTS, query) for query in [*pages, f"{END}&page_size=2"]}) == 4


@pytest.mark.usefixtures("one")
@both
def test_readers_of_the_same_sites_share_a_tag(cast: Cast, api: Login, path: str) -> None:
    def tags(*names: str) -> set[str]:
        return {tag(api(getattr(cast, name)), path) for name in names}

    site = tags("coordinator", "colleague")
    other = tags("outsider")
    trial = tags("investigator", "administrator", "viewer", "superuser")
    assert len(site) == len(other) == len(trial) == 1
    assert len(site | other | trial) == 3


@pytest.mark.usefixtures("one")
def test_a_reader_who_loses_a_site_gets_another_document(cast: Cast, api: Login) -> None:
    client = api(cast.coordinator)
    before = tag(client)
    cast.coordinator.memberships.update(site=cast.trial.sites.get(code="02"))
    after = client.get(f"{OUTCOMES}?{END}", if_none_match=before)
    assert (after.status_code, after.json()["population"]["n"]) == (200, 0)


def test_every_language_has_its_tag(cast: Cast) -> None:
    tags = set()
    for language in ("en", "zh-hans"):
        with translation.override(language):
            options = Options(cutoff=date(2024, 12, 31))
            tags.add(
                data_version.entity_tag(
                    cast.trial, user=cast.viewer, options=options, form=("report", "json")
                )
            )
    assert len(tags) == 2


@pytest.mark.usefixtures("one")
def test_without_a_cutoff_the_day_counts(reader: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        hour_of_march = 12

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            at = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(hours=cls.hour_of_march)
            return at.astimezone(tz)

    monkeypatch.setattr("outcomes.options.datetime", Clock)
    open_end, fixed = tag(reader, query=""), tag(reader)
    Clock.hour_of_march = 15  # still 1 March in Shanghai
    assert tag(reader, query="") == open_end == tag(reader, query="cutoff=2024-03-01")
    Clock.hour_of_march = 17
    assert tag(reader, query="") != open_end
    assert tag(reader) == fixed


# Readers and writers at the same time


def commit_elsewhere(statement: str) -> None:
    """Run it on another connection, in a transaction of its own."""
    other = connection.copy()
    try:
        run(other, statement)
    finally:
        other.close()


MOMENTS = ['FROM "trials_trial"', "trials_trialevent", 'FROM "patients_patient"']
MEANWHILE = [PROGRESSION, "UPDATE trials_trial SET synthetic = true"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("one")
@pytest.mark.parametrize("after", MOMENTS)
@pytest.mark.parametrize("statement", MEANWHILE)
def test_a_write_during_a_read_is_not_hidden(reader: Api, after: str, statement: str) -> None:
    """Wherever in the read it is committed, the answer and its tag are of one moment."""
    path = f"{OUTCOMES}?{END}"
    before = reader.get(path)
    written: list[str] = []

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = execute(sql, params, many, context)
        if after in sql and not written:
            written.append(sql)
            commit_elsewhere(statement)
        return found

    with connection.execute_wrapper(meanwhile):
        during = reader.get(path)
    assert written
    assert (during["ETag"], during.json()) == (before["ETag"], before.json())
    later = reader.get(path, if_none_match=during["ETag"])
    assert later.status_code == 200
    assert later.json() != before.json()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("one")
def test_a_transaction_that_commits_late_is_not_hidden(cast: Cast, reader: Api) -> None:
    """Its events have lower ids than some that were read before it was committed."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        run(other, PROGRESSION)
        factories.baseline(factories.patient(cast.trial, "S-0"), by=cast.superuser)
        before = reader.get(f"{OUTCOMES}?{END}")
        other.commit()
    finally:
        other.close()
    after = reader.get(f"{OUTCOMES}?{END}", if_none_match=before["ETag"])
    assert after.status_code == 200
    assert after.json()["best_overall_response"] != before.json()["best_overall_response"]


# What it costs

COSTS = [  # path and query, statements of 200 and of 304
    (f"{OUTCOMES}?{END}", 9, 4),
    (f"{OUTCOMES}?", 10, 5),
    (f"{OUTCOMES}?{END}&known_on={{now}}", 10, 4),
    (f"{PATIENTS}?{END}", 9, 4),
    (f"{PATIENTS}?{END}&known_on={{now}}", 10, 4),
]


@pytest.mark.parametrize(("path", "document", "not_modified"), COSTS)
@pytest.mark.parametrize("patients", [1, 4])
def test_statements(
    cast: Cast, reader: Api, path: str, document: int, not_modified: int, patients: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    for number in range(patients):
        patient = factories.patient(cast.trial, f"S-{number}")
        factories.baseline(patient, by=cast.superuser)
        for visit in range(patients):
            factories.follow_up(patient, 42 * (visit + 1), by=cast.superuser)
    path = path.format(now=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")
    with django_assert_num_queries(document):
        answer = reader.get(path)
    with django_assert_num_queries(not_modified):
        assert reader.get(path, if_none_match=answer["ETag"]).status_code == 304
    found = answer.json()
    assert found.get("count", found.get("population", {}).get("n")) == patients
