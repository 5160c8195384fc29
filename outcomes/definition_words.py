"""What a figure rests on, in the reader's language: a definition, and who read the scans.

The one place that says so under every figure, card and curve.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from outcomes.models import INVESTIGATOR
from outcomes.report import Declared, Rate, Report, Survival
from registry.languages import listed, sentences
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
        words = sentences(words, _("Without a time origin: %s.") % found.no_time_origin)
    return _read(words, by=evaluator)


def changes_in_words(report: Report) -> str:
    """Which changes of the sum of diameters count as a patient's best."""
    therapies = report.response_definition.censoring.therapies
    kinds = listed(THERAPIES[kind] for kind in sorted(therapies))
    words = _(
        "Best change of the sum of diameters from baseline among complete sums up to the first"
        " progression and not after new anticancer therapy (%s)."
    )
    return _read(words % kinds, by=report.options.evaluator)


def waterfall_in_words(report: Report) -> str:
    """What a waterfall's bars are, their colors, and how many patients have none."""
    without = sum(patient.best_change_percent is None for patient in report.patients)
    return sentences(
        changes_in_words(report),
        _("Colors and shapes are the best response without confirmation."),
        _("Without a measured change: %s.") % without if without else "",
    )


def depth_in_words(report: Report) -> str:
    """Which changes the depth of response is of."""
    words = definition_wording.depth_in_words(report.response_definition)
    return _read(words, by=report.options.evaluator)


def population_in_words(population: Population, n: int, evaluator: str, *, of: int = 0) -> str:
    """Whom a figure shows; `of`: how many were to be shown, where not all of them can be."""
    told = {"population": POPULATIONS[population], "n": n, "all": of}
    said = _("%(population)s, n = %(n)s") % told
    if n < of:
        said = _("%(population)s, n = %(n)s of %(all)s") % told
    return said if evaluator == INVESTIGATOR else _read(f"{said}.", by=evaluator)


def assessed_in_words(report: Report, said: list[str]) -> str:
    """How a report's responses came about."""
    return _read(sentences(*said), by=report.options.evaluator)


def _read(words: str, *, by: str) -> str:
    """With who read the scans, where that is not the investigator."""
    said = "" if by == INVESTIGATOR else _("Read by the independent reviewer.")
    return sentences(words, said)
