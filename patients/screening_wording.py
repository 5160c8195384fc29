"""Stored results of a screening in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trials import eligibility_wording as wording
from trials.eligibility import Judgment, Reason, Result

Results = Iterable[Mapping[str, Any]]
LONGEST = 120  # of a criterion's text within a sentence


def judgment(result: Mapping[str, Any]) -> Judgment:
    """A stored result as a value; what is attested without words of its own is the criterion."""
    reasons = (Reason(r["code"], _spoken(r["params"], result["text"])) for r in result["reasons"])
    return Judgment(Result(result["result"]), tuple(reasons))


def _spoken(params: Mapping[str, str], text: str) -> dict[str, str]:
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return {**params, "statement": params.get("statement") or short}


def reasons(result: Mapping[str, Any]) -> list[str]:
    """Why: "platelets 72 < 80 × 10⁹/L"."""
    return [wording.reason(reason) for reason in judgment(result).reasons]


def summary(results: Results) -> str:
    """All criteria in a line: "17 of 18 met; 1 not met: platelets 72 < 80 × 10⁹/L"."""
    return wording.summary(judgment(result) for result in results)
