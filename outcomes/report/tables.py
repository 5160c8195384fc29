"""Reports as CSV (RFC 4180): tidy, one statistic per line; patients, one per line.

The numbers are those of the JSON documents, which these rows are made from. Cells that a
spreadsheet would take for a formula are preceded by an apostrophe; numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_type_hints

from typing_extensions import is_typeddict

from outcomes.report.document_types import (
    Additional,
    ComparisonDocument,
    DepthDocument,
    DifferenceDocument,
    FollowUpDocument,
    MedianDocument,
    PatientOutcomeDocument,
    QuartilesDocument,
    ReportDocument,
    SectionDocument,
    SurvivalComparisonDocument,
    SurvivalDocument,
)

COLUMNS = (
    "trial", "cutoff", "known_on", "population", "group", "endpoint", "name", "statistic",
    "at_days", "at_label", "value", "unit", "standard_error", "lower", "upper", "n", "events",
    "censored", "at_risk", "interval", "confidence_level", "reason", "lower_reason", "upper_reason",
    "evaluator",
)  # fmt: skip
SUCCESSES = {"orr": "responders", "dcr": "controlled", "cbr": "benefited"}
SURVIVALS = ("pfs", "os", "dor", "ttr")
# What spreadsheets take for the start of a formula; Excel also reads the full-width forms.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Row = dict[str, Any]


def report_rows(report: ReportDocument) -> Iterator[Row]:
    """A report as rows; `group` is blank for all patients."""
    told = {key: report[key] for key in ("trial", "cutoff", "known_on", "evaluator")}
    sections: list[tuple[str, SectionDocument]] = [("", report)]
    sections += [(group["group"], group) for group in report["groups"]]
    for name, section in sections:
        of = told | {"group": name, "population": section["population"]["name"]}
        yield from (of | row for row in _section(section))
    if comparison := report["comparison"]:
        of = told | {"group": "", "population": report["population"]["name"]}
        yield from (of | row for row in _comparison(comparison))


def _section(section: SectionDocument) -> Iterator[Row]:
    n = section["population"]["n"]
    yield {"statistic": "patients", "value": n, "unit": "patients"}
    for confirmation, counts in section["best_overall_response"].items():
        said = {"endpoint": "BOR", "name": confirmation, "statistic": "patients", "n": n}
        for response, k in counts.items():  # type: ignore[attr-defined]
            yield said | {"at_label": response, "value": k, "unit": "patients"}
    for kind in (*SUCCESSES, *SURVIVALS):
        if found := section[kind]:  # type: ignore[literal-required]
            yield from _named(kind.upper(), "", _endpoint(kind, found))
    yield from _named("FOLLOW_UP", "", _follow_up(section["follow_up"]))
    yield from _named("DEPTH", "", _depth(section["depth_of_response"]))
    for further in section["additional"]:
        yield from _additional(further)


def _depth(found: DepthDocument) -> Iterator[Row]:
    for name in ("median", "q1", "q3", "deepest", "least"):
        value: float | None = found[f"{name}_percent"]  # type: ignore[literal-required]
        row: Row = {"statistic": name, "value": value, "unit": "percent", "n": found["n"]}
        yield row | {"reason": found["reason"]}
    for label, k in found["counts"].items():
        yield {"statistic": "patients", "at_label": label, "value": k, "unit": "patients"}


def _named(endpoint: str, name: str, rows: Iterable[Row]) -> Iterator[Row]:
    return ({"endpoint": endpoint, "name": name} | row for row in rows)


def _additional(found: Additional) -> Iterator[Row]:
    return _named(found["kind"], found["name"], _endpoint(found["kind"].lower(), found))


def _endpoint(kind: str, found: Any) -> Iterator[Row]:
    return _rate(kind, found) if kind in SUCCESSES else _survival(found)


def _rate(kind: str, found: Mapping[str, Any]) -> Iterator[Row]:
    n, k = found["n"], SUCCESSES[kind]
    yield {"statistic": k, "value": found[k], "unit": "patients", "n": n}
    yield {
        "statistic": "rate", "value": found["estimate"], "unit": "fraction", "n": n,
        "lower": found["lower"], "upper": found["upper"], "interval": found["interval"],
        "confidence_level": found["confidence_level"], "reason": found["estimate_reason"],
    }  # fmt: skip
    for one in found["intervals"]:
        row = {"statistic": f"rate_{one['interval']}", "value": found["estimate"], "n": n}
        limits = {"lower": one["lower"], "upper": one["upper"], "interval": one["interval"]}
        level = {"confidence_level": found["confidence_level"]}
        yield row | {"unit": "fraction", "reason": found["estimate_reason"]} | limits | level


def _survival(found: SurvivalDocument) -> Iterator[Row]:
    told = {"n": found["n"], "events": found["events"], "censored": found["censored"]}
    yield {"statistic": "patients", "value": found["n"], "unit": "patients"} | told
    without = {"statistic": "no_time_origin", "value": found["no_time_origin"]}
    yield without | {"unit": "patients"}
    yield told | _quantile("median", found["median"])
    for one in found["medians"]:
        yield told | _quantile(f"median_{one['interval']}", one)
    for quantile in found["quantiles"]:
        yield told | _quantile(f"quantile_{quantile['p']}", quantile)
    yield from _times(found)
    if "quartiles" in found:
        yield from _quartiles(found["quartiles"])


def _quantile(statistic: str, found: MedianDocument) -> Row:
    return {
        "statistic": statistic, "value": found["days"], "unit": "days",
        "lower": found["lower_days"], "upper": found["upper_days"],
        "interval": found["interval"], "confidence_level": found["confidence_level"],
        "reason": found["days_reason"], "lower_reason": found["lower_reason"],
        "upper_reason": found["upper_reason"],
    }  # fmt: skip


def _times(found: SurvivalDocument) -> Iterator[Row]:
    """Landmarks, k/n and a restricted mean where they were asked for, and the curve."""
    for at in found["landmarks"]:
        when = {"at_days": at["days"], "at_label": _label(at)}
        limits = dict.fromkeys(("lower_reason", "upper_reason"), at["limits_reason"])
        shown = {k: at[k] for k in ("lower", "upper", "at_risk")}
        reason = {"reason": at["survival_reason"]}
        value = {"statistic": "landmark", "value": at["survival"], "unit": "fraction"}
        yield when | value | shown | limits | reason
        if counted := at["counted"]:
            yield when | {
                "statistic": "event_free_k_of_n", "value": counted["estimate"], "unit": "fraction",
                "lower": counted["lower"], "upper": counted["upper"], "n": counted["n"],
                "interval": counted["interval"], "reason": counted["estimate_reason"],
            }  # fmt: skip
    if mean := found["restricted_mean"]:
        yield {
            "statistic": "restricted_mean", "at_days": mean["days"], "at_label": _label(mean),
            "value": mean["estimate_days"], "unit": "days", "standard_error": mean["standard_error"],
            "lower": mean["lower_days"], "upper": mean["upper_days"], "reason": mean["reason"],
        }  # fmt: skip
    for point in found["curve"]:
        here: Row = {key: value for key, value in point.items() if key not in ("days", "survival")}
        value = {"at_days": point["days"], "value": point["survival"], "unit": "fraction"}
        yield {"statistic": "curve"} | value | here


def _label(at: Mapping[str, Any]) -> str:
    """The time as it was asked for."""
    return f"{at['months']} months" if at["weeks"] is None else f"{at['weeks']} weeks"


def _quartiles(found: QuartilesDocument | FollowUpDocument) -> Iterator[Row]:
    for name in ("q1", "median", "q3"):
        value = found[f"{name}_months"]  # type: ignore[literal-required]
        reason = found[f"{name}_reason"]  # type: ignore[literal-required]
        statistic = {"statistic": f"{name}_{found['method']}", "value": value}
        yield statistic | {"unit": "months", "reason": reason}


def _follow_up(found: FollowUpDocument) -> Iterator[Row]:
    yield from _quartiles(found)
    yield from _quartiles(found["observed"])


def _comparison(found: ComparisonDocument) -> Iterator[Row]:
    yield from _named("PFS", "", _survival_comparison(found))
    yield from _named("OS", "", _survival_comparison(found["overall_survival"]))
    for one in found["rate_differences"]:
        of = {"at_label": _over(one), "reason": one["reason"]}
        limits = {"lower": one["lower"], "upper": one["upper"], "interval": one["interval"]}
        level = {"confidence_level": one["confidence_level"]}
        value = {"statistic": "rate_difference", "value": one["estimate"], "unit": "fraction"}
        fisher = {"statistic": "fisher_p", "value": one["fisher_p"], "unit": "p"}
        yield from _named("ORR", "", [of | value | limits | level, of | fisher])


def _survival_comparison(found: SurvivalComparisonDocument) -> Iterator[Row]:
    test = found["log_rank"] or {"chi2": None, "df": None, "p": None}
    for name, value in test.items():
        reason = {"reason": found["log_rank_reason"]}
        yield {"statistic": f"log_rank_{name}", "value": value, "unit": name} | reason
    for one in found["hazard_ratios"]:
        of = {"at_label": _over(one), "reason": one["reason"]}
        limits = {"lower": one["lower"], "upper": one["upper"], "interval": "wald"}
        level = {"confidence_level": one["confidence_level"]}
        value = {"statistic": f"hazard_ratio_{one['ties']}", "value": one["estimate"]}
        yield of | value | {"unit": "ratio"} | limits | level
        yield of | {"statistic": "hazard_ratio_p", "value": one["p"], "unit": "p"}
    for at in found["landmark_differences"]:
        yield from _difference("landmark_difference", at, "fraction", "")
    for mean in found["rmst_differences"] or ():
        yield from _difference("restricted_mean_difference", mean, "days", "_days")


def _difference(statistic: str, found: DifferenceDocument, unit: str, suffix: str) -> Iterator[Row]:
    values: Mapping[str, Any] = found
    of: Row = {"at_days": found["days"], "at_label": f"{_over(found)}, {_label(found)}"}
    limits = {"lower": values[f"lower{suffix}"], "upper": values[f"upper{suffix}"]}
    reasons = dict.fromkeys(("lower_reason", "upper_reason"), found["limits_reason"])
    value = {"statistic": statistic, "value": values[f"estimate{suffix}"], "unit": unit}
    level = {"interval": "wald", "confidence_level": found["confidence_level"]}
    error = {"standard_error": found["standard_error"], "reason": found["reason"]}
    yield of | value | limits | reasons | level | error
    p = {"statistic": f"{statistic}_p", "value": found["p"], "unit": "p"}
    yield of | p | {"reason": found["p_reason"]}


def _over(one: Mapping[str, Any]) -> str:
    return f"{one['arm']} / {one['reference']}"


def patient_rows(patients: Iterable[PatientOutcomeDocument]) -> Iterator[Row]:
    """One row per patient; nested keys are joined with underscores, blank where there is nothing."""
    for patient in patients:
        yield {key: value for key, value in _flat(patient).items() if key in PATIENT_COLUMNS}


def _flat(document: Any, prefix: str = "") -> Row:
    flat: Row = {}
    for key, value in document.items():
        nested = isinstance(value, Mapping)
        flat |= _flat(value, f"{prefix}{key}_") if nested else {f"{prefix}{key}": value}
    return flat


def _columns(document: Any, prefix: str = "") -> Iterator[str]:
    """The columns of a document's type, so that a table without rows has them too."""
    for key, hint in get_type_hints(document).items():
        parts = [part for part in (hint, *get_args(hint)) if is_typeddict(part)]
        yield from _columns(parts[0], f"{prefix}{key}_") if parts else [f"{prefix}{key}"]


PATIENT_COLUMNS = tuple(_columns(PatientOutcomeDocument))


def csv_text(columns: Iterable[str], rows: Iterable[Row]) -> str:
    """The table; lines end with CR LF."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="")
    writer.writeheader()
    writer.writerows({key: _neutral(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _neutral(value: Any) -> Any:
    """A cell that a spreadsheet will not take for a formula, blanks before it or not."""
    risky = isinstance(value, str) and (value.lstrip().startswith(FORMULA) or value[:1] in FORMULA)
    return f"'{value}" if risky else value
