"""What a coordinator starts from: a sheet with the headings, and one that is already filled."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date as Date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.datavalidation import DataValidation

from outcomes.entries import LesionEntry, NewLesionEntry, NonTargetEntry, TargetEntry, VisitEntry
from outcomes.report.tables import csv_text
from outcomes.visit_sheets.columns import HEADINGS, OF_VISIT, WORDS, column
from outcomes.visit_sheets.files import letter
from outcomes.visit_sheets.visits import TAKEN

Line = dict[str, str]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
YES_NO = ("node", "previously_irradiated", "progressed_since_irradiation", "new_lesions")
SIZES = ("slice_mm", "diameter_mm", "short_axis_mm")
NUMBER = re.compile(r"\d+(\.\d+)?")
LISTED_ROWS = 2_000  # rows of the template that offer the words of a column

MEANINGS = {
    "subject_id": gettext_lazy("The participant's number in the trial; format the column as text."),
    "date": gettext_lazy("The date of the scan, YYYY-MM-DD or a date of the spreadsheet."),
    "kind": gettext_lazy("What the visit is."),
    "lesion": gettext_lazy("T01 to T05 targets, NT01 ... non-targets, NL01 ... new lesions."),
    "role": gettext_lazy("May stay blank: the label says it."),
    "organ": gettext_lazy("At baseline, and where a new lesion is first seen."),
    "location": gettext_lazy("Where in the organ."),
    "node": gettext_lazy("May stay blank: the organ's name says it."),
    "method": gettext_lazy("How the lesion was imaged."),
    "slice_mm": gettext_lazy("Slice thickness in millimeters."),
    "state": gettext_lazy("Of a target; blank with a diameter: measured."),
    "diameter_mm": gettext_lazy("Of a target, in millimeters; of a node its short axis."),
    "status": gettext_lazy("Of a non-target; at baseline it is present."),
    "short_axis_mm": gettext_lazy("Of a node that is a non-target."),
    "certainty": gettext_lazy("Of a new lesion."),
    "growth": gettext_lazy(
        "Of a non-target or new lesion, where the trial uses iRECIST: since the visit before."
    ),
    "reason": gettext_lazy("Why a lesion could not be evaluated."),
    "fragments_mm": gettext_lazy("Of a target that fell apart, such as 12 + 8.5."),
    "merged_into": gettext_lazy("The target that this one merged into."),
    "bone_type": gettext_lazy("Of a bone lesion, at baseline."),
    "previously_irradiated": gettext_lazy("At baseline."),
    "progressed_since_irradiation": gettext_lazy("At baseline, of an irradiated target."),
    "new_lesions": gettext_lazy("Whether new lesions were seen; once per follow-up visit."),
    "stated_response": gettext_lazy("What the investigator says, if it is recorded."),
    "stated_response_reason": gettext_lazy("Why it differs from the computed response."),
    "change_reason": gettext_lazy("Why a visit that is stored already is changed."),
}


def long_lines(subject_id: str, entry: VisitEntry) -> list[Line]:
    """A visit as rows of the template: one per lesion, or one where none is listed."""
    of_visit = _of_visit(subject_id, entry)
    lesions = [*entry.targets, *entry.non_targets, *(entry.new_lesions or ())]
    rows = [{"lesion": lesion.lesion, **_of_lesion(lesion)} for lesion in lesions] or [{}]
    return [of_visit | row for row in rows]


def wide_line(subject_id: str, entry: VisitEntry) -> Line:
    """A visit as one row, with columns such as T01 and "T01 organ"."""
    line = _of_visit(subject_id, entry)
    for lesion in (*entry.targets, *entry.non_targets, *(entry.new_lesions or ())):
        said = _of_lesion(lesion)
        own = TAKEN[said.pop("role")][-1]
        if own == "diameter_mm" and said.get("state") not in (None, "measured"):
            own = "state"
        else:
            said.pop("state", None)
        line |= {lesion.lesion: said.pop(own, "")}
        line |= {f"{lesion.lesion} {name}": text for name, text in said.items()}
    return {name: text for name, text in line.items() if text}


def _of_visit(subject_id: str, entry: VisitEntry) -> Line:
    asked = {} if entry.new_lesions is None else {"new_lesions": _text(bool(entry.new_lesions))}
    said = {
        "subject_id": subject_id,
        "date": entry.date.isoformat() if entry.date else "",
        "kind": entry.kind,
        "stated_response": entry.stated_response,
        "stated_response_reason": entry.stated_response_reason,
    }
    return {name: text for name, text in (said | asked).items() if text}


def _of_lesion(lesion: LesionEntry) -> Line:
    said: dict[str, Any] = {
        "organ": lesion.organ,
        "location": lesion.description,
        "method": lesion.method,
        "slice_mm": lesion.slice_mm,
        "bone_type": lesion.bone_type,
        "previously_irradiated": lesion.previously_irradiated or None,
        "progressed_since_irradiation": lesion.progressed_since_irradiation or None,
        "node": lesion.nodal or None,
        **_seen(lesion),
    }
    return {name: text for name, value in said.items() if (text := _text(value))}


def _seen(lesion: LesionEntry) -> dict[str, Any]:
    if isinstance(lesion, TargetEntry):
        fragments = " + ".join(_text(mm) for mm in lesion.fragments_mm)
        names = ("state", "diameter_mm", "reason", "merged_into")
        return {
            "role": "target",
            "fragments_mm": fragments,
            **{n: getattr(lesion, n) for n in names},
        }
    if isinstance(lesion, NonTargetEntry):
        others = ("status", "short_axis_mm", "reason", "growth")
        return {"role": "non_target", **{n: getattr(lesion, n) for n in others}}
    return {
        "role": "new",
        **{n: getattr(lesion, n) for n in ("certainty", "diameter_mm", "growth")},
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format(value, "f") if isinstance(value, Decimal) else str(value or "")


def example() -> list[tuple[str, VisitEntry]]:
    """A baseline and two follow-up visits of one participant."""
    ct: dict[str, Any] = {"method": "ct", "slice_mm": Decimal(5)}
    first = VisitEntry(
        "baseline",
        Date(2026, 3, 2),
        targets=(
            TargetEntry("T01", "lung", "right upper lobe", state="measured",
                        diameter_mm=Decimal("42.5"), **ct),
            TargetEntry("T02", "lymph node", "left axilla", nodal=True, state="measured",
                        diameter_mm=Decimal(18), **ct),
        ),
        non_targets=(NonTargetEntry("NT01", "pleural effusion", status="present", method="ct"),),
    )  # fmt: skip
    second = VisitEntry(
        "scheduled",
        Date(2026, 4, 13),
        targets=(
            TargetEntry("T01", state="measured", diameter_mm=Decimal(30), **ct),
            TargetEntry("T02", state="too_small", **ct),
        ),
        non_targets=(NonTargetEntry("NT01", status="present"),),
        new_lesions=(),
    )
    third = VisitEntry(
        "scheduled",
        Date(2026, 5, 25),
        targets=(
            TargetEntry("T01", state="not_evaluable", reason="motion artifact", method="ct"),
            TargetEntry("T02", state="absent", method="ct"),
        ),
        non_targets=(NonTargetEntry("NT01", status="increased"),),
        new_lesions=(
            NewLesionEntry("NL01", "liver", "segment 7", certainty="equivocal", method="mri",
                           diameter_mm=Decimal(8)),
        ),
    )  # fmt: skip
    return [("S-001", visit) for visit in (first, second, third)]


def example_lines(*, wide: bool = False) -> list[Line]:
    """The example as rows."""
    if wide:
        return [wide_line(*visit) for visit in example()]
    return [line for visit in example() for line in long_lines(*visit)]


def headings_of(lines: Iterable[Line]) -> list[str]:
    """The headings that these rows need, a visit's before its lesions'."""
    names = list(dict.fromkeys(name for line in lines for name in line))
    order = {name: place for place, name in enumerate(HEADINGS)}
    return sorted(names, key=lambda name: (name not in OF_VISIT[:3], order.get(name, -1), name))


def as_csv(headings: Iterable[str], lines: Iterable[Line]) -> bytes:
    """CSV that Excel opens with its Chinese characters."""
    return csv_text(headings, lines).encode("utf-8-sig")


def as_xlsx() -> bytes:
    """A workbook: the sheet to fill in, the example in both layouts, and what the columns mean."""
    book = Workbook()
    visits = book.active
    assert visits is not None
    visits.title = "Visits"
    _fill(visits, list(HEADINGS), [])
    _offer_words(visits)
    for title, wide in (("Example", False), ("Example wide", True)):
        lines = example_lines(wide=wide)
        _fill(book.create_sheet(title), headings_of(lines), lines)
    _explain(book.create_sheet("Columns"))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _fill(sheet: Any, headings: list[str], lines: Iterable[Line]) -> None:
    sheet.append(headings)
    for line in lines:
        sheet.append([_cell(name, line.get(name, "")) for name in headings])
    for number, name in enumerate(headings, 1):
        sheet.cell(1, number).font = Font(bold=True)
        sheet.column_dimensions[letter(number)].width = max(12, len(name) + 3)
        if name == "subject_id":
            sheet.column_dimensions[letter(number)].number_format = "@"
    sheet.freeze_panes = "D2"


def _cell(name: str, text: str) -> Any:
    """As a person would type it: numbers and dates are no text."""
    if name == "date":
        return Date.fromisoformat(text)
    meant = column(name)
    sized = meant is not None and (meant.key == meant.label or meant.key in SIZES)
    return float(text) if sized and NUMBER.fullmatch(text) else text or None


def _offer_words(sheet: Any) -> None:
    """Lists to choose from; Excel keeps what somebody types besides out."""
    for number, name in enumerate(HEADINGS, 1):
        words = ("yes", "no") if name in YES_NO else tuple(WORDS.get(name, ()))
        if words:
            offered = DataValidation("list", formula1=f'"{",".join(words)}"', allow_blank=True)
            offered.add(f"{letter(number)}2:{letter(number)}{LISTED_ROWS}")
            sheet.add_data_validation(offered)


def _explain(sheet: Any) -> None:
    sheet.append([_("Heading"), _("What it says"), _("Words"), _("Other headings")])
    for row in explained():
        sheet.append([row["name"], row["meaning"], row["words"], row["others"]])
    for name, width in (("A", 28), ("B", 60), ("C", 50), ("D", 60)):
        sheet.column_dimensions[name].width = width
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=cell.row == 1)


def explained() -> Iterator[Mapping[str, str]]:
    """Each column: its name, what it says, the words it takes, and its other headings."""
    for name, others in HEADINGS.items():
        words = "yes, no" if name in YES_NO else ", ".join(WORDS.get(name, ()))
        yield {"name": name, "meaning": str(MEANINGS[name]), "words": words, "others": others}
