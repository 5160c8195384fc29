"""The forest plot: the numbers where they belong, a reason where there is none, no text hidden."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import translation

from outcomes.arms import ComparedArm
from outcomes.charts import forest
from outcomes.charts.forest import ForestChart, ForestLine
from outcomes.methods.comparison import ComparisonReason
from outcomes.methods.survival import MissingReason
from outcomes.report import Declared, Options
from outcomes.report.subgroups import Estimate, Forest, ForestMeasure, NotShown, Subgroup
from tests.outcomes.charts.drawings import collisions, inside, named, svg, texts, titles
from trials.definitions import EndpointDefinition, EndpointKind

ARMS = (ComparedArm(1, "Placebo", 20, True), ComparedArm(2, "Anlotinib", 40, False))
KINDS = {
    ForestMeasure.RATE: EndpointKind.ORR,
    ForestMeasure.MEDIAN: EndpointKind.PFS,
    ForestMeasure.HAZARD_RATIO: EndpointKind.PFS,
}
MONTH = 30.4375


def drawn(
    measure: ForestMeasure, whole: Estimate, groups: dict[str, Estimate], by: str = "histology"
) -> ForestChart:
    """A forest of one characteristic."""
    nothing: Any = SimpleNamespace(n=whole.n, no_time_origin=0)

    def group(name: str, estimate: Estimate) -> Subgroup:
        kinds = dict.fromkeys((EndpointKind.PFS, EndpointKind.OS), nothing)
        return Subgroup(name, (estimate,), nothing, kinds)

    found = Forest(
        trial=SimpleNamespace(synthetic=True),  # type: ignore[arg-type]
        options=Options(cutoff=date(2024, 12, 31)),
        endpoint=Declared(KINDS[measure], "", "", EndpointDefinition()),
        measure=measure,
        arms=ARMS,
        no_comparison=None,
        whole=group("", whole),
        characteristics=((by, tuple(group(name, one) for name, one in groups.items())),),
    )
    return forest.draw(found)


def drawing(chart: ForestChart) -> Any:
    """The figure as a document."""
    return svg("_forest", chart, trial=SimpleNamespace(synthetic=True))


def test_a_rate_stands_where_worked_out_by_hand() -> None:
    """The scale ends at 80 %, the first multiple of 20 beyond 62; it is 260 wide from 375."""
    chart = drawn(
        ForestMeasure.RATE,
        Estimate(49, 8, 0.1633, 0.0732, 0.2966),
        {"leiomyosarcoma": Estimate(20, 8, 0.4, 0.2, 0.62)},
    )
    assert [tick.text for tick in chart.ticks] == ["0", "20", "40", "60", "80"]
    assert chart.overall == "428.07"  # 375 + 260 * 16.33 / 80
    whole, heading, line = chart.lines
    assert heading.heading
    assert heading.label == "Histology"
    assert line.mark is not None
    assert (line.mark.x, line.mark.low, line.mark.high) == ("505.00", "440.00", "576.50")
    assert (line.n, line.events, line.said) == ("20", "8", "40.0 % (20.0 % – 62.0 %)")
    assert whole.mark is not None
    assert whole.mark.diamond
    assert float(whole.mark.double) > float(line.mark.double)  # more patients
    picture = drawing(chart)
    assert len(named(picture, "forest-mark")) == 2
    assert len(named(picture, "forest-overall")) == 1
    assert not named(picture, "forest-none")
    assert titles(picture)[1] == "leiomyosarcoma: n = 20, 8; 40.0 % (20.0 % – 62.0 %)"


def test_a_ratio_stands_on_a_logarithmic_scale() -> None:
    """Limits within 1/4 and 4: a doubling is a quarter of the width from 375 to 635."""
    chart = drawn(
        ForestMeasure.HAZARD_RATIO,
        Estimate(60, 40, 0.5, 0.25, 1.0, arm=ARMS[1]),
        {
            "female": Estimate(30, 20, 2.0, 1.0, 4.0, arm=ARMS[1]),
            "male": Estimate(30, 20, 0.5, 0.001, 1000.0, arm=ARMS[1]),
        },
        by="sex",
    )
    assert [tick.text for tick in chart.ticks] == ["0.25", "0.5", "1", "2", "4"]
    assert (chart.none, chart.overall) == ("505.00", "440.00")
    _whole, _heading, female, male = chart.lines
    assert female.mark is not None
    assert (female.mark.x, female.mark.low, female.mark.high) == ("570.00", "505.00", "635.00")
    assert male.mark is not None
    assert (male.mark.cut_low, male.mark.cut_high) == (True, True)
    assert male.said == "0.50 (< 0.01 – > 99)"
    assert len(named(drawing(chart), "forest-cut")) == 2


def test_a_median_in_months_may_have_an_open_end() -> None:
    chart = drawn(
        ForestMeasure.MEDIAN,
        Estimate(40, 20, 6 * MONTH, 3 * MONTH, 8 * MONTH),
        {"01": Estimate(20, 9, 4 * MONTH, 2 * MONTH, None, upper_reason=MissingReason.NOT_REACHED)},
        by="site",
    )
    *_others, line = chart.lines
    assert line.said == "4.0 (2.0 – NR)"
    assert line.mark is not None
    assert line.mark.cut_high
    assert (line.mark.x, line.mark.high) == ("505.00", "635.00")  # 4 of 8 months


WITHOUT = [
    (Estimate(4, 2, reason=NotShown.TOO_FEW), "not estimable (n < 5)"),
    (Estimate(9, 0, reason=NotShown.NO_EVENTS), "not estimable (no events)"),
    (Estimate(9, 4, reason=MissingReason.NOT_REACHED), "not reached"),
    (
        Estimate(9, 4, None, 2 * MONTH, None, MissingReason.NOT_REACHED),
        "not reached (from 2.0)",
    ),
    (
        Estimate(9, 4, reason=ComparisonReason.NO_EVENTS_IN_ARM),
        "not estimable (no events in the arm)",
    ),
]


@pytest.mark.parametrize(("estimate", "said"), WITHOUT)
def test_without_an_estimate_there_is_a_reason_and_no_mark(estimate: Estimate, said: str) -> None:
    whole = Estimate(40, 20, 6 * MONTH, 3 * MONTH, 8 * MONTH)
    chart = drawn(ForestMeasure.MEDIAN, whole, {"rare": estimate})
    *_others, line = chart.lines
    assert (line.mark, line.whole) == (None, said)
    assert len(named(drawing(chart), "forest-mark")) == 1  # that of all patients


def test_a_characteristic_of_which_nothing_is_known_is_left_out() -> None:
    whole = Estimate(9, 3, 1 / 3, 0.1, 0.7)
    assert len(drawn(ForestMeasure.RATE, whole, {"unknown": whole}).lines) == 1


def test_nobody_at_all() -> None:
    nobody = Estimate(0, 0, reason=NotShown.TOO_FEW)
    assert drawn(ForestMeasure.RATE, nobody, {}).message


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("groups", [1, 5, 40, 300])
@pytest.mark.parametrize("measure", list(ForestMeasure))
def test_texts_do_not_collide(measure: ForestMeasure, groups: int, language: str) -> None:
    names = [
        "undifferentiated pleomorphic sarcoma of the trunk " * 3,
        "去分化脂肪肉瘤" * 9,
        "W" * 99,
    ]
    wide = [Estimate(99999, 99999, 2.0, 0.001, 2000.0), *(estimate for estimate, _said in WITHOUT)]
    rate = [Estimate(99999, 99999, 1.0, 1.0, 1.0), *(estimate for estimate, _said in WITHOUT)]
    of = rate if measure is ForestMeasure.RATE else wide
    several = {f"{i} {names[i % 3]}": of[i % len(of)] for i in range(groups)}
    with translation.override(language):
        picture = drawing(drawn(measure, of[0], several))
        assert collisions(picture) == []
        assert inside(picture)
        assert len(named(picture, "forest-row")) == groups + 1
        assert len(texts(picture)) > 4 * groups


def test_a_line_is_itself() -> None:
    """The table below the figure has the uncut texts."""
    line: ForestLine = drawn(
        ForestMeasure.RATE, Estimate(9, 3, 0.3, 0.1, 0.7), {"x" * 90: Estimate(9, 3, 0.3, 0.1, 0.7)}
    ).lines[-1]
    assert len(line.label) <= forest.LABEL_LETTERS
    assert line.full == "x" * 90
