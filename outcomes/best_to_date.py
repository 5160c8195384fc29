"""A patient's best response so far, for the visit page: from the history that it has read anyway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date

from outcomes import report
from outcomes.history import History
from outcomes.methods import best_response, time_to_event
from outcomes.methods.best_response import Record
from outcomes.methods.recist import Certainty, Response
from outcomes.methods.time_to_event import Dated, PatientHistory, Source, TherapyStart
from outcomes.models import Visit
from outcomes.queries import ORIGIN_FIELDS
from trials.definitions import EndpointDefinition, EndpointKind, TherapyKind, TimeOrigin


@dataclass(frozen=True)
class BestToDate:
    """The best response as seen, and as far as later visits have confirmed it."""

    unconfirmed: Response
    confirmed: Response

    def confirms(self, response: str) -> bool:
        """Whether this response needs no further visit; CR and PR do until one confirms them."""
        confirmed_by = {Response.CR: (Response.CR,), Response.PR: (Response.PR, Response.CR)}
        return self.confirmed in confirmed_by.get(Response(response), (self.confirmed,))


def best_to_date(past: History, on: Date) -> BestToDate | None:
    """The best response on a day, by the trial's ORR definition; None without a follow-up visit.

    Two statements: the endpoints and the therapies.
    """
    records = tuple(_record(visit, past) for visit in past.visits if visit.overall_response)
    if not records:
        return None
    options = report.Options(cutoff=on)
    declared = report.declared(list(past.patient.trial.endpoints.all()), options)
    orr = (e.definition for e in declared if e.kind is EndpointKind.ORR)
    definition = next(one for one in orr if not one.immune)
    prepared = time_to_event.prepare(_patient_history(past, records, definition), on)
    counted = prepared.counted(definition.censoring.therapies)
    said = (counted, prepared.origin_date, definition)
    return BestToDate(
        best_response.best_overall_response(*said).response,
        best_response.confirmed_best_response(*said).response,
    )


def _record(visit: Visit, past: History) -> Record:
    new = past.assessments[visit.date].new_lesions
    seen = {c: frozenset(n.lesion for n in new if n.certainty is c) for c in Certainty}
    return Record(
        visit.date,
        Response(visit.overall_response),
        visit.pk,
        equivocal=seen[Certainty.EQUIVOCAL],
        unequivocal=seen[Certainty.UNEQUIVOCAL],
    )


def _patient_history(
    past: History, records: tuple[Record, ...], definition: EndpointDefinition
) -> PatientHistory:
    rows = past.patient.therapies.active()
    return PatientHistory(
        _dated(past, ORIGIN_FIELDS[TimeOrigin(definition.time_origin)]),
        records,
        _dated(past, "died_on"),
        tuple(
            TherapyStart(on, TherapyKind(kind), Source("therapy", pk, "started_on"))
            for on, kind, pk in rows.values_list("started_on", "kind", "pk")
        ),
        has_baseline=past.baseline is not None,
    )


def _dated(past: History, field: str) -> Dated | None:
    on = getattr(past.patient, field)
    return Dated(on, Source("patient", past.patient.pk, field)) if on else None
