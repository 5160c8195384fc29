"""Where the patients of a group are listed: on the dashboard, by the options of the figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from django.urls import reverse

from outcomes.options import as_query
from outcomes.report.subgroups import Forest


def patients_of(found: Forest) -> Callable[[str, str], str]:
    """The list of a characteristic's group; of two blanks, of all patients.

    It has the population of the forest's endpoint, those without a time origin among them.
    """
    path = reverse("outcomes:trial_dashboard", args=[found.trial.registry_id])
    asked = as_query(replace(found.options, group_by=None)) | _population(found)

    def url(by: str, name: str) -> str:
        group = {"group_by": by, "group": name} if by else {}
        return f"{path}?{urlencode(asked | group)}#patients"

    return url


def _population(found: Forest) -> dict[str, str]:
    """The endpoint's own, where the list would have that of the response rate."""
    population = found.endpoint.definition.population
    if population is found.whole.response.endpoint.definition.population:
        return {}
    return {"population": population.value}
