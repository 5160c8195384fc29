"""Names of units, characteristics and comparisons in the reader's language."""

from django.utils.translation import gettext_lazy as _

from outcomes.methods.comparison import ComparisonReason, Ties
from outcomes.methods.irecist import ImmuneResponse
from outcomes.methods.recist import Response
from outcomes.report import Absence

UNITS = {"months": _("months"), "weeks": _("weeks")}

TIES = {Ties.EFRON: _("Cox model, ties by Efron"), Ties.BRESLOW: _("Cox model, ties by Breslow")}

CHARACTERISTICS = {
    "histology": _("histology"),
    "site": _("site"),
    "sex": _("sex"),
    "ecog": _("ECOG performance status"),
}

ABSENCES = {
    Absence.NOT_ENROLLED: _("not enrolled"),
    Absence.NOT_TREATED: _("no dose received"),
    Absence.NO_BASELINE: _("no baseline assessment"),
    Absence.NOT_MEASURABLE: _("no measurable disease at baseline"),
    Absence.NOT_ASSESSED: _("no assessment after baseline"),
    Absence.NO_TIME_ORIGIN: _("no date to count from"),
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
