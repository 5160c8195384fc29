"""Who is behind a number of adverse events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date

from django.core import paginator
from django.urls import reverse
from django.utils.translation import get_language

from outcomes.methods.safety import Event, counting, folded
from outcomes.safety import SafetyReport, Subject, class_of
from outcomes.safety.incidences import class_names
from outcomes.safety.options import CAUSES, TALLIES, Cause, SafetyOptions, Selection
from patients import ctcae
from patients.models import ActionTaken, AdverseEventOutcome

PER_PAGE = 50
Counted = tuple[Subject, tuple[Event, ...]]  # a patient with the events that count them
Details = Mapping[int, tuple[Date | None, str]]  # an event's end and outcome


@dataclass(frozen=True)
class EventLine:
    """An adverse event of a patient."""

    subject: Subject
    url: str
    term: str
    event: Event
    action: str
    outcome: str
    ended_on: Date | None


@dataclass(frozen=True)
class EventPage:
    """How many patients and events there are, and some of the patients with theirs."""

    patients: int
    events: int
    page: paginator.Page[Counted]

    @property
    def ids(self) -> list[int]:
        """The events of this page."""
        return [event.id for _subject, events in self.page for event in events]

    def lines(self, details: Details) -> list[EventLine]:
        """The events of this page, with what else is known of them."""
        return [_event_line(one, event, details) for one, events in self.page for event in events]


def matching(whole: SafetyReport, options: SafetyOptions, selection: Selection) -> list[Counted]:
    """Patients who are counted for something, with the events for which they are."""
    return counted_for(whole.in_arm(options.arm), options.cause, selection)


def counted_for(report: SafetyReport, cause: Cause, selection: Selection) -> list[Counted]:
    """The treated patients who are counted for something, with the events for which they are."""
    found = []
    for subject in report.treated:
        events = [e for e in report.events_of(subject) if _is_asked_for(e, cause, selection)]
        if counted := counting(selection.tally, events):
            found.append((subject, counted))
    return found


def _is_asked_for(event: Event, cause: Cause, selection: Selection) -> bool:
    if cause is Cause.RELATED and not event.related:
        return False
    if selection.term and folded(selection.term) != folded(event.term):
        return False
    of = selection.system_organ_class
    return of is None or class_of(event.term) == of


def event_page(found: Sequence[Counted], number: str | None, per_page: int = PER_PAGE) -> EventPage:
    """Some of the patients, by subject id."""
    shown = paginator.Paginator(found, per_page).get_page(number)
    return EventPage(len(found), sum(len(events) for _one, events in found), shown)


def _event_line(subject: Subject, event: Event, details: Details) -> EventLine:
    ended_on, outcome = details.get(event.id, (None, ""))
    return EventLine(
        subject=subject,
        url=reverse("outcomes:patient", args=[subject.id]),
        term=ctcae.name(event.term, get_language() or ""),
        event=event,
        action=str(ActionTaken(event.action).label) if event.action else "",
        outcome=str(AdverseEventOutcome(outcome).label) if outcome else "",
        ended_on=ended_on,
    )


def asked_for(options: SafetyOptions, selection: Selection) -> str:
    """Which patients a list has, in words."""
    parts = [str(TALLIES[selection.tally]), str(CAUSES[options.cause])]
    if selection.term:
        parts.insert(0, ctcae.name(selection.term, get_language() or ""))
    if selection.system_organ_class is not None:
        parts.insert(0, class_names().get(selection.system_organ_class, ""))
    if options.arm:
        parts.append(options.arm)
    return " · ".join(part for part in parts if part)
