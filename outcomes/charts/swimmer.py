"""Patients' courses -> the lanes of a swimmer plot; `_swimmer.html` draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.charts.plot import (
    COLORS,
    CROSS,
    PLUS,
    RESPONSES,
    SHAPES,
    Mark,
    Plot,
    month_ticks,
    shortened,
)
from outcomes.labels import response_label
from outcomes.methods.recist import Response
from outcomes.report import DAYS_PER_MONTH
from registry.languages import listed

WIDTH, LEFT, RIGHT, TOP, LANE = 720, 150, 690, 44, 20
BELOW, LEGEND_ROW, LEGEND_COLUMNS, LABEL = 58, 20, 3, 15
LOWER = 5
HIGHER, NEAR = -5, 10  # of a progression that a death is drawn over; a mark is about 10 wide
LANES = 50  # on one drawing
AXIS_ALONE = 15  # lanes
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class CourseEvent(StrEnum):
    """What is marked on a lane."""

    COMPLETE_RESPONSE = "CR"
    PARTIAL_RESPONSE = "PR"
    PROGRESSION = "PD"
    NEW_THERAPY = "new_therapy"
    DEATH = "death"


EVENTS = {
    CourseEvent.COMPLETE_RESPONSE: gettext_lazy("Start of response: CR"),
    CourseEvent.PARTIAL_RESPONSE: gettext_lazy("Start of response: PR"),
    CourseEvent.PROGRESSION: gettext_lazy("Progression"),
    CourseEvent.NEW_THERAPY: gettext_lazy("New anticancer therapy"),
    CourseEvent.DEATH: gettext_lazy("Death"),
}
DRAWN = {
    CourseEvent.COMPLETE_RESPONSE: (SHAPES[Response.CR], RESPONSES[Response.CR]),
    CourseEvent.PARTIAL_RESPONSE: (SHAPES[Response.PR], RESPONSES[Response.PR]),
    CourseEvent.PROGRESSION: (SHAPES[Response.PD], RESPONSES[Response.PD]),
    CourseEvent.NEW_THERAPY: (PLUS, RESPONSES[Response.NON_CR_NON_PD]),
    CourseEvent.DEATH: (CROSS, "#212529"),
}


@dataclass(frozen=True, slots=True)
class Marked:
    """An event on a lane: days from the time origin, and where its record is."""

    event: CourseEvent
    days: int
    url: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A patient's course in days from the time origin.

    `treated` is from the first dose to the end of treatment, or as far as it is known to have gone
    on if `ongoing`; None for who was never treated. `followed` is the end of follow-up. `group` is
    the patient's arm or other group, blank where nothing tells patients apart.
    """

    subject_id: str
    url: str
    best_response: Response
    followed: int
    treated: tuple[int, int] | None
    ongoing: bool
    events: tuple[Marked, ...]
    group: str = ""

    @property
    def duration(self) -> int:
        """Days on treatment, by which lanes are ordered."""
        return self.treated[1] - self.treated[0] if self.treated else -1


@dataclass(frozen=True, slots=True)
class DrawnMark:
    """An event as it is drawn and said."""

    x: str
    y: str
    text: str
    told: str
    url: str
    shape: str
    color: str
    code: str


