"""Constraints that Django cannot state: a row's two parents must share their own parent."""

from django.db.migrations.operations.special import RunSQL


def shares(table: str, column: str, parent: str, shared: str) -> RunSQL:
    """`table.column` points at a row of `parent` with the same `shared` value as its own."""
    name = f"{table}_{column.removesuffix('_id')}_shares_{shared.removesuffix('_id')}"
    return RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}, {shared})"
        f" REFERENCES {parent} (id, {shared}) DEFERRABLE INITIALLY DEFERRED",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )
