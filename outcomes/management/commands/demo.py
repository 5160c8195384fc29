"""`demo [--port N]`: a registry with the seed studies, ready to look at in a browser."""

from __future__ import annotations

import gc
import secrets
import signal
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from gunicorn.app.base import BaseApplication

from outcomes import practice
from outcomes.management.commands.load_seeds import CAST
from registry import audit
from registry.models import ApiToken, User

HOST = "127.0.0.1"
TOKEN_DAYS = 30


class Command(BaseCommand):
    """Migrates and loads as the owner of the tables, serves as the web role."""

    help = "Migrate, load the seed studies, print logins and serve on the loopback address."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until Ctrl-C or SIGTERM; both end the embedded PostgreSQL too."""
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGINT, _leave)
        port = options["port"]
        _require_free(port)
        call_command("migrate", verbosity=0)
        call_command("load_seeds", stdout=self.stdout)
        for registry_id, patients in practice.load().items():
            self.stdout.write(f"{registry_id}: {patients} patients, dated from today")
        roles = {name: role for name, (role, _, _) in CAST.items()}
        roles |= {name: role for name, (role, _) in practice.MEMBERS.items()}
        logins = [_login(name, role) for name, role in roles.items()]
        connection.close()
        connection.settings_dict.update(settings.WEB_DATABASE)
        Server(port, [f"Open http://{HOST}:{port}/ (Ctrl-C stops it). Logins:", *logins]).run()


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn in this process; `announcement` is printed once the port is open."""

    def __init__(self, port: int, announcement: list[str]) -> None:
        self.port = port
        self.announcement = announcement
        super().__init__()

    def load_config(self) -> None:
        """One process whose threads share one day's visitors; nothing is written to disk."""
        for name, value in {
            "bind": f"{HOST}:{self.port}",
            "worker_class": "gthread",
            "threads": 8,
            "graceful_timeout": 5,
            "loglevel": "warning",
            "control_socket_disable": True,
            "limit_request_line": 8190,  # the most it takes: options and filters stand in addresses
            "when_ready": self.announce,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, as `registry.wsgi` has it for any other server."""
        application = get_wsgi_application()
        gc.freeze()
        return application

    def announce(self, _arbiter: object) -> None:
        """Print the address and one line `role username password token` per user."""
        sys.stdout.write("\n".join(self.announcement) + "\n")
        sys.stdout.flush()


def _leave(*_: object) -> None:
    sys.exit(0)


def _require_free(port: int) -> None:
    """Refuse a port that is taken before anything is changed."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise CommandError(f"Port {port}: {error}. Choose another with --port.") from error


@transaction.atomic
def _login(username: str, role: str) -> str:
    """Give a user a fresh password and token; returns the line that says so."""
    audit.attribute(by="manage.py demo", reason="fresh login")
    user = User.objects.get(username=username)
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    return f"{role} {username} {password} {ApiToken.issue(user, days=TOKEN_DAYS)}"
