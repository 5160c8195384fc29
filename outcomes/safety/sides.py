"""The butterfly of adverse events: two sides, term by term, worded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from outcomes.charts import butterfly
from outcomes.charts.butterfly import ButterflyChart, ButterflyTerm, Wing
from outcomes.methods.safety import Counts, TermIncidence, folded
from outcomes.result_wording import percent
from outcomes.safety import ArmSafety, SafetyReport
from outcomes.safety.incidences import ByName, Rows, arm_name, by_name, cell, row_of, sorted_rows
from outcomes.safety.options import CAUSES, Cause, SafetyOptions, Sides


def butterfly_of(
    whole: SafetyReport,
    report: SafetyReport,
    options: SafetyOptions,
    terms: Sequence[TermIncidence],
) -> ButterflyChart:
    """All causes against related ones, or the first arm against the second."""
    rows = sorted_rows([row_of(row) for row in terms], options)
    if of_arms(whole, options):
        one, other = whole.arms[:2]
        titles, ns = (arm_name(one), arm_name(other)), (one.found.n, other.found.n)
        known = [(arm, by_name(arm)) for arm in (one, other)]
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
    linked = cell(report, options, of, arm, {**row.query, "cause": cause.value})
    return Wing(of.patients, severe.patients, of.n, text % told, linked.url)


def caption(whole: SafetyReport, options: SafetyOptions) -> str:
    """What the two sides are."""
    if not of_arms(whole, options):
        return _("Patients by term: events of any cause to the left, related ones to the right.")
    return _("Patients by term and arm; cause: %s.") % CAUSES[options.cause]
