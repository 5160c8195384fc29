"""Doses, dispositions, transfers, exposure and randomization over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from patients.conduct_documents import (
    ArmExposureDocument,
    DispositionDocument,
    DoseDocument,
    DoseQuartilesDocument,
    InterventionExposureDocument,
    PatientExposureDocument,
    RandomizationDocument,
)
from patients.exposure import Quartiles
from patients.models import (
    Adjustment,
    Disposition,
    DispositionKind,
    DispositionReason,
    Dose,
)
from patients.serializers import RecordSerializer
from patients.treatment import QUARTILES, Course, ExposureSummary, Treated
from registry.fields import Number, Text, WholeNumber
from registry.rest import CalendarDateField, FlagField, StrictSerializer
from trials.models import RandomizationScheme, Trial
from trials.serializers import TermField
from trials.vocabularies import StratificationFactor


class DispositionSerializer(RecordSerializer):
    """What ended for a patient; `reason` is why a record changes, so its own has another name."""

    ignored = RecordSerializer.ignored | {"from_site", "to_site"}
    defaults: ClassVar[dict[str, Any]] = {"reason": "", "detail": "", "follow_up_continues": None}

    kind = TermField(DispositionKind.choices)
    on = CalendarDateField()
    disposition_reason = TermField(
        DispositionReason.choices,
        source="reason",
        allow_blank=True,
        required=False,
        help_text=_("Required where treatment is discontinued."),
    )
    detail = Text(max_length=500, allow_blank=True, required=False)
    follow_up_continues = FlagField(
        allow_null=True, required=False, help_text=_("Required of a withdrawal, of no other.")
    )

    def to_representation(self, instance: Disposition) -> Any:
        """The disposition."""
        return disposition_document(instance)


def disposition_document(row: Disposition) -> DispositionDocument:
    """The disposition."""
    return {
        "id": row.pk,
        "version": row.version,
        "patient": row.patient_id,
        "kind": DispositionKind(row.kind),
        "on": row.on.isoformat(),
        "disposition_reason": DispositionReason(row.reason) if row.reason else "",
        "detail": row.detail,
        "follow_up_continues": row.follow_up_continues,
        "from_site": row.from_site.code if row.from_site else None,
        "to_site": row.to_site.code if row.to_site else None,
        "links": {"self": reverse("api:disposition", args=[row.pk])},
    }


class DoseSerializer(RecordSerializer):
    """What was given from a day to a day."""

    ignored = RecordSerializer.ignored | {"intervention_reason"}
    defaults: ClassVar[dict[str, Any]] = {
        "ended_on": None,
        "adjustment": Adjustment.NONE.value,
        "adjustment_reason": "",
    }

    intervention = Text(
        max_length=100,
        allow_null=True,
        help_text=_("By its name in the patient's arm; a null that was answered keeps it."),
    )
    dose = Number(max_digits=10, decimal_places=3, min_value=0)
    unit = Text(max_length=20)
    started_on = CalendarDateField()
    ended_on = CalendarDateField(allow_null=True, required=False)
    adjustment = TermField(Adjustment.choices, required=False)
    adjustment_reason = Text(max_length=300, allow_blank=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The null that readers of a masked trial get leaves what is stored."""
        if attrs["intervention"] is None:
            stored = self.instance
            if stored is None or stored.patient.trial.tells(stored.intervention):
                raise serializers.ValidationError({"intervention": [_("Name what was given.")]})
            attrs["intervention"] = stored.intervention
        return super().validate(attrs)

    def to_representation(self, instance: Dose) -> Any:
        """The dose."""
        return dose_document(instance)


def dose_document(dose: Dose) -> DoseDocument:
    """The dose."""
    shown = dose.patient.trial.tells(dose.intervention)
    return {
        "id": dose.pk,
        "version": dose.version,
        "patient": dose.patient_id,
        "intervention": dose.intervention if shown else None,
        "intervention_reason": None if shown else "blinded",
        "dose": float(dose.dose),
        "unit": dose.unit,
        "started_on": dose.started_on.isoformat(),
        "ended_on": _iso(dose.ended_on),
        "adjustment": Adjustment(dose.adjustment),
        "adjustment_reason": dose.adjustment_reason,
        "links": {"self": reverse("api:dose", args=[dose.pk])},
    }


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None


class TransferSerializer(StrictSerializer):
    """Where to a patient moves, when and why."""

    site = Text(max_length=20, help_text=_("The code of another site of the trial."))
    on = CalendarDateField()
    reason = Text(max_length=500, help_text=_("Why; kept with the transfer."))

    def validate_site(self, code: str) -> Any:
        """The site: any of the trial's, whose codes all its people read."""
        sites = {site.code: site for site in self.context["trial"].sites.all()}
        if code not in sites:
            raise serializers.ValidationError(_("One of: %s.") % ", ".join(sites))
        return sites[code]


