"""Eligibility: a criterion's rule as data, and what it says of a person: met, not met or unknown.

Pure. Rules are combined by Kleene's strong three-valued logic: what is not known stays unknown
unless the known parts decide alone, and nothing that is filled in later turns a decided result.
A rule describes what the criterion's text says; that of an exclusion criterion therefore describes
what excludes, and the criterion is met when that is absent.
"""

from __future__ import annotations

import calendar
import json
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from trials.histologies import families, folded
from trials.screening_items import ATTEST, ITEMS, Item, Kind
from trials.screening_values import NEVER, decimal_text, in_canonical
from trials.screening_values import Value as Value

MAX_DEPTH = 8  # rules within rules
MAX_RULES = 100  # in one criterion


class Result(StrEnum):
    """Whether the requirement for eligibility is fulfilled."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


# ---- the rules ----


def _exact(given: Any) -> Decimal:
    """A JSON number as the decimal it was typed as."""
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        raise PydanticCustomError("number", "A number, such as 1.5.")
    amount = Decimal(str(given))
    if not amount.is_finite() or (amount and not -9 <= amount.adjusted() <= 12):
        raise PydanticCustomError("number_range", "A number between 10^-9 and 10^12.")
    return amount


def _as_json_number(amount: Decimal) -> int | float:
    """The same number; what is far beyond any limit as a float, since its digits are endless."""
    whole = amount.adjusted() < 30 and amount == amount.to_integral_value()
    return int(amount) if whole else float(amount)


Exact = Annotated[
    Decimal,
    BeforeValidator(_exact),
    PlainSerializer(_as_json_number, return_type=int | float),
    WithJsonSchema({"type": "number"}),
]
Term = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Terms = Annotated[tuple[Term, ...], Field(max_length=100)]
Comparison = Literal["at_least", "at_most", "above", "below"]
Limit = Literal["uln", "lln"]
Span = Literal["days", "weeks", "months", "years"]


def _described(schema: dict[str, Any], part: type[_Part]) -> None:
    """In JSON Schema: a rule always names its type, and an item of the kind that it can ask for."""
    schema["required"] = sorted({"type", *schema.get("required", ())})
    if kind := KIND_OF.get(part.__name__):
        schema["properties"]["item"] = {"type": "string", "enum": _items_of(kind)}


def _items_of(kind: Kind) -> list[str]:
    return [known.code for known in ITEMS.values() if known.kind == kind]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_described)


class _Asking(_Part):
    """A rule about one item of the catalogue, of the one kind that it can be about."""

    @field_validator("item", check_fields=False)
    @classmethod
    def _of_the_kind(cls, code: str) -> str:
        accepted = _items_of(KIND_OF[cls.__name__])
        if code not in accepted:
            raise PydanticCustomError(
                "item", "One of: {accepted}.", {"accepted": ", ".join(accepted)}
            )
        return code


KIND_OF = {
    "Number": Kind.NUMBER,
    "Choice": Kind.CHOICE,
    "YesNo": Kind.YES_NO,
    "Window": Kind.DATE,
}


class Number(_Asking, title="EligibilityNumberRule"):
    """A number against a limit: in a unit of the item, or a multiple of a limit of the laboratory.

    `{"type": "number", "item": "creatinine", "comparison": "at_most", "value": 1.5, "times": "uln"}`
    """

    type: Literal["number"] = "number"
    item: str
    comparison: Comparison
    value: Exact
    times: Limit | None = None
    unit: Annotated[str | None, Field(validate_default=True)] = None

    @field_validator("times")
    @classmethod
    def _limited(cls, times: Limit | None, info: ValidationInfo) -> Limit | None:
        asked = ITEMS.get(info.data.get("item", ""))
        if times and asked and times not in asked.limits:
            raise PydanticCustomError("no_limits", "This item has no laboratory limits.")
        if times and info.data.get("value", 1) <= 0:
            raise PydanticCustomError("multiple", "A multiple of a limit is above zero.")
        return times

    @field_validator("unit")
    @classmethod
    def _measured_in(cls, unit: str | None, info: ValidationInfo) -> str | None:
        asked, times = ITEMS.get(info.data.get("item", "")), info.data.get("times")
        if times and unit is not None:
            raise PydanticCustomError("unit_of_multiple", "A multiple of a limit has no unit.")
        if asked is None or times or "value" not in info.data:
            return unit
        accepted = ", ".join(code or '""' for code in asked.units)
        if unit not in asked.units and not (unit is None and len(asked.units) == 1):
            raise PydanticCustomError("unit", "One of: {accepted}.", {"accepted": accepted})
        return _plausible(asked, info.data["value"], unit)


def _plausible(asked: Item, limit: Decimal, unit: str | None) -> str | None:
    """The unit, if a limit in it can be meant."""
    low, high = asked.plausible or (Fraction(limit), Fraction(limit))
    factor = asked.units[asked.unit if unit is None else unit]
    if low <= Fraction(limit) * factor <= high:
        return unit
    bounds = {"low": decimal_text(low / factor, 4), "high": decimal_text(high / factor, 4)}
    raise PydanticCustomError("implausible", "A limit from {low} to {high} in this unit.", bounds)


class Choice(_Asking, title="EligibilityChoiceRule"):
    """One answer of several: in `one_of`, or in `none_of`, or else what `otherwise` says.

    With one list only, everything else is on the other side of it; with both and no `otherwise`,
    what is in neither is unknown. A histology is compared by its names, its families included; one
    that is no known name, and in no list, is unknown unless `otherwise` decides.
    """

    type: Literal["choice"] = "choice"
    item: str
    one_of: Terms = ()
    none_of: Terms = ()
    otherwise: Rule | None = None

    @field_validator("one_of", "none_of")
    @classmethod
    def _of_the_item(cls, terms: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        choices = getattr(ITEMS.get(info.data.get("item", "")), "choices", ())
        if choices and not set(terms) <= set(choices):
            accepted = {"accepted": ", ".join(choices)}
            raise PydanticCustomError("choice", "Of these: {accepted}.", accepted)
        return terms

    @model_validator(mode="after")
    def _listed_once(self) -> Self:
        if not self.one_of and not self.none_of:
            raise PydanticCustomError("empty", "At least one term in one_of or none_of.")
        if {folded(term) for term in self.one_of} & {folded(term) for term in self.none_of}:
            raise PydanticCustomError("both", "A term is in one_of or in none_of, not in both.")
        return self


class YesNo(_Asking, title="EligibilityYesNoRule"):
    """A question with the answer that fulfills the rule."""

    type: Literal["yes_no"] = "yes_no"
    item: str
    answer: Annotated[bool, Field(strict=True)]


class Window(_Asking, title="EligibilityWindowRule"):
    """A date within the last n days, weeks, months or years before screening, or at least so long ago.

    The day n before is in both. Months and years are of the calendar: one month before March 31
    is the last of February. `never`: whether an event that never was fulfills the rule.
    A date after the day of screening is unknown.
    """

    type: Literal["window"] = "window"
    item: str
    comparison: Literal["within", "at_least"]
    n: Annotated[int, Field(ge=0, le=1000, strict=True)]
    unit: Span
    never: Annotated[bool, Field(strict=True)] = False


class Attestation(_Part, title="EligibilityAttestation"):
    """What only a person can judge; without a statement the criterion's own text is judged."""

    type: Literal["attestation"] = "attestation"
    code: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]
    statement: Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True)] = ""


