"""What is asked of a report whose statistics are shown, where the reader does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from outcomes.report import LandmarkTime, Options
from trials.definitions import EndpointKind

# Progression-free rates are read at 12 weeks, 3, 6 and 12 months (METHODS.md, 6).
LANDMARKS = (LandmarkTime(12, "weeks"), *(LandmarkTime(months) for months in (3, 6, 12, 24)))
HORIZON = LandmarkTime(12)
FURTHER = (EndpointKind.CBR, EndpointKind.DOR, EndpointKind.TTR)  # that not every trial declares


def completed(options: Options, query: Mapping[str, str]) -> Options:
    """The options with landmarks and a horizon of the restricted mean, unless the query has them."""
    return replace(
        options,
        landmarks=options.landmarks if query.get("landmarks") else LANDMARKS,
        restricted_mean=options.restricted_mean or HORIZON,
    )
