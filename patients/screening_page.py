"""What the screening pages show: results grouped, the log's lines, the steps to an enrollment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from patients.gate import Standing
from patients.models import Conclusion, Deviation, Screening
from patients.screening_forms import criterion_label
from patients.screening_wording import notes, reasons_beside, summary
from trials.eligibility import Result

WORDS = {
    Result.NOT_MET: ("✗", _l("Not met"), "danger"),
    Result.UNKNOWN: ("?", _l("Unknown"), "warning"),
    Result.MET: ("✓", _l("Met"), "success"),
}


@dataclass(frozen=True)
class CriterionLine:
    """A criterion with its result in words."""

    pk: int
    label: str
    text: str
    reasons: tuple[str, ...]
    deviation: Deviation | None = None

    @classmethod
    def of(cls, result: Mapping[str, Any], deviation: Deviation | None = None) -> CriterionLine:
        """A stored or a fresh result."""
        label = criterion_label(result["kind"], result["number"])
        why = tuple(reasons_beside(result))
        return cls(result["criterion"], label, result["text"], why, deviation)


@dataclass(frozen=True)
class ResultGroup:
    """The criteria of one result: what fails first."""

    key: str
    icon: str
    word: str
    color: str
    lines: tuple[CriterionLine, ...]

    @property
    def open(self) -> bool:
        """What is met need not be read."""
        return self.key != Result.MET

    @property
    def short(self) -> bool:
        """Whether it takes no more than a glance."""
        return self.open and len(self.lines) <= 5


@dataclass(frozen=True)
class ResultPanel:
    """All criteria, grouped, with the summary and what is to be noted of the values."""

    summary: str
    groups: tuple[ResultGroup, ...]
    notes: tuple[str, ...]


def result_panel(
    results: Sequence[Mapping[str, Any]], standing: Standing | None = None
) -> ResultPanel:
    """Results in words; with the deviations that cover them, where the patient's are given."""
    groups = []
    for result, (icon, word, color) in WORDS.items():
        found = [one for one in results if one["result"] == result]
        lines = [
            CriterionLine.of(one, standing.deviation_from(one["criterion"]) if standing else None)
            for one in found
        ]
        if lines:
            groups.append(ResultGroup(result.value, icon, str(word), color, tuple(lines)))
    noted = dict.fromkeys(said for one in results for said in notes(one))
    return ResultPanel(summary(results), tuple(groups), tuple(noted))


@dataclass(frozen=True)
class LogLine:
    """A screening in the log of its trial."""

    screening: Screening
    summary: str

    @property
    def status(self) -> str:
        """Enrolled, or how the screening stands."""
        patient = self.screening.patient
        if patient.enrolled_on and self.screening.conclusion != Conclusion.FAILED:
            return _("enrolled %s") % patient.enrolled_on
        if self.screening.conclusion == Conclusion.FAILED:
            why = self.screening.get_failure_reason_display()
            return f"{self.screening.get_conclusion_display()}: {why}"
        return self.screening.get_conclusion_display()


def log_line(screening: Screening) -> LogLine:
    """A screening with its results in a sentence."""
    return LogLine(screening, summary(screening.results))
