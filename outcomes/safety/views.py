"""Pages of a trial's safety: tables, the patients behind a number, exposure, and all of it as CSV."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from outcomes import flow, safety
from outcomes.flow.views import scope_label
from outcomes.query_forms import refused
from outcomes.report import tables
from outcomes.safety import SafetyReport, people
from outcomes.safety import page as safety_page
from outcomes.safety import tables as safety_tables
from outcomes.safety.exposure_lines import patient_exposure
from outcomes.safety.options import (
    ONE,
    AsOfForm,
    SafetyForm,
    SafetyOptions,
    arm_names,
    default,
    only_as_of,
    options_of,
    selection_of,
)
from patients import treatment
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials.models import Trial


def _trial(request: HttpRequest, registry_id: str) -> Trial:
    return get_object_or_404(Trial.objects.visible_to(signed_in(request)).named(registry_id))


def _report(request: HttpRequest, trial: Trial, options: SafetyOptions) -> SafetyReport:
    user = signed_in(request)
    return safety.build(trial, user=user, cutoff=options.cutoff, known_on=options.known_on)


def _shown(
    request: HttpRequest,
    report: SafetyReport,
    options: SafetyOptions,
    template: str,
    **context: Any,
) -> HttpResponse:
    """A page with what each of them says: the cutoff, and whose patients."""
    trial = report.trial
    told = {
        "trial": trial,
        "report": report,
        "options": options,
        "title": safety_page.title(trial, options.cutoff),
        "scope": scope_label(flow.scope_of(trial, signed_in(request), options.known_on)),
        "safety_url": options.link(trial, "safety"),
    }
    return render(request, f"outcomes/{template}.html", told | context)


@login_required
def safety_tables_page(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Adverse events by term, grade and arm, the butterfly, serious events and exposure."""
    trial = _trial(request, registry_id)
    try:
        options = options_of(request, trial)
    except InvalidParameter:
        form = SafetyForm(default(trial), arm_names(trial, None))
        read = partial(options_of, trial=trial)
        return refused(request, form, read, trial=trial, title=_("Safety"))
    report = _report(request, trial, options)
    given = safety.exposure(report)
    page = safety_page.page(report, options, given, request.GET.get("page"))
    return _shown(
        request, report, options, "safety", page=page,
        serious=page.serious.lines(safety.details(report, page.serious.ids)),
        urls=_urls(trial, options),
        form=SafetyForm(options, arm_names(trial, options.known_on)),
    )  # fmt: skip


def _urls(trial: Trial, options: SafetyOptions) -> dict[str, str]:
    """Where the page leads, as of the same cutoff and moment."""
    serious = {"count": "serious"} | ({"arm": options.arm} if options.arm else {})
    return {
        "counts": options.link(trial, "safety_csv", "adverse-events"),
        "serious": options.link(trial, "safety_patients", **serious),
        "serious_csv": options.link(trial, "safety_csv", "adverse-event-patients", **serious),
        "exposure": options.link(trial, "safety_exposure"),
        "exposure_csv": options.link(trial, "safety_csv", "exposure"),
    }


@login_required
def safety_patients(request: HttpRequest, registry_id: str) -> HttpResponse:
    """The patients behind a number, with the events for which they are counted."""
    trial = _trial(request, registry_id)
    try:
        options, selection = selection_of(request, trial)
    except InvalidParameter:
        form, read = AsOfForm(default(trial)), partial(selection_of, trial=trial)
        return refused(request, form, read, trial=trial, title=_("Patients with adverse events"))
    report = _report(request, trial, options)
    found = people.matching(report, options, selection)
    events = people.event_page(found, request.GET.get("page"))
    return _shown(
        request, report, options, "safety_patients", events=events,
        lines=events.lines(safety.details(report, events.ids)),
        asked=people.asked_for(options, selection),
        csv_url=options.link(trial, "safety_csv", "adverse-event-patients", **_without_page(request.GET.dict())),
    )  # fmt: skip


def _without_page(query: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if name in ONE}


@login_required
def safety_exposure(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Dose intensity and exposure, patient by patient."""
    trial = _trial(request, registry_id)
    try:
        options = only_as_of(request, trial)
    except InvalidParameter:
        form, read = AsOfForm(default(trial)), partial(only_as_of, trial=trial)
        return refused(request, form, read, trial=trial, title=_("Exposure"))
    report = _report(request, trial, options)
    rows = safety.exposure(report)
    shown = Paginator(rows, people.PER_PAGE).get_page(request.GET.get("page"))
    lines = [patient_exposure(row) for row in shown]
    return _shown(
        request, report, options, "safety_exposure", lines=lines, page_obj=shown,
        form=AsOfForm(options), csv_url=options.link(trial, "safety_csv", "exposure-patients"),
    )  # fmt: skip


Table = tuple[tuple[str, ...], Any]


def _counts(_request: HttpRequest, report: SafetyReport) -> Table:
    return safety_tables.COUNTS, safety_tables.count_rows(report)


def _events(request: HttpRequest, report: SafetyReport) -> Table:
    options, selection = selection_of(request, report.trial)
    found = people.matching(report, options, selection)
    details = safety.details(report, [event.id for _one, of in found for event in of])
    return safety_tables.EVENTS, safety_tables.event_rows(report, found, details)


def _exposure(_request: HttpRequest, report: SafetyReport) -> Table:
    rows = treatment.summaries(safety.exposure(report))
    return safety_tables.EXPOSURE, safety_tables.exposure_rows(report, rows)


def _patients(_request: HttpRequest, report: SafetyReport) -> Table:
    return safety_tables.PATIENTS, safety_tables.patient_rows(report, safety.exposure(report))


CSV: dict[str, Callable[[HttpRequest, SafetyReport], Table]] = {
    "adverse-events": _counts,
    "adverse-event-patients": _events,
    "exposure": _exposure,
    "exposure-patients": _patients,
}


@login_required
def safety_csv(request: HttpRequest, registry_id: str, table: str) -> HttpResponse:
    """One of the tables, to be saved under a name that says what it is."""
    trial = _trial(request, registry_id)
    if table not in CSV:
        raise Http404
    try:
        options = (
            selection_of(request, trial)[0] if CSV[table] is _events else only_as_of(request, trial)
        )
    except InvalidParameter as invalid:
        text = f"{invalid.parameter}: {invalid.detail}"
        return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")
    columns, rows = CSV[table](request, _report(request, trial, options))
    file = f"{trial.registry_id}-{table}-{options.cutoff.isoformat()}.csv"
    return HttpResponse(
        tables.csv_text(columns, rows).encode("utf-8-sig"),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )
