"""Pages of a spreadsheet of visits: upload it, see what each row does, store all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from outcomes import visit_sheets
from outcomes.corrections import Difference
from outcomes.labels import response_label
from outcomes.methods.recist import Reason, Response
from outcomes.models import ImportRun, Visit, VisitSheet
from outcomes.report.tables import csv_text
from outcomes.visit_sheets import template as templates
from outcomes.visit_sheets.columns import HEADINGS
from outcomes.visit_sheets.files import LARGEST, Unreadable
from outcomes.wording import word_check
from registry.errors import Refused
from registry.pages import posted, signed_in
from trials import access
from trials.models import Trial

SHOWN = 50  # visits of a page
SHOWN_FIELD = "shown"  # of the form: the digest of what the page showed
AT_ONCE = 200  # visits that are checked while the upload waits; more are watched
LONGEST_REASON = 500
FORM_BYTES = 100_000  # of an upload, besides the file
OUTCOMES = {
    "refused": gettext_lazy("Refused"),
    "skipped": gettext_lazy("Not checked"),
    "updated": gettext_lazy("Changes a stored visit"),
    "created": gettext_lazy("New visit"),
    "unchanged": gettext_lazy("Unchanged"),
}


class SheetForm(forms.Form):
    """A spreadsheet to upload."""

    file = forms.FileField(
        label=gettext_lazy("Spreadsheet"),
        help_text=gettext_lazy("An .xlsx or .csv file, at most 10 MB and 25,000 rows."),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("This file is empty."),
        },
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv,.txt"}),
    )


class ReasonForm(forms.Form):
    """Why stored visits change; one reason for all rows that have none of their own."""

    reason = forms.CharField(
        label=gettext_lazy("Reason for the changes"),
        max_length=LONGEST_REASON,
        error_messages={"required": gettext_lazy("Say why the stored visits are changed.")},
    )


def _trial(request: HttpRequest, registry_id: str) -> Trial:
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    if not visit_sheets.may_upload(trial, user):
        raise PermissionDenied(access.refusal())
    return trial


def _sheet(request: HttpRequest, pk: int) -> VisitSheet:
    """A sheet of the user's own, of a trial into which the user may still write."""
    user = signed_in(request)
    sheet = get_object_or_404(VisitSheet.objects.of(user).select_related("trial"), pk=pk)
    if not visit_sheets.may_upload(sheet.trial, user):
        raise Http404
    return sheet


@csrf_exempt  # until `_upload`: checking the token reads the whole body, however large
@login_required
def visit_sheet_new(request: HttpRequest, registry_id: str) -> HttpResponse:
    """Choose a file; what its rows would do is shown next."""
    trial = _trial(request, registry_id)
    length = request.META.get("CONTENT_LENGTH") or ""
    if request.method == "POST" and (not length.isdecimal() or int(length) > LARGEST + FORM_BYTES):
        form = SheetForm({})
        form.errors.clear()
        form.add_error("file", _("At most 10 MB; send the rows in several files."))
        return _upload_page(request, trial, form)
    response: HttpResponse = _upload(request, trial)
    return response


