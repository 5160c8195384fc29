"""Every key of an endpoint definition: its name, what it decides, and its terms in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.languages import listed
from trials.definition_wording import (
    ORIGINS,
    POPULATIONS,
    PROPORTION_STYLES,
    SURVIVAL_STYLES,
    THERAPIES,
)
from trials.definitions import CensorAt, CensoringRule, EndpointDefinition, EndpointKind

Terms = Mapping[Any, str | Promise]

RULES = {
    CensoringRule.LAST_PROGRESSION_FREE: _("at the last evaluable assessment; nothing else"),
    CensoringRule.FDA: _("FDA: also new therapy, and events after two missed assessments"),
    CensoringRule.EMA: _("EMA: events count whatever was missed or started"),
}

ASSESSMENTS = {
    CensorAt.LAST_EVALUABLE: _("evaluable ones"),
    CensorAt.LAST_ANY: _("all, also those not evaluable"),
}

CRITERIA = {name: name for name in get_args(EndpointDefinition.model_fields["criteria"].annotation)}

WHOM, RESPONSE, CENSORING, INTERVALS = (
    _("Whom, and from when"),
    _("Response"),
    _("Censoring"),
    _("Intervals"),
)


RATES = frozenset({EndpointKind.ORR, EndpointKind.DCR, EndpointKind.CBR})
TIMES = frozenset({EndpointKind.PFS, EndpointKind.OS, EndpointKind.DOR, EndpointKind.TTR})
RESPONDING = RATES | {EndpointKind.DOR, EndpointKind.TTR}
PROGRESSING = frozenset({EndpointKind.PFS, EndpointKind.DOR})
ASSESSED = RESPONDING | PROGRESSING
DAYS = _("Whole days, 0 to 3650.")
LEVEL = _("More than 0.5 and at most 0.9999, such as 0.95.")


@dataclass(frozen=True)
class Key:
    """A key of the definition by its path; `terms` where it is one of several, or some of them.

    `kinds` are those that it decides something of; `bounds` of a number says what is accepted.
    """

    path: tuple[str, ...]
    section: str | Promise
    label: str | Promise
    explanation: str | Promise
    terms: Terms = field(default_factory=dict)
    kinds: frozenset[EndpointKind] = frozenset(EndpointKind) - {EndpointKind.OTHER}
    bounds: str | Promise = ""

    @property
    def name(self) -> str:
        """The path in one word, as a form's field has it."""
        return "_".join(self.path)

    def of(self, definition: EndpointDefinition) -> Any:
        """The key's value in a definition."""
        found: Any = definition
        for step in self.path:
            found = getattr(found, step)
        return found

    def in_words(self, definition: EndpointDefinition) -> str:
        """The key's value in the reader's language."""
        value = self.of(definition)
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        if isinstance(value, frozenset):
            return listed(self.terms[one] for one in sorted(value)) or gettext("none")
        return str(self.terms.get(value, value))


KEYS = (
    Key(
        ("time_origin",),
        WHOM,
        _("Time origin"),
        _("Day 1 of a time to event; minimum durations are counted from it too."),
        ORIGINS,
    ),
    Key(
        ("population",),
        WHOM,
        _("Analysis population"),
        _("Who is in the denominator, and in the curve."),
        POPULATIONS,
    ),
    Key(
        ("criteria",),
        WHOM,
        _("Response criteria"),
        _("By which criteria responses and progression are derived."),
        CRITERIA,
        kinds=ASSESSED,
    ),
    Key(
        ("confirmation", "required"),
        RESPONSE,
        _("CR and PR need confirmation"),
        _("Whether a response counts only when a later assessment confirms it."),
        kinds=RESPONDING,
    ),
    Key(
        ("confirmation", "min_days"),
        RESPONSE,
        _("Confirmation after (days)"),
        _("The confirming assessment is at least so many days later."),
        kinds=RESPONDING,
        bounds=DAYS,
    ),
    Key(
        ("confirmation", "max_not_evaluable_between"),
        RESPONSE,
        _("NE between, at most"),
        _("How many assessments between the two may be not evaluable."),
        kinds=RESPONDING,
        bounds=_("A whole number, 0 to 100."),
    ),
    Key(
        ("confirmation", "allow_stable_between"),
        RESPONSE,
        _("One SD may lie between"),
        _("Whether a PR may be confirmed across one stable disease."),
        kinds=RESPONDING,
    ),
    Key(
        ("min_stable_days",),
        RESPONSE,
        _("Stable disease from (days)"),
        _("Before that many days SD and Non-CR/Non-PD count as not evaluable."),
        kinds=RATES - {EndpointKind.CBR},
        bounds=DAYS,
    ),
    Key(
        ("min_benefit_days",),
        RESPONSE,
        _("Clinical benefit from (days)"),
        _("Of CBR only: without progression at that many days counts as benefit."),
        kinds=frozenset({EndpointKind.CBR}),
        bounds=DAYS,
    ),
    Key(
        ("censoring", "rule"),
        CENSORING,
        _("Who has no event is censored"),
        _("Of PFS and DOR: what censors, and where."),
        RULES,
        kinds=PROGRESSING,
    ),
    Key(
        ("censoring", "censor_at"),
        CENSORING,
        _("Assessments that count"),
        _("Of PFS and DOR: which assessments date a censoring and bound a gap."),
        ASSESSMENTS,
        kinds=PROGRESSING,
    ),
    Key(
        ("censoring", "therapies"),
        CENSORING,
        _("New anticancer therapy"),
        _("Which kinds end the search for a best response, and censor by the FDA rule."),
        THERAPIES,
        kinds=ASSESSED,
    ),
    Key(
        ("proportion_interval",),
        INTERVALS,
        _("Interval of a rate"),
        _("Of ORR, DCR and CBR: how the confidence limits are computed."),
        PROPORTION_STYLES,
        kinds=RATES,
    ),
    Key(
        ("survival_interval",),
        INTERVALS,
        _("Interval of the median"),
        _("Of times to event, and of the curve; SPSS style is of the median only."),
        SURVIVAL_STYLES,
        kinds=TIMES,
    ),
    Key(
        ("confidence_level",),
        INTERVALS,
        _("Confidence level"),
        LEVEL,
        bounds=LEVEL,
    ),
)


def keys_of(kind: EndpointKind) -> tuple[Key, ...]:
    """What decides something of endpoints of a kind."""
    return tuple(key for key in KEYS if kind in key.kinds)


def differences(before: EndpointDefinition, after: EndpointDefinition) -> Iterator[str]:
    """Each key that differs, with both values."""
    for key in KEYS:
        if key.of(before) != key.of(after):
            yield gettext("%(key)s: %(before)s → %(after)s") % {
                "key": key.label,
                "before": key.in_words(before),
                "after": key.in_words(after),
            }
