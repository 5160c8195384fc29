"""Changes of the sum of diameters: the waterfall and the spider."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from django.utils.translation import gettext as _

from outcomes.charts import spiders, waterfall
from outcomes.charts.spiders import SpiderPath, SpiderVisit
from outcomes.definition_words import changes_in_words, waterfall_in_words
from outcomes.figures.figure import (
    Figure,
    Shown,
    report_source,
    template_of,
    time_origin_of,
    title_of,
)
from outcomes.labels import response_label
from outcomes.patient_lines import waterfall_bars
from outcomes.patient_links import Links
from outcomes.report import PatientOutcome, Report
from registry.languages import sentences
from trials.definition_wording import ORIGINS


def best_changes(report: Report, shown: Shown) -> Figure:
    """The waterfall."""
    bars = waterfall_bars(report, Links.of(report))
    chart = waterfall.draw(bars)
    return Figure(
        name="waterfall",
        title=title_of("waterfall"),
        n=chart.n,
        chart=chart,
        template=template_of("waterfall"),
        definition=waterfall_in_words(report),
        source=report_source(report, chart, report.population, of=len(report.patients)),
    )


def changes_over_time(report: Report, shown: Shown) -> Figure:
    """The spider."""
    links = Links.of(report)
    paths = [path(patient, links) for patient in report.patients]
    chart = spiders.draw(paths)
    without = len(paths) - chart.n
    notes = [_("Without a measured change: %s.") % without] if without else []
    if not chart.every_visit:
        notes.append(
            _(
                "Of more than %s patients only the end of each line is marked; every visit is in"
                " the CSV."
            )
            % spiders.EVERY_VISIT_UP_TO
        )
    return Figure(
        name="spider",
        title=title_of("spider"),
        n=chart.n,
        chart=chart,
        template=template_of("spider"),
        definition=_spider_definition(report),
        notes=tuple(notes),
        source=report_source(report, chart, report.population, of=len(report.patients)),
    )


def _spider_definition(report: Report) -> str:
    told = _(
        "Each line is one patient, from 0 %% at %(origin)s; its color and the shape at its end are"
        " the best response without confirmation. Its lowest point is the patient's bar in the"
        " waterfall."
    ) % {"origin": ORIGINS[time_origin_of(report)]}
    return sentences(changes_in_words(report), told)


def path(patient: PatientOutcome, links: Links | None = None) -> SpiderPath:
    """The complete sums among a patient's counted assessments, in days from the origin.

    Without links, as data alone, it leads nowhere.
    """
    sums = {visit: (sum_mm, first) for visit, sum_mm, first in patient.facts.sums}
    origin = patient.prepared.origin_date
    visits = [
        SpiderVisit(
            days=(record.date - origin).days,
            change=_percent(*sums[record.source]),
            response=response_label(record.response),
            url=links.visit(patient.facts, record.source) if links else "",
            visit=record.source,
        )
        for record in patient.counted
        if origin and record.source in sums and sums[record.source][1]
    ]
    url = links.patient(patient.facts) if links else ""
    return SpiderPath(patient.facts.subject_id, patient.best.response, url, tuple(visits))


def _percent(sum_mm: Decimal, baseline_mm: Decimal) -> Fraction:
    return 100 * Fraction(sum_mm - baseline_mm) / Fraction(baseline_mm)
