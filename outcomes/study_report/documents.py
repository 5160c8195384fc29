"""A trial's report as JSON, with the SHA-256 of its content."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from outcomes.flow.documents import ConsortDocument, consort_document
from outcomes.groups.documents import ForestDocument, forest_document
from outcomes.labels import ENDS
from outcomes.report.document_types import PatientOutcomeDocument, ReportDocument
from outcomes.report.documents import moment, patient_document, report_document
from outcomes.safety.documents import SafetyDocument, exposure_document, safety_document
from outcomes.study_report.content import StudyReport
from patients.conduct_documents import ExposureDocument
from registry.documents import As, Count, Moment
from trials.definitions import EndpointDefinition, EndpointKind

TIMES = (EndpointKind.PFS, EndpointKind.OS)


class ParagraphDocument(TypedDict):
    """A paragraph of the methods section."""

    heading: str
    text: str


class DefinedDocument(TypedDict):
    """An endpoint as this report computes it."""

    kind: EndpointKind
    name: str
    title: str
    wording: Annotated[str, Field(description="As its source prints it.")]
    text: Annotated[str, Field(description="What is computed, in the reader's language.")]
    definition: Annotated[dict[str, Any], As(EndpointDefinition)]


class MethodsDocument(TypedDict):
    """How the figures came about."""

    paragraphs: list[ParagraphDocument]
    endpoints: list[DefinedDocument]
    references: list[str]


class EndingDocument(TypedDict):
    """How many patients' times end for one reason."""

    endpoint: EndpointKind
    code: str
    text: Annotated[str, Field(description="In the reader's language.")]
    event: Annotated[bool, Field(description="False: censored.")]
    patients: Count


class StudyReportDocument(TypedDict):
    """A trial's report: its outcomes, whose times end why, and the methods."""

    trial: Annotated[str, Field(description="The trial's registry id.")]
    title: str
    made_at: Moment | None
    methods_version: Count
    sha256: Annotated[
        str, Field(description="Of all members but this one and `made_at`, as canonical JSON.")
    ]
    inputs_sha256: Annotated[
        str,
        Field(
            description="Of what outcomes, forests and safety are computed of, in any language: what"
            " the page prints, and the `inputs_sha256` of an analysis frozen by who sees every site"
            " with the same options."
        ),
    ]
    methods: MethodsDocument
    outcomes: Annotated[
        ReportDocument,
        Field(
            description="With all statistics: CBR, DOR and TTR, landmarks and a restricted mean also"
            " where nobody asks for them, and the arms as groups where they may be seen."
        ),
    ]
    forests: Annotated[
        list[ForestDocument],
        Field(description="The first ORR and PFS in the groups of every characteristic."),
    ]
    safety: SafetyDocument
    exposure: ExposureDocument
    patients: list[PatientOutcomeDocument]
    ends: list[EndingDocument]
    participant_flow: ConsortDocument


def study_report_document(found: StudyReport) -> StudyReportDocument:
    """The whole report."""
    content: dict[str, Any] = {
        "trial": found.trial.registry_id,
        "title": found.trial.brief_title,
        "methods_version": found.inputs.methods_version,
        "inputs_sha256": found.inputs_sha256,
        "methods": _methods(found),
        "outcomes": report_document(found.report),
        "forests": [forest_document(forest) for forest in found.forests],
        "safety": safety_document(found.safety),
        "exposure": exposure_document(found.safety, found.exposure),
        "patients": [patient_document(patient) for patient in found.report.patients],
        "ends": _ends(found),
        "participant_flow": consort_document(found.flow),
    }
    stamped: Any = content | {"sha256": _sha256(content), "made_at": moment(found.made_at)}
    document: StudyReportDocument = stamped
    return document


def _sha256(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _methods(found: StudyReport) -> MethodsDocument:
    return {
        "paragraphs": [{"heading": str(h), "text": text} for h, text in found.methods.paragraphs],
        "endpoints": [
            {
                "kind": one.declared.kind,
                "name": one.declared.name,
                "title": one.title,
                "wording": one.declared.wording,
                "text": one.words,
                "definition": one.declared.definition.as_document(),
            }
            for one in found.methods.endpoints
        ],
        "references": list(found.methods.references),
    }


def _ends(found: StudyReport) -> list[EndingDocument]:
    return [
        {
            "endpoint": kind,
            "code": one.code,
            "text": str(ENDS[one.code]),
            "event": one.event,
            "patients": one.patients,
        }
        for kind in TIMES
        for one in found.ends(kind)
    ]
