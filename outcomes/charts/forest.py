"""A forest -> coordinates: one line per group, its mark as large as its patients are many.

A line without an estimate says why, where the others have their numbers. Limits beyond the scale,
or not reached, end in an arrow. The mark of a small group is hollow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log2, sqrt

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.charts.plot import Mark, Plot, coordinate, month_ticks, shortened
from outcomes.labels import CHARACTERISTICS, NO_COMPARISON, group_label, why_none
from outcomes.methods.survival import MissingReason
from outcomes.report import DAYS_PER_MONTH
from outcomes.report.subgroups import FEWEST, Estimate, Forest, ForestMeasure, Subgroup, recorded
from trials.definitions import EndpointKind
from trials.templatetags.terms import treatment

WIDTH, ROW, TOP = 960, 22, 62
LEFT, RIGHT = 435, 695  # of the rectangle with the marks
N_AT, EVENTS_AT, SAID_AT = 332, 422, 720  # the numbers end at the first two
LABEL_LETTERS, SAID_LETTERS = 36, 30
SMALLEST, LARGEST = 3.0, 8.0  # half a mark's side
WIDEST_RATIO = (2, 4, 8, 16)  # a scale from 1 / the number to the number
NOT_REACHED = "NR"
EVENTS = gettext_lazy("Events")
COUNTED = {
    EndpointKind.ORR: gettext_lazy("Responders"),
    EndpointKind.DCR: gettext_lazy("Controlled"),
    EndpointKind.CBR: gettext_lazy("Benefit"),
}
SAID_TITLES = {
    ForestMeasure.RATE: gettext_lazy("Rate"),
    ForestMeasure.MEDIAN: gettext_lazy("Median, months"),
    ForestMeasure.HAZARD_RATIO: gettext_lazy("Hazard ratio"),
}


@dataclass(frozen=True, slots=True)
class ForestMark:
    """Where an estimate is, from where to where its interval goes, and where that is cut."""

    x: str
    low: str
    high: str
    size: str
    double: str
    left: str
    top: str
    cut_low: bool
    cut_high: bool
    diamond: bool
    hollow: bool


@dataclass(frozen=True, slots=True)
class ForestLine:
    """A group's line, or the heading of a characteristic.

    `label` and `said` are cut to their columns; `full` and `whole` are not. `url` is where its
    patients are listed.
    """

    y: str
    baseline: str
    label: str
    text: str
    heading: bool = False
    n: str = ""
    events: str = ""
    said: str = ""
    full: str = ""
    whole: str = ""
    mark: ForestMark | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class ForestChart:
    """The whole figure."""

    width: int
    height: int
    plot: Plot
    n: int
    message: str
    lines: tuple[ForestLine, ...]
    ticks: tuple[Mark, ...]
    overall: str | None  # where the line of all patients stands
    none: str | None  # where a ratio of 1 stands
    events_title: str
    said_title: str
    axis: str
    cutoff: str
    n_at: int = N_AT
    events_at: int = EVENTS_AT
    said_at: int = SAID_AT


@dataclass(frozen=True)
class _Scale:
    """From an estimate to the place along the axis, and which places have ticks."""

    first: float
    last: float
    ticks: tuple[tuple[float, str], ...]
    measure: ForestMeasure

    def place(self, value: float) -> float:
        if self.measure is ForestMeasure.HAZARD_RATIO:
            return log2(value) if value > 0 else self.first - 1
        return value / DAYS_PER_MONTH if self.measure is ForestMeasure.MEDIAN else 100 * value


def nowhere(_by: str, _name: str) -> str:
    """Of a figure that leads nowhere."""
    return ""


def draw(found: Forest, url: Callable[[str, str], str] = nowhere) -> ForestChart:
    """Draw all patients, then the groups of each characteristic that tells patients apart.

    `url`: where the patients of a characteristic's group are listed; of two blanks, all patients.
    """
    shown = [(by, groups) for by, groups in found.characteristics if recorded(groups)]
    groups = [found.whole, *(group for _by, groups in shown for group in groups)]
    everybody = [estimate for group in groups for estimate in group.estimates]
    scale = _scale(found.measure, everybody)
    rows = sum(1 + sum(len(g.estimates) for g in groups) for _by, groups in shown)
    bottom = TOP + ROW * (rows + len(found.whole.estimates)) + 6
    plot = Plot(LEFT, TOP, RIGHT, bottom, scale.first, scale.last, 0, 1)
    drawing = _Drawing(found, scale, plot, max((e.n for e in everybody), default=1), url)
    overall = [e.estimate for e in found.whole.estimates if e.estimate is not None]
    return ForestChart(
        width=WIDTH,
        height=bottom + 46,
        plot=plot,
        n=found.n,
        message=_message(found),
        lines=tuple(drawing.lines(shown)),
        ticks=tuple(Mark(plot.x(at), text) for at, text in scale.ticks),
        overall=plot.x(scale.place(overall[0])) if len(overall) == 1 else None,
        none=plot.x(0) if found.measure is ForestMeasure.HAZARD_RATIO else None,
        events_title=str(COUNTED.get(found.endpoint.kind, EVENTS)),
        said_title=_("%(what)s (%(level)s CI)")
        % {
            "what": SAID_TITLES[found.measure],
            "level": f"{found.endpoint.definition.confidence_level:.0%}",
        },
        axis=_axis(found),
        cutoff=_("data cutoff %s") % found.options.cutoff,
    )


def _message(found: Forest) -> str:
    if not found.n:
        return _("No patient is in this population on the data cutoff.")
    if found.measure is ForestMeasure.HAZARD_RATIO and found.no_comparison:
        return _("No hazard ratios: %s.") % NO_COMPARISON[found.no_comparison]
    return ""


def _axis(found: Forest) -> str:
    if found.measure is ForestMeasure.HAZARD_RATIO:
        reference = found.arms[0].name if found.arms else ""
        return _("below 1: fewer events than with %s") % shortened(treatment(reference), 24)
    return _("percent") if found.measure is ForestMeasure.RATE else _("Months")


def _scale(measure: ForestMeasure, estimates: Sequence[Estimate]) -> _Scale:
    drawn = [e for e in estimates if e.estimate is not None]
    ends = [v for e in drawn for v in (e.lower, e.estimate, e.upper) if v is not None]
    if measure is ForestMeasure.HAZARD_RATIO:
        return _ratios(ends)
    if measure is ForestMeasure.MEDIAN:
        months = month_ticks(max(ends, default=DAYS_PER_MONTH) / DAYS_PER_MONTH)
        return _Scale(0, months[-1], tuple((m, str(m)) for m in months), measure)
    most = min(100, 20 * max(1, ceil(5 * max(ends, default=1.0) - 1e-9)))
    return _Scale(0, most, tuple((p, str(p)) for p in range(0, most + 1, most // 4 or 1)), measure)


def _ratios(ends: Sequence[float]) -> _Scale:
    """As wide as most limits need: three in four of them are within, others are cut."""
    far = sorted(abs(log2(end)) for end in ends if end > 0)
    need = far[ceil(0.75 * len(far)) - 1] if far else 1
    width = next((one for one in WIDEST_RATIO if log2(one) >= need), WIDEST_RATIO[-1])
    most = int(log2(width))
    powers = range(-most, most + 1, 1 if most < 4 else 2)
    ticks = tuple((power, f"{2.0**power:g}") for power in powers)
    return _Scale(powers[0], powers[-1], ticks, ForestMeasure.HAZARD_RATIO)


@dataclass(frozen=True)
class _Drawing:
    found: Forest
    scale: _Scale
    plot: Plot
    most: int
    url: Callable[[str, str], str]

    def lines(self, shown: Sequence[tuple[str, Sequence[Subgroup]]]) -> Iterator[ForestLine]:
        row = 0
        for estimate in self.found.whole.estimates:
            yield self.line(row, _("All patients"), estimate, self.url("", ""), overall=True)
            row += 1
        for by, groups in shown:
            title = str(CHARACTERISTICS[by])
            yield ForestLine(*_at(row), title[:1].upper() + title[1:], title, heading=True)
            row += 1
            for group in groups:
                url = self.url(by, group.name)
                for estimate in group.estimates:
                    yield self.line(row, group_label(by, group.name), estimate, url)
                    row += 1

    def line(
        self, row: int, label: str, estimate: Estimate, url: str, *, overall: bool = False
    ) -> ForestLine:
        full = label
        if self.several and estimate.arm:
            full = f"{label}: {treatment(estimate.arm.name)}"
        said = estimate_text(self.found.measure, estimate)
        whole = marked_text(self.found.measure, estimate)
        counted = {"group": full, "n": estimate.n, "events": estimate.events, "said": whole}
        return ForestLine(
            *_at(row),
            label=shortened(full, LABEL_LETTERS),
            text=_("%(group)s: n = %(n)s, %(events)s; %(said)s") % counted,
            n=str(estimate.n),
            events=str(estimate.events),
            said=shortened(said, SAID_LETTERS),
            full=full,
            whole=whole,
            mark=self.mark(row, estimate, overall=overall),
            url=url if estimate.n else "",
        )

    @property
    def several(self) -> bool:
        return len(self.found.arms) > 2

    def mark(self, row: int, found: Estimate, *, overall: bool) -> ForestMark | None:
        if found.estimate is None:
            return None
        at = self.scale.place(found.estimate)
        first, last = self.scale.first, self.scale.last
        low = first - 1 if found.lower is None else self.scale.place(found.lower)
        high = last + 1 if found.upper is None else self.scale.place(found.upper)
        if not first <= at <= last:
            return None
        size = max(SMALLEST, LARGEST * sqrt(found.n / max(self.most, 1)))
        x, middle = self.plot.x(at), TOP + ROW * row + ROW / 2
        return ForestMark(
            x=x,
            low=self.plot.x(max(low, first)),
            high=self.plot.x(min(high, last)),
            size=coordinate(size),
            double=coordinate(2 * size),
            left=coordinate(float(x) - size),
            top=coordinate(middle - size),
            cut_low=low < first,
            cut_high=high > last,
            diamond=overall,
            hollow=found.small,
        )


def _at(row: int) -> tuple[str, str]:
    """The middle of a row, and the line on which its text stands."""
    middle = TOP + ROW * row + ROW / 2
    return coordinate(middle), coordinate(middle + 4.5)


def estimate_text(measure: ForestMeasure, found: Estimate) -> str:
    """An estimate with its interval, or why there is none."""
    if found.estimate is None:
        return _without(found)
    limits = (found.lower, found.upper)
    lower, upper = (number_text(measure, limit) for limit in limits)
    value = number_text(measure, found.estimate)
    return f"{value} ({lower} \N{EN DASH} {upper})"


def marked_text(measure: ForestMeasure, found: Estimate) -> str:
    """The same, marked where the group is small."""
    said = estimate_text(measure, found)
    return f"{said}; n\N{NO-BREAK SPACE}<\N{NO-BREAK SPACE}{FEWEST}" if found.small else said


def _without(found: Estimate) -> str:
    assert found.reason is not None
    said = why_none(found.reason)
    if found.reason is not MissingReason.NOT_REACHED or found.lower is None:
        return said
    lower = number_text(ForestMeasure.MEDIAN, found.lower)
    return _("not reached (from %s)") % lower


def number_text(measure: ForestMeasure, value: float | None) -> str:
    """A number as the figure prints it: percent, months, or a ratio."""
    if value is None:
        return NOT_REACHED
    if measure is ForestMeasure.RATE:
        return f"{100 * value:.1f} %"
    if measure is ForestMeasure.MEDIAN:
        return f"{value / DAYS_PER_MONTH:.1f}"
    return "> 99" if value > 99 else "< 0.01" if value < 0.005 else f"{value:.2f}"
