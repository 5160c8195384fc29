"""What a protocol version asks of a person, and what it says of the answers.

Values are read and judged here for the save, the preview and the pages alike. What the form or the
caller leaves out is carried over where the registry knows it: sex, ECOG and histology from the
patient, limits of normal from the ranges of the site's laboratory on the day of screening. A value
that is given wins, and an explicit null is "not answered". A sex or an age that cannot be that of the
patient's record is refused; an ECOG or a histology may have changed, and a limit of normal that is
typed may be another laboratory's: these are noted with the results of the criteria that ask for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from pydantic import ValidationError

from patients.models import Patient, Screening, Sex
from registry.errors import FieldError, Refused
from trials import eligibility_wording as wording
from trials.eligibility import Result, Rule, items, judge, limits, rule_of, statements
from trials.models import Criterion, ProtocolVersion, ReferenceRange, Site, Trial
from trials.screening_items import ATTEST, ITEMS, Item, Kind, item, possible_ages
from trials.screening_values import Misread, Problem, Value, decimal_text, in_canonical, read
from trials.vocabularies import CriterionKind

SOURCES = ("source", "limit_source")  # what a stored value says besides the value
FROM_PATIENT, FROM_LABORATORY = "patient", "reference_range"
Note = dict[str, Any]  # {"item", "code", "params"}: worded by screening_wording.note


def in_force(trial: Trial, on: Date) -> ProtocolVersion:
    """The protocol that holds on a day: the last that has begun; the first before any has."""
    versions = trial.protocol_versions.order_by("-number")
    begun = versions.filter(Q(effective_on=None) | Q(effective_on__lte=on)).first()
    return begun or versions.earliest("number")


@dataclass(frozen=True)
class Asked:
    """A criterion and its rule."""

    criterion: Criterion
    rule: Rule
    number: int  # within its kind, from 1

    @classmethod
    def of(cls, criterion: Criterion, number: int) -> Asked:
        """A criterion whose rule is missing or cannot be read is attested as a whole."""
        code = f"criterion-{criterion.pk}"
        try:
            return cls(criterion, rule_of(criterion.rule, code=code), number)
        except ValidationError:
            return cls(criterion, rule_of(None, code=code), number)

    def result(self, answers: Answers, screened_on: Date) -> dict[str, Any]:
        """What it says of these answers, as it is frozen with a screening."""
        exclusion = self.criterion.kind == CriterionKind.EXCLUSION
        judged = judge(self.rule, answers.values, screened_on=screened_on, exclusion=exclusion)
        asked = items(self.rule)
        return {
            "criterion": self.criterion.pk,
            "kind": self.criterion.kind,
            "number": self.number,
            "text": self.criterion.text,
            "result": judged.result.value,
            "reasons": [reason.as_document() for reason in judged.reasons],
            "notes": [note for note in answers.notes if note["item"] in asked],
        }


@dataclass(frozen=True)
class Protocol:
    """A protocol version with its criteria."""

    version: ProtocolVersion
    criteria: tuple[Asked, ...]

    @classmethod
    def of(cls, version: ProtocolVersion) -> Protocol:
        """The criteria of this version, each numbered within its kind."""
        rows = list(Criterion.objects.filter(trial=version.trial_id).of(version.number))
        numbered = [
            Asked.of(row, sum(other.kind == row.kind for other in rows[: index + 1]))
            for index, row in enumerate(rows)
        ]
        return cls(version, tuple(numbered))

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Everything that is asked for, once each: the catalogue's order, attestations last."""
        asked = dict.fromkeys(code for one in self.criteria for code in items(one.rule))
        known = [found for code, found in ITEMS.items() if code in asked]
        return (*known, *(item(code) for code in asked if code.startswith(ATTEST)))

    @cached_property
    def limits(self) -> dict[str, frozenset[str]]:
        """The items of which limits of normal are asked for too."""
        found: dict[str, frozenset[str]] = {}
        for one in self.criteria:
            for code, asked in limits(one.rule).items():
                found[code] = found.get(code, frozenset()) | asked
        return found

    @cached_property
    def statements(self) -> dict[str, str]:
        """What is attested, by item; of a criterion without words of its own, the criterion."""
        return {
            code: said or one.criterion.text
            for one in self.criteria
            for code, said in statements(one.rule).items()
        }

    def using(self, code: str) -> list[Asked]:
        """The criteria that ask for an item."""
        return [one for one in self.criteria if code in items(one.rule)]

    def judge(self, answers: Answers, screened_on: Date) -> list[dict[str, Any]]:
        """What each criterion says of the answers, with what is to be noted of them."""
        return [one.result(answers, screened_on) for one in self.criteria]


