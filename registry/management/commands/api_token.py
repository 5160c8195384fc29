"""`api_token USERNAME [--days N]`: a fresh token of an existing user, and nothing else."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from registry import audit, database
from registry.models import ApiToken, User

LONGEST_DAYS = 3650


class Command(BaseCommand):
    """Issues a token; the key is shown this once."""

    help = "Print a fresh API token of an existing user."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose token, and how long it lasts."""
        parser.add_argument("username")
        parser.add_argument("--days", type=int, default=90, help="days until it expires (90)")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Store the token and print its key."""
        database.require_migrated()
        if not 1 <= options["days"] <= LONGEST_DAYS:
            raise CommandError(_("--days takes a number from 1 to %s.") % LONGEST_DAYS)
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(_("No active user is called %s.") % options["username"])
        audit.attribute(by="manage.py api_token", reason="token issued")
        self.stdout.write(ApiToken.issue(user, days=options["days"]))
