"""Eligibility texts split into criteria: the shapes that registries print."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trials.eligibility_text import joined, split

STUDIES = Path(__file__).parent.parent / "reference" / "ctgov"


def told(text: str) -> list[str]:
    """Each criterion as "i: text" or "e: text"."""
    return [f"{found.kind[0]}: {found.text}" for found in split(text).criteria]


@pytest.mark.parametrize(
    "heading",
    [
        "Inclusion Criteria:",
        "INCLUSION CRITERIA",
        "Inclusion criteria",
        "**Inclusion Criteria:**",
        "Key Inclusion Criteria:",
        "Main inclusion criterion:",
        "Inclusion:",
        "Inclusion Criteria (Part A):",
        "Inclusion criteria include the following:",
        "Criteria for inclusion:",
        "Included criteria：",
        "入选标准：",
    ],
)
def test_headings_in_their_usual_spellings(heading: str) -> None:
    letters = {"Inclu": "Exclu", "INCLU": "EXCLU", "inclu": "exclu", "入选": "排除"}
    twin = re.sub("(?i)inclu|入选", lambda found: letters[found[0]], heading, count=1)
    text = f"{heading}\n\n* age 18\n\n{twin}\n\n* pregnancy"
    assert told(text) == ["i: age 18", "e: pregnancy"]
    assert split(text).remarks == ()


@pytest.mark.parametrize(
    "line",
    [
        "Exclusion criteria of the parent study apply.",
        "Inclusion of a measurable lesion is required",
        "Patients excluded from surgery: any stage",
        "The investigator judges the inclusion criteria: met",
    ],
)
def test_sentences_about_inclusion_are_no_headings(line: str) -> None:
    assert told(f"Inclusion Criteria:\n\n* one\n* {line}") == ["i: one", f"i: {line}"]


@pytest.mark.parametrize("mark", ["*", "-", "•", "–", "1.", "1)", "(1)", "a)"])
def test_bullets(mark: str) -> None:
    second = mark.replace("1", "2").replace("a", "b")
    assert told(f"Inclusion Criteria:\n{mark} one\n{second} two") == ["i: one", "i: two"]


@pytest.mark.parametrize("indent", ["", "  ", "    "])
def test_nested_bullets_stay_with_their_parent(indent: str) -> None:
    text = f"Inclusion Criteria:\n\n* organs:\n\n{indent}1. Hb\n{indent}2. ANC\n* age"
    parents = told(text)
    assert len(parents) == 2
    assert [line.strip() for line in parents[0].split("\n")] == ["i: organs:", "1. Hb", "2. ANC"]
    assert parents[1] == "i: age"


def test_wrapped_lines_are_joined_and_paragraphs_kept_apart() -> None:
    text = (
        "Inclusion Criteria:\n\n          -  Age of 18\n             or older\n\n          -  ECOG"
    )
    assert told(text) == ["i: Age of 18 or older", "i: ECOG"]


def test_subheadings_are_where_a_criterion_stands() -> None:
    text = "Inclusion Criteria:\n\nFor cohort A:\n\n* age\n\nFor cohort B:\n\n* weight"
    assert [found.source for found in split(text).criteria] == ["For cohort A", "For cohort B"]


def test_a_text_without_headings_is_inclusion_and_says_so() -> None:
    found = split("* adult\n* ECOG 0")
    assert [criterion.kind for criterion in found.criteria] == ["inclusion", "inclusion"]
    assert found.remarks == ("no_headings",)
    assert split("").criteria == split("  \n ").criteria == ()


def test_lines_without_bullets_are_criteria() -> None:
    assert told("Inclusion Criteria:\n\nAdult\nECOG 0\n\nExclusion:\nPregnant") == [
        "i: Adult",
        "i: ECOG 0",
        "e: Pregnant",
    ]


def test_a_heading_at_the_end_of_a_line_and_bullets_within_one() -> None:
    text = (
        "Inclusion Criteria\n\n• one; – two; – three. Exclusion Criteria:\n\n• four. – five. – six."
    )
    assert told(text) == [
        *("i: one;", "i: two;", "i: three."),
        *("e: four.", "e: five.", "e: six."),
    ]


@pytest.mark.parametrize(
    ("printed", "text", "note"),
    [
        ("ANC ≥ 1.5 x 109/L", "ANC ≥ 1.5 x 10^9/L", "1.5 x 109/L"),
        ("ANC ≥ 1.5 × 109 / L", "ANC ≥ 1.5 × 10^9 / L", "1.5 × 109 / L"),
        ("RBC 4 x 1012/L", "RBC 4 x 10^12/L", "4 x 1012/L"),
        ("WBC 3*103/μL", "WBC 3*10^3/μL", "3*103/μL"),
        ("HBV DNA ≥ 104 copies/mL", "HBV DNA ≥ 10^4 copies/mL", "104 copies"),
        ("HBV-DNA > 103 copy number / ml", "HBV-DNA > 10^3 copy number / ml", "103 copy"),
    ],
)
def test_lost_superscripts_are_restored_and_noted(printed: str, text: str, note: str) -> None:
    (found,) = split(f"Inclusion Criteria:\n* {printed}").criteria
    assert found.text == text
    assert found.note == f"superscript restored: printed {note}"


@pytest.mark.parametrize(
    "text",
    [
        "ANC ≥ 1.5 x 10^9/L",
        "ANC ≥ 1.5 × 10⁹/L",
        "Hb ≥ 109 g/L",
        "at most 104 copies of the form",
        "HBV DNA ≥ 104 IU/mL",
        "HBV DNA ≥ 2.104 copies/mL",
        "platelets 1.5 x 1093/L",
        "104 patients",
    ],
)
def test_what_is_no_lost_superscript_stays(text: str) -> None:
    (found,) = split(f"Inclusion Criteria:\n* {text}").criteria
    assert (found.text, found.note) == (text, "")


def test_the_backslashes_of_markdown_are_no_part_of_the_text() -> None:
    assert told(r"Inclusion Criteria:" + "\n" + r"* Hb \> 9 \[g/dL\], 10\^9/L") == [
        "i: Hb > 9 [g/dL], 10^9/L"
    ]


def test_the_text_of_alter_s006() -> None:
    study = json.loads((STUDIES / "NCT03890068.json").read_text())
    text = study["protocolSection"]["eligibilityModule"]["eligibilityCriteria"]
    kinds = [found.kind for found in split(text).criteria]
    assert (kinds.count("inclusion"), kinds.count("exclusion")) == (7, 16)
    assert (
        split(text).criteria[4].text == "PR/SD patients after ≥4 cycles anthracyclines treatment ."
    )
    assert [found.note for found in split(text).criteria if found.note] == [
        "superscript restored: printed 1.5 × 109 / L, 80 × 109 / L"
    ]


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@given(st.lists(st.tuples(st.sampled_from(["inclusion", "exclusion"]), WORDS)))
def test_no_text_is_too_strange(criteria: list[tuple[str, str]]) -> None:
    split(joined(criteria))


@given(st.text(st.sampled_from("Inclusion criteria:* \n-1.(a)•–;109/Lx"), max_size=200))
def test_nothing_but_headings_and_bullets_is_lost(text: str) -> None:
    kept = "".join(found.text + found.source for found in split(text).criteria)
    assert kept.count("/") == text.count("/")  # no bullet and no heading has one


@pytest.mark.parametrize("text", ["-I\n9:", "- a\nFirst:\nSecond:\n- b", "- a\n\nAt the end:"])
def test_a_subheading_without_bullets_is_a_criterion(text: str) -> None:
    kept = "".join(found.text + found.source for found in split(text).criteria)
    assert all(word in kept for word in re.findall(r"\w{2,}|9", text))


@pytest.mark.parametrize(
    "text", ["* a\n" * 25_000, " " * 99_000 + "x", "Inclusion " * 9_000, "1. " * 30_000]
)
def test_long_texts_take_no_long_time(text: str) -> None:
    began = time.process_time()
    split(text)
    assert time.process_time() - began < 5
