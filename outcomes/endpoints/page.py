"""What the pages of endpoint definitions show: each with its figure, its versions, what would move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from outcomes.cards import Card, endpoint_card
from outcomes.endpoints.preview import Move, Preview, Proposal, category
from outcomes.endpoints.wording import category_in_words, standing_in_words, why
from outcomes.patient_links import Links
from outcomes.report import Declared, Options, Rate, Report, Survival
from trials import definition_wording
from trials.definition_keys import differences
from trials.definition_wording import TITLES
from trials.definitions import EndpointDefinition, EndpointKind
from trials.endpoint_history import EndpointVersion, Versions
from trials.models import Endpoint, Trial

MOVES_SHOWN = 200


@dataclass(frozen=True)
class EndpointRow:
    """A definition: what it is called, what it gives now, and how it came to be as it is.

    Without an `endpoint` it is the registry's default; without a `card` it is not computed.
    """

    endpoint: Endpoint | None
    title: str
    words: str
    card: Card | None
    first: bool
    versions: list[EndpointVersion]
    unlike_first: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """The definitions of one kind, the one that the dashboard shows first."""

    code: str
    title: str
    rows: list[EndpointRow]


def kinds(report: Report, endpoints: list[Endpoint], versions: Versions) -> list[Kind]:
    """Every definition of a trial, by kind, with its figure; then what is not computed."""
    whole = report.whole
    results = [*whole.rates.values(), *whole.survivals.values(), *whole.additional]
    by_pk = {endpoint.pk: endpoint for endpoint in endpoints}
    found = [
        Kind(kind.value, f"{TITLES[kind]} ({kind})", list(_rows(kind, results, by_pk, versions)))
        for kind in TITLES
        if any(result.endpoint.kind is kind for result in results)
    ]
    held = [e for e in endpoints if e.kind == EndpointKind.OTHER]
    rows = [
        EndpointRow(e, e.name or _("Other outcome"), "", None, False, versions.get(e.pk, []), ())
        for e in held
    ]
    return [*found, Kind("OTHER", _("Held as published, not computed"), rows)] if rows else found


def _rows(
    kind: EndpointKind,
    results: list[Rate | Survival],
    endpoints: dict[int, Endpoint],
    versions: Versions,
) -> Iterator[EndpointRow]:
    own = [result for result in results if result.endpoint.kind is kind]
    for index, result in enumerate(own):
        declared = result.endpoint
        unlike = differences(own[0].endpoint.definition, declared.definition)
        yield EndpointRow(
            endpoint=endpoints.get(declared.pk or 0),
            title=name_of(declared),
            words=definition_wording.in_words(kind, declared.definition),
            card=endpoint_card(result),
            first=index == 0,
            versions=versions.get(declared.pk or 0, []),
            unlike_first=tuple(unlike),
        )


def name_of(declared: Declared) -> str:
    """What tells a definition apart from the others of its kind."""
    if declared.name:
        return declared.name
    return _("main definition") if declared.pk else _("the registry's default")


@dataclass(frozen=True)
class Side:
    """One side of a preview: a definition with its name, if it has one, and its figure."""

    title: str
    card: Card


@dataclass(frozen=True)
class MoveLine:
    """A patient who moves, from and to in words."""

    url: str
    subject_id: str
    site: str
    before: str
    before_why: str
    after: str
    after_why: str


@dataclass(frozen=True)
class PreviewPage:
    """A preview in words; `lines` are the first patients of those who move."""

    found: Preview
    before: Side | None
    after: Side | None
    differences: tuple[str, ...]
    transitions: tuple[tuple[str, str, int], ...]
    lines: tuple[MoveLine, ...]
    left_out: int
    consequences: tuple[str, ...]


def preview_page(trial: Trial, found: Preview, proposal: Proposal) -> PreviewPage:
    """What a preview shows."""
    moves = found.moves[:MOVES_SHOWN]
    as_of = Options(cutoff=found.cutoff, known_on=found.known_on)
    folded = Links.of_options(trial, as_of).folded
    return PreviewPage(
        found=found,
        before=_side(found.before),
        after=_proposed(found.after, proposal),
        differences=changed_keys(found),
        transitions=tuple(
            (category_in_words(before), category_in_words(after), n)
            for (before, after), n in found.transitions.items()
        ),
        lines=tuple(_line(found.kind, move, folded) for move in moves),
        left_out=len(found.moves) - len(moves),
        consequences=tuple(_consequences(found, proposal)),
    )


def changed_keys(found: Preview) -> tuple[str, ...]:
    """The keys in which both sides differ."""
    if not (found.before and found.after):
        return ()
    sides: tuple[EndpointDefinition, EndpointDefinition] = (
        found.before.endpoint.definition,
        found.after.endpoint.definition,
    )
    return tuple(differences(*sides))


def _side(result: Rate | Survival | None) -> Side | None:
    return Side(name_of(result.endpoint), endpoint_card(result)) if result else None


def _proposed(result: Rate | Survival | None, proposal: Proposal) -> Side | None:
    """What is proposed goes by the name that it would have."""
    if result is None or proposal.definition is None:
        return _side(result)
    return Side(proposal.name or _("main definition"), endpoint_card(result))


def _line(kind: EndpointKind, move: Move, folded: str) -> MoveLine:
    return MoveLine(
        url=reverse("outcomes:patient", args=[move.facts.id]) + folded,
        subject_id=move.facts.subject_id,
        site=move.facts.site,
        before=standing_in_words(category(kind, move.before), move.before),
        before_why=why(move.before),
        after=standing_in_words(category(kind, move.after), move.after),
        after_why=why(move.after),
    )


def _consequences(found: Preview, proposal: Proposal) -> Iterator[str]:
    """What else follows, in sentences."""
    if found.stays:
        yield _("The definition that there is stays the first; the new one stands beside it.")
    if proposal.definition is None:
        if found.after is None:
            yield _("No other definition takes its place: the report has one line fewer.")
        else:
            yield _("The dashboard shows %s in its place.") % name_of(found.after.endpoint)
    if found.first and not found.stays and found.kind is EndpointKind.ORR:
        yield _("The first definition of ORR also rules best responses and the patients' lines.")
    if found.first and not found.stays and found.kind is EndpointKind.OS:
        yield _("The first definition of OS also rules the follow-up.")
