"""The page of a trial's report, made to be printed."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from outcomes import dashboard
from outcomes.charts import participant_flow
from outcomes.dashboard import Card
from outcomes.flow.views import scope_label
from outcomes.labels import ENDS
from outcomes.options import OptionsForm, options_of, reads_review, today
from outcomes.patient_links import Links
from outcomes.report import Options
from outcomes.study_report import content
from outcomes.study_report.content import Ended, StudyReport
from outcomes.study_report.documents import TIMES, study_report_document
from outcomes.study_report.methods_section import computed
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials.definition_wording import TITLES
from trials.models import Trial


@dataclass(frozen=True)
class Result:
    """A line of the table of results: the endpoint, by what name, and what came out."""

    name: str
    card: Card


@dataclass(frozen=True)
class End:
    """Why times end, in words."""

    reason: str
    event: bool
    patients: int


@login_required
def study_report(request: HttpRequest, registry_id: str) -> HttpResponse:
    """A trial's outcomes as a document, with its methods written from the definitions."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    error = None
    try:
        options = options_of(request, trial)
    except InvalidParameter as invalid:
        error = f"{invalid.parameter}: {invalid.detail}"
        options = Options(cutoff=today(trial))
    found = content.build(trial, user=user, options=options)
    context = _context(found, review=reads_review(request, trial)) | {
        "error": error,
        "query": request.GET.urlencode(),
    }
    status = 400 if error else 200
    return render(request, "outcomes/study_report.html", context, status=status)


def _context(found: StudyReport, *, review: bool) -> dict[str, object]:
    links = Links.of(found.report)
    return {
        "trial": found.trial,
        "found": found,
        "options": OptionsForm(found.report.options, review=review),
        "page": dashboard.page(found.report, links=links),
        "results": [
            Result(r.endpoint.name, dashboard.endpoint_card(r, links=links))
            for r in computed(found.report)
        ],
        "adverse_events": dashboard.adverse_event_table(found.safety),
        "flow": participant_flow.draw(participant_flow.outline(found.flow, every_criterion=False)),
        "told": participant_flow.outline(found.flow),
        "scope": scope_label(found.flow.scope),
        "ends": [(TITLES[kind], [_end(one) for one in found.ends(kind)]) for kind in TIMES],
        "patients": [dashboard.patient_line(patient, links) for patient in found.report.patients],
        "sha256": study_report_document(found)["sha256"],
    }


def _end(found: Ended) -> End:
    return End(str(ENDS[found.code]), found.event, found.patients)
