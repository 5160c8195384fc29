"""The report's endpoints as ClinicalTrials.gov's outcome measures: printed, nothing computed anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from typing import Any

from django.utils.translation import gettext as _

from outcomes.arms import Comparison, RateComparison, SurvivalComparison
from outcomes.ctgov.groups import Document, Group, denominators, identified, listed
from outcomes.labels import CHARACTERISTICS, TIES
from outcomes.methods.comparison import HazardRatio
from outcomes.methods.survival import MissingReason
from outcomes.report import Rate, Report, Section, Survival
from outcomes.report.documents import months
from trials.definition_wording import ORIGINS, POPULATIONS, in_words
from trials.models import Endpoint
from trials.registry_terms import TITLES

TYPES = {"primary": "PRIMARY", "secondary": "SECONDARY", "other": "OTHER_PRE_SPECIFIED"}
NOT_APPLICABLE = "NA"


def outcome_measures(
    endpoints: Iterable[Endpoint], report: Report, sections: Mapping[Group, Section]
) -> Document:
    """The trial's endpoints, the primary ones first; what is not computed is listed as such."""
    order = list(TYPES)
    ordered = sorted(endpoints, key=lambda endpoint: order.index(endpoint.role))
    return {"outcomeMeasures": [_measure(e, report, sections) for e in ordered]}


def _measure(endpoint: Endpoint, report: Report, sections: Mapping[Group, Section]) -> Document:
    whole = _result(report.whole, endpoint)
    measure = {
        "type": TYPES[endpoint.role],
        "title": endpoint.title or endpoint.name or TITLES.get(endpoint.kind, endpoint.kind),
        "description": _description(endpoint, whole),
        "timeFrame": endpoint.time_frame or _time_frame(whole, report.options.cutoff),
    }
    if whole is None:
        return measure | {"reportingStatus": "NOT_POSTED"}
    ids = identified(list(sections), "OG")
    results = {ids[group]: _result(section, endpoint) for group, section in sections.items()}
    found = {pk: result for pk, result in results.items() if result is not None}
    printed = _rate(found, whole) if isinstance(whole, Rate) else _time(found, whole)
    analyses = _analyses(whole, report, {group.arm: pk for group, pk in ids.items()})
    return (
        measure
        | {
            "populationDescription": _population(whole),
            "reportingStatus": "POSTED",
            **printed,
            "groups": listed(ids),
            "denoms": denominators((pk, _n(result)) for pk, result in found.items()),
        }
        | ({"analyses": analyses} if analyses else {})
    )


Result = Rate | Survival


def _result(section: Section, endpoint: Endpoint) -> Result | None:
    results: list[Result] = [
        *section.rates.values(), *section.survivals.values(), *section.additional
    ]  # fmt: skip
    named = (endpoint.kind, endpoint.name)
    return next((r for r in results if (r.endpoint.kind, r.endpoint.name) == named), None)


def _description(endpoint: Endpoint, found: Result | None) -> str:
    """The published wording, then the definition as it is computed."""
    told = [endpoint.wording] if endpoint.wording else []
    return " ".join(told + ([_definition(found)] if found else []))


def _definition(found: Result) -> str:
    return in_words(found.endpoint.kind, found.endpoint.definition)


def _time_frame(found: Result | None, cutoff: Date) -> str:
    if found is None:
        return _("Up to the data cutoff %s.") % cutoff
    origin = ORIGINS[found.endpoint.definition.time_origin]
    return _("From %(origin)s up to the data cutoff %(cutoff)s.") % {
        "origin": origin,
        "cutoff": cutoff,
    }


def _population(found: Result) -> str:
    told = f"{POPULATIONS[found.endpoint.definition.population]}."
    if isinstance(found, Survival) and found.no_time_origin:
        told += " " + _("Not counted, without a time origin: %s.") % found.no_time_origin
    return told


def _n(found: Result) -> int:
    return found.proportion.n if isinstance(found, Rate) else found.n


def _interval(level: float) -> str:
    return f"{100 * level:g}% Confidence Interval"


def _classes(rows: Sequence[Document]) -> list[Document]:
    return [{"categories": [{"measurements": rows}]}]


# --- rates ---


def _rate(found: Mapping[str, Result], whole: Rate) -> Document:
    rows = [_rated(pk, result) for pk, result in found.items() if isinstance(result, Rate)]
    return {
        "paramType": "NUMBER",
        "dispersionType": _interval(whole.proportion.level),
        "unitOfMeasure": "percentage of participants",
        "classes": _classes(rows),
    }


def _rated(pk: str, rate: Rate) -> Document:
    found = rate.proportion.clipped
    if found.estimate is None:
        return {"groupId": pk, "value": NOT_APPLICABLE, "comment": _("No participants.")}
    return {
        "groupId": pk,
        "value": _percent(found.estimate),
        "lowerLimit": _percent(found.lower),
        "upperLimit": _percent(found.upper),
        "comment": _("%(k)s of %(n)s participants") % {"k": found.k, "n": found.n},
    }


def _percent(share: float | None) -> str:
    return NOT_APPLICABLE if share is None else f"{100 * share:.1f}"


# --- times to event ---


@dataclass(frozen=True)
class _Printed:
    """Days as months with two decimals, or NA with the reason as a comment."""

    days: float | None
    reason: MissingReason | None
    name: str

    @property
    def text(self) -> str:
        return NOT_APPLICABLE if self.days is None else f"{months(self.days):.2f}"

    @property
    def comment(self) -> str:
        if self.days is not None:
            return ""
        if self.reason is MissingReason.NOT_REACHED:
            return _("%s not reached.") % self.name
        return _("%s not estimable.") % self.name


