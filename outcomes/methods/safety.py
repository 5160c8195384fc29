"""Adverse events by patient over the safety population (METHODS.md, 9).

Patients are counted, not events: each once per term, and once overall, by the worst grade (CTCAE)
of the events that count. Pure: treated patients in, frozen counts out.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from datetime import timedelta
from enum import StrEnum

GRADES = (1, 2, 3, 4, 5)
SEVERE, DEATH = 3, 5  # grades


class Tally(StrEnum):
    """What a patient may be counted for; the last three are CDISC's actions taken (ACN)."""

    ANY_GRADE = "any_grade"
    GRADE_3_OR_MORE = "grade_3_or_more"
    GRADE_3_4 = "grade_3_4"  # the worst
    GRADE_1 = "grade_1"  # the worst, as those that follow
    GRADE_2 = "grade_2"
    GRADE_3 = "grade_3"
    GRADE_4 = "grade_4"
    GRADE_5 = "grade_5"
    SERIOUS = "serious"
    DRUG_WITHDRAWN = "drug_withdrawn"
    DOSE_REDUCED = "dose_reduced"
    DRUG_INTERRUPTED = "drug_interrupted"


WORST_GRADES = {Tally(f"grade_{grade}"): grade for grade in GRADES}
ACTIONS = (Tally.DRUG_WITHDRAWN, Tally.DOSE_REDUCED, Tally.DRUG_INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Event:
    """An adverse event: its term, the worst grade it reached, and when it started."""

    term: str
    grade: int
    related: bool
    serious: bool
    started_on: Date
    action: str = ""  # taken with the study treatment
    id: int = 0


Period = tuple[Date, Date | None]  # a dose's first day, and its last; None while it lasts


@dataclass(frozen=True, slots=True)
class Person:
    """A patient's doses and events; without a last dose the patient is still treated.

    `doses` are those above 0, where doses are recorded one by one.
    """

    first_dose_on: Date | None
    last_dose_on: Date | None
    events: tuple[Event, ...] = ()
    doses: tuple[Period, ...] = ()

    def treated_by(self, cutoff: Date) -> bool:
        """Whether the patient had a dose on or before the cutoff."""
        return self.first_dose_on is not None and self.first_dose_on <= cutoff

    def counted(self, cutoff: Date, window_days: int) -> tuple[Event, ...]:
        """The events that started from the first dose to the window's end, both days included."""
        if self.first_dose_on is None:
            return ()
        first, last, window = self.first_dose_on, self.last_dose_by(cutoff), timedelta(window_days)
        end = cutoff if cutoff - last <= window else last + window
        return tuple(event for event in self.events if first <= event.started_on <= end)

    def last_dose_by(self, until: Date) -> Date:
        """The last day on which the patient was treated, up to `until`.

        Of the doses recorded by then, one that lasts up to `until`; a stated last dose counts where
        it is later than them, and alone where none is recorded.
        """
        stated = self.last_dose_on
        days = [min(ended or until, until) for started, ended in self.doses if started <= until]
        if not days:
            return min(stated or until, until)
        return max([*days, *([stated] if stated and stated <= until else [])])

    def treated_days(self, until: Date) -> int | None:
        """From the stated first dose to the last, both included; to `until` where that is earlier."""
        if self.first_dose_on is None or self.first_dose_on > until:
            return None
        return (min(self.last_dose_on or until, until) - self.first_dose_on).days + 1


@dataclass(frozen=True, slots=True)
class Share:
    """`patients` of `n`; the estimate is None when n is 0."""

    patients: int
    n: int

    @property
    def estimate(self) -> float | None:
        """The share as a fraction of 1."""
        return self.patients / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Counts:
    """Patients by the worst grade of their events, and those with a serious event."""

    any_grade: Share
    grade_3_or_more: Share
    grade_3_4: Share
    worst_grades: tuple[Share, ...]  # 1 to 5
    serious: Share
    actions: tuple[Share, ...]  # in the order of ACTIONS

    @property
    def grade_5(self) -> Share:
        """Patients with an event that led to death."""
        return self.worst_grades[DEATH - 1]

    def of(self, tally: Tally) -> Share:
        """One of the numbers."""
        if tally in WORST_GRADES:
            return self.worst_grades[WORST_GRADES[tally] - 1]
        if tally in ACTIONS:
            return self.actions[ACTIONS.index(tally)]
        found: Share = getattr(self, tally.value)
        return found


@dataclass(frozen=True, slots=True)
class Incidence:
    """Events whatever their cause, and those related to the trial treatment."""

    all_causes: Counts
    related: Counts


@dataclass(frozen=True, slots=True)
class TermIncidence:
    """One term's patients; spellings that differ in case or spaces only are one term."""

    term: str
    incidence: Incidence


@dataclass(frozen=True, slots=True)
class Safety:
    """A population's adverse events: of any term, and term by term, the most frequent first."""

    n: int
    any_term: Incidence
    terms: tuple[TermIncidence, ...]


def adverse_events(people: Iterable[Person], *, cutoff: Date, window_days: int) -> Safety:
    """Count the safety population's events at a cutoff.

    An event counts with the grade that is recorded: the day on which it reached it is not known.
    """
    treated = [person for person in people if person.treated_by(cutoff)]
    counted = [person.counted(cutoff, window_days) for person in treated]
    n = len(treated)
    terms = [TermIncidence(_spelled(of), _incidence(of, n)) for of in _by_term(counted)]
    return Safety(n, _incidence(counted, n), tuple(sorted(terms, key=_frequency)))


Events = Sequence[Event]


def under(people: Iterable[Person], name: Callable[[str], str]) -> list[Person]:
    """The same patients, each term replaced by what it belongs to: a system organ class."""
    return [
        replace(one, events=tuple(replace(e, term=name(e.term)) for e in one.events))
        for one in people
    ]


def _incidence(patients: Sequence[Events], n: int) -> Incidence:
    related = [[event for event in events if event.related] for events in patients]
    return Incidence(_counts(patients, n), _counts(related, n))


def _counts(patients: Sequence[Events], n: int) -> Counts:
    worst = Counter(max(event.grade for event in events) for events in patients if events)
    serious = sum(any(event.serious for event in events) for events in patients)
    severe = sum(worst[grade] for grade in GRADES if grade >= SEVERE)
    taken = Counter(action for events in patients for action in {event.action for event in events})
    return Counts(
        any_grade=Share(worst.total(), n),
        grade_3_or_more=Share(severe, n),
        grade_3_4=Share(severe - worst[DEATH], n),
        worst_grades=tuple(Share(worst[grade], n) for grade in GRADES),
        serious=Share(serious, n),
        actions=tuple(Share(taken[action], n) for action in ACTIONS),
    )


def counting(tally: Tally, events: Events) -> tuple[Event, ...]:
    """Those of a patient's events for which the patient is counted; none where it is not."""
    if tally in WORST_GRADES or tally is Tally.GRADE_3_4:
        worst = max((event.grade for event in events), default=0)
        wanted = {SEVERE, SEVERE + 1} if tally is Tally.GRADE_3_4 else {WORST_GRADES[tally]}
        return tuple(e for e in events if e.grade == worst) if worst in wanted else ()
    return tuple(event for event in events if _is_of(tally, event))


def _is_of(tally: Tally, event: Event) -> bool:
    """Whether an event alone counts its patient; what a worst grade never does."""
    if tally is Tally.GRADE_3_OR_MORE:
        return event.grade >= SEVERE
    if tally is Tally.SERIOUS:
        return event.serious
    return tally is Tally.ANY_GRADE or event.action == tally


def _by_term(patients: Sequence[Events]) -> list[list[list[Event]]]:
    """Per term the events of each patient who had it."""
    terms: dict[str, dict[int, list[Event]]] = defaultdict(lambda: defaultdict(list))
    for number, events in enumerate(patients):
        for event in events:
            terms[folded(event.term)][number].append(event)
    return [list(of.values()) for of in terms.values()]


def folded(term: str) -> str:
    """What all spellings of one term have in common."""
    return " ".join(term.casefold().split())


def _spelled(patients: Sequence[Events]) -> str:
    """The most frequent spelling of a term, the first in the alphabet of equals."""
    spellings = Counter(event.term for events in patients for event in events)
    return min(spellings, key=lambda spelling: (-spellings[spelling], spelling))


def _frequency(row: TermIncidence) -> tuple[int, int, str]:
    counts = row.incidence.all_causes
    return -counts.any_grade.patients, -counts.grade_3_or_more.patients, folded(row.term)
