"""Whether one row may stand beside its patient's facts: checks without a look into the database.

Each takes an instance, stored or not, with its patient and site at hand, and yields what is wrong
with it; who writes many rows at once can ask before storing any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date as Date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.models import (
    DATES,
    DEATH,
    PLAUSIBLE,
    Adjustment,
    AdverseEvent,
    AdverseEventOutcome,
    Consent,
    Deviation,
    Disposition,
    DispositionKind,
    DispositionReason,
    Dose,
    Patient,
    Screening,
    Therapy,
)
from registry.errors import FieldError

EARLIEST = PLAUSIBLE[0]
RECOVERED = (AdverseEventOutcome.RECOVERED, AdverseEventOutcome.RECOVERED_WITH_SEQUELAE)
# The first of each pair may not be later than the second.
IN_ORDER = (
    ("first_dose_on", "last_dose_on"),
    ("first_dose_on", "died_on"),
    ("last_dose_on", "died_on"),
    ("last_known_alive_on", "died_on"),
    ("enrolled_on", "died_on"),
    ("randomized_on", "died_on"),
)
BEFORE = {
    "first_dose_on": gettext_lazy("Before the first dose on %s."),
    "last_dose_on": gettext_lazy("Before the last dose on %s."),
    "last_known_alive_on": gettext_lazy("Before the patient was last known alive on %s."),
    "enrolled_on": gettext_lazy("Before the enrollment on %s."),
    "randomized_on": gettext_lazy("Before the randomization on %s."),
}


def patient_errors(patient: Patient) -> Iterator[FieldError]:
    """What is wrong with a patient's dates, at the site and among themselves."""
    for name in DATES:
        yield from _implausible(patient, name, getattr(patient, name))
    if patient.birth_year and patient.birth_year > patient.site.today().year:
        yield FieldError("/birth_year", _("In the future."))
    for first, second in IN_ORDER:
        earlier, later = getattr(patient, first), getattr(patient, second)
        if earlier and later and earlier > later:
            yield FieldError(f"/{second}", str(BEFORE[first]) % earlier)
    if patient.last_dose_on and not patient.first_dose_on:
        yield FieldError("/first_dose_on", _("Give the first dose of a patient with a last dose."))


def therapy_errors(therapy: Therapy) -> Iterator[FieldError]:
    """What is wrong with a therapy's date."""
    yield from _implausible(therapy.patient, "started_on", therapy.started_on)
    yield from _after_death(therapy.patient, "started_on", therapy.started_on)


def adverse_event_errors(event: AdverseEvent) -> Iterator[FieldError]:
    """What is wrong with an adverse event's dates, its outcome, and a grade 5 without a death."""
    patient = event.patient
    for name in ("started_on", "ended_on"):
        yield from _implausible(patient, name, getattr(event, name))
        yield from _after_death(patient, name, getattr(event, name))
    if event.ended_on and event.ended_on < event.started_on:
        yield FieldError("/ended_on", _("Before the start, %s.") % event.started_on)
    if event.grade == DEATH and not patient.died_on:
        detail = _("Grade 5 is a death: give the patient's date of death first, or grade 1 to 4.")
        yield FieldError("/grade", detail)
    yield from _outcome_errors(event)


def _outcome_errors(event: AdverseEvent) -> Iterator[FieldError]:
    """An outcome that contradicts the grade or the end; a blank one contradicts nothing."""
    fatal = event.outcome == AdverseEventOutcome.FATAL
    if fatal and event.grade != DEATH:
        yield FieldError("/outcome", _("Fatal is grade 5: correct the grade, or the outcome."))
    if event.grade == DEATH and event.outcome and not fatal:
        yield FieldError("/outcome", _("Grade 5 is a death: the outcome is fatal."))
    if event.outcome in RECOVERED and not event.ended_on:
        yield FieldError("/ended_on", _("Give the day it ended, or another outcome."))


