"""What a figure rests on, in the reader's language: a definition, and who read the scans.

The one place that says so under every figure, card and curve.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from outcomes.models import INVESTIGATOR
from outcomes.report import Declared, Rate, Report, Survival
from trials import definition_wording
from trials.definition_wording import POPULATIONS, THERAPIES
from trials.definitions import Population


def in_words(endpoint: Declared, evaluator: str = INVESTIGATOR) -> str:
    """An endpoint's definition."""
    words = definition_wording.in_words(endpoint.kind, endpoint.definition)
    return _read(words, by=evaluator)


def result_in_words(found: Rate | Survival, evaluator: str = INVESTIGATOR) -> str:
    """The definition of a result, and who has no time in it."""
    words = definition_wording.in_words(found.endpoint.kind, found.endpoint.definition)
    if isinstance(found, Survival) and found.no_time_origin:
        words = " ".join([words, _("Without a time origin: %s.") % found.no_time_origin])
    return _read(words, by=evaluator)


def changes_in_words(report: Report) -> str:
    """Which changes of the sum of diameters count as a patient's best."""
    therapies = report.response_definition.censoring.therapies
    kinds = ", ".join(str(THERAPIES[kind]) for kind in sorted(therapies))
    words = _(
        "Best change of the sum of diameters from baseline among complete sums up to the first"
        " progression and not after new anticancer therapy (%s)."
    )
    return _read(words % kinds, by=report.options.evaluator)


def depth_in_words(report: Report) -> str:
    """Which changes the depth of response is of."""
    words = definition_wording.depth_in_words(report.response_definition)
    return _read(words, by=report.options.evaluator)


def population_in_words(population: Population, n: int, evaluator: str) -> str:
    """Whom a figure shows."""
    told = _("%(population)s, n = %(n)s") % {"population": POPULATIONS[population], "n": n}
    return told if evaluator == INVESTIGATOR else _read(f"{told}.", by=evaluator)


def assessed_in_words(report: Report, sentences: list[str]) -> str:
    """How a report's responses came about."""
    return _read(" ".join(sentences), by=report.options.evaluator)


def _read(words: str, *, by: str) -> str:
    """With who read the scans, where that is not the investigator."""
    said = "" if by == INVESTIGATOR else _("Read by the independent reviewer.")
    return f"{words} {said}".strip()
