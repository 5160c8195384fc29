"""A trial's safety as its pages show it: tables whose numbers lead to their patients, worded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date
from fractions import Fraction

from django.core import paginator
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from outcomes.charts import butterfly
from outcomes.charts.butterfly import ButterflyChart, ButterflyTerm, Wing
from outcomes.dashboard import percent
from outcomes.methods.safety import (
    WORST_GRADES,
    Counts,
    Event,
    Safety,
    Share,
    Tally,
    TermIncidence,
    counting,
    folded,
)
from outcomes.safety import NOT_CODED, ArmSafety, SafetyReport, Subject, class_of
from outcomes.safety.options import CAUSES, TALLIES, Cause, Order, SafetyOptions, Selection, Sides
from patients import ctcae
from patients.exposure import Quartiles
from patients.models import ActionTaken, AdverseEventOutcome
from patients.treatment import ExposureSummary, Treated, summaries
from trials.definition_wording import POPULATIONS
from trials.definitions import Population
from trials.eligibility_wording import unit as unit_label
from trials.models import Trial

PER_PAGE, TERMS_PER_PAGE = 50, 25
SERIOUS_SHOWN = 10  # patients
SUMMARY = (
    Tally.ANY_GRADE, Tally.GRADE_3_OR_MORE, Tally.GRADE_5, Tally.SERIOUS,
    Tally.DRUG_WITHDRAWN, Tally.DOSE_REDUCED, Tally.DRUG_INTERRUPTED,
)  # fmt: skip
OF_TERM = (
    Tally.ANY_GRADE, Tally.GRADE_3_OR_MORE, *WORST_GRADES, Tally.SERIOUS,
    Tally.DRUG_WITHDRAWN, Tally.DOSE_REDUCED, Tally.DRUG_INTERRUPTED,
)  # fmt: skip
OF_ARM = (Tally.ANY_GRADE, Tally.GRADE_3_OR_MORE)


Counted = tuple[Subject, tuple[Event, ...]]  # a patient with the events that count them
Details = Mapping[int, tuple[Date | None, str]]  # an event's end and outcome


@dataclass(frozen=True)
class Cell:
    """A number; without patients it leads nowhere."""

    text: str
    url: str


@dataclass(frozen=True)
class Line:
    """A row; a heading is of a class, and its terms follow."""

    title: str
    cells: tuple[Cell, ...]
    heading: bool = False


@dataclass(frozen=True)
class Table:
    """Columns, and rows with a cell for each."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class EventLine:
    """An adverse event of a patient."""

    subject: Subject
    url: str
    event_url: str
    term: str
    event: Event
    action: str
    outcome: str
    ended_on: Date | None


@dataclass(frozen=True)
class EventPage:
    """How many patients and events there are, and some of the patients with theirs."""

    patients: int
    events: int
    page: paginator.Page[Counted]

    @property
    def ids(self) -> list[int]:
        """The events of this page."""
        return [event.id for _subject, events in self.page for event in events]

    def lines(self, details: Details) -> list[EventLine]:
        """The events of this page, with what else is known of them."""
        return [_event_line(one, event, details) for one, events in self.page for event in events]


@dataclass(frozen=True)
class ExposureLine:
    """An intervention of an arm, or of a patient, worded."""

    name: str
    url: str
    arm: str
    cells: tuple[tuple[str, str], ...]  # heading and text


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


@dataclass(frozen=True)
class Rows:
    """A term or a class, in all patients and in each arm."""

    title: str
    query: Mapping[str, str]
    whole: TermIncidence
    heading: bool = False


