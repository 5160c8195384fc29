"""Best changes -> the coordinates of a waterfall; `_waterfall.html` draws it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from outcomes.charts.plot import (
    CLIPPED_AT,
    PARTIAL_RESPONSE,
    PROGRESSION,
    RESPONSES,
    SHAPES,
    SQUARE,
    STAR,
    XY,
    Mark,
    Percent,
    Plot,
    change_text,
    coordinate,
    runs,
    signed,
)
from outcomes.labels import response_label
from outcomes.methods.recist import Response
from registry.languages import listed


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
    shape: str  # of the category, across the zero line; blank where bars are too narrow
    shape_y: str
    clipped: bool
    change: str
    response: str
    text: str


@dataclass(frozen=True, slots=True)
class Track:
    """A row under the bars that marks those of one category: a legend that needs no color.

    `marks` are blocks from x to x, or `points` the middles of the bars where `shape` stands.
    """

    label: str
    code: str
    color: str
    shape: str
    shape_y: str
    y: str
    n: int
    marks: tuple[XY, ...] = ()
    points: tuple[str, ...] = ()


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


WATERFALL_WIDTH, WATERFALL_LEFT, WATERFALL_RIGHT = 720, 128, 660
WATERFALL_TOP, WATERFALL_BOTTOM, TRACK_HEIGHT, TRACKS_BELOW = 44, 304, 18, 48
SHAPES_FROM, SHAPE_AWAY = 10, 9  # a shape is about 10 wide
WIDEST_BAR, GAP, GAP_FROM, SHORTEST_BAR, NARROWEST = 40, 0.15, 3, 1.0, 1.0


def draw(bars: Sequence[WaterfallBar]) -> WaterfallChart:
    """Draw one bar per patient; growth beyond 100 % is cut there and marked.

    Categories are told apart by color and by a marked row below the bars, for any number of bars.
    """
    ordered = sorted(bars, key=lambda bar: (-bar.change_percent, bar.subject_id))
    plot = _waterfall_plot(len(ordered))
    drawn = tuple(_drawn(plot, bar, place) for place, bar in enumerate(ordered))
    tracks = tuple(_tracks(plot, ordered))
    return WaterfallChart(
        width=WATERFALL_WIDTH,
        height=WATERFALL_BOTTOM + TRACKS_BELOW + TRACK_HEIGHT * len(tracks),
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
    shaped = _slot(plot) >= SHAPES_FROM
    return DrawnBar(
        bar=bar,
        x=plot.x(place),
        x_end=plot.x(end),
        x_middle=plot.x((place + end) / 2),
        y=plot.y(high),
        y_end=plot.y(low),
        color=RESPONSES[bar.best_response],
        shape=SHAPES[bar.best_response] if shaped else "",
        shape_y=_across(plot, low),
        clipped=clipped,
        change=change,
        response=response,
        text=f"{bar.subject_id}: " + listed([change, response, *notes]),
    )


def _across(plot: Plot, low: float) -> str:
    """Where the shape of a category stands: across the zero line from its bar, in nobody's way."""
    return coordinate(float(plot.y(0)) + (-SHAPE_AWAY if low < 0 else SHAPE_AWAY))


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
        told = (response_label(response), response.value, RESPONSES[response])
        yield Track(*told, SHAPES[response], *_at(row), sum(member), _blocks(plot, member))
    flags = [bar.new_lesion for bar in ordered]
    if any(flags):
        yield _new_lesions(plot, len(kinds), flags)


def _new_lesions(plot: Plot, row: int, flags: Sequence[bool]) -> Track:
    """Stars under wide bars, blocks under narrow ones; the legend has what the row has."""
    starred = _slot(plot) >= SHAPES_FROM
    middles = [plot.x(place + _bar_width(plot) / 2) for place, flag in enumerate(flags) if flag]
    return Track(
        *(_("New lesion"), "NEW", "currentColor"),
        STAR if starred else SQUARE,
        *_at(row),
        n=sum(flags),
        marks=() if starred else _blocks(plot, flags),
        points=tuple(middles) if starred else (),
    )


def _blocks(plot: Plot, member: Sequence[bool]) -> tuple[XY, ...]:
    """Under each unbroken run of a category's bars, wide enough to be seen."""
    narrowest = NARROWEST / _slot(plot)
    return tuple(
        (plot.x(start), plot.x(max(stop, start + narrowest))) for start, stop in runs(member)
    )


def _at(row: int) -> tuple[str, str]:
    """The height of a row's shapes and of its texts."""
    y = WATERFALL_BOTTOM + TRACKS_BELOW + TRACK_HEIGHT * row
    return str(y - 5), str(y)
