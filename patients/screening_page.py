"""What the screening pages show: results grouped, the log's lines, the steps to an enrollment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import models
from django.db.models import (
    Case,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    prefetch_related_objects,
)
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patients.gate import Standing
from patients.judging import failing
from patients.models import Conclusion, Deviation, Screening
from patients.screening_forms import criterion_label
from patients.screening_wording import notes, reasons_beside, summary
from trials.eligibility import Result

WORDS = {
    Result.NOT_MET: ("✗", gettext_lazy("Not met"), "danger"),
    Result.UNKNOWN: ("?", gettext_lazy("Unknown"), "warning"),
    Result.MET: ("✓", gettext_lazy("Met"), "success"),
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


class Status(models.TextChoices):
    """What became of a screening, besides its conclusion."""

    ENROLLED = "enrolled", gettext_lazy("enrolled")
    SUPERSEDED = "superseded", gettext_lazy("superseded")


STATUSES = [*Conclusion.choices, *Status.choices]


def with_status(rows: QuerySet[Screening]) -> QuerySet[Any]:
    """Each with `status`, one of STATUSES.

    An enrollment rests on the latest screening on or before its day; who is not enrolled yet stands
    by the latest. Earlier ones are superseded; a screen failure stays one.
    """
    window = Q(patient__enrolled_on=None) | Q(screened_on__lte=F("patient__enrolled_on"))
    same = Screening.objects.active().filter(window, patient=OuterRef("patient"))
    latest = same.order_by("-screened_on", "-pk").values("pk")[:1]
    return rows.alias(latest=Subquery(latest)).annotate(
        status=Case(
            When(conclusion=Conclusion.FAILED, then=Value(Conclusion.FAILED.value)),
            When(~Q(pk=F("latest")) & window, then=Value(Status.SUPERSEDED.value)),
            When(
                pk=F("latest"),
                patient__enrolled_on__isnull=False,
                then=Value(Status.ENROLLED.value),
            ),
            default=F("conclusion"),
            output_field=models.CharField(),
        )
    )


@dataclass(frozen=True)
class LogLine:
    """A screening in a list of screenings, with its results in a sentence."""

    screening: Screening
    status: str
    summary: str
    warning: str = ""


def log_lines(rows: Iterable[Screening]) -> list[LogLine]:
    """Screenings of `with_status` with what became of them: one statement for their deviations."""
    found, deviations = list(rows), Deviation.objects.filter(voided_at=None)
    prefetch_related_objects(found, Prefetch("patient__deviations", deviations))
    return [_log_line(screening) for screening in found]


def _log_line(screening: Screening) -> LogLine:
    line = partial(LogLine, screening, summary=summary(screening.results))
    status = getattr(screening, "status")  # noqa: B009 (an annotation of with_status)
    if status == Conclusion.FAILED:
        why = screening.get_failure_reason_display()
        return line(f"{screening.get_conclusion_display()}: {why}")
    if status == Status.ENROLLED:
        return line(_enrolled(screening), warning=_by_now(screening))
    return line(str(dict(STATUSES)[status]))


def _enrolled(screening: Screening) -> str:
    """ "enrolled 2024-03-03 with 1 deviation"."""
    count = len(_covered(screening) & {r["criterion"] for r in failing(screening.results)})
    said = _("enrolled %s") % screening.patient.enrolled_on
    if not count:
        return said
    return f"{said} {ngettext('with %d deviation', 'with %d deviations', count) % count}"


def _by_now(screening: Screening) -> str:
    """What a later correction has left of the eligibility that the enrollment rests on."""
    covered = _covered(screening)
    left = {r["result"] for r in failing(screening.results) if r["criterion"] not in covered}
    if Result.NOT_MET in left:
        return _("not met by now")
    return _("unknown by now") if left else ""


def _covered(screening: Screening) -> set[int]:
    """The criteria that a deviation covers, from the screening to the enrollment."""
    patient = screening.patient
    return {
        deviation.criterion_id
        for deviation in patient.deviations.all()
        if deviation.criterion_id
        and patient.enrolled_on
        and screening.screened_on <= deviation.occurred_on <= patient.enrolled_on
    }
