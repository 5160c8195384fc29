"""Facts -> an endpoint in every group of patients: one value for the page, the figure and the API.

Groups are described, not compared with each other: nothing here tests an interaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from outcomes.arms import ComparedArm, NoComparison
from outcomes.characteristics import ARM, STRATA, UNKNOWN
from outcomes.methods.comparison import ComparisonReason, HazardRatio
from outcomes.methods.survival import MissingReason
from outcomes.report import building
from outcomes.report.values import Declared, Options, Rate, Survival
from trials import as_known
from trials.definitions import EndpointKind

if TYPE_CHECKING:
    from outcomes.queries import PatientFacts
    from outcomes.report.building import _Builder, _Known
    from registry.models import User
    from trials.models import Trial

FEWEST = 5  # patients: of fewer no time and no ratio is estimated
RATES = (EndpointKind.ORR, EndpointKind.DCR, EndpointKind.CBR)
TIMES = (EndpointKind.PFS, EndpointKind.OS, EndpointKind.DOR)


class ForestMeasure(StrEnum):
    """What is estimated in each group."""

    RATE = "rate"
    MEDIAN = "median"
    HAZARD_RATIO = "hazard_ratio"


class NotShown(StrEnum):
    """Why a group has no estimate although one could be computed."""

    TOO_FEW = "too_few"
    NO_EVENTS = "no_events"


Reason = MissingReason | ComparisonReason | NotShown


@dataclass(frozen=True)
class Choice:
    """Which endpoint is shown, and what of it."""

    endpoint: EndpointKind = EndpointKind.ORR
    measure: ForestMeasure = ForestMeasure.RATE


@dataclass(frozen=True, slots=True)
class Estimate:
    """One line of a forest plot: a fraction, days, or a ratio.

    `events` are responders, or patients with an event; `arm` is the one over the reference.
    """

    n: int
    events: int
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: Reason | None = None
    lower_reason: MissingReason | None = None
    upper_reason: MissingReason | None = None
    arm: ComparedArm | None = None

    @property
    def small(self) -> bool:
        """Whether it is a rate of so few that nothing else would be estimated of them."""
        return self.estimate is not None and self.n < FEWEST


@dataclass(frozen=True)
class Subgroup:
    """A group of patients: what is estimated of it, and the endpoints that its table shows."""

    name: str
    estimates: tuple[Estimate, ...]
    response: Rate
    survivals: Mapping[EndpointKind, Survival]


@dataclass(frozen=True)
class Forest:
    """An endpoint over all patients and over the groups of each characteristic."""

    trial: Trial
    options: Options
    endpoint: Declared
    measure: ForestMeasure
    arms: tuple[ComparedArm, ...]
    no_comparison: NoComparison | None
    whole: Subgroup
    characteristics: tuple[tuple[str, tuple[Subgroup, ...]], ...]

    @property
    def n(self) -> int:
        """Patients in the endpoint's population."""
        if self.measure is ForestMeasure.RATE:
            return self.whole.estimates[0].n
        found = self.whole.survivals[self.endpoint.kind]
        return found.n + found.no_time_origin


def build(trial: Trial, *, user: User, options: Options, choice: Choice) -> Forest:
    """Estimate an endpoint in each group of the characteristic asked for, else of every one.

    Raises KeyError for an endpoint that the trial does not have.
    """
    past = as_known.trial_as_known(trial, options.known_on)
    read = building.read(past, user=user, options=options)
    (found,) = compute(past, options, *read, choices=[choice])
    return found


def compute(
    trial: Trial,
    options: Options,
    endpoints: Sequence[Declared],
    facts: Iterable[PatientFacts],
    *,
    choices: Sequence[Choice],
) -> list[Forest]:
    """Several endpoints in each group, of what was read."""
    builder, known = building.prepared(trial, options, endpoints, facts)
    return [_forest(builder, known, choice) for choice in choices]


