"""The baseline page: what is said beside a row while it is typed, and rows that move."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from outcomes.models import Visit
from patients.models import Patient
from tests import factories
from tests.conftest import Cast, DjangoAssertNumQueries

Pages = Callable[..., Client]
Body = dict[str, str]

CT = {"method": "ct"}
LIVER = {"organ": "liver", "diameter_mm": "22"} | CT


def typed(*targets: Body, non_targets: tuple[Body, ...] = (), **fields: str) -> Body:
    """What the page sends of these rows, three non-target rows at least."""
    body = {"date": "2024-01-04", "non_targets-rows": "3"} | fields
    for name, prefix, rows in (("targets", "T", targets), ("non_targets", "NT", non_targets)):
        for index, row in enumerate(rows):
            body[f"{name}-{index}-lesion"] = f"{prefix}{index + 1:02}"
            body |= {f"{name}-{index}-{field}": value for field, value in row.items()}
    return body


@pytest.fixture
def patient(cast: Cast) -> Patient:
    """A patient whose first dose is on 2024-01-16."""
    return factories.patient(cast.trial, "01-001")


@pytest.fixture
def said(cast: Cast, pages: Pages, patient: Patient) -> Callable[[Body], dict[str, str]]:
    """What the preview says, by place on the page; a row's is its prefix."""

    def ask(body: Body) -> dict[str, str]:
        answer = pages(cast.coordinator).post(f"/patients/{patient.pk}/visits/preview/", body)
        assert answer.status_code == 200
        assert not Visit.objects.exists()
        page = answer.content.decode()
        slots = re.findall(r'<template data-slot="([^"]*)"[^>]*>(.*?)</template>', page, re.DOTALL)
        return {place.removeprefix("note-"): plain(html) for place, html in slots}

    return ask


def plain(html: str) -> str:
    """Its words."""
    return " ".join(unescape(re.sub(r"<[^>]*>|^[^<]*?>", " ", html)).split())


NOTES: list[tuple[Body, list[str]]] = [
    ({"organ": "liver"} | CT, ["CT with slices of at most 5 mm: at least 10 mm."]),
    ({"organ": "liver", "slice_mm": "8"} | CT, ["Slices of 8 mm: at least twice as much, 16 mm."]),
    ({"organ": "lung", "method": "xray"}, ["X-ray: at least 20 mm."]),
    ({"organ": "skin", "method": "caliper"}, ["At least 10 mm."]),
    ({"organ": "lymph node"} | CT, ["Lymph node: short axis of at least 15 mm."]),
    ({"organ": "axilla", "nodal": "on"} | CT, ["Lymph node: short axis of at least 15 mm."]),
    (LIVER, ["✓ Measurable.", "at least 10 mm."]),
    (LIVER | {"diameter_mm": "10"}, ["✓ Measurable."]),
    (LIVER | {"diameter_mm": "9,9"},
     ["9.9 mm is not measurable; a target has at least 10 mm.", "Make T01 a non-target"]),
    (LIVER | {"slice_mm": "8", "diameter_mm": "15.9"}, ["at least twice the slice, 16 mm", "Make T01"]),
    (LIVER | {"method": "xray", "diameter_mm": "19"}, ["on X-ray a target has at least 20", "Make T01"]),
    (LIVER | {"method": "ultrasound"}, ["Ultrasound does not measure", "Make T01"]),
    ({"organ": "lymph node", "diameter_mm": "14.9"} | CT,
     ["Short axis 14.9 mm; a nodal target has at least 15 mm", "Make T01"]),
    ({"organ": "lymph node", "diameter_mm": "9.9"} | CT, ["9.9 mm is a normal node"]),
    (LIVER | {"previously_irradiated": "on"}, ["only if it has progressed since", "Make T01"]),
    (LIVER | {"previously_irradiated": "on", "progressed_since_irradiation": "on"},
     ["✓ Measurable."]),
    (LIVER | {"organ": "L3 vertebra"}, ["✓ Measurable.", "T01 is in bone"]),
    (LIVER | {"organ": "bone", "bone_type": "blastic"}, ["blastic bone lesion", "Make T01"]),
    (LIVER | {"organ": "bone", "bone_type": "mixed"}, ["✓ Measurable."]),
    (LIVER | {"organ": ""}, ["Name the organ."]),
    (LIVER | {"diameter_mm": "x"}, ["Give millimeters as a number"]),
    (LIVER | {"method": "pet_ct"}, ["✓ Measurable.", "T01 by PET-CT: confirm"]),
]  # fmt: skip
KEPT_APART = ["✓ Measurable.", "Make T01", "is in bone", "Name the organ", "is a normal node"]


