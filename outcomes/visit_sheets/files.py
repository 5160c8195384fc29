"""An uploaded spreadsheet as rows of cells: CSV as hospitals write it, XLSX by its values only.

Nothing of a file is trusted: not its name, not the sizes that it declares, not its formulas. What
is read is bounded before and while it is read.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date as Date
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import IO, Any
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter, range_boundaries

from outcomes.visit_sheets.columns import Column, Value, column, known

LARGEST = 10_000_000  # bytes of a file
LARGEST_UNPACKED = 80_000_000  # bytes of what an XLSX file holds; 20,000 full rows are about 30 MB
MOST_PARTS = 1_000
MOST_ROWS = 25_000
MOST_CELLS = 1_000_000  # blank ones between others included
LONGEST_TEXT = 500  # characters of a cell
MOST_LINES = 200_000  # of a CSV file, blank ones included
HEADINGS_WITHIN = 20  # rows
MOST_COLUMNS = 2_000  # 99 lesions of each role with all their columns are fewer
WIDEST = 16_384  # columns of a spreadsheet, blank ones included
GUESSED_BY = 100_000  # characters of a CSV file by which its delimiter is told
ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a cell, or with a row or the file where `at` names no cell."""

    at: str
    detail: str


class Unreadable(Exception):
    """The file cannot be read as a visit sheet; `detail` says why, and what would be."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True)
class Row:
    """A row below the headings: its number as the spreadsheet shows it, its cells by column."""

    number: int
    cells: dict[int, Value]


@dataclass
class Table:
    """What was read: where, which columns, and the rows that are not blank."""

    form: str  # such as "CSV, UTF-8"
    sheet: str
    columns: dict[int, Column]
    unread: list[str]  # headings of columns that mean nothing here
    others: list[str]  # sheets that were not read
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


Cells = dict[int, Any]  # by column, from 1; a Fault where a value cannot be taken
Numbered = Iterator[tuple[int, Cells]]


@dataclass(frozen=True)
class Fault:
    """A cell whose value cannot be taken, and why."""

    detail: str


def letter(number: int) -> str:
    """A column as spreadsheets call it: H."""
    return str(get_column_letter(number))


def cell_name(number: int, row: int) -> str:
    """A cell as spreadsheets call it: H12."""
    return f"{letter(number)}{row}"


def read_table(content: bytes) -> Table:
    """The visit sheet in a file. Raises Unreadable."""
    if len(content) > LARGEST:
        raise Unreadable(_("At most 10 MB; send the rows in several files."))
    if content.startswith(OLD_EXCEL):
        raise Unreadable(
            _("An old or a locked Excel file; save it as .xlsx without a password, or as CSV.")
        )
    return _workbook(content) if content.startswith(ZIP) else _text(content)


# CSV


def _text(content: bytes) -> Table:
    text, encoding = _decoded(content)
    rows = _counted(_delimited(text, max(",;\t", key=lambda each: _headings(text, each))))
    numbered = ((number, dict(enumerate(row, 1))) for number, row in enumerate(rows, 1))
    found = _table(f"CSV, {encoding}", "", _bounded(_neutral(row) for row in numbered))
    if found is None:
        raise Unreadable(no_headings() if _tabular(text) else no_spreadsheet())
    return found


def _tabular(text: str) -> bool:
    """Whether it may be a table: cells apart from one another, and no bytes of a program's file."""
    top = text[:GUESSED_BY]
    controls = any(char < " " and char not in "\t\r\n" for char in top)
    apart = any(delimiter in top for delimiter in ",;\t") or not top.strip()
    return apart and not controls


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        names = [("utf-16", "UTF-16")]
    else:
        names = [("utf-8-sig", "UTF-8"), ("gb18030", "GB18030")]
    for codec, name in names:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text, name
    raise Unreadable(no_spreadsheet())


def _headings(text: str, delimiter: str) -> int:
    """How many headings a row at the top has, by one delimiter."""
    reader = csv.reader(io.StringIO(text[:GUESSED_BY], newline=""), delimiter=delimiter)
    most = 0
    try:
        for row in islice(reader, HEADINGS_WITHIN):
            most = max(most, known(row[:MOST_COLUMNS]))
    except csv.Error:  # whoever reads all of it says where
        pass
    return most


def _delimited(text: str, delimiter: str) -> Iterator[list[str]]:
    lines = _Fed(text, delimiter)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(reader):
            if number > MOST_LINES:
                raise Unreadable(too_many_rows())
            lines.delimiters = 0
            yield row
    except csv.Error as error:
        detail = _("Line %(line)s is no CSV: quotes do not match, or a cell is too long.")
        raise Unreadable(detail % {"line": reader.line_num}) from error


