"""The pages of the participant flow and of the accrual, and where their figures are drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations, pairwise
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from outcomes import flow
from outcomes.charts import accrual as accrual_chart
from outcomes.charts import participant_flow
from outcomes.charts.participant_flow import DrawnBox, FlowChart, text_width
from outcomes.labels import ABSENCES
from outcomes.methods.accrual import NoProjection
from outcomes.methods.participant_flow import FollowUp
from outcomes.report import Absence
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries
from tests.factories import START
from tests.outcomes import alter_s006
from tests.outcomes.flow import consort_trials
from trials.models import Trial

Pages = Callable[..., Client]
CONSORT, ACCRUAL = "/trials/NCT00000001/consort/", "/trials/NCT00000001/accrual/"
BOTH = pytest.mark.parametrize("path", [CONSORT, ACCRUAL])


def text_of(client: Client, path: str, status: int = 200) -> str:
    """The page, with single spaces."""
    answer = client.get(path)
    assert answer.status_code == status
    return " ".join(answer.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


# Words


def test_the_flow_says_what_the_data_say(cast: Cast, pages: Pages) -> None:
    consort_trials.with_arms(cast.trial, 2)
    page = text_of(pages(cast.investigator), f"{CONSORT}?cutoff=2024-12-31")
    for said in (
        "Assessed for eligibility (n = 27)", "Excluded (n = 5)", "QTc &lt;= 450 ms in men",
        "Not meeting eligibility criteria (n = 3)", "Randomized (n = 18)", "Not randomized (n = 1)",
        "Placebo", "Lost to follow-up (n = 1)", "Withdrew, follow-up continues (n = 1)",
        "With a protocol deviation (n = 1)", "All sites", "data cutoff 2024-12-31",
        "PFS, OS: Enrolled patients, from the first dose (n = 8)",
    ):  # fmt: skip
        assert said in page, said


def test_a_masked_trial_shows_one_column_and_no_arm(cast: Cast, pages: Pages) -> None:
    consort_trials.with_arms(cast.trial, 2)
    Trial.objects.update(masking="DOUBLE")
    page = text_of(pages(cast.investigator), CONSORT)
    assert "All arms (blinded)" in page
    assert "The arms are hidden in this trial" in page
    assert "Placebo" not in page


@BOTH
def test_a_reader_of_one_site_is_told_so(cast: Cast, pages: Pages, path: str) -> None:
    cast.trial.sites.filter(code="02").update(name="Shanghai General")
    assert "Only your sites: 02 Shanghai General" in text_of(pages(cast.outsider), path)


def test_screening_elsewhere_is_no_zero(cast: Cast, pages: Pages) -> None:
    page = text_of(pages(cast.viewer), CONSORT)
    assert "Screening is not recorded in this registry" in page
    assert "Assessed for eligibility" not in page
    assert "Screened</th>" not in text_of(pages(cast.viewer), ACCRUAL)


def test_alter_s006_on_the_page(cast: Cast, pages: Pages) -> None:
    trial = alter_s006.with_patients()
    path = f"/trials/{trial.registry_id}/accrual/?cutoff=2022-08-08"
    page = text_of(pages(cast.superuser), path)
    assert "Enrolled: 49 of 48 planned, 1 more than planned." in page
    assert "No end is projected: the target has been reached." in page
    assert "2019-04: " in page


def test_a_projected_end_says_on_what_it_rests(cast: Cast, pages: Pages) -> None:
    Trial.objects.update(enrollment_target=6)
    for on in ("2023-06-01", "2024-02-01", "2024-07-01"):
        factories.patient(cast.trial, enrolled_on=on, first_dose_on=None)
    page = text_of(pages(cast.viewer), f"{ACCRUAL}?cutoff=2024-07-01")
    assert (
        "At the rate of the last 6 months (2 patients in 182 days) the target is met on"
        " 2025-03-31; whole days, rounded up."
    ) in page


def test_every_code_has_words() -> None:
    assert set(ABSENCES) == set(Absence)
    assert set(accrual_chart.NOT_PROJECTED) == set(NoProjection)
    assert set(participant_flow.STATES) == set(FollowUp)


# Manners


@BOTH
def test_a_wrong_cutoff_is_named(cast: Cast, pages: Pages, path: str) -> None:
    page = text_of(pages(cast.viewer), f"{path}?cutoff=yesterday", 400)
    assert "Data cutoff: “yesterday” cannot be used. Give the date as YYYY-MM-DD." in page


@BOTH
def test_who_may_not_see_the_trial_finds_nothing(
    cast: Cast, pages: Pages, client: Client, path: str
) -> None:
    text_of(pages(cast.stranger), path, 404)
    assert client.get(path)["Location"].startswith("/login/")


def test_the_list_of_patients_leads_to_both(cast: Cast, pages: Pages) -> None:
    page = text_of(pages(cast.coordinator), "/trials/NCT00000001/patients/")
    assert f'href="{CONSORT}"' in page
    assert f'href="{ACCRUAL}"' in page


@BOTH
def test_typed_text_is_never_markup(cast: Cast, pages: Pages, path: str) -> None:
    payload = "<script>alert(1)</script>\"'"
    consort_trials.with_arms(cast.trial, 2, each=1)
    cast.trial.criteria.update(text=payload)
    cast.trial.arms.filter(name="Placebo").update(name=payload)
    cast.trial.sites.update(name=payload)
    assert "<script>alert" not in text_of(pages(cast.viewer), path)


@pytest.mark.parametrize(("path", "statements"), [(CONSORT, 21), (ACCRUAL, 14)])
def test_statements_do_not_grow(
    cast: Cast, pages: Pages, path: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client: Any = pages(cast.coordinator)
    with django_assert_num_queries(statements):
        text_of(client, path)
    consort_trials.with_arms(cast.trial, 4)
    with django_assert_num_queries(statements):
        text_of(client, path)


# Where it is drawn


def drawn(cast: Cast, arms: int) -> FlowChart:
    """A flow with so many arms."""
    trial = consort_trials.with_arms(cast.trial, arms)
    cutoff = START.replace(year=2025)
    report = flow.build(trial, user=cast.superuser, cutoff=cutoff)
    return participant_flow.draw(participant_flow.outline(report, every_criterion=False))


def sides(box: DrawnBox) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    x, y, width, height = (float(v) for v in (box.x, box.y, box.width, box.height))
    return x, y, x + width, y + height


def apart(a: DrawnBox, b: DrawnBox) -> bool:
    left, top, right, bottom = sides(a)
    other_left, other_top, other_right, other_bottom = sides(b)
    return right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top


@pytest.mark.parametrize("arms", [1, 2, 3, 4])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_box_touches_another_and_no_text_leaves_its_box(
    cast: Cast, arms: int, language: str
) -> None:
    with translation.override(language):
        chart = drawn(cast, arms)
    assert len(chart.boxes) == 3 + (arms > 1) + 4 * arms
    for a, b in combinations(chart.boxes, 2):
        assert apart(a, b), (a.text, b.text)
    for box in chart.boxes:
        left, top, right, bottom = sides(box)
        assert 0 <= left < right <= chart.width
        assert 0 <= top < bottom <= chart.height
        for line in box.lines:
            assert left < float(line.x)
            assert float(line.x) + text_width(line.text, bold=line.strong) <= right
            assert top < float(line.y) < bottom
        for line, below in pairwise(box.lines):
            assert float(below.y) - float(line.y) == participant_flow.LEADING


@pytest.mark.parametrize("arms", [1, 2, 4])
def test_arrows_end_at_boxes(cast: Cast, arms: int) -> None:
    chart = drawn(cast, arms)
    for (x, y), direction in chart.heads:
        boxes = [sides(box) for box in chart.boxes]
        edges = [
            float(y) == pytest.approx(top) and left <= float(x) <= right
            if direction == "down"
            else float(x) == pytest.approx(left) and top <= float(y) <= bottom
            for left, top, right, bottom in boxes
        ]
        assert any(edges)


def test_a_number_stays_with_its_n(cast: Cast) -> None:
    lines = [line.text for box in drawn(cast, 4).boxes for line in box.lines]
    assert all(
        re.search(r"\(n = \d+\)", line.replace("\xa0", " ")) for line in lines if "(n" in line
    )


@pytest.mark.parametrize(("highest", "ticks"), [(0, [0, 1]), (5, [0, 1, 2, 3, 4, 5]), (6, [0, 2, 4, 6]), (49, [0, 10, 20, 30, 40, 50]), (51, [0, 20, 40, 60])])  # fmt: skip
def test_ticks_are_round_and_reach_the_highest(highest: int, ticks: list[int]) -> None:
    assert accrual_chart.round_ticks(highest) == ticks


def test_the_curve_steps_at_the_end_of_each_month(cast: Cast, pages: Pages) -> None:
    """Four months are 139.5 wide each from 52; 5 patients are 56 high each down from 40."""
    Trial.objects.update(enrollment_target=5)
    for on in ("2024-01-10", "2024-01-20", "2024-03-05"):
        factories.patient(cast.trial, enrolled_on=on)
    page = text_of(pages(cast.viewer), f"{ACCRUAL}?cutoff=2024-04-30")
    assert (
        'points="52.00,320.00 191.50,320.00 191.50,208.00 470.50,208.00 470.50,152.00'
        ' 610.00,152.00 "'
    ) in page
    assert "planned: 5" in page
    assert "2024-03: 1 enrolled, 3 in all" in page
