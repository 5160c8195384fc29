"""The pages of figures: what they draw is what the report says, and each mark leads to its record."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import CharField, Value
from django.db.models.functions import Cast as CastTo
from django.db.models.functions import Concat
from django.test import Client
from django.utils import translation

from outcomes import figures, flow
from outcomes.report import Options, build
from patients.models import Allocation, Disposition, Dose, Patient, Therapy
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries
from tests.factories import START
from tests.latin import left_over
from tests.outcomes.flow import consort_trials
from trials.models import Arm, Endpoint, Trial

Pages = Callable[..., Client]
FIGURES = "/trials/NCT00000001/figures/"
CUTOFF = "cutoff=2024-12-31"
EACH = pytest.mark.parametrize("name", figures.NAMES)

# Freireich 1963, Blood 21:699: weeks of remission, + censored (R: survival's gehan, MASS).
MERCAPTOPURINE = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def freireich(trial: Trial) -> None:
    """The two groups as arms; a relapse is entered as a death, a week as a day."""
    Trial.objects.filter(pk=trial.pk).update(allocation="RANDOMIZED")
    for name, kind, weeks in (
        ("Placebo", "PLACEBO_COMPARATOR", PLACEBO),
        ("6-MP", "EXPERIMENTAL", MERCAPTOPURINE),
    ):
        arm = Arm.objects.create(trial=trial, name=name, type=kind)
        for number, text in enumerate(weeks.split()):
            on = START + timedelta(days=int(text.removesuffix("+")) - 1)
            ended: dict[str, Any] = {"last_known_alive_on": on} if "+" in text else {"died_on": on}
            row = factories.patient(
                trial, f"{name}-{number:02}", enrolled_on=START, first_dose_on=START, **ended
            )
            Allocation.objects.create(patient=row, trial=trial, arm=arm)


def followed(cast: Cast, subject_id: str = "01-001", *sums: int) -> Patient:
    """A patient whose two targets of 80 mm together are then these sums."""
    row = factories.patient(cast.trial, subject_id, first_dose_on=START)
    factories.baseline(row, by=cast.coordinator)
    for place, total in enumerate(sums, 1):
        factories.follow_up(row, 42 * place, (total - 10, 10), by=cast.coordinator)
    return row


def text_of(client: Client, path: str, status: int = 200) -> str:
    """The page, with single spaces."""
    answer = client.get(path)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def rows_of(client: Client, path: str) -> list[dict[str, str]]:
    """A CSV's rows."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


# What they draw


def test_arms_are_compared_as_published(cast: Cast, pages: Pages) -> None:
    """R, coxph(Surv(time, cens) ~ treat, gehan), Efron: -1.5721, SE 0.4124; log-rank chi2 16.8."""
    freireich(cast.trial)
    page = text_of(pages(cast.investigator), f"{FIGURES}os/?{CUTOFF}")
    assert "hazard ratio 6-MP / Placebo: 0.21 (95% CI 0.09 – 0.47)" in page
    assert "log-rank test: p &lt; 0.001" in page
    assert "n = 21, 21 events · median 0.3 months" in page  # 8 weeks, entered as days
    assert "n = 21, 9 events · median 0.8 months" in page  # 23 weeks
    assert page.count('class="curve"') == 2
    pooled = text_of(pages(cast.investigator), f"{FIGURES}os/?{CUTOFF}&group_by=")
    assert "hazard ratio" not in pooled
    assert pooled.count('class="curve"') == 1


def test_a_picture_among_the_figures_leads_to_its_figure(cast: Cast, pages: Pages) -> None:
    """Once to the keyboard and to a screen reader, by its title; no mark in it is a link."""
    followed(cast, "01-001", 40, 100)
    for number in range(2, 7):
        followed(cast, f"01-00{number}", 70)
    page = text_of(pages(cast.investigator), f"{FIGURES}?{CUTOFF}")
    pictures = re.findall(r'<a class="chart-thumbnail" href="([^"]+)"([^>]*)>(.*?)</a>', page)
    assert [address.split("/")[4] for address, _hidden, _svg in pictures] == [
        name for name in figures.NAMES if name != "dor"
    ]
    for address, hidden, drawn in pictures:
        assert page.count(f'href="{address}"') == 2
        assert hidden.split() == ['tabindex="-1"', 'aria-hidden="true"']
        assert drawn.rstrip().endswith("</svg>")
        assert not re.search("<a |tabindex|<title>", drawn)


