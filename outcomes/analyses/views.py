"""Pages of frozen analyses: the list, a new one, one, and what changed since."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from outcomes import analyses, dashboard, query_forms, report
from outcomes.analyses import changes as analysis_changes
from outcomes.analyses import page as analysis_page
from outcomes.analyses.page import FreezeForm
from outcomes.analyses.wording import outcome_in_words
from outcomes.cards import cards
from outcomes.models import METHODS_VERSION, Analysis
from outcomes.options import OptionsForm, as_query, options_of, reads_review, today
from outcomes.patient_links import Links
from outcomes.safety import page as safety_page
from registry.entry_pages import entry_page
from registry.errors import Refused
from registry.pages import posted, signed_in
from registry.rest import InvalidParameter
from trials import access
from trials.models import Trial

LISTED = 50


def _analysis(request: HttpRequest, pk: int) -> Analysis:
    rows = Analysis.objects.visible_to(signed_in(request)).select_related("trial", "by")
    return get_object_or_404(rows, pk=pk)


@login_required
def analysis_list(request: HttpRequest, registry_id: str) -> HttpResponse:
    """A trial's frozen analyses, the last first."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    rows = Analysis.objects.filter(trial=trial).visible_to(user).listed()
    context = {
        "trial": trial,
        "rows": paginator.Paginator(rows, LISTED).get_page(request.GET.get("page")),
        "may_freeze": access.may(user, access.Action.FREEZE, trial=trial),
        "may_read": access.may(user, access.Action.READ_ANALYSES, trial=trial),
    }
    return render(request, "outcomes/analysis_list.html", context)


@entry_page
def analysis_new(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Choose, look at the figures, give them a name, freeze them."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    access.require(user, access.Action.FREEZE, trial=trial)
    review = reads_review(request, trial)
    try:
        options = options_of(request, trial)
    except InvalidParameter:
        asked = OptionsForm(report.Options(cutoff=today(trial)), review=review)
        read = partial(options_of, trial=trial)
        return query_forms.refused(request, asked, read, trial=trial, title=_("Freeze an analysis"))
    form = FreezeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            row = analyses.freeze(trial=trial, by=user, options=options, **form.cleaned_data)
        except Refused as refused:
            form.add_errors(refused.errors)
        else:
            messages.success(request, _("Frozen: %s.") % row.name)
            return redirect("outcomes:analysis", pk=row.pk)
    found = report.build(trial, user=user, options=options)
    context = {
        "trial": trial,
        "report": found,
        "title": _("Freeze an analysis"),
        "form": form,
        "options": OptionsForm(options, review=review),
        "asked": urlencode(as_query(options)),
        "cards": cards(found),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "outcomes/analysis_new.html", context, status=status)


@login_required
def analysis(request: HttpRequest, pk: int) -> HttpResponse:
    """One analysis: its figures, computed of what it keeps, and whether they come out again."""
    row = _analysis(request, pk)
    found = analyses.reproduce(row)
    options = row.options if isinstance(row.options, dict) else {}  # or somebody altered it
    computed = found.computed
    links = Links.frozen(row, computed.report.options) if computed else None
    shown = (
        dashboard.page(computed.report, request.GET.get("page"), links=links) if computed else None
    )
    events = computed and computed.safety
    context = {
        "trial": row.trial,
        "analysis": row,
        "title": row.name,
        "found": found,
        "words": outcome_in_words(found, row),
        "differences": analysis_page.listed(found),
        "methods_version": METHODS_VERSION,
        "asked_today": urlencode({k: v for k, v in options.items() if k != "known_on"}),
        "page": shown,
        "figures_query": f"?{urlencode(links.asked)}" if links else "",
        "safety": safety_page.whole_tables(events, computed.exposure, linked=False)
        if computed and events
        else None,
    }
    return render(request, "outcomes/analysis.html", context)


@login_required
def changes(request: HttpRequest, pk: int) -> HttpResponse:
    """What moved since it was frozen: patients, visits, parameters, definitions, figures."""
    row = _analysis(request, pk)
    found = analysis_changes.changes(row, by=signed_in(request))
    context = {
        "trial": row.trial,
        "analysis": row,
        "title": _("What changed since %s") % row.name,
        "page": analysis_page.changes_page(found) if found else None,
    }
    return render(request, "outcomes/analysis_changes.html", context)
