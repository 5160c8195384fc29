"""The page on which a trial's administrator unblinds it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.entry_pages import entry_page
from registry.errors import Conflict, Refused, StaleVersion
from registry.pages import posted, signed_in
from trials import access, unblinding
from trials.criteria_forms import ReasonedForm
from trials.models import Trial


class UnblindingForm(ReasonedForm):
    """Which trial, typed by hand, and why."""

    registry_id = forms.CharField(
        label=gettext_lazy("Registry id of the trial, to confirm"), max_length=40
    )
    field_order = ["reason", "registry_id", "version"]

    def __init__(self, data: Any, trial: Trial) -> None:
        super().__init__(data, initial={"version": trial.version})


@entry_page
def trial_unblinding(request: HttpRequest, registry_id: str) -> HttpResponse:
    """End the masking, with a reason; the page tells when that was done already."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    access.require(user, access.Action.UNBLIND, trial=trial)
    form = UnblindingForm(posted(request), trial)
    if form.is_valid():
        typed = form.cleaned_data["registry_id"]
        try:
            unblinding.unblind(trial=trial, by=user, registry_id=typed, **form.why())
        except (Refused, Conflict) as refused:
            form.add_errors(refused.errors)
        except StaleVersion as stale:
            form.add_error(
                None, _("Somebody changed the protocol meanwhile: nothing is stored yet.")
            )
            form.read_again(stale.current)
        else:
            messages.success(request, _("The trial is unblinded: its arms are shown from now on."))
            return redirect("outcomes:trial_dashboard", registry_id=trial.registry_id)
    status = 422 if form.is_bound else 200
    context = {"trial": trial, "form": form}
    return render(request, "trials/unblinding.html", context, status=status)
