"""A list of patients behind a number, worded for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from outcomes.definition_words import in_words
from outcomes.endpoints.preview import category
from outcomes.endpoints.wording import category_in_words, why
from outcomes.figures.wording import group_name
from outcomes.labels import ENDS, response_label
from outcomes.methods.time_to_event import Source
from outcomes.patients_of.options import WHICH, Asked, Which, which
from outcomes.report import Declared
from outcomes.result_wording import months
from trials.definition_wording import TITLES

if TYPE_CHECKING:
    from outcomes.patient_links import Links
    from outcomes.report.standings import Placed
    from trials.definitions import EndpointKind


@dataclass(frozen=True)
class Line:
    """One patient: where they stand, since when, and why."""

    url: str
    subject_id: str
    site: str
    standing: str
    which: str
    days: int | None
    months: str
    date: str
    reason: str


@dataclass(frozen=True)
class Choice:
    """Another list of the same endpoint, with its number of patients."""

    text: str
    n: int
    url: str
    current: bool


@dataclass(frozen=True)
class Listed:
    """Which list it is, and the others beside it."""

    title: str
    definition: str
    timed: bool
    best: bool
    choices: tuple[Choice, ...]
    placed: tuple[Placed, ...]


def listed(
    asked: Asked, endpoint: Declared, placed: Sequence[Placed], links: Links, evaluator: str
) -> Listed:
    """The patients that are asked for, of all of a report's."""
    return Listed(
        title=_title(asked, endpoint),
        definition=in_words(endpoint, evaluator),
        timed=bool(asked.choices) and Which.EVENT in asked.choices,
        best=asked.best,
        choices=() if asked.best else tuple(_choices(asked, endpoint, placed, links)),
        placed=tuple(one for one in placed if asked.has(one)),
    )


def _title(asked: Asked, endpoint: Declared) -> str:
    parts = [_("Best overall response") if asked.best else str(TITLES[endpoint.kind])]
    if asked.best:
        parts.append(_("confirmed") if asked.confirmed else _("unconfirmed"))
    if asked.response:
        parts.append(response_label(asked.response))
    if asked.which:
        parts.append(str(WHICH[asked.which]))
    if asked.day is not None:
        parts.append(_("day %s") % asked.day)
    if asked.reason:
        parts.append(str(ENDS[asked.reason]))
    if asked.group is not None:
        parts.append(group_name(asked.group))
    return ", ".join(parts)


def _choices(
    asked: Asked, endpoint: Declared, placed: Sequence[Placed], links: Links
) -> list[Choice]:
    members = [one for one in placed if asked.group is None or one.group == asked.group]
    counted = Counter(which(one.standing) for one in members)
    n = len(members) - counted[Which.ABSENT]
    own = {"group": asked.group} if asked.group is not None else {}
    if endpoint.definition.immune:
        own["definition"] = str(endpoint.pk)
    every = Choice(
        _("in the analysis"),
        n,
        links.number(endpoint.kind, **own),
        asked.which is None and not asked.narrowed,
    )
    return [
        every,
        *(
            Choice(
                str(WHICH[one]),
                counted[one],
                links.number(endpoint.kind, standing=one, **own),
                asked.which is one and not asked.narrowed,
            )
            for one in asked.choices
        ),
    ]


def lines(asked: Asked, placed: Sequence[Placed], links: Links) -> list[Line]:
    """Some of the patients of a list."""
    return [_line(asked.kind, one, links) for one in placed]


def _line(kind: EndpointKind, one: Placed, links: Links) -> Line:
    best, time = one.standing.best, one.standing.time
    source = time.source if time else Source("visit", best.source, "date") if best else None
    found = best or time
    place = which(one.standing)
    return Line(
        url=links.patient(one.facts, source),
        subject_id=one.facts.subject_id,
        site=one.facts.site,
        standing=response_label(best.response)
        if best
        else category_in_words(category(kind, one.standing)),
        which="" if one.standing.succeeded is None else str(WHICH[place]),
        days=time.days if time else None,
        months=months(time.days) if time else "",
        date=found.date.isoformat() if found and found.date else "",
        reason=why(one.standing),
    )
