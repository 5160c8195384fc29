"""A patient's tumor history: every stored visit of one evaluator, ready for RECIST.

Rows become method values here and in `queries`, nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import prefetch_related_objects

from outcomes.entries import LesionEntry, VisitEntry
from outcomes.methods import recist
from outcomes.models import (
    INVESTIGATOR,
    REVIEWER,
    Lesion,
    LesionRole,
    Measurement,
    NewLesionStatus,
    NonTargetStatus,
    Visit,
)
from patients.models import Patient
from registry import audit

# The rows of a visit, with the role of the lesions that they are about.
CHILDREN: Mapping[str, tuple[type[Measurement | NonTargetStatus | NewLesionStatus], str]] = {
    "measurements": (Measurement, LesionRole.TARGET),
    "non_target_statuses": (NonTargetStatus, LesionRole.NON_TARGET),
    "new_lesion_statuses": (NewLesionStatus, LesionRole.NEW),
}


@dataclass
class History:
    """The visits by date, their assessments, and the lesions by label.

    `edits` changes it while a visit is written; everybody else only reads it.
    """

    patient: Patient
    visits: list[Visit]
    assessments: dict[Date, recist.Assessment]
    lesions: dict[str, Lesion]
    evaluator: str = INVESTIGATOR
    known_on: datetime | None = None

    @property
    def reviewed(self) -> bool:
        """Whether this is what the independent reviewer read."""
        return self.evaluator == REVIEWER

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

    def assessed(self, entry: VisitEntry, on: Date) -> recist.Assessment:
        """What a visit says, as RECIST sees it: of lesions as the baseline described them."""
        return entry.as_assessment(on, self.roster())

    def put(self, visit: Visit, assessment: recist.Assessment) -> None:
        """Let a visit stand in the history, at its date."""
        self.visits = sorted([*self.visits, visit], key=attrgetter("date"))
        self.assessments[visit.date] = assessment

    def drop(self, visit: Visit) -> None:
        """Take a visit out."""
        self.visits = [other for other in self.visits if other is not visit]
        del self.assessments[visit.date]


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
    """Read the history: up to five statements, whatever the number of visits."""
    return load_all([patient], evaluator)[patient.pk]


def load_all(patients: Sequence[Patient], evaluator: str = INVESTIGATOR) -> dict[int, History]:
    """Read the histories of several patients, by their ids: up to five statements for all of them.

    Rows of a kind of lesions that no patient of them has are not asked for.
    """
    ids = [patient.pk for patient in patients]
    lesions: dict[int, dict[str, Lesion]] = defaultdict(dict)
    for lesion in Lesion.objects.active().filter(patient__in=ids, evaluator=evaluator):
        lesions[lesion.patient_id][lesion.label] = lesion
    visits: dict[int, list[Visit]] = defaultdict(list)
    known = {patient.pk: patient for patient in patients}
    roles = {lesion.role for of_patient in lesions.values() for lesion in of_patient.values()}
    for visit in _visits(ids, evaluator, roles):
        visit.patient = known[visit.patient_id]
        visits[visit.patient_id].append(visit)
    return {pk: _history(known[pk], visits[pk], lesions[pk], evaluator) for pk in ids}


def load_as_known(patient: Patient, evaluator: str, known_on: datetime) -> History:
    """The history as it stood at a moment, of rows that are never saved: five statements too."""
    own = {"patient": patient.pk, "evaluator": evaluator, "voided_at": None}
    lesions = {lesion.label: lesion for lesion in audit.rows_as_known(Lesion, known_on, **own)}
    visits = sorted(audit.rows_as_known(Visit, known_on, **own), key=attrgetter("date"))
    by_visit: dict[str, dict[int, list[Any]]] = {name: defaultdict(list) for name in CHILDREN}
    for name, (model, _role) in CHILDREN.items():
        for row in audit.rows_as_known(model, known_on, patient=patient.pk):
            by_visit[name][row.visit_id].append(row)
    for visit in visits:
        visit.patient = patient
        seen = {name: rows[visit.pk] for name, rows in by_visit.items()}
        visit._prefetched_objects_cache = seen  # as a prefetch does
    found = _history(patient, visits, lesions, evaluator)
    return replace(found, known_on=known_on)


def _visits(patients: Sequence[int], evaluator: str, roles: Collection[str]) -> Iterable[Visit]:
    rows = Visit.objects.filter(patient__in=patients, voided_at=None, evaluator=evaluator)
    found = list(rows.order_by("date"))
    without: dict[str, list[Any]] = {
        name: [] for name, (_model, role) in CHILDREN.items() if role not in roles
    }
    for visit in found:
        visit._prefetched_objects_cache = dict(without)  # type: ignore[attr-defined]
    prefetch_related_objects(found, *(name for name in CHILDREN if name not in without))
    return found


def _history(
    patient: Patient, visits: list[Visit], lesions: dict[str, Lesion], evaluator: str
) -> History:
    by_id = {lesion.pk: lesion for lesion in lesions.values()}
    assessments = {visit.date: _assessment(visit, by_id) for visit in visits}
    return History(patient, visits, assessments, lesions, evaluator)


def _assessment(visit: Visit, lesions: Mapping[int, Lesion]) -> recist.Assessment:
    return recist.Assessment(
        date=visit.date,
        targets=[_target(m, lesions[m.lesion_id], lesions) for m in visit.measurements.all()],
        non_targets=[_non_target(n, lesions[n.lesion_id]) for n in visit.non_target_statuses.all()],
        new_lesions=[_new_lesion(n, lesions[n.lesion_id]) for n in visit.new_lesion_statuses.all()],
    )


def _target(row: Measurement, lesion: Lesion, lesions: Mapping[int, Lesion]) -> recist.Target:
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
        merged_into=lesions[row.merged_into_id].label if row.merged_into_id else "",
        fragments_mm=tuple(row.fragments_mm),
    )


def _non_target(row: NonTargetStatus, lesion: Lesion) -> recist.NonTarget:
    return recist.NonTarget(
        lesion=lesion.label,
        status=recist.NonTargetState(row.status),
        nodal=lesion.nodal,
        short_axis_mm=row.short_axis_mm,
        organ_group=lesion.organ_group,
        method=recist.ImagingMethod(lesion.method) if lesion.method else None,
        growth=_growth(row),
    )


def _new_lesion(row: NewLesionStatus, lesion: Lesion) -> recist.NewLesion:
    return recist.NewLesion(
        lesion.label,
        recist.Certainty(row.certainty),
        diameter_mm=row.diameter_mm,
        nodal=lesion.nodal,
        organ_group=lesion.organ_group,
        growth=_growth(row),
    )


def _growth(row: NonTargetStatus | NewLesionStatus) -> recist.Growth | None:
    return recist.Growth(row.growth) if row.growth else None
