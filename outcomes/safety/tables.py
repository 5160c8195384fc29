"""A trial's safety as CSV tables: every term, whatever is shown on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from outcomes.methods.safety import Counts, Event, Incidence, Safety, Tally
from outcomes.report.documents import moment
from outcomes.safety import SafetyReport, Subject, class_of
from outcomes.safety.options import Cause
from patients.treatment import QUARTILES, ExposureSummary, Treated

Row = dict[str, Any]
OF_REPORT = ("trial", "cutoff", "known_on")
COUNTS = (
    *OF_REPORT, "arm", "system_organ_class", "term", "cause", "n", *(tally.value for tally in Tally),
)  # fmt: skip
EVENTS = (
    *OF_REPORT, "subject_id", "site", "arm", "adverse_event", "system_organ_class", "term", "grade",
    "related", "serious", "action_taken", "outcome", "started_on", "ended_on",
)  # fmt: skip
EXPOSURE = (
    *OF_REPORT, "arm", "intervention", "n", "unit",
    *(f"{name}_{of}" for name in QUARTILES for of in ("n", "q1", "median", "q3")),
    "patients_with_reductions", "patients_with_interruptions",
)  # fmt: skip
PATIENTS = (
    *OF_REPORT, "subject_id", "site", "arm", "intervention", "first_on", "last_on", "days", "cycles",
    "unit", "total_dose", "planned_dose", "relative_dose_intensity", "reductions", "interruptions",
)  # fmt: skip


def count_rows(report: SafetyReport) -> Iterator[Row]:
    """Patients with any event, by class and by term, of each cause; blank arm: all patients."""
    told = _told(report)
    yield from (told | {"arm": ""} | row for row in _tables(report.found, report.classes))
    for arm in report.arms:
        of = told | {"arm": arm.name or "(none)"}
        yield from (of | row for row in _tables(arm.found, arm.classes))


def _told(report: SafetyReport) -> Row:
    return {
        "trial": report.trial.registry_id,
        "cutoff": report.cutoff.isoformat(),
        "known_on": moment(report.known_on),
    }


def _tables(found: Safety, classes: Safety) -> Iterator[Row]:
    yield from _causes(found.any_term, {"system_organ_class": "", "term": ""})
    for row in classes.terms:
        yield from _causes(row.incidence, {"system_organ_class": row.term, "term": ""})
    for row in found.terms:
        of = {"system_organ_class": class_of(row.term), "term": row.term}
        yield from _causes(row.incidence, of)


def _causes(found: Incidence, of: Row) -> Iterator[Row]:
    for cause in Cause:
        yield of | {"cause": cause.value} | _counts(cause.of(found))


def _counts(found: Counts) -> Row:
    return {"n": found.any_grade.n} | {tally.value: found.of(tally).patients for tally in Tally}


def event_rows(
    report: SafetyReport,
    found: Sequence[tuple[Subject, tuple[Event, ...]]],
    details: Mapping[int, tuple[Any, str]],
) -> Iterator[Row]:
    """One event per line."""
    told = _told(report)
    for subject, events in found:
        for event in events:
            ended_on, outcome = details.get(event.id, (None, ""))
            yield told | {
                "subject_id": subject.subject_id, "site": subject.site, "arm": subject.arm,
                "adverse_event": event.id, "system_organ_class": class_of(event.term),
                "term": event.term, "grade": event.grade, "related": event.related,
                "serious": event.serious, "action_taken": event.action, "outcome": outcome,
                "started_on": event.started_on, "ended_on": ended_on,
            }  # fmt: skip


def exposure_rows(report: SafetyReport, rows: Sequence[ExposureSummary]) -> Iterator[Row]:
    """One intervention of an arm per line."""
    for row in rows:
        found: Row = {}
        for name, of in row.quartiles.items():
            if of:
                values = {"q1": of.q1, "median": of.median, "q3": of.q3}
                found |= {f"{name}_{key}": float(value) for key, value in values.items()}
                found[f"{name}_n"] = of.n
        yield _told(report) | found | {
            "arm": row.arm, "intervention": row.intervention, "n": row.n, "unit": row.unit,
            "patients_with_reductions": row.reduced, "patients_with_interruptions": row.interrupted,
        }  # fmt: skip


def patient_rows(report: SafetyReport, rows: Sequence[Treated]) -> Iterator[Row]:
    """One intervention of a patient per line."""
    for row in rows:
        found, course = row.found, row.course
        known = found.relative_dose_intensity
        yield _told(report) | {
            "subject_id": course.subject_id, "site": course.site, "arm": course.arm,
            "intervention": row.intervention, "first_on": found.first_on, "last_on": found.last_on,
            "days": found.days, "cycles": found.cycles, "unit": found.unit,
            "total_dose": found.total_dose, "planned_dose": found.planned_dose,
            "relative_dose_intensity": None if known is None else float(known),
            "reductions": found.reductions, "interruptions": found.interruptions,
        }  # fmt: skip
