"""Of fewer than five patients a page estimates no time to event and compares no arm.

The same bound as of the forest plot and of the curves; the API gives every number with its n. A
rate is shown of any number of patients, as on a card so in a group: its interval rests on the
binomial distribution of the patients there are, and is as wide as they are few, whereas limits of
times and of ratios rest on approximations for many. Where groups stand side by side it is marked.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from outcomes.arms import ComparedArm
from outcomes.labels import why_none
from outcomes.report import Survival
from outcomes.report.subgroups import FEWEST, NotShown


def too_few(found: Survival) -> str:
    """Why nothing is estimated of these times; blank where something is."""
    return said() if found.n < FEWEST else ""


def said() -> str:
    """That so few patients have no estimate."""
    return why_none(NotShown.TOO_FEW)


def not_compared(arm: ComparedArm, reference: ComparedArm) -> str:
    """Why an arm is not compared with the reference; blank where it is."""
    return said() if min(arm.n, reference.n) < FEWEST else ""


def not_tested(sizes: Sequence[int]) -> str:
    """Why groups of these sizes are not tested against each other; blank where they are."""
    return said() if sum(n >= FEWEST for n in sizes) < 2 else ""


def small_ones(sizes: Sequence[int]) -> str:
    """That a test over all groups has small ones too; blank where it has none."""
    if min(sizes, default=FEWEST) >= FEWEST:
        return ""
    return _("groups of fewer than %s patients included") % FEWEST
