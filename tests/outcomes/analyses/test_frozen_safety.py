"""Frozen analyses keep adverse events and exposure; those frozen before they did still come out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from outcomes import canonical
from outcomes.analyses import Outcome, reproduce
from outcomes.analyses.inputs import FORMAT, WITHOUT_SAFETY, Inputs, result_of
from outcomes.models import Analysis
from patients.models import AdverseEvent, Allocation, Dose, Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from tests.outcomes.analyses.test_freezing import forged, frozen
from trials.models import Arm, Trial

Login = Callable[[Any], Api]
Pages = Callable[..., Client]
DRUGS = {"A": "anlotinib", "B": "placebo"}


@pytest.fixture
def treated(cast: Cast) -> list[Patient]:
    """Two treated patients of two arms, on 12 mg daily of 14 days in 21, for 28 days.

    The first had a related hypertension of grade 3 and a fatigue of grade 1 that is not related;
    the second a related hypertension of grade 2, and a serious one after the window of 21 days.
    """
    people = []
    for number, (name, drug) in enumerate(DRUGS.items()):
        arm = Arm.objects.create(trial=cast.trial, name=name)
        planned = {"dose": 12, "unit": "mg", "days_on": [*range(1, 15)], "cycle_days": 21}
        arm.interventions.create(name=drug, **planned)
        last = START + timedelta(days=27)
        dates: dict[str, Any] = {"first_dose_on": START, "last_dose_on": last}
        row = factories.patient(cast.trial, f"01-10{number}", **dates)
        Allocation.objects.create(patient=row, trial=cast.trial, arm=arm)
        Dose.objects.create(
            patient=row, intervention=drug, dose=12, unit="mg", started_on=START, ended_on=last
        )
        people.append(row)
    factories.adverse_event(people[0], "Hypertension", 3)
    factories.adverse_event(people[0], "Fatigue", 1, related=False)
    factories.adverse_event(people[1], "Hypertension", 2)
    factories.adverse_event(people[1], "Hypertension", 5, day=27 + 22, serious=True)
    return people


def as_format_1(row: Analysis) -> Analysis:
    """The row as it was before inputs held adverse events: byte for byte what was stored then."""
    inputs, result = json.loads(row.inputs), json.loads(row.result)
    del inputs["safety"], result["safety"], result["exposure"]
    kept, told = canonical.text(inputs | {"format": WITHOUT_SAFETY}), canonical.text(result)
    digests = {"inputs_sha256": canonical.sha256(kept), "result_sha256": canonical.sha256(told)}
    return forged(row, inputs=kept, result=told, **digests)


def test_the_tables_of_safety_are_kept(cast: Cast, treated: list[Patient]) -> None:
    row = frozen(cast)
    inputs, result = json.loads(row.inputs), json.loads(row.result)
    assert inputs["format"] == FORMAT
    first = inputs["safety"]["subjects"][0]
    assert [(e["term"], e["grade"]) for e in first["person"]["events"]] == [
        ("Hypertension", 3), ("Fatigue", 1),
    ]  # fmt: skip
    assert inputs["safety"]["doses"][0]["plan"]["cycle_days"] == 21
    found = result["safety"]
    assert (found["population"]["n"], found["outside_period"]) == (2, 1)
    assert found["any"]["related"]["worst_grades"]["grade_3"]["patients"] == 1
    assert found["any"]["related"]["any_grade"]["patients"] == 2
    assert found["any"]["all"]["serious"]["patients"] == 0
    of_a, of_b = result["exposure"]["arms"]
    assert (of_a["arm"], of_a["intervention"], of_a["n"]) == ("A", "anlotinib", 1)
    assert of_a["median_total_dose"] == 12 * 21  # days 1 to 14 and 22 to 28
    assert of_b["median_relative_dose_intensity"] == 1


@pytest.mark.usefixtures("treated")
def test_they_come_out_again_whatever_happens_later(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row = frozen(cast)
    AdverseEvent.objects.update(grade=4)
    Dose.objects.update(dose=8)
    Trial.objects.filter(pk=cast.trial.pk).update(ae_window_days=90)
    row = Analysis.objects.get(pk=row.pk)
    with django_assert_num_queries(0):
        found = reproduce(row)
    assert (found.outcome, found.result_sha256) == (Outcome.REPRODUCED, row.result_sha256)
    assert found.computed is not None
    assert found.computed.safety is not None
    assert found.computed.safety.found.any_term.related.grade_3_or_more.patients == 1


@pytest.mark.usefixtures("treated")
def test_one_that_was_frozen_without_them_comes_out_without_them(cast: Cast) -> None:
    row = as_format_1(frozen(cast))
    found = reproduce(row)
    assert (found.outcome, found.result_sha256) == (Outcome.REPRODUCED, row.result_sha256)
    assert found.computed is not None
    assert (found.computed.safety, found.computed.exposure) == (None, ())


FORGED: list[Callable[[dict[str, Any]], Any]] = [
    lambda kept: kept["safety"]["subjects"][0]["person"]["events"][0].update(grade=1),
    lambda kept: kept["safety"]["subjects"][0]["person"]["events"].pop(),
    lambda kept: kept["safety"]["subjects"].pop(),  # whose doses stay
    lambda kept: kept["safety"]["doses"][0]["given"][0].update(dose="6"),
    lambda kept: kept["safety"]["doses"][0].update(plan=None),
    lambda kept: kept.update(safety=None),
    lambda kept: kept.update(format=WITHOUT_SAFETY),
    lambda kept: kept.update(format=FORMAT + 1),
]


@pytest.mark.usefixtures("treated")
@pytest.mark.parametrize("forge", FORGED)
def test_whoever_forges_them_is_found_out(
    cast: Cast, forge: Callable[[dict[str, Any]], Any]
) -> None:
    row = frozen(cast)
    kept = json.loads(row.inputs)
    forge(kept)
    text = canonical.text(kept)
    assert reproduce(forged(row, inputs=text)).outcome is Outcome.ALTERED
    digest = {"inputs_sha256": canonical.sha256(text)}  # with a digest that fits, as an owner might
    again = reproduce(forged(row, inputs=text, **digest)).outcome
    assert again in (Outcome.DIFFERENT, Outcome.UNREADABLE)


@pytest.mark.usefixtures("treated")
def test_another_table_of_safety_says_where(cast: Cast) -> None:
    row = frozen(cast)
    result = json.loads(row.result)
    result["safety"]["any"]["all"]["any_grade"]["patients"] = 1
    text = canonical.text(result)
    found = reproduce(forged(row, result=text, result_sha256=canonical.sha256(text)))
    assert [(d.pointer, d.stored, d.found) for d in found.differences] == [
        ("/safety/any/all/any_grade/patients", 1, 2)
    ]


@pytest.mark.usefixtures("treated")
def test_in_a_masked_trial_they_tell_no_arm(cast: Cast) -> None:
    Trial.objects.filter(pk=cast.trial.pk).update(masking="DOUBLE")
    row = frozen(cast)
    for text in (row.inputs, row.result):
        assert not [word for word in ("anlotinib", "placebo", '"A"', '"B"') if word in text]
    kept = json.loads(row.inputs)["safety"]
    assert {one["arm"] for one in kept["subjects"]} == {None}
    assert {one["intervention"] for one in kept["doses"]} == {None}
    (pooled,) = json.loads(row.result)["exposure"]["arms"]
    assert (pooled["arm"], pooled["intervention"], pooled["n"]) == (None, "study treatment", 2)
    assert json.loads(row.result)["safety"]["arms_reason"] == "blinded"
    assert reproduce(row).outcome is Outcome.REPRODUCED
    Trial.objects.filter(pk=cast.trial.pk).update(masking="NONE")
    assert reproduce(Analysis.objects.get()).outcome is Outcome.REPRODUCED


@pytest.mark.usefixtures("treated")
def test_what_is_kept_is_read_again_as_it_was(cast: Cast) -> None:
    row = frozen(cast)
    again = Inputs.parse(row.inputs)
    assert canonical.text(again) == row.inputs
    assert result_of(again)[1] == row.result


def test_what_changed_since_tells_events_and_doses(
    cast: Cast, treated: list[Patient], api: Login, pages: Pages
) -> None:
    row = frozen(cast)
    AdverseEvent.objects.filter(term="Fatigue").update(grade=2)
    factories.adverse_event(treated[0], "Nausea", 1, day=400)  # after the cutoff
    Dose.objects.filter(patient=treated[1]).update(dose=8)
    address = f"/analyses/{row.pk}/changes/"
    told = api(cast.viewer).get(address).json()["changed"]
    event = AdverseEvent.objects.get(term="Fatigue")
    assert [(c["subject_id"], c["field"], c["record"]) for c in told] == [
        ("01-100", "adverse_event", event.pk), ("01-101", "doses", None),
    ]  # fmt: skip
    assert (told[0]["stored"]["grade"], told[0]["today"]["grade"]) == (1, 2)
    assert told[1]["today"] == "2024-01-15 – 2024-02-11: 8 mg"
    page = pages(cast.viewer).get(address).content.decode()
    assert "Fatigue, grade 1" in page
    assert "2024-01-15 – 2024-02-11: 12 mg" in page


@pytest.mark.usefixtures("treated")
def test_the_page_and_the_api_show_them(cast: Cast, api: Login, pages: Pages) -> None:
    row = frozen(cast)
    told = api(cast.viewer).get(f"/analyses/{row.pk}/").json()
    assert told["safety"]["any"]["related"]["any_grade"] == {"patients": 2, "n": 2, "estimate": 1}
    assert [arm["median_days"] for arm in told["exposure"]["arms"]] == [28, 28]
    AdverseEvent.objects.filter(term="Fatigue").update(term="Nausea")
    page = pages(cast.viewer).get(f"/analyses/{row.pk}/").content.decode()
    assert "Hypertension" in page
    assert "Nausea" not in page
