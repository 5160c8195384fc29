"""The data cutoffs that matter in a trial: what was published, and what was frozen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from outcomes.models import Analysis

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from registry.models import User
    from trials.models import Trial

PRINTED = ("%Y-%m-%d", "%B %d, %Y", "%d %B %Y", "%b %d, %Y")  # as sources write a day
MOST = 4


@dataclass(frozen=True)
class KnownCutoff:
    """A day, and why it matters."""

    on: Date
    why: str


def known_cutoffs(trial: Trial, user: User | AnonymousUser) -> list[KnownCutoff]:
    """The published cutoff, then those of the latest frozen analyses that the user may see."""
    found = {one.on: one for one in reversed([*_published(trial), *_frozen(trial, user)])}
    return sorted(found.values(), key=lambda one: one.on)[-MOST:]


def _published(trial: Trial) -> Iterator[KnownCutoff]:
    rows = trial.published.filter(measure="Data cutoff").values_list("printed", "reconciled")
    for printed, reconciled in rows:
        if (on := _day(reconciled or printed)) is not None:
            yield KnownCutoff(on, _("published"))


def _frozen(trial: Trial, user: User | AnonymousUser) -> Iterator[KnownCutoff]:
    rows = Analysis.objects.filter(trial=trial).visible_to(user).order_by("-at")
    for on, name in rows.values_list("cutoff", "name")[:MOST]:
        yield KnownCutoff(on, _("frozen: %s") % name)


def _day(printed: str) -> Date | None:
    for form in PRINTED:
        try:
            return datetime.strptime(printed.strip(), form).date()  # noqa: DTZ007 - a day, no moment
        except ValueError:
            continue
    return None
