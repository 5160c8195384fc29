"""Rows -> method values for a whole trial: one SQL statement per table, however many patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date as Date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import QuerySet

from outcomes.methods.best_response import Record
from outcomes.methods.recist import Certainty, Response
from outcomes.methods.time_to_event import Dated, PatientHistory, Source, TherapyStart
from outcomes.models import INVESTIGATOR, NewLesionStatus, Visit
from patients.models import Patient, Therapy
from trials.definitions import TherapyKind, TimeOrigin

ORIGIN_FIELDS = {
    TimeOrigin.FIRST_DOSE: "first_dose_on",
    TimeOrigin.ENROLLMENT: "enrolled_on",
    TimeOrigin.RANDOMIZATION: "randomized_on",
}
EVIDENCE_OF_LIFE = ("first_dose_on", "last_dose_on", "last_known_alive_on")
PATIENT_FIELDS = (
    "pk", "subject_id", "site__code", "allocation__arm__name", "histology", "sex", "ecog",
    "enrolled_on", "randomized_on", "first_dose_on", "last_dose_on", "last_known_alive_on", "died_on",
)  # fmt: skip
VISIT_FIELDS = ("patient_id", "pk", "kind", "date", "overall_response", "sum_mm", "baseline_sum_mm", "complete")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sum:
    """A complete sum of diameters after baseline, in mm."""

    date: Date
    sum_mm: Decimal
    baseline_sum_mm: Decimal

    @property
    def change_percent(self) -> Fraction | None:
        """Exact percent from baseline; None where the baseline sum is 0."""
        if not self.baseline_sum_mm:
            return None
        return 100 * Fraction(self.sum_mm - self.baseline_sum_mm) / Fraction(self.baseline_sum_mm)


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """Everything a report needs to know of one patient."""

    id: int
    subject_id: str
    site: str
    arm: str | None
    histology: str
    sex: str
    ecog: int | None
    dates: Mapping[str, Date | None]
    history: PatientHistory
    sums: Mapping[int, Sum]
    measurable: bool
    blinded: bool = False

    def from_origin(self, origin: TimeOrigin) -> PatientHistory:
        """The history counted from one of the patient's dates."""
        field = ORIGIN_FIELDS[origin]
        on = self.dates[field]
        dated = Dated(on, Source("patient", self.id, field)) if on else None
        return replace(self.history, origin=dated)


def facts(
    patients: QuerySet[Patient], evaluator: str = INVESTIGATOR, *, blinded: bool = False
) -> list[PatientFacts]:
    """The facts of these patients, by subject id, in four statements; without arms if `blinded`."""
    rows = list(patients.order_by("subject_id").values_list(*PATIENT_FIELDS))
    chosen = patients.order_by().values("pk")
    new_lesions = _new_lesions(chosen, evaluator)
    visits = _by_patient(
        Visit.objects.filter(patient__in=chosen, voided_at=None, evaluator=evaluator)
        .order_by("date")
        .values_list(*VISIT_FIELDS)
    )
    therapies = _by_patient(
        Therapy.objects.filter(patient__in=chosen, voided_at=None)
        .order_by("started_on")
        .values_list("patient_id", "pk", "started_on", "kind")
    )
    found = [_facts(row, visits[row[0]], therapies[row[0]], new_lesions) for row in rows]
    return [replace(one, arm=None, blinded=True) for one in found] if blinded else found


def _by_patient(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    grouped: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row[1:])
    return grouped


NewLesions = Mapping[int, Mapping[str, frozenset[str]]]


def _new_lesions(patients: Any, evaluator: str) -> NewLesions:
    """Labels of the new lesions per visit and certainty."""
    seen: dict[int, dict[str, frozenset[str]]] = defaultdict(dict)
    rows = NewLesionStatus.objects.filter(
        patient__in=patients, visit__voided_at=None, visit__evaluator=evaluator
    )
    for visit, certainty, label in rows.order_by().values_list(
        "visit_id", "certainty", "lesion__label"
    ):
        seen[visit][certainty] = seen[visit].get(certainty, frozenset()) | {label}
    return seen


def _facts(
    row: tuple[Any, ...],
    visits: list[tuple[Any, ...]],
    therapies: list[tuple[Any, ...]],
    new_lesions: NewLesions,
) -> PatientFacts:
    pk, subject_id, site, arm, histology, sex, ecog = row[:7]
    dates = dict(zip(PATIENT_FIELDS[7:], row[7:], strict=True))
    baseline = next((visit for visit in visits if visit[1] == Visit.Kind.BASELINE), None)
    follow_ups = [visit for visit in visits if visit is not baseline]
    alive = [Dated(on, Source("patient", pk, f)) for f in EVIDENCE_OF_LIFE if (on := dates[f])]
    if baseline:
        alive.append(Dated(baseline[2], Source("visit", baseline[0], "date")))
    died_on = dates["died_on"]
    return PatientFacts(
        id=pk, subject_id=subject_id, site=site, arm=arm, histology=histology, sex=sex, ecog=ecog,
        dates=dates,
        history=PatientHistory(
            origin=None,
            records=tuple(_record(visit, new_lesions) for visit in follow_ups),
            died=Dated(died_on, Source("patient", pk, "died_on")) if died_on else None,
            therapies=tuple(_therapy(therapy) for therapy in therapies),
            alive=tuple(alive),
            has_baseline=baseline is not None,
        ),
        sums={v[0]: Sum(v[2], v[4], v[5]) for v in follow_ups if v[6] and v[4] is not None},
        measurable=baseline is not None and baseline[4] is not None,
    )  # fmt: skip


NONE: Mapping[str, frozenset[str]] = {}
NO_LABELS: frozenset[str] = frozenset()


def _record(visit: tuple[Any, ...], new_lesions: NewLesions) -> Record:
    seen = new_lesions.get(visit[0], NONE)
    return Record(
        date=visit[2],
        response=Response(visit[3]),
        source=visit[0],
        equivocal=seen.get(Certainty.EQUIVOCAL.value, NO_LABELS),
        unequivocal=seen.get(Certainty.UNEQUIVOCAL.value, NO_LABELS),
    )


def _therapy(row: tuple[Any, ...]) -> TherapyStart:
    pk, started_on, kind = row
    return TherapyStart(started_on, TherapyKind(kind), Source("therapy", pk, "started_on"))
