"""What a correction changes, field by field."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outcomes import corrections, history
from outcomes.entries import VisitEntry
from tests import factories
from tests.conftest import Cast
from tests.factories import START, non_target, target


@pytest.mark.parametrize(("kind", "found"), [("scheduled", ()), ("baseline", ("Method",))])
def test_the_method_of_a_non_target_is_said_at_its_baseline_only(
    cast: Cast, kind: str, found: tuple[str, ...]
) -> None:
    """The page of a follow-up visit does not ask for it: leaving it out changes nothing."""
    patient = factories.patient(cast.trial)
    rows = (non_target("NT01", organ="pleural effusion", method="ct"),)
    visits = {"baseline": factories.baseline(patient, by=cast.coordinator, non_targets=rows)}
    visits["scheduled"] = factories.follow_up(patient, 43, by=cast.coordinator)
    past = history.load(patient)
    stored = next(visit for visit in past.visits if visit.pk == visits[kind].pk)
    before = corrections.stored_entry(stored, past)
    asked = tuple(
        non_target(row.lesion, row.status or "", organ=row.organ) for row in before.non_targets
    )
    after = VisitEntry(**vars(before) | {"non_targets": asked})
    assert tuple(change.field for change in corrections.changes(before, after)) == found


def test_each_field_that_says_otherwise_is_one_change() -> None:
    on = START + timedelta(days=43)
    before = VisitEntry(
        "scheduled", on, targets=(target("T01", 44),), non_targets=(non_target("NT01"),)
    )
    after = VisitEntry(
        "scheduled", on, targets=(target("T01", 24),), non_targets=(non_target("NT01", "absent"),)
    )
    said = [(c.pointer, c.before, c.after) for c in corrections.changes(before, after)]
    assert said == [
        ("/targets/0/diameter_mm", "44", "24"), ("/non_targets/0/status", "Present", "Absent"),
    ]  # fmt: skip
