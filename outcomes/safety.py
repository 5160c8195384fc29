"""A trial's adverse events as one value: the page and the API read it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from outcomes.methods.safety import Event, Person, Safety, adverse_events
from patients.models import AdverseEvent, Patient
from registry import audit, database

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Trial


@dataclass(frozen=True)
class SafetyReport:
    """A trial's adverse events at a cutoff, over the patients that one reader may see."""

    trial: Trial
    cutoff: Date
    known_on: datetime | None
    found: Safety


def build(
    trial: Trial, *, user: User, cutoff: Date, known_on: datetime | None = None
) -> SafetyReport:
    """Count the adverse events of the patients that the user may see.

    With `known_on` as they were known then; today's are the trial's window and the user's scope.
    """
    with database.snapshot():
        treated = people(Patient.objects.visible_to(user).filter(trial=trial), known_on)
    found = adverse_events(treated, cutoff=cutoff, window_days=trial.ae_window_days)
    return SafetyReport(trial, cutoff, known_on, found)


def people(patients: QuerySet[Patient], known_on: datetime | None = None) -> list[Person]:
    """Those of these patients who are not voided, with their adverse events: two statements."""
    return list(people_by_id(patients, known_on).values())


def people_by_id(
    patients: QuerySet[Patient], known_on: datetime | None = None
) -> dict[int, Person]:
    """The same by the patient's id."""
    chosen = patients.order_by().values("pk")
    events: dict[int, list[Event]] = defaultdict(list)
    of_patient = _rows(AdverseEvent, known_on).filter(patient__in=chosen)
    for patient, *event in of_patient.order_by("id").values_list(
        "patient_id", "term", "grade", "related", "serious", "started_on"
    ):
        events[patient].append(Event(*event))
    doses = _rows(Patient, known_on).filter(id__in=chosen).order_by("id")
    return {
        pk: Person(first, last, tuple(events[pk]))
        for pk, first, last in doses.values_list("id", "first_dose_on", "last_dose_on")
    }


def _rows(model: Any, known_on: datetime | None) -> QuerySet[Any]:
    """A table's rows that are not voided, now or as they stood at a moment."""
    rows = audit.as_known(model, known_on) if known_on else model.objects.all()
    return rows.filter(voided_at=None)
