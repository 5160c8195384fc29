"""The page of a trial's statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes import report
from outcomes.characteristics import STRATA
from outcomes.labels import CHARACTERISTICS, TIES
from outcomes.options import OptionsForm, as_query, options_of, reads_review, today
from outcomes.query_forms import refused
from outcomes.report import Options
from outcomes.statistics import page as statistics_page
from outcomes.statistics.options import FURTHER, completed
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials.models import Trial


class StatisticsForm(OptionsForm):
    """What a reader may choose of the statistics, as it stands: the report's options and more."""

    stratify_by = forms.ChoiceField(
        label=gettext_lazy("Log-rank and Cox stratified by"),
        choices=[("", gettext_lazy("none")), *((by, CHARACTERISTICS[by]) for by in STRATA)],
    )
    usual: ClassVar[Mapping[str, str]] = {"landmarks": "12w,3,6,12,24", "rmst": "12"}

    ties = forms.ChoiceField(
        label=gettext_lazy("Ties in the Cox model"), choices=list(TIES.items())
    )

    def __init__(self, options: Options, *, review: bool) -> None:
        super().__init__(options, review=review)
        asked = as_query(options)
        no, yes = gettext_lazy("no"), gettext_lazy("yes, beside the estimate")
        self.fields |= {
            "landmarks": forms.CharField(
                label=gettext_lazy("Event-free rates at (months; weeks as 12w)"),
                initial=asked["landmarks"],
            ),
            "rmst": forms.CharField(
                label=gettext_lazy("Restricted mean time up to (months; weeks as 12w)"),
                initial=asked["rmst"],
            ),
            "counts": forms.ChoiceField(
                label=gettext_lazy("Patients known to be event-free at these times (k/n)"),
                choices=[("", no), ("true", yes)],
                initial="true" if options.counts else "",
            ),
        }


def _csv_url(trial: Trial, options: Options) -> str:
    """The same figures as a table, with the defaults of this page."""
    query = as_query(replace(options, group_by=None)) | {"format": "csv"}
    return f"{reverse('api:outcomes', args=[trial.registry_id])}?{urlencode(query)}"


@login_required
def statistics(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Every estimate with its methods side by side, and the arms compared."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    review = reads_review(request, trial)
    try:
        options = completed(options_of(request, trial), request.GET)
    except InvalidParameter:
        plain = completed(Options(cutoff=today(trial)), {})
        form, read = StatisticsForm(plain, review=review), partial(options_of, trial=trial)
        return refused(request, form, read, trial=trial, title=_("Statistics"))
    if not trial.masked:
        options = replace(options, group_by="arm")
    found = report.build(trial, user=user, options=options, further=FURTHER)
    context = {
        "trial": found.trial,
        "page": statistics_page.page(found),
        "options": StatisticsForm(options, review=review),
        "csv_url": _csv_url(trial, options),
    }
    return render(request, "outcomes/statistics.html", context)
