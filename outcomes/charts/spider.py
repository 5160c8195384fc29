"""A patient's changes over time -> coordinates; `_spider.html` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from outcomes.charts.plot import (
    CLIPPED_AT,
    PARTIAL_RESPONSE,
    Mark,
    Percent,
    Plot,
    change_text,
    month_ticks,
    signed,
)
from outcomes.report import DAYS_PER_MONTH


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


def draw(points: Sequence[tuple[int, Percent]]) -> SpiderChart:
    """Draw a patient's visits, each as days from the time origin and percent from baseline.

    Give the baseline visit too. The line ends higher than +100 % at the edge, as in `waterfall`.
    """
    ordered = sorted(points, key=lambda point: point[0])
    days = [day for day, _change in ordered] or [0]
    ticks = month_ticks(days[-1] / DAYS_PER_MONTH)
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
