"""When a patient's next scan is expected, and what every page calls a visit: "Week 12".

The one place for both. The rule with its reason stands in `methods.schedule`; here rows become its
values, in one statement for any number of patients, and its results get their words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.methods import schedule
from outcomes.methods.schedule import Course, NotExpected, Place, Scan, Timeliness, Timing
from outcomes.models import INVESTIGATOR, ImmuneResponseChoice, ResponseChoice, Visit
from patients.models import Disposition, DispositionKind, Patient
from trials.models import Trial
from trials.vocabularies import Status

AHEAD = 14  # days before its window opens on which a scan is announced
CLOSED = (Status.COMPLETED, Status.TERMINATED, Status.WITHDRAWN, Status.SUSPENDED)
WHY_NOT = {
    NotExpected.NOT_ENROLLED: gettext_lazy("The patient is not enrolled."),
    NotExpected.DIED: gettext_lazy("The patient died."),
    NotExpected.PROGRESSED: gettext_lazy("The disease progressed: the planned scans end with it."),
    NotExpected.WITHDRAWN: gettext_lazy("The patient withdrew."),
    NotExpected.LOST: gettext_lazy("The patient was lost to follow-up."),
    NotExpected.COMPLETED: gettext_lazy("The patient completed the study."),
    NotExpected.TRIAL_CLOSED: gettext_lazy("The trial is closed, or suspended."),
}
STATUSES = {
    NotExpected.NOT_ENROLLED: gettext_lazy("not enrolled"),
    NotExpected.DIED: gettext_lazy("died"),
    NotExpected.PROGRESSED: gettext_lazy("progressed"),
    NotExpected.WITHDRAWN: gettext_lazy("withdrawn"),
    NotExpected.LOST: gettext_lazy("lost to follow-up"),
    NotExpected.COMPLETED: gettext_lazy("completed"),
    None: gettext_lazy("on study"),
}
COURSE_FIELDS = (
    "pk", "site__timezone", "first_dose_on", "randomized_on", "enrolled_on", "died_on", "trial__status",
    "trial__assessment_interval_days", "trial__assessment_window_days",
    "trial__baseline_window_days", "baseline_on", "last_scheduled_on", "progressed",
    "withdrew", "followed", "lost", "completed", "consent_withdrawn_on",
)  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """A scan that no visit has taken the place of: its name, its day and its window."""

    label: str
    first: Date
    due: Date
    last: Date
    scan: Scan
    timing: Timing

    @property
    def baseline(self) -> bool:
        """Whether it is the first of all."""
        return self.scan.number == schedule.BASELINE

    def days_late(self, on: Date) -> int:
        """Days since the window closed."""
        return self.scan.days_late(on)

    def timeliness(self, on: Date) -> Timeliness:
        """Overdue, due (or soon to be), or upcoming."""
        return self.scan.timeliness(on, AHEAD)

    def later_scans(self, on: Date) -> int:
        """How many of the scans planned after it are open or past as well."""
        return schedule.later_scans(self.scan, on, self.timing)

    def forsaken(self, on: Date) -> bool:
        """Overdue for so long that two scans in a row are missing."""
        return self.scan.days_late(on) > self.timing.patience


@dataclass(frozen=True)
class Outlook:
    """A patient's next scan (without one `why_not` says why), their status, and their site's day."""

    expected: Expected | None
    why_not: str
    status: NotExpected | None  # None: on study
    today: Date

    @property
    def timeliness(self) -> Timeliness | None:
        """How the scan stands today."""
        return self.expected.timeliness(self.today) if self.expected else None

    @property
    def days_late(self) -> int:
        """Days since the scan's window closed."""
        return self.expected.days_late(self.today) if self.expected else 0

    @property
    def later_scans(self) -> int:
        """How many of the scans planned after it are open or past as well."""
        return self.expected.later_scans(self.today) if self.expected else 0

    @property
    def forsaken(self) -> bool:
        """Overdue for so long that two scans in a row are missing."""
        return self.expected is not None and self.expected.forsaken(self.today)

    def get_status_display(self) -> str:
        """The patient's status in words."""
        return str(STATUSES[self.status])


