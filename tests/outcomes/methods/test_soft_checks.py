"""Soft checks as tables: one row at, and one just short of, each threshold of UX.md (P6).

Rows as in `recist.rows`: `T1 55` (mm), `T1 tstm`, `absent`, `ne`, `merged`; nodes start with N;
non-targets are `X1 present`. Visits stand one after the other, the baseline first, 42 days apart.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.methods.recist import Assessment, ImagingMethod, Response
from outcomes.methods.schedule import Timing, place
from outcomes.methods.soft_checks import Check, SoftCheck, soft_checks
from outcomes.wording import SOFT_CHECKS, word_check
from tests.outcomes.methods.recist.rows import START, visit

CT, MRI = ImagingMethod.CT, ImagingMethod.MRI


def asked(*texts: str, **said: Response | None) -> tuple[SoftCheck, ...]:
    """The checks of the last of these visits."""
    visits = [visit(text, 42 * number) for number, text in enumerate(texts)]
    return soft_checks(visits[-1], visits[:-1], **said)  # type: ignore[arg-type]


def codes(*texts: str, **said: Response | None) -> list[str]:
    """Each as `code lesion`."""
    return [f"{c.check.value} {c.lesion}".strip() for c in asked(*texts, **said)]


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        # at least 50 % and at least 10 mm against the last number, in either direction
        (("T1 38", "T1 12"), ["large_change T1"]),
        (("T1 20", "T1 10"), ["large_change T1"]),  # exactly -50 % and -10 mm
        (("T1 20", "T1 10.01"), []),  # 49.95 %, 9.99 mm
        (("T1 19, T2 30.5", "T1 9.5, T2 30"), []),  # -50 %, but 9.5 mm
        (("T1 21", "T1 11"), []),  # -10 mm, but 47.6 %
        (("T1 20", "T1 30"), ["large_change T1"]),  # exactly +50 % and +10 mm
        (("T1 20", "T1 29"), []),
        (("T1 40", "T1 59"), []),  # +19 mm, but 47.5 %
        # the values that count: 0 mm where absent, 5 mm where too small to measure
        (("T1 60", "T1 absent"), ["large_change T1"]),
        (("T1 10", "T1 absent"), ["large_change T1"]),  # exactly -10 mm
        (("T1 9.9", "T1 absent"), []),
        (("T1 60", "T1 tstm"), ["large_change T1"]),
        (("T1 15", "T1 tstm"), ["large_change T1"]),  # exactly -10 mm
        (("T1 14.9", "T1 tstm"), []),
        (("T1 30", "T1 tstm", "T1 29"), ["large_change T1"]),
        (("T1 30", "T1 tstm", "T1 15"), ["large_change T1"]),  # exactly +10 mm
        (("T1 30", "T1 tstm", "T1 14.9"), []),
        (("T1 30", "T1 tstm", "T1 50"), ["large_change T1"]),  # 5 mm was no typed number
        (("T1 30", "T1 tstm", "T1 tstm"), []),
        (("T1 30", "T1 tstm", "T1 absent"), []),
        (("T1 30", "T1 ne", "T1 absent"), ["large_change T1"]),
        (("T1 30", "T1 absent", "T1 absent"), []),
        (("T1 38", "T1 ne", "T1 12"), ["large_change T1"]),  # the last number, not the last visit
        (("T1 60", "T1 38", "T1 30"), []),  # against the last number, not the baseline
        # ten times or a tenth, give or take a fifth: centimeters
        (("T1 38", "T1 3.8"), ["unit_slip T1"]),
        (("T1 38", "T1 3.04"), ["unit_slip T1"]),  # 80 % of a tenth
        (("T1 38", "T1 3.03"), ["large_change T1"]),
        (("T1 38", "T1 4.56"), ["unit_slip T1"]),  # 120 % of a tenth
        (("T1 38", "T1 4.57"), ["large_change T1"]),
        (("T1 8", "T1 0.8"), ["unit_slip T1"]),  # 7.2 mm less only
        (("T1 27.5", "T1 275"), ["unit_slip T1"]),  # the point was left out
        (("T1 10", "T1 80"), ["unit_slip T1"]),  # 80 % of ten times
        (("T1 10", "T1 79.9"), ["large_change T1"]),
        (("T1 10", "T1 120"), ["unit_slip T1"]),
        (("T1 10", "T1 120.1"), ["large_change T1"]),
        # decimals where at least two visits were all in whole millimeters: once for a visit
        (("T1 38, T2 30", "T1 37.5, T2 29"), []),  # one visit says nothing
        (("T1 38, T2 30", "T1 37, T2 29", "T1 36.5, T2 28"), ["more_decimals"]),
        (("T1 38, T2 30", "T1 37, T2 29", "T1 36.5, T2 28.4"), ["more_decimals"]),  # once
        (("T1 38, T2 30", "T1 37.5, T2 29", "T1 36.5, T2 28"), []),
        (("T1 38.5, T2 30", "T1 37, T2 29", "T1 36.5, T2 28"), []),
        (("T1 38", "T1 37", "T1 36.5", "T1 35.5"), []),  # asked at the visit before
        (("T1 38", "T1 ne", "T1 36.5"), []),  # a visit without a number says nothing
        (("T1 38, T2 30", "T1 37.0, T2 29", "T1 36.0, T2 28"), []),  # 37.0 is 37
        (("T1 20, T2 30, T3 41.5",), []),  # not of a baseline
        (("T1 38", "T1 37", "T1 3.8"), ["unit_slip T1"]),  # its size is asked about
        (("T1 38", "T1 37", "T1 12.5"), ["large_change T1"]),
        # above 150 mm, unless it was so before
        (("T1 150",), []),
        (("T1 150.01",), ["large_diameter T1"]),
        (("T1 150", "T1 151"), ["large_diameter T1"]),
        (("T1 151", "T1 152"), []),
        (("T1 151", "T1 149", "T1 151"), ["large_diameter T1"]),
        # exactly 5 mm as a number
        (("T1 10", "T1 5"), ["measured_five T1"]),
        (("T1 10", "T1 5.0"), ["measured_five T1"]),
        (("T1 10", "T1 4.9"), []),
        (("T1 10, T2 11.5", "T1 5.1, T2 11"), []),
        (("T1 10", "T1 tstm"), []),
        # gone when last evaluated, and there again
        (("T1 20", "T1 absent", "T1 4"), ["reappeared T1"]),
        (("T1 20", "T1 absent", "T1 tstm"), ["reappeared T1"]),
        (("T1 20", "T1 absent", "T1 ne", "T1 19"), ["reappeared T1"]),
        (("T1 20", "T1 0", "T1 19"), ["reappeared T1"]),  # a measured 0 is absent
        (("T1 20", "T1 absent", "T1 absent"), []),
        (("T1 20", "T1 absent", "T1 ne"), []),
        (("T1 20", "T1 tstm", "T1 12"), []),
        (("T1 20, X1 present", "T1 20.5, X1 absent", "T1 20, X1 present"), ["reappeared X1"]),
        (("T1 20, X1 present", "T1 20.5, X1 absent", "T1 20, X1 ne"), []),
        (("T1 20, X1 present", "T1 20.5, X1 ne", "T1 20, X1 present"), []),
        (
            ("X1 present", "X1 absent", "X1 ne", "X1 progression"),
            ["reappeared X1"],
        ),
        # merged, and measured by itself again
        (("T1 20, T2 30", "T1 merged, T2 44", "T1 20, T2 25"), ["measured_after_merge T1"]),
        (("T1 20, T2 30", "T1 merged, T2 44", "T1 tstm, T2 40"), ["measured_after_merge T1"]),
        (("T1 20, T2 30", "T1 merged, T2 44", "T1 merged, T2 40"), []),
        (("T1 20, T2 30", "T1 merged, T2 44", "T1 ne, T2 40"), []),
        # nodes below 10 mm and nothing else: asked when that begins
        (("T1 9.5, N1 16", "T1 absent, N1 9.9"), ["normal_nodes_left N1"]),
        (("T1 9, N1 16", "T1 absent, N1 10"), []),
        (("T1 14, N1 16", "T1 tstm, N1 9"), []),
        (("T1 20, N1 16", "T1 ne, N1 9"), []),
        (("T1 20, N1 16", "N1 9"), []),  # T1 is still to be typed
        (("T1 9, N1 9.5", "T1 absent, N1 absent"), []),  # nothing above 0 to wonder about
        (("N1 16, N2 17", "N1 8, N2 9"), ["normal_nodes_left N1", "normal_nodes_left N2"]),
        (("T1 20, N1 16", "T1 absent, N1 9", "T1 absent, N1 8"), []),
        (
            ("T1 20, N1 16", "T1 absent, N1 9", "T1 absent, N1 11", "T1 absent, N1 8"),
            ["normal_nodes_left N1"],
        ),
        # every target as at the visit before, two numbers at least
        (("T1 20, T2 30", "T1 20, T2 30"), ["copied"]),
        (("T1 20, T2 30", "T1 20, T2 31"), []),
        (("T1 20", "T1 20"), []),
        (("T1 20, T2 30", "T1 20"), []),  # T2 is still to be typed
        (("T1 20, T2 30", "T1 21, T2 29", "T1 20, T2 30"), []),
        (("T1 20, T2 30, T3 9", "T1 20, T2 30, T3 absent"), []),
        (
            ("T1 20, T2 30, T3 12", "T1 19, T2 29, T3 absent", "T1 19, T2 29, T3 absent"),
            ["copied"],
        ),
        (("T1 20, T2 30", "T1 absent, T2 absent", "T1 absent, T2 absent"), []),
        (("T1 20, T2 30", "T1 ne, T2 ne", "T1 ne, T2 ne"), []),
    ],
)
def test_what_is_asked(visits: tuple[str, ...], expected: list[str]) -> None:
    assert codes(*visits) == expected


@pytest.mark.parametrize(
    ("rows", "stated", "derived", "expected"),
    [
        ("T1 ne", "PR", "NE", ["not_evaluable_response", "stated_response_differs"]),
        ("T1 ne", "CR", "NE", ["not_evaluable_response", "stated_response_differs"]),
        ("T1 ne", "SD", "NE", ["stated_response_differs"]),
        ("T1 ne", "NE", "NE", []),
        ("T1 13.5, X1 ne", "PR", "PR", []),  # table 1: targets PR, not all evaluated: PR
        ("T1 absent, X1 ne", "CR", "PR", ["not_evaluable_response", "stated_response_differs"]),
        ("T1 absent, X1 absent", "CR", "CR", []),
        ("T1 18", "PD", "SD", ["stated_response_differs"]),
        ("T1 18", None, "SD", []),
    ],
)
def test_what_a_stated_response_makes_one_ask(
    rows: str, stated: str | None, derived: str, expected: list[str]
) -> None:
    said = Response(stated) if stated else None
    assert codes("T1 9, X1 present", rows, stated=said, derived=Response(derived)) == expected


ORIGIN = START  # every 42 days from 2024-01-01, plus or minus 7: week 6 is 2024-02-12
TIMING = Timing(interval=42, window=7, baseline=28)


@pytest.mark.parametrize(
    ("on", "before", "later", "expected"),
    [
        (42, (), (), None),
        (35, (), (), None),  # the first day of its window
        (49, (), (), None),  # the last
        (34, (), (), "The scan of 2024-02-04 was expected from 2024-02-05 to 2024-02-19."),
        (50, (), (), "The scan of 2024-02-20 was expected from 2024-02-05 to 2024-02-19."),
        (63, (), (), "The scan of 2024-03-04 was expected from 2024-02-05 to 2024-02-19."),
        (84, (41,), (), None),
        (76, (41,), (), "The scan of 2024-03-17 was expected from 2024-03-18 to 2024-04-01."),
        # week 6 is done: within its window too
        (49, (41,), (), ("Week 6 is done already, on 2024-02-11, and the next scan is expected from"
                        " 2024-03-18 to 2024-04-01. Is this an unscheduled scan?")),
        (63, (42,), (), ("Week 6 is done already, on 2024-02-12, and the next scan is expected from"
                        " 2024-03-18 to 2024-04-01. Is this an unscheduled scan?")),
        (38, (42,), (), ("Week 6 is done already, on 2024-02-12, and the next scan is expected from"
                        " 2024-03-18 to 2024-04-01. Is this an unscheduled scan?")),
        (42, (), (49,), None),  # the other one was entered later: it is asked there
        (42, (84,), (), None),  # an earlier scan, entered late
        # week 6 is missing
        (64, (), (), ("Week 6, expected from 2024-02-05 to 2024-02-19, is not on record, and the"
                     " scan of 2024-03-05 is nearest to Week 12. Was a scan missed?")),
        (126, (42,), (), ("Week 12, expected from 2024-03-18 to 2024-04-01, is not on record, and"
                         " the scan of 2024-05-06 is nearest to Week 18. Was a scan missed?")),
        (0, (), (), None),  # not after the origin: no planned scan
    ],
)  # fmt: skip
def test_where_a_scan_falls(
    on: int, before: tuple[int, ...], later: tuple[int, ...], expected: str | None
) -> None:
    """`before` were entered before it, `later` after it: by their days from the origin."""
    known = [ORIGIN + timedelta(days=day) for day in before]
    dated = [ORIGIN + timedelta(days=day) for day in (*before, *later) if day < on]
    day = ORIGIN + timedelta(days=on)
    found = soft_checks(
        visit("T1 19", on),
        [visit("T1 20")],
        place=place(day, ORIGIN, TIMING, before=dated, known=known),
    )
    assert [word_check(check.reason) for check in found] == ([expected] if expected else [])


def seen_by(method: ImagingMethod | None, slice_mm: str | None, day: int) -> Assessment:
    """T1, seen like this."""
    found = visit("T1 20" if day == 0 else f"T1 {20 - day // 42}", day)
    thickness = Decimal(slice_mm) if slice_mm else None
    return replace(found, targets=[replace(found.targets[0], method=method, slice_mm=thickness)])


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (((CT, "5"), (CT, "5")), []),
        (((CT, "5"), (MRI, "5")), ["method_differs"]),
        (((CT, "5"), (CT, "1.25")), ["slice_differs"]),
        (((CT, "5"), (CT, "5.00")), []),
        (((CT, "5"), (MRI, "3")), ["method_differs", "slice_differs"]),
        (((CT, "5"), (None, None)), []),  # nothing said: as at baseline
        (((None, None), (MRI, "3")), []),  # nothing to compare with
        (((CT, "5"), (MRI, "3"), (MRI, "3")), []),  # asked at the visit before
        (((CT, "5"), (MRI, "3"), (CT, "5"), (MRI, "3")), ["method_differs", "slice_differs"]),
    ],
)
def test_another_method_or_slice_than_at_baseline(
    course: tuple[tuple[ImagingMethod | None, str | None], ...], expected: list[str]
) -> None:
    visits = [seen_by(method, mm, 42 * number) for number, (method, mm) in enumerate(course)]
    assert [c.check.value for c in soft_checks(visits[-1], visits[:-1])] == expected


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        (("T1 20", "new", "", "new"), ["reappeared new"]),
        (("T1 20", "new", "new"), []),
        (("T1 20", "", "new"), []),
    ],
)
def test_a_new_lesion_that_comes_back(visits: tuple[str, ...], expected: list[str]) -> None:
    assert codes(*visits) == expected


@pytest.mark.parametrize(
    ("visits", "pointer", "value"),
    [
        (("T1 30, T2 38", "T1 30, T2 12"), "/targets/1/diameter_mm", "12"),
        (("T1 20", "T1 absent", "T1 4.50"), "/targets/0/state", "4.5"),
        (("X1 present", "X1 absent", "X1 increased"), "/non_targets/0/status", "increased"),
        (("T1 20, T2 30", "T1 20, T2 30"), "/targets", "20, 30"),
    ],
)
def test_where_and_of_what_it_speaks(visits: tuple[str, ...], pointer: str, value: str) -> None:
    (check,) = asked(*visits)
    assert (check.pointer, check.reason.parameters["value"]) == (pointer, value)


def test_the_same_parameters_are_the_same_question() -> None:
    def reason(mm: int) -> object:
        return asked("T1 38", f"T1 {mm}")[0].reason

    assert reason(12) == reason(12)
    assert reason(12) != reason(13)


def test_a_change_is_told_with_its_date_and_percentage() -> None:
    (check,) = asked("T02 38", "T02 12")
    assert word_check(check.reason) == ("T02 was 38 mm on 2024-01-01 and is 12 mm now (-68.4 %).")


@pytest.mark.parametrize(
    ("visits", "pointer", "words"),
    [
        (
            ("T02 60", "T02 absent"),
            "/targets/0/state",
            "T02 was 60 mm on 2024-01-01 and is recorded as absent now (-100.0 %).",
        ),
        (
            ("T02 60", "T02 tstm"),
            "/targets/0/state",
            (
                "T02 was 60 mm on 2024-01-01 and is recorded as too small to measure now, which"
                " counts as 5 mm (-91.7 %)."
            ),
        ),
        (
            ("T02 30", "T02 tstm", "T02 29"),
            "/targets/0/diameter_mm",
            (
                "T02 was recorded as too small to measure on 2024-02-12, which counts as 5 mm, and"
                " is 29 mm now (+480.0 %)."
            ),
        ),
    ],
)
def test_a_change_to_or_from_a_state_names_it(
    visits: tuple[str, ...], pointer: str, words: str
) -> None:
    (check,) = asked(*visits)
    assert (check.pointer, word_check(check.reason)) == (pointer, words)


rows = st.lists(
    st.lists(
        st.sampled_from(["0", "4", "5", "8", "9.9", "12", "12.5", "20", "155", "absent", "tstm",
                         "ne", "merged"]),
        min_size=3, max_size=3,
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@given(rows=rows, stated=st.sampled_from([None, *Response]))
def test_any_course_is_asked_about_once_per_lesion_and_in_words(
    rows: list[list[str]], stated: Response | None
) -> None:
    texts = [", ".join(f"{label} {v}" for label, v in zip(("T1", "T2", "N1"), row, strict=True))
             for row in rows]  # fmt: skip
    found = asked(*texts, stated=stated, derived=Response.SD)
    assert len({(c.check, c.lesion) for c in found}) == len(found)
    for check in found:
        assert "%(" not in word_check(check.reason)
        assert check.reason.code == check.check.value


def test_every_check_has_its_words() -> None:
    assert set(SOFT_CHECKS) == set(Check)
