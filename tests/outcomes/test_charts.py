"""The numbers are in the drawings, where a reader's eye expects them, and no text hides another."""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from types import SimpleNamespace
from typing import Any
from unicodedata import east_asian_width
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.test import override_settings
from django.utils import translation

from outcomes.charts import kaplan_meier as kaplan_meier_chart
from outcomes.charts import plot, spider, waterfall
from outcomes.charts.kaplan_meier import KaplanMeierGroup
from outcomes.charts.waterfall import WaterfallBar
from outcomes.methods.recist import Response
from outcomes.methods.survival import kaplan_meier
from trials.definitions import EndpointKind, SurvivalInterval

Svg = ElementTree.Element
Box = tuple[float, float, float, float]
SIZES = (1, 5, 49, 300, 2000)

# By hand: survival 5/6 at 30 days, 2/3 at 60, 4/9 at 90. The axis ends at 5 months, 152.1875 days,
# and is 644 wide from 52; 100 % is at 32 and 0 % at 302.
DAYS = (30, 60, 60, 90, 120, 150)
EVENTS = (True, True, False, True, False, False)
STEPS = [
    (52.00, 32.0), (178.95, 32.0), (178.95, 77.0), (305.90, 77.0), (305.90, 122.0),
    (432.85, 122.0), (432.85, 182.0), (686.74, 182.0),
]  # fmt: skip


def group(
    days: Sequence[int] = DAYS,
    events: Sequence[bool] = EVENTS,
    label: str = "Anlotinib",
    interval: SurvivalInterval = SurvivalInterval.LOG_LOG,
) -> KaplanMeierGroup:
    curve = kaplan_meier(days, events)
    return KaplanMeierGroup(label, curve, curve.band(interval))


def many(n: int, label: str = "Anlotinib") -> KaplanMeierGroup:
    """Every third patient censored; half a year to four years."""
    days = [180 + (i * 37) % 1280 for i in range(n)]
    return group(days, [i % 3 > 0 for i in range(n)], label)


def bars(n: int) -> list[WaterfallBar]:
    """Changes from -100 % to +130 %, of every category."""
    kinds = list(Response)
    return [
        WaterfallBar(
            f"CN01-{i:04}",
            Decimal(-100 + 230 * i // max(n - 1, 1)),
            kinds[i % len(kinds)],
            f"/patients/{i}/",
            i % 7 == 0,
        )
        for i in range(n)
    ]


def html(template: str, chart: object, **context: Any) -> str:
    context = {"chart": chart, "chart_id": "figure", "title": "Title", **context}
    return render_to_string(f"outcomes/{template}.html", context)


def svg(template: str, chart: object, **context: Any) -> Svg:
    text = html(template, chart, **context)
    return ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])


def named(drawing: Svg, name: str) -> list[Svg]:
    """Elements that have the class."""
    return [e for e in drawing.iter() if name in e.get("class", "").split()]


