"""Adverse events and exposure as the API answers with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from outcomes.methods.safety import Counts, Incidence, Safety, Share
from outcomes.report.document_types import Fraction
from outcomes.report.documents import moment
from outcomes.safety import ArmSafety, SafetyReport, class_of
from patients.conduct_documents import ExposureDocument
from patients.conduct_serializers import arm_exposure
from patients.treatment import ExposureSummary
from registry.documents import CalendarDate, Count, Id, Moment
from trials.definitions import Population

SystemOrganClass = Annotated[
    str | None, Field(description="As CTCAE names it; null for a term that CTCAE does not have.")
]


class ShareDocument(TypedDict):
    """How many of the population; the estimate is null when nobody is in it."""

    patients: Count
    n: Count
    estimate: Fraction | None


class WorstGradesDocument(TypedDict):
    """Patients by the worst grade of their events; they add up to those with any grade."""

    grade_1: ShareDocument
    grade_2: ShareDocument
    grade_3: ShareDocument
    grade_4: ShareDocument
    grade_5: ShareDocument


class ActionsDocument(TypedDict):
    """Patients with an event because of which this was done with the study treatment."""

    drug_withdrawn: ShareDocument
    dose_reduced: ShareDocument
    drug_interrupted: ShareDocument


class SafetyCountsDocument(TypedDict):
    """Patients by the worst grade of their adverse events, and by what came of one of them."""

    any_grade: ShareDocument
    grade_3_or_more: ShareDocument
    grade_3_4: ShareDocument
    grade_5: ShareDocument
    serious: ShareDocument
    worst_grades: WorstGradesDocument
    actions: ActionsDocument


class IncidenceDocument(TypedDict):
    """Adverse events whatever their cause, and those related to the trial treatment."""

    all: SafetyCountsDocument
    related: SafetyCountsDocument


class TermIncidenceDocument(IncidenceDocument):
    """One term's patients."""

    term: str
    system_organ_class: SystemOrganClass


class ClassIncidenceDocument(IncidenceDocument):
    """The patients of a system organ class, each counted once in it."""

    system_organ_class: SystemOrganClass


class SafetyPopulationDocument(TypedDict):
    """Patients with at least one dose on or before the cutoff."""

    name: Literal["safety"]
    n: Count


class ArmSafetyDocument(TypedDict):
    """The patients of an arm, as allocated; without id and name those in no arm."""

    id: Id | None
    name: str | None
    n: Count
    any: IncidenceDocument
    classes: list[ClassIncidenceDocument]
    terms: list[TermIncidenceDocument]


class SafetyDocument(TypedDict):
    """A trial's adverse events: any term, then term by term, the most frequent first."""

    trial: str
    cutoff: CalendarDate
    known_on: Moment | None
    synthetic: bool
    ctcae_version: str
    population: SafetyPopulationDocument
    window_days: Annotated[Count, Field(description="After the last dose.")]
    outside_period: Annotated[
        Count,
        Field(description="Events before the first dose or after the window, counted nowhere."),
    ]
    any: IncidenceDocument
    classes: list[ClassIncidenceDocument]
    terms: list[TermIncidenceDocument]
    arms: list[ArmSafetyDocument]
    arms_reason: Literal["blinded", "fewer_than_two_arms"] | None


def safety_document(report: SafetyReport) -> SafetyDocument:
    """All tables of a report."""
    trial, found = report.trial, report.found
    blinded = "blinded" if trial.masked else "fewer_than_two_arms"
    return {
        "trial": trial.registry_id,
        "cutoff": report.cutoff.isoformat(),
        "known_on": moment(report.known_on),
        "synthetic": trial.synthetic,
        "ctcae_version": trial.ctcae_version,
        "population": {"name": Population.SAFETY.value, "n": found.n},
        "window_days": trial.ae_window_days,
        "outside_period": report.outside,
        "any": _incidence(found.any_term),
        "classes": _classes(report.classes),
        "terms": _terms(found),
        "arms": [_arm(one) for one in report.arms],
        "arms_reason": None if report.arms else blinded,  # type: ignore[typeddict-item]
    }


def exposure_document(report: SafetyReport, arms: Sequence[ExposureSummary]) -> ExposureDocument:
    """Medians and quartiles by arm and intervention."""
    return {
        "trial": report.trial.registry_id,
        "cutoff": report.cutoff.isoformat(),
        "known_on": moment(report.known_on),
        "arm_reason": "blinded" if report.trial.masked else None,
        "arms": [arm_exposure(row) for row in arms],
    }


def _arm(one: ArmSafety) -> ArmSafetyDocument:
    return {
        "id": one.id,
        "name": one.name,
        "n": one.found.n,
        "any": _incidence(one.found.any_term),
        "classes": _classes(one.classes),
        "terms": _terms(one.found),
    }


def _terms(found: Safety) -> list[TermIncidenceDocument]:
    return [
        {
            "term": row.term,
            "system_organ_class": class_of(row.term) or None,
            **_incidence(row.incidence),
        }
        for row in found.terms
    ]


def _classes(found: Safety) -> list[ClassIncidenceDocument]:
    return [
        {"system_organ_class": row.term or None, **_incidence(row.incidence)} for row in found.terms
    ]


def _incidence(found: Incidence) -> IncidenceDocument:
    return {"all": _counts(found.all_causes), "related": _counts(found.related)}


def _counts(found: Counts) -> SafetyCountsDocument:
    one, two, three, four, five = (_share(share) for share in found.worst_grades)
    withdrawn, reduced, interrupted = (_share(share) for share in found.actions)
    return {
        "any_grade": _share(found.any_grade),
        "grade_3_or_more": _share(found.grade_3_or_more),
        "grade_3_4": _share(found.grade_3_4),
        "grade_5": five,
        "serious": _share(found.serious),
        "worst_grades": {
            "grade_1": one, "grade_2": two, "grade_3": three, "grade_4": four, "grade_5": five,
        },
        "actions": {
            "drug_withdrawn": withdrawn, "dose_reduced": reduced, "drug_interrupted": interrupted,
        },
    }  # fmt: skip


def _share(found: Share) -> ShareDocument:
    return {"patients": found.patients, "n": found.n, "estimate": found.estimate}
