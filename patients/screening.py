"""Writes of consent, screening, deviations and the enrollment that follows from them.

Each is atomic, audited and under the patient's lock. A screening also waits for whoever is changing
the protocol, and they for it, so that it is judged by criteria that stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date as Date
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from patients import edits, gate, judging, records
from patients.models import (
    Conclusion,
    Consent,
    Deviation,
    FailureReason,
    Patient,
    Screening,
)
from patients.records import Correction, Why
from registry import audit
from registry.errors import Conflict, FieldError, Refused
from trials import access
from trials.models import Trial

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Arm, Criterion

Evidence = TypeVar("Evidence", Consent, Screening, Deviation)


@transaction.atomic
def record_consent(*, patient: Patient, by: User, **facts: Any) -> Consent:
    """Add a signed consent form."""
    patient = records.held(patient, by, access.Action.WRITE_RECORDS)
    with gate.upheld(patient):
        return records.record(Consent(patient=patient, **facts), by)


@transaction.atomic
def correct_consent(*, consent: Consent, **correction: Unpack[Correction]) -> Consent:
    """Replace what a consent says, a withdrawal among it."""
    patient = records.held(consent.patient, correction["by"], access.Action.WRITE_RECORDS)
    with gate.upheld(patient):
        return records.correct(consent, **correction)


def void_consent(*, consent: Consent, **why: Unpack[Why]) -> Consent:
    """Take a consent out of lists and of what an enrollment rests on."""
    return _voided(consent, **why)


@transaction.atomic
def _voided(row: Evidence, **why: Unpack[Why]) -> Evidence:
    with gate.upheld(records.held(row.patient, why["by"], access.Action.VOID)):
        return records.void(row, **why)


@transaction.atomic
def screen_patient(
    *, patient: Patient, by: User, screened_on: Date, values: Mapping[str, Any]
) -> Screening:
    """Judge these values by the protocol in force on the day, and keep both.

    Raises Refused for what cannot be read, with its pointer below `/values`.
    """
    audit.attribute(by=by, reason="recorded")
    _hold_protocol(patient.trial)
    patient = records.held(patient, by, access.Action.WRITE_RECORDS)
    version = judging.in_force(patient.trial, screened_on)
    screening = Screening(patient=patient, protocol_version=version, screened_on=screened_on)
    with gate.upheld(patient):
        return records.record(judging.judged(screening, values), by)


@transaction.atomic
def correct_screening(
    *, screening: Screening, changes: Mapping[str, Any], **why: Unpack[Why]
) -> Screening:
    """Judge other values, or another day, by the protocol version of the screening.

    A conclusion stays while it agrees with the results, and is open again where it does not.
    """
    audit.attribute(by=why["by"], reason=why["reason"])
    patient = records.held(screening.patient, why["by"], access.Action.WRITE_RECORDS)
    deviates = access.may(why["by"], access.Action.DEVIATE, trial=patient.trial, site=patient.site)
    stored = records.locked(screening, why["version"])
    with gate.upheld(patient, criteria_may_open=deviates):
        return _corrected(stored, **changes)


def _corrected(stored: Screening, screened_on: Date, values: Mapping[str, Any]) -> Screening:
    _require_order(stored, screened_on)
    stored.screened_on = screened_on
    judging.judged(stored, values)
    if list(_contradicted(stored)):
        stored.conclusion = Conclusion.OPEN
        stored.failure_reason = stored.failure_detail = ""
    records.check(stored)
    return records.stored_next(stored)


def _require_order(screening: Screening, on: Date) -> None:
    """No correction changes which of a patient's screenings is the later one."""
    first, last = sorted((screening.screened_on, on))
    others = screening.patient.screenings.filter(voided_at=None).exclude(pk=screening.pk)
    passed = others.filter(screened_on__range=(first, last)).first()
    if passed and passed.screened_on != on:
        detail = _("Between the two days is the screening of %s; void this one and screen again.")
        raise Conflict([FieldError("/screened_on", detail % passed.screened_on)])


@transaction.atomic
def conclude_screening(
    *,
    screening: Screening,
    conclusion: str,
    failure_reason: str = "",
    failure_detail: str = "",
    **why: Unpack[Why],
) -> Screening:
    """Say how a screening ended. Raises Conflict where its results, or an enrollment, contradict."""
    audit.attribute(by=why["by"], reason=why["reason"])
    patient = records.held(screening.patient, why["by"], access.Action.WRITE_RECORDS)
    stored = records.locked(screening, why["version"])
    stored.conclusion = conclusion
    stored.failure_reason, stored.failure_detail = failure_reason, failure_detail
    if errors := list(_incomplete(stored)):
        raise Refused(errors)
    if errors := [*_contradicted(stored), *_enrolled_already(stored, patient)]:
        raise Conflict(errors)
    _keep_deviations(stored)
    return records.stored_next(stored)


def _keep_deviations(screening: Screening) -> None:
    """A conclusion changes nothing of what an investigator saw: deviations go on to cover it."""
    seen = screening.deviations.filter(voided_at=None, screening_version=screening.version)
    seen.update(screening_version=screening.version + 1, version=F("version") + 1)


def void_screening(*, screening: Screening, **why: Unpack[Why]) -> Screening:
    """Take a screening out of lists and of what an enrollment rests on."""
    return _voided(screening, **why)


