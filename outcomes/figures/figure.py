"""A figure with what stands around it: title, definition, source and where its marks lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core import paginator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.charts.plot import Mark, shortened
from outcomes.definition_words import population_in_words
from outcomes.report import Report
from outcomes.report.documents import moment
from outcomes.review.coverage import coverage_note
from trials.definition_wording import TITLES
from trials.definitions import EndpointKind, Population

if TYPE_CHECKING:
    from trials.models import Trial


CURVES = {"pfs": EndpointKind.PFS, "os": EndpointKind.OS, "dor": EndpointKind.DOR}
NAMES = (*CURVES, "waterfall", "spider", "swimmer")
TITLES_OF = {
    "waterfall": gettext_lazy("Best change of target lesions"),
    "spider": gettext_lazy("Change of target lesions over time"),
    "swimmer": gettext_lazy("Treatment and response of each patient"),
}
TEMPLATES = {
    "waterfall": "outcomes/_waterfall.html",
    "spider": "outcomes/_spiders.html",
    "swimmer": "outcomes/_swimmer.html",
}
SOURCE_LENGTH = 90
SOURCE_LEADING = 18


@dataclass(frozen=True)
class TimeLine:
    """A patient's time as the table under a curve has it."""

    subject_id: str
    number: int  # of the curve
    group: str
    url: str
    days: int
    months: str
    event: bool
    reason: str

    @property
    def anchor(self) -> str:
        """Where those of one curve and day begin in the table."""
        return f"time-{self.number}-{self.days}"


@dataclass(frozen=True)
class Figure:
    """One figure with everything that is said of it; `source` stands in the drawing."""

    name: str
    title: str
    n: int | None  # None where the trial declares no such endpoint
    chart: Any
    template: str
    definition: str
    notes: tuple[str, ...] = ()
    source: tuple[Mark, ...] = ()
    times: paginator.Page[TimeLine] | None = None
    page: paginator.Page[Any] | None = None

    @property
    def full_height(self) -> int:
        """The drawing with its source below it."""
        return full_height(self.chart, self.source)


def full_height(chart: Any, source: Sequence[Mark]) -> int:
    """How high a drawing is with the lines of its source below it."""
    height: int = chart.height
    return height + SOURCE_LEADING * len(source) + (6 if source else 0)


@dataclass(frozen=True)
class Shown:
    """What a page asks of a figure: where its own address is, and which part of long lists."""

    address: str = ""
    number: str | None = None


def title_of(name: str) -> str:
    """What a figure is called."""
    return str(TITLES[CURVES[name]] if name in CURVES else TITLES_OF[name])


def template_of(name: str) -> str:
    """What draws it."""
    return TEMPLATES.get(name, "outcomes/_kaplan_meier.html")


def source_of(
    chart: Any,
    trial: Trial,
    cutoff: Date,
    population: str = "",
    known_on: datetime | None = None,
    note: str = "",
) -> tuple[Mark, ...]:
    """Which study, whom and when a drawing shows, for whoever meets it without its page."""
    lines = [trial.registry_id, _("Data cutoff %s") % cutoff.isoformat()]
    if population:
        lines[0] += f" · {population}"
    if known_on:
        lines[1] += " · " + _("as known on %s") % moment(known_on)
    lines += [note] if note else []
    first = chart.height + SOURCE_LEADING
    return tuple(
        Mark(str(first + SOURCE_LEADING * i), shortened(text, SOURCE_LENGTH))
        for i, text in enumerate(lines)
    )


def report_source(
    report: Report, chart: Any, population: Population, *, of: int = 0
) -> tuple[Mark, ...]:
    """`of`: how many were to be drawn, where the drawing cannot have all of them."""
    options = report.options
    counted = population_in_words(population, chart.n, options.evaluator, of=of)
    return source_of(
        chart, report.trial, options.cutoff, counted, options.known_on, coverage_note(report)
    )


def time_origin_of(report: Report) -> Any:
    """From when a report's courses are counted."""
    return report.whole.rates[EndpointKind.ORR].endpoint.definition.time_origin
