"""Django outside of pytest, on a database of the benchmarks' own."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

DATABASE = "bench_registry"


def prepare(name: str | None = None) -> None:
    """Set Django up on plain HTTP, logged in as the web role, in the named database if any."""
    os.environ["HTTPS"] = "off"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    from registry import database, reader

    gc.freeze()  # as registry.wsgi does
    settings.ALLOWED_HOSTS = ["testserver"]
    # Outside of a request everything is read, as in the tests; a request reads as its user.
    connection.settings_dict["OPTIONS"]["options"] = f"-c {reader.SETTING}={reader.EVERYTHING}"
    database.start()
    if name:
        connection.settings_dict["NAME"] = name


@contextmanager
def own_database() -> Iterator[str]:
    """A new database, made by the owner and worked in by the web role, removed at the end."""
    from django.conf import settings
    from django.db import connection

    from registry import database

    before = connection.settings_dict["NAME"]
    web = {k: v for k, v in settings.WEB_DATABASE.items() if k != "NAME"}
    database.become_owner()
    connection.settings_dict["TEST"]["NAME"] = DATABASE
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    connection.settings_dict.update(web)
    try:
        yield DATABASE
    finally:
        database.become_owner()
        connection.creation.destroy_test_db(before, verbosity=0)


def analyze() -> None:
    """Let the planner know the tables, as a server does by itself within a minute; as the owner."""
    from django.conf import settings
    from django.db import connection

    from registry import database

    database.become_owner()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    connection.close()
    web = {k: v for k, v in settings.WEB_DATABASE.items() if k != "NAME"}
    connection.settings_dict.update(web)
