"""Results in words, rounded for reading, on every page alike."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from outcomes import small_groups
from outcomes.labels import NOT_COMPARED
from outcomes.methods.comparison import ChiSquare, HazardRatio
from outcomes.methods.survival import MissingReason, Quantile
from outcomes.report import Survival, documents
from trials.definition_wording import SURVIVAL_STYLES


def percent(share: float | None) -> str:
    """A share as percent with one decimal."""
    return "–" if share is None else f"{100 * share:.1f} %"


def p_value(p: float | None) -> str:
    """A p value with three decimals."""
    return "–" if p is None else "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def months(days: float | None, reason: MissingReason | None = None) -> str:
    """Days as months with one decimal, or why there are none."""
    if days is None:
        return _("not reached") if reason is MissingReason.NOT_REACHED else _("not estimable")
    return f"{documents.months(days):.1f}"


def nobody() -> str:
    """That there is no patient to compute anything of."""
    return _("nobody is in the population yet")


def with_unit(median: Quantile) -> str:
    """A median in months, or why there is none."""
    text = months(median.estimate, median.estimate_reason)
    return text if median.estimate is None else _("%s months") % text


def limits_of(median: Quantile) -> str:
    """A median's interval and its style."""
    if median.lower is None and median.upper is None:
        return _("no interval: not estimable (%s)") % SURVIVAL_STYLES[median.interval]
    lower = months(median.lower, median.lower_reason)
    upper = months(median.upper, median.upper_reason)
    return _("%(level)s CI %(lower)s – %(upper)s (%(style)s)") % {
        "level": f"{median.level:.0%}",
        "lower": lower,
        "upper": upper,
        "style": SURVIVAL_STYLES[median.interval],
    }


def median_in_words(found: Survival) -> str:
    """A median with its interval, or why it is not estimated."""
    if not found.n:
        return nobody()
    few = small_groups.too_few(found)
    return few or f"{with_unit(found.median)}; {limits_of(found.median)}"


def hazard_ratio(found: HazardRatio, level: float, sizes: Sequence[int]) -> str:
    """A hazard ratio of groups of these sizes with its interval, or why there is none."""
    if found.reason is not None:
        return _("not estimable (%s)") % NOT_COMPARED[found.reason]
    if few := small_groups.not_tested(sizes):
        return few
    return _("%(ratio).2f (%(level)s CI %(lower).2f – %(upper).2f)") % {
        "ratio": found.estimate,
        "level": f"{level:.0%}",
        "lower": found.lower,
        "upper": found.upper,
    }


def log_rank(found: ChiSquare, sizes: Sequence[int]) -> str:
    """A log-rank test's p value over groups of these sizes, or why there is none."""
    if found.reason is not None:
        return _("log-rank test: not estimable (%s)") % NOT_COMPARED[found.reason]
    if few := small_groups.not_tested(sizes):
        return _("log-rank test: %s") % few
    told = _("log-rank test: %s") % p_value(found.p)
    small = small_groups.small_ones(sizes)
    return f"{told} ({small})" if small else told
