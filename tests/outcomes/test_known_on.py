"""The outcomes as they were known at a moment: what was read then is read again later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from outcomes.models import NewLesionStatus, Visit
from patients.models import (
    Allocation,
    Deviation,
    Disposition,
    Dose,
    Patient,
    Screening,
    Therapy,
)
from registry import audit
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from tests.factories import START, new_lesion
from tests.outcomes.visits.bodies import Body, edited
from trials.models import Arm, Criterion, Endpoint, Site, Trial

Login = Callable[[Any], Api]
OUTCOMES = "/trials/NCT00000001/outcomes/"
END = "cutoff=2024-12-31"
WHY = {"reason": "source data verification"}
READ = [  # with site and arm
    f"{OUTCOMES}?{END}&group_by=histology", f"{OUTCOMES}patients/?{END}",
    f"/trials/NCT00000001/consort/?{END}", f"/trials/NCT00000001/accrual/?{END}",
    f"/trials/NCT00000001/exposure/patients/?{END}",
]  # fmt: skip
committed = pytest.mark.django_db(transaction=True)  # each step is a transaction with its own time


class History:
    """Steps that write, each in its own transaction or more."""

    def __init__(self, cast: Cast, client: Api) -> None:
        self.cast, self.client = cast, client
        self.arms = [Arm.objects.create(trial=cast.trial, name=name) for name in "AB"]

    def enroll(self) -> None:
        self.first = factories.patient(self.cast.trial, "S-1", histology="leiomyosarcoma", ecog=0)
        factories.baseline(self.first, by=self.cast.superuser)

    def record_stable_disease(self) -> None:
        self.visit = factories.follow_up(self.first, 43, by=self.cast.superuser)

    def correct_to_progression(self) -> None:
        self.correct(self.visit, "/targets/0/diameter_mm", 90)

    def see_an_equivocal_lesion(self) -> None:
        seen = (new_lesion("NL01", "equivocal"),)
        self.next = factories.follow_up(self.first, 85, by=self.cast.superuser, new_lesions=seen)

    def void_the_progression(self) -> None:
        self.post(f"/visits/{self.visit.pk}/void/", self.version(Visit, self.visit))

    def call_the_lesion_unequivocal(self) -> None:
        self.correct(self.next, "/new_lesions/0/certainty", "unequivocal")

    def take_the_lesion_back(self) -> None:
        self.correct(self.next, "/new_lesions", [])

    def enroll_another(self) -> None:
        self.second = factories.patient(self.cast.trial, "S-2", site="02")

    def treat_otherwise(self) -> None:
        self.therapy = Therapy.objects.create(patient=self.first, started_on=day(90))

    def treat_later(self) -> None:
        Therapy.objects.filter(pk=self.therapy.pk).update(started_on=day(120))

    def void_the_therapy(self) -> None:
        self.post(f"/therapies/{self.therapy.pk}/void/", self.version(Therapy, self.therapy))

    def allocate(self) -> None:
        self.patch(self.first, arm="A")

    def allocate_otherwise(self) -> None:
        self.patch(self.first, arm="B")

    def take_the_allocation_back(self) -> None:
        self.patch(self.first, arm=None)

    def correct_histology_and_status(self) -> None:
        self.patch(self.first, histology="liposarcoma", ecog=1)

    def move_to_another_site(self) -> None:
        path, tag = f"/patients/{self.first.pk}/transfer/", self.version(Patient, self.first)
        body = {"site": "02", "on": day(150).isoformat()} | WHY
        assert self.client.post(path, body, if_match=tag).status_code == 200

    def rename_the_site(self) -> None:
        Site.objects.filter(code="02").update(code="02-North")

    def enter_a_death(self) -> None:
        self.patch(self.first, died_on=day(200).isoformat())

    def enroll_from_a_third_site(self) -> None:
        site = Site.objects.create(trial=self.cast.trial, code="03")
        self.third = factories.patient(self.cast.trial, "S-3", site=site.code)

    def close_the_third_site(self) -> None:
        self.patch(self.third, site="01")
        Site.objects.filter(code="03").delete()

    def screen_without_success(self) -> None:
        self.criterion = Criterion.objects.create(
            trial=self.cast.trial, kind="inclusion", text="Platelets", position=0
        )
        self.fourth = factories.candidate(self.cast.trial, "S-4")
        Screening.objects.create(
            patient=self.fourth, protocol_version=self.cast.trial.protocol_version, screened_on=START,
            conclusion="failed", failure_reason="not_eligible",
            results=[{"criterion": self.criterion.pk, "result": "not_met"}],
        )  # fmt: skip

    def reword_the_criterion(self) -> None:
        Criterion.objects.update(text="Platelets >= 80 x 10^9/L")

    def conclude_otherwise(self) -> None:
        Screening.objects.filter(patient=self.fourth).update(failure_reason="declined")

    def deviate(self) -> None:
        Deviation.objects.create(
            patient=self.second, category="dosing", description="double dose", occurred_on=day(9)
        )

    def take_the_deviation_back(self) -> None:
        Deviation.objects.update(voided_at=datetime.now(UTC))

    def give_a_dose(self) -> None:
        self.dose = Dose.objects.create(
            patient=self.second, intervention="Anlotinib", dose=12, unit="mg", started_on=day(1)
        )

    def lose_to_follow_up(self) -> None:
        Disposition.objects.create(patient=self.second, kind="lost_to_follow_up", on=day(60))

    def call_it_withdrawn(self) -> None:
        Disposition.objects.filter(patient=self.second).update(
            kind="withdrawn", follow_up_continues=False
        )

    def define_an_endpoint(self) -> None:
        self.endpoint = Endpoint.objects.create(
            trial=self.cast.trial, kind="ORR", definition={"proportion_interval": "wilson"}
        )

    def define_it_otherwise(self) -> None:
        Endpoint.objects.update(definition={"proportion_interval": "wald"})

    def remove_it(self) -> None:
        Endpoint.objects.all().delete()

    def plan_otherwise(self) -> None:
        Trial.objects.update(enrollment_target=80, allocation="RANDOMIZED")

    def void_the_patient(self) -> None:
        self.post(f"/patients/{self.first.pk}/void/", self.version(Patient, self.first))

    def correct(self, visit: Visit, pointer: str, value: Any) -> None:
        answer = self.client.get(f"/visits/{visit.pk}/")
        body = edited(answer.json(), pointer, value) | WHY
        put = self.client.put(f"/visits/{visit.pk}/", body, if_match=answer["ETag"])
        assert put.status_code == 200, put.content

    def patch(self, patient: Patient, **changes: Any) -> None:
        path, tag = f"/patients/{patient.pk}/", self.version(Patient, patient)
        answer = self.client.patch(path, changes | WHY, if_match=tag)
        assert answer.status_code == 200, answer.content

    def post(self, path: str, tag: str) -> None:
        assert self.client.post(path, WHY, if_match=tag).status_code == 200

    def version(self, model: Any, row: Any) -> str:
        return f'"{model.objects.get(pk=row.pk).version}"'


STEPS = [
    History.enroll, History.record_stable_disease, History.correct_to_progression,
    History.see_an_equivocal_lesion, History.void_the_progression,
    History.call_the_lesion_unequivocal, History.take_the_lesion_back, History.enroll_another,
    History.treat_otherwise, History.treat_later, History.void_the_therapy, History.allocate,
    History.allocate_otherwise, History.take_the_allocation_back,
    History.correct_histology_and_status, History.move_to_another_site, History.rename_the_site,
    History.enter_a_death, History.enroll_from_a_third_site, History.close_the_third_site,
    History.screen_without_success, History.reword_the_criterion, History.conclude_otherwise,
    History.deviate, History.take_the_deviation_back, History.give_a_dose,
    History.lose_to_follow_up, History.call_it_withdrawn, History.define_an_endpoint,
    History.define_it_otherwise, History.remove_it, History.plan_otherwise,
    History.void_the_patient,
]  # fmt: skip


def day(number: int) -> Any:
    """A date counted from the baseline."""
    return START + timedelta(days=number)


def query(moment: datetime) -> str:
    """A moment as a query key."""
    return f"known_on={moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def read(client: Api, moment: datetime | None = None) -> list[Body]:
    """Every document, without the moment it was asked for."""
    found = []
    for path in READ:
        answer = client.get(f"{path}&{query(moment)}" if moment else path)
        assert answer.status_code == 200, answer.content
        found.append({k: v for k, v in answer.json().items() if k != "known_on"})
    return found


@committed
def test_what_was_read_at_a_moment_is_read_again(cast: Cast, api: Login) -> None:
    client = api(cast.superuser)
    history, then = History(cast, client), [(datetime.now(UTC), read(client))]
    for step in STEPS:
        step(history)
        then.append((datetime.now(UTC), read(client)))
    for step, (_, before), (_, after) in zip(STEPS, then, then[1:], strict=False):
        assert before != after, step.__name__
    for name, (moment, found) in zip(["", *(s.__name__ for s in STEPS)], then, strict=True):
        assert read(client, moment) == found, name


@committed
def test_a_correction_by_hand(cast: Cast, api: Login) -> None:
    """SD on day 43 becomes PD, is voided: three moments, three best responses."""
    client = api(cast.superuser)
    history = History(cast, client)
    moments = []
    for step in (
        History.enroll, History.record_stable_disease, History.correct_to_progression,
        History.void_the_progression,
    ):  # fmt: skip
        step(history)
        moments.append(datetime.now(UTC))
    lines = [
        client.get(f"{OUTCOMES}patients/?{END}&{query(moment)}").json()["results"][0]
        for moment in moments
    ]
    assert [line["best_response"] for line in lines] == ["NE", "SD", "PD", "NE"]
    assert [(line["pfs"]["days"], line["pfs"]["event"]) for line in lines] == [
        (1, False), (43, False), (43, True), (1, False),
    ]  # fmt: skip
    now = client.get(f"{OUTCOMES}patients/?{END}").json()["results"][0]
    assert now == lines[-1]


@committed
def test_definitions_and_parameters_are_those_of_the_moment(cast: Cast, api: Login) -> None:
    client = api(cast.superuser)
    History(cast, client).enroll()
    moment = datetime.now(UTC)
    added = Endpoint.objects.create(
        trial=cast.trial, kind="ORR", definition={"proportion_interval": "wilson"}
    )
    Trial.objects.update(ae_window_days=90, ctcae_version="4.0")
    now, then = (client.get(f"{OUTCOMES}?{END}&{key}").json() for key in ("", query(moment)))
    assert (now["population"]["n"], now["orr"]["interval"]) == (1, "wilson")
    assert (then["population"]["n"], then["orr"]["interval"]) == (1, "clopper-pearson")
    safety = client.get(f"/trials/NCT00000001/safety/?{END}&{query(moment)}").json()
    assert (safety["window_days"], safety["ctcae_version"]) == (21, "")
    unknown = client.get(f"{OUTCOMES}?definition={added.pk}&{query(moment)}")
    assert unknown.json()["parameter"] == "definition"


@committed
def test_before_its_first_entry_a_trial_has_nobody(cast: Cast, api: Login) -> None:
    Trial.objects.update(brief_title="Another title")
    found = api(cast.superuser).get(f"/trials/NCT00000001/report/?{END}&known_on=2020-01-01T00:00Z")
    assert found.json()["title"] == "Anlotinib in sarcoma"
    assert found.json()["participant_flow"]["enrolled"]["n"] == 0
    assert found.json()["outcomes"]["population"]["n"] == 0


PEOPLE = [  # a step that is undone, and who was in which box before it
    (History.void_the_patient, "enrolled", ["S-1"]),
    (History.enroll_another, "enrolled", ["S-1"]),
    (History.allocate_otherwise, "arm-{a}", ["S-1"]),
    (History.enter_a_death, "enrolled", ["S-1"]),
]


@committed
@pytest.mark.parametrize(("step", "box", "people"), PEOPLE)
def test_who_was_in_a_box(
    cast: Cast, api: Login, pages: Callable[[Any], Client], step: Any, box: str, people: list[str]
) -> None:
    history, client = History(cast, api(cast.superuser)), pages(cast.superuser)
    Trial.objects.update(allocation="NON_RANDOMIZED")
    history.enroll()
    history.allocate()
    moment = datetime.now(UTC)
    step(history)
    asked = f"?{END}&box={box.format(a=history.arms[0].pk)}"
    then, now = (
        client.get(f"/trials/NCT00000001/consort/patients/{asked}&{key}").text
        for key in (query(moment), "")
    )
    listed = [name for name in ("S-1", "S-2") if f">{name}</a>" in then]
    assert listed == people
    assert (dead_in(then), "You are looking at the past" in then) == (False, True)
    gone = step in (History.void_the_patient, History.allocate_otherwise)
    assert (">S-1</a>" in now) == (not gone)
    assert (">S-2</a>" in now) == (step is History.enroll_another)
    assert dead_in(now) == (step is History.enter_a_death)


def dead_in(page: str) -> bool:
    """Whether anybody on the list has died."""
    return ">Died</td>" in page


@committed
def test_who_may_be_seen_is_todays_scope_over_todays_sites(cast: Cast, api: Login) -> None:
    client = api(cast.superuser)
    history = History(cast, client)
    for step in (History.enroll, History.enroll_another):
        step(history)
    moment = datetime.now(UTC)
    history.move_to_another_site()
    key = query(moment)
    for who, seen in (
        ("coordinator", []),
        ("outsider", [("S-1", "01"), ("S-2", "02")]),
        ("viewer", [("S-1", "01"), ("S-2", "02")]),
    ):
        reader = api(getattr(cast, who))
        rows = reader.get(f"{OUTCOMES}patients/?{END}&{key}").json()["results"]
        assert [(row["subject_id"], row["site"]) for row in rows] == seen, who
        report = reader.get(f"{OUTCOMES}?{END}&{key}").json()
        assert report["population"]["n"] == len(seen), who
    foreign, unknown = (
        api(cast.stranger).get(f"/trials/{name}/outcomes/?{key}") for name in ("NCT00000001", "X")
    )
    assert (foreign.status_code, foreign.content) == (404, unknown.content)


@committed
def test_a_masked_trial_had_no_arms_either(cast: Cast, api: Login) -> None:
    client = api(cast.superuser)
    history = History(cast, client)
    history.enroll()
    history.allocate()
    moment = datetime.now(UTC)
    Trial.objects.update(masking="DOUBLE")
    (row,) = client.get(f"{OUTCOMES}patients/?{query(moment)}").json()["results"]
    assert (row["arm"], row["arm_reason"]) == (None, "blinded")
    refused = client.get(f"{OUTCOMES}?group_by=arm&{query(moment)}")
    assert refused.json()["parameter"] == "group_by"


# Transactions that overlap


@contextmanager
def overlapping() -> Iterator[tuple[BaseDatabaseWrapper, datetime]]:
    """A connection whose transaction began first, and a moment after that."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT now()")
        yield other, datetime.now(UTC)
    finally:
        other.close()


