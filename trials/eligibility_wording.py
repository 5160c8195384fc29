"""Eligibility in the reader's language: items, rules, reasons, summaries and what is refused.

Names of items start in lower case, for the middle of a sentence; a form writes them `|capfirst`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from registry.document_errors import document_error
from registry.languages import apart, in_chinese, labeled, listed
from trials import histologies
from trials.eligibility import (
    TYPES,
    AllOf,
    AnyOf,
    Attestation,
    Choice,
    Judgment,
    Not,
    Number,
    Reason,
    Result,
    Rule,
    When,
    Window,
    YesNo,
)
from trials.screening_items import ITEMS
from trials.screening_values import Problem

LABELS: Mapping[str, str | Promise] = {
    "age": _("age"),
    "sex": _("sex"),
    "ecog": _("ECOG performance status"),
    "histology": _("histology"),
    "measurable_disease": _("measurable disease (RECIST 1.1)"),
    "evaluable_disease": _("evaluable disease by imaging or physical exam"),
    "liver_metastases": _("liver metastases"),
    "brain_metastases": _("brain metastases"),
    "brain_metastases_controlled_on": _("brain metastases controlled since"),
    "effusion_or_ascites": _("pleural effusion or ascites"),
    "dyspnea_grade": _("dyspnea, CTCAE grade"),
    "anthracycline_cycles": _("anthracycline cycles"),
    "anthracycline_response": _("response to anthracyclines"),
    "prior_anlotinib": _("prior treatment with anlotinib"),
    "systemic_therapy_on": _("last systemic anti-tumor therapy"),
    "systemic_therapy_planned": _("other systemic anti-tumor therapy planned"),
    "radiotherapy_on": _("last radiotherapy"),
    "palliative_local_therapy_on": _("end of palliative local treatment"),
    "surgery_on": _("last surgery, incisional biopsy or significant injury"),
    "other_trial_on": _("last participation in another anti-tumor trial"),
    "residual_toxicity_grade": _("unresolved toxicity but alopecia, CTCAE grade"),
    "hemoglobin": _("hemoglobin"),
    "white_blood_cells": _("white blood cells"),
    "neutrophils": _("neutrophils"),
    "platelets": _("platelets"),
    "creatinine": _("creatinine"),
    "creatinine_clearance": _("creatinine clearance"),
    "urea_nitrogen": _("blood urea nitrogen"),
    "bilirubin": _("total bilirubin"),
    "alt": _("ALT"),
    "ast": _("AST"),
    "albumin": _("albumin"),
    "fasting_glucose": _("fasting glucose"),
    "urine_protein": _("urine protein, dipstick"),
    "urine_protein_24h_measured": _("24 h urine protein measured"),
    "urine_protein_24h": _("24 h urine protein"),
    "lvef": _("left ventricular ejection fraction"),
    "qtc": _("QTc"),
    "systolic_pressure": _("systolic blood pressure"),
    "diastolic_pressure": _("diastolic blood pressure"),
    "antihypertensives_optimal": _("antihypertensive treatment is optimal"),
    "nyha_class": _("heart failure, NYHA class"),
    "thrombosis_on": _("last arterial or venous thrombosis"),
    "bleeding_grade": _("worst recent bleeding, CTCAE grade"),
    "bleeding_on": _("last bleeding"),
    "unhealed_wound": _("major unhealed wound, ulcer or fracture"),
    "perforation_on": _("last perforation or fistula"),
    "infection_grade": _("infection, CTCAE grade"),
    "antimicrobial_treatment": _("infection under antimicrobial treatment"),
    "hiv_positive": _("HIV positive"),
    "hbsag_positive": _("HBsAg positive"),
    "hbv_dna": _("HBV DNA"),
    "hcv_antibody_positive": _("hepatitis C antibody positive"),
    "hcv_rna_positive": _("HCV RNA positive"),
    "liver_function_abnormal": _("abnormal liver function"),
    "other_malignancy_on": _("last evidence of another malignancy"),
    "seizures_treated": _("seizures that need treatment"),
    "childbearing_potential": _("woman of childbearing potential"),
    "lactating": _("lactating"),
    "pregnancy_test": _("pregnancy test"),
    "pregnancy_test_on": _("date of the pregnancy test"),
}
# As printed; a code that is not here is printed as it is.
UNITS: Mapping[str, str | Promise] = {
    "years": _("years"),
    "10^9/L": "× 10⁹/L",
    "10^3/uL": "× 10³/µL",
    "/uL": "/µL",
    "ug": "µg",
    "ukat/L": "µkat/L",
    "umol/L": "µmol/L",
    "copies/mL": _("copies/mL"),
}
CHOICES: Mapping[str, str | Promise] = {
    "female": _("female"),
    "male": _("male"),
    "none": _("none"),
    "negative": _("negative"),
    "positive": _("positive"),
    "trace": _("trace"),
    "yes": _("yes"),
    "no": _("no"),
}
SIGNS = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<"}
LIMITS: Mapping[str, str | Promise] = {"uln": _("ULN"), "lln": _("LLN")}
LIMIT_NAMES: Mapping[str, str | Promise] = {
    "uln": _("upper limit of normal"),
    "lln": _("lower limit of normal"),
}
SPANS = {
    "days": ngettext_lazy("%(n)d day", "%(n)d days", "n"),
    "weeks": ngettext_lazy("%(n)d week", "%(n)d weeks", "n"),
    "months": ngettext_lazy("%(n)d month", "%(n)d months", "n"),
    "years": ngettext_lazy("%(n)d year", "%(n)d years", "n"),
}
WINDOWS: Mapping[str, str | Promise] = {
    "within": _("%(item)s %(value)s: within %(span)s before screening"),
    "on_the_day": _("%(item)s %(value)s: exactly %(span)s before screening"),
    "before": _("%(item)s %(value)s: more than %(span)s before screening"),
}
REASONS: Mapping[str, str | Promise] = {
    "missing": _("%(item)s not entered"),
    "not_attested": _("not attested: %(item)s"),
    "limit_missing": _("%(item)s: %(limit)s not entered"),
    "number": _("%(item)s %(value)s %(sign)s %(limit)s"),
    "multiple": _("%(item)s %(value)s (%(ratio)s × %(times)s %(normal)s) %(sign)s %(limit)s"),
    "choice": _("%(item)s: %(value)s"),
    "unlisted": _("%(item)s: %(value)s is not among those that the criterion names"),
    "unrecognized": _("%(item)s: “%(value)s” is not a known name"),
    "yes_no": _("%(item)s: %(value)s"),
    "never": _("%(item)s: never"),
    "after_screening": _("%(item)s %(value)s is after the day of screening"),
    "attestation": _("%(item)s: %(value)s"),
}
PROBLEMS: Mapping[str, str | Promise] = {
    "unknown_item": _("Not an item of screening."),
    "value_missing": _("An object with a value; null if it is not known."),
    "unknown_key": _("Unknown key; accepted: %(accepted)s."),
    "unit": _("One of the units: %(accepted)s."),
    "implausible": _("From %(low)s to %(high)s %(unit)s."),
    "whole_number": _("A whole number."),
    "number": _("A number, such as 72 or 1.5."),
    "digits": _("At most 15 digits."),
    "no_limits": _("This item has no limits of normal."),
    "not_positive": _("A limit of normal is above zero."),
    "limits_crossed": _("The lower limit of normal is below the upper one."),
    "choice": _("One of: %(accepted)s."),
    "text": _("Text of 1 to %(length)s characters."),
    "yes_no": _("true or false."),
    "date": _("A date, YYYY-MM-DD, or “never”."),
}
RULE_ERRORS: Mapping[str, str | Promise] = {  # beside those of every document
    "extra_forbidden": _("Unknown key. Accepted: %(accepted)s."),
    "dict_type": _("A rule: a JSON object that names its type, one of: %(types)s."),
    "union_tag_invalid": _("The type is one of: %(types)s."),
    "union_tag_not_found": _("A rule names its type, one of: %(types)s."),
    "number": _("A number, such as 1.5."),
    "number_range": _("A number between 10^-9 and 10^12."),
    "item": _("One of the items: %(accepted)s."),
    "no_limits": _("This item has no limits of normal."),
    "multiple": _("A multiple of a limit is above zero."),
    "unit_of_multiple": _("A multiple of a limit has no unit."),
    "unit": _("One of the units: %(accepted)s."),
    "implausible": _("A limit from %(low)s to %(high)s in this unit."),
    "choice": _("Of these: %(accepted)s."),
    "empty": _("At least one term in one_of or none_of."),
    "both": _("A term is in one_of or in none_of, not in both."),
    "too_large": _("At most %(rules)s rules, %(depth)s deep."),
    "string_pattern_mismatch": _("At most 60 of: a-z, 0-9, - and _; a letter or digit first."),
    "too_short": _("At least %(min_length)s rule."),
}


def label(item: str, statement: str = "") -> str:
    """An item's name; of an attestation its statement."""
    return str(LABELS.get(item) or statement or gettext("the criterion, as judged by a person"))


