"""The patients behind a number, and the patient's page by the options of the figure it was left at."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from outcomes import actions
from patients.models import Patient
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries
from tests.factories import START
from tests.outcomes.analyses.test_freezing import CUTOFF as FROZEN_ON
from tests.outcomes.analyses.test_freezing import frozen, populated
from tests.outcomes.figures.test_figures import followed, text_of
from trials.models import Endpoint

Pages = Callable[[Any], Client]
TRIAL = "/trials/NCT00000001/"
EARLY, LATE = f"cutoff={START + timedelta(days=60)}", f"cutoff={START + timedelta(days=360)}"
COUNTED = re.compile(r'class="count-link"\s+href="([^"#]+)">\s*(\d+)')


@pytest.fixture
def progressed(cast: Cast) -> Patient:
    """PR on day 42, PD on day 84: by an early cutoff neither confirmed nor progressed."""
    return followed(cast, "01-001", 40, 100)


def words_of(client: Client, path: str, status: int = 200) -> str:
    """A page without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", text_of(client, path, status)).split())


# The patient's page


def test_a_patient_is_folded_by_the_cutoff_of_the_address(
    cast: Cast, pages: Pages, progressed: Patient
) -> None:
    client, page = pages(cast.coordinator), f"/patients/{progressed.pk}/"
    early = words_of(client, f"{page}?{EARLY}")
    assert f"Outcomes and assessments as of {EARLY[7:]} (data cutoff)" in early
    assert "censored" in early
    assert "Gray: visits after the data cutoff. They do not count." in early
    assert early.count("after the cutoff") == 1
    assert early.count(f"As of {EARLY[7:]}.") == 3
    assert "Death from any cause" in early or "death from any cause" in early.lower()
    late = words_of(client, f"{page}?{LATE}")
    assert "after the cutoff" not in late
    now = words_of(client, page)
    assert "today's data" in html.unescape(now)
    assert "Back to today" not in now


def test_links_of_the_dashboard_and_of_the_patient_keep_the_options(
    cast: Cast, pages: Pages, progressed: Patient
) -> None:
    client, page = pages(cast.coordinator), f"/patients/{progressed.pk}/"
    for path in (TRIAL, f"{TRIAL}figures/swimmer/", f"{TRIAL}report/", f"{TRIAL}patients-of/pfs/"):
        shown = text_of(client, f"{path}?{EARLY}")
        to_patient = re.findall(rf'href="{page}([^"]*)"', shown)
        assert to_patient
        assert all(link.startswith(f"?{EARLY}") for link in to_patient), path
        plain = re.findall(rf'href="{page}([^"]*)"', text_of(client, path))
        assert plain
        assert not any("?" in link for link in plain), path
    sheet = text_of(client, f"{page}?{EARLY}")
    (cell, *_more) = re.findall(r'href="(/visits/\d+/lesions/T01/history/[^"]*)"', sheet)
    assert cell.endswith(f"?{EARLY}")
    assert f'href="{page}?{EARLY}#cell-' in text_of(client, cell)


def test_a_value_is_shown_as_it_was_known(cast: Cast, pages: Pages) -> None:
    row = factories.patient(cast.trial, "01-001")
    factories.baseline(row, by=cast.coordinator)
    visit = factories.follow_up(row, 43, (45, 30), by=cast.coordinator)
    moment = timezone.now()
    actions.void_visit(visit=visit, by=cast.superuser, reason="wrong patient", version=1)
    client, page = pages(cast.coordinator), f"/patients/{row.pk}/"
    # One test is one transaction: what the trail wrote in it bears the moment of its start.
    known = moment.isoformat().replace("+00:00", "Z")
    shown = words_of(client, f"{page}?known_on={known}")
    assert "as known on" in shown
    before = (timezone.now() - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    nothing = words_of(client, f"{page}?known_on={before}")
    assert "Nothing was known of this patient at that moment." in nothing


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("cutoff=soon", "cutoff: "),
        ("colour=red", "colour: "),
        ("evaluator=reviewer", "evaluator: "),
        ("definition=0", "definition: "),
    ],
)
def test_a_wrong_option_of_a_patient_is_named(
    cast: Cast, pages: Pages, progressed: Patient, query: str, said: str
) -> None:
    shown = words_of(pages(cast.coordinator), f"/patients/{progressed.pk}/?{query}", 400)
    assert said in shown
    assert "As of" not in shown


# The lists


def test_every_count_of_the_dashboard_has_its_patients(cast: Cast, pages: Pages) -> None:
    populated(cast)
    client = pages(cast.administrator)
    asked = f"cutoff={FROZEN_ON}"
    counts = COUNTED.findall(client.get(f"{TRIAL}?{asked}").content.decode())
    assert len(counts) > 20
    for link, number in counts:
        address = html.unescape(link)
        assert asked in address, address
        told = words_of(client, address)
        listed = re.search(r"n = (\d+)|(\d+) of \d+ treated", told)
        assert listed, address
        assert (listed[1] or listed[2]) == number, address


def test_every_reason_of_the_report_has_its_patients(cast: Cast, pages: Pages) -> None:
    """Also where responses are of fewer patients than times: each reason is of its curve's own."""
    populated(cast)
    factories.patient(cast.trial, "01-999")
    Endpoint.objects.create(trial=cast.trial, kind="ORR", definition={"population": "evaluable"})
    client, asked = pages(cast.administrator), f"cutoff={FROZEN_ON}"
    report = client.get(f"{TRIAL}report/?{asked}").content.decode()
    counts = COUNTED.findall(report[report.index('id="ends"') :])
    assert {html.unescape(link).split("reason=")[1] for link, _number in counts} == {
        "progression", "censored_new_therapy", "censored_no_baseline", "death",
        "censored_last_known_alive",
    }  # fmt: skip
    for link, number in counts:
        address = html.unescape(link)
        assert asked in address
        assert f"n = {number}" in words_of(client, address), address
    for kind in ("pfs", "os"):
        of_kind = [int(number) for link, number in counts if f"/{kind}/" in link]
        assert sum(of_kind) == 7
    pills = text_of(client, f"{TRIAL}patients-of/pfs/?{asked}&reason=progression")
    assert "progressive disease" in pills
    assert 'aria-current="page"' not in pills[pills.index("nav-pills") :]


