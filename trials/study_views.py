"""The page that imports a ClinicalTrials.gov study: read first, stored when it was seen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import FieldDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.errors import Refused
from registry.pages import signed_in
from trials import access
from trials.models import Trial
from trials.study_files import Imported, import_study
from trials.study_forms import StudyForm
from trials.study_wording import worded

LISTS = {
    "sites": gettext_lazy("sites"),
    "officials": gettext_lazy("officials and contacts"),
    "arms": gettext_lazy("arms"),
    "endpoints": gettext_lazy("endpoints"),
    "criteria": gettext_lazy("eligibility criteria"),
    "published": gettext_lazy("published figures"),
}
# What is shown of an item of a list.
SHOWN = {
    "sites": ("code", "name", "city", "country", "timezone"),
    "officials": ("name", "role", "affiliation"),
    "endpoints": ("kind", "name", "role", "time_frame"),
    "criteria": ("kind", "text"),
    "published": ("measure", "printed"),
}


@login_required
def ctgov_import(request: HttpRequest) -> HttpResponse:
    """Paste or upload a study; see what would be stored, or every error; store it."""
    user = signed_in(request)
    access.require_superuser(user)
    if request.method != "POST":
        return _page(request, StudyForm(), 200)
    form = StudyForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, 422)
    stores = "store" in request.POST and form.shown_before
    try:
        found = import_study(form.document, by=user, dry_run=not stores)
    except Refused as refused:
        kept = StudyForm(initial={"study": form.text})
        return _page(request, kept, 422, page={"errors": refused.errors})
    if stores:
        messages.success(request, _("%s is stored.") % found.trial.registry_id)
        return redirect("outcomes:trial_dashboard", registry_id=found.trial.registry_id)
    kept = StudyForm(initial={"study": form.text, "checked": form.fingerprint})
    return _page(request, kept, 200, found=_preview(found))


def _page(request: HttpRequest, form: StudyForm, status: int, **context: Any) -> HttpResponse:
    return render(request, "trials/ctgov_import.html", {"form": form, **context}, status=status)


def _preview(found: Imported) -> dict[str, Any]:
    """What would be stored, and what is to be known of it."""
    return {
        "rows": list(_rows(found.body)),
        "messages": [(message.pointer, worded(message)) for message in found.messages],
        "json": json.dumps(found.body, indent=2, ensure_ascii=False),
    }


def _rows(body: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each key that says something, with its name and its lines."""
    for key, value in body.items():
        lines = _lines(key, value)
        if lines:
            yield _name(key), lines


def _name(key: str) -> str:
    if key in LISTS:
        return str(LISTS[key])
    try:
        return str(getattr(Trial._meta.get_field(key), "verbose_name", key))
    except FieldDoesNotExist:
        return key


def _lines(key: str, value: Any) -> list[str]:
    if value is None or value == "":
        return []
    if key == "arms":
        return [_arm(arm) for arm in value]
    if isinstance(value, list):
        return [_item(key, item) for item in value]
    if isinstance(value, bool):
        return [_("yes") if value else _("no")]
    return [str(value)]


def _item(key: str, item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    return " · ".join(str(item[name]) for name in SHOWN.get(key, ()) if item.get(name))


def _arm(arm: Mapping[str, Any]) -> str:
    drugs = [
        " ".join(str(drug[k]) for k in ("name", "dose", "unit", "route") if drug.get(k))
        for drug in arm.get("interventions") or []
    ]
    return f"{arm['name']}: {', '.join(drugs)}" if drugs else str(arm["name"])
