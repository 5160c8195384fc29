"""Arms compared over HTTP and on the dashboard: R's numbers, and small trials by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import erfc, exp, sqrt
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from outcomes.characteristics import GROUPS
from outcomes.labels import CHARACTERISTICS, NOT_COMPARED, TIES
from outcomes.methods.comparison import ComparisonReason, Ties
from outcomes.result_wording import p_value
from patients.models import Allocation, Patient
from tests import factories
from tests.conftest import Api, Cast
from tests.factories import START
from trials.models import Arm, Trial

Body = dict[str, Any]
Login = Callable[[Any], Api]
Pages = Callable[..., Client]
OUTCOMES = "/trials/NCT00000001/outcomes/"
ORACLE = Path(__file__).parents[1] / "reference" / "survival.json"
GEHAN = json.loads(ORACLE.read_text())["datasets"]["gehan_6mp"]
Z = 1.959963984540054


def on(day: int) -> date:
    """The date of a day counted from the first dose, which is day 1."""
    return START + timedelta(days=day)


def arm(cast: Cast, name: str, type_: str = "") -> Arm:
    """An arm of the trial."""
    return Arm.objects.get_or_create(trial=cast.trial, name=name, defaults={"type": type_})[0]


def enroll(cast: Cast, to: Arm | None, day: int, *, event: bool = True, **facts: Any) -> Patient:
    """A patient who died on a day, or was last seen then, alive and stable."""
    dates = {"died_on": on(day)} if event else {}
    patient = factories.patient(cast.trial, **dates | facts)
    if to:
        Allocation.objects.create(patient=patient, trial=cast.trial, arm=to)
    if not event:
        factories.baseline(patient, by=cast.superuser)
        factories.follow_up(patient, day, by=cast.superuser)
    return patient


@pytest.fixture
def freireich(cast: Cast) -> dict[str, Arm]:
    """The 42 children of Freireich 1963: weeks as days, the pair as histology."""
    arms = {name: arm(cast, name) for name in ("6-MP", "control")}
    columns = (GEHAN[key] for key in ("time", "event", "group", "strata"))
    for time, event, group, pair in zip(*columns, strict=True):
        enroll(cast, arms[group], int(time), event=event == 1, histology=f"pair {pair}")
    return arms


@pytest.fixture
def reader(cast: Cast, api: Login) -> Api:
    """The trial's investigator."""
    return api(cast.investigator)


def report(api: Api, *query: str) -> Body:
    """The report at the end of 2024."""
    response = api.get(f"{OUTCOMES}?{'&'.join(('cutoff=2024-12-31', *query))}")
    assert response.status_code == 200, response.content
    return dict(response.json())


def compared(api: Api, *query: str) -> Body:
    """The report's comparison."""
    found = report(api, *query)
    assert found["comparison_reason"] is None
    return dict(found["comparison"])


# Freireich: what R says


@pytest.mark.usefixtures("freireich")
def test_freireich_as_r_compares_it(reader: Api) -> None:
    expected = GEHAN["compare"]
    found = compared(reader)
    assert found["arms"] == [
        {"name": "6-MP", "n": 21, "reference": True},
        {"name": "control", "n": 21, "reference": False},
    ]
    assert found["log_rank"]["chi2"] == pytest.approx(expected["logrank"]["chisq"], rel=1e-9)
    assert found["log_rank"]["p"] == pytest.approx(expected["logrank"]["p"], rel=1e-9)
    assert found["log_rank"]["df"] == 1
    assert_ratio(found["hazard_ratio"], expected["cox"]["efron"])
    assert found["hazard_ratio"]["ties"] == "efron"
    assert found["hazard_ratio_reason"] is found["log_rank_reason"] is None
    assert found["stratified_by"] is None
    # every event is a death, and who was censored was last seen on that day
    assert found["overall_survival"] == {key: found[key] for key in found["overall_survival"]}


def assert_ratio(found: Body, expected: Body) -> None:
    """The ratio and its limits as R has them."""
    assert found["estimate"] == pytest.approx(expected["hr"][0], rel=1e-9)
    assert found["lower"] == pytest.approx(expected["lower"][0], rel=1e-9)
    assert found["upper"] == pytest.approx(expected["upper"][0], rel=1e-9)


@pytest.mark.usefixtures("freireich")
def test_freireich_with_breslows_ties_and_in_pairs(reader: Api) -> None:
    breslow = compared(reader, "ties=breslow")["hazard_ratio"]
    assert_ratio(breslow, GEHAN["compare"]["cox"]["breslow"])
    assert breslow["ties"] == "breslow"
    paired, expected = compared(reader, "stratify_by=histology"), GEHAN["compare_stratified"]
    assert paired["stratified_by"] == "histology"
    assert paired["log_rank"]["chi2"] == pytest.approx(expected["logrank"]["chisq"], rel=1e-9)
    assert_ratio(paired["hazard_ratio"], expected["cox"]["efron"])
    assert_ratio(paired["overall_survival"]["hazard_ratio"], expected["cox"]["efron"])


