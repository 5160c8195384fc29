"""Time-to-event endpoints, declared as named events and censorings (METHODS.md, 6).

Each result carries what CDISC ADTTE asks for: the event or censoring in words (EVNTDESC, CNSDTDSC)
and the record that gave the date (SRCDOM, SRCSEQ). Days are `date - origin + 1`, so at least 1.
Pure: a patient's history in, frozen values with reasons out. `prepare` once per cutoff and origin;
best response and every endpoint then share the sorted and folded records.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date as Date
from operator import attrgetter

from outcomes.methods.best_response import (
    FirstResponse,
    Record,
    first_response,
    known_records,
    progression_reason,
    response_reason,
    until_therapy,
)
from outcomes.methods.recist import Reason, Response
from trials.definitions import (
    CensorAt,
    Censoring,
    CensoringRule,
    EndpointDefinition,
    TherapyKind,
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a date is recorded: the kind of record, its id and the field."""

    record: str
    id: int | None
    field: str


@dataclass(frozen=True, slots=True)
class Dated:
    """A date and the record it came from."""

    date: Date
    source: Source


@dataclass(frozen=True, slots=True)
class TherapyStart:
    """The start of an anticancer therapy after the trial's own."""

    date: Date
    kind: TherapyKind
    source: Source


@dataclass(frozen=True, slots=True)
class PatientHistory:
    """Everything known of one patient, whatever the cutoff, in any order.

    `alive` is evidence of life other than records and therapies: last known alive, baseline visit,
    doses. `has_baseline`: whether a baseline is there against which a progression can be judged.
    """

    origin: Dated | None
    records: tuple[Record, ...] = ()
    died: Dated | None = None
    therapies: tuple[TherapyStart, ...] = ()
    alive: tuple[Dated, ...] = ()
    has_baseline: bool = True


@dataclass(frozen=True, slots=True)
class Prepared:
    """A history as it is known at a cutoff; dates lie from the origin to the cutoff, both included.

    `records` are folded, one per date, to the first PD included; `therapies` are by date;
    `last_alive` is the latest evidence of life, capped at the cutoff. Without a usable origin there
    is nothing but `no_origin`, which says why.
    """

    cutoff: Date
    origin: Dated | None
    no_origin: Reason | None = None
    records: tuple[Record, ...] = ()
    died: Dated | None = None
    therapies: tuple[TherapyStart, ...] = ()
    last_alive: Dated | None = None
    has_baseline: bool = True

    @property
    def origin_date(self) -> Date | None:
        """The origin's date, for the functions of `best_response`."""
        return self.origin.date if self.origin else None

    def therapy(self, kinds: frozenset[TherapyKind]) -> TherapyStart | None:
        """The first start of new anticancer therapy of these kinds."""
        return next((therapy for therapy in self.therapies if therapy.kind in kinds), None)

    def counted(self, kinds: frozenset[TherapyKind]) -> tuple[Record, ...]:
        """The records for best response: none after the start of these kinds of therapy."""
        therapy = self.therapy(kinds)
        return until_therapy(self.records, therapy.date if therapy else None)


@dataclass(frozen=True, slots=True)
class TimeToEvent:
    """Days from the origin (which is day 1) to an event or a censoring, and why it ends there."""

    days: int
    event: bool
    date: Date
    reason: Reason
    source: Source


def prepare(history: PatientHistory, cutoff: Date) -> Prepared:
    """The history at a cutoff, sorted and folded once for all endpoints.

    Left out: what is dated before the origin or after the cutoff, assessments after a known death
    (impossible), therapies from before the origin (not new). An origin that is missing, after the
    cutoff or after death is no origin.
    """
    no_origin = _no_origin(history, cutoff)
    if history.origin is None or no_origin is not None:
        return Prepared(cutoff, None, no_origin)
    start = history.origin.date
    died = history.died if history.died and history.died.date <= cutoff else None
    therapies = (therapy for therapy in history.therapies if start <= therapy.date <= cutoff)
    return Prepared(
        cutoff,
        history.origin,
        records=known_records(history.records, start, died.date if died else cutoff),
        died=died,
        therapies=tuple(sorted(therapies, key=attrgetter("date"))),
        last_alive=_last_alive(history, history.origin, cutoff),
        has_baseline=history.has_baseline,
    )


