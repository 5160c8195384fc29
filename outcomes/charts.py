"""Values -> coordinates of the drawings; the templates beside `_kaplan_meier.html` draw them.

Coordinates are strings, so that no template localizes them. A drawing has a fixed size and scales
with its viewBox. Where too little is known to draw, `message` says so and there is no line.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from math import ceil
from unicodedata import east_asian_width

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from outcomes.methods.recist import Response
from outcomes.methods.survival import Curve, Floats
from outcomes.report import DAYS_PER_MONTH
from trials.definitions import EndpointKind

XY = tuple[str, str]
Percent = Decimal | Fraction | float

TICK_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 600)  # months
MOST_STEPS = 8
FEWEST_PATIENTS = 5
MOST_BANDS = 3  # more would hide one another; the table has every limit
PARTIAL_RESPONSE, PROGRESSION = -30.0, 20.0  # percent, RECIST 1.1
NOTABLE_CHANGES = (-100.0, PARTIAL_RESPONSE, 0.0, PROGRESSION)
MINUS = "\N{MINUS SIGN}"
NO_VALUE = "\N{EN DASH}"

COLORS = ("#0b5cad", "#b34700", "#1a7f37", "#8a3ffc", "#9f1853", "#565e64")
DASHES = ("none", "8 3", "2 3", "10 3 2 3", "5 5")  # as many as colors less one: 30 distinct pairs
RESPONSES = {
    Response.CR: "#14532d",
    Response.PR: "#1a7f37",
    Response.SD: "#6b7280",
    Response.NON_CR_NON_PD: "#8a3ffc",
    Response.PD: "#b42318",
    Response.NE: "#9a6700",
}
FREE_OF_EVENT = {
    EndpointKind.PFS: gettext_lazy("progression-free"),
    EndpointKind.OS: gettext_lazy("alive"),
    EndpointKind.DOR: gettext_lazy("still in response"),
    EndpointKind.TTR: gettext_lazy("without a response"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a position along one axis: a tick, or a count under a tick."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """The rectangle that data are drawn in, and the range of data it shows."""

    left: int
    top: int
    right: int
    bottom: int
    first: float
    last: float
    low: float
    high: float

    def x(self, value: float) -> str:
        """Horizontal coordinate of a value."""
        part = (value - self.first) / (self.last - self.first)
        return _coordinate(self.left + part * (self.right - self.left))

    def y(self, value: float) -> str:
        """Vertical coordinate of a value, which grows upward."""
        part = (value - self.low) / (self.high - self.low)
        return _coordinate(self.bottom - part * (self.bottom - self.top))

    def xy(self, corners: Iterable[tuple[float, float]]) -> tuple[XY, ...]:
        """Coordinates of corners."""
        return tuple((self.x(x), self.y(y)) for x, y in corners)


def _coordinate(value: float) -> str:
    return f"{value:.2f}"


@dataclass(frozen=True, slots=True)
class KaplanMeierGroup:
    """A curve to draw, and the lower and upper limits of `Curve.band`."""

    label: str
    curve: Curve
    band: tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class KaplanMeierPoint:
    """One observed time of a curve: where it is, and what is said of it."""

    x: str
    y: str
    text: str
    days: str
    months: str
    at_risk: int
    events: int
    censored: int
    percent: str
    lower: str
    upper: str


@dataclass(frozen=True, slots=True)
class KaplanMeierLine:
    """A group's curve and its two lines of the table below; no `steps` if `message` says why."""

    label: str
    short_label: str
    n: int
    events: int
    message: str
    number: int
    color: str
    dash: str
    steps: tuple[XY, ...]
    bands: tuple[tuple[XY, ...], ...]
    points: tuple[KaplanMeierPoint, ...]
    at_risk: tuple[Mark, ...]
    label_y: str
    counts_y: str


@dataclass(frozen=True, slots=True)
class KaplanMeierChart:
    """A drawing of curves with the number at risk under each tick."""

    width: int
    height: int
    plot: Plot
    title: str
    n: int
    message: str
    x_ticks: tuple[Mark, ...]
    y_ticks: tuple[Mark, ...]
    median_y: str
    banded: bool
    lines: tuple[KaplanMeierLine, ...]


