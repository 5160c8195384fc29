"""`load_seeds`: the source studies and their synthetic patients, once, the ordinary way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from rest_framework import serializers

from outcomes.actions import record_visit
from outcomes.serializers import VisitSerializer, entry
from patients.actions import enroll_patient, record_therapy
from patients.models import Patient
from patients.serializers import PatientSerializer, TherapySerializer
from registry import audit, database
from registry.errors import Refused
from registry.models import User
from trials.actions import add_member, create_trial
from trials.models import Trial
from trials.serializers import TrialSerializer
from trials.vocabularies import Role

FIXTURES = settings.BASE_DIR / "fixtures"
COMMAND = "manage.py load_seeds"
LOADER = "seed-loader"
PLURALS = {"patient": "patients", "visit": "visits", "therapy": "therapies"}
CAST_TRIAL = "NCT03890068"
CAST = {
    "coordinator": (Role.COORDINATOR, "01"),
    "colleague": (Role.COORDINATOR, "01"),
    "outsider": (Role.COORDINATOR, "02"),
    "investigator": (Role.INVESTIGATOR, None),
}
Body = Mapping[str, Any]


class Command(BaseCommand):
    """A trial that exists is left alone with everything in it, so twice changes nothing."""

    help = "Load the source studies, their synthetic patients and the users of the demo."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load as the owner, in one transaction."""
        database.become_owner()
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
    return {path.parent.name: _load_study(path) for path in sorted(fixtures.glob("*/trial.json"))}


def _load_study(path: Path) -> Counter[str] | None:
    body = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    if Trial.objects.filter(registry_id=body["registry_id"]).exists():
        return None
    loader = _account(LOADER, is_superuser=True, is_active=False)
    trial = create_trial(by=loader, **_validated(TrialSerializer(data=body)))
    counts: Counter[str] = Counter()
    patients: dict[str, Patient] = {}
    for where, line in _lines(path.with_name("records.ndjson")):
        try:
            counts[_record(line, patients, loader)] += 1
        except (Refused, serializers.ValidationError) as error:
            raise CommandError(f"{where}: {error}") from error
    if patients:
        _mark_synthetic(trial)
    if trial.registry_id == CAST_TRIAL:
        _cast(trial)
    return counts


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record with its place, for errors; a study may have none."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        yield f"{path}:{number}", json.loads(line, parse_float=Decimal)


def _record(line: dict[str, Any], patients: dict[str, Patient], by: User) -> str:
    """Store one record through the serializers and actions of the API; returns its kind."""
    kind: str = line.pop("record")
    context = {"request": SimpleNamespace(user=by)}
    if kind == "patient":
        values = _validated(PatientSerializer(data=line, context=context))
        patients[line["subject_id"]] = enroll_patient(by=by, **values)
        return kind
    patient = patients[line["patient"]]
    body = line | {"patient": patient.pk}
    if kind == "visit":
        values = _validated(VisitSerializer(data=body))
        record_visit(patient=patient, entry=entry(values), by=by)
    else:
        values = _validated(TherapySerializer(data=body, context=context))
        record_therapy(by=by, **values)
    return kind


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
    for name, (role, code) in CAST.items():
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
