"""Pages of a trial's participant flow and of its accrual."""

from __future__ import annotations

from datetime import date as Date
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core import paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from outcomes import flow
from outcomes.charts import accrual as accrual_chart
from outcomes.charts import participant_flow
from outcomes.figures import full_height, source_of
from outcomes.flow import Scope, accrual
from outcomes.flow import lists as flow_lists
from outcomes.flow.lists import Listed
from outcomes.methods.participant_flow import FlowBox
from outcomes.options import as_of, today
from outcomes.query_forms import refused
from outcomes.report import Options
from outcomes.report.documents import moment
from outcomes.safety.options import AsOfForm
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials.models import Trial

PER_PAGE = 100


def _form(cutoff: Date, known_on: datetime | None = None) -> AsOfForm:
    return AsOfForm(Options(cutoff=cutoff, known_on=known_on))


def _query(cutoff: Date, known_on: datetime | None) -> str:
    """The cutoff and the moment as the addresses that a page leads to repeat them."""
    asked = {"cutoff": cutoff.isoformat()}
    return urlencode(asked | {"known_on": moment(known_on)} if known_on else asked)


def scope_label(scope: Scope) -> str:
    """Whose patients are counted."""
    if scope.whole_trial:
        return _("All sites")
    sites = ", ".join(f"{site.code} {site.name}".strip() for site in scope.sites)
    return _("Only your sites: %s") % sites


@login_required
def consort(request: HttpRequest, registry_id: str) -> HttpResponse:
    """The flow of participants as CONSORT 2010 draws it."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    try:
        cutoff, known_on = as_of(request, trial)
    except InvalidParameter:
        form, read = _form(today(trial)), partial(as_of, trial=trial)
        return refused(request, form, read, trial=trial, title=_("Participant flow"))
    report = flow.build(trial, user=user, cutoff=cutoff, known_on=known_on)
    people = reverse("outcomes:consort_people", args=[trial.registry_id])
    lists = f"{people}?{_query(cutoff, known_on)}&box="
    told = participant_flow.outline(report, every_criterion=False, lists=lists)
    chart = participant_flow.draw(told)
    source = source_of(chart, trial, cutoff, known_on=known_on)
    context = {
        "trial": report.trial,
        "report": report,
        "scope": scope_label(report.scope),
        "told": participant_flow.outline(report, lists=lists),
        "chart": chart,
        "source": source,
        "full_height": full_height(chart, source),
        "csv_url": _csv(trial, "consort", cutoff, known_on),
        "form": _form(cutoff, known_on),
    }
    return render(request, "outcomes/consort.html", context)


@login_required
def consort_people(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Who is in a box of the flow of participants; the enrolled where none is named."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))

    def read(asked: HttpRequest) -> tuple[Date, datetime | None, Listed]:
        cutoff, known_on = as_of(asked, trial, "box", "page")
        report = flow.build(trial, user=user, cutoff=cutoff, known_on=known_on)
        box = asked.GET.get("box", FlowBox.ENROLLED)
        return cutoff, known_on, flow_lists.listed(report, box)

    try:
        cutoff, known_on, found = read(request)
    except InvalidParameter:
        form = _form(today(trial))
        return refused(request, form, read, trial=trial, title=_("Participant flow"))
    context = {
        "trial": trial,
        "cutoff": cutoff,
        "options": AsOfForm(Options(cutoff=cutoff, known_on=known_on)),
        "diagram": _query(cutoff, known_on),
        "found": found,
        "page_obj": paginator.Paginator(found.lines, PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "outcomes/consort_people.html", context)


def _csv(trial: Trial, name: str, cutoff: Date, known_on: datetime | None) -> str:
    address = reverse("outcomes:figure_data", args=[trial.registry_id, name])
    return f"{address}?{_query(cutoff, known_on)}"


@login_required
def accrual_page(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Enrollment against the target: the curve by month, and the sites."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    try:
        cutoff, known_on = as_of(request, trial)
    except InvalidParameter:
        form, read = _form(today(trial)), partial(as_of, trial=trial)
        return refused(request, form, read, trial=trial, title=_("Accrual"))
    report = accrual.build(
        trial, user=user, cutoff=cutoff, today=today(trial, known_on), known_on=known_on
    )
    chart = accrual_chart.draw(report)
    source = source_of(chart, trial, cutoff, known_on=known_on)
    context = {
        "trial": report.trial,
        "report": report,
        "scope": scope_label(report.scope),
        "summary": accrual_chart.summary(report),
        "chart": chart,
        "source": source,
        "full_height": full_height(chart, source),
        "csv_url": _csv(trial, "accrual", cutoff, known_on),
        "sites": accrual_chart.site_lines(report),
        "form": _form(cutoff, known_on),
    }
    return render(request, "outcomes/accrual.html", context)


@login_required
def accrual_people(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Whom a number of the accrual counts; the enrolled where none is named."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))

    def read(
        asked: HttpRequest,
    ) -> tuple[Date, datetime | None, str, list[flow_lists.Enrolled]]:
        cutoff, known_on = as_of(asked, trial, "counted", "site", "page")
        report = accrual.build(
            trial, user=user, cutoff=cutoff, today=today(trial, known_on), known_on=known_on
        )
        counted, site = asked.GET.get("counted", "enrolled"), asked.GET.get("site", "")
        return cutoff, known_on, *flow_lists.counted(report, counted, site)

    try:
        cutoff, known_on, title, found = read(request)
    except InvalidParameter:
        return refused(request, _form(today(trial)), read, trial=trial, title=_("Accrual"))
    context = {
        "trial": trial,
        "cutoff": cutoff,
        "options": _form(cutoff, known_on),
        "diagram": _query(cutoff, known_on),
        "title": title,
        "page_obj": paginator.Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "outcomes/accrual_people.html", context)
