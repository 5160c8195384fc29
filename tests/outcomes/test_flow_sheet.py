"""The flow sheet: values with their states, and the history of each cell from the audit trail."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from outcomes import actions, corrections, history
from outcomes.flow_sheet import Cell, flow_sheet
from outcomes.lesion_history import corrected
from outcomes.models import Visit
from patients.models import Patient
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries
from tests.factories import target

Pages = Callable[..., Client]


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A baseline of 50 + 30 mm, its nadir of 20 + 10, and a visit of 25 + 10 mm."""
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    factories.follow_up(row, 42, (20, 10), by=cast.coordinator)
    factories.follow_up(row, 84, (25, 10), by=cast.coordinator)
    return row


def last_cell(patient: Patient) -> Cell:
    """T01 at the last visit."""
    return flow_sheet(history.load(patient)).targets[0].cells[-1]


CELLS: list[tuple[dict[str, Any], tuple[str, str, str]]] = [
    ({"mm": "33.50"}, ("33.5", "", "")),
    ({"mm": 4}, ("4", "", "")),
    ({"state": "absent"}, ("0", "absent", "")),
    ({"state": "too_small"}, ("5", "too small", "")),
    ({"state": "not_evaluable", "reason": "no contrast"}, ("NE", "not evaluable", "no contrast")),
    ({"fragments_mm": (Decimal(12), Decimal("8.50"))}, ("20.5", "2 fragments: 12 + 8.5", "")),
    ({"state": "merged", "merged_into": "T02"}, ("0", "merged into T02 since 2024-05-20", "")),
]


@pytest.mark.parametrize(("row", "expected"), CELLS)
def test_a_cell_has_the_number_that_counts_and_its_state_in_words(
    cast: Cast, patient: Patient, row: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    mm = row.pop("mm", None)
    rows = (target("T01", mm, **row), target("T02", 30))
    factories.follow_up(patient, 126, by=cast.coordinator, targets=rows)
    cell = last_cell(patient)
    assert (cell.text, cell.words, cell.detail) == expected


def test_a_merger_is_dated_by_the_visit_that_first_said_so(cast: Cast, patient: Patient) -> None:
    for day in (126, 168):
        rows = (target("T01", state="merged", merged_into="T02"), target("T02", 60))
        factories.follow_up(patient, day, by=cast.coordinator, targets=rows)
    assert last_cell(patient).words == "merged into T02 since 2024-05-20"


def test_baseline_and_nadir_are_marked_in_words_at_the_sum_alone(
    cast: Cast, patient: Patient
) -> None:
    sheet = flow_sheet(history.load(patient))
    marks = ["baseline", "nadir", ""]
    assert [column.mark for column in sheet.columns] == marks
    page = render_to_string("outcomes/_flow_sheet.html", {"sheet": sheet})
    assert page.count("cell-marked") == 2
    assert "cell-marked" in page[page.index("Sum of diameters (mm)") :]
    assert "cell-marked" not in page[: page.index("Sum of diameters (mm)")]
    other = factories.patient(cast.trial, "01-900")
    factories.baseline(other, by=cast.coordinator)
    factories.follow_up(other, 42, (60, 30), by=cast.coordinator)
    sheet = flow_sheet(history.load(other))
    assert [column.mark for column in sheet.columns] == ["baseline, nadir", ""]


def correct(visit: Visit, by: Any, why: str, **changes: Any) -> None:
    """Say something else of a visit's first target, or of the visit."""
    past = history.load(visit.patient)
    stored = next(v for v in past.visits if v.pk == visit.pk)
    entry = corrections.stored_entry(stored, past)
    first, *others = entry.targets
    row = {name: value for name, value in changes.items() if hasattr(first, name)}
    whole = {name: value for name, value in changes.items() if name not in row}
    targets = (replace(first, **row), *others)
    entry = replace(entry, targets=targets, **whole)
    actions.correct_visit(visit=stored, entry=entry, by=by, reason=why, version=stored.version)


def test_only_what_was_corrected_is_marked(cast: Cast, patient: Patient) -> None:
    second = patient.visits.get(date="2024-02-26")
    assert corrected(history.load(patient)).cells == frozenset()
    correct(second, cast.colleague, "typing error", diameter_mm=Decimal(22))
    sheet = flow_sheet(past := history.load(patient), corrected(past))
    assert [[cell.corrected for cell in row.cells] for row in sheet.targets] == [
        [False, True, False], [False, False, False],
    ]  # fmt: skip
    # Deriving the later visits again is no correction of theirs.
    assert [column.corrected for column in sheet.columns] == [False, False, False]
    correct(second, cast.colleague, "wrong day", kind="unscheduled")
    assert corrected(history.load(patient)).visits == {second.pk}


def rows_of(page: str) -> list[list[str]]:
    """The cells of the page's table, as words."""
    body = page.split("<tbody>", 1)[1].split("</tbody>", 1)[0]
    lines = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    cells = [re.findall(r"<td.*?</td>", line, re.DOTALL) for line in lines]
    return [[plain(cell) for cell in line] for line in cells]


def plain(html: str) -> str:
    """Its words."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_the_history_of_a_cell_says_when_who_what_and_why(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    visit = patient.visits.get(date="2024-02-26")
    correct(visit, cast.colleague, "typing error", diameter_mm=Decimal(22))
    visit.refresh_from_db()
    correct(visit, cast.coordinator, "no contrast agent", state="not_evaluable",
            diameter_mm=None, reason="motion")  # fmt: skip
    address = f"/visits/{visit.pk}/lesions/T01/history/"
    page = pages(cast.coordinator).get(address).content.decode()
    found = rows_of(page)
    assert [line[1] for line in found] == ["coordinator", "colleague", "coordinator"]
    assert [line[3] for line in found] == ["no contrast agent", "typing error", "first entry"]
    assert found[1][2] == "Diameter (mm): 20 → becomes 22"
    assert "State: Measured → becomes Not evaluable" in found[0][2]
    assert "Why not evaluable: motion" in found[0][2]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC\+8", found[0][0])
    assert f'href="/patients/{patient.pk}/#cell-{visit.pk}-T01"' in page
    assert len(rows_of(pages(cast.coordinator).get(
        f"/visits/{visit.pk}/lesions/T02/history/").content.decode())) == 1  # fmt: skip


def test_a_reason_of_a_single_field_stands_beside_it(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    past = history.load(patient)
    visit = past.visits[1]
    entry = corrections.stored_entry(visit, past)
    first, second = entry.targets
    rows = (replace(second, diameter_mm=Decimal(11)), replace(first, diameter_mm=Decimal(22)))
    actions.correct_visit(
        visit=visit, entry=replace(entry, targets=rows), by=cast.coordinator, reason="both",
        version=visit.version, reasons={"/targets/0/diameter_mm": "read from the wrong line"},
    )  # fmt: skip
    client = pages(cast.coordinator)
    reasons = [
        rows_of(client.get(f"/visits/{visit.pk}/lesions/{label}/history/").content.decode())[0][3]
        for label in ("T01", "T02")
    ]
    assert reasons == ["both", "read from the wrong line"]


def test_the_history_of_a_baseline_cell_includes_the_description(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    visit = patient.visits.get(kind="baseline")
    correct(visit, cast.colleague, "the other side", description="left lower lobe")
    page = pages(cast.viewer).get(f"/visits/{visit.pk}/lesions/T01/history/").content.decode()
    found = rows_of(page)
    assert found[0][2:] == ["Location: left lower lobe", "the other side"]
    assert "Organ: lung" in found[1][2]


def test_the_history_of_a_visit_says_when_its_response_changed(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    first, last = patient.visits.get(date="2024-02-26"), patient.visits.get(date="2024-04-08")
    correct(first, cast.colleague, "typing error", diameter_mm=Decimal(10))
    page = pages(cast.coordinator).get(f"/visits/{last.pk}/history/").content.decode()
    found = rows_of(page)
    assert found[0][2] == "Computed response: partial response → becomes progressive disease"
    assert found[0][3] == "typing error"
    assert "Scan date: 2024-04-08" in found[1][2]


@pytest.mark.parametrize("path", ["history/", "lesions/T01/history/"])
def test_a_foreign_history_is_missing(
    cast: Cast, pages: Pages, patient: Patient, path: str
) -> None:
    visit = patient.visits.get(kind="baseline")
    address = f"/visits/{visit.pk}/{path}"
    for user in (cast.outsider, cast.stranger):
        assert pages(user).get(address).status_code == 404
    assert Client().get(address)["Location"].startswith("/login/?next=")
    assert pages(cast.viewer).get(address).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_history_of_a_voided_visit_is_read_where_the_past_leads_to_it(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    visit, before = patient.visits.latest("date"), {"known_on": timezone.now().isoformat()}
    actions.void_visit(visit=visit, by=cast.superuser, reason="wrong patient", version=1)
    page = pages(cast.coordinator).get(f"/patients/{patient.pk}/", before)
    links = re.findall(rf'href="(/visits/{visit.pk}/(?:lesions/\w+/)?history/[^"]*)"', page.content.decode())  # fmt: skip
    assert len(links) == 1 + 3
    for link in map(unescape, links):
        shown = pages(cast.viewer).get(link)
        assert (shown.status_code, "This visit was voided" in shown.content.decode()) == (200, True)
        assert pages(cast.outsider).get(link).status_code == 404
    first = rows_of(pages(cast.viewer).get(f"/visits/{visit.pk}/history/").content.decode())[0]
    assert (first[2], first[3]) == ("Voided: yes", "wrong patient")


@pytest.mark.parametrize("label", ["T03", "NL01", "x", "T01%00", "T" * 50])
def test_a_lesion_that_was_never_recorded_there_is_missing(
    cast: Cast, pages: Pages, patient: Patient, label: str
) -> None:
    visit = patient.visits.get(kind="baseline")
    client = pages(cast.coordinator)
    assert client.get(f"/visits/{visit.pk}/lesions/{label}/history/").status_code == 404


def test_the_sheet_leads_to_each_history_and_back(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    client = pages(cast.coordinator)
    page = client.get(f"/patients/{patient.pk}/").content.decode()
    links = re.findall(r'href="(/visits/\d+/(?:lesions/\w+/)?history/)"', page)
    assert len(links) == 3 + 3 * 3  # visits, and two targets and a non-target at each
    for link in links:
        back = client.get(link).content.decode()
        place = re.search(r'href="/patients/\d+/#([\w-]+)"', back)
        assert place is not None
        assert f'id="{place[1]}"' in page


@pytest.mark.parametrize(("path", "statements"), [("history/", 4), ("lesions/T01/history/", 7)])
def test_statements_of_a_history_do_not_grow(
    cast: Cast, pages: Pages, patient: Patient, path: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    visit = patient.visits.get(kind="baseline")
    client: Any = pages(cast.coordinator)
    with django_assert_num_queries(statements):
        assert client.get(f"/visits/{visit.pk}/{path}").status_code == 200
    for mm in (51, 52, 53):
        visit.refresh_from_db()
        correct(visit, cast.coordinator, "again", diameter_mm=Decimal(mm))
    with django_assert_num_queries(statements):
        assert client.get(f"/visits/{visit.pk}/{path}").status_code == 200
