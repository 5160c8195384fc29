"""Pages that show or enter outcomes: the dashboard, the patient, the visit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from outcomes import (
    actions,
    confirmation,
    dashboard,
    history,
    meanwhile,
    patient_page,
    report,
    safety,
    schedule,
    submission,
)
from outcomes.as_published import as_published
from outcomes.charts import spider
from outcomes.data_queries.page import query_lines
from outcomes.flow_sheet import flow_sheet
from outcomes.forms import VisitForms
from outcomes.lesion_history import corrected
from outcomes.models import REVIEWER, Visit
from outcomes.options import (
    OptionsForm,
    group_of,
    of_group,
    options_of,
    reads_review,
    today,
)
from outcomes.patient_lines import spider_points
from outcomes.query_forms import refused
from outcomes.response_panel import later_lines
from outcomes.safety.frequent import adverse_event_table
from outcomes.treatment_block import conduct_of
from outcomes.visit_page import VisitPage
from patients import gate
from patients.forms import VoidForm
from patients.views import visible_patient
from registry.entry_pages import entry_page
from registry.errors import Refused, StaleVersion
from registry.pages import posted, replayed, signed_in
from registry.rest import InvalidParameter
from trials import access, as_known
from trials.models import Trial


def _visit(request: HttpRequest, pk: int) -> Visit:
    return get_object_or_404(
        Visit.objects.active().readable_by(signed_in(request)).with_rows(), pk=pk
    )


@login_required
def trial_dashboard(request: HttpRequest, registry_id: str) -> HttpResponse:
    """A trial's outcomes: cards, curves, waterfall, patients."""
    trial = get_object_or_404(Trial.objects.visible_to(signed_in(request)).named(registry_id))
    review = reads_review(request, trial)

    def read(asked: HttpRequest) -> tuple[report.Report, tuple[report.PatientOutcome, ...]]:
        options, group = options_of(asked, trial, ["group"]), group_of(asked.GET)
        found = report.build(trial, user=signed_in(request), options=options)
        return found, of_group(found, group)

    try:
        found, patients = read(request)
    except InvalidParameter:
        form = OptionsForm(report.Options(cutoff=today(trial)), review=review)
        return refused(request, form, read, trial=trial, title=_("Outcomes"))
    options, group = found.options, group_of(request.GET)
    published = list(as_known.rows(trial.published, options.known_on))
    events = safety.build(
        trial, user=signed_in(request), cutoff=options.cutoff, known_on=options.known_on
    )
    form = OptionsForm(found.options, review=reads_review(request, trial))
    context = {
        "trial": found.trial,
        "page": dashboard.page(found, request.GET.get("page"), patients),
        "group": dashboard.group_heading(found, group) if group else "",
        "adverse_events": adverse_event_table(events),
        "published": published,
        "as_published": as_published((one.measure, one.printed) for one in published),
        "options": OptionsForm(found.options, review=review),
        "review": review,
        "may_enroll": access.may_somewhere(
            signed_in(request), access.Action.WRITE_RECORDS, trial=trial
        ),
    }
    return render(request, "outcomes/trial_dashboard.html", context)


def _asked(request: HttpRequest, trial: Trial) -> tuple[report.Options, str, str]:
    """The options, the group whose patients are listed, and what is wrong with the asked ones."""
    try:
        return options_of(request, trial, ["group"]), group_of(request.GET), ""
    except InvalidParameter as invalid:
        plain = report.Options(cutoff=today(trial))
        return plain, "", f"{invalid.parameter}: {invalid.detail}"


@login_required
def patient(request: HttpRequest, pk: int) -> HttpResponse:
    """A patient: header, flow sheet, outcomes with their reasons, by the options of the address."""
    row = visible_patient(request, pk)
    try:
        options, error = patient_page.options_of(request, row.trial), ""
    except InvalidParameter as invalid:
        options, error = (
            report.Options(cutoff=today(row.trial)),
            f"{invalid.parameter}: {invalid.detail}",
        )
    past = patient_page.history_of(row, options)
    may = partial(access.may, signed_in(request), trial=row.trial, site=row.site)
    context = {
        "trial": row.trial,
        "patient": row,
        "error": error,
        "as_of": patient_page.as_of(request, row, options),
        "sheet": flow_sheet(past, corrected(past), cutoff=options.cutoff),
        "reviewed_sheet": past.reviewed,
        "outlook": schedule.outlook(row),
        "awaited": confirmation.awaited(row.trial, past.visits),
        "folded": None if error else patient_page.folded(row, options),
        "spider": spider.draw(spider_points(past, options.cutoff)),
        "spider_title": _("Sum of diameters, change from baseline"),
        "therapies": row.therapies.active(),
        "adverse_events": row.adverse_events.active(),
        "queries": query_lines(row.queries.open().with_question(), past.visits),
        "conduct": conduct_of(row),
        "deviations": row.deviations.in_force(),
        "reads_review": reads_review(request, row.trial),
        "may_write": may(access.Action.WRITE_RECORDS),
        "may_void": may(access.Action.VOID),
    }
    return render(request, "outcomes/patient.html", context, status=400 if error else 200)