def expected(patient: Patient) -> Expected | None:
    """The patient's next scan; None where `outlook` says why. One statement."""
    return outlook(patient).expected


def outlook(patient: Patient) -> Outlook:
    """The patient's next scan, or why there is none. One statement."""
    return outlooks(Patient.objects.filter(pk=patient.pk))[patient.pk]


def outlooks(patients: QuerySet[Patient]) -> dict[int, Outlook]:
    """The next scan of each of these patients by id, in one statement."""
    rows = _with_course(patients.order_by()).values_list(*COURSE_FIELDS)
    known = [dict(zip(COURSE_FIELDS, row, strict=True)) for row in rows]
    return {row["pk"]: _outlook(row) for row in known}


def week_label(visit: Visit, before: Date | None = None) -> str:
    """What a visit is called: "Baseline", "Week 12" by the schedule, or "Unscheduled".

    Reads the visit's patient and trial. `before` is the day of the scheduled visit before it: a
    second one nearest to the same planned scan is "Week 12, again". Where nobody read that day the
    visit's date belongs beside its name.
    """
    timing = timing_of(visit.patient.trial)
    number = _number(visit, timing)
    if number is None:
        return visit.get_kind_display()
    name, origin = label(number, timing), origin_of(visit.patient)
    if visit.kind != Visit.Kind.SCHEDULED or before is None or origin is None:
        return name
    again = schedule.number_on(before, origin, timing) == number
    return _("%(visit)s, again") % {"visit": name} if again else name


def scheduled_before(visits: QuerySet[Visit]) -> QuerySet[Any]:
    """With `scheduled_before`, the day of the scheduled visit before each, for `week_label`."""
    same = Visit.objects.filter(
        patient=OuterRef("patient"), evaluator=OuterRef("evaluator"), voided_at=None,
        kind=Visit.Kind.SCHEDULED, date__lt=OuterRef("date"),
    )  # fmt: skip
    return visits.annotate(scheduled_before=Subquery(same.order_by("-date").values("date")[:1]))


def planned_for(visit: Visit) -> Expected | None:
    """The planned scan that a visit stands for, with its window; None for an unscheduled one."""
    timing, origin = timing_of(visit.patient.trial), origin_of(visit.patient)
    number = _number(visit, timing)
    if number is None or origin is None:
        return None
    return _expected(schedule.planned(number, origin, timing), timing)


def place(visit: Visit, others: Iterable[Visit]) -> Place | None:
    """Where a scheduled visit falls among the planned scans, of which the others took some.

    The others are those of its patient and evaluator without itself. None for a baseline, an
    unscheduled visit, and once the disease has progressed: no scan is planned then.
    """
    origin = origin_of(visit.patient)
    if visit.kind != Visit.Kind.SCHEDULED or origin is None:
        return None
    rows = list(others)
    if any(_ends_scans(v, visit.patient.trial) and v.date < visit.date for v in rows):
        return None
    scheduled = [v for v in rows if v.kind == Visit.Kind.SCHEDULED]
    before = [v.date for v in scheduled if v.date < visit.date]
    known = [v.date for v in scheduled if visit.pk is None or v.pk < visit.pk]
    timing = timing_of(visit.patient.trial)
    return schedule.place(visit.date, origin, timing, before=before, known=known)


def _ends_scans(visit: Visit, trial: Trial) -> bool:
    """Progression ends the scans; where the trial uses iRECIST, confirmed progression."""
    if trial.irecist:
        return visit.irecist_response == ImmuneResponseChoice.ICPD
    return visit.overall_response == ResponseChoice.PD


def _number(visit: Visit, timing: Timing) -> int | None:
    if visit.kind == Visit.Kind.BASELINE:
        return schedule.BASELINE
    origin = origin_of(visit.patient)
    if visit.kind == Visit.Kind.UNSCHEDULED or origin is None:
        return None
    return schedule.number_on(visit.date, origin, timing)


def label(number: int, timing: Timing) -> str:
    """The planned scan's name in whole weeks, else as the study day (the first dose is day 1)."""
    if number == schedule.BASELINE:
        return str(Visit.Kind.BASELINE.label)
    return day_label(number * timing.interval)


