"""What patients and therapies answer with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from patients.models import Sex
from registry.documents import CalendarDate, Id, Link, Versioned
from trials.definitions import TherapyKind


class PatientLinks(TypedDict):
    """Where to go from a patient."""

    self: Link
    visits: Link
    therapies: Link


class PatientDocument(Versioned):
    """A patient; trial, site and arm by their names."""

    trial: Annotated[str, Field(description="The trial's registry id.")]
    subject_id: str
    site: Annotated[str, Field(description="The site's code.")]
    arm: str | None
    arm_reason: Annotated[
        Literal["blinded"] | None, Field(description="Why there is no arm to be seen.")
    ]
    sex: Sex
    birth_year: int | None
    histology: str
    ecog: Annotated[int, Field(ge=0, le=5)] | None
    death_cause: str
    enrolled_on: CalendarDate | None
    randomized_on: CalendarDate | None
    first_dose_on: CalendarDate | None
    last_dose_on: CalendarDate | None
    last_known_alive_on: CalendarDate | None
    died_on: CalendarDate | None
    links: PatientLinks


class TherapyLinks(TypedDict):
    """Where to go from a therapy."""

    self: Link


class TherapyDocument(Versioned):
    """A subsequent anticancer therapy."""

    patient: Id
    started_on: CalendarDate
    kind: TherapyKind
    description: str
    links: TherapyLinks
