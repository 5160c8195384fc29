"""The pages of a trial's safety: every number leads to its patients, and nobody learns an arm."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from patients.models import Allocation, Dose, Patient
from tests import factories
from tests.conftest import Cast
from tests.factories import START, adverse_event
from trials.models import Arm, Intervention, Trial

Pages = Callable[..., Client]
SAFETY = "/trials/NCT00000001/safety/"
AT = "cutoff=2024-12-31"
EVERY = [SAFETY, f"{SAFETY}patients/", f"{SAFETY}exposure/", f"{SAFETY}adverse-events.csv"]


def treated(cast: Cast, arm: Arm | None, subject: str, **fields: Any) -> Patient:
    """A patient of an arm with two cycles."""
    row = factories.patient(cast.trial, subject, **fields)
    if arm:
        Allocation.objects.create(patient=row, trial=cast.trial, arm=arm)
    for first in (1, 22):
        Dose.objects.create(
            patient=row, intervention="Anlotinib" if subject[0] == "A" else "Placebo", dose=12,
            unit="mg", started_on=START + timedelta(first), ended_on=START + timedelta(first + 13),
        )  # fmt: skip
    return row


@pytest.fixture
def patients(cast: Cast) -> list[Patient]:
    """Three of Anlotinib, two of placebo; one at site 02."""
    arms = []
    for name in ("Anlotinib", "Placebo"):
        arm = Arm.objects.create(trial=cast.trial, name=name)
        Intervention.objects.create(
            arm=arm, name=name, dose=12, unit="mg", days_on=list(range(1, 15)), cycle_days=21
        )
        arms.append(arm)
    one, two, three = (treated(cast, arms[0], f"A-{n}") for n in (1, 2, 3))
    four, five = treated(cast, arms[1], "P-1"), treated(cast, arms[1], "P-2", site="02")
    adverse_event(one, "Hypertension", 3, serious=True, outcome="recovered")
    adverse_event(one, "Hypertension", 1, day=20)
    adverse_event(two, "Hypertension", 2, related=False, action_taken="dose_reduced")
    adverse_event(four, "Hypertension", 1)
    adverse_event(three, "Fatigue", 1)
    adverse_event(five, "Diarrhea", 2, related=False)
    adverse_event(five, "Feeling odd", 1)
    return [one, two, three, four, five]


def text_of(client: Client, path: str, status: int = 200) -> str:
    """The page, with single spaces."""
    answer = client.get(path)
    assert answer.status_code == status, answer.content.decode()[:500]
    return " ".join(answer.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


def section(page: str, name: str) -> str:
    """What stands under a heading, up to the next."""
    start = page.index(f'id="{name}"')
    return page[start : page.find("<h2", start)]


def rows(text: str) -> dict[str, list[str]]:
    """A table's cells by the heading of their row."""
    found = {}
    for row in re.findall(r"<tr.*?</tr>", text):
        heading = re.search(r'<th scope="row">(.*?)</th>', row)
        if heading:
            cells = re.findall(r"<td.*?>(.*?)</td>", row)
            found[bare(heading[1])] = [bare(cell) for cell in cells]
    return found


def bare(markup: str) -> str:
    return html.unescape(re.sub(r"<.*?>", "", markup)).strip()


