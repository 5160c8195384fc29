"""What the members of a ClinicalTrials.gov study say, as the body of POST /trials/: pure.

Only what is there is said: a member that is missing leaves its key out. Whatever was guessed,
changed or left out is told in a message.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trials import ctgov_document as shapes
from trials import eligibility_text, registry_terms
from trials.schedule_text import Schedule, read_schedule

SECTION = "/protocolSection"
LONGEST_NAME = 100  # of an endpoint or an intervention here; ClinicalTrials.gov takes 254


@dataclass(frozen=True)
class Message:
    """Something to know about one place of the document; `code` is worded in reader's language."""

    pointer: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""  # the key of the body that it tells of


@dataclass
class Draft:
    """The body so far, where each part of it stands in the document, and what is to be told."""

    body: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)

    def put(self, key: str, value: Any, pointer: str) -> None:
        """Set a key of the body, unless there is nothing to set."""
        if value is not None:
            self.body[key] = value
            self.origins[f"/{key}"] = SECTION + pointer

    def tell(self, key: str, pointer: str, code: str, **params: Any) -> None:
        """Leave a message."""
        self.messages.append(Message(SECTION + pointer, code, params, key))

    def put_term(self, key: str, value: str | None, terms: Collection[str], pointer: str) -> None:
        """Set a controlled term; one that this registry does not hold is told and left out."""
        if value is None or value in terms:
            self.put(key, value, pointer)
        else:
            self.tell(key, pointer, "term_not_held", term=value)


def drafted(protocol: shapes.Protocol) -> Draft:
    """The body that the standard members make."""
    draft = Draft()
    _identification(draft, protocol.identificationModule)
    _status(draft, protocol.statusModule)
    _description(draft, protocol)
    _design(draft, protocol.designModule)
    _arms(draft, protocol.armsInterventionsModule)
    _endpoints(draft, protocol.outcomesModule)
    _eligibility(draft, protocol.eligibilityModule)
    _people(draft, protocol)
    _sites(draft, protocol.contactsLocationsModule.locations)
    draft.tell("enrollment_gate", "", "gate_default")
    return draft


# --- single facts ---


def _identification(draft: Draft, module: shapes.Identification) -> None:
    at = "/identificationModule"
    draft.put("registry_id", module.nctId, f"{at}/nctId")
    draft.put("brief_title", module.briefTitle, f"{at}/briefTitle")
    draft.put("official_title", module.officialTitle, f"{at}/officialTitle")
    draft.put("acronym", module.acronym, f"{at}/acronym")
    own = module.orgStudyIdInfo
    draft.put("org_study_id", own and own.id, f"{at}/orgStudyIdInfo/id")
    others = module.secondaryIdInfos
    ids = None if others is None else [other.id for other in others]
    draft.put("secondary_ids", ids, f"{at}/secondaryIdInfos")


def _status(draft: Draft, module: shapes.Status) -> None:
    at = "/statusModule"
    draft.put_term("status", module.overallStatus, shapes.STATUSES, f"{at}/overallStatus")
    for key, name, struct in (
        ("start_date", "startDateStruct", module.startDateStruct),
        ("primary_completion_date", "primaryCompletionDateStruct",
         module.primaryCompletionDateStruct),
        ("completion_date", "completionDateStruct", module.completionDateStruct),
    ):  # fmt: skip
        if struct is not None:
            draft.put(key, struct.date, f"{at}/{name}/date")
            draft.put_term(f"{key}_type", struct.type, shapes.DATE_TYPES, f"{at}/{name}/type")


def _description(draft: Draft, protocol: shapes.Protocol) -> None:
    told, named = protocol.descriptionModule, protocol.conditionsModule
    draft.put("brief_summary", told.briefSummary, "/descriptionModule/briefSummary")
    at = "/descriptionModule/detailedDescription"
    draft.put("detailed_description", told.detailedDescription, at)
    draft.put("conditions", named.conditions, "/conditionsModule/conditions")
    draft.put("keywords", named.keywords, "/conditionsModule/keywords")
    if named.conditions and not any(map(registry_terms.names_sarcoma, named.conditions)):
        at = "/conditionsModule/conditions"
        draft.put("sarcoma", False, at)
        draft.tell("sarcoma", at, "not_sarcoma", conditions=", ".join(named.conditions))