def pairs(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


def titles(drawing: Svg) -> list[str]:
    return [title.text or "" for title in drawing.iter("title")]


def texts(drawing: Svg) -> list[Svg]:
    return list(drawing.iter("text"))


def box(element: Svg) -> Box:
    """An estimate: letters 0.6 em wide, Chinese characters 1 em, 13 units high."""
    text = "".join(element.itertext())
    width = sum(13 if east_asian_width(c) in "WF" else 7.8 for c in text)
    x = float(element.get("x", 0)) + float(element.get("dx", 0))
    y = float(element.get("y", 0)) + float(element.get("dy", 0))
    left = x - {"middle": width / 2, "end": width}.get(element.get("text-anchor", ""), 0)
    return left, y - 10, left + width, y + 3


def collisions(drawing: Svg) -> list[tuple[str | None, str | None]]:
    placed = [(element.text, box(element)) for element in texts(drawing)]
    return [
        (one, other)
        for (one, a), (other, b) in combinations(placed, 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


def test_a_curve_steps_where_worked_out_by_hand() -> None:
    drawing = svg("_kaplan_meier", kaplan_meier_chart.draw([group()]))
    (curve,) = named(drawing, "curve")
    assert pairs(curve.get("points", "")) == STEPS


def test_the_number_at_risk_stands_under_its_tick() -> None:
    chart = kaplan_meier_chart.draw([group()])
    drawing = svg("_kaplan_meier", chart)
    counts = named(drawing, "at-risk")
    assert [e.text for e in counts] == ["6", "5", "3", "2", "1", "0"]
    assert [e.get("x") for e in counts] == [tick.at for tick in chart.x_ticks]
    assert [tick.text for tick in chart.x_ticks] == ["0", "1", "2", "3", "4", "5"]


def test_a_patient_is_at_risk_on_the_last_day() -> None:
    """Two months are 60.875 days: 60 is before, 61 is after; the day of 4 months is 121.75."""
    chart = kaplan_meier_chart.draw([group([60, 61, 61, 121, 122], [True] * 5)])
    assert [count.text for count in chart.lines[0].at_risk] == ["5", "5", "4", "2", "1", "0"]


def test_each_censoring_has_one_tick_on_the_curve() -> None:
    ticks = named(svg("_kaplan_meier", kaplan_meier_chart.draw([group()])), "censored")
    assert [tick.get("d") for tick in ticks] == [
        "M305.90 122.00m0-5v10", "M559.79 182.00m0-5v10", "M686.74 182.00m0-5v10",
    ]  # fmt: skip


def test_each_point_says_its_numbers() -> None:
    chart = kaplan_meier_chart.draw([group()], kind=EndpointKind.PFS)
    assert titles(svg("_kaplan_meier", chart)) == [
        "30 days (1.0 months): 83.3 % progression-free, 6 at risk, 1 event",
        "60 days (2.0 months): 66.7 % progression-free, 5 at risk, 1 event, 1 censored",
        "90 days (3.0 months): 44.4 % progression-free, 3 at risk, 1 event",
        "120 days (3.9 months): 44.4 % progression-free, 2 at risk, 1 censored",
        "150 days (4.9 months): 44.4 % progression-free, 1 at risk, 1 censored",
    ]


def test_points_name_their_group_when_there_are_two() -> None:
    chart = kaplan_meier_chart.draw([group(), group(label="Placebo")])
    assert {title.split(":")[0] for title in titles(svg("_kaplan_meier", chart))} == {
        "Anlotinib",
        "Placebo",
    }


def test_points_are_one_tab_stop() -> None:
    for drawing in (
        svg("_kaplan_meier", kaplan_meier_chart.draw([group()])),
        svg("_waterfall", waterfall.draw(bars(5))),
    ):
        stops = [e.get("tabindex") for e in drawing.iter() if "tabindex" in e.attrib]
        assert stops == ["-1"] * 5


@pytest.mark.parametrize(
    ("interval", "first", "last"),
    [
        (SurvivalInterval.LOG_LOG, 20, 40),  # undefined at survival 1 and at survival 0
        (SurvivalInterval.PLAIN, 10, 40),  # undefined at survival 0
    ],
)
def test_a_band_is_drawn_where_its_limits_are_defined(
    interval: SurvivalInterval, first: int, last: int
) -> None:
    censored_first = group([10, 20, 25, 30, 40], [False, True, True, True, True], "", interval)
    chart = kaplan_meier_chart.draw([censored_first])
    (band,) = named(svg("_kaplan_meier", chart), "band")
    across = [x for x, _y in pairs(band.get("points", ""))]
    assert f"{min(across):.2f}" == chart.plot.x(first)
    assert f"{max(across):.2f}" == chart.plot.x(last)


def test_a_band_follows_its_limits() -> None:
    days, events = [10, 20, 30, 40, 50], [True, False, True, False, False]
    drawn = group(days, events)
    lower, upper = drawn.band
    chart = kaplan_meier_chart.draw([drawn])
    x, y = chart.plot.x, chart.plot.y
    over = [(x(10), y(upper[0])), (x(30), y(upper[0])), (x(30), y(upper[2])), (x(50), y(upper[2]))]
    under = [(x(10), y(lower[0])), (x(30), y(lower[0])), (x(30), y(lower[2])), (x(50), y(lower[2]))]
    assert chart.lines[0].bands == ((*over, *reversed(under)),)


def test_no_band_where_none_is_defined() -> None:
    chart = kaplan_meier_chart.draw([group(DAYS, [False] * 6)])
    assert chart.lines[0].bands == ()
    assert chart.lines[0].steps == (("52.00", "32.00"), ("686.74", "32.00"))


def test_many_bands_would_hide_one_another() -> None:
    chart = kaplan_meier_chart.draw([group(label=str(i)) for i in range(4)])
    assert named(svg("_kaplan_meier", chart), "band") == []
    assert len(named(svg("_kaplan_meier", chart), "curve")) == 4


@pytest.mark.parametrize(
    ("days", "events", "message"),
    [
        ([], [], "No patients yet."),
        ([5], [False], "Too few to draw a curve: 1 patient, 0 events"),
        ([5, 9, 12], [True, False, False], "Too few to draw a curve: 3 patients, 1 event"),
        ([5, 9, 12, 14], [True] * 4, "Too few to draw a curve: 4 patients, 4 events"),
        (DAYS[:5], EVENTS[:5], ""),
    ],
)
def test_fewer_than_five_patients_have_no_curve(
    days: list[int], events: list[bool], message: str
) -> None:
    chart = kaplan_meier_chart.draw([group(days, events)])
    assert chart.message == message
    assert ("<svg" in html("_kaplan_meier", chart)) == (not message)
    assert message in html("_kaplan_meier", chart)


def test_no_group_at_all() -> None:
    assert "No patients yet." in html("_kaplan_meier", kaplan_meier_chart.draw([]))


def test_a_small_group_among_others_says_so_beside_its_name() -> None:
    drawing = svg("_kaplan_meier", kaplan_meier_chart.draw([group(), group([5], [True], "Rare")]))
    assert len(named(drawing, "curve")) == 1
    label = named(drawing, "group-label")[1]
    assert label.text == "Rare (Too few to draw a curve: 1 patient, 1 event)"


def test_only_small_groups() -> None:
    chart = kaplan_meier_chart.draw([group([5, 6, 7], [True] * 3), group([5, 6], [True] * 2)])
    assert chart.message == "Every group is too small for a curve: 5 patients, 5 events in all"


@pytest.mark.parametrize(
    ("months", "ticks"),
    [
        (0, [0, 1]),
        (8, list(range(9))),
        (8.1, [0, 2, 4, 6, 8, 10]),
        (24, [0, 3, 6, 9, 12, 15, 18, 21, 24]),
        (25, [0, 6, 12, 18, 24, 30]),
        (120, [0, 24, 48, 72, 96, 120]),
    ],
)
def test_the_axis_has_round_months(months: float, ticks: list[int]) -> None:
    chart = kaplan_meier_chart.draw([group()], months_max=months)
    assert [tick.text for tick in chart.x_ticks] == [str(tick) for tick in ticks]


def test_a_shorter_axis_cuts_the_curve() -> None:
    chart = kaplan_meier_chart.draw([group()], months_max=3)
    (line,) = chart.lines
    assert line.steps[-1] == (str(chart.plot.right) + ".00", "182.00")
    assert [point.days for point in line.points] == ["30", "60", "90"]
    assert max(float(x) for band in line.bands for x, _y in band) <= chart.plot.right


def test_everybody_on_day_zero() -> None:
    chart = kaplan_meier_chart.draw([group([0] * 5, [True] * 5)])
    assert set(chart.lines[0].steps) == {("52.00", "32.00"), ("52.00", "302.00")}


@pytest.mark.parametrize(("n", "groups"), [(5, 1), (49, 2), (300, 7), (2000, 1), (2000, 2)])
def test_texts_of_curves_do_not_collide(n: int, groups: int) -> None:
    labels = ["Anlotinib", "安罗替尼" * 20, "Placebo and best supportive care " * 5]
    drawn = [many(3 if i == 4 else n, labels[i % 3]) for i in range(groups)]
    trial = SimpleNamespace(synthetic=True)
    drawing = svg(
        "_kaplan_meier", kaplan_meier_chart.draw(drawn, kind=EndpointKind.PFS), trial=trial
    )
    assert collisions(drawing) == []
    assert inside(drawing)


def inside(drawing: Svg) -> bool:
    """Whether every text is within the picture."""
    _x, _y, width, height = (float(v) for v in drawing.get("viewBox", "").split())
    boxes = [box(element) for element in texts(drawing)]
    return all(b[0] >= 0 and b[1] >= 0 and b[2] <= width and b[3] <= height for b in boxes)


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


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Fraction(-30), "-30.0 %"),
        (Fraction(-29_96, 100), "-29.96 %"),
        (Fraction(-300_04, 1000), "-30.004 %"),
        (Fraction(20), "+20.0 %"),
        (Fraction(1999, 100), "+19.99 %"),
        (Fraction(200, 7), "+28.6 %"),
        (Fraction(-1, 100), "-0.01 %"),
        (Fraction(0), "0.0 %"),
        (Fraction(-9996, 100), "-99.96 %"),
    ],
)
def test_a_change_never_reads_as_a_threshold_that_it_is_not(change: Fraction, text: str) -> None:
    assert plot.change_text(change) == text.replace("-", "\N{MINUS SIGN}")


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
    assert {track.label: (track.n, track.marks) for track in chart.tracks} == {
        "PR": (1, ((x(3), x(4)),)),
        "SD": (1, ((x(1), x(2)),)),
        "PD": (2, ((x(0), x(1)), (x(2), x(3)))),
        "New lesion": (2, ((x(0), x(1)), (x(2), x(3)))),
    }
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


