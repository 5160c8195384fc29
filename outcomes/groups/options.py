"""What a reader may ask of outcomes by group: the same query keys on the page and in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from outcomes.characteristics import GROUPS, STRATA
from outcomes.labels import CHARACTERISTICS, MEASURES
from outcomes.options import OUTCOME_PARAMETERS, OptionsForm, options_of
from outcomes.report import Options
from outcomes.report.subgroups import RATES, TIMES, Choice, ForestMeasure
from outcomes.report.values import ALWAYS
from registry.rest import InvalidParameter
from trials import as_known
from trials.definition_wording import TITLES
from trials.definitions import EndpointKind
from trials.models import Trial

OWN = ("endpoint", "measure")
FOREST_PARAMETERS = [
    *(one for one in OUTCOME_PARAMETERS if one.name != "group_by"),
    OpenApiParameter(
        "group_by", enum=GROUPS, description=gettext_lazy("All of them where it is left out.")
    ),
    OpenApiParameter(
        "endpoint", enum=[*RATES, *TIMES], description=gettext_lazy("ORR where it is left out.")
    ),
    OpenApiParameter(
        "measure",
        enum=list(ForestMeasure),
        description=gettext_lazy(
            "Of a response rate: rate. Of a time to event: median, or hazard_ratio of the arms"
            " within each group, which is the default in a trial of several arms that are not"
            " hidden."
        ),
    ),
]
Code = TypeVar("Code", EndpointKind, ForestMeasure)


def asked(request: Request | HttpRequest, trial: Trial) -> tuple[Options, Choice]:
    """The report's options and what is shown of it; raises InvalidParameter, which names a key."""
    query: Mapping[str, str] = request.GET
    options = options_of(request, trial, OWN)
    kinds = endpoints(trial, options.known_on)
    endpoint = _one_of(kinds, query, "endpoint") or EndpointKind.ORR
    accepted = measures(trial, endpoint, options.known_on)
    measure = _one_of(accepted, query, "measure") or accepted[-1]
    if measure is ForestMeasure.HAZARD_RATIO and options.group_by not in (None, *STRATA):
        raise InvalidParameter.not_one_of("group_by", STRATA)
    return options, Choice(endpoint, measure)


def endpoints(trial: Trial, known_on: datetime | None) -> list[EndpointKind]:
    """The kinds that the trial's report has, in the order in which they are offered."""
    kinds = {endpoint.kind for endpoint in as_known.rows(trial.endpoints, known_on)} | {*ALWAYS}
    return [kind for kind in (*RATES, *TIMES) if kind in kinds]


def measures(
    trial: Trial, endpoint: EndpointKind, known_on: datetime | None
) -> list[ForestMeasure]:
    """What may be shown of an endpoint, the default last; nothing that tells hidden arms."""
    if endpoint in RATES:
        return [ForestMeasure.RATE]
    compared = not trial.masked and len(as_known.rows(trial.arms, known_on)) > 1
    return (
        [ForestMeasure.MEDIAN, ForestMeasure.HAZARD_RATIO] if compared else [ForestMeasure.MEDIAN]
    )


def _one_of(accepted: Sequence[Code], query: Mapping[str, str], name: str) -> Code | None:
    said = query.get(name)
    if said and said not in [str(one) for one in accepted]:
        raise InvalidParameter.not_one_of(name, accepted)
    return next((one for one in accepted if one == said), None)


class GroupsForm(OptionsForm):
    """What is shown of the groups, as it stands, before the report's options."""

    first = ("endpoint", "measure", "group_by", *OptionsForm.first)

    def __init__(
        self, trial: Trial, options: Options, endpoint: EndpointKind, said: str, *, review: bool
    ) -> None:
        super().__init__(options, review=review)
        known_on, by_what = options.known_on, STRATA if trial.masked else GROUPS
        kinds = endpoints(trial, known_on)
        best = [measures(trial, kind, known_on) for kind in kinds]
        codes = [*dict.fromkeys(one for of_kind in best for one in of_kind)]
        offered: dict[str, tuple[Any, Any, list[tuple[str, Any]]]] = {
            "endpoint": (_("Endpoint"), endpoint, [(str(kind), TITLES[kind]) for kind in kinds]),
            "measure": (
                _("Measure"),
                said,
                [
                    ("", _("the usual one of the endpoint")),
                    *((str(code), MEASURES[code]) for code in codes),
                ],
            ),
            "group_by": (
                _("Groups"),
                options.group_by,
                [("", _("every characteristic")), *((by, CHARACTERISTICS[by]) for by in by_what)],
            ),
        }
        for name, (label, now, choices) in offered.items():
            self.fields[name] = forms.ChoiceField(
                label=label, choices=choices, initial=now, required=False
            )
        self.order_fields(offered)
