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
from patients.models import DEATH, AdverseEvent, Allocation, Deviation, Patient, Therapy
from registry.changes import Changes
from registry.errors import Conflict, FieldError, Refused
from trials.models import Arm


def changes() -> Changes:
    """An empty collection of this app's rows."""
    return Changes(Patient, Allocation, Therapy, AdverseEvent, Deviation)


def enroll(patient: Patient, arm: Arm | None, into: Changes) -> None:
    """Add a patient. Raises Refused or Conflict."""
    _require_gate(patient, {"arm": arm} | {name: getattr(patient, name) for name in gate.GATED})
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
        _require_gate(patient, changed | {n: v for n, v in facts.items() if n == "arm"})
    for name, value in changed.items():
        setattr(patient, name, value)
    if errors := list(patient_errors(patient)):
        raise Refused(errors)
    if set(gate.GATED) & changed.keys():
        _require_order(patient)
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


def _require_gate(patient: Patient, facts: Mapping[str, Any]) -> None:
    """Where consent and screening come first, nothing of an enrollment is written past them.

    Judged by the state that the change leads to: whoever is not enrolled is not treated either.
    """
    if not patient.trial.screened_here:
        return
    stored = patient.enrolled_on if patient.pk else None
    on = facts.get("enrolled_on", stored)
    if stored is None:
        arm = facts.get("arm")
        if any(facts.get(name) for name in gate.GATED) or (arm and arm != patient.arm):
            raise Conflict([gate.how_to_enroll(patient)])
    elif on is None:
        _require_untreated(patient, facts)
    elif on != stored and not gate.came_before(patient):
        gate.require(patient, on)


def _require_untreated(patient: Patient, facts: Mapping[str, Any]) -> None:
    """An enrollment is taken back only while nothing follows from it."""
    left = [name for name in gate.TREATED if facts.get(name, getattr(patient, name))]
    if facts.get("arm", patient.arm) or (patient.arm and patient.trial.masked):
        left.append(_("the arm"))
    rows = {
        _("visits"): patient.visits,
        _("doses"): patient.doses,
        _("dispositions"): patient.dispositions,
    }
    left += [name for name, known in rows.items() if known.filter(voided_at=None).exists()]
    if left:
        detail = _("The enrollment stays while these are recorded: %s. Void or clear them first.")
        raise Conflict([FieldError("/enrolled_on", detail % ", ".join(left))])


def _require_order(patient: Patient) -> None:
    """Where consent and screening come first, treatment does not precede the enrollment."""
    enrolled_on = patient.enrolled_on
    if not patient.trial.screened_here or enrolled_on is None:
        return
    early = [n for n in gate.TREATED if (on := getattr(patient, n)) and on < enrolled_on]
    if early:
        detail = _("Before the enrollment on %s.") % enrolled_on
        raise Refused([FieldError(f"/{name}", detail) for name in early])


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
