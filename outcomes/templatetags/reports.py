"""What pages of figures keep of their options from link to link, and by which clock they tell."""

from __future__ import annotations

from datetime import date as Date
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms, template
from django.urls import reverse

from outcomes.cutoffs import KnownCutoff, known_cutoffs
from outcomes.options import COMPARABLE, PARAMETERS, kept, today, zone_of
from outcomes.patient_links import FOLDED_BY
from outcomes.report import Report
from outcomes.review.coverage import coverage_note
from outcomes.trial_pages import Navigation, navigation
from registry.clocks import UNIVERSAL, offset
from trials.models import Trial

register = template.Library()


@register.filter
def zone(trial: Trial | None) -> str:
    """By whose clock a page tells moments: of pages of no one trial, UTC."""
    return zone_of(trial) if trial else UNIVERSAL


@register.filter
def clock(trial: Trial | None) -> str:
    """The clock of a trial's pages now: Asia/Shanghai, UTC+8; of pages of no one trial, UTC."""
    zone = zone_of(trial) if trial else UNIVERSAL
    return f"{zone}, {offset(datetime.now(ZoneInfo(zone)))}"


@register.simple_tag(takes_context=True)
def cutoffs(context: template.Context) -> list[KnownCutoff]:
    """The data cutoffs that matter in the context's trial; none of pages of no one trial."""
    request, trial = context.get("request"), context.get("trial")
    return known_cutoffs(trial, request.user) if request and isinstance(trial, Trial) else []


@register.filter
def ahead(form: forms.Form, trial: Trial | None) -> Date | None:
    """A form's cutoff, where it is still to come."""
    cutoff = form.initial.get("cutoff")
    if not isinstance(trial, Trial) or not isinstance(cutoff, Date):
        return None
    return cutoff if cutoff > today(trial) else None


@register.inclusion_tag("outcomes/_review_coverage.html", takes_context=True)
def review_coverage(context: template.Context, report: Report) -> dict[str, Any]:
    """How much of the patients the reviewer has read, where that is not all, and where to see it."""
    trial, note = context["trial"], coverage_note(report)
    said = kept(context["request"].GET, trial, COMPARABLE) if note else {}
    path = reverse("outcomes:discordance", args=[trial.registry_id])
    return {"note": note, "url": f"{path}?{urlencode(said)}" if said else path}


@register.simple_tag(takes_context=True)
def trial_pages(context: template.Context) -> Navigation | None:
    """The way to the other pages of the trial in the context, on its own pages; else None."""
    request, trial = context.get("request"), context.get("trial")
    if not isinstance(trial, Trial) or not (request and request.resolver_match):
        return None
    view = request.resolver_match.view_name
    return navigation(trial, request.user, view=view, asked=request.GET)


@register.simple_tag(takes_context=True)
def report_query(context: template.Context, *names: str, **further: str) -> str:
    """The options in this page's address that another page takes, as its query; by default all."""
    said = kept(context["request"].GET, context["trial"], names or PARAMETERS) | further
    return f"?{urlencode(said)}" if said else ""


@register.simple_tag(takes_context=True)
def patient_query(context: template.Context) -> str:
    """The options in this page's address by which a patient's page folds, as its query."""
    request, trial = context.get("request"), context.get("trial")
    if not (request and trial):
        return ""
    said = kept(request.GET, trial, FOLDED_BY)
    return f"?{urlencode(said)}" if said else ""
