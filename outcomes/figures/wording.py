"""What is printed in and under a figure, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outcomes import dashboard
from outcomes.arms import SurvivalComparison
from outcomes.charts.plot import shortened
from outcomes.labels import CHARACTERISTICS, TIES
from outcomes.report import UNKNOWN, Survival
from patients.models import Sex
from trials.templatetags.terms import histology, treatment

SEXES = dict(Sex.choices)
NAME_LENGTH, LINE_LENGTH = 18, 84  # Latin letters that fit into a drawing


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
    median = _("median %s") % dashboard.with_unit(found.median)
    return shortened(f"{counts} · {median}; {dashboard.limits_of(found.median)}", LINE_LENGTH)


def no_test() -> str:
    """Why durations of response have no p value."""
    return _("Among responders only: the groups are not compared.")


def compared(
    names: Sequence[str],
    found: SurvivalComparison,
    stratified_by: str | None,
    *,
    exploratory: bool = False,
) -> list[str]:
    """The log-rank test, and hazard ratios over the first name; of many groups the test alone."""
    lines = [dashboard.log_rank(found.log_rank)]
    if exploratory:
        lines = [_("%s (groups of 5 or more; exploratory, not adjusted)") % lines[0]]
    if exploratory and len(names) > 2:
        return lines
    lines += [_ratio(names[0], name, found, i) for i, name in enumerate(names[1:])]
    how = [str(TIES[found.cox.ties])]
    how += [_("stratified by %s") % CHARACTERISTICS[stratified_by]] if stratified_by else []
    return [*lines, " · ".join(how)]


def _ratio(reference: str, name: str, found: SurvivalComparison, place: int) -> str:
    return _("hazard ratio %(arm)s / %(reference)s: %(ratio)s") % {
        "arm": shortened(name, NAME_LENGTH),
        "reference": shortened(reference, NAME_LENGTH),
        "ratio": dashboard.hazard_ratio(found.cox.ratios[place], found.cox.level),
    }