Several = Annotated[tuple["Rule", ...], Field(min_length=1, max_length=40)]


class AllOf(_Part, title="EligibilityAllOf"):
    """Every one of the rules."""

    type: Literal["all"] = "all"
    rules: Several


class AnyOf(_Part, title="EligibilityAnyOf"):
    """At least one of the rules: alternatives."""

    type: Literal["any"] = "any"
    rules: Several


class Not(_Part, title="EligibilityNot"):
    """The opposite of a rule."""

    type: Literal["not"] = "not"
    rule: Rule


class When(_Part, title="EligibilityWhen"):
    """A rule that depends on a condition: 5 x ULN with liver metastases, otherwise 2.5 x ULN.

    With the condition unknown, the result is known only where both rules agree on it.
    """

    type: Literal["when"] = "when"
    condition: Rule
    then: Rule
    otherwise: Rule


Rule = Annotated[
    Number | Choice | YesNo | Window | Attestation | AllOf | AnyOf | Not | When,
    Field(discriminator="type"),
]
COMBINATIONS = (Choice, AllOf, AnyOf, Not, When)
for part in COMBINATIONS:
    part.model_rebuild()


RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
TYPES: Mapping[str, type[_Part]] = {
    "number": Number,
    "choice": Choice,
    "yes_no": YesNo,
    "window": Window,
    "attestation": Attestation,
    "all": AllOf,
    "any": AnyOf,
    "not": Not,
    "when": When,
}