def test_a_masked_trial_shows_no_arm_in_any_way(cast: Cast, pages: Pages) -> None:
    freireich(cast.trial)
    Trial.objects.update(masking="DOUBLE")
    Patient.objects.update(subject_id=Concat(Value("P-"), CastTo("pk", CharField())))
    client = pages(cast.administrator)
    for name in ("", *(f"{name}/" for name in figures.NAMES)):
        page = text_of(client, f"{FIGURES}{name}?{CUTOFF}")
        assert not re.search("Placebo|6-MP|hazard ratio|value=.arm", page), name
    for name in ("os", "swimmer"):
        told = client.get(f"{FIGURES}{name}/data.csv?{CUTOFF}").content.decode()
        assert not re.search("Placebo|6-MP", told)
        for form in ("", "data.csv"):
            answer = client.get(f"{FIGURES}{name}/{form}?group_by=arm")
            assert answer.status_code == 400
            said = "One of: histology" if form else "Choose one of: Histology"
            assert said.casefold() in answer.content.decode().casefold()


def test_other_groups_are_compared_as_an_exploration(cast: Cast, pages: Pages) -> None:
    freireich(cast.trial)
    Patient.objects.filter(subject_id__startswith="6-MP").update(sex="male")
    page = text_of(pages(cast.investigator), f"{FIGURES}os/?{CUTOFF}&group_by=sex")
    assert "unknown" in page  # whose sex is not known has a curve and is not compared
    assert "log-rank" not in page
    Patient.objects.filter(subject_id__startswith="Placebo").update(sex="female")
    page = text_of(pages(cast.investigator), f"{FIGURES}os/?{CUTOFF}&group_by=sex")
    assert "log-rank test: p &lt; 0.001 (groups of 5 or more; exploratory, not adjusted)" in page
    assert "hazard ratio male / female: 0.21 (95% CI 0.09 – 0.47)" in page


def test_a_duration_of_response_is_drawn_where_it_is_declared(cast: Cast, pages: Pages) -> None:
    client = pages(cast.investigator)
    for number in range(5):
        followed(cast, f"01-00{number}", 40, 40, 100)
    assert "declares no endpoint of this kind: Duration of response" in text_of(
        client, f"{FIGURES}dor/?{CUTOFF}"
    )
    Endpoint.objects.create(trial=cast.trial, kind="DOR", name="DOR")
    page = text_of(client, f"{FIGURES}dor/?{CUTOFF}")
    assert page.count('class="curve"') == 1
    assert {row["days"] for row in rows_of(client, f"{FIGURES}dor/data.csv?{CUTOFF}")} == {"85"}


def test_the_lowest_point_of_a_line_is_the_bar_of_the_waterfall(cast: Cast) -> None:
    """Also where the later growth, and what came after a new therapy, are not counted alike."""
    followed(cast, "01-001", 60, 40, 100, 30)
    late = followed(cast, "01-002", 70, 60, 20)
    Therapy.objects.create(
        patient=late, kind="systemic", started_on=START + timedelta(days=100), description="x"
    )
    report = build(cast.trial, user=cast.investigator, options=Options(cutoff=START.replace(2025)))
    lowest = {
        p.facts.subject_id: min(visit.change for visit in figures.path(p).visits)
        for p in report.patients
    }
    assert lowest == {"01-001": -50, "01-002": -25}
    assert lowest == {p.facts.subject_id: p.best_change_percent for p in report.patients}


def test_a_course_by_hand(cast: Cast, pages: Pages) -> None:
    row = followed(cast, "01-001", 40, 40, 100)
    Patient.objects.filter(pk=row.pk).update(died_on=START + timedelta(days=200))
    Disposition.objects.create(
        patient=row, kind="treatment_discontinued", reason="progressive_disease",
        on=START + timedelta(days=130),
    )  # fmt: skip
    Therapy.objects.create(patient=row, kind="systemic", started_on=START + timedelta(days=140))
    (course,) = rows_of(pages(cast.coordinator), f"{FIGURES}swimmer/data.csv?{CUTOFF}")
    assert course == {
        "trial": "NCT00000001", "cutoff": "2024-12-31", "known_on": "", "subject_id": "01-001",
        "group": "", "best_response": "PR", "treatment_start_day": "0", "treatment_end_day": "130",
        "treatment_ongoing": "0", "follow_up_end_day": "200", "response": "PR",
        "response_day": "42", "progression_day": "126", "new_therapy_day": "140",
        "death_day": "200",
    }  # fmt: skip


