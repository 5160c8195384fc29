"""Every statistic beside its method's name: over HTTP and on the page, by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from math import erfc, sqrt
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from outcomes import report, small_groups
from outcomes.arms import NoComparison
from outcomes.characteristics import STRATA
from outcomes.methods.depth import Depth
from outcomes.report import Options
from outcomes.statistics.options import FURTHER
from outcomes.statistics.page import DEPTHS, EVENT_FREE, KINDS, NOT_TOLD
from outcomes.statistics.views import StatisticsForm
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries
from tests.outcomes.test_arms_api import OUTCOMES, Z, arm, compared, enroll, on
from tests.outcomes.test_arms_api import report as report_of
from trials.definitions import EndpointKind, ProportionInterval, SurvivalInterval
from trials.models import Arm, Trial

Pages = Callable[..., Client]
PAGE = "/trials/NCT00000001/statistics/"
CUTOFF = "cutoff=2024-12-31"


@pytest.fixture
def five(cast: Cast) -> None:
    """A dies on 43 and 127, B on 85 and 200, one in no arm on 60; A-1 shrank from 80 to 50 mm."""
    arms = {name: arm(cast, name) for name in ("A", "B")}
    first = enroll(cast, arms["A"], 127, subject_id="A-1", site="01")
    factories.baseline(first, by=cast.superuser)
    for day in (43, 85):
        factories.follow_up(first, day, (30, 20), by=cast.superuser)
    enroll(cast, arms["A"], 43, subject_id="A-2", site="02")
    enroll(cast, arms["B"], 85, subject_id="B-1", site="01")
    enroll(cast, arms["B"], 200, subject_id="B-2", site="02")
    enroll(cast, None, 60, subject_id="N-1")


@pytest.fixture
def reader(cast: Cast, five: None, api: Any) -> Any:
    """The trial's investigator."""
    return api(cast.investigator)


def text_of(client: Client, query: str = CUTOFF, status: int = 200) -> str:
    """The page, with single spaces."""
    answer = client.get(f"{PAGE}?{query}")
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


# Over HTTP


def test_the_median_in_every_style(reader: Any) -> None:
    """Of A one half lives from 43 to 127: R takes the middle of that plateau, SPSS its start."""
    (found, _b, _none) = report_of(reader, "group_by=arm")["groups"]
    medians = {one["interval"]: one["days"] for one in found["pfs"]["medians"]}
    assert medians == {"log-log": 85, "log": 85, "plain": 85, "spss": 43}
    assert list(medians) == list(SurvivalInterval)
    assert found["pfs"]["median"] in found["pfs"]["medians"]
    quantiles = report_of(reader)["pfs"]["quantiles"]  # of 43, 60, 85, 127 and 200
    assert [(one["p"], one["days"]) for one in quantiles] == [(0.25, 60), (0.5, 85), (0.75, 127)]


def test_a_rate_in_every_style(reader: Any) -> None:
    """1 of 5: Wald 0.2 +- z 0.1789, Wilson's center (1 + z^2 / 2) / (5 + z^2)."""
    found = report_of(reader)["orr"]
    limits = {one["interval"]: (one["lower"], one["upper"]) for one in found["intervals"]}
    assert list(limits) == list(ProportionInterval)
    assert limits["clopper-pearson"] == (found["lower"], found["upper"])
    assert limits["wald"] == (0, pytest.approx(0.2 + Z * sqrt(0.2 * 0.8 / 5)))
    assert sum(limits["wilson"]) / 2 == pytest.approx((1 + Z**2 / 2) / (5 + Z**2))


def test_depth_of_response(reader: Any) -> None:
    found = report_of(reader)["depth_of_response"]
    assert (found["n"], found["without"], found["reason"]) == (1, 4, None)
    for name in ("median", "q1", "q3", "deepest", "least"):
        assert found[f"{name}_percent"] == -37.5
    assert found["counts"] == {
        "none": 0, "up_to_25": 0, "up_to_50": 1, "up_to_75": 0, "up_to_100": 0,
    }  # fmt: skip
    assert "smallest change of the sum of diameters" in found["definition"]
    nobody = report_of(reader, "cutoff=2024-01-20")["depth_of_response"]
    assert (nobody["n"], nobody["median_percent"], nobody["reason"]) == (0, None, "not_estimable")


