"""The cast, and a database in which the tests have the web role's privileges only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.backends.signals import connection_created
from django.test import Client
from django.utils import translation
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import DjangoAssertNumQueries

from registry import database, reader
from registry.models import User
from tests import factories, template_database
from tests.contract.document import contract
from trials.models import Trial
from trials.vocabularies import Role

TESTS = Path(__file__).parent

# The same examples each time, so that a run can be repeated, and none judged by the clock; look for
# new ones with `pytest --hypothesis-profile=explore`.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Plain HTTP for the test client and the live server, and a cheap password hash."""
    settings.SECURE_SSL_REDIRECT = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this machine could not test, once per reason, and where pictures of the pages are."""
    for reason in sorted({str(r.longrepr[2]) for r in terminalreporter.getreports("skipped")}):
        terminalreporter.write_line(f"NOT TESTED HERE: {reason}", yellow=True, bold=True)
    output = Path(terminalreporter.config.getoption("--output", "test-results"))
    if pictures := len(list(output.glob("screenshots/*/*.png"))):
        terminalreporter.write_line(f"{pictures} screenshots: {output / 'screenshots'}")


# The longest files, longest first: a worker that begins one of them last is waited for. The methods'
# own tests are many small files, with which both workers fill the end of the run.
LONGEST = (
    "test_another_postgres.py",
    "browser/accessibility/test_english.py",
    "browser/accessibility/test_chinese.py",
    "contract/test_schemathesis.py",
    "contract/test_hostile.py",
    "contract/test_contract.py",
    "registry/test_languages.py",
)
SHORT = "outcomes/methods/"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which `--dist loadfile --no-loadscope-reorder` hands out the files."""
    items.sort(key=lambda item: _turn(item.path.relative_to(TESTS).as_posix()))


def _turn(file: str) -> int:
    if file in LONGEST:
        return LONGEST.index(file)
    return len(LONGEST) + file.startswith(SHORT)


LEFT_OPEN = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename = session_user AND pid <> pg_backend_pid()"
)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Whatever language the test before asked for, this one begins in English."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    django_db_keepdb: bool,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    """Create the test database as the owner, as a copy of one that is migrated."""
    database.start()
    connection.settings_dict.update(
        {
            key: settings.OWNER_DATABASE[key]
            for key in ("USER", "PASSWORD")
            if key in settings.OWNER_DATABASE
        }
    )
    # Outside of a request a test reads everything: what its fixtures store is of every site.
    connection.settings_dict["OPTIONS"]["options"] = f"-c {reader.SETTING}={reader.EVERYTHING}"
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            connection.settings_dict["TEST"]["TEMPLATE"] = template_database.migrated()


def _become_web(sender: object, connection: Any, **_: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {settings.WEB_DATABASE['USER']}")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """After the migrations every connection works with the privileges of the web role."""
    with django_db_blocker.unblock():
        _become_web(None, connection)
        _flush_as_owner()
        connection_created.connect(_become_web)
        yield
        connection_created.disconnect(_become_web)
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
            cursor.execute(LEFT_OPEN)  # by a thread of a live server: the database is dropped next


def _flush_as_owner() -> None:
    """Let transactional tests empty the tables, which the audit triggers refuse to everybody else.

    For every connection: the browser tests' event loop has one of its own.
    """
    sql_flush = DatabaseOperations.sql_flush

    def flush(self: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
        before = ["RESET ROLE", "SET session_replication_role = replica"]
        after = [
            "SET session_replication_role = origin",
            f"SET ROLE {settings.WEB_DATABASE['USER']}",
        ]
        return [*before, *sql_flush(self, *args, **options), *after]

    DatabaseOperations.sql_flush = flush  # type: ignore[method-assign, assignment]


@dataclass
class Cast:
    """Who is who in a trial with the sites 01 and 02."""

    trial: Trial
    coordinator: User  # site 01
    colleague: User  # site 01
    outsider: User  # site 02
    investigator: User  # the trial
    administrator: User
    viewer: User
    stranger: User  # no role at all
    superuser: User


@pytest.fixture
def cast(db: None) -> Cast:
    """One trial with its people."""
    return assemble_cast()


def assemble_cast() -> Cast:
    """Create the trial and its people."""
    trial = factories.trial("NCT00000001")
    people = factories.users(
        "coordinator",
        "colleague",
        "outsider",
        "investigator",
        "administrator",
        "viewer",
        "stranger",
    )
    factories.memberships(
        trial,
        (people["coordinator"], Role.COORDINATOR, "01"),
        (people["colleague"], Role.COORDINATOR, "01"),
        (people["outsider"], Role.COORDINATOR, "02"),
        (people["investigator"], Role.INVESTIGATOR, None),
        (people["administrator"], Role.ADMINISTRATOR, None),
        (people["viewer"], Role.VIEWER, None),
    )
    return Cast(trial=trial, superuser=factories.user("root", superuser=True), **people)


class Api:
    """The test client with a token and JSON bodies; every answer is held to the OpenAPI document."""

    def __init__(self, user: User) -> None:
        self.client = Client(headers={"Authorization": f"Token {factories.token(user)}"})

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request; keyword headers such as `if_match='"1"'`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response: Any = self.client.generic(
            method, f"/api/v1{path}", _json(body), content_type="application/json", headers=named
        )
        if self.client.raise_request_exception:  # else the test breaks the server on purpose
            contract().hold(method, f"/api/v1{path}", response)
        return response

    def get(self, path: str, **headers: str) -> Any:
        """GET."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST."""
        return self.call("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        """PUT."""
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """PATCH."""
        return self.call("PATCH", path, body, **headers)


def _json(body: Any) -> str:
    import json

    return body if isinstance(body, str) else "" if body is None else json.dumps(body)


@pytest.fixture
def api() -> Callable[[User], Api]:
    """`api(user)` answers to the user's token."""
    return Api


@pytest.fixture
def pages() -> Callable[[User], Client]:
    """`pages(user)` is logged in."""

    def log_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return log_in


__all__ = ["Api", "Cast", "DjangoAssertNumQueries"]
