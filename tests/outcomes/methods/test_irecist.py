"""iRECIST visit by visit: hand-worked patients for every sentence of METHODS.md, 8.

A patient is `baseline | visit | visit`, six weeks apart unless a visit begins with its day
(`14: ...`). Rows: `T1 50` a target in mm (`T1 ne` not evaluated); `X1 present` a non-target
(`more`: increased, `pd`: unequivocal progression, `pd+` and `pd=` with what was said of its growth,
`gone`); `L1 12` a new lesion in the liver, `L1 12 lung` elsewhere, `M1 14` a new node, `L1 -` one
that is not measured (`L1 -+` grown, `L1 -!` unequivocally, `L1 -=` not), `L1? 12` an equivocal one.
Expected is the response of each visit.
"""

import re
from datetime import date as Date
from datetime import timedelta
from decimal import Decimal

import pytest

from outcomes.methods import irecist, recist
from outcomes.methods.irecist import ImmuneDerived, confirmation_window
from outcomes.methods.recist import (
    Assessment,
    Certainty,
    Growth,
    NewLesion,
    NonTarget,
    NonTargetState,
    Target,
    TargetState,
)

START = Date(2024, 1, 1)
STATUS = {
    "present": NonTargetState.PRESENT,
    "more": NonTargetState.INCREASED,
    "pd": NonTargetState.UNEQUIVOCAL_PROGRESSION,
    "gone": NonTargetState.ABSENT,
    "ne": NonTargetState.NOT_EVALUABLE,
}
GROWTH = {"+": Growth.INCREASED, "!": Growth.UNEQUIVOCAL, "=": Growth.NONE, "": None}


def target(text: str) -> Target:
    label, value = text.split()
    if value == "ne":
        return Target(label, TargetState.NOT_EVALUABLE)
    return Target(label, TargetState.MEASURED, Decimal(value))


def non_target(text: str) -> NonTarget:
    label, said = text.split()
    status = said.rstrip("+!=")
    return NonTarget(label, STATUS[status], growth=GROWTH[said.removeprefix(status)])


def new_lesion(text: str) -> NewLesion:
    match = re.fullmatch(r"(\w+)(\??) (-|[\d.]+)([+!=]?) ?(\w*)", text)
    assert match, text
    label, equivocal, mm, growth, organ = match.groups()
    return NewLesion(
        label,
        Certainty.EQUIVOCAL if equivocal else Certainty.UNEQUIVOCAL,
        diameter_mm=None if mm == "-" else Decimal(mm),
        nodal=label.startswith("M"),
        organ_group="lymph node" if label.startswith("M") else organ or "liver",
        growth=GROWTH[growth],
    )


def visit(text: str, number: int) -> Assessment:
    day, _colon, said = text.rpartition(":")
    rows = [row.strip() for row in said.split(",") if row.strip()]
    return Assessment(
        date=START + timedelta(days=int(day) if day else 42 * number),
        targets=[target(row) for row in rows if row[0] == "T"],
        non_targets=[non_target(row) for row in rows if row[0] == "X"],
        new_lesions=[new_lesion(row) for row in rows if row[0] in "LM"],
    )


def course(text: str) -> tuple[ImmuneDerived, ...]:
    baseline, *follow_ups = (visit(part, i) for i, part in enumerate(text.split("|")))
    derived = recist.derive(baseline, follow_ups)
    return irecist.derive(baseline, follow_ups, derived[1:])


def responses(text: str) -> str:
    return " ".join(found.response.value for found in course(text))


def codes(found: ImmuneDerived) -> list[str]:
    return [reason.code.removeprefix("irecist_") for reason in found.reasons]