def unit(code: str) -> str:
    """A unit as it is printed: × 10⁹/L."""
    return str(UNITS.get(code, code))


def choice(code: str) -> str:
    """A choice of an item as it is printed; a histology in the reader's language."""
    return str(CHOICES.get(code) or histologies.name(code, chinese=in_chinese()))


def problem(found: Problem) -> str:
    """What would be accepted instead of an answer."""
    params = {**found.params, "unit": unit(found.params.get("unit", ""))}
    return (str(PROBLEMS[found.code]) % params).replace(" .", ".")


def rule_error(error: Mapping[str, Any]) -> str:
    """What is wrong with a rule: one of the errors of pydantic's ValidationError."""
    types, accepted = ", ".join(TYPES), _keys(error["loc"])
    return document_error(error, RULE_ERRORS, types=types, accepted=accepted)


def _keys(loc: Sequence[int | str]) -> str:
    """The keys of the rule in which an unknown one stands: pydantic names its type before it."""
    part = TYPES.get(str(loc[-2])) if len(loc) > 1 else None
    return ", ".join(part.model_fields) if part else ""


def reason(told: Reason) -> str:
    """A reason: "platelets 72 < 80 × 10⁹/L"."""
    params = {**told.params, "item": label(told.item, told.params.get("statement", ""))}
    return str(_sentence(told.code, params)) % (params | _numbers(told) | _names(told))


