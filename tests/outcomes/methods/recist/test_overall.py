"""Non-targets, new lesions and the overall response, also after a complete response."""

from itertools import product

import pytest

from outcomes.methods.recist import Reason, Response, overall_response
from tests.outcomes.methods.recist.rows import CR, NE, NON, PD, PR, SD, codes, course, last

NON_TARGETS = {
    "X1 present | X1 absent": CR,
    "X1 present | X1 present": NON,
    "X1 present | X1 increased": NON,
    "X1 present | X1 ne": NE,
    "X1 present | ": NE,
    "X1 present | X1 progression": PD,
    "X1 present, X2 present | X1 progression, X2 ne": PD,
    "X1 present, X2 present | X1 present, X2 ne": NE,
    "X1 present, X2 present | X1 absent, X2 ne": NE,
    "X1 present, X2 present | X1 absent": NE,
    "X1 present, X2 present | X1 absent, X2 increased": NON,
    "Y1 present 12 | Y1 present 9.99": CR,
    "Y1 present 12 | Y1 increased 9.99": CR,
    "Y1 present 12 | Y1 present 10": NON,
    "Y1 present 12 | Y1 present": NON,
    "Y1 present 12 | Y1 absent": CR,
    "Y1 present 12 | Y1 absent 12": NON,  # contradictory: never CR in silence
    "Y1 present 12 | Y1 progression 9": PD,
    "Y1 present 12 | Y1 ne 9": NE,
    "X1 present | X1 present 9": NON,  # a short axis says nothing of a lesion that is no node
}


@pytest.mark.parametrize(("text", "response"), NON_TARGETS.items())
def test_non_target_response(text: str, response: Response) -> None:
    derived = last(text)
    assert derived.non_target_response is response
    assert derived.overall_response is response  # table 2: no targets, no new lesion


WITH_TARGETS = {
    (CR, None): CR,
    (CR, CR): CR,
    (CR, NON): PR,
    (CR, NE): PR,
    (CR, PD): PD,
    (PR, None): PR,
    (PR, CR): PR,
    (PR, NON): PR,
    (PR, NE): PR,
    (PR, PD): PD,
    (SD, None): SD,
    (SD, CR): SD,
    (SD, NON): SD,
    (SD, NE): SD,
    (SD, PD): PD,
    (NE, None): NE,
    (NE, CR): NE,
    (NE, NON): NE,
    (NE, NE): NE,
    (NE, PD): PD,
    (PD, None): PD,
    (PD, CR): PD,
    (PD, NON): PD,
    (PD, NE): PD,
    (PD, PD): PD,
}
TARGET_ROWS = {CR: "absent", PR: "70", SD: "100", NE: "ne", PD: "120"}
NON_TARGET_ROWS = {CR: "absent", NON: "present", NE: "ne", PD: "progression"}


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize(("parts", "overall"), WITH_TARGETS.items())
def test_overall_response_with_targets(
    parts: tuple[Response, Response | None], overall: Response, new: bool
) -> None:
    target_response, non_target_response = parts
    baseline, rows = "T1 100", f"T1 {TARGET_ROWS[target_response]}"
    if non_target_response is not None:
        baseline += ", X1 present"
        rows += f", X1 {NON_TARGET_ROWS[non_target_response]}"
    derived = last(f"{baseline} | {rows}{', new' if new else ''}")
    assert derived.target_response is target_response
    assert derived.non_target_response is non_target_response
    assert derived.overall_response is (PD if new else overall)
    assert derived.new_lesion is new


@pytest.mark.parametrize(
    ("non_target_response", "new", "overall"),
    [*((r, False, r) for r in (CR, NON, NE, PD)), *((r, True, PD) for r in (CR, NON, NE, PD))],
)
def test_overall_response_without_targets(
    non_target_response: Response, new: bool, overall: Response
) -> None:
    rows = f"X1 {NON_TARGET_ROWS[non_target_response]}{', new' if new else ''}"
    derived = last(f"X1 present | {rows}")
    assert derived.target_response is None
    assert derived.overall_response is overall


def test_neither_targets_nor_non_targets() -> None:
    derived = last(" | ")
    assert derived.overall_response is NE
    assert codes(derived.reasons) == [
        *("no_targets", "no_non_targets", "no_new_lesion", "overall_ne_no_lesions")
    ]
    assert last(" | equivocal").overall_response is NE
    assert last(" | new").overall_response is PD


def test_every_combination_has_an_overall_response() -> None:
    for parts in product([None, *TARGET_ROWS], [None, *NON_TARGET_ROWS], [False, True]):
        response, reason = overall_response(*parts)
        assert response in Response
        assert reason.code.startswith("overall_")


