"""What another definition of an endpoint would change: the estimate, and which patients move.

One read of the facts, folded twice: by the definition that the report has now and by the one that
is proposed. Nothing is stored, and no page is known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from outcomes import queries, report
from outcomes.methods.recist import Response
from outcomes.queries import PatientFacts
from outcomes.report import Absence, Declared, Options, Rate, Standing, Survival
from patients.models import Patient
from registry import database
from trials.definitions import EndpointDefinition, EndpointKind
from trials.models import Endpoint

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Trial


class Place(StrEnum):
    """Where a patient stands who has neither an absence nor a response."""

    BENEFIT = "benefit"
    NO_BENEFIT = "no_benefit"
    EVENT = "event"
    CENSORED = "censored"
    NO_RESPONSE = "no_response"


Category = Absence | Response | Place


@dataclass(frozen=True)
class Proposal:
    """A definition for a stored endpoint, or for a new one (`endpoint` None).

    Without a `definition` the stored endpoint would be removed.
    """

    kind: EndpointKind
    definition: EndpointDefinition | None
    endpoint: Endpoint | None = None
    name: str = ""


@dataclass(frozen=True)
class Move:
    """A patient whose category, censoring or place in the analysis would change."""

    facts: PatientFacts
    before: Standing
    after: Standing


@dataclass(frozen=True)
class Preview:
    """What would change on a cutoff, over the patients that the reader may see.

    `before` is what the report has now, `after` what it would have in its place; None where there
    is nothing. With `stays` the former is not replaced: the latter stands beside it. `first`:
    whether it is, or becomes, the one of its kind that the dashboard shows.
    """

    kind: EndpointKind
    cutoff: Date
    known_on: datetime | None
    n: int
    before: Rate | Survival | None
    after: Rate | Survival | None
    stays: bool
    first: bool
    moves: tuple[Move, ...]

    @cached_property
    def transitions(self) -> Mapping[tuple[Category, Category], int]:
        """How many patients move from one category (`category`) to another."""
        kind = self.kind
        pairs = ((category(kind, m.before), category(kind, m.after)) for m in self.moves)
        return dict(sorted(Counter(pairs).items(), key=lambda found: (-found[1], found[0])))


def preview(
    trial: Trial,
    proposal: Proposal,
    *,
    user: User,
    cutoff: Date,
    known_on: datetime | None = None,
) -> Preview:
    """Compare a proposal with what the report has now, in a number of statements that is fixed."""
    with database.snapshot():
        endpoints = list(trial.endpoints.all())
        seen = Patient.objects.visible_to(user).filter(trial=trial)
        facts = queries.facts(
            seen if known_on else seen.active(), blinded=trial.masked, known_on=known_on
        )
    before, after = compared(proposal, endpoints)
    found, standings = report.side_by_side(
        trial, facts, [one for one in (before, after) if one], cutoff=cutoff
    )
    results = iter(found)
    first = _first(endpoints, proposal.kind)
    return Preview(
        kind=proposal.kind,
        cutoff=cutoff,
        known_on=known_on,
        n=len(facts),
        before=next(results) if before else None,
        after=next(results) if after else None,
        stays=proposal.endpoint is None and first is not None,
        first=first is None or first == proposal.endpoint,
        moves=_moves(proposal.kind, standings) if before and after else (),
    )


def _first(endpoints: list[Endpoint], kind: EndpointKind) -> Endpoint | None:
    return next((endpoint for endpoint in endpoints if endpoint.kind == kind), None)


def compared(
    proposal: Proposal, endpoints: list[Endpoint]
) -> tuple[Declared | None, Declared | None]:
    """What the report has now, and what it would have in its place.

    A new endpoint is compared with the first of its kind, beside which it would stand; a removed
    one with what takes its place, which is nothing unless it is the first.
    """
    kind, own = proposal.kind, proposal.endpoint
    if proposal.definition is None:
        rest = [endpoint for endpoint in endpoints if endpoint != own]
        leads = own == _first(endpoints, kind)
        return _declared(own, kind), _declared(_first(rest, kind), kind) if leads else None
    proposed = Declared(kind, proposal.name, "", proposal.definition, own.pk if own else None)
    return _declared(own or _first(endpoints, kind), kind), proposed


def _declared(endpoint: Endpoint | None, kind: EndpointKind) -> Declared | None:
    """An endpoint as the report has it; without one the registry's default, where it has one."""
    rows = [endpoint] if endpoint else []
    found = report.declared(rows, Options(cutoff=Date.min))
    return next((one for one in found if one.kind is kind), None)


def _moves(
    kind: EndpointKind, standings: list[tuple[PatientFacts, list[Standing]]]
) -> tuple[Move, ...]:
    moves = (Move(facts, before, after) for facts, (before, after) in standings)
    return tuple(move for move in moves if _told(kind, move.before) != _told(kind, move.after))


def _told(kind: EndpointKind, standing: Standing) -> tuple[object, ...]:
    """What makes a difference to the figures, and to why a patient is censored."""
    time = standing.time
    ended = (time.days, time.event, time.date, time.reason.code) if time else None
    return category(kind, standing), standing.succeeded, ended


def category(kind: EndpointKind, standing: Standing) -> Category:
    """An absence, a response, or whether there was benefit, an event, or neither."""
    if standing.absence:
        return standing.absence
    if standing.best and kind is EndpointKind.CBR:
        return Place.BENEFIT if standing.succeeded else Place.NO_BENEFIT
    if standing.best:
        return standing.best.response
    if standing.time:
        return Place.EVENT if standing.time.event else Place.CENSORED
    return Place.NO_RESPONSE