def _design(draft: Draft, module: shapes.Design) -> None:
    at = "/designModule"
    draft.put_term("study_type", module.studyType, shapes.STUDY_TYPES, f"{at}/studyType")
    if module.phases is not None:
        phase = registry_terms.PHASES.get(tuple(module.phases))
        draft.put("phase", phase, f"{at}/phases")
        if phase is None and module.phases:
            draft.tell("phase", f"{at}/phases", "term_not_held", term=", ".join(module.phases))
    if module.enrollmentInfo is not None:
        planned, where = module.enrollmentInfo, f"{at}/enrollmentInfo"
        draft.put("enrollment_target", planned.count, f"{where}/count")
        draft.put_term("enrollment_type", planned.type, shapes.DATE_TYPES, f"{where}/type")
    if module.designInfo is not None:
        _design_info(draft, module.designInfo, f"{at}/designInfo")


def _design_info(draft: Draft, info: shapes.DesignInfo, at: str) -> None:
    masking = info.maskingInfo.masking if info.maskingInfo else None
    for key, value, terms, name in (
        ("allocation", info.allocation, shapes.ALLOCATIONS, "allocation"),
        ("intervention_model", info.interventionModel, shapes.MODELS, "interventionModel"),
        ("primary_purpose", info.primaryPurpose, shapes.PURPOSES, "primaryPurpose"),
        ("observational_model", info.observationalModel, shapes.OBSERVATIONAL,
         "observationalModel"),
        ("time_perspective", info.timePerspective, shapes.PERSPECTIVES, "timePerspective"),
        ("masking", masking, shapes.MASKINGS, "maskingInfo/masking"),
    ):  # fmt: skip
        draft.put_term(key, value, terms, f"{at}/{name}")


# --- arms and interventions ---


def _arms(draft: Draft, module: shapes.ArmsInterventions) -> None:
    at = "/armsInterventionsModule"
    groups, drugs = module.armGroups or [], module.interventions or []
    if module.armGroups is not None:
        given = [_given(group, drugs, alone=len(groups) == 1) for group in groups]
        names = _told_apart(draft, "arms", f"{at}/armGroups", [group.label for group in groups])
        arms = [
            _arm(draft, name, groups[index], [(drug, drugs[drug]) for drug in given[index]], index)
            for index, name in enumerate(names)
        ]
        draft.put("arms", arms, f"{at}/armGroups")
        _unplaced(draft, groups, drugs, {drug for arm in given for drug in arm})
    elif drugs:
        draft.tell("arms", f"{at}/interventions", "no_arms")


def _given(
    group: shapes.ArmGroup, drugs: Sequence[shapes.Intervention], *, alone: bool
) -> list[int]:
    """Which interventions an arm gets: those that name it, and those that it names."""
    labelled = [i for i, drug in enumerate(drugs) if group.label in (drug.armGroupLabels or [])]
    named = {_unprefixed(name) for name in group.interventionNames or []}
    named -= {drugs[i].name for i in labelled}
    unsaid = [
        i
        for i, drug in enumerate(drugs)
        if drug.name in named or (alone and not drug.armGroupLabels and i not in labelled)
    ]
    return sorted({*labelled, *unsaid})


def _unprefixed(name: str) -> str:
    """ "Drug: Anlotinib" is Anlotinib."""
    before, colon, after = name.partition(": ")
    return after if colon and before in shapes.INTERVENTION_TYPES.values() else name


def _unplaced(
    draft: Draft,
    groups: Sequence[shapes.ArmGroup],
    drugs: Sequence[shapes.Intervention],
    placed: Collection[int],
) -> None:
    """Tell of interventions that no arm gets, and of names that nothing has."""
    at, labels = "/armsInterventionsModule", {group.label for group in groups}
    for index, drug in enumerate(drugs):
        strange = [label for label in drug.armGroupLabels or [] if label not in labels]
        if index not in placed:
            draft.tell("arms", f"{at}/interventions/{index}", "in_no_arm", name=drug.name)
        for label in strange:
            where = f"{at}/interventions/{index}/armGroupLabels"
            draft.tell("arms", where, "no_such_name", name=label)
    names = {drug.name for drug in drugs}
    for index, group in enumerate(groups):
        for name in group.interventionNames or []:
            if not {name, _unprefixed(name)} & names:
                where = f"{at}/armGroups/{index}/interventionNames"
                draft.tell("arms", where, "no_such_name", name=name)