@dataclass(frozen=True, slots=True)
class DrawnLane:
    """A lane at its height: the bar of treatment, the line of follow-up, marks."""

    lane: Lane
    label: str
    text: str
    told: str
    y: str
    start: str
    end: str
    line_end: str
    number: int
    color: str
    marks: tuple[DrawnMark, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """What a mark, a bar or a letter means."""

    x: str
    y: str
    text_x: str
    text: str
    shape: str
    color: str
    code: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class SwimmerChart:
    """A lane per patient, the longest on treatment first."""

    width: int
    height: int
    plot: Plot
    n: int
    message: str
    x_ticks: tuple[Mark, ...]
    lanes: tuple[DrawnLane, ...]
    legend: tuple[Key, ...]

    @property
    def tall(self) -> bool:
        """Whether the axis at the bottom is out of sight of the first lanes."""
        return len(self.lanes) > AXIS_ALONE


def ordered(lanes: Sequence[Lane]) -> list[Lane]:
    """The longest on treatment first; then the longest followed, then by subject id."""
    return sorted(lanes, key=lambda lane: (-lane.duration, -lane.followed, lane.subject_id))


def draw(lanes: Sequence[Lane], *, of: Sequence[Lane] | None = None) -> SwimmerChart:
    """Draw lanes in the order given; `of` are all of them where only a part is drawn.

    The axis and the colors are those of all, so that parts can be laid beside each other.
    """
    every = lanes if of is None else of
    ends = [max(lane.followed, lane.treated[1] if lane.treated else 0) for lane in every]
    starts = [lane.treated[0] for lane in every if lane.treated]
    ticks = month_ticks(max(ends, default=0) / DAYS_PER_MONTH)
    first = min([0, *starts])
    bottom = TOP + LANE * len(lanes)
    plot = Plot(LEFT, TOP, RIGHT, bottom, first, ticks[-1] * DAYS_PER_MONTH, 0, 1)
    groups = sorted({lane.group for lane in every} - {""})
    legend = tuple(_legend(plot, every, groups))
    rows = -(-len(legend) // LEGEND_COLUMNS)
    return SwimmerChart(
        width=WIDTH,
        height=bottom + BELOW + LEGEND_ROW * rows,
        plot=plot,
        n=len(every),
        message="" if every else _("No patient has a time origin yet."),
        x_ticks=tuple(Mark(plot.x(tick * DAYS_PER_MONTH), str(tick)) for tick in ticks),
        lanes=tuple(_lane(plot, lane, row, groups) for row, lane in enumerate(lanes)),
        legend=legend,
    )


def _lane(plot: Plot, lane: Lane, row: int, groups: Sequence[str]) -> DrawnLane:
    number = groups.index(lane.group) % len(COLORS) if lane.group else 0
    y = plot.top + LANE * row + LANE // 2
    letter = _letter(groups, lane.group)
    start, end = lane.treated or (0, 0)
    told = listed(_said(lane))
    return DrawnLane(
        lane=lane,
        label=shortened(lane.subject_id, LABEL) + (f" {letter}" if letter else ""),
        text=f"{lane.subject_id}: {told}",
        told=told,
        y=str(y),
        start=plot.x(start),
        end=plot.x(end),
        line_end=plot.x(lane.followed),
        number=number,
        color=COLORS[number],
        marks=tuple(_mark(plot, lane, mark, y + _aside(plot, lane, mark)) for mark in lane.events),
    )


def _letter(groups: Sequence[str], group: str) -> str:
    return LETTERS[groups.index(group) % len(LETTERS)] if group else ""


def _said(lane: Lane) -> Iterator[str]:
    if lane.group:
        yield lane.group
    if lane.treated is None:
        yield _("not treated")
    else:
        told = _("on treatment from day %(start)s to day %(end)s")
        yield told % {"start": lane.treated[0], "end": lane.treated[1]}
    if lane.ongoing:
        yield _("treatment ongoing")
    yield _("followed to day %s") % lane.followed
    yield _("best response %s") % response_label(lane.best_response)


def _mark(plot: Plot, lane: Lane, mark: Marked, y: int) -> DrawnMark:
    told = _("%(event)s on day %(days)s") % {"event": EVENTS[mark.event], "days": mark.days}
    shape, color = DRAWN[mark.event]
    place = (plot.x(mark.days), str(y))
    text = f"{lane.subject_id}: {told}"
    return DrawnMark(*place, text, told, mark.url, shape, color, mark.event.value)


def _aside(plot: Plot, lane: Lane, mark: Marked) -> int:
    """A new therapy stands lower, and a progression higher where another mark would hide it."""
    if mark.event is CourseEvent.NEW_THERAPY:
        return LOWER
    near = NEAR * (plot.last - plot.first) / (plot.right - plot.left)
    hidden = any(
        other.event is not mark.event and 0 <= other.days - mark.days < near
        for other in lane.events
    )
    return HIGHER if mark.event is CourseEvent.PROGRESSION and hidden else 0


def _legend(plot: Plot, lanes: Sequence[Lane], groups: Sequence[str]) -> Iterator[Key]:
    """The groups, what a bar and a line are, the events that occur."""
    keys: list[tuple[str, str, str, str, int | None]] = []
    for index, group in enumerate(groups):
        number = index % len(COLORS)
        label = f"{_letter(groups, group)} {group}"
        keys.append((label, "bar", COLORS[number], "bar", number))
    if not groups:
        keys.append((_("On treatment"), "bar", COLORS[0], "bar", 0))
    keys.append((_("In follow-up, to its end"), "line", "currentColor", "line", None))
    if any(lane.ongoing for lane in lanes):
        keys.append((_("Treatment ongoing"), "arrow", "currentColor", "arrow", None))
    occurring = {mark.event for lane in lanes for mark in lane.events}
    marked = [event for event in CourseEvent if event in occurring]
    keys += [(str(EVENTS[event]), *DRAWN[event], event.value, None) for event in marked]
    for place, key in enumerate(keys):
        yield _placed(plot, place, key)


def _placed(plot: Plot, place: int, key: tuple[str, str, str, str, int | None]) -> Key:
    text, shape, color, code, number = key
    row, column = divmod(place, LEGEND_COLUMNS)
    x = column * (WIDTH // LEGEND_COLUMNS)
    y = plot.bottom + BELOW + row * LEGEND_ROW
    words = shortened(text, 25)
    return Key(str(x + 10), str(y - 4), str(x + 26), words, shape, color, code, number)
