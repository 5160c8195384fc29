"""Where a patient stands under an endpoint, in the reader's language."""

from __future__ import annotations

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.dashboard import months
from outcomes.labels import ABSENCES, response_label
from outcomes.methods.recist import Response
from outcomes.report import Absence, Standing
from outcomes.wording import word

CATEGORIES = {
    "benefit": gettext_lazy("clinical benefit"),
    "no_benefit": gettext_lazy("no clinical benefit"),
    "event": gettext_lazy("event"),
    "censored": gettext_lazy("censored"),
    "no_response": gettext_lazy("no response that counts"),
}


def category_in_words(code: str) -> str:
    """A category's code (`definition_preview.category`) in words."""
    if code in list(Absence):
        return _("not in the analysis: %s") % ABSENCES[Absence(code)]
    if code in list(Response):
        return response_label(Response(code))
    return str(CATEGORIES[code])


def standing_in_words(code: str, standing: Standing) -> str:
    """The category; of a time also when, and after how long."""
    words = str(capfirst(category_in_words(code)))
    if standing.time is None:
        return words
    return _("%(category)s on %(date)s (%(months)s months)") % {
        "category": words,
        "date": standing.time.date.isoformat(),
        "months": months(standing.time.days),
    }


def why(standing: Standing) -> str:
    """The reason of a response, an event or a censoring; blank where the category says it."""
    found = standing.best or standing.time
    return word(found.reason) if found else ""
