"""What an open unconfirmed progression (iUPD) asks of the next visit, for pages of iRECIST trials."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from outcomes.methods.irecist import confirmation_window
from outcomes.models import Visit
from trials.models import Trial


def awaited(trial: Trial, visits: Sequence[Visit]) -> str:
    """When the next assessment may confirm or reset an iUPD; blank where none is open.

    `visits` are one evaluator's, by date. Seymour 2017: 4 to 8 weeks after it.
    """
    found = visits[-1].as_derived().immune if visits and trial.irecist else None
    if found is None or found.unconfirmed_since is None:
        return ""
    first, last = confirmation_window(found.unconfirmed_since)
    return _(
        "Unconfirmed progression (iUPD) since %(since)s: the next assessment, from %(first)s to"
        " %(last)s, confirms or resets it."
    ) % {"since": found.unconfirmed_since, "first": first, "last": last}
