"""Whether an assessment conforms to RECIST 1.1 (Eisenhauer 2009): measurability, counts, completeness.

Pure: refusals as problems with a pointer, questions as reasons; each says what would be accepted.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from decimal import Decimal
from typing import Final

from outcomes.methods.organs import BONE, LYMPH_NODE
from outcomes.methods.recist import (
    NORMAL_NODE_BELOW_MM,
    Assessment,
    BoneType,
    ImagingMethod,
    NonTarget,
    NonTargetState,
    Reason,
    Target,
    TargetState,
    gone,
    join_labels,
    make_reason,
    target_value_mm,
)

MAX_TARGETS: Final = 5
MAX_TARGETS_PER_ORGAN: Final = 2
MAX_DIAMETER_MM: Final = Decimal(400)
MAX_DECIMALS: Final = 2
MINIMUM_MM: Final = Decimal(10)
MINIMUM_NODE_MM: Final = Decimal(15)
MINIMUM_XRAY_MM: Final = Decimal(20)
THICK_SLICE_ABOVE_MM: Final = Decimal(5)
_NODE_LIMITS: Final = {"from_mm": NORMAL_NODE_BELOW_MM, "below_mm": MINIMUM_NODE_MM}


@dataclass(frozen=True)
class Problem:
    """What does not conform, and where: `pointer` is a JSON Pointer such as `/targets/0/diameter_mm`."""

    pointer: str
    reason: Reason


def _measurability(target: Target) -> tuple[str, Decimal]:
    """The minimum that applies, after the code of its refusal."""
    if target.nodal:
        return "node_target_below_minimum", MINIMUM_NODE_MM
    if target.method is ImagingMethod.XRAY:
        return "xray_target_below_minimum", MINIMUM_XRAY_MM
    thickness = None if target.method is ImagingMethod.CALIPER else target.slice_mm
    if thickness is not None and thickness > THICK_SLICE_ABOVE_MM:
        return "target_below_slice_minimum", 2 * thickness
    return "target_below_minimum", MINIMUM_MM


def measurability(target: Target) -> Reason:
    """From which diameter on a lesion so described may be a target, to be said before it is typed.

    Source: Eisenhauer 2009, section 3.1.1.
    """
    code, minimum = _measurability(target)
    said: dict[str, str | Decimal | None] = {"minimum_mm": minimum}
    if code == "target_below_slice_minimum":
        return make_reason("measurable_by_slice", slice_mm=target.slice_mm, **said)
    if code == "target_below_minimum" and target.method is not ImagingMethod.CALIPER:
        method = target.method.value if target.method else None
        thin = THICK_SLICE_ABOVE_MM
        if method in (None, ImagingMethod.CT, ImagingMethod.MRI):
            return make_reason("measurable_by_method", method=method or "ct", thin_mm=thin, **said)
    codes = {
        "node_target_below_minimum": "measurable_node",
        "xray_target_below_minimum": "measurable_by_xray",
    }
    return make_reason(codes.get(code, "measurable"), **said)


def targets_per_organ(targets: Iterable[Target]) -> Mapping[str, int]:
    """How many targets each organ has, in the order of the list; all nodes are one organ."""
    return Counter(organ for target in targets if (organ := _organ(target)))


def _organ(target: Target) -> str:
    return LYMPH_NODE if target.nodal else target.organ_group


# Conformance of a baseline


def check_baseline(assessment: Assessment) -> tuple[Problem, ...]:
    """What keeps an assessment from being a RECIST 1.1 baseline; empty when it conforms.

    Diameters in mm. Raises nothing: an incomplete row is a problem like any other.
    Source: Eisenhauer 2009, sections 3.1, 3.2 and 4.2.
    """
    return (
        *_too_many_targets(assessment.targets),
        *_crowded_organs(assessment.targets),
        *(p for i, target in enumerate(assessment.targets) for p in _unfit_target(i, target)),
        *(p for i, row in enumerate(assessment.non_targets) for p in _unfit_short_axis(i, row)),
    )


def _too_many_targets(targets: Sequence[Target]) -> Iterator[Problem]:
    for i in range(MAX_TARGETS, len(targets)):
        yield _problem(f"/targets/{i}", "too_many_targets", maximum=MAX_TARGETS)


def _crowded_organs(targets: Sequence[Target]) -> Iterator[Problem]:
    counts: Counter[str] = Counter()
    for i, target in enumerate(targets):
        organ = _organ(target)
        counts[organ] += 1
        if organ and counts[organ] > MAX_TARGETS_PER_ORGAN:
            code, most = "too_many_targets_in_organ", MAX_TARGETS_PER_ORGAN
            yield _problem(f"/targets/{i}/organ", code, organ_group=organ, maximum=most)


def _unfit_target(index: int, target: Target) -> Iterator[Problem]:
    here = f"/targets/{index}"
    if target.state is TargetState.MEASURED:
        yield from _unfit_baseline_diameter(f"{here}/diameter_mm", target)
    else:
        yield _problem(f"{here}/state", "baseline_target_not_measured", state=target.state.value)
    if target.method is ImagingMethod.ULTRASOUND:
        yield _problem(f"{here}/method", "target_by_ultrasound")
    if target.bone_type is BoneType.BLASTIC:
        yield _problem(f"{here}/bone_type", "blastic_bone_target")
    if target.previously_irradiated and not target.progressed_since_irradiation:
        yield _problem(f"{here}/progressed_since_irradiation", "irradiated_without_progression")


def _unfit_baseline_diameter(pointer: str, target: Target) -> Iterator[Problem]:
    value = target.diameter_mm
    if value is None:
        yield _problem(pointer, "diameter_required")
        return
    code, minimum = _measurability(target)
    problems = tuple(_unfit_length(pointer, value))
    yield from problems
    if problems or value >= minimum:
        return
    if target.nodal and gone(value, nodal=True):
        yield _problem(pointer, "normal_node_target", diameter_mm=value, **_NODE_LIMITS)
    else:
        yield _problem(pointer, code, diameter_mm=value, minimum_mm=minimum)


def _unfit_length(pointer: str, value: Decimal) -> Iterator[Problem]:
    # str(), not plain(): an absurd exponent would become a text of a million digits.
    if not (value.is_finite() and 0 <= value <= MAX_DIAMETER_MM):
        code, most = "diameter_out_of_range", MAX_DIAMETER_MM
        yield _problem(pointer, code, value_mm=str(value), minimum_mm="0", maximum_mm=most)
    elif value != round(value, MAX_DECIMALS):
        code = "diameter_too_many_decimals"
        yield _problem(pointer, code, value_mm=str(value), maximum=MAX_DECIMALS)


def _unfit_short_axis(index: int, row: NonTarget) -> Iterator[Problem]:
    if row.short_axis_mm is None:
        return
    pointer, value = f"/non_targets/{index}/short_axis_mm", row.short_axis_mm
    if problems := tuple(_unfit_length(pointer, value)):
        yield from problems
    elif row.status is NonTargetState.NOT_EVALUABLE:
        yield _problem(pointer, "short_axis_not_evaluable")
    elif row.status is NonTargetState.ABSENT and not gone(value, nodal=True):
        limit = NORMAL_NODE_BELOW_MM
        yield _problem(pointer, "short_axis_not_absent", short_axis_mm=value, below_mm=limit)


def baseline_warnings(
    assessment: Assessment, first_dose_on: Date | None, window_days: int
) -> tuple[Reason, ...]:
    """What a reader should confirm about a baseline that conforms.

    `window_days` counts back from the first dose, that day included; without a first dose nothing
    is said about the window. Source: Eisenhauer 2009, sections 3.1.1, 3.2.2 and 4.2.
    """
    return (
        *window_warnings(assessment.date, first_dose_on, window_days),
        *_method_warnings((*assessment.targets, *assessment.non_targets)),
        *_untargeted_disease(assessment),
        *(warning for target in assessment.targets for warning in _node_as_target(target)),
        *(warning for target in assessment.targets for warning in _bone_as_target(target)),
        *(warning for row in assessment.non_targets for warning in _node_as_non_target(row)),
    )


def window_warnings(on: Date, first_dose_on: Date | None, window_days: int) -> Iterator[Reason]:
    """Whether a baseline lies too early before the first dose, or after it (section 4.2)."""
    if first_dose_on is None:
        return
    days = (first_dose_on - on).days
    dates = {"baseline_on": on.isoformat(), "first_dose_on": first_dose_on.isoformat()}
    if days < 0:
        yield make_reason("baseline_after_first_dose", days_after=-days, **dates)
    elif days > window_days:
        code = "baseline_outside_window"
        yield make_reason(code, days_before=days, window_days=window_days, **dates)


def _method_warnings(rows: Iterable[Target | NonTarget]) -> Iterator[Reason]:
    for row in rows:
        if row.method in (ImagingMethod.PET_CT, ImagingMethod.OTHER):
            yield make_reason("method_to_confirm", lesion=row.lesion, method=row.method.value)


def _untargeted_disease(assessment: Assessment) -> Iterator[Reason]:
    # Of a non-target only a node's size is known; whether others are measurable cannot be told.
    for row in () if assessment.targets else assessment.non_targets:
        value = row.short_axis_mm
        if _is_node(row) and value is not None and value >= MINIMUM_NODE_MM:
            sizes = {"short_axis_mm": value, "minimum_mm": MINIMUM_NODE_MM}
            yield make_reason("measurable_non_target_only", lesion=row.lesion, **sizes)


def _node_as_target(target: Target) -> Iterator[Reason]:
    """A node under 15 mm that passed as a target because nobody marked it as a node."""
    value = target.diameter_mm
    if target.nodal or not _is_node(target) or value is None or value >= MINIMUM_NODE_MM:
        return
    yield make_reason(
        "node_not_marked_nodal", lesion=target.lesion, diameter_mm=value, **_NODE_LIMITS
    )


def _bone_as_target(target: Target) -> Iterator[Reason]:
    """A bone lesion that nobody called lytic or mixed: only its soft tissue can be measured."""
    if target.organ_group == BONE and target.bone_type is None and not target.nodal:
        yield make_reason("bone_type_missing", lesion=target.lesion)


def _node_as_non_target(row: NonTarget) -> Iterator[Reason]:
    """A non-target node whose size is unknown, or normal: not the 10 to < 15 mm node it stands for."""
    value = row.short_axis_mm
    if _is_node(row) and value is None:
        yield make_reason("node_size_missing", lesion=row.lesion, **_NODE_LIMITS)
    elif _is_node(row) and value is not None and gone(value, nodal=True):
        yield make_reason(
            "node_normal_size", lesion=row.lesion, short_axis_mm=value, **_NODE_LIMITS
        )


def _is_node(row: Target | NonTarget) -> bool:
    return row.nodal or row.organ_group == LYMPH_NODE


# Conformance of a follow-up visit


def check_follow_up(
    assessment: Assessment, roster_targets: Collection[str], roster_non_targets: Collection[str]
) -> tuple[Problem, ...]:
    """What keeps a follow-up visit from being complete and consistent; empty when it conforms.

    The rosters are the labels of the baseline lesions; a visit lists each of them once. Diameters
    in mm. Why a lesion is not evaluable is for the caller to ask.
    Source: Eisenhauer 2009, sections 4.3.1 to 4.3.3.
    """
    return (
        *_off_roster("targets", assessment.targets, roster_targets),
        *_off_roster("non_targets", assessment.non_targets, roster_non_targets),
        *(p for i, row in enumerate(assessment.targets) for p in _unfit_measurement(i, row)),
        *(p for i, row in enumerate(assessment.non_targets) for p in _unfit_short_axis(i, row)),
    )


def _off_roster(
    name: str, rows: Sequence[Target | NonTarget], roster: Collection[str]
) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, row in enumerate(rows):
        pointer = f"/{name}/{i}/lesion"
        if row.lesion not in roster:
            yield _problem(
                pointer, "unknown_lesion", lesion=row.lesion, expected=join_labels(roster)
            )
        elif row.lesion in seen:
            yield _problem(pointer, "lesion_listed_twice", lesion=row.lesion)
        seen.add(row.lesion)
    for label in sorted(set(roster) - seen):
        yield _problem(f"/{name}", "lesion_missing", lesion=label)


def _unfit_measurement(index: int, target: Target) -> Iterator[Problem]:
    pointer, value = f"/targets/{index}/diameter_mm", target.diameter_mm
    if value is None:
        if target.state is TargetState.MEASURED:
            yield _problem(pointer, "diameter_required")
    elif problems := tuple(_unfit_length(pointer, value)):
        yield from problems
    elif target.state is TargetState.NOT_EVALUABLE:
        yield _problem(pointer, "diameter_not_evaluable", diameter_mm=value)
    elif value != (counted := target_value_mm(target)) and counted is not None:
        # The very number that the state stands for is an echo, another one a contradiction.
        numbers = {"diameter_mm": value, "counted_mm": counted}
        yield _problem(pointer, "diameter_contradicts_state", state=target.state.value, **numbers)


def _problem(pointer: str, code: str, **parameters: str | int | Decimal | None) -> Problem:
    return Problem(pointer, make_reason(code, **parameters))
