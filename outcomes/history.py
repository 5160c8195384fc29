"""A patient's tumor history: every stored visit of one evaluator, ready for RECIST.

Rows become method values here and in `queries`, nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outcomes.entries import LesionEntry
from outcomes.methods import recist
from outcomes.models import (
    INVESTIGATOR,
    Lesion,
    LesionRole,
    Measurement,
    NewLesionStatus,
    NonTargetStatus,
    Visit,
)
from patients.models import Patient


@dataclass(frozen=True)
class History:
    """The visits by date with their assessments, and the lesions by label."""

    patient: Patient
    visits: tuple[Visit, ...]
    assessments: Mapping[int, recist.Assessment]
    lesions: Mapping[str, Lesion]

    @property
    def baseline(self) -> Visit | None:
        """The visit that the others are compared with."""
        return next((visit for visit in self.visits if visit.kind == Visit.Kind.BASELINE), None)

    def of_role(self, role: LesionRole) -> list[Lesion]:
        """Lesions of one role in the order of their labels."""
        return sorted(
            (le for le in self.lesions.values() if le.role == role), key=lambda le: le.label
        )

    def roster(self) -> dict[str, LesionEntry]:
        """What the baseline said of each lesion."""
        return {label: described(lesion) for label, lesion in self.lesions.items()}

    def before(self, visit: Visit) -> tuple[Visit, ...]:
        """Earlier visits."""
        return tuple(other for other in self.visits if other.date < visit.date)


def described(lesion: Lesion) -> LesionEntry:
    """A stored lesion's description."""
    return LesionEntry(
        lesion=lesion.label,
        organ=lesion.organ,
        description=lesion.description,
        nodal=lesion.nodal,
        method=lesion.method,
        slice_mm=lesion.slice_mm,
        bone_type=lesion.bone_type,
        previously_irradiated=lesion.previously_irradiated,
        progressed_since_irradiation=lesion.progressed_since_irradiation,
    )


def load(patient: Patient, evaluator: str = INVESTIGATOR) -> History:
    """Read the history: five statements, whatever the number of visits."""
    lesions = list(patient.lesions.active().filter(evaluator=evaluator))
    by_id = {lesion.pk: lesion for lesion in lesions}
    visits = tuple(
        patient.visits.filter(voided_at=None, evaluator=evaluator)
        .prefetch_related("measurements", "non_target_statuses", "new_lesion_statuses")
        .order_by("date")
    )
    return History(
        patient=patient,
        visits=visits,
        assessments={visit.pk: _assessment(visit, by_id) for visit in visits},
        lesions={lesion.label: lesion for lesion in lesions},
    )


def _assessment(visit: Visit, lesions: Mapping[int, Lesion]) -> recist.Assessment:
    return recist.Assessment(
        date=visit.date,
        targets=[_target(m, lesions[m.lesion_id]) for m in visit.measurements.all()],
        non_targets=[_non_target(n, lesions[n.lesion_id]) for n in visit.non_target_statuses.all()],
        new_lesions=[_new_lesion(n, lesions[n.lesion_id]) for n in visit.new_lesion_statuses.all()],
    )


def _target(row: Measurement, lesion: Lesion) -> recist.Target:
    method = row.method or lesion.method
    return recist.Target(
        lesion=lesion.label,
        state=recist.TargetState(row.state),
        diameter_mm=row.diameter_mm,
        nodal=lesion.nodal,
        organ_group=lesion.organ_group,
        method=recist.ImagingMethod(method) if method else None,
        slice_mm=row.slice_mm or lesion.slice_mm,
        bone_type=recist.BoneType(lesion.bone_type) if lesion.bone_type else None,
        previously_irradiated=lesion.previously_irradiated,
        progressed_since_irradiation=lesion.progressed_since_irradiation,
    )


def _non_target(row: NonTargetStatus, lesion: Lesion) -> recist.NonTarget:
    return recist.NonTarget(
        lesion=lesion.label,
        status=recist.NonTargetState(row.status),
        nodal=lesion.nodal,
        short_axis_mm=row.short_axis_mm,
        organ_group=lesion.organ_group,
        method=recist.ImagingMethod(lesion.method) if lesion.method else None,
    )


def _new_lesion(row: NewLesionStatus, lesion: Lesion) -> recist.NewLesion:
    return recist.NewLesion(lesion.label, recist.Certainty(row.certainty))
