"""Best overall response, its confirmation, and clinical benefit (METHODS.md, 4 and 5).

RECIST 1.1 (Eisenhauer 2009, section 4.4 and table 3), where "later" and "at least" are plain
differences of calendar days. Pure: records in, frozen values with reasons out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from operator import attrgetter

from outcomes.methods.irecist import ImmuneResponse
from outcomes.methods.recist import Reason, Response
from trials.definitions import Confirmation, EndpointDefinition

CR, PR, SD, PD, NE, NON_CR_NON_PD = Response
SEVERITY = {r: rank for rank, r in enumerate((PD, NON_CR_NON_PD, SD, PR, CR, NE))}
CONFIRMED_BY = {CR: frozenset({CR}), PR: frozenset({CR, PR})}
TOLERATED_BETWEEN = {CR: frozenset({CR, NE}), PR: frozenset({CR, PR, SD, NE})}
STABLE = frozenset({CR, PR, SD})
NEITHER = frozenset({NON_CR_NON_PD})
BENEFIT = STABLE | NEITHER
Responses = frozenset[Response]


@dataclass(frozen=True, slots=True)
class Record:
    """One assessment after baseline as the endpoints see it.

    `source` is the visit's id; `equivocal` and `unequivocal` are the labels of the new lesions
    seen. `confirmed_on` is written by `fold_equivocal`: the visit that made this one a PD.
    `immune` is the visit's response by iRECIST, for `irecist_endpoints` alone.
    """

    date: Date
    response: Response
    source: int | None = None
    equivocal: frozenset[str] = frozenset()
    unequivocal: frozenset[str] = frozenset()
    confirmed_on: Date | None = None
    immune: ImmuneResponse | None = None


@dataclass(frozen=True, slots=True)
class BestResponse:
    """A patient's best response; date and source are the first visit within its class.

    Both are None where nothing was assessed (NE).
    """

    response: Response
    date: Date | None
    reason: Reason
    source: int | None


@dataclass(frozen=True, slots=True)
class FirstResponse:
    """The visit where a response began, and the visit that confirmed it (None: not asked for)."""

    response: Response
    date: Date
    source: int | None
    confirmed_on: Date | None = None
    confirmed_by: int | None = None


Rule = Callable[[Sequence[Record], Date, EndpointDefinition], BestResponse]


def fold_equivocal(records: Iterable[Record]) -> tuple[Record, ...]:
    """Records by date, where a confirmed equivocal lesion makes its first visit a PD.

    Give only records that the cutoff knows: a confirmation must not be seen before its day. The
    label says which lesion it is, so one that was not listed for a while and came back is the same
    lesion and dates from its first visit; a reader who means another lesion gives another label.
    Source: METHODS.md, 4; Eisenhauer 2009, section 4.3.5.
    """
    ordered = sorted(records, key=attrgetter("date"))
    if len([r for r in ordered if r.equivocal or r.unequivocal]) < 2:
        return tuple(ordered)  # nothing can be seen again
    confirmed = _confirmations(ordered)
    return tuple([_progressed(r, confirmed.get(index)) for index, r in enumerate(ordered)])


def _confirmations(ordered: Sequence[Record]) -> dict[int, Date]:
    """Position of each first sighting that a later visit confirms, and that visit's date."""
    first: dict[str, int] = {}
    confirmed: dict[int, Date] = {}
    for index, record in enumerate(ordered):
        for lesion in record.unequivocal & first.keys():
            if ordered[first[lesion]].date < record.date:
                confirmed.setdefault(first[lesion], record.date)
        for lesion in record.equivocal | record.unequivocal:
            first.setdefault(lesion, index)
    return confirmed


def _progressed(record: Record, confirmed_on: Date | None) -> Record:
    if confirmed_on is None or record.response == PD:
        return record
    return replace(record, response=PD, confirmed_on=confirmed_on)


def known_records(records: Iterable[Record], origin: Date, cutoff: Date) -> tuple[Record, ...]:
    """What counts at a cutoff: origin to cutoff (both included), folded, to the first PD included.

    By date, one record per date: PD > Non-CR/Non-PD > SD > PR > CR > NE. Folding comes after the
    two limits, so neither a confirmation after the cutoff nor a sighting before the origin counts.
    Source: METHODS.md, 5 and 6.
    """
    return _to_first_progression(dated_records(records, origin, cutoff))


def dated_records(records: Iterable[Record], origin: Date, cutoff: Date) -> Iterable[Record]:
    """`known_records` before anything is cut off: what lies after the first PD as well."""
    within = [record for record in records if origin <= record.date <= cutoff]
    return _one_per_date(fold_equivocal(within))


