"""Survival curves -> coordinates; `_kaplan_meier.html` draws them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from outcomes.charts.plot import (
    COLORS,
    DASHES,
    NO_VALUE,
    XY,
    Mark,
    Plot,
    month_ticks,
    runs,
    shortened,
)
from outcomes.methods.survival import Curve, Floats
from outcomes.report import DAYS_PER_MONTH
from registry.languages import listed
from trials.definitions import EndpointKind

FEWEST_PATIENTS = 5
MOST_BANDS = 3  # more would hide one another; the table has every limit
FREE_OF_EVENT = {
    EndpointKind.PFS: gettext_lazy("progression-free"),
    EndpointKind.OS: gettext_lazy("alive"),
    EndpointKind.DOR: gettext_lazy("still in response"),
    EndpointKind.TTR: gettext_lazy("without a response"),
}


@dataclass(frozen=True, slots=True)
class KaplanMeierGroup:
    """A curve to draw, and the lower and upper limits of `Curve.band`.

    On a page of its own also a second line below its label, its median in days, and where each of
    its days leads.
    """

    label: str
    curve: Curve
    band: tuple[Floats, Floats]
    detail: str = ""
    median: float | None = None
    links: Mapping[float, str] = field(default_factory=dict)


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
    url: str


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
    detail: str
    detail_y: str
    counts_y: str
    median_x: str


@dataclass(frozen=True, slots=True)
class KaplanMeierChart:
    """A drawing of curves with the number at risk under each tick; `notes` stand above it."""

    width: int
    height: int
    plot: Plot
    title: str
    notes: tuple[Mark, ...]
    n: int
    message: str
    x_ticks: tuple[Mark, ...]
    y_ticks: tuple[Mark, ...]
    median_y: str
    banded: bool
    lines: tuple[KaplanMeierLine, ...]


KM_WIDTH, KM_LEFT, KM_RIGHT, KM_TOP, KM_BOTTOM = 720, 52, 696, 32, 302
KM_TABLE_BELOW, KM_TABLE_ROW, KM_LEADING = 64, 44, 18


def draw(
    groups: Sequence[KaplanMeierGroup],
    *,
    kind: EndpointKind | None = None,
    months_max: float | None = None,
    notes: Sequence[str] = (),
) -> KaplanMeierChart:
    """Draw curves whose times are days; the axis is in months of 30.4375 days.

    `kind` words the points ("62.3 % progression-free"). The axis ends at the first tick at or
    beyond `months_max`, else beyond the longest follow-up. A group of fewer than 5 patients has
    no line, only its numbers. Give groups in one order everywhere: the place decides the color.
    """
    ticks = month_ticks(_longest(groups) if months_max is None else months_max)
    last = ticks[-1] * DAYS_PER_MONTH
    above = KM_LEADING * len(notes)
    plot = Plot(KM_LEFT, KM_TOP + above, KM_RIGHT, KM_BOTTOM + above, 0, last, 0, 1)
    row = KM_TABLE_ROW + (KM_LEADING if any(group.detail for group in groups) else 0)
    free = str(FREE_OF_EVENT[kind]) if kind in FREE_OF_EVENT else _("without an event")
    named = len(groups) > 1
    lines = tuple(
        _line(plot, group, number, ticks, free, row=row, named=named)
        for number, group in enumerate(groups)
    )
    return KaplanMeierChart(
        width=KM_WIDTH,
        height=plot.bottom + KM_TABLE_BELOW + row * len(groups),
        plot=plot,
        title=_("Patients %(free_of_event)s") % {"free_of_event": free},
        notes=tuple(Mark(str(34 + KM_LEADING * i), text) for i, text in enumerate(notes)),
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


def _line(
    plot: Plot,
    group: KaplanMeierGroup,
    number: int,
    ticks: Sequence[int],
    free: str,
    *,
    row: int,
    named: bool,
) -> KaplanMeierLine:
    curve, prefix = group.curve, f"{group.label}: " if named else ""
    n, events = curve.patients, int(curve.events.sum())
    drawn = n >= FEWEST_PATIENTS
    top = plot.bottom + KM_TABLE_BELOW + row * number
    reached = drawn and group.median is not None and group.median <= plot.last
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
        detail=group.detail,
        detail_y=str(top + KM_LEADING),
        counts_y=str(top + row - KM_TABLE_ROW + KM_LEADING),
        median_x=plot.x(group.median) if reached and group.median is not None else "",
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
    for start, stop in runs(defined[:kept].tolist()):
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
            text=prefix + listed(parts),
            days=f"{days:g}",
            months=months,
            at_risk=at_risk,
            events=events,
            censored=censored,
            percent=percent,
            lower=_share(low),
            upper=_share(high),
            url=group.links.get(days, ""),
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
