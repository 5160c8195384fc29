"""The spider plot of a trial: every line is where its visits are, however many there are."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import pytest
from django.utils import translation

from outcomes.charts import spiders
from outcomes.charts.plot import RESPONSES, Percent
from outcomes.charts.spiders import SpiderPath, SpiderVisit
from outcomes.methods.recist import Response
from tests.outcomes.charts.drawings import (
    DRAWN,
    collisions,
    html,
    inside,
    named,
    pairs,
    svg,
    titles,
)


def path(number: int, *changes: Percent, best: Response = Response.SD) -> SpiderPath:
    """Visits six weeks apart."""
    visits = tuple(
        SpiderVisit(42 * place, change, "SD", f"/patients/{number}/#visit-{place}", place)
        for place, change in enumerate(changes, 1)
    )
    return SpiderPath(f"CN01-{number:05}", best, f"/patients/{number}/", visits)


def paths(n: int) -> list[SpiderPath]:
    """Of every category; from full shrinkage to growth beyond the scale."""
    kinds = list(RESPONSES)
    return [path(i, -10, i % 240 - 100.0, best=kinds[i % len(kinds)]) for i in range(n)]


def test_a_line_starts_at_nothing_and_goes_through_its_visits() -> None:
    chart = spiders.draw([path(1, Fraction(-345, 10), 12)])
    (curve,) = named(svg("_spiders", chart), "curve")
    x, y = chart.plot.x, chart.plot.y
    expected = [(x(0), y(0)), (x(42), y(-34.5)), (x(84), y(12))]
    assert pairs(curve.get("points", "")) == [(float(a), float(b)) for a, b in expected]


def test_each_visit_says_its_numbers_and_leads_to_it() -> None:
    drawing = svg("_spiders", spiders.draw([path(7, -34.5, 140)]))
    assert titles(drawing) == [
        "CN01-00007: day 42: \N{MINUS SIGN}34.5 % from baseline, SD",
        "CN01-00007: day 84: +140.0 % from baseline, SD, cut at +100 %",
    ]
    links = [e.get("href") for e in drawing.iter("a")]
    assert links == ["/patients/7/#visit-1", "/patients/7/#visit-2"]


def test_of_many_patients_only_the_ends_are_marked() -> None:
    few, many = spiders.draw(paths(100)), spiders.draw(paths(101))
    assert few.every_visit
    assert not many.every_visit
    assert {len(drawn.marks) for drawn in few.paths} == {2}
    assert {drawn.marks[0].url for drawn in many.paths} == {f"/patients/{i}/" for i in range(101)}
    assert titles(svg("_spiders", many))[0].endswith("best response CR")


def test_who_has_no_measured_visit_has_no_line() -> None:
    chart = spiders.draw([path(1), path(2, -5)])
    assert chart.n == 1
    assert [item.text for item in chart.legend] == ["SD (n = 1)"]


@pytest.mark.parametrize(("n", "language"), DRAWN)
def test_texts_of_a_spider_do_not_collide(n: int, language: str) -> None:
    with translation.override(language):
        chart = spiders.draw(paths(n))
        drawing = svg("_spiders", chart, trial=SimpleNamespace(synthetic=True))
    assert collisions(drawing) == []
    assert inside(drawing)
    for drawn in chart.paths:
        for mark in drawn.marks:
            assert chart.plot.top <= float(mark.y) <= chart.plot.bottom


def test_a_spider_of_nobody() -> None:
    assert "No patient has a measured change yet." in html("_spiders", spiders.draw([]))
