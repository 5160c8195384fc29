"""A report as the dashboard shows it: cards, figures and patient lines, rounded for reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from fractions import Fraction

from django.core import paginator
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from outcomes import small_groups
from outcomes.arms import ComparedArm, Comparison, NoComparison, SurvivalComparison
from outcomes.charts import kaplan_meier, waterfall
from outcomes.charts.kaplan_meier import KaplanMeierChart, KaplanMeierGroup
from outcomes.charts.waterfall import WaterfallBar, WaterfallChart
from outcomes.definition_words import changes_in_words, result_in_words
from outcomes.history import History
from outcomes.labels import (
    CHARACTERISTICS,
    NOT_COMPARED,
    TIES,
    UNITS,
    group_label,
    immune_label,
)
from outcomes.methods import survival
from outcomes.methods.comparison import ChiSquare, HazardRatio
from outcomes.methods.safety import Counts, Tally
from outcomes.methods.survival import MissingReason, Quantile
from outcomes.methods.time_to_event import TimeToEvent
from outcomes.models import INVESTIGATOR, ResponseChoice
from outcomes.patient_links import Links
from outcomes.report import (
    ImmuneOutcome,
    PatientOutcome,
    Rate,
    Report,
    Section,
    Survival,
    documents,
)
from outcomes.safety import SafetyReport
from outcomes.safety.options import Cause, SafetyOptions
from outcomes.wording import word
from patients import ctcae
from trials.definition_wording import (
    POPULATIONS,
    PROPORTION_STYLES,
    SURVIVAL_STYLES,
    TITLES,
)
from trials.definitions import EndpointKind, Population
from trials.models import Trial

TERMS_SHOWN = 10
PATIENTS_SHOWN = 100
PatientsPage = paginator.Page[PatientOutcome]


@dataclass(frozen=True)
class Count:
    """How many patients, in words, and the list of them."""

    text: str
    url: str


@dataclass(frozen=True)
class BestResponses:
    """Patients with one best overall response, without and with confirmation, with their lists."""

    label: str
    unconfirmed: Count
    confirmed: Count


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


@dataclass(frozen=True)
class Figure:
    """A Kaplan-Meier chart with what stands under it."""

    kind: EndpointKind
    title: str
    chart: KaplanMeierChart
    median: str
    landmarks: tuple[str, ...]
    comparison: tuple[str, ...]
    definition: str


@dataclass(frozen=True)
class Ending:
    """How a patient's time ended, and why."""

    months: str
    days: int
    event: bool
    date: Date
    reason: str
    url: str


@dataclass(frozen=True)
class ImmuneLine:
    """One patient's iBOR and iPFS."""

    best_response: str
    best_reason: str
    progression_free: Ending | None


@dataclass(frozen=True)
class PatientLine:
    """One patient's outcomes."""

    url: str
    subject_id: str
    site: str
    histology: str
    best_response: str
    best_reason: str
    confirmed_response: str
    confirmed_reason: str
    change: str
    progression_free: Ending | None
    overall: Ending | None
    no_origin: str
    immune: ImmuneLine | None


@dataclass(frozen=True)
class AdverseEventLine:
    """One term's patients with an event that is related to the trial treatment."""

    term: str
    any_grade: Count
    grade_3_or_more: Count


@dataclass(frozen=True)
class AdverseEventTable:
    """The most frequent related adverse events, and what is counted."""

    any_cause: tuple[Count, ...]
    lines: tuple[AdverseEventLine, ...]
    left_out: str
    definition: str


@dataclass(frozen=True)
class Page:
    """The whole dashboard."""

    report: Report
    cards: tuple[Card, ...]
    immune_cards: tuple[Card, ...]
    figures: tuple[Figure, ...]
    waterfall: WaterfallChart
    waterfall_definition: str
    best_responses: tuple[BestResponses, ...]
    patients: tuple[PatientLine, ...]
    patients_page: PatientsPage


