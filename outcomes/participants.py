"""A trial's patients as a list: where each stands, and what is still to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core import paginator
from django.db.models import Count, QuerySet

from outcomes import report, schedule
from outcomes.flow_sheet import millimeters, percent
from outcomes.labels import response_label
from outcomes.methods.schedule import Timeliness
from outcomes.models import INVESTIGATOR, Visit
from outcomes.options import today
from outcomes.participant_filters import Asked
from outcomes.report import PatientOutcome
from outcomes.schedule import Outlook
from patients.models import Patient, Query
from trials.models import Trial

if TYPE_CHECKING:
    from registry.models import User

PER_PAGE = 50
Page = paginator.Page[Any]


@dataclass(frozen=True)
class ParticipantLine:
    """One patient of the list."""

    patient: Patient
    outlook: Outlook
    outcome: PatientOutcome
    last: Visit | None
    open_queries: int

    @property
    def last_label(self) -> str:
        """What the last visit is called."""
        if self.last is None:
            return ""
        self.last.patient = self.patient
        return schedule.week_label(self.last, getattr(self.last, "scheduled_before", None))

    @property
    def response(self) -> str:
        """The last visit's response, as RECIST writes it."""
        found = self.last.as_derived().overall_response if self.last else None
        return response_label(found) if found else ""

    @property
    def best_response(self) -> str:
        """The best response so far, as RECIST writes it."""
        return response_label(self.outcome.counted_best.response)

    @property
    def sum_mm(self) -> str:
        """The last visit's sum of diameters."""
        return millimeters(self.last.sum_mm) if self.last else ""

    @property
    def from_baseline(self) -> str:
        """Its change from baseline."""
        if self.last is None or self.last.kind == Visit.Kind.BASELINE:
            return ""
        return percent(self.last.as_derived().change_from_baseline_percent)


def build(trial: Trial, *, user: User, asked: Asked | None, number: str | None) -> Page:
    """One page of the patients whom the user may see, by subject id; None asks for nobody."""
    patients = Patient.objects.active().visible_to(user).filter(trial=trial)
    if asked is None:
        return paginator.Paginator(patients.none(), PER_PAGE).get_page(1)
    rows = _filtered(patients, asked)
    outlooks = schedule.outlooks(rows)
    if asked != Asked(site=asked.site, arm=asked.arm):
        rows = rows.filter(pk__in=_matching(trial, rows, outlooks, asked))
    related = rows.select_related("trial", "site", "allocation__arm").order_by("subject_id")
    page: Page = paginator.Paginator(related, PER_PAGE).get_page(number)
    page.object_list = _lines(trial, list(page.object_list), outlooks)
    return page


def _filtered(patients: QuerySet[Patient], asked: Asked) -> QuerySet[Patient]:
    if asked.site:
        patients = patients.filter(site__code=asked.site)
    if asked.arm:
        patients = patients.filter(allocation__arm__name=asked.arm)
    return patients


def _matching(
    trial: Trial, patients: QuerySet[Patient], outlooks: Mapping[int, Outlook], asked: Asked
) -> list[int]:
    """Who has the status, the best response and the overdue scan that are asked for."""
    found = [
        pk
        for pk, outlook in outlooks.items()
        if asked.has_status(outlook.status)
        and (not asked.overdue or outlook.timeliness is Timeliness.OVERDUE)
    ]
    if not asked.best:
        return found
    outcomes = report.outcomes_of(trial, patients.filter(pk__in=found), cutoff=today(trial))
    return [one.facts.id for one in outcomes if asked.has_best(one.counted_best.response)]


def _lines(
    trial: Trial, patients: list[Patient], outlooks: Mapping[int, Outlook]
) -> list[ParticipantLine]:
    shown = Patient.objects.filter(pk__in=[patient.pk for patient in patients])
    outcomes = report.outcomes_of(trial, shown, cutoff=today(trial))
    by_patient = {one.facts.id: one for one in outcomes}
    last, asked = _last_visits(shown), _open_queries(shown)
    return [
        ParticipantLine(
            one, outlooks[one.pk], by_patient[one.pk], last.get(one.pk), asked.get(one.pk, 0)
        )
        for one in patients
    ]


def _last_visits(patients: QuerySet[Patient]) -> dict[int, Visit]:
    rows = Visit.objects.filter(
        patient__in=patients.values("pk"), voided_at=None, evaluator=INVESTIGATOR
    )
    latest = schedule.scheduled_before(rows).order_by("patient_id", "-date").distinct("patient_id")
    return {visit.patient_id: visit for visit in latest}


def _open_queries(patients: QuerySet[Patient]) -> dict[int, int]:
    rows = Query.objects.open().filter(patient__in=patients.values("pk")).order_by()
    return dict(rows.values_list("patient").annotate(n=Count("pk")))
