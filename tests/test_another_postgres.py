"""The registry on a PostgreSQL that it did not start: two logins with passwords, over TCP and a socket.

The server is made from the binaries of a Debian package, or those in `POSTGRES_BIN`, and sorts text
as English does, not by code points as the embedded one. Where there are none this is skipped, loudly.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest

from registry.database import NOBODY

ROOT = Path(__file__).resolve().parent.parent
PLACES = [Path(f"/usr/lib/postgresql/{version}/bin") for version in (15, 16, 17)]
PASSWORD = "p@ss/w%rd: #1"  # whatever a URL must quote
SELECTION = (  # one case of each test that reads and writes
    "tests/registry/test_audit.py",
    "tests/trials/test_commands.py",
    "tests/outcomes/test_queries.py",
    "tests/outcomes/test_pages.py",
    "tests/outcomes/visits",
)
AT_LEAST = 85
# What Django's test runner needs beyond an owner's rights: a database of its own, and to empty it.
ROLES = """
    CREATE ROLE web_login LOGIN PASSWORD %(password)s;
    CREATE ROLE owner_login LOGIN PASSWORD %(password)s CREATEDB;
    GRANT web_login TO owner_login;
    GRANT SET ON PARAMETER session_replication_role TO owner_login;
"""


def binaries() -> Path | None:
    """Where `initdb` and `postgres` are."""
    named = os.environ.get("POSTGRES_BIN")
    places = [Path(named)] if named else PLACES
    return next((place for place in places if (place / "initdb").exists()), None)


@dataclass(frozen=True)
class Server:
    """A running server: its socket's directory and its port on the loopback address."""

    directory: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to work there: the owner by the socket, the web role by TCP."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV"))}
        secret = quote(PASSWORD, safe="")
        home = quote(str(self.directory), safe="")
        return kept | {
            "DATA_DIR": str(self.directory / "data"),
            "SECRET_KEY": "for this server only",
            "DATABASE_URL": f"postgres://web_login:{secret}@127.0.0.1:{self.port}/registry",
            "DATABASE_OWNER_URL": f"postgres://owner_login:{secret}@{home}:{self.port}/registry",
        }

    def execute(self, statement: str, **values: str) -> None:
        """Do what an administrator would, outside a transaction."""
        login = {"user": "postgres", "password": PASSWORD, "dbname": "postgres"}
        connection = psycopg2.connect(host=str(self.directory), port=self.port, **login)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
        connection.close()

    def run(self, *arguments: str) -> str:
        """What a Python process prints; fails with everything it printed."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout


def as_server_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def running(programs: Path, directory: Path) -> Iterator[Server]:
    """A new cluster's server, which ends with the block whatever happens in it."""
    cluster, secret = directory / "cluster", directory / "password"
    secret.write_text(PASSWORD)
    subprocess.run(
        [programs / "initdb", "-D", cluster, "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8",
         "--locale=C", "--locale-provider=icu", "--icu-locale=en-US", f"--pwfile={secret}", "-N"],
        check=True, capture_output=True, cwd="/", **as_server_user(),
    )  # fmt: skip
    server = Server(directory, free_port())
    options = ("listen_addresses=127.0.0.1", f"port={server.port}", f"unix_socket_directories={directory}",
               "fsync=off", "synchronous_commit=off")  # fmt: skip
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", cluster, *(part for o in options for part in ("-c", o))],
            stdout=log, stderr=log, cwd="/", **as_server_user(),
        )  # fmt: skip
    try:
        wait_until_ready(server, process)
        server.execute(ROLES, password=PASSWORD)
        server.execute("CREATE DATABASE registry OWNER owner_login")
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return server.execute("SELECT 1")
        except psycopg2.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((server.directory / "log").read_text()) from None
            time.sleep(0.05)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of another make, empty."""
    programs = binaries()
    if programs is None:
        places = os.environ.get("POSTGRES_BIN") or ", ".join(map(str, PLACES))
        pytest.skip(f"another PostgreSQL: no initdb in {places}; set POSTGRES_BIN")
    directory = Path(tempfile.mkdtemp(prefix="registry-"))
    try:
        if as_server_user():
            os.chown(directory, NOBODY, NOBODY)
        with running(programs, directory) as started:
            yield started
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def migrated(server: Server) -> Server:
    """The tables as `migrate` leaves them, and a copy of them for the test runner."""
    server.run("manage.py", "migrate", "--verbosity", "0")
    server.execute("CREATE DATABASE test_registry TEMPLATE registry OWNER owner_login")
    return server


def test_the_commands_run_there(migrated: Server) -> None:
    server = migrated
    assert "49 patients, 349 visits" in server.run("manage.py", "load_seeds")
    derived = server.run("manage.py", "recompute", "--trial", "NCT03890068")
    assert "349 visits derived again, 0 changed" in derived
    server.run("manage.py", "check", "--database", "default")


def test_the_suite_passes_there(migrated: Server) -> None:
    options = ("-q", "-n", "0", "--reuse-db", "-p", "tests.one_case_each", "-p", "no:cacheprovider")
    said = migrated.run("-m", "pytest", *options, *SELECTION)
    passed = re.search(r"(\d+) passed", said)
    assert passed, said
    assert int(passed[1]) >= AT_LEAST, said
    assert "skipped" not in said, said
