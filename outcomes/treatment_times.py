"""How long patients were treated, for the swimmer plot: two statements, however many patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from outcomes.methods import participant_flow
from outcomes.methods.participant_flow import Disposition, Participant
from outcomes.queries import PatientFacts
from patients import models
from registry import audit


@dataclass(frozen=True, slots=True)
class TreatmentTime:
    """From the first dose to the end of treatment; `ended` is None while it goes on."""

    started: Date
    ended: Date | None


def treatment_times(
    patients: Collection[PatientFacts], *, cutoff: Date, known_on: datetime | None = None
) -> dict[int, TreatmentTime]:
    """The treated patients' times at a cutoff, by id, as known at a moment or today.

    The rules are those of the participant flow, so that who is on treatment is so in both.
    """
    ids = [one.id for one in patients]
    dispositions = _dispositions(ids, known_on)
    dosing = _dosing(ids, cutoff, known_on)
    found = {}
    for one in patients:
        started = one.dates["first_dose_on"]
        if started and started <= cutoff:
            person = Participant(
                enrolled_on=one.dates["enrolled_on"],
                first_dose_on=started,
                last_dose_on=one.dates["last_dose_on"],
                died_on=one.dates["died_on"],
                dosing=one.id in dosing,
                dispositions=tuple(dispositions[one.id]),
            )
            ended = participant_flow.treatment_end(person, cutoff)
            found[one.id] = TreatmentTime(started, ended and max(started, ended))
    return found


def _rows(model: Any, ids: list[int], known_on: datetime | None) -> QuerySet[Any]:
    rows = audit.as_known(model, known_on) if known_on else model.objects.all()
    return rows.filter(patient__in=ids, voided_at=None).order_by()


def _dispositions(ids: list[int], known_on: datetime | None) -> dict[int, list[Disposition]]:
    found: dict[int, list[Disposition]] = defaultdict(list)
    rows = _rows(models.Disposition, ids, known_on)
    for patient, *told in rows.values_list(
        "patient_id", "kind", "on", "reason", "follow_up_continues"
    ):
        found[patient].append(Disposition(*told))
    return found


def _dosing(ids: list[int], cutoff: Date, known_on: datetime | None) -> set[int]:
    """Patients with a dose, or a pause, that runs on at the cutoff."""
    running = Q(ended_on=None) | Q(ended_on__gte=cutoff)
    rows = _rows(models.Dose, ids, known_on).filter(running, started_on__lte=cutoff)
    return set(rows.values_list("patient_id", flat=True))
