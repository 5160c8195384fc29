"""Which of a report's patients a list has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.labels import ENDS
from outcomes.methods.recist import Response
from outcomes.report import Declared, Options, Standing
from registry.rest import InvalidParameter
from trials.definitions import EndpointKind

if TYPE_CHECKING:
    from outcomes.methods.time_to_event import TimeToEvent
    from outcomes.report.standings import Placed

BEST = "best"  # the lists of best overall responses, beside those of endpoints
RATES = (EndpointKind.ORR, EndpointKind.DCR, EndpointKind.CBR)
FILTERS = ("standing", "response", "confirmed", "day", "reason", "group")


class Which(StrEnum):
    """Where the listed patients stand; without one all who are in the analysis are listed."""

    COUNTED = "counted"
    NOT_COUNTED = "not_counted"
    EVENT = "event"
    CENSORED = "censored"
    ABSENT = "absent"


WHICH = {
    Which.COUNTED: gettext_lazy("counted as a success"),
    Which.NOT_COUNTED: gettext_lazy("not counted as a success"),
    Which.EVENT: gettext_lazy("with an event"),
    Which.CENSORED: gettext_lazy("censored"),
    Which.ABSENT: gettext_lazy("not in the analysis"),
}
OF_RATES = (Which.COUNTED, Which.NOT_COUNTED, Which.ABSENT)
OF_TIMES = (Which.EVENT, Which.CENSORED, Which.ABSENT)


@dataclass(frozen=True)
class Asked:
    """What decides who is listed.

    `day` is one of a curve, `reason` why a time ends, `group` a value of the options' grouping.
    """

    kind: EndpointKind
    best: bool = False
    which: Which | None = None
    response: Response | None = None
    confirmed: bool = False
    day: int | None = None
    reason: str = ""
    group: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether it is only a part of those who stand at the same place."""
        return self.day is not None or bool(self.reason)

    @property
    def choices(self) -> tuple[Which, ...]:
        """Where patients can stand in this list."""
        if self.best:
            return ()
        return OF_RATES if self.kind in RATES else OF_TIMES

    def has(self, one: Placed) -> bool:
        """Whether the patient is in the list."""
        if self.group is not None and one.group != self.group:
            return False
        standing = one.standing
        if self.best:
            return self.response in (None, standing.best and standing.best.response)
        found = which(standing)
        if not (found is self.which if self.which else found is not Which.ABSENT):
            return False
        return not self.narrowed or (standing.time is not None and self.has_time(standing.time))

    def has_time(self, time: TimeToEvent) -> bool:
        """Whether the time ends on the day and for the reason that are asked for."""
        return self.day in (None, time.days) and self.reason in ("", time.reason.code)


def which(standing: Standing) -> Which:
    """Where a patient stands; without a time, as without a response that counts, in no analysis."""
    if standing.absence or (standing.time is None and standing.best is None):
        return Which.ABSENT
    if standing.time:
        return Which.EVENT if standing.time.event else Which.CENSORED
    return Which.COUNTED if standing.succeeded else Which.NOT_COUNTED


def asked(of: str, query: Mapping[str, str], options: Options) -> Asked:
    """What the address asks for; raises Http404 for another list, InvalidParameter for a value."""
    kinds = {kind.lower(): kind for kind in EndpointKind if kind is not EndpointKind.OTHER}
    if of == BEST:
        found = Asked(
            EndpointKind.ORR,
            best=True,
            response=Response(one) if (one := _one_of(query, "response", list(Response))) else None,
            confirmed=_one_of(query, "confirmed", ["true", "false"]) == "true",
        )
    elif of in kinds:
        found = Asked(kinds[of], day=_day(query))
        which = _one_of(query, "standing", found.choices)
        found = replace(found, which=Which(which) if which else None)
    else:
        raise Http404
    group = query.get("group")
    if group is not None and not options.group_by:
        raise InvalidParameter("group", _("Say in group_by what the patients are grouped by."))
    return replace(found, reason=_reason(found, query), group=group)


def endpoint_of(asked: Asked, endpoints: Sequence[Declared], definition: str | None) -> Declared:
    """The endpoint of the list: the one whose id is given, else the report's first.

    Raises Http404 where the trial declares none of the kind.
    """
    of_kind = [e for e in endpoints if e.kind is asked.kind]
    named = [e for e in of_kind if e.pk is not None and str(e.pk) == definition]
    for endpoint in (*named, *(e for e in of_kind if not e.definition.immune)):
        return endpoint
    raise Http404


def _one_of(query: Mapping[str, str], name: str, accepted: Sequence[str]) -> str:
    value = query.get(name, "")
    if value and value not in accepted:
        raise InvalidParameter(name, _("One of: %s.") % ", ".join(accepted))
    return value


def _reason(found: Asked, query: Mapping[str, str]) -> str:
    if query.get("reason") and found.choices != OF_TIMES:
        raise InvalidParameter("reason", _("Only of a time to an event, such as PFS."))
    return _one_of(query, "reason", list(ENDS))


def _day(query: Mapping[str, str]) -> int | None:
    value = query.get("day")
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 6):
        raise InvalidParameter("day", _("A number of days, such as 84."))
    return int(value)
