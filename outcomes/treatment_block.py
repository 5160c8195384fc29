"""What the patient page says of treatment and disposition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.utils.translation import gettext as _

from patients import treatment
from patients.exposure import Exposure
from patients.models import Disposition, DispositionKind, Dose, Patient
from patients.treatment import Course
from trials.eligibility_wording import unit as unit_label


@dataclass(frozen=True)
class ExposureLine:
    """One intervention, worded."""

    intervention: str
    found: Exposure
    total: str
    planned: str
    intensity: str


@dataclass(frozen=True)
class Conduct:
    """The block's content."""

    doses: Sequence[tuple[Dose, str, str]]  # with the drug and the dose as printed
    exposures: Sequence[ExposureLine]
    dispositions: Sequence[Disposition]
    withdrawn: bool  # from the trial, not only from a consent
    may_randomize: bool


def conduct_of(patient: Patient) -> Conduct:
    """Read a patient's doses and dispositions: four statements."""
    doses = patient.doses.active()
    treated = treatment.exposures(patient.trial, [Course.of(patient)])
    dispositions = list(patient.dispositions.active().select_related("from_site", "to_site"))
    waits = patient.trial.randomized and patient.enrolled_on and not patient.randomized_on
    return Conduct(
        doses=[(row, _drug(patient, row), _amount(row.dose, row.unit)) for row in doses],
        exposures=[_line(row.intervention, row.found) for row in treated],
        dispositions=dispositions,
        withdrawn=any(row.kind == DispositionKind.WITHDRAWN for row in dispositions),
        may_randomize=bool(waits) and patient.arm is None and not patient.died_on,
    )


def _drug(patient: Patient, dose: Dose) -> str:
    shown = patient.trial.tells(dose.intervention)
    return dose.intervention if shown else _("study treatment")


def _line(intervention: str, found: Exposure) -> ExposureLine:
    return ExposureLine(
        intervention,
        found,
        _amount(found.total_dose, found.unit),
        _amount(found.planned_dose, found.unit),
        _percent(found.relative_dose_intensity),
    )


def _amount(dose: Decimal | None, unit: str | None) -> str:
    return _("not known") if dose is None else f"{dose.normalize():f} {unit_label(unit or '')}"


def _percent(share: Fraction | None) -> str:
    """To one decimal, halves up, as printed."""
    if share is None:
        return _("not known")
    tenths = (2000 * share.numerator + share.denominator) // (2 * share.denominator)
    return f"{tenths // 10}.{tenths % 10} %"
