"""Studies side by side: each trial that a reader works on by its own report, beside publications.

What a publication prints stays as printed; it is never computed here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from outcomes import queries, report
from outcomes.methods.survival import MissingReason
from outcomes.queries import PatientFacts
from outcomes.report import DAYS_PER_MONTH, Options, Report
from patients.models import Patient
from registry import audit, database
from trials import as_known, histologies
from trials.definitions import EndpointKind
from trials.models import Endpoint, Publication, Site, Trial
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
    known_on: datetime | None = None
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
        read = _read(user, choices)
        publications = list(_publications(user, choices)) if choices.published else []
    computed = list(_computed(*read, choices))
    found: list[Row] = [*computed, *publications]
    valued = [(value(row, choices.sort), row) for row in found]
    known = [(v, row) for v, row in valued if v is not None]
    known.sort(key=lambda one: one[0], reverse=choices.descending)
    return [row for _, row in known] + [row for v, row in valued if v is None]


Facts = Mapping[int, list[PatientFacts]]
Sites = Mapping[int, tuple[str, ...] | None]
Endpoints = Mapping[int, list[Endpoint]]


def _read(user: User, choices: Choices) -> tuple[list[Trial], Facts, Sites, Endpoints]:
    """The reader's trials, and the facts of the patients in them: no arms, for nobody's eyes."""
    trials, known_on = _trials(user, choices), choices.known_on
    seen = Patient.objects.visible_to(user).filter(trial__in=trials)
    patients = seen if known_on else seen.active()
    of = dict(patients.order_by().values_list("pk", "trial_id"))
    facts: dict[int, list[PatientFacts]] = defaultdict(list)
    for one in queries.facts(patients, blinded=True, known_on=known_on):
        if _is(choices.histology, one.histology):
            facts[of[one.id]].append(one)
    return trials, facts, _sites(user, trials, known_on), _endpoints(trials, known_on)


def _trials(user: User, choices: Choices) -> list[Trial]:
    """The reader's trials; with a moment those that were known then, as they were."""
    mine, known_on = Trial.objects.visible_to(user), choices.known_on
    if known_on is None:
        chosen = mine.matching(sarcoma=choices.sarcoma).order_by("registry_id")
        return list(chosen.prefetch_related("sites", "endpoints"))
    now = list(mine.order_by("registry_id").prefetch_related("sites"))
    past = as_known.trials_as_known(now, known_on)
    known = [past[trial.pk] for trial in now if trial.pk in past]
    return [trial for trial in known if choices.sarcoma in (None, trial.sarcoma)]


def _endpoints(trials: Sequence[Trial], known_on: datetime | None) -> Endpoints:
    if known_on is None:
        return {trial.pk: list(trial.endpoints.all()) for trial in trials}
    return as_known.rows_of(Endpoint, trials, known_on)


def _sites(user: User, trials: Sequence[Trial], known_on: datetime | None) -> Sites:
    """The codes of the reader's sites by trial; None where those are all of today's."""
    mine: dict[int, dict[int, str]] = defaultdict(dict)
    for site in Site.objects.visible_to(user).filter(trial__in=[one.pk for one in trials]):
        mine[site.trial_id][site.pk] = site.code
    if known_on:
        past = as_known.rows_of(Site, trials, known_on)
        then = {pk: {s.pk: s.code for s in past[pk] if s.pk in mine[pk]} for pk in past}
    codes = then if known_on else mine
    return {
        one.pk: None
        if len(mine[one.pk]) == len(one.sites.all())
        else tuple(sorted(codes.get(one.pk, {}).values()))
        for one in trials
    }


def _is(term: str, histology: str) -> bool:
    """Whether a histology is the term, or of its family."""
    return not term or term in histologies.families(histology)


def _computed(
    trials: Iterable[Trial], facts: Facts, sites: Sites, endpoints: Endpoints, choices: Choices
) -> Iterator[Computed]:
    for trial in trials:
        known = facts.get(trial.pk, [])
        if choices.histology and not known:
            continue
        options = choices.options(trial)
        declared = report.declared(endpoints.get(trial.pk, []), options)
        yield Computed(trial, report.compute(trial, options, declared, known), sites[trial.pk])


def _publications(user: User, choices: Choices) -> Iterator[Printed]:
    for row, trial in _catalogue(user, choices.known_on):
        results = row.results()
        groups = _groups(results, choices.histology)
        if groups and choices.sarcoma in (None, row.sarcoma):
            yield Printed(row, results, groups, trial)


def _catalogue(user: User, known_on: datetime | None) -> Iterator[tuple[Publication, str | None]]:
    """Each publication with its trial, where the reader works on it, now or at a moment."""
    if known_on is None:
        for row in Publication.objects.as_seen_by(user).order_by("key"):
            yield row, getattr(row, "visible_trial", None)
        return
    mine = dict(Trial.objects.visible_to(user).values_list("pk", "registry_id"))
    for row in audit.rows_as_known(Publication, known_on):
        yield row, mine.get(row.trial_id)


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
