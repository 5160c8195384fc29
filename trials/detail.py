"""A trial as its page tells it: facts, schedules, endpoints and criteria in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from trials import definition_wording, eligibility, eligibility_wording
from trials.definitions import EndpointKind
from trials.models import Arm, Criterion, Endpoint, Intervention, Site, Trial
from trials.vocabularies import CriterionKind

SECTIONS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (
        gettext_lazy("Identification"),
        ("registry_id", "acronym", "org_study_id", "secondary_ids"),
    ),
    (
        gettext_lazy("Status and dates"),
        ("status", "start_date", "primary_completion_date", "completion_date"),
    ),
    (
        gettext_lazy("Design"),
        (
            *("study_type", "phase", "allocation", "intervention_model", "masking"),
            *("primary_purpose", "observational_model", "time_perspective", "enrollment_target"),
        ),
    ),
    (gettext_lazy("Conditions"), ("conditions", "keywords", "sarcoma")),
    (
        gettext_lazy("Who can take part"),
        ("eligible_sex", "minimum_age", "maximum_age", "healthy_volunteers"),
    ),
    (
        gettext_lazy("Sponsor"),
        ("lead_sponsor", "collaborators", "principal_investigator"),
    ),
    (
        gettext_lazy("Rules of this registry"),
        (
            *("enrollment_gate", "response_criteria", "irecist", "assessment_interval_days"),
            *("assessment_window_days", "baseline_window_days", "ctcae_version", "ae_window_days"),
        ),
    ),
)
# What a study of a type need not state: only observational ones have a time perspective.
FOREIGN = {
    "INTERVENTIONAL": ("observational_model", "time_perspective"),
    "OBSERVATIONAL": ("allocation", "intervention_model", "masking", "primary_purpose"),
}
TYPED = {  # what a fact's own type says of it: printed on the day, or foreseen
    "start_date": "start_date_type",
    "primary_completion_date": "primary_completion_date_type",
    "completion_date": "completion_date_type",
    "enrollment_target": "enrollment_type",
}
ROUTES = {"oral": gettext_lazy("orally"), "intravenous": gettext_lazy("intravenously")}


@dataclass(frozen=True)
class Fact:
    """A field with its value as printed; `written` where it is somebody's own words."""

    name: str
    value: str
    written: bool


@dataclass(frozen=True)
class Section:
    """Facts that belong together, and the names of those that are not stated."""

    title: str
    facts: tuple[Fact, ...]
    not_stated: str


@dataclass(frozen=True)
class ArmCard:
    """An arm, and each of its interventions with its schedule."""

    arm: Arm
    interventions: tuple[tuple[Intervention, str], ...]


@dataclass(frozen=True)
class EndpointCard:
    """An endpoint as published, and as computed; `definition` is blank where it is not."""

    endpoint: Endpoint
    title: str
    definition: str


@dataclass(frozen=True)
class CriterionLine:
    """A criterion, and its rule in words."""

    criterion: Criterion
    rule: str


@dataclass(frozen=True)
class CriterionGroup:
    """The criteria of one kind, in order."""

    kind: str
    title: str
    lines: tuple[CriterionLine, ...]


@dataclass(frozen=True)
class SiteLine:
    """A site, and where it is."""

    site: Site
    place: str


@dataclass(frozen=True)
class Page:
    """Everything that a trial's page tells."""

    sections: tuple[Section, ...]
    arms: tuple[ArmCard, ...]
    endpoints: tuple[EndpointCard, ...]
    criteria: tuple[CriterionGroup, ...]
    sites: tuple[SiteLine, ...]


def page(trial: Trial) -> Page:
    """A trial, loaded with its protocol, in words."""
    return Page(
        sections=tuple(_section(trial, str(title), names) for title, names in SECTIONS),
        arms=tuple(
            ArmCard(arm, tuple((drug, schedule(drug)) for drug in arm.interventions.all()))
            for arm in trial.arms.all()
        ),
        endpoints=tuple(_endpoint(endpoint) for endpoint in trial.endpoints.all()),
        criteria=_criteria(trial.criteria.all()),
        sites=tuple(_site(site) for site in trial.sites.all()),
    )


