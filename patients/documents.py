"""What patients, their therapies and adverse events answer with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from patients.models import MOST_PRIOR_LINES, ActionTaken, AdverseEventOutcome, Sex
from registry.documents import CalendarDate, Id, Link, Versioned
from trials.definitions import TherapyKind


class PatientLinks(TypedDict):
    """Where to go from a patient."""

    self: Link
    visits: Link
    therapies: Link
    adverse_events: Link


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
    prior_lines: (
        Annotated[
            int,
            Field(
                ge=0,
                le=MOST_PRIOR_LINES,
                description="Lines of systemic therapy for advanced disease before the trial.",
            ),
        ]
        | None
    )
    death_cause: str
    enrolled_on: CalendarDate | None
    randomized_on: CalendarDate | None
    first_dose_on: CalendarDate | None
    last_dose_on: CalendarDate | None
    last_known_alive_on: CalendarDate | None
    died_on: CalendarDate | None
    links: PatientLinks


class OwnLink(TypedDict):
    """Where a record is read again."""

    self: Link


class TherapyDocument(Versioned):
    """A subsequent anticancer therapy."""

    patient: Id
    started_on: CalendarDate
    kind: TherapyKind
    description: str
    links: OwnLink


class CtcaeTermDocument(TypedDict):
    """A term of the Common Terminology Criteria for Adverse Events."""

    term: Annotated[str, Field(description="What an adverse event stores of it.")]
    chinese: str
    system_organ_class: str
    versions: Annotated[list[Literal["4.03", "5.0"]], Field(description="Those that have it.")]
    grades: Annotated[
        list[Annotated[int, Field(ge=1, le=5)]] | None,
        Field(description="Those that version 5.0 defines; null where 5.0 does not have the term."),
    ]
    synonyms: list[str]


class AdverseEventDocument(Versioned):
    """An adverse event, graded by the trial's CTCAE version."""

    patient: Id
    term: str
    grade: Annotated[int, Field(ge=1, le=5)]
    related: Annotated[bool, Field(description="Whether to the trial's treatment.")]
    serious: bool
    action_taken: ActionTaken
    outcome: Annotated[
        AdverseEventOutcome | Literal[""], Field(description="Blank where nobody said.")
    ]
    started_on: CalendarDate
    ended_on: Annotated[CalendarDate | None, Field(description="null while it lasts.")]
    links: OwnLink
