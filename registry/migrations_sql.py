"""Constraints that Django cannot state: a row's two parents must share their own parent."""

from collections.abc import Sequence

from django.db.migrations.operations.special import RunSQL


def shares(table: str, column: str, parent: str, *shared: str) -> RunSQL:
    """`table.column` points at a row of `parent` with the same `shared` values as its own."""
    make, drop = _sharing(table, column, parent, shared)
    return RunSQL(make, drop)


def shares_no_more(table: str, column: str, parent: str, *shared: str) -> RunSQL:
    """Drop what `shares` made."""
    make, drop = _sharing(table, column, parent, shared)
    return RunSQL(drop, make)


def _sharing(table: str, column: str, parent: str, shared: Sequence[str]) -> tuple[str, str]:
    """Statements that make the foreign key, and drop it."""
    columns, words = ", ".join(shared), [name.removesuffix("_id") for name in (column, *shared)]
    name = "_".join([table, words[0], "shares", *words[1:]])
    key = f"FOREIGN KEY ({column}, {columns}) REFERENCES {parent} (id, {columns})"
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {key} DEFERRABLE INITIALLY DEFERRED",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )
