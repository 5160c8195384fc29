"""What waits for a user, over all of their trials: the first page after login.

A constant number of statements, whatever the number of patients: all schedules are one, and what
is shown of patients is read for those shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core import paginator
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from outcomes import schedule
from outcomes.data_queries.page import query_lines
from outcomes.labels import response_label
from outcomes.methods.schedule import Timeliness
from outcomes.models import Visit
from outcomes.schedule import Expected, Outlook
from patients.models import Patient, Query
from registry.clocks import moment, zone_of
from registry.models import Draft
from trials import access
from trials.models import Membership, Trial
from trials.vocabularies import Role

if TYPE_CHECKING:
    from registry.models import User

SHOWN = 10  # lines of a list on the whole page
PER_PAGE = 100  # of a list shown alone
LISTS = ("scans", "silent", "drafts", "queries", "submitted")
SUBMITTED_WITHIN = timedelta(days=30)
SCANNED_WITHIN = timedelta(days=180)  # what is older was loaded from elsewhere
FEW_TRIALS = 10  # more to choose from are a page of their own
Page = paginator.Page[Any]


@dataclass(frozen=True)
class ScanLine:
    """A patient whose scan is expected."""

    patient: Patient
    outlook: Outlook
    expected: Expected
    may_enter: bool

    @property
    def overdue(self) -> bool:
        """Whether the window has closed."""
        return self.outlook.timeliness is Timeliness.OVERDUE


@dataclass(frozen=True)
class SubmittedLine:
    """A visit that was submitted of late: by whom; the visit says when."""

    visit: Visit
    label: str
    response: str
    by: str


@dataclass(frozen=True)
class DraftLine:
    """What the user typed and did not store, and when it was last saved, on the site's clock."""

    draft: Draft
    saved_at: str


@dataclass(frozen=True)
class MyWork:
    """The page: each list as far as it is shown."""

    scans: Page
    silent: Page
    drafts: Page
    queries: Page
    submitted: Page
    upcoming: ScanLine | None
    trials: Sequence[Trial]  # to which the user may add a patient
    reviews: bool  # whether the user reads scans as an independent reviewer
    alone: str  # the one list that is shown, or blank

    @property
    def has_work(self) -> bool:
        """Whether there is a scan to enter."""
        return bool(self.scans.paginator.count)

    @property
    def few_trials(self) -> bool:
        """Whether the trials to choose from fit into a menu."""
        return len(self.trials) <= FEW_TRIALS


def build(user: User, *, alone: str = "", number: str | None = None) -> MyWork:
    """Read what waits for a user; of one list alone the page of that number."""
    held = _memberships(user)
    reviewed = {one.trial_id for one in held if one.role == Role.REVIEWER}
    memberships = [one for one in held if one.trial_id not in reviewed]
    may_write = access.granted(user, access.Action.WRITE_RECORDS, memberships)
    outlooks = schedule.outlooks(_followed(user))
    waiting, silent = _waiting(outlooks)
    pages = {
        "scans": waiting,
        "silent": silent,
        "drafts": Draft.objects.of(user).select_related("patient__site"),
        "queries": Query.objects.visible_to(user).unanswered().with_question(),
        "submitted": _submitted(user),
    }
    shown = {name: _page(name, rows, alone, number) for name, rows in pages.items()}
    first = _first_upcoming(outlooks)
    lines = _scan_lines([*shown["scans"], *shown["silent"], *first], outlooks, may_write)
    for name in ("scans", "silent"):
        shown[name].object_list = [lines[pk] for pk in shown[name] if pk in lines]
    shown["drafts"].object_list = [_draft_line(draft) for draft in shown["drafts"]]
    shown["queries"].object_list = query_lines(shown["queries"])
    shown["submitted"].object_list = [_submitted_line(visit) for visit in shown["submitted"]]
    return MyWork(
        **shown,
        upcoming=next((lines[pk] for pk in first if pk in lines), None),
        trials=_open_trials(memberships),
        reviews=bool(reviewed),
        alone=alone,
    )


def _memberships(user: User) -> Sequence[Membership]:
    """Every role of today; where one is a reviewer's the trial's others do not count."""
    rows = Membership.objects.valid().filter(user=user.pk)
    return list(rows.select_related("trial").order_by("trial__registry_id", "pk"))