KM_WIDTH, KM_LEFT, KM_RIGHT, KM_TOP, KM_BOTTOM = 720, 52, 696, 32, 302
KM_TABLE_TOP, KM_TABLE_ROW = 366, 44


def kaplan_meier(
    groups: Sequence[KaplanMeierGroup],
    *,
    kind: EndpointKind | None = None,
    months_max: float | None = None,
) -> KaplanMeierChart:
    """Draw curves whose times are days; the axis is in months of 30.4375 days.

    `kind` words the points ("62.3 % progression-free"). The axis ends at the first tick at or
    beyond `months_max`, else beyond the longest follow-up. A group of fewer than 5 patients has
    no line, only its numbers. Give groups in one order everywhere: the place decides the color.
    """
    ticks = _ticks(_longest(groups) if months_max is None else months_max)
    last = ticks[-1] * DAYS_PER_MONTH
    plot = Plot(KM_LEFT, KM_TOP, KM_RIGHT, KM_BOTTOM, 0, last, 0, 1)
    free = str(FREE_OF_EVENT[kind]) if kind in FREE_OF_EVENT else _("without an event")
    named = len(groups) > 1
    lines = tuple(
        _line(plot, group, number, ticks, free, named=named) for number, group in enumerate(groups)
    )
    return KaplanMeierChart(
        width=KM_WIDTH,
        height=KM_TABLE_TOP + KM_TABLE_ROW * len(groups),
        plot=plot,
        title=_("Patients %(free_of_event)s") % {"free_of_event": free},
        n=sum(line.n for line in lines),
        message=_why_not_drawn(lines),
        x_ticks=tuple(Mark(plot.x(tick * DAYS_PER_MONTH), str(tick)) for tick in ticks),
        y_ticks=tuple(Mark(plot.y(p / 100), f"{p} %") for p in range(0, 101, 25)),
        median_y=plot.y(0.5),
        banded=sum(bool(line.steps) for line in lines) <= MOST_BANDS,
        lines=lines,
    )


def _longest(groups: Sequence[KaplanMeierGroup]) -> float:
    return max((g.curve.last_time or 0 for g in groups), default=0) / DAYS_PER_MONTH


def _ticks(months: float) -> list[int]:
    """Round months from 0 to the first at or beyond `months`, and beyond 0."""
    step = next((s for s in TICK_STEPS if months <= s * MOST_STEPS), TICK_STEPS[-1])
    return [step * index for index in range(max(1, ceil(months / step)) + 1)]


def _line(
    plot: Plot,
    group: KaplanMeierGroup,
    number: int,
    ticks: Sequence[int],
    free: str,
    *,
    named: bool,
) -> KaplanMeierLine:
    curve, prefix = group.curve, f"{group.label}: " if named else ""
    n, events = curve.patients, int(curve.events.sum())
    drawn = n >= FEWEST_PATIENTS
    top = KM_TABLE_TOP + KM_TABLE_ROW * number
    message = "" if drawn else _too_few(n, events)
    return KaplanMeierLine(
        label=group.label,
        short_label=shortened(group.label, 36 if message else 76),
        n=n,
        events=events,
        message=message,
        number=number % len(COLORS),
        color=COLORS[number % len(COLORS)],
        dash=DASHES[number % len(DASHES)],
        steps=_steps(plot, curve) if drawn else (),
        bands=tuple(_bands(plot, curve, *group.band)) if drawn else (),
        points=tuple(_points(plot, group, prefix, free)),
        at_risk=tuple(_at_risk(plot, curve, ticks)),
        label_y=str(top),
        counts_y=str(top + 18),
    )


def _too_few(n: int, events: int) -> str:
    if not n:
        return _("No patients yet.")
    counts = {"patients": _patients(n), "events": _events(events)}
    return _("Too few to draw a curve: %(patients)s, %(events)s") % counts


def _patients(count: int) -> str:
    return ngettext("%(n)d patient", "%(n)d patients", count) % {"n": count}


def _events(count: int) -> str:
    return ngettext("%(n)d event", "%(n)d events", count) % {"n": count}


def _why_not_drawn(lines: Sequence[KaplanMeierLine]) -> str:
    """Why no group has a line; empty if one has."""
    if any(line.steps for line in lines):
        return ""
    n, events = sum(line.n for line in lines), sum(line.events for line in lines)
    if n < FEWEST_PATIENTS:
        return _too_few(n, events)
    counts = {"patients": _patients(n), "events": _events(events)}
    return _("Every group is too small for a curve: %(patients)s, %(events)s in all") % counts


