"""A time that a reader asked for, as documents tell it."""

from __future__ import annotations

from outcomes.report.document_types import AskedTime
from outcomes.report.values import DAYS_PER_MONTH, LandmarkTime


def asked_time(at: LandmarkTime) -> AskedTime:
    """In months, in weeks where weeks were asked for, and in days."""
    return {
        "months": at.number if at.unit == "months" else at.days / DAYS_PER_MONTH,
        "weeks": at.number if at.unit == "weeks" else None,
        "days": at.days,
    }
