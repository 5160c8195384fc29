"""A report as the dashboard shows it: cards, figures and patient lines, rounded for reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date as Date
from fractions import Fraction

from django.core import paginator
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from outcomes.arms import ComparedArm, Comparison, NoComparison, SurvivalComparison
from outcomes.charts import kaplan_meier, waterfall
from outcomes.charts.kaplan_meier import KaplanMeierChart, KaplanMeierGroup
from outcomes.charts.waterfall import WaterfallBar, WaterfallChart
from outcomes.definition_words import result_in_words, waterfall_in_words
from outcomes.history import History
from outcomes.labels import CHARACTERISTICS, NOT_COMPARED, TIES, UNITS, immune_label
from outcomes.methods import survival
from outcomes.methods.comparison import ChiSquare, HazardRatio
from outcomes.methods.safety import Counts, Share
from outcomes.methods.survival import MissingReason, Quantile
from outcomes.methods.time_to_event import Source, TimeToEvent
from outcomes.models import INVESTIGATOR, ResponseChoice
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
from outcomes.wording import word
from patients import ctcae
from registry.languages import sentences
from trials.definition_wording import (
    POPULATIONS,
    PROPORTION_STYLES,
    SURVIVAL_STYLES,
    TITLES,
)
from trials.definitions import EndpointKind, Population
from trials.models import Trial
from trials.templatetags.terms import treatment

TERMS_SHOWN = 10
PATIENTS_SHOWN = 100
PatientsPage = paginator.Page[PatientOutcome]


@dataclass(frozen=True)
class Card:
    """One number with its interval, its inputs and its definition."""

    title: str
    value: str
    interval: str
    inputs: str
    definition: str
    kind: str = ""  # of the endpoint, if it is one


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
    any_grade: str
    grade_3_or_more: str


@dataclass(frozen=True)
class AdverseEventTable:
    """The most frequent related adverse events, and what is counted."""

    summary: str
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
    best_responses: tuple[tuple[str, int, int], ...]
    patients: tuple[PatientLine, ...]
    patients_page: PatientsPage


def page(report: Report, number: str | None = None) -> Page:
    """Everything the dashboard shows, with the patients of one page, by default the first."""
    whole = report.whole
    times = [whole.survivals[kind] for kind in (EndpointKind.PFS, EndpointKind.OS)]
    shown = paginator.Paginator(report.patients, PATIENTS_SHOWN).get_page(number)
    return Page(
        report=report,
        cards=cards(report),
        immune_cards=tuple(
            _immune_card(found, report.options.evaluator)
            for found in whole.additional
            if found.endpoint.definition.immune
        ),
        figures=tuple(_figure(found, report) for found in times),
        waterfall=waterfall.draw([bar for p in report.patients if (bar := waterfall_bar(p))]),
        waterfall_definition=waterfall_in_words(report),
        best_responses=best_responses(whole),
        patients=tuple(patient_line(patient) for patient in shown.object_list),
        patients_page=shown,
    )


def cards(report: Report) -> tuple[Card, ...]:
    """The figures at a glance."""
    whole = report.whole
    results: list[Rate | Survival] = [
        *(whole.rates[kind] for kind in (EndpointKind.ORR, EndpointKind.DCR)),
        *(whole.survivals[kind] for kind in (EndpointKind.PFS, EndpointKind.OS)),
    ]
    return (
        _enrollment_card(report),
        *(endpoint_card(found, report.options.evaluator) for found in results),
        _follow_up_card(report),
    )


def best_responses(section: Section) -> tuple[tuple[str, int, int], ...]:
    """Each best overall response with its patients, without and with confirmation."""
    return tuple(
        (str(ResponseChoice(response).label), n, section.best_confirmed[response])
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


def _enrollment_card(report: Report) -> Card:
    target = report.trial.enrollment_target
    return Card(
        title=str(POPULATIONS[report.population]),
        value=str(report.whole.n),
        interval=_("planned: %s") % target if target else "",
        inputs=_("data cutoff %s") % report.options.cutoff,
        definition=_("Patients in the analysis population on the data cutoff."),
    )


def endpoint_card(result: Rate | Survival, evaluator: str = INVESTIGATOR) -> Card:
    """One endpoint's figure with its interval, its inputs and its definition."""
    words = result_in_words(result, evaluator)
    return _rate_card(result, words) if isinstance(result, Rate) else _median_card(result, words)


