"""The page of studies side by side, and its table as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from outcomes import studies
from outcomes.cards import Card, endpoint_card
from outcomes.catalogue.printed import as_printed
from outcomes.query_forms import refused
from outcomes.report import tables
from outcomes.result_wording import months
from outcomes.studies import RATES, TIMES, Computed, Printed, Row, Sort
from outcomes.studies.documents import COLUMNS, study_document, table_rows
from outcomes.studies.options import StudiesForm, choices_of
from outcomes.studies.pairing import (
    CUTOFF,
    FOLLOW_UP,
    also_printed,
    paired,
    without_practice,
)
from registry.languages import labeled, listed
from registry.pages import signed_in
from registry.rest import InvalidParameter
from trials import published_terms
from trials.definitions import EndpointKind
from trials.publications import MedianClaim, ProportionClaim


@dataclass(frozen=True)
class Cell:
    """One figure: computed, with its interval and its inputs, or lines as printed."""

    card: Card | None = None
    printed: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyLine:
    """One study as the table shows it."""

    url: str
    name: str
    title: str
    year: int | None
    synthetic: bool
    published: bool
    scope: str
    n: int | None
    figures: tuple[tuple[str, Cell], ...]
    follow_up: str
    cutoff: str


@login_required
def studies_page(request: HttpRequest) -> HttpResponse:
    """One row per trial that the reader works on, beside the published catalogue."""
    try:
        choices = choices_of(request)
    except InvalidParameter:
        form = StudiesForm(QueryDict(), None)
        return refused(request, form, choices_of, title=_("Studies side by side"))
    found = studies.rows(signed_in(request), choices)
    rows = found if request.GET.get("practice") == "true" else without_practice(found)
    if choices.sort is Sort.STUDY and not choices.descending:
        rows = paired(rows)
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    printed = also_printed(page.object_list)
    context = {
        "lines": [study_line(row, printed) for row in page.object_list],
        "practice": len(found) - len(rows),
        "page_obj": page,
        "options": StudiesForm(request.GET, choices.known_on),
    }
    return render(request, "outcomes/studies.html", context)


@login_required
def studies_csv(request: HttpRequest) -> HttpResponse:
    """The same rows as a file for spreadsheets."""
    try:
        found = studies.rows(signed_in(request), choices_of(request))
        rows = found if request.GET.get("practice") == "true" else without_practice(found)
    except InvalidParameter as invalid:
        said = f"{invalid.parameter}: {invalid.detail}"
        return HttpResponse(said, status=400, content_type="text/plain; charset=utf-8")
    text = tables.csv_text(COLUMNS, table_rows(study_document(row) for row in rows))
    headers = {"Content-Disposition": 'attachment; filename="studies.csv"'}
    return HttpResponse(
        text.encode("utf-8-sig"), content_type="text/csv; charset=utf-8", headers=headers
    )


def study_line(row: Row, printed: Mapping[str, Mapping[str, str]]) -> StudyLine:
    """One row, worded; `printed`: what else is printed of a trial."""
    if isinstance(row, Computed):
        return _computed(row)
    return _printed(row, printed.get(row.trial or "", {}))


def _computed(row: Computed) -> StudyLine:
    trial, whole = row.trial, row.report.whole
    follow_up = whole.follow_up.reverse
    results = whole.rates | whole.survivals  # type: ignore[operator]
    return StudyLine(
        url=reverse("outcomes:trial_dashboard", args=[trial.registry_id]),
        name=str(trial.registry_id),
        title=trial.brief_title,
        year=None,
        synthetic=trial.synthetic,
        published=False,
        scope=_("Only your sites: %s") % listed(row.sites) if row.sites is not None else "",
        n=whole.n,
        figures=tuple(
            (kind.value, Cell(endpoint_card(results[kind]))) for kind in (*RATES, *TIMES)
        ),
        follow_up=months(follow_up.median, follow_up.median_reason),
        cutoff=row.report.options.cutoff.isoformat(),
    )


def _printed(row: Printed, further: Mapping[str, str]) -> StudyLine:
    publication = row.publication
    figures: dict[EndpointKind, list[ProportionClaim] | list[MedianClaim]] = {}
    figures |= {kind: row.rates(measure) for kind, measure in RATES.items()}
    figures |= {kind: row.medians(measure) for kind, measure in TIMES.items()}
    return StudyLine(
        url=reverse("outcomes:publication", args=[publication.key]),
        name=publication.key,
        title=publication.title,
        year=publication.year,
        synthetic=False,
        published=True,
        scope="",
        n=row.n,
        figures=tuple(
            (kind.value, Cell(printed=tuple(_said(claim) for claim in claims)))
            for kind, claims in figures.items()
        ),
        follow_up=further.get(FOLLOW_UP, ""),
        cutoff=further.get(CUTOFF, ""),
    )


def _said(claim: ProportionClaim | MedianClaim) -> str:
    """As printed, with the sign that a column of percent may leave to its heading."""
    if isinstance(claim, ProportionClaim) and claim.percent and "%" not in claim.percent:
        claim = claim.model_copy(update={"percent": f"{claim.percent} %"})
    told = as_printed(claim)
    return labeled(published_terms.group(claim.group), told) if claim.group else told
