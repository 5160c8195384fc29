"""What every record of a patient has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models
from django.db.models import Q

from patients.models.people import PLAUSIBLE
from trials.access import in_scope

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from patients.models.conduct import AdverseEvent, Disposition, Dose, Therapy
    from patients.models.screening import Consent, Deviation, Screening
    from registry.models import User


Record = TypeVar(
    "Record",
    "Therapy",
    "AdverseEvent",
    "Consent",
    "Screening",
    "Deviation",
    "Disposition",
    "Dose",
)


class RecordQuerySet(models.QuerySet[Record]):
    """What is recorded of patients, in domain words."""

    def active(self) -> Self:
        """Not voided, of a patient who is not voided."""
        return self.filter(voided_at=None, patient__voided_at=None)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Of visible patients."""
        return in_scope(self, user, "patient__")

    def twins_of(self, row: Record) -> Self:
        """Other active rows with the same key."""
        key = {name: getattr(row, name) for name in row.KEY}
        return self.active().filter(**key).exclude(pk=row.pk)


def plausible(name: str, field: str, *, blank: bool = False) -> models.CheckConstraint:
    """A date within reach of a clinical trial."""
    within = Q(**{f"{field}__range": PLAUSIBLE})
    condition = Q(**{field: None}) | within if blank else within
    return models.CheckConstraint(condition=condition, name=f"{name}_{field}_plausible")
