"""A trial's adverse events and exposure: one value that the pages, the API and the files read."""

from outcomes.safety.building import (
    NOT_CODED,
    ArmSafety,
    SafetyFacts,
    SafetyReport,
    Subject,
    build,
    class_of,
    compute,
    details,
    exposure,
    people_by_id,
    read,
)

__all__ = [
    "NOT_CODED",
    "ArmSafety",
    "SafetyFacts",
    "SafetyReport",
    "Subject",
    "build",
    "class_of",
    "compute",
    "details",
    "exposure",
    "people_by_id",
    "read",
]
