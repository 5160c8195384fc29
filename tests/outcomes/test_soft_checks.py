"""Soft checks on the way: in the preview, and as the visit page sends its answers."""

from __future__ import annotations

from datetime import timedelta

from django.http import QueryDict

from outcomes import actions
from outcomes.entries import Acknowledgement, VisitEntry
from outcomes.methods.soft_checks import Check
from outcomes.soft_check_form import acknowledgements, field_name
from tests import factories
from tests.conftest import Cast
from tests.factories import START, non_target, target


def entry(day: int | None, *mm: str | int | None, kind: str = "scheduled") -> VisitEntry:
    """A follow-up with these diameters; None is a row that is still to be typed."""
    rows = tuple(
        target(f"T{i:02}", value, state="measured" if value else None)
        for i, value in enumerate(mm, 1)
    )
    return VisitEntry(
        kind=kind,
        date=None if day is None else START + timedelta(days=day),
        targets=rows,
        non_targets=(non_target("NT01"),),
        new_lesions=(),
    )


def test_the_preview_carries_them_with_pointers_into_what_was_typed(cast: Cast) -> None:
    patient = factories.patient(cast.trial)
    factories.baseline(patient, by=cast.coordinator)
    found = actions.preview_visit(patient=patient, entry=entry(43, None, 12)).soft_checks
    assert [(c.check, c.lesion, c.pointer) for c in found] == [
        (Check.LARGE_CHANGE, "T02", "/targets/1/diameter_mm")
    ]


def test_a_scheduled_scan_has_a_window_and_an_unscheduled_one_has_none(cast: Cast) -> None:
    patient = factories.patient(cast.trial)  # first dose a day after START; 42 +- 7 days
    factories.baseline(patient, by=cast.coordinator)

    def asked(day: int | None, kind: str = "scheduled") -> list[Check]:
        said = entry(day, 49, 29, kind=kind)
        return [c.check for c in actions.preview_visit(patient=patient, entry=said).soft_checks]

    assert asked(36) == asked(50) == []
    assert asked(35) == asked(51) == [Check.OUTSIDE_WINDOW]
    assert asked(35, "unscheduled") == []
    assert asked(None) == []  # the date is asked for anyway


def test_the_page_answers_with_a_tick_or_a_comment() -> None:
    data = QueryDict(mutable=True)
    data.update(
        {
            field_name("confirmed", Check.LARGE_CHANGE, "T02"): "on",
            field_name("comment", Check.COPIED, ""): " read again ",
            field_name("confirmed", Check.REAPPEARED, "T01"): "on",
            field_name("comment", Check.REAPPEARED, "T01"): "a seroma",
            field_name("comment", Check.LARGE_DIAMETER, "T03"): "  ",
            "confirmed:no_such_check:T01": "on",
            "date": "2024-01-15",
        }
    )
    assert sorted(acknowledgements(data), key=lambda a: a.code) == [
        Acknowledgement("copied", "", "read again"),
        Acknowledgement("large_change", "T02", ""),
        Acknowledgement("reappeared", "T01", "a seroma"),
    ]
    assert acknowledgements(None) == ()
