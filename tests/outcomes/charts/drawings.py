"""Charts to draw, and what is found in a drawing."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any
from unicodedata import east_asian_width
from xml.etree import ElementTree

from django.template.loader import render_to_string

from outcomes.charts.kaplan_meier import KaplanMeierGroup
from outcomes.charts.waterfall import WaterfallBar
from outcomes.methods.recist import Response
from outcomes.methods.survival import kaplan_meier
from trials.definitions import SurvivalInterval

Svg = ElementTree.Element
Box = tuple[float, float, float, float]
SIZES = (1, 5, 49, 300, 2000)
# Both languages, the largest in one: it takes seconds to draw.
DRAWN = [(n, language) for n in SIZES[:-1] for language in ("en", "zh-hans")] + [(2000, "zh-hans")]

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


def inside(drawing: Svg) -> bool:
    """Whether every text is within the picture."""
    _x, _y, width, height = (float(v) for v in drawing.get("viewBox", "").split())
    boxes = [box(element) for element in texts(drawing)]
    return all(b[0] >= 0 and b[1] >= 0 and b[2] <= width and b[3] <= height for b in boxes)