def test_the_tables(cast: Cast, pages: Pages, patients: list[Patient]) -> None:
    """Any, 3 or more, worst grade 1 to 5, serious, withdrawn, reduced, interrupted."""
    page = text_of(pages(cast.investigator), f"{SAFETY}?{AT}")
    assert "Safety · NCT00000001 · Sarcoma Trial Registry" in page
    assert rows(section(page, "terms")) == {
        "Hypertension": ["3 (60.0 %)", "1 (20.0 %)", "1", "1", "1", "0", "0", "1", "0", "1", "0"],
        "Diarrhea": ["1 (20.0 %)", "0 (0.0 %)", "0", "1", *"0000000"],
        "Fatigue": ["1 (20.0 %)", "0 (0.0 %)", "1", *"00000000"],
        "Feeling odd": ["1 (20.0 %)", "0 (0.0 %)", "1", *"00000000"],
    }
    summary = rows(section(page, "summary"))
    assert summary["Any grade"] == [
        "5 (100.0 %)", "4 (80.0 %)", "3 (100.0 %)", "2 (66.7 %)", "2 (100.0 %)", "2 (100.0 %)",
    ]  # fmt: skip
    assert summary["Dose reduced"][:4] == ["1 (20.0 %)", "0 (0.0 %)", "1 (33.3 %)", "0 (0.0 %)"]
    assert rows(section(page, "arms"))["Hypertension"] == [
        "2 (66.7 %)", "1 (33.3 %)", "1 (50.0 %)", "0 (0.0 %)",
    ]  # fmt: skip
    assert "recovered or resolved" in section(page, "serious")


def test_an_arm_stands_once_above_its_columns(
    cast: Cast, pages: Pages, patients: list[Patient]
) -> None:
    """Each number has two headings: whose patients they are, and what is counted of them."""
    client = pages(cast.investigator)
    page = text_of(client, f"{SAFETY}?{AT}")
    arms, causes = ["Anlotinib (n = 3)", "Placebo (n = 2)"], ["All causes", "Related"]
    summary = section(page, "summary")
    assert heads(summary) == [["Patients with", "All patients (n = 5)", *arms], 3 * causes]
    assert summary.count('scope="colgroup" colspan="2"') == summary.count('<colgroup span="2">')
    grades = ["Any grade", "Grade 3 or more"]
    assert heads(section(page, "arms")) == [["Term", *arms], 2 * grades]
    assert len(heads(section(page, "terms"))) == 1  # of everybody
    one = section(text_of(client, f"{SAFETY}?{AT}&arm=Placebo"), "summary")
    assert heads(one) == [["Patients with", "Placebo (n = 2)"], causes]


