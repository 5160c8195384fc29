"""The parts of a ClinicalTrials.gov v2 study that this registry reads: their shapes, pure.

After the API's own OpenAPI document (ctg-oas-v2.yaml, schema `Study`). Members that are not named
here are kept apart by pydantic (`model_extra`) and told to the reader, never refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from trials.json_patch import escaped

EXTENSION = "sarcomaTrialRegistry"
MOST_LOCATIONS = 2_000
MOST_ITEMS = 500
MOST_CHANGES = 20_000
LONGEST_TEXT = 100_000

# The terms that this registry holds: those of trials.vocabularies, which a test compares.
STATUSES = (
    *("NOT_YET_RECRUITING", "RECRUITING", "ENROLLING_BY_INVITATION", "ACTIVE_NOT_RECRUITING"),
    *("COMPLETED", "SUSPENDED", "TERMINATED", "WITHDRAWN", "UNKNOWN"),
)
STUDY_TYPES = ("INTERVENTIONAL", "OBSERVATIONAL", "EXPANDED_ACCESS")
ALLOCATIONS = ("NA", "RANDOMIZED", "NON_RANDOMIZED")
MODELS = ("SINGLE_GROUP", "PARALLEL", "CROSSOVER", "FACTORIAL", "SEQUENTIAL")
PURPOSES = (
    *("TREATMENT", "PREVENTION", "DIAGNOSTIC", "SUPPORTIVE_CARE", "SCREENING"),
    *("HEALTH_SERVICES_RESEARCH", "BASIC_SCIENCE", "OTHER"),
)
OBSERVATIONAL = (
    *("COHORT", "CASE_CONTROL", "CASE_ONLY", "CASE_CROSSOVER", "ECOLOGIC_OR_COMMUNITY"),
    *("FAMILY_BASED", "DEFINED_POPULATION", "NATURAL_HISTORY", "OTHER"),
)
PERSPECTIVES = ("RETROSPECTIVE", "PROSPECTIVE", "CROSS_SECTIONAL", "OTHER")
MASKINGS = ("NONE", "SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE")
DATE_TYPES = ("ESTIMATED", "ACTUAL")
SEXES = ("ALL", "FEMALE", "MALE")
ARM_TYPES = (
    *("EXPERIMENTAL", "ACTIVE_COMPARATOR", "PLACEBO_COMPARATOR", "SHAM_COMPARATOR"),
    *("NO_INTERVENTION", "OTHER"),
)
OFFICIAL_ROLES = (
    *("PRINCIPAL_INVESTIGATOR", "STUDY_CHAIR", "STUDY_DIRECTOR", "SUB_INVESTIGATOR", "CONTACT"),
)
# With the words that the registry puts before an intervention's name: "Drug: Anlotinib".
INTERVENTION_TYPES = {
    "BEHAVIORAL": "Behavioral",
    "BIOLOGICAL": "Biological",
    "COMBINATION_PRODUCT": "Combination Product",
    "DEVICE": "Device",
    "DIAGNOSTIC_TEST": "Diagnostic Test",
    "DIETARY_SUPPLEMENT": "Dietary Supplement",
    "DRUG": "Drug",
    "GENETIC": "Genetic",
    "PROCEDURE": "Procedure",
    "RADIATION": "Radiation",
    "OTHER": "Other",
}

Text = Annotated[str, Field(strict=True, max_length=LONGEST_TEXT)]
Count = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
Texts = Annotated[list[Text], Field(max_length=MOST_ITEMS)]


class Misread(ValueError):
    """A text that has not the form that the registry gives it: the message is a code."""


def _nct(value: str) -> str:
    if not re.fullmatch(r"NCT[0-9]{8}", value):
        raise Misread("nct_id")
    return value


def _partial_date(value: str) -> str:
    """YYYY, YYYY-MM or YYYY-MM-DD, of a day that exists."""
    if not is_partial_date(value):
        raise Misread("partial_date")
    return value


def is_partial_date(value: str) -> bool:
    """Whether a text is a year, a month or a day as the registry prints them."""
    if not re.fullmatch(r"[0-9]{4}(?:-[0-9]{2}){0,2}", value):
        return False
    try:
        date.fromisoformat((value + "-01-01")[:10])
    except ValueError:
        return False
    return True


AGE = re.compile(r"[0-9]{1,4} (?:Year|Month|Week|Day|Hour|Minute)s?")


def _age(value: str) -> str:
    if not AGE.fullmatch(value):
        raise Misread("age")
    return value


class Part(BaseModel):
    """An object of the document."""

    model_config = ConfigDict(extra="allow")


class OrgStudyId(Part):
    id: Text | None = None


class SecondaryId(Part):
    id: Text


class Identification(Part):
    nctId: Annotated[Text, AfterValidator(_nct)] | None = None
    orgStudyIdInfo: OrgStudyId | None = None
    secondaryIdInfos: Annotated[list[SecondaryId], Field(max_length=MOST_ITEMS)] | None = None
    briefTitle: Text | None = None
    officialTitle: Text | None = None
    acronym: Text | None = None


class PartialDate(Part):
    date: Annotated[Text, AfterValidator(_partial_date)] | None = None
    type: Text | None = None


class Status(Part):
    overallStatus: Text | None = None
    startDateStruct: PartialDate | None = None
    primaryCompletionDateStruct: PartialDate | None = None
    completionDateStruct: PartialDate | None = None


class Sponsor(Part):
    name: Text


class ResponsibleParty(Part):
    type: Text | None = None
    investigatorFullName: Text | None = None
    investigatorAffiliation: Text | None = None


class Sponsors(Part):
    responsibleParty: ResponsibleParty | None = None
    leadSponsor: Sponsor | None = None
    collaborators: Annotated[list[Sponsor], Field(max_length=MOST_ITEMS)] | None = None


class Description(Part):
    briefSummary: Text | None = None
    detailedDescription: Text | None = None


class Conditions(Part):
    conditions: Texts | None = None
    keywords: Texts | None = None


class MaskingInfo(Part):
    masking: Text | None = None


class DesignInfo(Part):
    allocation: Text | None = None
    interventionModel: Text | None = None
    primaryPurpose: Text | None = None
    observationalModel: Text | None = None
    timePerspective: Text | None = None
    maskingInfo: MaskingInfo | None = None


class Enrollment(Part):
    count: Count | None = None
    type: Text | None = None


class Design(Part):
    studyType: Text | None = None
    phases: Texts | None = None
    designInfo: DesignInfo | None = None
    enrollmentInfo: Enrollment | None = None


class ArmGroup(Part):
    label: Text
    type: Text | None = None
    description: Text | None = None
    interventionNames: Texts | None = None


class Intervention(Part):
    type: Text | None = None
    name: Text
    description: Text | None = None
    armGroupLabels: Texts | None = None
    otherNames: Texts | None = None


class ArmsInterventions(Part):
    armGroups: Annotated[list[ArmGroup], Field(max_length=MOST_ITEMS)] | None = None
    interventions: Annotated[list[Intervention], Field(max_length=MOST_ITEMS)] | None = None


class Outcome(Part):
    measure: Text
    description: Text | None = None
    timeFrame: Text | None = None


Outcomes = Annotated[list[Outcome], Field(max_length=MOST_ITEMS)]


class OutcomesModule(Part):
    primaryOutcomes: Outcomes | None = None
    secondaryOutcomes: Outcomes | None = None
    otherOutcomes: Outcomes | None = None


class Eligibility(Part):
    eligibilityCriteria: Text | None = None
    healthyVolunteers: Annotated[bool, Field(strict=True)] | None = None
    sex: Text | None = None
    minimumAge: Annotated[Text, AfterValidator(_age)] | None = None
    maximumAge: Annotated[Text, AfterValidator(_age)] | None = None


class Contact(Part):
    name: Text | None = None
    role: Text | None = None
    phone: Text | None = None
    phoneExt: Text | None = None
    email: Text | None = None
    affiliation: Text | None = None


class Location(Part):
    facility: Text | None = None
    status: Text | None = None
    city: Text | None = None
    state: Text | None = None
    zip: Text | None = None
    country: Text | None = None


Contacts = Annotated[list[Contact], Field(max_length=MOST_ITEMS)]


class ContactsLocations(Part):
    centralContacts: Contacts | None = None
    overallOfficials: Contacts | None = None
    locations: Annotated[list[Location], Field(max_length=MOST_LOCATIONS)] | None = None


class Protocol(Part):
    identificationModule: Identification
    statusModule: Status = Status()
    sponsorCollaboratorsModule: Sponsors = Sponsors()
    descriptionModule: Description = Description()
    conditionsModule: Conditions = Conditions()
    designModule: Design = Design()
    armsInterventionsModule: ArmsInterventions = ArmsInterventions()
    outcomesModule: OutcomesModule = OutcomesModule()
    eligibilityModule: Eligibility = Eligibility()
    contactsLocationsModule: ContactsLocations = ContactsLocations()


class Change(BaseModel):
    """One operation of a JSON Patch, of those that `trials.json_patch` makes."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["add", "replace", "remove"]
    path: Annotated[str, Field(strict=True, pattern=r"^/[^/]", max_length=500)]
    value: Any = None