def page(
    whole: SafetyReport,
    options: SafetyOptions,
    given: Sequence[Treated],
    number: str | None,
) -> SafetyPage:
    """Everything but how the serious events ended."""
    report = whole.in_arm(options.arm)
    chosen = [row for row in report.found.terms if _is_shown(row, options, report.found.n)]
    rows = list(_ordered(chosen, report, options))
    shown = paginator.Paginator(rows, TERMS_PER_PAGE).get_page(number)
    columns = tuple(str(SHORT.get(tally, TALLIES[tally])) for tally in OF_TERM)
    serious = _matching(report, Cause.ALL, Selection(Tally.SERIOUS))
    return SafetyPage(
        report=report,
        options=options,
        summary=_summary(whole, report, options),
        terms=Table(columns, tuple(_term_line(report, options, row) for row in shown)),
        arms=_arm_table(whole, options, list(shown)),
        terms_page=shown,
        left_out=_left_out(len(report.found.terms) - len(chosen)),
        chart=_butterfly(whole, report, options, chosen),
        caption=_caption(whole, options),
        serious=event_page(serious, None, SERIOUS_SHOWN),
        definition=definition(report),
        duration=_duration(report, given),
        cause=str(CAUSES[options.cause]),
        exposure=tuple(_summary_line(row) for row in summaries(given)),
    )


SHORT = {tally: str(grade) for tally, grade in WORST_GRADES.items()} | {
    Tally.GRADE_3_OR_MORE: "\N{GREATER-THAN OR EQUAL TO} 3"
}


def _is_shown(row: TermIncidence, options: SafetyOptions, n: int) -> bool:
    patients = options.cause.of(row.incidence).of(options.grade).patients
    return patients > 0 and 100 * patients >= options.minimum * n


def _ordered(
    terms: Sequence[TermIncidence], report: SafetyReport, options: SafetyOptions
) -> Iterator[Rows]:
    rows = _sorted([_row(row) for row in terms], options)
    if options.order is not Order.SYSTEM_ORGAN_CLASS:
        yield from rows
        return
    names = class_names()
    members: dict[str, list[Rows]] = {}
    for row in rows:
        members.setdefault(class_of(row.whole.term), []).append(row)
    classes = [
        Rows(names[of.term], {"class": of.term}, of, heading=True)
        for of in report.classes.terms
        if of.term in members
    ]
    for heading in _sorted(classes, options):
        yield heading
        yield from members[heading.whole.term]


def _row(row: TermIncidence) -> Rows:
    return Rows(ctcae.name(row.term, get_language() or ""), {"term": row.term}, row)


def _sorted(rows: Sequence[Rows], options: SafetyOptions) -> list[Rows]:
    def key(row: Rows) -> tuple[int, int, str]:
        counts = options.cause.of(row.whole.incidence)
        of = (-counts.any_grade.patients, -counts.grade_3_or_more.patients)
        if options.order is Order.TERM:
            of = (0, 0)
        first, second = reversed(of) if options.order is Order.SEVERITY else of
        return first, second, row.title.casefold()

    return sorted(rows, key=key)


def class_names() -> dict[str, str]:
    """What a system organ class is called in the reader's language."""
    language = get_language() or ""
    named = {term.system_organ_class: term.class_name(language) for term in ctcae.terms()}
    return named | {NOT_CODED: _("no CTCAE term")}


def _summary(whole: SafetyReport, report: SafetyReport, options: SafetyOptions) -> Table:
    """Patients with any event, by cause, in all patients and in each arm."""
    everybody = options.arm or _("All patients")
    of: list[tuple[str, str | None, Safety]] = [(everybody, options.arm, report.found)]
    if not options.arm:
        of += [(arm_name(arm), arm.name, arm.found) for arm in whole.arms]
    groups = [
        (f"{title} (n = {found.n}): {CAUSES[cause]}", name, cause, cause.of(found.any_term))
        for title, name, found in of
        for cause in Cause
    ]
    lines = [
        Line(
            str(TALLIES[tally]),
            tuple(
                _cell(
                    report,
                    options,
                    counts.of(tally),
                    name,
                    {"count": tally.value, "cause": cause.value},
                )
                for _heading, name, cause, counts in groups
            ),
        )
        for tally in SUMMARY
    ]
    return Table(tuple(heading for heading, *_rest in groups), tuple(lines))


def _term_line(report: SafetyReport, options: SafetyOptions, row: Rows) -> Line:
    counts = options.cause.of(row.whole.incidence)
    cells = (
        _cell(
            report,
            options,
            counts.of(tally),
            options.arm,
            {**row.query, "count": tally.value, "cause": options.cause.value},
            with_share=tally in OF_ARM,
        )
        for tally in OF_TERM
    )
    return Line(row.title, tuple(cells), row.heading)


def _arm_table(whole: SafetyReport, options: SafetyOptions, rows: Sequence[Rows]) -> Table | None:
    if options.arm or not whole.arms or not rows:
        return None
    columns = tuple(
        f"{arm_name(arm)} (n = {arm.found.n}): {TALLIES[tally]}"
        for arm in whole.arms
        for tally in OF_ARM
    )
    known = [_by_name(arm) for arm in whole.arms]
    return Table(columns, tuple(_arm_line(whole, options, row, known) for row in rows))


ByName = Mapping[tuple[bool, str], TermIncidence]


def _by_name(arm: ArmSafety) -> ByName:
    """An arm's terms and classes by what all spellings have in common."""
    found = {(False, folded(row.term)): row for row in arm.found.terms}
    return found | {(True, folded(row.term)): row for row in arm.classes.terms}


def _arm_line(
    whole: SafetyReport, options: SafetyOptions, row: Rows, known: Sequence[ByName]
) -> Line:
    cells = []
    for arm, of in zip(whole.arms, known, strict=True):
        found = of.get((row.heading, folded(row.whole.term)))
        counts = options.cause.of(found.incidence) if found else None
        for tally in OF_ARM:
            share = counts.of(tally) if counts else Share(0, arm.found.n)
            query = {**row.query, "count": tally.value, "cause": options.cause.value}
            cells.append(_cell(whole, options, share, arm.name, query))
    return Line(row.title, tuple(cells), row.heading)


def arm_name(arm: ArmSafety) -> str:
    """An arm's name, or that of those in none."""
    return arm.name or _("no arm")


def _cell(
    report: SafetyReport,
    options: SafetyOptions,
    share: Share,
    arm: str | None,
    query: Mapping[str, str],
    *,
    with_share: bool = True,
) -> Cell:
    text = f"{share.patients} ({percent(share.estimate)})" if with_share else str(share.patients)
    if not share.patients or arm is None:  # those in no arm have no list of their own
        return Cell(text, "")
    chosen = dict(query) | ({"arm": arm} if arm else {})
    return Cell(text, options.link(report.trial, "safety_patients", **chosen))


def _butterfly(
    whole: SafetyReport,
    report: SafetyReport,
    options: SafetyOptions,
    terms: Sequence[TermIncidence],
) -> ButterflyChart:
    """All causes against related ones, or the first arm against the second."""
    rows = _sorted([_row(row) for row in terms], options)
    if of_arms(whole, options):
        one, other = whole.arms[:2]
        titles, ns = (arm_name(one), arm_name(other)), (one.found.n, other.found.n)
        known = [(arm, _by_name(arm)) for arm in (one, other)]
        drawn = [_by_arm(whole, options, row, known) for row in rows]
    else:
        titles, ns = (_("All causes"), _("Related")), (report.found.n,) * 2
        drawn = [_by_cause(report, options, row) for row in rows]
    return butterfly.draw(drawn, titles, ns, report.found.n)


def of_arms(whole: SafetyReport, options: SafetyOptions) -> bool:
    """Whether arms are set against each other: where they are asked for, and there are two."""
    return options.sides is Sides.ARMS and not options.arm and len(whole.arms) > 1


def _by_cause(report: SafetyReport, options: SafetyOptions, row: Rows) -> ButterflyTerm:
    left, right = (
        _wing(
            report,
            options,
            row,
            str(CAUSES[cause]),
            cause.of(row.whole.incidence),
            options.arm,
            cause,
        )
        for cause in Cause
    )
    return ButterflyTerm(row.title, left, right)


