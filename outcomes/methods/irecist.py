"""iRECIST (Seymour 2017), beside RECIST 1.1: from a visit to its immune response (METHODS.md, 8).

The first RECIST 1.1 progression is unconfirmed (iUPD). What was seen then is kept as it was, and
every later visit is compared with it, so that successive increases add up. A response that depends
on earlier visits only is derived here; what a later confirmation makes of an iUPD is folded on read
by `irecist_endpoints`. Pure: assessments and what RECIST made of them in, values with reasons out.

Sources: Seymour et al., Lancet Oncol 2017;18:e143-52, tables 1 to 3; the working group's answers to
questions (recist.eortc.org/group/irecist).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from outcomes.methods import recist
from outcomes.methods.recist import (
    Assessment,
    Certainty,
    Growth,
    NewLesion,
    NonTargetState,
    Reason,
    join_labels,
    make_reason,
)

CONFIRMING_INCREASE_MM: Final = Decimal(5)
CONFIRMING_FROM_DAYS: Final = 28
CONFIRMING_TO_DAYS: Final = 56
NEW_TARGETS: Final = 5
NEW_TARGETS_PER_ORGAN: Final = 2
NEW_TARGET_MM: Final = Decimal(10)
NEW_NODE_TARGET_MM: Final = Decimal(15)


class ImmuneResponse(StrEnum):
    """The response of a visit by iRECIST."""

    ICR = "iCR"
    IPR = "iPR"
    ISD = "iSD"
    IUPD = "iUPD"
    ICPD = "iCPD"
    NE = "NE"
    NON_ICR_NON_IUPD = "NON_ICR_NON_IUPD"


class Category(StrEnum):
    """What can progress."""

    TARGET = "target"
    NON_TARGET = "non_target"
    NEW_LESION = "new_lesion"


AS_IMMUNE: Final[Mapping[recist.Response, ImmuneResponse]] = {
    recist.Response.CR: ImmuneResponse.ICR,
    recist.Response.PR: ImmuneResponse.IPR,
    recist.Response.SD: ImmuneResponse.ISD,
    recist.Response.PD: ImmuneResponse.IUPD,
    recist.Response.NE: ImmuneResponse.NE,
    recist.Response.NON_CR_NON_PD: ImmuneResponse.NON_ICR_NON_IUPD,
}
RANK: Final[Mapping[recist.Response, int]] = {
    recist.Response.PD: 0,
    recist.Response.NE: 1,
    recist.Response.SD: 1,
    recist.Response.NON_CR_NON_PD: 1,
    recist.Response.PR: 2,
    recist.Response.CR: 3,
}
_GREW: Final = (Growth.INCREASED, Growth.UNEQUIVOCAL)


@dataclass(frozen=True)
class ImmuneDerived:
    """What iRECIST makes of one visit.

    `new_lesion_sum_mm` is the sum (mm) of the new target lesions measured at the visit, None where
    there are none; it never joins the baseline's sum. `unconfirmed_since` is the first iUPD of the
    run that is open after the visit: a visit from 28 days after it may confirm it.
    """

    response: ImmuneResponse
    reasons: tuple[Reason, ...] = ()
    new_lesion_sum_mm: Decimal | None = None
    new_targets: tuple[str, ...] = ()
    new_non_targets: tuple[str, ...] = ()
    unconfirmed_since: Date | None = None


def confirmation_window(since: Date) -> tuple[Date, Date]:
    """When the visit that may confirm an iUPD is due: 4 to 8 weeks after it (Seymour 2017)."""
    first, last = timedelta(days=CONFIRMING_FROM_DAYS), timedelta(days=CONFIRMING_TO_DAYS)
    return since + first, since + last


def derive(
    baseline: Assessment, follow_ups: Sequence[Assessment], derived: Sequence[recist.Derived]
) -> tuple[ImmuneDerived, ...]:
    """The immune response of each follow-up visit, in order; `derived` is RECIST 1.1's of the same.

    Raises ValueError where the two differ in length.
    """
    course, found = _Course(), []
    for assessment, by_recist in zip(follow_ups, derived, strict=True):
        seen = _see(baseline, assessment, by_recist)
        course = course.with_roles(seen.new.values())
        course, one = _judge(seen, course)
        found.append(one)
    return tuple(found)


@dataclass(frozen=True)
class _Seen:
    """A visit: mm of the targets that were evaluated, non-targets by label, unequivocal new ones."""

    on: Date
    by_recist: recist.Derived
    targets: Mapping[str, Decimal]
    progressed: frozenset[str]
    increased: frozenset[str]
    growth: Mapping[str, Growth | None]
    new: Mapping[str, NewLesion]

    @property
    def base(self) -> recist.Response:
        """The response without regard to new lesions (Eisenhauer 2009, tables 1 and 2)."""
        found = self.by_recist
        response, _why = recist.overall_response(
            found.target_response, found.non_target_response, False
        )
        return response

    @property
    def categories(self) -> frozenset[Category]:
        """The baseline's lesions that RECIST 1.1 finds progressed."""
        return frozenset(self._categories())

    def _categories(self) -> Iterator[Category]:
        if self.by_recist.target_response is recist.Response.PD:
            yield Category.TARGET
        if self.by_recist.non_target_response is recist.Response.PD:
            yield Category.NON_TARGET


