"""Visits as they are written in the tables of the methods' tests.

A target row is `T1 55` (mm), `T1 tstm`, `absent`, `ne`, `merged`; a nodal one starts with N. A
non-target row is `X1 present`, a nodal one `Y1 present 12` (short axis). A baseline lesion that a
visit leaves out was not assessed.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from outcomes.methods.checks import Problem
from outcomes.methods.recist import (
    Assessment,
    Certainty,
    Derived,
    NewLesion,
    NonTarget,
    NonTargetState,
    Reason,
    Response,
    Target,
    TargetState,
    derive,
)

START = date(2024, 1, 1)
STATES = {
    "tstm": TargetState.TOO_SMALL,
    "absent": TargetState.ABSENT,
    "ne": TargetState.NOT_EVALUABLE,
    "merged": TargetState.MERGED,
}
STATUSES = {
    "absent": NonTargetState.ABSENT,
    "present": NonTargetState.PRESENT,
    "increased": NonTargetState.INCREASED,
    "progression": NonTargetState.UNEQUIVOCAL_PROGRESSION,
    "ne": NonTargetState.NOT_EVALUABLE,
}
NEW = {"new": Certainty.UNEQUIVOCAL, "equivocal": Certainty.EQUIVOCAL}
CR, PR, SD, PD, NE = Response.CR, Response.PR, Response.SD, Response.PD, Response.NE
NON = Response.NON_CR_NON_PD


def target(text: str) -> Target:
    label, value = text.split()
    state = STATES.get(value, TargetState.MEASURED)
    number = None if value in STATES else Decimal(value)
    return Target(label, state, number, nodal=label.startswith("N"))


def non_target(text: str) -> NonTarget:
    label, status, *short_axis = text.split()
    number = Decimal(short_axis[0]) if short_axis else None
    return NonTarget(label, STATUSES[status], label.startswith("Y"), number)


def visit(text: str, day: int = 0) -> Assessment:
    rows = [row.strip() for row in text.split(",") if row.strip()]
    return Assessment(
        date=START + timedelta(days=day),
        targets=[target(row) for row in rows if row[0] in "TN"],
        non_targets=[non_target(row) for row in rows if row[0] in "XY"],
        new_lesions=[NewLesion(row, NEW[row]) for row in rows if row in NEW],
    )


def course(text: str) -> tuple[Derived, ...]:
    """Derive `baseline | visit | visit`, six weeks apart."""
    baseline, *follow_ups = (visit(part, 42 * i) for i, part in enumerate(text.split("|")))
    return derive(baseline, follow_ups)


def last(text: str) -> Derived:
    return course(text)[-1]


def codes(reasons: Iterable[Reason]) -> list[str]:
    return [reason.code for reason in reasons]


def found(problems: Iterable[Problem]) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.reason.code) for problem in problems]
