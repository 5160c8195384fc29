"""A trial's accrual as one value: the page, the drawing and the API read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from typing import TYPE_CHECKING

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from outcomes import flow
from outcomes.flow import DATES, Scope
from outcomes.methods import accrual
from outcomes.methods.accrual import Accrual
from outcomes.methods.participant_flow import Participant
from patients.models import Disposition, DispositionKind, Patient
from registry import database

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Trial


@dataclass(frozen=True)
class Person:
    """One person of the accrual, with the code of the site that enrolled them."""

    id: int
    subject_id: str
    site: str
    course: Participant


@dataclass(frozen=True)
class AccrualReport:
    """Enrollment at a cutoff, over the patients and sites that one reader may see."""

    trial: Trial
    cutoff: Date
    scope: Scope
    screening_recorded: bool
    found: Accrual
    people: tuple[Person, ...] = ()

    @property
    def remaining(self) -> int | None:
        """Patients up to the target, negative beyond it; None where there is nothing to compare."""
        target = self.trial.enrollment_target
        if not target or not self.scope.whole_trial:
            return None
        return target - self.found.total.enrolled


def with_enrolling_site(patients: QuerySet[Patient]) -> QuerySet[Patient]:
    """With the code of the site that screened and enrolled each, as `enrolling`.

    It keeps the accrual after a transfer, which only an enrolled patient can have.
    """
    moves = Disposition.objects.filter(
        patient=OuterRef("pk"), kind=DispositionKind.TRANSFERRED, voided_at=None
    )
    first = moves.order_by("on", "pk").values("from_site__code")[:1]
    return patients.annotate(enrolling=Coalesce(Subquery(first), F("site__code")))


def build(trial: Trial, *, user: User, cutoff: Date, today: Date) -> AccrualReport:
    """Count the people whom the user may see, in a number of statements that does not grow.

    A reader of single sites counts those that these sites enrolled and still have.
    """
    with database.snapshot():
        scope = flow.scope_of(trial, user)
        patients = Patient.objects.visible_to(user).filter(trial=trial).active()
        rows = list(
            with_enrolling_site(patients)
            .order_by("pk")
            .values("pk", "subject_id", "enrolling", *DATES)
        )
        known = flow.records(patients)
    people = tuple(
        Person(
            row["pk"], row["subject_id"], row["enrolling"], flow.participant(row, known[row["pk"]])
        )
        for row in rows
        if row["enrolling"] in scope.codes
    )
    found = accrual.accrual(
        [(person.site, person.course) for person in people],
        sites=scope.codes,
        target=trial.enrollment_target,
        cutoff=cutoff,
        until=min(cutoff, today),
        whole_trial=scope.whole_trial,
    )
    recorded = trial.screened_here or any(person.course.screenings for person in people)
    return AccrualReport(trial, cutoff, scope, recorded, found, people)
