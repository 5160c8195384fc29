"""Accrual over HTTP: hand-worked trials, ALTER-S006, readers, refusals, statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from patients.models import Disposition, Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.outcomes import alter_s006
from tests.outcomes.flow import consort_trials
from trials.models import Site, Trial
from trials.vocabularies import Role

Body = dict[str, Any]
Login = Callable[[Any], Api]
PATH = "/trials/NCT00000001/accrual/"


def accrual(api: Api, query: str = "?cutoff=2024-12-31", path: str = PATH) -> Body:
    """The accrual."""
    answer = api.get(f"{path}{query}")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def test_alter_s006_enrolled_one_more_than_planned(cast: Cast, api: Login) -> None:
    """49 against 48; in the file the 48th on 2022-01-04, and from 2018 nobody was screened here."""
    trial = alter_s006.with_patients()
    path = f"/trials/{trial.registry_id}/accrual/"
    found = accrual(api(cast.superuser), "?cutoff=2022-08-08", path)
    assert (found["target"], found["remaining"], found["remaining_reason"]) == (48, -1, None)
    assert found["target_reached_on"] == "2022-01-04"
    assert (found["total"]["enrolled"], found["total"]["last_90_days"]) == (49, 0)
    assert [(s["site"], s["enrolled"]) for s in found["sites"]] == [
        ("01", 16), ("02", 11), ("03", 8), ("04", 6), ("05", 5), ("06", 3),
    ]  # fmt: skip
    assert found["sites"][0]["share"] == pytest.approx(16 / 49)
    assert (found["months"][0]["month"], found["months"][-1]["month"]) == ("2019-04", "2022-08")
    assert found["months"][-1]["cumulative"] == 49
    assert found["screen_failure_rate"] is None
    assert found["screening_reason"] == "screening_not_recorded_here"
    assert (found["total"]["screened"], found["total"]["screen_failures"]) == (None, None)
    assert found["projection"]["date_reason"] == "reached"


def test_a_projection_by_hand(cast: Cast, api: Login) -> None:
    """2 of the 182 days before 1 July; 3 to go, so 273 days."""
    Trial.objects.update(enrollment_target=6)
    for on in ("2023-06-01", "2024-02-01", "2024-07-01"):
        factories.patient(cast.trial, enrolled_on=on, first_dose_on=None)
    found = accrual(api(cast.viewer), "?cutoff=2024-07-01")
    assert found["projection"] == {
        "date": "2025-03-31", "date_reason": None, "since": "2024-01-01", "days": 182, "enrolled": 2,
    }  # fmt: skip
    assert found["remaining"] == 3
    assert found["sites"][1] == {
        "site": "02", "name": "", "share": 0.0, "screened": None, "screen_failures": None,
        "enrolled": 0, "last_90_days": 0, "first_enrolled_on": None, "last_enrolled_on": None,
    }  # fmt: skip


def test_a_site_has_its_own_accrual(cast: Cast, api: Login) -> None:
    Trial.objects.update(enrollment_target=2)
    for site in ("01", "01", "02"):
        factories.patient(cast.trial, site=site)
    found = accrual(api(cast.outsider))
    assert found["scope"] == {"whole_trial": False, "sites": ["02"]}
    assert [site["site"] for site in found["sites"]] == ["02"]
    assert (found["total"]["enrolled"], found["target"]) == (1, 2)
    assert (found["remaining"], found["remaining_reason"]) == (None, "not_the_whole_trial")
    assert found["projection"]["date_reason"] == "not_the_whole_trial"
    assert accrual(api(cast.viewer))["remaining"] == -1


def test_the_enrolling_site_keeps_the_accrual(cast: Cast, api: Login) -> None:
    """From 01 to 02 and on to 03 the next month; another transfer was a mistake, and is void."""
    third = Site.objects.create(trial=cast.trial, code="03")
    first, second = (cast.trial.sites.get(code=code) for code in ("01", "02"))
    moved, stayed = (factories.patient(cast.trial) for _ in range(2))
    factories.criteria(cast.trial)
    factories.screening(moved, by=cast.investigator)
    for on, move in (("2024-03-01", (second, third)), ("2024-02-01", (first, second))):
        Disposition.objects.create(
            patient=moved, kind="transferred", on=on, from_site=move[0], to_site=move[1]
        )
    Disposition.objects.create(
        patient=stayed, kind="transferred", on="2024-02-01", from_site=second, to_site=first,
        voided_at="2024-02-02T00:00Z",
    )  # fmt: skip
    Patient.objects.filter(pk=moved.pk).update(site=third)
    sites = accrual(api(cast.viewer))["sites"]
    told = [(site["site"], site["enrolled"], site["screened"]) for site in sites]
    assert told == [("01", 2, 1), ("02", 0, 0), ("03", 0, 0)]
    reader = factories.user("third")
    factories.membership(reader, cast.trial, Role.VIEWER, "03")
    assert accrual(api(reader))["total"]["enrolled"] == 0  # another site enrolled the one they have
    assert accrual(api(cast.coordinator))["total"]["enrolled"] == 1  # the other is not theirs now


def test_screen_failures_by_hand(cast: Cast, api: Login) -> None:
    """Of 9 screened 5 failed, 2 were found eligible, 1 is enrolled, 1 is open: 5 of 8.

    R: binom.test(5, 8) gives 0.2448632 to 0.9147666.
    """
    consort_trials.with_arms(cast.trial, 2, each=1)
    found = accrual(api(cast.viewer))
    assert (found["total"]["screened"], found["total"]["screen_failures"]) == (9, 5)
    rate = found["screen_failure_rate"]
    assert (rate["k"], rate["n"], rate["interval"]) == (5, 8, "clopper-pearson")
    assert rate["lower"] == pytest.approx(0.2448632, abs=1e-7)
    assert rate["upper"] == pytest.approx(0.9147666, abs=1e-7)
    assert found["remaining_reason"] == "no_target"


@pytest.mark.parametrize("gate", ["screening", "recorded_elsewhere"])
def test_a_trial_without_anybody(cast: Cast, api: Login, gate: str) -> None:
    Trial.objects.update(enrollment_gate=gate, enrollment_target=10)
    found = accrual(api(cast.viewer))
    assert (found["months"], found["total"]["enrolled"], found["remaining"]) == ([], 0, 10)
    assert [site["share"] for site in found["sites"]] == [None, None]
    rate = found["screen_failure_rate"]
    assert rate is None if gate == "recorded_elsewhere" else rate["estimate"] is None
    assert found["projection"]["date_reason"] == "none_in_six_months"


def test_a_trial_without_sites(cast: Cast, api: Login) -> None:
    trial = Trial.objects.create(registry_id="NCT00000777", brief_title="Nowhere yet")
    found = accrual(api(cast.superuser), "", f"/trials/{trial.registry_id}/accrual/")
    assert (found["sites"], found["scope"]["whole_trial"]) == ([], True)


def test_months_end_today_whatever_the_cutoff(cast: Cast, api: Login) -> None:
    factories.patient(cast.trial)
    today: date = cast.trial.sites.get(code="01").today()
    found = accrual(api(cast.viewer), "?cutoff=9999-12-31")
    assert found["months"][-1]["month"] == today.isoformat()[:7]
    assert found["projection"]["date"] is None
    assert accrual(api(cast.viewer), "?cutoff=0001-01-01")["months"] == []


@pytest.mark.parametrize("query", ["cutoff=yesterday", "cutoff=2024-02-30", "site=01"])
def test_a_useless_parameter_is_named(cast: Cast, api: Login, query: str) -> None:
    answer = api(cast.viewer).get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == query.split("=")[0]


def test_a_foreign_trial_is_a_missing_one(cast: Cast, api: Login) -> None:
    foreign = api(cast.stranger).get(PATH)
    missing = api(cast.stranger).get("/trials/NCT99999999/accrual/")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json() == missing.json()


def test_statements_do_not_grow(
    cast: Cast, api: Login, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    reader = api(cast.investigator)
    with django_assert_num_queries(10):
        accrual(reader)
    consort_trials.with_arms(cast.trial, 3, each=3)
    Site.objects.create(trial=cast.trial, code="03", timezone="Asia/Shanghai")
    with django_assert_num_queries(10):
        accrual(reader)
