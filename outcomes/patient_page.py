"""A patient's page as one report has the patient: its cutoff, moment, definition and evaluator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils.translation import gettext as _

from outcomes import history, options
from outcomes.definition_words import in_words
from outcomes.history import History
from outcomes.labels import ABSENCES
from outcomes.models import REVIEWER
from outcomes.patient_lines import PatientLine, patient_line
from outcomes.patient_links import FOLDED_BY, Links
from outcomes.report import Options, standings
from registry.rest import refuse_unknown
from trials.definitions import EndpointKind

if TYPE_CHECKING:
    from patients.models import Patient
    from trials.models import Trial


@dataclass(frozen=True)
class AsOf:
    """What the page's outcomes rest on; `chosen`: whether the address says any of it."""

    cutoff: Date
    known_on: datetime | None
    reviewed: bool
    chosen: bool


@dataclass(frozen=True)
class Definition:
    """By what an outcome is computed, and why the patient is not in its analysis; blank: in it."""

    words: str
    absence: str


@dataclass(frozen=True)
class FoldedPatient:
    """A patient's line with the definition of each part."""

    line: PatientLine
    response: Definition
    progression_free: Definition
    overall: Definition


def options_of(request: HttpRequest, trial: Trial) -> Options:
    """The chosen options; an unknown key or value raises InvalidParameter, which names it."""
    refuse_unknown(request.GET, FOLDED_BY)
    return options.options_of(request, trial)


def as_of(request: HttpRequest, patient: Patient, chosen: Options) -> AsOf:
    """What the page says of itself."""
    reviewed = chosen.evaluator == REVIEWER
    return AsOf(chosen.cutoff, chosen.known_on, reviewed, any(request.GET.values()))


def history_of(patient: Patient, chosen: Options) -> History:
    """The visits that the evaluator read, as they are or were known."""
    if chosen.known_on:
        return history.load_as_known(patient, chosen.evaluator, chosen.known_on)
    return history.load(patient, chosen.evaluator)


def folded(patient: Patient, chosen: Options) -> FoldedPatient | None:
    """The patient as a report has them; None for who was not known at the moment."""
    found = standings.folded(patient, chosen)
    if found is None:
        return None
    links = Links.of_options(patient.trial, chosen)

    def definition(kind: EndpointKind) -> Definition:
        endpoint, standing = found.places[kind]
        absence = standing.absence
        why = _("Not in the analysis: %s.") % ABSENCES[absence] if absence else ""
        return Definition(in_words(endpoint, chosen.evaluator), why)

    return FoldedPatient(
        line=patient_line(found.outcome, links),
        response=definition(EndpointKind.ORR),
        progression_free=definition(EndpointKind.PFS),
        overall=definition(EndpointKind.OS),
    )
