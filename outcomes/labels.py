"""Names of endpoints, populations, styles and rules in the reader's language."""

from django.utils.translation import gettext_lazy as _

from outcomes.methods.comparison import ComparisonReason, Ties
from outcomes.report import Absence
from trials.definitions import (
    CensoringRule,
    EndpointKind,
    Population,
    ProportionInterval,
    SurvivalInterval,
    TherapyKind,
    TimeOrigin,
)

TITLES = {
    EndpointKind.ORR: _("Objective response rate"),
    EndpointKind.DCR: _("Disease control rate"),
    EndpointKind.CBR: _("Clinical benefit rate"),
    EndpointKind.PFS: _("Progression-free survival"),
    EndpointKind.OS: _("Overall survival"),
    EndpointKind.DOR: _("Duration of response"),
    EndpointKind.TTR: _("Time to response"),
}

POPULATIONS = {
    Population.ENROLLED: _("Enrolled patients"),
    Population.EVALUABLE: _("Response-evaluable patients"),
    Population.SAFETY: _("Treated patients"),
}

PROPORTION_STYLES = {
    ProportionInterval.CLOPPER_PEARSON: _("Clopper-Pearson, exact"),
    ProportionInterval.WILSON: _("Wilson"),
    ProportionInterval.WALD: _("Wald"),
}

SURVIVAL_STYLES = {
    SurvivalInterval.LOG_LOG: _("log-log"),
    SurvivalInterval.LOG: _("log"),
    SurvivalInterval.PLAIN: _("plain"),
    SurvivalInterval.SPSS: _("SPSS style"),
}

ORIGINS = {
    TimeOrigin.FIRST_DOSE: _("the first dose"),
    TimeOrigin.ENROLLMENT: _("enrollment"),
    TimeOrigin.RANDOMIZATION: _("randomization"),
}

EVENTS = {
    EndpointKind.PFS: _(
        "From %(origin)s (day 1) to objective progression or death from any cause."
    ),
    EndpointKind.OS: _(
        "From %(origin)s (day 1) to death from any cause; else censored when last known alive."
    ),
    EndpointKind.DOR: _("From the first response that counts to objective progression or death."),
    EndpointKind.TTR: _("From %(origin)s (day 1) to the first response that counts."),
}

CENSORINGS = {
    CensoringRule.LAST_PROGRESSION_FREE: _(
        "Without an event censored at the last evaluable assessment; nothing else censors."
    ),
    CensoringRule.FDA: _(
        "FDA rule: new anticancer therapy before an event, or an event after two missed"
        " assessments, censors at the last assessment before."
    ),
    CensoringRule.EMA: _("EMA rule: events count at their date whatever was missed or started."),
}

THERAPIES = {
    TherapyKind.SYSTEMIC: _("systemic"),
    TherapyKind.RADIOTHERAPY: _("radiotherapy"),
    TherapyKind.SURGERY: _("surgery"),
}

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