def test_an_equivocal_new_lesion_is_no_progression_now_nor_later() -> None:
    text = "T1 50 | T1 30, equivocal"
    now = course(text)
    later = course(f"{text} | T1 30, new")
    assert now[1].overall_response is PR
    assert not now[1].new_lesion
    assert "new_lesion_equivocal" in codes(now[1].reasons)
    assert later[:2] == now
    assert later[2].overall_response is PD


def test_after_a_progression_the_same_tables_hold() -> None:
    overall = [derived.overall_response for derived in course("T1 50 | T1 40, new | T1 30 | T1 36")]
    assert overall == [None, PD, PR, PD]


# After a complete response

CR_THEN = {
    "T1 30 | T1 absent | T1 4": PD,
    "T1 30 | T1 absent | T1 0.1": PD,
    "T1 30 | T1 absent | T1 tstm": PD,
    "T1 30 | T1 absent | T1 absent": CR,
    "T1 30 | T1 absent | T1 ne": NE,
    "T1 30 | T1 absent | T1 ne | T1 4": PD,
    "T1 30, T2 30 | T1 absent, T2 absent | T1 4, T2 ne": PD,
    "T1 30, T2 30 | T1 absent, T2 absent | T1 4": PD,
    "T1 30, T2 30 | T1 absent, T2 absent | T1 absent, T2 ne": NE,
    "T1 30 | T1 absent | T1 4 | T1 3": PD,
    "T1 30 | T1 absent | T1 4 | T1 absent": CR,
    "N1 20 | N1 9 | N1 9.99": CR,
    "N1 20 | N1 9 | N1 10": PD,
    "N1 20, T1 20 | N1 9, T1 absent | N1 10, T1 ne": PD,
    "T1 30, X1 present | T1 absent, X1 absent | T1 absent, X1 present": PD,
    "T1 30, X1 present | T1 absent, X1 absent | T1 absent, X1 increased": PD,
    "T1 30, X1 present | T1 absent, X1 absent | T1 ne, X1 present": PD,
    "T1 30, X1 present, X2 present | T1 absent, X1 absent, X2 absent "
    "| T1 absent, X1 present, X2 ne": PD,
    "X1 present | X1 absent | X1 present": PD,
    "T1 30, X1 present | T1 absent, X1 absent | T1 absent, X1 ne": PR,
    "T1 30, Y1 present 12 | T1 absent, Y1 present 8 | T1 absent, Y1 progression 18": PD,
    "T1 30, Y1 present 12 | T1 absent, Y1 present 8 | T1 absent, Y1 present 12": PR,
    "T1 30, Y1 present 12 | T1 absent, Y1 present 8 | T1 absent, Y1 present 9": CR,
    "Y1 present 12 | Y1 absent | Y1 present 12": NON,
    # no overall CR before: the arithmetic decides
    "T1 30, X1 present | T1 absent, X1 present | T1 4, X1 present": PR,
    "T1 30, X1 present | T1 30, X1 absent | T1 30, X1 present": SD,
}


@pytest.mark.parametrize(("text", "response"), CR_THEN.items())
def test_after_a_complete_response(text: str, response: Response) -> None:
    assert last(text).overall_response is response


WARNINGS = {
    "T1 30, X1 present | T1 absent, X1 absent | T1 absent, X1 ne": ["response_after_cr"],
    "T1 30, Y1 present 12 | T1 absent, Y1 absent | T1 absent, Y1 present": ["response_after_cr"],
    "Y1 present 12 | Y1 absent | Y1 present 12": ["response_after_cr"],
    "T1 30, X1 present | T1 absent, X1 present | T1 4, X1 present": [
        "target_response_after_target_cr"
    ],
    "N1 30, X1 present | N1 9, X1 present | N1 13, X1 present": ["target_response_after_target_cr"],
    "N1 20, N2 20 | N1 tstm, N2 tstm | N1 9, N2 9": ["progression_of_normal_nodes"],
    "T1 30 | T1 20, T9 20, X9 present": ["lesions_not_at_baseline"],
    "T1 30 | T1 absent | T1 4": [],
    "T1 30 | T1 absent | T1 ne": [],
    "T1 30 | T1 15 | T1 40": [],
    "T1 30, X1 present | T1 absent, X1 present | T1 absent, X1 present": [],
}


@pytest.mark.parametrize(("text", "expected"), WARNINGS.items())
def test_data_questions(text: str, expected: list[str]) -> None:
    assert codes(last(text).warnings) == expected


def test_a_response_after_cr_says_which_and_since_when() -> None:
    derived = last("T1 30, X1 present | T1 absent, X1 absent | T1 absent, X1 ne")
    assert derived.warnings == (
        Reason("response_after_cr", {"response": "PR", "on": "2024-02-12"}),
    )
