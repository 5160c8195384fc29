"""The page of a trial's report, made to be printed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from outcomes import dashboard, figures
from outcomes.cards import Card, cards, endpoint_card
from outcomes.charts import forest, participant_flow
from outcomes.charts.forest import ForestChart
from outcomes.definition_words import in_words
from outcomes.flow.views import scope_label
from outcomes.groups.links import patients_of
from outcomes.groups.tables import nothing_recorded
from outcomes.labels import ENDS, MEASURES
from outcomes.options import OptionsForm, options_of, reads_review, today
from outcomes.patient_lines import patient_line
from outcomes.patient_links import Count, Links
from outcomes.query_forms import refused
from outcomes.report import Options
from outcomes.report.subgroups import FEWEST, Forest
from outcomes.safety import page as safety_page
from outcomes.statistics import page as statistics_page
from outcomes.study_report import content
from outcomes.study_report.content import Ended, StudyReport
from outcomes.study_report.documents import TIMES
from outcomes.study_report.methods_section import computed
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials.definition_wording import TITLES
from trials.definitions import EndpointKind
from trials.models import Trial


@dataclass(frozen=True)
class Result:
    """A line of the table of results: the endpoint, by what name, and what came out."""

    name: str
    card: Card


@dataclass(frozen=True)
class ForestFigure:
    """A forest plot with what it rests on."""

    key: str
    title: str
    chart: ForestChart
    definition: str


@dataclass(frozen=True)
class End:
    """Why times end, in words, with the list of those whose times do."""

    reason: str
    event: bool
    patients: Count


@login_required
def study_report(request: HttpRequest, registry_id: str) -> HttpResponse:
    """A trial's outcomes as a document, with its methods written from the definitions."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    review = reads_review(request, trial)
    try:
        asked = options_of(request, trial)
    except InvalidParameter:
        form = OptionsForm(Options(cutoff=today(trial)), review=review)
        read = partial(options_of, trial=trial)
        return refused(request, form, read, trial=trial, title=_("Report"))
    options = content.with_defaults(asked, request.GET, trial)
    found = content.build(trial, user=user, options=options)
    context = _context(found, review=review) | {"query": request.GET.urlencode()}
    return render(request, "outcomes/study_report.html", context)


def _context(found: StudyReport, *, review: bool) -> dict[str, object]:
    report, trial = found.report, found.trial
    links = Links.of(report)
    population, *_cards, follow_up = cards(report)
    return {
        "trial": trial,
        "found": found,
        "options": OptionsForm(report.options, review=review),
        "population": population.title,
        "results": [*_results(found, links), Result("", follow_up)],
        "best_responses": dashboard.best_responses(report.whole, links),
        "figures": list(figures.sheets(report)),
        "forests": [_forest(one) for one in found.forests],
        "fewest": FEWEST,
        "unrecorded": nothing_recorded(found.forests[0]),
        "statistics": statistics_page.page(report),
        "safety": safety_page.whole_tables(found.safety, found.exposure),
        "flow": participant_flow.draw(participant_flow.outline(found.flow, every_criterion=False)),
        "told": participant_flow.outline(found.flow),
        "scope": scope_label(found.flow.scope),
        "ends": [
            (TITLES[kind], [_end(kind, one, links) for one in found.ends(kind)]) for kind in TIMES
        ],
        "patients": [patient_line(patient, links) for patient in report.patients],
    }


def _results(found: StudyReport, links: Links) -> list[Result]:
    evaluator = found.report.options.evaluator
    return [
        Result(one.endpoint.name, endpoint_card(one, evaluator, links))
        for one in computed(found.report)
    ]


def _forest(found: Forest) -> ForestFigure:
    kind = found.endpoint.kind
    return ForestFigure(
        key=f"forest-{kind.lower()}",
        title=f"{TITLES[kind]}: {MEASURES[found.measure]}",
        chart=forest.draw(found, patients_of(found)),
        definition=in_words(found.endpoint, found.options.evaluator),
    )


def _end(kind: EndpointKind, found: Ended, links: Links) -> End:
    patients = Count(str(found.patients), links.number(kind, reason=found.code))
    return End(str(ENDS[found.code]), found.event, patients)
