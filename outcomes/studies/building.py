"""Studies side by side: each trial that a reader works on by its own report, beside publications.

What a publication prints stays as printed; it is never computed here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from outcomes import queries, report
from outcomes.methods.survival import MissingReason
from outcomes.queries import PatientFacts
from outcomes.report import DAYS_PER_MONTH, Options, Report
from patients.models import Patient
from registry import database
from trials import histologies
from trials.definitions import EndpointKind
from trials.models import Publication, Site, Trial
from trials.publications import (
    GroupRole,
    Measure,
    MedianClaim,
    ProportionClaim,
    PublishedResults,
)

if TYPE_CHECKING:
    from registry.models import User

RATES = {EndpointKind.ORR: Measure.ORR, EndpointKind.DCR: Measure.DCR}
TIMES = {EndpointKind.PFS: Measure.PFS, EndpointKind.OS: Measure.OS}
IN_MONTHS = {"months": 1.0, "weeks": 7 / DAYS_PER_MONTH, "days": 1 / DAYS_PER_MONTH}
AnyOf = TypeVar("AnyOf", ProportionClaim, MedianClaim)


class Sort(StrEnum):
    """What the rows can be sorted by."""

    STUDY = "study"
    N = "n"
    ORR = "orr"
    DCR = "dcr"
    PFS = "pfs"
    OS = "os"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True)
class Choices:
    """What a reader may choose; `histology` is a known term, blank for all."""

    options: Callable[[Trial], Options]
    sarcoma: bool | None = None
    histology: str = ""
    published: bool = True
    sort: Sort = Sort.STUDY
    descending: bool = False


@dataclass(frozen=True)
class Computed:
    """A trial by its own definitions, over the patients that the reader may see.

    `sites` are the reader's where those are not all.
    """

    trial: Trial
    report: Report
    sites: tuple[str, ...] | None


@dataclass(frozen=True)
class Printed:
    """A publication as printed: of everybody or by arm, or of the groups of one histology."""

    publication: Publication
    results: PublishedResults
    groups: frozenset[str]
    trial: str | None  # its registry id, where the reader works on it

    @property
    def n(self) -> int | None:
        """Patients: of the histology's groups, if it is about one, else of all."""
        if "" in self.groups:
            return self.results.n
        sizes = [group.n for group in self.results.groups if group.name in self.groups]
        return sum(size for size in sizes if size) or None

    def rates(self, measure: Measure) -> list[ProportionClaim]:
        """What is printed of a rate."""
        return [c for c in self._claims(ProportionClaim) if c.measure == measure]

    def medians(self, measure: Measure) -> list[MedianClaim]:
        """What is printed of a median."""
        return [c for c in self._claims(MedianClaim) if c.measure == measure]

    def _claims(self, kind: type[AnyOf]) -> Iterator[AnyOf]:
        for claim in self.results.claims:
            if isinstance(claim, kind) and claim.group in self.groups:
                yield claim


Row = Computed | Printed


def rows(user: User, choices: Choices) -> list[Row]:
    """The studies that were asked for, sorted, in a number of statements that does not grow.

    What has no value to sort by comes last.
    """
    with database.snapshot():
        trials, facts, sites = _read(user, choices)
        publications = list(_publications(user, choices)) if choices.published else []
    computed = list(_computed(trials, facts, sites, choices))
    found: list[Row] = [*computed, *publications]
    valued = [(value(row, choices.sort), row) for row in found]
    known = [(v, row) for v, row in valued if v is not None]
    known.sort(key=lambda one: one[0], reverse=choices.descending)
    return [row for _, row in known] + [row for v, row in valued if v is None]


Facts = Mapping[int, list[PatientFacts]]
Sites = Mapping[int, list[str]]