def page(
    report: Report,
    number: str | None = None,
    patients: tuple[PatientOutcome, ...] | None = None,
    links: Links | None = None,
) -> Page:
    """Everything the dashboard shows, with one page of the patients, by default the first of all.

    `links`: where a report of anything but what is stored now leads.
    """
    whole, links = report.whole, links or Links.of(report)
    times = [whole.survivals[kind] for kind in (EndpointKind.PFS, EndpointKind.OS)]
    listed = report.patients if patients is None else patients
    shown = paginator.Paginator(listed, PATIENTS_SHOWN).get_page(number)
    return Page(
        report=report,
        cards=cards(report, links),
        immune_cards=tuple(
            _immune_card(found, report.options.evaluator, links)
            for found in whole.additional
            if found.endpoint.definition.immune
        ),
        figures=tuple(_figure(found, report, links) for found in times),
        waterfall=waterfall.draw(waterfall_bars(report, links)),
        waterfall_definition=changes_in_words(report),
        best_responses=best_responses(whole, links),
        patients=tuple(patient_line(patient, links) for patient in shown.object_list),
        patients_page=shown,
    )


def group_heading(report: Report, group: str) -> str:
    """Which patients a list has that is of one group only."""
    by = report.options.group_by or ""
    return f"{capfirst(CHARACTERISTICS[by])}: {group_label(by, group)}"


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


def best_responses(section: Section, links: Links) -> tuple[BestResponses, ...]:
    """Each best overall response with its patients, without and with confirmation."""

    def count(response: str, n: int, confirmed: str) -> Count:
        return Count(str(n), links.number("best", response=response, confirmed=confirmed))

    return tuple(
        BestResponses(
            str(ResponseChoice(response).label),
            count(response, n, "false"),
            count(response, section.best_confirmed[response], "true"),
        )
        for response, n in section.best_unconfirmed.items()
    )


def percent(share: float | None) -> str:
    """A share as percent with one decimal."""
    return "–" if share is None else f"{100 * share:.1f} %"


def p_value(p: float | None) -> str:
    """A p value with three decimals."""
    return "–" if p is None else "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def months(days: float | None, reason: MissingReason | None = None) -> str:
    """Days as months with one decimal, or why there are none."""
    if days is None:
        return _("not reached") if reason is MissingReason.NOT_REACHED else _("not estimable")
    return f"{documents.months(days):.1f}"


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


def nobody() -> str:
    """That there is no patient to compute anything of."""
    return _("nobody is in the population yet")


def _immune_card(found: Rate | Survival, evaluator: str, links: Links) -> Card:
    """An endpoint by iRECIST under its own name, since its title is RECIST 1.1's as well."""
    card, name = endpoint_card(found, evaluator, links), found.endpoint.name
    return replace(card, title=f"{name}: {card.title}") if name else card


def with_unit(median: Quantile) -> str:
    """A median in months, or why there is none."""
    text = months(median.estimate, median.estimate_reason)
    return text if median.estimate is None else _("%s months") % text


def limits_of(median: Quantile) -> str:
    """A median's interval and its style."""
    if median.lower is None and median.upper is None:
        return _("no interval: not estimable (%s)") % SURVIVAL_STYLES[median.interval]
    lower = months(median.lower, median.lower_reason)
    upper = months(median.upper, median.upper_reason)
    return _("%(level)s CI %(lower)s – %(upper)s (%(style)s)") % {
        "level": f"{median.level:.0%}",
        "lower": lower,
        "upper": upper,
        "style": SURVIVAL_STYLES[median.interval],
    }


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


def _figure(found: Survival, report: Report, links: Links) -> Figure:
    compared, definition = report.comparison, found.endpoint.definition
    interval = survival.band_interval(definition.survival_interval)
    band = found.curve.band(interval, definition.confidence_level)
    group = KaplanMeierGroup(_("All patients"), found.curve, band, links=links.marks(found))
    kind = found.endpoint.kind
    return Figure(
        kind=kind,
        title=str(TITLES[kind]),
        chart=kaplan_meier.draw([group], kind=kind),
        median=median_in_words(found),
        landmarks=() if small_groups.too_few(found) else _landmarks(found),
        comparison=() if isinstance(compared, NoComparison) else _compared(compared, kind),
        definition=result_in_words(found, report.options.evaluator),
    )