def _forest(builder: _Builder, known: Sequence[_Known], choice: Choice) -> Forest:
    trial, options = builder.trial, builder.options
    compared = builder.compared(known)
    arms = () if isinstance(compared, NoComparison) else compared
    groups = _Groups(builder, choice, arms)
    return Forest(
        trial=trial,
        options=options,
        endpoint=builder.first[choice.endpoint],
        measure=choice.measure,
        arms=arms,
        no_comparison=compared if isinstance(compared, NoComparison) else None,
        whole=groups.group("", known),
        characteristics=tuple(
            (by, tuple(groups.group(name, of) for name, of in building.grouped(known, by)))
            for by in _characteristics(options, choice, arms)
        ),
    )


def _characteristics(
    options: Options, choice: Choice, arms: Sequence[ComparedArm]
) -> tuple[str, ...]:
    """All of them unless one is asked for; the arm where there are several to be seen."""
    if options.group_by:
        return (options.group_by,)
    several = bool(arms) and choice.measure is not ForestMeasure.HAZARD_RATIO
    return (ARM, *STRATA) if several else STRATA


def recorded(groups: Sequence[Subgroup]) -> bool:
    """Whether anything is known that tells the patients apart."""
    return any(group.name != UNKNOWN for group in groups)


@dataclass(frozen=True)
class _Groups:
    builder: _Builder
    choice: Choice
    arms: Sequence[ComparedArm]

    def group(self, name: str, known: Sequence[_Known]) -> Subgroup:
        first = self.builder.first
        kinds = {EndpointKind.PFS, EndpointKind.OS} | ({self.choice.endpoint} & set(TIMES))
        return Subgroup(
            name=name,
            estimates=tuple(self.estimates(known)),
            response=self.builder.rate(first[EndpointKind.ORR], known),
            survivals={kind: self.builder.survival(first[kind], known) for kind in sorted(kinds)},
        )

    def estimates(self, known: Sequence[_Known]) -> Iterator[Estimate]:
        endpoint = self.builder.first[self.choice.endpoint]
        if self.choice.measure is ForestMeasure.RATE:
            yield rate_estimate(self.builder.rate(endpoint, known))
        elif self.choice.measure is ForestMeasure.MEDIAN:
            yield median_estimate(self.builder.survival(endpoint, known))
        elif self.arms:
            yield from self.ratios(known)

    def ratios(self, known: Sequence[_Known]) -> Iterator[Estimate]:
        """Each further arm over the reference, both within the group."""
        kind = self.choice.endpoint
        by_arm = [[k for k in known if k.facts.arm_id == arm.id] for arm in self.arms]
        found = self.builder.compared_survival(kind, by_arm).cox.ratios
        for arm, ratio, patients in zip(self.arms[1:], found, by_arm[1:], strict=True):
            yield ratio_estimate(arm, ratio, *self.counted([*by_arm[0], *patients]))

    def counted(self, known: Sequence[_Known]) -> tuple[int, int]:
        """How many have a time, and how many an event."""
        endpoint = self.builder.first[self.choice.endpoint]
        times = [self.builder.time(endpoint, k) for k in self.builder.members(endpoint, known)]
        found = [time for time in times if time is not None]
        return len(found), sum(time.event for time in found)


def rate_estimate(found: Rate) -> Estimate:
    """A rate with its interval, clipped to [0, 1]."""
    rate = found.proportion.clipped
    return Estimate(rate.n, rate.k, rate.estimate, rate.lower, rate.upper, rate.reason)


def median_estimate(found: Survival) -> Estimate:
    """A median with its interval, in days."""
    if found.n < FEWEST:
        return Estimate(found.n, found.events, reason=NotShown.TOO_FEW)
    if not found.events:
        return Estimate(found.n, 0, reason=NotShown.NO_EVENTS)
    median = found.median
    return Estimate(
        found.n, found.events, median.estimate, median.lower, median.upper,
        median.estimate_reason, median.lower_reason, median.upper_reason,
    )  # fmt: skip


def ratio_estimate(arm: ComparedArm, found: HazardRatio, n: int, events: int) -> Estimate:
    """A hazard ratio with its interval."""
    if n < FEWEST:
        return Estimate(n, events, reason=NotShown.TOO_FEW, arm=arm)
    if not events:
        return Estimate(n, events, reason=NotShown.NO_EVENTS, arm=arm)
    return Estimate(n, events, found.estimate, found.lower, found.upper, found.reason, arm=arm)
