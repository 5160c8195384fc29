"""The participant flow as the API answers with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from outcomes.flow import Column, FlowReport, Scope
from outcomes.methods.participant_flow import Analyzed, ArmFlow, FollowUp, Screened
from outcomes.report import Absence
from outcomes.report.documents import moment
from patients.models import DispositionReason
from registry.documents import CalendarDate, Count, Id, Moment
from trials.definitions import EndpointKind, Population, TimeOrigin
from trials.vocabularies import CriterionKind, EnrollmentGate

Reason = DispositionReason | Literal["not_recorded"]


class ScopeDocument(TypedDict):
    """Whose patients are counted: those of the sites that the reader works for."""

    whole_trial: bool
    sites: Annotated[list[str], Field(description="Codes.")]


class AssessedDocument(TypedDict):
    """Persons screened, and patients enrolled without a screening on record."""

    n: Count | None
    reason: Literal["screening_not_recorded_here"] | None
    enrolled_without_screening: Count | None


class CriterionCountDocument(TypedDict):
    """Persons who did not meet a criterion."""

    criterion: Id
    kind: CriterionKind
    text: str
    n: Count


class NotEligibleDocument(TypedDict):
    """Persons who did not meet the criteria; one may have failed several of them."""

    n: Count
    criteria: list[CriterionCountDocument]
    unspecified: Annotated[Count, Field(description="Without a criterion on record.")]


class ExcludedDocument(TypedDict):
    """Screened and not to be enrolled, by reason (CONSORT 2010, item 13a)."""

    n: Count
    not_eligible: NotEligibleDocument
    declined: Count
    other: Count


class InScreeningDocument(TypedDict):
    """Screened, without an end yet."""

    n: Count
    open: Count
    eligible: Annotated[Count, Field(description="Found eligible, not enrolled yet.")]


class EndDocument(TypedDict):
    """Patients by the reason of an end of treatment, or of none having begun."""

    reason: Reason
    n: Count


class UntreatedDocument(TypedDict):
    """Patients without a first dose."""

    n: Count
    reasons: list[EndDocument]


class DiscontinuedDocument(TypedDict):
    """Treated patients who no longer are."""

    n: Count
    reasons: list[EndDocument]
    inferred: Annotated[
        Count, Field(description="Of n: the reason follows from how the follow-up ended.")
    ]


class TreatmentDocument(TypedDict):
    """n = received + untreated; received = discontinued + last dose only + on treatment."""

    received: Count
    untreated: UntreatedDocument
    discontinued: DiscontinuedDocument
    last_dose_only: Annotated[
        Count, Field(description="A last dose, and no discontinuation on record.")
    ]
    on_treatment: Count


class FollowUpFlowDocument(TypedDict):
    """Everybody of a column once: a death counts before all else, then the latest disposition."""

    died: Count
    withdrawn: Annotated[Count, Field(description="Follow-up refused.")]
    withdrawn_followed: Annotated[Count, Field(description="Follow-up continues.")]
    lost_to_follow_up: Count
    completed: Count
    in_follow_up: Count


class AbsenceDocument(TypedDict):
    """Patients who are not in an analysis, by reason."""

    reason: Absence
    n: Count


class AnalyzedDocument(TypedDict):
    """Patients of a column in an analysis, in the order of the flow's `analyses`."""

    population: Population
    n: Count
    excluded: Annotated[list[AbsenceDocument], Field(description="Each patient once.")]


class ColumnDocument(TypedDict):
    """The enrolled patients of an arm, of all arms, or of none."""

    n: Count
    treatment: TreatmentDocument
    follow_up: FollowUpFlowDocument
    transferred: Annotated[Count, Field(description="To another site; for information.")]
    analyses: list[AnalyzedDocument]


class ArmFlowDocument(ColumnDocument):
    """A column of the diagram."""

    name: Annotated[str | None, Field(description="Null where it stands for everybody.")]


class DeviationsDocument(TypedDict):
    """Protocol deviations of enrolled patients, major or minor, dated up to the cutoff."""

    n: Count
    patients: Count


class EnrolledDocument(ColumnDocument):
    """Everybody enrolled: the arms, and those not allocated."""

    randomized: Count | None
    randomized_reason: Literal["not_randomized"] | None
    deviations: DeviationsDocument


class AnalysisDocument(TypedDict):
    """Endpoints computed over the same patients."""

    population: Population
    time_origin: Annotated[TimeOrigin | None, Field(description="Of times to event.")]
    endpoints: list[EndpointKind]
    n: Annotated[Count, Field(description="As the outcomes have it.")]
    not_enrolled: Annotated[Count, Field(description="Of n: treated without an enrollment.")]


class ConsortDocument(TypedDict):
    """The flow of participants at a cutoff, over the patients that the reader may see."""

    trial: Annotated[str, Field(description="The trial's registry id.")]
    cutoff: CalendarDate
    known_on: Moment | None
    synthetic: Annotated[bool, Field(description="Whether the patients are made up.")]
    enrollment_gate: EnrollmentGate
    scope: ScopeDocument
    assessed: AssessedDocument
    excluded: Annotated[ExcludedDocument | None, Field(description="Null as `assessed.n` is.")]
    in_screening: Annotated[InScreeningDocument | None, Field(description="Null likewise.")]
    not_assessed: Annotated[Count, Field(description="Neither screened nor enrolled.")]
    enrolled: EnrolledDocument
    arms: list[ArmFlowDocument]
    arms_reason: Annotated[
        Literal["blinded"] | None, Field(description="Why all arms are one column.")
    ]
    unallocated: ColumnDocument
    analyses: list[AnalysisDocument]


