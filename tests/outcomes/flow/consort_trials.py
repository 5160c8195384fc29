"""Trials for the drawing of the participant flow: one to four arms with something in every box."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from patients.models import Allocation, Deviation, Disposition, Patient, Screening
from tests import factories
from tests.factories import START
from trials.models import Arm, Criterion, Trial

NAMES = (
    "Anlotinib 12 mg once daily on days 1 to 14 of a 21-day cycle, with epirubicin 60 mg/m²",
    "Placebo",
    "安罗替尼联合特瑞普利单抗",
    "Observation_without_any_treatment_until_progression",
)
CRITERIA = (
    "Platelets >= 80 x 10^9/L without transfusion or growth factors in the week before the sample",
    "Age 18 to 70 years",
    "ECOG performance status 0 or 1",
    "Creatinine <= 1.5 x ULN or clearance >= 60 mL/min (Cockcroft-Gault)",
    "QTc <= 450 ms in men, <= 470 ms in women",
    "既往未接受过酪氨酸激酶抑制剂治疗",
)
ENDS: tuple[dict[str, Any], ...] = (
    {"kind": "treatment_discontinued", "reason": "progressive_disease"},
    {"kind": "treatment_discontinued", "reason": "adverse_event"},
    {"kind": "withdrawn", "follow_up_continues": True},
    {"kind": "withdrawn", "follow_up_continues": False},
    {"kind": "lost_to_follow_up"},
    {"kind": "completed"},
)


def with_arms(trial: Trial, arms: int, each: int = 9) -> Trial:
    """The trial, randomized to so many arms."""
    kind = "RANDOMIZED" if arms > 1 else "NA"
    Trial.objects.filter(pk=trial.pk).update(enrollment_gate="screening", allocation=kind)
    trial.refresh_from_db()
    criteria = [
        Criterion.objects.create(trial=trial, kind="inclusion", text=text, position=i)
        for i, text in enumerate(CRITERIA)
    ]
    for number in range(8):
        _screened_out(trial, number, criteria[: number + 1])
    for name in NAMES[:arms]:
        arm = Arm.objects.create(trial=trial, name=name)
        for number in range(each):
            _enrolled(trial, arm, number)
    if arms > 1:
        factories.patient(trial, "waiting")
    first = trial.patients.filter(enrolled_on__isnull=False).earliest("pk")
    seen = Screening.objects.create(
        patient=first, protocol_version=trial.protocol_version, screened_on=START,
        results=[{"criterion": criteria[1].pk, "result": "not_met"}],
    )  # fmt: skip
    Deviation.objects.create(
        patient=first, criterion=criteria[1], occurred_on=START, justification="71 and fit",
        screening=seen, screening_version=1,
    )  # fmt: skip
    return trial


def _screened_out(trial: Trial, number: int, criteria: list[Criterion]) -> None:
    person = factories.patient(trial, f"S-{number}", enrolled_on=None, first_dose_on=None)
    reason = ("not_eligible", "not_eligible", "declined", "other", "not_eligible", "", "", "")[
        number
    ]
    Screening.objects.create(
        patient=person,
        protocol_version=trial.protocol_version,
        screened_on=START + timedelta(days=number),
        conclusion="failed" if reason else ("open", "eligible")[number % 2],
        failure_reason=reason,
        results=[{"criterion": criterion.pk, "result": "not_met"} for criterion in criteria],
    )


def _enrolled(trial: Trial, arm: Arm, number: int) -> Patient:
    on = START + timedelta(days=20 * number)
    facts: dict[str, Any] = {"enrolled_on": on, "randomized_on": on, "first_dose_on": on}
    if number == 8:
        facts["first_dose_on"] = None
    if number == 7:
        facts["died_on"] = on + timedelta(days=40)
    patient = factories.patient(trial, f"{arm.pk}-{number}", **facts)
    Allocation.objects.create(patient=patient, trial=trial, arm=arm)
    if number < len(ENDS):
        Disposition.objects.create(patient=patient, on=on + timedelta(days=30), **ENDS[number])
    return patient