def _by_arm(
    whole: SafetyReport,
    options: SafetyOptions,
    row: Rows,
    arms: Iterable[tuple[ArmSafety, ByName]],
) -> ButterflyTerm:
    left, right = (_wing_of_arm(whole, options, row, arm, known) for arm, known in arms)
    return ButterflyTerm(row.title, left, right)


def _wing_of_arm(
    whole: SafetyReport, options: SafetyOptions, row: Rows, arm: ArmSafety, known: ByName
) -> Wing:
    found, name = known.get((False, folded(row.whole.term))), arm_name(arm)
    if found is None:
        told = {"term": row.title, "side": name, "n": arm.found.n}
        text = _("%(term)s, %(side)s: none of %(n)s patients") % told
        return Wing(0, 0, arm.found.n, text, "")
    counts = options.cause.of(found.incidence)
    return _wing(whole, options, row, name, counts, arm.name, options.cause)


def _wing(
    report: SafetyReport,
    options: SafetyOptions,
    row: Rows,
    side: str,
    counts: Counts,
    arm: str | None,
    cause: Cause,
) -> Wing:
    of, severe = counts.any_grade, counts.grade_3_or_more
    told = {
        "term": row.title, "side": side, "k": of.patients, "n": of.n, "severe": severe.patients,
        "share": percent(of.estimate), "severe_share": percent(severe.estimate),
    }  # fmt: skip
    text = _(
        "%(term)s, %(side)s: %(k)s of %(n)s patients (%(share)s), %(severe)s with grade 3 or more"
        " (%(severe_share)s)"
    )
    cell = _cell(report, options, of, arm, {**row.query, "cause": cause.value})
    return Wing(of.patients, severe.patients, of.n, text % told, cell.url)


def _caption(whole: SafetyReport, options: SafetyOptions) -> str:
    if not of_arms(whole, options):
        return _("Patients by term: events of any cause to the left, related ones to the right.")
    return _("Patients by term and arm; cause: %s.") % CAUSES[options.cause]


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
        _(
            "Events that started from the first dose up to %s days after the last dose and on or"
            " before the data cutoff."
        )
        % trial.ae_window_days,
        _("Population: %(population)s, n = %(n)s.")
        % {"population": POPULATIONS[Population.SAFETY].lower(), "n": report.found.n},
    ]
    if trial.ctcae_version:
        sentences.append(_("Grades: CTCAE %s.") % trial.ctcae_version)
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


# Who is behind a number


def matching(whole: SafetyReport, options: SafetyOptions, selection: Selection) -> list[Counted]:
    """Patients who are counted for something, with the events for which they are."""
    return _matching(whole.in_arm(options.arm), options.cause, selection)


def _matching(report: SafetyReport, cause: Cause, selection: Selection) -> list[Counted]:
    found = []
    for subject in report.treated:
        events = [e for e in report.events_of(subject) if _is_asked_for(e, cause, selection)]
        if counted := counting(selection.tally, events):
            found.append((subject, counted))
    return found


def _is_asked_for(event: Event, cause: Cause, selection: Selection) -> bool:
    if cause is Cause.RELATED and not event.related:
        return False
    if selection.term and folded(selection.term) != folded(event.term):
        return False
    of = selection.system_organ_class
    return of is None or class_of(event.term) == of


def event_page(found: Sequence[Counted], number: str | None, per_page: int = PER_PAGE) -> EventPage:
    """Some of the patients, by subject id."""
    shown = paginator.Paginator(found, per_page).get_page(number)
    return EventPage(len(found), sum(len(events) for _one, events in found), shown)


def _event_line(subject: Subject, event: Event, details: Details) -> EventLine:
    url = reverse("outcomes:patient", args=[subject.id])
    ended_on, outcome = details.get(event.id, (None, ""))
    return EventLine(
        subject=subject,
        url=url,
        event_url=f"{url}#adverse-event-{event.id}",
        term=ctcae.name(event.term, get_language() or ""),
        event=event,
        action=str(ActionTaken(event.action).label) if event.action else "",
        outcome=str(AdverseEventOutcome(outcome).label) if outcome else "",
        ended_on=ended_on,
    )


