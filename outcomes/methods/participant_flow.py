"""Who came, who stayed, who is analyzed: the CONSORT 2010 flow of participants as counts.

Schulz et al., BMJ 2010;340:c332, items 13a, 13b and 16. Pure: people in, frozen counts out. In each
row of the diagram a person is in exactly one box, so that the boxes of a row sum to their parent:

* assessed = excluded by reason + still in screening + enrolled
* enrolled = the arms + not allocated
* of each arm: treated + untreated
* treated = discontinued by reason + with a last dose but no end on record + on treatment
* of each arm: died, withdrawn, lost, completed, or in follow-up
* of each arm and analysis: analyzed + excluded by reason

The withdrawal of an enrolled patient is a disposition, whatever became of the consent form. A last
dose ends nothing by itself: it may be the latest of several cycles, and the next one not due yet.
What is dated after the cutoff has not happened. A screening's conclusion has the screening's date.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from enum import StrEnum

NOT_RECORDED = "not_recorded"
FAILED, ELIGIBLE = "failed", "eligible"  # conclusions of a screening, beside open


class Screened(StrEnum):
    """How the screening of a person who is not enrolled stands."""

    NOT_ELIGIBLE = "not_eligible"
    DECLINED = "declined"
    OTHER = "other"
    OPEN = "open"
    ELIGIBLE = "eligible"
    NOT_SCREENED = "not_screened"


EXCLUDED = (Screened.NOT_ELIGIBLE, Screened.DECLINED, Screened.OTHER)
IN_SCREENING = (Screened.OPEN, Screened.ELIGIBLE)


class FollowUp(StrEnum):
    """What became of an enrolled patient."""

    DIED = "died"
    WITHDRAWN = "withdrawn"
    WITHDRAWN_FOLLOWED = "withdrawn_followed"
    LOST = "lost_to_follow_up"
    COMPLETED = "completed"
    CONTINUING = "in_follow_up"


# What ended the treatment of a patient for whom nothing else says so: CDISC's NCOMPLT.
IMPLIED = {
    FollowUp.DIED: "death",
    FollowUp.WITHDRAWN: "withdrawal_by_subject",
    FollowUp.WITHDRAWN_FOLLOWED: "withdrawal_by_subject",
    FollowUp.LOST: "lost_to_follow_up",
    FollowUp.COMPLETED: "completed",
}


@dataclass(frozen=True, slots=True)
class Screening:
    """A screening: when, how it was concluded, and the criteria found not met."""

    on: Date
    conclusion: str
    failure_reason: str = ""
    not_met: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Disposition:
    """What ended for a patient, when and why."""

    kind: str
    on: Date
    reason: str = ""
    follow_up_continues: bool | None = None


@dataclass(frozen=True, slots=True)
class Participant:
    """A person in the trial; what is voided is left out. `dosing`: at the cutoff a dose runs on.

    `arm` is a column of the diagram, None where none was allotted. `absences` has, for each
    analysis, why the person is not in it, or None.
    """

    enrolled_on: Date | None = None
    first_dose_on: Date | None = None
    last_dose_on: Date | None = None
    died_on: Date | None = None
    dosing: bool = False
    consent_withdrawn_on: Date | None = None
    arm: int | None = None
    screenings: tuple[Screening, ...] = ()
    dispositions: tuple[Disposition, ...] = ()
    deviations: tuple[Date, ...] = ()
    absences: tuple[str | None, ...] = ()


class FlowBox(StrEnum):
    """A box of the diagram whose people can be listed; the last two are of one arm."""

    ASSESSED = "assessed"
    EXCLUDED = "excluded"
    ENROLLED = "enrolled"
    UNALLOCATED = "unallocated"
    ARM = "arm"
    TREATED = "treated"


@dataclass(frozen=True, slots=True)
class Analyzed:
    """How many of a column are in an analysis, and why the others are not."""

    n: int
    excluded: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ArmFlow:
    """The enrolled patients of one column."""

    n: int
    untreated: Mapping[str, int]
    discontinued: Mapping[str, int]
    inferred: int  # of the discontinued: the reason follows from how the follow-up ended
    last_dose_only: int
    on_treatment: int
    follow_up: Mapping[FollowUp, int]
    transferred: int
    deviations: int
    deviating: int
    analyses: tuple[Analyzed, ...]

    @property
    def treated(self) -> int:
        """With a first dose."""
        return self.n - sum(self.untreated.values())


@dataclass(frozen=True, slots=True)
class Flow:
    """Everybody at a cutoff; `criteria` counts persons not eligible by criterion, each person often.

    `unspecified` are not eligible without a criterion on record; `unscreened` are enrolled without
    a screening; `not_assessed` have neither.
    """

    screened: Mapping[Screened, int]
    criteria: Mapping[int, int]
    unspecified: int
    unscreened: int
    not_assessed: int
    enrolled: ArmFlow
    arms: tuple[ArmFlow, ...]
    unallocated: ArmFlow
    outside: tuple[int, ...]  # per analysis: in it without being enrolled

    @property
    def assessed(self) -> int:
        """Screened, or enrolled without a screening on record."""
        return self.enrolled.n + sum(self.screened.values())

    @property
    def excluded(self) -> int:
        """Screened and not to be enrolled."""
        return sum(self.screened[reason] for reason in EXCLUDED)

    @property
    def in_screening(self) -> int:
        """Screened without an end."""
        return sum(self.screened[state] for state in IN_SCREENING)


def by(date: Date | None, cutoff: Date) -> bool:
    """Whether it has happened at the cutoff; on that day counts."""
    return date is not None and date <= cutoff


def flow(
    people: Sequence[Participant], *, arms: Sequence[int], analyses: int, cutoff: Date
) -> Flow:
    """Count people at a cutoff; ValueError for an arm that is not among `arms`.

    `analyses` is the length of everybody's `absences`.
    """
    enrolled = [person for person in people if by(person.enrolled_on, cutoff)]
    others = [person for person in people if not by(person.enrolled_on, cutoff)]
    if strange := {person.arm for person in enrolled} - {None, *arms}:
        raise ValueError(f"arms {strange} are not among {arms}")
    states = Counter(screened_as(person, cutoff) for person in others)
    failed = [_failed_criteria(person, cutoff) for person in others]
    found = [criteria for criteria in failed if criteria is not None]
    return Flow(
        screened={state: states[state] for state in (*EXCLUDED, *IN_SCREENING)},
        criteria=dict(Counter(number for criteria in found for number in criteria)),
        unspecified=sum(not criteria for criteria in found),
        unscreened=sum(_last(person, cutoff) is None for person in enrolled),
        not_assessed=states[Screened.NOT_SCREENED],
        enrolled=_arm(enrolled, analyses, cutoff),
        arms=tuple(_arm(_in(enrolled, arm), analyses, cutoff) for arm in arms),
        unallocated=_arm(_in(enrolled, None), analyses, cutoff),
        outside=tuple(one.n for one in _analyzed(others, analyses)),
    )


def in_box(person: Participant, box: FlowBox, arm: int | None, cutoff: Date) -> bool:
    """Whether a person is counted in a box of the diagram; `arm` counts for the boxes of an arm."""
    if not by(person.enrolled_on, cutoff):
        state = screened_as(person, cutoff)
        counted = EXCLUDED if box is FlowBox.EXCLUDED else (*EXCLUDED, *IN_SCREENING)
        return box in (FlowBox.ASSESSED, FlowBox.EXCLUDED) and state in counted
    if box in (FlowBox.ARM, FlowBox.TREATED):
        treated = by(person.first_dose_on, cutoff) or box is FlowBox.ARM
        return treated and person.arm == arm
    return box is not FlowBox.EXCLUDED and (box is not FlowBox.UNALLOCATED or person.arm is None)


def _last(person: Participant, cutoff: Date) -> Screening | None:
    known = [screening for screening in person.screenings if screening.on <= cutoff]
    return max(known, key=lambda screening: screening.on, default=None)


def screened_as(person: Participant, cutoff: Date) -> Screened:
    """How the screening of a person who is not enrolled stands: the last one counts.

    Who withdrew before it was concluded declined; who died or was lost is out for another reason.
    """
    last = _last(person, cutoff)
    if last is None:
        return Screened.NOT_SCREENED
    if last.conclusion == FAILED:
        return Screened(last.failure_reason)
    gone = _left(person, cutoff)
    if gone in (FollowUp.WITHDRAWN, FollowUp.WITHDRAWN_FOLLOWED):
        return Screened.DECLINED
    if gone is not None:
        return Screened.OTHER
    if by(person.consent_withdrawn_on, cutoff):
        return Screened.DECLINED
    return Screened.ELIGIBLE if last.conclusion == ELIGIBLE else Screened.OPEN


def _failed_criteria(person: Participant, cutoff: Date) -> frozenset[int] | None:
    """The criteria that excluded a person; None for who was not excluded by criteria."""
    if screened_as(person, cutoff) is not Screened.NOT_ELIGIBLE:
        return None
    last = _last(person, cutoff)
    return frozenset(last.not_met) if last else None


EXITS = {
    "withdrawn": FollowUp.WITHDRAWN,
    "lost_to_follow_up": FollowUp.LOST,
    "completed": FollowUp.COMPLETED,
}


def _left(person: Participant, cutoff: Date) -> FollowUp | None:
    """How a person left: by death before all else, else as the latest disposition says."""
    if by(person.died_on, cutoff):
        return FollowUp.DIED
    exits = [d for d in person.dispositions if d.kind in EXITS and d.on <= cutoff]
    if not exits:
        return None
    last = max(exits, key=lambda d: (d.on, -list(EXITS).index(d.kind)))
    followed = last.kind == "withdrawn" and last.follow_up_continues
    return FollowUp.WITHDRAWN_FOLLOWED if followed else EXITS[last.kind]


@dataclass(frozen=True, slots=True)
class Course:
    """Where one enrolled patient is in each row."""

    follow_up: FollowUp
    untreated: str | None = None
    discontinued: str | None = None
    inferred: bool = False
    last_dose_only: bool = False
    on_treatment: bool = False


def course_of(person: Participant, cutoff: Date) -> Course:
    """Where an enrolled patient is in the rows of treatment and follow-up."""
    left = _left(person, cutoff)
    state = left or FollowUp.CONTINUING
    recorded = _recorded_end(person, cutoff)
    implied = IMPLIED[left] if left else None
    if not by(person.first_dose_on, cutoff):
        return Course(state, untreated=recorded or implied or NOT_RECORDED)
    if recorded:
        return Course(state, discontinued=recorded)
    if by(person.last_dose_on, cutoff) and not person.dosing:
        return Course(state, last_dose_only=True)
    if implied:
        return Course(state, discontinued=implied, inferred=True)
    return Course(state, on_treatment=True)


def treatment_end(person: Participant, cutoff: Date) -> Date | None:
    """When the treatment of somebody with a first dose ended; None while it goes on at the cutoff.

    The same order as in the flow: a recorded discontinuation, whose day is the last dose where that
    is known; a last dose, unless a dose runs on; death or the day on which the patient left.
    """
    course = course_of(person, cutoff)
    if course.on_treatment:
        return None
    if by(person.last_dose_on, cutoff) and not person.dosing:
        return person.last_dose_on
    ends = [d.on for d in person.dispositions if d.on <= cutoff and _ends_treatment(d)]
    died = person.died_on
    return min([*ends, *([died] if died and died <= cutoff else [])], default=cutoff)


def _ends_treatment(disposition: Disposition) -> bool:
    return disposition.kind == "treatment_discontinued" or disposition.kind in EXITS


def _recorded_end(person: Participant, cutoff: Date) -> str | None:
    """The reason of the latest discontinuation; NOT_RECORDED where it has none."""
    ends = [d for d in person.dispositions if d.kind == "treatment_discontinued"]
    last = max((d for d in ends if d.on <= cutoff), key=lambda d: d.on, default=None)
    return (last.reason or NOT_RECORDED) if last else None


def _in(people: Sequence[Participant], arm: int | None) -> list[Participant]:
    return [person for person in people if person.arm == arm]


def _arm(people: Sequence[Participant], analyses: int, cutoff: Date) -> ArmFlow:
    courses = [course_of(person, cutoff) for person in people]
    deviations = [sum(on <= cutoff for on in person.deviations) for person in people]
    where = Counter(course.follow_up for course in courses)
    return ArmFlow(
        n=len(people),
        untreated=dict(Counter(c.untreated for c in courses if c.untreated)),
        discontinued=dict(Counter(c.discontinued for c in courses if c.discontinued)),
        inferred=sum(course.inferred for course in courses),
        last_dose_only=sum(course.last_dose_only for course in courses),
        on_treatment=sum(course.on_treatment for course in courses),
        follow_up={state: where[state] for state in FollowUp},
        transferred=sum(_transferred(person, cutoff) for person in people),
        deviations=sum(deviations),
        deviating=sum(map(bool, deviations)),
        analyses=_analyzed(people, analyses),
    )


def _transferred(person: Participant, cutoff: Date) -> bool:
    return any(d.kind == "transferred" and d.on <= cutoff for d in person.dispositions)


def _analyzed(people: Sequence[Participant], analyses: int) -> tuple[Analyzed, ...]:
    columns = [Counter(person.absences[i] for person in people) for i in range(analyses)]
    return tuple(
        Analyzed(column.pop(None, 0), {why: n for why, n in column.items() if why})
        for column in columns
    )