def test_who_is_on_treatment_is_so_in_the_flow_and_in_the_swimmer(cast: Cast) -> None:
    trial = consort_trials.with_arms(cast.trial, 2)
    cutoff = START.replace(2025)
    last = trial.patients.filter(first_dose_on__isnull=False).order_by("pk")
    given = {"intervention": "Anlotinib", "dose": 12, "unit": "mg"}
    for row, ended in zip(last[6:8], (None, START), strict=True):
        Patient.objects.filter(pk=row.pk).update(last_dose_on=row.first_dose_on)
        Dose.objects.create(patient=row, started_on=START, ended_on=ended, **given)
    counted = flow.build(trial, user=cast.investigator, cutoff=cutoff).found.enrolled
    report = build(trial, user=cast.investigator, options=Options(cutoff=cutoff))
    lanes = figures.lanes_of(report)
    assert sum(lane.ongoing for lane in lanes) == counted.on_treatment > 0
    assert len([lane for lane in lanes if lane.treated]) == counted.treated


# Where marks lead


def test_each_mark_leads_to_its_record(cast: Cast, pages: Pages) -> None:
    rows = [followed(cast, f"01-00{number}", 40, 100 + number) for number in range(5)]
    visits = [row.visits.order_by("date").last() for row in rows]
    client = pages(cast.coordinator)
    spider = text_of(client, f"{FIGURES}spider/?{CUTOFF}")
    for row, visit in zip(rows, visits, strict=True):
        assert visit is not None
        assert f'href="/patients/{row.pk}/?{CUTOFF}#visit-{visit.pk}"' in spider
    pfs = text_of(client, f"{FIGURES}pfs/?{CUTOFF}")
    assert f'href="/trials/NCT00000001/figures/pfs/?{CUTOFF}&amp;page=1#time-1-85"' in pfs
    assert pfs.count('id="time-1-85"') == 1
    page = client.get(f"/patients/{rows[0].pk}/").content.decode()
    assert f'id="visit-{visits[0].pk}"' in page  # type: ignore[union-attr]


def test_a_page_keeps_what_was_asked(cast: Cast, pages: Pages) -> None:
    for number in range(5):
        followed(cast, f"01-00{number}", 40)
    asked = f"{CUTOFF}&landmarks=3&group_by="
    page = text_of(pages(cast.viewer), f"{FIGURES}pfs/?{asked}&page=1")
    assert f'href="{FIGURES}os/?cutoff=2024-12-31&amp;landmarks=3&amp;group_by="' in page
    assert f'href="{FIGURES}pfs/data.csv?cutoff=2024-12-31&amp;landmarks=3&amp;group_by="' in page
    assert '<input type="hidden" name="landmarks" value="3"' in page
    assert (
        "<title> Progression-free survival · NCT00000001 · Sarcoma Trial Registry</title>" in page
    )
    assert "Enrolled patients, n = 5" in page


def test_long_swimmers_have_pages(cast: Cast, pages: Pages) -> None:
    for number in range(51):
        factories.patient(cast.trial, f"P-{number:02}")
    client = pages(cast.viewer)
    first = text_of(client, f"{FIGURES}swimmer/")
    assert "n = 51" in first
    assert first.count('class="lane"') == 50
    assert text_of(client, f"{FIGURES}swimmer/?page=2").count('class="lane"') == 1
    assert len(rows_of(client, f"{FIGURES}swimmer/data.csv")) == 51


# CONSORT