def _no_origin(history: PatientHistory, cutoff: Date) -> Reason | None:
    if history.origin is None:
        return Reason("no_time_origin")
    origin = history.origin.date.isoformat()
    if history.origin.date > cutoff:
        return Reason("origin_after_cutoff", {"origin": origin, "cutoff": cutoff.isoformat()})
    if history.died and history.died.date < history.origin.date:
        died = history.died.date.isoformat()
        return Reason("origin_after_death", {"origin": origin, "died": died})
    return None


def _last_alive(history: PatientHistory, origin: Dated, cutoff: Date) -> Dated:
    """The latest evidence of life; evidence after the cutoff, a death too, proves life on it."""
    evidence: list[Dated | TherapyStart] = [origin, *history.alive, *history.therapies]
    latest = max(evidence, key=attrgetter("date"))
    last = max(history.records, key=attrgetter("date"), default=None)
    if last and last.date > latest.date:
        latest = Dated(last.date, _visit(last.source))
    if history.died and history.died.date > max(cutoff, latest.date):
        latest = history.died
    return Dated(min(latest.date, cutoff), latest.source)


def _visit(visit_id: int | None) -> Source:
    return Source("visit", visit_id, "date")


@dataclass(frozen=True, slots=True)
class _Ending:
    """What ends an observation, and when."""

    date: Date
    event: bool
    reason: Reason
    source: Source


@dataclass(frozen=True, slots=True)
class _Case:
    """What a censoring is asked about: a patient's first event, if any, under given rules."""

    prepared: Prepared
    origin: Dated
    event: _Ending | None
    censoring: Censoring
    longest_gap_days: int

    def last_counted(self, until: Date) -> Record | None:
        """The last assessment on or before a date that is no PD and counts under `censor_at`."""
        skipped = {Response.PD}
        if self.censoring.censor_at == CensorAt.LAST_EVALUABLE:
            skipped.add(Response.NE)
        for record in reversed(self.prepared.records):
            if record.date <= until and record.response not in skipped:
                return record
        return None

    def censored(self, last: Record | None, code: str, **parameters: str | int) -> _Ending:
        """Censored at an assessment; without one at the origin, under `<code>_at_origin`."""
        if last is None:
            return self.censored_at_origin(f"{code}_at_origin", **parameters)
        reason = Reason(code, {"date": last.date.isoformat()} | parameters)
        return _Ending(last.date, False, reason, _visit(last.source))

    def censored_at_origin(self, code: str, **parameters: str | int) -> _Ending:
        """Censored on day 1."""
        reason = Reason(code, {"date": self.origin.date.isoformat()} | parameters)
        return _Ending(self.origin.date, False, reason, self.origin.source)


def progression_free_survival(
    prepared: Prepared,
    *,
    censoring: Censoring,
    assessment_interval_days: int,
    assessment_window_days: int,
) -> TimeToEvent | None:
    """Days from the origin to objective PD or death from any cause; None without an origin.

    Censored by the first of the rule's censorings that applies, and without an event at the last
    counted assessment (else the origin). An event counts until 2 x (interval + window) days after
    the last counted assessment where a rule asks. METHODS.md, 6; `fda`: Clinical Trial Endpoints
    for the Approval of Cancer Drugs and Biologics (2018); `ema`: EMA/CHMP/27994/2008.
    """
    if prepared.origin is None:
        return None
    event = _first_event(prepared)
    censorings = CENSORINGS[censoring.rule]
    if event and not censorings:
        return _time_to(prepared.origin.date, event)
    gap = 2 * (assessment_interval_days + assessment_window_days)
    case = _Case(prepared, prepared.origin, event, censoring, gap)
    censored = (censors(case) for censors in censorings)
    ending = next(filter(None, censored), None) or event or _last_assessment(case)
    return _time_to(prepared.origin.date, ending)


def _time_to(start: Date, ending: _Ending) -> TimeToEvent:
    days = (ending.date - start).days + 1
    return TimeToEvent(days, ending.event, ending.date, ending.reason, ending.source)


def _first_event(prepared: Prepared) -> _Ending | None:
    """Progression or death, whichever is first; progression when both fall on one day."""
    return _progression(prepared) or _death(prepared)


def _progression(prepared: Prepared) -> _Ending | None:
    """The PD that `prepare` left as the last record; it left none after a death."""
    if not prepared.records or prepared.records[-1].response != Response.PD:
        return None
    record = prepared.records[-1]
    return _Ending(record.date, True, progression_reason(record), _visit(record.source))


