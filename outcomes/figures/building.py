"""A report's figures, each with what stands around it: title, definition, source, and its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core import paginator
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from outcomes import arms, dashboard
from outcomes.arms import NoComparison, SurvivalComparison
from outcomes.charts import kaplan_meier, spiders, swimmer, waterfall
from outcomes.charts.kaplan_meier import FEWEST_PATIENTS, KaplanMeierGroup
from outcomes.charts.plot import Mark, shortened
from outcomes.charts.spiders import SpiderPath, SpiderVisit
from outcomes.charts.swimmer import CourseEvent, Lane, Marked
from outcomes.definition_words import changes_in_words, population_in_words, result_in_words
from outcomes.figures.wording import compared, group_name, median_of, no_test
from outcomes.labels import response_label
from outcomes.methods import survival
from outcomes.methods.comparison import Ties
from outcomes.methods.recist import Response
from outcomes.methods.time_to_event import TimeToEvent
from outcomes.options import as_query
from outcomes.patient_links import Links
from outcomes.queries import PatientFacts
from outcomes.report import UNKNOWN, PatientOutcome, Report, Survival
from outcomes.report.documents import moment
from outcomes.review.coverage import coverage_note
from outcomes.treatment_times import TreatmentTime, treatment_times
from outcomes.wording import word
from trials.definition_wording import ORIGINS, TITLES
from trials.definitions import EndpointKind, Population

if TYPE_CHECKING:
    from trials.models import Trial

CURVES = {"pfs": EndpointKind.PFS, "os": EndpointKind.OS, "dor": EndpointKind.DOR}
NAMES = (*CURVES, "waterfall", "spider", "swimmer")
TITLES_OF = {
    "waterfall": gettext_lazy("Best change of target lesions"),
    "spider": gettext_lazy("Change of target lesions over time"),
    "swimmer": gettext_lazy("Treatment and response of each patient"),
}
GROUPED = (*CURVES, "swimmer")  # figures that a grouping changes
TEMPLATES = {
    "waterfall": "outcomes/_waterfall.html",
    "spider": "outcomes/_spiders.html",
    "swimmer": "outcomes/_swimmer.html",
}
SOURCE_LENGTH, SOURCE_LEADING = 90, 18
LINES = 100  # of the patients under a curve, on a page


@dataclass(frozen=True)
class TimeLine:
    """A patient's time as the table under a curve has it."""

    subject_id: str
    number: int  # of the curve
    group: str
    url: str
    days: int
    months: str
    event: bool
    reason: str

    @property
    def anchor(self) -> str:
        """Where those of one curve and day begin in the table."""
        return f"time-{self.number}-{self.days}"


@dataclass(frozen=True)
class Figure:
    """One figure with everything that is said of it; `source` stands in the drawing."""

    name: str
    title: str
    n: int | None  # None where the trial declares no such endpoint
    chart: Any
    template: str
    definition: str
    notes: tuple[str, ...] = ()
    source: tuple[Mark, ...] = ()
    times: paginator.Page[TimeLine] | None = None
    page: paginator.Page[Any] | None = None

    @property
    def full_height(self) -> int:
        """The drawing with its source below it."""
        return full_height(self.chart, self.source)


def full_height(chart: Any, source: Sequence[Mark]) -> int:
    """How high a drawing is with the lines of its source below it."""
    height: int = chart.height
    return height + SOURCE_LEADING * len(source) + (6 if source else 0)


@dataclass(frozen=True)
class Shown:
    """What a page asks of a figure: where its own address is, and which part of long lists."""

    address: str = ""
    number: str | None = None


def title_of(name: str) -> str:
    """What a figure is called."""
    return str(TITLES[CURVES[name]] if name in CURVES else TITLES_OF[name])


def template_of(name: str) -> str:
    """What draws it."""
    return TEMPLATES.get(name, "outcomes/_kaplan_meier.html")


def build(name: str, report: Report, shown: Shown) -> Figure:
    """The figure of this name; KeyError for a name that is not among NAMES."""
    if name in CURVES:
        return _curves(name, report, shown)
    return {"waterfall": _waterfall, "spider": _spider, "swimmer": _swimmer}[name](report, shown)


def source_of(
    chart: Any,
    trial: Trial,
    cutoff: Date,
    population: str = "",
    known_on: datetime | None = None,
    note: str = "",
) -> tuple[Mark, ...]:
    """Which study, whom and when a drawing shows, for whoever meets it without its page."""
    lines = [trial.registry_id, _("Data cutoff %s") % cutoff.isoformat()]
    if population:
        lines[0] += f" · {population}"
    if known_on:
        lines[1] += " · " + _("as known on %s") % moment(known_on)
    lines += [note] if note else []
    first = chart.height + SOURCE_LEADING
    return tuple(
        Mark(str(first + SOURCE_LEADING * i), shortened(text, SOURCE_LENGTH))
        for i, text in enumerate(lines)
    )


