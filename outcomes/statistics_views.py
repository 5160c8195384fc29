"""The page of a trial's statistics."""

from __future__ import annotations

from dataclasses import replace

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy

from outcomes import report, statistics_page
from outcomes.labels import CHARACTERISTICS, TIES
from outcomes.options import OptionsForm, options_of, today
from outcomes.report import LandmarkTime, Options
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials.models import Trial

# Progression-free rates are read at 12 weeks, 3, 6 and 12 months (METHODS.md, 6).
LANDMARKS = (LandmarkTime(12, "weeks"), *(LandmarkTime(months) for months in (3, 6, 12, 24)))
HORIZON = LandmarkTime(12)


class StatisticsForm(forms.Form):
    """What a reader may choose of the statistics besides the report's options, as it stands."""

    landmarks = forms.CharField(label=gettext_lazy("Landmarks (months, 12w: weeks)"))
    rmst = forms.CharField(label=gettext_lazy("Horizon of the restricted mean"))
    stratify_by = forms.ChoiceField(
        label=gettext_lazy("Strata"), choices=[("", gettext_lazy("none")), *CHARACTERISTICS.items()]
    )
    ties = forms.ChoiceField(label=gettext_lazy("Hazard ratio"), choices=list(TIES.items()))
    counts = forms.ChoiceField(
        label=gettext_lazy("k/n at landmarks"),
        choices=[("", gettext_lazy("no")), ("true", gettext_lazy("yes, beside the estimate"))],
    )

    def __init__(self, options: Options) -> None:
        super().__init__(
            initial={
                "landmarks": ",".join(map(_asked, options.landmarks)),
                "rmst": _asked(options.restricted_mean) if options.restricted_mean else "",
                "stratify_by": options.stratify_by or "",
                "ties": options.ties,
                "counts": "true" if options.counts else "",
            },
            use_required_attribute=False,
        )


def _asked(at: LandmarkTime) -> str:
    """A time as the query has it."""
    return f"{at.number}{'w' if at.unit == 'weeks' else ''}"


def _options(request: HttpRequest, trial: Trial) -> tuple[Options, str]:
    """The chosen options with this page's own defaults, and what is wrong with the asked ones."""
    try:
        options, error = options_of(request, trial), ""
    except InvalidParameter as invalid:
        options, error = Options(cutoff=today(trial)), f"{invalid.parameter}: {invalid.detail}"
    asked = {} if error else request.GET
    return (
        replace(
            options,
            landmarks=options.landmarks if asked.get("landmarks") else LANDMARKS,
            restricted_mean=options.restricted_mean or HORIZON,
            group_by=None if trial.masked else "arm",
        ),
        error,
    )


def _csv_url(request: HttpRequest, trial: Trial, options: Options) -> str:
    """The same figures as a table, with the defaults of this page."""
    query = request.GET.copy()
    query["cutoff"] = options.cutoff.isoformat()
    query["landmarks"] = ",".join(map(_asked, options.landmarks))
    query["rmst"] = _asked(options.restricted_mean or HORIZON)
    query["format"] = "csv"
    return f"{reverse('api:outcomes', args=[trial.registry_id])}?{query.urlencode()}"


@login_required
def statistics(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Every estimate with its methods side by side, and the arms compared."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    options, error = _options(request, trial)
    found = report.build(trial, user=user, options=options, further=statistics_page.FURTHER)
    context = {
        "trial": trial,
        "page": statistics_page.page(found),
        "options": [*OptionsForm(options), *StatisticsForm(options)],
        "csv_url": "" if error else _csv_url(request, trial, options),
        "error": error,
    }
    return render(request, "outcomes/statistics.html", context, status=400 if error else 200)