def _arm(
    draft: Draft,
    name: str,
    group: shapes.ArmGroup,
    drugs: Sequence[tuple[int, shapes.Intervention]],
    index: int,
) -> dict[str, Any]:
    at = f"/armsInterventionsModule/armGroups/{index}"
    arm: dict[str, Any] = {"name": name}
    _noted(draft, f"/arms/{index}", at, {"name": "label", "type": "type"})
    if group.type in shapes.ARM_TYPES:
        arm["type"] = group.type
    elif group.type is not None:
        draft.tell("arms", f"{at}/type", "term_not_held", term=group.type)
    if group.description is not None:
        arm["description"] = group.description
    arm["interventions"] = _interventions(draft, group, drugs, index)
    return arm


def _noted(draft: Draft, path: str, at: str, names: Mapping[str, str]) -> None:
    """Remember where the members of one object of the body stand in the document."""
    draft.origins[path] = SECTION + at
    draft.origins |= {f"{path}/{key}": f"{SECTION}{at}/{name}" for key, name in names.items()}


def _interventions(
    draft: Draft,
    group: shapes.ArmGroup,
    drugs: Sequence[tuple[int, shapes.Intervention]],
    arm: int,
) -> list[dict[str, Any]]:
    at = "/armsInterventionsModule/interventions"
    names = _told_apart(draft, "arms", at, [_shortened(drug.name) for _, drug in drugs])
    rows = []
    for place, (name, (index, drug)) in enumerate(zip(names, drugs, strict=True)):
        others = {other.name for _, other in drugs} - {drug.name}
        where = f"{at}/{index}"
        members = {"name": "name", "description": "description", "other_names": "otherNames"}
        _noted(draft, f"/arms/{arm}/interventions/{place}", where, members)
        row = {"name": name} | _of_drug(draft, drug, where)
        if name != drug.name and _shortened(drug.name) != drug.name:
            row["other_names"] = [drug.name, *row.get("other_names", [])]
        rows.append(
            row
            | _schedule(draft, drug, group, others, f"interventions/{index}", f"armGroups/{arm}")
        )
    return rows


