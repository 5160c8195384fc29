"""Every reason that the methods can give has a sentence, and every sentence has its reason."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from outcomes.methods import best_response, checks, recist, time_to_event
from outcomes.methods.best_response import Record
from outcomes.methods.recist import (
    Assessment,
    BoneType,
    Certainty,
    ImagingMethod,
    NewLesion,
    NonTarget,
    NonTargetState,
    Reason,
    Response,
    Target,
    TargetState,
)
from outcomes.methods.time_to_event import Dated, PatientHistory, Source, TherapyStart
from outcomes.wording import SENTENCES, organ_name, organ_suggestions, word
from tests.outcomes.methods import test_irecist, test_irecist_endpoints
from trials.definitions import (
    CensorAt,
    Censoring,
    CensoringRule,
    Confirmation,
    EndpointDefinition,
    TherapyKind,
)

START = date(2024, 1, 1)
METHODS = Path(recist.__file__).parent
# Calls whose n-th argument is the code of a reason.
CODED = {"make_reason": 0, "Reason": 0, "_problem": 1, "censored": 1, "censored_at_origin": 0}


def pick(dice: random.Random, values: Iterable[Any]) -> Any:
    """One of these."""
    return dice.choice(list(values))


def target(dice: random.Random, label: str) -> Target:
    """Any target."""
    state = pick(dice, [TargetState.MEASURED] * 6 + list(TargetState))
    sizes = [None, 0, 0, 4, 9, 12, 14, 16, 20, 30, 50, "12.345", 401]
    size = pick(dice, sizes)
    return Target(
        lesion=label,
        state=state,
        diameter_mm=None if size is None else Decimal(size),
        nodal=dice.random() < 0.3,
        organ_group=pick(dice, ("lung", "bone", "lymph_node")),
        method=pick(dice, [None, *ImagingMethod]),
        slice_mm=pick(dice, (None, Decimal(8))),
        bone_type=pick(dice, [None, *BoneType]),
        previously_irradiated=dice.random() < 0.2,
    )


def non_target(dice: random.Random, label: str) -> NonTarget:
    """Any non-target."""
    return NonTarget(
        lesion=label,
        status=pick(dice, [NonTargetState.ABSENT] * 4 + list(NonTargetState)),
        nodal=dice.random() < 0.3,
        short_axis_mm=pick(dice, (None, Decimal(8), Decimal(12), Decimal(16), Decimal(500))),
        organ_group=pick(dice, ("bone", "lymph_node")),
        method=pick(dice, [None, *ImagingMethod]),
    )


def assessment(dice: random.Random, day: int, lesions: int) -> Assessment:
    """Any visit; a label is missing, doubled or unknown now and then."""
    labels = [pick(dice, ["T09", *([f"T{i}"] * 12)]) for i in range(lesions)]
    others = [pick(dice, ["NT9", *(["NT1"] * 12)]) for _ in range(dice.randrange(2))]
    new = [NewLesion("NL01", pick(dice, Certainty))] if dice.random() < 0.1 else []
    return Assessment(
        date=START + timedelta(days=day),
        targets=[target(dice, label) for label in labels],
        non_targets=[non_target(dice, label) for label in others],
        new_lesions=new,
    )


def visit_reasons(dice: random.Random) -> Iterator[Reason]:
    """What the methods say of a random course of visits."""
    lesions = dice.randrange(4)
    visits = [assessment(dice, 42 * number, lesions) for number in range(5)]
    first = visits[0]
    roster = {t.lesion for t in first.targets}, {n.lesion for n in first.non_targets}
    yield from (p.reason for p in checks.check_baseline(first))
    yield from (checks.measurability(t) for t in first.targets)
    yield from checks.baseline_warnings(first, START + timedelta(days=pick(dice, (-5, 5, 50))), 28)
    for visit in visits[1:]:
        yield from (p.reason for p in checks.check_follow_up(visit, *roster))
    for derived in recist.derive(first, visits[1:]):
        yield from (*derived.reasons, *derived.warnings)


def gone(label: str, mm: int = 0) -> Target:
    """A target with this diameter."""
    return Target(label, TargetState.MEASURED, Decimal(mm))


def complete_response_reasons() -> Iterator[Reason]:
    """What follows a complete response, which chance seldom gives."""
    first = Assessment(START, [gone("T1", 20), Target("N1", TargetState.MEASURED, Decimal(16), True)],
                       [NonTarget("NT1", NonTargetState.PRESENT)])  # fmt: skip
    states = (NonTargetState.ABSENT, NonTargetState.PRESENT, NonTargetState.NOT_EVALUABLE)
    sizes, nodes = (0, 2, 4, 9), (0, 8, 12, 30)
    for states_seen in product(states, repeat=2):
        for t1, n1, t2, n2 in product(sizes, nodes, sizes, nodes):
            visits = [
                Assessment(
                    START + timedelta(days=42 * number),
                    [gone("T1", t), Target("N1", TargetState.MEASURED, Decimal(n), True)],
                    [NonTarget("NT1", state)],
                )
                for number, (state, t, n) in enumerate(
                    zip(states_seen, (t1, t2), (n1, n2), strict=True), 1
                )
            ]
            for derived in recist.derive(first, visits):
                yield from (*derived.reasons, *derived.warnings)


def crowded_reasons() -> Iterator[Reason]:
    """Too many targets."""
    rows = [
        Target(f"T{i}", TargetState.MEASURED, Decimal(20), organ_group="lung") for i in range(6)
    ]
    yield from (p.reason for p in checks.check_baseline(Assessment(START, rows)))


def history(dice: random.Random) -> PatientHistory:
    """Any course of responses, with a death or a therapy now and then."""

    def maybe(days: int) -> Dated | None:
        found = Dated(START + timedelta(days=dice.randrange(-9, days)), Source("patient", 1, "x"))
        return found if dice.random() < 0.6 else None

    labels = (frozenset[str](), frozenset({"NL01"}))
    records = [
        Record(START + timedelta(days=pick(dice, (20, 41, 60, 100))), pick(dice, Response), number,
               pick(dice, labels), pick(dice, labels))
        for number in range(dice.randrange(5))
    ]  # fmt: skip
    therapy = TherapyStart(
        START + timedelta(days=50), TherapyKind.SYSTEMIC, Source("therapy", 1, "")
    )
    alive = maybe(400)
    return PatientHistory(
        origin=maybe(30),
        records=tuple(records),
        died=maybe(300),
        therapies=(therapy,) if dice.random() < 0.3 else (),
        alive=(alive,) if alive else (),
        has_baseline=dice.random() < 0.9,
    )


def endpoint_reasons(dice: random.Random) -> Iterator[Reason]:
    """What the endpoints say of a random history."""
    censoring = Censoring(rule=pick(dice, CensoringRule), censor_at=pick(dice, CensorAt))
    definition = EndpointDefinition(
        censoring=censoring, confirmation=Confirmation(required=dice.random() < 0.5)
    )
    cutoff = START + timedelta(days=dice.randrange(-5, 400))
    prepared = time_to_event.prepare(history(dice), cutoff)
    timing: dict[str, Any] = {"assessment_interval_days": 14, "assessment_window_days": 2}
    counted = prepared.counted(censoring.therapies)
    for best in (best_response.best_overall_response, best_response.confirmed_best_response):
        yield best(counted, prepared.origin_date, definition).reason
    found = (
        time_to_event.progression_free_survival(prepared, censoring=censoring, **timing),
        time_to_event.overall_survival(prepared),
        time_to_event.time_to_response(prepared, definition=definition),
        time_to_event.duration_of_response(prepared, definition=definition, **timing),
    )
    yield from (time.reason for time in found if time)
    if prepared.no_origin:
        yield prepared.no_origin


def immune_reasons() -> Iterator[Reason]:
    """What iRECIST says of the hand-worked patients."""
    for patient in (*test_irecist.PATIENTS, *test_irecist.REASONS):
        yield from (reason for one in test_irecist.course(patient) for reason in one.reasons)
    for words in (*test_irecist_endpoints.BEST, *test_irecist_endpoints.PFS):
        known = test_irecist_endpoints.patient(words)
        yield test_irecist_endpoints.best(known).reason
        yield test_irecist_endpoints.pfs(known).reason


def all_reasons() -> Iterator[Reason]:
    """Thousands of reasons, always the same ones."""
    dice = random.Random(20240115)
    yield from complete_response_reasons()
    yield from crowded_reasons()
    yield from immune_reasons()
    for _ in range(2500):
        yield from visit_reasons(dice)
        yield from endpoint_reasons(dice)


@pytest.fixture(scope="module")
def given() -> dict[str, Reason]:
    """One reason of every code and set of parameters that the methods gave."""
    found = {f"{r.code} {sorted(r.parameters)}": r for r in all_reasons()}
    return found


def test_every_reason_can_be_worded(given: dict[str, Reason]) -> None:
    for reason in given.values():
        sentence = word(reason)
        assert sentence.strip()
        assert "%(" not in sentence
        assert sentence == word({"code": reason.code, "parameters": dict(reason.parameters)})


def test_every_sentence_has_a_reason_that_is_given(given: dict[str, Reason]) -> None:
    codes = {reason.code for reason in given.values()}
    assert codes | {"stated_response_differs"} == set(SENTENCES)  # the visit itself gives this one


def test_a_sentence_uses_what_decided(given: dict[str, Reason]) -> None:
    """A sentence's parameters are those of its reason; thresholds stand in it unrounded."""
    for reason in given.values():
        used = set(re.findall(r"%\((\w+)\)s", str(SENTENCES[reason.code])))
        assert used <= set(reason.parameters), reason
        for name in used - {"method", "organ_group"}:  # these are said by their names
            said = str(reason.parameters[name]).replace("NON_ICR_NON_IUPD", "Non-iCR/Non-iUPD")
            assert said in word(reason)


