"""Frozen analyses: kept with their inputs, computed again bit for bit, compared with today."""

from outcomes.analyses.freezing import (
    OVERTAKEN,
    Outcome,
    Reproduction,
    freeze,
    inputs_now,
    reproduce,
    stored_result,
)

__all__ = [
    "OVERTAKEN",
    "Outcome",
    "Reproduction",
    "freeze",
    "inputs_now",
    "reproduce",
    "stored_result",
]