def heads(text: str) -> list[list[str]]:
    """A table's headings, row by row."""
    head = text[text.index("<thead") : text.index("</thead")]
    return [
        [bare(cell) for cell in re.findall(r"<th .*?>(.*?)</th>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", head)
    ]


CHOSEN = [
    ("cause=related", ["Hypertension", "Fatigue", "Feeling odd"]),
    ("grade=grade_3_or_more", ["Hypertension"]),
    ("minimum=21", ["Hypertension"]),
    ("minimum=20", ["Hypertension", "Diarrhea", "Fatigue", "Feeling odd"]),
    ("order=term", ["Diarrhea", "Fatigue", "Feeling odd", "Hypertension"]),
    ("arm=Placebo", ["Diarrhea", "Feeling odd", "Hypertension"]),
    (
        "order=class",
        ["Vascular disorders", "Hypertension", "Gastrointestinal disorders", "Diarrhea",
         "General disorders and administration site conditions", "Fatigue", "no CTCAE term",
         "Feeling odd"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("query", "terms"), CHOSEN)
def test_which_terms_are_shown_and_how_sorted(
    cast: Cast, pages: Pages, patients: list[Patient], query: str, terms: list[str]
) -> None:
    page = text_of(pages(cast.investigator), f"{SAFETY}?{AT}&{query}")
    assert list(rows(section(page, "terms"))) == terms


def test_numbers_lead_to_as_many_patients(
    cast: Cast, pages: Pages, patients: list[Patient]
) -> None:
    client = pages(cast.investigator)
    followed = 0
    for query in ("order=class", "cause=related&arm=Anlotinib", "sides=arms"):
        page = text_of(client, f"{SAFETY}?{AT}&{query}")
        for address, shown in re.findall(r'<td><a href="([^"]+)">(\d+)', page)[::4]:
            told = text_of(client, html.unescape(address))
            assert f"{shown} of " in told, (address, shown)
            names = {bare(name) for name in re.findall(r'<th scope="row">(.*?)</th>', told)}
            assert len(names) == int(shown), address
            followed += 1
    assert followed > 15


def test_a_patients_line_leads_to_the_event(
    cast: Cast, pages: Pages, patients: list[Patient]
) -> None:
    client, event = pages(cast.coordinator), patients[0].adverse_events.get(grade=3)
    page = text_of(client, f"{SAFETY}patients/?{AT}&term=HYPERTENSION&count=grade_3_or_more")
    assert f'href="/patients/{patients[0].pk}/?{AT}#adverse-event-{event.pk}"' in page
    assert f'id="adverse-event-{event.pk}"' in text_of(client, f"/patients/{patients[0].pk}/")
    assert "Hypertension · Grade 3 or more · all causes" in page


def test_exposure_by_arm_and_by_patient(cast: Cast, pages: Pages, patients: list[Patient]) -> None:
    client = pages(cast.investigator)
    page = text_of(client, f"{SAFETY}?{AT}")
    assert rows(section(page, "exposure"))["Anlotinib"] == [
        "Anlotinib", "3", "35 (35–35)", "2 (2–2)", "336 (336–336) mg", "100 (100–100) %",
        "0 (0.0 %)", "0 (0.0 %)",
    ]  # fmt: skip
    lines = rows(text_of(client, f"{SAFETY}exposure/?{AT}"))
    assert lines["P-1"] == [
        "Placebo", "Placebo", "2024-01-16", "2024-02-19", "35", "2", "336 mg", "336 mg", "100 %",
        "0", "0",
    ]  # fmt: skip


def test_doses_that_last_are_treatment_up_to_the_cutoff(
    cast: Cast, pages: Pages, patients: list[Patient]
) -> None:
    """84 days of 14 in 21 end with the dose of day 77; one has the dates only, of days 1 to 10."""
    first = START + timedelta(1)
    Dose.objects.exclude(started_on=first).delete()
    Dose.objects.update(ended_on=None)
    Patient.objects.update(first_dose_on=first, last_dose_on=first)
    stated = patients[0]
    stated.doses.all().delete()
    Patient.objects.filter(pk=stated.pk).update(last_dose_on=START + timedelta(10))
    adverse_event(patients[1], "Late fatigue", day=70)
    page = text_of(pages(cast.investigator), f"{SAFETY}?cutoff={START + timedelta(84)}")
    found = section(page, "exposure")
    assert "first dose to last: median 77 days (quartiles 77 and 77), n = 5." in found
    assert rows(found)["Anlotinib"][2] == "77 (77–77)"
    assert "Late fatigue" in page


def test_tables_as_csv(cast: Cast, pages: Pages, patients: list[Patient]) -> None:
    client = pages(cast.investigator)

    def read(name: str, query: str = "") -> list[dict[str, str]]:
        answer = client.get(f"{SAFETY}{name}.csv?{AT}{query}")
        assert answer["Content-Disposition"].endswith(f'-{name}-2024-12-31.csv"')
        return list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))

    counted = read("adverse-events")
    (found,) = [
        row for row in counted
        if (row["arm"], row["term"], row["cause"]) == ("", "Hypertension", "all")
    ]  # fmt: skip
    assert [found[key] for key in ("n", "any_grade", "grade_1", "dose_reduced")] == list("5311")
    assert {row["arm"] for row in counted} == {"", "Anlotinib", "Placebo"}
    assert [row["subject_id"] for row in read("adverse-event-patients", "&count=serious")] == [
        "A-1"
    ]
    assert read("exposure")[0]["days_median"] == "35.0"
    assert [row["subject_id"] for row in read("exposure-patients")][0] == "A-1"
    assert client.get(f"{SAFETY}everything.csv").status_code == 404


# Who sees what


@pytest.mark.parametrize("path", EVERY)
def test_where_arms_are_hidden_nothing_tells_them(
    cast: Cast, pages: Pages, patients: list[Patient], path: str
) -> None:
    Trial.objects.update(masking="DOUBLE")
    client = pages(cast.investigator)
    for query in ("", "&order=class&cause=related" if path == SAFETY else ""):
        page = client.get(f"{path}?{AT}{query}").content.decode()
        for secret in ("Anlotinib", "Placebo"):
            assert secret not in page.replace("Anlotinib in sarcoma", "")
    if path in EVERY[:2]:
        refused = text_of(client, f"{path}?arm=Placebo", 400)
        assert "“arm=Placebo” in the address cannot be used." in refused


@pytest.mark.parametrize("path", EVERY)
def test_only_patients_of_the_readers_sites_count(
    cast: Cast, pages: Pages, client: Client, patients: list[Patient], path: str
) -> None:
    page = pages(cast.outsider).get(f"{path}?{AT}").content.decode()
    assert "A-1" not in page
    assert "Hypertension" not in page
    assert pages(cast.stranger).get(path).status_code == 404
    assert client.get(path)["Location"].startswith("/login/")


REFUSED = [
    ("", "cutoff=yesterday", "Data cutoff: “yesterday” cannot be used"),
    ("", "population=safety", "“population=safety” in the address cannot be used"),
    ("", "minimum=101", "At least (percent of patients): "),
    ("", "minimum=-1", "At least (percent of patients): "), ("", "order=x", "Sorted by: "),
    ("", "arm=Nobody", "Arm: "), ("", "sides=x", "Butterfly: "), ("", "cause=x", "Cause: "),
    ("", "grade=serious", "Grade: "), ("patients/", "count=x", "“count=x” in the address cannot be used"),
    ("patients/", "minimum=1", "“minimum=1” in the address cannot be used"),
    ("exposure/", "arm=Placebo", "“arm=Placebo” in the address cannot be used"),
    ("adverse-events.csv", "cause=all", "cause: "), ("exposure.csv", "known_on=x", "known_on: "),
]  # fmt: skip


@pytest.mark.parametrize(("place", "query", "said"), REFUSED)
def test_what_is_not_understood_is_named(
    cast: Cast, pages: Pages, patients: list[Patient], place: str, query: str, said: str
) -> None:
    assert said in text_of(pages(cast.viewer), f"{SAFETY}{place}?{query}", 400)


def test_typed_text_is_never_markup(cast: Cast, pages: Pages, patients: list[Patient]) -> None:
    payload = "<script>alert(1)</script>\"'"
    adverse_event(patients[0], payload)
    cast.trial.arms.filter(name="Placebo").update(name=payload)
    client = pages(cast.viewer)
    for query in ("", "sides=arms", "order=class"):
        assert "<script>alert" not in text_of(client, f"{SAFETY}?{query}")
    found = client.get(f"{SAFETY}patients/", {"term": payload})
    assert b"<script>alert" not in found.content
    assert b"1 of 5 treated patients" in b" ".join(found.content.split())


@pytest.mark.parametrize(("place", "statements"), [("", 16), ("patients/", 11), ("exposure/", 13)])
def test_statements_do_not_grow(
    cast: Cast, pages: Pages, patients: list[Patient], place: str, statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client: Any = pages(cast.coordinator)
    for number in range(2):
        with django_assert_num_queries(statements):
            text_of(client, f"{SAFETY}{place}?{AT}")
        for index in range(10):
            row = treated(cast, cast.trial.arms.first(), f"A-{number}-{index}")
            adverse_event(row, f"Term {index}", serious=True)


def test_nobody_treated_is_told(cast: Cast, pages: Pages) -> None:
    page = text_of(pages(cast.viewer), SAFETY)
    for said in (
        "No adverse event has been recorded in this trial", "Nobody is treated yet.",
        "No dose is recorded",
    ):  # fmt: skip
        assert said in page
