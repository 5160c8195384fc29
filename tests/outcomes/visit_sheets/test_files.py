"""Files of visits: text and workbooks, hostile ones too, there and back."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outcomes.entries import NewLesionEntry, NonTargetEntry, TargetEntry, VisitEntry
from outcomes.visit_sheets import columns, files, template
from outcomes.visit_sheets.files import Unreadable, read_table
from outcomes.visit_sheets.visits import visits_of
from tests.outcomes.visit_sheets.sheets import (
    BASELINE,
    HEADINGS,
    HOSTILE,
    Rows,
    baseline,
    csv_bytes,
    entered,
    saved,
    xlsx_bytes,
)


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


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(name: str) -> None:
    content, said = HOSTILE[name]
    with pytest.raises(Unreadable) as refused:
        read_table(content)
    assert said in refused.value.detail


def test_a_column_without_a_heading_is_named() -> None:
    table = read_table(b"subject_id,date,lesion,,Comment\nS,2024-01-15,T01,x,y\n")
    assert table.unread == ["column D", "Comment"]


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
        growth=st.sampled_from(["", "none", "increased", "unequivocal"]),
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


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
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


def test_a_wide_sheet_may_know_its_lesions_by_fragments_only() -> None:
    """No column T01 of its own: the column T01 fragments_mm says the layout as well."""
    content = (
        b"subject_id,date,kind,T01 organ,T01 fragments_mm\nS-1,2024-01-15,baseline,lung,8 + 7\n"
    )
    (found,) = visits_of(read_table(content))
    assert found.problems == []
    assert [row["fragments_mm"] for row in found.body["targets"]] == [["8", "7"]]


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
