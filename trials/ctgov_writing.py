"""A trial's body as the members of a ClinicalTrials.gov study: pure.

What a member cannot hold is left to `trials.ctgov`, which compares what these members say with the
body and writes the difference down.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from trials import ctgov_document as shapes
from trials import eligibility_text, registry_terms
from trials.schedule_text import Schedule, in_words

Body = Mapping[str, Any]
_PHASES = {phase: list(codes) for codes, phase in registry_terms.PHASES.items()}


def protocol_of(body: Body) -> dict[str, Any]:
    """The protocolSection of a trial."""
    modules = {
        "identificationModule": _identification(body),
        "statusModule": _status(body),
        "sponsorCollaboratorsModule": _sponsors(body),
        "descriptionModule": {
            "briefSummary": body.get("brief_summary"),
            "detailedDescription": body.get("detailed_description"),
        },
        "conditionsModule": {
            "conditions": body.get("conditions"),
            "keywords": body.get("keywords"),
        },
        "designModule": _design(body),
        "armsInterventionsModule": _arms(body.get("arms") or []),
        "outcomesModule": _outcomes(body.get("endpoints") or []),
        "eligibilityModule": _eligibility(body),
        "contactsLocationsModule": _contacts(body),
    }
    return {"identificationModule": {}, **_filled(modules)}


def _filled(value: Any) -> Any:
    """Without members that say nothing."""
    if isinstance(value, Mapping):
        members = {key: _filled(item) for key, item in value.items()}
        return {k: v for k, v in members.items() if v is not None and v not in ("", [], {})}
    if isinstance(value, list | tuple):
        return [_filled(item) for item in value]
    return value


def _term(value: Any, terms: Collection[str]) -> Any:
    return value if value in terms else None


def _identification(body: Body) -> dict[str, Any]:
    registry_id = body.get("registry_id", "")
    return {
        "nctId": registry_id if re.fullmatch(r"NCT[0-9]{8}", registry_id) else None,
        "orgStudyIdInfo": {"id": body.get("org_study_id")},
        "secondaryIdInfos": [{"id": other} for other in body.get("secondary_ids") or []],
        "briefTitle": body.get("brief_title"),
        "officialTitle": body.get("official_title"),
        "acronym": body.get("acronym"),
    }


def _status(body: Body) -> dict[str, Any]:
    return {
        "overallStatus": _term(body.get("status"), shapes.STATUSES),
        "startDateStruct": _date(body, "start_date"),
        "primaryCompletionDateStruct": _date(body, "primary_completion_date"),
        "completionDateStruct": _date(body, "completion_date"),
    }


def _date(body: Body, key: str) -> dict[str, Any]:
    value = body.get(key) or ""
    return {
        "date": value if shapes.is_partial_date(value) else None,
        "type": _term(body.get(f"{key}_type"), shapes.DATE_TYPES),
    }


def _sponsors(body: Body) -> dict[str, Any]:
    named, leading = body.get("principal_investigator"), "PRINCIPAL_INVESTIGATOR"
    told = any(row.get("role") == leading for row in body.get("officials") or [])
    party = None if told or not named else {"type": leading, "investigatorFullName": named}
    return {
        "responsibleParty": party,
        "leadSponsor": {"name": body.get("lead_sponsor")},
        "collaborators": [{"name": name} for name in body.get("collaborators") or []],
    }


def _design(body: Body) -> dict[str, Any]:
    return {
        "studyType": _term(body.get("study_type"), shapes.STUDY_TYPES),
        "phases": _PHASES.get(body.get("phase") or ""),
        "designInfo": {
            "allocation": _term(body.get("allocation"), shapes.ALLOCATIONS),
            "interventionModel": _term(body.get("intervention_model"), shapes.MODELS),
            "primaryPurpose": _term(body.get("primary_purpose"), shapes.PURPOSES),
            "observationalModel": _term(body.get("observational_model"), shapes.OBSERVATIONAL),
            "timePerspective": _term(body.get("time_perspective"), shapes.PERSPECTIVES),
            "maskingInfo": {"masking": _term(body.get("masking"), shapes.MASKINGS)},
        },
        "enrollmentInfo": {
            "count": body.get("enrollment_target"),
            "type": _term(body.get("enrollment_type"), shapes.DATE_TYPES),
        },
    }


# --- arms and interventions ---


def _arms(arms: Sequence[Body]) -> dict[str, Any]:
    return {
        "armGroups": [
            {
                "label": arm["name"],
                "type": _term(arm.get("type"), shapes.ARM_TYPES),
                "description": arm.get("description"),
                "interventionNames": [_prefixed(row) for row in arm.get("interventions") or []],
            }
            for arm in arms
        ],
        "interventions": _interventions(arms),
    }


def _prefixed(row: Body) -> str:
    words = shapes.INTERVENTION_TYPES.get(row.get("type") or "")
    return f"{words}: {row['name']}" if words else str(row["name"])


def _interventions(arms: Sequence[Body]) -> list[dict[str, Any]]:
    """Each drug once, with the arms that get it in the same way."""
    found: list[dict[str, Any]] = []
    for arm in arms:
        for row in arm.get("interventions") or []:
            drug = {
                "type": _term(row.get("type"), shapes.INTERVENTION_TYPES),
                "name": row["name"],
                "description": row.get("description") or in_words(_schedule(row)),
                "otherNames": list(row.get("other_names") or []),
            }
            same = [known for known in found if drug.items() <= known.items()]
            if same:
                same[0]["armGroupLabels"].append(arm["name"])
            else:
                found.append(drug | {"armGroupLabels": [arm["name"]]})
    return found


def _schedule(row: Body) -> Schedule:
    dose = row.get("dose")
    return Schedule(
        None if dose is None else Decimal(str(dose)),
        row.get("unit") or "",
        row.get("route") or "",
        tuple(row.get("days_on") or ()),
        row.get("cycle_days"),
    )


# --- outcomes, eligibility, people, places ---


def _outcomes(endpoints: Iterable[Body]) -> dict[str, Any]:
    rows = list(endpoints)
    return {
        f"{role}Outcomes": [
            {
                "measure": _measure(row),
                "description": row.get("wording"),
                "timeFrame": row.get("time_frame"),
            }
            for row in rows
            if row.get("role", "secondary") == role
        ]
        for role in ("primary", "secondary", "other")
    }


def _measure(row: Body) -> str:
    """An outcome's title: as printed, else the endpoint's name, else its kind in words."""
    kind = row["kind"]
    return str(row.get("title") or row.get("name") or registry_terms.TITLES.get(kind, kind))


def _eligibility(body: Body) -> dict[str, Any]:
    criteria = [(row["kind"], row["text"]) for row in body.get("criteria") or []]
    ages = {"minimumAge": body.get("minimum_age"), "maximumAge": body.get("maximum_age")}
    return {
        "eligibilityCriteria": eligibility_text.joined(criteria),
        "healthyVolunteers": body.get("healthy_volunteers"),
        "sex": _term(body.get("eligible_sex"), shapes.SEXES),
    } | {name: age for name, age in ages.items() if age and shapes.AGE.fullmatch(age)}


def _contacts(body: Body) -> dict[str, Any]:
    officials = [row for row in body.get("officials") or [] if row.get("role") != "CONTACT"]
    contacts = [row for row in body.get("officials") or [] if row.get("role") == "CONTACT"]
    return {
        "centralContacts": [_members(row, ("name", "role", "phone", "email")) for row in contacts],
        "overallOfficials": [_members(row, ("name", "affiliation", "role")) for row in officials],
        "locations": [
            {"facility": row.get("name"), "status": _term(row.get("status"), shapes.STATUSES)}
            | _members(row, ("city", "state", "zip", "country"))
            for row in body.get("sites") or []
        ],
    }


def _members(row: Body, names: Iterable[str]) -> dict[str, Any]:
    return {name: row.get(name) for name in names}
