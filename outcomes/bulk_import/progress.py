"""How far an import has come, told by a connection of its own while its transaction is open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from outcomes.models import ImportRun, VisitSheet

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from registry.models import User
    from trials.models import Trial

EVERY = 0.5  # seconds between two rows of news
TABLE = ImportRun._meta.db_table


class Progress:
    """One run's row; written with SQL, since a model's rows go through the transaction's connection."""

    def __init__(self, connection: BaseDatabaseWrapper, run: ImportRun) -> None:
        self._connection = connection
        self._told_at = 0.0
        self._lines_done = 0
        self.state = ImportRun.State.FAILED
        columns = {
            field.attname: getattr(run, field.attname)
            for field in ImportRun._meta.concrete_fields
            if not field.primary_key
        }
        names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {TABLE} ({names}) VALUES ({marks}) RETURNING id",
                list(columns.values()),
            )
            (self.id,) = cursor.fetchone()

    def tell(self, lines_done: int) -> None:
        """So many lines are done; now and then that is written down."""
        self._lines_done = lines_done
        if time.monotonic() - self._told_at > EVERY:
            self._told_at = time.monotonic()
            self._update(ImportRun.State.RUNNING)

    def end(self) -> None:
        """Write down how it ended."""
        self._update(self.state)

    def _update(self, state: ImportRun.State) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {TABLE} SET lines_done = %s, state = %s, updated_at = %s WHERE id = %s",
                [self._lines_done, state.value, timezone.now(), self.id],
            )


@contextmanager
def progress(
    *, trial: Trial, by: User, lines: int, dry_run: bool, sheet: VisitSheet | None = None
) -> Iterator[Progress]:
    """A run that others can watch; it has failed unless another `state` is set."""
    run = ImportRun(trial=trial, by=by, lines=lines, dry_run=dry_run, sheet=sheet)
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        told = Progress(connection, run)
        try:
            yield told
        finally:
            told.end()
    finally:
        connection.close()
