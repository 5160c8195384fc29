"""The CTCAE terms: complete, unique, and found by what people type in either language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from patients import ctcae

ROOT = Path(__file__).resolve().parent.parent.parent


def test_both_versions_are_complete() -> None:
    # The National Cancer Institute's counts of terms: 837 in version 5.0, 790 in 4.03.
    assert [len(ctcae.terms(version)) for version in ("5.0", "4.03")] == [837, 790]
    assert len({row.system_organ_class for row in ctcae.terms()}) == 26
    assert ctcae.terms("9") == ctcae.terms("")


def test_no_two_terms_are_called_alike() -> None:
    for names in ([row.term for row in ctcae.terms()], [row.chinese for row in ctcae.terms()]):
        assert len(names) == len({ctcae.fold(name) for name in names})


def test_grades_are_those_of_version_5() -> None:
    for row in ctcae.terms():
        assert (row.grades is None) == ("5.0" not in row.versions), row
        assert set(row.grades or (1,)) <= set(ctcae.GRADES), row
    published = {
        "Hypertension": (1, 2, 3, 4, 5), "Proteinuria": (1, 2, 3), "Fatigue": (1, 2, 3),
        "Palmar-plantar erythrodysesthesia syndrome": (1, 2, 3), "Alopecia": (1, 2),
        "Platelet count decreased": (1, 2, 3, 4), "Febrile neutropenia": (3, 4, 5),
        "Thyroid stimulating hormone increased": (1,), "Death NOS": (5,), "Syncope": (3,),
    }  # fmt: skip
    grades = {term: known.grades for term in published if (known := ctcae.known(term))}
    assert grades == published


def test_the_studies_of_this_registry_use_terms_of_ctcae() -> None:
    for path in ROOT.glob("fixtures/*/records.ndjson"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for term in {line["term"] for line in lines if line["record"] == "adverse_event"}:
            assert ctcae.known(term), (path.parent.name, term)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("hypertension", "Hypertension"),
        ("HYPERTEN", "Hypertension"),
        ("高血压", "Hypertension"),
        ("血压高", "Hypertension"),
        ("high blood", "Hypertension"),
        ("hand-foot", "Palmar-plantar erythrodysesthesia syndrome"),
        ("hand foot syndrome", "Palmar-plantar erythrodysesthesia syndrome"),
        ("PPES", "Palmar-plantar erythrodysesthesia syndrome"),
        ("手足综合征", "Palmar-plantar erythrodysesthesia syndrome"),
        ("手足", "Palmar-plantar erythrodysesthesia syndrome"),
        ("diarrhoea", "Diarrhea"),
        ("anaemia", "Anemia"),
        ("ＡＬＴ", "Alanine aminotransferase increased"),
        ("转氨酶", "Alanine aminotransferase increased"),
        ("蛋白尿", "Proteinuria"),
        ("甲减", "Hypothyroidism"),
        ("TSH", "Thyroid stimulating hormone increased"),
        ("血小板", "Platelet count decreased"),
        ("thrombocytopenia", "Platelet count decreased"),
        ("口腔粘膜炎", "Mucositis oral"),
        ("咯血", "Bronchopulmonary hemorrhage"),
        ("hemoptysis", "Bronchopulmonary hemorrhage"),
        ("声音嘶哑", "Hoarseness"),
        ("triglyceride", "Hypertriglyceridemia"),
        ("wound heal", "Wound complication"),
        ("count platelet", "Platelet count decreased"),
    ],
)
def test_what_people_type_is_found(typed: str, first: str) -> None:
    assert ctcae.search(typed)[0].term == first


def test_nothing_is_found_of_nothing() -> None:
    for typed in ("", "  ", "-", "qqq", "hypertension xyz"):
        assert ctcae.search(typed) == []
    assert len(ctcae.search("a")) == ctcae.MOST
    assert len(ctcae.search("a", most=None)) > 500


@pytest.mark.parametrize(
    ("typed", "version", "meant"),
    [
        ("Hypertension", "5.0", "Hypertension"),
        (" hypertension ", "", "Hypertension"),
        ("高血压", "5.0", "Hypertension"),
        ("hand-foot syndrome", "5.0", "Palmar-plantar erythrodysesthesia syndrome"),
        ("rash", "5.0", "Rash maculo-papular"),
        ("转氨酶升高", "5.0", None),  # of two enzymes
        ("hyper", "5.0", None),
        ("", "5.0", None),
        ("Shingles", "5.0", "Shingles"),
        ("Shingles", "4.03", None),  # new in 5.0
        ("Menopause", "4.03", "Menopause"),
        ("Menopause", "5.0", None),  # gone since
    ],
)
def test_one_term_is_meant_or_none(typed: str, version: str, meant: str | None) -> None:
    found = ctcae.meant(typed, version)
    assert (found.term if found else None) == meant


def test_names_follow_the_reader() -> None:
    assert ctcae.name("Proteinuria", "zh-hans") == "蛋白尿"
    assert ctcae.name("PROTEINURIA", "zh-hans") == "蛋白尿"
    assert ctcae.name("Proteinuria", "en") == "Proteinuria"
    assert ctcae.name("蛋白尿", "en") == "Proteinuria"
    assert ctcae.name("Toe trouble", "zh-hans") == "Toe trouble"


@pytest.mark.parametrize(
    ("term", "grade", "version", "defined"),
    [
        ("Alopecia", 3, "5.0", False), ("Alopecia", 2, "5.0", True),
        ("Alopecia", 3, "4.03", True), ("Alopecia", 3, "", True),
        ("Menopause", 4, "5.0", True), ("Toe trouble", 4, "5.0", True),
    ],
)  # fmt: skip
def test_a_grade_that_ctcae_does_not_define(
    term: str, grade: int, version: str, defined: bool
) -> None:
    assert (ctcae.undefined_grade(term, grade, version) is None) == defined
