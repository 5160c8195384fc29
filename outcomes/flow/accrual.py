"""A trial's accrual as one value: the page, the drawing and the API read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from outcomes import flow
from outcomes.flow import DATES, Scope
from outcomes.methods import accrual
from outcomes.methods.accrual import Accrual
from outcomes.methods.participant_flow import Participant
from patients.models import Disposition, DispositionKind, Patient
from registry import audit, database
from trials import as_known
from trials.models import Site

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
    known_on: datetime | None
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


def _as_known(patients: QuerySet[Patient], known_on: datetime) -> QuerySet[Any]:
    """The patients at a moment, each with the code that the `enrolling` site had then."""
    moves = audit.as_known(Disposition, known_on).filter(
        patient=OuterRef("id"), kind=DispositionKind.TRANSFERRED, voided_at=None
    )
    first = moves.order_by("on", "id").values("from_site")[:1]
    sites = audit.as_known(Site, known_on).filter(id=OuterRef("enrolling_site"))
    rows = audit.as_known(Patient, known_on).filter(id__in=patients.values("pk"), voided_at=None)
    found: QuerySet[Any] = rows.annotate(
        enrolling_site=Coalesce(Subquery(first), F("site")),
        enrolling=Subquery(sites.values("code")),
    )
    return found


def build(
    trial: Trial,
    *,
    user: User,
    cutoff: Date,
    today: Date,
    known_on: datetime | None = None,
) -> AccrualReport:
    """Count the people whom the user may see, in a number of statements that does not grow.

    A reader of single sites counts those that these sites enrolled and still have. With `known_on`
    as they were known then; `today` is the calendar date of that moment.
    """
    with database.snapshot():
        trial, scope = (
            as_known.trial_as_known(trial, known_on),
            flow.scope_of(trial, user, known_on),
        )
        seen = Patient.objects.visible_to(user).filter(trial=trial)
        patients = seen if known_on else seen.active()
        found = _as_known(patients, known_on) if known_on else with_enrolling_site(patients)
        rows = list(found.order_by("id").values("id", "subject_id", "enrolling", *DATES))
        known = flow.records(patients, known_on=known_on)
    people = tuple(
        Person(
            row["id"], row["subject_id"], row["enrolling"], flow.participant(row, known[row["id"]])
        )
        for row in rows
        if row["enrolling"] in scope.codes
    )
    counted = accrual.accrual(
        [(person.site, person.course) for person in people],
        sites=scope.codes,
        target=trial.enrollment_target,
        cutoff=cutoff,
        until=min(cutoff, today),
        whole_trial=scope.whole_trial,
    )
    recorded = trial.screened_here or any(person.course.screenings for person in people)
    return AccrualReport(trial, cutoff, known_on, scope, recorded, counted, people)
