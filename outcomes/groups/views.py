"""The page of a trial's outcomes by group."""

from __future__ import annotations

from functools import partial

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from outcomes import report
from outcomes.charts import forest
from outcomes.definition_words import in_words
from outcomes.groups import GroupsForm, asked
from outcomes.groups import tables as group_tables
from outcomes.groups.links import patients_of
from outcomes.labels import MEASURES
from outcomes.models import REVIEWER
from outcomes.options import reads_review, today
from outcomes.query_forms import refused
from outcomes.report import Options, subgroups
from outcomes.report.subgroups import Choice
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials.definition_wording import TITLES
from trials.models import Trial


@login_required
def groups(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Outcomes by histology, site, sex, ECOG, age and prior lines: a forest plot and tables."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    query, review = request.GET.copy(), reads_review(request, trial)
    try:
        options, choice = asked(request, trial)
    except InvalidParameter:
        plain = Options(cutoff=today(trial))
        form = GroupsForm(trial, plain, Choice().endpoint, "", review=review)
        read = partial(asked, trial=trial)
        return refused(request, form, read, trial=trial, title=_("Outcomes by group"))
    found = subgroups.build(trial, user=user, options=options, choice=choice)
    reviewed = options.evaluator == REVIEWER
    query["format"] = "csv"
    context = {
        "trial": found.trial,
        "forest": found,
        "read": report.build(trial, user=user, options=options) if reviewed else None,
        "title": f"{TITLES[choice.endpoint]}: {MEASURES[choice.measure]}",
        "chart": forest.draw(found, patients_of(found)),
        "definition": in_words(found.endpoint, options.evaluator),
        "tables": group_tables.tables(found, patients_of(found)),
        "landmark": group_tables.landmark_title(found),
        "unrecorded": group_tables.nothing_recorded(found),
        "fewest": subgroups.FEWEST,
        "csv_url": f"{reverse('api:forest', args=[trial.registry_id])}?{query.urlencode()}",
        "options": GroupsForm(
            trial,
            options,
            choice.endpoint,
            query.get("measure", ""),
            review=review,
        ),
    }
    return render(request, "outcomes/groups.html", context)
