"""Soft checks of a visit in its patient's history, as entered or as stored."""

from __future__ import annotations

from dataclasses import replace

from outcomes import conformance, schedule
from outcomes.entries import VisitEntry
from outcomes.history import History
from outcomes.methods.recist import (
    Assessment,
    NewLesion,
    NonTarget,
    Reason,
    Response,
    Target,
    plain,
)
from outcomes.methods.soft_checks import Check, SoftCheck, soft_checks
from outcomes.models import Visit


def of_entry(
    past: History, entry: VisitEntry, derived: Response | None, *, replaces: Visit | None = None
) -> tuple[SoftCheck, ...]:
    """What to confirm about a visit that has a date; pointers lead into the entry."""
    assert entry.date is not None
    visit = Visit(
        pk=replaces.pk if replaces else None,
        patient=past.patient,
        kind=entry.kind,
        date=entry.date,
        stated_response=entry.stated_response,
        stated_response_reason=entry.stated_response_reason,
        overall_response=derived or "",
    )
    found = _found(past, visit, past.assessed(entry, entry.date), replaces)
    return tuple(
        replace(check, pointer=conformance.as_entered(check.pointer, entry)) for check in found
    )


def of_visit(past: History, visit: Visit) -> tuple[SoftCheck, ...]:
    """What to confirm about a visit of the history, as derived; pointers lead into its rows."""
    return _found(past, visit, past.assessments[visit.date], visit)


def _found(
    past: History, visit: Visit, said: Assessment, itself: Visit | None
) -> tuple[SoftCheck, ...]:
    others = [v for v in past.visits if v is not itself]
    earlier = [v for v in others if v.date < visit.date]
    baseline = visit.kind == Visit.Kind.BASELINE
    stated, derived = visit.stated_response, visit.overall_response
    found = soft_checks(
        said,
        () if baseline else [past.assessments[v.date] for v in earlier],
        place=schedule.place(visit, others),
        stated=Response(stated) if stated else None,
        derived=Response(derived) if derived else None,
    )
    return tuple(_explained(check, visit.stated_response_reason) for check in found)


def _explained(check: SoftCheck, reason: str) -> SoftCheck:
    """A different response with its reason: another reason is another question."""
    if check.check is not Check.STATED_RESPONSE_DIFFERS:
        return check
    parameters = {**check.reason.parameters, "reason": reason}
    return replace(check, reason=Reason(check.reason.code, parameters))


def value_now(past: History, visit: Visit, lesion: str, field: str) -> str:
    """What the field that a check spoke of says now: a number, a state, a date; blank for nothing."""
    if field in ("date", "stated_response"):
        return str(getattr(visit, field))
    said = past.assessments[visit.date]
    if not lesion:
        numbers = [t.diameter_mm for t in said.targets if t.diameter_mm is not None]
        return ", ".join(plain(mm) for mm in numbers)
    rows: list[Target | NonTarget | NewLesion]
    rows = [*said.targets, *said.non_targets, *said.new_lesions]
    row = next((r for r in rows if r.lesion == lesion), None)
    if isinstance(row, Target):
        return _of_target(row, field)
    return row.status.value if isinstance(row, NonTarget) else row.certainty.value if row else ""


def _of_target(row: Target, field: str) -> str:
    if field == "method":
        return row.method.value if row.method else ""
    if field == "slice_mm":
        return plain(row.slice_mm) if row.slice_mm else ""
    return row.state.value if row.diameter_mm is None else plain(row.diameter_mm)
