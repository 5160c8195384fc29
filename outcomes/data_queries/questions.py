"""Soft checks become queries: opened on save, answered by who saved, closed when the value fits.

One read for any number of patients, and then one statement for each of what is closed, opened and
said. The caller holds the lock on the patients and has named who writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from outcomes import checking
from outcomes.entries import Acknowledgement
from outcomes.history import History
from outcomes.methods.soft_checks import Check, SoftCheck
from outcomes.models import Visit
from patients.models import (
    SETTLED,
    ClosedBecause,
    MessageAction,
    Patient,
    Query,
    QueryMessage,
    QueryState,
    QuerySubject,
)

if TYPE_CHECKING:
    from registry.models import User

CLOSING = ("state", "closed_at", "closed_because", "closed_value", "version")
Key = tuple[str, str]  # a check's code and its lesion, which identify it within a visit
Asked = Mapping[int, Sequence[SoftCheck]]  # what the checks ask of each visit, by its id


def unsettled(visit: Visit, checks: Sequence[SoftCheck]) -> tuple[SoftCheck, ...]:
    """Those that nobody has answered yet for a stored visit; one statement where there are any."""
    if not checks:
        return ()
    rows = list(_check_queries(Query.objects.of_record(QuerySubject.VISIT, visit.pk)))
    return tuple(check for check in checks if not _settled(check, rows))


def asked_of(past: History) -> Asked:
    """What the checks ask of every visit as it stands: taken before a write, for `review`."""
    return {visit.pk: checking.of_visit(past, visit) for visit in past.visits}


class Questions:
    """The queries about some patients' visits, changed in memory while the visits are written."""

    def __init__(self, patients: Iterable[Patient], *, by: User) -> None:
        self._by = by
        self._of: dict[int, list[Query]] = defaultdict(list)
        self._closed: list[Query] = []
        self._opened: list[Query] = []
        self._said: list[QueryMessage] = []
        for query in Query.objects.filter(patient__in=patients, subject=QuerySubject.VISIT):
            self._of[query.record_id].append(query)

    def review(
        self,
        past: History,
        before: Asked,
        saved: Mapping[int, Sequence[Acknowledgement]] | None = None,
        explained_later: Collection[int] = (),
    ) -> None:
        """Look at a history that was stored and derived.

        The `saved` visits, by id, are asked about, but for what comes acknowledged with them; the
        others, whose past may have changed, about what was not asked `before` the write. A
        response that differs without a reason is not asked about in visits `explained_later`.
        """
        saved = saved or {}
        for visit in past.visits:
            known = before.get(visit.pk, ()) if visit.pk not in saved else ()
            later = visit.pk in explained_later
            self._review(past, visit, saved.get(visit.pk), known, later=later)

    def void(self, visit: Visit) -> None:
        """Close what is open about a visit that was voided, whoever asked."""
        for query in self._of[visit.pk]:
            if not query.is_closed:
                self._close(query, ClosedBecause.VOIDED)

    def store(self) -> None:
        """Write what has changed."""
        if self._closed:
            Query.objects.bulk_update(self._closed, CLOSING)
        Query.objects.bulk_create(self._opened)
        QueryMessage.objects.bulk_create(self._said)

    def _review(
        self,
        past: History,
        visit: Visit,
        acknowledged: Sequence[Acknowledgement] | None,
        known: Sequence[SoftCheck],
        *,
        later: bool,
    ) -> None:
        queries = list(_check_queries(self._of[visit.pk]))
        said = {(a.code, a.lesion): a.comment for a in acknowledged or ()}
        asked = {_key(check): check for check in checking.of_visit(past, visit)}
        replaced = {(q.code, q.lesion) for q in self._overtaken(past, visit, queries, asked)}
        for key, check in asked.items():
            standing = next((q for q in queries if _asks(q, check) and not q.is_closed), None)
            if standing and key in said and not _reasoned(check):
                self._acknowledge(standing, said[key])
                self._close(standing, _because(said[key]))
            elif standing or _settled(check, queries) or (later and _unexplained(check)):
                continue
            elif acknowledged is not None:
                self._open(visit, check, said.get(key), explained=_reasoned(check))
            elif key in replaced or not any(_same(check, other) for other in known):
                self._open(visit, check, None)

    def _overtaken(
        self, past: History, visit: Visit, queries: Iterable[Query], asked: Mapping[Key, SoftCheck]
    ) -> list[Query]:
        """The open queries that the values do not give any more, closed by the value that does."""
        found = []
        for query in queries:
            check = asked.get((query.code, query.lesion))
            if query.is_closed or (check and _asks(query, check)):
                continue
            value = checking.value_now(past, visit, query.lesion, query.field)
            self._close(query, ClosedBecause.VALUE_CHANGED, value)
            found.append(query)
        return found

    def _open(
        self, visit: Visit, check: SoftCheck, comment: str | None, *, explained: bool = False
    ) -> None:
        query = Query(
            patient_id=visit.patient_id,
            subject=QuerySubject.VISIT,
            record_id=visit.pk,
            lesion=check.lesion,
            field=check.pointer.rsplit("/", 1)[-1],
            code=check.check.value,
            parameters=dict(check.reason.parameters),
        )
        self._opened.append(query)
        if explained:  # the site has answered already, by giving its reason
            query.state = QueryState.ANSWERED
            self._say(query, MessageAction.ANSWERED, str(check.reason.parameters["reason"]))
        elif comment is not None:
            self._acknowledge(query, comment)
            query.close(_because(comment))

    def _acknowledge(self, query: Query, comment: str) -> None:
        action = MessageAction.COMMENTED if comment else MessageAction.CONFIRMED
        self._say(query, action, comment)

    def _close(self, query: Query, because: ClosedBecause, value: str = "") -> None:
        query.close(because, value)
        query.version += 1
        self._closed.append(query)

    def _say(self, query: Query, action: MessageAction, text: str) -> None:
        self._said.append(
            QueryMessage(
                patient_id=query.patient_id, query=query, by=self._by, action=action, text=text
            )
        )


def _check_queries(queries: Iterable[Query]) -> Iterable[Query]:
    return (query for query in queries if query.code)


def _key(check: SoftCheck) -> Key:
    return (check.check.value, check.lesion)


def _asks(query: Query, check: SoftCheck) -> bool:
    """Whether the query is this check's, of the same values."""
    return (query.code, query.lesion) == _key(check) and query.asks(dict(check.reason.parameters))


def _same(check: SoftCheck, other: SoftCheck) -> bool:
    """Whether two checks ask the same, of the same values."""
    return (_key(check), check.reason) == (_key(other), other.reason)


def _settled(check: SoftCheck, queries: Iterable[Query]) -> bool:
    """Whether somebody has decided about these very values."""
    return any(_asks(q, check) and q.closed_because in SETTLED for q in queries)


def _reasoned(check: SoftCheck) -> bool:
    """Whether the visit gives its reason itself, which does not close the question."""
    return check.check is Check.STATED_RESPONSE_DIFFERS


def _unexplained(check: SoftCheck) -> bool:
    """Whether the response differs and nobody said why."""
    return _reasoned(check) and not check.reason.parameters["reason"]


def _because(comment: str) -> ClosedBecause:
    return ClosedBecause.COMMENTED if comment else ClosedBecause.CONFIRMED
