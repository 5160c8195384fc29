"""What the next dose of a patient is by the plan, so that nobody types it again.

A course begins where the cycle of the one before ends (12 mg on days 1 to 14 of 21: 21 days after
its first day) and lasts as many days as the plan gives the drug; a pause, and what follows one,
begins the day after. No date that has not come is filled in: nothing is recorded before it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from patients.models import Adjustment, Dose, Patient
from trials.models import Intervention

DAY = timedelta(days=1)


@dataclass
class NextDose:
    """What the form begins with, and what is said above it."""

    begins_with: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def next_dose(
    patient: Patient, planned: Sequence[Intervention], asked: Mapping[str, Any]
) -> NextDose:
    """What comes after the doses recorded, changed as asked: `adjustment`, `because_of`."""
    doses = list(patient.doses.active())
    last = doses[-1] if doses else None
    adjustment = str(asked.get("adjustment", ""))
    told = _foreseen(planned) | _as_last(patient, doses)
    told["adjustment"] = adjustment if adjustment in Adjustment.values else Adjustment.NONE
    if adjustment == Adjustment.REDUCED:
        told["dose"] = ""
    elif adjustment == Adjustment.INTERRUPTED:
        told["dose"] = "0"
    if because_of := asked.get("because_of"):
        told["because_of"] = because_of
    found = NextDose(told)
    plan = next((row for row in planned if last and row.name == last.intervention), None)
    _date(found, patient, last, plan or (planned[0] if len(planned) == 1 else None))
    return found


def _foreseen(planned: Sequence[Intervention]) -> dict[str, Any]:
    """What a first dose says by the plan, of each field on which all interventions agree."""
    told = {
        "intervention": {row.name for row in planned},
        "dose": {plain(row.dose) for row in planned},
        "unit": {row.unit for row in planned},
    }
    agreed = {name: values.pop() for name, values in told.items() if len(values) == 1}
    return {name: value for name, value in agreed.items() if value}


def _as_last(patient: Patient, doses: Sequence[Dose]) -> dict[str, Any]:
    """The drug, the unit and the dose of the last course; a drug that must not be named is not."""
    given = next((row for row in reversed(doses) if row.dose), None)
    if given is None:
        return {}
    told = {"dose": plain(given.dose), "unit": given.unit}
    if patient.trial.tells(given.intervention):
        told["intervention"] = given.intervention
    return told


def _date(found: NextDose, patient: Patient, last: Dose | None, plan: Intervention | None) -> None:
    """Fill in the first and the last day, as far as they have come."""
    if last and last.ended_on is None:
        since = _("The dose from %s has no last day yet. It ends on the day before the new one.")
        found.notes.append(since % last.started_on)
        return
    start, today = _start(found, patient, last, plan), patient.site.today()
    if start and start > today:
        found.notes.append(_("By the plan the next course begins on %s.") % start)
    elif start:
        found.begins_with["started_on"] = start
        end = _end(found, start, plan)
        if end and end <= today:
            found.begins_with["ended_on"] = end


def _start(
    found: NextDose, patient: Patient, last: Dose | None, plan: Intervention | None
) -> date | None:
    if last is None or last.ended_on is None:
        return None if last else patient.first_dose_on
    after = last.ended_on + DAY
    pause = found.begins_with["adjustment"] == Adjustment.INTERRUPTED or not last.dose
    cycle = plan.cycle_days if plan and not pause else None
    return max(after, last.started_on + cycle * DAY) if cycle else after


def _end(found: NextDose, start: date, plan: Intervention | None) -> date | None:
    pause = found.begins_with["adjustment"] == Adjustment.INTERRUPTED
    return start + (max(plan.days_on) - 1) * DAY if plan and plan.days_on and not pause else None


def plain(number: Decimal | None) -> str:
    """Without idle zeros."""
    return "" if number is None else f"{number.normalize():f}"