def _see(baseline: Assessment, assessment: Assessment, by_recist: recist.Derived) -> _Seen:
    roster = {target.lesion for target in baseline.targets}
    others = {row.lesion for row in baseline.non_targets}
    values = {row.lesion: recist.target_value_mm(row) for row in assessment.targets}
    rows = [row for row in assessment.non_targets if row.lesion in others]
    progressed = NonTargetState.UNEQUIVOCAL_PROGRESSION
    return _Seen(
        on=assessment.date,
        by_recist=by_recist,
        targets={label: mm for label, mm in values.items() if mm is not None and label in roster},
        progressed=frozenset(row.lesion for row in rows if row.status is progressed),
        increased=frozenset(r.lesion for r in rows if r.status is NonTargetState.INCREASED),
        growth={row.lesion: row.growth for row in rows},
        new={n.lesion: n for n in assessment.new_lesions if n.certainty is Certainty.UNEQUIVOCAL},
    )


@dataclass(frozen=True)
class _Run:
    """What was seen at the first iUPD since the last reset; later visits are compared with it."""

    since: Date
    base: recist.Response
    categories: frozenset[Category]
    targets: Mapping[str, Decimal]
    progressed: frozenset[str]
    new_labels: frozenset[str]
    new_sizes: Mapping[str, Decimal]
    grown: frozenset[str] = frozenset()
    confirmed_on: Date | None = None


@dataclass(frozen=True)
class _Course:
    """The new lesions so far and the open run; `organs` has the new targets' by label.

    `known` are the new lesions that a reset left behind, and `lowest_mm` the smallest sum of the
    new targets since: only what exceeds them is progression again.
    """

    organs: Mapping[str, str] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    lowest_mm: Decimal | None = None
    run: _Run | None = None

    def with_roles(self, seen: Iterable[NewLesion]) -> "_Course":
        """Each lesion's role is what it was where it was first seen: target, or non-target."""
        organs = dict(self.organs)
        added = sorted((n for n in seen if n.lesion not in self.roles), key=lambda n: n.lesion)
        for new in added:
            in_organ = sum(organ == new.organ_group for organ in organs.values())
            room = len(organs) < NEW_TARGETS and in_organ < NEW_TARGETS_PER_ORGAN
            if room and _measurable(new):
                organs[new.lesion] = new.organ_group
        return replace(self, organs=organs, roles=self.roles | {n.lesion for n in added})

    def new_target_sizes(self, seen: _Seen) -> dict[str, Decimal]:
        """Millimeters of the new targets at a visit; one that is not listed is gone."""
        listed = {label: new.diameter_mm for label, new in seen.new.items()}
        sizes = {label: listed.get(label, Decimal(0)) for label in self.organs}
        return {label: mm for label, mm in sizes.items() if mm is not None}

    def new_target_sum(self, seen: _Seen) -> Decimal | None:
        """Their sum; None without any."""
        sizes = self.new_target_sizes(seen)
        return sum(sizes.values(), Decimal(0)) if sizes else None


