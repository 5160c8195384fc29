"""`migrate` as the owner of the tables."""

from typing import Any

from django.core.management.commands import migrate

from registry import database


class Command(migrate.Command):
    """Django's command, logged in as the owner."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, then let the grants of the web role follow."""
        database.become_owner()
        super().handle(*args, **options)
