"""What enrolling or amending a patient does, in memory; `Changes` collects the rows.

`actions` and the bulk import hold the locks, name who writes and why, and store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date as Date
from typing import Any

from django.utils.translation import gettext as _

from patients import contradictions, gate
from patients.checks import patient_errors
from patients.models import DEATH, AdverseEvent, Allocation, Patient, Therapy
from registry.changes import Changes
from registry.errors import Conflict, FieldError, Refused
from trials.models import Arm


def changes() -> Changes:
    """An empty collection of this app's rows."""
    return Changes(Patient, Allocation, Therapy, AdverseEvent)


def enroll(patient: Patient, arm: Arm | None, into: Changes) -> None:
    """Add a patient. Raises Refused or Conflict."""
    _require_gate(patient, {name: getattr(patient, name) for name in gate.GATED}, arm)
    if errors := list(patient_errors(patient)):
        raise Refused(errors)
    _require_randomization(patient)
    into.add(patient)
    if arm:
        allocate(patient, arm, into)


def amend(patient: Patient, facts: Mapping[str, Any], into: Changes, *, gated: bool = True) -> bool:
    """Let a stored patient have these facts, perhaps a site and an arm too; whether any differs.

    `gated`: false for whoever has looked at consent and screening already.
    """
    before = into.count
    changed = {n: v for n, v in facts.items() if n != "arm" and getattr(patient, n) != v}
    if gated:
        _require_gate(patient, changed, facts.get("arm"))
    for name, value in changed.items():
        setattr(patient, name, value)
    if errors := list(patient_errors(patient)):
        raise Refused(errors)
    if {"birth_year", "died_on"} & changed.keys():
        _require_consistent(patient)
    contradictions.require_agreement(patient, changed.keys())
    if "arm" in facts:
        allocate(patient, facts["arm"], into)
    if changed or into.count != before:
        into.change(patient)
    return into.count != before


def allocate(patient: Patient, arm: Arm | None, into: Changes) -> None:
    """Put a patient into an arm; in a randomized trial only allocation may do that.

    In a masked trial the null that readers get says nothing, and no answer depends on the arm.
    """
    trial, known = patient.trial, patient.arm
    if arm is None and trial.masked:
        return
    if trial.randomized and (trial.masked or arm != known):
        raise Conflict([FieldError("/arm", _("In a randomized trial allocation gives the arm."))])
    if arm == known:
        return
    if known is None:
        into.add(Allocation(patient=patient, arm=arm, trial=trial))
    elif arm is None:
        into.remove(patient.allocation)
        patient._state.fields_cache.pop("allocation", None)
    else:
        patient.allocation.arm = arm
        into.change(patient.allocation)


def _require_randomization(patient: Patient) -> None:
    """Where a scheme of ours allots the arms, nobody arrives randomized, let alone treated."""
    errors = list(contradictions.randomized_by_hand(patient)) if patient.randomized_on else []
    treated = {"first_dose_on": patient.first_dose_on}
    if errors := errors or list(contradictions.before_randomization(patient, treated)):
        raise Conflict(errors)


def _require_gate(patient: Patient, changed: Mapping[str, Any], arm: Arm | None) -> None:
    """Where consent and screening come first, nothing of an enrollment is written past them."""
    if not patient.trial.screened_here:
        return
    stored = patient.enrolled_on if patient.pk else None
    arrives = any(changed.get(name) for name in gate.GATED) or (arm and arm != patient.arm)
    if stored is None and arrives:
        raise Conflict([gate.how_to_enroll(patient)])
    if stored is not None and "enrolled_on" in changed:
        _require_movable(patient, changed["enrolled_on"])


def _require_movable(patient: Patient, on: Date | None) -> None:
    """An enrollment moves to a day on which the gate holds, unless it never came through it."""
    if on is None:
        if patient.visits.filter(voided_at=None).exists():
            detail = _("The patient has visits; void those before taking the enrollment back.")
            raise Conflict([FieldError("/enrolled_on", detail)])
        return
    assert patient.enrolled_on is not None
    if gate.standing(patient, patient.enrolled_on).missing:
        return
    if missing := gate.standing(patient, on).missing:
        raise Conflict([FieldError("/enrolled_on", sentence) for sentence in missing])


def _require_consistent(patient: Patient) -> None:
    """A death or birth year must agree with whatever is recorded already."""
    errors = [*_contradicted(patient, contradictions.recorded_dates(patient))]
    deaths = patient.adverse_events.filter(voided_at=None, grade=DEATH)
    if patient.died_on is None and deaths.exists():
        detail = _("An adverse event of grade 5, a death, is recorded; correct that first.")
        errors.append(FieldError("/died_on", detail))
    if errors:
        raise Conflict(errors)


def _contradicted(patient: Patient, dates: Sequence[Date]) -> Iterator[FieldError]:
    if patient.died_on and dates and max(dates) > patient.died_on:
        detail = _("Before what is recorded on %s.") % max(dates)
        yield FieldError("/died_on", detail)
    if patient.birth_year and dates and min(dates).year < patient.birth_year:
        detail = _("After what is recorded on %s.") % min(dates)
        yield FieldError("/birth_year", detail)
