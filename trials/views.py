"""Pages of the protocol."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from registry.rest import InvalidParameter, refuse_unknown
from trials import access, detail, filters
from trials.models import Trial, TrialQuerySet


@login_required
def trial_list(request: HttpRequest) -> HttpResponse:
    """The trials that the user works on, as far as they match the filters."""
    error = None
    try:
        found = _matching(request)
    except InvalidParameter as invalid:
        error = f"{invalid.parameter}: {invalid.detail}"
        found = Trial.objects.none()
    counted = found.with_patient_counts(request.user).order_by("registry_id")
    page = Paginator(counted, 50).get_page(request.GET.get("page"))
    context = {
        "trials": page.object_list,
        "page_obj": page,
        "filters": filters.TrialFiltersForm(request.GET),
        "filtered": any(request.GET.get(name) for name in filters.PARAMETERS),
        "error": error,
    }
    return render(request, "trials/trial_list.html", context, status=400 if error else 200)


def _matching(request: HttpRequest) -> TrialQuerySet:
    refuse_unknown(request.GET, filters.PARAMETERS)
    return Trial.objects.visible_to(request.user).matching(**filters.asked(request.GET))


@login_required
def trial_detail(request: HttpRequest, registry_id: str) -> HttpResponse:
    """A trial as its registry entry and its protocol describe it."""
    trials = Trial.objects.visible_to(request.user).named(registry_id).with_protocol()
    trial = get_object_or_404(
        trials.prefetch_related("protocol_versions").with_patient_counts(request.user)
    )
    context = {
        "trial": trial,
        "page": detail.page(trial),
        "may_write": access.may(request.user, access.Action.WRITE_TRIAL, trial=trial),
        "sites_seen": set(trial.sites.visible_to(request.user).values_list("code", flat=True)),
        "whole_trial": access.sees_every_site(request.user, trial=trial),
    }
    return render(request, "trials/trial_detail.html", context)