def _read(user: User, choices: Choices) -> tuple[list[Trial], Facts, Sites]:
    """The reader's trials, and the facts of the patients in them: no arms, for nobody's eyes."""
    chosen = Trial.objects.visible_to(user).matching(sarcoma=choices.sarcoma)
    trials = list(chosen.order_by("registry_id").prefetch_related("sites", "endpoints"))
    if not trials:
        return [], {}, {}
    known_on = choices.options(trials[0]).known_on
    seen = Patient.objects.visible_to(user).filter(trial__in=trials)
    patients = seen if known_on else seen.active()
    of = dict(patients.order_by().values_list("pk", "trial_id"))
    facts: dict[int, list[PatientFacts]] = defaultdict(list)
    for one in queries.facts(patients, blinded=True, known_on=known_on):
        if _is(choices.histology, one.histology):
            facts[of[one.id]].append(one)
    sites: dict[int, list[str]] = defaultdict(list)
    for trial, code in Site.objects.visible_to(user).filter(trial__in=trials).values_list("trial_id", "code"):  # fmt: skip
        sites[trial].append(code)
    return trials, facts, sites


def _is(term: str, histology: str) -> bool:
    """Whether a histology is the term, or of its family."""
    return not term or term in histologies.families(histology)


def _computed(
    trials: Iterable[Trial], facts: Facts, sites: Sites, choices: Choices
) -> Iterator[Computed]:
    for trial in trials:
        known = facts.get(trial.pk, [])
        if choices.histology and not known:
            continue
        options = choices.options(trial)
        endpoints = report.declared(list(trial.endpoints.all()), options)
        found = report.compute(trial, options, endpoints, known)
        mine = tuple(sorted(sites.get(trial.pk, [])))
        yield Computed(trial, found, None if len(mine) == len(trial.sites.all()) else mine)


def _publications(user: User, choices: Choices) -> Iterator[Printed]:
    found = Publication.objects.as_seen_by(user).order_by("key")
    if choices.sarcoma is not None:
        found = found.filter(sarcoma=choices.sarcoma)
    for row in found:
        results = row.results()
        groups = _groups(results, choices.histology)
        if groups:
            yield Printed(row, results, groups, getattr(row, "visible_trial", None))


def _groups(results: PublishedResults, histology: str) -> frozenset[str]:
    """The groups whose claims are shown: all but subtypes, or the subtypes of a histology."""
    if histology:
        return frozenset(g.name for g in results.groups if _is(histology, g.name))
    shown = (GroupRole.ARM, GroupRole.POPULATION)
    return frozenset({"", *(group.name for group in results.groups if group.role in shown)})


def value(row: Row, sort: Sort) -> float | str | None:
    """What a row is sorted by; of a publication its first claim, as printed."""
    if sort is Sort.STUDY:
        study = row.trial.registry_id if isinstance(row, Computed) else row.publication.key
        return study.casefold()
    return _computed_value(row, sort) if isinstance(row, Computed) else _printed_value(row, sort)


def _computed_value(row: Computed, sort: Sort) -> float | None:
    whole = row.report.whole
    if sort is Sort.N:
        return whole.n
    if sort is Sort.FOLLOW_UP:
        return whole.follow_up.reverse.median
    kind = EndpointKind(sort.upper())
    if kind in RATES:
        return whole.rates[kind].proportion.estimate
    median = whole.survivals[kind].median
    reached = median.estimate_reason is not MissingReason.NOT_REACHED
    return median.estimate if reached else float("inf")


def _printed_value(row: Printed, sort: Sort) -> float | None:
    if sort in (Sort.N, Sort.FOLLOW_UP):
        return row.n if sort is Sort.N else None
    kind = EndpointKind(sort.upper())
    if kind in RATES:
        return next((_share(claim) for claim in row.rates(RATES[kind])), None)
    return next((_days(claim) for claim in row.medians(TIMES[kind])), None)


def _share(claim: ProportionClaim) -> float | None:
    if claim.percent:
        return float(claim.percent.strip(" %")) / 100
    return claim.k / claim.n if claim.k is not None and claim.n else None


def _days(claim: MedianClaim) -> float | None:
    if claim.value in (None, "NE"):
        return None
    if claim.value == "NR":
        return float("inf")
    return float(claim.value or 0) * IN_MONTHS[claim.unit] * DAYS_PER_MONTH