def test_a_list_says_where_each_patient_stands_since_when_and_why(
    cast: Cast, pages: Pages, progressed: Patient
) -> None:
    followed(cast, "01-002", 70)
    client = pages(cast.viewer)
    events = words_of(client, f"{TRIAL}patients-of/pfs/?{LATE}&standing=event")
    assert "01-001" in events
    assert "01-002" not in events
    assert str(START + timedelta(days=84)) in events
    censored = words_of(client, f"{TRIAL}patients-of/pfs/?{LATE}&standing=censored")
    assert "01-002" in censored
    assert "01-001" not in censored
    day = words_of(client, f"{TRIAL}patients-of/pfs/?{LATE}&day=85")
    assert "n = 1" in day
    best = words_of(client, f"{TRIAL}patients-of/best/?{LATE}&response=PR&confirmed=false")
    assert "01-001" in best
    assert "n = 1" in best
    group = words_of(client, f"{TRIAL}patients-of/orr/?{LATE}&group_by=site&group=01")
    assert "n = 2" in group
    assert "Nobody." in words_of(client, f"{TRIAL}patients-of/orr/?{LATE}&group_by=site&group=02")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("orr/?standing=event", 400, "standing: "),
        ("pfs/?standing=counted", 400, "standing: "),
        ("pfs/?day=x", 400, "day: "),
        ("pfs/?reason=late", 400, "reason: One of: progression"),
        ("orr/?reason=death", 400, "reason: Only of a time to an event"),
        ("best/?reason=death", 400, "reason: Only of a time to an event"),
        ("best/?response=XX", 400, "response: "),
        ("best/?confirmed=1", 400, "confirmed: "),
        ("orr/?group=01", 400, "group: "),
        ("orr/?cutoff=soon", 400, "cutoff: "),
        ("orr/?colour=red", 400, "colour: "),
        ("nothing/", 404, ""),
        ("dor/", 404, ""),
    ],
)
def test_what_cannot_be_listed_says_so(
    cast: Cast, pages: Pages, path: str, status: int, said: str
) -> None:
    assert said in words_of(pages(cast.viewer), f"{TRIAL}patients-of/{path}", status)


def test_who_sees_a_list(cast: Cast, pages: Pages, progressed: Patient) -> None:
    address = f"{TRIAL}patients-of/pfs/?{LATE}"
    assert "01-001" in words_of(pages(cast.coordinator), address)
    assert "01-001" not in words_of(pages(cast.outsider), address)
    text_of(pages(cast.stranger), address, 404)


def test_statements_do_not_grow(
    cast: Cast, pages: Pages, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = pages(cast.investigator)
    for number in range(3):
        followed(cast, f"01-00{number}", 40, 100)
        for path in ("pfs/", "best/?response=PR"):
            with django_assert_num_queries(STATEMENTS):
                assert client.get(f"{TRIAL}patients-of/{path}").status_code == 200


STATEMENTS = 10


def test_every_count_of_the_accrual_has_its_people(
    cast: Cast, pages: Pages, progressed: Patient
) -> None:
    factories.patient(cast.trial, "02-001", site="02")
    client = pages(cast.administrator)
    counts = COUNTED.findall(client.get(f"{TRIAL}accrual/?{LATE}").content.decode())
    assert {"0", "1"} <= {number for _link, number in counts}
    for link, number in counts:
        assert f"n = {number}" in words_of(client, html.unescape(link)), link
    people = f"{TRIAL}accrual/patients/"
    assert f'href="/patients/{progressed.pk}/?{LATE}"' in text_of(client, f"{people}?{LATE}")
    assert "01-001" not in words_of(pages(cast.outsider), people)
    assert "counted=x" in words_of(client, f"{people}?counted=x", 400)
    assert "site=99" in words_of(client, f"{people}?site=99", 400)
    text_of(pages(cast.stranger), people, 404)


# Frozen


def test_a_frozen_analysis_leads_to_what_it_keeps(cast: Cast, pages: Pages) -> None:
    populated(cast)
    row = frozen(cast)
    client = pages(cast.administrator)
    page = client.get(f"/analyses/{row.pk}/").content.decode()
    body = page[page.index("<main") :]
    patients = re.findall(r'href="(/patients/[^"]+)"', body)
    assert patients
    for link in patients:
        assert f"?cutoff={FROZEN_ON}&amp;known_on=" in link, link
    for link in re.findall(r'href="(/trials/[^"]+/figures/[a-z]+/[^"]*)"', body):
        assert "known_on=" in link, link
    assert f"frozen by {cast.administrator.username}" in " ".join(page.split())
    counts = [one for one in COUNTED.findall(body) if "patients-of" in one[0]]
    assert counts
    for link, number in counts:
        assert link.startswith(f"/analyses/{row.pk}/patients-of/")
        assert f"n = {number}" in words_of(client, html.unescape(link)), link
    text_of(pages(cast.stranger), f"/analyses/{row.pk}/patients-of/orr/", 404)
    text_of(pages(cast.coordinator), f"/analyses/{row.pk}/patients-of/orr/", 404)
    assert "day: " in words_of(client, f"/analyses/{row.pk}/patients-of/pfs/?day=x", 400)
