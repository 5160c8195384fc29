"""What the catalogue's pages show: studies with their main figures, and every claim with its verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from outcomes.catalogue import Entry
from outcomes.catalogue.printed import as_printed
from outcomes.catalogue.wording import SEVERITIES, word_finding
from outcomes.methods.findings import Finding, Severity
from registry.languages import labeled
from trials import published_terms
from trials.models import Publication
from trials.publications import Claim, GroupRole, Measure, MedianClaim, ProportionClaim

# An icon and a class beside the word: neither color nor shape speaks alone.
LOOKS = {
    Severity.CONTRADICTION: ("✗", "text-bg-danger"),
    Severity.DISCREPANCY: ("≠", "text-bg-warning"),
    Severity.REMARK: ("i", "text-bg-info"),
    Severity.CONSISTENT: ("✓", "text-bg-success"),
}
YES_OR_NO = [("", _("any")), ("true", _("yes")), ("false", _("no"))]


@dataclass(frozen=True)
class Badge:
    """A severity as it is shown, perhaps with a count."""

    severity: Severity
    icon: str
    style: str
    word: str | Promise
    count: int | None = None


@dataclass(frozen=True)
class Verdict:
    """One finding in words."""

    badge: Badge
    text: str


@dataclass(frozen=True)
class ClaimLine:
    """A claim as printed, and what recomputing it showed."""

    claim: Claim
    printed: str
    verdicts: list[Verdict]


@dataclass(frozen=True)
class Study:
    """A publication's line in the list: figures as printed, each with its group."""

    publication: Publication
    design: str
    n: int | None
    orr: list[str]
    dcr: list[str]
    pfs: list[str]
    os: list[str]
    badges: list[Badge]


def badge(severity: Severity, count: int | None = None) -> Badge:
    """How a severity looks."""
    icon, style = LOOKS[severity]
    return Badge(severity, icon, style, SEVERITIES[severity], count)


def study(entry: Entry) -> Study:
    """One line of the list."""
    return Study(
        publication=entry.publication,
        design=entry.results.design,
        n=entry.results.n,
        orr=_main_figures(entry, ProportionClaim, Measure.ORR),
        dcr=_main_figures(entry, ProportionClaim, Measure.DCR),
        pfs=_main_figures(entry, MedianClaim, Measure.PFS),
        os=_main_figures(entry, MedianClaim, Measure.OS),
        badges=[found for found in badges(entry) if found.severity != Severity.CONSISTENT],
    )


def badges(entry: Entry) -> list[Badge]:
    """How many findings of each severity that there is."""
    counts = entry.audited.counts.items()
    return [badge(severity, count) for severity, count in counts if count]


def _main_figures(entry: Entry, kind: type[Claim], measure: Measure) -> list[str]:
    """A measure of everybody or by arm; subtypes are on the publication's own page."""
    subtypes = {g.name for g in entry.results.groups if g.role == GroupRole.SUBTYPE}
    return [
        labeled(published_terms.group(claim.group), as_printed(claim))
        if claim.group
        else as_printed(claim)
        for claim in entry.results.claims
        if isinstance(claim, kind)
        and getattr(claim, "measure", None) == measure
        and claim.group not in subtypes
    ]


def claim_lines(entry: Entry) -> list[ClaimLine]:
    """Every claim of a publication."""
    return [
        ClaimLine(claim, as_printed(claim), verdicts(entry.findings_of(claim)))
        for claim in entry.results.claims
    ]


def verdicts(findings: Iterable[Finding]) -> list[Verdict]:
    """Findings in words."""
    return [Verdict(badge(f.severity), word_finding(f)) for f in findings]


class CatalogueForm(forms.Form):
    """Which publications to list."""

    sarcoma = forms.ChoiceField(label=_("Sarcoma"), choices=YES_OR_NO, required=False)
    anlotinib = forms.ChoiceField(label=_("Anlotinib"), choices=YES_OR_NO, required=False)
    contradictions = forms.ChoiceField(
        label=_("With contradictions"), choices=YES_OR_NO, required=False
    )

    def chosen(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those that were asked for; all where the question cannot be understood."""
        asked: dict[str, Any] = self.cleaned_data if self.is_valid() else {}
        wanted = {name: value == "true" for name, value in asked.items() if value}
        return [entry for entry in entries if wanted.items() <= _answers(entry).items()]


def _answers(entry: Entry) -> dict[str, bool]:
    return {
        "sarcoma": entry.publication.sarcoma,
        "anlotinib": entry.publication.anlotinib,
        "contradictions": entry.audited.contradicted,
    }