def test_the_reference_is_the_one_comparator(freireich: dict[str, Arm], reader: Api) -> None:
    expected = GEHAN["compare"]["cox"]["efron"]
    Arm.objects.filter(name="control").update(type="PLACEBO_COMPARATOR")
    found = compared(reader)
    assert [(a["name"], a["reference"]) for a in found["arms"]] == [
        ("control", True), ("6-MP", False),
    ]  # fmt: skip
    assert found["hazard_ratio"]["estimate"] == pytest.approx(1 / expected["hr"][0])
    assert found["hazard_ratio"]["upper"] == pytest.approx(1 / expected["lower"][0])
    (line,) = found["hazard_ratios"]
    assert (line["arm"], line["reference"], line["reason"]) == ("6-MP", "control", None)
    assert line["p"] == pytest.approx(expected["wald_p"][0])
    assert line["confidence_level"] == 0.95
    for kind in ("NO_INTERVENTION", "SHAM_COMPARATOR", "ACTIVE_COMPARATOR"):
        Arm.objects.filter(name="control").update(type=kind)
        assert compared(reader)["arms"][0]["name"] == "control"
    Arm.objects.filter(name="6-MP").update(type="ACTIVE_COMPARATOR")  # which of the two?
    assert compared(reader)["arms"][0]["name"] == "6-MP"


@pytest.mark.usefixtures("freireich")
def test_the_dashboard_compares_the_arms(cast: Cast, pages: Pages) -> None:
    client = pages(cast.investigator)

    def page(query: str) -> str:
        answer = client.get(f"/trials/NCT00000001/?cutoff=2024-12-31{query}")
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    line = (
        "<li>hazard ratio control / 6-MP: 4.82 (95% CI 2.15 – 10.81)</li>"
        "<li>log-rank test: p &lt; 0.001</li><li>Cox model, ties by Efron</li>"
    )
    assert page("").count(line) == 2  # under PFS and under OS
    assert "ties by Breslow</li><li>stratified by histology" in page(
        "&ties=breslow&stratify_by=histology"
    )
    assert "hazard ratio" not in page("&cutoff=1950-01-01")
    Trial.objects.update(masking="DOUBLE")
    for word in ("hazard ratio", "log-rank", "6-MP"):
        assert word not in page("")


# By hand


@pytest.fixture
def two_each(cast: Cast) -> dict[str, Arm]:
    """A dies on 43 and 127, B on 85 and 200; the first A responded."""
    arms = {name: arm(cast, name) for name in ("A", "B")}
    first = enroll(cast, arms["A"], 127, subject_id="A-1", site="01")
    factories.baseline(first, by=cast.superuser)
    for day in (43, 85):
        factories.follow_up(first, day, (30, 20), by=cast.superuser)
    enroll(cast, arms["A"], 43, subject_id="A-2", site="02")
    enroll(cast, arms["B"], 85, subject_id="B-1", site="01")
    enroll(cast, arms["B"], 200, subject_id="B-2", site="02")
    enroll(cast, None, 60, subject_id="N-1")  # in no arm: not compared
    return arms


@pytest.mark.usefixtures("two_each")
def test_two_arms_by_hand(reader: Api) -> None:
    """Expected in B: 2/4 + 2/3 + 1/2 + 1; variance 1/4 + 2/9 + 1/4; so chi2 = 8/13.

    The partial likelihood h / ((1 + h)^2 (1 + 2h)) is highest where 4 h^2 + h = 1.
    """
    found = compared(reader)
    assert [(a["name"], a["n"]) for a in found["arms"]] == [("A", 2), ("B", 2)]
    assert found["log_rank"]["chi2"] == pytest.approx(8 / 13)
    assert found["log_rank"]["p"] == pytest.approx(erfc(sqrt(8 / 13 / 2)))
    ratio = (sqrt(17) - 1) / 8
    error = 1 / sqrt(2 * ratio / (1 + ratio) ** 2 + 2 * ratio / (1 + 2 * ratio) ** 2)
    assert found["hazard_ratio"] == {
        "estimate": pytest.approx(ratio), "lower": pytest.approx(ratio * exp(-Z * error)),
        "upper": pytest.approx(ratio * exp(Z * error)), "ties": "efron",
    }  # fmt: skip
    # 0/2 (Wilson's limits: 0 and z^2 / (2 + z^2)) less 1/2 (1/2 -+ half)
    high, half = Z**2 / (2 + Z**2), Z * sqrt(1 / 2 + Z**2 / 4) / (2 + Z**2)
    difference = found["rate_difference"]
    assert (difference["estimate"], difference["interval"]) == (-0.5, "newcombe")
    assert difference["lower"] == pytest.approx(-0.5 - half)
    assert difference["upper"] == pytest.approx(-0.5 + sqrt(high**2 + half**2))
    assert found["fisher_p"] == pytest.approx(1)
    assert found["fisher_p_reason"] is found["rate_difference_reason"] is None


