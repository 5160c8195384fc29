"""Names of units, characteristics and comparisons in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from outcomes.arms import NoComparison
from outcomes.characteristics import UNKNOWN
from outcomes.methods.comparison import ComparisonReason, Ties
from outcomes.methods.irecist import ImmuneResponse
from outcomes.methods.recist import Response
from outcomes.methods.survival import MissingReason
from outcomes.report import Absence
from outcomes.report.subgroups import FEWEST, ForestMeasure, NotShown, Reason
from patients.models import Sex
from registry.languages import in_chinese
from trials import histologies

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

UNITS = {"months": _("months"), "weeks": _("weeks")}

TIES = {Ties.EFRON: _("Cox model, ties by Efron"), Ties.BRESLOW: _("Cox model, ties by Breslow")}

CHARACTERISTICS = {
    "histology": _("histology"),
    "site": _("site"),
    "sex": _("sex"),
    "ecog": _("ECOG performance status"),
    "age_band": _("age at enrollment"),
    "prior_lines": _("prior lines of systemic therapy"),
    "arm": _("arm"),
}

# The groups that have other names in words; `histology`, `site` and `arm` are as entered.
GROUP_NAMES: dict[str, Mapping[str, _StrOrPromise]] = {
    "sex": {str(value): label for value, label in Sex.choices},
    "age_band": {
        "<40": _("younger than 40"),
        "40-59": _("40 to 59"),
        ">=60": _("60 and older"),
    },
    "prior_lines": {"0": _("none"), ">=3": _("3 or more")},
}

ABSENCES = {
    Absence.NOT_ENROLLED: _("not enrolled"),
    Absence.NOT_TREATED: _("no dose received"),
    Absence.NO_BASELINE: _("no baseline assessment"),
    Absence.NOT_MEASURABLE: _("no measurable disease at baseline"),
    Absence.NOT_ASSESSED: _("no assessment after baseline"),
    Absence.NO_TIME_ORIGIN: _("no date to count from"),
    Absence.MAJOR_DEVIATION: _("a major protocol deviation"),
}

MEASURES = {
    ForestMeasure.RATE: _("rate"),
    ForestMeasure.MEDIAN: _("median"),
    ForestMeasure.HAZARD_RATIO: _("hazard ratio of the arms"),
}

NOT_SHOWN = {
    NotShown.TOO_FEW: _("not estimable (n < %s)"),
    NotShown.NO_EVENTS: _("not estimable (no events)"),
}

NO_COMPARISON = {
    NoComparison.BLINDED: _("the arms are blinded"),
    NoComparison.FEWER_THAN_TWO_ARMS: _("fewer than two arms have patients"),
    NoComparison.NOT_WITHIN_GROUPS: _("arms are not compared within groups"),
}

ENDS = {
    "progression": _("progressive disease"),
    "progression_dated_back": _(
        "progressive disease, dated back to an equivocal lesion's first sight"
    ),
    "death": _("death"),
    "censored_last_assessment": _("no event: last assessment that counts"),
    "censored_never_assessed": _("never assessed: the time origin"),
    "censored_never_evaluable": _("never evaluable: the time origin"),
    "censored_no_baseline": _("no usable baseline: the time origin"),
    "censored_new_therapy": _("new anticancer therapy: last assessment before"),
    "censored_new_therapy_at_origin": _("new anticancer therapy: the time origin"),
    "censored_missed_assessments": _("missed assessments: last one before"),
    "censored_missed_assessments_at_origin": _("missed assessments: the time origin"),
    "censored_last_known_alive": _("alive: last known alive"),
    "censored_alive_on_cutoff": _("alive after the data cutoff: the cutoff"),
}

NOT_COMPARED = {
    ComparisonReason.FEWER_THAN_TWO_ARMS: _("patients in one arm only"),
    ComparisonReason.MORE_THAN_TWO_ARMS: _("more than two arms"),
    ComparisonReason.NO_PATIENTS_IN_ARM: _("an arm without patients"),
    ComparisonReason.NO_EVENTS: _("no events"),
    ComparisonReason.NO_EVENTS_IN_ARM: _("no events in the arm"),
    ComparisonReason.NO_EVENTS_IN_REFERENCE: _("no events in the reference arm"),
    ComparisonReason.NO_INFORMATION: _("no event tells the arms apart"),
    ComparisonReason.INFINITE_COEFFICIENT: _("events of the arms do not overlap in time"),
    ComparisonReason.NO_CONVERGENCE: _("the estimate did not converge"),
}


def immune_label(response: ImmuneResponse) -> str:
    """A response by iRECIST as it is written in tables."""
    neither = response is ImmuneResponse.NON_ICR_NON_IUPD
    return "Non-iCR/Non-iUPD" if neither else response.value


def response_label(response: Response) -> str:
    """A response as it is written in tables."""
    return "Non-CR/Non-PD" if response is Response.NON_CR_NON_PD else response.value


def group_label(characteristic: str, name: str) -> str:
    """A group of patients as a reader calls it; a histology in the reader's language."""
    if name == UNKNOWN:
        return translated("unknown")
    if characteristic == "histology":
        return histologies.name(name, chinese=in_chinese())
    return str(GROUP_NAMES.get(characteristic, {}).get(name, name))


def why_none(reason: Reason) -> str:
    """Why a group has no estimate."""
    if isinstance(reason, NotShown):
        said = str(NOT_SHOWN[reason])
        return said % FEWEST if reason is NotShown.TOO_FEW else said
    if isinstance(reason, ComparisonReason):
        return translated("not estimable (%s)") % NOT_COMPARED[reason]
    if reason is MissingReason.NOT_REACHED:
        return translated("not reached")
    return translated("not estimable")
