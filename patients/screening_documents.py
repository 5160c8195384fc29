"""What consents, screenings, deviations and screening forms answer with."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from patients.documents import OwnLink
from patients.models import Conclusion, DeviationCategory, FailureReason
from registry.documents import CalendarDate, Count, Id, Link, ProblemErrorDocument, Versioned
from trials.eligibility import Result
from trials.screening_items import Kind
from trials.vocabularies import CriterionKind, RangeSex


class ConsentDocument(Versioned):
    """A signed consent form."""

    patient: Id
    consent_version: str
    signed_on: CalendarDate
    withdrawn_on: CalendarDate | None
    links: OwnLink


class EligibilityReasonDocument(TypedDict):
    """A fact that decided, or what is missing: a code with its parameters, and in words."""

    code: str
    params: dict[str, str]
    text: str


class CriterionResultDocument(TypedDict):
    """What a criterion said of the values: whether the requirement for eligibility is fulfilled."""

    criterion: Annotated[int, Field(ge=1, description="The criterion's id.")]
    kind: CriterionKind
    number: Annotated[int, Field(ge=1, description="Within its kind, in the protocol's order.")]
    text: str
    result: Result
    reasons: list[EligibilityReasonDocument]
    notes: Annotated[
        list[str],
        Field(
            description="Values that differ from the patient's record, limits from the laboratory's."
        ),
    ]


class EligibilitySummaryDocument(TypedDict):
    """How many criteria are met, not met and unknown, and in a sentence."""

    criteria: Count
    met: Count
    not_met: Count
    unknown: Count
    text: str


class ScreeningValueDocument(TypedDict):
    """An answer as entered; a date may be "never", null is not answered."""

    value: bool | float | str | None
    unit: NotRequired[str]
    uln: NotRequired[Annotated[float, Field(description="Upper limit of normal.")]]
    lln: NotRequired[Annotated[float, Field(description="Lower limit of normal.")]]
    limit_unit: NotRequired[
        Annotated[str, Field(description="The unit of the limits, where it is another one.")]
    ]
    source: NotRequired[
        Annotated[Literal["patient"], Field(description="As the patient's record has it.")]
    ]
    limit_source: NotRequired[
        Annotated[
            Literal["reference_range"],
            Field(description="As the site's laboratory has it on the day of screening."),
        ]
    ]


ScreeningValues = dict[str, ScreeningValueDocument]


class ScreeningLinks(TypedDict):
    """Where to go from a screening."""

    self: Link
    patient: Link


class ScreeningDocument(Versioned):
    """A screening: values, and what its protocol version said of them then."""

    patient: Id
    subject_id: str
    site: Annotated[str, Field(description="The site's code.")]
    protocol_version: Annotated[int, Field(ge=1, description="Its number.")]
    screened_on: CalendarDate
    values: ScreeningValues
    results: list[CriterionResultDocument]
    summary: EligibilitySummaryDocument
    conclusion: Conclusion
    failure_reason: FailureReason | Literal[""]
    failure_detail: str
    links: ScreeningLinks


class ScreeningPreviewDocument(TypedDict):
    """What storing these values would find; nothing is stored."""

    protocol_version: Annotated[int, Field(ge=1, description="Its number.")]
    screened_on: CalendarDate
    values: ScreeningValues
    results: list[CriterionResultDocument]
    summary: EligibilitySummaryDocument
    problems: Annotated[
        list[ProblemErrorDocument], Field(description="For which storing would be refused.")
    ]
    warnings: Annotated[
        list[ProblemErrorDocument], Field(description="The notes of the results, by item.")
    ]


class DeviationDocument(Versioned):
    """A protocol deviation: enrolled in spite of a criterion, or what happened in the trial."""

    patient: Id
    criterion: Annotated[
        Id | None, Field(description="Null where it is not an enrollment in spite of a criterion.")
    ]
    screening: Annotated[Id | None, Field(description="The screening that it covers.")]
    screening_version: Annotated[
        Annotated[int, Field(ge=1)] | None,
        Field(description="As the investigator saw it: a correction needs another."),
    ]
    occurred_on: CalendarDate
    category: DeviationCategory
    description: Annotated[str, Field(description="What happened; blank with a criterion.")]
    justification: Annotated[str, Field(description="Blank without a criterion.")]
    major: Annotated[
        bool, Field(description="Whether it takes the patient out of the per-protocol population.")
    ]
    links: OwnLink


class NamedCode(TypedDict):
    """A code and how it is printed."""

    code: str
    label: str


class PlausibleRange(TypedDict):
    """What can be meant, in the item's first unit; both ends included."""

    low: float
    high: float


class CurrentRangeDocument(TypedDict):
    """The limits of normal that the site's laboratory has on the day."""

    sex: RangeSex
    lower: float | None
    upper: float | None
    unit: str
    valid_from: CalendarDate


class ScreeningItemDocument(TypedDict):
    """One question of the form."""

    code: Annotated[str, Field(description="The key in a screening's values.")]
    label: str
    kind: Kind
    units: list[NamedCode]
    plausible: PlausibleRange | None
    whole: bool
    limits: Annotated[
        list[Literal["uln", "lln"]],
        Field(description="Limits of normal that a criterion compares with."),
    ]
    choices: list[NamedCode]
    carried_over: Annotated[
        bool, Field(description="Whether the patient's record answers it where it is left out.")
    ]
    criteria: Annotated[list[Id], Field(description="The criteria that ask for it.")]
    reference_ranges: list[CurrentRangeDocument]


class AskedCriterionDocument(TypedDict):
    """A criterion, and its rule in words."""

    id: Id
    kind: CriterionKind
    number: Annotated[int, Field(ge=1, description="Within its kind, in the protocol's order.")]
    text: str
    rule: str
    items: list[str]


class AskedVersionDocument(TypedDict):
    """The protocol version that is in force."""

    number: Annotated[int, Field(ge=1)]
    label: str
    effective_on: CalendarDate | None
    consent_version: Annotated[str, Field(description="What patients sign; blank: any.")]


class ScreeningFormDocument(TypedDict):
    """What a screening needs: everything to build its form from."""

    trial: Annotated[str, Field(description="The trial's registry id.")]
    date: CalendarDate
    site: str | None
    protocol_version: AskedVersionDocument
    items: list[ScreeningItemDocument]
    criteria: list[AskedCriterionDocument]
