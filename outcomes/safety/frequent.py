"""The most frequent related adverse events, as the dashboard shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from outcomes.methods.safety import Counts, Tally
from outcomes.patient_links import Count
from outcomes.safety import SafetyReport
from outcomes.safety.options import Cause, SafetyOptions
from outcomes.safety.page import grades_in_words, period_in_words
from patients import ctcae
from registry.languages import sentences
from trials.definition_wording import POPULATIONS
from trials.definitions import Population
from trials.models import Trial

TERMS_SHOWN = 10


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
    said = [
        _("Patients, not events, by the worst grade of the events related to the trial treatment."),
        period_in_words(trial),
        _("Population: %s.") % POPULATIONS[Population.SAFETY].lower(),
        *grades_in_words(trial),
    ]
    return sentences(*said)
