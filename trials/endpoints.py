"""A trial's endpoints one at a time: each write is the trial's, as `update_trial` stores it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from registry.errors import Conflict, FieldError, StaleVersion
from trials import actions
from trials.models import Endpoint, Trial
from trials.serializers import ENDPOINT

if TYPE_CHECKING:
    from registry.models import User


def put_endpoint(
    *, trial: Trial, pk: int | None, said: Mapping[str, Any], by: User, reason: str, version: int
) -> Trial:
    """Replace an endpoint, which keeps its id under another name too, or add one (pk None).

    Raises as `update_trial` does; Conflict where another endpoint of its kind has the name;
    StaleVersion also where the endpoint is none of the trial's any more.
    """
    items = _items(trial)
    if pk is None:
        items.append(dict(said))
    else:
        items[_index(trial, items, pk)] = {**said, "id": pk}
    keys = [(item["kind"], item["name"]) for item in items]
    if keys.count((said["kind"], said["name"])) > 1:
        detail = _("Another endpoint of this kind has this name.")
        raise Conflict([FieldError("/name", detail)])
    return _stored(trial, items, by=by, reason=reason, version=version)


def remove_endpoint(*, trial: Trial, pk: int, by: User, reason: str, version: int) -> Trial:
    """Take an endpoint out of the trial; raises as `put_endpoint` does."""
    items = _items(trial)
    del items[_index(trial, items, pk)]
    return _stored(trial, items, by=by, reason=reason, version=version)


def _items(trial: Trial) -> list[dict[str, Any]]:
    rows = Endpoint.objects.filter(trial=trial)
    return [{name: getattr(row, name) for name in ("id", *ENDPOINT)} for row in rows]


def _index(trial: Trial, items: list[dict[str, Any]], pk: int) -> int:
    for index, item in enumerate(items):
        if item["id"] == pk:
            return index
    raise StaleVersion(Trial.objects.values_list("version", flat=True).get(pk=trial.pk))


def _stored(trial: Trial, items: list[dict[str, Any]], **why: Any) -> Trial:
    return actions.update_trial(trial=trial, document={"endpoints": items}, partial=True, **why)
