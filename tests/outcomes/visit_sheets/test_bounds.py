"""What is read of a hostile file is bounded before it is understood, in time and in memory."""

from __future__ import annotations

import tracemalloc

import pytest

from outcomes.visit_sheets import columns as visit_sheet_columns
from outcomes.visit_sheets import files as visit_sheet_files
from outcomes.visit_sheets.files import Unreadable, read_table

HEADINGS = "subject_id,date,lesion"
OPENING = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
WIDE: dict[str, tuple[bytes, str]] = {
    "one line": (b'b","' * 2_000_000, "2,000 columns"),
    "one line of delimiters": (b"," * 9_000_000, "2,000 columns"),
    "one row of many lines": (HEADINGS.encode() + b'\n"\n"' + b',"\n"' * 2_000_000, "2,000 columns"),
    "below the headings": (HEADINGS.encode() + b"\nS" + b"," * 9_000_000, "2,000 columns"),
    "many headings": (HEADINGS.encode() + b",x" * 2_000, "2,000 columns"),
    "many cells": (HEADINGS.encode() + (b"\nS" + b"," * 9_999) * 200, "1,000,000 cells"),
    "semicolons": (b"subject_id;date;lesion\n" + b";" * 9_000_000, "2,000 columns"),
}  # fmt: skip


@pytest.mark.parametrize("name", WIDE)
def test_a_row_without_end_is_not_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content, said = WIDE[name]
    looked_at = 0

    def column(heading: str) -> visit_sheet_columns.Column | None:
        nonlocal looked_at
        looked_at += 1
        return meant(heading)

    meant = visit_sheet_columns.column
    for module in (visit_sheet_columns, visit_sheet_files):
        monkeypatch.setattr(module, "column", column)
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable) as refused:
            read_table(content)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert said in refused.value.detail
    assert looked_at <= 4 * 20 * 2_000  # three delimiters tried and the one taken, 20 rows of each
    assert most < 100_000_000  # of 9 MB of text, decoded and fed


def test_the_columns_of_a_formatted_sheet_that_are_blank_do_not_count() -> None:
    blank = "," * 10_000
    table = read_table(f"{HEADINGS}{blank}\nS,2024-01-15,T01{blank}\n".encode())
    assert len(table.rows) == 1
    assert table.unread == []


@pytest.mark.parametrize("content", [OPENING + b"\x00\xff" * 500, b"PK\x03\x04" + b"\x00" * 500])
def test_what_is_no_spreadsheet_is_called_so(content: bytes) -> None:
    with pytest.raises(Unreadable, match="Not a spreadsheet"):
        read_table(content)
