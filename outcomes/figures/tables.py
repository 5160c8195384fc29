"""The data of each figure as rows for CSV: nothing is rounded that the drawing rounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from outcomes import figures
from outcomes.charts.participant_flow import Box, Outline
from outcomes.charts.swimmer import CourseEvent, Lane
from outcomes.flow import FlowReport
from outcomes.flow.accrual import AccrualReport
from outcomes.report import PatientOutcome, Report
from outcomes.report.documents import moment
from outcomes.wording import word

Row = dict[str, Any]
Table = tuple[tuple[str, ...], list[Row]]
OF = ("trial", "cutoff", "known_on")
TIMES = ("group", "subject_id", "days", "event", "date", "reason_code", "reason", "record", "record_id")  # fmt: skip
CHANGES = ("subject_id", "change_percent", "best_response", "new_lesion")
VISITS = ("subject_id", "best_response", "day", "change_percent", "response", "visit")
COURSES = (
    "subject_id", "group", "best_response", "treatment_start_day", "treatment_end_day",
    "treatment_ongoing", "follow_up_end_day", "response", "response_day", "progression_day",
    "new_therapy_day", "death_day",
)  # fmt: skip
RESPONSES = (CourseEvent.COMPLETE_RESPONSE, CourseEvent.PARTIAL_RESPONSE)


def table(name: str, report: Report) -> Table:
    """The columns and rows of the figure of this name."""
    columns, rows = _columns(name), _rows(name, report)
    known_on = moment(report.options.known_on) or ""
    return _of(report.trial.registry_id, report.options.cutoff.isoformat(), known_on, columns, rows)


def _columns(name: str) -> tuple[str, ...]:
    if name in figures.CURVES:
        return TIMES
    return {"waterfall": CHANGES, "spider": VISITS, "swimmer": COURSES}[name]


def _rows(name: str, report: Report) -> Iterator[Row]:
    if name in figures.CURVES:
        return _times(name, report)
    if name == "waterfall":
        return _changes(report)
    if name == "spider":
        return (row for patient in report.patients for row in _visits(patient))
    return map(_course, figures.lanes_of(report))


def _of(
    trial: str, cutoff: str, known_on: str, columns: tuple[str, ...], rows: Iterable[Row]
) -> Table:
    told = {"trial": trial, "cutoff": cutoff, "known_on": known_on}
    return (*OF, *columns), [told | row for row in rows]


def _times(name: str, report: Report) -> Iterator[Row]:
    for group, found in figures.groups_of(name, report):
        for facts, time in found.times:
            yield {
                "group": group,
                "subject_id": facts.subject_id,
                "days": time.days,
                "event": int(time.event),
                "date": time.date.isoformat(),
                "reason_code": time.reason.code,
                "reason": word(time.reason),
                "record": time.source.record,
                "record_id": time.source.id,
            }


def _changes(report: Report) -> Iterator[Row]:
    for patient in report.patients:
        if patient.best_change_percent is not None:
            yield {
                "subject_id": patient.facts.subject_id,
                "change_percent": float(patient.best_change_percent),
                "best_response": patient.best.response.value,
                "new_lesion": int(patient.new_lesion),
            }


def _visits(patient: PatientOutcome) -> Iterator[Row]:
    path = figures.path(patient)
    for visit in path.visits:
        yield {
            "subject_id": path.subject_id,
            "best_response": path.best_response.value,
            "day": visit.days,
            "change_percent": float(visit.change),
            "response": visit.response,
            "visit": visit.visit,
        }


def _course(lane: Lane) -> Row:
    days = {mark.event: mark.days for mark in lane.events}
    started, ended = lane.treated or (None, None)
    response = next((event for event in RESPONSES if event in days), None)
    return {
        "subject_id": lane.subject_id,
        "group": lane.group,
        "best_response": lane.best_response.value,
        "treatment_start_day": started,
        "treatment_end_day": ended,
        "treatment_ongoing": int(lane.ongoing),
        "follow_up_end_day": lane.followed,
        "response": response.value if response else None,
        "response_day": days[response] if response else None,
        "progression_day": days.get(CourseEvent.PROGRESSION),
        "new_therapy_day": days.get(CourseEvent.NEW_THERAPY),
        "death_day": days.get(CourseEvent.DEATH),
    }


def accrual_table(report: AccrualReport) -> Table:
    """Enrollment by month."""
    rows = (
        {"month": str(month), "enrolled": month.enrolled, "cumulative": month.cumulative}
        for month in report.found.months
    )
    columns, known_on = ("month", "enrolled", "cumulative"), moment(report.known_on) or ""
    return _of(report.trial.registry_id, report.cutoff.isoformat(), known_on, columns, rows)


def flow_table(report: FlowReport, told: Outline) -> Table:
    """What every box of the participant flow says, in the reader's words; numbers are in REST."""
    boxes = [(told.enrollment, box) for box in told.enrollment_boxes]
    boxes += [(row.phase, box) for row in told.rows for box in row.boxes]
    rows = (row for phase, box in boxes for row in _box(phase, box))
    columns, known_on = ("phase", "arm", "box", "item", "detail"), moment(report.known_on) or ""
    return _of(report.trial.registry_id, report.cutoff.isoformat(), known_on, columns, rows)


def _box(phase: str, box: Box) -> Iterator[Row]:
    of = {"phase": phase, "arm": box.arm, "box": box.title}
    yield of
    for item in box.items:
        yield of | {"item": item.text}
        yield from (of | {"item": item.text, "detail": detail} for detail in item.details)
