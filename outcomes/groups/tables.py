"""Outcomes by group as tables: the same endpoints in every group, rounded for reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from outcomes.charts.forest import estimate_text, marked_text
from outcomes.labels import CHARACTERISTICS, UNITS, group_label, why_none
from outcomes.methods.survival import Landmark
from outcomes.report import LandmarkTime, Survival
from outcomes.report.subgroups import (
    FEWEST,
    Forest,
    ForestMeasure,
    NotShown,
    Subgroup,
    median_estimate,
    rate_estimate,
    recorded,
)
from outcomes.result_wording import percent
from registry.languages import listed
from trials.definitions import EndpointKind

USUAL_LANDMARK = LandmarkTime(12)


@dataclass(frozen=True)
class GroupLine:
    """One group: how many, how many responded, and the times to event; `url` lists its patients."""

    name: str
    url: str
    n: int
    responders: str
    response: str
    progression_events: str
    progression: str
    landmark: str
    deaths: str
    overall: str


@dataclass(frozen=True)
class GroupTable:
    """The groups of one characteristic, all patients last."""

    id: str
    title: str
    lines: tuple[GroupLine, ...]


def tables(found: Forest, url: Callable[[str, str], str]) -> list[GroupTable]:
    """A table for each characteristic of which something is recorded; `url` as in the figure."""
    whole = _line(_("All patients"), url("", ""), found.whole)
    return [
        GroupTable(
            id=by,
            title=_capitalized(str(CHARACTERISTICS[by])),
            lines=(
                *(_line(group_label(by, one.name), url(by, one.name), one) for one in groups),
                whole,
            ),
        )
        for by, groups in found.characteristics
        if recorded(groups)
    ]


def nothing_recorded(found: Forest) -> str:
    """The characteristics of which nothing is known, named."""
    names = [
        str(CHARACTERISTICS[by]) for by, groups in found.characteristics if not recorded(groups)
    ]
    return _("Nothing is recorded of: %s.") % listed(names) if names else ""


def landmark_title(found: Forest) -> str:
    """What the column of survival at one time is called."""
    at, _value = _landmark(found.whole.survivals[EndpointKind.PFS])
    told = {"endpoint": "PFS", "n": at.number, "unit": UNITS[at.unit]}
    return _("%(endpoint)s at %(n)s %(unit)s") % told


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _line(name: str, url: str, group: Subgroup) -> GroupLine:
    response = rate_estimate(group.response)
    progression, overall = (group.survivals[k] for k in (EndpointKind.PFS, EndpointKind.OS))
    return GroupLine(
        name=name,
        url=url if response.n else "",
        n=response.n,
        responders=f"{response.events}/{response.n}",
        response=marked_text(ForestMeasure.RATE, response),
        progression_events=f"{progression.events}/{progression.n}",
        progression=estimate_text(ForestMeasure.MEDIAN, median_estimate(progression)),
        landmark=_survival_at(progression),
        deaths=f"{overall.events}/{overall.n}",
        overall=estimate_text(ForestMeasure.MEDIAN, median_estimate(overall)),
    )


def _landmark(found: Survival) -> tuple[LandmarkTime, Landmark]:
    """At 12 months where that is among the landmarks, else at the last of them."""
    usual = [pair for pair in found.landmarks if pair[0] == USUAL_LANDMARK]
    return (usual or found.landmarks)[-1]


def _survival_at(found: Survival) -> str:
    _at, value = _landmark(found)
    if found.n < FEWEST:
        return why_none(NotShown.TOO_FEW)
    if value.survival is None:
        return _("not estimable")
    return f"{percent(value.survival)} ({percent(value.lower)} \N{EN DASH} {percent(value.upper)})"