def median_in_words(found: Survival) -> str:
    """A median with its interval, or why it is not estimated."""
    if not found.n:
        return nobody()
    few = small_groups.too_few(found)
    return few or f"{with_unit(found.median)}; {limits_of(found.median)}"


def _landmarks(found: Survival) -> tuple[str, ...]:
    return tuple(
        _("%(n)s %(unit)s: %(share)s")
        % {"n": at.number, "unit": UNITS[at.unit], "share": percent(value.survival)}
        for at, value in found.landmarks
    )


def _compared(found: Comparison, kind: EndpointKind) -> tuple[str, ...]:
    """Hazard ratios over the reference arm, the log-rank test, and how both were computed."""
    compared = found.survivals[kind]
    return (
        *_hazard_ratios(found.arms, compared),
        log_rank(compared.log_rank, [arm.n for arm in found.arms]),
        str(TIES[compared.cox.ties]),
        *([_("stratified by %s") % CHARACTERISTICS[by]] if (by := found.stratified_by) else []),
    )


def _hazard_ratios(arms: tuple[ComparedArm, ...], found: SurvivalComparison) -> list[str]:
    return [
        _("hazard ratio %(arm)s / %(reference)s: %(ratio)s")
        % {
            "arm": arm.name,
            "reference": arms[0].name,
            "ratio": hazard_ratio(ratio, found.cox.level, [arm.n, arms[0].n]),
        }
        for arm, ratio in zip(arms[1:], found.cox.ratios, strict=True)
    ]


def hazard_ratio(found: HazardRatio, level: float, sizes: Sequence[int]) -> str:
    """A hazard ratio of groups of these sizes with its interval, or why there is none."""
    if found.reason is not None:
        return _("not estimable (%s)") % NOT_COMPARED[found.reason]
    if few := small_groups.not_tested(sizes):
        return few
    return _("%(ratio).2f (%(level)s CI %(lower).2f – %(upper).2f)") % {
        "ratio": found.estimate,
        "level": f"{level:.0%}",
        "lower": found.lower,
        "upper": found.upper,
    }


def log_rank(found: ChiSquare, sizes: Sequence[int]) -> str:
    """A log-rank test's p value over groups of these sizes, or why there is none."""
    if found.reason is not None:
        return _("log-rank test: not estimable (%s)") % NOT_COMPARED[found.reason]
    if few := small_groups.not_tested(sizes):
        return _("log-rank test: %s") % few
    told = _("log-rank test: %s") % p_value(found.p)
    small = small_groups.small_ones(sizes)
    return f"{told} ({small})" if small else told


def waterfall_bars(report: Report, links: Links) -> list[WaterfallBar]:
    """The bars of the patients with a measured change."""
    return [bar for patient in report.patients if (bar := _waterfall_bar(patient, links))]


def _waterfall_bar(patient: PatientOutcome, links: Links) -> WaterfallBar | None:
    """A patient's bar; None without a measured change."""
    if patient.best_change_percent is None:
        return None
    return WaterfallBar(
        subject_id=patient.facts.subject_id,
        change_percent=patient.best_change_percent,
        best_response=patient.best.response,
        url=links.patient(patient.facts),
        new_lesion=patient.new_lesion,
    )


def patient_line(patient: PatientOutcome, links: Links) -> PatientLine:
    """One patient's outcomes, worded."""
    change = patient.best_change_percent
    return PatientLine(
        url=links.patient(patient.facts),
        subject_id=patient.facts.subject_id,
        site=patient.facts.site,
        histology=patient.facts.histology,
        best_response=patient.best.response,
        best_reason=word(patient.best.reason),
        confirmed_response=patient.confirmed_best.response,
        confirmed_reason=word(patient.confirmed_best.reason),
        change="" if change is None else f"{float(change):+.1f} %",
        progression_free=_ending(patient.progression_free, patient, links),
        overall=_ending(patient.overall, patient, links),
        no_origin=word(patient.no_origin) if patient.no_origin else "",
        immune=_immune(patient.immune, patient, links) if patient.immune else None,
    )


