"""Pages of adverse events: several at once, and the terms to choose from."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from patients import actions, ctcae
from patients.adverse_event_forms import AdverseEventForms
from patients.views import writable_patient
from registry.entry_pages import entry_page
from registry.errors import Refused
from registry.pages import posted, signed_in


@entry_page
def adverse_event_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Record one adverse event or several; all are stored or none."""
    patient = writable_patient(request, pk)
    page = AdverseEventForms(patient, posted(request))
    submitted = request.method == "POST" and not page.wants_more_rows
    if submitted and page.is_valid():
        try:
            events = actions.record_adverse_events(
                patient=patient, by=signed_in(request), events=page.facts()
            )
        except Refused as refused:
            page.add_errors(refused.errors)
        else:
            messages.success(request, _stored(len(events)))
            again = "another" in request.GET
            return redirect(request.path) if again else redirect("outcomes:patient", pk=patient.pk)
    title = _("Add adverse events")
    context = {"trial": patient.trial, "patient": patient, "page": page, "title": title}
    status = 422 if submitted else 200
    return render(request, "patients/adverse_events.html", context, status=status)


def _stored(count: int) -> str:
    told = ngettext("%(count)s adverse event stored.", "%(count)s adverse events stored.", count)
    return told % {"count": count}


@login_required
def ctcae_terms(request: HttpRequest) -> HttpResponse:
    """Terms for what is typed, in the reader's language, the closest first."""
    language, version = get_language() or "", request.GET.get("version", "")
    found = ctcae.search(request.GET.get("q", ""), version)
    told = [{"value": row.name(language), "detail": _detail(row, language)} for row in found]
    return JsonResponse({"terms": told})


def _detail(row: ctcae.Term, language: str) -> str:
    """The class, and the grades where CTCAE defines fewer than five."""
    if row.grades in (None, ctcae.GRADES):
        return row.class_name(language)
    said = {"class": row.class_name(language), "grades": ", ".join(map(str, row.grades or ()))}
    return _("%(class)s; grades %(grades)s") % said
