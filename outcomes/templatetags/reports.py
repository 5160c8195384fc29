"""What pages of figures keep of their options from link to link, and by which clock they tell."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import template

from outcomes.options import PARAMETERS, kept, zone_of
from outcomes.patient_links import FOLDED_BY
from registry.clocks import UNIVERSAL, offset
from trials.models import Trial

register = template.Library()
register.filter("zone", zone_of)


@register.filter
def clock(trial: Trial | None) -> str:
    """The clock of a trial's pages now: Asia/Shanghai, UTC+8; of pages of no one trial, UTC."""
    zone = zone_of(trial) if trial else UNIVERSAL
    return f"{zone}, {offset(datetime.now(ZoneInfo(zone)))}"


@register.simple_tag(takes_context=True)
def report_query(context: template.Context, *names: str) -> str:
    """The options in this page's address that another page takes, as its query; by default all."""
    said = kept(context["request"].GET, context["trial"], names or PARAMETERS)
    return f"?{urlencode(said)}" if said else ""


@register.simple_tag(takes_context=True)
def patient_query(context: template.Context) -> str:
    """The options in this page's address by which a patient's page folds, as its query."""
    request, trial = context.get("request"), context.get("trial")
    if not (request and trial):
        return ""
    said = kept(request.GET, trial, FOLDED_BY)
    return f"?{urlencode(said)}" if said else ""