def _immune(found: ImmuneOutcome, patient: PatientOutcome, links: Links) -> ImmuneLine:
    return ImmuneLine(
        best_response=immune_label(found.best.response),
        best_reason=word(found.best.reason),
        progression_free=_ending(found.progression_free, patient, links),
    )


def _ending(found: TimeToEvent | None, patient: PatientOutcome, links: Links) -> Ending | None:
    if found is None:
        return None
    return Ending(
        months=months(found.days),
        days=found.days,
        event=found.event,
        date=found.date,
        reason=word(found.reason),
        url=links.patient(patient.facts, found.source),
    )


def adverse_event_table(report: SafetyReport) -> AdverseEventTable | None:
    """The related adverse events, the most frequent first; None where nobody had any event."""
    found = report.found.any_term
    if not found.all_causes.any_grade.patients:
        return None
    asked = SafetyOptions(report.cutoff, report.known_on)
    terms = _related_terms(report)
    related = [(_("Any related event"), found.related, {}), *terms[:TERMS_SHOWN]]
    return AdverseEventTable(
        any_cause=_any_cause(report, asked, found.all_causes),
        lines=tuple(
            AdverseEventLine(
                name,
                _patients(report, asked, counts, Tally.ANY_GRADE, cause=Cause.RELATED, **term),
                _patients(
                    report, asked, counts, Tally.GRADE_3_OR_MORE, cause=Cause.RELATED, **term
                ),
            )
            for name, counts, term in related
        ),
        left_out=_left_out(len(terms) - TERMS_SHOWN),
        definition=_safety_definition(report.trial),
    )


def _related_terms(report: SafetyReport) -> list[tuple[str, Counts, dict[str, str]]]:
    """Terms with a related event: by patients, then by patients of grade 3 or more."""
    language = get_language() or ""
    found = [
        (ctcae.name(row.term, language), row.incidence.related, {"term": row.term})
        for row in report.found.terms
        if row.incidence.related.any_grade.patients
    ]
    return sorted(
        found, key=lambda row: (-row[1].any_grade.patients, -row[1].grade_3_or_more.patients)
    )


def _any_cause(report: SafetyReport, asked: SafetyOptions, counts: Counts) -> tuple[Count, ...]:
    """Patients with any event, and with one of grade 3 or more, whatever its cause."""
    told = (_("%s with an adverse event"), _("%s with grade 3 or more"))
    found = (
        _patients(report, asked, counts, tally)
        for tally in (Tally.ANY_GRADE, Tally.GRADE_3_OR_MORE)
    )
    return tuple(Count(words % one.text, one.url) for words, one in zip(told, found, strict=True))


def _patients(
    report: SafetyReport, asked: SafetyOptions, counts: Counts, tally: Tally, **which: str
) -> Count:
    share = counts.any_grade if tally is Tally.ANY_GRADE else counts.grade_3_or_more
    told = _("%(k)s of %(n)s patients") % {"k": share.patients, "n": share.n}
    return Count(told, asked.link(report.trial, "safety_patients", count=tally, **which))


def _left_out(terms: int) -> str:
    if terms <= 0:
        return ""
    return ngettext("%s rarer term is left out.", "%s rarer terms are left out.", terms) % terms


def _safety_definition(trial: Trial) -> str:
    sentences = [
        _("Patients, not events, by the worst grade of the events related to the trial treatment."),
        _(
            "Events that started from the first dose up to %s days after the last dose and on or"
            " before the data cutoff."
        )
        % trial.ae_window_days,
        _("Population: %s.") % POPULATIONS[Population.SAFETY].lower(),
    ]
    if trial.ctcae_version:
        sentences.append(_("Grades: CTCAE %s.") % trial.ctcae_version)
    return " ".join(sentences)


def spider_points(past: History, cutoff: Date = Date.max) -> list[tuple[int, Fraction]]:
    """Days from the baseline and change of the sum in percent, for complete sums by the cutoff."""
    first = past.baseline
    if first is None:
        return []
    changes = [
        (v.date, v.as_derived().change_from_baseline_percent)
        for v in past.visits
        if v.date <= cutoff
    ]
    return [((on - first.date).days, change) for on, change in changes if change is not None]