class RandomizeSerializer(StrictSerializer):
    """Nothing: the scheme knows all."""


class RandomizationSerializer(StrictSerializer):
    """How a trial allots arms."""

    ignored = StrictSerializer.ignored | {"trial"}

    ratio = serializers.DictField(
        child=WholeNumber(min_value=1, max_value=20), help_text=_("Such as 2 and 1, by arm name.")
    )
    block_multiples = serializers.ListField(
        child=WholeNumber(min_value=1, max_value=20), min_length=1, max_length=20
    )
    factors = serializers.ListField(
        child=TermField(StratificationFactor.choices), max_length=4, default=list
    )

    def validate_block_multiples(self, value: list[int]) -> list[int]:
        """Each once, in order."""
        return sorted(set(value))

    def validate_factors(self, value: list[str]) -> list[str]:
        """Each once, in the order given: a stratum is named by it."""
        return list(dict.fromkeys(value))


def randomization_document(scheme: RandomizationScheme) -> RandomizationDocument:
    """The scheme; never a place of a block."""
    registry_id = scheme.trial.registry_id
    return {
        "id": scheme.pk,
        "version": scheme.version,
        "trial": registry_id,
        "ratio": scheme.ratio,
        "block_multiples": scheme.block_multiples,
        "factors": [StratificationFactor(factor) for factor in scheme.factors],
        "links": {"self": reverse("api:randomization", args=[registry_id])},
    }


def arm_exposure(row: ExposureSummary) -> ArmExposureDocument:
    """An arm's patients of one intervention."""
    days, cycles, total, intensity = (row.quartiles[name] for name in QUARTILES)
    return {
        "arm": row.arm,
        "intervention": row.intervention,
        "intervention_reason": "blinded" if row.blinded else None,
        "n": row.n,
        "unit": row.unit,
        "median_days": _median(days),
        "median_cycles": _median(cycles),
        "median_total_dose": _median(total),
        "median_relative_dose_intensity": _median(intensity),
        "quartiles": {
            "days": _quartiles(days),
            "cycles": _quartiles(cycles),
            "total_dose": _quartiles(total),
            "relative_dose_intensity": _quartiles(intensity),
        },
        "patients_with_reductions": row.reduced,
        "patients_with_interruptions": row.interrupted,
    }


def _median(found: Quartiles | None) -> float | None:
    return float(found.median) if found else None


def _quartiles(found: Quartiles | None) -> DoseQuartilesDocument | None:
    if found is None:
        return None
    q1, median, q3 = (float(value) for value in (found.q1, found.median, found.q3))
    return {"n": found.n, "q1": q1, "median": median, "q3": q3}


def _number(value: Any) -> float | None:
    return None if value is None else float(Fraction(value))


def patient_exposures(trial: Trial, treated: Sequence[Treated]) -> list[PatientExposureDocument]:
    """One document per patient, in the order given."""
    of_patient = groupby(treated, lambda row: row.course)
    return [_patient_exposure(trial, course, list(rows)) for course, rows in of_patient]


def _patient_exposure(
    trial: Trial, course: Course, rows: Sequence[Treated]
) -> PatientExposureDocument:
    return {
        "patient": course.patient_id,
        "subject_id": course.subject_id,
        "site": course.site,
        "arm": course.arm,
        "arm_reason": "blinded" if trial.masked else None,
        "interventions": [_intervention(row) for row in rows],
        "links": {
            "patient": reverse("api:patient", args=[course.patient_id]),
            "doses": f"{reverse('api:doses')}?patient={course.patient_id}",
        },
    }


def _intervention(row: Treated) -> InterventionExposureDocument:
    found = row.found
    unknown = found.relative_dose_intensity is None
    return {
        "intervention": row.intervention,
        "intervention_reason": "blinded" if row.blinded else None,
        "first_on": found.first_on.isoformat(),
        "last_on": found.last_on.isoformat(),
        "days": found.days,
        "cycles": found.cycles,
        "unit": found.unit,
        "total_dose": _number(found.total_dose),
        "planned_dose": _number(found.planned_dose),
        "relative_dose_intensity": _number(found.relative_dose_intensity),
        "relative_dose_intensity_reason": (
            None if not unknown else "units" if row.planned else "no_plan"
        ),
        "reductions": found.reductions,
        "interruptions": found.interruptions,
    }
