"""Freezing an analysis, and computing a frozen one again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _
from pydantic import ValidationError

from outcomes import canonical
from outcomes.analyses.inputs import (
    Computed,
    Difference,
    Inputs,
    differences,
    read,
    result_of,
)
from outcomes.data_version import data_version
from outcomes.models import Analysis
from outcomes.options import as_query
from outcomes.report import Options
from registry.blank import is_blank
from registry.errors import Conflict, FieldError, Refused
from registry.idempotency import lock
from trials import access
from trials.models import Trial

if TYPE_CHECKING:
    from registry.models import User

OVERTAKEN = 5  # times that the data are read again before a freeze gives up


@transaction.atomic
def freeze(*, trial: Trial, by: User, name: str, note: str, options: Options) -> Analysis:
    """Keep an analysis: its inputs, and the figures that the kept inputs give.

    Raises PermissionDenied, Refused, or Conflict where the name is taken, by a hidden analysis too, or
    where others store without a pause.
    """
    access.require(by, access.Action.FREEZE, trial=trial)
    if is_blank(name):
        raise Refused([FieldError("/name", _("Give the analysis a name."))])
    lock(hashlib.sha256(f"analyses of trial {trial.pk}".encode()).hexdigest())
    if Analysis.objects.filter(trial=trial, name=name).exists():
        raise Conflict([FieldError("/name", _("Taken in this trial; give another one."))])
    inputs = inputs_now(trial, by=by, options=options)
    kept = canonical.text(inputs)
    stored = Inputs.parse(kept)
    found, result = result_of(stored)  # of what is stored, not of what was read
    return Analysis.objects.create(
        name=name,
        note=note,
        by=by,
        **_told_by(stored),
        patients=found.report.whole.n,
        inputs=kept,
        inputs_sha256=canonical.sha256(kept),
        result=result,
        result_sha256=canonical.sha256(result),
    )


def _told_by(inputs: Inputs) -> dict[str, Any]:
    """What the row says of its inputs in columns of their own, for lists and pages."""
    return {
        "trial_id": inputs.trial.get("id"),
        "blinded": inputs.as_trial().masked,
        "options": as_query(inputs.options),
        "cutoff": inputs.options.cutoff,
        "known_on": inputs.options.known_on,
        "methods_version": inputs.methods_version,
    }


def inputs_now(trial: Trial, *, by: User, options: Options) -> Inputs:
    """What an analysis of today's data would keep, all of it of one moment.

    Within a transaction that writes there is no snapshot; but where the trail has no more events
    after the reading than before it, nothing was stored in between. Raises Conflict where that
    does not come to pass.
    """
    for _attempt in range(OVERTAKEN):
        before = data_version(trial, conduct=True)
        stored = Trial.objects.visible_to(by).get(pk=trial.pk)
        found = read(stored, user=by, options=options)
        if data_version(trial, conduct=True) == before:
            return found
    raise Conflict([FieldError("", _("Others are storing at this moment; send it again."))])


class Outcome(StrEnum):
    """What came of computing a frozen analysis again."""

    REPRODUCED = "reproduced"
    DIFFERENT = "different"
    ALTERED = "altered"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Reproduction:
    """A frozen analysis computed again from its stored inputs, by today's code.

    `computed` is None where the inputs cannot be read; `differences` are those of the result.
    """

    outcome: Outcome
    inputs_sha256: str
    result_sha256: str | None
    differences: tuple[Difference, ...] = ()
    computed: Computed | None = None


def reproduce(analysis: Analysis) -> Reproduction:
    """Compute it again and compare bit for bit; what stands in columns must agree with the inputs."""
    digest = canonical.sha256(analysis.inputs)
    intact = digest == analysis.inputs_sha256 and _result_intact(analysis)
    try:
        inputs = Inputs.parse(analysis.inputs)
    except ValidationError:
        return Reproduction(Outcome.UNREADABLE if intact else Outcome.ALTERED, digest, None)
    found, result = result_of(inputs)
    again, stored = canonical.sha256(result), stored_result(analysis)
    told = _told_by(inputs)
    if not intact or not stored or any(getattr(analysis, key) != told[key] for key in told):
        return Reproduction(Outcome.ALTERED, digest, again, computed=found)
    if again != analysis.result_sha256:
        where = tuple(differences(stored, json.loads(result)))
        return Reproduction(Outcome.DIFFERENT, digest, again, where, found)
    same = analysis.patients == found.report.whole.n
    outcome = Outcome.REPRODUCED if same else Outcome.ALTERED
    return Reproduction(outcome, digest, again, computed=found)


def stored_result(analysis: Analysis) -> dict[str, Any]:
    """What was computed when it was frozen; empty where somebody put something else there."""
    try:
        found = json.loads(analysis.result)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _result_intact(analysis: Analysis) -> bool:
    return canonical.sha256(analysis.result) == analysis.result_sha256