@pytest.mark.usefixtures("two_each")
def test_strata_by_hand(reader: Api) -> None:
    """Site 01: B first, one of each at risk. Site 02: A first, likewise. Nothing is left."""
    found = compared(reader, "stratify_by=site")
    assert found["stratified_by"] == "site"
    assert found["log_rank"]["chi2"] == pytest.approx(0)
    assert found["hazard_ratio"]["estimate"] == pytest.approx(1)
    assert found["rate_difference"]["estimate"] == -0.5
    everyone = compared(reader, "stratify_by=ecog")  # nobody has one: a stratum, unknown
    assert everyone["log_rank"] == compared(reader)["log_rank"]


def test_three_arms_have_a_list(cast: Cast, two_each: dict[str, Arm], reader: Api) -> None:
    third = arm(cast, "C")
    for day in (100, 150):
        enroll(cast, third, day)
    found = compared(reader)
    assert found["log_rank"]["df"] == 2
    for key in ("hazard_ratio", "rate_difference", "fisher_p"):
        assert found[key] is None
        assert found[f"{key}_reason"] == "more_than_two_arms"
    assert found["overall_survival"]["hazard_ratio_reason"] == "more_than_two_arms"
    ratios = [(r["arm"], r["reference"], r["reason"]) for r in found["hazard_ratios"]]
    assert ratios == [("B", "A", None), ("C", "A", None)]
    assert all(r["lower"] < r["estimate"] < r["upper"] for r in found["hazard_ratios"])
    rates = [(r["arm"], r["estimate"], r["fisher_p"]) for r in found["rate_differences"]]
    assert rates == [("B", -0.5, pytest.approx(1)), ("C", -0.5, pytest.approx(1))]


def test_the_reader_compares_whom_the_reader_sees(
    cast: Cast, two_each: dict[str, Arm], api: Login
) -> None:
    found = compared(api(cast.coordinator))  # site 01: A dies on 127, B on 85
    assert [(a["name"], a["n"]) for a in found["arms"]] == [("A", 1), ("B", 1)]
    assert found["hazard_ratio"] is None
    assert found["hazard_ratio_reason"] == "infinite_coefficient"
    assert found["log_rank"]["chi2"] == pytest.approx(1)  # (1 - 1/2)^2 / (1/4)


@pytest.mark.usefixtures("two_each")
def test_groups_are_not_compared_within(reader: Api) -> None:
    for group in report(reader, "group_by=site")["groups"]:
        assert group["comparison"] is None
        assert group["comparison_reason"] == "not_within_groups"


@pytest.mark.usefixtures("two_each")
def test_a_masked_trial_is_not_compared(cast: Cast, api: Login) -> None:
    Trial.objects.update(masking="QUADRUPLE")
    for who in (cast.investigator, cast.superuser):
        found = report(api(who))
        assert (found["comparison"], found["comparison_reason"]) == (None, "blinded")


@pytest.mark.usefixtures("two_each")
def test_another_definition_and_population(cast: Cast, reader: Api) -> None:
    """Evaluable is A-1 alone; the safety population is everybody, at 90 % here."""
    assert report(reader, "population=evaluable")["comparison_reason"] == "fewer_than_two_arms"
    assert [a["n"] for a in compared(reader, "population=safety")["arms"]] == [2, 2]
    definition = {"confidence_level": 0.9}
    for kind in ("PFS", "ORR"):
        cast.trial.endpoints.create(kind=kind, definition=definition)
    ninety, default = compared(reader), compared(reader, "stratify_by=sex")["overall_survival"]
    assert ninety["hazard_ratios"][0]["confidence_level"] == 0.9
    assert default["hazard_ratios"][0]["confidence_level"] == 0.95
    assert ninety["hazard_ratio"]["lower"] > default["hazard_ratio"]["lower"]
    assert ninety["rate_difference"]["lower"] > -0.9