def test_landmark_differences_by_hand(reader: Any) -> None:
    """On day 84 one of two A has died and no B; on 91.3 one of each; nobody is seen on 730."""
    weeks, months, years = compared(reader, "landmarks=12w,3,24")["landmark_differences"]
    assert (weeks["arm"], weeks["reference"], weeks["weeks"], weeks["days"]) == ("B", "A", 12, 84)
    error = sqrt(1 / 2 * 1 / 2 / 2)
    assert (weeks["estimate"], weeks["upper"]) == (0.5, 1)
    assert weeks["standard_error"] == pytest.approx(error)
    assert weeks["lower"] == pytest.approx(0.5 - Z * error)
    assert (weeks["p"], weeks["p_reason"]) == (None, "not_estimable")  # survival of B is 1
    assert (months["estimate"], months["p"], months["p_reason"]) == (0, pytest.approx(1), None)
    assert months["upper"] == pytest.approx(Z * sqrt(2) * error)  # 0.98
    assert (years["estimate"], years["reason"]) == (None, "not_estimable")
    assert (years["lower"], years["limits_reason"]) == (None, "not_estimable")
    assert {one["test"] for one in (weeks, months, years)} == {"complementary-log-log"}


def test_difference_of_restricted_means_by_hand(reader: Any) -> None:
    """To day 84: A 43 + 41 / 2, B 84. Irwin: 20.5 days to come, times the root of 1 / 2."""
    assert compared(reader)["rmst_differences"] is None
    found = compared(reader, "rmst=12w")
    (one,) = found["rmst_differences"]
    assert found["overall_survival"]["rmst_differences"] == [one]
    error = 20.5 / sqrt(2)
    assert (one["arm"], one["reference"], one["days"]) == ("B", "A", 84)
    assert (one["estimate_days"], one["standard_error"]) == (20.5, pytest.approx(error))
    assert one["lower_days"] == pytest.approx(20.5 - Z * error)
    assert one["p"] == pytest.approx(erfc(1))
    (beyond,) = compared(reader, "rmst=24")["rmst_differences"]
    assert (beyond["estimate_days"], beyond["reason"]) == (None, "not_estimable")


def test_strata_leave_the_differences_alone(reader: Any) -> None:
    plain, paired = (compared(reader, "rmst=12w", f"stratify_by={by}") for by in ("", "site"))
    for key in ("landmark_differences", "rmst_differences"):
        assert plain[key] == paired[key]
    assert plain["log_rank"] != paired["log_rank"]


def test_three_arms_differ_from_the_reference_each(cast: Cast, reader: Any) -> None:
    enroll(cast, arm(cast, "C"), 100)
    found = compared(reader, "landmarks=1,3")["landmark_differences"]
    assert [(one["arm"], one["months"]) for one in found] == [
        ("B", 1),
        ("B", 3),
        ("C", 1),
        ("C", 3),
    ]


def test_a_masked_trial_tells_no_difference(cast: Cast, reader: Any) -> None:
    Trial.objects.update(masking="DOUBLE")
    found = report_of(reader, "rmst=12w")
    assert (found["comparison"], found["comparison_reason"]) == (None, "blinded")
    assert found["pfs"]["medians"]  # pooled