def literal_codes() -> Iterator[tuple[str, str]]:
    """Each code that the methods' source gives as a literal, and the call it is given to."""
    for path in METHODS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                place = CODED.get(name)
                argument = node.args[place] if place is not None and node.args[place:] else None
                if isinstance(argument, ast.Constant):
                    yield str(argument.value), name


def test_every_code_in_the_source_has_a_sentence() -> None:
    codes = list(literal_codes())
    assert len(codes) > 60
    for code, call in codes:
        assert code in SENTENCES
        if call == "censored" and code != "censored_last_assessment":
            assert f"{code}_at_origin" in SENTENCES  # where no assessment counted


def test_organs_and_methods_are_said_by_their_names() -> None:
    crowded = Reason("too_many_targets_in_organ", {"organ_group": "lymph_node", "maximum": 2})
    assert "(lymph node;" in word(crowded)
    own_text = Reason("too_many_targets_in_organ", {"organ_group": "some place", "maximum": 2})
    assert "(some place;" in word(own_text)
    by = Reason("method_to_confirm", {"lesion": "T01", "method": "pet_ct"})
    assert word(by).startswith("T01 by PET-CT:")


def test_organs_are_named_in_the_readers_language() -> None:
    with translation.override("zh-hans"):
        assert organ_name("lymph_node") == "淋巴结"
        assert organ_name("some place") == "some place"
        assert "肝" in organ_suggestions()
    assert organ_name("soft_tissue") == "soft tissue"
    assert "liver" in organ_suggestions()
