"""Where each patient stands under an endpoint of a report: the patients behind its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outcomes import queries
from outcomes.report import building
from outcomes.report.values import ALWAYS, Declared, Options, PatientOutcome, Standing
from patients.models import Patient
from registry import database
from trials import as_known

if TYPE_CHECKING:
    from outcomes.queries import PatientFacts
    from trials.definitions import EndpointKind
    from trials.models import Trial


@dataclass(frozen=True)
class Placed:
    """A patient under one endpoint; `group` where groups were asked for."""

    facts: PatientFacts
    standing: Standing
    group: str


def under(
    trial: Trial,
    options: Options,
    endpoints: Sequence[Declared],
    facts: Iterable[PatientFacts],
    endpoint: Declared,
) -> list[Placed]:
    """Every patient, by subject id, as the endpoint counts them or not."""
    builder, known = building.prepared(trial, options, endpoints, facts)
    return [Placed(one.facts, builder.standing(endpoint, one), builder.group(one)) for one in known]


def best(
    trial: Trial,
    options: Options,
    endpoints: Sequence[Declared],
    facts: Iterable[PatientFacts],
    *,
    confirmed: bool,
) -> list[Placed]:
    """The patients of the report's population with their best responses."""
    found = building.compute(trial, options, endpoints, facts).patients
    return [
        Placed(one.facts, Standing(None, one.confirmed_best if confirmed else one.best), one.group)
        for one in found
    ]


@dataclass(frozen=True)
class Folded:
    """One patient's outcomes by a report's options, and the place under its main endpoints."""

    outcome: PatientOutcome
    options: Options
    places: dict[EndpointKind, tuple[Declared, Standing]]


def folded(patient: Patient, options: Options) -> Folded | None:
    """One patient as the report with these options has them; None for who was not known yet."""
    with database.snapshot():
        trial = as_known.trial_as_known(patient.trial, options.known_on)
        rows = as_known.rows(trial.endpoints, options.known_on)
        facts = queries.facts(
            Patient.objects.filter(pk=patient.pk),
            options.evaluator,
            blinded=trial.masked,
            known_on=options.known_on,
        )
    endpoints = building.declared(rows, options)
    builder, known = building.prepared(trial, options, endpoints, facts)
    for one in known:
        first = {kind: builder.first[kind] for kind in ALWAYS}
        places = {kind: (e, builder.standing(e, one)) for kind, e in first.items()}
        return Folded(builder.patient(one), options, places)
    return None
