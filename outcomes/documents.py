"""What visits, previews and imports answer with."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from outcomes.methods.irecist import ImmuneResponse
from outcomes.methods.recist import (
    BoneType,
    Certainty,
    Growth,
    ImagingMethod,
    NonTargetState,
    Response,
    TargetState,
)
from outcomes.methods.soft_checks import Check
from outcomes.models import ImportRun, Visit
from registry.documents import (
    CalendarDate,
    Count,
    Id,
    Link,
    Moment,
    ProblemDocument,
    ProblemErrorDocument,
    Versioned,
)

Label = Annotated[str, Field(description="The lesion's permanent label, such as T01.")]
Unsaid = Literal[""]  # what a text column holds where nothing was said
ImportState = Annotated[
    ImportRun.State, WithJsonSchema({"type": "string", "enum": ImportRun.State.values})
]
VisitKind = Annotated[Visit.Kind, WithJsonSchema({"type": "string", "enum": Visit.Kind.values})]


class ReasonDocument(TypedDict):
    """Why a response is what it is: a code with its parameters, and the same in words."""

    code: str
    parameters: dict[str, str | int]
    text: Annotated[str, Field(description="In the reader's language.")]


class ImmuneDocument(TypedDict):
    """What iRECIST makes of a visit, beside RECIST 1.1 (Seymour 2017)."""

    response: ImmuneResponse
    new_lesion_sum_mm: Annotated[
        float | None,
        Field(description="Of the new target lesions, apart from `sum_mm`; null without any."),
    ]
    new_targets: Annotated[
        list[Label],
        Field(description="At least 10 mm (nodes 15), at most 5 and 2 per organ, as first seen."),
    ]
    new_non_targets: list[Label]
    unconfirmed_since: Annotated[
        CalendarDate | None,
        Field(description="The first iUPD of the run that is open after this visit."),
    ]
    confirm_from: Annotated[
        CalendarDate | None,
        Field(description="4 weeks after it; from then on it may be confirmed."),
    ]
    confirm_by: Annotated[CalendarDate | None, Field(description="8 weeks after it.")]
    reasons: list[ReasonDocument]


class DerivedDocument(TypedDict):
    """What RECIST 1.1 makes of a visit; a baseline has its sum and null responses."""

    sum_mm: Annotated[
        float | None,
        Field(description="Measured plus imputed (absent 0, too small 5), of what was evaluated."),
    ]
    baseline_sum_mm: float | None
    nadir_mm: Annotated[
        float | None,
        Field(description="The smallest complete sum before, the baseline's included."),
    ]
    complete: Annotated[bool, Field(description="Whether every target was evaluated.")]
    change_from_baseline_percent: Annotated[
        float | None, Field(description="Not rounded; null while `complete` is false.")
    ]
    change_from_nadir_percent: float | None
    change_from_nadir_mm: float | None
    target_response: Response | None
    non_target_response: Response | None
    new_lesion: Annotated[bool, Field(description="Whether an unequivocal new lesion was seen.")]
    overall_response: Response | None
    reasons: list[ReasonDocument]
    warnings: list[ReasonDocument]
    irecist: NotRequired[
        Annotated[
            ImmuneDocument | None,
            Field(description="Where the trial uses iRECIST; null at baseline."),
        ]
    ]


OrganGroup = Annotated[str, Field(description="As RECIST counts organs: all nodes are one.")]


class LesionDescription(TypedDict):
    """What describes a lesion; a baseline's rows carry it."""

    organ: str
    organ_group: OrganGroup
    nodal: bool
    description: str
    method: ImagingMethod | Unsaid
    slice_mm: float | None
    bone_type: BoneType | Unsaid
    previously_irradiated: bool
    progressed_since_irradiation: bool


class BaselineOnly(TypedDict):
    """Keys of a baseline's rows."""

    organ: NotRequired[str]
    organ_group: NotRequired[OrganGroup]
    nodal: NotRequired[bool]
    description: NotRequired[str]
    bone_type: NotRequired[BoneType | Unsaid]
    previously_irradiated: NotRequired[bool]
    progressed_since_irradiation: NotRequired[bool]


class TargetDocument(BaselineOnly):
    """A target lesion at a visit; a baseline's row also describes the lesion."""

    lesion: Label
    state: TargetState
    diameter_mm: float | None
    reason: Annotated[str, Field(description="Why it could not be evaluated.")]
    merged_into: Label | None
    fragments_mm: list[float]
    method: ImagingMethod | Unsaid
    slice_mm: float | None


