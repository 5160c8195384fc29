"""Sheets of visits as the tests of this folder write and send them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from outcomes.entries import VisitEntry
from outcomes.models import VisitSheet
from outcomes.serializers import VisitLine, entry
from outcomes.visit_sheets import digest
from outcomes.visit_sheets.files import read_table
from outcomes.visit_sheets.visits import SheetVisit, visits_of
from tests.factories import START

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


def upload(client: Client, content: bytes, name: str = "visits.csv") -> Any:
    """Send a file to the upload page."""
    return client.post(NEW, {"file": SimpleUploadedFile(name, content)})


def uploaded(client: Client, content: bytes, name: str = "visits.csv") -> VisitSheet:
    """The sheet that an accepted file became."""
    answer = upload(client, content, name)
    assert answer.status_code == 302, answer.content.decode()
    return VisitSheet.objects.get(pk=answer["Location"].split("/")[2])


def send(client: Client, sheet: VisitSheet, **fields: str) -> Any:
    """The answer to the form under a checked sheet, as the page that was just shown sends it."""
    sheet.refresh_from_db()
    return client.post(f"/visit-sheets/{sheet.pk}/", {"shown": digest(sheet)} | fields)


def outcomes(sheet: VisitSheet) -> list[str]:
    """What each visit of a checked sheet does."""
    return [line["outcome"] for line in sheet.found["lines"]]


def problems(sheet: VisitSheet) -> list[str]:
    """The cells that a checked sheet refuses."""
    return [problem["at"] for line in sheet.found["lines"] for problem in line["problems"]]


HEADINGS = ["subject_id", "date", "kind", "lesion", "organ", "diameter_mm", "new_lesions", "status"]
BASELINE = ["S-1", datetime(2024, 1, 15), "baseline", "T01", "lung", 27.5, None, None]  # noqa: DTZ001


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
    "bytes": (bytes(range(256)), "Not a spreadsheet"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "Not a spreadsheet"),
    "the head of a picture": (b"\x89PNG\r\n\x1a\n", "Not a spreadsheet"),
    "words": (b"not a workbook\n", "Not a spreadsheet"),
    "controls": (b"a,b\x01,c\n", "Not a spreadsheet"),
    "NUL": (b"subject_id,date,lesion\nS\x00", "Not a spreadsheet"),
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
