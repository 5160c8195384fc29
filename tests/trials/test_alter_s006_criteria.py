"""ALTER-S006: for each criterion a patient just inside, one just outside, and one not known.

The limits are those of the registry entry NCT03890068; the dates are counted by hand from
2026-11-20.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from trials import eligibility
from trials.eligibility import Judgment, Result
from trials.screening_values import read

FIXTURES = Path(__file__).parents[2] / "fixtures"
TRIAL = json.loads((FIXTURES / "NCT03890068" / "trial.json").read_text("utf-8"))
CRITERIA = TRIAL["criteria"]
SCREENED_ON = date(2026, 11, 20)
Document = dict[str, Any]


def value(answer: Any, unit: str | None = None, **limits: float) -> Document:
    return {"value": answer} | ({"unit": unit} if unit else {}) | limits


YES, NO, NEVER, LEFT_OUT = value(True), value(False), value("never"), None
ATTESTED = [
    *("informed_consent", "survival_over_3_months", "pathologically_confirmed_advanced"),
    *("contraception_women", "contraception_men"),
]
DENIED = [
    *("oral_medication_impossible", "thyroid_dysfunction", "arrhythmia_ischemia_uncontrolled"),
    *("vessel_invasion_likely", "substance_abuse_or_mental_disorder", "investigator_objection"),
]
ELIGIBLE: Document = {
    "age": value(52),
    "sex": value("male"),
    "ecog": value(1),
    "histology": value("leiomyosarcoma"),
    "measurable_disease": YES,
    "anthracycline_cycles": value(6),
    "anthracycline_response": value("PR"),
    "liver_metastases": NO,
    "hemoglobin": value(121, "g/L"),
    "neutrophils": value(3.2, "10^9/L"),
    "platelets": value(210, "10^9/L"),
    "creatinine": value(80, "umol/L", uln=104),
    "urea_nitrogen": value(5, "mmol/L", uln=8),
    "bilirubin": value(12, "umol/L", uln=20.5),
    "ast": value(25, "U/L", uln=40),
    "alt": value(30, "U/L", uln=50),
    "albumin": value(41, "g/L"),
    "lvef": value(62, "%"),
    "prior_anlotinib": NO,
    "other_malignancy_on": NEVER,
    "systemic_therapy_on": value("2026-10-09"),
    "systemic_therapy_planned": NO,
    "radiotherapy_on": NEVER,
    "residual_toxicity_grade": value(0),
    "effusion_or_ascites": NO,
    "brain_metastases": NO,
    "systolic_pressure": value(128, "mmHg"),
    "diastolic_pressure": value(80, "mmHg"),
    "qtc": value(420, "ms"),
    "nyha_class": value("none"),
    "fasting_glucose": value(5.4, "mmol/L"),
    "infection_grade": value(0),
    "hbsag_positive": NO,
    "hcv_rna_positive": NO,
    "antimicrobial_treatment": NO,
    "urine_protein": value("negative"),
    "urine_protein_24h_measured": NO,
    "seizures_treated": NO,
    "surgery_on": NEVER,
    "unhealed_wound": NO,
    "bleeding_grade": value(0),
    "thrombosis_on": NEVER,
    "other_trial_on": NEVER,
    **{f"attest:{code}": YES for code in ATTESTED},
    **{f"attest:{code}": NO for code in DENIED},
}
WOMAN: Document = {
    "sex": value("female"),
    "childbearing_potential": YES,
    "lactating": NO,
    "pregnancy_test": value("negative"),
    "pregnancy_test_on": value("2026-11-18"),
}
CREATININE_HIGH = {"creatinine": value(156.1, "umol/L", uln=104)}
LIVER = {"liver_metastases": YES}
BRAIN = {"brain_metastases": YES, "brain_metastases_controlled_on": value("2026-08-01")}
DYSPNEA = {"effusion_or_ascites": YES, "dyspnea_grade": value(1)}
HIGH = {"systolic_pressure": value(150, "mmHg"), "antihypertensives_optimal": NO}
HBV = {"hbsag_positive": YES, "hbv_dna": value(100, "IU/mL")}
HCV = {"hcv_rna_positive": YES, "liver_function_abnormal": NO}
URINE = {"urine_protein_24h_measured": YES, "urine_protein_24h": value(0.2, "g")}
BLED = {"bleeding_grade": value(4), "bleeding_on": value("2026-01-15")}
WOUND = {"unhealed_wound": YES, "surgery_on": value("2026-01-15")}


def attested(code: str, holds: bool = True) -> tuple[Document, Document, Document]:
    """Inside, outside and unknown of an attestation alone."""
    item = f"attest:{code}"
    return {item: value(holds)}, {item: value(not holds)}, {item: LEFT_OUT}


def one(item: str, inside: Document, outside: Document) -> tuple[Document, Document, Document]:
    """Inside, outside and unknown of one item."""
    return {item: inside}, {item: outside}, {item: LEFT_OUT}


def uln(item: str, unit: str, limit: float, inside: float, outside: float) -> tuple[Document, ...]:
    """As `one`, of a multiple of the upper limit of normal."""
    return one(item, value(inside, unit, uln=limit), value(outside, unit, uln=limit))


# criterion (how its text starts): (just inside, just outside, unknown), on top of ELIGIBLE
Row = tuple[str, tuple[Document, ...]]
INCLUSION: list[Row] = [
    ("Signed and dated", attested("informed_consent")),
    ("18-70 years", one("age", value(18), value(17))),
    ("18-70 years", one("age", value(70), value(71))),
    ("ECOG", one("ecog", value(2), value(3))),
    ("ECOG", one("ecog", value(0), value(5))),
    ("Expected Survival", attested("survival_over_3_months")),
    ("Subjects with path", attested("pathologically_confirmed_advanced")),
    ("Subjects with path", one("histology", value("LPS"), value("GIST"))),
    ("Subjects with path", one("histology", value("平滑肌肉瘤"), value("横纹肌肉瘤"))),
    ("Subjects with path", one("histology", value("myxoid liposarcoma"), value("UPS"))),
    (  # "etc.": an investigator decides
        "Subjects with path",
        (
            {"histology": value("epithelioid sarcoma"), "attest:other_soft_tissue_sarcoma": YES},
            {"histology": value("epithelioid sarcoma"), "attest:other_soft_tissue_sarcoma": NO},
            {"histology": value("epithelioid sarcoma")},
        ),
    ),
    (  # what is excepted stays out, whatever is attested; a name that is not known is unknown
        "Subjects with path",
        (
            {"histology": value("Leiomyosarkom"), "attest:other_soft_tissue_sarcoma": YES},
            {"histology": value("Ewing's sarcoma"), "attest:other_soft_tissue_sarcoma": YES},
            {"histology": value("Leiomyosarkom")},
        ),
    ),
    (
        "Evaluable disease",
        (
            {"measurable_disease": NO, "evaluable_disease": YES},
            {"measurable_disease": NO, "evaluable_disease": NO},
            {"measurable_disease": NO},
        ),
    ),
    ("PR/SD patients", one("anthracycline_cycles", value(4), value(3))),
    ("PR/SD patients", one("anthracycline_response", value("SD"), value("PD"))),
    ("PR/SD patients", one("anthracycline_response", value("PR"), value("CR"))),
    ("Hemoglobin", one("hemoglobin", value(80, "g/L"), value(79.9, "g/L"))),
    ("Hemoglobin", one("hemoglobin", value(8, "g/dL"), value(7.99, "g/dL"))),
    ("Neutrophils", one("neutrophils", value(1.5, "10^9/L"), value(1.49, "10^9/L"))),
    ("Neutrophils", one("neutrophils", value(1500, "/uL"), value(1499, "/uL"))),
    ("Platelet count", one("platelets", value(80, "10^9/L"), value(79, "10^9/L"))),
    (
        "Serum creatinine",
        (
            {"creatinine": value(156, "umol/L", uln=104)},
            CREATININE_HIGH | {"creatinine_clearance": value(59.9, "mL/min")},
            CREATININE_HIGH,
        ),
    ),
    (
        "Serum creatinine",
        (
            {"creatinine": value(2, "mg/dL", uln=1.2), "creatinine_clearance": value(60, "mL/min")},
            CREATININE_HIGH | {"creatinine_clearance": value(0.99, "mL/s")},
            {"creatinine": value(1.81, "mg/dL"), "creatinine_clearance": LEFT_OUT},
        ),
    ),
    (  # either is enough: no creatinine, or no limit of the laboratory
        "Serum creatinine",
        (
            {"creatinine": LEFT_OUT, "creatinine_clearance": value(60, "mL/min")},
            CREATININE_HIGH | {"creatinine_clearance": value(59, "mL/min")},
            {"creatinine": value(80, "umol/L"), "creatinine_clearance": value(59, "mL/min")},
        ),
    ),
    ("Blood urea nitrogen", uln("urea_nitrogen", "mmol/L", 8, 20, 20.1)),
    ("Total bilirubin", uln("bilirubin", "umol/L", 20.5, 30.75, 30.76)),
    ("Aspartate", uln("ast", "U/L", 40, 100, 101)),
    ("Aspartate", uln("alt", "U/L", 50, 125, 126)),
    (
        "Aspartate",
        (
            LIVER | {"ast": value(200, "U/L", uln=40), "alt": value(250, "U/L", uln=50)},
            LIVER | {"ast": value(201, "U/L", uln=40)},
            {"liver_metastases": LEFT_OUT, "ast": value(101, "U/L", uln=40)},
        ),
    ),
    (  # above 5 x ULN is out with or without liver metastases, below 2.5 x ULN in
        "Aspartate",
        (
            {"liver_metastases": LEFT_OUT},
            {"liver_metastases": LEFT_OUT, "ast": value(201, "U/L", uln=40)},
            {"ast": value(25, "U/L")},
        ),
    ),
    ("Albumin", one("albumin", value(25, "g/L"), value(24.9, "g/L"))),
    ("Doppler", one("lvef", value(50, "%"), value(49, "%"))),
    ("The woman patients", tuple(WOMAN | row for row in attested("contraception_women"))),
    (
        "who are not in the lactation",
        (WOMAN, WOMAN | {"lactating": YES}, WOMAN | {"lactating": LEFT_OUT}),
    ),
    (
        "examined as negative",
        tuple(
            WOMAN | row
            for row in one("pregnancy_test_on", value("2026-11-13"), value("2026-11-12"))
        ),
    ),
    (
        "examined as negative",
        tuple(WOMAN | row for row in one("pregnancy_test", value("negative"), value("positive"))),
    ),
    (  # past childbearing no test is asked
        "examined as negative",
        (
            {"sex": value("female"), "childbearing_potential": NO},
            WOMAN | {"pregnancy_test": value("positive")},
            {"sex": value("female")},
        ),
    ),
    ("The man patients", attested("contraception_men")),
]
EXCLUSION: list[Row] = [
    ("Prior treatment with anlotinib", one("prior_anlotinib", NO, YES)),
    (
        "A history of other malignancy",
        one("other_malignancy_on", value("2021-11-19"), value("2021-11-20")),
    ),
    ("Systemic anti-tumor", one("systemic_therapy_on", value("2026-10-22"), value("2026-10-23"))),
    ("Systemic anti-tumor", one("systemic_therapy_planned", NO, YES)),
    ("Radiation", one("radiotherapy_on", value("2026-10-22"), value("2026-10-23"))),
    ("Unmitigated toxic", one("residual_toxicity_grade", value(1), value(2))),
    ("Symptoms that affect oral", attested("oral_medication_impossible", False)),
    (
        "With pleural effusion",
        tuple(DYSPNEA | row for row in one("dyspnea_grade", value(2), value(3))),
    ),
    (
        "Symptoms of brain metastases",
        tuple(
            BRAIN | row
            for row in one(
                "brain_metastases_controlled_on", value("2026-09-20"), value("2026-09-21")
            )
        ),
    ),
    (
        "Symptoms of brain metastases",
        (
            BRAIN,
            BRAIN | {"brain_metastases_controlled_on": NEVER},
            {"brain_metastases": LEFT_OUT},
        ),
    ),
    ("Thyroid dysfunction", attested("thyroid_dysfunction", False)),
    (
        "Uncontrollable hypertension",
        (
            {"systolic_pressure": value(139, "mmHg"), "diastolic_pressure": value(89, "mmHg")},
            {"systolic_pressure": value(140, "mmHg"), "antihypertensives_optimal": YES},
            {"systolic_pressure": value(140, "mmHg")},
        ),
    ),
    (
        "Uncontrollable hypertension",
        (
            HIGH,
            {"diastolic_pressure": value(90, "mmHg"), "antihypertensives_optimal": YES},
            HIGH | {"antihypertensives_optimal": LEFT_OUT},
        ),
    ),
    ("Arrhythmias", attested("arrhythmia_ischemia_uncontrolled", False)),
    ("(including corrected QT", one("qtc", value(449, "ms"), value(450, "ms"))),
    ("(including corrected QT", one("qtc", value(0.449, "s"), value(0.45, "s"))),
    (
        "(including corrected QT",
        tuple(WOMAN | row for row in one("qtc", value(469, "ms"), value(470, "ms"))),
    ),
    (  # between the limits the sex decides; beyond both it does not
        "(including corrected QT",
        (
            WOMAN | {"qtc": value(455, "ms")},
            {"sex": LEFT_OUT, "qtc": value(470, "ms")},
            {"sex": LEFT_OUT, "qtc": value(455, "ms")},
        ),
    ),
    ("≥ 2 congestive heart", one("nyha_class", value("I"), value("II"))),
    (
        "Poor control of diabetes",
        one("fasting_glucose", value(10, "mmol/L"), value(10.1, "mmol/L")),
    ),
    (
        "Poor control of diabetes",
        one("fasting_glucose", value(180, "mg/dL"), value(180.1, "mg/dL")),
    ),
    ("Active or uncontrolled serious", one("infection_grade", value(1), value(2))),
    (
        "hepatitis B",
        tuple(HBV | row for row in one("hbv_dna", value(499, "IU/mL"), value(500, "IU/mL"))),
    ),
    (
        "hepatitis B",
        (
            HBV | {"hbv_dna": value(2499, "copies/mL")},
            HBV | {"hbv_dna": value(2500, "copies/mL")},
            {"hbsag_positive": LEFT_OUT},
        ),
    ),
    ("hepatitis C", tuple(HCV | row for row in one("liver_function_abnormal", NO, YES))),
    ("active infection requiring", one("antimicrobial_treatment", NO, YES)),
    ("renal insufficiency", one("urine_protein", value("+"), value("++"))),
    (
        "renal insufficiency",
        tuple(URINE | row for row in one("urine_protein_24h", value(0.99, "g"), value(1, "g"))),
    ),
    ("Patients with seizures", one("seizures_treated", NO, YES)),
    ("Accepted surgical", one("surgery_on", value("2026-10-22"), value("2026-10-23"))),
    ("The investigator judged", attested("vessel_invasion_likely", False)),
    (
        "Any major unhealed wound",
        tuple(WOUND | row for row in one("surgery_on", value("2026-10-22"), value("2026-10-23"))),
    ),
    (
        "had any bleeding",
        tuple(
            BLED | row
            for row in (
                {"bleeding_grade": value(3), "bleeding_on": value("2026-11-19")},
                {"bleeding_grade": value(4), "bleeding_on": value("2026-10-23")},
                {"bleeding_on": LEFT_OUT},
            )
        ),
    ),
    (
        "had any bleeding",
        tuple(BLED | row for row in one("bleeding_on", value("2026-10-22"), value("2026-10-23"))),
    ),
    ("Arteriovenous", one("thrombosis_on", value("2026-05-19"), value("2026-05-20"))),
    ("History of psychotropic", attested("substance_abuse_or_mental_disorder", False)),
    ("Participated in other", one("other_trial_on", value("2026-10-22"), value("2026-10-23"))),
    ("The investigator believes", attested("investigator_objection", False)),
]
ROWS = [("inclusion", *row) for row in INCLUSION] + [("exclusion", *row) for row in EXCLUSION]


def criterion(kind: str, start: str) -> Document:
    """The one criterion of this kind that starts so."""
    [found] = [c for c in CRITERIA if c["kind"] == kind and c["text"].startswith(start)]
    return dict(found)


def judged(row: Document, changes: Document) -> Judgment:
    """What a criterion says of the eligible patient with these changes."""
    answers = {item: answer for item, answer in (ELIGIBLE | changes).items() if answer}
    return eligibility.judge(
        eligibility.parse(row["rule"]),
        read(answers),
        screened_on=SCREENED_ON,
        exclusion=row["kind"] == "exclusion",
    )


@pytest.mark.parametrize(("kind", "start", "patients"), ROWS)
def test_just_inside_just_outside_and_unknown(
    kind: str, start: str, patients: tuple[Document, Document, Document]
) -> None:
    row = criterion(kind, start)
    results = [judged(row, changes).result for changes in patients]
    assert results == [Result.MET, Result.NOT_MET, Result.UNKNOWN]


@pytest.mark.parametrize(("kind", "start", "patients"), ROWS)
def test_the_patient_just_inside_is_eligible(
    kind: str, start: str, patients: tuple[Document, Document, Document]
) -> None:
    failing = [c["text"] for c in CRITERIA if judged(c, patients[0]).result != Result.MET]
    assert failing == []


def test_the_table_covers_every_criterion() -> None:
    covered = [criterion(kind, start)["text"] for kind, start, _ in ROWS]
    assert set(covered) == {c["text"] for c in CRITERIA}
    assert [c["kind"] for c in CRITERIA] == ["inclusion"] * 20 + ["exclusion"] * 28


@pytest.mark.parametrize("row", CRITERIA, ids=lambda c: str(c["text"])[:40])
def test_of_nobody_nothing_is_known(row: Document) -> None:
    rule = eligibility.parse(row["rule"])
    for exclusion in (False, True):
        judgment = eligibility.judge(rule, {}, screened_on=SCREENED_ON, exclusion=exclusion)
        assert judgment.result == Result.UNKNOWN
        assert {reason.code for reason in judgment.reasons} == {"missing"}


SEEDS = ["NCT03890068", "NCT04813406"]


@pytest.mark.parametrize("study", SEEDS)
def test_every_criterion_is_a_rule_with_its_source(study: str) -> None:
    rows = json.loads((FIXTURES / study / "trial.json").read_text("utf-8"))["criteria"]
    texts = [row["text"] for row in rows]
    assert len(set(texts)) == len(texts) > 30
    for row in rows:
        assert eligibility.as_document(eligibility.parse(row["rule"])) == row["rule"]
        assert study in row["source"]
        assert "109" not in row["text"], "a lost superscript"
        assert ("10⁹" in row["text"]) == ("1.5 × 109" in row["note"] or "80 × 109" in row["note"])
