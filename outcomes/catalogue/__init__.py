"""The catalogue of publications with its audit."""

from outcomes.catalogue.building import (
    Entry,
    contradicted,
    entries,
    entry,
    findings,
)

__all__ = ["Entry", "contradicted", "entries", "entry", "findings"]
