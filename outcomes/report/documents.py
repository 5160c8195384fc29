"""A report as JSON: never rounded, every missing number with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from outcomes.arm_documents import comparison_members
from outcomes.arms import NoComparison
from outcomes.methods import survival
from outcomes.methods.depth import Depth, DepthOfResponse
from outcomes.methods.proportions import Proportion
from outcomes.methods.recist import Response
from outcomes.methods.survival import Curve, Landmark, Quantile, Quartiles
from outcomes.methods.time_to_event import Source, TimeToEvent
from outcomes.report import (
    DAYS_PER_MONTH,
    ImmuneOutcome,
    LandmarkTime,
    PatientOutcome,
    Rate,
    Report,
    Section,
    Survival,
)
from outcomes.report.asked_times import asked_time
from outcomes.report.document_types import (
    Additional,
    AdditionalDocument,
    BenefitRateDocument,
    ControlRateDocument,
    CountedDocument,
    CurvePointDocument,
    DepthDocument,
    FollowUpDocument,
    ImmuneOutcomeDocument,
    LandmarkDocument,
    MedianDocument,
    PatientOutcomeDocument,
    QuartilesDocument,
    RateDocument,
    ReportDocument,
    ResponseCounts,
    ResponseRateDocument,
    RestrictedMeanDocument,
    SectionDocument,
    SourceDocument,
    SurvivalDocument,
    TimeDocument,
)
from outcomes.serializers import number
from outcomes.wording import word
from trials.definition_wording import depth_in_words
from trials.definitions import EndpointKind, SurvivalInterval

ORR, DCR, CBR = EndpointKind.ORR, EndpointKind.DCR, EndpointKind.CBR


def report_document(report: Report) -> ReportDocument:
    """The whole report."""
    return {
        "trial": report.trial.registry_id,
        "cutoff": report.options.cutoff.isoformat(),
        "known_on": moment(report.options.known_on),
        "evaluator": report.options.evaluator,
        "synthetic": report.trial.synthetic,
        **_section(report, report.whole),
        **comparison_members(report.comparison),
        "groups": [
            {
                "group": name,
                **_section(report, section),
                **comparison_members(NoComparison.NOT_WITHIN_GROUPS),
            }
            for name, section in report.groups
        ],
    }


def moment(at: datetime | None) -> str | None:
    """A moment in UTC, as a query string can repeat it unescaped."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def _section(report: Report, section: Section) -> SectionDocument:
    """All endpoints over one set of patients."""
    rates, survivals = section.rates, section.survivals
    return {
        "population": {"name": report.population, "n": section.n},
        "best_overall_response": {
            "unconfirmed": _response_counts(section.best_unconfirmed),
            "confirmed": _response_counts(section.best_confirmed),
        },
        "orr": _response_rate(rates[ORR]) if ORR in rates else None,
        "dcr": _control_rate(rates[DCR]) if DCR in rates else None,
        "cbr": _benefit_rate(rates[CBR]) if CBR in rates else None,
        "pfs": _survival(survivals.get(EndpointKind.PFS)),
        "os": _survival(survivals.get(EndpointKind.OS)),
        "dor": _survival(survivals.get(EndpointKind.DOR)),
        "ttr": _survival(survivals.get(EndpointKind.TTR)),
        "follow_up": follow_up_document(section),
        "depth_of_response": _depth(report, section),
        "additional": [result_document(result) for result in section.additional],
    }


def _response_counts(counts: Mapping[Response, int]) -> ResponseCounts:
    return {
        "CR": counts[Response.CR],
        "PR": counts[Response.PR],
        "SD": counts[Response.SD],
        "NON_CR_NON_PD": counts[Response.NON_CR_NON_PD],
        "PD": counts[Response.PD],
        "NE": counts[Response.NE],
    }


def _depth(report: Report, section: Section) -> DepthDocument:
    """How far sums fell, over the population of the response rate."""
    found: DepthOfResponse = section.depth
    return {
        "n": found.n,
        "without": section.n - found.n,
        "median_percent": number(found.median),
        "q1_percent": number(found.q1),
        "q3_percent": number(found.q3),
        "deepest_percent": number(found.deepest),
        "least_percent": number(found.least),
        "reason": None if found.n else survival.MissingReason.NOT_ESTIMABLE,
        "counts": {
            "none": found.counts[Depth.NONE],
            "up_to_25": found.counts[Depth.UP_TO_25],
            "up_to_50": found.counts[Depth.UP_TO_50],
            "up_to_75": found.counts[Depth.UP_TO_75],
            "up_to_100": found.counts[Depth.UP_TO_100],
        },
        "definition": depth_in_words(report.response_definition),
    }