def _source(report: Report, chart: Any, population: Population) -> tuple[Mark, ...]:
    options = report.options
    counted = population_in_words(population, chart.n, options.evaluator)
    return source_of(
        chart, report.trial, options.cutoff, counted, options.known_on, coverage_note(report)
    )


def sheets(report: Report) -> Iterator[Figure]:
    """Every figure for a document: long ones as several drawings, so that nobody is left out."""
    query = urlencode(as_query(report.options))
    for name in (name for name in NAMES if name != "swimmer"):
        path = reverse("outcomes:figure", args=[report.trial.registry_id, name])
        yield build(name, report, Shown(f"{path}?{query}"))
    lanes = swimmer.ordered(lanes_of(report))
    pages = paginator.Paginator(lanes, swimmer.LANES)
    for number in pages.page_range:
        drawn = _lanes(report, lanes, pages.page(number))
        part = f" ({number}/{pages.num_pages})" if pages.num_pages > 1 else ""
        yield replace(drawn, name=f"swimmer-{number}", title=f"{drawn.title}{part}")


# Kaplan-Meier


def _curves(name: str, report: Report, shown: Shown) -> Figure:
    kind, title = CURVES[name], title_of(name)
    whole = report.whole.survivals.get(kind)
    if whole is None:
        nothing = replace(kaplan_meier.draw([], kind=kind), message=_not_declared(kind))
        return Figure(name, title, None, nothing, template_of(name), _who_declares(report))
    groups = _groups(report, whole)
    lines = _time_lines(groups, Links.of(report))
    links = _links(lines, shown)
    drawn = [_group(*one, links.get(number, {})) for number, one in enumerate(groups, 1)]
    chart = kaplan_meier.draw(drawn, kind=kind, notes=_tests(report, kind, groups))
    return Figure(
        name=name,
        title=title,
        n=chart.n,
        chart=chart,
        template=template_of(name),
        definition=result_in_words(whole, report.options.evaluator),
        notes=_notes(whole),
        source=_source(report, chart, whole.endpoint.definition.population),
        times=paginator.Paginator(lines, LINES).get_page(shown.number),
    )


def _not_declared(kind: EndpointKind) -> str:
    return _("The trial declares no endpoint of this kind: %s.") % TITLES[kind]


def _who_declares(report: Report) -> str:
    k = report.whole.rates[EndpointKind.ORR].proportion.k
    told = ngettext("%s patient responded.", "%s patients responded.", k) % k
    return f"{told} " + _("An administrator of the trial adds the definition under Endpoints.")


def _notes(found: Survival) -> tuple[str, ...]:
    name = found.endpoint.name
    return (_("Endpoint: %s.") % name,) if name else ()


def _groups(report: Report, whole: Survival) -> list[tuple[str, Survival]]:
    """The curves by the names of their groups; all patients where nothing was chosen."""
    if report.options.group_by is None:
        return [(_("All patients"), whole)]
    kind = whole.endpoint.kind
    found = [(group_name(name), section.survivals[kind]) for name, section in report.groups]
    return [(name, group) for name, group in found if group.n]


def groups_of(name: str, report: Report) -> list[tuple[str, Survival]]:
    """The curves of a figure by the names of their groups."""
    whole = report.whole.survivals.get(CURVES[name])
    return _groups(report, whole) if whole else []


def _group(label: str, found: Survival, links: Mapping[float, str]) -> KaplanMeierGroup:
    definition = found.endpoint.definition
    interval = survival.band_interval(definition.survival_interval)
    return KaplanMeierGroup(
        label=label,
        curve=found.curve,
        band=found.curve.band(interval, definition.confidence_level),
        detail=median_of(found),
        median=found.median.estimate,
        links=links,
    )


def _time_lines(groups: Sequence[tuple[str, Survival]], links: Links) -> list[TimeLine]:
    """Every patient of every curve, by group and time."""
    return [
        _time_line(label, number, facts, time, links)
        for number, (label, found) in enumerate(groups, 1)
        for facts, time in sorted(found.times, key=lambda one: (one[1].days, one[0].subject_id))
    ]