def _steps(plot: Plot, curve: Curve) -> tuple[XY, ...]:
    """The curve from (0, 1) to the last observed time or the end of the axis."""
    kept = curve.time <= plot.last
    end = min(curve.last_time or 0, plot.last)
    times = [0.0, *curve.time[kept].tolist(), end]
    return plot.xy(_stairs(times, [1.0, *curve.survival[kept].tolist()]))


def _stairs(times: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """Corners of a step function: n values, each from its time to the next of n + 1 times."""
    corners = [(times[0], values[0])]
    for time, value in zip(times[1:], values[1:], strict=False):
        level = corners[-1][1]
        if value != level:
            corners += [(time, level), (time, value)]
    end = (times[-1], corners[-1][1])
    return corners if corners[-1] == end else [*corners, end]


def _bands(plot: Plot, curve: Curve, lower: Floats, upper: Floats) -> Iterator[tuple[XY, ...]]:
    """A polygon for each run of times at which both limits are defined."""
    kept = int(np.searchsorted(curve.time, plot.last, side="right"))
    ends = [*curve.time.tolist(), curve.last_time or 0]
    defined = ~(np.isnan(lower) | np.isnan(upper))
    for start, stop in _runs(defined[:kept].tolist()):
        times = [min(time, plot.last) for time in ends[start : stop + 1]]
        over = _stairs(times, upper[start:stop].tolist())
        under = _stairs(times, lower[start:stop].tolist())
        yield plot.xy([*over, *reversed(under)])


def _points(
    plot: Plot, group: KaplanMeierGroup, prefix: str, free: str
) -> Iterator[KaplanMeierPoint]:
    curve, (lower, upper) = group.curve, group.band
    columns = (curve.time, curve.at_risk, curve.events, curve.censored, curve.survival)
    rows = zip(*(column.tolist() for column in (*columns, lower, upper)), strict=True)
    for days, at_risk, events, censored, survival, low, high in rows:
        if days > plot.last:
            return
        months, percent = f"{days / DAYS_PER_MONTH:.1f}", _share(survival)
        told = _("%(days)s days (%(months)s months): %(percent)s %% %(free_of_event)s") % {
            "days": f"{days:g}",
            "months": months,
            "percent": percent,
            "free_of_event": free,
        }
        parts = [told, _("%(n)d at risk") % {"n": at_risk}]
        parts += [_events(events)] if events else []
        parts += [_("%(n)d censored") % {"n": censored}] if censored else []
        yield KaplanMeierPoint(
            x=plot.x(days),
            y=plot.y(survival),
            text=prefix + ", ".join(parts),
            days=f"{days:g}",
            months=months,
            at_risk=at_risk,
            events=events,
            censored=censored,
            percent=percent,
            lower=_share(low),
            upper=_share(high),
        )


def _share(value: float) -> str:
    """A share as a percentage; a dash where undefined."""
    return NO_VALUE if np.isnan(value) else f"{value * 100:.1f}"


def _at_risk(plot: Plot, curve: Curve, ticks: Sequence[int]) -> Iterator[Mark]:
    """How many patients were observed for as long as each tick, or longer."""
    counts = np.append(curve.at_risk, 0)
    for tick in ticks:
        days = tick * DAYS_PER_MONTH
        yield Mark(plot.x(days), str(counts[np.searchsorted(curve.time, days)]))


def shortened(text: str, width: int) -> str:
    """A text cut to about `width` Latin letters; a Chinese character counts as two."""
    used = 0
    for index, character in enumerate(text):
        used += 2 if east_asian_width(character) in "WF" else 1
        if used > width:
            return text[: max(index - 1, 0)] + "\N{HORIZONTAL ELLIPSIS}"
    return text


@dataclass(frozen=True, slots=True)
class WaterfallBar:
    """A patient's best change of the sum of diameters from baseline, in percent."""

    subject_id: str
    change_percent: Percent
    best_response: Response
    url: str
    new_lesion: bool = False


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A bar, from its top left `x`, `y` to its bottom right `x_end`, `y_end`."""

    bar: WaterfallBar
    x: str
    x_end: str
    x_middle: str
    y: str
    y_end: str
    color: str
    clipped: bool
    change: str
    response: str
    text: str


@dataclass(frozen=True, slots=True)
class Track:
    """A row under the bars that marks those of one category: a legend that needs no color."""

    label: str
    code: str
    color: str
    y: str
    n: int
    marks: tuple[XY, ...]  # each from x to x


@dataclass(frozen=True, slots=True)
class WaterfallChart:
    """Bars from the largest growth to the largest shrinkage, with their categories below."""

    width: int
    height: int
    plot: Plot
    n: int
    message: str
    zero_y: str
    y_ticks: tuple[Mark, ...]
    thresholds: tuple[Mark, ...]
    bars: tuple[DrawnBar, ...]
    tracks: tuple[Track, ...]


WATERFALL_WIDTH, WATERFALL_LEFT, WATERFALL_RIGHT = 720, 110, 660
WATERFALL_TOP, WATERFALL_BOTTOM, TRACK_HEIGHT = 38, 298, 18
WIDEST_BAR, GAP, GAP_FROM, SHORTEST_BAR, NARROWEST = 40, 0.15, 3, 1.0, 1.0
CLIPPED_AT = 100.0


def waterfall(bars: Sequence[WaterfallBar]) -> WaterfallChart:
    """Draw one bar per patient; growth beyond 100 % is cut there and marked.

    Categories are told apart by color and by a marked row below the bars, for any number of bars.
    """
    ordered = sorted(bars, key=lambda bar: (-bar.change_percent, bar.subject_id))
    plot = _waterfall_plot(len(ordered))
    drawn = tuple(_drawn(plot, bar, place) for place, bar in enumerate(ordered))
    tracks = tuple(_tracks(plot, ordered))
    return WaterfallChart(
        width=WATERFALL_WIDTH,
        height=WATERFALL_BOTTOM + 40 + TRACK_HEIGHT * len(tracks),
        plot=plot,
        n=len(drawn),
        message="" if drawn else _("No patient has a measured change yet."),
        zero_y=plot.y(0),
        y_ticks=tuple(Mark(plot.y(p), signed(p)) for p in range(-100, 101, 50)),
        thresholds=tuple(Mark(plot.y(p), signed(p)) for p in (PROGRESSION, PARTIAL_RESPONSE)),
        bars=drawn,
        tracks=tracks,
    )


def _waterfall_plot(bars: int) -> Plot:
    """One unit of the data range is one bar, at most 40 wide."""
    slots = max(bars, (WATERFALL_RIGHT - WATERFALL_LEFT) / WIDEST_BAR)
    corners = (WATERFALL_LEFT, WATERFALL_TOP, WATERFALL_RIGHT, WATERFALL_BOTTOM)
    return Plot(*corners, 0, slots, -CLIPPED_AT, CLIPPED_AT)


def _drawn(plot: Plot, bar: WaterfallBar, place: int) -> DrawnBar:
    change, response = change_text(bar.change_percent), response_label(bar.best_response)
    clipped = bar.change_percent > CLIPPED_AT
    notes = [_("new lesion")] if bar.new_lesion else []
    notes += [_("cut at +100 %")] if clipped else []
    low, high = _extent(float(bar.change_percent))
    end = place + _bar_width(plot)
    return DrawnBar(
        bar=bar,
        x=plot.x(place),
        x_end=plot.x(end),
        x_middle=plot.x((place + end) / 2),
        y=plot.y(high),
        y_end=plot.y(low),
        color=RESPONSES[bar.best_response],
        clipped=clipped,
        change=change,
        response=response,
        text=f"{bar.subject_id}: " + ", ".join([change, response, *notes]),
    )


def _slot(plot: Plot) -> float:
    return (plot.right - plot.left) / plot.last


def _bar_width(plot: Plot) -> float:
    """Part of its slot that a bar fills: too narrow for a gap it overlaps, so that no seam shows."""
    slot = _slot(plot)
    return 1 - GAP if slot >= GAP_FROM else max(1 + GAP, NARROWEST / slot)


def _extent(change: float) -> tuple[float, float]:
    """Both ends of a bar, cut at the scale and never too short to be seen."""
    size = min(max(abs(change), SHORTEST_BAR), CLIPPED_AT)
    return (-size, 0.0) if change < 0 else (0.0, size)


def _tracks(plot: Plot, ordered: Sequence[WaterfallBar]) -> Iterator[Track]:
    """The categories that occur, in their usual order, and new lesions."""
    occurring = {bar.best_response for bar in ordered}
    kinds = [response for response in RESPONSES if response in occurring]
    for row, response in enumerate(kinds):
        member = [bar.best_response == response for bar in ordered]
        color = RESPONSES[response]
        yield _track(plot, row, response_label(response), response.value, color, member)
    flags = [bar.new_lesion for bar in ordered]
    if any(flags):
        yield _track(plot, len(kinds), _("New lesion"), "NEW", "currentColor", flags)


def _track(
    plot: Plot, row: int, label: str, code: str, color: str, member: Sequence[bool]
) -> Track:
    narrowest = NARROWEST / _slot(plot)
    marks = ((plot.x(start), plot.x(max(stop, start + narrowest))) for start, stop in _runs(member))
    y = WATERFALL_BOTTOM + 40 + TRACK_HEIGHT * row
    return Track(label, code, color, str(y), sum(member), tuple(marks))


def _runs(flags: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Start and end of each unbroken run of true flags."""
    for flag, run in groupby(range(len(flags)), key=flags.__getitem__):
        places = list(run)
        if flag:
            yield places[0], places[-1] + 1


def response_label(response: Response) -> str:
    """A response as it is written in tables."""
    return "Non-CR/Non-PD" if response is Response.NON_CR_NON_PD else response.value


def signed(percent: Percent, digits: int = 0) -> str:
    """A change with its sign."""
    text = f"{float(percent):+.{digits}f} %".replace("-", MINUS)
    return text[1:] if float(percent) == 0 else text


def change_text(percent: Percent) -> str:
    """A change with one decimal, or with as many as keep it from reading as a threshold."""
    value = float(percent)
    for digits in range(1, 6):
        if value in NOTABLE_CHANGES or round(value, digits) not in NOTABLE_CHANGES:
            break
    return signed(value, digits)


@dataclass(frozen=True, slots=True)
class SpiderPoint:
    """A visit on a patient's line."""

    x: str
    y: str
    text: str
    days: str
    change: str


@dataclass(frozen=True, slots=True)
class SpiderChart:
    """A patient's sum of diameters over time, as change from baseline."""

    width: int
    height: int
    plot: Plot
    message: str
    x_ticks: tuple[Mark, ...]
    y_ticks: tuple[Mark, ...]
    zero_y: str
    response_y: str
    points: tuple[SpiderPoint, ...]


SPIDER_WIDTH, SPIDER_HEIGHT = 420, 190
SPIDER_BOX = (56, 14, 400, 140)


def spider_line(points: Sequence[tuple[int, Percent]]) -> SpiderChart:
    """Draw a patient's visits, each as days from the time origin and percent from baseline.

    Give the baseline visit too. The line ends higher than +100 % at the edge, as in `waterfall`.
    """
    ordered = sorted(points, key=lambda point: point[0])
    days = [day for day, _change in ordered] or [0]
    ticks = _ticks(days[-1] / DAYS_PER_MONTH)
    high = CLIPPED_AT if any(change > CLIPPED_AT / 2 for _day, change in ordered) else 50.0
    first = min(0, days[0])
    plot = Plot(*SPIDER_BOX, first, ticks[-1] * DAYS_PER_MONTH, -CLIPPED_AT, high)
    return SpiderChart(
        width=SPIDER_WIDTH,
        height=SPIDER_HEIGHT,
        plot=plot,
        message="" if ordered else _("No measured visit yet."),
        x_ticks=tuple(Mark(plot.x(tick * DAYS_PER_MONTH), str(tick)) for tick in ticks),
        y_ticks=tuple(Mark(plot.y(p), signed(p)) for p in (-CLIPPED_AT, -50, 0, high)),
        zero_y=plot.y(0),
        response_y=plot.y(PARTIAL_RESPONSE),
        points=tuple(_spider_point(plot, *point) for point in ordered),
    )


def _spider_point(plot: Plot, days: int, change: Percent) -> SpiderPoint:
    text = change_text(change)
    told = _("Day %(days)s: %(change)s from baseline") % {"days": days, "change": text}
    shown = min(float(change), CLIPPED_AT)
    return SpiderPoint(plot.x(days), plot.y(shown), told, str(days), text)