PATIENTS = {
    # No progression so far: RECIST 1.1 (table 2, column "no previous iUPD")
    "T1 100 | T1 90 | T1 70 | T1 0": "iSD iPR iCR",
    "T1 100, X1 present | T1 0, X1 present": "iPR",
    "X1 present | X1 present | X1 gone": "NON_ICR_NON_IUPD iCR",
    "T1 100 | T1 ne": "NE",
    # "The first RECIST PD is iUPD", in each category
    "T1 100 | T1 120": "iUPD",
    "T1 100, X1 present | T1 100, X1 pd": "iUPD",
    "T1 100 | T1 100, L1 12": "iUPD",
    "T1 100 | T1 100, L1? 12": "iSD",
    "X1 present | X1 pd": "iUPD",
    # "target sum +>= 5 mm further (target-driven)"
    "T1 100 | T1 120 | T1 125": "iUPD iCPD",
    "T1 100 | T1 120 | T1 124.99": "iUPD iUPD",
    "T1 20 | T1 25 | T1 30": "iUPD iCPD",
    # ... counted over the targets that were evaluated at both: no increase by a lesion read again
    "T1 40, T2 20 | T1 75, T2 ne | T1 75, T2 20": "iUPD iUPD",
    "T1 40, T2 20 | T1 75, T2 ne | T1 80, T2 20": "iUPD iCPD",
    "T1 40, T2 20 | T1 72, T2 20 | T1 97, T2 ne": "iUPD iCPD",
    # ... and not where the targets were not what progressed
    "T1 100 | T1 100, L1 12 | T1 110, L1 12": "iUPD iUPD",
    # "Successive increases add up" (working group: 4 mm, then 2 mm, confirms)
    "T1 100 | T1 120 | T1 124 | T1 126": "iUPD iUPD iCPD",
    "T1 100 | T1 130 | T1 133 | T1 128 | T1 135": "iUPD iUPD iUPD iCPD",
    "T1 100 | T1 100, L1 12 | T1 100, L1 16 | T1 100, L1 18": "iUPD iUPD iCPD",
    # "any further non-target increase" need not be unequivocal; what is said of it decides
    "T1 50, X1 present | T1 50, X1 pd | T1 50, X1 more": "iUPD iCPD",
    "T1 50, X1 present | T1 50, X1 pd | T1 50, X1 pd+": "iUPD iCPD",
    "T1 50, X1 present | T1 50, X1 pd | T1 50, X1 pd=": "iUPD iUPD",
    "T1 50, X1 present | T1 50, X1 pd | T1 50, X1 pd": "iUPD iUPD",
    "T1 50, X1 present, X2 present | T1 50, X1 pd, X2 present | T1 50, X1 pd=, X2 pd": "iUPD iCPD",
    # ... of non-targets that had progressed: an increase elsewhere is not further
    "T1 50, X1 present | T1 60, X1 present | T1 60, X1 more": "iUPD iUPD",
    # "new-lesion sum +>= 5 mm"
    "T1 100 | T1 100, L1 12 | T1 100, L1 17": "iUPD iCPD",
    "T1 100 | T1 100, L1 12 | T1 100, L1 16.99": "iUPD iUPD",
    "T1 100 | T1 100, L1 12, L2 10 | T1 100, L1 15, L2 12": "iUPD iCPD",
    "T1 100 | T1 100, L1 12, L2 10 | T1 100, L1 18, L2 9": "iUPD iCPD",
    "T1 100 | T1 100, L1 12, L2 10 | T1 100, L1 18": "iUPD iUPD",  # L2 is gone: 22, then 18
    # "any growth of a non-target new lesion": by what was said, else by its diameter
    "T1 100 | T1 100, L1 - | T1 100, L1 -+": "iUPD iCPD",
    "T1 100 | T1 100, L1 - | T1 100, L1 -!": "iUPD iCPD",
    "T1 100 | T1 100, L1 - | T1 100, L1 -=": "iUPD iUPD",
    "T1 100 | T1 100, L1 - | T1 100, L1 -": "iUPD iUPD",
    "T1 100 | T1 100, L1 6 | T1 100, L1 7": "iUPD iCPD",
    "T1 100 | T1 100, L1 6 | T1 100, L1 6": "iUPD iUPD",
    "T1 100 | T1 100, L1 6 | T1 100, L1 7=": "iUPD iUPD",
    # "one more new lesion"; an equivocal one is none yet
    "T1 100 | T1 100, L1 12 | T1 100, L1 12, L2 -": "iUPD iCPD",
    "T1 100 | T1 100, L1 12 | T1 100, L1 12, L2? -": "iUPD iUPD",
    # "RECIST PD newly met in another category", each of the three
    "T1 100, X1 present | T1 120, X1 present | T1 100, X1 pd": "iUPD iCPD",
    "T1 100, X1 present | T1 100, X1 pd | T1 120, X1 pd=": "iUPD iCPD",
    "T1 100 | T1 120 | T1 100, L1 12": "iUPD iCPD",
    "T1 100 | T1 100, L1 12 | T1 120, L1 12": "iUPD iCPD",
    # "Not before 28 days after the iUPD"; what was seen too early counts at the next visit
    "T1 100 | 42: T1 120 | 69: T1 130": "iUPD iUPD",
    "T1 100 | 42: T1 120 | 70: T1 130": "iUPD iCPD",
    "T1 100 | 42: T1 120 | 56: T1 130 | 84: T1 130": "iUPD iUPD iCPD",
    "T1 100 | 42: T1 120 | 56: T1 120, L1 12 | 84: T1 120, L1 12": "iUPD iUPD iCPD",
    "T1 100 | 42: T1 100, L1 - | 56: T1 100, L1 -+ | 84: T1 100, L1 -=": "iUPD iUPD iCPD",
    "T1 100 | 42: T1 120 | 56: T1 130 | 84: T1 120": "iUPD iUPD iUPD",
    # "NE neither confirms nor resets"
    "T1 100 | T1 120 | T1 ne | T1 125": "iUPD NE iCPD",
    "T1 100 | T1 120 | T1 ne | T1 120": "iUPD NE iUPD",
    "T1 100 | T1 120 | T1 ne | T1 100": "iUPD NE iSD",
    # ... but a new lesion that is still there, or has grown, can be judged all the same
    "T1 100 | T1 100, L1 12 | T1 ne, L1 12": "iUPD iUPD",
    "T1 100 | T1 120, L1 12 | T1 ne, L1 12": "iUPD iUPD",
    "T1 100 | T1 100, L1 12 | T1 ne, L1 17": "iUPD iCPD",
    # "No change: stays iUPD"
    "T1 100 | T1 120 | T1 120 | T1 120": "iUPD iUPD iUPD",
    "T1 100, X1 present | T1 90, X1 pd | T1 60, X1 pd=": "iUPD iUPD",  # table 2, row 6
    "T1 100 | T1 100, L1 12 | T1 100, L1 12": "iUPD iUPD",  # table 2, last row
    "T1 100 | T1 100, L1 12 | T1 100, L1 8": "iUPD iUPD",
    # "iSD/iPR/iCR after iUPD resets the bar"
    "T1 100 | T1 120 | T1 100": "iUPD iSD",
    "T1 100 | T1 120 | T1 70": "iUPD iPR",
    "T1 100 | T1 120 | T1 0": "iUPD iCR",
    "X1 present | X1 pd | X1 present": "iUPD NON_ICR_NON_IUPD",
    "T1 100 | T1 100, L1 12 | T1 100": "iUPD iSD",  # the new lesion is gone
    # ... "iUPD must occur again", from the nadir, "and then be confirmed"
    "T1 100 | T1 120 | T1 100 | T1 125": "iUPD iSD iUPD",
    "T1 100 | T1 120 | T1 100 | T1 125 | T1 130": "iUPD iSD iUPD iCPD",
    "T1 100 | T1 120 | T1 60 | T1 72 | T1 77": "iUPD iPR iUPD iCPD",
    # "also when a new lesion persists unchanged": working group, scenario B (iPR although the new
    # lesion is there), D (targets grow, then shrink), F (PR before the new lesion: no change)
    "T1 100 | T1 100, L1 12 | T1 70, L1 12": "iUPD iPR",
    "T1 100 | T1 120, L1 12 | T1 100, L1 12": "iUPD iSD",
    "T1 100 | T1 70 | T1 90 | T1 60": "iPR iUPD iPR",
    "T1 100 | T1 70 | T1 70, L1 12 | T1 70, L1 12": "iPR iUPD iUPD",
    # ... after which the old lesion is progression again only as RECIST 1.1 measures it (20 % and
    # 5 mm; of a non-target one, unequivocally), or with a further one
    "T1 100 | T1 100, L1 12 | T1 70, L1 12 | T1 70, L1 12": "iUPD iPR iPR",
    "T1 100 | T1 100, L1 12 | T1 70, L1 12 | T1 70, L1 16.99": "iUPD iPR iPR",
    "T1 100 | T1 100, L1 12 | T1 70, L1 12 | T1 70, L1 17": "iUPD iPR iUPD",
    "T1 100 | T1 100, L1 30 | T1 70, L1 30 | T1 70, L1 35": "iUPD iPR iPR",
    "T1 100 | T1 100, L1 30 | T1 70, L1 20 | T1 70, L1 30": "iUPD iPR iUPD",
    "T1 100 | T1 100, L1 - | T1 70, L1 - | T1 70, L1 -+": "iUPD iPR iPR",
    "T1 100 | T1 100, L1 - | T1 70, L1 - | T1 70, L1 -!": "iUPD iPR iUPD",
    "T1 100 | T1 100, L1 12 | T1 70, L1 12 | T1 70, L1 12, L2 -": "iUPD iPR iUPD",
    "T1 100 | T1 100, L1 12 | T1 70, L1 12 | T1 90, L1 12 | T1 90, L1 17": "iUPD iPR iUPD iCPD",
    # After a confirmed progression responses are still derived
    "T1 100 | T1 120 | T1 125 | T1 121 | T1 70": "iUPD iCPD iCPD iPR",
    "T1 100 | T1 120 | T1 125 | T1 ne": "iUPD iCPD NE",
    # An overall CR before: reappearance is PD whatever the size, here unconfirmed
    "T1 20 | T1 0 | T1 4 | T1 9": "iCR iUPD iCPD",
    "T1 20 | T1 0 | T1 4 | T1 0": "iCR iUPD iCR",
    # Neither targets nor non-targets at baseline
    " | L1 12 | L1 17": "iUPD iCPD",
    " | | L1 12 | ": "NE iUPD NE",
}


