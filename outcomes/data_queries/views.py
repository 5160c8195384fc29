"""Pages of queries: the list, a patient's, and one with its thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.data_queries.forms import AskForm, MessageForm
from outcomes.data_queries.page import query_lines
from patients import query_actions
from patients.models import Patient, Query, QueryState
from patients.views import visible_patient
from registry.entry_pages import entry_page
from registry.errors import Refused, StaleVersion
from registry.pages import posted, signed_in
from trials import access
from trials.models import Site, Trial

PER_PAGE = 50
STATES = [("", gettext_lazy("open and answered")), *QueryState.choices]
ACTS: dict[str, tuple[Callable[..., Query], str, Any]] = {
    "answer": (query_actions.answer_query, "text", gettext_lazy("Answer stored.")),
    "close": (query_actions.close_query, "reason", gettext_lazy("Query closed.")),
    "reopen": (query_actions.reopen_query, "reason", gettext_lazy("Query opened again.")),
}


@login_required
def query_list(request: HttpRequest) -> HttpResponse:
    """Every query within the user's scope, the oldest first."""
    user = signed_in(request)
    asked = {name: request.GET.get(name, "") for name in ("state", "trial", "site")}
    asked = {name: "" if "\0" in said else said for name, said in asked.items()}
    trials = list(Trial.objects.visible_to(user))
    trial = next((one for one in trials if one.registry_id == asked["trial"]), None)
    sites = Site.objects.visible_to(user).filter(**{"trial": trial} if trial else {})
    rows = _filtered(Query.objects.visible_to(user), asked).with_question()
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "asked": asked,
        "filtered": any(asked.values()),
        "states": STATES,
        "trials": trials,
        "trial": trial,
        "sites": sorted({site.code for site in sites}),
        "page_obj": page,
        "lines": query_lines(page),
    }
    return render(request, "outcomes/query_list.html", context)


def _filtered(rows: Any, asked: dict[str, str]) -> Any:
    state, trial, site = asked["state"], asked["trial"], asked["site"]
    rows = rows.active().filter(state=state) if state in QueryState.values else rows.open()
    if trial:
        rows = rows.filter(patient__trial__registry_id=trial)
    return rows.filter(patient__site__code=site) if site else rows


@entry_page
def patient_queries(request: HttpRequest, pk: int) -> HttpResponse:
    """A patient's queries with their threads, and a form for who may ask."""
    patient = visible_patient(request, pk)
    may_ask = _may(request, patient, access.Action.QUERY)
    form = AskForm(patient, posted(request), _meant(request)) if may_ask else None
    if request.method == "POST":
        access.require(
            signed_in(request), access.Action.QUERY, trial=patient.trial, site=patient.site
        )
    if form and request.method == "POST" and form.is_valid():
        try:
            query_actions.open_query(patient=patient, by=signed_in(request), **form.about())
        except Refused as refused:
            form.add_errors(refused.errors)
        else:
            messages.success(request, _("Query opened."))
            return redirect("outcomes:patient_queries", pk=patient.pk)
    rows: QuerySet[Query] = Query.objects.filter(patient=patient).with_thread()
    lines = query_lines(rows)
    context = {
        "trial": patient.trial,
        "patient": patient,
        "form": form,
        "open": [line for line in lines if not line.query.is_closed],
        "closed": [line for line in lines if line.query.is_closed],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "outcomes/patient_queries.html", context, status=status)


def _meant(request: HttpRequest) -> dict[str, str]:
    """What the link to this page speaks of: `?visit=12&lesion=T02`."""
    visit, lesion = request.GET.get("visit", ""), request.GET.get("lesion", "")
    return ({"record": f"visit:{visit}"} if visit else {}) | {"lesion": lesion}


@entry_page
def query(request: HttpRequest, pk: int) -> HttpResponse:
    """One query: its thread, and a form to answer, close or open it again."""
    rows = Query.objects.active().visible_to(signed_in(request)).with_thread()
    row = get_object_or_404(rows, pk=pk)
    form = MessageForm(posted(request), initial={"version": row.version})
    if request.method == "POST" and form.is_valid() and _done(request, row, form):
        return redirect("outcomes:query", pk=pk)
    context = {
        "trial": row.patient.trial,
        "patient": row.patient,
        "line": query_lines([row])[0],
        "form": form,
        "may_answer": _may(request, row.patient, access.Action.WRITE_RECORDS),
        "may_close": _may(request, row.patient, access.Action.QUERY),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "outcomes/query.html", context, status=status)


def _done(request: HttpRequest, row: Query, form: MessageForm) -> bool:
    """Whether what was asked of the query is done; else the form says why not."""
    act, name, done = ACTS.get(request.POST.get("act", ""), ACTS["answer"])
    said = {name: form.cleaned_data["text"], "version": form.cleaned_data["version"]}
    try:
        act(query=row, by=signed_in(request), **said)
    except Refused as refused:
        form.add_error(None, [error.detail for error in refused.errors])
    except StaleVersion:
        form.add_error(None, _("Somebody wrote here meanwhile; look at the thread again."))
    else:
        messages.success(request, str(done))
        return True
    return False


def _may(request: HttpRequest, patient: Patient, action: access.Action) -> bool:
    return access.may(signed_in(request), action, trial=patient.trial, site=patient.site)