def parse(document: Any) -> Rule:
    """A JSON document as a rule; raises pydantic's ValidationError, its places as `place` reads."""
    if not _bounded(document):
        bounds = {"depth": MAX_DEPTH, "rules": MAX_RULES}
        large = PydanticCustomError("too_large", "At most {rules} rules, {depth} deep.", bounds)
        raise ValidationError.from_exception_data(
            "Rule", [InitErrorDetails(type=large, loc=(), input=None)]
        )
    return RULE.validate_json(json.dumps(document, default=_as_json_number), strict=True)


def rule_of(document: Any, *, code: str) -> Rule:
    """A criterion's stored rule; one without is an attestation, under this code, of its text."""
    return Attestation(code=code) if document is None else parse(document)


def as_document(rule: Rule) -> dict[str, Any]:
    """The rule as JSON; keys that say nothing are left out."""
    document: dict[str, Any] = RULE.dump_python(rule, mode="json", exclude_none=True)
    return document


def place(loc: tuple[int | str, ...], document: Any) -> tuple[int | str, ...]:
    """Where an error is in the document: pydantic's place without the types that it names."""
    found: list[int | str] = []
    for step in loc:
        if isinstance(document, Mapping) and step in TYPES and step not in document:
            continue
        found.append(step)
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
    return tuple(found)


def _bounded(document: Any) -> bool:
    """Whether it is neither too deep nor too large to be a criterion's rule."""
    level, depth, count = [document], 0, 0
    for _ in range(2 * MAX_DEPTH):  # each rule may hold a list of rules
        rules = [node for node in level if isinstance(node, Mapping)]
        depth, count = depth + bool(rules), count + len(rules)
        level = [inner for node in level for inner in _containers(node)]
    return not level and depth <= MAX_DEPTH and count <= MAX_RULES


def _containers(node: Any) -> list[Any]:
    inner = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    return [one for one in inner if isinstance(one, Mapping | list)]


# ---- what a rule asks for ----


def _parts(rule: Rule) -> Iterator[Rule]:
    """The rule and every rule in it, in reading order."""
    yield rule
    match rule:
        case AllOf(rules=inner) | AnyOf(rules=inner):
            pass
        case Not(rule=negated):
            inner = (negated,)
        case When(condition=condition, then=then, otherwise=otherwise):
            inner = (condition, then, otherwise)
        case Choice(otherwise=fallback) if fallback is not None:
            inner = (fallback,)
        case _:
            inner = ()
    for one in inner:
        yield from _parts(one)


def _item_of(rule: Rule) -> str:
    return f"{ATTEST}{rule.code}" if isinstance(rule, Attestation) else getattr(rule, "item", "")


def items(rule: Rule) -> tuple[str, ...]:
    """The screening items that a rule asks for, in order, once each."""
    asked = (_item_of(part) for part in _parts(rule))
    return tuple(dict.fromkeys(code for code in asked if code))


def limits(rule: Rule) -> dict[str, frozenset[str]]:
    """The items of which the rule asks for limits of the laboratory as well: "uln", "lln"."""
    found: dict[str, frozenset[str]] = {}
    for part in _parts(rule):
        if isinstance(part, Number) and part.times:
            found[part.item] = found.get(part.item, frozenset()) | {part.times}
    return found


def statements(rule: Rule) -> dict[str, str]:
    """What the rule's attestations state, by item; blank: the criterion's own text."""
    return {_item_of(p): p.statement for p in _parts(rule) if isinstance(p, Attestation)}


# ---- what a rule says of a person ----


@dataclass(frozen=True)
class Reason:
    """A fact that decides, or what is missing; worded by `trials.eligibility_wording.reason`.

    Codes: `missing`, `limit_missing`, `number`, `multiple`, `choice`, `unlisted`, `unrecognized`,
    `yes_no`, `window`, `never`, `after_screening`, `attestation`. Params are text; numbers are
    exact decimals, of the value as entered and, where the rule has another unit, converted.
    """

    code: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def item(self) -> str:
        """The item that it is about."""
        return self.params["item"]

    def as_document(self) -> dict[str, Any]:
        """The reason as JSON."""
        return {"code": self.code, "params": dict(self.params)}


@dataclass(frozen=True)
class Judgment:
    """A result, and what decided it: what fails if not met, what is missing if unknown."""

    result: Result
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class _Case:
    values: Mapping[str, Value]
    screened_on: date

    def answer(self, item: str) -> Any:
        value = self.values.get(item)
        return None if value is None else value.value


def judge(
    rule: Rule, values: Mapping[str, Value], *, screened_on: date, exclusion: bool = False
) -> Judgment:
    """What the criterion says of these answers, as read by `screening_values.read`.

    Of an exclusion criterion the rule describes what excludes: it is met when that is absent.
    """
    judgment = _judged(rule, _Case(values, screened_on))
    return _opposite(judgment) if exclusion else judgment


