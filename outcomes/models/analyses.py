"""Frozen analyses: what was computed, of what, by which rules; kept as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry import audit
from trials import access
from trials.models import Membership, Trial

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AnonymousUser

    from registry.models import User

SHA256 = 64  # hexadecimal digits
HEAVY = ("inputs", "result")


class AnalysisQuerySet(models.QuerySet["Analysis"]):
    """Frozen analyses in domain words."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those of trials on whose every site the user works, but for what masking hides.

        An analysis that was frozen with its arms is hidden where the arms are; a pooled one stays.
        One of the independent review is for those who may read that.
        """
        rows = self.filter(Q(blinded=True) | Q(trial__in=Trial.objects.open_to(user)))
        if user.is_superuser:
            return rows
        current = Membership.objects.current().filter(user=user.pk, site=None)
        mine = current.filter(trial=OuterRef("trial"))
        reading = mine.filter(role__in=access.ALLOWED[access.Action.READ_ANALYSES])
        reviewing = mine.filter(role__in=access.ALLOWED[access.Action.READ_REVIEW])
        of_site = ~Q(options__has_key="evaluator")  # as_query leaves the investigator out
        return rows.filter(Exists(reading), of_site | Exists(reviewing))

    def listed(self) -> Self:
        """With their trial and who froze them, without what may be megabytes."""
        return self.defer(*HEAVY).select_related("trial", "by")


class Analysis(models.Model):
    """A named analysis of a trial that keeps its inputs themselves.

    `inputs` and `result` are canonical JSON as text (`frozen_inputs`), since jsonb would put keys
    into another order and the digests are of these bytes. Not audited: a row is its own trail,
    added once and never changed.
    """

    append_only: ClassVar[bool] = True  # for registry.grants

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="analyses")
    name = models.CharField(_("name"), max_length=100)
    note = models.TextField(_("note"), max_length=2000, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    blinded = models.BooleanField()  # whether the arms were hidden from whoever froze it
    options = models.JSONField()  # as the query that asks for them
    cutoff = models.DateField()
    known_on = models.DateTimeField(null=True)
    patients = models.PositiveIntegerField()  # in the population of the response rate
    methods_version = models.PositiveSmallIntegerField()
    inputs = models.TextField()
    inputs_sha256 = models.CharField(max_length=SHA256)
    result = models.TextField()
    result_sha256 = models.CharField(max_length=SHA256)

    objects = AnalysisQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("frozen analysis")
        constraints = [
            models.UniqueConstraint(fields=["trial", "name"], name="analysis_name_unique_in_trial")
        ]
        triggers = audit.append_only()

    def __str__(self) -> str:
        return self.name

    @property
    def known_at(self) -> datetime:
        """The moment as of which the data were known: the chosen one, else that of freezing."""
        return self.known_on or self.at
