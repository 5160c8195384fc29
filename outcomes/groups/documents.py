"""An endpoint by groups of patients, as JSON and as CSV: never rounded, every gap with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from outcomes.arms import NoComparison
from outcomes.methods.comparison import ComparisonReason, Ties
from outcomes.methods.survival import MissingReason
from outcomes.report.document_types import DefinitionDocument, Level, PopulationDocument
from outcomes.report.documents import moment
from outcomes.report.subgroups import FEWEST, Estimate, Forest, ForestMeasure, NotShown, Subgroup
from registry.documents import CalendarDate, Count, Moment
from trials.definitions import EndpointKind, ProportionInterval, SurvivalInterval

Characteristic = Literal["arm", "histology", "site", "sex", "ecog", "age_band", "prior_lines"]
Unit = Literal["fraction", "days", "ratio"]
UNITS: dict[ForestMeasure, Unit] = {
    ForestMeasure.RATE: "fraction",
    ForestMeasure.MEDIAN: "days",
    ForestMeasure.HAZARD_RATIO: "ratio",
}


class EstimateDocument(TypedDict):
    """One line of the forest plot."""

    arm: Annotated[str | None, Field(description="Of a hazard ratio: the arm over the reference.")]
    reference: str | None
    n: Annotated[Count, Field(description="Patients that the estimate is of.")]
    events: Annotated[Count, Field(description="Responders, or patients with an event.")]
    estimate: float | None
    lower: float | None
    upper: float | None
    estimate_reason: Annotated[
        MissingReason | ComparisonReason | NotShown | None,
        Field(
            description=f"`too_few`: of fewer than {FEWEST} patients neither a time nor a ratio is"
            " estimated; a rate is."
        ),
    ]
    lower_reason: MissingReason | None
    upper_reason: MissingReason | None


class SubgroupDocument(TypedDict):
    """A group of patients; a hazard ratio has a line for each further arm."""

    group: str
    estimates: list[EstimateDocument]


class CharacteristicDocument(TypedDict):
    """The groups of one characteristic; together they hold every patient once."""

    characteristic: Characteristic
    groups: list[SubgroupDocument]


class ForestDocument(TypedDict):
    """An endpoint over all patients and by group. No interaction is tested or claimed."""

    trial: Annotated[str, Field(description="The trial's registry id.")]
    cutoff: CalendarDate
    known_on: Moment | None
    synthetic: Annotated[bool, Field(description="Whether the patients are made up.")]
    population: PopulationDocument
    endpoint: EndpointKind
    name: str
    measure: ForestMeasure
    unit: Unit
    interval: Annotated[
        ProportionInterval | SurvivalInterval | Literal["wald"],
        Field(description="Of a hazard ratio: wald, on the scale of its logarithm."),
    ]
    confidence_level: Level
    ties: Annotated[Ties | None, Field(description="Of a hazard ratio.")]
    comparison_reason: Annotated[
        NoComparison | None, Field(description="Why there are no hazard ratios.")
    ]
    overall: list[EstimateDocument]
    characteristics: list[CharacteristicDocument]
    definition: DefinitionDocument


def forest_document(found: Forest) -> ForestDocument:
    """The whole forest."""
    definition, ratio = found.endpoint.definition, found.measure is ForestMeasure.HAZARD_RATIO
    return {
        "trial": found.trial.registry_id,
        "cutoff": found.options.cutoff.isoformat(),
        "known_on": moment(found.options.known_on),
        "synthetic": found.trial.synthetic,
        "population": {"name": definition.population, "n": found.n},
        "endpoint": found.endpoint.kind,
        "name": found.endpoint.name,
        "measure": found.measure,
        "unit": UNITS[found.measure],
        "interval": _interval(found),
        "confidence_level": definition.confidence_level,
        "ties": found.options.ties if ratio else None,
        "comparison_reason": found.no_comparison if ratio else None,
        "overall": _estimates(found, found.whole),
        "characteristics": [
            {
                "characteristic": by,  # type: ignore[typeddict-item]  # one of GROUPS
                "groups": [
                    {"group": group.name, "estimates": _estimates(found, group)} for group in groups
                ],
            }
            for by, groups in found.characteristics
        ],
        "definition": definition.as_document(),
    }


def _interval(found: Forest) -> ProportionInterval | SurvivalInterval | Literal["wald"]:
    definition = found.endpoint.definition
    if found.measure is ForestMeasure.HAZARD_RATIO:
        return "wald"
    rate = found.measure is ForestMeasure.RATE
    return definition.proportion_interval if rate else definition.survival_interval


def _estimates(found: Forest, group: Subgroup) -> list[EstimateDocument]:
    return [_estimate(found, one) for one in group.estimates]


def _estimate(found: Forest, one: Estimate) -> EstimateDocument:
    return {
        "arm": one.arm.name if one.arm else None,
        "reference": found.arms[0].name if one.arm else None,
        "n": one.n,
        "events": one.events,
        "estimate": one.estimate,
        "lower": one.lower,
        "upper": one.upper,
        "estimate_reason": one.reason,
        "lower_reason": one.lower_reason,
        "upper_reason": one.upper_reason,
    }


TOLD = (
    "trial", "cutoff", "known_on", "endpoint", "name", "measure", "unit", "interval",
    "confidence_level",
)  # fmt: skip
COLUMNS = (*TOLD, "population", "characteristic", "group", *EstimateDocument.__annotations__)


def forest_rows(document: ForestDocument) -> Iterator[dict[str, Any]]:
    """An estimate per line; characteristic and group are blank for all patients."""
    told: dict[str, Any] = {key: document[key] for key in TOLD}  # type: ignore[literal-required]
    told["population"] = document["population"]["name"]
    for one in document["overall"]:
        yield told | one
    for characteristic in document["characteristics"]:
        of = told | {"characteristic": characteristic["characteristic"]}
        for group in characteristic["groups"]:
            yield from (of | {"group": group["group"]} | one for one in group["estimates"])
