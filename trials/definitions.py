"""Endpoint definitions as data: what ORR, DCR, PFS and OS mean in one trial.

Every key has the default that METHODS.md gives it; an unknown key or value is refused.
"""

import json
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_serializer,
    field_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo


class EndpointKind(StrEnum):
    """The endpoints this registry computes, and OTHER: one that it only holds."""

    ORR = "ORR"
    DCR = "DCR"
    CBR = "CBR"
    PFS = "PFS"
    OS = "OS"
    DOR = "DOR"
    TTR = "TTR"
    OTHER = "OTHER"


class TimeOrigin(StrEnum):
    """The day from which a duration is counted (day 1)."""

    FIRST_DOSE = "first_dose"
    ENROLLMENT = "enrollment"
    RANDOMIZATION = "randomization"


class Population(StrEnum):
    """Who is in the denominator."""

    ENROLLED = "enrolled"
    EVALUABLE = "evaluable"
    SAFETY = "safety"
    PER_PROTOCOL = "per_protocol"


class CensoringRule(StrEnum):
    """Which circumstances censor progression-free survival before an event."""

    LAST_PROGRESSION_FREE = "last_progression_free"
    FDA = "fda"
    EMA = "ema"


class CensorAt(StrEnum):
    """Which assessments count for a censoring date and for a gap."""

    LAST_EVALUABLE = "last_evaluable"
    LAST_ANY = "last_any"


class TherapyKind(StrEnum):
    """Kinds of subsequent anticancer therapy."""

    SYSTEMIC = "systemic"
    RADIOTHERAPY = "radiotherapy"
    SURGERY = "surgery"


class ProportionInterval(StrEnum):
    """Interval of a response rate."""

    CLOPPER_PEARSON = "clopper-pearson"
    WILSON = "wilson"
    WALD = "wald"


class SurvivalInterval(StrEnum):
    """Interval of a median; `spss` changes the median's interval only."""

    LOG_LOG = "log-log"
    LOG = "log"
    PLAIN = "plain"
    SPSS = "spss"


IRECIST = "iRECIST"
Criteria = Literal["RECIST 1.1", "iRECIST"]
Days = Annotated[int, Field(ge=0, le=3650, strict=True)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Confirmation(_Document):
    """RECIST 1.1 confirmation of a response (Eisenhauer 2009, section 4.4; METHODS.md, 5)."""

    required: Annotated[bool, Field(strict=True)] = True
    min_days: Days = 28
    max_not_evaluable_between: Annotated[int, Field(ge=0, le=100, strict=True)] = 1
    allow_stable_between: Annotated[bool, Field(strict=True)] = False


class Censoring(_Document):
    """How progression-free survival is censored (METHODS.md, 6)."""

    rule: CensoringRule = CensoringRule.LAST_PROGRESSION_FREE
    censor_at: CensorAt = CensorAt.LAST_EVALUABLE
    therapies: frozenset[TherapyKind] = frozenset({TherapyKind.SYSTEMIC})

    @field_serializer("therapies")
    def _in_order(self, therapies: frozenset[TherapyKind]) -> list[str]:
        return sorted(therapies)


class EndpointDefinition(_Document):
    """One endpoint's rules; `EndpointDefinition()` is the default of every kind."""

    time_origin: TimeOrigin = TimeOrigin.FIRST_DOSE
    population: Population = Population.ENROLLED
    criteria: Criteria = "RECIST 1.1"
    confirmation: Confirmation = Confirmation()
    min_stable_days: Days = 42
    min_benefit_days: Days = 168
    censoring: Censoring = Censoring()
    proportion_interval: ProportionInterval = ProportionInterval.CLOPPER_PEARSON
    survival_interval: SurvivalInterval = SurvivalInterval.LOG_LOG
    confidence_level: Annotated[float, Field(gt=0.5, le=0.9999)] = 0.95

    @field_validator("confirmation")
    @classmethod
    def _unconfirmed_by_irecist(cls, said: Confirmation, info: ValidationInfo) -> Confirmation:
        if said.required and info.data.get("criteria") == IRECIST:
            message = "By iRECIST no response needs confirmation: required is false."
            raise PydanticCustomError("confirmation_by_irecist", message)
        return said

    @property
    def immune(self) -> bool:
        """Whether responses and progression are those of iRECIST (METHODS.md, 8)."""
        return self.criteria == IRECIST

    @classmethod
    def parse(cls, document: Any) -> Self:
        """A JSON document as a value; raises pydantic's ValidationError, also for "28" or 1.0.

        By iRECIST no response needs confirmation (Seymour 2017, table 3), so there the default of
        `confirmation.required` is false.
        """
        if isinstance(document, dict) and document.get("criteria") == IRECIST:
            document = {"confirmation": {"required": False}} | document
        return cls.model_validate_json(json.dumps(document), strict=True)

    def as_document(self) -> dict[str, Any]:
        """The definition as JSON, with every key: equal definitions are equal documents."""
        return self.model_dump(mode="json")


TIMES = (EndpointKind.PFS, EndpointKind.OS, EndpointKind.DOR, EndpointKind.TTR)


def misfit(kind: str, definition: EndpointDefinition) -> str | None:
    """The key that means nothing of this kind of endpoint, so that nobody may write it; else None.

    Death is death by any criteria. SPSS style is median +- 1.96 SE, literally (METHODS.md, 7), and
    SPSS prints no other level. What is stored loads all the same.
    """
    if kind == EndpointKind.OS and definition.immune:
        return "criteria"
    spss = definition.survival_interval is SurvivalInterval.SPSS
    if kind in TIMES and spss and definition.confidence_level != 0.95:
        return "survival_interval"
    return None
