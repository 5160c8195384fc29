"""What a screening can ask for: items with their units, plausible ranges and choices.

Pure. Their labels are in `trials.eligibility_wording`, in the reader's language. Factors are exact
(`Fraction`), so a comparison never depends on the unit entered.

Conventions: creatinine 88.4 umol/L are 1 mg/dL, bilirubin 17.1 umol/L, urea nitrogen 1 mmol/L
(of urea, two nitrogen atoms) 2.8 mg/dL, glucose 18 mg/dL; 1 ukat/L is 60 U/L; 1 mmHg is
133.322387415 Pa; of hepatitis B virus DNA 5 copies are 1 IU, as NCT04813406 counts ("10^4
copies/mL or 2000 IU/mL"). Plausible ranges refuse what cannot be meant, not a sick patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

ATTEST = "attest:"


class Kind(StrEnum):
    """How an item is answered."""

    NUMBER = "number"
    CHOICE = "choice"
    YES_NO = "yes_no"
    DATE = "date"
    ATTESTATION = "attestation"


@dataclass(frozen=True)
class Item:
    """One question of a screening form.

    `units` maps each accepted unit to its exact factor into the canonical one, which is the first;
    a number without dimension has the unit "". The plausible range, in the canonical unit, is
    inclusive. `limits`: which limits of the laboratory ("uln", "lln") a value may come with.
    `carries_over`: the patient's field that answers it; a sex recorded as unknown answers nothing.
    """

    code: str
    kind: Kind
    units: Mapping[str, Fraction] = field(default_factory=dict)
    plausible: tuple[Fraction, Fraction] | None = None
    whole: bool = False
    limits: frozenset[str] = frozenset()
    choices: tuple[str, ...] = ()
    carries_over: str = ""

    @property
    def unit(self) -> str:
        """The canonical unit; "" for a number without dimension."""
        return next(iter(self.units), "")

    @property
    def free_text(self) -> bool:
        """Whether a choice is any text: a histology."""
        return self.kind == Kind.CHOICE and not self.choices


LAB = frozenset({"uln", "lln"})
ONE = Fraction(1)
CELLS = {"10^9/L": ONE, "10^3/uL": ONE, "/uL": Fraction(1, 1000)}
MASS = {"g/L": ONE, "g/dL": Fraction(10)}
ENZYME = {"U/L": ONE, "ukat/L": Fraction(60)}
PRESSURE = {"mmHg": ONE, "kPa": 1000 / Fraction("133.322387415")}
CREATININE = {"umol/L": ONE, "mg/dL": Fraction("88.4")}
CREATININE_CLEARANCE = {"mL/min": ONE, "mL/s": Fraction(60)}
UREA_NITROGEN = {"mmol/L": ONE, "mg/dL": Fraction(10, 28)}
BILIRUBIN = {"umol/L": ONE, "mg/dL": Fraction("17.1")}
FASTING_GLUCOSE = {"mmol/L": ONE, "mg/dL": Fraction(1, 18)}
PROTEIN = {"g": ONE, "mg": Fraction(1, 1000)}
HBV_DNA = {"IU/mL": ONE, "copies/mL": Fraction(1, 5)}
MILLISECONDS = {"ms": ONE, "s": Fraction(1000)}
PERCENT = {"%": ONE}
PLAIN = {"": ONE}
RESPONSES = ("CR", "PR", "SD", "PD", "NE")
DIPSTICK = ("negative", "trace", "+", "++", "+++", "++++")
NYHA = ("none", "I", "II", "III", "IV")


def _number(
    code: str,
    units: Mapping[str, Fraction],
    lowest: float | str,
    highest: float | str,
    *,
    limits: frozenset[str] = frozenset(),
    whole: bool = False,
    carries_over: str = "",
) -> Item:
    plausible = (Fraction(str(lowest)), Fraction(str(highest)))
    return Item(
        code,
        Kind.NUMBER,
        MappingProxyType(dict(units)),
        plausible,
        whole,
        limits,
        carries_over=carries_over,
    )


def _grade(code: str) -> Item:
    """A CTCAE grade; 0 is none."""
    return _number(code, PLAIN, 0, 5, whole=True)


def _choice(code: str, *choices: str, carries_over: str = "") -> Item:
    return Item(code, Kind.CHOICE, choices=choices, carries_over=carries_over)


def _yes_no(code: str) -> Item:
    return Item(code, Kind.YES_NO)


def _date(code: str) -> Item:
    return Item(code, Kind.DATE)


# The age is asked for: a birth year leaves two ages open (`possible_ages`), and none is guessed.
ITEMS: Mapping[str, Item] = MappingProxyType(
    {
        item.code: item
        for item in (
            _number("age", {"years": ONE}, 0, 120, whole=True),
            _choice("sex", "female", "male", carries_over="sex"),
            _number("ecog", PLAIN, 0, 5, whole=True, carries_over="ecog"),
            _choice("histology", carries_over="histology"),
            # Disease
            _yes_no("measurable_disease"),
            _yes_no("evaluable_disease"),
            _yes_no("liver_metastases"),
            _yes_no("brain_metastases"),
            _date("brain_metastases_controlled_on"),
            _yes_no("effusion_or_ascites"),
            _grade("dyspnea_grade"),
            # Prior treatment
            _number("anthracycline_cycles", PLAIN, 0, 50, whole=True),
            _choice("anthracycline_response", *RESPONSES),
            _yes_no("prior_anlotinib"),
            _date("systemic_therapy_on"),
            _yes_no("systemic_therapy_planned"),
            _date("radiotherapy_on"),
            _date("palliative_local_therapy_on"),
            _date("surgery_on"),
            _date("other_trial_on"),
            _grade("residual_toxicity_grade"),
            # Blood and urine
            _number("hemoglobin", MASS, 10, 300, limits=LAB),
            _number("white_blood_cells", CELLS, 0, 1000, limits=LAB),
            _number("neutrophils", CELLS, 0, 500, limits=LAB),
            _number("platelets", CELLS, 0, 5000, limits=LAB),
            _number("creatinine", CREATININE, 5, 3000, limits=LAB),
            _number("creatinine_clearance", CREATININE_CLEARANCE, 1, 400, limits=LAB),
            _number("urea_nitrogen", UREA_NITROGEN, "0.1", 100, limits=LAB),
            _number("bilirubin", BILIRUBIN, "0.1", 1500, limits=LAB),
            _number("alt", ENZYME, 1, 30000, limits=LAB),
            _number("ast", ENZYME, 1, 30000, limits=LAB),
            _number("albumin", MASS, 5, 80, limits=LAB),
            _number("fasting_glucose", FASTING_GLUCOSE, "0.5", 80, limits=LAB),
            _choice("urine_protein", *DIPSTICK),
            _yes_no("urine_protein_24h_measured"),
            _number("urine_protein_24h", PROTEIN, 0, 50, limits=LAB),
            # Heart and circulation
            _number("lvef", PERCENT, 5, 95, limits=LAB),
            _number("qtc", MILLISECONDS, 200, 800, limits=LAB),
            _number("systolic_pressure", PRESSURE, 40, 300),
            _number("diastolic_pressure", PRESSURE, 20, 200),
            _yes_no("antihypertensives_optimal"),
            _choice("nyha_class", *NYHA),
            _date("thrombosis_on"),
            _grade("bleeding_grade"),
            _date("bleeding_on"),
            _yes_no("unhealed_wound"),
            _date("perforation_on"),
            # Infection
            _grade("infection_grade"),
            _yes_no("antimicrobial_treatment"),
            _yes_no("hiv_positive"),
            _yes_no("hbsag_positive"),
            _number("hbv_dna", HBV_DNA, 0, "1e12"),
            _yes_no("hcv_antibody_positive"),
            _yes_no("hcv_rna_positive"),
            _yes_no("liver_function_abnormal"),
            # Other
            _date("other_malignancy_on"),
            _yes_no("seizures_treated"),
            _yes_no("childbearing_potential"),
            _yes_no("lactating"),
            _choice("pregnancy_test", "negative", "positive"),
            _date("pregnancy_test_on"),
        )
    }
)


def item(code: str) -> Item:
    """The item of this code, or of an attestation's; raises KeyError for any other."""
    if code.startswith(ATTEST):
        return Item(code, Kind.ATTESTATION)
    return ITEMS[code]


def possible_ages(birth_year: int, on: date) -> tuple[int, int]:
    """The two ages that a birth year leaves open on a day: before and after the birthday."""
    after = on.year - birth_year
    return max(after - 1, 0), after
