"""The independent review beside the investigator, as JSON and as CSV."""

from __future__ import annotations

from typing import Annotated, Any

from django.urls import reverse
from pydantic import Field
from typing_extensions import TypedDict

from outcomes.methods.recist import Response
from outcomes.report.documents import moment
from outcomes.review.discordance import Discordance, Line, Reading
from registry.documents import CalendarDate, Count, Id, Link, Moment
from trials.definitions import ProportionInterval


class AgreementDocument(TypedDict):
    """How many of the patients with both readings agree."""

    agree: Count
    n: Count
    estimate: float | None
    lower: float | None
    upper: float | None
    interval: ProportionInterval
    confidence_level: float


class ResponseTableDocument(TypedDict):
    """Responders by either evaluator: the 2 x 2 table."""

    both: Count
    investigator_only: Count
    reviewer_only: Count
    neither: Count


class DiscordanceDocument(TypedDict):
    """Where the independent review and the investigator differ, over the whole trial."""

    trial: str
    cutoff: CalendarDate
    known_on: Moment | None
    n: Annotated[Count, Field(description="Patients of the ORR population with both readings.")]
    not_read: Annotated[Count, Field(description="Patients of it without one of them.")]
    discordant: Annotated[Count, Field(description="Patients with any difference.")]
    responses: ResponseTableDocument
    best_response: AgreementDocument
    response: Annotated[AgreementDocument, Field(description="Responder or not.")]
    progression: Annotated[AgreementDocument, Field(description="Seen or not, and on which day.")]
    pfs: Annotated[AgreementDocument, Field(description="Event or censored.")]


class ReadingDocument(TypedDict):
    """What one evaluator's readings of a patient come to."""

    best_response: Response
    progressed_on: CalendarDate | None
    pfs_event: bool | None
    pfs_date: CalendarDate | None
    pfs_days: int | None
    scans: Annotated[Count, Field(description="Readings after the baseline.")]


class PatientDiscordanceDocument(TypedDict):
    """One patient's two readings."""

    patient: Id
    subject_id: str
    concordant: bool
    same_best_response: bool
    same_progression: bool
    same_pfs: bool
    investigator: ReadingDocument
    reviewer: ReadingDocument
    links: dict[str, Link]


def discordance_document(found: Discordance) -> DiscordanceDocument:
    """The summary."""
    cell = found.responses
    return {
        "trial": found.trial.registry_id,
        "cutoff": found.options.cutoff.isoformat(),
        "known_on": moment(found.options.known_on),
        "n": len(found.lines),
        "not_read": found.unread,
        "discordant": sum(not line.concordant for line in found.lines),
        "responses": {
            "both": cell(investigator=True, reviewer=True),
            "investigator_only": cell(investigator=True, reviewer=False),
            "reviewer_only": cell(investigator=False, reviewer=True),
            "neither": cell(investigator=False, reviewer=False),
        },
        "best_response": _agreement(found, "same_best"),
        "response": _agreement(found, "same_response"),
        "progression": _agreement(found, "same_progression"),
        "pfs": _agreement(found, "same_survival"),
    }


def _agreement(found: Discordance, name: str) -> AgreementDocument:
    share = found.agreement(name).clipped
    return {
        "agree": share.k,
        "n": share.n,
        "estimate": share.estimate,
        "lower": share.lower,
        "upper": share.upper,
        "interval": found.definition.proportion_interval,
        "confidence_level": found.definition.confidence_level,
    }


def line_document(line: Line) -> PatientDiscordanceDocument:
    """One patient."""
    visits = f"{reverse('api:visits')}?patient={line.patient}&evaluator="
    return {
        "patient": line.patient,
        "subject_id": line.subject_id,
        "concordant": line.concordant,
        "same_best_response": line.same_best,
        "same_progression": line.same_progression,
        "same_pfs": line.same_survival,
        "investigator": _reading(line.investigator),
        "reviewer": _reading(line.reviewer),
        "links": {"investigator": f"{visits}investigator", "reviewer": f"{visits}reviewer"},
    }


def _reading(reading: Reading) -> ReadingDocument:
    time = reading.progression_free
    return {
        "best_response": reading.best,
        "progressed_on": reading.progressed_on.isoformat() if reading.progressed_on else None,
        "pfs_event": time.event if time else None,
        "pfs_date": time.date.isoformat() if time else None,
        "pfs_days": time.days if time else None,
        "scans": reading.scans,
    }


SIDES = ("investigator", "reviewer")
READ = tuple(ReadingDocument.__annotations__)
COLUMNS = (
    "patient", "subject_id", "concordant", "same_best_response", "same_progression", "same_pfs",
    *(f"{side}_{name}" for side in SIDES for name in READ),
)  # fmt: skip


def row(line: Line) -> dict[str, Any]:
    """One patient as a line of CSV."""
    told: dict[str, Any] = dict(line_document(line))
    del told["links"]
    sides = {side: told.pop(side) for side in SIDES}
    return told | {f"{side}_{name}": sides[side][name] for side in SIDES for name in READ}