def _judged(rule: Rule, case: _Case) -> Judgment:
    judgment: Judgment = JUDGES[type(rule)](rule, case)
    return judgment


def _is(fulfilled: bool, code: str, **params: str) -> Judgment:
    return Judgment(Result.MET if fulfilled else Result.NOT_MET, (Reason(code, params),))


def _unknown(code: str, **params: str) -> Judgment:
    return Judgment(Result.UNKNOWN, (Reason(code, params),))


COMPARISONS: dict[Comparison, tuple[Callable[[Fraction, Fraction], bool], Comparison]] = {
    "at_least": (operator.ge, "below"),
    "at_most": (operator.le, "above"),
    "above": (operator.gt, "at_most"),
    "below": (operator.lt, "at_least"),
}


def _number(rule: Number, case: _Case) -> Judgment:
    value, asked = case.values.get(rule.item), ITEMS[rule.item]
    if value is None or value.value is None:
        return _unknown("missing", item=rule.item)
    if isinstance(value.value, bool) or not isinstance(value.value, Decimal):
        raise ValueError(f"{rule.item} is a number, not {value.value!r}")
    amount = in_canonical(asked, value.value, value.unit)
    bound = _bound(rule, asked, value)
    if bound is None:
        return _unknown("limit_missing", item=rule.item, limit=str(rule.times))
    holds, opposite = COMPARISONS[rule.comparison]
    fulfilled = holds(amount, bound)
    relation = rule.comparison if fulfilled else opposite
    facts = {"item": rule.item, "relation": relation} | _told(rule, asked, value, amount, bound)
    return _is(fulfilled, "multiple" if rule.times else "number", **facts)


def _bound(rule: Number, asked: Item, value: Value) -> Fraction | None:
    """The limit in the item's canonical unit; None without the laboratory's limit."""
    if not rule.times:
        return in_canonical(asked, rule.value, rule.unit)
    limit: Decimal | None = getattr(value, rule.times)
    if limit is None:
        return None
    return Fraction(rule.value) * in_canonical(asked, limit, value.limit_unit or value.unit)


def _told(
    rule: Number, asked: Item, value: Value, amount: Fraction, bound: Fraction
) -> dict[str, str]:
    """The value as entered and as compared, and the limit."""
    unit = asked.unit if value.unit is None else value.unit
    told = {"value": decimal_text(Decimal(str(value.value))), "unit": unit}
    told["limit"] = decimal_text(rule.value)
    if rule.times:
        told |= {"times": rule.times, rule.times: decimal_text(getattr(value, rule.times))}
        return told | {"limit_unit": value.limit_unit or unit, "ratio": _near(amount, bound, rule)}
    told["limit_unit"] = asked.unit if rule.unit is None else rule.unit
    if told["limit_unit"] != unit:
        factor = asked.units[told["limit_unit"]]
        told["converted"] = _apart(amount / factor, Fraction(rule.value))
    return told


def _near(amount: Fraction, bound: Fraction, rule: Number) -> str:
    """The value as a multiple of the laboratory's limit."""
    return _apart(amount * Fraction(rule.value) / bound, Fraction(rule.value))


def _apart(amount: Fraction, limit: Fraction) -> str:
    """The amount rounded, but never onto the limit that it differs from."""
    for places in range(2, 15):
        shown = Fraction(decimal_text(amount, places))
        if (shown == limit) == (amount == limit):
            break
    return decimal_text(amount, places)


def _choice(rule: Choice, case: _Case) -> Judgment:
    answer = case.answer(rule.item)
    if answer is None:
        return _unknown("missing", item=rule.item)
    facts = {"item": rule.item, "value": str(answer)}
    names = _names(rule.item, str(answer))
    if names & _listed(rule.item, rule.one_of):
        return _is(True, "choice", **facts)
    if names & _listed(rule.item, rule.none_of):
        return _is(False, "choice", **facts)
    if rule.otherwise is not None:
        return _judged(rule.otherwise, case)
    if ITEMS[rule.item].free_text and not families(str(answer)):
        return _unknown("unrecognized", **facts)
    if rule.one_of and rule.none_of:
        return _unknown("unlisted", **facts)
    return _is(not rule.one_of, "choice", **facts)


def _names(item: str, text: str) -> frozenset[str]:
    """What an answer counts as: itself, and of a histology its term and families."""
    if not ITEMS[item].free_text:
        return frozenset({text})
    return frozenset({folded(text), *map(folded, families(text))})


