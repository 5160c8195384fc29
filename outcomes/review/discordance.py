"""The independent review beside the investigator: the same report twice, and where the two differ.

Each side is an analysis of one evaluator (METHODS.md, 6); nothing of the one enters the other. The
patients are those of the ORR population of whom both have a reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from typing import TYPE_CHECKING

from outcomes import report
from outcomes.methods import time_to_event
from outcomes.methods.best_response import Record
from outcomes.methods.proportions import Proportion, proportion
from outcomes.methods.recist import Response
from outcomes.methods.time_to_event import TimeToEvent
from outcomes.models import INVESTIGATOR, REVIEWER
from outcomes.report import Options, PatientOutcome, Report
from outcomes.report.values import RESPONDERS
from outcomes.review.coverage import is_read
from registry import database
from trials import as_known
from trials.definitions import EndpointDefinition, EndpointKind

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Trial


@dataclass(frozen=True)
class Reading:
    """What one evaluator's readings of a patient come to."""

    outcome: PatientOutcome
    progressed_on: Date | None

    @property
    def best(self) -> Response:
        """The best response as the trial's response rate counts it."""
        return self.outcome.counted_best.response

    @property
    def responds(self) -> bool:
        """Whether the patient counts in the response rate."""
        return self.best in RESPONDERS

    @property
    def progression_free(self) -> TimeToEvent | None:
        """PFS by this evaluator's readings."""
        return self.outcome.progression_free

    @property
    def scans(self) -> int:
        """Readings after the baseline, known at the cutoff or not."""
        return len(self.outcome.facts.history.records)

    @property
    def read(self) -> bool:
        """Whether there is any reading."""
        return is_read(self.outcome.facts)


@dataclass(frozen=True)
class Line:
    """One patient's two readings."""

    investigator: Reading
    reviewer: Reading

    @property
    def subject_id(self) -> str:
        """Who it is."""
        return self.investigator.outcome.facts.subject_id

    @property
    def patient(self) -> int:
        """The patient's id."""
        return self.investigator.outcome.facts.id

    @property
    def same_best(self) -> bool:
        """Whether both come to the same category."""
        return self.investigator.best == self.reviewer.best

    @property
    def same_response(self) -> bool:
        """Whether both or neither counts the patient as a responder."""
        return self.investigator.responds == self.reviewer.responds

    @property
    def same_progression(self) -> bool:
        """Whether both or neither saw progression, and on the same day."""
        return self.investigator.progressed_on == self.reviewer.progressed_on

    @property
    def same_survival(self) -> bool:
        """Whether PFS is an event for both or neither; dates may differ."""
        mine, theirs = self.investigator.progression_free, self.reviewer.progression_free
        return (mine and mine.event) == (theirs and theirs.event)

    @property
    def concordant(self) -> bool:
        """Whether nothing differs."""
        return self.same_best and self.same_progression and self.same_survival


@dataclass(frozen=True)
class Discordance:
    """A trial's two readings; the lines with a difference come first."""

    trial: Trial
    options: Options
    lines: tuple[Line, ...]
    unread: int  # patients of the population without both readings
    definition: EndpointDefinition

    def responses(self, *, investigator: bool, reviewer: bool) -> int:
        """A cell of the 2 x 2 table of responders."""
        said = (investigator, reviewer)
        return sum((li.investigator.responds, li.reviewer.responds) == said for li in self.lines)

    def agreement(self, name: str) -> Proportion:
        """The share of lines that agree, such as in `same_response`."""
        agreeing = sum(getattr(line, name) for line in self.lines)
        definition = self.definition
        interval, level = definition.proportion_interval, definition.confidence_level
        return proportion(agreeing, len(self.lines), interval, level)


def build(trial: Trial, *, user: User, options: Options) -> Discordance:
    """Compute both analyses from one snapshot. Raises PermissionDenied as `report.build`."""
    with database.snapshot():
        trial = as_known.trial_as_known(trial, options.known_on)
        review = report.build(trial, user=user, options=replace(options, evaluator=REVIEWER))
        site = report.build(trial, user=user, options=replace(options, evaluator=INVESTIGATOR))
    readings = {one.outcome.facts.id: one for one in _readings(review) if one.read}
    pairs = [(one, readings.get(one.outcome.facts.id)) for one in _readings(site)]
    lines = [Line(one, other) for one, other in pairs if one.read and other]
    lines.sort(key=lambda line: (line.concordant, line.subject_id))
    definition = _definition(site, EndpointKind.ORR)
    return Discordance(trial, options, tuple(lines), len(pairs) - len(lines), definition)


def _definition(found: Report, kind: EndpointKind) -> EndpointDefinition:
    if kind in found.whole.rates:
        return found.whole.rates[kind].endpoint.definition
    return found.whole.survivals[kind].endpoint.definition


def _readings(found: Report) -> Iterable[Reading]:
    origin, cutoff = _definition(found, EndpointKind.PFS).time_origin, found.options.cutoff
    for outcome in found.patients:
        records = time_to_event.prepare(outcome.facts.from_origin(origin), cutoff).records
        yield Reading(outcome, _progressed(records))


def _progressed(records: Sequence[Record]) -> Date | None:
    last = records[-1] if records else None
    return last.date if last and last.response == Response.PD else None