def _section(trial: Trial, title: str, names: Sequence[str]) -> Section:
    told = {name: _told(trial, name) for name in names}
    foreign = FOREIGN.get(trial.study_type, ())
    missing = [_label(name) for name, v in told.items() if not v and name not in foreign]
    return Section(
        title=title,
        facts=tuple(
            Fact(capfirst(_label(name)), v, _written(trial, name)) for name, v in told.items() if v
        ),
        not_stated=", ".join(missing),
    )


def _written(trial: Trial, name: str) -> bool:
    coded = hasattr(trial, f"get_{name}_display")
    return not coded and isinstance(getattr(trial, name), str | list)


def _label(name: str) -> str:
    return str(Trial._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _told(trial: Trial, name: str) -> str:
    """A field's value as printed; blank where there is none."""
    value: Any = getattr(trial, name)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return "; ".join(value)
    display = getattr(trial, f"get_{name}_display", None)
    text = str(display() if display else "" if value is None else value)
    kind = getattr(trial, f"get_{TYPED[name]}_display")() if name in TYPED else ""
    return f"{text} ({str(kind).lower()})" if text and kind else text


def schedule(drug: Intervention) -> str:
    """How a drug is given: "12 mg orally, days 1-14 of 21"; blank where nothing is stated."""
    dose = (
        f"{drug.dose.normalize():f} {eligibility_wording.unit(drug.unit)}"
        if drug.dose is not None
        else ""
    )
    given = f"{dose} {ROUTES.get(drug.route, drug.route)}".strip()
    return ", ".join(part for part in (given, _days(drug)) if part)


def _days(drug: Intervention) -> str:
    days, cycle = drug.days_on, drug.cycle_days
    if not days:
        return _("cycles of %s days") % cycle if cycle else ""
    listed = _("day %s") if len(days) == 1 else _("days %s")
    text = listed % ", ".join(_runs(days))
    return _("%(days)s of %(cycle)s") % {"days": text, "cycle": cycle} if cycle else text


def _runs(days: Iterable[int]) -> list[str]:
    """Days in a row as first and last: 1-14."""
    runs = []
    for _offset, run in groupby(enumerate(sorted(days)), key=lambda at: at[1] - at[0]):
        first, *rest = [day for _index, day in run]
        runs.append(f"{first}-{rest[-1]}" if rest else str(first))
    return runs


def _endpoint(endpoint: Endpoint) -> EndpointCard:
    kind = EndpointKind(endpoint.kind)
    if kind is EndpointKind.OTHER:
        return EndpointCard(endpoint, endpoint.name or _("Other outcome"), "")
    title = f"{definition_wording.TITLES[kind]} ({kind})"
    if endpoint.name:
        title = f"{title}: {endpoint.name}"
    words = definition_wording.in_words(kind, endpoint.as_definition())
    return EndpointCard(endpoint, title, words)


def _criteria(criteria: Iterable[Criterion]) -> tuple[CriterionGroup, ...]:
    """Inclusion before exclusion."""
    rows = list(criteria)
    titles = {
        CriterionKind.INCLUSION: _("Inclusion criteria"),
        CriterionKind.EXCLUSION: _("Exclusion criteria"),
    }
    return tuple(
        CriterionGroup(
            kind.value,
            title,
            tuple(CriterionLine(row, _rule(row)) for row in rows if row.kind == kind),
        )
        for kind, title in titles.items()
        if any(row.kind == kind for row in rows)
    )


def _rule(criterion: Criterion) -> str:
    try:
        rule = eligibility.rule_of(criterion.rule, code=f"criterion-{criterion.pk}")
    except ValidationError:
        return _("the stored rule cannot be read")
    return eligibility_wording.words(rule)


def _site(site: Site) -> SiteLine:
    city = f"{site.city} {site.zip}".strip()
    return SiteLine(site, ", ".join(part for part in (city, site.state, site.country) if part))