def _incomplete(screening: Screening) -> Iterator[FieldError]:
    """A failure has a reason, and nothing else has."""
    failed = screening.conclusion == Conclusion.FAILED
    if failed and screening.failure_reason not in FailureReason.values:
        detail = _("One of: %s.") % ", ".join(FailureReason.values)
        yield FieldError("/failure_reason", detail)
    if not failed:
        for name in ("failure_reason", "failure_detail"):
            if getattr(screening, name):
                yield FieldError(f"/{name}", _("Only of a screen failure."))


def _contradicted(screening: Screening) -> Iterator[FieldError]:
    """A conclusion that the results do not bear out."""
    found = judging.failing(screening.results)
    if screening.conclusion == Conclusion.ELIGIBLE:
        if not screening.results:
            yield FieldError("/conclusion", _("The protocol has no criteria to screen by."))
        for result in found:
            yield FieldError("/conclusion", gate.criterion_missing(dict(result)))
    if screening.failure_reason == FailureReason.NOT_ELIGIBLE and not found:
        yield FieldError("/failure_reason", _("Every criterion is met; give another reason."))


def _enrolled_already(screening: Screening, patient: Patient) -> Iterator[FieldError]:
    if screening.conclusion == Conclusion.FAILED and patient.enrolled_on:
        yield FieldError("/conclusion", _("Enrolled on %s already.") % patient.enrolled_on)


@transaction.atomic
def record_deviation(
    *,
    patient: Patient,
    criterion: Criterion,
    by: User,
    screening: int | None = None,
    screening_version: int | None = None,
    **facts: Any,
) -> Deviation:
    """Let an investigator enroll in spite of a criterion of the latest screening, and say why.

    Where the caller says which screening was looked at, at which version, that must be the latest.
    """
    audit.attribute(by=by, reason="recorded")
    patient = records.held(patient, by, access.Action.DEVIATE)
    latest = _latest(patient, {"screening": screening, "screening_version": screening_version})
    failing = [result["criterion"] for result in judging.failing(latest.results)]
    if criterion.pk not in failing:
        known = ", ".join(map(str, failing)) or "–"
        detail = _("A criterion that the latest screening found not met or unknown: %s.") % known
        raise Refused([FieldError("/criterion", detail)])
    seen: dict[str, Any] = {"screening": latest, "screening_version": latest.version}
    deviation = Deviation(patient=patient, criterion=criterion, **seen, **facts)
    if deviation.occurred_on < latest.screened_on:
        raise Refused(
            [FieldError("/occurred_on", _("Before the screening of %s.") % latest.screened_on)]
        )
    return records.record(deviation, by, access.Action.DEVIATE)


def _latest(patient: Patient, seen: Mapping[str, int | None]) -> Screening:
    """The latest screening, if it is what was seen."""
    latest = patient.screenings.filter(voided_at=None).order_by("screened_on", "pk").last()
    if latest is None:
        raise Conflict([FieldError("/patient", _("Screen the patient first."))])
    known = {"screening": latest.pk, "screening_version": latest.version}
    other = [name for name, said in seen.items() if said not in (None, known[name])]
    if other:
        detail = _(
            "The latest screening is %(screening)s at version %(screening_version)s: look at it."
        )
        raise Conflict([FieldError(f"/{name}", detail % known) for name in other])
    return latest


@transaction.atomic
def weigh_deviation(*, deviation: Deviation, major: bool, **why: Unpack[Why]) -> Deviation:
    """Let an investigator call a deviation major, or minor; what it covers stays as it is."""
    action = access.Action.DEVIATE
    records.held(deviation.patient, why["by"], action)
    if not Deviation.objects.covering().filter(pk=deviation.pk).exists():
        detail = _("The screening was corrected since: this deviation covers it no more.")
        raise Conflict([FieldError("/major", detail)])
    return records.correct(deviation, changes={"major": major}, action=action, **why)


def void_deviation(*, deviation: Deviation, **why: Unpack[Why]) -> Deviation:
    """Take a deviation out of lists and of what an enrollment rests on."""
    return _voided(deviation, **why)


@transaction.atomic
def enroll_screened(
    *, patient: Patient, enrolled_on: Date, arm: Arm | None = None, **why: Unpack[Why]
) -> Patient:
    """Enroll somebody who was screened; where the trial's gate asks for it, consent and all.

    Raises Conflict with everything that is in the way, each failing criterion by name.
    """
    audit.attribute(by=why["by"], reason=why["reason"])
    _hold_protocol(patient.trial)
    held = records.held(patient, why["by"], access.Action.WRITE_RECORDS)
    stored = records.locked(held, why["version"])
    if stored.enrolled_on:
        detail = _("Enrolled on %s already.") % stored.enrolled_on
        raise Conflict([FieldError("/enrolled_on", detail)])
    if stored.trial.screened_here:
        gate.require(stored, enrolled_on)
    facts: dict[str, Any] = {"enrolled_on": enrolled_on} | ({"arm": arm} if arm else {})
    changes = edits.changes()
    edits.amend(stored, facts, changes, gated=False)
    changes.store()
    return stored


def _hold_protocol(trial: Trial) -> None:
    """Wait for whoever changes the protocol; until this transaction ends nobody else does."""
    Trial.objects.select_for_update(no_key=True).get(pk=trial.pk)