def _time_line(
    label: str, number: int, facts: PatientFacts, time: TimeToEvent, links: Links
) -> TimeLine:
    return TimeLine(
        subject_id=facts.subject_id,
        number=number,
        group=label,
        url=links.patient(facts, time.source),
        days=time.days,
        months=dashboard.months(time.days),
        event=time.event,
        reason=word(time.reason),
    )


def _links(lines: Sequence[TimeLine], shown: Shown) -> dict[int, dict[float, str]]:
    """By curve and day: the one patient's record, or the place in the table where several are."""
    places: dict[int, dict[float, list[int]]] = {}
    for place, line in enumerate(lines):
        places.setdefault(line.number, {}).setdefault(line.days, []).append(place)
    return {
        number: {day: _link(lines, found, shown) for day, found in days.items()}
        for number, days in places.items()
    }


def _link(lines: Sequence[TimeLine], places: Sequence[int], shown: Shown) -> str:
    first = lines[places[0]]
    if len(places) == 1:
        return first.url
    joined = "&" if "?" in shown.address else "?"
    return f"{shown.address}{joined}page={places[0] // LINES + 1}#{first.anchor}"


def _tests(report: Report, kind: EndpointKind, groups: Sequence[tuple[str, Survival]]) -> list[str]:
    """A log-rank test and hazard ratios, as far as these groups can be compared."""
    by = report.options.group_by
    if by is None or len(groups) < 2:
        return []
    if kind is EndpointKind.DOR:
        return [no_test()]
    found = report.comparison
    if by == "arm":
        if isinstance(found, NoComparison):
            return []
        sizes = [(arm.name, arm.n) for arm in found.arms]
        return compared(sizes, found.survivals[kind], found.stratified_by)
    sizes, test = _compared(groups)
    return compared(sizes, test, None, exploratory=True) if test else []


def _compared(
    groups: Sequence[tuple[str, Survival]],
) -> tuple[list[tuple[str, int]], SurvivalComparison | None]:
    """The groups that are drawn, those with a name, against each other."""
    unknown = group_name(UNKNOWN)
    drawn = [one for one in groups if one[1].n >= FEWEST_PATIENTS and one[0] != unknown]
    sizes = [(name, found.n) for name, found in drawn]
    if len(drawn) < 2:
        return sizes, None
    times = [(time, i) for i, (_n, found) in enumerate(drawn) for _facts, time in found.times]
    level = drawn[0][1].endpoint.definition.confidence_level
    test = arms.compare_survival(times, arms=len(drawn), strata=None, ties=Ties.EFRON, level=level)
    return sizes, test


# Waterfall


def _waterfall(report: Report, shown: Shown) -> Figure:
    bars = dashboard.waterfall_bars(report, Links.of(report))
    chart = waterfall.draw(bars)
    without = len(report.patients) - len(bars)
    return Figure(
        name="waterfall",
        title=title_of("waterfall"),
        n=chart.n,
        chart=chart,
        template=template_of("waterfall"),
        definition=changes_in_words(report),
        notes=(_("Without a measured change: %s.") % without,) if without else (),
        source=_source(report, chart, report.population),
    )


# Spider


def _spider(report: Report, shown: Shown) -> Figure:
    links = Links.of(report)
    paths = [path(patient, links) for patient in report.patients]
    chart = spiders.draw(paths)
    without = len(paths) - chart.n
    notes = [_("Without a measured change: %s.") % without] if without else []
    if not chart.every_visit:
        notes.append(
            _(
                "Of more than %s patients only the end of each line is marked; every visit is in"
                " the CSV."
            )
            % spiders.EVERY_VISIT_UP_TO
        )
    return Figure(
        name="spider",
        title=title_of("spider"),
        n=chart.n,
        chart=chart,
        template=template_of("spider"),
        definition=_spider_definition(report),
        notes=tuple(notes),
        source=_source(report, chart, report.population),
    )


def _spider_definition(report: Report) -> str:
    told = _(
        "Each line is one patient, from 0 %% at %(origin)s; its color and the shape at its end are"
        " the best response without confirmation. Its lowest point is the patient's bar in the"
        " waterfall."
    ) % {"origin": ORIGINS[_origin(report)]}
    return f"{changes_in_words(report)} {told}"


def _origin(report: Report) -> Any:
    return report.whole.rates[EndpointKind.ORR].endpoint.definition.time_origin