def test_a_patients_line() -> None:
    chart = spider.draw([(84, Decimal("-31")), (-8, 0), (42, Fraction(-182, 10))])
    drawing = svg("_spider", chart)
    assert titles(drawing) == [
        "Day -8: 0.0 % from baseline",
        "Day 42: \N{MINUS SIGN}18.2 % from baseline",
        "Day 84: \N{MINUS SIGN}31.0 % from baseline",
    ]
    (curve,) = named(drawing, "curve")
    drawn = pairs(curve.get("points", ""))
    assert drawn[0] == (chart.plot.left, float(chart.zero_y))
    assert drawn[2][1] > float(chart.response_y)  # lower on the page than -30 %
    assert collisions(drawing) == []


@pytest.mark.parametrize("points", [[(0, 0)], [(0, 0), (700, 90)], [(0, 0), (42, 340), (3000, 20)]])
def test_a_patients_line_stays_in_its_box(points: list[tuple[int, int]]) -> None:
    chart = spider.draw(points)
    for point in chart.points:
        assert chart.plot.left <= float(point.x) <= chart.plot.right
        assert chart.plot.top <= float(point.y) <= chart.plot.bottom
    assert collisions(svg("_spider", chart)) == []


def test_a_patient_without_a_visit() -> None:
    assert "No measured visit yet." in html("_spider", spider.draw([]))


