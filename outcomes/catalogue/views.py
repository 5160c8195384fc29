"""Pages of the catalogue: the studies, and one publication with its audit."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from outcomes import catalogue
from outcomes.catalogue import page as catalogue_page
from registry.pages import signed_in


@login_required
def publication_list(request: HttpRequest) -> HttpResponse:
    """The catalogue: main figures as printed, and how many findings."""
    form = catalogue_page.CatalogueForm(request.GET)
    found = form.chosen(catalogue.entries(signed_in(request)))
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    context = {
        "studies": [catalogue_page.study(entry) for entry in page.object_list],
        "page_obj": page,
        "form": form,
    }
    return render(
        request, "outcomes/publication_list.html", context, status=400 if form.errors else 200
    )


@login_required
def publication(request: HttpRequest, key: str) -> HttpResponse:
    """A publication: every claim as printed, what was recomputed, and the verdict."""
    entry = catalogue.entry(signed_in(request), key)
    if entry is None:
        raise Http404
    context = {
        "entry": entry,
        "publication": entry.publication,
        "results": entry.results,
        "badges": catalogue_page.badges(entry),
        "lines": catalogue_page.claim_lines(entry),
        "verdicts": catalogue_page.verdicts(entry.findings_of_all),
    }
    return render(request, "outcomes/publication.html", context)