def run(on: BaseDatabaseWrapper, statement: str, *values: Any) -> None:
    """One statement."""
    with on.cursor() as cursor:
        cursor.execute(statement, values)


@committed
def test_the_last_word_counts_whichever_transaction_began_first(cast: Cast) -> None:
    with overlapping() as (early, between):
        Site.objects.filter(code="01").update(city="second to begin, first to write")
        run(
            early, "UPDATE trials_site SET city = 'first to begin, last to write' WHERE code = '01'"
        )
        early.commit()
    for moment in (between, datetime.now(UTC)):
        (site,) = audit.as_known(Site, moment).filter(code="01")
        assert site.city == "first to begin, last to write"


@committed
def test_a_moment_within_overlapping_transactions_is_no_error(cast: Cast, api: Login) -> None:
    """At `between` the trail holds two allocations and two baselines of the same patient."""
    client = api(cast.superuser)
    history = History(cast, client)
    history.enroll()
    history.allocate()
    with overlapping() as (early, between):
        Allocation.objects.all().delete()
        Visit.objects.update(voided_at=datetime.now(UTC))
        run(
            early, "INSERT INTO patients_allocation (patient_id, trial_id, arm_id) VALUES (%s, %s, %s)",
            history.first.pk, cast.trial.pk, history.arms[1].pk,
        )  # fmt: skip
        names = [f.column for f in Visit._meta.concrete_fields if f.name not in ("id", "voided_at")]
        columns = ", ".join(filter(None, names))
        run(early, f"INSERT INTO outcomes_visit ({columns}) SELECT {columns} FROM outcomes_visit")
        early.commit()
    (line,) = client.get(f"{OUTCOMES}patients/?{END}&{query(between)}").json()["results"]
    assert line["arm"] == "B"
    assert client.get(f"{OUTCOMES}?{END}&{query(between)}").status_code == 200


