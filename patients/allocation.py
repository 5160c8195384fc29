"""Concealed allocation: the trial's scheme, and the next place of a patient's stratum.

Places of a block are drawn and stored when the first of them is needed, and nobody can read those
that are not taken: no answer, page or error depends on them, nor does the number of statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from secrets import SystemRandom
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from patients import contradictions, gate, randomization, records
from patients.models import Allocation, Patient, RandomizationSlot
from registry import audit
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from trials import access
from trials.models import RandomizationScheme, Trial

if TYPE_CHECKING:
    from registry.models import User

SYSTEM = SystemRandom()
FIXED = ("ratio", "factors")  # from the first allocation on
# One statement, whether the stratum has a place left or not.
DRAWN = """
INSERT INTO patients_randomizationslot (trial_id, stratum, position, block, arm_id)
SELECT %(trial)s, %(stratum)s, last.position + drawn.place, last.block + 1, drawn.arm
FROM unnest(%(arms)s::bigint[]) WITH ORDINALITY AS drawn(arm, place),
     (SELECT coalesce(max(position), 0) AS position, coalesce(max(block), 0) AS block
      FROM patients_randomizationslot WHERE trial_id = %(trial)s AND stratum = %(stratum)s) AS last
WHERE NOT EXISTS (
    SELECT FROM patients_randomizationslot
    WHERE trial_id = %(trial)s AND stratum = %(stratum)s AND patient_id IS NULL)
"""


@transaction.atomic
def put_scheme(
    *, trial: Trial, by: User, reason: str, version: int | None, **facts: Any
) -> RandomizationScheme:
    """Create or replace how a trial allots arms: its administrator only.

    `version` is the stored scheme's, None where there is none. After the first allocation ratio
    and factors stay (Conflict); other block multiples hold for the blocks that are drawn later.
    """
    audit.attribute(by=by, reason=reason)
    access.require(by, access.Action.WRITE_TRIAL, trial=trial)
    Trial.objects.select_for_update(no_key=True).get(pk=trial.pk)
    scheme = RandomizationScheme.objects.select_for_update().filter(trial=trial).first()
    if version != (scheme.version if scheme else None):
        raise StaleVersion(scheme.version if scheme else 0, scheme)
    _require_valid(trial, facts)
    if scheme is None:
        return RandomizationScheme.objects.create(trial=trial, **facts)
    _require_unused(scheme, facts)
    for name, value in facts.items():
        setattr(scheme, name, value)
    scheme.version += 1
    scheme.save()
    return scheme


def _require_valid(trial: Trial, facts: Mapping[str, Any]) -> None:
    if not trial.randomized:
        raise Conflict([FieldError("", _("This trial is not randomized; its allocation says so."))])
    arms = set(trial.arms.values_list("name", flat=True))
    if len(arms) < 2 or facts["ratio"].keys() != arms:
        detail = _("A whole number for each of the trial's arms, two or more: %s.")
        raise Refused([FieldError("/ratio", detail % ", ".join(sorted(arms)))])


def _require_unused(scheme: RandomizationScheme, facts: Mapping[str, Any]) -> None:
    changed = [name for name in FIXED if getattr(scheme, name) != facts[name]]
    if changed and RandomizationSlot.objects.filter(trial=scheme.trial_id).exists():
        detail = _("Patients were randomized by it already; it stays.")
        raise Conflict([FieldError(f"/{name}", detail) for name in changed])


@transaction.atomic
def randomize_patient(
    *, patient: Patient, by: User, version: int, chance: Random = SYSTEM
) -> Patient:
    """Give an enrolled patient the next arm of their stratum, today at the site.

    Raises StaleVersion where `version` is not the patient's, Conflict where the patient cannot be
    randomized, Refused for a stratification factor that is missing, or PermissionDenied.
    """
    audit.attribute(by=by, reason="randomized")
    access.require(by, access.Action.WRITE_RECORDS, trial=patient.trial, site=patient.site)
    patient = records.locked(patient, version)
    access.require(by, access.Action.WRITE_RECORDS, trial=patient.trial, site=patient.site)
    _require_ready(patient)
    # One randomization of a trial at a time: two never take the same place of any stratum.
    scheme = RandomizationScheme.objects.select_for_update().filter(trial=patient.trial).first()
    if scheme is None:
        raise Conflict([FieldError("", _("The trial has no randomization scheme yet."))])
    slot = _next_slot(scheme, patient, chance)
    Allocation.objects.create(patient=patient, trial=patient.trial, arm=slot.arm)
    patient.randomized_on = patient.site.today()
    return records.stored_next(patient)


def _require_ready(patient: Patient) -> None:
    """Raise Conflict unless the patient waits for randomization."""
    found = [
        (not patient.trial.randomized, _("This trial is not randomized.")),
        (patient.enrolled_on is None, _("Enroll the patient first.")),
        (patient.arm is not None or patient.randomized_on, _("Randomized already.")),
        (patient.died_on, _("The patient has died.")),
        (contradictions.closing(patient), _("The patient has left the trial.")),
    ]
    errors = [FieldError("", detail) for wrong, detail in found if wrong]
    if errors := errors or [*_past_the_gate(patient)]:
        raise Conflict(errors)


def _past_the_gate(patient: Patient) -> Iterator[FieldError]:
    """What the enrollment lacks where consent and screening come first, and a consent withdrawn."""
    if patient.trial.screened_here and patient.enrolled_on:
        standing = gate.standing(patient, patient.enrolled_on)
        yield from (FieldError("", sentence) for sentence in standing.missing)
    yield from gate.consent_withdrawn(patient, patient.site.today(), same_day=True)


def _next_slot(scheme: RandomizationScheme, patient: Patient, chance: Random) -> RandomizationSlot:
    """The first place of the patient's stratum that is free, now theirs."""
    stratum = _stratum(scheme, patient)
    arms = dict(patient.trial.arms.values_list("name", "pk"))
    if scheme.ratio.keys() - arms.keys():
        raise Conflict([FieldError("", _("The scheme is of other arms than the trial's."))])
    block = randomization.next_block(scheme.ratio, scheme.block_multiples, chance)
    values: dict[str, Any] = {
        "trial": scheme.trial_id,
        "stratum": stratum,
        "arms": [arms[name] for name in block],
    }
    with connection.cursor() as cursor:
        cursor.execute(DRAWN, values)
    free = RandomizationSlot.objects.filter(trial=scheme.trial_id, stratum=stratum, patient=None)
    slot = free.select_related("arm").order_by("position")[0]
    slot.patient = patient
    slot.save(update_fields=["patient"])
    return slot


def _stratum(scheme: RandomizationScheme, patient: Patient) -> str:
    facts = {
        "site": patient.site.code,
        "sex": patient.sex,
        "ecog": patient.ecog,
        "histology": patient.histology,
    }
    try:
        return randomization.stratum(scheme.factors, facts)
    except randomization.MissingFactor as missing:
        detail = _("Not known; the trial stratifies by it. Give it in the patient's data first.")
        raise Refused([FieldError(f"/{missing.factor}", detail)]) from missing
