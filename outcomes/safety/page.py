"""A trial's safety as its page and a document show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date

from django.core import paginator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outcomes.charts.butterfly import ButterflyChart
from outcomes.methods.safety import Tally
from outcomes.safety import SafetyReport
from outcomes.safety.exposure_lines import ExposureLine, duration, summary_line
from outcomes.safety.incidences import (
    Rows,
    Table,
    arm_table,
    is_shown,
    ordered,
    summary_table,
    term_columns,
    term_line,
    without_links,
)
from outcomes.safety.options import CAUSES, Cause, SafetyOptions, Selection
from outcomes.safety.people import EventPage, counted_for, event_page
from outcomes.safety.sides import butterfly_of, caption
from patients.treatment import Treated, summaries
from trials.definition_wording import POPULATIONS
from trials.definitions import Population
from trials.models import Trial

TERMS_PER_PAGE = 25
SERIOUS_SHOWN = 10  # patients


@dataclass(frozen=True)
class SafetyPage:
    """The whole page."""

    report: SafetyReport
    options: SafetyOptions
    summary: Table
    terms: Table
    arms: Table | None
    terms_page: paginator.Page[Rows]
    left_out: str
    chart: ButterflyChart
    caption: str
    serious: EventPage
    definition: tuple[str, ...]
    duration: str
    cause: str
    exposure: tuple[ExposureLine, ...] = field(default_factory=tuple)


def page(
    whole: SafetyReport,
    options: SafetyOptions,
    given: Sequence[Treated],
    number: str | None,
) -> SafetyPage:
    """Everything but how the serious events ended."""
    report = whole.in_arm(options.arm)
    chosen = [row for row in report.found.terms if is_shown(row, options, report.found.n)]
    rows = list(ordered(chosen, report, options))
    shown = paginator.Paginator(rows, TERMS_PER_PAGE).get_page(number)
    serious = counted_for(report, Cause.ALL, Selection(Tally.SERIOUS))
    return SafetyPage(
        report=report,
        options=options,
        summary=summary_table(whole, report, options),
        terms=Table(term_columns(), tuple(term_line(report, options, row) for row in shown)),
        arms=arm_table(whole, options, list(shown)),
        terms_page=shown,
        left_out=_left_out(len(report.found.terms) - len(chosen)),
        chart=butterfly_of(whole, report, options, chosen),
        caption=caption(whole, options),
        serious=event_page(serious, None, SERIOUS_SHOWN),
        definition=definition(report),
        duration=duration(report, given),
        cause=str(CAUSES[options.cause]),
        exposure=tuple(summary_line(row) for row in summaries(given)),
    )


@dataclass(frozen=True)
class CauseTables:
    """The events of one cause: by the worst grade, and by arm where there are several."""

    cause: str
    terms: Table
    arms: Table | None


@dataclass(frozen=True)
class SafetyTables:
    """Every table of a document, none of them cut."""

    summary: Table
    causes: tuple[CauseTables, ...]
    definition: tuple[str, ...]
    duration: str
    exposure: tuple[ExposureLine, ...]


def whole_tables(
    report: SafetyReport, given: Sequence[Treated], *, linked: bool = True
) -> SafetyTables:
    """All terms of each cause; `linked`: numbers lead to their patients as they are today."""
    options = SafetyOptions(report.cutoff, report.known_on)
    found = SafetyTables(
        summary=summary_table(report, report, options),
        causes=tuple(_of_cause(report, replace(options, cause=cause)) for cause in Cause),
        definition=definition(report),
        duration=duration(report, given),
        exposure=tuple(summary_line(row) for row in summaries(given)),
    )
    return found if linked else _without_links(found)


def _of_cause(report: SafetyReport, options: SafetyOptions) -> CauseTables:
    chosen = [row for row in report.found.terms if is_shown(row, options, report.found.n)]
    rows = list(ordered(chosen, report, options))
    lines = tuple(term_line(report, options, row) for row in rows)
    arms = arm_table(report, options, rows)
    return CauseTables(str(CAUSES[options.cause]), Table(term_columns(), lines), arms)


def _without_links(found: SafetyTables) -> SafetyTables:
    causes = (
        replace(
            one, terms=without_links(one.terms), arms=without_links(one.arms) if one.arms else None
        )
        for one in found.causes
    )
    return replace(found, summary=without_links(found.summary), causes=tuple(causes))


def _left_out(terms: int) -> str:
    if terms <= 0:
        return ""
    return (
        ngettext("%s term is hidden by the filters.", "%s terms are hidden by the filters.", terms)
        % terms
    )


def definition(report: SafetyReport) -> tuple[str, ...]:
    """What is counted, and of whom."""
    trial = report.trial
    sentences = [
        _("Patients, not events: each once, by the worst grade of the events that count."),
        period_in_words(trial),
        _("Population: %(population)s, n = %(n)s.")
        % {"population": POPULATIONS[Population.SAFETY].lower(), "n": report.found.n},
        *grades_in_words(trial),
    ]
    if report.outside:
        text = ngettext(
            "%s recorded event started outside that period and is not counted.",
            "%s recorded events started outside that period and are not counted.",
            report.outside,
        )
        sentences.append(text % report.outside)
    if trial.masked:
        sentences.append(_("The arms are blinded: all figures are pooled."))
    elif report.arms:
        sentences.append(_("Arms as allocated."))
    return tuple(sentences)


def period_in_words(trial: Trial) -> str:
    """Which events count."""
    return (
        _(
            "Events that started from the first dose up to %s days after the last dose and on or"
            " before the data cutoff."
        )
        % trial.ae_window_days
    )


def grades_in_words(trial: Trial) -> tuple[str, ...]:
    """What the events are graded by, where the trial says it."""
    return (_("Grades: CTCAE %s.") % trial.ctcae_version,) if trial.ctcae_version else ()


def title(trial: Trial, cutoff: Date) -> str:
    """What a browser's tab says."""
    return _("Safety of %(trial)s, data cutoff %(cutoff)s") % {
        "trial": trial.registry_id,
        "cutoff": cutoff,
    }
