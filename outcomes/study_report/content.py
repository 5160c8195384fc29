"""What a trial's report says: the outcomes with their methods, flow, safety and every censoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from outcomes import flow, report, safety
from outcomes.flow import FlowReport
from outcomes.methods.time_to_event import TimeToEvent
from outcomes.models import METHODS_VERSION
from outcomes.report import Options, PatientOutcome, Report
from outcomes.safety import SafetyReport
from outcomes.study_report import methods_section
from outcomes.study_report.methods_section import Methods
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

    report: Report
    flow: FlowReport
    safety: SafetyReport
    methods: Methods
    made_at: datetime
    methods_version: int

    @property
    def trial(self) -> Trial:
        """Whose report it is."""
        return self.report.trial

    def ends(self, kind: EndpointKind) -> list[Ended]:
        """Why the patients' times of PFS or OS end, the most frequent reason first."""
        found = Counter((t.reason.code, t.event) for t in _times(self.report.patients, kind))
        return [Ended(code, event, n) for (code, event), n in found.most_common()]


def build(trial: Trial, *, user: User, options: Options) -> StudyReport:
    """Read and compute everything once."""
    with database.snapshot():
        found = report.build(trial, user=user, options=options)
        flowed = flow.build(trial, user=user, cutoff=options.cutoff, known_on=options.known_on)
        events = safety.build(trial, user=user, cutoff=options.cutoff, known_on=options.known_on)
    return StudyReport(
        report=found,
        flow=flowed,
        safety=events,
        methods=methods_section.written(found),
        made_at=timezone.now(),
        methods_version=METHODS_VERSION,
    )


def _times(patients: Iterable[PatientOutcome], kind: EndpointKind) -> list[TimeToEvent]:
    times = [p.progression_free if kind is EndpointKind.PFS else p.overall for p in patients]
    return [time for time in times if time]
