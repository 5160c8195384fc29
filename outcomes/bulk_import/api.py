"""Bulk import over HTTP: newline-delimited JSON in, counts or line-numbered errors out."""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes.bulk_import import import_records
from outcomes.bulk_import.lines import CREATED, UNCHANGED, UPDATED, Imported
from outcomes.documents import (
    ImportCounts,
    ImportDocument,
    ImportedDocument,
    ImportProblemDocument,
    ImportRunDocument,
)
from outcomes.models import ImportRun
from registry.documents import ProblemDocument
from registry.errors import FieldError, Refused
from registry.idempotency import idempotent
from registry.ndjson import MEDIA_TYPE, Lines, NDJSONParser
from registry.rest import PROBLEM, caller, flag_parameter, refuse_unknown
from trials import access
from trials.models import Trial

FORBIDDEN = OpenApiResponse(ProblemDocument, description=gettext_lazy("The caller may not import."))
DRY_RUN = OpenApiParameter(
    "dry_run",
    bool,
    description=gettext_lazy("Check every line as if it were stored, and store nothing."),
)


def imported_trial(request: Request, _told: Any) -> QuerySet[Trial]:
    """The trial of an import, while the caller may import into it."""
    user, registry_id = caller(request), request.parser_context["kwargs"]["registry_id"]
    trials = Trial.objects.visible_to(user).named(registry_id)
    allowed = all(access.may(user, access.Action.IMPORT, trial=trial) for trial in trials)
    return trials if allowed else trials.none()


class TrialImport(generics.GenericAPIView[ImportRun]):
    """Many records at once, as newline-delimited JSON: all or nothing."""

    parser_classes = [NDJSONParser]

    def _trial(self, registry_id: str) -> Trial:
        user = caller(self.request)
        trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
        access.require(user, access.Action.IMPORT, trial=trial)
        return trial

    @extend_schema(
        operation_id="trials_imports_list",
        responses={200: ImportRunDocument, (403, PROBLEM): FORBIDDEN},
    )
    def get(self, request: Request, registry_id: str) -> Response:
        """The imports into a trial, the latest first, and how far each has come."""
        rows = ImportRun.objects.filter(trial=self._trial(registry_id)).select_related("by")
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([import_run_document(run) for run in page])

    @extend_schema(
        request={MEDIA_TYPE: OpenApiTypes.STR},
        parameters=[DRY_RUN],
        responses={200: ImportDocument, (400, PROBLEM): ImportProblemDocument},
    )
    @idempotent(imported_trial, streamed=True)
    def post(self, request: Request, registry_id: str) -> Response:
        """Create or change patients and what is recorded of them, or name every error."""
        refuse_unknown(request.query_params, ["dry_run"])
        trial, dry_run = self._trial(registry_id), flag_parameter(request, "dry_run")
        with request.data if isinstance(request.data, Lines) else Lines(BytesIO()) as lines:
            if not lines.count:
                nothing = [FieldError("", _("Send at least one line: a JSON object each."))]
                raise Refused(nothing, {**import_counts(Imported(), dry_run=dry_run)})
            done = import_records(trial=trial, by=caller(request), lines=lines, dry_run=dry_run)
        counted = import_counts(done, dry_run=dry_run)
        if done.errors:
            raise Refused(done.errors, {**counted})
        told: ImportDocument = {**counted, "errors": []}
        return Response(told)


def import_counts(done: Imported, *, dry_run: bool) -> ImportCounts:
    """What an import did, per record type; nothing where a line was refused."""
    return {
        "dry_run": dry_run,
        "created": _counted(done, CREATED),
        "updated": _counted(done, UPDATED),
        "unchanged": _counted(done, UNCHANGED),
    }


def _counted(done: Imported, outcome: str) -> ImportedDocument:
    counts = Counter() if done.errors else done.counts
    return {
        "patient": counts[outcome, "patient"],
        "visit": counts[outcome, "visit"],
        "therapy": counts[outcome, "therapy"],
        "adverse_event": counts[outcome, "adverse_event"],
        "deviation": counts[outcome, "deviation"],
        "total": sum(n for (of, _name), n in counts.items() if of == outcome),
    }


def import_run_document(run: ImportRun) -> ImportRunDocument:
    """How far an import has come."""
    return {
        "id": run.pk,
        "state": run.state_now,
        "dry_run": run.dry_run,
        "by": run.by.username,
        "lines": run.lines,
        "lines_done": run.lines_done,
        "started_at": run.started_at.isoformat(),
        "updated_at": run.updated_at.isoformat(),
    }
