"""A participant flow -> what its boxes say, and where they are drawn (CONSORT 2010, figure 1).

The words are made once: the drawing and the list beside it have the same. Coordinates are strings,
so that no template localizes them. A drawing has its natural size: a wide one scrolls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from unicodedata import east_asian_width

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from outcomes.charts.plot import XY, shortened
from outcomes.flow import Column, FlowReport
from outcomes.flow.documents import by_count
from outcomes.labels import ABSENCES
from outcomes.methods.participant_flow import (
    NOT_RECORDED,
    Analyzed,
    ArmFlow,
    FlowBox,
    FollowUp,
    Screened,
)
from outcomes.report import Absence, Analysis
from patients.models import DispositionReason
from registry.languages import apart, labeled, listed
from trials.definition_wording import ORIGINS, POPULATIONS
from trials.templatetags.terms import treatment

NO_BREAK = "\N{NO-BREAK SPACE}"
CRITERIA_DRAWN, CRITERION_LENGTH = 4, 70


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a box, with what it consists of."""

    text: str
    details: tuple[str, ...] = ()


def _item(item: Item) -> str:
    return labeled(item.text, listed(item.details)) if item.details else item.text


@dataclass(frozen=True, slots=True)
class Box:
    """What a box says; with its arm, where that is not its title, and where its people are listed."""

    title: str
    items: tuple[Item, ...] = ()
    arm: str = ""
    url: str = ""

    @property
    def text(self) -> str:
        """All of it in one line."""
        parts = [self.arm] if self.arm else []
        parts += [self.title, *(_item(item) for item in self.items)]
        return apart(parts)


@dataclass(frozen=True, slots=True)
class Row:
    """A phase of the trial: a box per arm."""

    phase: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """The diagram in words. `excluded` and `unallocated` leave the main line sideways."""

    enrollment: str
    assessed: Box
    excluded: Box | None
    enrolled: Box
    unallocated: Box | None
    arms: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def enrollment_boxes(self) -> tuple[Box, ...]:
        """The boxes before the arms, in order."""
        boxes = (self.assessed, self.excluded, self.enrolled, self.unallocated)
        return tuple(box for box in boxes if box)


def outline(report: FlowReport, *, every_criterion: bool = True, lists: str = "") -> Outline:
    """What every box says; with only the most frequent criteria, cut short, where asked.

    `lists` is the address of the lists of people, which ends where the name of a box follows.
    """
    arms = report.found.arms
    titles = [_column_title(report, column) for column in report.columns]
    aside = _unallocated(report)
    keys = [f"{lists}{FlowBox.ARM}-{column.key}" if lists else "" for column in report.columns]
    treated = [key.replace(f"{FlowBox.ARM}-", f"{FlowBox.TREATED}-") for key in keys]
    return Outline(
        enrollment=_("Enrollment"),
        assessed=_linked(_assessed(report), lists, FlowBox.ASSESSED)
        if report.screening_recorded
        else _assessed(report),
        excluded=_linked(_excluded(report, every_criterion), lists, FlowBox.EXCLUDED)
        if report.screening_recorded
        else None,
        enrolled=_linked(_enrolled(report), lists, FlowBox.ENROLLED),
        unallocated=_linked(aside, lists, FlowBox.UNALLOCATED) if aside else None,
        arms=tuple(titles),
        rows=(
            _row(_("Allocation"), keys, [""] * len(arms), map(_allocated, titles, arms)),
            _row(_("Treatment"), treated, titles, map(_treatment, arms)),
            _row(_("Follow-up"), keys, titles, map(_follow_up, arms)),
            _row(_("Analysis"), keys, titles, [_analysis(report.analyses, arm) for arm in arms]),
        ),
    )


def _linked(box: Box, lists: str, name: FlowBox) -> Box:
    return replace(box, url=f"{lists}{name}" if lists else "")


def _row(phase: str, urls: Sequence[str], arms: Sequence[str], boxes: Iterable[Box]) -> Row:
    named = zip(urls, arms, boxes, strict=True)
    return Row(phase, tuple(replace(box, arm=arm, url=url) for url, arm, box in named))


def _n(text: object, n: int) -> str:
    """A text with its number, which no line break takes apart."""
    number = _("(n = %s)") % n
    return f"{text} {number.replace(' ', NO_BREAK)}"


def _column_title(report: FlowReport, column: Column) -> str:
    if report.blinded:
        return _("All arms (blinded)")
    return treatment(column.name) if column.name else _("All patients")


