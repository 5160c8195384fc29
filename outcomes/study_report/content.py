"""What a trial's report says: the outcomes with their methods, flow, safety and every censoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from django.utils import timezone

from outcomes import canonical, flow, report, safety
from outcomes.analyses import inputs
from outcomes.analyses.inputs import Inputs
from outcomes.arms import Comparison
from outcomes.flow import FlowReport
from outcomes.options import by_arm
from outcomes.report import Options, Report, subgroups
from outcomes.report.subgroups import Choice, Forest, ForestMeasure
from outcomes.safety import SafetyReport
from outcomes.statistics.options import FURTHER, completed
from outcomes.study_report import methods_section
from outcomes.study_report.methods_section import Methods
from patients.treatment import Treated
from registry import database
from trials.definitions import EndpointKind

if TYPE_CHECKING:
    from registry.models import User
    from trials.models import Trial


@dataclass(frozen=True)
class Ended:
    """How many patients' times end for one reason, with an event or censored."""

    code: str
    event: bool
    patients: int


@dataclass(frozen=True)
class StudyReport:
    """One trial at one cutoff as one reader may see it; all of it read from one snapshot."""

    inputs: Inputs
    report: Report
    forests: tuple[Forest, ...]
    flow: FlowReport
    safety: SafetyReport
    exposure: tuple[Treated, ...]
    methods: Methods
    made_at: datetime

    @property
    def trial(self) -> Trial:
        """Whose report it is."""
        return self.report.trial

    @cached_property
    def inputs_sha256(self) -> str:
        """The digest of what the figures and tables are computed of.

        It is that of an analysis frozen with these options at this moment, in every language, and
        costs no second report: a page need not make the JSON to print it.
        """
        return canonical.sha256(canonical.text(self.inputs))

    def ends(self, kind: EndpointKind) -> list[Ended]:
        """Why the times of the endpoint's own population end, the most frequent reason first."""
        times = self.report.whole.survivals[kind].times
        found = Counter((time.reason.code, time.event) for _facts, time in times)
        return [Ended(code, event, n) for (code, event), n in found.most_common()]


def with_defaults(options: Options, query: Mapping[str, str], trial: Trial) -> Options:
    """What a report shows where its reader does not say: arms apart, and all statistics."""
    return completed(by_arm(options, query, trial), query)


def build(trial: Trial, *, user: User, options: Options) -> StudyReport:
    """Read and compute everything once."""
    with database.snapshot():
        known = inputs.read(trial, user=user, options=options)
        flowed = flow.build(trial, user=user, cutoff=options.cutoff, known_on=options.known_on)
    trial = known.as_trial()
    endpoints = report.completed(known.endpoints, FURTHER)
    found = report.compute(trial, options, endpoints, known.patients)
    assert known.safety is not None
    events, exposure = safety.compute(
        trial, known.safety, cutoff=options.cutoff, known_on=options.known_on
    )
    return StudyReport(
        inputs=known,
        report=found,
        forests=tuple(_forests(found, known)),
        flow=flowed,
        safety=events,
        exposure=tuple(exposure),
        methods=methods_section.written(found),
        made_at=timezone.now(),
    )


def _forests(found: Report, known: Inputs) -> list[Forest]:
    """The first ORR and PFS in the groups of every characteristic: PFS by arm where there are two."""
    compared = isinstance(found.comparison, Comparison)
    of_times = ForestMeasure.HAZARD_RATIO if compared else ForestMeasure.MEDIAN
    choices = [Choice(EndpointKind.ORR, ForestMeasure.RATE), Choice(EndpointKind.PFS, of_times)]
    options = replace(found.options, group_by=None)
    return subgroups.compute(found.trial, options, known.endpoints, known.patients, choices=choices)
