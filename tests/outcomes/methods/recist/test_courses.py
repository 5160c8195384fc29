"""What must hold for any course of visits."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from outcomes.methods.recist import Assessment, Response, derive
from tests.outcomes.methods.recist.rows import CR, NE, NEW, PD, PR, SD, STATUSES, course, visit

LABELS = ("T1", "T2", "T3", "N1")
values = st.one_of(
    st.sampled_from(["tstm", "absent", "ne", "merged"]),
    st.decimals(0, 200, places=2).map(str),
)
baselines = st.decimals(15, 200, places=2).map(str)
statuses = st.sampled_from(list(STATUSES))


@st.composite
def courses(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[Assessment, list[Assessment]]:
    labels = draw(st.lists(st.sampled_from(LABELS), unique=True))
    others = draw(st.lists(st.sampled_from(("X1", "Y1")), unique=True))
    start = [f"{label} {draw(baselines)}" for label in labels]
    visits = [visit(", ".join([*start, *(f"{label} present" for label in others)]))]
    for i in range(draw(st.integers(0, 4))):
        rows = [f"{label} {draw(values)}" for label in labels if draw(st.integers(0, 9))]
        rows += [f"{label} {draw(statuses)}" for label in others if draw(st.integers(0, 9))]
        rows += draw(st.lists(st.sampled_from(list(NEW)), max_size=1))
        visits.append(visit(", ".join(rows), 42 * (i + 1)))
    return visits[0], visits[1:]


@given(courses(), st.randoms(use_true_random=False))
def test_the_order_of_lesions_changes_nothing(
    drawn: tuple[Assessment, list[Assessment]], random: Any
) -> None:
    def shuffled(one: Assessment) -> Assessment:
        targets, non_targets = list(one.targets), list(one.non_targets)
        random.shuffle(targets)
        random.shuffle(non_targets)
        return replace(one, targets=targets, non_targets=non_targets)

    baseline, follow_ups = drawn
    again = derive(shuffled(baseline), [shuffled(one) for one in follow_ups])
    assert again == derive(baseline, follow_ups)


@given(courses())
def test_later_visits_never_change_an_earlier_response(
    drawn: tuple[Assessment, list[Assessment]],
) -> None:
    baseline, follow_ups = drawn
    whole = derive(baseline, follow_ups)
    assert len(whole) == 1 + len(follow_ups)
    for count in range(len(follow_ups)):
        assert derive(baseline, follow_ups[:count]) == whole[: count + 1]


@given(courses())
def test_what_holds_at_every_visit(drawn: tuple[Assessment, list[Assessment]]) -> None:
    first, *visits = derive(*drawn)
    for derived in visits:
        assert len(derived.reasons) == 4
        assert derived.baseline_sum_mm == first.sum_mm
        if derived.nadir_mm is not None and derived.baseline_sum_mm is not None:
            assert derived.nadir_mm <= derived.baseline_sum_mm
        if derived.target_response in (CR, PR, SD):
            assert derived.complete
        if derived.new_lesion or PD in (derived.target_response, derived.non_target_response):
            assert derived.overall_response is PD


diameters = st.lists(st.integers(30, 100), min_size=2, max_size=2)


@given(st.lists(diameters, min_size=2, max_size=5), st.sampled_from(["1.25", "2", "3"]))
def test_responses_do_not_depend_on_the_unit_where_20_percent_exceeds_5_mm(
    sizes: list[list[int]], factor: str
) -> None:
    def responses(scale: Decimal) -> list[Response | None]:
        parts = [f"T1 {a * scale}, T2 {b * scale}" for a, b in sizes]
        return [derived.overall_response for derived in course(" | ".join(parts))]

    assert responses(Decimal(factor)) == responses(Decimal(1))


@given(courses(), st.sampled_from(LABELS))
def test_a_lesion_that_was_not_evaluated_only_weakens_the_conclusion(
    drawn: tuple[Assessment, list[Assessment]], label: str
) -> None:
    """A partial sum is a lower bound: PD on it is PD on the whole sum, and else it is NE."""
    baseline, follow_ups = drawn
    if not follow_ups:
        return
    *before, current = follow_ups
    fewer = replace(current, targets=[row for row in current.targets if row.lesion != label])
    whole, partial = derive(baseline, follow_ups)[-1], derive(baseline, [*before, fewer])[-1]
    if label in {row.lesion for row in baseline.targets}:
        assert partial.target_response in (PD, NE)
        if partial.target_response is PD:
            assert whole.target_response is PD
