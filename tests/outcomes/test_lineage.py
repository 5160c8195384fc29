"""Stored mergers and splits, as the next visit finds them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from outcomes import history
from outcomes.lineage import carried
from outcomes.methods.lineage import Carried
from tests import factories
from tests.conftest import Cast


def test_later_visits_carry_what_was_stored(cast: Cast) -> None:
    patient = factories.patient(cast.trial)
    factories.baseline(patient, by=cast.coordinator)
    pieces = (Decimal(12), Decimal("8.5"))
    split = factories.target("T01", fragments_mm=pieces)
    factories.follow_up(
        patient, 42, by=cast.coordinator, targets=(split, factories.target("T02", 30))
    )
    merged = factories.target("T02", state="merged", merged_into="T01")
    factories.follow_up(
        patient, 84, by=cast.coordinator, targets=(factories.target("T01", 55), merged)
    )
    past = history.load(patient)
    first, second = (factories.START + timedelta(days=day) for day in (42, 84))
    assert carried(past, first) == {}
    assert carried(past, second) == {"T01": Carried(first, fragments=2)}
    assert carried(past) == {"T02": Carried(second, merged_into="T01")}