@entry_page
def visit_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter the baseline, or the next follow-up visit."""
    row = visible_patient(request, pk)
    access.require(signed_in(request), access.Action.WRITE_RECORDS, trial=row.trial, site=row.site)
    past = history.load(row)
    if not past.visits and any(gate.baseline_too_early(row)):
        context = {"trial": row.trial, "patient": row, "title": _("Start the baseline")}
        return render(request, "outcomes/visit_too_early.html", context, status=_refused(request))

    def save(forms: VisitForms) -> Visit:
        if forms.visit:
            return correct(request, forms.visit, forms)
        return actions.record_visit(patient=row, entry=forms.checked_entry(), by=signed_in(request))

    data = posted(request)
    if data is not None and replayed(request):
        data = meanwhile.begun_anew(data)
    return enter(request, meanwhile.continued(VisitForms(past, data=data)), save)


def _is_new(request: HttpRequest) -> bool:
    """Whether the page is the one for a new visit, though it may go on as a correction."""
    match = request.resolver_match
    return bool(match and match.url_name in ("visit_new", "review_visit_new"))


def _refused(request: HttpRequest) -> int:
    return 422 if request.method == "POST" else 200


@entry_page
def visit_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a visit, with a reason."""
    visit = _visit(request, pk)
    row, action = visit.patient, actions.WRITING[visit.evaluator]
    access.require(signed_in(request), action, trial=row.trial, site=row.site)
    past = history.load(row, visit.evaluator)
    forms = VisitForms(past, visit=visit, data=posted(request))
    return enter(request, forms, partial(correct, request, visit))


def correct(request: HttpRequest, visit: Visit, forms: VisitForms) -> Visit:
    """Store what the forms say of a stored visit, with its reasons."""
    return actions.correct_visit(
        visit=visit,
        entry=forms.checked_entry(),
        by=signed_in(request),
        reason=forms.reason(),
        reasons=forms.reasons(),
        version=forms.form.cleaned_data.get("version") or 0,
    )


def enter(
    request: HttpRequest, forms: VisitForms, save: Callable[[VisitForms], Visit]
) -> HttpResponse:
    """Show the page; on a valid POST store the visit and go to the patient."""
    submitted = request.method == "POST" and not forms.wants_more_rows
    if submitted:
        try:
            visit = save(forms)
        except Refused as refused:
            forms = meanwhile.met(forms, refused)
        except StaleVersion as error:
            meanwhile.require_read(forms, error)
        else:
            corrected = forms.visit is not None
            messages.success(request, submission.banner(visit, corrected=corrected))
            return redirect(_patient_page(visit), pk=visit.patient_id)
    forms, stale = meanwhile.merged(forms)
    page = VisitPage(forms, stale=stale, new=_is_new(request))
    context = {"trial": page.patient.trial, "patient": page.patient, "page": page}
    context["reviewed"] = page.reviewed
    return render(request, "outcomes/visit.html", context, status=422 if submitted else 200)


def _patient_page(visit: Visit) -> str:
    """The page on which the visit stands beside the evaluator's others."""
    return "outcomes:review_patient" if visit.evaluator == REVIEWER else "outcomes:patient"


@login_required
@require_POST
def visit_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The computed response of a visit that is being typed, as a piece of the page."""
    return previewed(request, history.load(visible_patient(request, pk)))


def previewed(request: HttpRequest, past: history.History) -> HttpResponse:
    """What is typed, judged within a history: of the visit that is corrected, or of a new one."""
    corrected = next((v for v in past.visits if str(v.pk) == request.POST.get("visit")), None)
    page = VisitPage(VisitForms(past, visit=corrected, data=request.POST))
    return render(request, "outcomes/visit_preview.html", {"page": page, "patient": past.patient})


@entry_page
def visit_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a visit out of lists and analyses, with a reason."""
    visit = _visit(request, pk)
    row, action = visit.patient, actions.VOIDING[visit.evaluator]
    access.require(signed_in(request), action, trial=row.trial, site=row.site)
    form = VoidForm(posted(request), visit.version)
    if request.method == "POST" and form.is_valid():
        try:
            actions.void_visit(visit=visit, by=signed_in(request), **form.why())
        except Refused as refused:
            form.add_errors(refused.errors)
        except StaleVersion:
            form.add_error(None, _("Somebody changed this visit meanwhile; look at it again."))
        else:
            messages.success(request, _("Visit of %s voided.") % visit.date)
            return redirect(_patient_page(visit), pk=row.pk)
    past = history.load(row, visit.evaluator)
    context = {
        "trial": row.trial,
        "patient": row,
        "visit": visit,
        "reviewed": past.reviewed,
        "form": form,
        "later_visits": later_lines(actions.preview_void(visit), past),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "outcomes/visit_void.html", context, status=status)