# The query key

MOMENTS = [
    ("2024-06-01T12:00:00Z", "2024-06-01T12:00:00Z"),
    ("2024-06-01T12:00Z", "2024-06-01T12:00:00Z"),
    ("2024-06-01T12:00:00.25Z", "2024-06-01T12:00:00.250000Z"),
    ("2024-06-01T12:00:00%2B08:00", "2024-06-01T04:00:00Z"),
    ("2024-06-01T12:00:00+08:00", "2024-06-01T04:00:00Z"),  # the plus sign arrives as a space
    ("2024-06-01T00:00+05:45", "2024-05-31T18:15:00Z"),
    ("2024-06-01T12:00:00-05:00", "2024-06-01T17:00:00Z"),
    ("0001-01-01T00:00Z", "0001-01-01T00:00:00Z"),
    ("", None),
]


@pytest.mark.parametrize(("asked", "echoed"), MOMENTS)
def test_a_moment_is_echoed_in_utc(cast: Cast, api: Login, asked: str, echoed: str | None) -> None:
    answer = api(cast.viewer).get(f"{OUTCOMES}?known_on={asked}")
    assert answer.status_code == 200, answer.content
    assert answer.json()["known_on"] == echoed


REFUSED = [
    "2024-06-01T12:00:00", "2024-06-01", "yesterday", "%00", "2024-06-01T12:00:00Z%00",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00%2B08:00",
    "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-06-01T25:00:00Z", "2024-06-01T12:00:60Z",
    "2024-06-01T12:00:00%2B99:00", "2024-06-01%2012:00:00Z", "2024-06-01T12:00:00%20Z",
    "20240601T120000Z", "1717243200", "２０２４-06-01T12:00:00Z", "now", "-1",
]  # fmt: skip