@pytest.mark.parametrize(("row", "expected"), NOTES)
def test_a_target_row_says_whether_it_conforms(
    said: Callable[[Body], dict[str, str]], row: Body, expected: list[str]
) -> None:
    note = said(typed(row))["targets-0"]
    for text in expected:
        assert text in note
    for text in KEPT_APART:
        assert (text in note) is any(text in one for one in expected), text


def test_a_third_target_in_an_organ_may_become_a_non_target(
    said: Callable[[Body], dict[str, str]],
) -> None:
    notes = said(typed(LIVER, LIVER, {"organ": "liver"}))
    assert "✓ Measurable." in notes["targets-1"]
    assert "At most 2 targets in one organ (liver;" in notes["targets-2"]
    assert "Make T03 a non-target" in notes["targets-2"]


COUNTERS: list[tuple[tuple[Body, ...], str]] = [
    ((), "0 of 5 targets"),
    ((LIVER, {}, LIVER, {"organ": "lymph node"}),
     "3 of 5 targets; liver 2 of 2; lymph nodes 1 of 2"),
    (({"organ": "右肺上叶"}, {"organ": "LLL nodule"}), "2 of 5 targets; lung 2 of 2"),
    (({"diameter_mm": "20"},), "1 of 5 targets"),
    (({"organ": "some place"},), "1 of 5 targets; some place 1 of 2"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), COUNTERS)
def test_the_counter_lives(
    said: Callable[[Body], dict[str, str]], rows: tuple[Body, ...], expected: str
) -> None:
    assert said(typed(*rows))["baseline-counter"] == expected


WINDOWS: list[tuple[str, str]] = [
    ("2024-01-04", "12 days before the first dose on 2024-01-16 (at most 28)"),
    ("2024-01-15", "1 day before the first dose on 2024-01-16 (at most 28)"),
    ("2023-12-19", "28 days before the first dose on 2024-01-16 (at most 28)"),
    ("2023-12-18", "Check: Baseline 2023-12-18 is 29 days before the first dose"),
    ("2024-01-17", "Check: Baseline 2024-01-17 is 1 days after the first dose"),
    ("", "Expected from 2023-12-19 to the first dose on 2024-01-16"),
    ("yesterday", "Expected from 2023-12-19 to the first dose on 2024-01-16"),
]


@pytest.mark.parametrize(("on", "expected"), WINDOWS)
def test_the_date_is_held_against_the_first_dose(
    said: Callable[[Body], dict[str, str]], on: str, expected: str
) -> None:
    assert expected in said(typed(LIVER, date=on))["baseline-window"]


def test_the_trial_says_how_early_a_baseline_may_be(
    said: Callable[[Body], dict[str, str]], patient: Patient
) -> None:
    patient.trial.baseline_window_days = 10
    patient.trial.save()
    assert "12 days before" in said(typed(LIVER))["baseline-window"]
    assert "at most 10 are expected" in said(typed(LIVER))["baseline-window"]
    patient.first_dose_on = None
    patient.save()
    assert "No first dose yet" in said(typed(LIVER))["baseline-window"]


def test_measurable_disease_among_the_non_targets_only_is_asked_about(
    said: Callable[[Body], dict[str, str]],
) -> None:
    nodes = ({"organ": "lymph node", "short_axis_mm": "16"}, {"organ": "axillary node"})
    notes = said(typed(non_targets=nodes))
    assert "is measurable (≥ 15 mm), but no target is recorded" in notes["non_targets-0"]
    assert "Node NT02 has no short axis" in notes["non_targets-1"]
    assert "is measurable" not in said(typed(LIVER, non_targets=nodes))["non_targets-0"]


def moved(page: str) -> dict[str, str]:
    """The text fields of the page that say something, by name."""
    inputs = re.findall(r'<input[^>]*type="text"[^>]*>', page)
    pairs = ((re.search(r'name="([^"]*)"', i), re.search(r'value="([^"]*)"', i)) for i in inputs)
    return {n[1]: v[1] for n, v in pairs if n and v and v[1] and "-" in n[1]}


MOVES: list[tuple[str, tuple[Body, ...], dict[str, str]]] = [
    ("a node keeps its short axis, and the next row moves up",
     ({"organ": "lymph node", "description": "4R", "diameter_mm": "12"}, LIVER),
     {"targets-0-organ": "liver", "targets-0-diameter_mm": "22", "non_targets-0-organ": "bone",
      "non_targets-1-organ": "lymph node", "non_targets-1-description": "4R",
      "non_targets-1-short_axis_mm": "12"}),
    ("another lesion's diameter is kept in words",
     (LIVER | {"diameter_mm": "8", "description": "S4"},),
     {"non_targets-0-organ": "bone", "non_targets-1-organ": "liver",
      "non_targets-1-description": "S4 (8 mm)"}),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), [m[1:] for m in MOVES], ids=[m[0] for m in MOVES])