def _measurable(new: NewLesion) -> bool:
    """At least 10 mm, nodes 15 mm in short axis (Seymour 2017; Eisenhauer 2009, section 3)."""
    minimum = NEW_NODE_TARGET_MM if new.nodal else NEW_TARGET_MM
    return new.diameter_mm is not None and new.diameter_mm >= minimum


def _judge(seen: _Seen, course: _Course) -> tuple[_Course, ImmuneDerived]:
    if course.run is None:
        after, response, reasons = _without_run(seen, course)
    else:
        after, response, reasons = _within_run(seen, course, course.run)
    labels = sorted(seen.new)
    derived = ImmuneDerived(
        response=response,
        reasons=(*_measured_apart(seen, course), *reasons),
        new_lesion_sum_mm=course.new_target_sum(seen),
        new_targets=tuple(label for label in labels if label in course.organs),
        new_non_targets=tuple(label for label in labels if label not in course.organs),
        unconfirmed_since=after.run.since if after.run and not after.run.confirmed_on else None,
    )
    return after, derived


def _measured_apart(seen: _Seen, course: _Course) -> Iterator[Reason]:
    listed = [label for label in seen.new if label in course.organs]
    if listed:
        yield make_reason(
            "irecist_new_targets",
            lesions=join_labels(listed),
            sum_mm=course.new_target_sum(seen),
        )


_Judged = tuple[_Course, ImmuneResponse, tuple[Reason, ...]]


# No iUPD is open: RECIST 1.1, except for new lesions that a reset left behind


def _without_run(seen: _Seen, course: _Course) -> _Judged:
    again = tuple(_progressed_new_lesions(seen, course))
    categories = seen.categories | ({Category.NEW_LESION} if again else set())
    if categories:
        run = _begin(seen, course, categories)
        named = [make_reason(f"irecist_unconfirmed_{category}") for category in sorted(categories)]
        return replace(course, run=run), ImmuneResponse.IUPD, (*named, *again, _to_confirm(run))
    response = AS_IMMUNE[seen.base]
    reason = make_reason("irecist_as_recist", response=response.value)
    return _lowered(seen, course), response, (reason, *_persisting(seen))


def _progressed_new_lesions(seen: _Seen, course: _Course) -> Iterator[Reason]:
    """A lesion that was never seen; after a reset, old ones only by RECIST 1.1's own measure."""
    if added := seen.new.keys() - course.known:
        yield make_reason("irecist_new_lesion", lesions=join_labels(added))
    sum_mm, lowest = course.new_target_sum(seen), course.lowest_mm
    if sum_mm is not None and lowest is not None and _progression(sum_mm, lowest):
        yield make_reason("irecist_new_targets_again", sum_mm=sum_mm, lowest_mm=lowest)
    grown = {n.lesion for n in seen.new.values() if n.growth is Growth.UNEQUIVOCAL}
    if again := (grown & course.known) - course.organs.keys():
        yield make_reason("irecist_new_non_targets_again", lesions=join_labels(again))


def _progression(sum_mm: Decimal, lowest_mm: Decimal) -> bool:
    return 10 * sum_mm >= 12 * lowest_mm and sum_mm - lowest_mm >= CONFIRMING_INCREASE_MM


