"""An accrual -> what the page says of it, and the coordinates of its curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.charts.plot import XY, Mark, Plot
from outcomes.flow.accrual import AccrualReport
from outcomes.methods.accrual import Month, NoProjection, SiteAccrual
from outcomes.result_wording import percent
from trials.models import Site

WIDTH, HEIGHT = 720, 366
CORNERS = (52, 40, 610, 320)  # right of it the target is named
MOST_TICKS = 7
NOT_PROJECTED = {
    NoProjection.NO_TARGET: gettext_lazy("the trial has no enrollment target"),
    NoProjection.NOT_THE_WHOLE_TRIAL: gettext_lazy(
        "the target is the whole trial's, and you see your own sites"
    ),
    NoProjection.REACHED: gettext_lazy("the target has been reached"),
    NoProjection.LESS_THAN_SIX_MONTHS: gettext_lazy("enrollment began less than 6 months ago"),
    NoProjection.NONE_IN_SIX_MONTHS: gettext_lazy("nobody was enrolled in the last 6 months"),
    NoProjection.TOO_FAR: gettext_lazy("more than a century away"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """A month with enrollments: its end on the curve, and what is said of it."""

    x: str
    y: str
    text: str


@dataclass(frozen=True, slots=True)
class AccrualChart:
    """The cumulative curve, by month, with the target as a line across."""

    width: int
    height: int
    plot: Plot
    message: str
    steps: tuple[XY, ...]
    points: tuple[Point, ...]
    x_ticks: tuple[Mark, ...]
    y_ticks: tuple[Mark, ...]
    target: Mark | None


def draw(report: AccrualReport) -> AccrualChart:
    """Draw the months; each step is at its month's end."""
    months = report.found.months
    target = report.trial.enrollment_target if report.scope.whole_trial else None
    ticks = round_ticks(max(report.found.total.enrolled, target or 0))
    plot = Plot(*CORNERS, 0, max(len(months), 1), 0, ticks[-1])
    return AccrualChart(
        width=WIDTH,
        height=HEIGHT,
        plot=plot,
        message="" if months else _("Nobody is enrolled yet."),
        steps=plot.xy(_steps(months)),
        points=tuple(_points(plot, months)),
        x_ticks=tuple(_month_ticks(plot, months)),
        y_ticks=tuple(Mark(plot.y(tick), str(tick)) for tick in ticks),
        target=Mark(plot.y(target), _("planned: %s") % target) if target else None,
    )


def round_ticks(highest: int) -> list[int]:
    """From 0 to the first round number at or beyond the highest, at most six of them."""
    step = next(
        factor * 10**power
        for power in range(8)
        for factor in (1, 2, 5)
        if highest <= 5 * factor * 10**power
    )
    return [step * i for i in range(max(1, -(-highest // step)) + 1)]


def _steps(months: Sequence[Month]) -> Iterator[tuple[float, float]]:
    level = 0
    yield 0, 0
    for end, month in enumerate(months, 1):
        if month.enrolled:
            yield end, level
            yield end, month.cumulative
            level = month.cumulative
    yield len(months), level


def _points(plot: Plot, months: Sequence[Month]) -> Iterator[Point]:
    for end, month in enumerate(months, 1):
        if month.enrolled:
            told = {"month": month, "n": month.enrolled, "all": month.cumulative}
            text = _("%(month)s: %(n)s enrolled, %(all)s in all") % told
            yield Point(plot.x(end), plot.y(month.cumulative), text)


def _month_ticks(plot: Plot, months: Sequence[Month]) -> Iterator[Mark]:
    """Under the middle of a month, a whole number of months apart."""
    step = max(1, -(-len(months) // MOST_TICKS))
    for index in range(0, len(months), step):
        yield Mark(plot.x(index + 0.5), str(months[index]))


@dataclass(frozen=True, slots=True)
class SiteLine:
    """A row of the table of sites."""

    name: str
    counts: SiteAccrual
    share: str
    code: str


def site_lines(report: AccrualReport) -> list[SiteLine]:
    """The sites by their codes, those without patients too."""
    return [_site_line(report, site) for site in report.scope.sites]


def _site_line(report: AccrualReport, site: Site) -> SiteLine:
    counts, total = report.found.sites[site.code], report.found.total.enrolled
    share = percent(counts.enrolled / total if total else None)
    return SiteLine(f"{site.code} {site.name}".strip(), counts, share, site.code)


def summary(report: AccrualReport) -> list[str]:
    """Enrolled against planned, the screen failures, and when the target would be met."""
    sentences = [_against_target(report)]
    if report.screening_recorded:
        sentences.append(_screen_failures(report))
    sentences.append(_projected(report))
    return sentences


def _against_target(report: AccrualReport) -> str:
    told = {"n": report.found.total.enrolled, "target": report.trial.enrollment_target}
    if report.remaining is None:
        return _("Enrolled: %(n)s.") % told
    if report.remaining < 0:
        return _("Enrolled: %(n)s of %(target)s planned, %(over)s more than planned.") % (
            told | {"over": -report.remaining}
        )
    return _("Enrolled: %(n)s of %(target)s planned.") % told


def _screen_failures(report: AccrualReport) -> str:
    found = report.found.screen_failures
    if found.estimate is None:
        return _("Screen failures: no screening has ended yet.")
    return _(
        "Screen failures: %(k)s of %(n)s whose screening has ended, %(share)s (%(level)s CI"
        " %(lower)s – %(upper)s; Clopper-Pearson, exact)."
    ) % {
        "level": f"{found.level:.0%}",
        "k": found.k,
        "n": found.n,
        "share": percent(found.estimate),
        "lower": percent(found.lower),
        "upper": percent(found.upper),
    }


def _projected(report: AccrualReport) -> str:
    found = report.found.projection
    if found.reason:
        return _("No end is projected: %s.") % NOT_PROJECTED[found.reason]
    return _(
        "At the rate of the last 6 months (%(n)s patients in %(days)s days) the target is met on"
        " %(date)s; whole days, rounded up."
    ) % {"n": found.enrolled, "days": found.days, "date": found.on}