def _rate_card(rate: Rate, words: str) -> Card:
    found, definition = rate.proportion.clipped, rate.endpoint.definition
    style = PROPORTION_STYLES[definition.proportion_interval]
    level = f"{definition.confidence_level:.0%}"
    limits = f"{percent(found.lower)} – {percent(found.upper)}"
    return Card(
        title=str(TITLES[rate.endpoint.kind]),
        value=percent(found.estimate),
        interval=_("%(level)s CI %(limits)s (%(style)s)")
        % {"level": level, "limits": limits, "style": style},
        inputs=_("%(k)s of %(n)s patients") % {"k": found.k, "n": found.n},
        definition=words,
        kind=rate.endpoint.kind,
    )


def _median_card(found: Survival, words: str) -> Card:
    return Card(
        title=_("Median %s") % TITLES[found.endpoint.kind].lower(),
        value=with_unit(found.median),
        interval=limits_of(found.median),
        inputs=ngettext(
            "%(events)s event in %(n)s patients",
            "%(events)s events in %(n)s patients",
            found.events,
        )
        % {"events": found.events, "n": found.n},
        definition=words,
        kind=found.endpoint.kind,
    )


def _immune_card(found: Rate | Survival, evaluator: str) -> Card:
    """An endpoint by iRECIST under its own name, since its title is RECIST 1.1's as well."""
    card, name = endpoint_card(found, evaluator), found.endpoint.name
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
        interval=_("IQR %(q1)s – %(q3)s") % {"q1": q1, "q3": q3},
        inputs=_("reverse Kaplan-Meier of overall survival"),
        definition=_("Time under observation for survival: deaths count as censored."),
    )


def _figure(found: Survival, report: Report) -> Figure:
    compared, definition = report.comparison, found.endpoint.definition
    interval = survival.band_interval(definition.survival_interval)
    band = found.curve.band(interval, definition.confidence_level)
    group = KaplanMeierGroup(_("All patients"), found.curve, band)
    kind = found.endpoint.kind
    return Figure(
        kind=kind,
        title=str(TITLES[kind]),
        chart=kaplan_meier.draw([group], kind=kind),
        median=f"{with_unit(found.median)}; {limits_of(found.median)}",
        landmarks=tuple(
            _("%(n)s %(unit)s: %(share)s")
            % {"n": at.number, "unit": UNITS[at.unit], "share": percent(value.survival)}
            for at, value in found.landmarks
        ),
        comparison=() if isinstance(compared, NoComparison) else _compared(compared, kind),
        definition=result_in_words(found, report.options.evaluator),
    )


def _compared(found: Comparison, kind: EndpointKind) -> tuple[str, ...]:
    """Hazard ratios over the reference arm, the log-rank test, and how both were computed."""
    compared = found.survivals[kind]
    return (
        *_hazard_ratios(found.arms, compared),
        log_rank(compared.log_rank),
        str(TIES[compared.cox.ties]),
        *([_("stratified by %s") % CHARACTERISTICS[by]] if (by := found.stratified_by) else []),
    )


def _hazard_ratios(arms: tuple[ComparedArm, ...], found: SurvivalComparison) -> list[str]:
    return [
        _("hazard ratio %(arm)s / %(reference)s: %(ratio)s")
        % {
            "arm": treatment(arm.name),
            "reference": treatment(arms[0].name),
            "ratio": hazard_ratio(ratio, found.cox.level),
        }
        for arm, ratio in zip(arms[1:], found.cox.ratios, strict=True)
    ]


def hazard_ratio(found: HazardRatio, level: float) -> str:
    """A hazard ratio with its interval, or why there is none."""
    if found.reason is not None:
        return _("not estimable (%s)") % NOT_COMPARED[found.reason]
    return _("%(ratio).2f (%(level)s CI %(lower).2f – %(upper).2f)") % {
        "ratio": found.estimate,
        "level": f"{level:.0%}",
        "lower": found.lower,
        "upper": found.upper,
    }


def log_rank(found: ChiSquare) -> str:
    """A log-rank test's p value, or why there is none."""
    if found.reason is not None:
        return _("log-rank test: not estimable (%s)") % NOT_COMPARED[found.reason]
    return _("log-rank test: %s") % p_value(found.p)


def waterfall_bar(patient: PatientOutcome) -> WaterfallBar | None:
    """A patient's bar; None without a measured change."""
    if patient.best_change_percent is None:
        return None
    return WaterfallBar(
        subject_id=patient.facts.subject_id,
        change_percent=patient.best_change_percent,
        best_response=patient.best.response,
        url=_page_of(patient),
        new_lesion=patient.new_lesion,
    )


