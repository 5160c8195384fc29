"""Where the patients of a report are, and the lists behind its numbers: always with its options.

What a reader chose decides how a patient is folded, so no link to a patient leaves it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from outcomes.models import INVESTIGATOR
from outcomes.options import as_query, today

if TYPE_CHECKING:
    from outcomes.methods.time_to_event import Source
    from outcomes.models import Analysis
    from outcomes.queries import PatientFacts
    from outcomes.report import Options, Report, Survival
    from trials.models import Trial

FOLDED_BY = (
    "cutoff",
    "known_on",
    "definition",
    "evaluator",
)  # options that decide a patient's line
LISTED_BY = (*FOLDED_BY, "population")  # and who is in a list


@dataclass(frozen=True)
class Links:
    """Where one report leads; `analysis` is the frozen one whose stored data its lists are of."""

    trial: str
    asked: Mapping[str, str]
    analysis: int | None = None
    reviewed: bool = False
    pages: dict[bool, str] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report) -> Links:
        """From a report of what is stored now."""
        return cls.of_options(report.trial, report.options)

    @classmethod
    def of_options(cls, trial: Trial, options: Options) -> Links:
        """With these options; the cutoff is left out where it is today."""
        asked = as_query(options)
        if options.known_on is None and options.cutoff == today(trial):
            del asked["cutoff"]
        return cls(trial.registry_id, asked, reviewed=options.evaluator != INVESTIGATOR)

    @classmethod
    def frozen(cls, analysis: Analysis, options: Options) -> Links:
        """From a frozen analysis: to its own lists, and to patients as they were known then."""
        asked = as_query(replace(options, known_on=analysis.known_at))
        reviewed = options.evaluator != INVESTIGATOR
        return cls(analysis.trial.registry_id, asked, analysis.pk, reviewed)

    def patient(self, facts: PatientFacts, source: Source | None = None) -> str:
        """A patient, at the visit where that is the source; what sites saw, by their readings."""
        read = self.reviewed and not (source and _seen_at_site(facts, source))
        page = reverse("outcomes:patient", args=[facts.id]) + self._folded(reviewed=read)
        at_visit = source is not None and source.record == "visit" and source.id
        return f"{page}#visit-{source.id}" if source and at_visit else page

    def visit(self, facts: PatientFacts, visit: int | None) -> str:
        """A patient at one of the visits that the report counts."""
        page = reverse("outcomes:patient", args=[facts.id]) + self._folded(reviewed=self.reviewed)
        return f"{page}#visit-{visit}" if visit else page

    @property
    def folded(self) -> str:
        """The query by which a patient's page folds as the report does."""
        return self._folded(reviewed=self.reviewed)

    def _folded(self, *, reviewed: bool) -> str:
        if reviewed not in self.pages:
            said = {k: v for k, v in self.asked.items() if k in FOLDED_BY}
            if not reviewed:
                said.pop("evaluator", None)
            self.pages[reviewed] = f"?{urlencode(said)}" if said else ""
        return self.pages[reviewed]

    def number(self, of: str, **which: str) -> str:
        """The list of the patients whom a number counts."""
        if self.analysis:
            address = reverse("outcomes:analysis_patients_of", args=[self.analysis, of.lower()])
            return f"{address}?{urlencode(which)}" if which else address
        said = self.listed | which
        address = reverse("outcomes:patients_of", args=[self.trial, of.lower()])
        return f"{address}?{urlencode(said)}" if said else address

    @cached_property
    def listed(self) -> dict[str, str]:
        """The options that decide who is in a list."""
        return {k: v for k, v in self.asked.items() if k in LISTED_BY}

    def marks(self, found: Survival) -> dict[float, str]:
        """By day of a curve: the one patient's record, or the list where several are."""
        days: dict[float, list[tuple[PatientFacts, Source]]] = {}
        for facts, time in found.times:
            days.setdefault(time.days, []).append((facts, time.source))
        return {
            day: self.patient(*ends[0])
            if len(ends) == 1
            else self.number(found.endpoint.kind, day=str(day))
            for day, ends in days.items()
        }


@dataclass(frozen=True)
class Count:
    """How many patients, in words, and the list of them."""

    text: str
    url: str


def _seen_at_site(facts: PatientFacts, source: Source) -> bool:
    """Whether a date comes from a visit that the facts' evaluator did not read."""
    return source.record == "visit" and source.id not in {r.source for r in facts.history.records}