class Extension(Part):
    """What ClinicalTrials.gov has no place for: changes to what the other members say."""

    format: Literal[1]
    description: Text | None = None
    madeFrom: dict[str, Text] = {}
    changes: Annotated[list[Change], Field(max_length=MOST_CHANGES)] = []


class Study(Part):
    """A study as the API's GET /studies/{nctId} answers it."""

    protocolSection: Protocol
    hasResults: Annotated[bool, Field(strict=True)] | None = None
    sarcomaTrialRegistry: Extension | None = None


def unheld(part: BaseModel, pointer: str = "") -> Iterator[str]:
    """Pointers to the members that no shape names, in the order of the shapes."""
    for key in part.model_extra or {}:
        yield f"{pointer}/{escaped(key)}"
    for name in type(part).model_fields:
        value = getattr(part, name)
        members = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, member in members:
            if isinstance(member, BaseModel):
                at = f"{pointer}/{name}" if index is None else f"{pointer}/{name}/{index}"
                yield from unheld(member, at)


_EXPECTED = {
    "string_type": "text",
    "int_type": "whole_number",
    "int_from_float": "whole_number",
    "greater_than_equal": "whole_number",
    "less_than_equal": "whole_number",
    "bool_type": "true_or_false",
    "list_type": "list",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "missing": "required",
    "extra_forbidden": "unknown",
    "string_pattern_mismatch": "pointer",
}


def misfits(error: ValidationError) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """A pointer, a code and its parameters for each thing that a document has wrong."""
    for item in error.errors(include_url=False):
        pointer = "".join(f"/{escaped(str(step))}" for step in item["loc"])
        context = item.get("ctx", {})
        if item["type"] in ("too_long", "string_too_long"):
            yield pointer, item["type"], {"most": context["max_length"]}
        elif item["type"] == "literal_error":
            yield pointer, "one_of", {"expected": context["expected"]}
        elif isinstance(context.get("error"), Misread):
            yield pointer, str(context["error"]), {}
        else:
            yield pointer, _EXPECTED.get(item["type"], item["type"]), {}
