"""What the audit finds in the catalogue, all of it: publication, claim, code, parameters.

Interval limits, standard errors, verdicts and the p value are those that came with the collection
of the published figures; k of n and sums are worked by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outcomes.methods.claims import Audited, audit_all
from outcomes.methods.findings import EndpointFacts, Severity, TrialFacts
from trials.publications import PublishedResults

FIXTURES = Path(__file__).parents[3] / "fixtures"
FILES = sorted((FIXTURES / "catalogue").glob("*.json"))
BODIES: list[dict[str, Any]] = [json.loads(path.read_text("utf-8")) for path in FILES]
Table = dict[tuple[str, str, str], dict[str, str | int]]

CONTRADICTIONS: Table = {
    ("alter-s006", "/trial/endpoints/1", "randomization_in_registry"): {
        "measure": "OS",
        "wording": "From randomization",
        "source": "NCT03890068",
    },
    ("apjtm-2022", "dcr", "rate_contradicts_categories"): {
        "categories": "PR 2 + SD 3",
        "sum": 5,
        "counts": "6",
        "n": 8,
    },
    ("apromiss", "pfs-hr", "risk_reduction_contradicts"): {
        "value": ".449",
        "quoted": "67%",
        "recomputed": "55",
    },
    ("liu-2021", "subtypes", "categories_do_not_sum"): {
        "sum": "27 + 9 + 8 + 3",
        "found": 47,
        "total": 48,
    },
    ("nct04172805-background", "orr", "percent_impossible"): {
        "printed": "10.13%",
        "n": 154,
        "below": 15,
        "above": 16,
        "below_percent": "9.74",
        "above_percent": "10.39",
    },
    ("nct04172805-background", "os-origin", "randomization_in_single_arm"): {
        "measure": "OS",
        "wording": "From randomization until death (up to 24 months)",
    },
    ("sun-2022", "best-response", "categories_do_not_sum"): {
        "sum": "11 + 16 + 6",
        "found": 33,
        "total": 32,
    },
}
DISCREPANCIES: Table = {
    ("alter-s006", "enrollment", "enrolled_differs_from_planned"): {
        "planned": 48,
        "enrolled": 49,
        "source": "NCT03890068",
    },
}
REMARKS: Table = {
    ("adjuvant", "dfs-1y-anlotinib", "kaplan_meier_estimate"): {"printed": "88", "n": 44},
    ("adjuvant", "dfs-1y-control", "rate_is_a_fraction"): {
        "printed": "64",
        "counts": "28",
        "n": 44,
    },
    ("adjuvant", "dfs-2y-anlotinib", "rate_is_a_fraction"): {
        "printed": "77",
        "counts": "34",
        "n": 44,
    },
    ("adjuvant", "dfs-2y-control", "kaplan_meier_estimate"): {"printed": "58", "n": 44},
    ("alter-s006", "dcr", "interval_method"): {
        "printed": "83-99",
        "n": 49,
        "method": "clopper-pearson",
        "k": 46,
        "recomputed": "83.13 to 98.72",
    },
    ("alter-s006", "follow-up", "spread_is_no_interval"): {"printed": "9.0-27.2"},
    ("alter-s006", "orr", "interval_method"): {
        "printed": "7-30",
        "n": 49,
        "method": "clopper-pearson",
        "k": 8,
        "recomputed": "7.32 to 29.66",
    },
    ("alter-s006", "os-1y", "rate_is_a_fraction"): {"printed": "98.0%", "counts": "48", "n": 49},
    ("alter-s006", "pfs", "interval_symmetric"): {
        "printed": "5.7-12.5",
        "half": "3.4",
        "standard_error": "1.735",
    },
    ("alter0203", "orr-p", "p_value_reproduced"): {
        "printed": ".0145",
        "first": "16/158",
        "second": "1/75",
        "tests": "fisher",
        "recomputed": "0.0145",
    },
    ("alter0203-lms", "/claims", "interval_style_differs"): {"publication": "alter0203"},
    ("alter0203-lms", "pfs-anlotinib", "interval_symmetric"): {
        "printed": "2.85-8.81",
        "half": "2.98",
        "standard_error": "1.520",
    },
    ("alter0203-lms", "pfs-placebo", "interval_symmetric"): {
        "printed": "1.41-1.45",
        "half": "0.02",
        "standard_error": "0.010",
    },
    ("anthracycline-ifosfamide", "dcr", "interval_method"): {
        "printed": "69.7-91.8",
        "n": 52,
        "method": "clopper-pearson",
        "k": 43,
        "recomputed": "69.67 to 91.77",
    },
    ("anthracycline-ifosfamide", "orr", "interval_method"): {
        "printed": "18.7-45.1",
        "n": 52,
        "method": "clopper-pearson",
        "k": 16,
        "recomputed": "18.72 to 45.10",
    },
    ("apromiss", "pfs-12m-anlotinib", "kaplan_meier_estimate"): {"printed": "29.6", "n": 52},
    ("apromiss", "pfs-12m-dacarbazine", "rate_is_a_fraction"): {
        "printed": "3.7%",
        "counts": "1",
        "n": 27,
    },
    ("apromiss", "pfs-hr", "risk_reduction_found_elsewhere"): {
        "quoted": "67%",
        "publication": "alter0203",
        "value": ".33",
    },
    ("bmc-2024", "pfs", "interval_symmetric"): {
        "printed": "4.8-6.8",
        "half": "1.0",
        "standard_error": "0.510",
    },
    ("bmc-2024", "pfs-asps-ccs", "interval_asymmetric_among_symmetric"): {
        "printed": "16.2 (7.8-25.6)",
        "lower": "6.8",
        "upper": "24.6",
    },
    ("bmc-2024", "pfs-others", "interval_symmetric"): {
        "printed": "1.4-7.5",
        "half": "3.05",
        "standard_error": "1.556",
    },
    ("chi-2018", "orr", "interval_method"): {
        "printed": "7.6-18",
        "n": 166,
        "method": "wald",
        "k": 21,
        "recomputed": "7.59 to 17.71",
    },
    ("chi-2018", "pfr-12w-asps", "rate_is_a_fraction"): {"printed": "77%", "counts": "10", "n": 13},
    ("chi-2018", "pfr-12w-ccs", "kaplan_meier_estimate"): {"printed": "54%", "n": 7},
    ("chi-2018", "pfr-12w-fs", "kaplan_meier_estimate"): {"printed": "81%", "n": 18},
    ("chi-2018", "pfr-12w-lms", "kaplan_meier_estimate"): {"printed": "75%", "n": 26},
    ("chi-2018", "pfr-12w-lps", "kaplan_meier_estimate"): {"printed": "63%", "n": 13},
    ("chi-2018", "pfr-12w-other", "kaplan_meier_estimate"): {"printed": "44%", "n": 23},
    ("chi-2018", "pfr-12w-ss", "kaplan_meier_estimate"): {"printed": "75%", "n": 47},
    ("chi-2018", "pfr-12w-ups", "rate_is_a_fraction"): {"printed": "58%", "counts": "11", "n": 19},
    ("escc-tp-anlotinib", "dcr", "interval_method"): {
        "printed": "79.2-97.6",
        "n": 46,
        "method": "clopper-pearson",
        "k": 42,
        "recomputed": "79.21 to 97.58",
    },
    ("escc-tp-anlotinib", "orr", "interval_method"): {
        "printed": "61.2-87.4",
        "n": 46,
        "method": "clopper-pearson",
        "k": 35,
        "recomputed": "61.23 to 87.41",
    },
    ("liposomal-doxorubicin-2021", "pfr-3m", "rate_is_a_fraction"): {
        "printed": "81.5",
        "counts": "22",
        "n": 27,
    },
    ("liposomal-doxorubicin-2021", "pfr-6m", "rate_is_a_fraction"): {
        "printed": "59.3",
        "counts": "16",
        "n": 27,
    },
    ("liu-2021", "pfr-3m", "rate_is_a_fraction"): {"printed": "72.9", "counts": "35", "n": 48},
    ("liu-2021", "pfr-6m", "rate_is_a_fraction"): {"printed": "35.4", "counts": "17", "n": 48},
    ("liu-2023", "pfr-6m", "rate_is_a_fraction"): {"printed": "51.3%", "counts": "20", "n": 39},
    ("nct04172805-background", "orr", "percent_found_elsewhere"): {
        "printed": "10.13%",
        "publication": "alter0203",
        "k": 16,
        "n": 158,
    },
    ("ni-2024", "dcr", "denominator_differs"): {
        "k": 10,
        "n": 12,
        "percent": "83.3",
        "whole": 14,
        "whole_percent": "71.4",
    },
    ("real-world", "os", "interval_symmetric"): {
        "printed": "13.6-19.1",
        "half": "2.75",
        "standard_error": "1.403",
    },
    ("real-world", "pfs", "interval_symmetric"): {
        "printed": "4.9-7.2",
        "half": "1.15",
        "standard_error": "0.587",
    },
    ("sinanlosarc", "dcr", "interval_method"): {
        "printed": "61.47-86.52",
        "n": 42,
        "method": "wilson",
        "k": 32,
        "recomputed": "61.47 to 86.52",
    },
    ("sinanlosarc", "orr", "interval_method"): {
        "printed": "19.07-46.03",
        "n": 42,
        "method": "wilson",
        "k": 13,
        "recomputed": "19.07 to 46.03",
    },
    ("sinanlosarc", "pfs", "interval_symmetric"): {
        "printed": "1.3-8.8",
        "half": "3.75",
        "standard_error": "1.913",
    },
    ("sun-2022", "best-response", "one_change_fits"): {
        "category": "PD",
        "printed": 6,
        "instead": 5,
    },
    ("sun-2022", "dcr", "interval_method"): {
        "printed": "67.2-94.7%",
        "n": 32,
        "method": "clopper-pearson",
        "k": 27,
        "recomputed": "67.21 to 94.72",
    },
    ("sun-2022", "orr", "interval_method"): {
        "printed": "18.6-53.2%",
        "n": 32,
        "method": "clopper-pearson",
        "k": 11,
        "recomputed": "18.57 to 53.19",
    },
    ("sun-2022", "os", "interval_symmetric"): {
        "printed": "8.36-21.44",
        "half": "6.54",
        "standard_error": "3.337",
    },
    ("sun-2022", "pfs", "interval_symmetric"): {
        "printed": "3.31-11.89",
        "half": "4.29",
        "standard_error": "2.189",
    },
    ("tqb2450-asps", "orr", "denominator_differs"): {
        "k": 23,
        "n": 28,
        "percent": "82.1",
        "whole": 29,
        "whole_percent": "79.3",
    },
}
CONSISTENT: Table = {
    ("adjuvant", "/groups", "arms_sum"): {"sum": "44 + 44", "found": 88, "total": 88},
    ("adjuvant", "dfs-hr", "ratio_interval_fits"): {"value": ".47", "printed": ".22-1.00"},
    ("alter-s006", "dcr", "percent_fits_count"): {
        "k": 46,
        "n": 49,
        "printed": "94%",
        "recomputed": "94",
    },
    ("alter-s006", "hand-foot", "percent_is_possible"): {"printed": "6%", "counts": "3", "n": 49},
    ("alter-s006", "hypertension", "percent_is_possible"): {
        "printed": "10%",
        "counts": "5",
        "n": 49,
    },
    ("alter-s006", "leiomyosarcoma", "percent_fits_count"): {
        "k": 15,
        "n": 49,
        "printed": "31%",
        "recomputed": "31",
    },
    ("alter-s006", "liposarcoma", "percent_fits_count"): {
        "k": 17,
        "n": 49,
        "printed": "35%",
        "recomputed": "35",
    },
    ("alter-s006", "orr", "percent_fits_count"): {
        "k": 8,
        "n": 49,
        "printed": "16%",
        "recomputed": "16",
    },
    ("alter0203", "/groups", "arms_sum"): {"sum": "158 + 75", "found": 233, "total": 233},
    ("alter0203", "dcr-anlotinib", "percent_fits_count"): {
        "k": 88,
        "n": 158,
        "printed": "55.7",
        "recomputed": "55.7",
    },
    ("alter0203", "dcr-placebo", "percent_fits_count"): {
        "k": 17,
        "n": 75,
        "printed": "22.67",
        "recomputed": "22.67",
    },
    ("alter0203", "orr-anlotinib", "percent_fits_count"): {
        "k": 16,
        "n": 158,
        "printed": "10.13",
        "recomputed": "10.13",
    },
    ("alter0203", "orr-placebo", "percent_fits_count"): {
        "k": 1,
        "n": 75,
        "printed": "1.33",
        "recomputed": "1.33",
    },
    ("alter0203", "pfs-anlotinib", "interval_asymmetric"): {"printed": "4.30-8.40"},
    ("alter0203", "pfs-placebo", "interval_asymmetric"): {"printed": "1.43-1.57"},
    ("alter0203-asps", "dcr-1l-anlotinib", "percent_is_possible"): {
        "printed": "83.33",
        "counts": "15",
        "n": 18,
    },
    ("alter0203-asps", "dcr-1l-placebo", "percent_is_possible"): {
        "printed": "40",
        "counts": "4",
        "n": 10,
    },
    ("alter0203-asps", "dcr-2l-anlotinib", "percent_is_possible"): {
        "printed": "90",
        "counts": "18",
        "n": 20,
    },
    ("alter0203-asps", "dcr-2l-placebo", "percent_is_possible"): {
        "printed": "37.5",
        "counts": "3",
        "n": 8,
    },
    ("alter0203-asps", "events-1l-anlotinib", "categories_sum"): {
        "sum": "6 + 12",
        "found": 18,
        "total": 18,
    },
    ("alter0203-asps", "events-1l-placebo", "categories_sum"): {
        "sum": "5 + 5",
        "found": 10,
        "total": 10,
    },
    ("alter0203-asps", "events-2l-anlotinib", "categories_sum"): {
        "sum": "5 + 15",
        "found": 20,
        "total": 20,
    },
    ("alter0203-asps", "events-2l-placebo", "categories_sum"): {
        "sum": "6 + 2",
        "found": 8,
        "total": 8,
    },
    ("alter0203-asps", "orr-1l-anlotinib", "percent_is_possible"): {
        "printed": "22.22",
        "counts": "4",
        "n": 18,
    },
    ("alter0203-asps", "orr-1l-placebo", "percent_is_possible"): {
        "printed": "0",
        "counts": "0",
        "n": 10,
    },
    ("alter0203-asps", "orr-2l-anlotinib", "percent_is_possible"): {
        "printed": "25",
        "counts": "5",
        "n": 20,
    },
    ("alter0203-asps", "orr-2l-placebo", "percent_is_possible"): {
        "printed": "0",
        "counts": "0",
        "n": 8,
    },
    ("alter0203-lms", "/groups", "arms_sum"): {"sum": "27 + 14", "found": 41, "total": 41},
    ("alter0203-lms", "dcr-anlotinib", "percent_fits_count"): {
        "k": 16,
        "n": 27,
        "printed": "59.26",
        "recomputed": "59.26",
    },
    ("alter0203-lms", "dcr-placebo", "percent_fits_count"): {
        "k": 2,
        "n": 14,
        "printed": "14.29",
        "recomputed": "14.29",
    },
    ("alter0203-lms", "orr-anlotinib", "percent_not_printed"): {"k": 0, "n": 27, "percent": "0.0"},
    ("alter0203-lms", "orr-placebo", "percent_not_printed"): {"k": 0, "n": 14, "percent": "0.0"},
    ("anthracycline-ifosfamide", "dcr", "percent_is_possible"): {
        "printed": "82.7",
        "counts": "43",
        "n": 52,
    },
    ("anthracycline-ifosfamide", "orr", "percent_is_possible"): {
        "printed": "30.8",
        "counts": "16",
        "n": 52,
    },
    ("anthracycline-ifosfamide", "pfs", "interval_asymmetric"): {"printed": "2.6-11.2"},
    ("apjtm-2022", "dcr", "percent_not_printed"): {"k": 6, "n": 8, "percent": "75.0"},
    ("apjtm-2022", "orr", "percent_not_printed"): {"k": 2, "n": 8, "percent": "25.0"},
    ("apjtm-2022", "orr", "rate_fits_categories"): {
        "categories": "PR 2",
        "sum": 2,
        "counts": "2",
        "n": 8,
    },
    ("apromiss", "/groups", "arms_sum"): {"sum": "52 + 27", "found": 79, "total": 79},
    ("apromiss", "pfs-anlotinib", "interval_asymmetric"): {"printed": "2.73-6.87"},
    ("apromiss", "pfs-dacarbazine", "interval_asymmetric"): {"printed": "1.45-2.70"},
    ("apromiss", "pfs-hr", "ratio_interval_fits"): {"value": ".449", "printed": ".270-.744"},
    ("bmc-2024", "dcr", "percent_fits_count"): {
        "k": 39,
        "n": 51,
        "printed": "76.5",
        "recomputed": "76.5",
    },
    ("bmc-2024", "orr", "percent_fits_count"): {
        "k": 9,
        "n": 51,
        "printed": "17.6",
        "recomputed": "17.6",
    },
    ("c-jcm-2019", "best-response", "categories_sum"): {
        "sum": "9 + 10 + 8",
        "found": 27,
        "total": 27,
    },
    ("c-jcm-2019", "dcr", "percent_fits_count"): {
        "k": 19,
        "n": 27,
        "printed": "70.4",
        "recomputed": "70.4",
    },
    ("c-jcm-2019", "dcr", "rate_fits_categories"): {
        "categories": "PR 9 + SD 10",
        "sum": 19,
        "counts": "19",
        "n": 27,
    },
    ("c-jcm-2019", "orr", "percent_fits_count"): {
        "k": 9,
        "n": 27,
        "printed": "33.3",
        "recomputed": "33.3",
    },
    ("c-jcm-2019", "orr", "rate_fits_categories"): {
        "categories": "PR 9",
        "sum": 9,
        "counts": "9",
        "n": 27,
    },
    ("chi-2018", "hypertension", "percent_is_possible"): {
        "printed": "4.8%",
        "counts": "8",
        "n": 166,
    },
    ("chi-2018", "orr", "percent_is_possible"): {"printed": "13%", "counts": "21-22", "n": 166},
    ("chi-2018", "pfr-12w", "rate_may_be_a_fraction"): {
        "printed": "68%",
        "counts": "113",
        "n": 166,
    },
    ("chi-2018", "pneumothorax", "percent_is_possible"): {
        "printed": "2.4%",
        "counts": "4",
        "n": 166,
    },
    ("chi-2018", "subtypes", "categories_sum"): {
        "sum": "19 + 13 + 26 + 47 + 18 + 13 + 7 + 23",
        "found": 166,
        "total": 166,
    },
    ("chi-2018", "triglycerides", "percent_is_possible"): {
        "printed": "3.6%",
        "counts": "6",
        "n": 166,
    },
    ("escc-tp-anlotinib", "dcr", "percent_not_printed"): {"k": 42, "n": 46, "percent": "91.3"},
    ("escc-tp-anlotinib", "orr", "percent_not_printed"): {"k": 35, "n": 46, "percent": "76.1"},
    ("first-line-2024", "dcr", "percent_fits_count"): {
        "k": 27,
        "n": 40,
        "printed": "67.5",
        "recomputed": "67.5",
    },
    ("first-line-2024", "orr", "percent_not_printed"): {"k": 1, "n": 40, "percent": "2.5"},
    ("first-line-2024", "pfs", "interval_asymmetric"): {"printed": "4.17-8.71"},
    ("liposomal-doxorubicin-2021", "dcr", "percent_fits_count"): {
        "k": 22,
        "n": 27,
        "printed": "81.5",
        "recomputed": "81.5",
    },
    ("liposomal-doxorubicin-2021", "orr", "percent_is_possible"): {
        "printed": "40.7",
        "counts": "11",
        "n": 27,
    },
    ("liposomal-doxorubicin-2021", "orr", "rate_fits_categories"): {
        "categories": "CR 2 + PR 9",
        "sum": 11,
        "counts": "11",
        "n": 27,
    },
    ("liu-2021", "dcr", "percent_not_printed"): {"k": 29, "n": 48, "percent": "60.4"},
    ("liu-2021", "orr", "percent_fits_count"): {
        "k": 5,
        "n": 48,
        "printed": "10.4",
        "recomputed": "10.4",
    },
    ("liu-2021", "pfr-3m", "percent_fits_count"): {
        "k": 35,
        "n": 48,
        "printed": "72.9",
        "recomputed": "72.9",
    },
    ("liu-2021", "pfr-6m", "percent_fits_count"): {
        "k": 17,
        "n": 48,
        "printed": "35.4",
        "recomputed": "35.4",
    },
    ("ni-2024", "dcr", "percent_fits_count"): {
        "k": 10,
        "n": 12,
        "printed": "83.3",
        "recomputed": "83.3",
    },
    ("ni-2024", "orr", "percent_fits_count"): {
        "k": 5,
        "n": 14,
        "printed": "35.7",
        "recomputed": "35.7",
    },
    ("real-world", "orr", "percent_fits_count"): {
        "k": 28,
        "n": 209,
        "printed": "13.4",
        "recomputed": "13.4",
    },
    ("sinanlosarc", "dcr", "percent_is_possible"): {"printed": "76.19", "counts": "32", "n": 42},
    ("sinanlosarc", "orr", "percent_is_possible"): {"printed": "30.95", "counts": "13", "n": 42},
    ("sintilimab-doxorubicin-2022", "dcr", "percent_is_possible"): {
        "printed": "71.1",
        "counts": "27",
        "n": 38,
    },
    ("sintilimab-doxorubicin-2022", "orr", "percent_is_possible"): {
        "printed": "39.5",
        "counts": "15",
        "n": 38,
    },
    ("sintilimab-doxorubicin-2022", "pfs", "interval_asymmetric"): {"printed": "3.0-8.5"},
    ("sun-2022", "any-ae", "percent_fits_count"): {
        "k": 29,
        "n": 32,
        "printed": "90.6%",
        "recomputed": "90.6",
    },
    ("sun-2022", "dcr", "percent_is_possible"): {"printed": "84.4%", "counts": "27", "n": 32},
    ("sun-2022", "dcr", "rate_fits_categories"): {
        "categories": "PR 11 + SD 16",
        "sum": 27,
        "counts": "27",
        "n": 32,
    },
    ("sun-2022", "grade-3-4", "percent_fits_count"): {
        "k": 13,
        "n": 32,
        "printed": "40.6%",
        "recomputed": "40.6",
    },
    ("sun-2022", "orr", "percent_is_possible"): {"printed": "34.4%", "counts": "11", "n": 32},
    ("sun-2022", "orr", "rate_fits_categories"): {
        "categories": "PR 11",
        "sum": 11,
        "counts": "11",
        "n": 32,
    },
    ("switch-maintenance-2020", "dcr", "percent_fits_count"): {
        "k": 17,
        "n": 21,
        "printed": "81.0",
        "recomputed": "81.0",
    },
    ("switch-maintenance-2020", "grade-3-4", "percent_fits_count"): {
        "k": 6,
        "n": 21,
        "printed": "28.6",
        "recomputed": "28.6",
    },
    ("switch-maintenance-2020", "orr", "percent_fits_count"): {
        "k": 3,
        "n": 21,
        "printed": "14.3",
        "recomputed": "14.3",
    },
    ("switch-maintenance-2020", "orr", "rate_fits_categories"): {
        "categories": "CR 1 + PR 2",
        "sum": 3,
        "counts": "3",
        "n": 21,
    },
    ("tang-2022", "dcr", "percent_fits_count"): {
        "k": 33,
        "n": 42,
        "printed": "78.57",
        "recomputed": "78.57",
    },
    ("tang-2022", "orr", "percent_fits_count"): {
        "k": 4,
        "n": 42,
        "printed": "9.52",
        "recomputed": "9.52",
    },
    ("tang-2022", "pfs", "interval_asymmetric"): {"printed": "3.5-8.4"},
    ("tqb2450-asps", "grade-3-4", "percent_fits_count"): {
        "k": 13,
        "n": 29,
        "printed": "44.8%",
        "recomputed": "44.8",
    },
    ("tqb2450-asps", "orr", "percent_is_possible"): {"printed": "82.1", "counts": "23", "n": 28},
    ("tqb2450-asps", "orr", "rate_fits_categories"): {
        "categories": "CR 4 + PR 19",
        "sum": 23,
        "counts": "23",
        "n": 28,
    },
}
TABLES = {
    Severity.CONTRADICTION: CONTRADICTIONS,
    Severity.DISCREPANCY: DISCREPANCIES,
    Severity.REMARK: REMARKS,
    Severity.CONSISTENT: CONSISTENT,
}
# Studies in which nothing contradicts: the audit must not flag them.
SOUND = {
    "adjuvant", "alter0203", "alter0203-asps", "alter0203-lms", "alter0203-subgroups",
    "anthracycline-ifosfamide", "bmc-2024", "c-jcm-2019", "chi-2018", "escc-tp-anlotinib",
    "first-line-2024", "liposomal-doxorubicin-2021", "liu-2023", "ni-2024", "real-world",
    "sinanlosarc", "sintilimab-doxorubicin-2022", "switch-maintenance-2020", "tang-2022",
    "tqb2450-asps", "wang-2020",
}  # fmt: skip


def registry_facts(registry_id: str | None) -> TrialFacts | None:
    """What the fixtures hold of a registry entry."""
    path = FIXTURES / f"{registry_id}" / "trial.json"
    if not path.exists():
        return None
    body = json.loads(path.read_text("utf-8"))
    endpoints = (
        EndpointFacts(e["kind"], e.get("wording", ""), e.get("time_frame", ""))
        for e in body["endpoints"]
    )
    return TrialFacts(
        body["registry_id"], body.get("enrollment_target"), body["allocation"], tuple(endpoints)
    )


@pytest.fixture(scope="module")
def audited() -> list[Audited]:
    """The catalogue's findings."""
    return audit_all(
        (body["key"], PublishedResults.parse(body["document"]), registry_facts(body["trial"]))
        for body in BODIES
    )


