"""The ETag of a trial's outcomes: the data, the question, and who asks in which language."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import translation

from outcomes.models import METHODS_VERSION, Lesion, NewLesionStatus, Visit
from patients.models import (
    AdverseEvent,
    Allocation,
    Deviation,
    Dose,
    Patient,
    Screening,
    Therapy,
)
from trials.models import Arm, Endpoint, Intervention, Site, Trial

if TYPE_CHECKING:
    from outcomes.report import Options
    from registry.models import User

OF_TRIAL = "trial_id = %(trial)s"
OF_PATIENTS = "patient_id IN (SELECT id FROM patients_patient WHERE trial_id = %(trial)s)"
ARM_EVENTS = Arm.pgh_event_model._meta.db_table  # type: ignore[attr-defined]
OF_ARMS = f"arm_id IN (SELECT pgh_obj_id FROM {ARM_EVENTS} WHERE trial_id = %(trial)s)"
# Every table that a report reads, with what singles out a trial's events; a row keeps its trial.
READ: dict[Any, str] = {
    Trial: "pgh_obj_id = %(trial)s",
    Site: OF_TRIAL,
    Arm: OF_TRIAL,
    Endpoint: OF_TRIAL,
    Patient: OF_TRIAL,
    Allocation: OF_TRIAL,
    Therapy: OF_PATIENTS,
    Screening: OF_PATIENTS,  # a deviation covers one version of its screening
    Deviation: OF_PATIENTS,
    Lesion: OF_PATIENTS,
    Visit: OF_PATIENTS,
    NewLesionStatus: OF_PATIENTS,
}
# What the tables of safety and exposure read besides.
CONDUCT: dict[Any, str] = {
    AdverseEvent: OF_PATIENTS,
    Dose: OF_PATIENTS,
    Intervention: OF_ARMS,
}


def _counts(tables: dict[Any, str]) -> str:
    return ", ".join(
        f"(SELECT count(*) FROM {model.pgh_event_model._meta.db_table} WHERE {condition})"
        for model, condition in tables.items()
    )


def data_version(trial: Trial, *, conduct: bool = False) -> tuple[int, ...]:
    """How many events each table has of this trial, in one statement; with `conduct` of safety's.

    Every write that is committed adds an event and no event ever goes, so of two snapshots with
    the same counts neither has anything that the other lacks. The highest id would not do: a
    transaction that drew its ids early may commit late.
    """
    with connection.cursor() as cursor:
        counted = _counts(READ | CONDUCT if conduct else READ)
        cursor.execute(f"SELECT {counted}", {"trial": trial.pk})
        return tuple(cursor.fetchone())


def entity_tag(trial: Trial, *, user: User, options: Options, form: tuple[str, ...]) -> str:
    """The strong ETag of a document about a trial in a form, such as JSON or CSV.

    Readers of the same sites share it. Without a cutoff the options hold today's date. With
    `known_on` it still changes with every later write, though the figures seldom will.
    """
    sites = Site.objects.visible_to(user).filter(trial=trial).order_by("pk")
    scope = tuple(sites.values_list("pk", flat=True))
    language = translation.get_language()
    hidden = trial.masked  # from some readers, it may be
    told = (scope, hidden, language, options, form)
    inputs = (METHODS_VERSION, trial.pk, data_version(trial), *told)
    return f'"{hashlib.sha256(repr(inputs).encode()).hexdigest()[:32]}"'