def _one_per_date(records: Iterable[Record]) -> Iterable[Record]:
    kept: dict[Date, Record] = {}
    for record in records:
        other = kept.setdefault(record.date, record)
        if SEVERITY[record.response] < SEVERITY[other.response]:
            kept[record.date] = record
    return kept.values()


def _to_first_progression(records: Iterable[Record]) -> tuple[Record, ...]:
    kept: list[Record] = []
    for record in records:
        kept.append(record)
        if record.response == PD:
            break
    return tuple(kept)


def until_therapy(records: Sequence[Record], started_on: Date | None) -> tuple[Record, ...]:
    """The records not after the start of new anticancer therapy: its day itself still counts."""
    if started_on is None:
        return tuple(records)
    return tuple(record for record in records if record.date <= started_on)


def counted_records(
    records: Iterable[Record], origin: Date, cutoff: Date, therapy_started_on: Date | None
) -> tuple[Record, ...]:
    """The records from which a best response is taken (METHODS.md, 5).

    `known_records`, and none after the start of new anticancer therapy. A lesion confirmed during
    that therapy still dates from its first visit, as it does for progression-free survival.
    """
    return until_therapy(known_records(records, origin, cutoff), therapy_started_on)


def best_overall_response(
    records: Sequence[Record], origin: Date | None, definition: EndpointDefinition
) -> BestResponse:
    """The unconfirmed best response: CR, PR, SD, Non-CR/Non-PD, PD, NE in that order.

    `records` are `counted_records`. SD and Non-CR/Non-PD count from `min_stable_days` after the
    origin and as NE before; without an origin or a record the answer is NE. METHODS.md, 5.
    """
    return _best(records, origin, definition, _unconfirmed)


def confirmed_best_response(
    records: Sequence[Record], origin: Date | None, definition: EndpointDefinition
) -> BestResponse:
    """The best response where CR and PR need confirmation, whatever `confirmation.required` says.

    `records` are `counted_records`. An unconfirmed CR or PR is SD from `min_stable_days` after the
    origin; earlier it is NE, or PD when PD follows. METHODS.md, 5; Eisenhauer 2009, table 3.
    """
    return _best(records, origin, definition, _confirmed)


def _best(
    records: Sequence[Record], origin: Date | None, definition: EndpointDefinition, rule: Rule
) -> BestResponse:
    if origin is None:
        return BestResponse(NE, None, Reason("best_response_no_time_origin"), None)
    if not records:
        return BestResponse(NE, None, Reason("best_response_not_assessed"), None)
    return rule(records, origin, definition)


def _unconfirmed(
    records: Sequence[Record], origin: Date, definition: EndpointDefinition
) -> BestResponse:
    for wanted in (CR, PR):
        for record in records:
            if record.response == wanted:
                return _seen(record)
    return _without_response(records, origin, definition, frozenset({SD}))


def _confirmed(
    records: Sequence[Record], origin: Date, definition: EndpointDefinition
) -> BestResponse:
    confirmed = list(_confirmed_responses(records, definition.confirmation))
    for wanted in (CR, PR):
        for first in confirmed:
            if first.response == wanted:
                return BestResponse(wanted, first.date, response_reason(first), first.source)
    return _without_response(records, origin, definition, STABLE)


def _without_response(
    records: Sequence[Record], origin: Date, definition: EndpointDefinition, stable: Responses
) -> BestResponse:
    """What is left when no CR or PR stands: `stable` names the responses that then count as SD."""
    minimum = definition.min_stable_days
    late = [record for record in records if (record.date - origin).days >= minimum]
    for response, classed in ((SD, stable), (NON_CR_NON_PD, NEITHER)):
        for record in late:
            if record.response in classed:
                return _lasted(record, response, origin, minimum)
    for record in records:
        if record.response == PD:
            return _progression(record)
    return _not_evaluable(records, origin, minimum)


def _seen(record: Record) -> BestResponse:
    reason = Reason("response", _seen_on(record))
    return BestResponse(record.response, record.date, reason, record.source)


def _lasted(record: Record, response: Response, origin: Date, minimum: int) -> BestResponse:
    unconfirmed = record.response in CONFIRMED_BY
    code = "best_response_unconfirmed_is_stable" if unconfirmed else "best_response_lasted"
    reason = Reason(code, _seen_on(record) | _timing(record, origin, minimum))
    return BestResponse(response, record.date, reason, record.source)


def _progression(record: Record) -> BestResponse:
    return BestResponse(PD, record.date, progression_reason(record), record.source)


