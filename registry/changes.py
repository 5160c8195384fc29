"""Rows that one write adds, changes and removes, stored in a few statements however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import Model

BATCH = 500  # rows of one UPDATE, whose CASE grows with rows times fields


class Changes:
    """What is to be written to some tables, those first that the others point to."""

    def __init__(self, *tables: type[Model]) -> None:
        self._tables = tables
        self._added: dict[type[Model], list[Model]] = defaultdict(list)
        self._changed: dict[type[Model], dict[Any, Model]] = defaultdict(dict)
        self._removed: dict[type[Model], list[Any]] = defaultdict(list)
        self._vacated: dict[type[Model], list[tuple[Any, dict[str, Any]]]] = defaultdict(list)
        self.count = 0

    def add(self, row: Model) -> None:
        """Insert a row that has no key yet."""
        self.count += 1
        self._added[type(row)].append(row)

    def change(self, row: Model) -> None:
        """Update a stored row, its version included; one that is only added yet stays an insert."""
        self.count += 1
        changed = self._changed[type(row)]
        if row.pk is not None and row.pk not in changed:
            changed[row.pk] = row
            if hasattr(row, "version"):
                row.version += 1

    def remove(self, row: Model) -> None:
        """Delete a stored row."""
        self.count += 1
        self._removed[type(row)].append(row.pk)

    def vacate(self, row: Model, **values: Any) -> None:
        """Let a stored row hold other values first, where rows swap what must be unique."""
        self._vacated[type(row)].append((row.pk, values))

    def store(self) -> None:
        """Write everything; a key that a removed, voided or changed row gives up is free."""
        for model in self._tables:
            rows = model._default_manager
            if removed := self._removed[model]:
                rows.filter(pk__in=removed).delete()
            for pk, values in self._vacated[model]:
                rows.filter(pk=pk).update(**values)
            for changed in self._voided_first(model):
                rows.bulk_update(changed, _fields(model), batch_size=BATCH)
            rows.bulk_create(self._added[model])

    def _voided_first(self, model: type[Model]) -> Iterator[list[Model]]:
        changed = self._changed[model].values()
        for voided in (True, False):
            if rows := [
                r for r in changed if (getattr(r, "voided_at", None) is not None) is voided
            ]:
                yield rows


def _fields(model: type[Model]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if not field.primary_key]
