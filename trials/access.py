"""Who may see and do what: the one gate.

A record that a user may not see answers exactly as one that does not exist; an action that a
user may not take on a visible record is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from trials.vocabularies import Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from registry.models import User
    from trials.models import Membership, Site, Trial

Rows = TypeVar("Rows", bound=QuerySet[Any])


class Action(StrEnum):
    """What a role may allow; frozen analyses are of whole trials, so ask for them without a site."""

    WRITE_TRIAL = "write_trial"
    WRITE_RECORDS = "write_records"
    VOID = "void"
    DEVIATE = "deviate"
    QUERY = "query"
    IMPORT = "import"
    FREEZE = "freeze"
    UNBLIND = "unblind"
    READ_ANALYSES = "read_analyses"
    REVIEW = "review"
    READ_REVIEW = "read_review"


ALLOWED: dict[Action, frozenset[Role]] = {
    Action.WRITE_TRIAL: frozenset({Role.ADMINISTRATOR}),
    Action.WRITE_RECORDS: frozenset({Role.COORDINATOR, Role.INVESTIGATOR}),
    Action.VOID: frozenset({Role.INVESTIGATOR}),
    Action.DEVIATE: frozenset({Role.INVESTIGATOR}),
    Action.QUERY: frozenset({Role.INVESTIGATOR, Role.DATA_MANAGER}),
    Action.IMPORT: frozenset({Role.DATA_MANAGER}),
    Action.FREEZE: frozenset({Role.ADMINISTRATOR, Role.STATISTICIAN, Role.UNBLINDED_STATISTICIAN}),
    Action.UNBLIND: frozenset({Role.ADMINISTRATOR}),
    Action.READ_ANALYSES: frozenset(
        {
            Role.INVESTIGATOR,
            Role.ADMINISTRATOR,
            Role.DATA_MANAGER,
            Role.STATISTICIAN,
            Role.UNBLINDED_STATISTICIAN,
            Role.VIEWER,
        }
    ),
    Action.REVIEW: frozenset({Role.REVIEWER}),
    Action.READ_REVIEW: frozenset(  # of the whole trial only: a site never sees the review
        {
            Role.INVESTIGATOR,
            Role.ADMINISTRATOR,
            Role.DATA_MANAGER,
            Role.STATISTICIAN,
            Role.UNBLINDED_STATISTICIAN,
        }
    ),
}


def in_scope(rows: Rows, user: User | AnonymousUser, path: str = "") -> Rows:
    """Rows of the trials and sites that the user works on today.

    `path` leads from a row to its patient, such as `patient__`.
    """
    from trials.models import Membership

    if user.is_superuser:
        return rows
    mine = Membership.objects.current().filter(user=user.pk, trial=OuterRef(f"{path}trial"))
    return rows.filter(Exists(mine.filter(Q(site=None) | Q(site=OuterRef(f"{path}site")))))


def in_review(rows: Rows, user: User | AnonymousUser, path: str = "") -> Rows:
    """Rows of the patients whose scans the user reads as an independent reviewer; `path` as above."""
    from trials.models import Membership

    if user.is_superuser:
        return rows
    mine = Membership.objects.reviewing().filter(user=user.pk, trial=OuterRef(f"{path}trial"))
    return rows.filter(Exists(mine.filter(Q(site=None) | Q(site=OuterRef(f"{path}site")))))


def where_review_is_read(rows: Rows, user: User | AnonymousUser, path: str = "") -> Rows:
    """Rows of the trials in which the user sees the independent review beside the investigator's."""
    from trials.models import Membership

    if user.is_superuser:
        return rows
    mine = Membership.objects.current().filter(user=user.pk, trial=OuterRef(f"{path}trial"))
    roles = ALLOWED[Action.READ_REVIEW]
    return rows.filter(Exists(mine.filter(site=None, role__in=roles)))


def where_may(rows: Rows, user: User | AnonymousUser, *actions: Action) -> Rows:
    """Patients of the sites at which one of the user's roles allows one of the actions."""
    from trials.models import Membership

    if user.is_superuser:
        return rows
    mine = Membership.objects.current().filter(user=user.pk, trial=OuterRef("trial"))
    at = Q(site=None) | Q(site=OuterRef("site"))
    roles = frozenset().union(*(ALLOWED[action] for action in actions))
    return rows.filter(Exists(mine.filter(at, role__in=roles)))


def may(
    user: User | AnonymousUser, action: Action, *, trial: Trial, site: Site | None = None
) -> bool:
    """Whether one of the user's roles, at the trial or at the site, allows the action."""
    from trials.models import Membership

    if user.is_superuser:
        return True
    of_site = site and action is not Action.READ_REVIEW
    scope = Q(site=None) | Q(site=site) if of_site else Q(site=None)
    rows = Membership.objects
    held = rows.reviewing() if action is Action.REVIEW else rows.current()
    mine = held.filter(scope, user=user.pk, trial=trial)
    return mine.filter(role__in=ALLOWED[action]).exists()


def may_somewhere(user: User | AnonymousUser, action: Action, *, trial: Trial) -> bool:
    """Whether one of the user's roles allows the action at any site of the trial."""
    from trials.models import Membership

    if user.is_superuser:
        return True
    mine = Membership.objects.current().filter(user=user.pk, trial=trial)
    return mine.filter(role__in=ALLOWED[action]).exists()


@dataclass(frozen=True)
class Granted:
    """Where a user may take an action today: read once, asked for many rows."""

    everywhere: bool
    trials: frozenset[int]
    sites: frozenset[int]

    def at(self, *, trial: int, site: int) -> bool:
        """Whether at this site of this trial."""
        return self.everywhere or trial in self.trials or site in self.sites


def granted(
    user: User | AnonymousUser, action: Action, memberships: Iterable[Membership]
) -> Granted:
    """Where these memberships of the user, valid today, allow the action."""
    allowing = [one for one in memberships if one.role in ALLOWED[action]]
    return Granted(
        everywhere=user.is_superuser,
        trials=frozenset(one.trial_id for one in allowing if one.site_id is None),
        sites=frozenset(one.site_id for one in allowing if one.site_id is not None),
    )


def require(
    user: User | AnonymousUser, action: Action, *, trial: Trial, site: Site | None = None
) -> None:
    """Raise PermissionDenied, with whom to ask, unless the user may."""
    if not may(user, action, trial=trial, site=site):
        raise PermissionDenied(refusal())


def refusal() -> str:
    """What a user is told whose role does not suffice, and whom to ask."""
    return _("Your role does not allow this; ask the trial's administrator for it.")


def require_superuser(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless the user may create trials."""
    if not user.is_superuser:
        raise PermissionDenied(_("Trials are created by superusers."))


def sees_every_site(user: User | AnonymousUser, *, trial: Trial) -> bool:
    """Whether one of the user's roles is of the whole trial."""
    from trials.models import Membership

    mine = Membership.objects.current().filter(user=user.pk, trial=trial, site=None)
    return user.is_superuser or mine.exists()