def _followed(user: User) -> QuerySet[Patient]:
    """The user's patients of whom a scan may be expected: the rest is decided by the schedule."""
    rows = Patient.objects.active().visible_to(user).filter(died_on=None)
    return rows.exclude(trial__status__in=schedule.CLOSED)


def _waiting(outlooks: Mapping[int, Outlook]) -> tuple[list[int], list[int]]:
    """Whose scan is overdue or due, the oldest first; those overdue for long apart."""
    found = [(pk, one) for pk, one in outlooks.items() if one.timeliness in _WAITING]
    found.sort(key=_by_window)
    waiting = [pk for pk, one in found if not one.forsaken]
    return waiting, [pk for pk, one in found if one.forsaken]


_WAITING = (Timeliness.OVERDUE, Timeliness.DUE)


def _by_window(row: tuple[int, Outlook]) -> tuple[Any, int]:
    pk, outlook = row
    return (outlook.expected.last if outlook.expected else outlook.today, pk)


def _first_upcoming(outlooks: Mapping[int, Outlook]) -> list[int]:
    """The patient whose window opens next, if any."""
    coming = [(pk, one) for pk, one in outlooks.items() if one.timeliness is Timeliness.UPCOMING]
    return [pk for pk, _outlook in sorted(coming, key=_by_window)[:1]]


def _page(name: str, rows: Any, alone: str, number: str | None) -> Page:
    size = PER_PAGE if alone == name else SHOWN
    return paginator.Paginator(rows, size).get_page(number if alone == name else 1)


def _scan_lines(
    pks: Iterable[int], outlooks: Mapping[int, Outlook], may_write: access.Granted
) -> dict[int, ScanLine]:
    rows = Patient.objects.filter(pk__in=pks).select_related("trial", "site")
    return {line.patient.pk: line for line in _lines(rows, outlooks, may_write)}


def _lines(
    patients: Iterable[Patient], outlooks: Mapping[int, Outlook], may_write: access.Granted
) -> Iterator[ScanLine]:
    for patient in patients:
        outlook = outlooks[patient.pk]
        if outlook.expected:
            may = may_write.at(trial=patient.trial_id, site=patient.site_id)
            yield ScanLine(patient, outlook, outlook.expected, may)


def _submitted(user: User) -> Any:
    """Visits that were submitted of late, the latest first."""
    events: Any = Visit.pgh_event_model  # type: ignore[attr-defined]
    # Not in the order of the trail's key: PostgreSQL would walk the whole trail for each visit.
    mine = events.objects.filter(pgh_obj=OuterRef("pk"), pgh_label="insert")
    inserted = mine.order_by("pgh_created_at")
    now = timezone.now()
    rows = Visit.objects.active().visible_to(user).filter(date__gte=(now - SCANNED_WITHIN).date())
    late = schedule.scheduled_before(rows).filter(
        Exists(mine.filter(pgh_created_at__gte=now - SUBMITTED_WITHIN))
    )
    dated = late.annotate(
        submitted_at=Subquery(inserted.values("pgh_created_at")[:1]),
        submitted_by=Subquery(
            inserted.annotate(name=KeyTextTransform("name", "pgh_context")).values("name")[:1]
        ),
    )
    return dated.select_related("patient__trial", "patient__site").order_by("-submitted_at", "-pk")


def _submitted_line(visit: Any) -> SubmittedLine:
    found = visit.as_derived().overall_response
    return SubmittedLine(
        visit=visit,
        label=schedule.week_label(visit, visit.scheduled_before),
        response=response_label(found) if found else "",
        by=visit.submitted_by or "",
    )


def _draft_line(draft: Draft) -> DraftLine:
    return DraftLine(draft, moment(draft.saved_at, zone_of(draft)))


def _open_trials(memberships: Iterable[Membership]) -> list[Trial]:
    """The trials to which one of the roles may add a patient."""
    writing = access.ALLOWED[access.Action.WRITE_RECORDS]
    found = {one.trial_id: one.trial for one in memberships if one.role in writing}
    return [trial for trial in found.values() if trial.status not in schedule.CLOSED]
