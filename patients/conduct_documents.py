"""What doses, dispositions, exposure and randomization answer with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from patients.documents import OwnLink
from patients.models import Adjustment, DispositionKind, DispositionReason
from registry.documents import CalendarDate, Count, Id, Link, Moment, Versioned
from trials.vocabularies import StratificationFactor

Blinded = Annotated[Literal["blinded"] | None, Field(description="Why there is no arm to be seen.")]
Unnamed = Annotated[
    Literal["blinded"] | None, Field(description="Why the intervention is not named.")
]
Known = Annotated[float, Field(ge=0)] | None


class DispositionDocument(Versioned):
    """What ended for a patient, or where to they moved."""

    patient: Id
    kind: DispositionKind
    on: CalendarDate
    disposition_reason: Annotated[
        DispositionReason | Literal[""],
        Field(description="`reason`, in a body, is why a record changes."),
    ]
    detail: str
    follow_up_continues: Annotated[
        bool | None, Field(description="Of a withdrawal; false closes the patient's record.")
    ]
    from_site: Annotated[str | None, Field(description="Of a transfer: the releasing site.")]
    to_site: str | None
    links: OwnLink


class DoseDocument(Versioned):
    """What was given from a day to a day, both included; a dose of 0 is a pause."""

    patient: Id
    intervention: Annotated[
        str | None, Field(description="null where it would tell a masked arm; a null keeps it.")
    ]
    intervention_reason: Unnamed
    dose: Annotated[float, Field(ge=0)]
    unit: str
    started_on: CalendarDate
    ended_on: Annotated[CalendarDate | None, Field(description="null while it lasts.")]
    adjustment: Adjustment
    adjustment_reason: str
    links: OwnLink


class InterventionExposureDocument(TypedDict):
    """What a patient was given of one intervention."""

    intervention: str
    intervention_reason: Unnamed
    first_on: CalendarDate
    last_on: CalendarDate
    days: Annotated[int, Field(ge=1, description="The first dose, the last and all between.")]
    cycles: Annotated[Count, Field(description="Begun.")]
    unit: Annotated[str | None, Field(description="null where the doses' units cannot be added.")]
    total_dose: Known
    planned_dose: Known
    relative_dose_intensity: Annotated[Known, Field(description="Total over planned dose.")]
    relative_dose_intensity_reason: Literal["no_plan", "units"] | None
    reductions: Count
    interruptions: Count


class PatientLink(TypedDict):
    """Whose exposure it is."""

    patient: Link
    doses: Link


class PatientExposureDocument(TypedDict):
    """What a patient was given, each intervention apart."""

    patient: Id
    subject_id: str
    site: str
    arm: str | None
    arm_reason: Blinded
    interventions: list[InterventionExposureDocument]
    links: PatientLink


class DoseQuartilesDocument(TypedDict):
    """Of the patients whose value is known, by the empirical distribution with averaging."""

    n: Annotated[int, Field(ge=1)]
    q1: Annotated[float, Field(ge=0)]
    median: Annotated[float, Field(ge=0)]
    q3: Annotated[float, Field(ge=0)]


class ExposureQuartilesDocument(TypedDict):
    """null where nobody's value is known; of the total dose also where units differ."""

    days: DoseQuartilesDocument | None
    cycles: DoseQuartilesDocument | None
    total_dose: DoseQuartilesDocument | None
    relative_dose_intensity: DoseQuartilesDocument | None


class ArmExposureDocument(TypedDict):
    """The patients of an arm who were given an intervention."""

    arm: str | None
    intervention: str
    intervention_reason: Unnamed
    n: Annotated[int, Field(ge=1)]
    unit: str | None
    median_days: Known
    median_cycles: Known
    median_total_dose: Known
    median_relative_dose_intensity: Known
    quartiles: ExposureQuartilesDocument
    patients_with_reductions: Count
    patients_with_interruptions: Count


class ExposureDocument(TypedDict):
    """A trial's exposure up to a cutoff, over the patients that the caller may see."""

    trial: str
    cutoff: CalendarDate
    known_on: Moment | None
    arm_reason: Blinded
    arms: list[ArmExposureDocument]


class RandomizationDocument(Versioned):
    """How a trial allots arms; its administrator's alone."""

    trial: str
    ratio: Annotated[dict[str, int], Field(description="A whole number by arm name.")]
    block_multiples: Annotated[
        list[int], Field(description="A block is the ratio's sum times one of them, at random.")
    ]
    factors: list[StratificationFactor]
    links: OwnLink
