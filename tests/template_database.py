"""The database that the test databases are copies of.

Migrating takes half a minute, a copy less than a second: what `migrate` made is kept on the server,
and made again when anything that it depends on is no longer the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

NAME = "test_template"
LOCK = 7_203_411  # any number: one process at a time looks, and makes
SOURCES = (  # whatever decides what is in a database after `migrate`
    "*/migrations/*.py",
    "*/models.py",
    "*/models/*.py",
    "*/vocabularies.py",
    "registry/*.py",
    "trials/access.py",
    "trials/row_security.py",
    "requirements.txt",
)


def migrated() -> str:
    """The name of a database as `migrate` leaves it; for the owner's connection."""
    wanted = fingerprint(settings.BASE_DIR)
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if _kept(cursor) != wanted:
            _make(cursor, wanted)
    return NAME


def fingerprint(root: Path) -> str:
    """The digest of what `migrate` depends on."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in SOURCES for path in root.glob(pattern)}):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _kept(cursor: Any) -> str | None:
    """The fingerprint of the database that is there, which it has once it is whole."""
    cursor.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [NAME]
    )
    found: tuple[str | None] | None = cursor.fetchone()
    return found[0] if found else None


def _make(cursor: Any, wanted: str) -> None:
    cursor.execute(f"DROP DATABASE IF EXISTS {NAME}")
    cursor.execute(f"CREATE DATABASE {NAME}")
    with _connected_to(NAME):
        call_command("migrate", verbosity=0)
    cursor.execute(f"COMMENT ON DATABASE {NAME} IS %s", [wanted])


@contextmanager
def _connected_to(name: str) -> Iterator[None]:
    """The default connection is to another database; nobody is connected to it afterwards."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    yield
    connection.close()
    connection.settings_dict["NAME"] = before
