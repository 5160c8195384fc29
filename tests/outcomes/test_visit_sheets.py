"""Spreadsheets of visits: what cells mean, what is refused and where, and that nothing is overwritten."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outcomes import visit_sheet_columns as columns
from outcomes import visit_sheet_files as files
from outcomes import visit_sheet_template as template
from outcomes import visit_sheets
from outcomes.entries import NewLesionEntry, NonTargetEntry, TargetEntry, VisitEntry
from outcomes.import_lines import VisitLines
from outcomes.models import ImportRun, Lesion, Measurement, Visit, VisitSheet
from outcomes.serializers import VisitLine, entry
from outcomes.visit_sheet_files import Unreadable, read_table
from outcomes.visit_sheet_visits import SheetVisit, visits_of
from patients.models import Patient, Query
from registry.models import User
from tests import factories
from tests.conftest import Cast, assemble_cast
from tests.factories import START
from tests.outcomes.visit_sheet_forms import send
from trials.vocabularies import Role

Pages = Callable[..., Client]
Rows = list[dict[str, Any]]
NEW = "/trials/NCT00000001/visit-sheets/new/"


def csv_bytes(rows: Rows, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """Rows as a CSV file; the headings are the keys."""
    headings = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, headings, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_bytes(rows: list[list[Any]], **others: list[list[Any]]) -> bytes:
    """Rows of cells as the first sheet of a workbook, further sheets by name."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Visits"
    for row in rows:
        sheet.append(row)
    for name, further in others.items():
        more = book.create_sheet(name)
        for row in further:
            more.append(row)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    """The workbook's file."""
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def day(number: int) -> str:
    """A date, so many days after START."""
    return str(START + timedelta(days=number))


def baseline(subject: str = "S-1", **said: Any) -> Rows:
    """A baseline with one lung target of 50 mm and an effusion."""
    of = {"subject_id": subject, "date": day(0), "kind": "baseline"}
    first = {"lesion": "T01", "organ": "lung", "method": "ct", "diameter_mm": "50"}
    return [of | first | said, of | {"lesion": "NT01", "organ": "pleural effusion"}]


def follow_up(subject: str = "S-1", on: int = 42, mm: Any = "40", **said: Any) -> Rows:
    """A follow-up with the two lesions."""
    of = {"subject_id": subject, "date": day(on), "kind": "scheduled", "new_lesions": "no"}
    rows = [{"lesion": "T01", "diameter_mm": mm}, {"lesion": "NT01", "status": "present"}]
    return [of | rows[0] | said, of | rows[1]]


def read(rows: Rows) -> list[SheetVisit]:
    """The visits of a CSV file with these rows."""
    return visits_of(read_table(csv_bytes(rows)))