@dataclass(frozen=True)
class Answers:
    """Values, with what was carried over into them."""

    values: Mapping[str, Value]
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: Sequence[Note] = ()

    def as_document(self) -> dict[str, Any]:
        """The values as they are stored: each with where it came from, if not from the form."""
        return {
            code: value.as_document() | dict(self.sources.get(code, {}))
            for code, value in self.values.items()
        }


def judged(screening: Screening, document: Mapping[str, Any]) -> Screening:
    """The screening with these values and what its protocol says of them; Refused where unreadable."""
    protocol = Protocol.of(screening.protocol_version)
    values, problems = readable(document, protocol)
    problems += contradicted(values, screening.patient, screening.screened_on)
    if problems:
        raise Refused(problems)
    answers = completed(values, protocol, screening.patient, screening.screened_on)
    screening.values = answers.as_document()
    screening.results = protocol.judge(answers, screening.screened_on)
    return screening


def readable(
    document: Mapping[str, Any], protocol: Protocol
) -> tuple[dict[str, Value], list[FieldError]]:
    """The values that can be read, and what is wrong with the others."""
    asked = {one.code for one in protocol.items}
    plain = {code: _without_sources(entry) for code, entry in document.items()}
    known = {code: entry for code, entry in plain.items() if code in asked}
    problems = [Problem(code, "", "unknown_item") for code in plain if code not in asked]
    try:
        values = read(known)
    except Misread as misread:
        problems += misread.problems
        wrong = {problem.item for problem in misread.problems}
        values = read({code: entry for code, entry in known.items() if code not in wrong})
    return values, [_refusal(problem) for problem in problems]