@pytest.mark.parametrize("severity", Severity)
def test_every_finding_is_expected_and_every_expected_one_found(
    audited: list[Audited], severity: Severity
) -> None:
    found = [
        ((of.key, finding.claim or finding.pointer, finding.code), finding.parameters)
        for of in audited
        for finding in of.findings
        if finding.severity == severity
    ]
    assert dict(found) == TABLES[severity]
    assert len(found) == len(TABLES[severity])


def test_consistent_studies_are_not_flagged(audited: list[Audited]) -> None:
    flagged = {of.key for of in audited if of.contradicted}
    assert flagged == {key for key, _claim, _code in CONTRADICTIONS}
    assert {of.key for of in audited} - flagged == SOUND


def test_every_study_of_the_catalogue_is_there() -> None:
    assert len(BODIES) == 27
    assert {body["key"] for body in BODIES} == {path.stem for path in FILES}
    assert [body["key"] for body in BODIES if not body["anlotinib"]] == [
        "sintilimab-doxorubicin-2022"
    ]
    assert [body["key"] for body in BODIES if not body["sarcoma"]] == ["escc-tp-anlotinib"]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body["key"])
def test_each_file_parses_and_keeps_what_is_printed(body: dict[str, Any]) -> None:
    stored = PublishedResults.parse(body["document"]).as_document()
    assert PublishedResults.parse(stored).as_document() == stored
    for name, value in body["document"].items():
        if name != "claims" and name != "groups":
            assert stored[name] == value
    for claim, kept in zip(body["document"]["claims"], stored["claims"], strict=True):
        assert claim.items() <= kept.items()


