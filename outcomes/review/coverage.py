"""How many of a report's patients its evaluator has read: what is not read counts as not assessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import ngettext

from outcomes.models import INVESTIGATOR

if TYPE_CHECKING:
    from outcomes.queries import PatientFacts
    from outcomes.report import Report


def is_read(facts: PatientFacts) -> bool:
    """Whether the evaluator of these facts has any reading of the patient."""
    return facts.history.has_baseline or bool(facts.history.records)


def coverage_note(report: Report) -> str:
    """How many the independent reviewer has read, where those are not all; else blank."""
    n = len(report.patients)
    read = sum(is_read(patient.facts) for patient in report.patients)
    if report.options.evaluator == INVESTIGATOR or read == n:
        return ""
    told = {"read": read, "n": n, "unread": n - read}
    words = ngettext(
        "%(read)s of %(n)s patients read; %(unread)s counts as not assessed.",
        "%(read)s of %(n)s patients read; %(unread)s count as not assessed.",
        n - read,
    )
    return words % told
