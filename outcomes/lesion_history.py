"""How the values of a visit came to be: when, who, old and new, and why, from the audit trail."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.corrections import CHOICES, DESCRIPTION, OF_ROW, OF_VISIT, shown
from outcomes.flow_sheet import Corrected
from outcomes.history import History
from outcomes.models import (
    Lesion,
    LesionRole,
    Measurement,
    NewLesionStatus,
    NonTargetStatus,
    ResponseChoice,
    Visit,
)

ROWS: Mapping[str, tuple[Any, str]] = {
    LesionRole.TARGET: (Measurement, "targets"),
    LesionRole.NON_TARGET: (NonTargetStatus, "non_targets"),
    LesionRole.NEW: (NewLesionStatus, "new_lesions"),
}
STATED = ("date", "kind", "stated_response", "stated_response_reason")
DERIVED = {
    "overall_response": gettext_lazy("Computed response"),
    "sum_mm": gettext_lazy("Sum of diameters (mm)"),
}
VOIDED = {"voided_at": gettext_lazy("Voided")}
# What the actions say where nobody was asked for a reason.
SAID_BY_ACTIONS = {"recorded": gettext_lazy("first entry")}


@dataclass(frozen=True)
class Step:
    """One field of one write: what it said before, and what since."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Write:
    """Everything that one write changed, with its reason."""

    at: datetime
    who: str
    reason: str
    steps: tuple[Step, ...]


def corrected(past: History) -> Corrected:
    """What of a patient's visits was changed after its first entry, in two statements.

    Up to the moment of a history of what was known then.
    """
    visits = [visit.pk for visit in past.visits]
    if not visits:
        return Corrected()
    by_then = {"pgh_created_at__lte": past.known_on} if past.known_on else {}
    events: Any = Visit.pgh_event_model.objects.filter(pgh_obj__in=visits, **by_then)  # type: ignore[attr-defined]
    said = events.order_by().values_list("pgh_obj", *STATED).distinct()
    times = Counter(row[0] for row in said)
    first, *others = [
        model.pgh_event_model.objects.filter(visit__in=visits, **by_then)
        .exclude(pgh_label="insert")
        .order_by()
        .values_list("visit", "lesion")
        for model, _path in ROWS.values()
    ]
    return Corrected(
        frozenset(pk for pk, number in times.items() if number > 1),
        frozenset(first.union(*others)),
    )


def of_cell(visit: Visit, lesions: Iterable[Lesion]) -> tuple[Write, ...]:
    """What was recorded of a lesion at a visit, latest first; empty where nothing ever was.

    `lesions` are those that had the label, voided ones included.
    """
    found = list(lesions)
    if not found:
        return ()
    model, path = ROWS[found[0].role]
    events = model.pgh_event_model.objects.filter(visit=visit.pk, lesion__in=found)
    labels = dict(visit.patient.lesions.values_list("pk", "label"))
    rows = [(event, _facts(event, OF_ROW, labels)) for event in events.order_by("pgh_id")]
    if not rows:
        return ()
    described = _descriptions(found) if visit.kind == Visit.Kind.BASELINE else []
    merged = sorted(rows + described, key=lambda pair: pair[0].pgh_created_at)
    label = re.escape(found[0].label)
    return _writes(visit, merged, OF_ROW | DESCRIPTION, rf"/{path}/{label}(/.*)?")


def of_visit(visit: Visit) -> tuple[Write, ...]:
    """What was said of a visit as a whole, and what was computed of it, latest first."""
    events: Any = Visit.pgh_event_model.objects.filter(pgh_obj=visit.pk)  # type: ignore[attr-defined]
    names = OF_VISIT | DERIVED | VOIDED
    rows = [(event, _facts(event, names, {})) for event in events.order_by("pgh_id")]
    return _writes(visit, rows, names, "/[^/]*")


Facts = dict[str, Any]


def _descriptions(lesions: Iterable[Lesion]) -> list[tuple[Any, Facts]]:
    """How the lesion was described; the number of its slot is nobody's entry."""
    events: Any = Lesion.pgh_event_model.objects.filter(  # type: ignore[attr-defined]
        pgh_obj__in=[lesion.pk for lesion in lesions]
    )
    return [(event, _facts(event, DESCRIPTION, {})) for event in events.order_by("pgh_id")]


def _facts(event: Any, names: Iterable[str], labels: Mapping[int, str]) -> Facts:
    """What an event's row said; a removed row says nothing any more."""
    gone = event.pgh_label == "delete"
    known = {name: getattr(event, name) for name in names if hasattr(event, name)}
    if "merged_into" in names and hasattr(event, "merged_into_id"):
        known["merged_into"] = labels.get(event.merged_into_id, "")
    if known.get("fragments_mm") is not None:
        known["fragments_mm"] = tuple(known["fragments_mm"])
    return dict.fromkeys(known) if gone else known


def _writes(
    visit: Visit, rows: Iterable[tuple[Any, Facts]], names: Mapping[str, Any], of_this: str
) -> tuple[Write, ...]:
    found: list[Write] = []
    before: Facts = {}
    last: object = None
    for event, facts in rows:
        if steps := tuple(_steps(before, facts, names)):
            context = event.pgh_context or {}
            if last is not None and context and event.pgh_context_id == last:
                steps = (*found.pop().steps, *steps)
            found.append(
                Write(
                    event.pgh_created_at,
                    context.get("name") or _("unknown"),
                    _why(context, of_this),
                    steps,
                )
            )
            last = event.pgh_context_id
        before = before | facts
    return tuple(reversed(found))


def _steps(before: Facts, after: Facts, names: Mapping[str, Any]) -> Iterator[Step]:
    for name, value in after.items():
        old, new = _shown(name, before.get(name)), _shown(name, value)
        if old != new:
            yield Step(str(names[name]), old, new)


def _shown(name: str, value: Any) -> str:
    """A value in words; what is not the case is no more than not said."""
    if name == "voided_at":
        return _("yes") if value else "–"
    if name == "overall_response":
        return str(ResponseChoice(value).label) if value else "–"
    if name in CHOICES and value not in CHOICES[name].values:
        return "–"
    return "–" if value is False else shown(name, value)


def _why(context: Mapping[str, Any], of_this: str) -> str:
    """The reasons given for single fields that match, else the one for the whole write."""
    single = context.get("reasons") or {}
    own = [str(why) for pointer, why in single.items() if re.fullmatch(of_this, pointer)]
    reason = str(context.get("reason", ""))
    return "; ".join(dict.fromkeys(own)) or str(SAID_BY_ACTIONS.get(reason, reason))
