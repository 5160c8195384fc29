"""Publications as data: what a source prints, claim by claim, exactly as it prints it.

Pure. Numbers that carry rounding are text and keep their decimals ("10.13", "34.4%"). Whatever
contradicts is stored as it stands: `reconciled` says what was adjudicated, beside the printed
value. What is not known is null or blank. `outcomes.methods.claims` recomputes what can be.
"""

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

NUMBER = r"(?:[0-9]{1,6}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})"
TO = r"%?(?:-|–|—| to |, ?)"
LIMITS = re.compile(rf"\(?({NUMBER}){TO}({NUMBER}|NE|NR)%?\)?")
LARGEST = 1_000_000  # patients; a count beyond is a typing error
MAX_CLAIMS = 150

Slug = Annotated[
    str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60, examples=["orr-all"])
]
Words = Annotated[str, Field(max_length=1000)]
Label = Annotated[str, Field(min_length=1, max_length=200)]
GroupName = Annotated[str, Field(max_length=100)]
Patients = Annotated[int, Field(ge=0, le=LARGEST)]
Number = Annotated[str, Field(pattern=rf"^{NUMBER}$", examples=["5.63"])]
Percent = Annotated[str, Field(pattern=rf"^{NUMBER} ?%?$", examples=["10.13%"])]
Interval = Annotated[
    str, Field(pattern=rf"^\(?{NUMBER}{TO}{NUMBER}%?\)?$", examples=["18.6-53.2%"])
]
OpenInterval = Annotated[
    str, Field(pattern=rf"^\(?{NUMBER}{TO}({NUMBER}|NE|NR)\)?$", examples=["16.43-NE"])
]


class Measure(StrEnum):
    """What a claim measures."""

    ORR = "ORR"
    DCR = "DCR"
    PFS = "PFS"
    OS = "OS"
    DFS = "DFS"
    DOR = "DOR"
    TTR = "TTR"
    FOLLOW_UP = "FOLLOW_UP"
    ADVERSE_EVENT = "ADVERSE_EVENT"
    OTHER = "OTHER"


class GroupRole(StrEnum):
    """Why patients are told apart: `population` is a denominator of its own, such as evaluable."""

    ARM = "arm"
    SUBTYPE = "subtype"
    SUBGROUP = "subgroup"
    POPULATION = "population"


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Group(_Document):
    """Patients whom claims are about."""

    name: Label
    role: GroupRole
    n: Patients | None = None


class Reconciled(_Document):
    """What a reader decided should stand there, and why; the printed value stays."""

    value: Label
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class Claim(_Document):
    """What every claim has; a blank group is everybody."""

    id: Slug
    label: Label
    group: GroupName = ""
    note: Words = ""
    reconciled: Reconciled | None = None


class ProportionClaim(Claim):
    """k of n patients; `n` only where the source prints it with this claim."""

    type: Literal["proportion"]
    measure: Measure
    k: Patients | None = None
    n: Patients | None = None
    percent: Percent | None = None
    interval: Interval | None = None
    level: Annotated[int, Field(ge=50, le=99)] = 95


class RateClaim(Claim):
    """Event-free at a time, such as 68% at 12 weeks: Kaplan-Meier, or a mere fraction."""

    type: Literal["rate_at"]
    measure: Measure
    at: Label
    k: Patients | None = None
    n: Patients | None = None
    percent: Percent
    interval: Interval | None = None


class Category(_Document):
    """One category of a count."""

    name: Label
    n: Patients


class CategoriesClaim(Claim):
    """Counts by category; those of a complete list should sum to `total`, or to the group's n."""

    type: Literal["categories"]
    kind: Literal["best_response", "subtypes", "other"]
    items: Annotated[list[Category], Field(min_length=1, max_length=50)]
    total: Patients | None = None
    complete: bool = True


class MedianClaim(Claim):
    """A median with its confidence interval or quartiles; NR: not reached, NE: not estimable."""

    type: Literal["median"]
    measure: Measure
    value: Number | Literal["NR", "NE"] | None = None
    interval: OpenInterval | None = None
    spread: Literal["confidence_interval", "quartiles", "range"] = "confidence_interval"
    unit: Literal["months", "weeks", "days"] = "months"


