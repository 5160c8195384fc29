"""The CTCAE terms over HTTP, for those who enter adverse events elsewhere."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import views
from rest_framework.request import Request
from rest_framework.response import Response

from patients import ctcae
from patients.api import text_parameter
from patients.documents import CtcaeTermDocument
from registry.rest import InvalidParameter, Pagination

PARAMETERS = [
    OpenApiParameter(
        "q", str, description=gettext_lazy("Words of a term, in English or Chinese, or a synonym.")
    ),
    OpenApiParameter("version", str, enum=ctcae.VERSIONS),
]


class CtcaeTermList(views.APIView):
    """Terms of CTCAE 5.0 and 4.03, in English and Chinese."""

    pagination_class = Pagination
    filters = ("q", "version")

    @extend_schema(parameters=PARAMETERS, responses=CtcaeTermDocument)
    def get(self, request: Request) -> Response:
        """Terms that match `q`, the closest first; without it all, by class and name."""
        asked, version = text_parameter(request, "q"), text_parameter(request, "version")
        if version is not None and version not in ctcae.VERSIONS:
            accepted = _("One of: %s.") % ", ".join(ctcae.VERSIONS)
            raise InvalidParameter("version", accepted)
        every = ctcae.terms(version or "")
        rows = every if asked is None else ctcae.search(asked, version or "", most=None)
        pagination = self.pagination_class()
        page = pagination.paginate_queryset(rows, request, view=self)
        return pagination.get_paginated_response([_document(row) for row in page or []])


def _document(row: ctcae.Term) -> CtcaeTermDocument:
    return {
        "term": row.term,
        "chinese": row.chinese,
        "system_organ_class": row.system_organ_class,
        "versions": list(row.versions),  # type: ignore[arg-type]
        "grades": list(row.grades) if row.grades else None,
        "synonyms": list(row.synonyms),
    }