def _not_evaluable(records: Sequence[Record], origin: Date, minimum: int) -> BestResponse:
    """The first visit, all being NE or too early; the reason speaks of the first early response."""
    first = records[0]
    early = next((record for record in records if record.response != NE), None)
    if early is None:
        reason = Reason("best_response_never_evaluable", {"visits": len(records)})
    else:
        unconfirmed = early.response in CONFIRMED_BY
        code = "best_response_unconfirmed_too_early" if unconfirmed else "best_response_too_early"
        reason = Reason(code, _seen_on(early) | _timing(early, origin, minimum))
    return BestResponse(NE, first.date, reason, first.source)


def progression_reason(record: Record) -> Reason:
    """Why a PD record is one on its date: seen then, or dated back from a confirmed new lesion."""
    parameters = {"date": record.date.isoformat()}
    if record.confirmed_on is None:
        return Reason("progression", parameters)
    confirmed_on = record.confirmed_on.isoformat()
    return Reason("progression_dated_back", parameters | {"confirmed_on": confirmed_on})


def response_reason(first: FirstResponse) -> Reason:
    """Why a response counts: confirmed by a later visit, or taken without confirmation."""
    if first.confirmed_on is None:
        return Reason("response", _seen_on(first))
    confirmed_on = first.confirmed_on.isoformat()
    return Reason("response_confirmed", _seen_on(first) | {"confirmed_on": confirmed_on})


def _seen_on(record: Record | FirstResponse) -> dict[str, str | int]:
    return {"response": record.response.value, "date": record.date.isoformat()}


def _timing(record: Record, origin: Date, minimum: int) -> dict[str, str | int]:
    return {"days": (record.date - origin).days, "minimum": minimum}


def first_response(records: Sequence[Record], confirmation: Confirmation) -> FirstResponse | None:
    """The visit where response begins for DOR and TTR; None for a non-responder.

    Confirmed or not, as `confirmation.required` says. `records` are `counted_records`.
    """
    if confirmation.required:
        return confirmed_response(records, confirmation)
    return unconfirmed_response(records)


def confirmed_response(
    records: Sequence[Record], confirmation: Confirmation
) -> FirstResponse | None:
    """The first CR or PR that a later visit confirms, with that visit; None without one.

    A CR needs a later CR, a PR a later PR or CR. `records` are `counted_records`. METHODS.md, 5.
    """
    return next(_confirmed_responses(records, confirmation), None)


def unconfirmed_response(records: Sequence[Record]) -> FirstResponse | None:
    """The first CR or PR, confirmed or not; None without one. `records` are `counted_records`."""
    seen = (record for record in records if record.response in CONFIRMED_BY)
    return next((FirstResponse(r.response, r.date, r.source) for r in seen), None)


def _confirmed_responses(records: Sequence[Record], rule: Confirmation) -> Iterator[FirstResponse]:
    for index, first in enumerate(records):
        if first.response in CONFIRMED_BY:
            by = _confirming(first, records[index + 1 :], rule)
            if by is not None:
                yield FirstResponse(first.response, first.date, first.source, by.date, by.source)


def _confirming(first: Record, later: Sequence[Record], rule: Confirmation) -> Record | None:
    """The first late enough response, if what lies before it allows; any later one lets in more."""
    for index, record in enumerate(later):
        apart = (record.date - first.date).days
        if record.response in CONFIRMED_BY[first.response] and apart >= rule.min_days:
            window = [r.response for r in later[: index + 1]]
            return record if _undisturbed(first.response, window, rule) else None
    return None


def _undisturbed(first: Response, window: Sequence[Response], rule: Confirmation) -> bool:
    """Whether the responses after `first`, up to and with the confirming one, leave it standing."""
    return (
        TOLERATED_BETWEEN[first].issuperset(window)
        and window.count(NE) <= rule.max_not_evaluable_between
        and window.count(SD) <= int(rule.allow_stable_between)
        and not _falls_back(window)
    )


def _falls_back(window: Sequence[Response]) -> bool:
    """A PR after a CR: admiralonco's condition, since such a sequence contradicts RECIST."""
    return CR in window and PR in window[window.index(CR) :]


def first_benefit(
    records: Sequence[Record], origin: Date | None, definition: EndpointDefinition
) -> Record | None:
    """The first visit that shows clinical benefit; None without one, or without an origin.

    A response (confirmed or not, as `confirmation.required` says) at any time, or any CR, PR, SD
    or Non-CR/Non-PD from `min_benefit_days` after the origin. METHODS.md, 5.
    """
    if origin is None:
        return None
    response = first_response(records, definition.confirmation)
    for record in records:
        lasted = (record.date - origin).days >= definition.min_benefit_days
        if (response and record.date == response.date) or (lasted and record.response in BENEFIT):
            return record
    return None


def has_clinical_benefit(
    records: Sequence[Record], origin: Date | None, definition: EndpointDefinition
) -> bool:
    """Whether the patient counts for the clinical benefit rate: see `first_benefit`."""
    return first_benefit(records, origin, definition) is not None