def patient_line(patient: PatientOutcome) -> PatientLine:
    """One patient's outcomes, worded."""
    change = patient.best_change_percent
    return PatientLine(
        url=_page_of(patient),
        subject_id=patient.facts.subject_id,
        site=patient.facts.site,
        histology=patient.facts.histology,
        best_response=patient.best.response,
        best_reason=word(patient.best.reason),
        confirmed_response=patient.confirmed_best.response,
        confirmed_reason=word(patient.confirmed_best.reason),
        change="" if change is None else f"{float(change):+.1f} %",
        progression_free=_ending(patient.progression_free, patient),
        overall=_ending(patient.overall, patient),
        no_origin=word(patient.no_origin) if patient.no_origin else "",
        immune=_immune(patient.immune, patient) if patient.immune else None,
    )


def _immune(found: ImmuneOutcome, patient: PatientOutcome) -> ImmuneLine:
    return ImmuneLine(
        best_response=immune_label(found.best.response),
        best_reason=word(found.best.reason),
        progression_free=_ending(found.progression_free, patient),
    )


def _page_of(patient: PatientOutcome, source: Source | None = None) -> str:
    """The page with the evaluator's readings; of what else gave a date, the patient's."""
    facts, name = patient.facts, "patient"
    if facts.evaluator != INVESTIGATOR:
        read = {("visit", record.source) for record in facts.history.records}
        theirs = source is None or (source.record, source.id) in read
        name = "review_patient" if theirs else "patient"
    return reverse(f"outcomes:{name}", args=[facts.id])


def _ending(found: TimeToEvent | None, patient: PatientOutcome) -> Ending | None:
    if found is None:
        return None
    page = _page_of(patient, found.source)
    visit = found.source.record == "visit" and found.source.id
    return Ending(
        months=months(found.days),
        days=found.days,
        event=found.event,
        date=found.date,
        reason=word(found.reason),
        url=f"{page}#visit-{found.source.id}" if visit else page,
    )


def adverse_event_table(report: SafetyReport) -> AdverseEventTable | None:
    """The related adverse events, the most frequent first; None where nobody had any event."""
    found = report.found.any_term
    if not found.all_causes.any_grade.patients:
        return None
    terms = _related_terms(report)
    return AdverseEventTable(
        summary=_any_cause(found.all_causes),
        lines=tuple(
            AdverseEventLine(term, _patients(counts.any_grade), _patients(counts.grade_3_or_more))
            for term, counts in [(_("Any related event"), found.related), *terms[:TERMS_SHOWN]]
        ),
        left_out=_left_out(len(terms) - TERMS_SHOWN),
        definition=_safety_definition(report.trial),
    )


def _related_terms(report: SafetyReport) -> list[tuple[str, Counts]]:
    """Terms with a related event: by patients, then by patients of grade 3 or more."""
    language = get_language() or ""
    found = [(ctcae.name(row.term, language), row.incidence.related) for row in report.found.terms]
    related = [(term, counts) for term, counts in found if counts.any_grade.patients]
    return sorted(
        related, key=lambda row: (-row[1].any_grade.patients, -row[1].grade_3_or_more.patients)
    )


def _any_cause(counts: Counts) -> str:
    return _("Of any cause: %(any)s with an adverse event, %(severe)s with grade 3 or more.") % {
        "any": _patients(counts.any_grade),
        "severe": counts.grade_3_or_more.patients,
    }


def _left_out(terms: int) -> str:
    if terms <= 0:
        return ""
    return ngettext("%s rarer term is left out.", "%s rarer terms are left out.", terms) % terms


def _patients(share: Share) -> str:
    return _("%(k)s of %(n)s patients") % {"k": share.patients, "n": share.n}


def _safety_definition(trial: Trial) -> str:
    said = [
        _("Patients, not events, by the worst grade of the events related to the trial treatment."),
        _(
            "Events that started from the first dose up to %s days after the last dose and on or"
            " before the data cutoff."
        )
        % trial.ae_window_days,
        _("Population: %s.") % POPULATIONS[Population.SAFETY].lower(),
    ]
    if trial.ctcae_version:
        said.append(_("Grades: CTCAE %s.") % trial.ctcae_version)
    return sentences(*said)


def spider_points(past: History) -> list[tuple[int, Fraction]]:
    """Days from the baseline and change of the sum in percent, for complete sums."""
    first = past.baseline
    if first is None:
        return []
    changes = [(v.date, v.as_derived().change_from_baseline_percent) for v in past.visits]
    return [((on - first.date).days, change) for on, change in changes if change is not None]
