"""Adverse events by patient over the safety population (METHODS.md, 9).

Patients are counted, not events: each once per term, and once overall, by the worst grade (CTCAE)
of the events that count. Pure: treated patients in, frozen counts out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta

SEVERE, DEATH = 3, 5  # grades


@dataclass(frozen=True, slots=True)
class Event:
    """An adverse event: its term, the worst grade it reached, and when it started."""

    term: str
    grade: int
    related: bool
    serious: bool
    started_on: Date


@dataclass(frozen=True, slots=True)
class Person:
    """A patient's doses and events; without a last dose the patient is still treated."""

    first_dose_on: Date | None
    last_dose_on: Date | None
    events: tuple[Event, ...] = ()

    def treated_by(self, cutoff: Date) -> bool:
        """Whether the patient had a dose on or before the cutoff."""
        return self.first_dose_on is not None and self.first_dose_on <= cutoff

    def counted(self, cutoff: Date, window_days: int) -> tuple[Event, ...]:
        """The events that started from the first dose to the window's end, both days included."""
        if self.first_dose_on is None:
            return ()
        first, end = self.first_dose_on, cutoff
        if self.last_dose_on is not None:
            end = min(cutoff, self.last_dose_on + timedelta(days=window_days))
        return tuple(event for event in self.events if first <= event.started_on <= end)


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
    grade_5: Share
    serious: Share


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


def _incidence(patients: Sequence[Events], n: int) -> Incidence:
    related = [[event for event in events if event.related] for events in patients]
    return Incidence(_counts(patients, n), _counts(related, n))


def _counts(patients: Sequence[Events], n: int) -> Counts:
    worst = [max(event.grade for event in events) for events in patients if events]
    serious = sum(any(event.serious for event in events) for events in patients)
    severe, dead = sum(grade >= SEVERE for grade in worst), worst.count(DEATH)
    return Counts(
        any_grade=Share(len(worst), n),
        grade_3_or_more=Share(severe, n),
        grade_3_4=Share(severe - dead, n),
        grade_5=Share(dead, n),
        serious=Share(serious, n),
    )


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