class NonTargetDocument(BaselineOnly):
    """A non-target lesion at a visit; a baseline's row also describes the lesion."""

    lesion: Label
    status: NonTargetState
    short_axis_mm: float | None
    reason: Annotated[str, Field(description="Why it could not be evaluated.")]
    growth: NotRequired[Growth | Unsaid]
    method: NotRequired[ImagingMethod | Unsaid]
    slice_mm: NotRequired[float | None]


class NewLesionDocument(TypedDict):
    """A lesion that was not there at baseline, seen at a visit."""

    lesion: Label
    organ: str
    description: str
    certainty: Certainty
    diameter_mm: float | None
    method: ImagingMethod | Unsaid
    nodal: bool
    growth: NotRequired[
        Annotated[Growth | Unsaid, Field(description="Since the visit before; iRECIST only.")]
    ]


class VisitLinks(TypedDict):
    """Where to go from a visit."""

    self: Link
    patient: Link
    queries: Link


class VisitDocument(Versioned):
    """A visit as it was recorded, and what was derived from it."""

    patient: Id
    evaluator: str
    kind: VisitKind
    date: CalendarDate
    targets: list[TargetDocument]
    non_targets: list[NonTargetDocument]
    new_lesions: list[NewLesionDocument]
    stated_response: Annotated[
        Response | None, Field(description="What the investigator says, where it was said.")
    ]
    stated_response_reason: str
    derived: DerivedDocument
    links: VisitLinks


class MissingDocument(TypedDict):
    """What must still be said or corrected before a visit can be stored."""

    pointer: Annotated[str, Field(description="A JSON Pointer into the body.")]
    detail: str


# `from` is a keyword, so this type is written as a call.
LaterVisitDocument = TypedDict(
    "LaterVisitDocument",
    {"id": Id, "date": CalendarDate, "from": Response | Unsaid, "to": Response | Unsaid},
)
LaterVisitDocument.__doc__ = "A later visit whose response would change."


class SoftCheckDocument(TypedDict):
    """What is unusual: to be named in `acknowledged`, or it opens a query; (code, lesion) names it."""

    code: Check
    lesion: Annotated[str, Field(description="Blank for a check of the whole visit.")]
    pointer: Annotated[str, Field(description="A JSON Pointer into the body.")]
    parameters: dict[str, str | int]
    text: Annotated[str, Field(description="In the reader's language.")]


class PreviewDocument(TypedDict):
    """What saving a visit would derive; nothing was stored."""

    derived: Annotated[
        DerivedDocument | None, Field(description="Null while the visit has no place in time.")
    ]
    missing: list[MissingDocument]
    later_visits: list[LaterVisitDocument]
    soft_checks: Annotated[
        list[SoftCheckDocument],
        Field(description="Without those that were answered for the same values before."),
    ]


class ImportedDocument(TypedDict):
    """Records by type."""

    patient: Count
    visit: Count
    therapy: Count
    adverse_event: Count
    deviation: Count
    total: Count


class ImportCounts(TypedDict):
    """What an import did; nothing where a line was refused."""

    dry_run: bool
    created: ImportedDocument
    updated: ImportedDocument
    unchanged: ImportedDocument


class ImportErrorDocument(ProblemErrorDocument):
    """What is wrong with a line."""

    line: NotRequired[Annotated[int, Field(ge=1, description="Blank lines count too.")]]


class ImportDocument(ImportCounts):
    """An import that was taken."""

    errors: Annotated[list[ImportErrorDocument], Field(max_length=0)]


class ImportProblemDocument(ProblemDocument):
    """RFC 9457 problem document of an import: every error with its line, and zero counts."""

    dry_run: NotRequired[bool]
    created: NotRequired[ImportedDocument]
    updated: NotRequired[ImportedDocument]
    unchanged: NotRequired[ImportedDocument]
    errors: NotRequired[list[ImportErrorDocument]]  # type: ignore[misc]


class ImportRunDocument(TypedDict):
    """How far an import has come."""

    id: Id
    state: ImportState
    dry_run: bool
    by: Annotated[str, Field(description="The user's name.")]
    lines: Count
    lines_done: Count
    started_at: Moment
    updated_at: Moment
