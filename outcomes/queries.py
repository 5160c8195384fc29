"""Rows -> method values for a whole trial: one SQL statement per table, however many patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter, itemgetter
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from outcomes.methods.best_response import Record
from outcomes.methods.irecist import ImmuneResponse
from outcomes.methods.recist import Certainty, Response
from outcomes.methods.time_to_event import Dated, PatientHistory, Source, TherapyStart
from outcomes.models import INVESTIGATOR, NewLesionStatus, Visit
from patients.models import Allocation, Deviation, Patient, Screening, Therapy
from registry import audit
from trials.definitions import TherapyKind, TimeOrigin
from trials.models import Arm, Site

ORIGIN_FIELDS = {
    TimeOrigin.FIRST_DOSE: "first_dose_on",
    TimeOrigin.ENROLLMENT: "enrolled_on",
    TimeOrigin.RANDOMIZATION: "randomized_on",
}
EVIDENCE_OF_LIFE = ("first_dose_on", "last_dose_on", "last_known_alive_on")
FURTHER = ("birth_year", "prior_lines", "major_deviation_on")
PATIENT_FIELDS = (
    "id", "subject_id", "site__code", "allocation__arm__name", "histology", "sex", "ecog",
    "enrolled_on", "randomized_on", "first_dose_on", "last_dose_on", "last_known_alive_on", "died_on",
    "allocation__arm", "allocation__arm__type", *FURTHER,
)  # fmt: skip
# Looked up once: a report makes a value of every row, and an enum's own lookup is the dearer part.
RESPONSES = {response.value: response for response in Response}
IMMUNE: dict[str, ImmuneResponse | None] = {"": None, **{r.value: r for r in ImmuneResponse}}
BASELINE = Visit.Kind.BASELINE.value
EQUIVOCAL, UNEQUIVOCAL = Certainty.EQUIVOCAL.value, Certainty.UNEQUIVOCAL.value
VISIT_FIELDS = ("patient_id", "id", "kind", "date", "overall_response", "sum_mm", "baseline_sum_mm", "complete", "irecist_response")  # fmt: skip


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
    sums: Sequence[tuple[int, Decimal, Decimal]]  # complete: visit, its sum, the baseline's, in mm
    measurable: bool
    arm_id: int | None = None
    arm_type: str = ""
    blinded: bool = False
    birth_year: int | None = None
    prior_lines: int | None = None
    major_deviation_on: Date | None = None  # of the first that is in force
    evaluator: str = INVESTIGATOR

    def from_origin(self, origin: TimeOrigin) -> PatientHistory:
        """The history counted from one of the patient's dates."""
        field = ORIGIN_FIELDS[origin]
        on = self.dates[field]
        known = self.history
        return PatientHistory(
            Dated(on, Source("patient", self.id, field)) if on else None,
            known.records,
            known.died,
            known.therapies,
            known.alive,
            known.has_baseline,
        )

    def best_change_percent(self, records: Iterable[Record]) -> Fraction | None:
        """Exact percent from baseline of the smallest complete sum among these records.

        None without one, or where the baseline sum is 0. A patient has one baseline sum.
        """
        visits = {record.source for record in records}
        sums = [(sum_mm, first) for visit, sum_mm, first in self.sums if first and visit in visits]
        if not sums:
            return None
        smallest, baseline = min(sums)
        return 100 * Fraction(smallest - baseline) / Fraction(baseline)


def facts(
    patients: QuerySet[Patient],
    evaluator: str = INVESTIGATOR,
    *,
    blinded: bool = False,
    known_on: datetime | None = None,
) -> list[PatientFacts]:
    """The facts of these patients, by subject id, in four statements; without arms if `blinded`.

    Responses are the evaluator's alone. What the sites saw is evidence of life for the independent
    review too, in a fifth statement; not the other way round, since sites do not see the review.
    With `known_on` as they were known then: from the audit trail, a patient who is or was voided
    only while not voided. Labels of lesions are permanent and are read as they are.
    """
    chosen = patients.order_by().values("pk")
    rows = _people(patients, known_on)
    new_lesions = _new_lesions(chosen, known_on)
    visits = _by_patient(
        _rows(Visit, chosen, known_on)
        .filter(voided_at=None, evaluator=evaluator)
        .order_by("date", "id")
        .values_list(*VISIT_FIELDS)
    )
    therapies = _by_patient(
        _rows(Therapy, chosen, known_on)
        .filter(voided_at=None)
        .order_by("started_on", "id")
        .values_list("patient_id", "id", "started_on", "kind")
    )
    found = [_facts(row, visits[row[0]], therapies[row[0]], new_lesions) for row in rows]
    if evaluator != INVESTIGATOR:
        seen = _seen_at_sites(chosen, known_on)
        found = [_seen_alive(replace(one, evaluator=evaluator), seen) for one in found]
    return [blind(one) for one in found] if blinded else found


def _seen_at_sites(patients: Any, known_on: datetime | None) -> dict[int, Dated]:
    """The latest visit that a site recorded, by patient."""
    rows = _rows(Visit, patients, known_on).filter(voided_at=None, evaluator=INVESTIGATOR)
    visits = rows.order_by("date", "id").values_list("patient_id", "date", "id")
    return {patient: Dated(on, Source("visit", pk, "date")) for patient, on, pk in visits}


def _seen_alive(known: PatientFacts, seen: Mapping[int, Dated]) -> PatientFacts:
    """The facts, with a visit at the site where that is the latest evidence of life."""
    evidence = [*known.history.alive, *([seen[known.id]] if known.id in seen else [])]
    latest = max(evidence, key=attrgetter("date"), default=None)
    return replace(known, history=replace(known.history, alive=(latest,) if latest else ()))


