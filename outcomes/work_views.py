"""Pages by which one comes to a patient: My work, search, and a trial's participants."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from outcomes import my_work as work
from outcomes import participants as listing
from outcomes import schedule
from outcomes.participant_filters import ParticipantChoices
from patients.models import Patient
from registry.pages import signed_in
from registry.rest import InvalidParameter, refuse_unknown
from trials import access
from trials.models import Trial

LONGEST = 200  # characters of a search
PER_PAGE = 50


@login_required
def my_work(request: HttpRequest) -> HttpResponse:
    """What waits for the user: scans, drafts, queries, signatures."""
    error, alone = None, ""
    try:
        alone = _alone(request)
    except InvalidParameter as invalid:
        error = f"{invalid.parameter}: {invalid.detail}"
    found = work.build(signed_in(request), alone=alone, number=request.GET.get("page"))
    context = {"work": found, "error": error}
    return render(request, "outcomes/my_work.html", context, status=400 if error else 200)


def _alone(request: HttpRequest) -> str:
    """The one list that is asked for, or blank for all of them."""
    refuse_unknown(request.GET, ("list",))
    asked = request.GET.get("list", "")
    if asked and asked not in work.LISTS:
        raise InvalidParameter("list", _("One of: %s.") % ", ".join(work.LISTS))
    return asked


@login_required
def participants(request: HttpRequest, registry_id: str) -> HttpResponse:
    """A trial's patients, as far as they match the filters."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    error, choices = None, ParticipantChoices.of(trial, user)
    try:
        asked = choices.asked(request.GET)
    except InvalidParameter as invalid:
        error = f"{invalid.parameter}: {invalid.detail}"
        asked = None
    found = listing.build(trial, user=user, asked=asked, number=request.GET.get("page"))
    context = {
        "trial": trial,
        "page_obj": found,
        "lines": found.object_list,
        "filters": choices.form(request.GET),
        "filtered": any(request.GET.get(name) for name in choices.parameters),
        "error": error,
        "may_enroll": access.may_somewhere(user, access.Action.WRITE_RECORDS, trial=trial),
    }
    return render(request, "outcomes/participants.html", context, status=400 if error else 200)


@login_required
def search(request: HttpRequest) -> HttpResponse:
    """The patient of this subject id; where there is not exactly one, those whose id has it."""
    asked = request.GET.get("q", "").strip()
    error = None
    if len(asked) > LONGEST or "\0" in asked:
        asked, error = "", _("At most %s characters, none of them NUL.") % LONGEST
    patients = Patient.objects.active().visible_to(signed_in(request))
    if asked:
        exact = list(patients.filter(subject_id__iexact=asked)[:2])
        if len(exact) == 1:
            return redirect("outcomes:patient", pk=exact[0].pk)
    page = Paginator(_containing(patients, asked), PER_PAGE).get_page(request.GET.get("page"))
    outlooks = schedule.outlooks(patients.filter(pk__in=[patient.pk for patient in page]))
    found = [(patient, outlooks[patient.pk]) for patient in page]
    context = {"q": asked, "page_obj": page, "found": found, "error": error}
    return render(request, "outcomes/search.html", context, status=400 if error else 200)


def _containing(patients: QuerySet[Patient], asked: str) -> QuerySet[Patient]:
    if not asked:
        return patients.none()
    found = patients.filter(subject_id__icontains=asked)
    return found.select_related("trial", "site").order_by("subject_id", "trial__registry_id")