def entered(visit: SheetVisit) -> VisitEntry:
    """What a visit says, by the import's own shape."""
    assert visit.problems == []
    said = {key: value for key, value in visit.body.items() if key != "record"}
    return entry(VisitLine().run_validation(said))


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A dosed patient of site 01 without visits."""
    return factories.patient(cast.trial, "S-1")


def upload(client: Client, content: bytes, name: str = "visits.csv") -> Any:
    """Send a file to the upload page."""
    return client.post(NEW, {"file": SimpleUploadedFile(name, content)})


def uploaded(client: Client, content: bytes, name: str = "visits.csv") -> VisitSheet:
    """The sheet that an accepted file became."""
    answer = upload(client, content, name)
    assert answer.status_code == 302, answer.content.decode()
    return VisitSheet.objects.get(pk=answer["Location"].split("/")[2])


def outcomes(sheet: VisitSheet) -> list[str]:
    """What each visit of a checked sheet does."""
    return [line["outcome"] for line in sheet.found["lines"]]


def problems(sheet: VisitSheet) -> list[str]:
    """The cells that a checked sheet refuses."""
    return [problem["at"] for line in sheet.found["lines"] for problem in line["problems"]]


# Cells


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("27.5", "27.5"),
        ("27,5", "27.5"),
        ("２７．５", "27.5"),
        ("27.5 mm", "27.5"),
        ("27.50", "27.5"),
        ("50", "50"),
        ("0", "0"),
        (Decimal("12.25"), "12.25"),
    ],
)
def test_millimeters(written: Any, expected: str) -> None:
    assert columns.number(written) == expected


@pytest.mark.parametrize(
    "written", ["", "x", "1e1", "1_0", "2.7 cm", "-3", "401", "1,234.5", "12.345", True, START, "∞"]
)
def test_no_millimeters(written: Any) -> None:
    with pytest.raises(ValueError, match=r"27\.5|0 to 400|decimals|date|not centimeters"):
        columns.number(written)


@pytest.mark.parametrize(
    "written",
    ["2026-11-16", "2026/11/16", "2026.11.16", "20261116", "2026年11月16日", "２０２６-１１-１６",
     date(2026, 11, 16), Decimal(20261116), "2026-11-16 "],
)  # fmt: skip
def test_dates(written: Any) -> None:
    assert columns.calendar_date(written) == date(2026, 11, 16)


@pytest.mark.parametrize(
    "written",
    ["11/16/2026", "16.11.2026", "2026-02-30", "2026-11", "46342", Decimal(46342), True, ""],
)
def test_no_dates(written: Any) -> None:
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        columns.calendar_date(written)


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("subject_id", "subject_id"), ("Subject ID", "subject_id"), ("受试者编号", "subject_id"),
        ("Date (YYYY-MM-DD)", "date"), ("访视日期", "date"), ("Diameter [mm]", None),
        ("diameter (mm)", "diameter_mm"), ("直径（mm）", "diameter_mm"), ("T01", "T01"),
        ("t1", "T01"), ("靶病灶1", "T01"), ("NT02", "NT02"), ("T01 organ", "T01 organ"),
        ("T01_slice_mm", "T01 slice_mm"), ("T01 status quo", None), ("Comments", None),
        ("New lesions?", "new_lesions"), ("T100", None), ("T01 date", None),
    ],
)  # fmt: skip
def test_headings(heading: str, expected: str | None) -> None:
    found = columns.column(heading)
    assert (found and found.name) == expected


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("kind", "Baseline", "baseline"), ("kind", "基线", "baseline"), ("kind", "Week 12", "scheduled"),
        ("kind", "第12周", "scheduled"), ("kind", "计划外", "unscheduled"),
        ("state", "NE", "not_evaluable"), ("state", "Too small to measure", "too_small"),
        ("state", "消失", "absent"), ("status", "Unequivocal progression", "unequivocal_progression"),
        ("status", "明确进展", "unequivocal_progression"), ("method", "PET-CT", "pet_ct"),
        ("method", "磁共振", "mri"), ("stated_response", "pr", "PR"), ("certainty", "可疑", "equivocal"),
        ("stated_response", "Non-CR/non-PD", "NON_CR_NON_PD"), ("new_lesions", "否", False),
        ("new_lesions", True, True), ("node", "Ｙｅｓ", True),
    ],
)  # fmt: skip
def test_words(name: str, written: Any, expected: Any) -> None:
    assert columns.read(name, written) == expected


@pytest.mark.parametrize(
    ("name", "written"),
    [("kind", "C3D1"), ("state", "T"), ("state", "N"), ("state", "absent?"), ("new_lesions", "?"),
     ("method", "scan"), ("certainty", "maybe")],
)  # fmt: skip
def test_words_that_could_mean_anything_are_refused(name: str, written: Any) -> None:
    with pytest.raises(ValueError, match=r"One of:|yes or no"):
        columns.read(name, written)


# Rows to entries


def test_rows_of_one_visit_become_one_entry() -> None:
    first, second = read([*baseline(node="no", location="apex"), *follow_up(mm="27,5")])
    assert entered(first) == VisitEntry(
        "baseline",
        START,
        targets=(
            TargetEntry(
                "T01", "lung", "apex", method="ct", state="measured", diameter_mm=Decimal(50)
            ),
        ),
        non_targets=(NonTargetEntry("NT01", "pleural effusion", status="present"),),
    )
    assert entered(second) == VisitEntry(
        "scheduled",
        START + timedelta(days=42),
        targets=(TargetEntry("T01", state="measured", diameter_mm=Decimal("27.5")),),
        non_targets=(NonTargetEntry("NT01", status="present"),),
        new_lesions=(),
    )
    assert (first.rows, second.rows) == ([2, 3], [4, 5])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"diameter_mm": "absent"}, {"state": "absent"}),
        ({"diameter_mm": "0", "state": "absent"}, {"state": "absent"}),
        ({"diameter_mm": "5", "state": "too small"}, {"state": "too_small"}),
        ({"diameter_mm": "NE: motion"}, {"state": "not_evaluable", "reason": "motion"}),
        ({"state": "NE", "reason": "motion"}, {"state": "not_evaluable", "reason": "motion"}),
        ({"diameter_mm": "12 + 8,5"}, {"state": "measured", "fragments_mm": ["12", "8.5"]}),
        ({"diameter_mm": "20.5", "fragments_mm": "12+8.5"},
         {"state": "measured", "fragments_mm": ["12", "8.5"]}),
        ({"diameter_mm": "merged into T2"}, {"state": "merged", "merged_into": "T02"}),
        ({"merged_into": "T02"}, {"state": "merged", "merged_into": "T02"}),
        ({"status": "absent"}, {"state": "absent"}),
        ({"diameter_mm": "0"}, {"state": "measured", "diameter_mm": "0"}),
        ({}, {}),
    ],
)  # fmt: skip
def test_what_a_target_row_says(cells: dict[str, str], expected: dict[str, Any]) -> None:
    rows = follow_up(mm="") + [{"subject_id": ""}]
    rows[0] = {k: v for k, v in rows[0].items() if k != "diameter_mm"} | cells
    (visit,) = read(rows)
    assert visit.problems == []
    assert visit.body["targets"] == [{"lesion": "T01"} | expected]


WRONG: dict[str, tuple[Rows, list[str]]] = {
    # of follow_up(): A subject_id, B date, C kind, D new_lesions, E lesion, F diameter_mm, ...
    "a number": (follow_up(mm="4o"), ["F2"]),
    "too large": (follow_up(mm="401"), ["F2"]),
    "a state that is none": (follow_up(mm="gone?"), ["F2"]),
    "a date": ([row | {"date": "16.11.2026"} for row in follow_up()], ["B2", "B3"]),
    "a kind": (follow_up(kind="C3D1"), ["C2"]),
    "no kind": ([{k: v for k, v in row.items() if k != "kind"} for row in follow_up()], ["2"]),
    "no subject": (follow_up(subject=""), ["2", "3"]),
    "two kinds": ([follow_up()[0], follow_up()[1] | {"kind": "baseline"}], ["C3"]),
    "two answers": ([follow_up()[0], follow_up()[1] | {"new_lesions": "yes"}], ["D3"]),
    "listed twice": ([*follow_up(), follow_up()[0]], ["E4"]),
    "no label": ([follow_up()[0], follow_up()[1] | {"lesion": ""}], ["3"]),
    "a label of no role": (follow_up(lesion="L1"), ["E2"]),
    "another role": (follow_up(role="non-target"), ["G2"]),
    "a state and another number": (follow_up(state="absent"), ["F2"]),
    "fragments of another sum": (follow_up(fragments_mm="1+2"), ["F2"]),
    "two states": (follow_up(mm="NE", state="absent"), ["F2"]),
    "a formula": (follow_up(mm="=A1"), ["F2"]),
    "a formula in a text": (follow_up(location='=HYPERLINK("x")'), ["G2"]),
    "a long text": (follow_up(location="x" * 501), ["G2"]),
    "a diameter of a non-target": ([follow_up()[0], follow_up()[1] | {"diameter_mm": "3"}], ["F3"]),
    "a short axis of a target": (follow_up(short_axis_mm="3"), ["G2"]),
    "yes without a new lesion": (follow_up(new_lesions="yes")[:1], ["D2"]),
    "no with a new lesion": (
        [*follow_up(), follow_up()[0] | {"lesion": "NL01", "diameter_mm": "", "certainty": "可疑"}],
        ["D2"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_of_its_cell(name: str) -> None:
    rows, expected = WRONG[name]
    found = [problem.at for visit in read(rows) for problem in visit.problems]
    assert found == expected


def test_a_wide_sheet() -> None:
    rows: Rows = [
        {"Subject": "S-1", "Visit date": day(0), "Visit": "BL", "T1": "50", "T1 organ": "lung",
         "T2": "18", "T2 organ": "腋窝淋巴结", "NT1": "", "NT1 organ": "pleural effusion", "Method": "CT"},
        {"Subject": "S-1", "Visit date": day(42), "Visit": "Week 6", "T1": "27,5", "T2": "too small",
         "NT1": "稳定", "New lesions": "yes", "NL1": "equivocal", "NL1 organ": "liver", "Method": "CT"},
        {"Subject": "S-1", "Visit date": day(84), "Visit": "Week 12", "T1": "NE: motion", "T2": "A",
         "NT1": "absent", "New lesions": "no"},
    ]  # fmt: skip
    first, second, third = (entered(visit) for visit in read(rows))
    assert [(t.lesion, t.diameter_mm, t.organ_group, t.method) for t in first.targets] == [
        ("T01", Decimal(50), "lung", "ct"),
        ("T02", Decimal(18), "lymph_node", "ct"),
    ]
    assert [(n.lesion, n.status, n.organ) for n in first.non_targets] == [
        ("NT01", "present", "pleural effusion")
    ]
    assert [(t.state, t.diameter_mm) for t in second.targets] == [
        ("measured", Decimal("27.5")),
        ("too_small", None),
    ]
    assert second.new_lesions == (
        NewLesionEntry("NL01", "liver", certainty="equivocal", method="ct"),
    )
    assert [(t.state, t.reason) for t in third.targets] == [
        ("not_evaluable", "motion"),
        ("absent", ""),
    ]
    assert third.new_lesions == ()


def test_two_wide_rows_of_one_visit_are_refused() -> None:
    row = {
        "subject_id": "S-1",
        "date": day(42),
        "kind": "scheduled",
        "T01": "3",
        "new_lesions": "no",
    }
    (visit,) = read([row, row | {"T01": "4"}])
    assert [problem.at for problem in visit.problems] == ["D3"]


@pytest.mark.parametrize(
    ("headings", "said"),
    [
        (["a", "b"], "No headings found"),
        (["subject_id", "date", "kind"], "Neither a column lesion"),
        (["subject_id", "date", "lesion", "T01"], "Both a column lesion"),
        (["subject_id", "date", "Scan date", "lesion"], "all mean date"),
        (["subject_id", "date", "lesion"], "No rows below"),
    ],
)
def test_headings_that_do_not_do(cast: Cast, headings: list[str], said: str) -> None:
    with pytest.raises(Unreadable) as refused:
        visit_sheets.read_sheet(
            trial=cast.trial,
            by=cast.coordinator,
            file_name="x.csv",
            content=(",".join(headings) + "\n").encode(),
        )
    assert said in refused.value.detail
    assert not VisitSheet.objects.exists()


# Files


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_files_as_hospitals_write_them(delimiter: str, encoding: str) -> None:
    rows = baseline(organ="右肺上叶", diameter_mm="27,5", 备注="x")
    rows = [{"受试者编号" if k == "subject_id" else k: v for k, v in row.items()} for row in rows]
    table = read_table(csv_bytes(rows, delimiter, encoding))
    (visit,) = visits_of(table)
    assert visit.body["targets"][0]["diameter_mm"] == "27.5"
    assert visit.body["targets"][0]["organ"] == "右肺上叶"
    assert table.unread == ["备注"]
    assert visit.rows == [2, 3]


def test_a_title_above_the_headings_and_blank_rows() -> None:
    text = b"Visits of site 01\r\n\r\n" + csv_bytes(baseline()).replace(b"\r\n", b"\r\n,,,\r\n")
    (visit,) = visits_of(read_table(text))
    assert visit.rows == [5, 7]


HEADINGS = ["subject_id", "date", "kind", "lesion", "organ", "diameter_mm", "new_lesions", "status"]
BASELINE = ["S-1", datetime(2024, 1, 15), "baseline", "T01", "lung", 27.5, None, None]  # noqa: DTZ001


def test_a_workbook() -> None:
    content = xlsx_bytes(
        [HEADINGS, BASELINE, [1001, date(2024, 1, 15), "baseline", "T01", "lung", 0.1 + 0.2]],
        Notes=[["anything"]],
    )
    table = read_table(content)
    first, second = visits_of(table)
    assert (table.sheet, table.others) == ("Visits", ["Notes"])
    assert (first.subject_id, first.date) == ("S-1", "2024-01-15")
    assert first.body["targets"][0]["diameter_mm"] == "27.5"
    assert second.subject_id == "1001"
    assert second.body["targets"][0]["diameter_mm"] == "0.3"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (6, "=1+1", "formula"),
        (6, date(2024, 5, 12), "turned this into a date"),
        (6, "#N/A", "error value"),
        (2, datetime(2024, 1, 15, 9, 30), "time of day"),  # noqa: DTZ001
        (2, time(9, 30), "time or duration"),
        (2, 45306, "YYYY-MM-DD"),
    ],
)
def test_cells_of_a_workbook_that_are_no_values(column: int, value: Any, said: str) -> None:
    row = [*BASELINE]
    row[column - 1] = value
    (visit,) = visits_of(read_table(xlsx_bytes([HEADINGS, row])))
    first = visit.problems[0]
    assert (first.at, said in first.detail) == (files.cell_name(column, 2), True), first


def test_the_first_visible_sheet_with_the_headings_is_read() -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(xlsx_bytes([["cover"]], Old=[HEADINGS, BASELINE], Data=[HEADINGS, BASELINE]))
    )
    book["Old"].sheet_state = "hidden"
    table = read_table(saved(book))
    assert (table.sheet, table.others) == ("Data", ["Visits", "Old"])
    book["Data"].sheet_state = "hidden"
    with pytest.raises(Unreadable, match="hidden sheet, Old"):
        read_table(saved(book))


def test_merged_cells_are_refused_where_they_hold_data() -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(xlsx_bytes([["Visits of site 01"], HEADINGS, BASELINE, BASELINE]))
    )
    book["Visits"].merge_cells("A1:F1")
    assert read_table(saved(book)).problems == []
    book["Visits"].merge_cells("A3:A4")
    (problem,) = read_table(saved(book)).problems
    assert (problem.at, "A3:A4" in problem.detail) == ("A3", True)


def archive(**parts: bytes) -> bytes:
    """A zip file."""
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as zipped:
        for name, content in parts.items():
            zipped.writestr(name, content)
    return file.getvalue()


def changed(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one part replaced."""
    with ZipFile(io.BytesIO(content)) as book:
        parts = {part: book.read(part) for part in book.namelist()}
    return archive(**parts | {name: change(parts.get(name, b""))})


