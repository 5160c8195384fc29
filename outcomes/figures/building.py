"""The figure of a name, and every figure for a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

from django.core import paginator
from django.urls import reverse

from outcomes.charts import swimmer
from outcomes.figures.changes import best_changes, changes_over_time
from outcomes.figures.courses import courses, drawn_lanes, lanes_of
from outcomes.figures.curves import curves
from outcomes.figures.figure import CURVES, NAMES, Figure, Shown
from outcomes.options import as_query
from outcomes.report import Report

GROUPED = (*CURVES, "swimmer")  # figures that a grouping changes


def build(name: str, report: Report, shown: Shown) -> Figure:
    """The figure of this name; KeyError for a name that is not among NAMES."""
    if name in CURVES:
        return curves(name, report, shown)
    return {"waterfall": best_changes, "spider": changes_over_time, "swimmer": courses}[name](
        report, shown
    )


def sheets(report: Report) -> Iterator[Figure]:
    """Every figure for a document: long ones as several drawings, so that nobody is left out."""
    query = urlencode(as_query(report.options))
    for name in (name for name in NAMES if name != "swimmer"):
        path = reverse("outcomes:figure", args=[report.trial.registry_id, name])
        yield build(name, report, Shown(f"{path}?{query}"))
    lanes = swimmer.ordered(lanes_of(report))
    pages = paginator.Paginator(lanes, swimmer.LANES)
    for number in pages.page_range:
        drawn = drawn_lanes(report, lanes, pages.page(number))
        part = f" ({number}/{pages.num_pages})" if pages.num_pages > 1 else ""
        yield replace(drawn, name=f"swimmer-{number}", title=f"{drawn.title}{part}")
