"""A protocol's criteria one at a time: each write is the protocol's, as `update_trial` stores it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from registry.errors import StaleVersion
from trials import actions
from trials.models import Criterion, Trial

if TYPE_CHECKING:
    from registry.models import User


def put_criterion(
    *, trial: Trial, pk: int | None, said: Mapping[str, Any], by: User, reason: str, version: int
) -> Trial:
    """Replace a criterion, or add one (pk None) after the last of its kind.

    Raises as `update_trial` does; StaleVersion also where the criterion is none of the protocol's
    any more.
    """
    items = _items(trial)
    if pk is None:
        items.insert(_end_of(items, said["kind"]), {**said, "id": None})
    else:
        items[_index(trial, items, pk)] = {**said, "id": pk}
    return _stored(trial, items, by=by, reason=reason, version=version)


def remove_criterion(*, trial: Trial, pk: int, by: User, reason: str, version: int) -> Trial:
    """Take a criterion out of the protocol as it stands; raises as `put_criterion` does."""
    items = _items(trial)
    del items[_index(trial, items, pk)]
    return _stored(trial, items, by=by, reason=reason, version=version)


def next_number(trial: Trial) -> int | None:
    """The protocol version that a change of the criteria begins; None where it changes in place."""
    version = trial.protocol_version
    return version.number + 1 if version.screenings.exists() else None


def _items(trial: Trial) -> list[dict[str, Any]]:
    return [_item(row) for row in trial.criteria.current()]


def _item(row: Criterion) -> dict[str, Any]:
    return {"id": row.pk} | {name: getattr(row, name) for name in actions.CRITERION}


def _end_of(items: list[dict[str, Any]], kind: str) -> int:
    places = [index for index, item in enumerate(items) if item["kind"] == kind]
    return places[-1] + 1 if places else len(items)


def _index(trial: Trial, items: list[dict[str, Any]], pk: int) -> int:
    for index, item in enumerate(items):
        if item["id"] == pk:
            return index
    raise StaleVersion(Trial.objects.values_list("version", flat=True).get(pk=trial.pk))


def _stored(trial: Trial, items: list[dict[str, Any]], **why: Any) -> Trial:
    return actions.update_trial(trial=trial, document={"criteria": items}, partial=True, **why)
