"""Who is in a box of the participant flow, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from operator import attrgetter

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.charts.participant_flow import STATES
from outcomes.flow import EVERYONE, FlowReport
from outcomes.flow.accrual import AccrualReport, Person
from outcomes.methods.accrual import Counted, counts
from outcomes.methods.participant_flow import (
    NOT_RECORDED,
    Course,
    FlowBox,
    Participant,
    Screened,
    by,
    course_of,
    in_box,
    screened_as,
)
from outcomes.queries import PatientFacts
from patients.models import DispositionReason
from registry.rest import InvalidParameter

ARMS = (FlowBox.ARM, FlowBox.TREATED)
TITLES = {
    FlowBox.ASSESSED: gettext_lazy("Assessed for eligibility"),
    FlowBox.EXCLUDED: gettext_lazy("Excluded"),
    FlowBox.ENROLLED: gettext_lazy("Enrolled"),
    FlowBox.UNALLOCATED: gettext_lazy("In no arm"),
    FlowBox.ARM: gettext_lazy("Allocated"),
    FlowBox.TREATED: gettext_lazy("Received treatment"),
}
SCREENED = {
    Screened.NOT_ELIGIBLE: gettext_lazy("Not meeting eligibility criteria"),
    Screened.DECLINED: gettext_lazy("Declined to participate"),
    Screened.OTHER: gettext_lazy("Other reasons"),
    Screened.OPEN: gettext_lazy("still in screening"),
    Screened.ELIGIBLE: gettext_lazy("found eligible, not enrolled yet"),
    Screened.NOT_SCREENED: gettext_lazy("not enrolled"),
}


@dataclass(frozen=True)
class Line:
    """One person of a box."""

    id: int
    subject_id: str
    site: str
    treatment: str
    follow_up: str


@dataclass(frozen=True)
class Listed:
    """The people of a box, by subject id."""

    title: str
    lines: tuple[Line, ...]


def listed(report: FlowReport, asked: str) -> Listed:
    """Who is in the box of this name, such as `enrolled` or `arm-7`; InvalidParameter for another."""
    arms = {f"{box}-{c.key}": (box, c) for box in ARMS for c in report.columns}
    if asked in arms:
        box, column = arms[asked]
        name = column.name if column.key != EVERYONE else None
        title = f"{TITLES[box]} · {name}" if name else str(TITLES[box])
        return Listed(title, _lines(report, box, column.key))
    boxes = [box for box in FlowBox if box not in ARMS]
    if asked not in boxes:
        accepted = ", ".join([*boxes, *arms])
        raise InvalidParameter("box", _("One of: %s.") % accepted)
    return Listed(str(TITLES[FlowBox(asked)]), _lines(report, FlowBox(asked), None))


def _lines(report: FlowReport, box: FlowBox, arm: int | None) -> tuple[Line, ...]:
    return tuple(
        _line(facts, person, report)
        for facts, person in report.people
        if in_box(person, box, arm, report.cutoff)
    )


def _line(facts: PatientFacts, person: Participant, report: FlowReport) -> Line:
    of = (facts.id, facts.subject_id, facts.site)
    if not by(person.enrolled_on, report.cutoff):
        return Line(*of, str(SCREENED[screened_as(person, report.cutoff)]), "")
    course = course_of(person, report.cutoff)
    return Line(*of, _treatment(course), str(STATES[course.follow_up]))


def _treatment(course: Course) -> str:
    if course.untreated:
        return _("Did not receive treatment") + f" ({_reason(course.untreated)})"
    if course.discontinued:
        return _("Discontinued treatment") + f" ({_reason(course.discontinued)})"
    if course.last_dose_only:
        return _("Last dose given, no discontinuation on record")
    return _("Still on treatment")


def _reason(code: str) -> str:
    return _("reason not recorded") if code == NOT_RECORDED else str(DispositionReason(code).label)


COUNTED = {
    Counted.SCREENED: gettext_lazy("Screened"),
    Counted.FAILED: gettext_lazy("Screen failures"),
    Counted.ENROLLED: gettext_lazy("Enrolled"),
    Counted.RECENT: gettext_lazy("Enrolled in the last 90 days"),
}


@dataclass(frozen=True)
class Enrolled:
    """One person of a count of the accrual."""

    id: int
    subject_id: str
    site: str
    on: Date | None
    standing: str


def counted(report: AccrualReport, asked: str, site: str) -> tuple[str, list[Enrolled]]:
    """Whom a number of the accrual counts, by subject id; InvalidParameter for what is unknown."""
    if asked not in list(Counted):
        raise InvalidParameter("counted", _("One of: %s.") % ", ".join(Counted))
    if site and site not in report.scope.codes:
        raise InvalidParameter("site", _("One of: %s.") % ", ".join(report.scope.codes))
    what, title = Counted(asked), str(COUNTED[Counted(asked)])
    found = [
        _enrolled(person, report)
        for person in report.people
        if site in ("", person.site) and counts(person.course, what, report.cutoff)
    ]
    found.sort(key=attrgetter("subject_id"))
    return f"{title} · {site}" if site else title, found


def _enrolled(person: Person, report: AccrualReport) -> Enrolled:
    on = person.course.enrolled_on
    if by(on, report.cutoff):
        return Enrolled(
            person.id, person.subject_id, person.site, on, str(COUNTED[Counted.ENROLLED])
        )
    standing = str(SCREENED[screened_as(person.course, report.cutoff)])
    return Enrolled(person.id, person.subject_id, person.site, None, standing)
