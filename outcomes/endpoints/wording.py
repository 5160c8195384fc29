"""Where a patient stands under an endpoint, in the reader's language."""

from __future__ import annotations

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.endpoints.preview import Category, Place
from outcomes.labels import ABSENCES, response_label
from outcomes.methods.recist import Response
from outcomes.report import Absence, Standing
from outcomes.result_wording import months
from outcomes.wording import word

CATEGORIES = {
    Place.BENEFIT: gettext_lazy("clinical benefit"),
    Place.NO_BENEFIT: gettext_lazy("no clinical benefit"),
    Place.EVENT: gettext_lazy("event"),
    Place.CENSORED: gettext_lazy("censored"),
    Place.NO_RESPONSE: gettext_lazy("no response that counts"),
}


def category_in_words(category: Category) -> str:
    """A category in words."""
    if isinstance(category, Absence):
        return _("not in the analysis: %s") % ABSENCES[category]
    if isinstance(category, Response):
        return response_label(category)
    return str(CATEGORIES[category])


def standing_in_words(category: Category, standing: Standing) -> str:
    """The category; of a time also when, and after how long."""
    words = str(capfirst(category_in_words(category)))
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
