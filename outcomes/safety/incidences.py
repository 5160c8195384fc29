"""Tables of adverse events whose numbers lead to their patients, worded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from outcomes.methods.safety import WORST_GRADES, Safety, Share, Tally, TermIncidence, folded
from outcomes.result_wording import percent
from outcomes.safety import NOT_CODED, ArmSafety, SafetyReport, class_of
from outcomes.safety.options import CAUSES, TALLIES, Cause, Order, SafetyOptions
from patients import ctcae
from trials.templatetags.terms import treatment

SUMMARY = (
    Tally.ANY_GRADE, Tally.GRADE_3_OR_MORE, Tally.GRADE_5, Tally.SERIOUS,
    Tally.DRUG_WITHDRAWN, Tally.DOSE_REDUCED, Tally.DRUG_INTERRUPTED,
)  # fmt: skip
OF_TERM = (
    Tally.ANY_GRADE, Tally.GRADE_3_OR_MORE, *WORST_GRADES, Tally.SERIOUS,
    Tally.DRUG_WITHDRAWN, Tally.DOSE_REDUCED, Tally.DRUG_INTERRUPTED,
)  # fmt: skip
OF_ARM = (Tally.ANY_GRADE, Tally.GRADE_3_OR_MORE)
SHORT = {tally: str(grade) for tally, grade in WORST_GRADES.items()} | {
    Tally.GRADE_3_OR_MORE: "\N{GREATER-THAN OR EQUAL TO} 3"
}

ByName = Mapping[tuple[bool, str], TermIncidence]
_Column = tuple[str, str | None, Safety]  # what it is called, the arm of its links, what is found


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
class ColumnGroup:
    """Whose patients the next columns are of."""

    title: str
    columns: int


@dataclass(frozen=True)
class Table:
    """Columns, the groups above them if they have any, and rows with a cell for each column."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    groups: tuple[ColumnGroup, ...] = ()


@dataclass(frozen=True)
class Rows:
    """A term or a class, in all patients and in each arm."""

    title: str
    query: Mapping[str, str]
    whole: TermIncidence
    heading: bool = False


def without_links(table: Table) -> Table:
    """The same numbers, leading nowhere."""
    lines = (
        replace(line, cells=tuple(Cell(one.text, "") for one in line.cells)) for line in table.lines
    )
    return replace(table, lines=tuple(lines))


def term_columns() -> tuple[str, ...]:
    """What stands above the counts of a term."""
    return tuple(str(SHORT.get(tally, TALLIES[tally])) for tally in OF_TERM)


def is_shown(row: TermIncidence, options: SafetyOptions, n: int) -> bool:
    """Whether a term has as many patients as asked for."""
    patients = options.cause.of(row.incidence).of(options.grade).patients
    return patients > 0 and 100 * patients >= options.minimum * n


def ordered(
    terms: Sequence[TermIncidence], report: SafetyReport, options: SafetyOptions
) -> Iterator[Rows]:
    """The terms in the order asked for, under their classes where that is the order."""
    rows = sorted_rows([row_of(row) for row in terms], options)
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
    for heading in sorted_rows(classes, options):
        yield heading
        yield from members[heading.whole.term]


def row_of(row: TermIncidence) -> Rows:
    """A term by its name in the reader's language."""
    return Rows(ctcae.name(row.term, get_language() or ""), {"term": row.term}, row)


def sorted_rows(rows: Sequence[Rows], options: SafetyOptions) -> list[Rows]:
    """Rows in the order asked for."""

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


def summary_table(whole: SafetyReport, report: SafetyReport, options: SafetyOptions) -> Table:
    """Patients with any event, by cause, in all patients and in each arm."""
    everybody = treatment(options.arm) if options.arm else _("All patients")
    of: list[_Column] = [(everybody, options.arm, report.found)]
    if not options.arm:
        of += [(arm_name(arm), arm.name, arm.found) for arm in whole.arms]
    return Table(
        columns=tuple(capfirst(str(CAUSES[cause])) for _one in of for cause in Cause),
        lines=tuple(_summary_line(report, options, tally, of) for tally in SUMMARY),
        groups=tuple(_group(title, found, len(Cause)) for title, _name, found in of),
    )


def _summary_line(
    report: SafetyReport, options: SafetyOptions, tally: Tally, of: Sequence[_Column]
) -> Line:
    """Of each arm, and of all, first all causes and then the related ones."""
    cells = (
        cell(
            report,
            options,
            cause.of(found.any_term).of(tally),
            name,
            {"count": tally.value, "cause": cause.value},
        )
        for _title, name, found in of
        for cause in Cause
    )
    return Line(str(TALLIES[tally]), tuple(cells))


def _group(title: str, found: Safety, columns: int) -> ColumnGroup:
    return ColumnGroup(f"{title} (n = {found.n})", columns)


def term_line(report: SafetyReport, options: SafetyOptions, row: Rows) -> Line:
    """Every count of a term or a class."""
    counts = options.cause.of(row.whole.incidence)
    cells = (
        cell(
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


def arm_table(whole: SafetyReport, options: SafetyOptions, rows: Sequence[Rows]) -> Table | None:
    """The same rows arm by arm; None where there is nothing to set side by side."""
    if options.arm or not whole.arms or not rows:
        return None
    known = [by_name(arm) for arm in whole.arms]
    return Table(
        columns=tuple(str(TALLIES[tally]) for _arm in whole.arms for tally in OF_ARM),
        lines=tuple(_arm_line(whole, options, row, known) for row in rows),
        groups=tuple(_group(arm_name(arm), arm.found, len(OF_ARM)) for arm in whole.arms),
    )


def by_name(arm: ArmSafety) -> ByName:
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
            cells.append(cell(whole, options, share, arm.name, query))
    return Line(row.title, tuple(cells), row.heading)


def arm_name(arm: ArmSafety) -> str:
    """An arm's name, or that of those in none."""
    return treatment(arm.name) if arm.name else _("no arm")


def cell(
    report: SafetyReport,
    options: SafetyOptions,
    share: Share,
    arm: str | None,
    query: Mapping[str, str],
    *,
    with_share: bool = True,
) -> Cell:
    """A number that leads to its patients."""
    text = f"{share.patients} ({percent(share.estimate)})" if with_share else str(share.patients)
    if not share.patients or arm is None:  # those in no arm have no list of their own
        return Cell(text, "")
    chosen = dict(query) | ({"arm": arm} if arm else {})
    return Cell(text, options.link(report.trial, "safety_patients", **chosen))
