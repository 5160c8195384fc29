"""Curves: the numbers are where a reader's eye expects them, and no text hides another."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.utils import translation

from outcomes.charts import kaplan_meier as kaplan_meier_chart
from tests.outcomes.charts.drawings import (
    DAYS,
    DRAWN,
    EVENTS,
    STEPS,
    collisions,
    group,
    html,
    inside,
    many,
    named,
    pairs,
    svg,
    titles,
)
from trials.definitions import EndpointKind, SurvivalInterval


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


def test_tables_have_the_numbers() -> None:
    text = html("_kaplan_meier", kaplan_meier_chart.draw([group()]))
    cells = re.findall(r"<td>\s*([^<]*?)\s*</td>", text)
    assert cells[:8] == ["30", "1.0", "6", "1", "0", "83.3", "27.3", "97.5"]


LONG = "n = 2000, 1333 events · median 12.3 months; 95% CI 11.1 – not reached (log-log) and mo"
NOTES = ("log-rank test: p = 0.012", "hazard ratio Anlotinib / Placebo: 0.45 (95% CI 0.30 – 0.67)")


@pytest.mark.parametrize(("n", "language"), DRAWN)
def test_notes_and_medians_of_a_large_figure_do_not_collide(n: int, language: str) -> None:
    groups = {5: 1, 49: 2, 300: 7}.get(n, 3)
    drawn = [replace(many(n, f"Group {i}"), detail=LONG, median=365.25) for i in range(groups)]
    with translation.override(language):
        chart = kaplan_meier_chart.draw(drawn, kind=EndpointKind.PFS, notes=NOTES)
        if chart.message:
            return
        drawing = svg("_kaplan_meier", chart, trial=SimpleNamespace(synthetic=True))
    assert [note.text for note in named(drawing, "note")] == list(NOTES)
    assert len(named(drawing, "detail")) == groups
    assert collisions(drawing) == []
    assert inside(drawing)


def test_a_median_stands_on_the_axis_below_its_crossing() -> None:
    """By hand: the curve falls from 2/3 to 4/9 at 90 days, x 432.85."""
    chart = kaplan_meier_chart.draw([replace(group(), median=90.0)])
    (line,) = named(svg("_kaplan_meier", chart), "median")
    assert line.get("d") == "M432.85 167.00V302"
    beyond = kaplan_meier_chart.draw([replace(group(), median=900.0)])
    assert named(svg("_kaplan_meier", beyond), "median") == []


def test_a_mark_leads_to_what_happened_on_its_day() -> None:
    links = {30.0: "/patients/1/#visit-2", 60.0: "?page=1#time-1-60"}
    drawing = svg("_kaplan_meier", kaplan_meier_chart.draw([replace(group(), links=links)]))
    assert [e.get("href") for e in drawing.iter("a")] == list(links.values())
    assert len(titles(drawing)) == 5
