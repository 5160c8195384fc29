"""In which order the page lists studies, and what else is printed of a trial's own publication."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from outcomes.practice import REGISTRY_ID
from outcomes.studies.building import Computed, Printed, Row
from trials.models import PublishedFigure

FOLLOW_UP, CUTOFF = "Median follow-up", "Data cutoff"  # as the trial's published figures name them


def without_practice(rows: Iterable[Row]) -> list[Row]:
    """The studies without the one that is made up for trying out."""
    return [row for row in rows if not _is_practice(row)]


def _is_practice(row: Row) -> bool:
    return isinstance(row, Computed) and row.trial.registry_id == REGISTRY_ID


def paired(rows: Sequence[Row]) -> list[Row]:
    """The reader's own trials first, each with its publications below it; then the others."""
    own = [row for row in rows if isinstance(row, Computed)]
    of: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if isinstance(row, Printed):
            of[row.trial or ""].append(row)
    found: list[Row] = []
    for computed in own:
        found += [computed, *of.pop(computed.trial.registry_id or "", [])]
    return found + [row for row in rows if isinstance(row, Printed) and row not in found]


def also_printed(rows: Iterable[Row]) -> Mapping[str, Mapping[str, str]]:
    """Follow-up and data cutoff as printed of the reader's trials, by registry id. One statement."""
    trials = {row.trial for row in rows if isinstance(row, Printed) and row.trial}
    measures = (FOLLOW_UP, CUTOFF)
    figures = PublishedFigure.objects.filter(trial__registry_id__in=trials, measure__in=measures)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for trial, measure, printed in figures.values_list("trial__registry_id", "measure", "printed"):
        found[str(trial)][measure] = printed
    return found
