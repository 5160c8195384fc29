"""All patients' changes over time -> coordinates; `_spiders.html` draws them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from outcomes.charts.plot import (
    CLIPPED_AT,
    PARTIAL_RESPONSE,
    PROGRESSION,
    RESPONSES,
    SHAPES,
    XY,
    Mark,
    Percent,
    Plot,
    change_text,
    month_ticks,
    shortened,
    signed,
)
from outcomes.labels import response_label
from outcomes.methods.recist import Response
from outcomes.report import DAYS_PER_MONTH
from registry.languages import listed

WIDTH, BOX, LEGEND_BELOW, LEGEND_ROW, LEGEND_COLUMNS = 720, (64, 32, 660, 392), 62, 20, 3
EVERY_VISIT_UP_TO = 100  # patients; beyond, a mark per visit would hide the lines
FAINTEST = 0.15


@dataclass(frozen=True, slots=True)
class SpiderVisit:
    """A complete sum: days from the time origin, and its change from baseline in percent."""

    days: int
    change: Percent
    response: str
    url: str
    visit: int


@dataclass(frozen=True, slots=True)
class SpiderPath:
    """A patient's visits by date, from the origin with its baseline on."""

    subject_id: str
    best_response: Response
    url: str
    visits: tuple[SpiderVisit, ...]


@dataclass(frozen=True, slots=True)
class PathMark:
    """A visit that can be pointed at, and where it leads."""

    x: str
    y: str
    text: str
    told: str
    url: str


@dataclass(frozen=True, slots=True)
class DrawnPath:
    """A patient's line; `shape` stands at its end, the last of its marks."""

    path: SpiderPath
    steps: tuple[XY, ...]
    marks: tuple[PathMark, ...]
    shape: str
    color: str
    best_response: str


@dataclass(frozen=True, slots=True)
class LegendItem:
    """A shape and what it stands for."""

    x: str
    y: str
    text_x: str
    text: str
    shape: str
    color: str
    code: str


@dataclass(frozen=True, slots=True)
class SpidersChart:
    """Every patient's sum of diameters over time, as change from baseline."""

    width: int
    height: int
    plot: Plot
    n: int
    message: str
    every_visit: bool
    opacity: str
    zero_y: str
    x_ticks: tuple[Mark, ...]
    y_ticks: tuple[Mark, ...]
    thresholds: tuple[Mark, ...]
    paths: tuple[DrawnPath, ...]
    legend: tuple[LegendItem, ...]


def draw(paths: Sequence[SpiderPath]) -> SpidersChart:
    """Draw a line per patient, each from 0 % at the time origin; growth beyond 100 % is cut there.

    Up to 100 patients have a mark for each visit. Of more, only the end of a line is marked, and
    lines are the fainter the more there are.
    """
    shown = [path for path in paths if path.visits]
    ticks = month_ticks(max((p.visits[-1].days for p in shown), default=0) / DAYS_PER_MONTH)
    plot = Plot(*BOX, 0, ticks[-1] * DAYS_PER_MONTH, -CLIPPED_AT, CLIPPED_AT)
    every = len(shown) <= EVERY_VISIT_UP_TO
    legend = tuple(_legend(plot, shown))
    rows = -(-len(legend) // LEGEND_COLUMNS)
    return SpidersChart(
        width=WIDTH,
        height=plot.bottom + LEGEND_BELOW + LEGEND_ROW * rows,
        plot=plot,
        n=len(shown),
        message="" if shown else _("No patient has a measured change yet."),
        every_visit=every,
        opacity=f"{max(FAINTEST, min(1.0, 50 / max(len(shown), 1))):.2f}",
        zero_y=plot.y(0),
        x_ticks=tuple(Mark(plot.x(tick * DAYS_PER_MONTH), str(tick)) for tick in ticks),
        y_ticks=tuple(Mark(plot.y(p), signed(p)) for p in range(-100, 101, 50)),
        thresholds=tuple(Mark(plot.y(p), signed(p)) for p in (PROGRESSION, PARTIAL_RESPONSE)),
        paths=tuple(_path(plot, path, every=every) for path in shown),
        legend=legend,
    )


def _path(plot: Plot, path: SpiderPath, *, every: bool) -> DrawnPath:
    corners = [(0.0, 0.0), *((v.days, _cut(v.change)) for v in path.visits)]
    marked = path.visits if every else path.visits[-1:]
    return DrawnPath(
        path=path,
        steps=plot.xy(corners),
        marks=tuple(_mark(plot, path, visit, every=every) for visit in marked),
        shape=SHAPES[path.best_response],
        color=RESPONSES[path.best_response],
        best_response=response_label(path.best_response),
    )


def _cut(change: Percent) -> float:
    return min(float(change), CLIPPED_AT)


def _mark(plot: Plot, path: SpiderPath, visit: SpiderVisit, *, every: bool) -> PathMark:
    told = _("day %(days)s: %(change)s from baseline, %(response)s") % {
        "days": visit.days,
        "change": change_text(visit.change),
        "response": visit.response,
    }
    parts = [told]
    parts += [_("cut at +100 %")] if visit.change > CLIPPED_AT else []
    best = _("best response %s") % response_label(path.best_response)
    parts += [] if every else [best]
    said = listed(parts)
    place = (plot.x(visit.days), plot.y(_cut(visit.change)))
    return PathMark(*place, f"{path.subject_id}: {said}", said, visit.url if every else path.url)


def _legend(plot: Plot, shown: Sequence[SpiderPath]) -> Iterator[LegendItem]:
    counts = Counter(path.best_response for path in shown)
    column = (WIDTH - plot.left) / LEGEND_COLUMNS
    for place, response in enumerate(kind for kind in RESPONSES if counts[kind]):
        row, number = divmod(place, LEGEND_COLUMNS)
        x, y = plot.left + number * column, plot.bottom + LEGEND_BELOW + row * LEGEND_ROW
        text = _("%(response)s (n = %(n)s)") % {
            "response": response_label(response),
            "n": counts[response],
        }
        yield LegendItem(
            str(x + 6), str(y - 5), str(x + 18), shortened(text, 26), SHAPES[response],
            RESPONSES[response], response.value,
        )  # fmt: skip
