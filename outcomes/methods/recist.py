"""RECIST 1.1 (Eisenhauer 2009): from the diameters of a visit to its overall response.

Pure: exact decimals in, frozen values with reasons out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from outcomes.methods.irecist import ImmuneDerived

NORMAL_NODE_BELOW_MM: Final = Decimal(10)
TOO_SMALL_MM: Final = Decimal(5)
PROGRESSION_INCREASE_MM: Final = Decimal(5)


class Response(StrEnum):
    """Response of targets, non-targets or the whole visit."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NE = "NE"
    NON_CR_NON_PD = "NON_CR_NON_PD"


class TargetState(StrEnum):
    """How a target was seen at a visit."""

    MEASURED = "measured"
    TOO_SMALL = "too_small"
    ABSENT = "absent"
    NOT_EVALUABLE = "not_evaluable"
    MERGED = "merged"


class NonTargetState(StrEnum):
    """How a non-target was seen at a visit."""

    ABSENT = "absent"
    PRESENT = "present"
    INCREASED = "increased"
    UNEQUIVOCAL_PROGRESSION = "unequivocal_progression"
    NOT_EVALUABLE = "not_evaluable"


class Certainty(StrEnum):
    """How sure the reader is that a new lesion is malignant."""

    UNEQUIVOCAL = "unequivocal"
    EQUIVOCAL = "equivocal"


class Growth(StrEnum):
    """Whether a lesion that is not measured is larger than at the visit before (iRECIST)."""

    NONE = "none"
    INCREASED = "increased"
    UNEQUIVOCAL = "unequivocal"


class ImagingMethod(StrEnum):
    """How a lesion was measured."""

    CT = "ct"
    MRI = "mri"
    PET_CT = "pet_ct"
    XRAY = "xray"
    CALIPER = "caliper"
    ULTRASOUND = "ultrasound"
    OTHER = "other"


class BoneType(StrEnum):
    """What a bone lesion is made of."""

    LYTIC_SOFT_TISSUE = "lytic_soft_tissue"
    BLASTIC = "blastic"
    MIXED = "mixed"


_IMPUTED: Final[Mapping[TargetState, Decimal | None]] = {
    TargetState.TOO_SMALL: TOO_SMALL_MM,
    TargetState.ABSENT: Decimal(0),
    TargetState.MERGED: Decimal(0),
    TargetState.NOT_EVALUABLE: None,
}
_STILL_THERE: Final = (NonTargetState.PRESENT, NonTargetState.INCREASED)
_JUDGED_BY_SIZE: Final = (*_STILL_THERE, NonTargetState.ABSENT)
_SHORT_OF_CR: Final = (Response.PR, Response.SD, Response.NON_CR_NON_PD)


@dataclass(frozen=True)
class Reason:
    """Why a value is what it is: a code and its parameters, worded in the reader's language."""

    code: str
    parameters: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """A target lesion at one visit; the descriptive fields matter at baseline only.

    `diameter_mm` of a split lesion is the sum of its `fragments_mm`.
    """

    lesion: str
    state: TargetState
    diameter_mm: Decimal | None = None
    nodal: bool = False
    organ_group: str = ""
    method: ImagingMethod | None = None
    slice_mm: Decimal | None = None
    bone_type: BoneType | None = None
    previously_irradiated: bool = False
    progressed_since_irradiation: bool = False
    merged_into: str = ""
    fragments_mm: Sequence[Decimal] = ()


@dataclass(frozen=True)
class NonTarget:
    """A non-target lesion at one visit; the descriptive fields matter at baseline only."""

    lesion: str
    status: NonTargetState
    nodal: bool = False
    short_axis_mm: Decimal | None = None
    organ_group: str = ""
    method: ImagingMethod | None = None
    growth: Growth | None = None


@dataclass(frozen=True)
class NewLesion:
    """A lesion that was not there at baseline, seen at this visit; its size matters to iRECIST."""

    lesion: str
    certainty: Certainty
    diameter_mm: Decimal | None = None
    nodal: bool = False
    organ_group: str = ""
    growth: Growth | None = None


@dataclass(frozen=True)
class Assessment:
    """Everything one evaluator saw on one date."""

    date: Date
    targets: Sequence[Target] = ()
    non_targets: Sequence[NonTarget] = ()
    new_lesions: Sequence[NewLesion] = ()