@csrf_protect
def _upload(request: HttpRequest, trial: Trial) -> HttpResponse:
    form = SheetForm(posted(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file, user = form.cleaned_data["file"], signed_in(request)
        try:
            sheet = visit_sheets.read_sheet(
                trial=trial, by=user, file_name=file.name or "", content=file.read()
            )
        except Unreadable as unreadable:
            form.add_error("file", unreadable.detail)
        else:
            if len(sheet.lines) <= AT_ONCE:
                visit_sheets.check_sheet(sheet, by=user)
            return redirect("outcomes:visit_sheet", pk=sheet.pk)
    return _upload_page(request, trial, form)


def _upload_page(request: HttpRequest, trial: Trial, form: SheetForm) -> HttpResponse:
    context = {
        "trial": trial,
        "form": form,
        "columns": list(templates.explained()),
        "example": _example(),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "outcomes/visit_sheet_new.html", context, status=status)


def _example() -> dict[str, Any]:
    lines = templates.example_lines()
    headings = templates.headings_of(lines)
    return {
        "headings": headings,
        "rows": [[line.get(name, "") for name in headings] for line in lines],
    }


@login_required
@require_GET
def visit_sheet_file(request: HttpRequest, registry_id: str, name: str) -> HttpResponse:
    """The template, blank or filled, as a file."""
    _trial(request, registry_id)
    if name == "visits.xlsx":
        return _download(templates.as_xlsx(), templates.XLSX, name)
    if name == "visits.csv":
        return _download(templates.as_csv(HEADINGS, []), "text/csv", name)
    if name in ("example.csv", "example-wide.csv"):
        lines = templates.example_lines(wide=name == "example-wide.csv")
        return _download(templates.as_csv(templates.headings_of(lines), lines), "text/csv", name)
    raise Http404


def _download(content: bytes, media_type: str, name: str) -> HttpResponse:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=media_type, headers=disposition)


@login_required
def visit_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """What each row would do, or did; POST stores all of them, or shows what changed meanwhile."""
    sheet = _sheet(request, pk)
    if request.method != "POST":
        return _sheet_page(request, sheet, ReasonForm(), 200)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    if len(request.POST.get("reason", "")) > LONGEST_REASON:
        return _sheet_page(request, sheet, form, 422)
    try:
        sheet = visit_sheets.store_sheet(
            sheet, by=signed_in(request), reason=reason, shown=request.POST.get(SHOWN_FIELD, "")
        )
    except Refused:  # the form says so, too
        return _sheet_page(request, sheet, form, 422)
    if sheet.state == VisitSheet.State.STORED:
        return redirect("outcomes:visit_sheet", pk=pk)
    return _sheet_page(request, sheet, ReasonForm(), 409)


@login_required
@require_POST
def visit_sheet_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Look at a long sheet, which the upload did not wait for, or at one whose check was ended."""
    sheet = _sheet(request, pk)
    visit_sheets.check_sheet(sheet, by=signed_in(request))
    return redirect("outcomes:visit_sheet", pk=pk)


@login_required
@require_GET
def visit_sheet_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the check or the import has come: for a script, or as a page that looks again."""
    sheet = _sheet(request, pk)
    progress = _progress(sheet)
    if request.accepts("text/html"):
        if not progress["running"]:
            return redirect("outcomes:visit_sheet", pk=pk)
        context = {"trial": sheet.trial, "sheet": sheet, "progress": progress}
        return render(request, "outcomes/visit_sheet_progress.html", context)
    return JsonResponse(progress)


def _progress(sheet: VisitSheet) -> dict[str, Any]:
    run = ImportRun.objects.filter(sheet=sheet.pk).first()
    done, total = (run.lines_done, run.lines) if run else (0, len(sheet.lines))
    text = ngettext(
        "%(done)s of %(total)s visit looked at.", "%(done)s of %(total)s visits looked at.", total
    )
    return {
        "running": _under_way(sheet),
        "done": done,
        "total": max(total, 1),
        "text": text % {"done": done, "total": total},
    }


@transaction.atomic
def _under_way(sheet: VisitSheet) -> bool:
    """Whether somebody is checking or storing the sheet: who does holds its row."""
    free = VisitSheet.objects.filter(pk=sheet.pk).select_for_update(skip_locked=True)
    return not free.values_list("pk", flat=True)


def _died(sheet: VisitSheet) -> bool:
    """Whether the last check or import began and did not come to its end, nor is under way."""
    run = ImportRun.objects.filter(sheet=sheet.pk).first()
    return run is not None and run.state in (ImportRun.State.RUNNING, ImportRun.State.FAILED)


@login_required
@require_GET
def visit_sheet_report(request: HttpRequest, pk: int) -> HttpResponse:
    """What each visit would do, as CSV: to correct the spreadsheet by."""
    sheet = _sheet(request, pk)
    if not sheet.found:
        raise Http404
    rows = [row for line in _lines(sheet) for row in _report_rows(line)]
    columns = ("rows", "subject_id", "date", "kind", "outcome", "response", "cell", "detail")
    text = csv_text(columns, rows).encode("utf-8-sig")
    return _download(text, "text/csv", "visit-sheet-report.csv")


def _report_rows(line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    whole = {name: line[name] for name in ("rows", "subject_id", "date", "kind", "outcome")}
    whole = {name: str(value) for name, value in whole.items()} | {"response": line["response"]}
    said = [
        *({"cell": e["at"], "detail": e["detail"]} for e in line["problems"]),
        *({"cell": change.lesion, "detail": _arrow(change)} for change in line["changes"]),
        *(
            {"detail": _("Query: %(question)s") % {"question": question}}
            for question in line["asked"]
        ),
    ]
    yield from ({**whole, **one} for one in said or [{}])


def _arrow(change: Difference) -> str:
    return f"{change.name}: {change.before} → {change.after}"


def _sheet_page(
    request: HttpRequest, sheet: VisitSheet, form: ReasonForm, status: int
) -> HttpResponse:
    context: dict[str, Any] = {"trial": sheet.trial, "sheet": sheet, "form": form}
    progress = _progress(sheet)
    if progress["running"] or not sheet.found:
        context |= {"progress": progress, "died": not progress["running"] and _died(sheet)}
        return render(request, "outcomes/visit_sheet_progress.html", context, status=status)
    counted = visit_sheets.counts(sheet)
    show = request.GET.get("show", "")
    shown = [line for line in _lines(sheet) if show not in OUTCOMES or line["code"] == show]
    context |= {
        "digest": visit_sheets.digest(sheet),
        "counts": [(code, name, counted[code]) for code, name in OUTCOMES.items() if counted[code]],
        "blocked": visit_sheets.blocked(sheet),
        "refused": counted[visit_sheets.REFUSED],
        "writes": counted["created"] + counted["updated"],
        "asked": sum(len(line["asked"]) for line in sheet.found["lines"]),
        "asks_reason": visit_sheets.without_reason(sheet) > 0,
        "stored": sheet.state == VisitSheet.State.STORED,
        "watched": len(sheet.lines) > AT_ONCE,
        "progress": progress,
        "died": sheet.state != VisitSheet.State.STORED and _died(sheet),
        "changed": status == 409,
        "later": sheet.found["later"],
        "show": show if show in OUTCOMES else "",
        "page_obj": Paginator(shown, SHOWN).get_page(request.GET.get("page")),
    }
    return render(request, "outcomes/visit_sheet.html", context, status=status)


def _lines(sheet: VisitSheet) -> Iterator[dict[str, Any]]:
    """Each visit of the sheet with what it does, worded."""
    headings = sheet.about["columns"]
    for line, found in zip(sheet.lines, sheet.found["lines"], strict=True):
        yield {
            "rows": _ranges(line["rows"]),
            "subject_id": line["subject_id"],
            "date": line["date"],
            "kind": Visit.Kind(line["kind"]).label if line["kind"] else "",
            "code": found["outcome"],
            "outcome": OUTCOMES[found["outcome"]],
            "before": _response(found["before"]),
            "response": _response(found["response"]),
            "reason": line["reason"],
            "needs_reason": found["needs_reason"],
            "asked": [word_check(Reason(**check)) for check in found["asked"]],
            "problems": [p | {"heading": _heading(p["at"], headings)} for p in found["problems"]],
            "changes": [Difference(**change) for change in found["changes"]],
        }


def _response(code: str) -> str:
    return response_label(Response(code)) if code else ""


def _heading(at: str, headings: Mapping[str, str]) -> str:
    return headings.get(at.rstrip("0123456789"), "")


def _ranges(rows: list[int]) -> str:
    """Row numbers, in a row as a range: 2–4, 9."""
    parts: list[list[int]] = []
    for row in sorted(rows):
        if parts and row == parts[-1][1] + 1:
            parts[-1][1] = row
        else:
            parts.append([row, row])
    return ", ".join(f"{a}–{b}" if b > a else str(a) for a, b in parts)