def _sentence(code: str, params: Mapping[str, str]) -> str | Promise:
    if code == "window":
        return WINDOWS[params["relation"]]
    attested = code == "missing" and "statement" in params
    return REASONS["not_attested" if attested else code]


def _names(told: Reason) -> dict[str, str]:
    """Spans, answers and names of limits in words."""
    params, said = told.params, {}
    if "n" in params:
        said["span"] = _span(int(params["n"]), params["unit"])
    if told.code in ("choice", "yes_no", "attestation"):
        said["value"] = choice(params["value"])
    if told.code == "limit_missing":
        said["limit"] = str(LIMIT_NAMES[params["limit"]])
    return said


def _numbers(told: Reason) -> dict[str, str]:
    """A value and its limit with their units, each unit once where they share it."""
    params = told.params
    if told.code not in ("number", "multiple"):
        return {}
    said = {"sign": SIGNS[params["relation"]], "value": _amount(params["value"], params["unit"])}
    if told.code == "multiple":
        return said | _multiple(params)
    said["limit"] = _amount(params["limit"], params["limit_unit"])
    if "converted" in params:
        said["value"] += f" ({_amount(params['converted'], params['limit_unit'])})"
    else:
        said["value"] = params["value"]
    return said


def _multiple(params: Mapping[str, str]) -> dict[str, str]:
    times = str(LIMITS[params["times"]])
    normal = _amount(params[params["times"]], params["limit_unit"])
    return {"times": times, "normal": normal, "limit": f"{params['limit']} × {times}"}


