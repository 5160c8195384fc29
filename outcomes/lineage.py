"""What a visit inherits of a patient's split and merged lesions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date as Date

from outcomes.history import History
from outcomes.methods import lineage
from outcomes.methods.lineage import Carried


def carried(past: History, before: Date | None = None) -> Mapping[str, Carried]:
    """The merged and the split lesions, by label, as a visit on `before` finds them.

    Without a date as the next visit does.
    """
    return lineage.carried(past.assessments.values(), before)