def _without_sources(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    return {key: said for key, said in entry.items() if key not in SOURCES}


def _refusal(problem: Problem) -> FieldError:
    steps = [step.replace("~", "~0").replace("/", "~1") for step in (problem.item, problem.key)]
    pointer = "/".join(["/values", *(step for step in steps if step)])
    return FieldError(pointer, wording.problem(problem))


def completed(
    values: Mapping[str, Value], protocol: Protocol, patient: Patient, screened_on: Date
) -> Answers:
    """The values with what the registry knows besides, and a note of where each came from."""
    sources: dict[str, dict[str, str]] = {}
    notes = list(_beside_record(values, patient))
    filled = dict(values)
    for code, known in carried_over(patient, protocol).items():
        if filled.setdefault(code, known).value == known.value:
            sources[code] = {"source": FROM_PATIENT}
    ranges = reference_ranges(patient.site, screened_on, _sex(filled))
    for code, asked in protocol.limits.items():
        if (range_ := ranges.get(code)) and (value := filled.get(code)):
            filled[code] = within(value, range_, asked)
            if _is_from(filled[code], range_):
                sources.setdefault(code, {})["limit_source"] = FROM_LABORATORY
            else:
                notes += _beside_laboratory(code, filled[code], range_)
    return Answers(filled, sources, notes)


def contradicted(
    values: Mapping[str, Value], patient: Patient, screened_on: Date
) -> Iterator[FieldError]:
    """A sex or an age that cannot be that of the patient's record."""
    said = {code: value.value for code, value in values.items()}
    sex, age = said.get("sex"), said.get("age")
    if sex is not None and patient.sex not in ("", Sex.UNKNOWN, sex):
        detail = _(
            "The patient's record says %(known)s, here it is %(said)s: correct what is wrong."
        )
        sexes = {"known": wording.choice(patient.sex), "said": wording.choice(str(sex))}
        yield FieldError("/values/sex/value", detail % sexes)
    if isinstance(age, Decimal) and patient.birth_year:
        low, high = possible_ages(patient.birth_year, screened_on)
        if not low <= age <= high:
            detail = _(
                "Born in %(year)s by the patient's record: %(low)d or %(high)d on %(day)s, here it is "
                "%(said)s: correct what is wrong."
            )
            words: dict[str, Any] = {"year": patient.birth_year, "low": low, "high": high}
            words |= {"day": screened_on, "said": age}
            yield FieldError("/values/age/value", detail % words)


def _beside_record(values: Mapping[str, Value], patient: Patient) -> Iterator[Note]:
    """What may have changed since the patient's record was written: ECOG, histology."""
    for code in ("ecog", "histology"):
        known, found = getattr(patient, code), values.get(code)
        if known in (None, "") or found is None or found.value in (None, known):
            continue
        yield {
            "item": code,
            "code": "record",
            "params": {"said": str(found.value), "known": str(known)},
        }


def _beside_laboratory(code: str, value: Value, range_: ReferenceRange) -> Iterator[Note]:
    """Limits that somebody typed although the site's laboratory has others."""
    unit, known = value.limit_unit or value.unit, {"uln": range_.upper, "lln": range_.lower}
    for name, limit in (("uln", value.uln), ("lln", value.lln)):
        theirs = known[name]
        if limit is None or theirs is None or _same(code, (limit, unit), (theirs, range_.unit)):
            continue
        told = {"limit": name, "said": decimal_text(limit), "unit": unit or ""}
        told |= {"known": decimal_text(theirs), "known_unit": range_.unit}
        yield {"item": code, "code": "limit", "params": told}


def _same(code: str, *amounts: tuple[Decimal, str | None]) -> bool:
    return len({in_canonical(ITEMS[code], amount, unit) for amount, unit in amounts}) == 1


def carried_over(patient: Patient, protocol: Protocol) -> dict[str, Value]:
    """What the patient's record answers of the items that are asked for."""
    known = {
        one.code: getattr(patient, one.carries_over) for one in protocol.items if one.carries_over
    }
    said = {
        code: {"value": told} for code, told in known.items() if told not in (None, "", Sex.UNKNOWN)
    }
    return read(said)


def _sex(values: Mapping[str, Value]) -> str:
    found = values.get("sex")
    return str(found.value) if found and found.value else ""


def reference_ranges(site: Site, on: Date, sex: str) -> dict[str, ReferenceRange]:
    """The ranges of the site's laboratory on a day, by item, in units that the item has."""
    found: dict[str, ReferenceRange] = {}
    for row in ReferenceRange.objects.valid_at(site, on, sex):
        if row.item in ITEMS and row.unit in ITEMS[row.item].units:
            found.setdefault(row.item, row)
    return found


def within(value: Value, range_: ReferenceRange, asked: Collection[str]) -> Value:
    """A value with the laboratory's limits, in their own unit, unless it came with limits."""
    if value.value is None or value.uln is not None or value.lln is not None:
        return value
    limits_of = {"uln": range_.upper, "lln": range_.lower}
    uln, lln = (limits_of[name] if name in asked else None for name in ("uln", "lln"))
    if not uln and not lln:
        return value
    return replace(value, uln=uln or None, lln=lln or None, limit_unit=range_.unit)


def _is_from(value: Value, range_: ReferenceRange) -> bool:
    limits_of = ((value.uln, range_.upper), (value.lln, range_.lower))
    given = [(said, known) for said, known in limits_of if said is not None]
    return bool(given) and value.limit_unit == range_.unit and all(a == b for a, b in given)


def failing(results: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The results that are not met or unknown."""
    return [result for result in results if result["result"] != Result.MET]


def measured(asked: Item) -> bool:
    """Whether an item is a number that has a unit."""
    return asked.kind == Kind.NUMBER and list(asked.units) != [""]
