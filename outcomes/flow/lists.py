"""Who is in a box of the participant flow, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.charts.participant_flow import STATES
from outcomes.flow import EVERYONE, FlowReport
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
