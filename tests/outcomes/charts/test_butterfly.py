"""The butterfly: bars as long as their shares, counts in their columns, and no text on another."""

from __future__ import annotations

from itertools import combinations
from typing import Any
from unicodedata import east_asian_width
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from outcomes.charts import butterfly
from outcomes.charts.butterfly import MOST, ButterflyChart, ButterflyTerm, Wing
from patients import ctcae

Svg = ElementTree.Element
Box = tuple[float, float, float, float]
LONGEST = "Palmar-plantar erythrodysesthesia syndrome"


def wing(any_grade: int, severe: int, n: int = 50) -> Wing:
    return Wing(any_grade, severe, n, f"{any_grade} of {n}", "/patients/" if any_grade else "")


def drawn(n: int, language: str = "en", *, of: int = 50) -> ButterflyChart:
    """The first terms of CTCAE, the longest name among them, in falling order."""
    names = [LONGEST, *(term.term for term in ctcae.terms("5.0"))][:n]
    terms = [
        ButterflyTerm(
            ctcae.name(name, language),
            wing(max(of - i, 1), of // 3, of),
            wing(of // (i + 2), 0, of),
        )
        for i, name in enumerate(names)
    ]
    with translation.override(language):
        return butterfly.draw(terms, ("Anlotinib plus epirubicin", "Placebo"), (of, of), 2 * of)


def svg(chart: ButterflyChart, **context: Any) -> Svg:
    context = {"chart": chart, "chart_id": "butterfly", "title": "Title", **context}
    text = render_to_string("outcomes/_butterfly.html", context)
    return ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])


def named(drawing: Svg, name: str) -> list[Svg]:
    return [e for e in drawing.iter() if name in e.get("class", "").split()]


def box(element: Svg) -> Box:
    """An estimate: letters 0.6 em wide, Chinese characters 1 em, 13 units high."""
    text = "".join(element.itertext())
    width = sum(13 if east_asian_width(c) in "WF" else 7.8 for c in text)
    x = float(element.get("x", 0))
    y = float(element.get("y", 0)) + float(element.get("dy", 0))
    left = x - {"middle": width / 2, "end": width}.get(element.get("text-anchor", ""), 0)
    return left, y - 10, left + width, y + 3


def test_bars_are_as_long_as_their_shares() -> None:
    """20 of 50 is 40 %, 10 of 50 is 20 %: the axis ends at 40 %, the second bar at its half."""
    terms = [ButterflyTerm("Fatigue", wing(20, 5), wing(10, 10))]
    chart = butterfly.draw(terms, ("All causes", "Related"), (50, 50), 50)
    assert [tick.text for tick in chart.sides[0].ticks] == ["0", "10", "20", "30", "40"]
    (term,) = chart.terms
    whole = float(chart.sides[1].ticks[-1].at) - float(chart.sides[1].ticks[0].at)
    assert float(term.left.width) == pytest.approx(whole, abs=0.01)
    assert float(term.left.severe_width) == pytest.approx(whole / 4, abs=0.01)
    assert float(term.right.width) == pytest.approx(whole / 2, abs=0.01)
    assert term.right.severe_width == term.right.width
    assert float(term.left.x) + float(term.left.width) == float(chart.sides[0].ticks[0].at)
    assert term.right.x == chart.sides[1].ticks[0].at


def test_the_counts_are_in_the_drawing() -> None:
    drawing = svg(drawn(5))
    counts = [e.text for e in named(drawing, "count")]
    assert counts[:8] == ["50", "16", "25", "0", "49", "16", "16", "0"]
    assert len(named(drawing, "any")) == 10
    assert [e.text for e in drawing.iter("title")][:2] == ["50 of 50", "25 of 50"]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(("n", "of"), [(1, 1), (5, 5), (20, 49), (40, 300), (41, 2000), (300, 49)])
def test_no_text_meets_another_or_leaves_the_figure(n: int, of: int, language: str) -> None:
    chart = drawn(n, language, of=of)
    with translation.override(language):
        drawing = svg(chart, trial={"synthetic": True})
    placed = [(e.text, box(e)) for e in drawing.iter("text") if e.text]
    for (one, a), (other, b) in combinations(placed, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, (one, other)
    for text, (left, top, right, bottom) in placed:
        assert 0 <= left < right <= chart.width, text
        assert 0 <= top < bottom <= chart.height, text
    assert len(chart.terms) == min(n, MOST)
    assert bool(chart.rest) == (n > MOST)
    for term in chart.terms:
        for side in (term.left, term.right):
            assert float(side.x) >= butterfly.COUNTS
            assert float(side.x) + float(side.width) <= chart.width - butterfly.COUNTS


def test_without_patients_there_is_nowhere_to_go() -> None:
    terms = [ButterflyTerm("Fatigue", wing(20, 5), wing(0, 0))]
    drawing = svg(butterfly.draw(terms, ("A", "B"), (50, 50), 50))
    assert [link.get("href") for link in drawing.iter("a")] == ["/patients/"]
    assert len([e for e in drawing.iter() if e.get("tabindex") == "-1"]) == 2


def test_nothing_to_draw_is_said() -> None:
    chart = butterfly.draw([], ("A", "B"), (0, 0), 0)
    assert chart.message == "No adverse event is counted."
    assert "No adverse event" in render_to_string(
        "outcomes/_butterfly.html", {"chart": chart, "chart_id": "b", "title": "t"}
    )
