"""Frozen analyses as the API answers with them."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from django.urls import reverse
from pydantic import Field
from typing_extensions import TypedDict

from outcomes.analyses import Outcome, Reproduction
from outcomes.analyses.changes import Change, Changes
from outcomes.analyses.wording import outcome_in_words
from outcomes.models import METHODS_VERSION, Analysis
from outcomes.queries import PatientFacts
from outcomes.report.document_types import DefinitionDocument
from outcomes.report.documents import moment
from registry.documents import CalendarDate, Count, Id, Link, Moment, Versioned
from trials.definitions import EndpointKind

LISTED = 100  # differences that an answer names one by one
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class AnalysisLinks(TypedDict):
    """Where to go from a frozen analysis; inputs and result are the very bytes of the digests."""

    self: Link
    inputs: Link
    result: Link
    changes: Link


class FrozenAnalysisDocument(Versioned):
    """A frozen analysis; it never changes, so its version is 1."""

    trial: Annotated[str, Field(description="The trial's registry id.")]
    name: str
    note: str
    by: Annotated[str, Field(description="Who froze it.")]
    at: Annotated[Moment, Field(description="When.")]
    blinded: Annotated[bool, Field(description="Whether it is without arms, as they were hidden.")]
    options: Annotated[
        dict[str, str], Field(description="What was chosen, by the outcomes' query keys.")
    ]
    cutoff: CalendarDate
    known_on: Moment | None
    patients: Annotated[Count, Field(description="In the population of the response rate.")]
    methods_version: Count
    inputs_sha256: Digest
    result_sha256: Digest
    links: AnalysisLinks


class AnalysisDetailDocument(FrozenAnalysisDocument):
    """A frozen analysis with its figures."""

    report: Annotated[
        dict[str, Any], Field(description="The outcomes document as it was computed then.")
    ]
    safety: Annotated[
        dict[str, Any] | None,
        Field(
            description="The tables of adverse events as they were computed then; null where the"
            " inputs hold none, since it was frozen before they did (`format` 1)."
        ),
    ]
    exposure: Annotated[
        dict[str, Any] | None, Field(description="The treatment exposure; null as `safety`.")
    ]


class DigestsDocument(TypedDict):
    """A digest as it is stored, and as it was found now; null where nothing could be computed."""

    stored: Digest
    found: Digest | None


class VersionsDocument(TypedDict):
    """The version of the methods then and now."""

    stored: Count
    today: Count


class ResultDifferenceDocument(TypedDict):
    """A value that came out otherwise."""

    pointer: Annotated[str, Field(description="A JSON Pointer into the result.")]
    stored: Any
    found: Any


class ReproductionDocument(TypedDict):
    """A frozen analysis computed again from its stored inputs."""

    analysis: Id
    outcome: Outcome
    words: Annotated[str, Field(description="The same in the reader's language.")]
    methods_version: VersionsDocument
    inputs_sha256: DigestsDocument
    result_sha256: DigestsDocument
    difference_count: Count
    differences: Annotated[
        list[ResultDifferenceDocument], Field(description=f"The first {LISTED}.")
    ]


class ChangedPatientDocument(TypedDict):
    """A patient who came, or left, since."""

    patient: Id
    subject_id: str


class ChangeDocument(ChangedPatientDocument):
    """A value that is another today."""

    field: Annotated[
        str, Field(description="A key of the patient; visit; therapy; adverse_event; doses; plan.")
    ]
    record: Annotated[
        Id | None, Field(description="The id of the visit, the therapy or the adverse event.")
    ]
    stored: Any
    today: Any


class ParameterChangeDocument(TypedDict):
    """A parameter of the trial that is another today."""

    name: str
    stored: Any
    today: Any


class DefinitionChangeDocument(TypedDict):
    """An endpoint whose definition is another today; null where there is none."""

    kind: EndpointKind
    name: str
    stored: DefinitionDocument | None
    today: DefinitionDocument | None


class AnalysisChangesDocument(TypedDict):
    """Where today's inputs differ from the frozen ones, as far as the data cutoff admits them."""

    analysis: Id
    reason: Annotated[
        Literal["unreadable"] | None,
        Field(description="Why nothing is compared: today's program cannot read the inputs."),
    ]
    patients_added: list[ChangedPatientDocument]
    patients_removed: list[ChangedPatientDocument]
    changed: list[ChangeDocument]
    parameters: list[ParameterChangeDocument]
    definitions: list[DefinitionChangeDocument]


