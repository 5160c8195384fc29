"""What an audit of a publication says: codes with parameters, worded in the reader's language."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from outcomes.methods.printed import Figure
from trials.publications import (
    AnyClaim,
    HazardRatioClaim,
    ProportionClaim,
    PublishedResults,
)

Parameters = dict[str, str | int]
Said = tuple["Severity", str, Parameters]  # a finding before it is known of which claim


class Severity(StrEnum):
    """What a finding means, the gravest first."""

    CONTRADICTION = "contradiction"  # the printed numbers cannot all be right
    DISCREPANCY = "discrepancy"  # two sources, or print and recomputation, differ
    REMARK = "remark"  # a method identified, denominators that differ by design, hints
    CONSISTENT = "consistent"  # recomputed, and it fits


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that recomputing a claim showed; `pointer` is a JSON Pointer into the document."""

    severity: Severity
    code: str
    pointer: str = ""
    claim: str = ""
    parameters: Parameters = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What a registry says of an endpoint."""

    kind: str
    wording: str = ""
    time_frame: str = ""


@dataclass(frozen=True, slots=True)
class TrialFacts:
    """What a trial's registry entry says, as far as a publication can differ from it."""

    registry_id: str
    enrollment_target: int | None = None
    allocation: str = ""
    endpoints: tuple[EndpointFacts, ...] = ()


class Elsewhere:
    """Figures that other publications print, found by value: hints where a number may come from."""

    def __init__(self, publications: Iterable[tuple[str, PublishedResults]] = ()) -> None:
        self.publications = list(publications)

    @cached_property
    def _fractions(self) -> dict[tuple[int, int], list[str]]:
        found: dict[tuple[int, int], list[str]] = {}
        for key, publication in self.publications:
            for claim in publication.claims:
                n = patients(publication, claim)
                if isinstance(claim, ProportionClaim) and n and claim.k is not None:
                    found.setdefault((claim.k, n), []).append(key)
        return found

    @cached_property
    def _ratios(self) -> list[tuple[str, str]]:
        return [
            (key, claim.value)
            for key, publication in self.publications
            for claim in publication.claims
            if isinstance(claim, HazardRatioClaim)
        ]

    def fractions(self, percent: Figure, own: str) -> Iterator[tuple[str, int, int]]:
        """Publications, but `own`, whose printed k of n is this percentage."""
        for (k, n), keys in self._fractions.items():
            if percent.rounds(Fraction(100 * k, n)):
                yield from ((key, k, n) for key in keys if key != own)

    def hazard_ratios(self, reduction: Figure, own: str) -> Iterator[tuple[str, str]]:
        """Publications, but `own`, with a hazard ratio that is this risk reduction."""
        for key, value in self._ratios:
            if key != own and reduces(Figure.of(value), reduction):
                yield key, value


def reduces(ratio: Figure, reduction: Figure) -> bool:
    """Whether a risk reduction in percent is 1 - hazard ratio, both rounded."""
    return abs(100 * (1 - ratio.value) - reduction.value) <= reduction.half + 100 * ratio.half


def patients(publication: PublishedResults, claim: AnyClaim) -> int | None:
    """The denominator: printed with the claim, else the group's, else everybody."""
    printed = getattr(claim, "n", None)
    if printed is not None:
        return int(printed)
    if not claim.group:
        return publication.n
    return next((group.n for group in publication.groups if group.name == claim.group), None)
