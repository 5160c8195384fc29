"""The page of a trial's statistics."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy

from outcomes import report
from outcomes.characteristics import STRATA
from outcomes.labels import CHARACTERISTICS, TIES
from outcomes.options import OptionsForm, as_query, options_of, reads_review, today
from outcomes.report import Options
from outcomes.statistics import page as statistics_page
from outcomes.statistics.options import FURTHER, completed
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials.models import Trial


class StatisticsForm(OptionsForm):
    """What a reader may choose of the statistics, as it stands: the report's options and more."""

    stratify_by = forms.ChoiceField(
        label=gettext_lazy("Strata"),
        choices=[("", gettext_lazy("none")), *((by, CHARACTERISTICS[by]) for by in STRATA)],
    )
    ties = forms.ChoiceField(label=gettext_lazy("Hazard ratio"), choices=list(TIES.items()))

    def __init__(self, options: Options, *, review: bool) -> None:
        super().__init__(options, review=review)
        asked = as_query(options)
        no, yes = gettext_lazy("no"), gettext_lazy("yes, beside the estimate")
        self.fields |= {
            "landmarks": forms.CharField(
                label=gettext_lazy("Landmarks (months, 12w: weeks)"), initial=asked["landmarks"]
            ),
            "rmst": forms.CharField(
                label=gettext_lazy("Horizon of the restricted mean"), initial=asked["rmst"]
            ),
            "counts": forms.ChoiceField(
                label=gettext_lazy("k/n at landmarks"),
                choices=[("", no), ("true", yes)],
                initial="true" if options.counts else "",
            ),
        }
        self.use_required_attribute = False


def _options(request: HttpRequest, trial: Trial) -> tuple[Options, str]:
    """The chosen options with this page's own defaults, and what is wrong with the asked ones."""
    try:
        options, error = options_of(request, trial), ""
    except InvalidParameter as invalid:
        options, error = Options(cutoff=today(trial)), f"{invalid.parameter}: {invalid.detail}"
    return completed(options, {} if error else request.GET), error


def _csv_url(trial: Trial, options: Options) -> str:
    """The same figures as a table, with the defaults of this page."""
    query = as_query(replace(options, group_by=None)) | {"format": "csv"}
    return f"{reverse('api:outcomes', args=[trial.registry_id])}?{urlencode(query)}"


@login_required
def statistics(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Every estimate with its methods side by side, and the arms compared."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    options, error = _options(request, trial)
    found = report.build(trial, user=user, options=options, further=FURTHER)
    context = {
        "trial": trial,
        "page": statistics_page.page(found),
        "options": StatisticsForm(options, review=reads_review(request, trial)),
        "csv_url": "" if error else _csv_url(trial, options),
        "error": error,
    }
    return render(request, "outcomes/statistics.html", context, status=400 if error else 200)
