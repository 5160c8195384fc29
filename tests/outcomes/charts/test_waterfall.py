"""Waterfalls: every patient can be seen, followed and told apart without color."""

from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import pytest

from outcomes.charts import waterfall
from outcomes.charts.plot import SHAPES, SQUARE, STAR
from outcomes.charts.waterfall import WaterfallBar
from outcomes.methods.recist import Response
from tests.outcomes.charts.drawings import SIZES, bars, collisions, html, inside, named, svg, titles


@pytest.mark.parametrize("n", SIZES)
def test_texts_of_a_waterfall_do_not_collide(n: int) -> None:
    trial = SimpleNamespace(synthetic=True)
    drawing = svg("_waterfall", waterfall.draw(bars(n)), trial=trial)
    assert collisions(drawing) == []
    assert inside(drawing)


@pytest.mark.parametrize("n", SIZES)
def test_every_patient_has_a_bar_that_can_be_seen_and_followed(n: int) -> None:
    chart = waterfall.draw(bars(n))
    drawing = svg("_waterfall", chart)
    links = list(drawing.iter("a"))
    assert {link.get("href") for link in links} == {f"/patients/{i}/" for i in range(n)}
    for bar in chart.bars:
        assert float(bar.x_end) - float(bar.x) >= 0.98
        assert float(bar.y_end) - float(bar.y) >= 1
        assert chart.plot.left <= float(bar.x) < float(bar.x_end) <= chart.plot.right + 1
        assert chart.plot.top <= float(bar.y) < float(bar.y_end) <= chart.plot.bottom


def test_bars_go_from_growth_to_shrinkage() -> None:
    given = [
        WaterfallBar("B", -30.0, Response.PR, "/b"),
        WaterfallBar("A", Fraction(20), Response.PD, "/a"),
        WaterfallBar("C", Decimal("-30"), Response.SD, "/c"),
    ]
    chart = waterfall.draw(given)
    assert [bar.bar.subject_id for bar in chart.bars] == ["A", "B", "C"]
    progression, response = (threshold.at for threshold in chart.thresholds)
    assert [bar.y for bar in chart.bars] == [progression, chart.zero_y, chart.zero_y]
    assert [bar.y_end for bar in chart.bars] == [chart.zero_y, response, response]


def test_a_bar_says_its_numbers() -> None:
    given = [
        WaterfallBar("CN01-001", Decimal("134.24"), Response.PD, "/1", new_lesion=True),
        WaterfallBar("CN01-002", Fraction(-345, 10), Response.PR, "/2"),
        WaterfallBar("CN01-003", 0, Response.NON_CR_NON_PD, "/3"),
    ]
    assert titles(svg("_waterfall", waterfall.draw(given))) == [
        "CN01-001: +134.2 %, PD, new lesion, cut at +100 %",
        "CN01-003: 0.0 %, Non-CR/Non-PD",
        "CN01-002: \N{MINUS SIGN}34.5 %, PR",
    ]


def test_growth_beyond_the_scale_is_cut_and_marked() -> None:
    chart = waterfall.draw(
        [WaterfallBar(str(change), change, Response.PD, "/") for change in (100, 100.1, 400)]
    )
    assert {bar.y for bar in chart.bars} == {chart.plot.y(100)}
    assert len(named(svg("_waterfall", chart), "clipped")) == 2


def test_categories_need_no_color() -> None:
    """Each category is a row of marks under its bars, with its name and number."""
    given = [
        WaterfallBar("1", 50, Response.PD, "/", new_lesion=True),
        WaterfallBar("2", 10, Response.SD, "/"),
        WaterfallBar("3", 0, Response.PD, "/", new_lesion=True),
        WaterfallBar("4", -40, Response.PR, "/"),
    ]
    chart = waterfall.draw(given)
    x = chart.plot.x
    *responses, new_lesions = chart.tracks
    assert {track.label: (track.n, track.marks) for track in responses} == {
        "PR": (1, ((x(3), x(4)),)),
        "SD": (1, ((x(1), x(2)),)),
        "PD": (2, ((x(0), x(1)), (x(2), x(3)))),
    }
    middles = tuple(chart.bars[place].x_middle for place in (0, 2))
    assert (new_lesions.label, new_lesions.n, new_lesions.points) == ("New lesion", 2, middles)
    drawing = svg("_waterfall", chart)
    assert [e.text for e in named(drawing, "track-count")] == ["1", "1", "2", "2"]


def test_a_single_mark_among_thousands_can_be_seen() -> None:
    chart = waterfall.draw(bars(2000))
    assert all(
        float(end) - float(start) >= 0.98 for track in chart.tracks for start, end in track.marks
    )


def test_a_waterfall_of_nobody() -> None:
    text = html("_waterfall", waterfall.draw([]))
    assert "No patient has a measured change yet." in text
    assert "<svg" not in text


def test_wide_bars_have_the_shape_of_their_category_across_the_zero_line() -> None:
    """There no threshold crosses it: they are 26 and 39 away, a shape ends 14.5 from the line."""
    given = [
        WaterfallBar("1", 10, Response.SD, "/"),
        WaterfallBar("2", -40, Response.PR, "/"),
        WaterfallBar("3", 300, Response.PD, "/"),
    ]
    chart = waterfall.draw(given)
    zero = float(chart.zero_y)
    assert [(bar.shape, float(bar.shape_y) - zero) for bar in chart.bars] == [
        (SHAPES[Response.PD], 9), (SHAPES[Response.SD], 9), (SHAPES[Response.PR], -9),
    ]  # fmt: skip
    assert [float(line.at) - zero for line in chart.thresholds] == [-26, 39]
    assert len(named(svg("_waterfall", chart), "shape")) == 3


def test_new_lesions_are_in_the_legend_as_they_are_drawn() -> None:
    for n, shape in ((49, STAR), (300, SQUARE)):
        track = waterfall.draw(bars(n)).tracks[-1]
        assert (track.shape, bool(track.points), bool(track.marks)) == (
            shape, n == 49, n == 300,
        )  # fmt: skip
        assert (track.n, len(track.points)) == (-(-n // 7), 7 if n == 49 else 0)


@pytest.mark.parametrize(("n", "shapes"), [(53, 53), (54, 0)])
def test_narrow_bars_leave_their_shapes_to_the_rows_below(n: int, shapes: int) -> None:
    """532 wide: 53 bars have 10.04 each, 54 have 9.85."""
    drawing = svg("_waterfall", waterfall.draw(bars(n)))
    assert len(named(drawing, "shape")) == shapes
    assert len(named(drawing, "track-shape")) == 7
