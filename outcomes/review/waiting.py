"""What an independent reviewer has to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Max, Q, QuerySet

from outcomes.models import REVIEWER
from patients.models import Patient

if TYPE_CHECKING:
    from registry.models import User


def to_read(user: User) -> QuerySet[Any]:
    """Patients whose scans the user reads, unread ones first: nothing of what became of them.

    With `readings`, how many there are, and `last_read_on`, the date of the latest scan read.
    """
    mine = Q(visits__evaluator=REVIEWER, visits__voided_at=None)
    rows = Patient.objects.active().reviewable_by(user)
    read = rows.annotate(
        readings=Count("visits", filter=mine), last_read_on=Max("visits__date", filter=mine)
    )
    order = (F("last_read_on").asc(nulls_first=True), "trial__registry_id", "subject_id")
    return read.select_related("trial").order_by(*order)
