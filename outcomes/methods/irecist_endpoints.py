"""iBOR, iPFS and whatever else an endpoint by iRECIST needs (Seymour 2017; METHODS.md, 8).

A progression counts from the first iUPD of a run: of one that is confirmed, and of one that nothing
resets. An iUPD that is followed by iSD, iPR or iCR never was a progression. With that settled the
history has the shape of one by RECIST 1.1, so the functions of `best_response` and `time_to_event`
serve both. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date

from outcomes.methods import recist
from outcomes.methods.best_response import (
    BestResponse,
    Record,
    best_overall_response,
    dated_records,
)
from outcomes.methods.irecist import AS_IMMUNE, RANK, ImmuneResponse
from outcomes.methods.recist import Reason
from outcomes.methods.time_to_event import (
    PatientHistory,
    Prepared,
    TimeToEvent,
    prepare,
)
from trials.definitions import EndpointDefinition, TherapyKind

IUPD, ICPD, NE = ImmuneResponse.IUPD, ImmuneResponse.ICPD, ImmuneResponse.NE
AS_RECIST = {immune: response for response, immune in AS_IMMUNE.items()}


@dataclass(frozen=True, slots=True)
class Progression:
    """The first iUPD of the run that counts, and the visit that confirmed it, if one did."""

    record: Record
    confirmed_on: Date | None


@dataclass(frozen=True, slots=True)
class ImmuneCourse:
    """A history at a cutoff as iRECIST reads it.

    `prepared` has the records up to the progression that counts, as RECIST 1.1 would write them;
    an iUPD that was reset stands there as not evaluable and is one of `ignored`.
    """

    prepared: Prepared
    progression: Progression | None = None
    ignored: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class ImmuneBest:
    """A patient's iBOR; date and source are the first visit within its class."""

    response: ImmuneResponse
    date: Date | None
    reason: Reason
    source: int | None


def course(
    history: PatientHistory, cutoff: Date, therapies: frozenset[TherapyKind]
) -> ImmuneCourse:
    """The history by iRECIST at a cutoff; nothing after it is used, confirmations included.

    A response that is first seen after the start of new anticancer therapy of these kinds is that
    therapy's: it does not reset an iUPD from before.
    """
    prepared = prepare(history, cutoff)
    if prepared.origin is None:
        return ImmuneCourse(prepared)
    end = prepared.died.date if prepared.died else cutoff
    dated = tuple(dated_records(history.records, prepared.origin.date, end))
    started = prepared.therapy(therapies)
    progression = _progression(dated, started.date if started else None)
    kept = tuple(_until(dated, progression))
    ignored = tuple(r for r in kept if immune(r) is IUPD and not _begins(r, progression))
    records = tuple(_as_recist(record, progression) for record in kept)
    return ImmuneCourse(replace(prepared, records=records), progression, ignored)


def immune(record: Record) -> ImmuneResponse:
    """The response by iRECIST; a first sighting that a later visit confirmed is an iUPD then.

    A record that was stored without one (before the registry derived it) has RECIST 1.1's.
    """
    if record.confirmed_on is not None:
        return IUPD
    return record.immune or AS_IMMUNE[record.response]


def _progression(records: Sequence[Record], therapy_on: Date | None) -> Progression | None:
    run: Record | None = None
    for record in records:
        response = immune(record)
        if response is ICPD:
            return Progression(run or record, record.date)
        if response is IUPD:
            run = run or record
        elif response is not NE and not _keeps(record, run, therapy_on):
            run = None
    return Progression(run, None) if run else None


def _keeps(record: Record, run: Record | None, therapy_on: Date | None) -> bool:
    """Whether a response leaves the iUPD of a run as it is."""
    return _of_next_therapy(record, run, therapy_on) or _still_listed(record, run)


def _still_listed(record: Record, run: Record | None) -> bool:
    """Whether the equivocal lesion that dated an iUPD back is still there, and nothing better.

    What `irecist.derive` says of an unequivocal one at once can be said of this one only now.
    """
    if run is None or run.confirmed_on is None:
        return False
    listed = (record.equivocal | record.unequivocal) & (run.equivocal | run.unequivocal)
    was, now = (AS_RECIST.get(of.immune or immune(of), recist.Response.PD) for of in (run, record))
    return bool(listed) and RANK[now] <= RANK[was]


def _of_next_therapy(record: Record, run: Record | None, therapy_on: Date | None) -> bool:
    """Whether a response came after a new therapy that was begun during the run."""
    return run is not None and therapy_on is not None and run.date <= therapy_on < record.date


def _begins(record: Record, progression: Progression | None) -> bool:
    return progression is not None and record is progression.record


def _until(records: Iterable[Record], progression: Progression | None) -> Iterator[Record]:
    for record in records:
        yield record
        if _begins(record, progression):
            return


def _as_recist(record: Record, progression: Progression | None) -> Record:
    if _begins(record, progression):
        return replace(record, response=recist.Response.PD)
    response = immune(record)
    written = recist.Response.NE if response is IUPD else AS_RECIST[response]
    return replace(record, response=written)


def best(found: ImmuneCourse, definition: EndpointDefinition) -> ImmuneBest:
    """The iBOR: iCR > iPR > iSD > iCPD > iUPD > NE, which needs no confirmation.

    iSD counts from `min_stable_days` after the origin, as SD does. Seymour 2017, table 3.
    """
    prepared = found.prepared
    records = prepared.counted(definition.censoring.therapies)
    one = best_overall_response(records, prepared.origin_date, definition)
    if one.response is recist.Response.PD and found.progression:
        confirmed = found.progression.confirmed_on is not None
        reason = progression_reason(found.progression)
        return ImmuneBest(ICPD if confirmed else IUPD, one.date, reason, one.source)
    seen = {record.date for record in records}
    reset = next((r for r in found.ignored if r.date in seen), None)
    if one.response is recist.Response.NE and reset:
        reason = Reason("irecist_best_unconfirmed", {"date": reset.date.isoformat()})
        return ImmuneBest(IUPD, reset.date, reason, reset.source)
    return _best(one)


def _best(one: BestResponse) -> ImmuneBest:
    return ImmuneBest(AS_IMMUNE[one.response], one.date, worded_immune(one.reason), one.source)


def progression_reason(found: Progression) -> Reason:
    """Why a progression counts from its date: confirmed, or never confirmed and never reset."""
    date = {"date": found.record.date.isoformat()}
    if found.confirmed_on is None:
        return Reason("irecist_progression_unconfirmed", date)
    confirmed_on = found.confirmed_on.isoformat()
    return Reason("irecist_progression_confirmed", date | {"confirmed_on": confirmed_on})


def worded_immune(reason: Reason) -> Reason:
    """The reason with its response as iRECIST writes it."""
    said = reason.parameters.get("response")
    if said is None:
        return reason
    response = AS_IMMUNE[recist.Response(str(said))].value
    return Reason(reason.code, {**reason.parameters, "response": response})


def explained(time: TimeToEvent | None, found: ImmuneCourse) -> TimeToEvent | None:
    """A time to event of the course, with iRECIST's reason where it ends or begins with one."""
    if time is None:
        return None
    progression = found.progression
    if progression and time.event and time.reason.code in PROGRESSIONS:
        return replace(time, reason=progression_reason(progression))
    return replace(time, reason=worded_immune(time.reason))


PROGRESSIONS = ("progression", "progression_dated_back")
