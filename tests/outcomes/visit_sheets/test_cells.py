"""What cells and rows of a visit sheet mean, and what is refused and where."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from outcomes import visit_sheets
from outcomes.entries import NewLesionEntry, NonTargetEntry, TargetEntry, VisitEntry
from outcomes.models import VisitSheet
from outcomes.visit_sheets import columns
from outcomes.visit_sheets.files import Unreadable
from tests.conftest import Cast
from tests.factories import START
from tests.outcomes.visit_sheets.sheets import (
    Rows,
    baseline,
    day,
    entered,
    follow_up,
    read,
)


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
        ("growth", "明确增大", "unequivocal"), ("growth", "no", "none"),
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