def _begin(seen: _Seen, course: _Course, categories: Iterable[Category]) -> _Run:
    listed = {label: new.diameter_mm for label, new in seen.new.items()}
    sizes = {label: mm for label, mm in listed.items() if mm is not None}
    return _Run(
        since=seen.on,
        base=seen.base,
        categories=frozenset(categories),
        targets=seen.targets,
        progressed=seen.progressed,
        new_labels=course.known | seen.new.keys(),
        new_sizes=sizes | course.new_target_sizes(seen),
    )


def _to_confirm(run: _Run) -> Reason:
    first, last = confirmation_window(run.since)
    return make_reason("irecist_to_confirm", first=first.isoformat(), last=last.isoformat())


def _persisting(seen: _Seen) -> Iterator[Reason]:
    if seen.new:
        yield make_reason("irecist_new_lesion_persists", lesions=join_labels(seen.new))


def _lowered(seen: _Seen, course: _Course) -> _Course:
    sum_mm = course.new_target_sum(seen)
    complete = len(course.new_target_sizes(seen)) == len(course.organs)
    if sum_mm is None or not complete:
        return course
    lowest = sum_mm if course.lowest_mm is None else min(sum_mm, course.lowest_mm)
    return replace(course, lowest_mm=lowest)


# An iUPD is open: confirmed, unchanged, not evaluable, or reset


def _within_run(seen: _Seen, course: _Course, run: _Run) -> _Judged:
    run = replace(run, grown=_grown(seen, course, run))
    causes = tuple(_causes(seen, course, run))
    days = (seen.on - run.since).days
    if causes and days >= CONFIRMING_FROM_DAYS:
        confirmed = replace(run, confirmed_on=run.confirmed_on or seen.on)
        return replace(course, run=confirmed), ImmuneResponse.ICPD, causes
    after, since = replace(course, run=run), run.since.isoformat()
    if causes:
        early = make_reason(
            "irecist_too_early", since=since, days=days, minimum=CONFIRMING_FROM_DAYS
        )
        return after, ImmuneResponse.IUPD, (*causes, early)
    if _unchanged(seen, run):
        return after, *_still(seen, course, run)
    if seen.base is recist.Response.NE:
        return after, ImmuneResponse.NE, (make_reason("irecist_not_evaluable", since=since),)
    return _reset(seen, course, run)


def _unchanged(seen: _Seen, run: _Run) -> bool:
    """Still progressed; or a new lesion is still there and the others are no better than then.

    A visit on which the baseline's lesions are better than at the iUPD resets the bar although a
    new lesion persists (the working group's scenarios B and F).
    """
    if seen.categories:
        return True
    evaluable = seen.base is not recist.Response.NE
    better = evaluable and RANK[seen.base] > RANK[run.base]
    return bool(seen.new) and not better


def _still(seen: _Seen, course: _Course, run: _Run) -> tuple[ImmuneResponse, tuple[Reason, ...]]:
    if run.confirmed_on:
        on = run.confirmed_on.isoformat()
        return ImmuneResponse.ICPD, (make_reason("irecist_confirmed_before", on=on),)
    reasons = [make_reason("irecist_no_change", since=run.since.isoformat())]
    if unsaid := _unsaid(seen, course, run):
        reasons.append(make_reason("irecist_growth_unsaid", lesions=join_labels(unsaid)))
    return ImmuneResponse.IUPD, tuple(reasons)


def _reset(seen: _Seen, course: _Course, run: _Run) -> _Judged:
    response = AS_IMMUNE[seen.base]
    reason = make_reason("irecist_reset", response=response.value, since=run.since.isoformat())
    known = run.new_labels | seen.new.keys()
    after = _lowered(seen, replace(course, run=None, known=known, lowest_mm=None))
    return after, response, (reason, *_persisting(seen))


# What confirms


def _causes(seen: _Seen, course: _Course, run: _Run) -> Iterator[Reason]:
    """Everything by which a visit confirms the run (Seymour 2017, table 2)."""
    yield from _target_causes(seen, run)
    yield from _non_target_causes(seen, run)
    yield from _new_lesion_causes(seen, course, run)