@pytest.mark.django_db(transaction=True)
def test_arms_compared_as_they_were_known(
    cast: Cast, two_each: dict[str, Arm], reader: Api
) -> None:
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    Arm.objects.filter(name="B").update(type="ACTIVE_COMPARATOR", name="doxorubicin")
    assert [a["name"] for a in compared(reader)["arms"]] == ["doxorubicin", "A"]
    then = compared(reader, f"known_on={moment}")
    assert [a["name"] for a in then["arms"]] == ["A", "B"]
    now = compared(reader)  # the other way round
    assert then["log_rank"] == pytest.approx(now["log_rank"])
    assert then["hazard_ratio"]["estimate"] == pytest.approx(1 / now["hazard_ratio"]["estimate"])


# Too little to compare


def test_nobody_and_one_arm(cast: Cast, reader: Api) -> None:
    def reason() -> Any:
        found = report(reader)
        assert found["comparison"] is None
        return found["comparison_reason"]

    assert reason() == "fewer_than_two_arms"
    one, other = arm(cast, "A"), arm(cast, "B")
    enroll(cast, one, 50)
    assert reason() == "fewer_than_two_arms"
    enroll(cast, None, 70)
    assert reason() == "fewer_than_two_arms"
    enroll(cast, other, 90, enrolled_on=None, first_dose_on=None)  # in no population
    assert reason() == "fewer_than_two_arms"


def test_one_patient_in_each_arm(cast: Cast, reader: Api) -> None:
    for name, day in (("A", 50), ("B", 90)):
        enroll(cast, arm(cast, name), day)
    found = compared(reader)
    assert found["log_rank"]["chi2"] == pytest.approx(1)
    assert found["hazard_ratio_reason"] == "infinite_coefficient"
    assert found["hazard_ratios"][0]["estimate"] is None
    assert found["fisher_p"] == 1


def test_all_censored(cast: Cast, reader: Api) -> None:
    for name, day in (("A", 50), ("A", 60), ("B", 90)):
        enroll(cast, arm(cast, name), day, event=False)
    found = compared(reader)
    for part in (found, found["overall_survival"]):
        assert part["log_rank"] is part["hazard_ratio"] is None
        assert part["log_rank_reason"] == part["hazard_ratio_reason"] == "no_events"
    assert found["rate_difference"]["estimate"] == 0


def test_no_events_in_one_arm(cast: Cast, reader: Api, pages: Pages) -> None:
    """Deaths of A on 50 and 60 while two of B are at risk: expected in B 1/2 + 2/3."""
    for name, day, event in (("A", 50, True), ("A", 60, True), ("B", 70, False), ("B", 90, False)):
        enroll(cast, arm(cast, name), day, event=event)
    found = compared(reader)
    assert found["log_rank"]["chi2"] == pytest.approx((7 / 6) ** 2 / (1 / 4 + 2 / 9))
    assert (found["hazard_ratio"], found["hazard_ratio_reason"]) == (None, "no_events_in_arm")
    page = pages(cast.investigator).get("/trials/NCT00000001/").content.decode()
    assert "hazard ratio B / A: not estimable (no events in the arm)" in page
    Arm.objects.filter(name="B").update(type="ACTIVE_COMPARATOR")
    assert compared(reader)["hazard_ratio_reason"] == "no_events_in_reference"


def test_nobody_with_a_time_origin(cast: Cast, reader: Api, pages: Pages) -> None:
    for name in ("A", "B"):
        enroll(cast, arm(cast, name), 50, first_dose_on=None)
    found = compared(reader)
    assert found["log_rank_reason"] == "fewer_than_two_arms"
    assert found["hazard_ratio_reason"] == "no_patients_in_arm"
    assert found["rate_difference"]["estimate"] == 0  # in the ORR's denominator all the same
    page = pages(cast.investigator).get("/trials/NCT00000001/").content.decode()
    assert "log-rank test: not estimable (patients in one arm only)" in page


@pytest.mark.usefixtures("two_each")
def test_csv_and_statements(reader: Api, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(9):  # as for a trial without arms
        report(reader)
    answer = reader.get(f"{OUTCOMES}?cutoff=2024-12-31", accept="text/csv")
    rows = csv.DictReader(io.StringIO(answer.content.decode()))
    compared = {row["statistic"] for row in rows if row["endpoint"] in ("PFS", "ORR")}
    assert {"log_rank_p", "hazard_ratio_efron", "rate_difference", "fisher_p"} <= compared


# Words


def test_every_choice_and_reason_has_words() -> None:
    assert set(NOT_COMPARED) == set(ComparisonReason)
    assert set(TIES) == set(Ties)
    assert set(CHARACTERISTICS) == set(GROUPS)


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.0009, "p < 0.001"), (0.001, "p = 0.001"), (0.01448, "p = 0.014"), (1, "p = 1.000"), (None, "–")],
)  # fmt: skip
def test_a_p_value_is_rounded_for_reading(p: float | None, shown: str) -> None:
    assert p_value(p) == shown
