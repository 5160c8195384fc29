"""What the claims audit answers with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from outcomes.catalogue import Entry
from outcomes.catalogue.wording import word_finding
from outcomes.methods.findings import Finding, Severity
from registry.documents import Count


class FindingDocument(TypedDict):
    """What recomputing a claim showed: a code with its parameters, and the same in words."""

    publication: Annotated[str, Field(description="The publication's key.")]
    claim: Annotated[str, Field(description="The claim's id; blank where it is no single one.")]
    pointer: Annotated[
        str,
        Field(description="Into the publication, or below /trial into its trial."),
    ]
    severity: Annotated[
        Severity,
        Field(
            description="A contradiction cannot be right; a discrepancy is between two sources;"
            " a remark names a method or a hint."
        ),
    ]
    code: str
    parameters: dict[str, str | int]
    text: Annotated[str, Field(description="In the reader's language.")]


class FindingCounts(TypedDict):
    """Findings by severity."""

    contradiction: Count
    discrepancy: Count
    remark: Count
    consistent: Count


class AuditDocument(TypedDict):
    """A publication's findings, in the order of its claims."""

    publication: str
    counts: FindingCounts
    findings: list[FindingDocument]


def finding_document(key: str, finding: Finding) -> FindingDocument:
    """One finding of a publication."""
    in_trial = finding.pointer.startswith("/trial/")
    return {
        "publication": key,
        "claim": finding.claim,
        "pointer": finding.pointer if in_trial else f"/document{finding.pointer}",
        "severity": finding.severity,
        "code": finding.code,
        "parameters": finding.parameters,
        "text": word_finding(finding),
    }


def audit_document(entry: Entry) -> AuditDocument:
    """All that was found of a publication."""
    key, counts = entry.publication.key, entry.audited.counts
    return {
        "publication": key,
        "counts": {
            "contradiction": counts[Severity.CONTRADICTION],
            "discrepancy": counts[Severity.DISCREPANCY],
            "remark": counts[Severity.REMARK],
            "consistent": counts[Severity.CONSISTENT],
        },
        "findings": [finding_document(key, finding) for finding in entry.audited.findings],
    }
