"""Stored results of a screening in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from trials import eligibility_wording as wording
from trials.eligibility import Judgment, Reason, Result
from trials.screening_items import ATTEST

Results = Iterable[Mapping[str, Any]]
LONGEST = 120  # of a criterion's text within a sentence


def judgment(result: Mapping[str, Any]) -> Judgment:
    """A stored result as a value; what is attested without words of its own is the criterion."""
    told = (Reason(r["code"], _spoken(r["params"], result["text"])) for r in result["reasons"])
    return Judgment(Result(result["result"]), tuple(told))


def _spoken(params: Mapping[str, str], text: str) -> dict[str, str]:
    if not params["item"].startswith(ATTEST):
        return dict(params)
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return {**params, "statement": params.get("statement") or short}


def reasons(result: Mapping[str, Any]) -> list[str]:
    """Why: "platelets 72 < 80 × 10⁹/L"."""
    return [wording.reason(reason) for reason in judgment(result).reasons]


def reasons_beside(result: Mapping[str, Any]) -> list[str]:
    """Why, beside the criterion's own text: an answer to the text itself does not repeat it."""
    told = zip(result["reasons"], reasons(result), strict=True)
    return [said for one in told if (said := _beside(*one))]


def _beside(reason: Mapping[str, Any], sentence: str) -> str:
    params = reason["params"]
    if not params["item"].startswith(ATTEST) or params.get("statement"):
        return sentence
    return wording.choice(params["value"]) if "value" in params else _("not attested")


def notes(result: Mapping[str, Any]) -> list[str]:
    """What is to be noted of the values that a criterion asks for."""
    return [note(one) for one in result.get("notes", ())]


def note(said: Mapping[str, Any]) -> str:
    """A value that differs from the patient's record, or a limit from the laboratory's."""
    params = {"item": wording.label(said["item"])} | dict(said["params"])
    if said["code"] == "record":
        return _("%(item)s: %(said)s here, %(known)s in the patient's record.") % params
    params |= {key: wording.unit(params[key]) for key in ("unit", "known_unit")}
    params["limit"] = str(wording.LIMITS[params["limit"]])
    sentence = _(
        "%(item)s: the %(limit)s typed, %(said)s %(unit)s, was used instead of the laboratory's, "
        "%(known)s %(known_unit)s."
    )
    return sentence % params


def summary(results: Results) -> str:
    """All criteria in a line: "17 of 18 met; 1 not met: platelets 72 < 80 × 10⁹/L"."""
    return wording.summary(judgment(result) for result in results)
