"""Pages of screening: the log, the form, consent, and the three steps to enrollment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date as Date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patients import actions as patient_actions
from patients import gate, judging
from patients import screening as actions
from patients.forms import ChangeForm, VoidForm
from patients.judging import Protocol
from patients.models import Conclusion, Consent, Patient, Screening
from patients.screening_forms import (
    ConsentForm,
    EnrollmentForm,
    FailureForm,
    NewSubjectForm,
    ScreeningForm,
)
from patients.screening_page import STATUSES, log_lines, result_panel, with_status
from patients.screening_record import differences, value_lines
from patients.screening_wording import summary
from patients.views import visible_patient
from registry import meanwhile
from registry.entry_pages import entry_page
from registry.errors import Refused, StaleVersion
from registry.form_fields import CalendarDateField
from registry.pages import posted, signed_in
from trials import access
from trials.models import Site, Trial


def _trial(request: HttpRequest, registry_id: str) -> Trial:
    return get_object_or_404(Trial.objects.visible_to(signed_in(request)).named(registry_id))


def _record(request: HttpRequest, model: Any, pk: int) -> Any:
    """A consent or screening within the user's scope; 404 for any other."""
    rows = model.objects.active().visible_to(signed_in(request))
    return get_object_or_404(rows.select_related("patient__trial", "patient__site"), pk=pk)


def _require(request: HttpRequest, patient: Patient, action: access.Action) -> None:
    access.require(signed_in(request), action, trial=patient.trial, site=patient.site)