@dataclass(frozen=True)
class Derived:
    """What RECIST 1.1 makes of one assessment.

    Sums are millimeters; `sum_mm` runs over the targets that were evaluated and is None without
    any. Changes are exact fractions of 100 (percent) or millimeters, None while not `complete`;
    without targets at baseline there is no sum, hence nothing complete. `immune` is what iRECIST
    makes of the same assessment; `irecist.derive` adds it.
    """

    sum_mm: Decimal | None
    baseline_sum_mm: Decimal | None
    nadir_mm: Decimal | None
    complete: bool
    target_response: Response | None
    non_target_response: Response | None
    new_lesion: bool
    overall_response: Response | None
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    immune: "ImmuneDerived | None" = None

    @property
    def pr_at_most_mm(self) -> Decimal | None:
        """The largest sum that is still PR, 0.7 x baseline, in mm (Eisenhauer 2009, 4.3.1)."""
        return None if self.baseline_sum_mm is None else self.baseline_sum_mm * 7 / 10

    @property
    def pd_at_least_mm(self) -> Decimal | None:
        """The smallest sum that is PD, in mm: 1.2 x nadir and nadir + 5 (Eisenhauer 2009, 4.3.1)."""
        if self.nadir_mm is None:
            return None
        return max(self.nadir_mm * 12 / 10, self.nadir_mm + PROGRESSION_INCREASE_MM)

    @property
    def change_from_baseline_percent(self) -> Fraction | None:
        """Exact percent, unrounded; None while not `complete` and when the baseline sum is 0."""
        return self._percent_from(self.baseline_sum_mm)

    @property
    def change_from_nadir_percent(self) -> Fraction | None:
        """Exact percent, unrounded; None while not `complete` and when the nadir is 0."""
        return self._percent_from(self.nadir_mm)

    @property
    def change_from_nadir_mm(self) -> Decimal | None:
        """Millimeters above (or below) the nadir; None while not `complete`."""
        if not self.complete or self.sum_mm is None or self.nadir_mm is None:
            return None
        return self.sum_mm - self.nadir_mm

    def _percent_from(self, reference: Decimal | None) -> Fraction | None:
        if not self.complete or self.sum_mm is None or not reference:
            return None
        return 100 * Fraction(self.sum_mm - reference) / Fraction(reference)


# What one lesion counts


def target_value_mm(target: Target) -> Decimal | None:
    """What a target adds to the sum of diameters, in mm; None when it was not evaluated.

    A measured number is used as it is, also below 5 mm: "too small" means that none could be given.
    A merged lesion's diameter is carried by the lesion it merged into.
    Source: Eisenhauer 2009, section 4.3.2.
    """
    return target.diameter_mm if target.state is TargetState.MEASURED else _IMPUTED[target.state]


def gone(diameter_mm: Decimal, nodal: bool) -> bool:
    return diameter_mm < NORMAL_NODE_BELOW_MM if nodal else diameter_mm == 0


# Response of a visit


def derive(baseline: Assessment, follow_ups: Sequence[Assessment]) -> tuple[Derived, ...]:
    """Sums (mm) and responses: the baseline's own value first, then one per follow-up visit.

    Nothing is imputed or carried forward: a baseline lesion without a row was not assessed, so the
    same function serves a visit that is still being typed. A visit depends on earlier visits only.
    Whether a lesion is nodal is read from the baseline. Raises ValueError unless the dates
    increase strictly from the baseline on.
    Source: Eisenhauer 2009, sections 4.3 and 4.4 with tables 1 and 2; EORTC RECIST FAQ.
    """
    _check_order(baseline, follow_ups)
    course, derived = _start(baseline)
    results = [derived]
    for assessment in follow_ups:
        derived = _derive_visit(assessment, course)
        course = course.after(assessment.date, derived)
        results.append(derived)
    return tuple(results)


@dataclass(frozen=True)
class _Course:
    """What a visit is judged against: the baseline lesions (label to nodal) and earlier visits."""

    targets: Mapping[str, bool]
    non_targets: Mapping[str, bool]
    baseline_sum_mm: Decimal | None
    nadir_mm: Decimal | None
    complete_response_on: Date | None = None
    target_complete_response_on: Date | None = None

    def after(self, on: Date, derived: Derived) -> "_Course":
        overall_cr = derived.overall_response is Response.CR
        target_cr = derived.target_response is Response.CR
        return replace(
            self,
            nadir_mm=_lower(self.nadir_mm, derived),
            complete_response_on=self.complete_response_on or (on if overall_cr else None),
            target_complete_response_on=self.target_complete_response_on
            or (on if target_cr else None),
        )


@dataclass(frozen=True)
class _Seen:
    """The targets at one visit: mm of the evaluated ones, labels of the others."""

    values: Mapping[str, Decimal]
    unevaluated: Sequence[str]

    @property
    def sum_mm(self) -> Decimal | None:
        return sum(self.values.values(), Decimal(0)) if self.values else None

    @property
    def complete(self) -> bool:
        return bool(self.values) and not self.unevaluated