def path(patient: PatientOutcome, links: Links | None = None) -> SpiderPath:
    """The complete sums among a patient's counted assessments, in days from the origin.

    Without links, as data alone, it leads nowhere.
    """
    sums = {visit: (sum_mm, first) for visit, sum_mm, first in patient.facts.sums}
    origin = patient.prepared.origin_date
    visits = [
        SpiderVisit(
            days=(record.date - origin).days,
            change=_percent(*sums[record.source]),
            response=response_label(record.response),
            url=links.visit(patient.facts, record.source) if links else "",
            visit=record.source,
        )
        for record in patient.counted
        if origin and record.source in sums and sums[record.source][1]
    ]
    url = links.patient(patient.facts) if links else ""
    return SpiderPath(patient.facts.subject_id, patient.best.response, url, tuple(visits))


def _percent(sum_mm: Decimal, baseline_mm: Decimal) -> Fraction:
    return 100 * Fraction(sum_mm - baseline_mm) / Fraction(baseline_mm)


# Swimmer


def _swimmer(report: Report, shown: Shown) -> Figure:
    lanes = swimmer.ordered(lanes_of(report))
    return _lanes(report, lanes, paginator.Paginator(lanes, swimmer.LANES).get_page(shown.number))


def _lanes(report: Report, lanes: Sequence[Lane], page: paginator.Page[Lane]) -> Figure:
    """One drawing of some lanes."""
    chart = swimmer.draw(list(page.object_list), of=lanes)
    without = len(report.patients) - len(lanes)
    return Figure(
        name="swimmer",
        title=title_of("swimmer"),
        n=chart.n,
        chart=chart,
        template=template_of("swimmer"),
        definition=_swimmer_definition(report),
        notes=(_("Without a time origin: %s.") % without,) if without else (),
        source=_source(report, chart, report.population),
        page=page,
    )


def _swimmer_definition(report: Report) -> str:
    return _(
        "Months from %(origin)s. The bar is the time from the first to the last dose, without one"
        " to the recorded end of treatment, to death or to the end of participation; an arrow:"
        " no end is known, treatment went on when the patient was last known alive. The line ends"
        " with the follow-up. Responses are"
        " those that count for the response rate; progressions are by RECIST 1.1. The longest"
        " treated come first."
    ) % {"origin": ORIGINS[_origin(report)]}


def lanes_of(report: Report) -> list[Lane]:
    """A lane for each patient with a time origin; with groups only where they were asked for."""
    known = [patient for patient in report.patients if patient.prepared.origin]
    options, links = report.options, Links.of(report)
    times = treatment_times(
        [p.facts for p in known], cutoff=options.cutoff, known_on=options.known_on
    )
    return [
        Lane(
            subject_id=patient.facts.subject_id,
            url=links.patient(patient.facts),
            best_response=patient.counted_best.response,
            followed=_day(patient, _followed_to(patient)),
            treated=_treated(patient, times.get(patient.facts.id)),
            ongoing=patient.facts.id in times and times[patient.facts.id].ended is None,
            events=tuple(_course(patient, links)),
            group=group_name(patient.group) if patient.group else "",
        )
        for patient in known
    ]


def _day(patient: PatientOutcome, on: Date | None) -> int:
    """Days since the origin; 0 for a date that is not known."""
    since = patient.prepared.origin_date
    return (on - since).days if on and since else 0


def _followed_to(patient: PatientOutcome) -> Date | None:
    last = patient.prepared.died or patient.prepared.last_alive
    return last.date if last else None


def _treated(patient: PatientOutcome, time: TreatmentTime | None) -> tuple[int, int] | None:
    """What is not known to have ended goes as far as the patient is followed."""
    if time is None:
        return None
    return _day(patient, time.started), _day(patient, time.ended or _followed_to(patient))


def _course(patient: PatientOutcome, links: Links) -> Iterator[Marked]:
    """Response, progression, new therapy and death, in the order of their dates."""
    for event, on, url in sorted(_events(patient, links), key=lambda one: (one[1], one[0])):
        yield Marked(event, _day(patient, on), url)


def _events(patient: PatientOutcome, links: Links) -> Iterator[tuple[CourseEvent, Date, str]]:
    facts, prepared = patient.facts, patient.prepared
    if patient.response:
        event = CourseEvent(patient.response.response.value)
        yield event, patient.response.date, links.visit(facts, patient.response.source)
    if prepared.records and prepared.records[-1].response is Response.PD:
        last = prepared.records[-1]
        yield CourseEvent.PROGRESSION, last.date, links.visit(facts, last.source)
    if prepared.therapies:
        therapies = links.patient(facts) + "#therapies"
        yield CourseEvent.NEW_THERAPY, prepared.therapies[0].date, therapies
    if prepared.died:
        yield CourseEvent.DEATH, prepared.died.date, links.patient(facts)
