"""A trial's outcomes as one value: the page, the API, the CSV and the charts all read it."""

from outcomes.characteristics import UNKNOWN
from outcomes.report.building import (
    RESPONSE_ORDER,
    analyses,
    build,
    compute,
    declared,
    outcomes_of,
    read,
    side_by_side,
)
from outcomes.report.values import (
    DAYS_PER_MONTH,
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
    Standing,
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
    "Standing",
    "Survival",
    "analyses",
    "build",
    "compute",
    "declared",
    "outcomes_of",
    "read",
    "side_by_side",
]