def _time(found: Mapping[str, Result], whole: Survival) -> Document:
    quartiles = whole.quartiles is not None
    rows = [_timed(pk, result) for pk, result in found.items() if isinstance(result, Survival)]
    return {
        "paramType": "MEDIAN",
        "dispersionType": "Inter-Quartile Range" if quartiles else _interval(whole.median.level),
        "unitOfMeasure": "months",
        "classes": _classes(rows),
    }


def _timed(pk: str, found: Survival) -> Document:
    value, lower, upper = _printed(found)
    missing = " ".join(filter(None, (part.comment for part in (value, lower, upper))))
    events = _("%(events)s events in %(n)s participants.") % {"events": found.events, "n": found.n}
    return {
        "groupId": pk,
        "value": value.text,
        "lowerLimit": lower.text,
        "upperLimit": upper.text,
        "comment": " ".join(filter(None, (missing, events))),
    }


def _printed(found: Survival) -> tuple[_Printed, _Printed, _Printed]:
    if found.quartiles is not None:
        q = found.quartiles
        return (
            _Printed(q.median, q.median_reason, _("Median")),
            _Printed(q.q1, q.q1_reason, _("Lower quartile")),
            _Printed(q.q3, q.q3_reason, _("Upper quartile")),
        )
    m = found.median
    return (
        _Printed(m.estimate, m.estimate_reason, _("Median")),
        _Printed(m.lower, m.lower_reason, _("Lower limit")),
        _Printed(m.upper, m.upper_reason, _("Upper limit")),
    )


# --- arms compared ---


def _analyses(found: Result, report: Report, ids: Mapping[str | None, str]) -> list[Document]:
    """What the report compares of this endpoint: the first definition of PFS, OS and ORR."""
    compared, kind = report.comparison, found.endpoint.kind
    if not isinstance(compared, Comparison):
        return []
    arms = [(ids[arm.name], arm.name) for arm in compared.arms]
    if report.whole.survivals.get(kind) is found and kind in compared.survivals:
        return _of_times(arms, compared.survivals[kind], compared.stratified_by)
    if report.whole.rates.get(kind) is found and kind == "ORR":
        return [
            analysis
            for arm, one in zip(arms[1:], compared.rates, strict=True)
            for analysis in _of_rates(arm, arms[0], one)
        ]
    return []


Arm = tuple[str, str]


def _of_times(arms: Sequence[Arm], found: SurvivalComparison, by: str | None) -> list[Document]:
    strata = _("Stratified by %s.") % CHARACTERISTICS[by] if by else _("Unstratified.")
    analyses = [
        _ratio(arm, arms[0], ratio, found) | {"statisticalComment": strata}
        for arm, ratio in zip(arms[1:], found.cox.ratios, strict=True)
        if ratio.reason is None
    ]
    if found.log_rank.p is None:
        return analyses
    test = _tested([pk for pk, _name in arms], found.log_rank.p, "Log Rank")
    return [test | {"statisticalComment": strata}, *analyses]


def _tested(ids: list[str], p: float, method: str) -> Document:
    return {
        "groupIds": ids,
        "testedNonInferiority": False,
        "nonInferiorityType": "SUPERIORITY",
        "pValue": "<0.0001" if p < 0.0001 else f"{p:.4f}",
        "pValueComment": _("Two-sided, not adjusted for multiple comparisons."),
        "statisticalMethod": method,
    }


def _ratio(arm: Arm, reference: Arm, ratio: HazardRatio, found: SurvivalComparison) -> Document:
    return {
        "groupIds": [arm[0], reference[0]],
        "testedNonInferiority": False,
        "nonInferiorityType": "SUPERIORITY",
        "statisticalMethod": "Regression, Cox",
        "paramType": "Hazard Ratio (HR)",
        "paramValue": f"{ratio.estimate:.3f}",
        **_limits(found.cox.level, f"{ratio.lower:.3f}", f"{ratio.upper:.3f}"),
        "estimateComment": _("%(arm)s over %(reference)s. %(ties)s.")
        % {"arm": arm[1], "reference": reference[1], "ties": TIES[found.cox.ties]},
    }


def _of_rates(arm: Arm, reference: Arm, found: RateComparison) -> list[Document]:
    ids, difference = [arm[0], reference[0]], found.difference
    tests = [] if found.test.p is None else [_tested(ids, found.test.p, "Fisher Exact")]
    if difference.reason is not None:
        return tests
    told = _("Percentage points, %(arm)s less %(reference)s; interval of Newcombe.")
    estimate: dict[str, Any] = {
        "groupIds": ids,
        "testedNonInferiority": False,
        "nonInferiorityType": "SUPERIORITY",
        "paramType": "Risk Difference (RD)",
        "paramValue": _percent(difference.estimate),
        **_limits(difference.level, _percent(difference.lower), _percent(difference.upper)),
        "estimateComment": told % {"arm": arm[1], "reference": reference[1]},
    }
    return [*tests, estimate]


def _limits(level: float, lower: str, upper: str) -> Document:
    return {
        "ciPctValue": f"{100 * level:g}",
        "ciNumSides": "TWO_SIDED",
        "ciLowerLimit": lower,
        "ciUpperLimit": upper,
    }