def _listed(item: str, terms: Iterable[str]) -> frozenset[str]:
    """What a list names: of a histology the term, whichever of its names the list uses."""
    if not ITEMS[item].free_text:
        return frozenset(terms)
    return frozenset(folded((families(term) or (term,))[0]) for term in terms)


def _yes_no(rule: YesNo, case: _Case) -> Judgment:
    return _answered("yes_no", rule.item, rule.answer, case)


def _attestation(rule: Attestation, case: _Case) -> Judgment:
    return _answered("attestation", _item_of(rule), True, case, statement=rule.statement)


def _answered(code: str, item: str, fulfilling: bool, case: _Case, **facts: str) -> Judgment:
    answer = case.answer(item)
    if answer is None:
        return _unknown("missing", item=item, **facts)
    if not isinstance(answer, bool):
        raise ValueError(f"{item} is yes or no, not {answer!r}")
    return _is(answer == fulfilling, code, item=item, value="yes" if answer else "no", **facts)


def _window(rule: Window, case: _Case) -> Judgment:
    answer = case.answer(rule.item)
    if answer is None:
        return _unknown("missing", item=rule.item)
    if answer == NEVER:
        return _is(rule.never, "never", item=rule.item)
    if not isinstance(answer, date):
        raise ValueError(f"{rule.item} is a date, not {answer!r}")
    if answer > case.screened_on:
        return _unknown("after_screening", item=rule.item, value=answer.isoformat())
    edge = before(case.screened_on, rule.n, rule.unit)
    within = answer >= edge
    fulfilled = within if rule.comparison == "within" else answer <= edge
    return _is(fulfilled, "window", **_dated(rule, answer, edge, case.screened_on))


def _dated(rule: Window, answer: date, edge: date, screened_on: date) -> dict[str, str]:
    days = (screened_on - answer).days
    relation = "within" if answer > edge else "on_the_day" if answer == edge else "before"
    facts = {"item": rule.item, "value": answer.isoformat(), "days": str(days)}
    return facts | {"relation": relation, "n": str(rule.n), "unit": rule.unit}


def before(day: date, n: int, unit: Span) -> date:
    """The day n days, weeks, calendar months or years before another."""
    if unit in ("days", "weeks"):
        return day - timedelta(days=n * (7 if unit == "weeks" else 1))
    months = day.year * 12 + day.month - 1 - n * (12 if unit == "years" else 1)
    year, month = divmod(months, 12)
    if year < 1:
        return date.min
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


OPPOSITE = {Result.MET: Result.NOT_MET, Result.NOT_MET: Result.MET, Result.UNKNOWN: Result.UNKNOWN}


def _opposite(judgment: Judgment) -> Judgment:
    return Judgment(OPPOSITE[judgment.result], judgment.reasons)


def _all(rule: AllOf, case: _Case) -> Judgment:
    return _decided([_judged(one, case) for one in rule.rules], Result.NOT_MET)


def _any(rule: AnyOf, case: _Case) -> Judgment:
    return _decided([_judged(one, case) for one in rule.rules], Result.MET)


def _decided(judgments: Iterable[Judgment], deciding: Result) -> Judgment:
    """One judgment decides; if none does an unknown one leaves it open; else all agree."""
    found = list(judgments)
    results = [judgment.result for judgment in found]
    for result in (deciding, Result.UNKNOWN, OPPOSITE[deciding]):
        if result in results:
            break
    told = [reason for one in found if one.result == result for reason in one.reasons]
    return Judgment(result, _once(told))


def _not(rule: Not, case: _Case) -> Judgment:
    return _opposite(_judged(rule.rule, case))


def _when(rule: When, case: _Case) -> Judgment:
    condition = _judged(rule.condition, case)
    then, otherwise = _judged(rule.then, case), _judged(rule.otherwise, case)
    if condition.result == Result.UNKNOWN:
        if then.result == otherwise.result != Result.UNKNOWN:
            return Judgment(then.result, _once((*then.reasons, *otherwise.reasons)))
        return condition
    return then if condition.result == Result.MET else otherwise


def _once(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    found: list[Reason] = []
    for reason in reasons:
        if reason not in found:
            found.append(reason)
    return tuple(found)


JUDGES: dict[type[_Part], Callable[..., Judgment]] = {
    Number: _number,
    Choice: _choice,
    YesNo: _yes_no,
    Window: _window,
    Attestation: _attestation,
    AllOf: _all,
    AnyOf: _any,
    Not: _not,
    When: _when,
}
