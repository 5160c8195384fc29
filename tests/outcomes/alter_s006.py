"""The trial of ALTER-S006 with its 49 synthetic patients and none of their visits."""

from __future__ import annotations

import json
from datetime import date

from fixtures.synthesize import STUDIES
from patients.models import Allocation, Patient
from tests import factories
from trials.models import Arm, Site, Trial

ALTER = STUDIES[0]
DATES = ("enrolled_on", "first_dose_on", "last_dose_on", "last_known_alive_on", "died_on")


def with_patients() -> Trial:
    """Stored row by row: a report of dates needs nothing else, and seeds take a minute."""
    trial = factories.trial(ALTER.registry_id, enrollment_target=48, allocation="NA")
    arm = Arm.objects.create(trial=trial, name="anlotinib", type="EXPERIMENTAL")
    for code in ("03", "04", "05", "06"):
        Site.objects.create(trial=trial, code=code, timezone="Asia/Shanghai")
    for line in ALTER.file("records.ndjson").read_text("utf-8").splitlines():
        told = json.loads(line)
        if told["record"] == "patient":
            dates = {name: date.fromisoformat(told[name]) for name in DATES if told.get(name)}
            patient = factories.patient(trial, told["subject_id"], told["site"], **dates)
            Allocation.objects.create(patient=patient, trial=trial, arm=arm)
    assert Patient.objects.filter(trial=trial).count() == 49
    return trial