@pytest.mark.parametrize(("patient", "expected"), PATIENTS.items())
def test_every_rule_of_a_visit(patient: str, expected: str) -> None:
    assert responses(patient) == expected


@pytest.mark.parametrize("patient", PATIENTS)
def test_a_visit_depends_on_earlier_visits_only(patient: str) -> None:
    parts, whole = patient.split("|"), course(patient)
    for number in range(len(whole)):
        assert course("|".join(parts[: number + 2])) == whole[: number + 1]


@pytest.mark.parametrize("patient", PATIENTS)
def test_until_the_first_progression_it_is_recist(patient: str) -> None:
    baseline, *later = (visit(part, i) for i, part in enumerate(patient.split("|")))
    by_recist = [one.overall_response for one in recist.derive(baseline, later)[1:]]
    until = by_recist.index(recist.Response.PD) + 1 if recist.Response.PD in by_recist else None
    expected = [irecist.AS_IMMUNE[one] for one in by_recist[:until] if one]
    assert [one.response for one in course(patient)][:until] == expected


ROLES = {
    # at least 10 mm, nodes 15 mm; without a size it is no target
    "L1 10": "L1",
    "L1 9.99": "",
    "M1 15": "M1",
    "M1 14.99": "",
    "L1 -": "",
    # at most two in an organ, in the order of their labels; all nodes are one organ
    "L1 12, L2 12, L3 30": "L1 L2",
    "M1 15, M2 15, M3 15": "M1 M2",
    # at most five
    "L1 12, L2 12, L3 12 lung, L4 12 lung, L5 12 bone, L6 12 brain": "L1 L2 L3 L4 L5",
}


