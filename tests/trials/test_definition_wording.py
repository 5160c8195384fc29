"""Endpoint definitions in words: what METHODS.md says of the default, and each choice beside it."""

from __future__ import annotations

from typing import Any

import pytest

from trials.definition_wording import TITLES, in_words
from trials.definitions import EndpointDefinition, EndpointKind

PER_PROTOCOL = (
    "Population: per protocol, enrolled without a major protocol deviation, from the"
    " eligibility criteria or in the course of the trial, that occurred up to the data cutoff."
)
COMPUTED = [kind for kind in EndpointKind if kind is not EndpointKind.OTHER]

ORR = "Patients whose best response by RECIST 1.1 is CR or PR."
CONFIRMED = "CR and PR are confirmed at least 28 days later."
BENEFIT = (
    "Patients whose best response by RECIST 1.1 is a response, or no progression for 182 days."
)
STABLE = "Stable disease needs 42 days."
PFS = "From the first dose (day 1) to objective progression or death from any cause."
PLAIN = "Without an event censored at the last evaluable assessment; nothing else censors."
OS = "From the first dose (day 1) to death from any cause; else censored when last known alive."
ENROLLED = "Population: enrolled patients."
LOG_LOG = "Interval and band: log-log."

BY_IRECIST = (
    "Response and progression by iRECIST: an unconfirmed progression (iUPD) counts from its first"
    " date unless iSD, iPR or iCR follows."
)

WORDS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("ORR", {}, [ORR, CONFIRMED, STABLE, ENROLLED]),
    (
        "ORR",
        {"confirmation": {"required": False}, "population": "evaluable", "min_stable_days": 56},
        [
            ORR,
            "Responses need no confirmation.",
            "Stable disease needs 56 days.",
            "Population: response-evaluable patients.",
        ],
    ),
    (
        "DCR",
        {},
        [
            "Patients whose best response by RECIST 1.1 is CR, PR, SD or Non-CR/Non-PD.",
            CONFIRMED,
            STABLE,
            ENROLLED,
        ],
    ),
    (
        "CBR",
        {"min_benefit_days": 182},
        [
            BENEFIT,
            CONFIRMED,
            STABLE,
            ENROLLED,
        ],
    ),
    ("PFS", {}, [PFS, PLAIN, ENROLLED, LOG_LOG]),
    (
        "PFS",
        {"time_origin": "randomization", "censoring": {"rule": "ema"}, "population": "safety"},
        [
            "From randomization (day 1) to objective progression or death from any cause.",
            "EMA rule: events count at their date whatever was missed or started.",
            "Population: treated patients.",
            LOG_LOG,
        ],
    ),
    (
        "ORR",
        {"criteria": "iRECIST"},
        [
            "Patients whose best response by iRECIST is iCR or iPR.",
            "Responses need no confirmation.",
            STABLE,
            ENROLLED,
        ],
    ),
    ("PFS", {"criteria": "iRECIST"}, [PFS, BY_IRECIST, PLAIN, ENROLLED, LOG_LOG]),
    ("OS", {"criteria": "iRECIST"}, [OS, ENROLLED, LOG_LOG]),
    ("OS", {}, [OS, ENROLLED, LOG_LOG]),
    (
        "OS",
        {"population": "per_protocol"},
        [
            OS,
            PER_PROTOCOL,
            LOG_LOG,
        ],
    ),
    (
        "OS",
        {"survival_interval": "spss"},
        [OS, ENROLLED, "Median interval in SPSS style; band log-log."],
    ),
    (
        "DOR",
        {"survival_interval": "plain"},
        [
            "From the first response that counts to objective progression or death.",
            PLAIN,
            ENROLLED,
            "Interval and band: plain.",
        ],
    ),
    (
        "TTR",
        {"time_origin": "enrollment"},
        ["From enrollment (day 1) to the first response that counts.", ENROLLED, LOG_LOG],
    ),
]


@pytest.mark.parametrize(("kind", "definition", "sentences"), WORDS)
def test_a_definition_in_words(kind: str, definition: dict[str, Any], sentences: list[str]) -> None:
    found = in_words(EndpointKind(kind), EndpointDefinition.parse(definition))
    assert found == " ".join(sentences)


def test_every_computed_endpoint_is_worded() -> None:
    assert list(TITLES) == COMPUTED
    assert {EndpointKind(kind) for kind, *_ in WORDS} == set(COMPUTED)


def test_what_is_not_computed_has_no_words() -> None:
    with pytest.raises(KeyError):
        in_words(EndpointKind.OTHER, EndpointDefinition())
