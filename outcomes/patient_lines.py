"""One patient of a report: the line in a table, the bar of a waterfall, the points of a spider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from fractions import Fraction

from outcomes.charts.waterfall import WaterfallBar
from outcomes.history import History
from outcomes.labels import immune_label
from outcomes.methods.time_to_event import TimeToEvent
from outcomes.patient_links import Links
from outcomes.report import ImmuneOutcome, PatientOutcome, Report
from outcomes.result_wording import months
from outcomes.wording import word


@dataclass(frozen=True)
class Ending:
    """How a patient's time ended, and why."""

    months: str
    days: int
    event: bool
    date: Date
    reason: str
    url: str


@dataclass(frozen=True)
class ImmuneLine:
    """One patient's iBOR and iPFS."""

    best_response: str
    best_reason: str
    progression_free: Ending | None


@dataclass(frozen=True)
class PatientLine:
    """One patient's outcomes."""

    url: str
    subject_id: str
    site: str
    histology: str
    best_response: str
    best_reason: str
    confirmed_response: str
    confirmed_reason: str
    change: str
    progression_free: Ending | None
    overall: Ending | None
    no_origin: str
    immune: ImmuneLine | None


def waterfall_bars(report: Report, links: Links) -> list[WaterfallBar]:
    """The bars of the patients with a measured change."""
    return [bar for patient in report.patients if (bar := _waterfall_bar(patient, links))]


def _waterfall_bar(patient: PatientOutcome, links: Links) -> WaterfallBar | None:
    """A patient's bar; None without a measured change."""
    if patient.best_change_percent is None:
        return None
    return WaterfallBar(
        subject_id=patient.facts.subject_id,
        change_percent=patient.best_change_percent,
        best_response=patient.best.response,
        url=links.patient(patient.facts),
        new_lesion=patient.new_lesion,
    )


def patient_line(patient: PatientOutcome, links: Links) -> PatientLine:
    """One patient's outcomes, worded."""
    change = patient.best_change_percent
    return PatientLine(
        url=links.patient(patient.facts),
        subject_id=patient.facts.subject_id,
        site=patient.facts.site,
        histology=patient.facts.histology,
        best_response=patient.best.response,
        best_reason=word(patient.best.reason),
        confirmed_response=patient.confirmed_best.response,
        confirmed_reason=word(patient.confirmed_best.reason),
        change="" if change is None else f"{float(change):+.1f} %",
        progression_free=_ending(patient.progression_free, patient, links),
        overall=_ending(patient.overall, patient, links),
        no_origin=word(patient.no_origin) if patient.no_origin else "",
        immune=_immune(patient.immune, patient, links) if patient.immune else None,
    )


def _immune(found: ImmuneOutcome, patient: PatientOutcome, links: Links) -> ImmuneLine:
    return ImmuneLine(
        best_response=immune_label(found.best.response),
        best_reason=word(found.best.reason),
        progression_free=_ending(found.progression_free, patient, links),
    )


def _ending(found: TimeToEvent | None, patient: PatientOutcome, links: Links) -> Ending | None:
    if found is None:
        return None
    return Ending(
        months=months(found.days),
        days=found.days,
        event=found.event,
        date=found.date,
        reason=word(found.reason),
        url=links.patient(patient.facts, found.source),
    )


def spider_points(past: History, cutoff: Date = Date.max) -> list[tuple[int, Fraction]]:
    """Days from the baseline and change of the sum in percent, for complete sums by the cutoff."""
    first = past.baseline
    if first is None:
        return []
    changes = [
        (v.date, v.as_derived().change_from_baseline_percent)
        for v in past.visits
        if v.date <= cutoff
    ]
    return [((on - first.date).days, change) for on, change in changes if change is not None]
