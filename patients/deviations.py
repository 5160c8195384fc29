"""Writes of protocol deviations: from a criterion as `screening` has them, and what happened since.

Whoever records a patient's data records what happened; only an investigator enrolls somebody in
spite of a criterion, and says whether that is major.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from django.utils.translation import gettext as _

from patients import records, screening
from patients.models import Deviation, Patient
from patients.records import Correction, Why
from registry.errors import FieldError, Refused

if TYPE_CHECKING:
    from registry.models import User


def record_deviation(*, patient: Patient, by: User, **facts: Any) -> Deviation:
    """Add a deviation; one that names a criterion lets an investigator enroll in spite of it."""
    if facts.get("criterion"):
        return screening.record_deviation(patient=patient, by=by, **facts)
    return records.record(Deviation(patient=patient, **facts), by)


def correct_deviation(*, deviation: Deviation, **correction: Unpack[Correction]) -> Deviation:
    """Replace what is said to have happened; a deviation from a criterion is weighed or voided."""
    if deviation.criterion_id or correction["changes"].get("criterion"):
        detail = _(
            "A deviation from a criterion covers what the investigator saw at one screening: say "
            "whether it is major (PATCH), or void it and record another."
        )
        raise Refused([FieldError("/criterion", detail)])
    return records.correct(deviation, **correction)


def weigh_deviation(*, deviation: Deviation, major: bool, **why: Unpack[Why]) -> Deviation:
    """Call a deviation major, or minor; one from a criterion is weighed by an investigator."""
    if deviation.criterion_id:
        return screening.weigh_deviation(deviation=deviation, major=major, **why)
    return records.correct(deviation, changes={"major": major}, **why)
