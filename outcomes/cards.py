"""An endpoint as a card: one number with its interval, its inputs and its definition."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outcomes import small_groups
from outcomes.definition_words import result_in_words
from outcomes.models import INVESTIGATOR
from outcomes.patient_links import Count, Links
from outcomes.report import Rate, Report, Survival
from outcomes.result_wording import limits_of, months, nobody, percent, with_unit
from trials.definition_wording import POPULATIONS, PROPORTION_STYLES, TITLES
from trials.definitions import EndpointKind


@dataclass(frozen=True)
class Card:
    """One number with its interval, its inputs and its definition."""

    title: str
    value: str
    interval: str
    inputs: str
    definition: str
    kind: str = ""  # of the endpoint, if it is one
    counts: tuple[Count, ...] = ()


def cards(report: Report, links: Links | None = None) -> tuple[Card, ...]:
    """The figures at a glance; with links each count leads to its patients."""
    whole = report.whole
    results: list[Rate | Survival] = [
        *(whole.rates[kind] for kind in (EndpointKind.ORR, EndpointKind.DCR)),
        *(whole.survivals[kind] for kind in (EndpointKind.PFS, EndpointKind.OS)),
    ]
    return (
        _enrollment_card(report, links),
        *(endpoint_card(found, report.options.evaluator, links) for found in results),
        _follow_up_card(report),
    )


def _enrollment_card(report: Report, links: Links | None) -> Card:
    target, n = report.trial.enrollment_target, report.whole.n
    told = ngettext("%s patient", "%s patients", n) % n
    return Card(
        title=str(POPULATIONS[report.population]),
        value=str(n),
        interval=_("planned: %s") % target if target else "",
        inputs=_("data cutoff %s") % report.options.cutoff,
        definition=_("Patients in the analysis population on the data cutoff."),
        counts=(Count(told, links.number(EndpointKind.ORR)),) if links else (),
    )


def endpoint_card(
    result: Rate | Survival, evaluator: str = INVESTIGATOR, links: Links | None = None
) -> Card:
    """One endpoint's figure with its interval, its inputs and its definition."""
    words = result_in_words(result, evaluator)
    card = _rate_card(result, words) if isinstance(result, Rate) else _median_card(result, words)
    return replace(card, counts=_counts(result, card.inputs, links)) if links else card


def _counts(result: Rate | Survival, told: str, links: Links) -> tuple[Count, ...]:
    """The numbers of a card's inputs, each with its patients."""
    kind, pk = result.endpoint.kind, result.endpoint.pk
    own = {"definition": str(pk)} if pk and result.endpoint.definition.immune else {}
    if isinstance(result, Rate):
        others = result.proportion.n - result.proportion.k
        return (
            Count(told, links.number(kind, standing="counted", **own)),
            Count(_("%s not counted") % others, links.number(kind, standing="not_counted", **own)),
        )
    return (
        Count(told, links.number(kind, standing="event", **own)),
        Count(_("%s censored") % result.censored, links.number(kind, standing="censored", **own)),
    )


def _rate_card(rate: Rate, words: str) -> Card:
    found, definition = rate.proportion.clipped, rate.endpoint.definition
    style = PROPORTION_STYLES[definition.proportion_interval]
    level = f"{definition.confidence_level:.0%}"
    limits = f"{percent(found.lower)} – {percent(found.upper)}"
    return Card(
        title=str(TITLES[rate.endpoint.kind]),
        value=percent(found.estimate),
        interval=_("%(level)s CI %(limits)s (%(style)s)")
        % {"level": level, "limits": limits, "style": style}
        if found.n
        else "",
        inputs=_("%(k)s of %(n)s patients") % {"k": found.k, "n": found.n} if found.n else nobody(),
        definition=words,
        kind=rate.endpoint.kind,
    )


def _median_card(found: Survival, words: str) -> Card:
    return Card(
        title=_("Median %s") % TITLES[found.endpoint.kind].lower(),
        value=_few(found) or with_unit(found.median),
        interval="" if small_groups.too_few(found) else limits_of(found.median),
        inputs=_events(found) if found.n else nobody(),
        definition=words,
        kind=found.endpoint.kind,
    )


def _few(found: Survival) -> str:
    return small_groups.too_few(found) if found.n else "–"


def _events(found: Survival) -> str:
    told = ngettext(
        "%(events)s event in %(n)s patients", "%(events)s events in %(n)s patients", found.events
    )
    return told % {"events": found.events, "n": found.n}


def immune_card(found: Rate | Survival, evaluator: str, links: Links) -> Card:
    """An endpoint by iRECIST under its own name, since its title is RECIST 1.1's as well."""
    card, name = endpoint_card(found, evaluator, links), found.endpoint.name
    return replace(card, title=f"{name}: {card.title}") if name else card


def _follow_up_card(report: Report) -> Card:
    found = report.whole.follow_up.reverse
    q1, q3 = months(found.q1, found.q1_reason), months(found.q3, found.q3_reason)
    value = months(found.median, found.median_reason)
    return Card(
        title=_("Median follow-up"),
        value=value if found.median is None else _("%s months") % value,
        interval=""
        if found.q1 is found.q3 is None
        else _("IQR %(q1)s – %(q3)s") % {"q1": q1, "q3": q3},
        inputs=_("reverse Kaplan-Meier of overall survival"),
        definition=_("Time under observation for survival: deaths count as censored."),
    )