class _Fed:
    """A text's lines, as long as those of one row are no more cells than a spreadsheet has."""

    def __init__(self, text: str, delimiter: str) -> None:
        self.lines = io.StringIO(text, newline="")
        self.delimiter = delimiter
        self.delimiters = 0  # since the last whole row, quoted ones included

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.delimiters += line.count(self.delimiter)
            if self.delimiters >= WIDEST:
                raise Unreadable(too_many_columns())
            yield line


def _neutral(row: tuple[int, dict[int, str]]) -> tuple[int, Cells]:
    """A formula in a text file is one as soon as somebody opens it."""
    number, cells = row
    return number, {
        i: Fault(formula()) if cell.lstrip().startswith("=") else cell for i, cell in cells.items()
    }


# XLSX


def _workbook(content: bytes) -> Table:
    """The first visible sheet with the headings."""
    merged = _checked_archive(content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")]
        shown = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
        for sheet in shown:
            if (table := _sheet(sheet)) is not None:
                break
        else:
            table = next((found for sheet in sheets if (found := _sheet(sheet))), None)
            detail = _("The headings are on a hidden sheet, %s; unhide it.")
            raise Unreadable(detail % table.sheet if table else no_headings())
    except Unreadable:
        raise
    except Exception as error:  # a broken file raises whatever openpyxl stumbles over
        raise Unreadable(
            _("Not a spreadsheet. This .xlsx file cannot be read; save it again, or as CSV.")
        ) from error
    table.others = [other.title for other in sheets if other.title != table.sheet]
    path = str(getattr(sheet, "_worksheet_path", ""))
    table.problems += _merges(merged.get(path, []), table)
    return table


def _checked_archive(content: bytes) -> dict[str, list[str]]:
    """Refuses what is no plain workbook; the merged ranges of each sheet's part."""
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)  # no more than this is ever unpacked
            if len(parts) > MOST_PARTS or size > LARGEST_UNPACKED:
                raise Unreadable(_("Unpacked this file is too large; send the rows in parts."))
            names = [part.filename for part in parts]
            if "[Content_Types].xml" not in names:
                raise Unreadable(_("A zip file, but no spreadsheet; save it as .xlsx or CSV."))
            if any("vbaproject" in name.casefold() for name in names) or (
                b"macroEnabled" in archive.read("[Content_Types].xml")
            ):
                raise Unreadable(_("A file with macros; save it as .xlsx without them, or as CSV."))
            return {
                name: list(_ranges(archive.open(name)))
                for name in names
                if name.startswith("xl/worksheets/") and name.endswith(".xml")
            }
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ZlibError) as error:
        raise Unreadable(
            _("Not a spreadsheet. This .xlsx file cannot be read; save it again, or as CSV.")
        ) from error


_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*?\bref=[\"']([A-Z]+\d+:[A-Z]+\d+)[\"']")


def _ranges(part: IO[bytes]) -> Iterator[str]:
    """The merged ranges of a sheet; openpyxl does not tell them while it streams."""
    kept = b""
    with part:
        while block := part.read(1 << 20):
            kept += block
            end = 0
            for match in _MERGED.finditer(kept):
                yield match[1].decode()
                end = match.end()
            kept = kept[max(end, len(kept) - 200) :]


def _merges(ranges: Iterable[str], table: Table) -> Iterator[Problem]:
    """Merged cells among the rows: whether a value is of all of them only their author knows."""
    first = table.rows[0].number if table.rows else 1
    for name in sorted(set(ranges)):
        bounds = range_boundaries(name)
        if bounds[3] is not None and bounds[3] >= first:
            detail = _("The cells %s are merged; unmerge them and write the value into each row.")
            yield Problem(name.split(":")[0], detail % name)


def _sheet(sheet: Any) -> Table | None:
    sheet.reset_dimensions()  # what a sheet says of its size need not be so
    rows = (
        (number, {i: _taken(cell) for i, cell in enumerate(row, 1) if cell.value is not None})
        for number, row in enumerate(_counted(sheet.iter_rows()), 1)
    )
    return _table("XLSX", sheet.title, _bounded(rows))


