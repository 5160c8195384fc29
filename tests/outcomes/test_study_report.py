"""A trial's report as a document: what it says of itself, and the same as JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils.html import strip_tags

from outcomes.charts import swimmer
from outcomes.labels import ENDS
from outcomes.wording import SENTENCES
from patients.models import Allocation, Dose, Patient
from tests import factories
from tests.conftest import Api, Cast, DjangoAssertNumQueries
from tests.factories import START
from trials.models import Arm, Endpoint, Trial

Pages = Callable[..., Client]
Login = Callable[[Any], Api]
CUTOFF = "?cutoff=2024-12-31"


@pytest.fixture
def studied(cast: Cast) -> Cast:
    """Two patients of the coordinator's site: one with a progression, one without a visit."""
    first = factories.patient(cast.trial, "01-001")
    factories.patient(cast.trial, "01-002")
    factories.baseline(first, by=cast.coordinator)
    factories.follow_up(first, 43, (70, 30), by=cast.coordinator)
    return cast


def text_of(page: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(unescape(strip_tags(page)).split())


def page_of(cast: Cast, pages: Pages, query: str = CUTOFF) -> str:
    answer = pages(cast.investigator).get(f"/trials/{cast.trial.registry_id}/report/{query}")
    assert answer.status_code == 200
    return text_of(answer.content.decode())


def document(cast: Cast, api: Login, query: str = CUTOFF) -> Any:
    answer = api(cast.investigator).get(f"/trials/{cast.trial.registry_id}/report/{query}")
    assert answer.status_code == 200
    return answer.json()


def test_every_ending_has_a_short_name() -> None:
    ends = {c for c in SENTENCES if re.match("progression($|_dated)|death$|censored_", c)}
    assert set(ENDS) == ends


def test_the_methods_follow_the_definitions(studied: Cast, pages: Pages) -> None:
    assert "CR and PR are confirmed at least 28 days later." in page_of(studied, pages)
    Endpoint.objects.create(
        trial=studied.trial,
        kind="PFS",
        name="FDA primary",
        definition={"censoring": {"rule": "fda", "censor_at": "last_any"}},
    )
    Endpoint.objects.create(
        trial=studied.trial,
        kind="ORR",
        definition={"confirmation": {"required": False}, "proportion_interval": "wilson"},
    )
    page = page_of(studied, pages)
    assert "Responses need no confirmation." in page
    assert "Progression-free survival: FDA primary" in page
    assert "Assessments that were not evaluable count for a censoring, too." in page
    assert "Wilson EB. J Am Stat Assoc 1927" in page
    assert "Planned every 42 days, with a window of 7 days" in page


def test_why_the_times_end_is_counted(studied: Cast, pages: Pages, api: Login) -> None:
    ends = [
        (e["endpoint"], e["code"], e["event"], e["patients"])
        for e in document(studied, api)["ends"]
    ]
    assert ends == [
        ("PFS", "progression", True, 1),
        ("PFS", "censored_never_assessed", False, 1),
        ("OS", "censored_last_known_alive", False, 2),
    ]
    assert "never assessed: the time origin censored 1" in page_of(studied, pages)


def test_the_document_has_a_hash_of_itself(studied: Cast, api: Login) -> None:
    found = document(studied, api)
    content = {k: v for k, v in found.items() if k not in ("sha256", "made_at")}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert found["sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_page_document_and_frozen_analysis_have_one_hash_of_the_inputs(
    studied: Cast, pages: Pages, api: Login
) -> None:
    client = api(studied.administrator)
    asked = {"cutoff": "2024-12-31", "landmarks": "12w,6", "rmst": "9"}
    query = f"?{urlencode(asked)}"
    found = document(studied, api, query)["inputs_sha256"]
    page = pages(studied.investigator).get(f"/trials/NCT00000001/report/{query}")
    assert found in page.content.decode()
    chinese = pages(studied.investigator).get(
        f"/trials/NCT00000001/report/{query}", headers={"accept-language": "zh-hans"}
    )
    assert found in chinese.content.decode()
    frozen = client.post("/trials/NCT00000001/analyses/", {"name": "x", "options": asked})
    assert frozen.json()["inputs_sha256"] == found
    factories.adverse_event(Patient.objects.get(subject_id="01-001"))
    assert document(studied, api, query)["inputs_sha256"] != found


def test_a_bad_option_is_named(studied: Cast, pages: Pages, api: Login) -> None:
    address = f"/trials/{studied.trial.registry_id}/report/?cutoff=soon"
    answer = pages(studied.investigator).get(address)
    assert answer.status_code == 400
    assert "cannot be used. Give the date as" in answer.content.decode()
    assert api(studied.investigator).get(address).json()["errors"][0]["parameter"] == "cutoff"


def test_a_foreign_trial_is_not_there(studied: Cast, pages: Pages, api: Login) -> None:
    address = f"/trials/{studied.trial.registry_id}/report/"
    assert pages(studied.stranger).get(address).status_code == 404
    assert api(studied.stranger).get(address).status_code == 404


def test_a_coordinator_reads_the_own_site(studied: Cast, pages: Pages) -> None:
    factories.patient(studied.trial, "02-001", site="02")
    address = f"/trials/{studied.trial.registry_id}/report/{CUTOFF}"
    page = text_of(pages(studied.coordinator).get(address).content.decode())
    assert "Only your sites: 01" in page
    assert "02-001" not in page


def test_statements_do_not_grow_with_patients(
    studied: Cast, pages: Pages, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = pages(studied.investigator)
    address = f"/trials/{studied.trial.registry_id}/report/{CUTOFF}"
    with django_assert_num_queries(36):
        client.get(address)
    for number in range(3, 9):
        row = factories.patient(studied.trial, f"01-00{number}")
        factories.baseline(row, by=studied.coordinator)
    with django_assert_num_queries(36):
        client.get(address)


# Statistics, groups, safety


@pytest.fixture
def compared(cast: Cast) -> Cast:
    """Twelve patients of two arms; all of arm A die, on days 30, 60 ... 180, nobody of arm B."""
    for name, drug in (("A", "anlotinib"), ("B", "placebo")):
        arm = Arm.objects.create(trial=cast.trial, name=name)
        arm.interventions.create(name=drug, dose=12, unit="mg")
        for number in range(6):
            died = START + timedelta(days=30 * (number + 1)) if name == "A" else None
            alive = None if died else START + timedelta(days=200)
            row = factories.patient(
                cast.trial, f"{name}-{number}", died_on=died, last_known_alive_on=alive,
                first_dose_on=START, sex=("female", "male")[number % 2],
            )  # fmt: skip
            Allocation.objects.create(patient=row, trial=cast.trial, arm=arm)
            Dose.objects.create(
                patient=row, intervention=drug, dose=12, unit="mg", started_on=START,
                ended_on=START + timedelta(days=9),
            )  # fmt: skip
    factories.adverse_event(Patient.objects.get(subject_id="A-0"), "Hypertension", 3)
    factories.adverse_event(
        Patient.objects.get(subject_id="B-0"), "Nausea", 1, related=False, serious=True
    )
    return cast


def test_it_holds_groups_statistics_and_safety(compared: Cast, pages: Pages, api: Login) -> None:
    answer = pages(compared.investigator).get(f"/trials/NCT00000001/report/{CUTOFF}")
    whole = answer.content.decode()
    for chart in ("pfs", "os", "dor", "waterfall", "spider", "swimmer-1", "consort",
                  "forest-orr", "forest-pfs"):  # fmt: skip
        assert f'data-chart="{chart}"' in whole, chart
    page = text_of(whole)
    for style in ("log-log", "log", "plain", "SPSS"):
        assert style in page
    for said in (
        "Median with its interval by every method", "Restricted mean up to 12 months",
        "Reverse Kaplan-Meier of overall survival", "Observed times, plain quartiles",
        "12 weeks", "Depth of response", "Clinical benefit rate", "Time to response",
        "Every arm is compared with A.", "Fisher's exact test", "related", "Hypertension",
        "1 (16.7 %)", "Relative dose intensity", "120 (120–120) mg",
        "Progression-free survival: hazard ratio of the arms",
    ):  # fmt: skip
        assert said in page, said
    found = document(compared, api)
    assert [one["endpoint"] for one in found["forests"]] == ["ORR", "PFS"]
    assert found["forests"][1]["measure"] == "hazard_ratio"
    assert found["outcomes"]["comparison"]["overall_survival"]["log_rank"]["p"] < 0.01
    assert [group["group"] for group in found["outcomes"]["groups"]] == ["A", "B"]
    assert [one["interval"] for one in found["outcomes"]["os"]["medians"]] == [
        "log-log", "log", "plain", "spss",
    ]  # fmt: skip
    reader = api(compared.investigator)
    assert found["safety"] == reader.get(f"/trials/NCT00000001/safety/{CUTOFF}").json()
    assert found["exposure"] == reader.get(f"/trials/NCT00000001/exposure/{CUTOFF}").json()
    forest = reader.get(f"/trials/NCT00000001/outcomes/forest/{CUTOFF}&rmst=12").json()
    assert found["forests"][0] == forest


def test_the_blinded_get_pooled_figures_only(compared: Cast, pages: Pages, api: Login) -> None:
    Trial.objects.update(masking="DOUBLE")
    address = f"/trials/NCT00000001/report/{CUTOFF}"
    page = pages(compared.investigator).get(address).content.decode()
    text = api(compared.investigator).get(address).content.decode()
    for told in (page, text):
        assert not [word for word in ("anlotinib", "placebo") if word in told]
    found = json.loads(text)
    assert (found["outcomes"]["comparison_reason"], found["outcomes"]["groups"]) == ("blinded", [])
    assert found["forests"][1]["measure"] == "median"
    assert found["safety"]["arms"] == []
    assert {arm["intervention"] for arm in found["exposure"]["arms"]} == {"study treatment"}
    assert "The arms are hidden in this trial" in text_of(page)


def test_a_grouping_that_was_asked_for_stays(compared: Cast, pages: Pages, api: Login) -> None:
    query = f"{CUTOFF}&group_by=sex&landmarks=6&stratify_by=sex"
    found = document(compared, api, query)
    assert [group["group"] for group in found["outcomes"]["groups"]] == ["female", "male"]
    assert [at["months"] for at in found["outcomes"]["os"]["landmarks"]] == [6]
    assert len(found["forests"][0]["characteristics"]) > 1
    assert "Median of each arm" in page_of(compared, pages, query)


def test_a_coordinators_tables_are_of_the_own_site(compared: Cast, pages: Pages) -> None:
    other = factories.patient(compared.trial, "02-001", site="02", first_dose_on=START)
    factories.adverse_event(other, "Vomiting", 2)
    address = f"/trials/{compared.trial.registry_id}/report/{CUTOFF}"
    page = text_of(pages(compared.coordinator).get(address).content.decode())
    assert "Hypertension" in page
    assert "Vomiting" not in page


def test_nobody_is_left_out_of_the_swimmer(cast: Cast, pages: Pages) -> None:
    for number in range(swimmer.LANES + 1):
        factories.patient(cast.trial, f"S-{number:03}")
    answer = pages(cast.viewer).get(f"/trials/NCT00000001/report/{CUTOFF}")
    page = answer.content.decode()
    assert page.count('class="lane"') == swimmer.LANES + 1
    assert "Treatment and response of each patient (2/2)" in page