@pytest.mark.parametrize("asked", REFUSED)
@pytest.mark.parametrize("path", [OUTCOMES, f"{OUTCOMES}patients/"])
def test_anything_but_a_past_moment_with_an_offset_is_refused(
    cast: Cast, api: Login, path: str, asked: str
) -> None:
    answer = api(cast.viewer).get(f"{path}?known_on={asked}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["parameter"] == "known_on"
    assert "2022-08-08T20:00:00+08:00" in answer.json()["detail"]


def test_the_future_is_refused(cast: Cast, api: Login) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=1)
    answer = api(cast.viewer).get(f"{OUTCOMES}?{query(soon)}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "known_on")


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_before_anything_was_entered(cast: Cast, api: Login, accept: str) -> None:
    factories.baseline(factories.patient(cast.trial), by=cast.superuser)
    for path in READ[:2] if accept == "text/csv" else READ:
        early = api(cast.viewer).get(f"{path}&known_on=2000-01-01T00:00Z", accept=accept)
        assert early.status_code == 200
    assert b"2000-01-01T00:00:00Z" in api(cast.viewer).get(
        f"{OUTCOMES}?known_on=2000-01-01T00:00Z", accept=accept
    ).content  # fmt: skip


# The page


def test_the_page_says_as_known_on(cast: Cast, pages: Callable[[Any], Client]) -> None:
    page = pages(cast.viewer)
    path = "/trials/NCT00000001/"
    shown = page.get(path, {"known_on": "2024-06-01T12:00:00+08:00"})
    assert shown.status_code == 200
    assert "as known on 2024-06-01 12:00 UTC+8" in shown.content.decode()
    assert 'value="2024-06-01 12:00"' in shown.content.decode()  # so that Show keeps it
    assert "as known on" not in page.get(path).content.decode()
    refused = page.get(path, {"known_on": "2024-06-01"})
    assert refused.status_code == 400
    assert "“2024-06-01” cannot be used. A past moment" in refused.content.decode()


def test_statuses_of_a_voided_visit_are_not_read(cast: Cast, api: Login) -> None:
    """New lesions are looked up by visit: those of a visit that does not count say nothing."""
    patient = factories.patient(cast.trial, "S-1")
    factories.baseline(patient, by=cast.superuser)
    seen = (new_lesion("NL01"),)
    visit = factories.follow_up(patient, 43, by=cast.superuser, new_lesions=seen)
    client = api(cast.superuser)
    assert client.post(f"/visits/{visit.pk}/void/", WHY, if_match='"1"').status_code == 200
    assert NewLesionStatus.objects.count() == 1
    (line,) = client.get(f"{OUTCOMES}patients/?{END}").json()["results"]
    assert (line["best_response"], line["pfs"]["code"]) == ("NE", "censored_never_assessed")


@committed
@pytest.mark.parametrize(("path", "statements"), [("consort", 22), ("accrual", 15)])
def test_the_flow_of_a_moment_takes_a_constant_number_of_statements(
    cast: Cast, api: Login, path: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client = api(cast.investigator)
    for _ in range(2):
        for _ in range(3):
            factories.patient(cast.trial)
        with django_assert_num_queries(statements):
            client.get(f"/trials/NCT00000001/{path}/?{END}&{query(datetime.now(UTC))}")
