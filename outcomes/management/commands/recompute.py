"""`recompute [--trial ID]`: derive every stored visit again from its measurements."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from outcomes import actions
from registry import database
from registry.reader import EVERYTHING, set_reader
from trials.models import Trial


class Command(BaseCommand):
    """Run it after a correction of the methods; stored responses then follow."""

    help = "Derive every visit again and say how many changed."

    def add_arguments(self, parser: CommandParser) -> None:
        """One trial, or all."""
        parser.add_argument("--trial", help="registry id; without it, all trials")

    def handle(self, *args: Any, **options: Any) -> None:
        """Recompute and count."""
        database.require_migrated()
        trials = Trial.objects.all()
        if options["trial"]:
            trials = trials.filter(registry_id=options["trial"])
            if not trials:
                accepted = ", ".join(Trial.objects.values_list("registry_id", flat=True)) or "-"
                raise CommandError(f"--trial takes one of: {accepted}.")
        set_reader(EVERYTHING)
        done = actions.recompute(trials, by="manage.py recompute")
        self.stdout.write(f"{done.visits} visits derived again, {done.changed} changed")
        if done.refused:
            raise CommandError("Not derived, please correct: " + "; ".join(done.refused))
