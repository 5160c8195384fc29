"""ClinicalTrials.gov v2 JSON to a trial's body, and back, without loss: pure.

`write` puts into the standard members what they have a place for. Whatever `read` could not tell
from these alone (endpoint definitions, criterion rules, schedules, site codes, time zones ...)
stands in one more member, `sarcomaTrialRegistry`: a JSON Patch from the one to the other, with a
fingerprint of the members that it was made from. A patch whose members were changed since is not
applied, and that is told.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from trials import json_patch
from trials.ctgov_document import EXTENSION, Extension, Study, misfits, unheld
from trials.ctgov_reading import SECTION, Draft, Message, drafted
from trials.ctgov_writing import protocol_of

DEEPEST = 40
FORMAT = 1
ABOUT = (
    "What the registry that wrote this file holds beyond ClinicalTrials.gov: a JSON Patch (RFC 6902)"
    " from what the other members say to the body of its POST /trials/."
)
# The members that each key of the body is read from; the others have none.
_MODULES = {
    "identificationModule": {
        "nctId": ["registry_id"],
        "briefTitle": ["brief_title"],
        "officialTitle": ["official_title"],
        "acronym": ["acronym"],
        "orgStudyIdInfo": ["org_study_id"],
        "secondaryIdInfos": ["secondary_ids"],
    },
    "statusModule": {
        "overallStatus": ["status"],
        "startDateStruct": ["start_date", "start_date_type"],
        "primaryCompletionDateStruct": ["primary_completion_date", "primary_completion_date_type"],
        "completionDateStruct": ["completion_date", "completion_date_type"],
    },
    "sponsorCollaboratorsModule": {
        "leadSponsor": ["lead_sponsor"],
        "collaborators": ["collaborators"],
        "responsibleParty": ["principal_investigator"],
    },
    "descriptionModule": {
        "briefSummary": ["brief_summary"],
        "detailedDescription": ["detailed_description"],
    },
    "conditionsModule": {"conditions": ["conditions", "sarcoma"], "keywords": ["keywords"]},
    "designModule": {
        "studyType": ["study_type"],
        "phases": ["phase"],
        "enrollmentInfo": ["enrollment_target", "enrollment_type"],
        "designInfo": [
            *("allocation", "intervention_model", "primary_purpose", "masking"),
            *("observational_model", "time_perspective"),
        ],
    },
    "armsInterventionsModule": {"armGroups": ["arms"], "interventions": ["arms"]},
    "outcomesModule": {
        "primaryOutcomes": ["endpoints"],
        "secondaryOutcomes": ["endpoints"],
        "otherOutcomes": ["endpoints"],
    },
    "eligibilityModule": {
        "eligibilityCriteria": ["criteria"],
        "healthyVolunteers": ["healthy_volunteers"],
        "sex": ["eligible_sex"],
        "minimumAge": ["minimum_age"],
        "maximumAge": ["maximum_age"],
    },
    "contactsLocationsModule": {
        "overallOfficials": ["officials", "principal_investigator"],
        "centralContacts": ["officials"],
        "locations": ["sites"],
    },
}
REQUIRED = {
    "registry_id": f"{SECTION}/identificationModule/nctId",
    "brief_title": f"{SECTION}/identificationModule/briefTitle",
}


class Unreadable(ValueError):
    """A document that cannot be imported, with every reason found; nothing of it is."""

    def __init__(self, errors: Iterable[Message]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.pointer}: {error.code}" for error in self.errors))


class Reading(NamedTuple):
    """The body of POST /trials/, what a reader should know, and where each part was read."""

    body: dict[str, Any]
    messages: tuple[Message, ...]
    origins: dict[str, str]

    def origin(self, pointer: str) -> str:
        """The place in the document of a place in the body: the nearest that is known."""
        steps = pointer.split("/")
        for length in range(len(steps), 1, -1):
            found = self.origins.get("/".join(steps[:length]))
            if found is not None:
                return found
        return ""


def read(document: Any) -> Reading:
    """A study as a trial's body; raises Unreadable, with a JSON Pointer for each reason."""
    plain, nulls = _plain(document)
    try:
        study = Study.model_validate(plain)
    except ValidationError as error:
        raise Unreadable(Message(*misfit) for misfit in misfits(error)) from error
    draft = drafted(study.protocolSection)
    if study.sarcomaTrialRegistry is not None:
        _amend(draft, study.sarcomaTrialRegistry, plain)
    missing = [at for key, at in REQUIRED.items() if not _given(draft.body.get(key))]
    if missing:
        raise Unreadable(Message(at, "required") for at in missing)
    told = [*_grouped("null", nulls), *_grouped("not_held", unheld(study)), *draft.messages]
    return Reading(draft.body, tuple(told), draft.origins)