def blind(known: PatientFacts) -> PatientFacts:
    """The facts without the arm."""
    return replace(known, arm=None, arm_id=None, arm_type="", blinded=True)


def _people(patients: QuerySet[Patient], known_on: datetime | None) -> list[tuple[Any, ...]]:
    """The patients' own columns; with a moment the site and arm that they had then, too."""
    if known_on is None:
        now = {"major_deviation_on": _first_major(deviations_in_force(None), "pk")}
        fields = [now.get(name, name) for name in PATIENT_FIELDS]
        return list(patients.order_by("subject_id").values_list(*fields))
    sites = audit.as_known(Site, known_on).filter(pgh_obj=OuterRef("site"))
    arms = audit.as_known(Arm, known_on).filter(pgh_obj=OuterRef("arm"))
    allocated = audit.as_known(Allocation, known_on).filter(patient=OuterRef("id"))
    last = allocated.order_by("-pgh_id")
    then = {
        "site__code": Subquery(sites.values("code")),
        "allocation__arm": Subquery(last.values("arm")[:1]),
        "allocation__arm__name": Subquery(last.values(then=Subquery(arms.values("name")))[:1]),
        "allocation__arm__type": Subquery(last.values(then=Subquery(arms.values("type")))[:1]),
        "major_deviation_on": _first_major(deviations_in_force(known_on), "id"),
    }
    rows = audit.as_known(Patient, known_on).filter(pgh_obj__in=patients.values("pk"))
    fields = [then.get(name, name) for name in PATIENT_FIELDS]
    return list(rows.filter(voided_at=None).order_by("subject_id").values_list(*fields))


def _in_force(known_on: datetime) -> QuerySet[Any]:
    """The deviations that were in force at a moment, as `in_force` has them now."""
    screenings = audit.as_known(Screening, known_on).filter(
        pgh_obj=OuterRef("screening"), version=OuterRef("screening_version"), voided_at=None
    )
    in_force = Q(criterion=None) | Exists(screenings)
    return audit.as_known(Deviation, known_on).filter(in_force, voided_at=None)


def deviations_in_force(known_on: datetime | None) -> QuerySet[Any]:
    """The deviations in force, now or at a moment."""
    return _in_force(known_on) if known_on else Deviation.objects.in_force()


def _first_major(deviations: QuerySet[Any], patient: str) -> Subquery:
    mine = deviations.filter(patient=OuterRef(patient), major=True).order_by("occurred_on")
    return Subquery(mine.values("occurred_on")[:1])


def _rows(model: Any, patients: Any, known_on: datetime | None) -> QuerySet[Any]:
    """A table's rows of these patients, now or as they stood at a moment."""
    rows = audit.as_known(model, known_on) if known_on else model.objects.all()
    return rows.filter(patient__in=patients)


def _by_patient(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    grouped: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    return grouped


NewLesions = Mapping[int, Mapping[str, frozenset[str]]]


def _new_lesions(patients: Any, known_on: datetime | None) -> NewLesions:
    """Labels of the new lesions per visit, whether it counts or not, and certainty."""
    seen: dict[int, dict[str, frozenset[str]]] = defaultdict(dict)
    rows = _rows(NewLesionStatus, patients, known_on)
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
    dates = dict(zip(PATIENT_FIELDS[7:13], row[7:13], strict=True))
    arm_id, arm_type, *further = row[13:]
    baseline = next((visit for visit in visits if visit[2] == BASELINE), None)
    follow_ups = [visit for visit in visits if visit[2] != BASELINE]
    died_on = dates["died_on"]
    return PatientFacts(
        pk, subject_id, site, arm, histology, sex, ecog, dates,
        history=PatientHistory(
            origin=None,
            records=tuple([_record(visit, new_lesions) for visit in follow_ups]),
            died=Dated(died_on, Source("patient", pk, "died_on")) if died_on else None,
            therapies=tuple([_therapy(therapy) for therapy in therapies]),
            alive=_alive(pk, dates, baseline),
            has_baseline=baseline is not None,
        ),
        sums=[(v[1], v[5], v[6]) for v in follow_ups if v[7] and v[5] is not None],
        measurable=baseline is not None and baseline[5] is not None,
        arm_id=arm_id, arm_type=arm_type or "", **dict(zip(FURTHER, further, strict=True)),
    )  # fmt: skip


def _alive(
    pk: int, dates: Mapping[str, Date | None], baseline: tuple[Any, ...] | None
) -> tuple[Dated, ...]:
    """The latest evidence of life besides records and therapies, which is all that counts."""
    evidence = [(on, "patient", pk, field) for field in EVIDENCE_OF_LIFE if (on := dates[field])]
    if baseline:
        evidence.append((baseline[3], "visit", baseline[1], "date"))
    if not evidence:
        return ()
    on, record, record_id, field = max(evidence, key=itemgetter(0))
    return (Dated(on, Source(record, record_id, field)),)


def _record(visit: tuple[Any, ...], new_lesions: NewLesions) -> Record:
    _patient, pk, _kind, date, response = visit[:5]
    seen, immune = new_lesions.get(pk), IMMUNE[visit[8]]
    if seen is None:
        return Record(date, RESPONSES[response], pk, immune=immune)
    equivocal, unequivocal = (seen.get(c, frozenset()) for c in (EQUIVOCAL, UNEQUIVOCAL))
    return Record(date, RESPONSES[response], pk, equivocal, unequivocal, immune=immune)


def _therapy(row: tuple[Any, ...]) -> TherapyStart:
    _patient, pk, started_on, kind = row
    return TherapyStart(started_on, TherapyKind(kind), Source("therapy", pk, "started_on"))
