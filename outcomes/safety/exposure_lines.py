"""Exposure and dose intensity, by intervention and by patient, worded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.urls import reverse
from django.utils.translation import gettext as _

from outcomes.result_wording import percent
from outcomes.safety import SafetyReport
from patients.exposure import Quartiles
from patients.treatment import ExposureSummary, Treated
from trials.eligibility_wording import unit as unit_label


@dataclass(frozen=True)
class ExposureLine:
    """An intervention of an arm, or of a patient, worded."""

    name: str
    url: str
    arm: str
    cells: tuple[tuple[str, str], ...]  # heading and text


def duration(report: SafetyReport, given: Sequence[Treated]) -> str:
    """How long patients were treated."""
    found = report.durations(given)
    if found is None:
        return _("Nobody is treated yet.")
    return _(
        "Treatment, first dose to last: median %(median)s days (quartiles %(q1)s and %(q3)s), n = "
        "%(n)s. By the doses recorded, on the plan's days of each cycle, one that lasts up to the "
        "data cutoff; of a patient without any, by the dates of the first and the last dose."
    ) % {
        "median": number(found.median), "q1": number(found.q1), "q3": number(found.q3), "n": found.n,
    }  # fmt: skip


def number(value: Fraction) -> str:
    """To one decimal, which a whole number does without."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.1f}"


def summary_line(row: ExposureSummary) -> ExposureLine:
    """What an arm was given of an intervention."""
    days, cycles, total, intensity = row.quartiles.values()
    unit = unit_label(row.unit or "")
    cells = (
        (_("Patients"), str(row.n)),
        (_("Days of treatment"), _spread(days)),
        (_("Cycles"), _spread(cycles)),
        (_("Cumulative dose"), _spread(total, unit)),
        (_("Relative dose intensity"), _spread(intensity, "%", 100)),
        (_("With a reduction"), _of(row.reduced, row.n)),
        (_("With an interruption"), _of(row.interrupted, row.n)),
    )
    return ExposureLine(row.intervention, "", row.arm or "", cells)


def _spread(found: Quartiles | None, unit: str = "", times: int = 1) -> str:
    """Median and quartiles, with the n that is known."""
    if found is None:
        return _("not known")
    q1, median, q3 = (number(times * value) for value in (found.q1, found.median, found.q3))
    return f"{median} ({q1}–{q3}) {unit}".strip()


def _of(k: int, n: int) -> str:
    return f"{k} ({percent(k / n)})"


def patient_exposure(row: Treated) -> ExposureLine:
    """What a patient was given of an intervention."""
    found, course = row.found, row.course
    known = found.relative_dose_intensity
    unit = unit_label(found.unit or "")
    cells = (
        (_("Intervention"), row.intervention),
        (_("First dose"), found.first_on.isoformat()),
        (_("Last dose"), found.last_on.isoformat()),
        (_("Days of treatment"), str(found.days)),
        (_("Cycles"), str(found.cycles)),
        (_("Cumulative dose"), _amount(found.total_dose, unit)),
        (_("Planned"), _amount(found.planned_dose, unit)),
        (_("Relative dose intensity"), _("not known") if known is None else f"{number(100 * known)} %"),
        (_("Reductions"), str(found.reductions)),
        (_("Interruptions"), str(found.interruptions)),
    )  # fmt: skip
    return ExposureLine(
        course.subject_id,
        reverse("outcomes:patient", args=[course.patient_id]),
        course.arm or "",
        cells,
    )


def _amount(dose: object, unit: str) -> str:
    return _("not known") if dose is None else f"{number(Fraction(str(dose)))} {unit}"
