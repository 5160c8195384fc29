"""What a reader may ask of the list of trials: the same query keys on the page and in the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter

from registry.rest import InvalidParameter
from trials.vocabularies import EnrollmentGate, Phase, Status, term

LONGEST = 200  # characters of a search
TERMS: dict[str, type[TextChoices]] = {
    "status": Status,
    "phase": Phase,
    "enrollment_gate": EnrollmentGate,
}
FLAGS = {"true": True, "false": False}
PARAMETERS = ("search", "status", "phase", "sarcoma", "enrollment_gate")
DOCUMENTED = [
    OpenApiParameter(
        "search",
        {"type": "string", "maxLength": LONGEST},
        description=gettext_lazy(
            "Words that all stand, in any case, in the ids, the titles, the acronym, the lead"
            " sponsor or the conditions."
        ),
    ),
    OpenApiParameter("status", enum=Status.values),
    OpenApiParameter("phase", enum=Phase.values),
    OpenApiParameter(
        "sarcoma",
        enum=list(FLAGS),
        description=gettext_lazy("Whether its patients count in sarcoma pools."),
    ),
    OpenApiParameter("enrollment_gate", enum=EnrollmentGate.values),
]


def asked(query: Mapping[str, str]) -> dict[str, Any]:
    """What `Trial.objects.matching` takes; InvalidParameter names the key of an unusable value."""
    terms = {name: _term(query, name) for name in TERMS}
    return {"search": _search(query), "sarcoma": _flag(query, "sarcoma"), **terms}


def _search(query: Mapping[str, str]) -> str:
    text = query.get("search", "")
    if len(text) > LONGEST or "\0" in text:
        raise InvalidParameter("search", _("At most %s characters, none of them NUL.") % LONGEST)
    return text


def _term(query: Mapping[str, str], name: str) -> str | None:
    """The code that a code or a label names, in any case."""
    text = query.get(name)
    if not text:
        return None
    code = term(TERMS[name], text)
    if code is None:
        raise InvalidParameter(name, _("One of: %s.") % ", ".join(TERMS[name].values))
    return code


def _flag(query: Mapping[str, str], name: str) -> bool | None:
    text = query.get(name)
    if text and text not in FLAGS:
        raise InvalidParameter(name, _("Either true or false."))
    return FLAGS[text] if text else None


ANY = ("", gettext_lazy("any"))


class TrialFiltersForm(forms.Form):
    """The filters as they stand in the address."""

    search = forms.CharField(
        label=gettext_lazy("Search"),
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"type": "search", "size": 32}),
    )
    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=[ANY, *Status.choices])
    phase = forms.ChoiceField(label=gettext_lazy("Phase"), choices=[ANY, *Phase.choices])
    sarcoma = forms.ChoiceField(
        label=gettext_lazy("Sarcoma pool"),
        choices=[ANY, ("true", gettext_lazy("yes")), ("false", gettext_lazy("no"))],
    )
    enrollment_gate = forms.ChoiceField(
        label=gettext_lazy("Enrollment"), choices=[ANY, *EnrollmentGate.choices]
    )
    use_required_attribute = False

    def __init__(self, query: Mapping[str, str]) -> None:
        codes = {name: term(TERMS[name], query.get(name, "")) for name in TERMS}
        super().__init__(initial={name: query.get(name, "") for name in PARAMETERS} | codes)