def _target_causes(seen: _Seen, run: _Run) -> Iterator[Reason]:
    if Category.TARGET not in run.categories:
        if Category.TARGET in seen.categories:
            yield make_reason("irecist_confirmed_category_target")
        return
    if _increase(seen.targets, run.targets) >= CONFIRMING_INCREASE_MM:
        yield _sum_cause("irecist_confirmed_target", seen.targets, run.targets, run)


def _non_target_causes(seen: _Seen, run: _Run) -> Iterator[Reason]:
    if Category.NON_TARGET not in run.categories:
        if Category.NON_TARGET in seen.categories:
            yield make_reason("irecist_confirmed_category_non_target")
        return
    further = run.grown & (seen.progressed | seen.increased)
    if further:
        yield make_reason("irecist_confirmed_non_target", lesions=join_labels(further))


def _new_lesion_causes(seen: _Seen, course: _Course, run: _Run) -> Iterator[Reason]:
    if added := seen.new.keys() - run.new_labels:
        met = Category.NEW_LESION in run.categories
        code = "irecist_confirmed_another_new" if met else "irecist_confirmed_category_new_lesion"
        yield make_reason(code, lesions=join_labels(added))
    before = {label: mm for label, mm in run.new_sizes.items() if label in course.organs}
    now = course.new_target_sizes(seen)
    if _increase(now, before) >= CONFIRMING_INCREASE_MM:
        yield _sum_cause("irecist_confirmed_new_targets", now, before, run)
    if grown := run.grown & seen.new.keys():
        yield make_reason("irecist_confirmed_new_non_target", lesions=join_labels(grown))


def _increase(now: Mapping[str, Decimal], before: Mapping[str, Decimal]) -> Decimal:
    """Millimeters more, over the lesions of `before`; one that is not evaluated now adds nothing.

    So it is a lower bound, as is a partial sum in RECIST 1.1.
    """
    return sum((now.get(label, Decimal(0)) - mm for label, mm in before.items()), Decimal(0))


def _sum_cause(
    code: str, now: Mapping[str, Decimal], before: Mapping[str, Decimal], run: _Run
) -> Reason:
    return make_reason(
        code,
        sum_mm=sum((now.get(label, Decimal(0)) for label in before), Decimal(0)),
        before_mm=sum(before.values(), Decimal(0)),
        increase_mm=_increase(now, before),
        needed_mm=CONFIRMING_INCREASE_MM,
        since=run.since.isoformat(),
    )


def _grown(seen: _Seen, course: _Course, run: _Run) -> frozenset[str]:
    """The lesions judged by eye that have grown since the iUPD, at this visit or before."""
    said = {label for label, growth in seen.growth.items() if growth in _GREW} & seen.progressed
    further = said | seen.increased | (seen.progressed - run.progressed)
    new = {label for label in _followed(seen, course, run) if _grew(seen.new[label], run)}
    return run.grown | further | new


def _followed(seen: _Seen, course: _Course, run: _Run) -> list[str]:
    """The non-target new lesions of the run that are listed."""
    return [label for label in seen.new if label in run.new_labels and label not in course.organs]


def _grew(new: NewLesion, run: _Run) -> bool:
    """As said, else as the diameters say."""
    if new.growth is not None:
        return new.growth in _GREW
    before = run.new_sizes.get(new.lesion)
    return before is not None and new.diameter_mm is not None and new.diameter_mm > before


def _unsaid(seen: _Seen, course: _Course, run: _Run) -> set[str]:
    """Lesions that may have grown, of which nobody said so or otherwise."""
    again = {label for label in seen.progressed & run.progressed if seen.growth[label] is None}
    listed = [seen.new[label] for label in _followed(seen, course, run)]
    sized = run.new_sizes.keys()
    return again | {
        new.lesion
        for new in listed
        if new.growth is None and (new.diameter_mm is None or new.lesion not in sized)
    }