def _check_order(baseline: Assessment, follow_ups: Sequence[Assessment]) -> None:
    dates = [baseline.date, *(assessment.date for assessment in follow_ups)]
    for earlier, later in pairwise(dates):
        if later <= earlier:
            raise ValueError(f"visits must follow the baseline in date order: {earlier}, {later}")


def _lower(nadir_mm: Decimal | None, derived: Derived) -> Decimal | None:
    # Incomplete sums never set the nadir; without a baseline sum there is nothing to compare.
    if nadir_mm is None or not derived.complete or derived.sum_mm is None:
        return nadir_mm
    return min(nadir_mm, derived.sum_mm)


def _see(assessment: Assessment, roster: Iterable[str]) -> _Seen:
    rows = {target.lesion: target for target in assessment.targets}
    values, unevaluated = {}, []
    for label in roster:
        value = target_value_mm(rows[label]) if label in rows else None
        if value is None:
            unevaluated.append(label)
        else:
            values[label] = value
    return _Seen(values, unevaluated)


def _start(baseline: Assessment) -> tuple[_Course, Derived]:
    targets = {target.lesion: target.nodal for target in baseline.targets}
    non_targets = {row.lesion: row.nodal for row in baseline.non_targets}
    seen = _see(baseline, targets)
    reference = seen.sum_mm if seen.complete else None
    course = _Course(targets, non_targets, reference, reference)
    return course, replace(_draft(seen, course), reasons=(_baseline_reason(seen),))


def _baseline_reason(seen: _Seen) -> Reason:
    if seen.unevaluated:
        return make_reason("baseline_incomplete", lesions=join_labels(seen.unevaluated))
    if seen.sum_mm is None:
        return make_reason("no_targets")
    return make_reason("baseline_sum", sum_mm=seen.sum_mm, targets=len(seen.values))


def _draft(seen: _Seen, course: _Course) -> Derived:
    """The numbers of a visit, before its responses."""
    return Derived(
        sum_mm=seen.sum_mm,
        baseline_sum_mm=course.baseline_sum_mm,
        nadir_mm=course.nadir_mm,
        complete=seen.complete,
        target_response=None,
        non_target_response=None,
        new_lesion=False,
        overall_response=None,
    )


def _derive_visit(assessment: Assessment, course: _Course) -> Derived:
    seen = _see(assessment, course.targets)
    draft = _draft(seen, course)
    target, target_reason = _judge_targets(seen, course, draft)
    non_target, non_target_reason = _judge_non_targets(assessment.non_targets, course)
    new_lesion, new_lesion_reason = _judge_new_lesions(assessment.new_lesions)
    overall, overall_reason = overall_response(target, non_target, new_lesion)
    derived = replace(
        draft,
        target_response=target,
        non_target_response=non_target,
        new_lesion=new_lesion,
        overall_response=overall,
        reasons=(target_reason, non_target_reason, new_lesion_reason, overall_reason),
    )
    return replace(derived, warnings=tuple(_data_questions(assessment, seen, course, derived)))


# Target lesions


def _judge_targets(seen: _Seen, course: _Course, draft: Derived) -> tuple[Response | None, Reason]:
    if not course.targets:
        return None, make_reason("no_targets")
    if returned := _returned_targets(seen, course):
        reason = make_reason("target_reappeared", sum_mm=seen.sum_mm, **_return(returned, course))
        return Response.PD, reason
    response = _target_response(seen, course)
    return response, _target_reason(response, seen, draft)


def _returned_targets(seen: _Seen, course: _Course) -> list[str]:
    if course.complete_response_on is None:
        return []
    return [label for label, mm in seen.values.items() if not gone(mm, course.targets[label])]


def _target_response(seen: _Seen, course: _Course) -> Response:
    """The order of Eisenhauer 2009, section 4.3.1; a partial sum is a lower bound, so PD holds."""
    if _progressed(seen.sum_mm, course.nadir_mm):
        return Response.PD
    if seen.sum_mm is None or seen.unevaluated:
        return Response.NE
    if _all_gone(seen, course):
        return Response.CR
    if course.baseline_sum_mm is None:
        return Response.NE
    return Response.PR if 10 * seen.sum_mm <= 7 * course.baseline_sum_mm else Response.SD


def _progressed(sum_mm: Decimal | None, nadir_mm: Decimal | None) -> bool:
    if sum_mm is None or nadir_mm is None:
        return False
    return 10 * sum_mm >= 12 * nadir_mm and sum_mm - nadir_mm >= PROGRESSION_INCREASE_MM


