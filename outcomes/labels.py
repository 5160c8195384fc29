"""Names of units, characteristics and comparisons in the reader's language."""

from django.utils.translation import gettext_lazy as _

from outcomes.methods.comparison import ComparisonReason, Ties
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


def response_label(response: Response) -> str:
    """A response as it is written in tables."""
    return "Non-CR/Non-PD" if response is Response.NON_CR_NON_PD else response.value
