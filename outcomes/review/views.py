"""Pages of the independent review: what a reviewer reads and enters, and nothing else of a trial."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from outcomes import actions, history, meanwhile
from outcomes.flow_sheet import flow_sheet
from outcomes.forms import VisitForms
from outcomes.lesion_history import corrected
from outcomes.models import REVIEWER, Visit
from outcomes.options import ComparableForm, comparable, reads_review, today
from outcomes.report import Options
from outcomes.review import discordance as readings
from outcomes.review import page as discordance_page
from outcomes.review import to_read
from outcomes.views import correct, enter, previewed
from patients.models import Patient
from registry.entry_pages import entry_page
from registry.pages import posted, replayed, signed_in
from registry.rest import InvalidParameter
from trials import access
from trials.models import Trial

PER_PAGE = 100


@login_required
def discordance(request: HttpRequest, registry_id: str) -> HttpResponse:
    """The review beside the investigator: agreement, and patient by patient."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    if not reads_review(request, trial):
        raise Http404
    error = None
    try:
        options = comparable(request, trial)
    except InvalidParameter as invalid:
        error = f"{invalid.parameter}: {invalid.detail}"
        options = Options(cutoff=today(trial))
    found = readings.build(trial, user=user, options=options)
    page = Paginator(found.lines, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "trial": trial,
        "table": discordance_page.table(found),
        "page_obj": page,
        "lines": [discordance_page.line(one) for one in page.object_list],
        "options": ComparableForm(options),
        "error": error,
    }
    return render(request, "outcomes/discordance.html", context, status=400 if error else 200)


@login_required
def review_list(request: HttpRequest) -> HttpResponse:
    """The patients whose scans the user reads, those without a reading first."""
    user = signed_in(request)
    page = Paginator(to_read(user), PER_PAGE).get_page(request.GET.get("page"))
    seen = access.where_review_is_read(Trial.objects.alias(trial=F("pk")), user)
    context = {"page_obj": page, "patients": page.object_list, "trials": seen}
    return render(request, "outcomes/review_list.html", context)


def reviewable_patient(request: HttpRequest, pk: int) -> Patient:
    """A patient whose scans the user reads; 404 for any other."""
    rows = Patient.objects.active().reviewable_by(signed_in(request))
    return get_object_or_404(rows.select_related("trial", "site"), pk=pk)


def _readable_patient(request: HttpRequest, pk: int) -> tuple[Patient, bool]:
    """A patient whose review the user may read, and whether they enter it; 404 for any other."""
    user = signed_in(request)
    rows = Patient.objects.active().select_related("trial", "site").filter(pk=pk)
    if row := rows.reviewable_by(user).first():
        return row, True
    found = rows.visible_to(user).first()
    if found is None or not access.may(user, access.Action.READ_REVIEW, trial=found.trial):
        raise Http404
    return found, False


@login_required
def review_patient(request: HttpRequest, pk: int) -> HttpResponse:
    """What the independent reviewer read of a patient's scans."""
    row, enters = _readable_patient(request, pk)
    past = history.load(row, REVIEWER)
    context = {
        "trial": row.trial,
        "patient": row,
        "reviewed": True,
        "sheet": flow_sheet(past, corrected(past)),
        "may_write": enters,
        "may_void": enters,
        "reads_site": not enters or reads_review(request, row.trial),
    }
    return render(request, "outcomes/review_patient.html", context)


@entry_page
def review_visit_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter the reading of a baseline, or of the next scan."""
    row = reviewable_patient(request, pk)

    def save(forms: VisitForms) -> Visit:
        if forms.visit:
            return correct(request, forms.visit, forms)
        entry, by = forms.checked_entry(), signed_in(request)
        return actions.record_visit(patient=row, entry=entry, by=by, evaluator=REVIEWER)

    data = posted(request)
    if data is not None and replayed(request):
        data = meanwhile.begun_anew(data)
    forms = VisitForms(history.load(row, REVIEWER), data=data)
    return enter(request, meanwhile.continued(forms), save)


@login_required
@require_POST
def review_visit_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The computed response of a reading that is being typed, as a piece of the page."""
    return previewed(request, history.load(reviewable_patient(request, pk), REVIEWER))
