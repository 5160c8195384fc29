"""Soft checks: what is possible but unusual in a visit, for a person to confirm or comment.

Pure. A check never blocks. It asks about what is new: a state that stood the same way at the
visit before was asked there (a lesion above 150 mm, another method, nodes of normal size).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date as Date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from outcomes.methods.recist import (
    NORMAL_NODE_BELOW_MM,
    TOO_SMALL_MM,
    Assessment,
    NonTarget,
    NonTargetState,
    Reason,
    Response,
    Target,
    TargetState,
    gone,
    join_labels,
    make_reason,
    one_decimal,
    plain,
    target_value_mm,
)
from outcomes.methods.schedule import Place

LARGE_CHANGE_MM: Final = Decimal(10)
LARGE_DIAMETER_ABOVE_MM: Final = Decimal(150)
WHOLE_VISITS: Final = 2  # fewer say nothing about how this patient's lesions are written
COPIED_TARGETS: Final = 2


class Check(StrEnum):
    """What is asked."""

    OUTSIDE_WINDOW = "outside_window"
    SCAN_DONE = "scan_done"
    SCAN_MISSED = "scan_missed"
    LARGE_CHANGE = "large_change"
    UNIT_SLIP = "unit_slip"
    MORE_DECIMALS = "more_decimals"
    LARGE_DIAMETER = "large_diameter"
    MEASURED_FIVE = "measured_five"
    METHOD_DIFFERS = "method_differs"
    SLICE_DIFFERS = "slice_differs"
    REAPPEARED = "reappeared"
    MEASURED_AFTER_MERGE = "measured_after_merge"
    NORMAL_NODES_LEFT = "normal_nodes_left"
    COPIED = "copied"
    NOT_EVALUABLE_RESPONSE = "not_evaluable_response"
    STATED_RESPONSE_DIFFERS = "stated_response_differs"


@dataclass(frozen=True)
class SoftCheck:
    """A question about one lesion, or about the visit where `lesion` is blank.

    (check, lesion) identifies it within a visit. `reason` holds its code with the values that it
    speaks of, that of the field in question as `value`: the same parameters are the same question.
    `pointer` is the JSON Pointer of the field into the assessment, such as
    `/targets/0/diameter_mm`.
    """

    check: Check
    lesion: str
    pointer: str
    reason: Reason


@dataclass(frozen=True)
class _Past:
    """What was seen of one lesion before, latest last."""

    seen: Sequence[tuple[Date, Target]]

    @property
    def counted(self) -> tuple[Date, Target, Decimal] | None:
        """The latest row that adds to a sum, its date and what it adds, in mm."""
        found = [(on, t, mm) for on, t in self.seen if (mm := target_value_mm(t)) is not None]
        return found[-1] if found else None

    @property
    def evaluated(self) -> Target | None:
        """The latest row that says something of the lesion itself."""
        return self.counted[1] if self.counted else None

    @property
    def last(self) -> Target | None:
        """The row of the visit before."""
        return self.seen[-1][1] if self.seen else None


def soft_checks(
    now: Assessment,
    earlier: Sequence[Assessment] = (),
    *,
    place: Place | None = None,
    stated: Response | None = None,
    derived: Response | None = None,
) -> tuple[SoftCheck, ...]:
    """What to confirm about a visit, in the order of its page; empty where nothing is unusual.

    `earlier` are the visits before, the baseline first; none for a baseline itself. Diameters in
    mm, compared exactly. `place` is where the visit falls among the planned scans, None where no
    scan was planned. `stated` is the investigator's response, `derived` the computed one. Raises
    nothing.
    """
    return (
        *_off_schedule(now.date, place),
        *(c for i, t in enumerate(now.targets) for c in _target(i, t, now, earlier)),
        *_normal_nodes_left(now, earlier),
        *_copied(now, earlier),
        *_more_decimals(now, earlier),
        *(c for i, row in enumerate(now.non_targets) for c in _non_target(i, row, earlier)),
        *(c for i, _ in enumerate(now.new_lesions) for c in _new_lesion(i, now, earlier)),
        *_responses(now, stated, derived),
    )


def _off_schedule(on: Date, place: Place | None) -> Iterator[SoftCheck]:
    """One question about the day: its scan is done, one before it is missing, or it is off its window."""
    if place is None:
        return
    expected, pointer, value = place.expected, "/date", on.isoformat()
    window = {"first": expected.first.isoformat(), "last": expected.last.isoformat()}
    nearest_day, day = place.nearest_day, place.expected_day
    if place.done_on:
        done_on = place.done_on.isoformat()
        yield _check(
            Check.SCAN_DONE, "", pointer, value, day=nearest_day, done_on=done_on, **window
        )
    elif expected.number < place.nearest.number:
        days = {"day": day, "nearest_day": nearest_day}
        yield _check(Check.SCAN_MISSED, "", pointer, value, **days, **window)
    elif not expected.first <= on <= expected.last:
        yield _check(Check.OUTSIDE_WINDOW, "", pointer, value, **window)


# One target


def _target(
    index: int, row: Target, now: Assessment, earlier: Sequence[Assessment]
) -> Iterator[SoftCheck]:
    here = f"/targets/{index}"
    past = _past(row.lesion, earlier)
    yield from _method(here, row, earlier)
    if returned := tuple(_returned(here, row, past)):
        yield from returned
    elif row.diameter_mm is not None and row.state is TargetState.MEASURED:
        yield from _number(here, row.lesion, row.diameter_mm, past)
    elif row.state in (TargetState.ABSENT, TargetState.TOO_SMALL):
        yield from _state(here, row, past)


def _number(here: str, lesion: str, mm: Decimal, past: _Past) -> Iterator[SoftCheck]:
    """What a typed number makes one ask; of several ways to doubt its size the most telling one."""
    pointer = f"{here}/diameter_mm"
    known = past.counted
    before = known[2] if known else None
    typed = known is not None and known[1].state is TargetState.MEASURED
    compared = _compared(mm, known)
    if before and typed and _unit_slip(mm, before):
        yield _check(Check.UNIT_SLIP, lesion, pointer, mm, **compared)
    elif before and _large_change(mm, before):
        yield _check(Check.LARGE_CHANGE, lesion, pointer, mm, **compared)
    elif mm > LARGE_DIAMETER_ABOVE_MM and (before or 0) <= LARGE_DIAMETER_ABOVE_MM:
        limit = LARGE_DIAMETER_ABOVE_MM
        yield _check(Check.LARGE_DIAMETER, lesion, pointer, mm, above_mm=limit)
    if mm == TOO_SMALL_MM:
        yield _check(Check.MEASURED_FIVE, lesion, f"{here}/state", mm)


def _state(here: str, row: Target, past: _Past) -> Iterator[SoftCheck]:
    """A lesion that is too small or absent now, and was far from it: its value counts as well."""
    known, mm = past.counted, target_value_mm(row)
    if known and mm is not None and known[2] and _large_change(mm, known[2]):
        compared = _compared(mm, known)
        yield _check(Check.LARGE_CHANGE, row.lesion, f"{here}/state", row.state.value, **compared)


def _compared(mm: Decimal, known: tuple[Date, Target, Decimal] | None) -> dict[str, str | Decimal]:
    """What a value is compared with; a state before by its name, where no number was typed."""
    if known is None or not known[2]:
        return {}
    on, row, before = known
    change = one_decimal(100 * Fraction(mm - before) / Fraction(before))
    named = {} if row.state is TargetState.MEASURED else {"previous_state": row.state.value}
    return {
        "previous_mm": before, "previous_on": on.isoformat(), "change_percent": change, **named,
    }  # fmt: skip


def _large_change(mm: Decimal, before: Decimal) -> bool:
    """At least 50 % and at least 10 mm, both inclusive, in either direction."""
    change = abs(mm - before)
    return 2 * change >= before and change >= LARGE_CHANGE_MM


def _unit_slip(mm: Decimal, before: Decimal) -> bool:
    """Ten times or a tenth of the value before, give or take a fifth of it: centimeters?"""
    tenth = 8 * before <= 100 * mm <= 12 * before
    tenfold = 8 * before <= mm <= 12 * before
    return tenth or tenfold


def _returned(here: str, row: Target, past: _Past) -> Iterator[SoftCheck]:
    """A lesion that was gone, or part of another one, and counts by itself again."""
    before, value = past.evaluated, target_value_mm(row)
    if before is None or not value or row.state is TargetState.MERGED:
        return
    if before.state is TargetState.MERGED:
        yield _check(Check.MEASURED_AFTER_MERGE, row.lesion, f"{here}/state", value)
    elif target_value_mm(before) == 0:
        yield _check(Check.REAPPEARED, row.lesion, f"{here}/state", value)


def _method(here: str, row: Target, earlier: Sequence[Assessment]) -> Iterator[SoftCheck]:
    """Method or slice thickness other than at baseline, and not so at the visit before."""
    first = (
        next((t for t in earlier[0].targets if t.lesion == row.lesion), None) if earlier else None
    )
    if first is None:
        return
    last = _past(row.lesion, earlier).last or first
    if row.method and first.method and row.method not in (first.method, last.method):
        method, baseline = row.method.value, first.method.value
        yield _check(Check.METHOD_DIFFERS, row.lesion, f"{here}/method", method, baseline=baseline)
    if row.slice_mm and first.slice_mm and row.slice_mm not in (first.slice_mm, last.slice_mm):
        pointer, slice_mm = f"{here}/slice_mm", row.slice_mm
        yield _check(Check.SLICE_DIFFERS, row.lesion, pointer, slice_mm, baseline=first.slice_mm)


# All targets


def _normal_nodes_left(now: Assessment, earlier: Sequence[Assessment]) -> Iterator[SoftCheck]:
    """Nodes below 10 mm while every other target is gone: a complete response with a sum above 0."""
    if not earlier or not _only_normal_nodes(now, earlier[0]):
        return
    if len(earlier) > 1 and _only_normal_nodes(earlier[-1], earlier[0]):
        return
    limit = NORMAL_NODE_BELOW_MM
    for index, row in enumerate(now.targets):
        if value := target_value_mm(row):
            pointer = f"/targets/{index}/diameter_mm"
            yield _check(Check.NORMAL_NODES_LEFT, row.lesion, pointer, value, below_mm=limit)


def _only_normal_nodes(visit: Assessment, baseline: Assessment) -> bool:
    values = {t.lesion: (target_value_mm(t), t.nodal) for t in visit.targets}
    if values.keys() != {t.lesion for t in baseline.targets}:
        return False
    left = [value for value, _ in values.values() if value]
    return bool(left) and all(
        value is not None and gone(value, nodal) for value, nodal in values.values()
    )


def _copied(now: Assessment, earlier: Sequence[Assessment]) -> Iterator[SoftCheck]:
    """Every target exactly as at the visit before, two numbers at least: copied rather than read?"""
    if not earlier:
        return
    rows = {t.lesion: (t.state, t.diameter_mm) for t in now.targets}
    numbers = [mm for _, mm in rows.values() if mm is not None]
    before = {t.lesion: (t.state, t.diameter_mm) for t in earlier[-1].targets}
    if rows == before and len(numbers) >= COPIED_TARGETS:
        said: dict[str, str | int] = {
            "targets": len(numbers), "previous_on": earlier[-1].date.isoformat(),
        }  # fmt: skip
        yield _check(Check.COPIED, "", "/targets", _diameters(now), **said)


def _more_decimals(now: Assessment, earlier: Sequence[Assessment]) -> Iterator[SoftCheck]:
    """A number with decimals where two visits or more were all in whole millimeters.

    Asked once for a visit, and never of a baseline: who measures in tenths is asked no more after
    the first such visit. A number whose size is in question is asked about for that.
    """
    before = [mms for visit in earlier if (mms := _measured(visit.targets))]
    if len(before) < WHOLE_VISITS or any(_fractional(mm) for mms in before for mm in mms):
        return
    doubted = [t for t in now.targets if _doubted(t, earlier)]
    odd = [t for t in now.targets if t not in doubted and _fractional(t.diameter_mm)]
    if odd:
        value = ", ".join(plain(mm) for mm in _measured(odd))
        lesions = join_labels([t.lesion for t in odd])
        yield _check(Check.MORE_DECIMALS, "", "/targets", value, lesions=lesions)


def _measured(targets: Iterable[Target]) -> list[Decimal]:
    return [t.diameter_mm for t in targets if t.diameter_mm is not None]


def _fractional(mm: Decimal | None) -> bool:
    return mm is not None and mm != mm.to_integral_value()


def _doubted(row: Target, earlier: Iterable[Assessment]) -> bool:
    known = _past(row.lesion, earlier).counted
    if known is None or row.diameter_mm is None:
        return False
    return _unit_slip(row.diameter_mm, known[2]) or _large_change(row.diameter_mm, known[2])


def _diameters(now: Assessment) -> str:
    return ", ".join(plain(mm) for mm in _measured(now.targets))


# Non-target and new lesions


def _non_target(index: int, row: NonTarget, earlier: Sequence[Assessment]) -> Iterator[SoftCheck]:
    silent = (NonTargetState.ABSENT, NonTargetState.NOT_EVALUABLE)
    before = [
        n.status
        for visit in earlier
        for n in visit.non_targets
        if n.lesion == row.lesion and n.status is not NonTargetState.NOT_EVALUABLE
    ]
    if before and before[-1] is NonTargetState.ABSENT and row.status not in silent:
        pointer = f"/non_targets/{index}/status"
        yield _check(Check.REAPPEARED, row.lesion, pointer, row.status.value)


def _new_lesion(index: int, now: Assessment, earlier: Sequence[Assessment]) -> Iterator[SoftCheck]:
    """A new lesion that was seen once, was gone at the visit before, and is there again."""
    row = now.new_lesions[index]
    listed = [any(n.lesion == row.lesion for n in visit.new_lesions) for visit in earlier]
    if any(listed) and not listed[-1]:
        pointer = f"/new_lesions/{index}/certainty"
        yield _check(Check.REAPPEARED, row.lesion, pointer, row.certainty.value)


# The stated response


def _responses(
    now: Assessment, stated: Response | None, derived: Response | None
) -> Iterator[SoftCheck]:
    if stated and (lesions := _unevaluated(now, stated)):
        code = Check.NOT_EVALUABLE_RESPONSE
        unseen = join_labels(lesions)
        yield _check(code, "", "/stated_response", stated.value, lesions=unseen)
    if stated and derived and stated is not derived:
        code = Check.STATED_RESPONSE_DIFFERS
        yield _check(code, "", "/stated_response", stated.value, derived=derived.value)


def _unevaluated(now: Assessment, stated: Response) -> list[str]:
    """Lesions that no one could see although the response needs them (tables of section 4.4.1).

    A complete response needs every lesion; a partial one the targets.
    """
    found: list[str] = []
    if stated in (Response.CR, Response.PR):
        found += [t.lesion for t in now.targets if t.state is TargetState.NOT_EVALUABLE]
    if stated is Response.CR:
        unseen = NonTargetState.NOT_EVALUABLE
        found += [n.lesion for n in now.non_targets if n.status is unseen]
    return found


def _past(lesion: str, earlier: Iterable[Assessment]) -> _Past:
    return _Past([(v.date, t) for v in earlier for t in v.targets if t.lesion == lesion])


def _check(
    check: Check, lesion: str, pointer: str, value: Decimal | str, /, **said: str | int | Decimal
) -> SoftCheck:
    named = {"lesion": lesion} if lesion else {}
    return SoftCheck(check, lesion, pointer, make_reason(check.value, value=value, **named, **said))