@pytest.mark.parametrize("masked", [False, True])
def test_boxes_list_as_many_as_they_count(cast: Cast, pages: Pages, masked: bool) -> None:
    trial = consort_trials.with_arms(cast.trial, 2)
    if masked:
        Trial.objects.update(masking="DOUBLE")
    client = pages(cast.investigator)
    page = client.get(f"/trials/{trial.registry_id}/consort/?{CUTOFF}").content.decode()
    links = set(re.findall(r'<a class="box" href="([^"]+)"', page))
    found = {}
    for link in links:
        text = text_of(client, link.replace("&amp;", "&"))
        found[link.split("box=")[1]] = int(re.findall(r"n = (\d+)</small>", text)[0])
        assert not (masked and "Placebo" in text)
    arms = [0] if masked else list(trial.arms.values_list("pk", flat=True))
    each = 18 if masked else 9
    assert found == {
        "assessed": 27, "excluded": 5, "enrolled": 19, "unallocated": 1,
        **{f"arm-{arm}": each for arm in arms},
        **{f"treated-{arm}": each - each // 9 for arm in arms},
    }  # fmt: skip


@pytest.mark.parametrize("box", ["", "arm-999999", "nobody"])
def test_an_unknown_box_is_named(cast: Cast, pages: Pages, box: str) -> None:
    path = f"/trials/NCT00000001/consort/patients/?box={box}"
    assert (
        f"“box={box}” in the address cannot be used. One of: assessed, excluded, enrolled"
        in text_of(pages(cast.viewer), path, 400)
    )


@pytest.mark.parametrize("name", ["accrual", "consort"])
def test_accrual_and_flow_have_data_and_their_own_page(cast: Cast, pages: Pages, name: str) -> None:
    consort_trials.with_arms(cast.trial, 1)
    client = pages(cast.investigator)
    moved = client.get(f"{FIGURES}{name}/?{CUTOFF}&population=safety")
    assert moved["Location"] == f"/trials/NCT00000001/{name}/?{CUTOFF}"
    assert f'href="{FIGURES}{name}/data.csv?{CUTOFF}"' in text_of(client, moved["Location"])
    rows = rows_of(client, f"{FIGURES}{name}/data.csv?{CUTOFF}")
    assert rows
    assert {row["cutoff"] for row in rows} == {"2024-12-31"}


# Manners


@EACH
def test_a_wrong_option_is_named(cast: Cast, pages: Pages, name: str) -> None:
    client = pages(cast.viewer)
    for form, said in (
        ("", "Data cutoff: “soon” cannot be used."),
        ("data.csv", "cutoff: Give the date"),
    ):
        assert said in text_of(client, f"{FIGURES}{name}/{form}?cutoff=soon", 400)


def test_who_may_not_see_the_trial_finds_nothing(cast: Cast, pages: Pages, client: Client) -> None:
    for path in ("", "pfs/", "pfs/data.csv", "accrual/data.csv", "nothing/", "nothing/data.csv"):
        text_of(pages(cast.stranger), f"{FIGURES}{path}", 404)
        assert client.get(f"{FIGURES}{path}")["Location"].startswith("/login/")
    text_of(pages(cast.viewer), f"{FIGURES}nothing/", 404)
    text_of(pages(cast.viewer), f"{FIGURES}nothing/data.csv", 404)
    text_of(pages(cast.stranger), "/trials/NCT00000001/consort/patients/?box=enrolled", 404)


def test_a_coordinator_sees_the_own_site_only(cast: Cast, pages: Pages) -> None:
    followed(cast, "01-001", 40)
    client = pages(cast.outsider)
    for name in ("pfs", "spider", "swimmer"):
        assert "01-001" not in text_of(client, f"{FIGURES}{name}/")
        assert rows_of(client, f"{FIGURES}{name}/data.csv") == []
    assert "01-001" not in text_of(client, "/trials/NCT00000001/consort/patients/?box=enrolled")


STATEMENTS = [
    ("", 16), ("pfs/", 14), ("waterfall/", 14), ("spider/", 14), ("swimmer/", 16),
    ("swimmer/data.csv", 12), ("../consort/patients/?box=enrolled", 19),
]  # fmt: skip


@pytest.mark.parametrize(("path", "statements"), STATEMENTS)
def test_statements_do_not_grow(
    cast: Cast, pages: Pages, path: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client: Any = pages(cast.investigator)
    address = FIGURES + path if not path.startswith("../") else f"/trials/NCT00000001{path[2:]}"
    followed(cast, "01-001", 40)
    with django_assert_num_queries(statements):
        assert client.get(address).status_code == 200
    for number in range(2, 8):
        followed(cast, f"01-00{number}", 60, 40)
    with django_assert_num_queries(statements):
        assert client.get(address).status_code == 200


def test_every_figure_is_in_chinese(cast: Cast, pages: Pages) -> None:
    freireich(cast.trial)
    for number in range(5):
        followed(cast, f"01-00{number}", 60, 40)
    client = pages(cast.investigator)
    typed = ["Placebo", "6-MP", "Anlotinib", "Anlotinib in sarcoma", "investigator"]
    with translation.override("zh-hans"):
        for path in (
            "",
            *(f"{name}/?group_by={by}" for name in figures.NAMES for by in ("", "arm")),
        ):
            html = client.get(f"{FIGURES}{path}", headers={"accept-language": "zh-CN"})
            assert list(left_over(html.content.decode(), typed)) == [], path
