#!/usr/bin/env python
"""Django's command line, with the embedded PostgreSQL where no DATABASE_URL is given."""

import os
import sys

# Commands that read the models only and must work where no database runs.
WITHOUT_DATABASE = {
    "check",
    "collectstatic",
    "compilemessages",
    "help",
    "makemessages",
    "spectacular",
}
# Commands of the development server speak plain HTTP on the loopback address.
PLAIN_HTTP = {"demo", "runserver"}


def main() -> None:
    """Run one command."""
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command in PLAIN_HTTP:
        os.environ.setdefault("HTTPS", "off")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    from django.core.management import execute_from_command_line

    from registry import database

    if command not in WITHOUT_DATABASE:
        database.start()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
