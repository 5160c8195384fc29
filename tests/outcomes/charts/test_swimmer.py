"""Swimmer plots: every course is a lane, every mark leads on, no text hides another."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.utils import translation

from outcomes.charts import swimmer
from outcomes.charts.plot import SHAPES
from outcomes.charts.swimmer import CourseEvent, Lane, Marked
from outcomes.methods.recist import Response
from tests.outcomes.charts.drawings import (
    DRAWN,
    collisions,
    html,
    inside,
    named,
    svg,
    texts,
    titles,
)

MONTH = 30.4375
GROUPS = ("Anlotinib plus epirubicin, then anlotinib alone until progression", "安慰剂" * 15, "")


def lane(number: int = 1, *, group: str = "", days: int = 300, ongoing: bool = False) -> Lane:
    """Treated from the origin, with every kind of mark."""
    marks = tuple(
        Marked(event, days * place // 6, f"/patients/{number}/#visit-{place}")
        for place, event in enumerate(CourseEvent, 1)
    )
    subject = f"CN01-{number:05}-OF-A-LONG-NAME"
    url = f"/patients/{number}/"
    return Lane(subject, url, Response.PR, days + 60, (0, days), ongoing, marks, group)


def lanes(n: int) -> list[Lane]:
    """Of three groups, from a day to four years."""
    return [
        lane(i, group=GROUPS[i % 3] if n > 5 else "", days=1 + i * 37 % 1400, ongoing=i % 4 == 0)
        for i in range(n)
    ]


def test_a_lane_lies_where_worked_out_by_hand() -> None:
    """The axis ends at 14 months, 540 wide from 150: 213.0625 days are half of it."""
    marks = (Marked(CourseEvent.PROGRESSION, 213, "/p"),)
    one = Lane("A", "/a", Response.SD, 426, (0, 213), ongoing=False, events=marks)
    chart = swimmer.draw([one])
    (drawn,) = chart.lanes
    assert [tick.text for tick in chart.x_ticks] == ["0", "2", "4", "6", "8", "10", "12", "14"]
    assert (drawn.start, drawn.end, drawn.line_end) == ("150.00", "419.92", "689.84")
    assert drawn.marks[0].x == drawn.end
    assert drawn.y == "54"


def test_a_lane_says_its_course_and_its_marks() -> None:
    assert titles(svg("_swimmer", swimmer.draw([lane(group="Arm", ongoing=True)])))[:3] == [
        (
            "CN01-00001-OF-A-LONG-NAME: Arm, on treatment from day 0 to day 300, treatment ongoing,"
            " followed to day 360, best response PR"
        ),
        "CN01-00001-OF-A-LONG-NAME: Start of response: CR on day 50",
        "CN01-00001-OF-A-LONG-NAME: Start of response: PR on day 100",
    ]


def test_the_longest_treated_come_first_and_the_untreated_last() -> None:
    untreated = Lane("U", "/u", Response.NE, 900, None, ongoing=False, events=())
    found = swimmer.ordered([untreated, lane(1, days=10), lane(2, days=20), lane(3, days=10)])
    assert [one.url for one in found] == ["/patients/2/", "/patients/1/", "/patients/3/", "/u"]
    drawing = svg("_swimmer", swimmer.draw(found))
    assert len(named(drawing, "treated")) == 3
    assert len(named(drawing, "followed")) == 4


@pytest.mark.parametrize(("n", "language"), DRAWN)
def test_texts_of_lanes_do_not_collide(n: int, language: str) -> None:
    every = swimmer.ordered(lanes(n))
    trial = SimpleNamespace(synthetic=True)
    with translation.override(language):
        chart = swimmer.draw(every[: swimmer.LANES], of=every)
        drawing = svg("_swimmer", chart, trial=trial)
    assert collisions(drawing) == []
    assert inside(drawing)
    assert chart.n == n
    assert len(chart.lanes) == min(n, swimmer.LANES)


def test_every_mark_can_be_reached_and_followed() -> None:
    drawing = svg("_swimmer", swimmer.draw(lanes(5)))
    links = [(e.get("href"), e.get("tabindex")) for e in drawing.iter("a")]
    assert len(links) == 5 * (1 + len(CourseEvent))
    assert {stop for _href, stop in links} == {"-1"}
    assert ("/patients/3/#visit-4", "-1") in links


def test_parts_share_the_axis_the_letters_and_the_legend() -> None:
    every = swimmer.ordered(lanes(49))
    first, last = swimmer.draw(every[:10], of=every), swimmer.draw(every[40:], of=every)
    assert first.x_ticks == last.x_ticks
    assert [key.text for key in first.legend] == [key.text for key in last.legend]


def test_groups_have_letters_beside_their_colors() -> None:
    drawn = swimmer.draw([lane(1, group="Placebo"), lane(2, group="Anlotinib")])
    assert [one.label[-2:] for one in drawn.lanes] == [" B", " A"]
    assert {key.text for key in drawn.legend} >= {"A Anlotinib", "B Placebo"}


def test_marks_have_shapes_of_their_own() -> None:
    shapes = [shape for shape, _color in swimmer.DRAWN.values()]
    assert len(set(shapes)) == len(shapes)
    assert len(set(SHAPES.values())) == len(Response)


def test_a_saved_swimmer_names_nobody() -> None:
    """What the browser saves leaves out titles and what is marked as private."""
    for text in texts(svg("_swimmer", swimmer.draw(lanes(5)))):
        assert ("CN01" in (text.text or "")) == ("data-private" in text.attrib)


def test_a_swimmer_of_nobody() -> None:
    assert "No patient has a time origin yet." in html("_swimmer", swimmer.draw([]))
