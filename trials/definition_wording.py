"""Endpoint definitions in the reader's language: their terms, and what is counted in sentences."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.languages import listed, sentences
from trials.definitions import (
    CensoringRule,
    EndpointDefinition,
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
    Population.PER_PROTOCOL: _("Per-protocol patients"),
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

BY_IRECIST = _(
    "Response and progression by iRECIST: an unconfirmed progression (iUPD) counts from its first"
    " date unless iSD, iPR or iCR follows."
)

THERAPIES = {
    TherapyKind.SYSTEMIC: _("systemic"),
    TherapyKind.RADIOTHERAPY: _("radiotherapy"),
    TherapyKind.SURGERY: _("surgery"),
}

RATES = (EndpointKind.ORR, EndpointKind.DCR, EndpointKind.CBR)


def in_words(kind: EndpointKind, definition: EndpointDefinition) -> str:
    """What the registry computes under a definition, in a few sentences.

    Raises KeyError for an endpoint that is held but not computed.
    """
    return sentences(*(_rate(kind, definition) if kind in RATES else _time(kind, definition)))


def _rate(kind: EndpointKind, definition: EndpointDefinition) -> list[str]:
    immune = definition.immune
    responses, controlled = gettext("CR or PR"), gettext("CR, PR, SD or Non-CR/Non-PD")
    by_irecist = gettext("iCR or iPR"), gettext("iCR, iPR, iSD or Non-iCR/Non-iUPD")
    counted = {
        EndpointKind.ORR: by_irecist[0] if immune else responses,
        EndpointKind.DCR: by_irecist[1] if immune else controlled,
        EndpointKind.CBR: gettext("a response, or no progression for %s days")
        % definition.min_benefit_days,
    }[kind]
    return [
        gettext("Patients whose best response by %(criteria)s is %(counted)s.")
        % {"criteria": definition.criteria, "counted": counted},
        _confirmation(definition),
        gettext("Stable disease needs %s days.") % definition.min_stable_days,
        _population(definition),
    ]


def _confirmation(definition: EndpointDefinition) -> str:
    rule = definition.confirmation
    if not rule.required:
        return gettext("Responses need no confirmation.")
    return gettext("CR and PR are confirmed at least %s days later.") % rule.min_days


def _time(kind: EndpointKind, definition: EndpointDefinition) -> list[str]:
    said = [str(EVENTS[kind]) % {"origin": ORIGINS[definition.time_origin]}]
    if definition.immune and kind is not EndpointKind.OS:
        said.append(str(BY_IRECIST))
    if kind in (EndpointKind.PFS, EndpointKind.DOR):
        said.append(str(CENSORINGS[definition.censoring.rule]))
    said.append(_population(definition))
    if definition.survival_interval is SurvivalInterval.SPSS:
        said.append(gettext("Median interval in SPSS style; band log-log."))
    else:
        said.append(
            gettext("Interval and band: %s.") % SURVIVAL_STYLES[definition.survival_interval]
        )
    return said


def depth_in_words(definition: EndpointDefinition) -> str:
    """How deep responses are, by the response rate's definition."""
    kinds = listed(THERAPIES[kind] for kind in sorted(definition.censoring.therapies))
    return sentences(
        gettext(
            "Of each patient the smallest change of the sum of diameters from baseline, among"
            " complete sums up to the first progression (included) and not after new"
            " anticancer therapy (%s)."
        )
        % (kinds or gettext("none counts")),
        gettext("Whether it makes a response does not matter."),
        _population(definition),
    )


def _population(definition: EndpointDefinition) -> str:
    if definition.population is Population.PER_PROTOCOL:
        return gettext(
            "Population: per protocol, enrolled without a major protocol deviation, from the"
            " eligibility criteria or in the course of the trial, that occurred up to the data cutoff."
        )
    return gettext("Population: %s.") % POPULATIONS[definition.population].lower()


MISFITS = {
    "criteria": _("OS ends with death, whichever criteria read the scans: RECIST 1.1."),
    "survival_interval": _(
        "SPSS style is of the confidence level 0.95 alone. At another: log-log, log or plain."
    ),
}
