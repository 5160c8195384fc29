"""Kaplan-Meier curves: by group, with tests, and the patients under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.core import paginator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outcomes import arms
from outcomes.arms import NoComparison, SurvivalComparison
from outcomes.charts import kaplan_meier
from outcomes.charts.kaplan_meier import FEWEST_PATIENTS, KaplanMeierGroup
from outcomes.definition_words import result_in_words
from outcomes.figures.figure import (
    CURVES,
    Figure,
    Shown,
    TimeLine,
    report_source,
    template_of,
    title_of,
)
from outcomes.figures.wording import compared, group_name, median_of, no_test
from outcomes.methods import survival
from outcomes.methods.comparison import Ties
from outcomes.methods.time_to_event import TimeToEvent
from outcomes.patient_links import Links
from outcomes.queries import PatientFacts
from outcomes.report import UNKNOWN, Report, Survival
from outcomes.result_wording import months
from outcomes.wording import word
from trials.definition_wording import TITLES
from trials.definitions import EndpointKind
from trials.templatetags.terms import treatment

LINES = 100  # of the patients under a curve, on a page


def curves(name: str, report: Report, shown: Shown) -> Figure:
    """A time to event as curves of its groups."""
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
        source=report_source(report, chart, whole.endpoint.definition.population),
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
        months=months(time.days),
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
        sizes = [(treatment(arm.name), arm.n) for arm in found.arms]
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
