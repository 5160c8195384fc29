"""The addresses of the site and one more: a bare view that stores a visit's rows unasked."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request

from outcomes.models import Lesion, Measurement, NonTargetStatus, Visit
from registry import audit
from registry.rest import TokenAuthentication
from registry.urls import urlpatterns as addresses


@csrf_exempt
def bare_visit(request: HttpRequest) -> HttpResponse:
    """Check the token and insert; no rule is asked, nothing is derived."""
    found = TokenAuthentication().authenticate(Request(request))
    if found is None:
        return HttpResponse(status=401)
    body = json.loads(request.body)
    with transaction.atomic():
        audit.attribute(by=found[0], reason="recorded")
        return JsonResponse({"id": _insert(body)}, status=201)


def _insert(body: dict[str, Any]) -> int:
    patient, on = body["patient"], date.fromisoformat(body["date"])
    lesions = list(Lesion.objects.filter(patient=patient).order_by("label"))
    visit = Visit(patient_id=patient, kind=body["kind"], date=on, overall_response="SD")
    Visit.objects.bulk_create([visit])
    of = {"patient_id": patient, "visit": visit}
    Measurement.objects.bulk_create(
        Measurement(lesion=lesion, state="measured", diameter_mm=30, **of)
        for lesion in lesions
        if lesion.role == "target"
    )
    NonTargetStatus.objects.bulk_create(
        NonTargetStatus(lesion=lesion, status="present", **of)
        for lesion in lesions
        if lesion.role == "non_target"
    )
    return visit.pk


urlpatterns = [*addresses, path("bare/visits/", bare_visit)]
