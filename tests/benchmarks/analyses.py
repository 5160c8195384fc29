"""Freezing an analysis, and computing a frozen one again, against the report itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from outcomes import analyses
from outcomes.analyses import Outcome
from outcomes.models import Analysis
from outcomes.report import Options
from registry.models import User
from tests.benchmarks import reports
from tests.benchmarks.measure import Line, compare, statements
from trials.models import Membership, Trial
from trials.vocabularies import Role

NAMES = count(1)


def freeze(trial: Trial, user: User) -> Analysis:
    """One request's work: read, compute, keep."""
    options = Options(cutoff=reports.CUTOFF)
    return analyses.freeze(
        trial=trial, by=user, name=f"benchmark {next(NAMES)}", note="", options=options
    )


def reproduce(row: Analysis) -> None:
    """Compute it again; the same bits or an error."""
    outcome = analyses.reproduce(Analysis.objects.get(pk=row.pk)).outcome
    if outcome is not Outcome.REPRODUCED:
        raise RuntimeError(outcome)


def measured(trial: Trial, user: User, repetitions: int) -> Iterator[Line]:
    """Both against a report with JSON over the same patients."""
    Membership.objects.get_or_create(user=user, trial=trial, role=Role.STATISTICIAN)
    row = freeze(trial, user)
    size = f"{len(row.inputs) / 1e6:.1f} MB of inputs, {len(row.result) / 1e6:.1f} MB of result"
    patients = f"{trial.patients.count():,} patients"
    for what, run in (
        (f"Freezing an analysis of {patients} ({size})", lambda: freeze(trial, user)),
        (f"Reproducing an analysis of {patients}", lambda: reproduce(row)),
    ):
        ours, other, ratio = compare(
            run, lambda: reports.document(trial, user), repetitions=repetitions, warm=0
        )
        asked = statements(run)
        against = "a report with JSON of the same patients"
        yield Line(what, against, ours, other, ratio, statements=f"{asked}")
