"""Treatment and response of each patient: the swimmer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date as Date

from django.core import paginator
from django.utils.translation import gettext as _

from outcomes.charts import swimmer
from outcomes.charts.swimmer import CourseEvent, Lane, Marked
from outcomes.figures.figure import (
    Figure,
    Shown,
    report_source,
    template_of,
    time_origin_of,
    title_of,
)
from outcomes.figures.wording import group_name
from outcomes.methods.recist import Response
from outcomes.patient_links import Links
from outcomes.report import PatientOutcome, Report
from outcomes.treatment_times import TreatmentTime, treatment_times
from trials.definition_wording import ORIGINS


def courses(report: Report, shown: Shown) -> Figure:
    """The swimmer."""
    lanes = swimmer.ordered(lanes_of(report))
    return drawn_lanes(
        report, lanes, paginator.Paginator(lanes, swimmer.LANES).get_page(shown.number)
    )


def drawn_lanes(report: Report, lanes: Sequence[Lane], page: paginator.Page[Lane]) -> Figure:
    """One drawing of some lanes."""
    chart = swimmer.draw(list(page.object_list), of=lanes)
    without = len(report.patients) - len(lanes)
    return Figure(
        name="swimmer",
        title=title_of("swimmer"),
        n=chart.n,
        chart=chart,
        template=template_of("swimmer"),
        definition=_swimmer_definition(report),
        notes=(_("Without a time origin: %s.") % without,) if without else (),
        source=report_source(report, chart, report.population, of=len(report.patients)),
        page=page,
    )


def _swimmer_definition(report: Report) -> str:
    return _(
        "Months from %(origin)s. The bar is the time from the first to the last dose, without one"
        " to the recorded end of treatment, to death or to the end of participation; an arrow:"
        " no end is known, treatment went on when the patient was last known alive. The line ends"
        " with the follow-up. Responses are"
        " those that count for the response rate; progressions are by RECIST 1.1. The longest"
        " treated come first."
    ) % {"origin": ORIGINS[time_origin_of(report)]}


def lanes_of(report: Report) -> list[Lane]:
    """A lane for each patient with a time origin; with groups only where they were asked for."""
    known = [patient for patient in report.patients if patient.prepared.origin]
    options, links = report.options, Links.of(report)
    times = treatment_times(
        [p.facts for p in known], cutoff=options.cutoff, known_on=options.known_on
    )
    return [
        Lane(
            subject_id=patient.facts.subject_id,
            url=links.patient(patient.facts),
            best_response=patient.counted_best.response,
            followed=_day(patient, _followed_to(patient)),
            treated=_treated(patient, times.get(patient.facts.id)),
            ongoing=patient.facts.id in times and times[patient.facts.id].ended is None,
            events=tuple(_course(patient, links)),
            group=group_name(patient.group) if patient.group else "",
        )
        for patient in known
    ]


def _day(patient: PatientOutcome, on: Date | None) -> int:
    """Days since the origin; 0 for a date that is not known."""
    since = patient.prepared.origin_date
    return (on - since).days if on and since else 0


def _followed_to(patient: PatientOutcome) -> Date | None:
    last = patient.prepared.died or patient.prepared.last_alive
    return last.date if last else None


def _treated(patient: PatientOutcome, time: TreatmentTime | None) -> tuple[int, int] | None:
    """What is not known to have ended goes as far as the patient is followed."""
    if time is None:
        return None
    return _day(patient, time.started), _day(patient, time.ended or _followed_to(patient))


def _course(patient: PatientOutcome, links: Links) -> Iterator[Marked]:
    """Response, progression, new therapy and death, in the order of their dates."""
    for event, on, url in sorted(_events(patient, links), key=lambda one: (one[1], one[0])):
        yield Marked(event, _day(patient, on), url)


def _events(patient: PatientOutcome, links: Links) -> Iterator[tuple[CourseEvent, Date, str]]:
    facts, prepared = patient.facts, patient.prepared
    if patient.response:
        event = CourseEvent(patient.response.response.value)
        yield event, patient.response.date, links.visit(facts, patient.response.source)
    if prepared.records and prepared.records[-1].response is Response.PD:
        last = prepared.records[-1]
        yield CourseEvent.PROGRESSION, last.date, links.visit(facts, last.source)
    if prepared.therapies:
        therapies = links.patient(facts) + "#therapies"
        yield CourseEvent.NEW_THERAPY, prepared.therapies[0].date, therapies
    if prepared.died:
        yield CourseEvent.DEATH, prepared.died.date, links.patient(facts)
