"""The criteria page: read by everybody who works on a trial, written by its administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from registry.entry_pages import entry_page
from registry.errors import Refused, StaleVersion
from registry.pages import posted, signed_in
from trials import access, actions
from trials.criteria import next_number, put_criterion, remove_criterion
from trials.criteria_forms import AmendmentForm, CriterionForm, ReasonedForm
from trials.criteria_page import CriterionRow, asked_items, sections
from trials.models import Criterion, ProtocolVersion, Trial


@login_required
def criteria(request: HttpRequest, registry_id: str) -> HttpResponse:
    """The criteria of a protocol version, with their rules in words."""
    trial = _trial(request, registry_id)
    versions = list(trial.protocol_versions.order_by("-number"))
    shown = _asked_version(request, versions)
    may_edit = access.may(request.user, access.Action.WRITE_TRIAL, trial=trial)
    context = {
        "trial": trial,
        "versions": versions,
        "shown": shown,
        "is_current": shown == versions[0],
        "may_edit": may_edit and shown == versions[0],
        "sections": sections(trial.criteria.of(shown.number), shown.number),
    }
    return render(request, "trials/criteria.html", context)


@entry_page
def criterion_new(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Add a criterion to the protocol as it stands."""
    return _criterion(request, _editable(request, registry_id), None, _("Add a criterion"))


@entry_page
def criterion_edit(request: HttpRequest, registry_id: str, pk: int) -> HttpResponse:
    """Change a criterion of the protocol as it stands."""
    trial = _editable(request, registry_id)
    row = get_object_or_404(trial.criteria.all(), pk=pk)
    if row.until is not None and request.method != "POST":
        raise Http404
    return _criterion(request, trial, row, _("Change a criterion"))


@entry_page
def criterion_remove(request: HttpRequest, registry_id: str, pk: int) -> HttpResponse:
    """Take a criterion out of the protocol as it stands."""
    trial = _editable(request, registry_id)
    row = get_object_or_404(trial.criteria.current(), pk=pk)
    form = ReasonedForm(posted(request), initial={"version": trial.version})

    def save() -> None:
        remove_criterion(trial=trial, pk=pk, by=signed_in(request), **form.why())

    context = {"title": _("Remove a criterion"), "row": CriterionRow(row, 0)}
    return _entered(request, trial, form, save, "trials/criterion_remove.html", context)


@entry_page
def protocol_amend(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Begin the next version of the protocol."""
    trial = _editable(request, registry_id)
    form = AmendmentForm(posted(request), trial)

    def save() -> None:
        actions.amend_protocol(trial=trial, by=signed_in(request), **form.facts(), **form.why())

    number = trial.protocol_version.number + 1
    context = {"title": _("Amend the protocol"), "number": number}
    return _entered(request, trial, form, save, "trials/protocol_amend.html", context)


def _criterion(
    request: HttpRequest, trial: Trial, row: Criterion | None, title: str
) -> HttpResponse:
    """The editor of one criterion: stored, or only checked."""
    form = CriterionForm(posted(request), trial, row)
    template = "trials/criterion_form.html"
    context: dict[str, Any] = {"title": title, "row": row and CriterionRow(row, 0)}
    if "check" in request.POST:
        if checked := form.checks_out():
            form.print_json()
            context["checked"] = asked_items(form.rule, form.cleaned_data["kind"])
        return _shown(request, trial, form, template, context, 200 if checked else 422)

    def save() -> None:
        pk = row.pk if row else None
        put_criterion(trial=trial, pk=pk, said=form.said(), by=signed_in(request), **form.why())

    return _entered(request, trial, form, save, template, context)


def _entered(
    request: HttpRequest,
    trial: Trial,
    form: ReasonedForm,
    save: Callable[[], None],
    template: str,
    context: dict[str, Any],
) -> HttpResponse:
    """Show the form; on a valid POST store it and go to the criteria."""
    if request.method == "POST" and form.is_valid():
        try:
            save()
        except Refused as refused:
            form.add_errors(refused.errors)
        except StaleVersion as stale:
            form.add_error(
                None, _("Somebody changed the protocol meanwhile: nothing is stored yet.")
            )
            form.read_again(stale.current)
            context["stale"] = True
        else:
            messages.success(request, _("Stored."))
            return redirect("trials:criteria", registry_id=trial.registry_id)
    return _shown(request, trial, form, template, context, 422 if form.is_bound else 200)


def _shown(
    request: HttpRequest,
    trial: Trial,
    form: ReasonedForm,
    template: str,
    context: dict[str, Any],
    status: int,
) -> HttpResponse:
    context |= {"trial": trial, "form": form, "begins": next_number(trial)}
    return render(request, template, context, status=status)


def _trial(request: HttpRequest, registry_id: str) -> Trial:
    return get_object_or_404(Trial.objects.visible_to(request.user).named(registry_id))


def _editable(request: HttpRequest, registry_id: str) -> Trial:
    trial = _trial(request, registry_id)
    access.require(request.user, access.Action.WRITE_TRIAL, trial=trial)
    return trial


def _asked_version(request: HttpRequest, versions: list[ProtocolVersion]) -> ProtocolVersion:
    """The version that `?version=` names, else the newest; 404 for one that there is not."""
    asked = request.GET.get("version", str(versions[0].number))
    for version in versions:
        if str(version.number) == asked:
            return version
    raise Http404
