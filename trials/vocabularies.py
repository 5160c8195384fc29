"""Controlled terms: the enums of ClinicalTrials.gov v2, with the registry's labels."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils import translation
from django.utils.translation import gettext_lazy as _


class Phase(TextChoices):
    NA = "NA", _("N/A")
    EARLY_PHASE1 = "EARLY_PHASE1", _("Early Phase 1")
    PHASE1 = "PHASE1", _("Phase 1")
    PHASE1_PHASE2 = "PHASE1_PHASE2", _("Phase 1/Phase 2")
    PHASE2 = "PHASE2", _("Phase 2")
    PHASE2_PHASE3 = "PHASE2_PHASE3", _("Phase 2/Phase 3")
    PHASE3 = "PHASE3", _("Phase 3")
    PHASE4 = "PHASE4", _("Phase 4")


class Status(TextChoices):
    NOT_YET_RECRUITING = "NOT_YET_RECRUITING", _("Not yet recruiting")
    RECRUITING = "RECRUITING", _("Recruiting")
    ENROLLING_BY_INVITATION = "ENROLLING_BY_INVITATION", _("Enrolling by invitation")
    ACTIVE_NOT_RECRUITING = "ACTIVE_NOT_RECRUITING", _("Active, not recruiting")
    COMPLETED = "COMPLETED", _("Completed")
    SUSPENDED = "SUSPENDED", _("Suspended")
    TERMINATED = "TERMINATED", _("Terminated")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")
    UNKNOWN = "UNKNOWN", _("Unknown status")


class StudyType(TextChoices):
    INTERVENTIONAL = "INTERVENTIONAL", _("Interventional")
    OBSERVATIONAL = "OBSERVATIONAL", _("Observational")
    EXPANDED_ACCESS = "EXPANDED_ACCESS", _("Expanded access")


class AllocationType(TextChoices):
    NA = "NA", _("N/A")
    RANDOMIZED = "RANDOMIZED", _("Randomized")
    NON_RANDOMIZED = "NON_RANDOMIZED", _("Non-randomized")


class InterventionModel(TextChoices):
    SINGLE_GROUP = "SINGLE_GROUP", _("Single group assignment")
    PARALLEL = "PARALLEL", _("Parallel assignment")
    CROSSOVER = "CROSSOVER", _("Crossover assignment")
    FACTORIAL = "FACTORIAL", _("Factorial assignment")
    SEQUENTIAL = "SEQUENTIAL", _("Sequential assignment")


class PrimaryPurpose(TextChoices):
    TREATMENT = "TREATMENT", _("Treatment")
    PREVENTION = "PREVENTION", _("Prevention")
    DIAGNOSTIC = "DIAGNOSTIC", _("Diagnostic")
    SUPPORTIVE_CARE = "SUPPORTIVE_CARE", _("Supportive care")
    SCREENING = "SCREENING", _("Screening")
    HEALTH_SERVICES_RESEARCH = "HEALTH_SERVICES_RESEARCH", _("Health services research")
    BASIC_SCIENCE = "BASIC_SCIENCE", _("Basic science")
    OTHER = "OTHER", _("Other")


class Masking(TextChoices):
    NONE = "NONE", _("None (open label)")
    SINGLE = "SINGLE", _("Single")
    DOUBLE = "DOUBLE", _("Double")
    TRIPLE = "TRIPLE", _("Triple")
    QUADRUPLE = "QUADRUPLE", _("Quadruple")


UNMASKED = ("", Masking.NONE)


class ArmType(TextChoices):
    EXPERIMENTAL = "EXPERIMENTAL", _("Experimental")
    ACTIVE_COMPARATOR = "ACTIVE_COMPARATOR", _("Active comparator")
    PLACEBO_COMPARATOR = "PLACEBO_COMPARATOR", _("Placebo comparator")
    SHAM_COMPARATOR = "SHAM_COMPARATOR", _("Sham comparator")
    NO_INTERVENTION = "NO_INTERVENTION", _("No intervention")
    OTHER = "OTHER", _("Other")


class EnrollmentType(TextChoices):
    ESTIMATED = "ESTIMATED", _("Estimated")
    ACTUAL = "ACTUAL", _("Actual")


class DateType(TextChoices):
    ESTIMATED = "ESTIMATED", _("Estimated")
    ACTUAL = "ACTUAL", _("Actual")


class EligibleSex(TextChoices):
    ALL = "ALL", _("All")
    FEMALE = "FEMALE", _("Female")
    MALE = "MALE", _("Male")


class ObservationalModel(TextChoices):
    COHORT = "COHORT", _("Cohort")
    CASE_CONTROL = "CASE_CONTROL", _("Case-control")
    CASE_ONLY = "CASE_ONLY", _("Case-only")
    CASE_CROSSOVER = "CASE_CROSSOVER", _("Case-crossover")
    ECOLOGIC_OR_COMMUNITY = "ECOLOGIC_OR_COMMUNITY", _("Ecologic or community")
    FAMILY_BASED = "FAMILY_BASED", _("Family-based")
    DEFINED_POPULATION = "DEFINED_POPULATION", _("Defined population")
    NATURAL_HISTORY = "NATURAL_HISTORY", _("Natural history")
    OTHER = "OTHER", _("Other")


class TimePerspective(TextChoices):
    RETROSPECTIVE = "RETROSPECTIVE", _("Retrospective")
    PROSPECTIVE = "PROSPECTIVE", _("Prospective")
    CROSS_SECTIONAL = "CROSS_SECTIONAL", _("Cross-sectional")
    OTHER = "OTHER", _("Other")


class InterventionType(TextChoices):
    BEHAVIORAL = "BEHAVIORAL", _("Behavioral")
    BIOLOGICAL = "BIOLOGICAL", _("Biological")
    COMBINATION_PRODUCT = "COMBINATION_PRODUCT", _("Combination product")
    DEVICE = "DEVICE", _("Device")
    DIAGNOSTIC_TEST = "DIAGNOSTIC_TEST", _("Diagnostic test")
    DIETARY_SUPPLEMENT = "DIETARY_SUPPLEMENT", _("Dietary supplement")
    DRUG = "DRUG", _("Drug")
    GENETIC = "GENETIC", _("Genetic")
    PROCEDURE = "PROCEDURE", _("Procedure")
    RADIATION = "RADIATION", _("Radiation")
    OTHER = "OTHER", _("Other")


class OfficialRole(TextChoices):
    PRINCIPAL_INVESTIGATOR = "PRINCIPAL_INVESTIGATOR", _("Principal investigator")
    STUDY_CHAIR = "STUDY_CHAIR", _("Study chair")
    STUDY_DIRECTOR = "STUDY_DIRECTOR", _("Study director")
    SUB_INVESTIGATOR = "SUB_INVESTIGATOR", _("Sub-investigator")
    CONTACT = "CONTACT", _("Contact")


class RangeSex(TextChoices):
    """Whose reference range it is."""

    ANY = "any", _("any")
    FEMALE = "female", _("female")
    MALE = "male", _("male")


class StratificationFactor(TextChoices):
    """Patient facts that randomization may be stratified by."""

    SITE = "site", _("site")
    SEX = "sex", _("sex")
    ECOG = "ecog", _("ECOG performance status")
    HISTOLOGY = "histology", _("histology")


class ResponseCriteria(TextChoices):
    RECIST_1_1 = "RECIST 1.1", "RECIST 1.1"


class CtcaeVersion(TextChoices):
    V4_03 = "4.03", "4.03"
    V5_0 = "5.0", "5.0"


class EnrollmentGate(TextChoices):
    RECORDED_ELSEWHERE = "recorded_elsewhere", _("Patients arrive enrolled")
    SCREENING = "screening", _("Consent and screening come first")


class EndpointRole(TextChoices):
    PRIMARY = "primary", _("primary")
    SECONDARY = "secondary", _("secondary")
    OTHER = "other", _("other")


class CriterionKind(TextChoices):
    INCLUSION = "inclusion", _("inclusion")
    EXCLUSION = "exclusion", _("exclusion")


class Role(TextChoices):
    COORDINATOR = "coordinator", _("site coordinator")
    INVESTIGATOR = "investigator", _("investigator")
    ADMINISTRATOR = "administrator", _("trial administrator")
    DATA_MANAGER = "data_manager", _("data manager")
    STATISTICIAN = "statistician", _("statistician")
    UNBLINDED_STATISTICIAN = "unblinded_statistician", _("unblinded statistician")
    VIEWER = "viewer", _("viewer")
    REVIEWER = "reviewer", _("independent reviewer")


def term(choices: type[TextChoices], text: str) -> str | None:
    """The enum value that a code or one of the registry's labels names, in any case; else None."""
    return code_of(choices.choices, text)


def code_of(choices: Iterable[tuple[Any, Any]], text: str) -> str | None:
    """As `term`, for the choices of a model's or a serializer's field."""
    wanted = _folded(text)
    with translation.override("en"):
        for code, label in choices:
            if wanted in {_folded(name) for name in _names(str(code), str(label))}:
                return str(code)
    return None


def _names(code: str, label: str) -> Iterable[str]:
    return (code, label, label.split(" (")[0], label.removesuffix(" assignment"))


def _folded(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def validate_partial_date(value: str) -> None:
    """Refuse what is no calendar year, month or day: registries print any of them."""
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        with suppress(ValueError):
            if datetime.strptime(value, form).strftime(form) == value:  # noqa: DTZ007
                return
    raise ValidationError(_("A date as YYYY, YYYY-MM or YYYY-MM-DD."))


def validate_timezone(value: str) -> None:
    """Refuse what is no IANA time zone."""
    if value not in available_timezones():
        raise ValidationError(_("Not an IANA time zone; for example Asia/Shanghai."))
