"""What is printed in and under a figure, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outcomes.arms import SurvivalComparison
from outcomes.charts.plot import shortened
from outcomes.labels import CHARACTERISTICS, TIES
from outcomes.report import UNKNOWN, Survival
from outcomes.result_wording import hazard_ratio, log_rank, median_in_words
from patients.models import Sex
from trials.templatetags.terms import histology, treatment

SEXES = dict(Sex.choices)
NAMES_LENGTH, LINE_LENGTH = 40, 84  # Latin letters that fit into a drawing


def group_name(name: str) -> str:
    """A group as it is read: words for what the registry keeps as a term."""
    if name == UNKNOWN:
        return _("unknown")
    return str(SEXES[name]) if name in SEXES else treatment(histology(name))


def characteristic(name: str) -> str:
    """What patients are grouped by."""
    return _("arm") if name == "arm" else str(CHARACTERISTICS[name])


def median_of(found: Survival) -> str:
    """What stands under a curve's name: patients, events, and the median with its interval."""
    told = ngettext("n = %(n)s, %(events)s event", "n = %(n)s, %(events)s events", found.events)
    counts = told % {"n": found.n, "events": found.events}
    median = _("median %s") % median_in_words(found)
    return shortened(f"{counts} · {median}", LINE_LENGTH)


def no_test() -> str:
    """Why durations of response have no p value."""
    return _("Among responders only: the groups are not compared.")


def compared(
    groups: Sequence[tuple[str, int]],
    found: SurvivalComparison,
    stratified_by: str | None,
    *,
    exploratory: bool = False,
) -> list[str]:
    """The log-rank test, and hazard ratios over the first group; of many groups the test alone.

    Of each group its name and its patients.
    """
    lines = [log_rank(found.log_rank, [n for _name, n in groups])]
    if exploratory:
        lines = [_("%s (groups of 5 or more; exploratory, not adjusted)") % lines[0]]
    if exploratory and len(groups) > 2:
        return lines
    lines += [_("reference: %s") % shortened(groups[0][0], LINE_LENGTH - 12)]
    lines += [_ratio(groups[0], group, found, i) for i, group in enumerate(groups[1:])]
    how = [str(TIES[found.cox.ties])]
    how += [_("stratified by %s") % CHARACTERISTICS[stratified_by]] if stratified_by else []
    return [*lines, " · ".join(how)]


def _ratio(
    reference: tuple[str, int], group: tuple[str, int], found: SurvivalComparison, place: int
) -> str:
    """With both names where they fit beside each other, since the reference stands above."""
    sizes, cox = [reference[1], group[1]], found.cox
    ratio = hazard_ratio(cox.ratios[place], cox.level, sizes)
    if len(reference[0]) + len(group[0]) > NAMES_LENGTH:
        told = {"arm": shortened(group[0], NAMES_LENGTH), "ratio": ratio}
        return _("hazard ratio %(arm)s: %(ratio)s") % told
    told = {"arm": group[0], "reference": reference[0], "ratio": ratio}
    return _("hazard ratio %(arm)s / %(reference)s: %(ratio)s") % told