PLAIN = xlsx_bytes([HEADINGS, BASELINE])
SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row>
<c t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>"""
OUTSIDE = LAUGHS.replace(b'"aaaaaaaaaa"', b'SYSTEM "file:///etc/passwd"')
HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "No headings"),
    "bytes": (bytes(range(256)), "Neither an .xlsx file nor text"),
    "NUL": (b"subject_id,date,lesion\nS\x00", "Neither an .xlsx file nor text"),
    "half a zip": (PLAIN[: len(PLAIN) // 2], "cannot be read"),
    "a zip of something": (archive(**{"a.txt": b"x"}), "no spreadsheet"),
    "an old or locked workbook": (b"\xd0\xcf\x11\xe0" + b"x" * 600, "without a password"),
    "macros": (changed(PLAIN, "xl/vbaProject.bin", lambda _: b"x"), "macros"),
    "macros by type": (
        changed(PLAIN, "[Content_Types].xml", lambda x: x.replace(b"sheet.main", b"sheet.macroEnabled.main")),
        "macros"),
    "broken XML": (changed(PLAIN, SHEET, lambda x: x[:-30]), "cannot be read"),
    "no XML": (changed(PLAIN, "xl/workbook.xml", lambda _: b"\x00"), "cannot be read"),
    "entities": (changed(PLAIN, SHEET, lambda _: LAUGHS), "cannot be read"),
    "an outside entity": (changed(PLAIN, SHEET, lambda _: OUTSIDE), "cannot be read"),
    "a bomb": (changed(PLAIN, "xl/big.xml", lambda _: b" " * 90_000_000), "too large"),
    "many parts": (archive(**{f"{n}": b"" for n in range(1001)}), "too large"),
    "far rows": (
        changed(PLAIN, SHEET, lambda x: x.replace(b'<row r="2"', b'<row r="1999999999"')),
        "1,000,000 cells"),
    "far columns": (
        changed(PLAIN, SHEET, lambda x: x.replace(
            b"</sheetData>", b'<row><c r="XFD9"><v>1</v></c></row>' * 99 + b"</sheetData>")),
        "1,000,000 cells"),
    "rows without end": (
        b"subject_id,date,lesion\n" + b"S,2024-01-01,T01\n" * 30_000, "25,000 rows"),
    "a cell without end": (b'subject_id,date,lesion\n"' + b"x" * 200_000, "is no CSV"),
    "quotes": (b'subject_id,date,lesion\n"a"b,2', "is no CSV"),
    "large": (b"x" * 10_000_001, "At most 10 MB"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(name: str) -> None:
    content, said = HOSTILE[name]
    with pytest.raises(Unreadable) as refused:
        read_table(content)
    assert said in refused.value.detail


def test_a_column_without_a_heading_is_named() -> None:
    table = read_table(b"subject_id,date,lesion,,Comment\nS,2024-01-15,T01,x,y\n")
    assert table.unread == ["column D", "Comment"]


# There and back

millimeters = st.decimals(0, 400, places=2)
words = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20).map(str.strip)


def described(**fields: Any) -> Any:
    """What a row says of its lesion."""
    return {
        "organ": st.just("lung") | words,
        "description": st.just("") | words,
        "method": st.sampled_from(["", "ct", "mri", "pet_ct", "xray"]),
    } | fields


def targets(label: str) -> st.SearchStrategy[TargetEntry]:
    """Target rows in each state."""
    common = described(slice_mm=st.none() | st.decimals(1, 10, places=1))
    of: list[dict[str, Any]] = [
        {"state": st.just("measured"), "diameter_mm": millimeters},
        {"state": st.sampled_from(["absent", "too_small"])},
        {"state": st.just("not_evaluable"), "reason": words},
        {"state": st.just("merged"), "merged_into": st.just("T09")},
        {"state": st.just("measured"), "fragments_mm": st.tuples(millimeters, millimeters)},
    ]
    return st.one_of([st.builds(TargetEntry, st.just(label), **common | each) for each in of])


def non_targets(label: str) -> st.SearchStrategy[NonTargetEntry]:
    """Non-target rows."""
    statuses = st.sampled_from(["absent", "present", "increased", "unequivocal_progression"])
    return st.builds(
        NonTargetEntry,
        st.just(label),
        **described(status=statuses, short_axis_mm=st.none() | millimeters),
    )


new_lesions = st.builds(
    NewLesionEntry,
    st.just("NL01"),
    **described(
        certainty=st.sampled_from(["unequivocal", "equivocal"]),
        diameter_mm=st.none() | millimeters,
    ),
)
visits = st.builds(
    VisitEntry,
    st.sampled_from(["baseline", "scheduled", "unscheduled"]),
    st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    targets=st.tuples(targets("T01"), targets("T02")),
    non_targets=st.just(()) | st.tuples(non_targets("NT01")),
    new_lesions=st.just(()) | st.tuples(new_lesions),
    stated_response=st.sampled_from(["", "PR", "NON_CR_NON_PD"]),
    stated_response_reason=st.just("") | words,
)


def inferred(visit: VisitEntry) -> VisitEntry:
    """A node is one by its organ's name, as everywhere."""

    def each(rows: Any) -> Any:
        return tuple(row.with_node_inferred(None) for row in rows)

    new = None if visit.new_lesions is None else each(visit.new_lesions)
    return VisitEntry(
        visit.kind,
        visit.date,
        each(visit.targets),
        each(visit.non_targets),
        new,
        visit.stated_response,
        visit.stated_response_reason,
    )


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(visits, st.booleans(), st.sampled_from(["csv", "xlsx"]))
def test_a_visit_written_as_rows_is_read_back(visit: VisitEntry, wide: bool, form: str) -> None:
    visit = inferred(visit)
    lines: Rows = [template.wide_line("S-1", visit)] if wide else template.long_lines("S-1", visit)
    headings = template.headings_of(lines)
    content = template.as_csv(headings, lines)
    if form == "xlsx":
        cells = [[template._cell(name, line.get(name, "")) for name in headings] for line in lines]
        content = xlsx_bytes([headings, *cells])
    (found,) = visits_of(read_table(content))
    assert entered(found) == visit


