"""Queries between people: who may, in which state, and what the thread says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied

from outcomes.models import Visit
from patients import actions
from patients.models import Patient, Query, QueryState
from patients.query_actions import answer_query, close_query, open_query, reopen_query
from registry.errors import Conflict, Refused, StaleVersion
from registry.models import User
from tests import factories
from tests.conftest import Cast
from trials.vocabularies import Role


@pytest.fixture
def visit(cast: Cast) -> Visit:
    """A baseline at site 01."""
    return factories.baseline(factories.patient(cast.trial), by=cast.coordinator)


@pytest.fixture
def query(cast: Cast, visit: Visit) -> Query:
    """The investigator asks about a diameter."""
    return asked(visit, cast.investigator)


def asked(visit: Visit, by: User, **about: str) -> Query:
    """A query about the visit."""
    said = {"subject": "visit", "text": "Really?", "lesion": "T01"} | about
    return open_query(patient=visit.patient, by=by, record_id=visit.pk, **said)


def thread(query: Query) -> list[str]:
    """Each message as `name action text`."""
    return [f"{m.by} {m.action} {m.text}" for m in query.messages.select_related("by")]


def test_a_query_goes_back_and_forth(cast: Cast, query: Query) -> None:
    query = answer_query(query=query, by=cast.coordinator, text="Read again: yes.", version=1)
    assert (query.state, query.version) == (QueryState.ANSWERED, 2)
    query = reopen_query(query=query, by=cast.investigator, reason="On which scan?", version=2)
    assert query.state == QueryState.OPEN
    query = answer_query(query=query, by=cast.colleague, text="CT", version=3)
    query = close_query(query=query, by=cast.investigator, reason="Thank you", version=4)
    assert (query.state, query.closed_because) == (QueryState.CLOSED, "resolved")
    assert thread(query) == [
        "investigator opened Really?",
        "coordinator answered Read again: yes.",
        "investigator reopened On which scan?",
        "colleague answered CT",
        "investigator closed Thank you",
    ]
    reopened = reopen_query(query=query, by=cast.investigator, reason="A typo", version=5)
    assert (reopened.state, reopened.closed_at, reopened.closed_because) == ("open", None, "")


ACTS: dict[str, Callable[[Query, User], Query]] = {
    "answer": lambda q, by: answer_query(query=q, by=by, text="x", version=q.version),
    "close": lambda q, by: close_query(query=q, by=by, reason="x", version=q.version),
    "reopen": lambda q, by: reopen_query(query=q, by=by, reason="x", version=q.version),
}


@pytest.mark.parametrize(
    ("role", "site", "allowed"),
    [
        (Role.COORDINATOR, "01", {"answer"}),
        (Role.COORDINATOR, "02", set()),
        (Role.INVESTIGATOR, "01", {"open", "answer", "close", "reopen"}),
        (Role.INVESTIGATOR, "02", set()),
        (Role.DATA_MANAGER, None, {"open", "answer", "close", "reopen"}),
        (Role.ADMINISTRATOR, None, set()),
        (Role.STATISTICIAN, None, set()),
        (Role.VIEWER, None, set()),
    ],
)
def test_who_may(
    cast: Cast, visit: Visit, query: Query, role: Role, site: str | None, allowed: set[str]
) -> None:
    somebody = factories.user()
    factories.membership(somebody, cast.trial, role, site)
    done = set()
    if may(lambda: asked(visit, somebody, lesion="T02")):
        done.add("open")
    for name in ("answer", "close", "reopen"):
        now = Query.objects.get(pk=query.pk)
        if name == "reopen" and now.state == "open":  # nobody may who may not have closed it
            now = ACTS["close"](now, cast.investigator)
        if may(lambda name=name, now=now: ACTS[name](now, somebody)):  # type: ignore[misc]
            done.add(name)
    assert done == allowed


def may(act: Callable[[], Query]) -> bool:
    """Whether the action is allowed."""
    try:
        act()
    except PermissionDenied:
        return False
    return True


def test_states_that_do_not_allow_it(cast: Cast, query: Query) -> None:
    with pytest.raises(Conflict, match="open already"):
        ACTS["reopen"](query, cast.investigator)
    closed = ACTS["close"](query, cast.investigator)
    for name in ("answer", "close"):
        with pytest.raises(Conflict, match="closed"):
            ACTS[name](closed, cast.investigator)
    with pytest.raises(StaleVersion):
        answer_query(query=query, by=cast.coordinator, text="x", version=1)


def test_the_same_is_asked_once_while_it_is_open(cast: Cast, visit: Visit, query: Query) -> None:
    with pytest.raises(Conflict, match="already"):
        asked(visit, cast.investigator)
    asked(visit, cast.investigator, lesion="T02")
    ACTS["close"](query, cast.investigator)
    asked(visit, cast.investigator)
    with pytest.raises(Conflict, match="already"):
        ACTS["reopen"](Query.objects.get(pk=query.pk), cast.investigator)


@pytest.mark.parametrize(
    ("subject", "lesion", "theirs", "pointer"),
    [
        ("visit", "T09", True, "/lesion"),
        ("patient", "T01", True, "/lesion"),
        ("visit", "", False, "/record_id"),
        ("patient", "", False, "/record_id"),
        ("dose", "", True, "/record_id"),
    ],
)
def test_a_query_speaks_of_something_of_the_patient(
    cast: Cast, visit: Visit, subject: str, lesion: str, theirs: bool, pointer: str
) -> None:
    other = factories.baseline(factories.patient(cast.trial), by=cast.coordinator)
    ids = {"visit": visit.pk, "patient": visit.patient_id, "dose": visit.pk}
    others = {"visit": other.pk, "patient": other.patient_id}
    pk = (ids if theirs else others)[subject]
    with pytest.raises(Refused) as refused:
        open_query(patient=visit.patient, by=cast.investigator, subject=subject, record_id=pk,
                   lesion=lesion, text="?")  # fmt: skip
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_whose_queries_one_sees(cast: Cast, query: Query) -> None:
    def seen(by: User) -> int:
        return Query.objects.open().visible_to(by).count()

    assert [seen(cast.coordinator), seen(cast.outsider), seen(cast.stranger)] == [1, 0, 0]
    Patient.objects.filter(pk=query.patient_id).update(voided_at=query.opened_at)
    assert seen(cast.coordinator) == 0


def test_who_asks_does_not_answer(cast: Cast, query: Query) -> None:
    further = answer_query(query=query, by=cast.investigator, text="Slice 12.", version=1)
    assert (further.state, further.version) == (QueryState.OPEN, 2)
    assert answer_query(query=further, by=cast.coordinator, text="Yes.", version=2).state == (
        QueryState.ANSWERED
    )
    manager = factories.user()
    factories.membership(manager, cast.trial, Role.DATA_MANAGER)
    asked_more = answer_query(query=query, by=manager, text="Which one?", version=3)
    assert asked_more.state == QueryState.ANSWERED  # as it was
    assert [line.split()[1] for line in thread(query)] == [
        "opened", "commented", "answered", "commented",
    ]  # fmt: skip


def test_a_data_manager_does_not_answer_for_the_site(cast: Cast, query: Query) -> None:
    manager = factories.user()
    factories.membership(manager, cast.trial, Role.DATA_MANAGER)
    assert answer_query(query=query, by=manager, text="Which one?", version=1).state == "open"


def test_voiding_a_record_closes_what_is_asked_about_it(cast: Cast, visit: Visit) -> None:
    event = factories.adverse_event(visit.patient)
    query = open_query(
        patient=visit.patient,
        by=cast.investigator,
        subject="adverse_event",
        record_id=event.pk,
        text="Since when?",
    )
    other = asked(visit, cast.investigator)
    actions.void_adverse_event(
        adverse_event=event, by=cast.investigator, reason="twice", version=event.version
    )
    query.refresh_from_db()
    assert (query.state, query.closed_because, query.version) == ("closed", "voided", 2)
    assert not Query.objects.get(pk=other.pk).is_closed
