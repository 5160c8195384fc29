"""A trial's adverse events as one value: the page and the API read it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date as Date
from typing import TYPE_CHECKING

from django.db.models import FilteredRelation, Q, QuerySet

from outcomes.methods.safety import Event, Person, Safety, adverse_events
from patients.models import Patient

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Trial

EVENT_FIELDS = ("term", "grade", "related", "serious", "started_on")


@dataclass(frozen=True)
class SafetyReport:
    """A trial's adverse events at a cutoff, over the patients that one reader may see."""

    trial: Trial
    cutoff: Date
    found: Safety


def build(trial: Trial, *, user: User, cutoff: Date) -> SafetyReport:
    """Count the adverse events of the patients that the user may see."""
    patients = Patient.objects.active().visible_to(user).filter(trial=trial)
    window = trial.ae_window_days
    return SafetyReport(
        trial, cutoff, adverse_events(people(patients), cutoff=cutoff, window_days=window)
    )


def people(patients: QuerySet[Patient]) -> list[Person]:
    """These patients with their adverse events, in one statement and so of one moment."""
    active = Q(adverse_events__voided_at=None)
    rows = patients.annotate(event=FilteredRelation("adverse_events", condition=active))
    fields = (f"event__{name}" for name in EVENT_FIELDS)
    doses: dict[int, tuple[Date | None, Date | None]] = {}
    events: dict[int, list[Event]] = defaultdict(list)
    for pk, first, last, *event in rows.order_by("pk", "event__pk").values_list(
        "pk", "first_dose_on", "last_dose_on", *fields
    ):
        doses[pk] = first, last
        if event[0] is not None:
            events[pk].append(Event(*event))
    return [Person(first, last, tuple(events[pk])) for pk, (first, last) in doses.items()]