def _of_drug(draft: Draft, drug: shapes.Intervention, at: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if drug.type in shapes.INTERVENTION_TYPES:
        row["type"] = drug.type
    elif drug.type is not None:
        draft.tell("arms", f"{at}/type", "term_not_held", term=drug.type)
    if drug.description is not None:
        row["description"] = drug.description
    if drug.otherNames is not None:
        row["other_names"] = list(drug.otherNames)
    return row


def _schedule(
    draft: Draft,
    drug: shapes.Intervention,
    group: shapes.ArmGroup,
    others: set[str],
    at: str,
    arm: str,
) -> dict[str, Any]:
    """Dose, route and days, as far as the description (else the arm's) allows one reading."""
    for text, where in ((drug.description, at), (group.description, arm)):
        row = _said_of(read_schedule(text or "", drug.name, others))
        if row:
            where = f"/armsInterventionsModule/{where}/description"
            draft.tell("arms", where, "schedule_read", name=drug.name, read=row)
            return row
    return {}


def _said_of(schedule: Schedule) -> dict[str, Any]:
    dose = schedule.dose
    whole = None if dose is None else int(dose) if dose == int(dose) else dose
    row = {
        "dose": whole,
        "unit": schedule.unit,
        "route": schedule.route,
        "days_on": list(schedule.days_on),
        "cycle_days": schedule.cycle_days,
    }
    return {key: value for key, value in row.items() if value not in (None, "", [])}


# --- outcomes ---

_ROLES = (
    ("primary", "primaryOutcomes"),
    ("secondary", "secondaryOutcomes"),
    ("other", "otherOutcomes"),
)


def _endpoints(draft: Draft, module: shapes.OutcomesModule) -> None:
    outcomes = [
        (role, f"/outcomesModule/{name}/{index}", outcome)
        for role, name in _ROLES
        for index, outcome in enumerate(getattr(module, name) or [])
    ]
    if outcomes or any(getattr(module, name) is not None for _, name in _ROLES):
        rows = [_endpoint(draft, role, at, outcome) for role, at, outcome in outcomes]
        _unique_endpoints(draft, rows, [at for _, at, _ in outcomes])
        draft.put("endpoints", rows, "/outcomesModule")
        for index, (_, at, _) in enumerate(outcomes):
            members = {"title": "measure", "wording": "description", "time_frame": "timeFrame"}
            _noted(draft, f"/endpoints/{index}", at, {"name": "measure"} | members)


def _endpoint(draft: Draft, role: str, at: str, outcome: shapes.Outcome) -> dict[str, Any]:
    kind = registry_terms.endpoint_kind(outcome.measure, outcome.description or "")
    own = registry_terms.says_only_the_kind(outcome.measure, kind)
    row: dict[str, Any] = {"kind": kind, "name": "" if own else _shortened(outcome.measure)}
    row |= {"role": role, "title": outcome.measure}
    if outcome.description is not None:
        row["wording"] = outcome.description
    if not own and row["name"] != outcome.measure:
        draft.tell("endpoints", f"{at}/measure", "shortened", name=row["name"])
    if outcome.timeFrame is not None:
        row["time_frame"] = outcome.timeFrame
    draft.tell("endpoints", at, "kind_other" if kind == registry_terms.OTHER else "kind_read",
               kind=kind, measure=outcome.measure)  # fmt: skip
    return row


def _unique_endpoints(draft: Draft, rows: Sequence[dict[str, Any]], at: Sequence[str]) -> None:
    """Give twins of a kind and a name different names."""
    keys = [(row["kind"], row["name"]) for row in rows]
    for row, old, number, where in zip(rows, keys, _numbers(keys), at, strict=True):
        if number > 1:
            row["name"] = _numbered(old[1] or old[0], number)
            draft.tell("endpoints", f"{where}/measure", "renamed", name=row["name"])


# --- eligibility ---


def _eligibility(draft: Draft, module: shapes.Eligibility) -> None:
    at = "/eligibilityModule"
    draft.put_term("eligible_sex", module.sex, shapes.SEXES, f"{at}/sex")
    draft.put("minimum_age", module.minimumAge, f"{at}/minimumAge")
    draft.put("maximum_age", module.maximumAge, f"{at}/maximumAge")
    draft.put("healthy_volunteers", module.healthyVolunteers, f"{at}/healthyVolunteers")
    if module.eligibilityCriteria is None:
        return
    split, where = eligibility_text.split(module.eligibilityCriteria), f"{at}/eligibilityCriteria"
    draft.put("criteria", [_criterion(found) for found in split.criteria], where)
    for code in split.remarks:
        draft.tell("criteria", where, code)
    for found in split.criteria:
        if found.note:
            draft.tell("criteria", where, "repaired", note=found.note)


def _criterion(found: eligibility_text.Found) -> dict[str, Any]:
    row = {"kind": found.kind, "text": found.text, "rule": None}
    row |= {"note": found.note} if found.note else {}
    return row | ({"source": _shortened(found.source, 200)} if found.source else {})


# --- people and places ---


def _people(draft: Draft, protocol: shapes.Protocol) -> None:
    module, sponsors = protocol.contactsLocationsModule, protocol.sponsorCollaboratorsModule
    at = "/sponsorCollaboratorsModule"
    lead, others = sponsors.leadSponsor, sponsors.collaborators
    draft.put("lead_sponsor", lead and lead.name, f"{at}/leadSponsor/name")
    named = None if others is None else [other.name for other in others]
    draft.put("collaborators", named, f"{at}/collaborators")
    officials = _officials(draft, module)
    if module.overallOfficials is not None or module.centralContacts is not None:
        draft.put("officials", officials, "/contactsLocationsModule")
    _principal_investigator(draft, officials, sponsors.responsibleParty)


def _officials(draft: Draft, module: shapes.ContactsLocations) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for name, listed in (
        ("overallOfficials", module.overallOfficials),
        ("centralContacts", module.centralContacts),
    ):
        for index, person in enumerate(listed or []):
            at = f"/contactsLocationsModule/{name}/{index}"
            row = _official(person)
            problem = _no_official(row, rows)
            if problem:
                draft.tell("officials", at, problem, name=person.name or "")
            else:
                _noted(draft, f"/officials/{len(rows)}", at, {key: key for key in row})
                rows[row["role"], row["name"]] = row
    return list(rows.values())


def _official(person: shapes.Contact) -> dict[str, Any]:
    phone = " ext. ".join(filter(None, (person.phone, person.phoneExt)))
    row = {
        "name": person.name,
        "affiliation": person.affiliation,
        "role": person.role,
        "phone": phone or person.phone,
        "email": person.email,
    }
    return {key: value for key, value in row.items() if value is not None}


def _no_official(row: Mapping[str, Any], rows: Collection[tuple[str, str]]) -> str:
    """Why a person is left out; empty if not."""
    if not row.get("name", "").strip():
        return "no_name"
    if row.get("role") not in shapes.OFFICIAL_ROLES:
        return "no_role"
    return "twice" if (row["role"], row["name"]) in rows else ""


def _principal_investigator(
    draft: Draft, officials: Iterable[Mapping[str, Any]], party: shapes.ResponsibleParty | None
) -> None:
    """The first official of that role, else the investigator who answers for the study."""
    leading = [row for row in officials if row["role"] == "PRINCIPAL_INVESTIGATOR"]
    if leading:
        named = ", ".join(filter(None, (leading[0]["name"], leading[0].get("affiliation"))))
        draft.put("principal_investigator", named, "/contactsLocationsModule/overallOfficials")
    elif party is not None and party.investigatorFullName:
        parts = (party.investigatorFullName, party.investigatorAffiliation)
        at = "/sponsorCollaboratorsModule/responsibleParty/investigatorFullName"
        draft.put("principal_investigator", ", ".join(filter(None, parts)), at)


def _sites(draft: Draft, locations: Sequence[shapes.Location] | None) -> None:
    if locations is None:
        return
    at, width = "/contactsLocationsModule/locations", max(2, len(str(len(locations))))
    draft.put("sites", [_site(draft, f"{at}/{index}", f"{index + 1:0{width}}", location)
                        for index, location in enumerate(locations)], at)  # fmt: skip
    names = {"name": "facility"} | {key: key for key in ("city", "state", "zip", "country")}
    for index in range(len(locations)):
        _noted(draft, f"/sites/{index}", f"{at}/{index}", names | {"status": "status"})
    if locations:
        draft.tell("sites", at, "sites_numbered", count=len(locations))


def _site(draft: Draft, at: str, code: str, location: shapes.Location) -> dict[str, Any]:
    row = {
        "code": code,
        "name": location.facility,
        "city": location.city,
        "state": location.state,
        "zip": location.zip,
        "country": location.country,
    }
    zone = registry_terms.ZONES.get(location.country or "")
    if zone is None:
        draft.tell("sites", f"{at}/country", "zone_unknown", country=location.country or "")
    if location.status is not None and location.status not in shapes.STATUSES:
        draft.tell("sites", f"{at}/status", "term_not_held", term=location.status)
    elif location.status is not None:
        row["status"] = location.status
    return {k: v for k, v in row.items() if v is not None} | {"timezone": zone or "UTC"}


# --- names ---


def _told_apart(draft: Draft, key: str, at: str, names: Sequence[str]) -> list[str]:
    """The names, a number behind those that came before."""
    unique = []
    for name, number in zip(names, _numbers(names), strict=True):
        unique.append(name if number == 1 else _numbered(name, number))
        if number > 1:
            draft.tell(key, at, "renamed", name=unique[-1])
    return unique


def _numbers(values: Sequence[Hashable]) -> list[int]:
    """How often each value has come, itself included."""
    return [values[: index + 1].count(value) for index, value in enumerate(values)]


def _numbered(name: str, number: int) -> str:
    tail = f" ({number})"
    return _shortened(name, LONGEST_NAME - len(tail)) + tail


def _shortened(name: str, most: int = LONGEST_NAME) -> str:
    if len(name) <= most:
        return name
    return name[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
