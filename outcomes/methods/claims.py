"""Audit of a publication: whatever can be recomputed from its printed numbers is, and what does not
fit is said, unaided. Pure; nothing is ever corrected.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from outcomes.methods.claimed_counts import audit_arms, audit_categories, audit_enrollment
from outcomes.methods.claimed_rates import audit_proportion, audit_rate_at
from outcomes.methods.claimed_times import (
    audit_hazard_ratio,
    audit_median,
    audit_p_value,
    audit_registry_origins,
    audit_styles,
    audit_time_origin,
)
from outcomes.methods.findings import Elsewhere, Finding, Said, Severity, TrialFacts
from trials.publications import (
    AnyClaim,
    CategoriesClaim,
    EnrollmentClaim,
    HazardRatioClaim,
    MedianClaim,
    ProportionClaim,
    PublishedResults,
    PValueClaim,
    RateClaim,
)


@dataclass(frozen=True, slots=True)
class Audited:
    """A publication's findings, in the order of its claims."""

    key: str
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> Mapping[Severity, int]:
        """How many findings of each severity, the gravest first."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in Severity}

    @property
    def contradicted(self) -> bool:
        """Whether something printed cannot be right."""
        return any(f.severity == Severity.CONTRADICTION for f in self.findings)


def audit(
    key: str,
    publication: PublishedResults,
    *,
    trial: TrialFacts | None = None,
    elsewhere: Elsewhere | None = None,
) -> Audited:
    """Recompute a publication's claims; `elsewhere` gives hints, `trial` what the registry says."""
    others = elsewhere or Elsewhere()
    return Audited(key, tuple(_findings(key, publication, trial, others)))


def audit_all(
    publications: Iterable[tuple[str, PublishedResults, TrialFacts | None]],
) -> list[Audited]:
    """Audit a catalogue, each publication in the light of the others."""
    listed = list(publications)
    elsewhere = Elsewhere((key, found) for key, found, _trial in listed)
    return [audit(key, found, trial=trial, elsewhere=elsewhere) for key, found, trial in listed]


def _findings(
    key: str, publication: PublishedResults, trial: TrialFacts | None, elsewhere: Elsewhere
) -> Iterator[Finding]:
    for severity, code, found in audit_arms(publication):
        yield Finding(severity, code, "/groups", "", found)
    for severity, code, found in audit_styles(publication, elsewhere.publications):
        yield Finding(severity, code, "/claims", "", found)
    for index, claim in enumerate(publication.claims):
        for severity, code, found in _of_claim(claim, key, publication, trial, elsewhere):
            yield Finding(severity, code, f"/claims/{index}", claim.id, found)
    for index, (severity, code, found) in _of_registry(trial, publication):
        yield Finding(severity, code, f"/trial/endpoints/{index}", "", found)


def _of_registry(
    trial: TrialFacts | None, publication: PublishedResults
) -> Iterator[tuple[int, Said]]:
    return audit_registry_origins(trial, publication) if trial else iter(())


def _of_claim(
    claim: AnyClaim,
    key: str,
    publication: PublishedResults,
    trial: TrialFacts | None,
    elsewhere: Elsewhere,
) -> Iterator[Said]:
    if isinstance(claim, ProportionClaim):
        return audit_proportion(claim, publication, key, elsewhere)
    if isinstance(claim, RateClaim):
        return audit_rate_at(claim, publication)
    if isinstance(claim, CategoriesClaim):
        return audit_categories(claim, publication)
    if isinstance(claim, MedianClaim):
        return audit_median(claim, publication)
    if isinstance(claim, HazardRatioClaim):
        return audit_hazard_ratio(claim, key, elsewhere)
    if isinstance(claim, PValueClaim):
        return audit_p_value(claim)
    if isinstance(claim, EnrollmentClaim):
        return audit_enrollment(claim, trial)
    return audit_time_origin(claim, publication)
