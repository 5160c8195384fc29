"""A trial's protocol as it was known at a moment: from the audit trail, as the patients' records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from registry import audit
from trials.models import Trial

if TYPE_CHECKING:
    from django.db.models import Manager

# By what a trial is addressed, and what hides its arms: today's, whatever is looked at.
TODAYS = ("id", "registry_id", "masking", "unblinded_at", "reader_unblinded")


def trial_as_known(trial: Trial, known_on: datetime | None) -> Trial:
    """The trial with the title and the parameters that it had at a moment; itself without one.

    Nobody may see today what is hidden today, so its masking is today's. Before its first entry
    it is as that has it.
    """
    if known_on is None:
        return trial
    found = trials_as_known([trial], known_on)
    return found[trial.pk] if found else _as_entered(trial)


def trials_as_known(trials: Iterable[Trial], known_on: datetime) -> dict[int, Trial]:
    """Those of the trials that were known at a moment, as they were, by id: one statement."""
    known = {trial.pk: trial for trial in trials}
    rows = audit.rows_as_known(Trial, known_on, id__in=list(known))
    return {row.pk: _as_today(row, known[row.pk]) for row in rows}


def _as_entered(trial: Trial) -> Trial:
    names = [field.attname for field in Trial._meta.concrete_fields]
    events: Any = Trial.pgh_event_model.objects  # type: ignore[attr-defined]
    first = events.filter(pgh_obj=trial.pk).order_by("pgh_id").values_list(*names).first()
    return _as_today(Trial.from_db(None, names, first), trial) if first else trial


def _as_today(past: Trial, today: Trial) -> Trial:
    for name in TODAYS:
        setattr(past, name, getattr(today, name))
    read = getattr(today, "_prefetched_objects_cache", {})
    if "sites" in read:  # by whose clocks its pages tell the time, which are today's too
        past._prefetched_objects_cache = {"sites": read["sites"]}  # type: ignore[attr-defined]
    return past


def rows(related: Manager[Any], known_on: datetime | None) -> list[Any]:
    """What belongs to a trial, such as `trial.arms`, now or as it stood at a moment."""
    if known_on is None:
        return list(related.all())
    of: Any = related
    return audit.rows_as_known(of.model, known_on, trial=of.instance.pk)


def rows_of(model: Any, trials: Iterable[Trial], known_on: datetime) -> Mapping[int, list[Any]]:
    """What belonged to each of several trials at a moment, by the trial's id: one statement."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in audit.rows_as_known(model, known_on, trial__in=[trial.pk for trial in trials]):
        found[row.trial_id].append(row)
    return found
