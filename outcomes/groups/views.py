"""The page of a trial's outcomes by group."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from outcomes import dashboard
from outcomes.charts import forest
from outcomes.groups import GroupsForm, asked
from outcomes.groups import tables as group_tables
from outcomes.labels import MEASURES
from outcomes.options import kept, reads_review, today
from outcomes.report import Options, subgroups
from outcomes.report.subgroups import Choice, Forest
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials import definition_wording
from trials.definition_wording import TITLES
from trials.models import Trial


@login_required
def groups(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Outcomes by histology, site, sex, ECOG, age and prior lines: a forest plot and tables."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    refused, query = None, request.GET.copy()
    try:
        options, choice = asked(request, trial)
    except InvalidParameter as invalid:
        refused, options, choice = invalid, Options(cutoff=today(trial)), Choice()
        query.clear()
    found = subgroups.build(trial, user=user, options=options, choice=choice)
    form = GroupsForm(
        trial,
        options,
        choice.endpoint,
        query.get("measure", ""),
        review=reads_review(request, trial),
    )
    kept_here = kept(query, trial, list(query)) | {"format": "csv"}
    context = {
        "trial": trial,
        "forest": found,
        "title": f"{TITLES[choice.endpoint]}: {MEASURES[choice.measure]}",
        "chart": forest.draw(found),
        "definition": _definition(choice, found, options),
        "tables": group_tables.tables(found),
        "landmark": group_tables.landmark_title(found),
        "unrecorded": group_tables.nothing_recorded(found),
        "fewest": subgroups.FEWEST,
        "csv_url": f"{reverse('api:forest', args=[trial.registry_id])}?{urlencode(kept_here)}",
        "options": form,
        "error": form.refuse(refused, request.GET),
    }
    return render(request, "outcomes/groups.html", context, status=400 if refused else 200)


def _definition(choice: Choice, found: Forest, options: Options) -> str:
    words = definition_wording.in_words(choice.endpoint, found.endpoint.definition)
    return f"{words} {dashboard.read_by(options)}".strip()
