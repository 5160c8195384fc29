"""Who wrote what, when and why: event tables filled by triggers, append-only.

Every audited model is declared with `@audited()`; every action begins with `attribute(...)`.
The triggers record bulk writes and raw SQL too; what no action explains has no context.
`as_known` reads the trail as a table of the past.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import pghistory
import pgtrigger
from django.db import connection, models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from registry.blank import is_blank
from registry.errors import FieldError, Refused

Model = TypeVar("Model", bound=type[models.Model])


def _truncate_refused() -> pgtrigger.Trigger:
    """TRUNCATE fires no row trigger, so it is refused as a statement."""
    return pgtrigger.Trigger(
        name="truncate_refused",
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        level=pgtrigger.Statement,
        func="RAISE EXCEPTION 'TRUNCATE of % is refused: it would leave no trace', TG_TABLE_NAME;",
    )


def append_only() -> list[pgtrigger.Trigger]:
    """Triggers of a table whose rows stay as they were added, whoever asks."""
    changed = pgtrigger.Trigger(
        name="change_refused",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func="RAISE EXCEPTION '% on % is refused: its rows stay', TG_OP, TG_TABLE_NAME;",
    )
    return [changed, _truncate_refused()]


def audited(*, exclude: Sequence[str] = ()) -> Callable[[Model], Model]:
    """Record each insert, update and delete of a model in its event table."""

    def declare(model: Model) -> Model:
        changed = pghistory.AnyChange(exclude=list(exclude)) if exclude else pghistory.AnyChange()
        pgtrigger.register(_truncate_refused())(model)
        tracked: Model = pghistory.track(
            pghistory.InsertEvent(),
            pghistory.UpdateEvent(condition=changed),
            pghistory.DeleteEvent(),
            exclude=list(exclude),
            meta={"triggers": [_truncate_refused()]},
        )(model)
        return tracked

    return declare


def attribute(*, by: object, reason: str, reasons: Mapping[str, str] | None = None) -> None:
    """Name who writes, and why, for the rest of this transaction.

    `reasons` says more of single fields, by JSON Pointer into what was sent.
    Raises RuntimeError outside a transaction, where the setting would be lost at once, and Refused
    where nothing of the reason is seen.
    """
    if reason and is_blank(reason):
        raise Refused(
            [FieldError("/reason", _("Say why this is changed, in 1 to 500 characters."))]
        )
    if not connection.in_atomic_block:
        raise RuntimeError("attribute() belongs inside transaction.atomic()")
    context = {"user": getattr(by, "pk", None), "name": str(by), "reason": reason}
    context |= {"reasons": dict(reasons)} if reasons else {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pghistory.context_id', %s, true),"
            " set_config('pghistory.context_metadata', %s, true)",
            [str(uuid.uuid4()), json.dumps(context)],
        )


def as_known(model: Any, known_on: datetime) -> models.QuerySet[Any]:
    """An audited model's rows as they stood at a moment: the last event of each, unless a delete.

    Events carry the start of the transaction that wrote them, so one that was under way at the
    moment counts as known, though nobody could read it before it was committed.
    """
    events: models.QuerySet[Any] = model.pgh_event_model.objects.filter(
        pgh_created_at__lte=known_on
    )
    later = events.filter(pgh_obj=OuterRef("pgh_obj"), pgh_id__gt=OuterRef("pgh_id"))
    return events.filter(~Exists(later)).exclude(pgh_label="delete")


def rows_as_known(model: Any, known_on: datetime, **conditions: Any) -> list[Any]:
    """The same as rows of the model, in its order: one statement. They are never saved."""
    kept = {field.attname for field in model.pgh_event_model._meta.concrete_fields}
    names = [f.attname for f in model._meta.concrete_fields if f.attname in kept]
    rows = as_known(model, known_on).filter(**conditions).order_by(*model._meta.ordering)
    return [model.from_db(None, names, values) for values in rows.values_list(*names)]


def last_change(row: Any) -> tuple[str, datetime | None]:
    """Who changed an audited row last, and when; blank and None where the trail does not say."""
    event = row.pgh_event_model.objects.filter(pgh_obj=row.pk).order_by("pgh_id").last()
    if event is None:
        return "", None
    return str((event.pgh_context or {}).get("name", "")), event.pgh_created_at