def _all_gone(seen: _Seen, course: _Course) -> bool:
    return all(gone(mm, course.targets[label]) for label, mm in seen.values.items())


def _target_reason(response: Response, seen: _Seen, draft: Derived) -> Reason:
    code, lesions = f"target_{response.lower()}", join_labels(seen.unevaluated)
    if response is Response.CR:
        return make_reason(code, sum_mm=draft.sum_mm, normal_node_below_mm=NORMAL_NODE_BELOW_MM)
    if draft.baseline_sum_mm is None:
        return make_reason("target_ne_no_baseline_sum")
    if draft.sum_mm is None:
        return make_reason("target_ne_nothing_evaluated", lesions=lesions)
    if seen.unevaluated:
        return make_reason(f"{code}_partial", lesions=lesions, **_sums(draft))
    if draft.nadir_mm == 0:  # no percentage of nothing
        return make_reason(f"{code}_nadir_zero", **_sums(draft))
    return make_reason(code, **_sums(draft), **_percents(draft))


def _sums(draft: Derived) -> dict[str, Decimal | str | None]:
    """Millimeters and thresholds, exact; the increase also of a partial sum (a lower bound)."""
    increase = (draft.sum_mm or Decimal(0)) - (draft.nadir_mm or Decimal(0))
    return {
        "sum_mm": draft.sum_mm,
        "baseline_sum_mm": draft.baseline_sum_mm,
        "nadir_mm": draft.nadir_mm,
        "pr_at_most_mm": draft.pr_at_most_mm,
        "pd_at_least_mm": draft.pd_at_least_mm,
        "pd_increase_mm": PROGRESSION_INCREASE_MM,
        "change_from_nadir_mm": _signed(increase),
    }


def _percents(draft: Derived) -> dict[str, str]:
    changes = {
        "change_from_baseline_percent": draft.change_from_baseline_percent,
        "change_from_nadir_percent": draft.change_from_nadir_percent,
    }
    return {name: one_decimal(value) for name, value in changes.items() if value is not None}


# Non-target lesions


def _judge_non_targets(
    rows: Sequence[NonTarget], course: _Course
) -> tuple[Response | None, Reason]:
    """The order of Eisenhauer 2009, section 4.3.3; after an overall CR reappearance is PD."""
    if not course.non_targets:
        return None, make_reason("no_non_targets")
    states = _non_target_states(rows, course.non_targets)
    if progressed := _in_state(states, NonTargetState.UNEQUIVOCAL_PROGRESSION):
        return Response.PD, make_reason("non_target_pd", lesions=join_labels(progressed))
    remaining = _in_state(states, *_STILL_THERE)
    if returned := _returned_non_targets(remaining, course):
        return Response.PD, make_reason("non_target_reappeared", **_return(returned, course))
    if unevaluated := _in_state(states, NonTargetState.NOT_EVALUABLE):
        return Response.NE, make_reason("non_target_ne", lesions=join_labels(unevaluated))
    if remaining:
        return Response.NON_CR_NON_PD, make_reason(
            "non_target_remains", lesions=join_labels(remaining)
        )
    return Response.CR, make_reason("non_target_cr", normal_node_below_mm=NORMAL_NODE_BELOW_MM)


def _returned_non_targets(remaining: Sequence[str], course: _Course) -> list[str]:
    # Nodes come and go around 10 mm: a nodal non-target counts on unequivocal progression only.
    if course.complete_response_on is None:
        return []
    return [label for label in remaining if not course.non_targets[label]]


def _non_target_states(
    rows: Sequence[NonTarget], roster: Mapping[str, bool]
) -> dict[str, NonTargetState]:
    by_label = {row.lesion: row for row in rows}
    return {
        label: _non_target_state(by_label[label], nodal)
        if label in by_label
        else NonTargetState.NOT_EVALUABLE
        for label, nodal in roster.items()
    }


def _non_target_state(row: NonTarget, nodal: bool) -> NonTargetState:
    """As recorded, but a measured node is gone below 10 mm and there from 10 mm on."""
    if not nodal or row.short_axis_mm is None or row.status not in _JUDGED_BY_SIZE:
        return row.status
    if gone(row.short_axis_mm, nodal=True):
        return NonTargetState.ABSENT
    return NonTargetState.PRESENT if row.status is NonTargetState.ABSENT else row.status


def _in_state(states: Mapping[str, NonTargetState], *wanted: NonTargetState) -> list[str]:
    return [label for label, state in states.items() if state in wanted]


