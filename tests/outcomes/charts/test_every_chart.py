"""What holds for every drawing."""

import re
from fractions import Fraction
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from django.test import override_settings
from django.utils import translation

from outcomes.charts import kaplan_meier as kaplan_meier_chart
from outcomes.charts import plot, spider, waterfall
from outcomes.charts.waterfall import WaterfallBar
from outcomes.methods.recist import Response
from tests.outcomes.charts.drawings import bars, group, html, many, svg


def test_points_are_one_tab_stop() -> None:
    for drawing in (
        svg("_kaplan_meier", kaplan_meier_chart.draw([group()])),
        svg("_waterfall", waterfall.draw(bars(5))),
    ):
        stops = [e.get("tabindex") for e in drawing.iter() if "tabindex" in e.attrib]
        assert stops == ["-1"] * 5


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