def consort_document(report: FlowReport) -> ConsortDocument:
    """The whole flow."""
    found = report.found
    pairs = zip(report.columns, found.arms, strict=True)
    return {
        "trial": report.trial.registry_id,
        "cutoff": report.cutoff.isoformat(),
        "known_on": moment(report.known_on),
        "synthetic": report.trial.synthetic,
        "enrollment_gate": EnrollmentGate(report.trial.enrollment_gate),
        "scope": scope_document(report.scope),
        "assessed": _assessed(report),
        "excluded": _excluded(report) if report.screening_recorded else None,
        "in_screening": _in_screening(report) if report.screening_recorded else None,
        "not_assessed": found.not_assessed,
        "enrolled": _enrolled(report),
        "arms": [_arm(report, column, arm) for column, arm in pairs],
        "arms_reason": "blinded" if report.blinded else None,
        "unallocated": _column(report, found.unallocated),
        "analyses": _analyses(report),
    }


def scope_document(scope: Scope) -> ScopeDocument:
    """Whose patients are counted."""
    return {"whole_trial": scope.whole_trial, "sites": scope.codes}


def _assessed(report: FlowReport) -> AssessedDocument:
    if not report.screening_recorded:
        reason: Literal["screening_not_recorded_here"] = "screening_not_recorded_here"
        return {"n": None, "reason": reason, "enrolled_without_screening": None}
    found = report.found
    return {"n": found.assessed, "reason": None, "enrolled_without_screening": found.unscreened}


def _excluded(report: FlowReport) -> ExcludedDocument:
    found = report.found
    return {
        "n": found.excluded,
        "not_eligible": {
            "n": found.screened[Screened.NOT_ELIGIBLE],
            "criteria": _criteria(report),
            "unspecified": found.unspecified,
        },
        "declined": found.screened[Screened.DECLINED],
        "other": found.screened[Screened.OTHER],
    }


def _criteria(report: FlowReport) -> list[CriterionCountDocument]:
    return [
        {
            "criterion": criterion.pk,
            "kind": CriterionKind(criterion.kind),
            "text": criterion.text,
            "n": n,
        }
        for criterion, n in report.failed_criteria
    ]


def _in_screening(report: FlowReport) -> InScreeningDocument:
    found = report.found
    return {
        "n": found.in_screening,
        "open": found.screened[Screened.OPEN],
        "eligible": found.screened[Screened.ELIGIBLE],
    }


def _enrolled(report: FlowReport) -> EnrolledDocument:
    found = report.found.enrolled
    return {
        **_column(report, found),
        "randomized": report.randomized,
        "randomized_reason": "not_randomized" if report.randomized is None else None,
        "deviations": {"n": found.deviations, "patients": found.deviating},
    }


def _arm(report: FlowReport, column: Column, arm: ArmFlow) -> ArmFlowDocument:
    return {"name": column.name, **_column(report, arm)}


def _column(report: FlowReport, arm: ArmFlow) -> ColumnDocument:
    pairs = zip(report.analyses, arm.analyses, strict=True)
    return {
        "n": arm.n,
        "treatment": {
            "received": arm.treated,
            "untreated": {"n": arm.n - arm.treated, "reasons": _ends(arm.untreated)},
            "discontinued": {
                "n": sum(arm.discontinued.values()),
                "reasons": _ends(arm.discontinued),
                "inferred": arm.inferred,
            },
            "last_dose_only": arm.last_dose_only,
            "on_treatment": arm.on_treatment,
        },
        "follow_up": _follow_up(arm.follow_up),
        "transferred": arm.transferred,
        "analyses": [_analyzed(analysis.population, one) for analysis, one in pairs],
    }


def _ends(counts: Mapping[str, int]) -> list[EndDocument]:
    return [{"reason": _reason(reason), "n": n} for reason, n in by_count(counts)]


def _reason(code: str) -> Reason:
    return "not_recorded" if code == "not_recorded" else DispositionReason(code)


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _follow_up(counts: Mapping[FollowUp, int]) -> FollowUpFlowDocument:
    return {
        "died": counts[FollowUp.DIED],
        "withdrawn": counts[FollowUp.WITHDRAWN],
        "withdrawn_followed": counts[FollowUp.WITHDRAWN_FOLLOWED],
        "lost_to_follow_up": counts[FollowUp.LOST],
        "completed": counts[FollowUp.COMPLETED],
        "in_follow_up": counts[FollowUp.CONTINUING],
    }


def _analyzed(population: Population, one: Analyzed) -> AnalyzedDocument:
    excluded = by_count(one.excluded)
    return {
        "population": population,
        "n": one.n,
        "excluded": [{"reason": Absence(reason), "n": n} for reason, n in excluded],
    }


def _analyses(report: FlowReport) -> list[AnalysisDocument]:
    return [
        {
            "population": analysis.population,
            "time_origin": analysis.time_origin,
            "endpoints": list(analysis.endpoints),
            "n": analysis.n,
            "not_enrolled": outside,
        }
        for analysis, outside in zip(report.analyses, report.found.outside, strict=True)
    ]