@pytest.mark.parametrize(("seen", "targets"), ROLES.items())
def test_new_lesions_are_measured_apart(seen: str, targets: str) -> None:
    (found,) = course(f"T1 50 | T1 50, {seen}")
    assert " ".join(found.new_targets) == targets
    labels = {row.split()[0] for row in seen.split(",")}
    assert set(found.new_non_targets) == labels - set(targets.split())


def test_a_new_lesion_keeps_the_role_of_its_first_sight() -> None:
    found = course("T1 50 | T1 50, L1 9 | T1 50, L1 20")
    assert [one.new_lesion_sum_mm for one in found] == [None, None]
    assert codes(found[1]) == ["confirmed_new_non_target"]


def test_the_sum_of_new_lesions_never_joins_the_baselines() -> None:
    text = "T1 50 | T1 50, L1 12, L2 10 | T1 50, L1 15 | T1 50, L1 -, L2 11"
    sums = [one.new_lesion_sum_mm for one in course(text)]
    assert sums == [Decimal(22), Decimal(15), Decimal(11)]
    baseline, *later = (visit(part, i) for i, part in enumerate(text.split("|")))
    assert [one.sum_mm for one in recist.derive(baseline, later)] == [Decimal(50)] * 4


REASONS = {
    "T1 100 | T1 90": ["as_recist"],
    "T1 100, X1 present | T1 120, X1 pd, L1 12": [
        *("new_targets", "unconfirmed_new_lesion", "unconfirmed_non_target"),
        *("unconfirmed_target", "new_lesion", "to_confirm"),
    ],
    "T1 100 | T1 120 | T1 125": ["confirmed_target"],
    "T1 100, X1 present | T1 120, X1 pd | T1 125, X1 pd+, L1 -": [
        *("confirmed_target", "confirmed_non_target", "confirmed_category_new_lesion"),
    ],
    "T1 100 | T1 100, L1 12 | T1 120, L1 17, L2 -": [
        *("new_targets", "confirmed_category_target", "confirmed_another_new"),
        "confirmed_new_targets",
    ],
    "T1 100, X1 present | T1 120, X1 present | T1 120, X1 pd": ["confirmed_category_non_target"],
    "T1 100 | T1 120 | 69: T1 130": ["confirmed_target", "too_early"],
    "T1 100 | T1 120 | T1 120": ["no_change"],
    "T1 100 | T1 100, L1 - | T1 100, L1 -": ["no_change", "growth_unsaid"],
    "T1 100, X1 present | T1 100, X1 pd | T1 100, X1 pd": ["no_change", "growth_unsaid"],
    "T1 100 | T1 100, L1 - | T1 100, L1 -=": ["no_change"],
    "T1 100 | T1 120 | T1 ne": ["not_evaluable"],
    "T1 100 | T1 120 | T1 100": ["reset"],
    "T1 100 | T1 100, L1 - | T1 70, L1 -": ["reset", "new_lesion_persists"],
    "T1 100 | T1 100, L1 - | T1 70, L1 - | T1 70, L1 -": ["as_recist", "new_lesion_persists"],
    "T1 100 | T1 100, L1 12 | T1 70, L1 12 | T1 70, L1 17": [
        *("new_targets", "unconfirmed_new_lesion", "new_targets_again", "to_confirm"),
    ],
    "T1 100 | T1 100, L1 - | T1 70, L1 - | T1 70, L1 -!": [
        *("unconfirmed_new_lesion", "new_non_targets_again", "to_confirm"),
    ],
    "T1 100 | T1 120 | T1 125 | T1 121": ["confirmed_before"],
}


@pytest.mark.parametrize(("patient", "expected"), REASONS.items())
def test_every_response_says_why(patient: str, expected: list[str]) -> None:
    assert codes(course(patient)[-1]) == expected


def test_the_reason_carries_the_numbers_that_decided() -> None:
    (reason,) = course("T1 40, T2 20 | T1 75, T2 ne | T1 81.5, T2 20")[-1].reasons
    said = {"sum_mm": "81.5", "before_mm": "75", "increase_mm": "6.5", "needed_mm": "5"}
    assert reason.parameters == said | {"since": "2024-02-12"}


def test_an_open_iupd_says_since_when_and_until_when_it_may_be_confirmed() -> None:
    found = course("T1 100 | T1 120 | T1 ne | T1 100 | T1 125 | T1 130")
    first, second = Date(2024, 2, 12), START + timedelta(days=168)
    assert [one.unconfirmed_since for one in found] == [first, first, None, second, None]
    assert confirmation_window(first) == (Date(2024, 3, 11), Date(2024, 4, 8))