def _assessed(report: FlowReport) -> Box:
    if not report.screening_recorded:
        return Box(_("Screening is not recorded in this registry"))
    found = report.found
    without = _n(_("Of them enrolled without a screening on record"), found.unscreened)
    items = (Item(without),) if found.unscreened else ()
    return Box(_n(_("Assessed for eligibility"), found.assessed), items)


def _excluded(report: FlowReport, every_criterion: bool) -> Box:
    states = report.found.screened
    ineligible = states[Screened.NOT_ELIGIBLE]
    details = tuple(_criteria(report, every_criterion)) if ineligible else ()
    items = [
        Item(_n(_("Not meeting eligibility criteria"), ineligible), details),
        Item(_n(_("Declined to participate"), states[Screened.DECLINED])),
        Item(_n(_("Other reasons"), states[Screened.OTHER])),
    ]
    if report.found.in_screening:
        still = _n(_("Not excluded, still in screening"), report.found.in_screening)
        eligible = _n(_("found eligible, not enrolled yet"), states[Screened.ELIGIBLE])
        items.append(Item(still, (eligible,) if states[Screened.ELIGIBLE] else ()))
    return Box(_n(_("Excluded"), report.found.excluded), tuple(items))


def _criteria(report: FlowReport, every_criterion: bool) -> Iterator[str]:
    failed = report.failed_criteria
    drawn = failed if every_criterion else failed[:CRITERIA_DRAWN]
    for criterion, n in drawn:
        text = criterion.text if every_criterion else shortened(criterion.text, CRITERION_LENGTH)
        yield _n(text, n)
    if left := len(failed) - len(drawn):
        yield (
            ngettext("%s more criterion in the table", "%s more criteria in the table", left) % left
        )
    if report.found.unspecified:
        yield _n(_("no criterion on record"), report.found.unspecified)


def _enrolled(report: FlowReport) -> Box:
    found = report.found.enrolled
    items = []
    if report.randomized is not None:
        items.append(Item(_n(_("Randomized"), report.randomized)))
    if found.deviating:
        items.append(Item(_n(_("With a protocol deviation"), found.deviating)))
    return Box(_n(_("Enrolled"), found.n), tuple(items))


def _unallocated(report: FlowReport) -> Box | None:
    found = report.found.unallocated
    if not found.n:
        return None
    title = _("Not randomized") if report.trial.randomized else _("In no arm")
    items = _analyzed_items(report.analyses, found.analyses)
    return Box(_n(title, found.n), (Item(_n(_("Received treatment"), found.treated)), *items))


def _allocated(title: str, arm: ArmFlow) -> Box:
    return Box(
        title,
        (
            Item(_n(_("Allocated"), arm.n)),
            Item(_n(_("Received treatment"), arm.treated)),
            Item(_n(_("Did not receive treatment"), arm.n - arm.treated), _ends(arm.untreated)),
        ),
    )


def _treatment(arm: ArmFlow) -> Box:
    ended = _ends(arm.discontinued)
    if arm.inferred:
        ended += (_n(_("of these inferred from the end of follow-up"), arm.inferred),)
    discontinued = _n(_("Discontinued treatment"), sum(arm.discontinued.values()))
    items = [Item(discontinued, ended)]
    if arm.last_dose_only:
        unclear = _("Last dose given, no discontinuation on record")
        items.append(Item(_n(unclear, arm.last_dose_only)))
    items.append(Item(_n(_("Still on treatment"), arm.on_treatment)))
    return Box(_n(_("Treated"), arm.treated), tuple(items))


