"""Pages of a trial's figures: all of them small, each of them large, and its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from outcomes import figures, flow, report
from outcomes.characteristics import GROUPS, STRATA
from outcomes.charts import participant_flow
from outcomes.figures import Shown
from outcomes.figures import tables as figure_tables
from outcomes.figures.tables import Table
from outcomes.figures.wording import characteristic
from outcomes.flow import accrual
from outcomes.options import (
    PARAMETERS,
    OptionsForm,
    as_of,
    by_arm,
    kept,
    options_of,
    reads_review,
    today,
)
from outcomes.query_forms import refused
from outcomes.report import Options
from outcomes.report.tables import csv_text
from registry.models import User
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials.models import Trial

AS_OF = ("cutoff", "known_on")
ELSEWHERE = {"accrual": "outcomes:accrual", "consort": "outcomes:consort"}


class FigureOptionsForm(OptionsForm):
    """The report's options with a grouping; what else the address asks for goes along unseen."""

    first = (*OptionsForm.first, "group_by")

    def __init__(
        self,
        options: Options,
        asked: Mapping[str, str],
        *,
        masked: bool,
        grouped: bool,
        review: bool,
    ) -> None:
        super().__init__(options, review=review)
        groups = [(name, characteristic(name)) for name in (STRATA if masked else GROUPS)]
        choices = [("", _("all patients together")), *groups]
        self.fields["group_by"] = forms.ChoiceField(
            label=_("Groups"), choices=choices, initial=options.group_by, required=False
        )
        if not grouped:
            del self.fields["group_by"]
        for name in PARAMETERS:
            if name in asked and name not in self.fields:
                hidden = forms.CharField(widget=forms.HiddenInput, initial=asked[name])
                self.fields[name] = hidden


@dataclass(frozen=True)
class Link:
    """A figure among the others."""

    name: str
    title: str
    url: str


def _trial(request: HttpRequest, registry_id: str) -> Trial:
    trials = Trial.objects.visible_to(signed_in(request)).named(registry_id)
    return get_object_or_404(trials)


def _options(request: HttpRequest, trial: Trial) -> Options:
    """As the address asks."""
    return by_arm(options_of(request, trial), request.GET, trial)


def _refused(request: HttpRequest, trial: Trial, title: str, *, grouped: bool) -> HttpResponse:
    """What is wrong with the asked options."""
    form = _form(request, trial, Options(cutoff=today(trial)), grouped=grouped)
    return refused(request, form, partial(options_of, trial=trial), trial=trial, title=title)


def _query(request: HttpRequest) -> str:
    """What the address asks for, but no page of a list."""
    query = request.GET.copy()
    query.pop("page", None)
    return f"?{query.urlencode()}" if query else ""


def _links(trial: Trial, query: str) -> list[Link]:
    """Every figure of a trial, with the same options."""
    return [
        Link(name, figures.title_of(name), _address("figure", trial, name) + query)
        for name in figures.NAMES
    ]


def _address(view: str, trial: Trial, name: str) -> str:
    return reverse(f"outcomes:{view}", args=[trial.registry_id, name])


@login_required
def figure_list(request: HttpRequest, registry_id: str) -> HttpResponse:
    """All figures of a trial, small; each leads to its own page."""
    trial = _trial(request, registry_id)
    try:
        options = _options(request, trial)
    except InvalidParameter:
        return _refused(request, trial, _("Figures"), grouped=True)
    found = report.build(trial, user=signed_in(request), options=options)
    links = _links(trial, _query(request))
    context = {
        "trial": found.trial,
        "report": found,
        "figures": [(link, figures.build(link.name, found, Shown())) for link in links],
        "options": _form(request, trial, found.options, grouped=True),
    }
    return render(request, "outcomes/figures.html", context)


def _form(
    request: HttpRequest, trial: Trial, options: Options, *, grouped: bool
) -> FigureOptionsForm:
    return FigureOptionsForm(
        options,
        request.GET.dict(),
        masked=trial.masked,
        grouped=grouped,
        review=reads_review(request, trial),
    )


@login_required
def figure(request: HttpRequest, registry_id: str, figure: str) -> HttpResponse:
    """One figure with its definition, its data, and what its marks lead to."""
    trial = _trial(request, registry_id)
    if figure in ELSEWHERE:
        asked = urlencode(kept(request.GET, trial, AS_OF))
        return redirect(reverse(ELSEWHERE[figure], args=[trial.registry_id]) + f"?{asked}")
    _require(figure)
    grouped, query = figure in figures.GROUPED, _query(request)
    try:
        options = _options(request, trial)
    except InvalidParameter:
        return _refused(request, trial, figures.title_of(figure), grouped=grouped)
    found = report.build(trial, user=signed_in(request), options=options)
    shown = Shown(_address("figure", trial, figure) + query, request.GET.get("page"))
    context = {
        "trial": found.trial,
        "report": found,
        "figure": figures.build(figure, found, shown),
        "links": _links(trial, query),
        "csv_url": _address("figure_data", trial, figure) + query,
        "options": _form(request, trial, found.options, grouped=grouped),
    }
    return render(request, "outcomes/figure.html", context)


def _require(name: str) -> None:
    if name not in figures.NAMES:
        raise Http404


@login_required
def figure_data(request: HttpRequest, registry_id: str, figure: str) -> HttpResponse:
    """The data of a figure as CSV, of all patients, with the options of its page."""
    user, trial = signed_in(request), _trial(request, registry_id)
    try:
        cutoff, table = _table(request, user, trial, figure)
    except InvalidParameter as invalid:
        said = f"{invalid.parameter}: {invalid.detail}"
        return HttpResponseBadRequest(said, content_type="text/plain; charset=utf-8")
    file = f"{trial.registry_id}-{figure}-{cutoff}.csv"
    # With a mark of its encoding: what is saved from a page is opened with a double click.
    return HttpResponse(
        csv_text(*table).encode("utf-8-sig"),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


def _table(request: HttpRequest, user: User, trial: Trial, name: str) -> tuple[str, Table]:
    if name in ELSEWHERE:
        cutoff, known_on = as_of(request, trial)
        if name == "accrual":
            now = today(trial, known_on)
            enrolled = accrual.build(trial, user=user, cutoff=cutoff, today=now, known_on=known_on)
            return cutoff.isoformat(), figure_tables.accrual_table(enrolled)
        found = flow.build(trial, user=user, cutoff=cutoff, known_on=known_on)
        told = participant_flow.outline(found)
        return cutoff.isoformat(), figure_tables.flow_table(found, told)
    _require(name)
    options = _options(request, trial)
    built = report.build(trial, user=user, options=options)
    return options.cutoff.isoformat(), figure_tables.table(name, built)
