"""On whose behalf a connection reads: what row-level security (`trials.row_security`) asks.

PostgreSQL shows the web role the patients' rows of this reader and no others. A connection begins
with nobody, and a request sets who asks as soon as it is known; so where a view forgets to filter,
or reads before anybody is known, it reads nothing that its user may not. The setting is one of the
session: a pool between the web processes and PostgreSQL must not share sessions between requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg2
from django.db import connection

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest, HttpResponse

    from registry.models import User

SETTING = "registry.reader"
EVERYTHING = "*"  # for commands that work on all trials, never for a request


def set_reader(reader: User | AnonymousUser | str) -> None:
    """Read on behalf of an account, or of everything; by psycopg2, since it is no query of a page."""
    value = reader if isinstance(reader, str) else str(reader.pk or "")
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [SETTING, value])


def forget_reader() -> None:
    """Return to what the session began with: nobody. A session that cannot is not used again."""
    if connection.connection is None:
        return
    try:
        with connection.connection.cursor() as cursor:
            cursor.execute(f"RESET {SETTING}")
    except psycopg2.Error:
        if not connection.in_atomic_block:
            connection.close()


@contextmanager
def beyond_reader() -> Iterator[None]:
    """For a statement that is about rows which its user may not read, such as what must be unique.

    Nothing of what it finds may be told but what the user may know of it. Where it fails, rolling
    back the transaction, which it belongs into, takes the setting back too.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("beyond_reader() belongs inside transaction.atomic()")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting(%s, true), set_config(%s, %s, false)",
            [SETTING, SETTING, EVERYTHING],
        )
        before = cursor.fetchone()[0]
    yield
    set_reader(before or "")


def read_as_user(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Read on behalf of the session's user; a token's is set where the token is read."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            if request.user.is_authenticated:
                set_reader(request.user)
            return get_response(request)
        finally:
            forget_reader()

    return middleware