@pytest.mark.parametrize("wide", [False, True])
def test_the_filled_example_is_read_as_what_it_says(wide: bool) -> None:
    lines = template.example_lines(wide=wide)
    found = visits_of(read_table(template.as_csv(template.headings_of(lines), lines)))
    assert [entered(visit) for visit in found] == [said for _, said in template.example()]


def test_the_workbook_template_is_ready_to_fill_in() -> None:
    blank = read_table(template.as_xlsx())
    assert (blank.sheet, blank.rows, blank.unread) == ("Visits", [], [])
    book = openpyxl.load_workbook(io.BytesIO(template.as_xlsx()))
    assert book.sheetnames == ["Visits", "Example", "Example wide", "Columns"]
    del book["Visits"]
    visits_read = visits_of(read_table(saved(book)))
    assert [entered(visit) for visit in visits_read] == [said for _, said in template.example()]
    assert set(template.MEANINGS) == set(columns.HEADINGS)


# Upload, preview, store


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


# Who


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


# Uploads that are refused


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


# Long files, progress, faults


def many(count: int) -> Rows:
    """Baselines and follow-ups of so many patients."""
    names = [f"P-{number}" for number in range(count)]
    return [row for name in names for row in (*baseline(name), *follow_up(name))]


def test_a_long_file_is_checked_when_asked(
    cast: Cast, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outcomes.visit_sheet_views.AT_ONCE", 3)
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
