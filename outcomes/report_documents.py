"""A report as JSON and CSV: never rounded, every missing number with its reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from outcomes.arm_documents import comparison_members
from outcomes.arms import NoComparison
from outcomes.methods import survival
from outcomes.methods.proportions import Proportion
from outcomes.methods.survival import Curve, Landmark, Quantile, Quartiles
from outcomes.methods.time_to_event import Source, TimeToEvent
from outcomes.report import (
    DAYS_PER_MONTH,
    LandmarkTime,
    PatientOutcome,
    Rate,
    Report,
    Section,
    Survival,
)
from outcomes.serializers import number
from outcomes.wording import word
from trials.definitions import EndpointKind

SUCCESSES = {
    EndpointKind.ORR: "responders",
    EndpointKind.DCR: "controlled",
    EndpointKind.CBR: "benefited",
}


def report_document(report: Report) -> dict[str, Any]:
    """The whole report."""
    return {
        "trial": report.trial.registry_id,
        "cutoff": report.options.cutoff.isoformat(),
        "known_on": moment(report.options.known_on),
        "synthetic": report.trial.synthetic,
        **_section(report, report.whole),
        **comparison_members(report.comparison),
        "groups": [
            {"group": name}
            | _section(report, section)
            | comparison_members(NoComparison.NOT_WITHIN_GROUPS)
            for name, section in report.groups
        ],
    }


def moment(at: datetime | None) -> str | None:
    """A moment in UTC, as a query string can repeat it unescaped."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def _section(report: Report, section: Section) -> dict[str, Any]:
    population = {"name": report.population.value, "n": section.n}
    return {"population": population} | section_document(section)


def section_document(section: Section) -> dict[str, Any]:
    """All endpoints over one set of patients."""
    rates, survivals = section.rates, section.survivals
    return {
        "best_overall_response": {
            "unconfirmed": {k.value: n for k, n in section.best_unconfirmed.items()},
            "confirmed": {k.value: n for k, n in section.best_confirmed.items()},
        },
        **{k.lower(): rate_document(rates[k]) if k in rates else None for k in SUCCESSES},
        **{
            k.lower(): survival_document(survivals[k]) if k in survivals else None
            for k in EndpointKind
            if k not in SUCCESSES
        },
        "follow_up": _follow_up(section),
        "additional": [
            {"kind": result.endpoint.kind.value, "name": result.endpoint.name}
            | (rate_document(result) if isinstance(result, Rate) else survival_document(result))
            for result in section.additional
        ],
    }


def rate_document(rate: Rate) -> dict[str, Any]:
    """A response rate; Wald limits are clipped to [0, 1]."""
    found, definition = rate.proportion.clipped, rate.endpoint.definition
    return {
        SUCCESSES[rate.endpoint.kind]: found.k,
        "n": found.n,
        "estimate": found.estimate,
        "lower": found.lower,
        "upper": found.upper,
        "estimate_reason": found.reason,
        "interval": definition.proportion_interval.value,
        "confidence_level": definition.confidence_level,
        "confirmed": definition.confirmation.required,
        "definition": definition.model_dump(mode="json"),
    }


def survival_document(found: Survival) -> dict[str, Any]:
    """A time-to-event endpoint."""
    definition = found.endpoint.definition
    document = {
        "n": found.n,
        "events": found.events,
        "censored": found.censored,
        "no_time_origin": found.no_time_origin,
        "median": _median(found.median),
        "landmarks": _landmarks(found),
        "restricted_mean": _restricted_mean(found),
        "curve": _curve(found.curve, definition.survival_interval, definition.confidence_level),
        "definition": definition.model_dump(mode="json"),
    }
    return document | ({"quartiles": _quartiles(found.quartiles)} if found.quartiles else {})


def months(days: float | None) -> float | None:
    """Days as months of 30.4375 days, for display only."""
    return None if days is None else days / DAYS_PER_MONTH


def _median(median: Quantile) -> dict[str, Any]:
    return {
        "days": median.estimate,
        "months": months(median.estimate),
        "lower_days": median.lower,
        "upper_days": median.upper,
        "lower_months": months(median.lower),
        "upper_months": months(median.upper),
        "interval": median.interval.value,
        "confidence_level": median.level,
        "days_reason": median.estimate_reason,
        "lower_reason": median.lower_reason,
        "upper_reason": median.upper_reason,
    }