def _response_rate(rate: Rate) -> ResponseRateDocument:
    return {"responders": rate.proportion.k, **_rate(rate)}


def _control_rate(rate: Rate) -> ControlRateDocument:
    return {"controlled": rate.proportion.k, **_rate(rate)}


def _benefit_rate(rate: Rate) -> BenefitRateDocument:
    return {"benefited": rate.proportion.k, **_rate(rate)}


def result_document(result: Rate | Survival) -> Additional:
    """One endpoint's result, with its kind and its name."""
    said: AdditionalDocument = {"kind": result.endpoint.kind, "name": result.endpoint.name}
    if isinstance(result, Survival):
        return {**said, **survival_document(result)}
    if result.endpoint.kind is ORR:
        return {**said, **_response_rate(result)}
    if result.endpoint.kind is DCR:
        return {**said, **_control_rate(result)}
    return {**said, **_benefit_rate(result)}


def _rate(rate: Rate) -> RateDocument:
    """A response rate; Wald limits are clipped to [0, 1]."""
    found, definition = rate.proportion.clipped, rate.endpoint.definition
    return {
        "n": found.n,
        "estimate": found.estimate,
        "lower": found.lower,
        "upper": found.upper,
        "estimate_reason": found.reason,
        "interval": definition.proportion_interval,
        "intervals": [
            {"interval": one.interval, "lower": one.clipped.lower, "upper": one.clipped.upper}
            for one in rate.intervals
        ],
        "confidence_level": definition.confidence_level,
        "confirmed": definition.confirmation.required,
        "definition": definition.as_document(),
    }


def _survival(found: Survival | None) -> SurvivalDocument | None:
    return survival_document(found) if found else None


def survival_document(found: Survival) -> SurvivalDocument:
    """A time-to-event endpoint."""
    definition = found.endpoint.definition
    document: SurvivalDocument = {
        "n": found.n,
        "events": found.events,
        "censored": found.censored,
        "no_time_origin": found.no_time_origin,
        "median": _median(found.median),
        "medians": [_median(one) for one in found.medians],
        "quantiles": [{"p": one.p, **_median(one)} for one in found.quantiles],
        "landmarks": _landmarks(found),
        "restricted_mean": _restricted_mean(found),
        "curve": _curve(found.curve, definition.survival_interval, definition.confidence_level),
        "definition": definition.as_document(),
    }
    if found.quartiles:
        document["quartiles"] = _quartiles(found.quartiles)
    return document


def months(days: float | None) -> float | None:
    """Days as months of 30.4375 days, for display only."""
    return None if days is None else days / DAYS_PER_MONTH


def _median(median: Quantile) -> MedianDocument:
    return {
        "days": median.estimate,
        "months": months(median.estimate),
        "lower_days": median.lower,
        "upper_days": median.upper,
        "lower_months": months(median.lower),
        "upper_months": months(median.upper),
        "interval": median.interval,
        "confidence_level": median.level,
        "days_reason": median.estimate_reason,
        "lower_reason": median.lower_reason,
        "upper_reason": median.upper_reason,
    }


def _landmarks(found: Survival) -> list[LandmarkDocument]:
    """Survival at each landmark; beside it k/n where that was asked for, else null."""
    counted = found.counted or [None] * len(found.landmarks)
    return [
        _landmark(at, value, count)
        for (at, value), count in zip(found.landmarks, counted, strict=True)
    ]


def _counted(found: Proportion) -> CountedDocument:
    """METHODS.md, 6: the Kaplan-Meier estimate is the rate; k/n only when asked for, and labeled."""
    clipped = found.clipped
    return {
        "k": found.k,
        "n": found.n,
        "estimate": found.estimate,
        "lower": clipped.lower,
        "upper": clipped.upper,
        "estimate_reason": found.reason,
        "interval": found.interval,
        "label": _("k/n: patients known to be event-free; censored earlier count as failures"),
    }


def _restricted_mean(found: Survival) -> RestrictedMeanDocument | None:
    """Mean days without the event up to a horizon, which one that was asked for."""
    if found.restricted_mean is None:
        return None
    at, mean = found.restricted_mean
    lower, upper = mean.limits(found.endpoint.definition.confidence_level) or (None, None)
    return {
        **asked_time(at),
        "estimate_days": mean.estimate,
        "standard_error": mean.standard_error,
        "lower_days": lower,
        "upper_days": upper,
        "reason": mean.reason,
    }


