"""Who may do what where: the whole table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from patients.models import Patient
from registry.errors import Refused
from registry.models import User
from tests import factories
from tests.conftest import Api, Cast
from trials import access
from trials.access import Action
from trials.actions import add_member
from trials.models import Membership, Site, Trial
from trials.vocabularies import Role

HERE, ELSEWHERE, TRIAL = "01", "02", None

# (role, site of the role): what it allows at site 01, at site 02, and for the trial as a whole
READ = {Action.READ_ANALYSES}
WRITE = {Action.WRITE_RECORDS}
VOID = {Action.WRITE_RECORDS, Action.VOID, Action.DEVIATE, Action.QUERY} | READ
IMPORT = {Action.IMPORT, Action.QUERY} | READ
FREEZE = {Action.FREEZE} | READ
REVIEW, BOTH = {Action.REVIEW}, {Action.READ_REVIEW}  # the review, and both readings
ADMINISTER = {Action.WRITE_TRIAL, Action.UNBLIND} | FREEZE
NONE: set[Action] = set()
OF_A_TRIAL = (Role.REVIEWER, Role.UNBLINDED_STATISTICIAN)  # no role beside it, at no single site
TABLE: list[tuple[Role, str | None, set[Action], set[Action], set[Action]]] = [
    (Role.COORDINATOR, HERE, WRITE, NONE, NONE),
    (Role.INVESTIGATOR, HERE, VOID, NONE, NONE),
    (Role.INVESTIGATOR, TRIAL, VOID | BOTH, VOID | BOTH, VOID | BOTH),
    (Role.ADMINISTRATOR, TRIAL, ADMINISTER | BOTH, ADMINISTER | BOTH, ADMINISTER | BOTH),
    (Role.ADMINISTRATOR, HERE, ADMINISTER, NONE, NONE),
    (Role.DATA_MANAGER, TRIAL, IMPORT | BOTH, IMPORT | BOTH, IMPORT | BOTH),
    (Role.STATISTICIAN, TRIAL, FREEZE | BOTH, FREEZE | BOTH, FREEZE | BOTH),
    (Role.UNBLINDED_STATISTICIAN, TRIAL, FREEZE | BOTH, FREEZE | BOTH, FREEZE | BOTH),
    (Role.VIEWER, TRIAL, READ, READ, READ),
    (Role.REVIEWER, TRIAL, REVIEW, REVIEW, REVIEW),
    (Role.REVIEWER, HERE, REVIEW, NONE, NONE),
]


def allowed(user: User, trial: Trial, site: str | None) -> set[Action]:
    """Every action that the user may take there."""
    at = trial.sites.get(code=site) if site else None
    return {action for action in Action if access.may(user, action, trial=trial, site=at)}


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "of", "here", "elsewhere", "trial_wide"), TABLE)
def test_what_a_role_allows(
    role: Role, of: str | None, here: set[Action], elsewhere: set[Action], trial_wide: set[Action]
) -> None:
    trial, other, user = factories.trial(), factories.trial(), factories.user()
    factories.membership(user, trial, role, of)
    assert allowed(user, trial, HERE) == here
    assert allowed(user, trial, ELSEWHERE) == elsewhere
    assert allowed(user, trial, TRIAL) == trial_wide
    assert allowed(user, other, HERE) == allowed(user, other, TRIAL) == NONE


def test_a_superuser_may_do_everything(cast: Cast) -> None:
    assert allowed(cast.superuser, cast.trial, HERE) == set(Action)
    assert allowed(cast.superuser, cast.trial, TRIAL) == set(Action)


def test_require_refuses_by_name(cast: Cast) -> None:
    access.require(cast.administrator, Action.WRITE_TRIAL, trial=cast.trial)
    with pytest.raises(PermissionDenied, match="administrator"):
        access.require(cast.viewer, Action.WRITE_TRIAL, trial=cast.trial)
    with pytest.raises(PermissionDenied, match="superusers"):
        access.require_superuser(cast.administrator)


SEEN: list[tuple[str, set[str]]] = [
    ("coordinator", {"01-1"}), ("colleague", {"01-1"}), ("outsider", {"02-1"}),
    ("investigator", {"01-1", "02-1"}), ("viewer", {"01-1", "02-1"}), ("stranger", set()),
    ("superuser", {"01-1", "02-1", "foreign"}),
]  # fmt: skip


@pytest.mark.parametrize(("who", "subjects"), SEEN)
def test_which_patients_are_in_scope(cast: Cast, who: str, subjects: set[str]) -> None:
    factories.patient(cast.trial, "01-1", "01")
    factories.patient(cast.trial, "02-1", "02")
    factories.patient(factories.trial(), "foreign", "01")
    rows = access.in_scope(Patient.objects.all(), getattr(cast, who))
    assert {patient.subject_id for patient in rows} == subjects


def test_nobody_sees_nothing(cast: Cast) -> None:
    factories.patient(cast.trial)
    assert not access.in_scope(Patient.objects.all(), AnonymousUser()).exists()
    assert not Trial.objects.visible_to(AnonymousUser()).exists()


@pytest.mark.parametrize("other", [role for role in Role if role not in OF_A_TRIAL])
def test_who_reviews_a_trial_sees_nothing_else_of_it(cast: Cast, other: Role) -> None:
    patient, elsewhere = factories.patient(cast.trial), factories.trial()
    factories.membership(cast.stranger, cast.trial, Role.REVIEWER)
    factories.membership(cast.stranger, cast.trial, other, HERE)
    factories.membership(cast.stranger, elsewhere, Role.VIEWER)
    assert not Patient.objects.visible_to(cast.stranger).exists()
    assert list(Trial.objects.visible_to(cast.stranger)) == [elsewhere]
    assert not Site.objects.visible_to(cast.stranger).filter(trial=cast.trial).exists()
    assert allowed(cast.stranger, cast.trial, HERE) == REVIEW
    assert list(Patient.objects.reviewable_by(cast.stranger)) == [patient]
    assert not access.sees_every_site(cast.stranger, trial=cast.trial)


def test_a_reviewer_reads_the_scans_of_enrolled_patients_of_the_sites_given(cast: Cast) -> None:
    factories.membership(cast.stranger, cast.trial, Role.REVIEWER, ELSEWHERE)
    factories.patient(cast.trial, "01-1", HERE)
    factories.patient(cast.trial, "02-1", ELSEWHERE)
    factories.patient(cast.trial, "02-2", ELSEWHERE, enrolled_on=None, first_dose_on=None)
    factories.patient(factories.trial(), "foreign", ELSEWHERE)
    assert [p.subject_id for p in Patient.objects.reviewable_by(cast.stranger)] == ["02-1"]
    assert [p.subject_id for p in Patient.objects.known_to(cast.stranger)] == ["02-1"]
    for who in (cast.coordinator, cast.investigator, cast.administrator):
        assert not Patient.objects.reviewable_by(who).exists()


@pytest.mark.parametrize(
    ("first", "second"), [(Role.REVIEWER, Role.VIEWER), (Role.VIEWER, Role.REVIEWER)]
)
def test_nobody_is_given_the_review_beside_another_role(
    cast: Cast, first: Role, second: Role
) -> None:
    give = partial(add_member, trial=cast.trial, user=cast.stranger, site=None, by="tests")
    assert give(role=first) == give(role=first)
    with pytest.raises(Refused, match="no other role"):
        give(role=second)


DAY = timedelta(days=1)
PERIODS: list[tuple[timedelta, timedelta | None, bool]] = [
    (-DAY, None, True), (0 * DAY, None, True), (DAY, None, False),
    (-DAY, 0 * DAY, True), (0 * DAY, 0 * DAY, True), (-2 * DAY, -DAY, False), (DAY, 2 * DAY, False),
]  # fmt: skip


@pytest.mark.parametrize(("start", "end", "counts"), PERIODS)
def test_a_membership_counts_on_its_days(
    cast: Cast, start: timedelta, end: timedelta | None, counts: bool
) -> None:
    today: date = timezone.now().date()
    Membership.objects.create(
        user=cast.stranger, trial=cast.trial, role=Role.INVESTIGATOR,
        valid_from=today + start, valid_to=None if end is None else today + end,
    )  # fmt: skip
    factories.patient(cast.trial)
    assert access.may(cast.stranger, Action.VOID, trial=cast.trial) is counts
    assert Trial.objects.visible_to(cast.stranger).exists() is counts
    assert access.in_scope(Patient.objects.all(), cast.stranger).exists() is counts


def test_a_removed_role_counts_on_the_next_request(cast: Cast, api: Callable[[Any], Api]) -> None:
    client = api(cast.administrator)
    body = {"acronym": "X", "reason": "why"}
    assert client.patch("/trials/NCT00000001/", body, if_match='"1"').status_code == 200
    cast.administrator.memberships.update(role=Role.VIEWER)
    assert client.patch("/trials/NCT00000001/", body, if_match='"2"').status_code == 403
    cast.administrator.memberships.update(valid_to=timezone.now().date() - DAY)
    assert client.get("/trials/NCT00000001/").status_code == 404
    assert client.get("/trials/").json()["count"] == 0
