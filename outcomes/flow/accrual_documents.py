"""The accrual as the API answers with it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from outcomes.flow.accrual import AccrualReport
from outcomes.flow.documents import ScopeDocument, scope_document
from outcomes.methods.accrual import Month, NoProjection, SiteAccrual
from outcomes.methods.survival import MissingReason
from outcomes.report.document_types import Fraction, Level
from outcomes.report.documents import moment
from registry.documents import CalendarDate, Count, Moment
from trials.definitions import ProportionInterval


class MonthDocument(TypedDict):
    """A calendar month's enrollments, and all up to its end or the cutoff."""

    month: Annotated[str, Field(pattern=r"^\d{4}-\d\d$")]
    enrolled: Count
    cumulative: Count


class AccrualCountsDocument(TypedDict):
    """Screenings are null where they are not recorded here."""

    screened: Count | None
    screen_failures: Count | None
    enrolled: Count
    last_90_days: Count
    first_enrolled_on: CalendarDate | None
    last_enrolled_on: CalendarDate | None


class SiteAccrualDocument(AccrualCountsDocument):
    """A site, whether it has patients or not."""

    site: Annotated[str, Field(description="Its code.")]
    name: str
    share: Annotated[Fraction | None, Field(description="Of all the enrolled.")]


class ScreenFailureDocument(TypedDict):
    """k of n persons whose screening has ended, with the exact interval."""

    k: Count
    n: Count
    estimate: Fraction | None
    lower: Fraction | None
    upper: Fraction | None
    estimate_reason: MissingReason | None
    interval: ProportionInterval
    confidence_level: Level


class ProjectionDocument(TypedDict):
    """The end of the enrollment at the rate of the last six months, in whole days, rounded up."""

    date: CalendarDate | None
    date_reason: NoProjection | None
    since: Annotated[CalendarDate, Field(description="Six months before the cutoff; not within.")]
    days: Count
    enrolled: Annotated[Count, Field(description="In these days.")]


class AccrualDocument(TypedDict):
    """Enrollment against the target, over the sites that the reader works for."""

    trial: Annotated[str, Field(description="The trial's registry id.")]
    cutoff: CalendarDate
    known_on: Moment | None
    synthetic: Annotated[bool, Field(description="Whether the patients are made up.")]
    scope: ScopeDocument
    target: Annotated[Count | None, Field(description="Of the whole trial.")]
    remaining: Annotated[int | None, Field(description="Negative beyond the target.")]
    remaining_reason: Literal["no_target", "not_the_whole_trial"] | None
    target_reached_on: CalendarDate | None
    total: AccrualCountsDocument
    sites: list[SiteAccrualDocument]
    months: list[MonthDocument]
    screen_failure_rate: ScreenFailureDocument | None
    screening_reason: Literal["screening_not_recorded_here"] | None
    projection: ProjectionDocument


def accrual_document(report: AccrualReport) -> AccrualDocument:
    """The whole accrual."""
    found, recorded = report.found, report.screening_recorded
    return {
        "trial": report.trial.registry_id,
        "cutoff": report.cutoff.isoformat(),
        "known_on": moment(report.known_on),
        "synthetic": report.trial.synthetic,
        "scope": scope_document(report.scope),
        "target": report.trial.enrollment_target,
        "remaining": report.remaining,
        "remaining_reason": _why_not_compared(report),
        "target_reached_on": found.reached_on.isoformat() if found.reached_on else None,
        "total": _counts(report, found.total),
        "sites": _sites(report),
        "months": [_month(month) for month in found.months],
        "screen_failure_rate": _screen_failures(report) if recorded else None,
        "screening_reason": None if recorded else "screening_not_recorded_here",
        "projection": _projection(report),
    }


def _why_not_compared(
    report: AccrualReport,
) -> Literal["no_target", "not_the_whole_trial"] | None:
    if report.remaining is not None:
        return None
    return "not_the_whole_trial" if report.trial.enrollment_target else "no_target"


def _counts(report: AccrualReport, counts: SiteAccrual) -> AccrualCountsDocument:
    return {
        "screened": counts.screened if report.screening_recorded else None,
        "screen_failures": counts.failed if report.screening_recorded else None,
        "enrolled": counts.enrolled,
        "last_90_days": counts.recent,
        "first_enrolled_on": counts.first.isoformat() if counts.first else None,
        "last_enrolled_on": counts.last.isoformat() if counts.last else None,
    }


def _sites(report: AccrualReport) -> list[SiteAccrualDocument]:
    total = report.found.total.enrolled
    rows: list[SiteAccrualDocument] = []
    for site in report.scope.sites:
        counts = report.found.sites[site.code]
        share = counts.enrolled / total if total else None
        told = _counts(report, counts)
        rows.append({"site": site.code, "name": site.name, "share": share, **told})
    return rows


def _month(month: Month) -> MonthDocument:
    return {"month": str(month), "enrolled": month.enrolled, "cumulative": month.cumulative}


def _screen_failures(report: AccrualReport) -> ScreenFailureDocument:
    found = report.found.screen_failures
    return {
        "k": found.k,
        "n": found.n,
        "estimate": found.estimate,
        "lower": found.lower,
        "upper": found.upper,
        "estimate_reason": found.reason,
        "interval": found.interval,
        "confidence_level": found.level,
    }


def _projection(report: AccrualReport) -> ProjectionDocument:
    found = report.found.projection
    return {
        "date": found.on.isoformat() if found.on else None,
        "date_reason": found.reason,
        "since": found.since.isoformat(),
        "days": found.days,
        "enrolled": found.enrolled,
    }
