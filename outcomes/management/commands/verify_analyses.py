"""`verify_analyses [--trial ID]`: compute every frozen analysis again from what it keeps."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from outcomes import analyses
from outcomes.models import Analysis
from registry import database
from registry.reader import EVERYTHING, set_reader
from trials.models import Trial


class Command(BaseCommand):
    """Run it after a change of the methods, of a library or of the machine."""

    help = "Reproduce every frozen analysis and compare the digests."

    def add_arguments(self, parser: CommandParser) -> None:
        """One trial, or all."""
        parser.add_argument("--trial", help="registry id; without it, all trials")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line per analysis; fails unless every one is reproduced."""
        database.require_migrated()
        rows = Analysis.objects.select_related("trial").order_by("id")
        if options["trial"]:
            rows = rows.filter(trial__in=_named(options["trial"]))
        failed = 0
        set_reader(EVERYTHING)
        for row in rows.iterator(chunk_size=1):
            found = analyses.reproduce(row)
            failed += found.outcome is not analyses.Outcome.REPRODUCED
            self.stdout.write(f"{row.trial.registry_id}\t{row.pk}\t{found.outcome}\t{row.name}")
        if failed:
            raise CommandError(f"{failed} not reproduced")


def _named(registry_id: str) -> list[Trial]:
    found = list(Trial.objects.named(registry_id))
    if not found:
        accepted = ", ".join(Trial.objects.values_list("registry_id", flat=True)) or "-"
        raise CommandError(f"--trial takes one of: {accepted}.")
    return found
