"""Pages of a trial's endpoint definitions: read by its members, written by its administrators."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from outcomes import report
from outcomes.endpoints import page as endpoint_page
from outcomes.endpoints.forms import AskingForm, EndpointForm, RemovalForm, cutoff_of
from outcomes.endpoints.preview import Proposal, preview
from outcomes.options import OptionsForm, options_of, today
from outcomes.query_forms import refused
from registry.entry_pages import entry_page
from registry.errors import Refused, StaleVersion
from registry.pages import posted, signed_in
from registry.rest import InvalidParameter
from trials import access, as_known, endpoint_history
from trials.definitions import EndpointKind
from trials.endpoints import put_endpoint, remove_endpoint
from trials.models import Endpoint, Trial


@login_required
def endpoints(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Every definition of every endpoint: in words, what it gives now, and its versions."""
    trial = _trial(request, registry_id)
    try:
        options = options_of(request, trial)
    except InvalidParameter:
        form = OptionsForm(report.Options(cutoff=today(trial)))
        read = partial(options_of, trial=trial)
        return refused(request, form, read, trial=trial, title=_("Endpoint definitions"))
    found = report.build(trial, user=signed_in(request), options=options)
    versions = endpoint_history.versions(trial, options.known_on)
    rows = as_known.rows(trial.endpoints, options.known_on)
    may_edit = access.may(request.user, access.Action.WRITE_TRIAL, trial=trial)
    context = {
        "trial": found.trial,
        "report": found,
        "kinds": endpoint_page.kinds(found, rows, versions),
        "removed": endpoint_history.removed(versions),
        "options": OptionsForm(options),
        "may_edit": may_edit and not options.known_on,
    }
    return render(request, "outcomes/endpoints.html", context)


@entry_page
def endpoint_new(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Add an endpoint, perhaps a further definition of a kind that there is."""
    trial = _editable(request, registry_id)
    form = EndpointForm(posted(request), trial, None, asked=request.GET.get("kind", ""))
    return _endpoint(request, trial, form, _("Add an endpoint"))


@entry_page
def endpoint_edit(request: HttpRequest, registry_id: str, pk: int) -> HttpResponse:
    """Change an endpoint."""
    trial = _editable(request, registry_id)
    row = get_object_or_404(trial.endpoints.all(), pk=pk)
    return _endpoint(
        request, trial, EndpointForm(posted(request), trial, row), _("Change an endpoint")
    )


@entry_page
def endpoint_remove(request: HttpRequest, registry_id: str, pk: int) -> HttpResponse:
    """Take an endpoint out of the trial."""
    trial = _editable(request, registry_id)
    row = get_object_or_404(trial.endpoints.all(), pk=pk)
    form = RemovalForm(posted(request), trial, row)

    def save() -> None:
        remove_endpoint(trial=trial, pk=row.pk, by=signed_in(request), **form.why())

    context = {"title": _("Remove an endpoint"), "row": row, "removes": True}
    computed = row.kind != EndpointKind.OTHER
    return _entered(request, trial, form, save, _removal(row) if computed else None, context)


def _endpoint(request: HttpRequest, trial: Trial, form: EndpointForm, title: str) -> HttpResponse:
    """The editor of one endpoint."""
    row = form.row

    def save() -> None:
        pk = row.pk if row else None
        put_endpoint(trial=trial, pk=pk, said=form.said(), by=signed_in(request), **form.why())

    valid = request.method == "POST" and form.is_valid()
    proposal = _change(form) if valid and form.changes_figures else None
    return _entered(request, trial, form, save, proposal, {"title": title, "row": row})


def _change(form: EndpointForm) -> Proposal:
    said = form.cleaned_data
    return Proposal(EndpointKind(said["kind"]), form.definition, form.row, said["name"])


def _removal(row: Endpoint) -> Proposal:
    return Proposal(EndpointKind(row.kind), None, row)


def _entered(
    request: HttpRequest,
    trial: Trial,
    form: AskingForm,
    save: Callable[[], None],
    proposal: Proposal | None,
    context: dict[str, Any],
) -> HttpResponse:
    """Show the form; store what was seen before, and show what would change of anything else."""
    asks = request.method == "POST" and form.is_valid()
    if asks and "preview" not in request.POST and (proposal is None or form.seen_before):
        try:
            save()
        except Refused as refused:
            form.add_errors(refused.errors)
        except StaleVersion as stale:
            form.add_error(None, _("Somebody changed the trial meanwhile: nothing is stored yet."))
            form.read_again(stale.current)
        else:
            messages.success(request, _("Stored."))
            return redirect("outcomes:endpoints", registry_id=trial.registry_id)
    elif asks:
        form.show("seen", form.fingerprint)
        context["unchanged"] = proposal is None
        if proposal:
            cutoff = cutoff_of(form, today(trial))
            found = preview(trial, proposal, user=signed_in(request), cutoff=cutoff)
            context["preview"] = endpoint_page.preview_page(trial, found, proposal)
    status = 422 if form.is_bound and form.errors else 200
    context |= {"trial": trial, "form": form}
    return render(request, "outcomes/endpoint_form.html", context, status=status)


def _trial(request: HttpRequest, registry_id: str) -> Trial:
    return get_object_or_404(Trial.objects.visible_to(signed_in(request)).named(registry_id))


def _editable(request: HttpRequest, registry_id: str) -> Trial:
    trial = _trial(request, registry_id)
    access.require(request.user, access.Action.WRITE_TRIAL, trial=trial)
    return trial
