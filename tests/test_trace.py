"""The seed studies: every value has a source, and the words are in the documents."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fixtures import trace
from fixtures.trace import Elsewhere, NotStated, Quoted, Sources, Study

STUDIES = {study.name: study for study in trace.studies()}
EACH = pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
DIRECTORY = os.environ.get("SEEDS_DIR", "")


def record_of(name: str) -> dict[str, Any]:
    return STUDIES[name].record


@EACH
def test_every_value_has_a_source(study: Study) -> None:
    assert study.name == study.record["registry_id"]
    assert trace.untraced(study) == []
    assert trace.astray(study) == []


@EACH
@pytest.mark.skipif(not DIRECTORY, reason="SEEDS_DIR does not name the source documents")
def test_the_words_are_in_the_documents(study: Study) -> None:
    assert trace.problems(study, Path(DIRECTORY)) == []


# The registered plan of each study: the documents, as the issue names them.
PLANS = [("NCT04172805", 70, True), ("NCT03890068", 48, True), ("SUN-2022", 32, True),
         ("NCT04813406", 53, False)]  # fmt: skip


@pytest.mark.parametrize(("name", "planned", "sarcoma"), PLANS)
def test_the_studies_are_all_there(name: str, planned: int, sarcoma: bool) -> None:
    record = record_of(name)
    assert record["enrollment_target"] == planned
    assert record["sarcoma"] is sarcoma
    assert record["sites"][0]["code"] == "01"


FORTNIGHT = list(range(1, 15))
REGIMENS = [
    ("NCT04172805", "Anlotinib", (12, "mg", "oral", FORTNIGHT, 21)),
    ("NCT04172805", "Toripalimab", (240, "mg", "", [1], 21)),
    ("NCT03890068", "Anlotinib Hydrochloride", (12, "mg", "oral", FORTNIGHT, 21)),
    ("NCT04813406", "Anlotinib", (None, "", "", [], None)),
    ("NCT04813406", "Sindilimab", (None, "", "", [], None)),
]


@pytest.mark.parametrize(("name", "drug", "schedule"), REGIMENS)
def test_regimens(name: str, drug: str, schedule: tuple[Any, ...]) -> None:
    (arm,) = record_of(name)["arms"]
    (found,) = (row for row in arm["interventions"] if row["name"] == drug)
    keys = ("dose", "unit", "route", "days_on", "cycle_days")
    assert tuple(found[key] for key in keys) == schedule


PRINTED_TITLES = [
    ("NCT03890068", [
        "Progress free survival for anlotinib maintenance treatment", "Overall Survival",
        "Objective Response Rate", "Disease Control Rate", "Safety profile",
    ]),
    ("NCT04172805", [
        "Objective Response Rate", "Progress free survival", "Overall Survival",
        "Disease Control Rate",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "titles"), PRINTED_TITLES)
def test_endpoints_are_as_printed(name: str, titles: list[str]) -> None:
    endpoints = record_of(name)["endpoints"]
    assert [row["title"] for row in endpoints] == titles
    (rate,) = (row for row in endpoints if row["kind"] == "ORR")
    assert "Version 1.1.prior to progression" in rate["wording"]
    assert "Version 1.1.prior" in rate["note"]


@EACH
def test_wording_is_of_the_source_alone(study: Study) -> None:
    """Traced as it stands, without a quote of a part, so that every word has to be there."""
    for index in range(len(study.record["endpoints"])):
        (source,) = study.traces[f"/endpoints/{index}/wording"]
        assert isinstance(source, Quoted)
        assert source.quote is None


@EACH
def test_no_superscript_is_lost(study: Study) -> None:
    """10⁹/L and 10⁴ copies are printed 109 and 104 in the documents."""
    texts = [criterion["text"] for criterion in study.record["criteria"]]
    assert not [text for text in texts if re.search(r"\b10[49]\b", text)]


def study_of(record: dict[str, Any], **traces: Any) -> Study:
    named = {f"/{name.replace('__', '/')}": trace for name, trace in traces.items()}
    return Study("X", record, Sources.model_validate(named).root)


WORDS = {"seed": "001", "line": 2, "quote": "48 cases"}


def test_what_has_no_trace_is_told() -> None:
    record = {"a": 1, "b": {"c": [], "d": [{"e": ""}]}}
    assert trace.untraced(study_of(record)) == ["/a", "/b/c", "/b/d/0/e"]
    assert trace.untraced(study_of(record, a=[WORDS], b__d=[WORDS])) == ["/b/c"]


def test_a_trace_of_nothing_is_told() -> None:
    itself = {"seed": "001", "line": 2}
    study = study_of({"a": 48, "b": "48"}, a=[itself], b=[itself], c=[WORDS])
    assert trace.astray(study) == ["/a", "/c"]


CITED = [
    ({"a": 48}, WORDS, []),
    ({"a": "48 cases"}, {"seed": "001", "line": 2}, []),
    ({"a": "49 cases"}, {"seed": "001", "line": 2}, ["/a: 001, line 2"]),
    ({"a": 48}, WORDS | {"line": 1}, ["/a: 001, line 1"]),
    ({"a": 48}, WORDS | {"line": 99}, ["/a: 001, line 99"]),
    ({"a": 48}, WORDS | {"quote": "49 cases"}, ["/a: 001, line 2"]),
    ({"a": 48}, {"not_stated": "a default"}, []),
]


@pytest.mark.parametrize(("record", "source", "told"), CITED)
def test_misquotations_are_told(
    record: dict[str, Any], source: dict[str, Any], told: list[str], tmp_path: Path
) -> None:
    (tmp_path / "001_x.txt").write_text("A title\nof 48 cases\n", "utf-8")
    assert trace.misquoted(study_of(record, a=[source]), tmp_path) == told


@pytest.mark.parametrize("source", [
    {}, {"seed": "005", "line": 1}, {"seed": "001", "line": 0}, {"seed": "001"}, WORDS | {"x": 1},
    {"not_stated": ""}, {"elsewhere": "a copy"}, WORDS | {"quote": "long " * 100},
])  # fmt: skip
def test_a_source_of_another_shape_is_refused(source: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Sources.model_validate({"/a": [source]})


def test_the_kinds_of_source() -> None:
    told = [WORDS, {"elsewhere": "a copy", "note": "phase 2"}, {"not_stated": "blank"}]
    found = Sources.model_validate({"/a": told}).root["/a"]
    assert [type(source) for source in found] == [Quoted, Elsewhere, NotStated]
    with pytest.raises(ValidationError):
        Sources.model_validate({"/a": []})
