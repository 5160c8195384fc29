"""A report as the dashboard shows it: its cards, figures and patients, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import paginator
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from outcomes import small_groups
from outcomes.arms import ComparedArm, Comparison, NoComparison, SurvivalComparison
from outcomes.cards import Card, cards, immune_card
from outcomes.charts import kaplan_meier, waterfall
from outcomes.charts.kaplan_meier import KaplanMeierChart, KaplanMeierGroup
from outcomes.charts.waterfall import WaterfallChart
from outcomes.definition_words import result_in_words, waterfall_in_words
from outcomes.labels import CHARACTERISTICS, TIES, UNITS, group_label
from outcomes.methods import survival
from outcomes.models import ResponseChoice
from outcomes.patient_lines import PatientLine, patient_line, waterfall_bars
from outcomes.patient_links import Count, Links
from outcomes.report import PatientOutcome, Report, Section, Survival
from outcomes.result_wording import hazard_ratio, log_rank, median_in_words, percent
from trials.definition_wording import TITLES
from trials.definitions import EndpointKind
from trials.templatetags.terms import treatment

PATIENTS_SHOWN = 100
PatientsPage = paginator.Page[PatientOutcome]


@dataclass(frozen=True)
class BestResponses:
    """Patients with one best overall response, without and with confirmation, with their lists."""

    label: str
    unconfirmed: Count
    confirmed: Count


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
            immune_card(found, report.options.evaluator, links)
            for found in whole.additional
            if found.endpoint.definition.immune
        ),
        figures=tuple(_figure(found, report, links) for found in times),
        waterfall=waterfall.draw(waterfall_bars(report, links)),
        waterfall_definition=waterfall_in_words(report),
        best_responses=best_responses(whole, links),
        patients=tuple(patient_line(patient, links) for patient in shown.object_list),
        patients_page=shown,
    )


def group_heading(report: Report, group: str) -> str:
    """Which patients a list has that is of one group only."""
    by = report.options.group_by or ""
    return f"{capfirst(CHARACTERISTICS[by])}: {group_label(by, group)}"


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
            "arm": treatment(arm.name),
            "reference": treatment(arms[0].name),
            "ratio": hazard_ratio(ratio, found.cox.level, [arm.n, arms[0].n]),
        }
        for arm, ratio in zip(arms[1:], found.cox.ratios, strict=True)
    ]