def test_the_table_has_them_too(reader: Any) -> None:
    answer = reader.get(f"{OUTCOMES}?{CUTOFF}&landmarks=12w&rmst=12w", accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    found = {(r["endpoint"], r["statistic"], r["at_label"]): r for r in rows}
    difference = found["PFS", "landmark_difference", "B / A, 12 weeks"]
    assert (difference["value"], difference["unit"], difference["at_days"]) == (
        "0.5",
        "fraction",
        "84",
    )
    assert found["PFS", "landmark_difference_p", "B / A, 12 weeks"]["reason"] == "not_estimable"
    assert found["OS", "restricted_mean_difference", "B / A, 12 weeks"]["value"] == "20.5"
    assert found["PFS", "median_spss", ""]["interval"] == "spss"
    assert found["PFS", "quantile_0.25", ""]["value"] == "60.0"
    assert found["ORR", "rate_wald", ""]["interval"] == "wald"
    assert found["DEPTH", "median", ""]["value"] == "-37.5"
    assert found["DEPTH", "patients", "up_to_50"]["value"] == "1"


# On the page


def test_arms_of_fewer_than_five_have_no_estimate(cast: Cast, five: None, pages: Pages) -> None:
    page = text_of(pages(cast.investigator), f"{CUTOFF}&rmst=12w")
    assert "log-rank test: not estimable (n < 5) (not stratified)" in page.replace("&lt;", "<")
    arms = page.replace("&lt;", "<").partition('id="arms"')[2]
    # Medians, ratio and curves of both kinds of times; the difference of the rates.
    assert arms.count("not estimable (n < 5)") == 2 * (2 * 2 + 1 + 1 + 1) + 1
    assert "0.433" not in page
    cast.trial.patients.exclude(subject_id="A-1").update(voided_at="2024-01-01T00:00Z")
    page = text_of(pages(cast.investigator), CUTOFF).replace("&lt;", "<")
    assert page.count("Times and rates: not estimable (n < 5).") >= 2


def test_every_number_stands_beside_its_method(
    cast: Cast, five: None, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_groups, "FEWEST", 1)
    page = text_of(pages(cast.investigator), f"{CUTOFF}&rmst=12w")
    for said in (
        "Statistics · NCT00000001 · Sarcoma Trial Registry",
        "Clopper-Pearson, exact", "Wilson", "Wald", "1/5", "20.0 %",
        "Median with its interval by every method", "log-log", "plain", "SPSS style",
        "Quartiles by Kaplan-Meier, interval log-log", "Quartiles of the observed times",
        "n = 5: 5 with an event, 0 censored.",
        "Progression-free rate (Kaplan-Meier)", "12 weeks", "3 months", "6 months", "12 months",
        "Reverse Kaplan-Meier of overall survival", "Observed times, plain quartiles",
        "Depth of response", "1 patients with a complete sum that counts, 4 without one.",
        "median -37.5 %", "above 25 to 50 %",
        "Restricted mean up to 12 weeks: 2.", "Every arm is compared with A.",
        "log-rank test: χ² = 0.62, df = 1, p = 0.433 (not stratified)", "Hazard ratios",
        "Cox model, ties by Efron, not stratified", "B − A", "+50.0 percentage points", "complementary log-log",
        "restricted mean up to 12 weeks", "+0.7 months", "95% CI (Newcombe)", "Fisher", "-50.0 percentage points",
    ):  # fmt: skip
        assert said in page, said
    assert "k/n known" not in page


def test_k_of_n_only_when_asked_and_named(cast: Cast, five: None, pages: Pages) -> None:
    page = text_of(pages(cast.investigator), f"{CUTOFF}&counts=true&landmarks=3")
    assert "k/n known to be event-free; censored earlier count as failures" in page
    assert "<td>2/5 = 40.0 %</td>" in page
    assert "12 weeks</th>" not in page


def test_endpoints_that_the_trial_does_not_declare(cast: Cast, five: None) -> None:
    """By the response rate's definition: confirmed there, so here; declared ones keep their own."""
    cast.trial.endpoints.create(kind="ORR", definition={"confirmation": {"required": False}})
    options = Options(cutoff=on(300))
    found = report.build(cast.trial, user=cast.superuser, options=options, further=FURTHER).whole
    of = {kind: found.survivals[kind].endpoint.definition for kind in KINDS}
    assert {kind for kind, d in of.items() if not d.confirmation.required} == {
        EndpointKind.DOR, EndpointKind.TTR,
    }  # fmt: skip
    assert not found.rates[EndpointKind.CBR].endpoint.definition.confirmation.required
    assert found.survivals[EndpointKind.DOR].n == 1
    cast.trial.endpoints.create(kind="DOR", definition={})
    own = report.build(cast.trial, user=cast.superuser, options=options, further=FURTHER).whole
    assert own.survivals[EndpointKind.DOR].endpoint.definition.confirmation.required
    plain = report.build(cast.trial, user=cast.superuser, options=options).whole
    assert EndpointKind.TTR not in plain.survivals


def test_the_page_as_a_table(cast: Cast, five: None, pages: Pages) -> None:
    """One click away with the page's options and defaults."""
    client = pages(cast.investigator)
    page = client.get(PAGE, {"cutoff": "2024-12-31", "stratify_by": "site"})
    answer = client.get(page.context["csv_url"])
    assert answer.status_code == 200
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    labels = {row["at_label"] for row in rows if row["statistic"] == "landmark"}
    assert labels == {"12 weeks", "3 months", "6 months", "12 months", "24 months"}
    assert {row["cutoff"] for row in rows} == {"2024-12-31"}
    assert "restricted_mean" in {row["statistic"] for row in rows}


def test_nobody_is_no_table_of_nothing(cast: Cast, pages: Pages) -> None:
    factories.patient(cast.trial)
    page = text_of(pages(cast.viewer))
    assert page.count("n = 0: there is nothing to estimate.") == 2  # no responder: DOR and TTR


def test_strata_and_ties_are_said(cast: Cast, five: None, pages: Pages) -> None:
    page = text_of(pages(cast.investigator), f"{CUTOFF}&stratify_by=site&ties=breslow")
    assert "(stratified by site)" in page
    assert "Cox model, ties by Breslow, stratified by site" in page
    assert "Differences of the curves, not stratified" in page


def test_a_masked_trial_shows_no_arm(cast: Cast, five: None, pages: Pages) -> None:
    Arm.objects.filter(name="A").update(name="anlotinib-arm")
    Trial.objects.update(masking="DOUBLE")
    for query in (CUTOFF, f"{CUTOFF}&stratify_by=site"):
        page = text_of(pages(cast.investigator), query)
        assert "The arms are hidden in this trial: every figure is of all arms together." in page
        for word in ("anlotinib-arm", "log-rank", "Hazard ratios", "Fisher"):
            assert word not in page
    assert "group_by" in text_of(pages(cast.investigator), f"{CUTOFF}&group_by=arm", 400)


def test_a_coordinator_reads_the_own_site(cast: Cast, five: None, pages: Pages) -> None:
    assert "n = 2: 2 with an event" in text_of(pages(cast.outsider))  # A-2 and B-2
    assert pages(cast.stranger).get(PAGE).status_code == 404
    assert Client().get(PAGE).status_code == 302


def test_too_little_to_compare(cast: Cast, pages: Pages) -> None:
    page = text_of(pages(cast.viewer))
    assert "There are no two arms to compare." in page
    assert "0/0" in page
    enroll(cast, arm(cast, "A"), 50, first_dose_on=None)
    enroll(cast, arm(cast, "B"), 60, first_dose_on=None)
    page = text_of(pages(cast.viewer))
    assert "log-rank test: not estimable (patients in one arm only)" in page


def test_one_arm_of_the_population_has_no_times(cast: Cast, pages: Pages) -> None:
    """Compared by OS alone: an arm outside the ORR's population has no group of its own there."""
    cast.trial.endpoints.create(kind="ORR", definition={"population": "evaluable"})
    for name, day in (("A", 50), ("B", 60)):
        enroll(cast, arm(cast, name), day)
    assert "Every arm is compared with A." in text_of(pages(cast.viewer))


@pytest.mark.parametrize("query", ["landmarks=x", "rmst=0", "ties=x", "counts=2", "x=1"])
def test_what_cannot_be_chosen_is_named(cast: Cast, pages: Pages, query: str) -> None:
    page = text_of(pages(cast.viewer), query, 400)
    assert f'href="#id_{query.partition("=")[0]}"' in page or "“x=1” in the address" in page
    assert ('value="12w,3,6,12,24"' in page) == (query != "landmarks=x")  # the page's own defaults


def test_the_form_shows_what_was_chosen(cast: Cast, pages: Pages) -> None:
    page = text_of(pages(cast.viewer), "landmarks=3,12w&rmst=6&counts=true&ties=breslow")
    for said in ('value="3,12w"', 'value="6"', 'value="true" selected', 'value="breslow" selected'):
        assert said in page, said


def test_statements_do_not_grow(
    cast: Cast, five: None, pages: Pages, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = pages(cast.investigator)
    with django_assert_num_queries(13):
        text_of(client)
    for day in (70, 90):
        enroll(cast, arm(cast, "C"), day, histology=f"{day}")
    with django_assert_num_queries(13):
        text_of(client)


def test_in_chinese(cast: Cast, five: None, pages: Pages) -> None:
    with translation.override("zh-hans"):
        answer = pages(cast.investigator).get(PAGE, headers={"Accept-Language": "zh-CN"})
    assert "缓解深度" in answer.content.decode()


def test_everything_has_words() -> None:
    assert set(DEPTHS) == set(Depth)
    assert set(NOT_TOLD) == set(NoComparison)
    assert set(EVENT_FREE) == set(KINDS)
    assert {value for value, _label in StatisticsForm.base_fields["stratify_by"].choices} == {  # type: ignore[attr-defined]
        "", *STRATA,
    }  # fmt: skip
