"""What a visit inherits of its lesions: those that have merged, those that have split.

Pure: assessments in, per lesion what later visits carry on until a visit says otherwise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date as Date
from operator import attrgetter

from outcomes.methods.recist import Assessment, Target, TargetState


@dataclass(frozen=True)
class Carried:
    """How a lesion stands after a merger or a split, since the visit that first said so.

    Either `merged_into` names the target that carries the one diameter of both, or `fragments` is
    how many pieces were last measured.
    """

    since: Date
    merged_into: str = ""
    fragments: int = 0


def carried(assessments: Iterable[Assessment], before: Date | None = None) -> Mapping[str, Carried]:
    """The merged and the split lesions, by label, as a visit on `before` finds them.

    A lesion stays merged, or split, at visits that did not evaluate it; it is on its own again
    once a visit measures it with one number, or finds it absent or too small. What merged into a
    lesion that merged itself later is carried by the last of them. No errors.
    Source: Eisenhauer 2009, section 4.3.2 (lesions that split or coalesce).
    """
    found: dict[str, Carried] = {}
    for assessment in sorted(assessments, key=attrgetter("date")):
        if before is None or assessment.date < before:
            for target in assessment.targets:
                _follow(target, assessment.date, found)
    return {label: _by_its_survivor(label, one, found) for label, one in found.items()}


def _follow(target: Target, on: Date, found: dict[str, Carried]) -> None:
    before = found.get(target.lesion)
    if target.state is TargetState.MERGED:
        since = before.since if before and before.merged_into else on
        found[target.lesion] = Carried(since, merged_into=target.merged_into)
    elif target.state is TargetState.MEASURED and len(target.fragments_mm) > 1:
        since = before.since if before and before.fragments else on
        found[target.lesion] = Carried(since, fragments=len(target.fragments_mm))
    elif target.state is not TargetState.NOT_EVALUABLE:
        found.pop(target.lesion, None)


def _by_its_survivor(label: str, one: Carried, found: Mapping[str, Carried]) -> Carried:
    """The same, named after the lesion that carries the diameter in the end."""
    met = {label}
    while (further := found.get(one.merged_into)) and further.merged_into not in ("", *met):
        met.add(one.merged_into)
        one = replace(one, merged_into=further.merged_into)
    return one