# New lesions and the whole visit


def _judge_new_lesions(rows: Sequence[NewLesion]) -> tuple[bool, Reason]:
    """Eisenhauer 2009, section 4.3.5: only an unequivocal new lesion is progression now."""
    if unequivocal := [row.lesion for row in rows if row.certainty is Certainty.UNEQUIVOCAL]:
        return True, make_reason("new_lesion", lesions=join_labels(unequivocal))
    if rows:
        return False, make_reason(
            "new_lesion_equivocal", lesions=join_labels(row.lesion for row in rows)
        )
    return False, make_reason("no_new_lesion")


def overall_response(
    target: Response | None, non_target: Response | None, new_lesion: bool
) -> tuple[Response, Reason]:
    """The response of a visit and why; None stands for "none at baseline". No errors.

    Source: Eisenhauer 2009, section 4.4.1, tables 1 (targets) and 2 (non-targets only).
    """
    if progression := _progression(target, non_target, new_lesion):
        return Response.PD, make_reason(progression)
    if target is None:
        if non_target is None:
            return Response.NE, make_reason("overall_ne_no_lesions")
        return non_target, make_reason("overall_as_non_target", response=non_target.value)
    if target is not Response.CR:
        return target, make_reason("overall_as_target", response=target.value)
    if non_target is None or non_target is Response.CR:
        return Response.CR, make_reason("overall_cr")
    return Response.PR, make_reason("overall_pr_target_cr", non_target_response=non_target.value)


def _progression(
    target: Response | None, non_target: Response | None, new_lesion: bool
) -> str | None:
    if target is Response.PD:
        return "overall_pd_target"
    if non_target is Response.PD:
        return "overall_pd_non_target"
    return "overall_pd_new_lesion" if new_lesion else None


# What should not pass in silence


def _data_questions(
    assessment: Assessment, seen: _Seen, course: _Course, derived: Derived
) -> Iterator[Reason]:
    yield from _off_baseline(assessment, course)
    yield from _after_complete_response(course, derived)
    if derived.target_response is Response.PD and seen.complete and _all_gone(seen, course):
        limit = NORMAL_NODE_BELOW_MM
        yield make_reason(
            "progression_of_normal_nodes", normal_node_below_mm=limit, **_sums(derived)
        )


def _off_baseline(assessment: Assessment, course: _Course) -> Iterator[Reason]:
    strays = {row.lesion for row in assessment.targets} - course.targets.keys()
    strays |= {row.lesion for row in assessment.non_targets} - course.non_targets.keys()
    if strays:
        yield make_reason("lesions_not_at_baseline", lesions=join_labels(strays))


def _after_complete_response(course: _Course, derived: Derived) -> Iterator[Reason]:
    """CR followed by PR, SD or Non-CR/Non-PD is computed, and asked about (EORTC RECIST FAQ)."""
    overall, target = derived.overall_response, derived.target_response
    if course.complete_response_on and overall in _SHORT_OF_CR:
        on = course.complete_response_on.isoformat()
        yield make_reason("response_after_cr", response=overall.value, on=on)
    elif course.target_complete_response_on and target in _SHORT_OF_CR:
        on = course.target_complete_response_on.isoformat()
        yield make_reason("target_response_after_target_cr", response=target.value, on=on)


# Reasons


def make_reason(code: str, **parameters: str | int | Decimal | None) -> Reason:
    """A reason whose decimals are exact texts; what is not there is left out."""
    texts = {
        name: plain(value) if isinstance(value, Decimal) else value
        for name, value in parameters.items()
        if value is not None
    }
    return Reason(code, texts)


def _return(lesions: Iterable[str], course: _Course) -> dict[str, str]:
    return {"lesions": join_labels(lesions), "on": str(course.complete_response_on)}


def join_labels(labels: Iterable[str]) -> str:
    return ", ".join(sorted(labels))


def plain(value: Decimal) -> str:
    """An exact decimal without exponent or trailing zeros: 69.30 -> "69.3", 1E+2 -> "100"."""
    return f"{value.normalize() + 0:f}"  # + 0: never "-0"


def _signed(value: Decimal) -> str:
    return f"+{plain(value)}" if value > 0 else plain(value)


def one_decimal(percent: Fraction) -> str:
    """A signed percentage for reading: -27.3, +9.1, 0.0."""
    # Rounded in whole tenths, where a half is exactly a half.
    tenths = Decimal(percent.numerator * 10) / Decimal(percent.denominator)
    rounded = tenths.quantize(Decimal(1), ROUND_HALF_UP) / 10
    return f"{rounded:+.1f}" if rounded else "0.0"
