"""Whether a trial is read by iRECIST beside RECIST 1.1: its administrators say so."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.entry_pages import entry_page
from registry.errors import Refused, StaleVersion
from registry.pages import posted, signed_in
from trials import access, actions
from trials.criteria_forms import ReasonedForm
from trials.models import Trial


class ImmuneCriteriaForm(ReasonedForm):
    """Whether the trial uses iRECIST, and why that changes."""

    irecist = forms.BooleanField(
        label=gettext_lazy("Uses iRECIST beside RECIST 1.1"),
        required=False,
        help_text=gettext_lazy(
            "For PD-1 and PD-L1 drugs: visits follow new lesions in size, both time lines stand on"
            " the flow sheet, and endpoints may be defined by iRECIST beside those by RECIST 1.1."
        ),
    )
    field_order = ["irecist", "reason", "version"]

    def __init__(self, data: Any, trial: Trial) -> None:
        super().__init__(data, initial={"irecist": trial.irecist, "version": trial.version})


@entry_page
def trial_irecist(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Turn iRECIST on or off, with a reason; no visit is derived anew by that."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    access.require(user, access.Action.WRITE_TRIAL, trial=trial)
    form = ImmuneCriteriaForm(posted(request), trial)
    if form.is_valid():
        document = {"irecist": form.cleaned_data["irecist"]}
        why = {"by": user, **form.why()}
        try:
            actions.update_trial(trial=trial, document=document, partial=True, **why)
        except Refused as refused:
            form.add_errors(refused.errors)
        except StaleVersion as stale:
            form.add_error(
                None, _("Somebody changed the protocol meanwhile: nothing is stored yet.")
            )
            form.read_again(stale.current)
        else:
            messages.success(request, _("Stored."))
            return redirect("trials:trial_detail", registry_id=trial.registry_id)
    status = 422 if form.is_bound else 200
    return render(request, "trials/irecist.html", {"trial": trial, "form": form}, status=status)
