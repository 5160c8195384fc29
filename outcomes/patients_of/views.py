"""The page of the patients behind a number, of what is stored now and of a frozen analysis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from pydantic import ValidationError

from outcomes import report
from outcomes.analyses.inputs import Inputs
from outcomes.models import Analysis
from outcomes.options import options_of, today
from outcomes.patient_links import Links
from outcomes.patients_of import page
from outcomes.patients_of.options import FILTERS, Asked, asked, endpoint_of
from outcomes.report import Declared, Options, standings
from outcomes.safety.options import AsOfForm
from registry.pages import signed_in
from registry.rest import InvalidParameter, refuse_unknown
from trials import as_known
from trials.models import Trial

if TYPE_CHECKING:
    from outcomes.queries import PatientFacts

PER_PAGE = 100


@login_required
def patients_of(request: HttpRequest, registry_id: str, number: str) -> HttpResponse:
    """Whom a number of a trial's report counts, and why."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    options, error = Options(cutoff=today(trial)), ""
    which = asked(number, {}, options)
    try:
        options = options_of(request, trial, (*FILTERS, "page"))
        which = asked(number, request.GET, options)
    except InvalidParameter as invalid:
        error = f"{invalid.parameter}: {invalid.detail}"
    if error:
        told = {"trial": trial, "number": number, "error": error}
        return render(request, "outcomes/patients_of.html", told, status=400)
    links = Links.of_options(trial, options)
    trial = as_known.trial_as_known(trial, options.known_on)
    endpoints, facts = report.read(trial, user=user, options=options)
    return _shown(request, trial, options, which, endpoints, facts, links, number=number)


@login_required
def analysis_patients_of(request: HttpRequest, pk: int, number: str) -> HttpResponse:
    """Whom a number of a frozen analysis counts, of what it keeps."""
    rows = Analysis.objects.visible_to(signed_in(request)).select_related("trial", "by")
    row = get_object_or_404(rows, pk=pk)
    try:
        inputs = Inputs.parse(row.inputs)
    except ValidationError as unreadable:
        raise Http404 from unreadable
    told = {"analysis": row, "number": number}
    try:
        refuse_unknown(request.GET, (*FILTERS, "definition", "page"))
        which = asked(number, request.GET, inputs.options)
    except InvalidParameter as invalid:
        error = {"trial": row.trial, "error": f"{invalid.parameter}: {invalid.detail}"}
        return render(request, "outcomes/patients_of.html", told | error, status=400)
    links, trial = Links.frozen(row, inputs.options), inputs.as_trial()
    return _shown(
        request, trial, inputs.options, which, inputs.endpoints, inputs.patients, links, **told
    )


def _shown(
    request: HttpRequest,
    trial: Trial,
    options: Options,
    which: Asked,
    endpoints: Sequence[Declared],
    facts: Iterable[PatientFacts],
    links: Links,
    **told: Any,
) -> HttpResponse:
    endpoint = endpoint_of(which, endpoints, request.GET.get("definition"))
    if which.best:
        placed = standings.best(trial, options, endpoints, facts, confirmed=which.confirmed)
    else:
        placed = standings.under(trial, options, endpoints, facts, endpoint)
    found = page.listed(which, endpoint, placed, links, options.evaluator)
    shown = Paginator(found.placed, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "trial": trial,
        "found": found,
        "shown_options": options,
        "options": AsOfForm(options),
        "page_obj": shown,
        "lines": page.lines(which, list(shown.object_list), links),
    } | told
    return render(request, "outcomes/patients_of.html", context)
