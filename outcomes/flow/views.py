"""Pages of a trial's participant flow and of its accrual."""

from __future__ import annotations

from datetime import date as Date

from django import forms
from django.contrib.auth.decorators import login_required
from django.core import paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes import flow
from outcomes.charts import accrual as accrual_chart
from outcomes.charts import participant_flow
from outcomes.figures import full_height, source_of
from outcomes.flow import Scope, accrual
from outcomes.flow import lists as flow_lists
from outcomes.methods.participant_flow import FlowBox
from outcomes.options import cutoff_of, today
from registry.form_fields import CalendarDateField
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials.models import Trial

PER_PAGE = 100


class CutoffForm(forms.Form):
    """The data cutoff, as it stands."""

    cutoff = CalendarDateField(label=gettext_lazy("Data cutoff"), required=False)


def _asked(request: HttpRequest, trial: Trial) -> tuple[Date, str]:
    """The cutoff, or today and what is wrong with the asked one."""
    try:
        return cutoff_of(request, trial), ""
    except InvalidParameter as invalid:
        return today(trial), f"{invalid.parameter}: {invalid.detail}"


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
    cutoff, error = _asked(request, trial)
    report = flow.build(trial, user=user, cutoff=cutoff)
    people = reverse("outcomes:consort_people", args=[trial.registry_id])
    lists = f"{people}?cutoff={cutoff}&box="
    told = participant_flow.outline(report, every_criterion=False, lists=lists)
    chart = participant_flow.draw(told)
    source = source_of(chart, trial, cutoff)
    context = {
        "trial": trial,
        "report": report,
        "scope": scope_label(report.scope),
        "told": participant_flow.outline(report, lists=lists),
        "chart": chart,
        "source": source,
        "full_height": full_height(chart, source),
        "csv_url": _csv(trial, "consort", cutoff),
        "form": CutoffForm(initial={"cutoff": cutoff}),
        "error": error,
    }
    return render(request, "outcomes/consort.html", context, status=400 if error else 200)


@login_required
def consort_people(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Who is in a box of the flow of participants; the enrolled where none is named."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    error, found = "", None
    try:
        cutoff = cutoff_of(request, trial, "box", "page")
        report = flow.build(trial, user=user, cutoff=cutoff)
        found = flow_lists.listed(report, request.GET.get("box", FlowBox.ENROLLED))
    except InvalidParameter as invalid:
        error = f"{invalid.parameter}: {invalid.detail}"
        cutoff = today(trial)
    lines = found.lines if found else ()
    context = {
        "trial": trial,
        "cutoff": cutoff,
        "found": found,
        "page_obj": paginator.Paginator(lines, PER_PAGE).get_page(request.GET.get("page")),
        "error": error,
    }
    return render(request, "outcomes/consort_people.html", context, status=400 if error else 200)


def _csv(trial: Trial, name: str, cutoff: Date) -> str:
    return reverse("outcomes:figure_data", args=[trial.registry_id, name]) + f"?cutoff={cutoff}"


@login_required
def accrual_page(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Enrollment against the target: the curve by month, and the sites."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    cutoff, error = _asked(request, trial)
    report = accrual.build(trial, user=user, cutoff=cutoff, today=today(trial))
    chart = accrual_chart.draw(report)
    source = source_of(chart, trial, cutoff)
    context = {
        "trial": trial,
        "report": report,
        "scope": scope_label(report.scope),
        "summary": accrual_chart.summary(report),
        "chart": chart,
        "source": source,
        "full_height": full_height(chart, source),
        "csv_url": _csv(trial, "accrual", cutoff),
        "sites": accrual_chart.site_lines(report),
        "form": CutoffForm(initial={"cutoff": cutoff}),
        "error": error,
    }
    return render(request, "outcomes/accrual.html", context, status=400 if error else 200)


@login_required
def accrual_people(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Whom a number of the accrual counts; the enrolled where none is named."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    error, title, cutoff = "", "", today(trial)
    found: list[flow_lists.Enrolled] = []
    try:
        cutoff = cutoff_of(request, trial, "counted", "site", "page")
        report = accrual.build(trial, user=user, cutoff=cutoff, today=today(trial))
        asked, site = request.GET.get("counted", "enrolled"), request.GET.get("site", "")
        title, found = flow_lists.counted(report, asked, site)
    except InvalidParameter as invalid:
        error = f"{invalid.parameter}: {invalid.detail}"
    context = {
        "trial": trial,
        "cutoff": cutoff,
        "title": title,
        "page_obj": paginator.Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
        "error": error,
    }
    return render(request, "outcomes/accrual_people.html", context, status=400 if error else 200)
