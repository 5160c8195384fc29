"""Who works on which trial, where, and as what."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.audit import audited
from trials import vocabularies as v


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Memberships in domain words."""

    def valid(self) -> Self:
        """Valid today (UTC), those of independent reviewers included."""
        today = timezone.now().date()
        return self.filter(Q(valid_to=None) | Q(valid_to__gte=today), valid_from__lte=today)

    def reviewing(self) -> Self:
        """Those of independent reviewers: they open the review and nothing else."""
        return self.valid().filter(role=v.Role.REVIEWER)

    def unblinded(self) -> Self:
        """Those whose users know the arms of a masked trial."""
        return self.filter(role=v.Role.UNBLINDED_STATISTICIAN, site=None)

    def current(self) -> Self:
        """Valid today, without those of trials that their user reviews.

        A reviewer is blinded to all that a trial's other roles see, also where somebody gave the
        same account another role there.
        """
        theirs = Membership.objects.reviewing()
        blinded = theirs.filter(user=OuterRef("user"), trial=OuterRef("trial"))
        return self.valid().filter(~Exists(blinded))


def _today() -> date:
    return timezone.now().date()


@audited()
class Membership(models.Model):
    """A user's role in a trial, at one site or at all."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    trial = models.ForeignKey("trials.Trial", on_delete=models.PROTECT, related_name="memberships")
    site = models.ForeignKey(
        "trials.Site", on_delete=models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=30, choices=v.Role)
    valid_from = models.DateField(_("valid from"), default=_today)
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("membership")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "trial", "site", "role", "valid_from"],
                name="membership_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(role__in=v.Role.values), name="membership_role_known"
            ),
            models.CheckConstraint(
                condition=~Q(role=v.Role.COORDINATOR) | Q(site__isnull=False),
                name="membership_coordinator_has_site",
            ),
            models.CheckConstraint(
                condition=~Q(role=v.Role.UNBLINDED_STATISTICIAN) | Q(site=None),
                name="membership_unblinded_of_trial",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="membership_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"