def _ends(counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(_n(_reason(code), n) for code, n in by_count(counts))


def _reason(code: str) -> str:
    return _("reason not recorded") if code == NOT_RECORDED else str(DispositionReason(code).label)


STATES = {
    FollowUp.LOST: gettext_lazy("Lost to follow-up"),
    FollowUp.WITHDRAWN: gettext_lazy("Withdrew, no further follow-up"),
    FollowUp.WITHDRAWN_FOLLOWED: gettext_lazy("Withdrew, follow-up continues"),
    FollowUp.DIED: gettext_lazy("Died"),
    FollowUp.COMPLETED: gettext_lazy("Completed the study"),
    FollowUp.CONTINUING: gettext_lazy("In follow-up"),
}


def _follow_up(arm: ArmFlow) -> Box:
    """Losses even where there are none, since a reader looks for them."""
    shown = [state for state in STATES if arm.follow_up[state] or state is FollowUp.LOST]
    items = [Item(_n(STATES[state], arm.follow_up[state])) for state in shown]
    if arm.transferred:
        items.append(Item(_n(_("For information: transferred to another site"), arm.transferred)))
    return Box(_("At the data cutoff"), tuple(items))


def _analysis(analyses: Sequence[Analysis], arm: ArmFlow) -> Box:
    return Box(_("Analyzed"), _analyzed_items(analyses, arm.analyses))


def _analyzed_items(analyses: Sequence[Analysis], counts: Sequence[Analyzed]) -> tuple[Item, ...]:
    return tuple(
        Item(_n(analysis_name(analysis), one.n), tuple(_absences(one.excluded)))
        for analysis, one in zip(analyses, counts, strict=True)
    )


def analysis_name(analysis: Analysis) -> str:
    """The endpoints and whom they are computed over."""
    population = str(POPULATIONS[analysis.population])
    if analysis.time_origin:
        since = {"who": population, "origin": ORIGINS[analysis.time_origin]}
        population = _("%(who)s, from %(origin)s") % since
    if not analysis.endpoints:
        return population
    return labeled(listed(analysis.endpoints), population)


def _absences(excluded: Mapping[str, int]) -> Iterator[str]:
    for code, n in by_count(excluded):
        yield _n(_("excluded: %s") % ABSENCES[Absence(code)], n)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text from x, y on."""

    x: str
    y: str
    text: str
    strong: bool


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box from its top left corner, and all that it says in one text."""

    x: str
    y: str
    width: str
    height: str
    lines: tuple[Line, ...]
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Phase:
    """A label at the left of a row."""

    y: str
    text: str


@dataclass(frozen=True, slots=True)
class FlowChart:
    """The drawing: boxes, the lines between them (each from x, y to x, y), arrow heads."""

    width: int
    height: int
    phases: tuple[Phase, ...]
    boxes: tuple[DrawnBox, ...]
    lines: tuple[tuple[XY, XY], ...]
    heads: tuple[tuple[XY, str], ...]


FONT, LEADING, PADDING, INDENT = 13, 18, 10, 12
GUTTER, TOP, GAP, BETWEEN = 96, 34, 20, 30
NARROWEST = 740  # of the boxes together where some are aside: those have half of it
SPINE = 320  # the width of a box on the main line
WIDTHS = {1: 400, 2: 330, 3: 290}
MANY = 260  # the width of a box from four arms on


class _Drawing:
    """Boxes laid out from the top: each knows its own height, so that no text leaves it."""

    def __init__(self, arms: int, narrowest: int) -> None:
        self.column = WIDTHS.get(arms, MANY)
        together = arms * self.column + (arms - 1) * GAP
        self.inner = max(narrowest, together)
        self.spine = GUTTER + self.inner / 2
        self.left = self.spine - together / 2
        self.y: float = TOP
        self.boxes: list[DrawnBox] = []
        self.phases: list[Phase] = []
        self.lines: list[tuple[XY, XY]] = []
        self.heads: list[tuple[XY, str]] = []

    def phase(self, text: str) -> None:
        self.phases.append(Phase(_at(self.y + PADDING + FONT), text))

    def box(self, box: Box, x: float, width: float, height: float | None = None) -> float:
        """Draw a box at the present height; returns how high it is."""
        texts = _texts(box, width - 2 * PADDING)
        lines = tuple(self.text_line(i, x, *text) for i, text in enumerate(texts))
        own = height or _height(texts)
        place = (_at(x), _at(self.y), _at(width), _at(own))
        self.boxes.append(DrawnBox(*place, lines, box.text, box.url))
        return own

    def text_line(self, number: int, x: float, indent: int, text: str, strong: bool) -> Line:
        y = self.y + PADDING + FONT + LEADING * number
        return Line(_at(x + PADDING + indent), _at(y), text, strong)

    def main(self, box: Box) -> None:
        """A box on the main line."""
        self.y += self.box(box, self.spine - SPINE / 2, SPINE)

    def aside(self, box: Box) -> None:
        """What leaves the main line to the right, and the line past it."""
        start, x = self.y, self.spine + BETWEEN
        self.y += BETWEEN / 2
        height = self.box(box, x, GUTTER + self.inner - x)
        self.line((self.spine, self.y + height / 2), (x, self.y + height / 2), "right")
        self.y += height
        self.line((self.spine, start), (self.spine, self.y))

    def down(self) -> None:
        """The main line to the next box."""
        self.line((self.spine, self.y), (self.spine, self.y + BETWEEN), "down")
        self.y += BETWEEN

    def branch(self, arms: int) -> None:
        """From the main line to every arm."""
        centers = [self.center(i) for i in range(arms)]
        middle, end = self.y + BETWEEN / 2, self.y + BETWEEN
        self.line((self.spine, self.y), (self.spine, middle))
        if arms > 1:
            self.line((centers[0], middle), (centers[-1], middle))
        for x in centers:
            self.line((x, middle), (x, end), "down")
        self.y = end

    def center(self, index: int) -> float:
        return self.left + index * (self.column + GAP) + self.column / 2

    def row(self, row: Row, *, last: bool) -> None:
        """One box per arm, all as high as the highest."""
        self.phase(row.phase)
        heights = [_height(_texts(b, self.column - 2 * PADDING)) for b in row.boxes]
        height = max(heights, default=0)
        for index, box in enumerate(row.boxes):
            x = self.center(index)
            self.box(box, x - self.column / 2, self.column, height)
            if not last:
                self.line((x, self.y + height), (x, self.y + height + BETWEEN), "down")
        self.y += height + (0 if last else BETWEEN)

    def line(self, start: tuple[float, float], end: tuple[float, float], head: str = "") -> None:
        self.lines.append((_xy(*start), _xy(*end)))
        if head:
            self.heads.append((_xy(*end), head))


def draw(told: Outline) -> FlowChart:
    """Lay an outline out: the main line down to the enrolled, then a column per arm."""
    arms = len(told.rows[0].boxes)
    aside = told.excluded or told.unallocated
    drawing = _Drawing(arms, NARROWEST if aside else SPINE)
    drawing.phase(told.enrollment)
    drawing.main(told.assessed)
    if told.excluded:
        drawing.aside(told.excluded)
    drawing.down()
    drawing.main(told.enrolled)
    if told.unallocated:
        drawing.aside(told.unallocated)
    drawing.branch(arms)
    for row in told.rows:
        drawing.row(row, last=row is told.rows[-1])
    return FlowChart(
        width=GUTTER + round(drawing.inner) + 2,
        height=round(drawing.y) + 2,
        phases=tuple(drawing.phases),
        boxes=tuple(drawing.boxes),
        lines=tuple(drawing.lines),
        heads=tuple(drawing.heads),
    )


def _at(value: float) -> str:
    return f"{value:.1f}"


def _xy(x: float, y: float) -> XY:
    return _at(x), _at(y)


def _height(texts: Sequence[object]) -> float:
    return 2 * PADDING + LEADING * len(texts) - (LEADING - FONT)


def _texts(box: Box, width: float) -> list[tuple[int, str, bool]]:
    """The lines of a box, each with its indent and whether it is of the title."""
    lines = [(0, line, True) for line in _wrapped(box.title, width, bold=True)]
    for item in box.items:
        lines += _hanging(item.text, width, 0)
        for detail in item.details:
            lines += _hanging(detail, width, INDENT)
    return lines


def _hanging(text: str, width: float, indent: int) -> list[tuple[int, str, bool]]:
    """Lines of a text, those after the first indented further."""
    first, *rest = _wrapped(text, width - indent - INDENT)
    return [(indent, first, False), *((indent + INDENT, line, False) for line in rest)]


def _wrapped(text: str, width: float, *, bold: bool = False) -> list[str]:
    """Lines that fit."""
    lines = [""]
    for word in _words(text, width):
        if lines[-1] and text_width((lines[-1] + word).rstrip(), bold=bold) > width:
            lines.append(word)
        else:
            lines[-1] += word
    return [line.rstrip() for line in lines]


def _words(text: str, width: float) -> Iterator[str]:
    """Where a line may break: after a space, beside a Chinese character, within what is too long."""
    word = ""
    for character in text:
        wide = east_asian_width(character) in "WF"
        if word and (wide or word[-1] == " " or text_width(word + character, bold=True) > width):
            yield word
            word = ""
        word += character
    yield word


def text_width(text: str, *, bold: bool = False) -> float:
    """About how wide a text is; rather too wide, since the reader's font is not known."""
    return sum(map(_em, text)) * FONT * (1.1 if bold else 1)


def _em(character: str) -> float:
    """After DejaVu Sans, the widest of the usual fonts."""
    if east_asian_width(character) in "WF":
        return 1.0
    if character in "iljI|!.,:;'()[] ftr-" + NO_BREAK:
        return 0.4
    if character in "mwMW%@":
        return 0.99
    return 0.72 if character.isupper() else 0.64
