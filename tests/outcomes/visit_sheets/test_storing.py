"""Sheets uploaded, shown and stored: that nothing is overwritten, who may, and how long it takes."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from outcomes.bulk_import.lines import VisitLines
from outcomes.models import ImportRun, Lesion, Measurement, Visit, VisitSheet
from patients.models import Patient, Query
from registry.models import User
from tests import factories
from tests.conftest import Cast, assemble_cast
from tests.factories import START
from tests.outcomes.visit_sheets.sheets import (
    HOSTILE,
    NEW,
    Pages,
    Rows,
    baseline,
    csv_bytes,
    day,
    follow_up,
    outcomes,
    problems,
    send,
    upload,
    uploaded,
)
from trials.vocabularies import Role


def test_what_is_shown_is_stored(cast: Cast, pages: Pages, patient: Patient) -> None:
    client = pages(cast.coordinator)
    sheet = uploaded(
        client, csv_bytes([*baseline(), *follow_up(mm="27,5"), *follow_up(on=84, mm=60)])
    )
    assert outcomes(sheet) == ["created"] * 3
    assert [line["response"] for line in sheet.found["lines"]] == ["", "PR", "PD"]
    assert not Visit.objects.exists()
    assert not Lesion.objects.exists()
    shown = client.get(f"/visit-sheets/{sheet.pk}/").content.decode()
    assert "Store 3 visits" in shown
    answer = send(client, sheet)
    assert (answer.status_code, answer["Location"]) == (302, f"/visit-sheets/{sheet.pk}/")
    stored = Visit.objects.order_by("date").values_list("overall_response", "sum_mm")
    assert list(stored) == [("", 50), ("PR", Decimal("27.5")), ("PD", 60)]
    assert "Stored: all rows" in client.get(f"/visit-sheets/{sheet.pk}/").content.decode()
    event = Measurement.pgh_event_model.objects.first()  # type: ignore[attr-defined]
    assert event.pgh_context["user"] == cast.coordinator.pk


def test_storing_twice_stores_once(cast: Cast, pages: Pages, patient: Patient) -> None:
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes(baseline()))
    for _ in range(2):
        assert send(client, sheet).status_code == 302
    assert Visit.objects.get().version == 1


def test_the_same_file_again_changes_nothing(cast: Cast, pages: Pages, patient: Patient) -> None:
    client, content = pages(cast.coordinator), csv_bytes([*baseline(), *follow_up()])
    send(client, uploaded(client, content))
    again = uploaded(client, content)
    assert outcomes(again) == ["unchanged"] * 2
    assert "nothing to store" in client.get(f"/visit-sheets/{again.pk}/").content.decode()
    assert [visit.version for visit in Visit.objects.all()] == [1, 1]


def test_a_stored_visit_is_never_changed_without_a_reason(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    factories.baseline(patient, by=cast.coordinator)
    factories.follow_up(patient, 42, (40, 30), by=cast.coordinator)
    factories.follow_up(patient, 84, (50, 30), by=cast.coordinator)
    client = pages(cast.coordinator)
    rows = follow_up(mm="20") + [follow_up()[0] | {"lesion": "T02", "diameter_mm": "absent"}]
    sheet = uploaded(client, csv_bytes(rows))
    (line,) = sheet.found["lines"]
    assert (line["outcome"], line["needs_reason"]) == ("updated", True)
    assert (line["before"], line["response"]) == ("SD", "PR")
    assert [(c["lesion"], c["field"], c["old"], c["new"]) for c in line["changes"]] == [
        ("T01", "diameter_mm", "40", "20"),
        ("T02", "diameter_mm", "30", ""),
        ("T02", "state", "measured", "absent"),
    ]
    assert sheet.found["later"] == [
        {"subject_id": "S-1", "date": day(84), "before": "SD", "response": "PD"}
    ]
    for reason in ("", "  ", "x" * 501):
        refused = send(client, sheet, reason=reason)
        assert refused.status_code == 422
        assert Visit.objects.get(date=day(42)).version == 1
    assert send(client, sheet, reason="misread").status_code == 302
    stored = Visit.objects.order_by("date").values_list("overall_response", "version")
    assert list(stored) == [("", 1), ("PR", 2), ("PD", 2)]
    event = Measurement.pgh_event_model.objects.order_by("pgh_id").last()  # type: ignore[attr-defined]
    assert event.pgh_context["reason"] == "misread"


def test_a_column_that_the_sheet_lacks_erases_nothing(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    full = baseline(location="apex", slice_mm="5", previously_irradiated="no")
    send(client, uploaded(client, csv_bytes(full)))
    fewer = [{k: v for k, v in row.items() if k not in ("method", "organ")} for row in baseline()]
    again = uploaded(client, csv_bytes(fewer))
    assert outcomes(again) == ["unchanged"]
    wide = {"subject_id": "S-1", "date": day(0), "kind": "BL", "T1": "50", "NT1": "present"}
    assert outcomes(uploaded(client, csv_bytes([wide]))) == ["unchanged"]
    blank = uploaded(client, csv_bytes([row | {"method": ""} for row in baseline()]))
    (line,) = blank.found["lines"]
    assert [(c["field"], c["old"], c["new"]) for c in line["changes"]] == [("method", "ct", "")]


def test_a_reason_of_the_row_itself(cast: Cast, pages: Pages, patient: Patient) -> None:
    client = pages(cast.coordinator)
    send(client, uploaded(client, csv_bytes(baseline())))
    sheet = uploaded(client, csv_bytes(baseline(diameter_mm="51", change_reason="typing error")))
    assert send(client, sheet).status_code == 302
    assert Visit.objects.get().sum_mm == 51
    event = Measurement.pgh_event_model.objects.order_by("pgh_id").last()  # type: ignore[attr-defined]
    assert event.pgh_context["reason"] == "typing error"


def test_a_voided_visit_comes_back_with_a_reason_only(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    from outcomes import actions

    visit = factories.baseline(patient, by=cast.coordinator)
    actions.void_visit(visit=visit, by=cast.investigator, reason="x", version=1)
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes(baseline()))
    assert [(f["outcome"], f["needs_reason"]) for f in sheet.found["lines"]] == [("created", True)]
    assert send(client, sheet).status_code == 422
    assert send(client, sheet, reason="right after all").status_code == 302
    assert Visit.objects.active().count() == 1


REFUSED: dict[str, tuple[Rows, list[str], list[str]]] = {
    # rows; what each visit does; the cells that are named
    "a rule": (
        [*baseline(diameter_mm="9"), *follow_up()], ["refused", "skipped"], ["G2"]),
    "a cell, and the visits that need it": (
        [*baseline(diameter_mm="x"), *follow_up()], ["refused", "skipped"], ["G2"]),
    "a missing target": ([*baseline(), follow_up()[1]], ["created", "refused"], ["D4"]),
    "no answer": (
        [*baseline(), *({k: v for k, v in r.items() if k != "new_lesions"} for r in follow_up())],
        ["created", "refused"], ["4"]),
    "a blank answer": (
        [*baseline(), *({**r, "new_lesions": ""} for r in follow_up())],
        ["created", "refused"], ["H4"]),
    "nothing said of a lesion": ([*baseline(), *follow_up(mm="")], ["created", "refused"], ["G4"]),
    "an unknown subject": (baseline("S-9"), ["refused"], ["A2"]),
    "a future date": ([r | {"date": "2199-01-01"} for r in baseline()], ["refused"], ["B2"]),
    "no baseline": (follow_up(), ["refused"], ["C2"]),
    "an unexplained response": (
        [*baseline(), *follow_up(stated_response="PD")], ["created", "refused"], ["4"]),
    "another organ": ([*baseline(), *follow_up(organ="liver")], ["created", "refused"], ["E4"]),
    "a good and a bad patient": (
        [*baseline(), *baseline("S-9")], ["created", "refused"], ["A4"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_one_refused_row_and_nothing_is_stored(
    cast: Cast, pages: Pages, patient: Patient, name: str
) -> None:
    rows, does, cells = REFUSED[name]
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes(rows))
    assert outcomes(sheet) == does
    assert problems(sheet) == cells
    page = client.get(f"/visit-sheets/{sheet.pk}/").content.decode()
    assert "Nothing can be stored yet" in page
    assert send(client, sheet, reason="x").status_code == 409
    assert not Visit.objects.exists()


def test_data_that_changed_meanwhile_is_shown_again(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    factories.baseline(patient, by=cast.coordinator)
    rows = follow_up(mm="40") + [follow_up()[0] | {"lesion": "T02", "diameter_mm": "30"}]
    sheet = uploaded(client, csv_bytes(rows))
    assert outcomes(sheet) == ["created"]
    factories.follow_up(patient, 42, (45, 30), by=cast.colleague)
    answer = send(client, sheet, reason="x")
    assert answer.status_code == 409
    assert "changed since you looked" in answer.content.decode()
    assert "Changes a stored visit" in answer.content.decode()
    assert Visit.objects.get(date=day(42)).sum_mm == 75
    assert send(client, sheet).status_code == 422
    assert send(client, sheet, reason="x").status_code == 302
    assert Visit.objects.get(date=day(42)).sum_mm == 70


def test_what_is_unusual_is_shown_and_then_asked(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes([*baseline(), *follow_up(mm="20")]))
    shown = [[check["code"] for check in line["asked"]] for line in sheet.found["lines"]]
    assert "large_change" in shown[1]
    assert "to be answered later" in client.get(f"/visit-sheets/{sheet.pk}/").content.decode()
    assert not Query.objects.exists()
    send(client, sheet)
    opened = [query.code for query in Query.objects.unanswered()]
    assert sorted(opened) == sorted(code for codes in shown for code in codes)


def test_a_patient_of_another_site_answers_as_one_who_does_not_exist(
    cast: Cast, pages: Pages
) -> None:
    factories.patient(cast.trial, "S-2", site="02")
    client = pages(cast.coordinator)
    found = []
    for subject in ("S-2", "S-3"):
        sheet = uploaded(client, csv_bytes(baseline(subject)))
        page = client.get(f"/visit-sheets/{sheet.pk}/").content.decode()
        found.append((sheet.found, page.count(subject)))
    assert found[0] == found[1]
    assert outcomes(uploaded(pages(cast.outsider), csv_bytes(baseline("S-2")))) == ["created"]


@pytest.mark.parametrize(
    ("name", "status"),
    [("coordinator", 200), ("investigator", 200), ("superuser", 200), ("viewer", 403),
     ("administrator", 403), ("stranger", 404)],
)  # fmt: skip
def test_who_may_upload(cast: Cast, pages: Pages, name: str, status: int) -> None:
    client = pages(getattr(cast, name))
    for address in (NEW, NEW.replace("new/", "files/visits.csv")):
        assert client.get(address).status_code == status
    assert upload(client, b"x").status_code == (422 if status == 200 else status)


def test_a_data_manager_may(cast: Cast, pages: Pages, patient: Patient) -> None:
    manager = factories.user("manager")
    factories.membership(manager, cast.trial, Role.DATA_MANAGER)
    client = pages(manager)
    sheet = uploaded(client, csv_bytes(baseline()))
    assert send(client, sheet).status_code == 302
    assert Visit.objects.count() == 1


def test_a_sheet_is_its_users_alone_and_gone_after_a_day(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes(baseline()))
    addresses = [f"/visit-sheets/{sheet.pk}/{end}" for end in ("", "progress/", "report.csv")]
    for user in (cast.colleague, cast.superuser, cast.stranger):
        for address in addresses:
            foreign = pages(user).get(address)
            missing = pages(user).get(address.replace(str(sheet.pk), "999999999"))
            assert (foreign.status_code, missing.status_code) == (404, 404)
        assert pages(user).post(addresses[0]).status_code == 404
        assert pages(user).post(f"{addresses[0]}check/").status_code == 404
    assert not Visit.objects.exists()
    VisitSheet.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert client.get(addresses[0]).status_code == 404
    assert client.post(addresses[0]).status_code == 404
    newer = uploaded(client, csv_bytes(baseline()))
    assert list(VisitSheet.objects.all()) == [newer]


def test_a_role_that_ended_counts_at_once(cast: Cast, pages: Pages, patient: Patient) -> None:
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes(baseline()))
    cast.coordinator.memberships.update(valid_to=START)
    assert client.get(f"/visit-sheets/{sheet.pk}/").status_code == 404
    assert send(client, sheet).status_code == 404
    assert not Visit.objects.exists()


def test_without_a_token_or_login_nothing_happens(cast: Cast, patient: Patient) -> None:
    file = SimpleUploadedFile("visits.csv", csv_bytes(baseline()))
    assert upload(Client(), b"x").status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.coordinator)
    assert strict.post(NEW, {"file": file}).status_code == 403
    assert not VisitSheet.objects.exists()


@pytest.mark.parametrize("name", ["nothing", "macros", "a bomb", "broken XML", "quotes", "NUL"])
def test_a_refused_file_says_why(cast: Cast, pages: Pages, name: str) -> None:
    content, said = HOSTILE[name]
    answer = upload(pages(cast.coordinator), content, "<script>.xlsx")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert (said if content else "This file is empty") in page
    assert "<script>.xlsx" not in page
    assert not VisitSheet.objects.exists()


def test_a_body_that_is_too_large_is_not_even_read(cast: Cast, pages: Pages) -> None:
    client = pages(cast.coordinator)
    answer = client.generic(
        "POST", NEW, b"x", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="99999999"
    )
    assert answer.status_code == 422
    assert "At most 10 MB" in answer.content.decode()


def test_names_and_texts_of_a_file_are_shown_as_text(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client, hostile = pages(cast.coordinator), "<img src=x onerror=alert(1)>"
    rows = [row | {hostile: "x"} for row in baseline(location=hostile, method=hostile)]
    sheet = uploaded(client, csv_bytes(rows), f"{hostile}.csv")
    page = client.get(f"/visit-sheets/{sheet.pk}/").content.decode()
    assert hostile not in page
    assert "&lt;img" in page


def test_the_report_is_no_formula(cast: Cast, pages: Pages) -> None:
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes([*baseline("@SUM(A1)"), *baseline("+1")]))
    answer = client.get(f"/visit-sheets/{sheet.pk}/report.csv")
    assert "attachment" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["subject_id"] for row in rows] == ["'@SUM(A1)", "'+1"]
    assert rows[0]["cell"] == "A2"
    for name in ("visits.xlsx", "visits.csv", "example.csv", "example-wide.csv"):
        assert client.get(NEW.replace("new/", f"files/{name}")).status_code == 200
    assert client.get(NEW.replace("new/", "files/other.csv")).status_code == 404


def many(count: int) -> Rows:
    """Baselines and follow-ups of so many patients."""
    names = [f"P-{number}" for number in range(count)]
    return [row for name in names for row in (*baseline(name), *follow_up(name))]


def test_a_long_file_is_checked_when_asked(
    cast: Cast, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outcomes.visit_sheets.views.AT_ONCE", 3)
    for number in range(2):
        factories.patient(cast.trial, f"P-{number}")
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes(many(2)))
    assert sheet.found == {}
    page = client.get(f"/visit-sheets/{sheet.pk}/").content.decode()
    assert "Check the visits" in page
    assert send(client, sheet, reason="x").status_code == 409
    assert client.post(f"/visit-sheets/{sheet.pk}/check/").status_code == 302
    sheet.refresh_from_db()
    assert outcomes(sheet) == ["created"] * 4
    told = client.get(f"/visit-sheets/{sheet.pk}/progress/", headers={"accept": "application/json"})
    assert told.json() == {
        "running": False,
        "done": 4,
        "total": 4,
        "text": "4 of 4 visits looked at.",
    }


def test_statements_do_not_grow_with_the_rows(
    cast: Cast, pages: Pages, django_assert_max_num_queries: Any
) -> None:
    spent = []
    for count in (2, 60):
        for number in range(count):
            Patient.objects.get_or_create(
                trial=cast.trial,
                subject_id=f"P-{number}",
                defaults={"site": cast.trial.sites.get(code="01"), "enrolled_on": START,
                          "first_dose_on": START},
            )  # fmt: skip
        client = pages(cast.coordinator)
        with django_assert_max_num_queries(60) as read:
            sheet = uploaded(client, csv_bytes(many(count)))
        with django_assert_max_num_queries(12) as shown:
            client.get(f"/visit-sheets/{sheet.pk}/")
        spent.append((len(read), len(shown)))
    assert spent[0] == spent[1]


def test_an_import_that_dies_stores_nothing_and_says_so(
    cast: Cast, pages: Pages, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = pages(cast.coordinator)
    sheet = uploaded(client, csv_bytes([*baseline(), *follow_up()]))
    store = VisitLines.store

    def killed(self: VisitLines, chunk: Any, attribute: Any) -> Any:
        if chunk[0].values["kind"] == "baseline":
            return store(self, chunk, attribute)
        raise KeyboardInterrupt

    monkeypatch.setattr(VisitLines, "store", killed)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        send(client, sheet)
    monkeypatch.undo()
    assert not Visit.objects.exists()
    assert ImportRun.objects.filter(sheet=sheet).latest("id").state == "failed"
    page = client.get(f"/visit-sheets/{sheet.pk}/").content.decode()
    assert "Nothing is stored. Store the visits again." in page
    assert send(client, sheet).status_code == 302
    assert Visit.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_while_it_is_under_way_others_see_so() -> None:
    cast = assemble_cast()
    factories.patient(cast.trial, "S-1")
    client = Client()
    client.force_login(cast.coordinator)
    sheet = uploaded(client, csv_bytes(baseline()))
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM outcomes_visitsheet WHERE id = %s FOR UPDATE", [sheet.pk])
            assert "data-reload" in client.get(f"/visit-sheets/{sheet.pk}/").content.decode()
            assert client.get(f"/visit-sheets/{sheet.pk}/progress/").status_code == 200
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert client.get(f"/visit-sheets/{sheet.pk}/progress/").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_two_at_once_store_once() -> None:
    cast = assemble_cast()
    factories.patient(cast.trial, "S-1")
    content = csv_bytes([*baseline(), *follow_up()])
    people: list[User] = [cast.coordinator, cast.coordinator, cast.colleague]
    sheets = []
    for user in people[1:]:
        client = Client()
        client.force_login(user)
        sheets.append(uploaded(client, content))
    pairs = zip(people, [sheets[0], *sheets], strict=True)
    start, answers = Barrier(len(people)), []

    def run(user: User, sheet: VisitSheet) -> None:
        client = Client()
        client.force_login(user)
        start.wait()
        answers.append(send(client, sheet).status_code)
        connections.close_all()

    threads = [Thread(target=run, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) in ([302, 302, 409], [302, 409, 409])
    assert list(Visit.objects.values_list("version", flat=True)) == [1, 1]