class HazardRatioClaim(Claim):
    """Hazard of `group` over that of `reference`, and the risk reduction that is quoted for it."""

    type: Literal["hazard_ratio"]
    measure: Measure
    reference: GroupName = ""
    value: Number
    interval: Interval | None = None
    risk_reduction: Percent | None = None


class PValueClaim(Claim):
    """A p value with the counts of both groups, where they are printed."""

    type: Literal["p_value"]
    measure: Measure
    reference: GroupName = ""
    value: Annotated[str, Field(pattern=r"^[<=]? ?[01]?\.[0-9]{1,9}$", examples=["0.0145"])]
    k: Patients | None = None
    n: Patients | None = None
    other_k: Patients | None = None
    other_n: Patients | None = None


class EnrollmentClaim(Claim):
    """How many were planned, where the source says so, and how many were enrolled."""

    type: Literal["enrollment"]
    planned: Patients | None = None
    enrolled: Patients


class TimeOriginClaim(Claim):
    """From when time is counted, in the source's words."""

    type: Literal["time_origin"]
    measure: Measure
    wording: Label


AnyClaim = Annotated[
    ProportionClaim
    | RateClaim
    | CategoriesClaim
    | MedianClaim
    | HazardRatioClaim
    | PValueClaim
    | EnrollmentClaim
    | TimeOriginClaim,
    Field(discriminator="type"),
]


class PublishedResults(_Document):
    """A publication: where it stands, what was done with whom, and what it claims."""

    citation: Words = ""
    journal: Words = ""
    pmid: Annotated[str, Field(pattern=r"^([1-9][0-9]{0,8})?$", examples=["37767191"])] = ""
    pmcid: Annotated[str, Field(pattern=r"^(PMC[1-9][0-9]{0,8})?$", examples=["PMC10520347"])] = ""
    doi: Annotated[
        str,
        Field(pattern=r"^(10\..+/.+)?$", max_length=200, examples=["10.2147/IJGM.S379269"]),
    ] = ""
    nct_id: Annotated[str, Field(pattern=r"^(NCT[0-9]{8})?$", examples=["NCT03890068"])] = ""
    source: Words = ""
    design: Words = ""
    randomized: bool | None = None
    setting: Words = ""
    regimen: Words = ""
    note: Words = ""
    n: Patients | None = None
    groups: Annotated[list[Group], Field(max_length=50)] = []
    claims: Annotated[list[AnyClaim], Field(max_length=MAX_CLAIMS)] = []

    @classmethod
    def parse(cls, document: Any) -> Self:
        """A JSON document as a value; "28" or 1.0 are no counts.

        Raises pydantic's ValidationError, or LooseEnds.
        """
        found = cls.model_validate_json(json.dumps(document), strict=True)
        if ends := list(_loose_ends(found)):
            raise LooseEnds(ends)
        return found

    def as_document(self) -> dict[str, Any]:
        """The publication as JSON, with every key: equal publications are equal documents."""
        return self.model_dump(mode="json")


class LooseEnd(StrEnum):
    """What is wrong with a name in a document that is otherwise well formed."""

    TWICE = "twice"
    UNKNOWN_GROUP = "unknown_group"


Place = tuple[str | int, ...]


class LooseEnds(ValueError):
    """Names that stand twice, or groups that are named but not listed; each with its place."""

    def __init__(self, ends: list[tuple[Place, LooseEnd]]) -> None:
        super().__init__(f"{len(ends)} loose ends")
        self.ends = ends


def place(location: Place) -> Place:
    """Where an error is in the document: pydantic also names the type of a claim, JSON does not.

    Nor does it name the alternatives of a value that is a number or a code.
    """
    if location[:1] != ("claims",):
        return location
    found = location[:2] + location[3:]
    return found[:3] if found[2:3] == ("value",) else found


def _loose_ends(found: PublishedResults) -> Iterator[tuple[Place, LooseEnd]]:
    yield from _twice("groups", "name", [group.name for group in found.groups])
    yield from _twice("claims", "id", [claim.id for claim in found.claims])
    known = {"", *(group.name for group in found.groups)}
    for index, claim in enumerate(found.claims):
        for key in ("group", "reference"):
            if getattr(claim, key, "") not in known:
                yield ("claims", index, key), LooseEnd.UNKNOWN_GROUP


def _twice(key: str, name: str, values: list[str]) -> Iterator[tuple[Place, LooseEnd]]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield (key, index, name), LooseEnd.TWICE
