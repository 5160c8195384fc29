"""What a reader may choose of a trial's tables of safety."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.methods.safety import Counts, Incidence, Tally
from outcomes.options import OptionsForm, as_of, as_typed, today
from outcomes.query_forms import QueryForm
from outcomes.report import Options
from outcomes.report.documents import moment
from registry.rest import InvalidParameter, refuse_unknown
from trials import as_known
from trials.models import Trial

HIGHEST = 100  # percent


class Cause(StrEnum):
    """Which events count."""

    ALL = "all"
    RELATED = "related"

    def of(self, incidence: Incidence) -> Counts:
        """The counts of these events."""
        return incidence.related if self is Cause.RELATED else incidence.all_causes


class Order(StrEnum):
    """By what the terms are sorted."""

    FREQUENCY = "frequency"
    SEVERITY = "severity"
    TERM = "term"
    SYSTEM_ORGAN_CLASS = "class"


class Sides(StrEnum):
    """What the butterfly sets against each other."""

    CAUSE = "cause"
    ARMS = "arms"


GRADES = (Tally.ANY_GRADE, Tally.GRADE_3_OR_MORE)
CAUSES = {Cause.ALL: gettext_lazy("all causes"), Cause.RELATED: gettext_lazy("related")}
TALLIES = {
    Tally.ANY_GRADE: gettext_lazy("Any grade"),
    Tally.GRADE_3_OR_MORE: gettext_lazy("Grade 3 or more"),
    Tally.GRADE_3_4: gettext_lazy("Worst grade 3 or 4"),
    Tally.GRADE_1: gettext_lazy("Worst grade 1"),
    Tally.GRADE_2: gettext_lazy("Worst grade 2"),
    Tally.GRADE_3: gettext_lazy("Worst grade 3"),
    Tally.GRADE_4: gettext_lazy("Worst grade 4"),
    Tally.GRADE_5: gettext_lazy("Worst grade 5 (death)"),
    Tally.SERIOUS: gettext_lazy("Serious"),
    Tally.DRUG_WITHDRAWN: gettext_lazy("Drug withdrawn"),
    Tally.DOSE_REDUCED: gettext_lazy("Dose reduced"),
    Tally.DRUG_INTERRUPTED: gettext_lazy("Drug interrupted"),
}
ORDERS = {
    Order.FREQUENCY: gettext_lazy("patients"),
    Order.SEVERITY: gettext_lazy("patients with grade 3 or more"),
    Order.TERM: gettext_lazy("term"),
    Order.SYSTEM_ORGAN_CLASS: gettext_lazy("system organ class"),
}
SIDES = {
    Sides.CAUSE: gettext_lazy("all causes | related"),
    Sides.ARMS: gettext_lazy("arm | arm"),
}
WHOLE = ("cutoff", "known_on")
FILTERS = ("cause", "grade", "minimum", "order", "arm", "sides")
ONE = ("cause", "arm", "count", "term", "class")

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True)
class SafetyOptions:
    """A cutoff, a moment, and which terms are shown in which order."""

    cutoff: Date
    known_on: datetime | None = None
    cause: Cause = Cause.ALL
    grade: Tally = Tally.ANY_GRADE
    minimum: int = 0  # percent of the population
    order: Order = Order.FREQUENCY
    arm: str = ""
    sides: Sides = Sides.CAUSE

    @property
    def past(self) -> datetime | None:
        """The moment, where one looks at the past."""
        return self.known_on

    @property
    def query(self) -> dict[str, str]:
        """The cutoff and the moment as an address repeats them."""
        return {"cutoff": self.cutoff.isoformat()} | (
            {"known_on": moment(self.known_on) or ""} if self.known_on else {}
        )

    def link(self, trial: Trial, view: str, *args: Any, **query: str) -> str:
        """The address of another page of the trial, as of the same cutoff and moment."""
        path = reverse(f"outcomes:{view}", args=[trial.registry_id, *args])
        return f"{path}?{urlencode(self.query | query)}"


@dataclass(frozen=True)
class Selection:
    """Which patients are asked for: those who are counted for something."""

    tally: Tally = Tally.ANY_GRADE
    term: str = ""
    system_organ_class: str | None = None  # "" is of no class


def arm_names(trial: Trial, known_on: datetime | None = None) -> list[str]:
    """The arms that a reader may ask for, of a moment or of today."""
    return [] if trial.masked else [arm.name for arm in as_known.rows(trial.arms, known_on)]


def options_of(request: HttpRequest, trial: Trial) -> SafetyOptions:
    """The chosen options; an unknown key or value raises InvalidParameter, which names it."""
    query = request.GET
    cutoff, known_on = as_of(request, trial, *FILTERS, "page")
    arms = arm_names(trial, known_on)
    if not arms:
        refuse_unknown(query, sorted({*WHOLE, *FILTERS, "page"} - {"arm", "sides"}))
    return SafetyOptions(
        cutoff,
        known_on,
        cause=_choice(query, "cause", Cause.ALL, Cause),
        grade=_choice(query, "grade", Tally.ANY_GRADE, GRADES),
        minimum=_minimum(query),
        order=_choice(query, "order", Order.FREQUENCY, Order),
        arm=_one_of(query, "arm", arms),
        sides=_choice(query, "sides", Sides.CAUSE, Sides),
    )


def selection_of(request: HttpRequest, trial: Trial) -> tuple[SafetyOptions, Selection]:
    """The chosen options, and which patients are asked for."""
    query = request.GET
    cutoff, known_on = as_of(request, trial, *ONE, "page")
    arms = arm_names(trial, known_on)
    if not arms:
        refuse_unknown(query, [name for name in (*WHOLE, *ONE, "page") if name != "arm"])
    cause = _choice(query, "cause", Cause.ALL, Cause)
    options = SafetyOptions(cutoff, known_on, cause=cause, arm=_one_of(query, "arm", arms))
    tally = _choice(query, "count", Tally.ANY_GRADE, Tally)
    return options, Selection(tally, query.get("term", ""), query.get("class"))


def only_as_of(request: HttpRequest, trial: Trial) -> SafetyOptions:
    """The cutoff and the moment where nothing else can be chosen."""
    return SafetyOptions(*as_of(request, trial, "page"))


def default(trial: Trial) -> SafetyOptions:
    """What is shown where nothing usable was asked for."""
    return SafetyOptions(today(trial))


def _one_of(query: Mapping[str, str], name: str, accepted: Sequence[str]) -> str:
    asked = query.get(name, "")
    if asked and asked not in accepted:
        raise InvalidParameter.not_one_of(name, accepted)
    return asked


def _choice(query: Mapping[str, str], name: str, otherwise: Choice, accepted: Any) -> Choice:
    asked = _one_of(query, name, list(accepted))
    return type(otherwise)(asked) if asked else otherwise


def _minimum(query: Mapping[str, str]) -> int:
    asked = query.get("minimum") or "0"
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 3 and int(asked) <= HIGHEST):
        raise InvalidParameter("minimum", _("A whole number of percent, from 0 to 100."))
    return int(asked)


class AsOfForm(QueryForm):
    """The cutoff and the moment, as they stand."""

    cutoff = OptionsForm.base_fields["cutoff"]
    known_on = OptionsForm.base_fields["known_on"]

    def __init__(self, options: SafetyOptions | Options) -> None:
        self.past = options.known_on
        chosen = {name: getattr(options, name, None) for name in self.base_fields}
        super().__init__(initial=chosen | {"known_on": as_typed(options.known_on)})


class SafetyForm(AsOfForm):
    """All options as they stand; arms only where they are to be seen."""

    cause = forms.ChoiceField(label=gettext_lazy("Cause"), choices=list(CAUSES.items()))
    grade = forms.ChoiceField(
        label=gettext_lazy("Grade"), choices=[(tally, TALLIES[tally]) for tally in GRADES]
    )
    minimum = forms.IntegerField(
        label=gettext_lazy("At least (percent of patients)"), min_value=0, max_value=HIGHEST
    )
    order = forms.ChoiceField(label=gettext_lazy("Sorted by"), choices=list(ORDERS.items()))
    arm = forms.ChoiceField(label=gettext_lazy("Arm"))
    sides = forms.ChoiceField(label=gettext_lazy("Butterfly"), choices=list(SIDES.items()))

    first = ("cutoff", "arm", "cause", "grade")
    usual: ClassVar[Mapping[str, str]] = {"minimum": "0"}

    def __init__(self, options: SafetyOptions, arms: Sequence[str]) -> None:
        super().__init__(options)
        self.fields["arm"].choices = [("", _("all")), *((name, name) for name in arms)]  # type: ignore[attr-defined]
        if not arms:
            del self.fields["arm"], self.fields["sides"]