def test_a_saved_figure_still_says_that_patients_are_synthetic() -> None:
    for synthetic in (True, False):
        trial = SimpleNamespace(synthetic=synthetic)
        for template, chart in FIGURES:
            drawing = svg(template, chart, trial=trial)
            assert ("SYNTHETIC" in "".join(drawing.itertext())) == synthetic


def test_coordinates_are_not_localized() -> None:
    before = [ElementTree.tostring(svg(template, chart)) for template, chart in FIGURES]
    with override_settings(USE_THOUSAND_SEPARATOR=True), translation.override("de"):
        after = [ElementTree.tostring(svg(template, chart)) for template, chart in FIGURES]
    numbers = re.compile(rb' (?:d|points|x|y|cx|cy)="[^"]*"|>\d+<')
    assert [numbers.findall(text) for text in before] == [numbers.findall(t) for t in after]


def test_nothing_inline_and_everything_escaped() -> None:
    evil = '"><script>alert(1)</script>'
    figures = [
        html("_kaplan_meier", kaplan_meier_chart.draw([group(label=evil), group(label=evil)])),
        html("_waterfall", waterfall.draw([WaterfallBar(evil, 1, Response.SD, evil)])),
    ]
    for text in figures:
        assert "<script" not in text
        assert not re.search(r"<[^>]*\s(style|on\w+)=", text)


def test_tables_have_the_numbers() -> None:
    text = html("_kaplan_meier", kaplan_meier_chart.draw([group()]))
    cells = re.findall(r"<td>\s*([^<]*?)\s*</td>", text)
    assert cells[:8] == ["30", "1.0", "6", "1", "0", "83.3", "27.3", "97.5"]


def test_export_and_csv_are_offered() -> None:
    text = html("_waterfall", waterfall.draw(bars(5)), csv_url="/x.csv", caption="Best change")
    assert 'data-export="svg"' in text
    assert 'data-export="png"' in text
    assert 'href="/x.csv"' in text
    assert "Best change" in text


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Anlotinib", "Anlotinib"),
        ("Anlotinib 12", "Anlotinib\u2026"),
        ("安罗替尼胶囊", "安罗替尼\u2026"),
    ],
)
def test_long_names_are_cut(text: str, short: str) -> None:
    assert plot.shortened(text, 10) == short


FIGURES = (
    ("_kaplan_meier", kaplan_meier_chart.draw([many(1200)])),
    ("_waterfall", waterfall.draw(bars(49))),
    ("_spider", spider.draw([(0, 0), (42, -18.2)])),
)
