"""A trial's outcomes as one value: the page, the API, the CSV and the charts all read it."""

from outcomes.report.building import (
    RESPONSE_ORDER,
    analyses,
    build,
    declared,
    outcome_of,
    outcomes_of,
)
from outcomes.report.values import (
    DAYS_PER_MONTH,
    UNKNOWN,
    Absence,
    Analysis,
    Declared,
    ImmuneOutcome,
    LandmarkTime,
    Options,
    PatientOutcome,
    Rate,
    Report,
    Section,
    Survival,
)

__all__ = [
    "DAYS_PER_MONTH",
    "RESPONSE_ORDER",
    "UNKNOWN",
    "Absence",
    "Analysis",
    "Declared",
    "ImmuneOutcome",
    "LandmarkTime",
    "Options",
    "PatientOutcome",
    "Rate",
    "Report",
    "Section",
    "Survival",
    "analyses",
    "build",
    "declared",
    "outcome_of",
    "outcomes_of",
]