# The verdicts of the published table of interval methods.
INTERVALS = {
    ("sun-2022", "orr"): ("clopper-pearson", 11, "18.57 to 53.19"),
    ("sun-2022", "dcr"): ("clopper-pearson", 27, "67.21 to 94.72"),
    ("alter-s006", "orr"): ("clopper-pearson", 8, "7.32 to 29.66"),
    ("alter-s006", "dcr"): ("clopper-pearson", 46, "83.13 to 98.72"),
    ("anthracycline-ifosfamide", "orr"): ("clopper-pearson", 16, "18.72 to 45.10"),
    ("anthracycline-ifosfamide", "dcr"): ("clopper-pearson", 43, "69.67 to 91.77"),
    ("escc-tp-anlotinib", "orr"): ("clopper-pearson", 35, "61.23 to 87.41"),
    ("escc-tp-anlotinib", "dcr"): ("clopper-pearson", 42, "79.21 to 97.58"),
    ("sinanlosarc", "orr"): ("wilson", 13, "19.07 to 46.03"),
    ("sinanlosarc", "dcr"): ("wilson", 32, "61.47 to 86.52"),
    ("chi-2018", "orr"): ("wald", 21, "7.59 to 17.71"),
}


def test_interval_verdicts(audited: list[Audited]) -> None:
    found = {
        (of.key, finding.claim): tuple(
            finding.parameters[name] for name in ("method", "k", "recomputed")
        )
        for of in audited
        for finding in of.findings
        if finding.code.startswith("interval_method")
    }
    assert found == INTERVALS
