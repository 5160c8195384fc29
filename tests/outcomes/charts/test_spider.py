"""One patient's line."""

from decimal import Decimal
from fractions import Fraction

import pytest

from outcomes.charts import spider
from tests.outcomes.charts.drawings import collisions, html, named, pairs, svg, titles


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
