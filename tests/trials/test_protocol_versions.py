"""Amendments: a protocol that patients were screened by stays readable as it was."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from patients.models import Screening
from registry.errors import Conflict, Refused, StaleVersion
from tests import factories
from tests.conftest import Cast
from trials import actions
from trials.models import ProtocolVersion, Trial

AGE = {"kind": "inclusion", "text": "Age 18 or more"}
ECOG = {"kind": "inclusion", "text": "ECOG 0 to 2"}
PRIOR = {"kind": "exclusion", "text": "Prior anlotinib"}


def change(trial: Trial, cast: Cast, criteria: list[dict[str, Any]]) -> Trial:
    trial.refresh_from_db()
    return actions.update_trial(
        trial=trial, by=cast.administrator, reason="why", version=trial.version,
        document={"criteria": criteria}, partial=True,
    )  # fmt: skip


def texts(trial: Trial, number: int) -> list[str]:
    return [row.text for row in trial.criteria.of(number)]


def as_items(trial: Trial) -> list[dict[str, Any]]:
    return [{"id": c.pk, "kind": c.kind, "text": c.text} for c in trial.criteria.current()]


def screened(trial: Trial) -> Screening:
    patient = factories.patient(trial, enrolled_on=None, first_dose_on=None)
    return Screening.objects.create(
        patient=patient, protocol_version=trial.protocol_version, screened_on=factories.START
    )


def test_before_the_first_screening_criteria_change_in_place(cast: Cast) -> None:
    trial = change(cast.trial, cast, [AGE, ECOG])
    first, second = as_items(trial)
    change(trial, cast, [second | {"text": "ECOG 0 or 1"}, PRIOR])
    assert trial.protocol_version.number == 1
    assert texts(trial, 1) == ["ECOG 0 or 1", "Prior anlotinib"]
    assert [row["id"] for row in as_items(trial)][0] == second["id"] != first["id"]


def test_after_a_screening_a_change_begins_the_next_version(cast: Cast) -> None:
    trial = change(cast.trial, cast, [AGE, ECOG, PRIOR])
    screening = screened(trial)
    age, ecog, prior = as_items(trial)
    change(trial, cast, [prior, age | {"text": "Age 18 to 70"}])
    assert trial.protocol_version.number == 2
    assert sorted(texts(trial, 1)) == ["Age 18 or more", "ECOG 0 to 2", "Prior anlotinib"]
    assert texts(trial, 2) == ["Prior anlotinib", "Age 18 to 70"]
    screening.refresh_from_db()
    assert screening.protocol_version.number == 1
    kept = {row["text"]: row["id"] for row in as_items(trial)}
    assert kept["Prior anlotinib"] == prior["id"]
    assert kept["Age 18 to 70"] != age["id"]


def test_the_same_criteria_again_or_in_another_order_amend_nothing(cast: Cast) -> None:
    trial = change(cast.trial, cast, [AGE, ECOG])
    screened(trial)
    change(trial, cast, as_items(trial))
    change(trial, cast, as_items(trial)[::-1])
    assert trial.protocol_version.number == 1
    assert texts(trial, 1) == ["ECOG 0 to 2", "Age 18 or more"]


def test_an_unused_version_changes_in_place_but_not_what_it_shares(cast: Cast) -> None:
    trial = change(cast.trial, cast, [AGE, ECOG])
    screened(trial)
    change(trial, cast, [*as_items(trial), PRIOR])
    age, ecog, prior = as_items(trial)
    change(trial, cast, [age, ecog | {"text": "ECOG 0"}, prior | {"text": "Any TKI"}])
    assert trial.protocol_version.number == 2
    assert sorted(texts(trial, 1)) == ["Age 18 or more", "ECOG 0 to 2"]
    assert texts(trial, 2) == ["Age 18 or more", "ECOG 0", "Any TKI"]


def test_an_amendment_needs_the_trial_as_it_stands(cast: Cast) -> None:
    trial = change(cast.trial, cast, [AGE])
    why: dict[str, Any] = {"trial": trial, "by": cast.administrator, "reason": "amendment 1"}
    with pytest.raises(StaleVersion):
        actions.amend_protocol(**why, version=trial.version - 1, label="2.0")
    amended = actions.amend_protocol(
        **why, version=trial.version, label="2.0", consent_version="ICF 2", criteria=[ECOG]
    )
    assert (amended.number, amended.label, amended.consent_version) == (2, "2.0", "ICF 2")
    assert texts(trial, 2) == ["ECOG 0 to 2"]
    assert texts(trial, 1) == ["Age 18 or more"]


@pytest.mark.parametrize(
    ("begins", "accepted"),
    [(date(2024, 4, 30), False), (None, True), (date(2024, 5, 1), True), (date(2024, 5, 2), True)],
)
def test_versions_become_effective_in_their_order(
    cast: Cast, begins: date | None, accepted: bool
) -> None:
    def amend(**facts: Any) -> Any:
        trial = Trial.objects.get(pk=cast.trial.pk)
        return actions.amend_protocol(
            trial=trial, by=cast.administrator, reason="x", version=trial.version, **facts
        )

    amend(effective_on=date(2024, 5, 1))
    if accepted:
        assert amend(effective_on=begins).number == 3
        return
    with pytest.raises(Refused) as refused:
        amend(effective_on=begins)
    (error,) = refused.value.errors
    assert error.pointer == "/effective_on"
    assert error.detail == "At the earliest 2024-05-01: version 2 begins then."


def test_a_version_that_a_change_begins_is_not_effective_before_the_last(cast: Cast) -> None:
    trial = change(cast.trial, cast, [AGE, ECOG])
    planned = date(2199, 1, 1)
    trial.protocol_versions.update(effective_on=planned)
    screened(trial)
    change(trial, cast, [AGE])
    last = ProtocolVersion.objects.get(trial=trial, number=2)
    assert last.effective_on == planned


def test_a_retired_criterion_is_no_criterion_any_more(cast: Cast) -> None:
    trial = change(cast.trial, cast, [AGE])
    screened(trial)
    (age,) = as_items(trial)
    change(trial, cast, [ECOG])
    with pytest.raises(Refused) as refused:
        change(trial, cast, [age])
    assert not isinstance(refused.value, Conflict)
    assert [e.pointer for e in refused.value.errors] == ["/criteria/0/id"]


def test_a_note_is_no_amendment(cast: Cast) -> None:
    trial = change(cast.trial, cast, [AGE])
    screened(trial)
    (age,) = as_items(trial)
    change(trial, cast, [age | {"note": "read as completed years", "source": "protocol 5.1"}])
    assert trial.protocol_version.number == 1
    assert trial.criteria.get().note == "read as completed years"


def begun(trial: Trial, cast: Cast, on: date | None) -> ProtocolVersion:
    trial.refresh_from_db()
    return actions.amend_protocol(
        trial=trial, by=cast.administrator, reason="amendment", version=trial.version,
        label="2", effective_on=on,
    )  # fmt: skip


def test_a_version_without_a_day_begins_today(cast: Cast) -> None:
    today = max(site.today() for site in cast.trial.sites.all())
    assert begun(cast.trial, cast, None).effective_on == today


def test_nobody_enrolled_is_judged_by_a_later_version(cast: Cast) -> None:
    Trial.objects.filter(pk=cast.trial.pk).update(enrollment_gate="screening")
    factories.patient(cast.trial, enrolled_on=factories.START)
    with pytest.raises(Refused, match="a patient was enrolled on 2024-01-15"):
        begun(cast.trial, cast, factories.START)
    assert begun(cast.trial, cast, date(2024, 1, 16)).effective_on == date(2024, 1, 16)
    with pytest.raises(Refused, match="At the earliest 2024-01-16: version 2 begins then"):
        begun(cast.trial, cast, date(2024, 1, 15))
