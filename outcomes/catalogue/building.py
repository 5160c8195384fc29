"""The catalogue of publications with its audit: rows to values, one statement per table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outcomes.methods.claims import Audited, audit_all
from outcomes.methods.findings import EndpointFacts, Finding, TrialFacts
from trials.models import Publication, Trial
from trials.publications import Claim, PublishedResults

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from registry.models import User


@dataclass(frozen=True)
class Entry:
    """A publication, what it prints, and what recomputing that showed."""

    publication: Publication
    results: PublishedResults
    audited: Audited
    registry_id: str | None  # of its trial, where the reader works on it

    def findings_of(self, claim: Claim) -> list[Finding]:
        """What was found of one claim."""
        return [finding for finding in self.audited.findings if finding.claim == claim.id]

    @property
    def findings_of_all(self) -> list[Finding]:
        """What was found of no single claim: arms, and the registry entry."""
        return [finding for finding in self.audited.findings if not finding.claim]


def entries(user: User | AnonymousUser) -> list[Entry]:
    """The whole catalogue by key, each publication audited in the light of the others.

    A registry entry counts only where the user works on its trial: findings tell of it.
    """
    rows = list(Publication.objects.order_by("key"))
    facts = _facts(user)
    parsed = [(row, row.results(), facts.get(row.trial_id)) for row in rows]
    audited = audit_all((row.key, results, trial) for row, results, trial in parsed)
    return [
        Entry(row, results, found, trial.registry_id if trial else None)
        for (row, results, trial), found in zip(parsed, audited, strict=True)
    ]


def entry(user: User | AnonymousUser, key: str) -> Entry | None:
    """One publication; the others are read too, since they give hints."""
    return next((found for found in entries(user) if found.publication.key == key), None)


def findings(user: User | AnonymousUser) -> Iterator[tuple[str, Finding]]:
    """Every finding with its publication's key."""
    for found in entries(user):
        yield from ((found.publication.key, finding) for finding in found.audited.findings)


def contradicted(user: User | AnonymousUser) -> set[int]:
    """The publications in which something cannot be right, by id."""
    return {found.publication.pk for found in entries(user) if found.audited.contradicted}


def _facts(user: User | AnonymousUser) -> dict[int | None, TrialFacts]:
    trials = Trial.objects.visible_to(user).filter(publications__isnull=False).distinct()
    return {
        trial.pk: TrialFacts(
            registry_id=trial.registry_id,
            enrollment_target=trial.enrollment_target,
            allocation=trial.allocation,
            endpoints=tuple(
                EndpointFacts(endpoint.kind, endpoint.wording, endpoint.time_frame)
                for endpoint in trial.endpoints.all()
            ),
        )
        for trial in trials.prefetch_related("endpoints")
    }
