"""What a reader may choose of the studies side by side: the same query keys on page and in API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from outcomes.options import (
    CUTOFF,
    KNOWN_ON,
    OUTCOME_PARAMETERS,
    SEVERAL,
    OptionsForm,
    moment_of_several,
    of_several,
)
from outcomes.studies import Choices, Sort
from registry.languages import in_chinese
from registry.rest import InvalidParameter, refuse_unknown
from trials import histologies

FLAGS = {"true": True, "false": False}
PARAMETERS = (*SEVERAL, "sarcoma", "histology", "published", "sort")
SORTS = [sign + sort for sort in Sort for sign in ("", "-")]
HEADINGS = {
    Sort.STUDY: gettext_lazy("study"),
    Sort.N: "n",
    Sort.ORR: "ORR",
    Sort.DCR: "DCR",
    Sort.PFS: gettext_lazy("median PFS"),
    Sort.OS: gettext_lazy("median OS"),
    Sort.FOLLOW_UP: gettext_lazy("follow-up"),
}
DOCUMENTED = [
    CUTOFF,
    KNOWN_ON,
    *(one for one in OUTCOME_PARAMETERS if one.name in set(SEVERAL) - {"cutoff", "known_on"}),
    OpenApiParameter(
        "sarcoma", enum=list(FLAGS), description=gettext_lazy("Whether the patients have sarcoma.")
    ),
    OpenApiParameter(
        "histology",
        str,
        description=gettext_lazy(
            "A known name: only its patients, and what publications print of it."
        ),
    ),
    OpenApiParameter(
        "published",
        enum=list(FLAGS),
        description=gettext_lazy("false: without the catalogue of publications."),
    ),
    OpenApiParameter(
        "sort", enum=SORTS, description=gettext_lazy("With a minus from the highest down.")
    ),
]


def choices_of(request: Request | HttpRequest) -> Choices:
    """What is chosen; an unknown key or value raises InvalidParameter, which names it."""
    query: Mapping[str, str] = request.GET
    of_page = ("practice",) if isinstance(request, HttpRequest) else ()
    refuse_unknown(query, (*PARAMETERS, *of_page))
    _flag(query, "practice")
    sort = query.get("sort") or Sort.STUDY
    if sort not in SORTS:
        raise InvalidParameter.not_one_of("sort", SORTS)
    return Choices(
        options=of_several(request),
        known_on=moment_of_several(request),
        sarcoma=_flag(query, "sarcoma"),
        histology=_histology(query.get("histology", "")),
        published=_flag(query, "published") is not False,
        sort=Sort(sort.lstrip("-")),
        descending=sort.startswith("-"),
    )


def _flag(query: Mapping[str, str], name: str) -> bool | None:
    text = query.get(name)
    if text and text not in FLAGS:
        raise InvalidParameter(name, _("Either true or false."))
    return FLAGS[text] if text else None


def _histology(text: str) -> str:
    """The term that a name means."""
    found = histologies.families(text)
    if text and not found:
        raise InvalidParameter("histology", _("The name of a known histology."))
    return found[0] if found else ""


class StudiesForm(OptionsForm):
    """The choices as they stand in the address."""

    first = (*OptionsForm.first, "sarcoma", "histology")

    sarcoma = forms.ChoiceField(
        label=gettext_lazy("Sarcoma"),
        choices=[
            ("", gettext_lazy("any")),
            ("true", gettext_lazy("yes")),
            ("false", gettext_lazy("no")),
        ],
    )
    histology = forms.ChoiceField(label=gettext_lazy("Histology"))
    published = forms.ChoiceField(
        label=gettext_lazy("Publications"),
        choices=[("", gettext_lazy("beside")), ("false", gettext_lazy("without"))],
    )
    sort = forms.ChoiceField(label=gettext_lazy("Sorted by"))

    def __init__(self, query: Mapping[str, str], past: datetime | None) -> None:
        self.past = past
        asked = {name: query.get(name, "") for name in self.base_fields}
        forms.Form.__init__(self, initial=asked | {"histology": self._term(asked["histology"])})
        for name in self.fields.keys() - set(PARAMETERS):
            del self.fields[name]  # what can be asked of one trial only
        self.fields["histology"].choices = _histologies()  # type: ignore[attr-defined]
        self.fields["sort"].choices = _sorts()  # type: ignore[attr-defined]

    @staticmethod
    def _term(text: str) -> str:
        return next(iter(histologies.families(text)), "")


def _histologies() -> list[tuple[str, str]]:
    chinese = in_chinese()
    known = [(term, histologies.name(term, chinese=chinese)) for term in histologies.TERMS]
    return [("", _("all")), *sorted(known, key=lambda one: one[1].casefold())]


def _sorts() -> list[tuple[str, str]]:
    found = []
    for sort in Sort:
        found += [(sort.value, f"{HEADINGS[sort]} ↑"), (f"-{sort}", f"{HEADINGS[sort]} ↓")]
    return found