def _given(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def write(body: Mapping[str, Any]) -> dict[str, Any]:
    """A trial's body as a study, from which `read` makes the same body again."""
    document: dict[str, Any] = {"protocolSection": protocol_of(body), "hasResults": False}
    standard = drafted(Study.model_validate(document).protocolSection).body
    changes = list(json_patch.difference(standard, body))
    if changes:
        touched = sorted({_key(change["path"]) for change in changes})
        document[EXTENSION] = {
            "format": FORMAT,
            "description": ABOUT,
            "madeFrom": {key: _fingerprint(document, key) for key in touched if _members(key)},
            "changes": changes,
        }
    return document


# --- the registry's own member ---


def _amend(draft: Draft, extension: Extension, document: Mapping[str, Any]) -> None:
    """Apply the changes to whatever stands as it stood when they were written."""
    stale = [
        key
        for key in dict.fromkeys(_key(change.path) for change in extension.changes)
        if _members(key) and extension.madeFrom.get(key) != _fingerprint(document, key)
    ]
    for key in stale:
        draft.messages.append(Message(_members(key)[0], "changed_since", {"key": key}, key))
    written: dict[str, str] = {}
    for index, change in enumerate(extension.changes):
        if _key(change.path) not in stale:
            written[change.path] = f"/{EXTENSION}/changes/{index}/value"
            _apply(draft, change.model_dump(), f"/{EXTENSION}/changes/{index}/path")
    settled = {_key(path) for path in written}
    draft.messages = [told for told in draft.messages if told.key not in settled]
    kept = {path: at for path, at in draft.origins.items() if written.keys().isdisjoint(_up(path))}
    draft.origins = kept | written


def _apply(draft: Draft, change: json_patch.Operation, at: str) -> None:
    try:
        json_patch.apply(draft.body, change)
    except LookupError as error:
        raise Unreadable([Message(at, "leads_nowhere", {"path": change["path"]})]) from error


def _up(path: str) -> Iterator[str]:
    """A pointer and those above it."""
    steps = path.split("/")
    return ("/".join(steps[:length]) for length in range(2, len(steps) + 1))


def _key(path: str) -> str:
    return json_patch.unescaped(path.split("/")[1])


def _members(key: str) -> list[str]:
    """Pointers to the members that a key of the body is read from."""
    return [
        f"{SECTION}/{module}/{member}"
        for module, members in _MODULES.items()
        for member, keys in members.items()
        if key in keys
    ]


def _fingerprint(document: Mapping[str, Any], key: str) -> str:
    said = [_resolved(document, pointer) for pointer in _members(key)]
    text = json.dumps(said, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _resolved(document: Mapping[str, Any], pointer: str) -> Any:
    try:
        return json_patch.resolve(document, pointer)
    except LookupError:
        return None


# --- what no text column can hold, and what is not there ---


def _plain(document: Any) -> tuple[Any, list[str]]:
    """The parts that are read, without members that are null; raises Unreadable."""
    if not isinstance(document, Mapping):
        raise Unreadable([Message("", "object")])
    errors = list(_unstorable(document))
    if errors:
        raise Unreadable(errors)
    nulls: list[str] = []
    section = _without_nulls(document.get("protocolSection"), SECTION, nulls)
    return {**document, **({"protocolSection": section} if section is not None else {})}, nulls


def _unstorable(document: Mapping[str, Any]) -> Iterator[Message]:
    """Texts that the database refuses, and nesting that no study has."""
    waiting = [(f"/{name}", document[name], 1) for name in ("protocolSection", EXTENSION)
               if name in document]  # fmt: skip
    while waiting:
        pointer, value, depth = waiting.pop()
        if depth > DEEPEST:
            yield Message(pointer, "too_deep", {"most": DEEPEST})
        elif isinstance(value, str) and not _storable(value):
            yield Message(pointer, "unstorable")
        elif isinstance(value, Mapping | list):
            if isinstance(value, Mapping) and not all(map(_storable, value)):
                yield Message(pointer, "unstorable")
            pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
            waiting += [
                (f"{pointer}/{json_patch.escaped(str(step))}", item, depth + 1)
                for step, item in pairs
            ]


_NEVER_STORED = re.compile("[\0\ud800-\udfff]")


def _storable(text: str) -> bool:
    return not _NEVER_STORED.search(text)


def _without_nulls(value: Any, pointer: str, nulls: list[str]) -> Any:
    if isinstance(value, Mapping):
        nulls += [f"{pointer}/{key}" for key, item in value.items() if item is None]
        return {
            key: _without_nulls(item, f"{pointer}/{key}", nulls)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list):
        return [
            _without_nulls(item, f"{pointer}/{index}", nulls) for index, item in enumerate(value)
        ]
    return value


def _grouped(code: str, pointers: Iterable[str]) -> list[Message]:
    """One message for the same member of all items of a list: the first one's, with the count."""
    groups: dict[str, list[str]] = {}
    for pointer in pointers:
        groups.setdefault(re.sub(r"/\d+(?=/)", "/*", pointer), []).append(pointer)
    return [Message(found[0], code, {"count": len(found)}) for found in groups.values()]