def _death(prepared: Prepared) -> _Ending | None:
    if prepared.died is None:
        return None
    reason = Reason("death", {"date": prepared.died.date.isoformat()})
    return _Ending(prepared.died.date, True, reason, prepared.died.source)


def _no_baseline(case: _Case) -> _Ending | None:
    """Without a baseline nothing can be judged: censored on day 1, a death too."""
    if case.prepared.has_baseline:
        return None
    return case.censored_at_origin("censored_no_baseline")


def _new_therapy(case: _Case) -> _Ending | None:
    """New anticancer therapy strictly before the event, or without any event."""
    therapy = case.prepared.therapy(case.censoring.therapies)
    if therapy is None or (case.event and therapy.date >= case.event.date):
        return None
    last = case.last_counted(therapy.date)
    started_on = therapy.date.isoformat()
    return case.censored(last, "censored_new_therapy", started_on=started_on)


def _missed_assessments(case: _Case) -> _Ending | None:
    """The event came so long after the last counted assessment that two were missed."""
    if case.event is None:
        return None
    last = case.last_counted(case.event.date)
    gap = (case.event.date - (last or case.origin).date).days
    if gap <= case.longest_gap_days:
        return None
    return case.censored(
        last,
        "censored_missed_assessments",
        event_on=case.event.date.isoformat(),
        days=gap,
        limit=case.longest_gap_days,
    )


def _last_assessment(case: _Case) -> _Ending:
    """No event: the last counted assessment, else the origin."""
    last = case.last_counted(case.prepared.cutoff)
    if last is not None:
        return case.censored(last, "censored_last_assessment")
    never = "censored_never_evaluable" if case.prepared.records else "censored_never_assessed"
    return case.censored_at_origin(never)


CENSORINGS: Mapping[CensoringRule, tuple[Callable[[_Case], _Ending | None], ...]] = {
    CensoringRule.LAST_PROGRESSION_FREE: (),
    CensoringRule.EMA: (),
    CensoringRule.FDA: (_no_baseline, _new_therapy, _missed_assessments),
}


def overall_survival(prepared: Prepared) -> TimeToEvent | None:
    """Days from the origin to death from any cause; None without an origin.

    Else censored at the latest evidence of life, capped at the cutoff: evidence after the cutoff, a
    later death included, proves life on the cutoff itself. METHODS.md, 6.
    """
    if prepared.origin is None or prepared.last_alive is None:
        return None
    ending = _death(prepared) or _alive(prepared.last_alive, prepared.cutoff)
    return _time_to(prepared.origin.date, ending)


def _alive(last: Dated, cutoff: Date) -> _Ending:
    code = "censored_alive_on_cutoff" if last.date == cutoff else "censored_last_known_alive"
    reason = Reason(code, {"date": last.date.isoformat()})
    return _Ending(last.date, False, reason, last.source)


def responded(prepared: Prepared, definition: EndpointDefinition) -> FirstResponse | None:
    """The visit where the patient's response begins; None for a non-responder.

    Confirmed or not as `confirmation.required` says, and not after the start of new anticancer
    therapy of the kinds in `censoring.therapies`.
    """
    counted = prepared.counted(definition.censoring.therapies)
    return first_response(counted, definition.confirmation)


def duration_of_response(
    prepared: Prepared,
    *,
    definition: EndpointDefinition,
    assessment_interval_days: int,
    assessment_window_days: int,
) -> TimeToEvent | None:
    """Days from the first CR or PR to PD or death, censored as PFS; None for a non-responder.

    The one censoring that lies before a response, a missing baseline, is moved to it: day 1.
    """
    first = responded(prepared, definition)
    survival = progression_free_survival(
        prepared,
        censoring=definition.censoring,
        assessment_interval_days=assessment_interval_days,
        assessment_window_days=assessment_window_days,
    )
    if first is None or survival is None:
        return None
    date = max(first.date, survival.date)
    return replace(survival, date=date, days=(date - first.date).days + 1)


def time_to_response(prepared: Prepared, *, definition: EndpointDefinition) -> TimeToEvent | None:
    """Days from the origin to the first CR or PR; None for a non-responder. Never censored."""
    first = responded(prepared, definition)
    if first is None or prepared.origin is None:
        return None
    ending = _Ending(first.date, True, response_reason(first), _visit(first.source))
    return _time_to(prepared.origin.date, ending)