def asked_for(options: SafetyOptions, selection: Selection) -> str:
    """Which patients a list has, in words."""
    parts = [str(TALLIES[selection.tally]), str(CAUSES[options.cause])]
    if selection.term:
        parts.insert(0, ctcae.name(selection.term, get_language() or ""))
    if selection.system_organ_class is not None:
        parts.insert(0, class_names().get(selection.system_organ_class, ""))
    if options.arm:
        parts.append(options.arm)
    return " · ".join(part for part in parts if part)


# Exposure


def _duration(report: SafetyReport, given: Sequence[Treated]) -> str:
    found = report.durations(given)
    if found is None:
        return _("Nobody is treated yet.")
    return _(
        "Treatment, first dose to last: median %(median)s days (quartiles %(q1)s and %(q3)s), n = "
        "%(n)s. By the doses recorded, on the plan's days of each cycle, one that lasts up to the "
        "data cutoff; of a patient without any, by the dates of the first and the last dose."
    ) % {
        "median": number(found.median), "q1": number(found.q1), "q3": number(found.q3), "n": found.n,
    }  # fmt: skip


def number(value: Fraction) -> str:
    """To one decimal, which a whole number does without."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.1f}"


def _summary_line(row: ExposureSummary) -> ExposureLine:
    days, cycles, total, intensity = row.quartiles.values()
    unit = unit_label(row.unit or "")
    cells = (
        (_("Patients"), str(row.n)),
        (_("Days of treatment"), _spread(days)),
        (_("Cycles"), _spread(cycles)),
        (_("Cumulative dose"), _spread(total, unit)),
        (_("Relative dose intensity"), _spread(intensity, "%", 100)),
        (_("With a reduction"), _of(row.reduced, row.n)),
        (_("With an interruption"), _of(row.interrupted, row.n)),
    )
    return ExposureLine(row.intervention, "", row.arm or "", cells)


def _spread(found: Quartiles | None, unit: str = "", times: int = 1) -> str:
    """Median and quartiles, with the n that is known."""
    if found is None:
        return _("not known")
    q1, median, q3 = (number(times * value) for value in (found.q1, found.median, found.q3))
    return f"{median} ({q1}–{q3}) {unit}".strip()


def _of(k: int, n: int) -> str:
    return f"{k} ({percent(k / n)})"


def patient_exposure(row: Treated) -> ExposureLine:
    """What a patient was given of an intervention."""
    found, course = row.found, row.course
    known = found.relative_dose_intensity
    unit = unit_label(found.unit or "")
    cells = (
        (_("Intervention"), row.intervention),
        (_("First dose"), found.first_on.isoformat()),
        (_("Last dose"), found.last_on.isoformat()),
        (_("Days of treatment"), str(found.days)),
        (_("Cycles"), str(found.cycles)),
        (_("Cumulative dose"), _amount(found.total_dose, unit)),
        (_("Planned"), _amount(found.planned_dose, unit)),
        (_("Relative dose intensity"), _("not known") if known is None else f"{number(100 * known)} %"),
        (_("Reductions"), str(found.reductions)),
        (_("Interruptions"), str(found.interruptions)),
    )  # fmt: skip
    return ExposureLine(
        course.subject_id,
        reverse("outcomes:patient", args=[course.patient_id]),
        course.arm or "",
        cells,
    )


def _amount(dose: object, unit: str) -> str:
    return _("not known") if dose is None else f"{number(Fraction(str(dose)))} {unit}"


def title(trial: Trial, cutoff: Date) -> str:
    """What a browser's tab says."""
    return _("Safety of %(trial)s, data cutoff %(cutoff)s") % {
        "trial": trial.registry_id,
        "cutoff": cutoff,
    }