def _amount(number: str, code: str) -> str:
    printed = unit(code)
    return f"{number}{printed}" if printed.startswith("/") else f"{number} {printed}".rstrip()


def _span(n: int, span: str) -> str:
    return str(SPANS[span] % {"n": n})


def summary(judgments: Iterable[Judgment]) -> str:
    """All criteria in a line: "17 of 18 met; 1 not met: platelets 72 < 80 × 10⁹/L"."""
    found = list(judgments)
    failed = [one for one in found if one.result == Result.NOT_MET]
    unknown = sum(one.result == Result.UNKNOWN for one in found)
    met = {"met": len(found) - len(failed) - unknown, "all": len(found)}
    parts = [gettext("%(met)d of %(all)d met") % met]
    if failed:
        facts = apart(reason(why) for one in failed for why in one.reasons)
        parts.append(gettext("%(n)d not met: %(facts)s") % {"n": len(failed), "facts": facts})
    if unknown:
        parts.append(gettext("%(n)d unknown") % {"n": unknown})
    return apart(parts)


def words(rule: Rule) -> str:
    """A rule in words: "creatinine ≤ 1.5 × ULN or creatinine clearance ≥ 60 mL/min"."""
    match rule:
        case AllOf(rules=rules):
            return gettext(" and ").join(_inner(one) for one in rules)
        case AnyOf(rules=rules):
            return gettext(" or ").join(_inner(one) for one in rules)
        case Not(rule=negated):
            return gettext("not (%(rule)s)") % {"rule": words(negated)}
        case When():
            return _conditional(rule)
        case Attestation(statement=""):
            return gettext("a person attests this text")
        case Attestation(statement=statement):
            return gettext("a person attests: “%(statement)s”") % {"statement": statement}
    return _asked(rule)


def _asked(rule: Number | Choice | YesNo | Window) -> str:
    match rule:
        case Number():
            return f"{label(rule.item)} {SIGNS[rule.comparison]} {_limit(rule)}"
        case YesNo():
            return labeled(label(rule.item), choice("yes" if rule.answer else "no"))
        case Window():
            return _window(rule)
    return _listed(rule)


def _inner(rule: Rule) -> str:
    """A rule within another; in brackets where it would run into its neighbors."""
    plain = not isinstance(rule, AllOf | AnyOf | When | Choice)
    single = isinstance(rule, Choice) and rule.otherwise is None
    return words(rule) if plain or single else f"({words(rule)})"


def _conditional(rule: When) -> str:
    parts = {"condition": rule.condition, "then": rule.then, "otherwise": rule.otherwise}
    said = {name: _inner(part) for name, part in parts.items()}
    return gettext("if %(condition)s: %(then)s; otherwise: %(otherwise)s") % said


def _limit(rule: Number) -> str:
    number = f"{rule.value.normalize():f}"
    if rule.times:
        return f"{number} × {LIMITS[rule.times]}"
    return _amount(number, ITEMS[rule.item].unit if rule.unit is None else rule.unit)


def _listed(rule: Choice) -> str:
    lists = []
    if rule.one_of:
        lists.append(gettext(" or ").join(choice(term) for term in rule.one_of))
    if rule.none_of:
        terms = listed(choice(term) for term in rule.none_of)
        lists.append(gettext("none of %(terms)s") % {"terms": terms})
    if rule.otherwise is not None:
        lists.append(gettext("any other: %(rule)s") % {"rule": words(rule.otherwise)})
    return labeled(label(rule.item), apart(lists))


def _window(rule: Window) -> str:
    said = {"item": label(rule.item), "span": _span(rule.n, rule.unit)}
    if rule.comparison == "within":
        sentence = gettext("%(item)s within %(span)s before screening") % said
    else:
        sentence = gettext("%(item)s at least %(span)s before screening") % said
    return gettext("%(sentence)s, or never") % {"sentence": sentence} if rule.never else sentence