def _landmarks(found: Survival) -> list[dict[str, Any]]:
    """Survival at each landmark; beside it k/n where that was asked for, else null."""
    counted = found.counted or [None] * len(found.landmarks)
    return [
        _landmark(at, value) | {"counted": _counted(count) if count else None}
        for (at, value), count in zip(found.landmarks, counted, strict=True)
    ]


def _counted(found: Proportion) -> dict[str, Any]:
    """METHODS.md, 6: the Kaplan-Meier estimate is the rate; k/n only when asked for, and labeled."""
    clipped = found.clipped
    return {
        "k": found.k,
        "n": found.n,
        "estimate": found.estimate,
        "lower": clipped.lower,
        "upper": clipped.upper,
        "estimate_reason": found.reason,
        "interval": found.interval.value,
        "label": _("k/n: patients known to be event-free; censored earlier count as failures"),
    }


def _restricted_mean(found: Survival) -> dict[str, Any] | None:
    """Mean days without the event up to a horizon, which one that was asked for."""
    if found.restricted_mean is None:
        return None
    at, mean = found.restricted_mean
    lower, upper = mean.limits(found.endpoint.definition.confidence_level) or (None, None)
    return _asked_time(at) | {
        "estimate_days": mean.estimate,
        "standard_error": mean.standard_error,
        "lower_days": lower,
        "upper_days": upper,
        "reason": mean.reason,
    }


def _asked_time(at: LandmarkTime) -> dict[str, Any]:
    return {
        "months": at.number if at.unit == "months" else months(at.days),
        "weeks": at.number if at.unit == "weeks" else None,
        "days": at.days,
    }


def _landmark(at: LandmarkTime, found: Landmark) -> dict[str, Any]:
    return _asked_time(at) | {
        "survival": found.survival,
        "lower": found.lower,
        "upper": found.upper,
        "at_risk": found.at_risk,
        "survival_reason": found.survival_reason,
        "limits_reason": found.limits_reason,
    }


def _quartiles(found: Quartiles) -> dict[str, Any]:
    return {
        "q1_months": months(found.q1),
        "median_months": months(found.median),
        "q3_months": months(found.q3),
        "q1_reason": found.q1_reason,
        "median_reason": found.median_reason,
        "q3_reason": found.q3_reason,
        "method": found.method.value,
    }


def _follow_up(section: Section) -> dict[str, Any]:
    return _quartiles(section.follow_up.reverse) | {
        "observed": _quartiles(section.follow_up.observed)
    }


def _curve(curve: Curve, interval: Any, level: float) -> list[dict[str, Any]]:
    """Rows from day 0 on; limits are null where the band is undefined."""
    lower, upper = curve.band(survival.band_interval(interval), level)
    start: dict[str, Any] = {"days": 0, "at_risk": curve.patients, "events": 0, "censored": 0}
    rows = [start | {"survival": 1.0, "lower": 1.0, "upper": 1.0}] if curve.patients else []
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


def patient_document(patient: PatientOutcome) -> dict[str, Any]:
    """One patient's outcomes with the reason and the record of every date."""
    response, duration = patient.response, patient.duration_of_response
    return {
        "patient": patient.facts.id,
        "subject_id": patient.facts.subject_id,
        "site": patient.facts.site,
        "arm": patient.facts.arm,
        "arm_reason": "blinded" if patient.facts.blinded else None,
        "best_response": patient.best.response.value,
        "best_response_reason": word(patient.best.reason),
        "confirmed_best_response": patient.confirmed_best.response.value,
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


def _time(found: TimeToEvent | None, patient: PatientOutcome) -> dict[str, Any]:
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


def _source(source: Source) -> dict[str, Any]:
    """The record that gave a date, and where to read it."""
    link = reverse(f"api:{source.record}", args=[source.id]) if source.id else None
    return asdict(source) | {"link": link}


def csv_text(data: Any) -> str:
    """Rows of a document as CSV; nested values become columns, formulas are neutralized."""
    rows = [_flat(row) for row in (data if isinstance(data, list) else [data])]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({k: _neutral(v) for k, v in row.items()} for row in rows)
    return text.getvalue()


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, Mapping):
            flat |= _flat(item, f"{prefix}{key}_")
        elif isinstance(item, list):
            for index, element in enumerate(item):
                nested = element if isinstance(element, Mapping) else {"": element}
                flat |= _flat(nested, f"{prefix}{key}_{index}_")
        else:
            flat[f"{prefix}{key}".rstrip("_")] = item
    return flat


def _neutral(value: Any) -> Any:
    """A cell that a spreadsheet will not take for a formula; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
