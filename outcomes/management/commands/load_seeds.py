"""`load_seeds`: the source studies and their synthetic patients, once, the ordinary way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from outcomes.bulk_import import import_records
from registry import audit, database
from registry.models import LOADER, User
from registry.ndjson import Lines
from trials.actions import add_member, create_publication, create_trial
from trials.models import Publication, Trial
from trials.publication_serializers import PublicationSerializer
from trials.serializers import TrialSerializer
from trials.vocabularies import Role

FIXTURES = settings.BASE_DIR / "fixtures"
COMMAND = "manage.py load_seeds"
FILES = ("records.ndjson", "adverse_events.ndjson")
PLURALS = {
    "patient": "patients",
    "visit": "visits",
    "therapy": "therapies",
    "adverse_event": "adverse events",
}
EVERY_STUDY: tuple[str, ...] = ()
ALTER_S006, SCREENED = ("NCT03890068",), ("NCT04172805", "NCT04813406")
CAST: dict[str, tuple[Role, str | None, tuple[str, ...]]] = {  # role, site, at which of the studies
    "coordinator": (Role.COORDINATOR, "01", ALTER_S006),
    "colleague": (Role.COORDINATOR, "01", ALTER_S006),
    "outsider": (Role.COORDINATOR, "02", ALTER_S006),
    "screener": (Role.COORDINATOR, "01", SCREENED),
    "investigator": (Role.INVESTIGATOR, None, EVERY_STUDY),
    "manager": (Role.DATA_MANAGER, None, EVERY_STUDY),
    "administrator": (Role.ADMINISTRATOR, None, EVERY_STUDY),
}
Body = Mapping[str, Any]


class Command(BaseCommand):
    """A trial that exists is left alone with everything in it, so twice changes nothing."""

    help = "Load the source studies, their synthetic patients and the users of the demo."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load as the owner, in one transaction."""
        database.become_owner()
        database.require_migrated()
        for registry_id, counts in load().items():
            found = "there already, left alone" if counts is None else _worded(counts)
            self.stdout.write(f"{registry_id}: {found}")


def _worded(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[kind]} {plural}" for kind, plural in PLURALS.items())


@transaction.atomic
def load(fixtures: Path = FIXTURES) -> dict[str, Counter[str] | None]:
    """Load every study that is missing: records stored by kind; None for one that was there."""
    with connection.cursor() as cursor:  # two at once: the second finds everything there
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [COMMAND])
    loaded = {path.parent.name: _load_study(path) for path in sorted(fixtures.glob("*/trial.json"))}
    _load_catalogue(sorted(fixtures.glob("catalogue/*.json")))
    return loaded


def _load_catalogue(paths: list[Path]) -> None:
    """Load the publications that are missing; one whose trial is not held stands alone."""
    keys = set(Publication.objects.values_list("key", flat=True))
    trials = {None, *Trial.objects.values_list("registry_id", flat=True)}
    for path in paths:
        body = json.loads(path.read_text("utf-8"))
        if body["key"] not in keys:
            body["trial"] = body["trial"] if body["trial"] in trials else None
            loader = _account(LOADER, is_superuser=True, is_active=False)
            create_publication(by=loader, **_validated(PublicationSerializer(data=body)))


def _load_study(path: Path) -> Counter[str] | None:
    body = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    if Trial.objects.filter(registry_id=body["registry_id"]).exists():
        return None
    loader = _account(LOADER, is_superuser=True, is_active=False)
    trial = create_trial(by=loader, **_validated(TrialSerializer(data=body)))
    counts = sum((_import(trial, path.with_name(name), loader) for name in FILES), Counter())
    if counts:
        _mark_synthetic(trial)
    _cast(trial)
    return counts


def _import(trial: Trial, path: Path, by: User) -> Counter[str]:
    """Store a file's records as the API's import does; a study may have none."""
    if not path.exists():
        return Counter()
    with path.open("rb") as file, Lines(file) as lines:
        done = import_records(trial=trial, by=by, lines=lines, dry_run=False, queries=False)
    if done.errors:
        first = done.errors[0]
        raise CommandError(f"{path}:{first.line}: {first.pointer} {first.detail}")
    return Counter({name: n for (_outcome, name), n in done.counts.items()})


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def _mark_synthetic(trial: Trial) -> None:
    """Label the trial: no call of the API can, so that nobody else's patients carry the label."""
    audit.attribute(by=COMMAND, reason="its patients are synthetic")
    trial.synthetic = True
    trial.save(update_fields=["synthetic"])


def _cast(trial: Trial) -> None:
    """The users of the demo; without a password until `demo` gives them one."""
    for name, (role, code, studies) in CAST.items():
        if trial.registry_id in (studies or (trial.registry_id,)):
            site = trial.sites.get(code=code) if code else None
            add_member(trial=trial, user=_account(name), role=role, site=site, by=COMMAND)


def _account(username: str, **flags: bool) -> User:
    """The account of that name; a new one cannot log in by password."""
    audit.attribute(by=COMMAND, reason="account created")
    if user := User.objects.filter(username=username).first():
        return user
    user = User(username=username, **flags)
    user.set_unusable_password()
    user.save()
    return user