@login_required
def screening_log(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Everybody who was screened for a trial, the latest first."""
    user, trial = signed_in(request), _trial(request, registry_id)
    asked = {name: request.GET.get(name, "").strip() for name in ("subject", "site", "conclusion")}
    rows = with_status(Screening.objects.active().visible_to(user).filter(patient__trial=trial))
    if asked["conclusion"] in dict(STATUSES):
        rows = rows.filter(status=asked["conclusion"])
    if asked["site"] and "\0" not in asked["site"]:
        rows = rows.filter(patient__site__code=asked["site"])
    if asked["subject"] and "\0" not in asked["subject"]:
        rows = rows.filter(patient__subject_id__icontains=asked["subject"])
    rows = rows.select_related("patient__site", "protocol_version")
    page = Paginator(rows.order_by("-screened_on", "-pk"), 50).get_page(request.GET.get("page"))
    context = {
        "trial": trial,
        "asked": asked,
        "filtered": any(asked.values()),
        "conclusions": STATUSES,
        "sites": Site.objects.visible_to(user).filter(trial=trial),
        "page_obj": page,
        "lines": log_lines(page),
        "may_write": access.may_somewhere(user, access.Action.WRITE_RECORDS, trial=trial),
    }
    return render(request, "patients/screenings.html", context)


@entry_page
def screening_start(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Whom to screen: somebody new, or somebody who is not enrolled yet."""
    user, trial = signed_in(request), _trial(request, registry_id)
    if not access.may_somewhere(user, access.Action.WRITE_RECORDS, trial=trial):
        raise PermissionDenied(access.refusal())
    form = NewSubjectForm(Site.objects.visible_to(user).filter(trial=trial), posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            patient = patient_actions.enroll_patient(trial=trial, by=user, **form.facts())
        except Refused as refused:
            form.add_errors(refused.errors)
        else:
            return redirect("patients:enrollment", pk=patient.pk)
    waiting = Patient.objects.active().visible_to(user).filter(trial=trial, enrolled_on=None)
    screened = Screening.objects.active().filter(patient=OuterRef("pk"))
    latest = screened.order_by("-screened_on", "-pk").values("conclusion")[:1]
    waiting = waiting.annotate(latest=Subquery(latest))
    waiting = waiting.filter(Q(latest=None) | ~Q(latest=Conclusion.FAILED))
    context = {
        "trial": trial,
        "form": form,
        "title": _("Screen a patient"),
        "waiting": waiting.select_related("site").order_by("-pk")[:50],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/screening_start.html", context, status=status)


@entry_page
def screening_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Screen a patient by the protocol in force on the day."""
    user, patient = signed_in(request), visible_patient(request, pk)
    _require(request, patient, access.Action.WRITE_RECORDS)
    form = _screening_form(request, patient)

    def save() -> Screening:
        facts = {"screened_on": form.cleaned_data["screened_on"], "values": form.document()}
        return actions.screen_patient(patient=patient, by=user, **facts)

    return _screened(request, form, save)


@entry_page
def screening_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a screening, with a reason, by its own protocol version."""
    user, screening = signed_in(request), _record(request, Screening, pk)
    _require(request, screening.patient, access.Action.WRITE_RECORDS)
    form = _screening_form(request, screening.patient, screening)

    def save() -> Screening:
        facts = {"screened_on": form.cleaned_data["screened_on"], "values": form.document()}
        why = form.why()
        return actions.correct_screening(screening=screening, changes=facts, by=user, **why)

    return _screened(request, form, save)


@login_required
@require_POST
def screening_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The results of a screening that is being typed, as a piece of the page."""
    patient = visible_patient(request, pk)
    rows = patient.screenings.filter(voided_at=None)
    corrected = next((s for s in rows if str(s.pk) == request.POST.get("screening")), None)
    form = _screening_form(request, patient, corrected)
    unread = [(form.control(error), error.detail) for error in form.problems()]
    context = {"panel": result_panel(form.results()), "unread": unread}
    return render(request, "patients/_screening_results.html", context)


def _screening_form(
    request: HttpRequest, patient: Patient, screening: Screening | None = None
) -> ScreeningForm:
    on = _day(request, "screened_on") or (
        screening.screened_on if screening else patient.site.today()
    )
    version = screening.protocol_version if screening else judging.in_force(patient.trial, on)
    return ScreeningForm(
        Protocol.of(version), patient, on=on, data=posted(request), screening=screening
    )


def _day(request: HttpRequest, name: str) -> Date | None:
    """A posted day, if it is one."""
    try:
        found = CalendarDateField(required=False).clean(request.POST.get(name, ""))
    except ValidationError:
        return None
    return found if isinstance(found, Date) else None


def _screened(
    request: HttpRequest, form: ScreeningForm, save: Callable[[], Screening]
) -> HttpResponse:
    """Show the form with its results; on a valid POST store and go on to the enrollment."""
    checking, context = "check" in request.POST, dict[str, Any]()
    if request.method == "POST" and not checking and form.is_valid():
        try:
            stored = save()
        except Refused as refused:
            form.add_errors(refused.errors)
        except StaleVersion as stale:
            context |= _stale(form, stale.current)
        else:
            found = {"day": stored.screened_on, "summary": summary(stored.results)}
            messages.success(request, _("Screening of %(day)s stored: %(summary)s.") % found)
            return redirect("patients:enrollment", pk=stored.patient_id)
    context |= {
        "trial": form.patient.trial,
        "patient": form.patient,
        "form": form,
        "screening": form.screening,
        "sections": form.sections(),
        "panel": result_panel(form.results()),
        "title": _("Correct the screening") if form.screening else _("Screening"),
    }
    status = 422 if request.method == "POST" and not checking else 200
    return render(request, "patients/screening.html", context, status=status)


def _stale(form: ScreeningForm, current: int) -> dict[str, Any]:
    """What is stored by now, beside what is typed; storing again is against what is shown."""
    assert form.screening is not None
    stored = Screening.objects.get(pk=form.screening.pk)
    form.add_error(None, _("Somebody changed this screening meanwhile: nothing is stored yet. Below "
                           "is what you typed; store it again to replace what is stored now."))  # fmt: skip
    form.read_again(current)
    return {
        "stored": stored,
        "stored_summary": summary(stored.results),
        "differences": differences(stored, form.protocol, form.document()),
    }


@login_required
def screening_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One screening as it was entered and judged."""
    user, row = signed_in(request), _record(request, Screening, pk)
    rows = with_status(Screening.objects.filter(pk=row.pk))
    (line,) = log_lines(rows.select_related("patient__trial", "patient__site", "protocol_version"))
    screening, patient = line.screening, line.screening.patient
    context = {
        "trial": patient.trial,
        "patient": patient,
        "line": line,
        "screening": screening,
        "values": value_lines(screening, Protocol.of(screening.protocol_version)),
        "panel": result_panel(screening.results),
        "title": _("Screening of %s") % screening.screened_on,
    }
    may = {
        f"may_{action.value}": access.may(user, action, trial=patient.trial, site=patient.site)
        for action in (access.Action.WRITE_RECORDS, access.Action.VOID)
    }
    return render(request, "patients/screening_detail.html", context | may)


@entry_page
def enrollment(request: HttpRequest, pk: int) -> HttpResponse:
    """Three steps: consent, eligibility, enrollment; what is missing, and how to mend it."""
    user, patient = signed_in(request), visible_patient(request, pk)
    trial, site = patient.trial, patient.site
    may = {
        f"may_{action.value}": access.may(user, action, trial=trial, site=site)
        for action in (access.Action.WRITE_RECORDS, access.Action.DEVIATE, access.Action.VOID)
    }
    form = EnrollmentForm(trial, patient, posted(request))
    if request.method == "POST":
        _require(request, patient, access.Action.WRITE_RECORDS)
        if form.is_valid() and _enrolled(request, form, patient):
            messages.success(request, _("Enrolled on %s.") % form.cleaned_data["enrolled_on"])
            return redirect("outcomes:patient", pk=patient.pk)
    on = patient.enrolled_on or _day(request, "enrolled_on") or site.today()
    standing = gate.standing(patient, on)
    screening = standing.screening
    screenings = patient.screenings.filter(voided_at=None).select_related("protocol_version")
    context = may | {
        "screenings": log_lines(with_status(screenings).order_by("-screened_on", "-pk")),
        "trial": trial,
        "patient": patient,
        "form": form,
        "standing": standing,
        "panel": result_panel(screening.results, standing) if screening else None,
        "eligible": not [*standing.screening_missing, *standing.criteria_missing],
        "needs_screening": bool(
            screening and screening.protocol_version_id != standing.protocol.pk
        ),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/enrollment.html", context, status=status)


def _enrolled(request: HttpRequest, form: EnrollmentForm, patient: Patient) -> bool:
    said = form.cleaned_data
    try:
        actions.enroll_screened(
            patient=patient, enrolled_on=said["enrolled_on"], arm=said.get("arm"),
            by=signed_in(request), reason="enrolled", version=said["version"],
        )  # fmt: skip
    except Refused as refused:
        if gate.standing(patient, said["enrolled_on"]).missing and patient.trial.screened_here:
            form.add_error("enrolled_on", _("Not enrolled: step 3 lists what is in the way."))
        else:
            form.add_errors(refused.errors)
    except StaleVersion:
        form.add_error(None, _("Somebody changed this patient meanwhile; look again."))
    else:
        return True
    return False


@entry_page
def consent_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a signed consent form."""
    user, patient = signed_in(request), visible_patient(request, pk)
    _require(request, patient, access.Action.WRITE_RECORDS)
    asked = judging.in_force(patient.trial, patient.site.today()).consent_version
    form = ConsentForm(posted(request), asked=asked)

    def save() -> Consent:
        return actions.record_consent(patient=patient, by=user, **form.facts())

    return _entered(request, form, save, patient, _("Record a consent"))


@entry_page
def consent_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a consent, or record its withdrawal, with a reason."""
    user, consent = signed_in(request), _record(request, Consent, pk)
    _require(request, consent.patient, access.Action.WRITE_RECORDS)
    form = ConsentForm(posted(request), consent)

    def save() -> Consent:
        return actions.correct_consent(consent=consent, changes=form.facts(), by=user, **form.why())

    return _entered(request, form, save, consent.patient, _("Correct the consent"))


@entry_page
def screening_fail(request: HttpRequest, pk: int) -> HttpResponse:
    """Conclude a screening as a screen failure, with its reason."""
    user, screening = signed_in(request), _record(request, Screening, pk)
    _require(request, screening.patient, access.Action.WRITE_RECORDS)
    form = FailureForm(posted(request), screening)

    def save() -> Screening:
        facts = form.cleaned_data | {"reason": form.cleaned_data["failure_reason"]}
        return actions.conclude_screening(
            screening=screening, conclusion=Conclusion.FAILED, by=user, **facts
        )

    title = _("Screen failure: screening of %s") % screening.screened_on
    return _entered(request, form, save, screening.patient, title)


@entry_page
@require_POST
def screening_conclude(request: HttpRequest, pk: int) -> HttpResponse:
    """Conclude a screening as eligible, or open it again."""
    user, screening = signed_in(request), _record(request, Screening, pk)
    _require(request, screening.patient, access.Action.WRITE_RECORDS)
    eligible = request.POST.get("conclusion") == Conclusion.ELIGIBLE
    version = request.POST.get("version", "")
    try:
        actions.conclude_screening(
            screening=screening,
            conclusion=Conclusion.ELIGIBLE if eligible else Conclusion.OPEN,
            by=user, reason="concluded" if eligible else "opened again",
            version=int(version) if version.isascii() and version.isdigit() else 0,
        )  # fmt: skip
    except Refused as refused:
        messages.error(request, " ".join(error.detail for error in refused.errors))
    except StaleVersion:
        messages.error(request, _("Somebody changed this screening meanwhile; look again."))
    return redirect("patients:enrollment", pk=screening.patient_id)


VOIDED: dict[type[Any], Callable[..., Any]] = {
    Consent: lambda row, **why: actions.void_consent(consent=row, **why),
    Screening: lambda row, **why: actions.void_screening(screening=row, **why),
}


@entry_page
def consent_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a consent out of lists and of what an enrollment rests on."""
    return _void(request, Consent, pk, _("Void the consent"))


@entry_page
def screening_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a screening out of lists and of what an enrollment rests on."""
    return _void(request, Screening, pk, _("Void the screening"))


def _void(request: HttpRequest, model: type[Any], pk: int, title: str) -> HttpResponse:
    user, row = signed_in(request), _record(request, model, pk)
    _require(request, row.patient, access.Action.VOID)
    form = VoidForm(posted(request), row.version)

    def save() -> Any:
        return VOIDED[model](row, by=user, **form.why())

    return _entered(request, form, save, row.patient, title)


def _entered(
    request: HttpRequest,
    form: ChangeForm,
    save: Callable[[], object],
    patient: Patient,
    title: str,
) -> HttpResponse:
    """Show the form; on a valid POST store it and go to the steps of the enrollment."""
    context: dict[str, Any] = {"trial": patient.trial, "patient": patient, "title": title}
    context["form"] = form
    if request.method == "POST" and form.is_valid():
        try:
            save()
        except Refused as refused:
            form.add_errors(refused.errors)
        except StaleVersion as stale:
            context["meanwhile"] = meanwhile.since(form, stale)
            form.add_error(None, _("Somebody changed this meanwhile; look at it again."))
        else:
            messages.success(request, _("Stored."))
            return redirect("patients:enrollment", pk=patient.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/form.html", context, status=status)