def disposition_errors(row: Disposition) -> Iterator[FieldError]:
    """What is wrong with a disposition's date, and with what its kind must say."""
    yield from _in_trial(row.patient, "on", row.on)
    withdrawn = row.kind == DispositionKind.WITHDRAWN
    if withdrawn and row.follow_up_continues is None:
        detail = _("Say whether follow-up continues: true, or false where it is refused.")
        yield FieldError("/follow_up_continues", detail)
    if not withdrawn and row.follow_up_continues is not None:
        detail = _("Only a withdrawal says whether follow-up continues; leave it out.")
        yield FieldError("/follow_up_continues", detail)
    if row.kind == DispositionKind.TREATMENT_DISCONTINUED and not row.reason:
        accepted = ", ".join(DispositionReason.values)
        yield FieldError("/disposition_reason", _("One of: %s.") % accepted)


def dose_errors(dose: Dose) -> Iterator[FieldError]:
    """What is wrong with a dose's dates, and with a pause that does not say so."""
    for name in ("started_on", "ended_on"):
        yield from _in_trial(dose.patient, name, getattr(dose, name))
    if dose.ended_on and dose.ended_on < dose.started_on:
        yield FieldError("/ended_on", _("Before the start, %s.") % dose.started_on)
    if not dose.dose and dose.adjustment != Adjustment.INTERRUPTED:
        yield FieldError("/adjustment", _("A dose of 0 is a pause: interrupted."))


def _in_trial(patient: Patient, name: str, on: Date | None) -> Iterator[FieldError]:
    """A date at which the patient was not in the trial, or not alive."""
    yield from _implausible(patient, name, on)
    yield from _after_death(patient, name, on)
    if patient.enrolled_on is None:
        yield FieldError(f"/{name}", _("Enroll the patient first: give the date of enrollment."))
    elif on and on < patient.enrolled_on:
        yield FieldError(f"/{name}", _("Before the enrollment on %s.") % patient.enrolled_on)


def consent_errors(consent: Consent) -> Iterator[FieldError]:
    """What is wrong with the days on which a consent was signed and withdrawn."""
    for name in ("signed_on", "withdrawn_on"):
        yield from _implausible(consent.patient, name, getattr(consent, name))
        yield from _after_death(consent.patient, name, getattr(consent, name))
    if consent.withdrawn_on and consent.withdrawn_on < consent.signed_on:
        yield FieldError("/withdrawn_on", _("Before it was signed, %s.") % consent.signed_on)


def screening_errors(screening: Screening) -> Iterator[FieldError]:
    """What is wrong with the day of a screening."""
    yield from _implausible(screening.patient, "screened_on", screening.screened_on)
    yield from _after_death(screening.patient, "screened_on", screening.screened_on)


def deviation_errors(deviation: Deviation) -> Iterator[FieldError]:
    """What is wrong with the day of a deviation."""
    yield from _implausible(deviation.patient, "occurred_on", deviation.occurred_on)
    yield from _after_death(deviation.patient, "occurred_on", deviation.occurred_on)


def _implausible(patient: Patient, name: str, on: Date | None) -> Iterator[FieldError]:
    """A date in the future at the site, or from before the patient's birth."""
    if on is None:
        return
    today = patient.site.today()
    if on > today:
        latest = _("In the future at the site; at the latest today, %s.")
        yield FieldError(f"/{name}", latest % today.isoformat())
    if on < EARLIEST or on.year < (patient.birth_year or 0):
        yield FieldError(f"/{name}", _("Before the patient's birth."))


def _after_death(patient: Patient, name: str, on: Date | None) -> Iterator[FieldError]:
    if on and patient.died_on and on > patient.died_on:
        detail = _("After the patient's death on %s.") % patient.died_on
        yield FieldError(f"/{name}", detail)


CHECKS: dict[type[Any], Callable[[Any], Iterator[FieldError]]] = {
    Therapy: therapy_errors,
    AdverseEvent: adverse_event_errors,
    Disposition: disposition_errors,
    Dose: dose_errors,
    Consent: consent_errors,
    Screening: screening_errors,
    Deviation: deviation_errors,
}