def analysis_document(row: Analysis) -> FrozenAnalysisDocument:
    """What is said of an analysis in a list."""
    return {
        "id": row.pk,
        "version": 1,
        "trial": row.trial.registry_id,
        "name": row.name,
        "note": row.note,
        "by": row.by.username,
        "at": str(moment(row.at)),
        "blinded": row.blinded,
        "options": row.options,
        "cutoff": row.cutoff.isoformat(),
        "known_on": moment(row.known_on),
        "patients": row.patients,
        "methods_version": row.methods_version,
        "inputs_sha256": row.inputs_sha256,
        "result_sha256": row.result_sha256,
        "links": {
            "self": reverse("api:analysis", args=[row.pk]),
            "inputs": reverse("api:analysis_inputs", args=[row.pk]),
            "result": reverse("api:analysis_result", args=[row.pk]),
            "changes": reverse("api:analysis_changes", args=[row.pk]),
        },
    }


def analysis_detail(row: Analysis) -> AnalysisDetailDocument:
    """With the stored figures."""
    result = json.loads(row.result)
    return {
        **analysis_document(row),
        "report": result["report"],
        "safety": result.get("safety"),
        "exposure": result.get("exposure"),
    }


def reproduction_document(row: Analysis, found: Reproduction) -> ReproductionDocument:
    """What came of computing it again."""
    return {
        "analysis": row.pk,
        "outcome": found.outcome,
        "words": outcome_in_words(found, row),
        "methods_version": {"stored": row.methods_version, "today": METHODS_VERSION},
        "inputs_sha256": {"stored": row.inputs_sha256, "found": found.inputs_sha256},
        "result_sha256": {"stored": row.result_sha256, "found": found.result_sha256},
        "difference_count": len(found.differences),
        "differences": [
            {"pointer": one.pointer, "stored": one.stored, "found": one.found}
            for one in found.differences[:LISTED]
        ],
    }


def changes_document(row: Analysis, found: Changes | None) -> AnalysisChangesDocument:
    """What moved since; None where the stored inputs cannot be read."""
    if found is None:
        return {
            "analysis": row.pk, "reason": "unreadable", "patients_added": [],
            "patients_removed": [], "changed": [], "parameters": [], "definitions": [],
        }  # fmt: skip
    return {
        "analysis": row.pk,
        "reason": None,
        "patients_added": [_patient(one) for one in found.added],
        "patients_removed": [_patient(one) for one in found.removed],
        "changed": [_change(one) for one in found.changed],
        "parameters": [
            {"name": name, "stored": stored, "today": today}
            for name, stored, today in found.parameters
        ],
        "definitions": [
            {"kind": EndpointKind(kind), "name": name, "stored": _or_none(a), "today": _or_none(b)}
            for kind, name, a, b in found.definitions
        ],
    }


def _patient(one: PatientFacts) -> ChangedPatientDocument:
    return {"patient": one.id, "subject_id": one.subject_id}


def _change(one: Change) -> ChangeDocument:
    return {
        "patient": one.patient,
        "subject_id": one.subject_id,
        "field": one.field,
        "record": one.source.id if one.source else None,
        "stored": one.stored,
        "today": one.today,
    }


def _or_none(definition: Any) -> dict[str, Any] | None:
    return None if definition is None else dict(definition)