def test_without_a_script_a_target_becomes_a_non_target(
    cast: Cast, pages: Pages, patient: Patient, rows: tuple[Body, ...], expected: dict[str, str]
) -> None:
    body = typed(*rows, non_targets=({"organ": "bone"},), more="to_non_target-0")
    answer = pages(cast.coordinator).post(f"/patients/{patient.pk}/visits/new/", body)
    assert moved(answer.content.decode()) == expected
    assert "There is a problem" not in answer.content.decode()
    assert not Visit.objects.exists()


@pytest.mark.parametrize("more", ["to_non_target-9", "to_non_target-", "to_non_target-²", "x"])
def test_an_unknown_move_changes_nothing(
    cast: Cast, pages: Pages, patient: Patient, more: str
) -> None:
    answer = pages(cast.coordinator).post(
        f"/patients/{patient.pk}/visits/new/", typed(LIVER, more=more)
    )
    assert moved(answer.content.decode()) == {
        "targets-0-organ": "liver", "targets-0-diameter_mm": "22",
    }  # fmt: skip


def test_a_full_page_of_non_targets_gets_one_row_more(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    others = tuple({"organ": f"site {number}"} for number in range(3))
    body = typed(LIVER, non_targets=others, more="to_non_target-0")
    answer = pages(cast.coordinator).post(f"/patients/{patient.pk}/visits/new/", body)
    page = answer.content.decode()
    assert moved(page)["non_targets-3-organ"] == "liver"
    assert 'name="non_targets-rows"\n         value="4"' in page


def test_a_stored_baseline_shows_its_rows_and_offers_no_move(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    first = factories.START - timedelta(days=5)
    rows = (factories.target("T01", 20, organ="bone"),)
    visit = factories.baseline(patient, by=cast.coordinator, on=first, targets=rows)
    client = pages(cast.coordinator)
    page = client.get(f"/visits/{visit.pk}/edit/").content.decode()
    assert "1 of 5 targets; bone 1 of 2" in plain(page)
    assert "6 days before the first dose" in page
    assert "T01 is in bone" in page
    small = typed({"organ": "liver", "diameter_mm": "8"}, visit=str(visit.pk))
    preview = client.post(f"/patients/{patient.pk}/visits/preview/", small).content.decode()
    assert "is not measurable" in preview
    assert "Make T01" not in preview


def test_every_organ_is_suggested(cast: Cast, pages: Pages, patient: Patient) -> None:
    page = pages(cast.coordinator).get(f"/patients/{patient.pk}/visits/new/").content.decode()
    assert page.count('list="organs"') == 5 + 3 + 1
    for organ in ("liver", "lymph node", "soft tissue", "head and neck"):
        assert f'<option value="{organ}">' in page


def test_statements_of_a_preview_do_not_grow(
    cast: Cast, pages: Pages, patient: Patient,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    client: Any = pages(cast.coordinator)
    for rows in (1, 5):
        with django_assert_num_queries(6):
            client.post(f"/patients/{patient.pk}/visits/preview/", typed(*[LIVER] * rows))


def test_a_refused_baseline_counts_what_was_typed_and_offers_the_way_out(
    cast: Cast, pages: Pages, patient: Patient
) -> None:
    lung = {"organ": "lung", "diameter_mm": "12", "slice_mm": "8"} | CT
    body = typed(LIVER, LIVER, LIVER, lung)
    answer = pages(cast.coordinator).post(f"/patients/{patient.pk}/visits/new/", body)
    assert answer.status_code == 422
    page = plain(answer.content.decode())
    assert "4 of 5 targets; liver 3 of 2; lung 1 of 2" in page
    assert "Sum 78 mm" in page  # 3 x 22 + 12
    assert "Make T03 a non-target" in page
    assert "Make T04 a non-target" in page


def test_an_organ_that_names_nodes_is_said_to_be_judged_as_one(
    said: Callable[[Body], dict[str, str]],
) -> None:
    node = {"organ": "lymph node", "diameter_mm": "20"} | CT
    assert "Judged as a lymph node." in said(typed(node))["targets-0"]
    assert "Judged as" not in said(typed(node | {"nodal": "on"}))["targets-0"]
