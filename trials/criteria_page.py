"""What the criteria page shows of criteria: numbers, rules in words, what a screening will ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from pydantic import ValidationError as Misruled

from trials import eligibility, eligibility_wording
from trials.criteria_forms import pretty
from trials.eligibility_wording import LIMITS
from trials.models import Criterion
from trials.screening_items import ATTEST, ITEMS
from trials.vocabularies import CriterionKind


@dataclass(frozen=True)
class CriterionRow:
    """A criterion as it is shown; `number` counts within its kind."""

    row: Criterion
    number: int
    fresh: bool = False  # in the protocol since the version that is shown

    @cached_property
    def rule(self) -> eligibility.Rule | None:
        """The stored rule; None where the whole text is judged, or nothing can be read."""
        try:
            return eligibility.parse(self.row.rule) if self.row.rule else None
        except Misruled:
            return None

    @property
    def parts(self) -> list[str]:
        """The words, one line for each part of a combination that is no plain pair of limits."""
        rule = self.rule
        inner = rule.rules if isinstance(rule, eligibility.AllOf | eligibility.AnyOf) else ()
        if all(isinstance(part, eligibility.Number) for part in inner):
            return [self.words]
        return [eligibility_wording.words(part) for part in inner]

    @property
    def joined(self) -> str:
        """What stands between the parts."""
        return _("and") if isinstance(self.rule, eligibility.AllOf) else _("or")

    @cached_property
    def words(self) -> str:
        """The rule in words; blank where a person judges the text."""
        rule = self.rule
        whole = isinstance(rule, eligibility.Attestation) and not rule.statement
        return "" if rule is None or whole else capfirst(eligibility_wording.words(rule))


@dataclass(frozen=True)
class Section:
    """The criteria of one kind."""

    kind: CriterionKind
    rows: list[CriterionRow]

    @property
    def title(self) -> str:
        """The heading."""
        inclusion = self.kind == CriterionKind.INCLUSION
        return _("Inclusion criteria") if inclusion else _("Exclusion criteria")

    @property
    def rule_title(self) -> str:
        """What a rule of this kind says: what is required, or what excludes."""
        return _("Required") if self.kind == CriterionKind.INCLUSION else _("Excludes if")

    @property
    def judged(self) -> int:
        """How many a person judges by their whole text."""
        return sum(not row.words for row in self.rows)


def sections(rows: Iterable[Criterion], number: int) -> list[Section]:
    """The criteria of a protocol version by kind, in order."""
    found: dict[CriterionKind, list[CriterionRow]] = {kind: [] for kind in CriterionKind}
    for row in rows:
        listed = found[CriterionKind(row.kind)]
        listed.append(CriterionRow(row, len(listed) + 1, fresh=row.since == number > 1))
    return [Section(kind, listed) for kind, listed in found.items()]


@dataclass(frozen=True)
class Checked:
    """A rule that was read: in words, what it asks for, and as JSON."""

    words: str
    kind: CriterionKind
    asks: list[str]
    json: str


def asked_items(rule: eligibility.Rule | None, kind: str) -> Checked:
    """What the editor tells of a rule before it is stored."""
    told = eligibility.Attestation(code="text") if rule is None else rule
    said = eligibility.statements(told)
    limits = eligibility.limits(told)
    asks = [_ask(code, said, limits) for code in eligibility.items(told)]
    document = "" if rule is None else pretty(eligibility.as_document(rule))
    return Checked(eligibility_wording.words(told), CriterionKind(kind), asks, document)


def _ask(code: str, said: dict[str, str], limits: dict[str, frozenset[str]]) -> str:
    """An item with the units it may be entered in, and the laboratory's limits it needs."""
    name = str(capfirst(eligibility_wording.label(code, said.get(code, ""))))
    if code.startswith(ATTEST):
        return name
    details = [", ".join(eligibility_wording.unit(unit) for unit in ITEMS[code].units if unit)]
    details += [_("with its %s") % LIMITS[limit] for limit in sorted(limits.get(code, ()))]
    told: Any = ", ".join(part for part in details if part)
    return f"{name} ({told})" if told else name