def day_label(days: int) -> str:
    """The name of the scan planned so many days after the origin."""
    if days % 7:
        return _("Day %(day)s") % {"day": days + 1}
    return _("Week %(week)s") % {"week": days // 7}


def timing_of(trial: Trial) -> Timing:
    """The trial's schedule."""
    return Timing(
        trial.assessment_interval_days, trial.assessment_window_days, trial.baseline_window_days
    )


def origin_of(patient: Patient) -> Date | None:
    """The day from which a patient's scans are counted."""
    return patient.first_dose_on or patient.randomized_on or patient.enrolled_on


def _outlook(row: Mapping[str, Any]) -> Outlook:
    timing = Timing(
        row["trial__assessment_interval_days"],
        row["trial__assessment_window_days"],
        row["trial__baseline_window_days"],
    )
    today = datetime.now(ZoneInfo(row["site__timezone"])).date()
    status, course = _status(row), _course(row)
    found = schedule.next_scan(course, timing)
    if isinstance(found, NotExpected):
        return Outlook(None, str(WHY_NOT[found]), status, today)
    return Outlook(_expected(found, timing), "", status, today)


def _expected(scan: Scan, timing: Timing) -> Expected:
    return Expected(label(scan.number, timing), scan.first, scan.due, scan.last, scan, timing)


def _origin(row: Mapping[str, Any]) -> Date | None:
    first: Date | None = row["first_dose_on"] or row["randomized_on"] or row["enrolled_on"]
    return first


def _course(row: Mapping[str, Any]) -> Course:
    closed = NotExpected.TRIAL_CLOSED if row["trial__status"] in CLOSED else None
    return Course(
        origin=_origin(row),
        baseline_on=row["baseline_on"],
        last_scheduled_on=row["last_scheduled_on"],
        ended=_status(row) or closed,
    )


def _status(row: Mapping[str, Any]) -> NotExpected | None:
    """What ended the scans; who withdrew a consent alone is followed where that is on record."""
    withdrawn = row["withdrew"] or (row["consent_withdrawn_on"] and not row["followed"])
    endings = (
        (NotExpected.DIED, row["died_on"]),
        (NotExpected.WITHDRAWN, withdrawn),
        (NotExpected.LOST, row["lost"]),
        (NotExpected.COMPLETED, row["completed"]),
        (NotExpected.PROGRESSED, row["progressed"]),
        (NotExpected.NOT_ENROLLED, _origin(row) is None),
    )
    return next((why for why, holds in endings if holds), None)


# Progression ends the scans; where the trial uses iRECIST, confirmed progression.
PROGRESSED = Q(patient__trial__irecist=False, overall_response=ResponseChoice.PD) | Q(
    patient__trial__irecist=True, irecist_response=ImmuneResponseChoice.ICPD
)


def _with_course(patients: QuerySet[Patient]) -> QuerySet[Patient]:
    """With what a course needs, as columns."""
    visits = Visit.objects.filter(patient=OuterRef("pk"), voided_at=None, evaluator=INVESTIGATOR)
    ends = Disposition.objects.filter(patient=OuterRef("pk"), voided_at=None)
    withdrawals = ends.filter(kind=DispositionKind.WITHDRAWN)
    scheduled = visits.filter(kind=Visit.Kind.SCHEDULED).order_by("-date").values("date")
    rows: Any = patients
    return rows.with_consent_withdrawal().annotate(  # type: ignore[no-any-return]
        baseline_on=Subquery(visits.filter(kind=Visit.Kind.BASELINE).values("date")[:1]),
        last_scheduled_on=Subquery(scheduled[:1]),
        progressed=Exists(visits.filter(PROGRESSED)),
        withdrew=Exists(withdrawals.filter(follow_up_continues=False)),
        followed=Exists(withdrawals.filter(follow_up_continues=True)),
        lost=Exists(ends.filter(kind=DispositionKind.LOST_TO_FOLLOW_UP)),
        completed=Exists(ends.filter(kind=DispositionKind.COMPLETED)),
    )