def _landmark(at: LandmarkTime, found: Landmark, counted: Proportion | None) -> LandmarkDocument:
    return {
        **asked_time(at),
        "survival": found.survival,
        "lower": found.lower,
        "upper": found.upper,
        "at_risk": found.at_risk,
        "survival_reason": found.survival_reason,
        "limits_reason": found.limits_reason,
        "counted": _counted(counted) if counted else None,
    }


def _quartiles(found: Quartiles) -> QuartilesDocument:
    return {
        "q1_months": months(found.q1),
        "median_months": months(found.median),
        "q3_months": months(found.q3),
        "q1_reason": found.q1_reason,
        "median_reason": found.median_reason,
        "q3_reason": found.q3_reason,
        "method": found.method,
    }


def follow_up_document(section: Section) -> FollowUpDocument:
    """Both methods."""
    return {
        **_quartiles(section.follow_up.reverse),
        "observed": _quartiles(section.follow_up.observed),
    }


def _curve(curve: Curve, interval: SurvivalInterval, level: float) -> list[CurvePointDocument]:
    """Rows from day 0 on; limits are null where the band is undefined."""
    lower, upper = curve.band(survival.band_interval(interval), level)
    start: CurvePointDocument = {
        "days": 0, "at_risk": curve.patients, "events": 0, "censored": 0,
        "survival": 1.0, "lower": 1.0, "upper": 1.0,
    }  # fmt: skip
    rows = [start] if curve.patients else []
    columns = (
        curve.time,
        curve.at_risk,
        curve.events,
        curve.censored,
        curve.survival,
        lower,
        upper,
    )
    for days, at_risk, events, censored, alive, low, high in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        rows.append(
            {
                "days": int(days), "at_risk": at_risk, "events": events, "censored": censored,
                "survival": alive, "lower": _defined(low), "upper": _defined(high),
            }
        )  # fmt: skip
    return rows


def _defined(value: float) -> float | None:
    return value if value == value else None  # NaN is the only number unlike itself


def patient_document(patient: PatientOutcome) -> PatientOutcomeDocument:
    """One patient's outcomes with the reason and the record of every date."""
    response, duration = patient.response, patient.duration_of_response
    line: PatientOutcomeDocument = {
        "patient": patient.facts.id,
        "subject_id": patient.facts.subject_id,
        "site": patient.facts.site,
        "arm": patient.facts.arm,
        "arm_reason": "blinded" if patient.facts.blinded else None,
        "best_response": patient.best.response,
        "best_response_reason": word(patient.best.reason),
        "confirmed_best_response": patient.confirmed_best.response,
        "confirmed_best_response_reason": word(patient.confirmed_best.reason),
        "best_change_percent": number(patient.best_change_percent),
        "pfs": _time(patient.progression_free, patient),
        "os": _time(patient.overall, patient),
        "response": {
            "first_response_on": response.date.isoformat() if response else None,
            "dor_days": duration.days if duration else None,
            "dor_event": duration.event if duration else None,
        },
    }
    return {**line, "irecist": _immune(patient.immune, patient)} if patient.immune else line


def _immune(found: ImmuneOutcome, patient: PatientOutcome) -> ImmuneOutcomeDocument:
    return {
        "best_response": found.best.response,
        "best_response_on": found.best.date.isoformat() if found.best.date else None,
        "best_response_reason": word(found.best.reason),
        "pfs": _time(found.progression_free, patient),
    }


def _time(found: TimeToEvent | None, patient: PatientOutcome) -> TimeDocument:
    if found is None:
        reason = word(patient.no_origin) if patient.no_origin else None
        code = patient.no_origin.code if patient.no_origin else None
        return {"days": None, "event": None, "date": None, "code": code, "reason": reason, "source": None}  # fmt: skip
    return {
        "days": found.days,
        "event": found.event,
        "date": found.date.isoformat(),
        "code": found.reason.code,
        "reason": word(found.reason),
        "source": _source(found.source),
    }


def _source(source: Source) -> SourceDocument:
    """The record that gave a date, and where to read it."""
    link = reverse(f"api:{source.record}", args=[source.id]) if source.id else None
    return {"record": source.record, "id": source.id, "field": source.field, "link": link}