def _counted(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Rows as long as they and their gaps are no more cells than a person fills."""
    cells = 0
    for row in rows:
        cells += max(len(row), 1)
        if cells > MOST_CELLS:
            raise Unreadable(
                _("More than 1,000,000 cells, blank ones included; delete what is not needed.")
            )
        yield row


def _taken(cell: Any) -> Any:
    """A cell's value as it counts here."""
    value = cell.value
    if cell.data_type == "f":
        return Fault(formula())
    if cell.data_type == "e":
        return Fault(_("An error value; write the value itself."))
    if isinstance(value, bool | str | Date) and not isinstance(value, datetime):
        return value
    if isinstance(value, datetime):
        return value.date() if value == datetime.combine(value.date(), datetime.min.time()) else (
            Fault(_("A time of day; give the date alone, as YYYY-MM-DD."))
        )  # fmt: skip
    if isinstance(value, int | float):
        return _number(value)
    return Fault(_("A time or duration; write the value as a number, text or date."))


def _number(value: float) -> Decimal:
    """What the spreadsheet shows: 15 digits, so that 0.1 + 0.2 is 0.3."""
    found = Decimal(f"{value:.15g}")
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found


# Both


def formula() -> str:
    """Why a formula is refused."""
    return _("A formula; copy the cells and paste them as values.")


def no_headings() -> str:
    """What a sheet without headings is told."""
    return _(
        "No headings found in the first 20 rows; a row must name at least subject_id, date, and "
        "lesion or T01. Start from the template."
    )


def no_spreadsheet() -> str:
    """What a picture or a broken file is told."""
    return _("Not a spreadsheet, or a broken one. Send an .xlsx workbook or a CSV file.")


def too_many_columns() -> str:
    """What a sheet without a right edge is told."""
    return _("At most 2,000 columns; delete what is not needed.")


def too_many_rows() -> str:
    """What a sheet without end is told."""
    return _("At most 25,000 rows; send them in several files.")


def _bounded(rows: Numbered) -> Numbered:
    """The rows that say something, their texts trimmed; too many of them are refused early."""
    count = 0
    for number, cells in rows:
        said = {i: kept for i, cell in cells.items() if (kept := _trimmed(cell)) is not None}
        if not said:
            continue
        count += 1
        if count > MOST_ROWS + HEADINGS_WITHIN:
            raise Unreadable(too_many_rows())
        yield number, said


def _trimmed(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    if len(cell) > LONGEST_TEXT:
        return Fault(_("Longer than a cell of a visit sheet can be."))
    plain = cell.replace("\ufeff", "").replace("\u3000", " ").strip()
    if any(c < " " and c not in "\t\r\n" for c in plain):
        return Fault(_("A control character; type the text again."))
    return plain or None


def _table(form: str, name: str, rows: Numbered) -> Table | None:
    """The rows below the headings; None where there are none of these."""
    for number, cells in rows:
        if number > HEADINGS_WITHIN:
            return None
        first = {i: cell for i, cell in cells.items() if i <= MOST_COLUMNS}
        found = {i: meant for i, cell in first.items() if (meant := _meant(cell))}
        if _enough(found.values()):
            break
    else:
        return None
    if len(first) < len(cells):
        raise Unreadable(too_many_columns())
    _require_unique(found, number)
    unread = {i: _name(i, cell) for i, cell in cells.items() if i not in found}
    table = Table(form, name, found, [], [])
    for number, row in rows:
        _add(table, number, row, unread)
    table.unread = [unread[i] for i in sorted(unread)]
    return table


def _name(number: int, heading: Any) -> str:
    return heading if isinstance(heading, str) else _("column %s") % letter(number)


def _meant(cell: Any) -> Column | None:
    return column(cell) if isinstance(cell, str) else None


def _enough(columns: Iterable[Column]) -> bool:
    keys = {each.key for each in columns}
    return {"subject_id", "date"} <= keys


def _require_unique(columns: dict[int, Column], row: int) -> None:
    for meant, count in Counter(columns.values()).items():
        if count > 1:
            places = ", ".join(cell_name(i, row) for i, other in columns.items() if other == meant)
            detail = _("The headings %(places)s all mean %(name)s; keep one of these columns.")
            raise Unreadable(detail % {"places": places, "name": meant.name})


def _add(table: Table, number: int, cells: Cells, unread: dict[int, str]) -> None:
    """A row below the headings; what stands below no heading of ours is noted, not read."""
    headed = {i: cell for i, cell in cells.items() if i in table.columns}
    for i in cells.keys() - headed.keys():
        unread.setdefault(i, _name(i, None))
    for i, cell in headed.items():
        if isinstance(cell, Fault):
            table.problems.append(Problem(cell_name(i, number), cell.detail))
    if headed:
        kept = {i: cell for i, cell in headed.items() if not isinstance(cell, Fault)}
        table.rows.append(Row(number, kept))
